"""As much of PowerShell as the scripts that are sent to VMM servers need; anything else is an error."""

from local.simulators.scvmm.powershell.interpreter import Interpreter
from local.simulators.scvmm.powershell.values import CmdletError, Thing, Unsupported

__all__ = ["CmdletError", "Interpreter", "Thing", "Unsupported"]

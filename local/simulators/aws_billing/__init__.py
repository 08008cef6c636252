"""AWS's billing, simulated: Cost Explorer, and Data Exports of the FOCUS table, both of one bill."""

from local.simulators.aws_billing.exports import FocusExport
from local.simulators.aws_billing.simulator import CostExplorerSettings, CostExplorerSimulator

__all__ = ["CostExplorerSettings", "CostExplorerSimulator", "FocusExport"]

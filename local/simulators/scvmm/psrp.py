"""The server's side of PowerShell remoting (psrpcore): one runspace pool, the pipelines in it, and what they say."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any, Final, NamedTuple

import psrpcore
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    NETException,
    PSCustomObject,
    PSInt64,
    PSInvocationState,
    PSNoteProperty,
    PSObject,
)

from local.simulators.scvmm.powershell import CmdletError, Thing

_COMMAND: Final = re.compile(rb'<S N="Cmd">(.*?)</S>', re.DOTALL)
_INT32: Final = 2**31
_CUSTOM: Final = "System.Management.Automation.PSCustomObject"


class Outcome(NamedTuple):
    """What came of a script: what it said, its errors, and the one that ended it."""

    said: list[Any]
    errors: list[CmdletError]
    terminated_by: CmdletError | None


Run = Callable[[str, Mapping[str, Any]], Outcome]
"""Runs a script with values for its parameters."""


class RunspacePool:
    """One client's runspace pool, and what it is still to be told, by command id (None: the pool itself)."""

    def __init__(self) -> None:
        self._pool = psrpcore.ServerRunspacePool()
        self._unsent: dict[str | None, bytearray] = {}
        self.ended: set[str] = set()

    def open(self, fragments: bytes) -> None:
        """Take what a client opens a pool with."""
        self._feed(fragments, None)

    def command(self, command_id: str, fragments: bytes, run: Run) -> None:
        """Run the pipeline that a command is."""
        psrpcore.ServerPipeline(self._pool, uuid.UUID(command_id))
        self._feed(fragments, run)

    def send(self, fragments: bytes, run: Run) -> None:
        """Take more of a pipeline that did not fit its command."""
        self._feed(fragments, run)

    def take(self, command_id: str | None) -> bytes:
        """What is to be told now."""
        return bytes(self._unsent.pop(command_id, b""))

    def forget(self, command_id: str) -> None:
        """Give up a pipeline that has ended."""
        self._unsent.pop(command_id, None)
        self.ended.discard(command_id)
        self._pool.pipeline_table.pop(uuid.UUID(command_id), None)

    def _feed(self, fragments: bytes, run: Run | None) -> None:
        self._pool.receive_data(psrpcore.PSRPPayload(fragments, psrpcore.StreamType.default, None))
        while (event := self._pool.next_event()) is not None:
            if isinstance(event, psrpcore.CreatePipelineEvent) and run is not None:
                self._run(self._pool.pipeline_table[event.pipeline_id], run)
                self.ended.add(str(event.pipeline_id).upper())
        while (payload := self._pool.data_to_send()) is not None:
            key = str(payload.pipeline_id).upper() if payload.pipeline_id else None
            self._unsent.setdefault(key, bytearray()).extend(payload.data)

    def _run(self, pipeline: psrpcore.ServerPipeline, run: Run) -> None:
        pipeline.start()
        commands = pipeline.metadata.commands if pipeline.metadata else []
        if len(commands) == 1 and commands[0].is_script:
            values = {str(name).lstrip("-").rstrip(":"): value for name, value in commands[0].parameters}
            outcome = run(str(commands[0].command_text), {name: _plain(value) for name, value in values.items()})
        else:
            refusal = CmdletError(
                "Unsupported", "Only pipelines of one script are simulated.", "NotImplementedException"
            )
            outcome = Outcome([], [], refusal)
        for said in outcome.said:
            pipeline.write_output(_remoted(said))
        for error in outcome.errors:
            record = _record(error)
            pipeline.write_error(record.Exception, record.CategoryInfo, fully_qualified_error_id=error.error_id)
        if outcome.terminated_by is None:
            pipeline.complete()
        else:
            pipeline._change_state(PSInvocationState.Failed, error=_record(outcome.terminated_by))


def scripts_in(fragments: bytes) -> str:
    """The text of the scripts that a message's fragments carry, read without disturbing a pool."""
    return "\n".join(unescape(text.decode("utf-8", "replace")) for text in _COMMAND.findall(fragments))


def _plain(value: Any) -> Any:
    """A parameter's value in Python's own types, which psrpcore's are made from."""
    for kind in (bool, int, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _remoted(value: Any) -> Any:
    """A value as remoting sends it: an object's properties as they are if they are plain, and otherwise as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _INT32:
        return PSInt64(value)
    if not isinstance(value, Thing):
        return value
    properties = {name: _property(it) for name, it in value.properties.items()}
    if value.type_name == _CUSTOM:
        return PSCustomObject(**properties)
    remoted = PSObject()
    remoted.PSObject.type_names = [f"Deserialized.{value.type_name}", "System.Object"]
    remoted.PSObject.extended_properties.extend(PSNoteProperty(name, it) for name, it in properties.items())
    return remoted


def _property(value: Any) -> Any:
    match value:
        case Thing():
            return value.text
        case list():
            return [_property(it) for it in value]
        case _:
            return _remoted(value)


def _record(error: CmdletError) -> ErrorRecord:
    return ErrorRecord(
        Exception=NETException(Message=error.message, HResult=-2146233088),
        CategoryInfo=ErrorCategoryInfo(Category=ErrorCategory.ReadError, Reason=error.reason),
        FullyQualifiedErrorId=error.error_id,
    )

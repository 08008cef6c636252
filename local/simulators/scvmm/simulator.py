"""The simulated VMM server as a web application: signing in, faults, shells, scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from lambdas.core.marks import marks_of
from local.clock import Clock
from local.simulators.faults import Fault
from local.simulators.scvmm import wsman
from local.simulators.scvmm.changes import Changes
from local.simulators.scvmm.cmdlets import Session
from local.simulators.scvmm.door import Door
from local.simulators.scvmm.estate import SAMPLE, Estate
from local.simulators.scvmm.powershell import CmdletError, Unsupported
from local.simulators.scvmm.powershell.interpreter import Terminated
from local.simulators.scvmm.psrp import Outcome, RunspacePool, scripts_in
from local.simulators.scvmm.settings import ScvmmTiming
from local.simulators.scvmm.state import State
from local.simulators.scvmm.wsman import Envelope, WsmanFault
from local.simulators.simulator import Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CMDLET: Final = re.compile(r"\b[A-Z][a-z]+-SC[A-Za-z]+\b")
_CONNECTING: Final = "Get-SCVMMServer"
_USER: Final = "skysaga.user"
_READS: Final = "Get-"


@dataclass
class _Shell:
    """A client's shell: whose it is, how long it may be idle, when it was used last, and the commands it was given."""

    owner: str
    idle_timeout: float
    used_at: float
    pool: RunspacePool = field(default_factory=RunspacePool)
    commands: set[str] = field(default_factory=set)


class ScvmmSimulator(Simulator):
    """A VMM server behind its WSMan endpoint `/wsman`.

    A command is called by the last cmdlet in its script that changes something, or else by the first that reads; every
    other request by WSMan's own name, such as `Shell.Create` or `Shell.Receive`. `users` may be changed at any time.
    """

    def __init__(
        self,
        clock: Clock,
        sleep: Callable[[float], None],
        estate: Estate = SAMPLE,
        timing: ScvmmTiming | None = None,
    ) -> None:
        super().__init__(clock, sleep)
        self.users = dict(estate.users)
        self.state = State(estate, timing or ScvmmTiming())
        self._door = Door(self.users)
        self._shells: dict[str, _Shell] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request: whoever it is from is let in first, and gets the answer as the connection has it."""
        request = Request(environ)
        if request.path.startswith("/_simulator/"):
            return super().__call__(environ, start_response)
        admitted = self._door.admit(request)
        if isinstance(admitted, Response):
            return admitted(environ, start_response)
        plain = {key: value for key, value in environ.items() if key != "werkzeug.request"}
        plain.update(
            {"wsgi.input": BytesIO(admitted.body), "CONTENT_LENGTH": str(len(admitted.body)), _USER: admitted.user}
        )
        return admitted.seal(Response.from_app(super().__call__, plain))(environ, start_response)

    def operation(self, request: Request) -> str:
        """The cmdlet that a command is about, or WSMan's name for what is asked."""
        try:
            envelope = wsman.read(request.get_data())
        except WsmanFault:
            return "unknown"
        cmdlets = [it for it in _CMDLET.findall(scripts_in(envelope.fragments)) if it != _CONNECTING]
        changing = [it for it in cmdlets if not it.startswith(_READS)]
        if envelope.action == "Command" and cmdlets:
            return str(changing[-1] if changing else cmdlets[0])
        return f"Shell.{envelope.action}"

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request as WinRM would."""
        message_id = ""
        try:
            envelope = wsman.read(request.get_data())
            message_id = envelope.message_id
            now = self.clock.now()
            self.state.settle(now)
            self._expire(now)
            if envelope.action == "Create":
                return self._create(envelope, str(request.environ.get(_USER)), now)
            shell = self._shell(envelope, str(request.environ.get(_USER)), now)
            changes = Changes(self.state, now, fault, self.operation(request))
            return self._in_shell(envelope, shell, lambda script, values: _outcome(changes, script, values))
        except WsmanFault as error:
            return wsman.fault(error, message_id)

    def throttled(self, request: Request) -> Response:
        """WinRM's quota of operations: it has no 429."""
        text = "The maximum number of concurrent operations for this user has been exceeded."
        return wsman.fault(WsmanFault(wsman.TOO_MANY_OPERATIONS, text), wsman.read(request.get_data()).message_id)

    def unavailable(self, request: Request) -> Response:
        """503, as the HTTP stack below WinRM gives it."""
        return Response("<h2>Service Unavailable</h2>", 503, content_type="text/html; charset=us-ascii")

    def quoting(self, body: str) -> Response:
        """A fault that quotes the envelope."""
        text = f"The SOAP XML in the message does not match the corresponding XML schema definition: {body}"
        return wsman.fault(WsmanFault(wsman.SCHEMA_VALIDATION, text), wsman.read(body.encode()).message_id)

    def resources(self) -> list[dict[str, Any]]:
        """Every machine, those that are none of ours and those not listed yet among them."""
        self.state.settle(self.clock.now())
        return [
            {
                "id": it.id,
                "type": "machine",
                "name": it.name,
                "location": it.host,
                "status": it.status,
                "marks": marks_of(it.description),
                "created_at": it.created_at,
            }
            for it in self.state.machines.values()
        ]

    def _expire(self, now: float) -> None:
        """End the shells that nobody has used for too long."""
        self._shells = {key: it for key, it in self._shells.items() if now - it.used_at <= it.idle_timeout}

    def _create(self, envelope: Envelope, user: str, now: float) -> Response:
        if sum(shell.owner == user for shell in self._shells.values()) >= self.state.timing.shells_per_user:
            text = "The maximum number of concurrent shells for this user has been exceeded."
            raise WsmanFault(wsman.TOO_MANY_SHELLS, text)
        shell_id = envelope.find(f".//{{{wsman.SHELL}}}Shell").attrib["ShellId"].upper()
        idle_timeout = envelope.idle_timeout
        shell = _Shell(user, self.state.timing.shell_idle if idle_timeout is None else idle_timeout, now)
        self._shells[shell_id] = shell
        shell.pool.open(envelope.fragments)
        return wsman.shell_created(envelope, shell_id)

    def _shell(self, envelope: Envelope, user: str, now: float) -> _Shell:
        shell = self._shells.get(envelope.shell_id or "")
        if shell is None:
            text = "The request for the Windows Remote Shell failed because the shell was not found on the server."
            raise WsmanFault(wsman.NO_SUCH_SHELL, text)
        if shell.owner != user:
            raise WsmanFault(wsman.ACCESS_DENIED, "Access is denied.")
        shell.used_at = now
        return shell

    def _in_shell(
        self, envelope: Envelope, shell: _Shell, run: Callable[[str, Mapping[str, Any]], Outcome]
    ) -> Response:
        command_id = envelope.command_id
        match envelope.action:
            case "Command" if command_id:
                # The same command over again is the same command: it is not run twice.
                if command_id not in shell.commands:
                    shell.commands.add(command_id)
                    shell.pool.command(command_id, envelope.fragments, run)
                return wsman.command_accepted(envelope, command_id)
            case "Send":
                shell.pool.send(envelope.fragments, run)
                return wsman.answer(envelope, "<rsp:SendResponse/>")
            case "Receive":
                data = shell.pool.take(command_id)
                if not data:
                    raise WsmanFault(wsman.TIMED_OUT, "The operation could not be completed in the time specified.")
                return wsman.received(envelope, data, command_id in shell.pool.ended)
            case "Signal" if command_id:
                shell.pool.forget(command_id)
                return wsman.answer(envelope, "<rsp:SignalResponse/>")
            case "Get":
                return wsman.shell_state(envelope, str(envelope.shell_id))
            case "Delete":
                del self._shells[str(envelope.shell_id)]
                return wsman.answer(envelope, "")
            case _:
                raise WsmanFault(wsman.SCHEMA_VALIDATION, f"{envelope.action} is not simulated.")


def create_app(clock: Clock, sleep: Callable[[float], None]) -> ScvmmSimulator:
    """The sample estate with the default timing."""
    return ScvmmSimulator(clock, sleep)


def _outcome(changes: Changes, script: str, values: Mapping[str, Any]) -> Outcome:
    session = Session(changes)
    try:
        said = session.interpreter.run(script, values)
    except Terminated as end:
        return Outcome([], session.interpreter.errors, end.error)
    except Unsupported as error:
        missing = CmdletError("ParserError", f"Not simulated: {error}", "ParseException")
        return Outcome([], session.interpreter.errors, missing)
    return Outcome(said, session.interpreter.errors, None)

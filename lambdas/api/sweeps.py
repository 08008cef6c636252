"""The routes about sweeps."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.adapters.observability import logger
from lambdas.api.answers import json_answer
from lambdas.api.calls import body, content_type
from lambdas.api.documents import JSON_TYPES, read_document
from lambdas.api.guard import caller
from lambdas.api.views import sweep_view
from lambdas.core.errors import FieldError, Forbidden, RequestError
from lambdas.core.ports.access import AccessRules
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.sweeps import Sweep, Sweeps, SweepStatus
from lambdas.core.steps.sweep import new_sweep_id


def add_sweep_routes(
    app: APIGatewayHttpResolver, access: Callable[[], AccessRules], sweeps: Callable[[], Sweeps], clock: Clock
) -> None:
    """Let those who may do so start sweeps, and see what any sweep found, the hourly ones included."""

    def check() -> None:
        if not access().current().may_sweep(caller(app)):
            raise Forbidden('to sweep, ask for a grant with "sweeps": "run"')

    @app.post("/sweeps")
    def start() -> Response[str]:
        check()
        dry_run = _dry_run(read_document(body(app), content_type(app), JSON_TYPES))
        now = clock.now()
        sweep = Sweep(new_sweep_id(now), SweepStatus.RUNNING, dry_run, now)
        sweeps().start(sweep.id, dry_run=dry_run)
        logger.info("sweep started", extra={"sweep": sweep.id, "dry_run": dry_run})
        return json_answer(HTTPStatus.ACCEPTED, sweep_view(sweep), {"Location": f"/sweeps/{sweep.id}"})

    @app.get("/sweeps/<sweep_id>")
    def get(sweep_id: str) -> Response[str]:
        check()
        return json_answer(HTTPStatus.OK, sweep_view(sweeps().find(sweep_id)))


def _dry_run(document: object) -> bool:
    """Whether a sweep is to start nothing; raises RequestError. It must be said: the other kind deletes."""
    if not isinstance(document, dict):
        raise RequestError([FieldError("(document)", 'must be an object, such as {"dry_run": true}')])
    errors = [FieldError(str(name), "unknown field") for name in document if name != "dry_run"]
    dry_run = document.get("dry_run")
    if not isinstance(dry_run, bool):
        errors.append(FieldError("dry_run", "say true to look only, or false to release what is found, too"))
    if errors or not isinstance(dry_run, bool):
        raise RequestError(errors)
    return dry_run

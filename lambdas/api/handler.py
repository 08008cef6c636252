"""The Lambda handler of the HTTP API."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.checks import LambdaChecks
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import deployed_clusters
from lambdas.adapters.costs import collected, deployed_costs, deployed_saga_costs
from lambdas.adapters.executions import StepFunctionsExecutions, StepFunctionsSweeps
from lambdas.adapters.observability import logger, metrics, tracer
from lambdas.adapters.parameters import ParameterAccess, Parameters
from lambdas.adapters.settings import AccessSettings, ApiSettings, ConsoleSettings
from lambdas.adapters.spans import Kind, current, span
from lambdas.adapters.steps import deployed
from lambdas.api.console import add_console_routes
from lambdas.api.costs import Billing
from lambdas.api.routes import make_app
from lambdas.core.sagas import Sagas


@cache
def _sagas() -> Sagas:
    settings = ApiSettings.from_environment(os.environ)
    executions = StepFunctionsExecutions(
        clients.stepfunctions(), settings.provisioning_state_machine, settings.release_state_machine
    )
    ledger, clock, _ = deployed()
    return Sagas(ledger, executions, clock, time.sleep)


@cache
def _checks() -> LambdaChecks:
    return LambdaChecks(clients.functions(), ApiSettings.from_environment(os.environ).check_functions)


@cache
def _access() -> ParameterAccess:
    settings = AccessSettings.from_environment(os.environ)
    return ParameterAccess(
        Parameters(clients.parameters()),
        settings.grants_parameter,
        settings.target_parameters,
        SystemClock(),
        settings.grants_seconds,
    )


@cache
def _sweeps() -> StepFunctionsSweeps:
    settings = ApiSettings.from_environment(os.environ)
    return StepFunctionsSweeps(clients.stepfunctions(), settings.sweep_state_machine)


def _billing() -> Billing | None:
    return Billing(cache(deployed_costs), cache(deployed_saga_costs)) if collected(os.environ) else None


_app = make_app(_sagas, _checks, _access, cache(deployed_clusters), _sweeps, SystemClock(), _billing())
if (_sign_in := ConsoleSettings.from_environment(os.environ).sign_in) is not None:
    add_console_routes(_app, _sign_in)


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path="pathParameters.id", clear_state=True, log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request (API Gateway payload format 2.0)."""
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    route = str(event.get("routeKey", ""))
    with span(route, Kind.SERVER, _saga_of(route, event), **{"faas.invocation_id": context.aws_request_id}):
        answer = _app.resolve(event, context)
        _tell(route, answer["statusCode"])
    return answer


def _saga_of(route: str, event: dict[str, Any]) -> str:
    """The saga that a call is about by its path; that of a new one becomes known when it is accepted."""
    return str(event["pathParameters"]["id"]) if "/sagas/{id}" in route else ""


def _tell(route: str, status: int) -> None:
    if (answered := current()) is not None:
        told: dict[str, str | int] = {"http.route": route.partition(" ")[2], "http.response.status_code": status}
        answered.add(**told)
        answered.error = str(status) if status >= 500 else None

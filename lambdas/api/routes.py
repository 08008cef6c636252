"""The routes of the HTTP API: each parses, calls the core, and shows what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from lambdas.adapters.observability import correlate, logger, metrics, where
from lambdas.api.answers import fits, json_answer, next_link, tagged_answer
from lambdas.api.calls import IDEMPOTENCY_KEY, KEY_PATTERN, LONGEST_KEY, body, content_type, header
from lambdas.api.clusters import add_cluster_routes
from lambdas.api.conditions import seen_versions
from lambdas.api.costs import Billing, add_cost_routes, saga_cost
from lambdas.api.documents import read_document
from lambdas.api.guard import caller, guard
from lambdas.api.problems import NO_METHOD, NO_ROUTE, internal_problem, problem, problem_of
from lambdas.api.queries import Query
from lambdas.api.sweeps import add_sweep_routes
from lambdas.api.views import cursor_view, event_view, plan_view, saga_view, summary_view
from lambdas.core.dry_run import dry_run
from lambdas.core.errors import FieldError, Misconfigured, RequestError, SkysagaError
from lambdas.core.model import Saga
from lambdas.core.ports.access import AccessRules
from lambdas.core.ports.checks import Checks
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.sweeps import Sweeps
from lambdas.core.request import SagaRequest, parse_request
from lambdas.core.sagas import SagaPage, Sagas, ended

if TYPE_CHECKING:
    from lambdas.api import shapes

_KEY_ADVICE: Final = (
    f"send this header with a value of your own, at most {LONGEST_KEY} printable ASCII characters, the same on a retry"
)


def make_app(
    sagas: Callable[[], Sagas],
    checks: Callable[[], Checks],
    access: Callable[[], AccessRules],
    clusters: Callable[[], Clusters],
    sweeps: Callable[[], Sweeps],
    clock: Clock,
    billing: Billing | None = None,
) -> APIGatewayHttpResolver:
    """The application over sagas, the clouds' checks, who may do what, clusters and sweeps, made when first needed.

    Without `billing` it knows nothing of costs.
    """
    app = APIGatewayHttpResolver(debug=False)  # whatever the environment says: debugging prints requests
    app.use([guard(sagas, access)])

    @app.get("/healthz")
    def healthz() -> Response[str]:
        up: shapes.Health = {"status": "ok"}
        return json_answer(HTTPStatus.OK, up)

    @app.get("/openapi.json")
    def describe() -> Response[str]:
        from lambdas.api.openapi import document_text  # noqa: PLC0415 - few ask, and a cold start must not wait for it

        return tagged_answer(app, document_text(), {"Cache-Control": "public, max-age=300"})

    @app.post("/sagas")
    def submit() -> Response[str]:
        key, request = _submission(app)
        who = caller(app)
        return _accepted(sagas().submit(request, who.id, key, access().current().targets_of(request, who)))

    @app.post("/plans")
    def plan() -> Response[str]:
        request = parse_request(read_document(body(app), content_type(app)))
        targets = access().current().targets_of(request, caller(app))
        return json_answer(HTTPStatus.OK, plan_view(dry_run(request, checks(), targets)))

    @app.get("/sagas")
    def list_sagas() -> Response[str]:
        query = Query(app.current_event.query_string_parameters or {})
        status, label, limit, cursor = query.status(), query.label(), query.limit(), query.cursor()
        query.check()
        who = caller(app)
        owner = None if access().current().sees_all(who) else who.id
        items = sagas().find(status, label, limit, cursor, owner)
        next_cursor = items[-1].id if len(items) == limit else None
        page: shapes.SagaPage = {"items": [summary_view(it) for it in items], "next_cursor": next_cursor}
        return tagged_answer(app, json.dumps(page), next_link(app, cursor=next_cursor) if next_cursor else {})

    @app.get("/sagas/<saga_id>")
    def get(saga_id: str) -> Response[str]:
        query = Query(app.current_event.query_string_parameters or {})
        limit, cursor = query.resources(), query.resource_cursor()
        query.check()
        page, cost = sagas().get(saga_id, cursor, limit), saga_cost(saga_id, billing)
        while not fits(text := _saga_text(page, cost)) and page.saga.division:
            page = page.first(len(page.resources) // 2)
        links = next_link(app, cursor=page.following) if page.following else {}
        return tagged_answer(app, text, links, page.saga.version)

    @app.get("/sagas/<saga_id>/events")
    def events(saga_id: str) -> Response[str]:
        query = Query(app.current_event.query_string_parameters or {})
        after, wait = query.after(), query.wait()
        query.check()
        found = sagas().events(saga_id, after, wait)
        cursor = cursor_view(found.cursor)
        items = [event_view(it, found.saga.division) for it in found.events]
        page: shapes.EventPage = {"items": items, "next_cursor": cursor}
        return json_answer(HTTPStatus.OK, page, next_link(app, after=cursor))

    _take_orders(app, sagas)
    add_cluster_routes(app, access, clusters, clock)
    add_sweep_routes(app, access, sweeps, clock)
    add_cost_routes(app, access, sagas, billing, clock)
    _handle_errors(app)
    return app


def _take_orders(app: APIGatewayHttpResolver, sagas: Callable[[], Sagas]) -> None:
    """What callers have done to a saga that exists, if it is as they have seen it."""

    def seen() -> frozenset[int] | None:
        return seen_versions(header(app, "if-match"))

    @app.post("/sagas/<saga_id>/approve")
    def approve(saga_id: str) -> Response[str]:
        return _accepted(sagas().approve(saga_id, caller(app).id, seen()))

    @app.post("/sagas/<saga_id>/cancel")
    def cancel(saga_id: str) -> Response[str]:
        return _accepted(sagas().cancel(saga_id, seen()))

    @app.post("/sagas/<saga_id>/resume")
    def resume(saga_id: str) -> Response[str]:
        return _accepted(sagas().resume(saga_id, seen()))

    @app.delete("/sagas/<saga_id>")
    def destroy(saga_id: str) -> Response[str]:
        return _accepted(sagas().destroy(saga_id, seen()))


def _handle_errors(app: APIGatewayHttpResolver) -> None:
    @app.exception_handler(SkysagaError)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
    def ours(error: SkysagaError) -> Response[str]:
        response = problem_of(error)
        if isinstance(error, Misconfigured):
            logger.error("misconfigured", extra={"reason": str(error)})
        logger.info("refused", extra={"status": response.status_code, "reason": type(error).__name__})
        return response

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
    def unforeseen(error: Exception) -> Response[str]:
        logger.error("unforeseen error", extra={"error": type(error).__name__, "where": where(error)})
        return internal_problem()

    @app.not_found
    def no_route(_: NotFoundError) -> Response[str]:
        from lambdas.api.operations import allowed_methods  # noqa: PLC0415 -- all that can be asked, to say what cannot

        path, method = app.current_event.path, app.current_event.http_method
        methods = allowed_methods(path)
        if methods and method not in methods:  # otherwise it names something in characters that no name has
            advice = f"{path} takes {', '.join(methods)}, and no {method}"
            return problem(NO_METHOD, advice, headers={"Allow": ", ".join(methods)})
        return problem(NO_ROUTE, f"{path} is not served")


def _submission(app: APIGatewayHttpResolver) -> tuple[str, SagaRequest]:
    """The idempotency key and the request; raises RequestError with what is wrong with either."""
    key = header(app, IDEMPOTENCY_KEY)
    document = read_document(body(app), content_type(app))
    usable = re.fullmatch(KEY_PATTERN, key) and len(key) <= LONGEST_KEY
    errors = [] if usable else [FieldError("Idempotency-Key", _KEY_ADVICE)]
    try:
        request = parse_request(document)
    except RequestError as error:
        raise RequestError([*errors, *error.errors]) from error
    if errors:
        raise RequestError(errors)
    return key, request


def _saga_text(page: SagaPage, cost: shapes.SagaCostState) -> str:
    view: shapes.Saga = {**saga_view(page), **cost}
    return json.dumps(view)


def _accepted(saga: Saga) -> Response[str]:
    correlate(saga.id)
    metrics.add_metric(name="SagasAccepted", unit="Count", value=1)
    logger.info("accepted", extra={"saga_status": saga.status, "ended": ended(saga)})
    accepted: shapes.Accepted = {"id": saga.id, "status": saga.status}
    return json_answer(HTTPStatus.ACCEPTED, accepted, {"Location": f"/sagas/{saga.id}"})

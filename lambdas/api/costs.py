"""The route about costs, and what a saga's own page says of them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.adapters.observability import logger
from lambdas.api.answers import json_answer, next_link
from lambdas.api.guard import caller
from lambdas.api.problems import NO_COSTS, problem
from lambdas.api.queries import Query
from lambdas.api.views import cost_page_view, saga_cost_view
from lambdas.core.billing.questions import Question, parse_question
from lambdas.core.errors import FieldError, RequestError, RetryableError, SagaNotFound

if TYPE_CHECKING:
    from lambdas.api import shapes
    from lambdas.core.access import Caller
    from lambdas.core.costs import Costs
    from lambdas.core.ports.access import AccessRules
    from lambdas.core.ports.clock import Clock
    from lambdas.core.ports.summaries import SagaCosts
    from lambdas.core.sagas import Sagas

MOST_SAGAS: Final = 2000
"""That somebody may have and still ask for the costs of all of them at once."""

_PAGE: Final = 100
_PAGING: Final = frozenset({"limit", "cursor"})


class Billing(NamedTuple):
    """What a deployment that collects costs has of them, each made when first needed."""

    costs: Callable[[], Costs]
    saga_costs: Callable[[], SagaCosts]


def add_cost_routes(
    app: APIGatewayHttpResolver,
    access: Callable[[], AccessRules],
    sagas: Callable[[], Sagas],
    billing: Billing | None,
    clock: Clock,
) -> None:
    """Answer questions about costs: those of their own sagas to everybody, all others to who was granted them."""

    @app.get("/costs")
    def ask() -> Response[str]:
        who = caller(app)
        sees_all = access().current().sees_all_costs(who)
        if billing is None:
            return problem(NO_COSTS, "docs/costs.md says what there would be.")
        parameters = app.current_event.query_string_parameters or {}
        question, limit, cursor = _asked(parameters, clock)
        if not sees_all:
            question = _of_own_sagas(question, who, sagas(), access())
        page = billing.costs().ask(question, cursor, limit)
        headers = next_link(app, cursor=page.next_cursor) if page.next_cursor else {}
        return json_answer(HTTPStatus.OK, cost_page_view(question, page, sees_all=sees_all), headers)


def saga_cost(saga_id: str, billing: Billing | None) -> shapes.SagaCostState:
    """What a saga's page says of its cost: nothing when nothing is known, since the page must not fail for it."""
    if billing is None:
        return {}
    try:
        cost = billing.saga_costs().of(saga_id)
    except RetryableError as error:
        logger.warning("a saga's cost could not be read", extra={"reason": str(error)})
        return {}
    return saga_cost_view(cost) if cost else {}


def _asked(parameters: dict[str, str], clock: Clock) -> tuple[Question, int, str | None]:
    """The question, how many lines, and from where on; raises RequestError with what is wrong with any of them."""
    errors: list[FieldError] = []
    query = Query({name: value for name, value in parameters.items() if name in _PAGING})
    limit, cursor = query.lines(), query.cursor()
    question: Question | None = None
    try:
        question = parse_question({k: v for k, v in parameters.items() if k not in _PAGING}, clock.now().date())
    except RequestError as error:
        errors += error.errors
    try:
        query.check()
    except RequestError as error:
        errors += error.errors
    if question is None or errors:
        raise RequestError(errors)
    return question, limit, cursor


def _of_own_sagas(question: Question, who: Caller, sagas: Sagas, access: AccessRules) -> Question:
    """The question limited to sagas that its caller may see; raises SagaNotFound for one that they may not."""
    filters = question.scope.filters
    wanted = filters.get("saga")
    if wanted is None:
        wanted = _own_sagas(who, sagas)
    else:
        for saga_id in wanted:
            if not access.current().may_touch(who, sagas.header(saga_id)):
                raise SagaNotFound(f"no saga {saga_id}")
    return question._replace(scope=question.scope._replace(filters={**filters, "saga": wanted}))


def _own_sagas(who: Caller, sagas: Sagas) -> tuple[str, ...]:
    found: list[str] = []
    before: str | None = None
    while True:
        page = sagas.find(None, None, _PAGE, before, who.id)
        found += [it.id for it in page]
        if len(page) < _PAGE:
            return tuple(found)
        if len(found) > MOST_SAGAS:
            advice = f"you have more than {MOST_SAGAS} sagas: name those you want, or ask for a grant of all costs"
            raise RequestError([FieldError("saga", advice)])
        before = page[-1].id

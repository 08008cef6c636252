"""Nobody reaches a saga that is not theirs, by whichever route.

It stands before the routes, not in them, so that it guards those that are added later, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from lambdas.api.callers import caller_of
from lambdas.core.access import Caller
from lambdas.core.errors import SagaNotFound
from lambdas.core.ports.access import AccessRules
from lambdas.core.sagas import Sagas

SAGA_ID: Final = "saga_id"
"""What every route about one saga calls it."""

Middleware = Callable[[APIGatewayHttpResolver, NextMiddleware], Response[Any]]


def guard(sagas: Callable[[], Sagas], access: Callable[[], AccessRules]) -> Middleware:
    """The middleware that answers for a saga that its caller may not touch as for one that does not exist."""

    def check(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        saga_id = (app.context.get("_route_args") or {}).get(SAGA_ID)
        if saga_id is not None:
            saga = sagas().header(saga_id)
            if not access().current().may_touch(caller(app), saga):
                raise SagaNotFound(f"no saga {saga_id}")
        return next_middleware(app)

    return check


def caller(app: APIGatewayHttpResolver) -> Caller:
    """Who made the call that is being answered; raises Unidentified."""
    return caller_of(app.current_event.raw_event.get("requestContext", {}))

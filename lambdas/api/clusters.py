"""The routes about private clusters."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.adapters.observability import logger
from lambdas.api.answers import json_answer
from lambdas.api.guard import caller
from lambdas.api.views import cluster_view
from lambdas.core.clusters import ClusterStanding
from lambdas.core.errors import ClusterNotFound, Forbidden
from lambdas.core.ports.access import AccessRules
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters

if TYPE_CHECKING:
    from lambdas.api.shapes import ClusterList


def add_cluster_routes(
    app: APIGatewayHttpResolver, access: Callable[[], AccessRules], clusters: Callable[[], Clusters], clock: Clock
) -> None:
    """Show the clusters of the targets that a caller may use, and let those who may do so drain them."""

    def shown(standing: ClusterStanding) -> bool:
        settings = standing.settings
        return access().current().may_use(caller(app), settings.provider, settings.target)

    def drain(name: str, drained: bool) -> Response[str]:
        if not shown(clusters().standing(name)):
            raise ClusterNotFound(name)
        if not access().current().may_drain(caller(app)):
            raise Forbidden('to drain clusters, ask for a grant with "clusters": "drain"')
        clusters().drain(name, drained)
        logger.info("drained" if drained else "not drained any more", extra={"cluster": name})
        return json_answer(HTTPStatus.OK, cluster_view(clusters().standing(name), clock.now()))

    @app.get("/clusters")
    def list_clusters() -> Response[str]:
        items = [cluster_view(it, clock.now()) for it in clusters().standings() if shown(it)]
        page: ClusterList = {"items": sorted(items, key=lambda item: item["name"])}
        return json_answer(HTTPStatus.OK, page)

    @app.put("/clusters/<name>/drain")
    def start_draining(name: str) -> Response[str]:
        return drain(name, True)

    @app.delete("/clusters/<name>/drain")
    def stop_draining(name: str) -> Response[str]:
        return drain(name, False)

"""The account as a WSGI application: moto with every correction applied, in this process.

One account per process: moto keeps its state in module globals, and `create_app` begins with an empty one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.aws.cloudformation.application import CloudFormationApplication
from local.aws.dynamodb import PREFIX as DYNAMODB_FAULTS
from local.aws.dynamodb import DynamoDb
from local.aws.ec2.application import Ec2Application
from local.aws.ec2.durations import durations
from local.aws.ec2.region import Regions
from local.aws.ec2.simulator import Ec2Simulator
from local.aws.moto_corrections import correct_moto
from local.aws.moto_wsgi import not_implemented
from local.aws.price_list import PriceList
from local.aws.resources.registry import PROVIDERS
from local.aws.s3_corrections import date_objects_by
from local.aws.sqs_corrections import set_queues_by
from local.aws.stream_corrections import set_streams_by
from local.clock import Clock
from local.later import Later

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ACCOUNT_ID: Final[str] = DEFAULT_ACCOUNT_ID

COST_EXPLORER_FAULTS: Final = "/_simulator/cost-explorer/"
"""What would be below `/_simulator/`, which is EC2's here."""

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([^/]+)/([^/]+)/aws4_request")


def create_app(
    clock: Clock,
    *,
    ec2_seconds: Mapping[str, float] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    wait: Callable[[float], None] = time.sleep,
    cost_explorer: WSGIApplication | None = None,
) -> WSGIApplication:
    """An empty account on `clock`; `ec2_seconds` overrides `ec2.durations.DEFAULT_DURATIONS`.

    `sleep` delays an answer of EC2's, `wait` lets the time of a gradual deployment pass. `cost_explorer` says what
    things cost; without one nobody does.

    It answers every AWS API that moto knows, by the service in the request's credential scope. CloudFormation calls
    the other services back at the address that the request came to.
    """
    correct_moto()
    set_queues_by(clock)
    date_objects_by(clock)
    set_streams_by(clock)
    ec2 = create_ec2(clock, ec2_seconds=ec2_seconds, sleep=sleep)
    moto = DomainDispatcherApplication(create_backend_app)
    dynamodb = DynamoDb(moto, clock, sleep)
    applications: dict[str, WSGIApplication] = {
        "apigateway": _ApiGateway(moto),
        "ec2": ec2,
        "servicequotas": ec2,
        "cloudformation": CloudFormationApplication(ACCOUNT_ID, clock, PROVIDERS, wait),
        "dynamodb": dynamodb,
        "pricing": PriceList(),
    }
    administered: dict[str, WSGIApplication] = {DYNAMODB_FAULTS: dynamodb, "/_simulator/": ec2}
    if cost_explorer is not None:
        applications["ce"] = cost_explorer
        administered = {COST_EXPLORER_FAULTS: _Moved(COST_EXPLORER_FAULTS, cost_explorer), **administered}
    return _Account(applications, administered, moto)


def create_ec2(
    clock: Clock, *, ec2_seconds: Mapping[str, float] | None = None, sleep: Callable[[float], None] = time.sleep
) -> Ec2Simulator:
    """EC2 alone, with faults, on an account that is emptied."""
    BackendDict.reset()
    regions = Regions(ACCOUNT_ID, clock, durations(ec2_seconds))
    return Ec2Simulator(ACCOUNT_ID, regions, Ec2Application(regions), clock, sleep)


class _ApiGateway:
    """HTTP APIs by moto's module for them alone, and what else API Gateway has by `moto`'s way.

    That would take both for the older one, which takes as long to import as the rest of a deployment's services.
    """

    def __init__(self, moto: WSGIApplication) -> None:
        self._moto = moto
        self._http_apis = Later(lambda: create_backend_app("apigatewayv2"))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        application = self._http_apis() if environ["PATH_INFO"].startswith("/v2/") else self._moto
        answered: Iterable[bytes] = application(environ, start_response)
        return answered


class _Moved:
    """A simulator that is administered below another path than `/_simulator/`."""

    def __init__(self, path: str, application: WSGIApplication) -> None:
        self._path = path
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = "/_simulator/" + environ["PATH_INFO"].removeprefix(self._path)
        return self._application({**environ, "PATH_INFO": path}, start_response)


class _Account:
    """Hands a request to the application of its service, and what has none to moto.

    `administered` are those whose faults are armed below a path of their own, the longest path first.
    """

    def __init__(
        self,
        applications: Mapping[str, WSGIApplication],
        administered: Mapping[str, WSGIApplication],
        moto: WSGIApplication,
    ) -> None:
        self._applications = applications
        self._administered = administered
        self._moto = moto

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for prefix, application in self._administered.items():
            if environ["PATH_INFO"].startswith(prefix):
                return application(environ, start_response)
        scope = _CREDENTIAL_SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = scope.group(2) if scope else ""
        try:
            return self._applications.get(service, self._moto)(environ, start_response)
        except NotImplementedError as error:
            return not_implemented(environ, error)(environ, start_response)

"""The account as a WSGI application: moto with every correction applied, in this process.

One account per process: moto keeps its state in module globals, and `create_app` begins with an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.aws.ec2.application import Ec2Application
from local.aws.ec2.durations import durations
from local.aws.ec2.hooks import OperationHooks
from local.aws.ec2.region import Regions
from local.clock import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([^/]+)/([^/]+)/aws4_request")


def create_app(
    clock: Clock,
    *,
    ec2_seconds: Mapping[str, float] | None = None,
    ec2_hooks: OperationHooks | None = None,
) -> WSGIApplication:
    """An empty account on `clock`; `ec2_seconds` overrides `ec2.durations.DEFAULT_DURATIONS`.

    It answers every AWS API that moto knows, by the service in the request's credential scope. CloudFormation calls
    the other services back at the address that the request came to.
    """
    BackendDict.reset()
    regions = Regions(ACCOUNT_ID, clock, durations(ec2_seconds))
    return _Account(
        {"ec2": Ec2Application(regions, ec2_hooks or OperationHooks())},
        DomainDispatcherApplication(create_backend_app),
    )


class _Account:
    """Hands a request to the application of its service, and what has none to moto."""

    def __init__(self, applications: Mapping[str, WSGIApplication], moto: WSGIApplication) -> None:
        self._applications = applications
        self._moto = moto

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scope = _CREDENTIAL_SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = scope.group(2) if scope else ""
        return self._applications.get(service, self._moto)(environ, start_response)

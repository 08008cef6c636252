"""SSM parameters: what the deployment declares, and what operators grant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from lambdas.adapters.refusals import passes
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.core.ports.clock import Clock
from lambdas.core.targets import Target, Targets, parse_targets

if TYPE_CHECKING:
    from lambdas.core.access import Access, Grants
    from lambdas.core.billing.budgets import Budget
    from lambdas.core.billing.sources import Sources

_PASSING: Final = frozenset({"InternalServerError", "RequestLimitExceeded", "ThrottlingException", "TooManyUpdates"})
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html, and those of GetParameters"""


_MOST_NAMES: Final = 10
"""Of one GetParameters: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html"""


class _Cached(NamedTuple):
    access: Access
    until: datetime


class Parameters:
    """Parameters by name, always as they are now."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, names: Sequence[str]) -> dict[str, str]:
        """The values, of at most ten names; raises Misconfigured for any that is missing, or may not be read."""
        try:
            answer = self._client.get_parameters(Names=list(names))
        except ClientError as error:
            raise _translated(error, names) from error
        except BotoCoreError as error:
            raise RetryableError(type(error).__name__, "the parameter store did not answer") from error
        if missing := answer["InvalidParameters"]:
            raise Misconfigured(f"the SSM parameter(s) {', '.join(missing)} do not exist; deploy again or put them")
        return {it["Name"]: it["Value"] for it in answer["Parameters"]}


class ParameterTargets:
    """The targets that the deployment declared; `names` are their parameters by cloud."""

    def __init__(self, parameters: Parameters, names: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._names = names

    def declared(self) -> Targets:
        """All of them; raises Misconfigured or RetryableError."""
        values = self._parameters.read(list(self._names.values()))
        return _targets(self._names, values)


class ParameterClusters:
    """The clusters that the deployment declared, each in the parameter `/skysaga/clusters/NAME`."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    def declared(self, clusters: Sequence[str]) -> dict[str, ClusterSettings]:
        """Some of them by name; raises Misconfigured or RetryableError."""
        found: dict[str, ClusterSettings] = {}
        for first in range(0, len(clusters), _MOST_NAMES):
            names = {f"/skysaga/clusters/{it}": it for it in clusters[first : first + _MOST_NAMES]}
            values = self._parameters.read(list(names))
            found |= {cluster: _cluster(name, cluster, values[name]) for name, cluster in names.items()}
        return found


class ParameterSources:
    """The sources that the deployment declared, in one parameter."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self._parameters = parameters
        self._name = name

    def declared(self) -> Sources:
        """All of them, by name; raises Misconfigured or RetryableError."""
        from lambdas.core.billing.sources import parse_sources  # noqa: PLC0415 -- few functions read any

        try:
            return parse_sources(self._parameters.read([self._name])[self._name])
        except ValidationError as error:
            raise _malformed(self._name, error) from error


class ParameterBudgets:
    """The budgets that are declared, in one parameter."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self._parameters = parameters
        self._name = name

    def declared(self) -> Mapping[str, Budget]:
        """All of them, by name; raises Misconfigured or RetryableError."""
        from lambdas.core.billing.budgets import parse_budgets  # noqa: PLC0415 -- as above

        try:
            return parse_budgets(self._parameters.read([self._name])[self._name])
        except ValidationError as error:
            raise _malformed(self._name, error) from error


class ParameterAccess:
    """The grants and the targets, read again when they were read `seconds` ago."""

    def __init__(
        self, parameters: Parameters, grants: str, targets: Mapping[str, str], clock: Clock, seconds: float
    ) -> None:
        self._parameters = parameters
        self._grants = grants
        self._targets = targets
        self._clock = clock
        self._seconds = timedelta(seconds=seconds)
        self._cached: _Cached | None = None

    def current(self) -> Access:
        """What is granted and declared; raises Misconfigured or RetryableError, and then grants nothing."""
        now = self._clock.now()
        if self._cached is None or self._cached.until <= now:
            self._cached = None
            self._cached = _Cached(self._read(), now + self._seconds)
        return self._cached.access

    def _read(self) -> Access:
        from lambdas.core.access import Access  # noqa: PLC0415 -- only the API reads grants

        values = self._parameters.read([self._grants, *self._targets.values()])
        return Access(_parsed_grants(self._grants, values[self._grants]), _targets(self._targets, values))


def _parsed_grants(name: str, text: str) -> Grants:
    from lambdas.core.access import GRANTS  # noqa: PLC0415 -- as above

    try:
        return GRANTS.validate_json(text)
    except ValidationError as error:
        raise _malformed(name, error) from error


def _targets(names: Mapping[str, str], values: Mapping[str, str]) -> Targets:
    return {cloud: _targets_on(cloud, name, values[name]) for cloud, name in names.items()}


def _targets_on(cloud: str, name: str, text: str) -> dict[str, Target]:
    try:
        return dict(parse_targets(cloud, text))
    except ValidationError as error:
        raise _malformed(name, error) from error


def _cluster(name: str, cluster: str, text: str) -> ClusterSettings:
    try:
        settings = ClusterSettings.model_validate_json(text)
    except ValidationError as error:
        raise _malformed(name, error) from error
    if settings.name != cluster or not settings.queue_url or not settings.ledger_table:
        raise Misconfigured(f"the SSM parameter {name} must have this cluster's name, queue_url and ledger_table")
    return settings


def _malformed(name: str, error: ValidationError) -> Misconfigured:
    """Which parameter, which of its fields, and what is wrong with them; never what they hold."""
    reasons = [
        f"{'.'.join(map(str, it['loc'])) or '(document)'}: {it['msg']}"
        for it in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Misconfigured(f"the SSM parameter {name} cannot be used: {'; '.join(reasons)}")


def _translated(error: ClientError, names: Sequence[str]) -> Exception:
    code = error.response["Error"]["Code"]
    if passes(error, _PASSING):
        return RetryableError(code, "the parameter store refused for now")
    return Misconfigured(f"the SSM parameter(s) {', '.join(names)} cannot be read: {code}")

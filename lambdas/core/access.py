"""Who may do what: which callers may use which targets, and whose sagas they may see and change.

Grants only add. Without any, a caller may use the `default` targets and has their own sagas.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, StringConstraints, TypeAdapter

from lambdas.core.errors import FieldError, NotGranted, RequestError
from lambdas.core.model import Saga
from lambdas.core.request import SagaRequest
from lambdas.core.specs import ResourceDefinition
from lambdas.core.specs.base import Strict
from lambdas.core.targets import DEFAULT, Target, Targets

EVERYBODY: Final = "*"

CallerPattern = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
TargetPattern = Annotated[str, StringConstraints(pattern=r"^(\*|aws|azure|gcp|vsphere|scvmm)/[a-z0-9*-]{1,40}$")]


class Caller(NamedTuple):
    """Who makes a call: `id` is who opened the saga; any of `names`, the id among them, is what grants may name."""

    id: str
    names: tuple[str, ...]


class Grant(Strict):
    """What some callers may do besides what everybody may.

    In a pattern `*` stands for anything but a colon, so that one account's ARN is never taken for another's; the caller
    `*` is everybody. A target is `cloud/name`.
    Everybody sees the clusters of targets that they may use; to `drain` them takes a grant. Everybody sees what their
    own sagas cost; to see everything that is paid for, sagas or not, takes a grant for `all` costs. Sweeps take a grant
    to `run` them, and to see what they found: they look at everything, whosever it is.
    """

    callers: Annotated[list[CallerPattern], Field(min_length=1)]
    targets: list[TargetPattern] = Field(default=[])
    sagas: Literal["own", "all"] = "own"
    clusters: Literal["see", "drain"] = "see"
    costs: Literal["own", "all"] = "own"
    sweeps: Literal["none", "run"] = "none"


class Grants(Strict):
    """Everything that was granted; `default_targets` says whether the `default` targets need a grant, too."""

    default_targets: Literal["everybody", "granted"] = "everybody"
    grants: list[Grant] = Field(default=[])


GRANTS: Final = TypeAdapter[Grants](Grants)


class Access:
    """The grants and the targets that are declared, as of one moment."""

    def __init__(self, grants: Grants, targets: Targets) -> None:
        self._grants = grants
        self._targets = targets

    def sees_all(self, caller: Caller) -> bool:
        """Whether the caller may see and change everybody's sagas."""
        return any(grant.sagas == "all" for grant in self._of(caller))

    def may_touch(self, caller: Caller, saga: Saga) -> bool:
        """Whether the caller may see and change a saga; to anybody else it does not exist."""
        return saga.caller == caller.id or self.sees_all(caller)

    def may_use(self, caller: Caller, cloud: str, name: str) -> bool:
        """Whether the caller may use a target, whether it is declared or not."""
        return self._granted(caller, cloud, name)

    def may_drain(self, caller: Caller) -> bool:
        """Whether the caller may drain the clusters of the targets that they may use."""
        return any(grant.clusters == "drain" for grant in self._of(caller))

    def sees_all_costs(self, caller: Caller) -> bool:
        """Whether the caller may see all costs, and not only those of their own sagas."""
        return any(grant.costs == "all" for grant in self._of(caller))

    def may_sweep(self, caller: Caller) -> bool:
        """Whether the caller may start sweeps and see what they found."""
        return any(grant.sweeps == "run" for grant in self._of(caller))

    def targets_of(self, request: SagaRequest, caller: Caller) -> dict[str, Target]:
        """What the targets that a request names stand for, by resource id.

        Raises NotGranted, or RequestError for those that are granted and not there to be used; both name every field.
        A target that was not granted is refused in the same words whether it exists or not.
        """
        refused: list[FieldError] = []
        unusable: list[FieldError] = []
        found: dict[str, Target] = {}
        for index, definition in enumerate(request.resources):
            field = f"resources[{index}].target"
            cloud, name = definition.provider, definition.target
            target = self._targets.get(cloud, {}).get(name)
            if not self._granted(caller, cloud, name):
                refused.append(FieldError(field, f"you may not use the target {name!r} on {cloud}; ask for a grant"))
            elif target is None:
                unusable.append(FieldError(field, self._unknown(caller, definition)))
            elif target.withdrawn:
                unusable.append(FieldError(field, f"the target {name!r} on {cloud} is withdrawn: it takes nothing new"))
            else:
                found[definition.id] = target
        if refused:
            raise NotGranted([*refused, *unusable])
        if unusable:
            raise RequestError(unusable)
        return found

    def _granted(self, caller: Caller, cloud: str, name: str) -> bool:
        if name == DEFAULT and self._grants.default_targets == "everybody":
            return True
        return any(_matches(it, f"{cloud}/{name}") for grant in self._of(caller) for it in grant.targets)

    def _of(self, caller: Caller) -> Iterator[Grant]:
        for grant in self._grants.grants:
            if any(_matches_caller(pattern, caller.names) for pattern in grant.callers):
                yield grant

    def _unknown(self, caller: Caller, definition: ResourceDefinition) -> str:
        cloud, name = definition.provider, definition.target
        there = [it.name for it in self._targets.get(cloud, {}).values() if not it.withdrawn]
        usable = sorted(it for it in there if self._granted(caller, cloud, it))
        near = difflib.get_close_matches(name, usable, n=3)
        if near:
            return f"no target {name!r} on {cloud}; did you mean {' or '.join(near)}?"
        known = f"you may use {', '.join(usable)}" if usable else f"there is none on {cloud} that you may use"
        return f"no target {name!r} on {cloud}; {known}"


def _matches_caller(pattern: str, names: Sequence[str]) -> bool:
    return pattern == EVERYBODY or any(_matches(pattern, name) for name in names)


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("[^:]*".join(map(re.escape, pattern.split("*"))))

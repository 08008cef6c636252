"""The things a provider does; each is a function with a role of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from aws_cdk import aws_iam as iam

Verb = Literal["create", "observe", "delete", "check"]
VERBS: Final[tuple[Verb, ...]] = ("create", "observe", "delete", "check")


class Permissions(NamedTuple):
    """What each verb may do, and why wildcards in it are accepted: by the id of cdk-nag's finding, the reason."""

    statements: Mapping[Verb, Sequence[iam.PolicyStatement]]
    accepted: Mapping[str, str]


NO_PERMISSIONS: Final = Permissions(dict.fromkeys(VERBS, ()), {})

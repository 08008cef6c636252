"""The three things a provider does; each is a function with a role of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from aws_cdk import aws_iam as iam

Verb = Literal["create", "observe", "delete"]
VERBS: Final[tuple[Verb, ...]] = ("create", "observe", "delete")

Permissions = Mapping[Verb, Sequence[iam.PolicyStatement]]

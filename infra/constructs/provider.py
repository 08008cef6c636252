"""A cloud: one function per verb, each with no more permissions than the verb needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.code import FunctionCode
from infra.constructs.function import Function
from infra.permissions.verbs import VERBS, Permissions, Verb

_CHECK_MB: Final = 512
"""One check is about all of a saga's resources, thousands perhaps: processor time comes with memory."""


class Provider(Construct):
    """The functions that create, observe, delete and check on one cloud; `cloud` is its folder under `lambdas/`.

    They have the requirements of the folder `dependencies`, and `memory` in MB, of which a check has 512 at least.
    `environment` is what the function of a verb is told.
    Where `trusted` by that cloud, the roles' ARNs are put out.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cloud: str,
        code: FunctionCode,
        environment: Callable[[Verb], Mapping[str, str]],
        ledger: Sequence[iam.PolicyStatement],
        permissions: Permissions,
        dependencies: str,
        memory: int = 256,
        trusted: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self.functions: Final[dict[Verb, Function]] = {
            verb: Function(
                self,
                verb.capitalize(),
                name=f"skysaga-{cloud}-{verb}",
                description=f"One step on {cloud}: {verb} a resource",
                handler=f"lambdas.{cloud}.handler.{verb}",
                code=code,
                environment=environment(verb),
                permissions=[*ledger, *permissions.statements[verb]],
                dependencies=dependencies,
                memory=max(memory, _CHECK_MB) if verb == "check" else memory,
            )
            for verb in VERBS
        }
        acknowledge(self, permissions.accepted)
        if trusted:
            for verb, function in self.functions.items():
                function.put_out_role(f"{cloud.capitalize()}{verb.capitalize()}Role")

    @property
    def version_arns(self) -> dict[Verb, str]:
        """The published version to call for each verb."""
        return {verb: function.version.function_arn for verb, function in self.functions.items()}

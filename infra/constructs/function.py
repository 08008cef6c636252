"""A Lambda function with a role and a log group of its own, traced, and published at every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge, skip_checkov
from infra.constructs.code import FunctionCode
from infra.constructs.log_group import log_group
from infra.objectives import TraceExport
from infra.permissions.clusters import accepted_of_secret, reading_secret
from infra.permissions.network import ACCEPTED as ATTACHING_ACCEPTED
from infra.permissions.network import attaching
from infra.private_clouds import Vpc

TIMEOUT_SECONDS: Final = 30
STORAGE_MB: Final = 512

_IMPATIENT: Final[Mapping[str, Any]] = {"retry_attempts": 0, "max_event_age": Duration.minutes(5)}
"""As long as a state machine waits for a heartbeat: from then on somebody else has been called."""

_LIBRARIES: Final = {
    "LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "skysaga",
    "POWERTOOLS_SERVICE_NAME": "skysaga",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # there are none, and to look for some it reads about every package
}

_OUTSIDE: Final = "It calls public endpoints of clouds only; in a VPC it would do so through a NAT."
_USUAL: Final = {
    "CKV_AWS_115": "The API's rate and the Maps' concurrency bound it; a share reserved is one taken away.",
    "CKV_AWS_116": "It is called synchronously: the caller has the error, and retries.",
    "CKV_AWS_173": "Its environment holds names and ARNs, no secret; AWS encrypts it with its key.",
}


class Function(Construct):
    """One function, called by the version that its deployment published: what began on a version finishes on it.

    `dependencies` is the folder under `lambdas/` whose requirements it needs; `memory` is in MB, `timeout` in
    seconds, `storage` what its `/tmp` holds, in MB; `permissions` is all it may do besides writing its own log and its
    traces. It is attached to `network` where there is one. Versions that are called without anybody waiting are so once
    and soon, or never, where it is `impatient`. `accepted` has the answers to checkov, by check id, that are others
    than usual.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        handler: str,
        code: FunctionCode,
        environment: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        dependencies: str = ".",
        memory: int = 256,
        timeout: int = TIMEOUT_SECONDS,
        storage: int = STORAGE_MB,
        impatient: bool = False,
        network: Vpc | None = None,
        accepted: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(scope, id)
        self.log_group_name: Final = f"/aws/lambda/{name}"
        log = log_group(self, "Log", self.log_group_name)
        export = TraceExport.from_context(self)
        headers = export.headers_secret if export else None
        exporting = reading_secret(Stack.of(self), headers, "TraceHeaders") if headers else []
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {name} may do",
        )
        log.grant_write(role)
        for statement in [*permissions, *exporting, *(attaching(Stack.of(self), name) if network else ())]:
            role.add_to_policy(statement)
        self.lambda_function: Final = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=code.runtime,
            architecture=code.architecture,
            code=code.asset,
            handler=handler,
            layers=[code.dependencies(dependencies)],
            environment={**_LIBRARIES, **(export.environment if export else {}), **environment},
            memory_size=memory,
            timeout=Duration.seconds(timeout),
            ephemeral_storage_size=Size.mebibytes(storage) if storage != STORAGE_MB else None,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log,
            role=role,
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN, **(_IMPATIENT if impatient else {})
            ),
        )
        if impatient:
            self._keep_older_versions_impatient()
        if network is not None:
            self._attach(network)
        acknowledge(
            self,
            {
                "AwsSolutions-L1": "The runtime is the one that the tests run on; see infra/packaging/target.py.",
                "AwsSolutions-IAM5[Resource::*]": "Writing traces, and looking into a VPC, have no resource to name.",
                **(ATTACHING_ACCEPTED if network else {}),
                **(accepted_of_secret(headers) if headers else {}),
            },
        )
        usual = {**_USUAL, **({} if network else {"CKV_AWS_117": _OUTSIDE})}
        skip_checkov(self.lambda_function, {**usual, **accepted})

    def _keep_older_versions_impatient(self) -> None:
        """How a version is called is a resource beside it, and the next deployment would put its own in place."""
        for it in self.version.node.find_all():
            if isinstance(it, lambda_.CfnEventInvokeConfig):
                it.apply_removal_policy(RemovalPolicy.RETAIN)

    def put_out_role(self, name: str) -> None:
        """Put out the role's ARN under a name: another cloud is told to trust it."""
        assert self.lambda_function.role is not None  # noqa: S101 - the role is made above
        description = "Trusted by the other cloud, with the role for its verb: docs/identities.md"
        CfnOutput(Stack.of(self), name, value=self.lambda_function.role.role_arn, description=description)

    def _attach(self, network: Vpc) -> None:
        """Done on the resource, since the construct would have to know the VPC and its zones."""
        resource = self.lambda_function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)  # noqa: S101 - what the construct is documented to hold
        resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=network.subnets, security_group_ids=network.security_groups
        )

    @property
    def version(self) -> lambda_.Version:
        """The version published from what is deployed."""
        return self.lambda_function.current_version

    @property
    def every_version_arn(self) -> str:
        """The ARN that covers all versions, for the roles of executions that finish on an older one."""
        return f"{self.lambda_function.function_arn}:*"

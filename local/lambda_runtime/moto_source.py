"""Functions as deployed in moto's Lambda, read in this process because a call must not cost a request.

The only module here that knows moto's inside (pinned; `tests/unit/lambda_runtime/test_moto_source.py` holds it to
what GetFunction says).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import moto.backends

from local.lambda_runtime.errors import FunctionNotFound, InvalidRuntime
from local.lambda_runtime.functions import AsynchronousPolicy, CodeArchive, DeployedFunction, RoutedVersion
from local.lambda_runtime.reference import LATEST, FunctionReference


class MotoFunctionSource:
    """Reads moto's functions, versions, aliases and layers; a reference without region or account gets these."""

    def __init__(self, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._account = account
        self._region = region

    def resolve(self, reference: FunctionReference) -> Sequence[RoutedVersion]:
        """Return the version or, for an alias with weights, the versions that `reference` leads to."""
        region, account = reference.region or self._region, reference.account or self._account
        arn = f"arn:aws:lambda:{region}:{account}:function:{reference.name}"
        storage = moto.backends.get_backend("lambda")[account][region]._lambdas
        versions = storage._functions.get(reference.name)
        if versions is None:
            raise _not_found(arn, reference.qualifier)
        alias = storage._aliases.get(arn, {}).get(reference.qualifier)
        shares = _shares(alias) if alias else {reference.qualifier or LATEST: 1.0}
        return [
            RoutedVersion(self._function(arn, version, _version(versions, version, arn), versions["latest"]), share)
            for version, share in shares.items()
        ]

    def _function(self, arn: str, version: str, model: Any, latest: Any) -> DeployedFunction:
        if model.package_type != "Zip":
            raise InvalidRuntime(f"{arn} is a container image, which needs a container runtime.")
        logging_config = getattr(model, "logging_config", None) or {}
        return DeployedFunction(
            arn=arn,
            version=version,
            handler=model.handler,
            runtime=model.run_time,
            timeout=int(model.timeout),
            memory=int(model.memory_size),
            code=CodeArchive(_hex(model.code_sha_256), lambda: bytes(model.code_bytes)),
            layers=tuple(_layer(model, layer["Arn"]) for layer in model.layers),
            environment={name: str(value) for name, value in model.environment_vars.items()},
            log_format=logging_config.get("LogFormat", "Text"),
            log_group=logging_config.get("LogGroup") or model.logs_group_name,
            reserved_concurrency=None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
            asynchronous=_policy(latest),
        )


def _shares(alias: Any) -> dict[str, float]:
    routing = alias.routing_config or {}
    if isinstance(routing, str):
        routing = json.loads(routing)
    additional = {version: float(share) for version, share in routing.get("AdditionalVersionWeights", {}).items()}
    return {alias.function_version: 1.0 - sum(additional.values()), **additional}


def _version(versions: dict[str, Any], version: str, arn: str) -> Any:
    if version == LATEST:
        return versions["latest"]
    for model in versions["versions"]:
        if str(model.version) == version:
            return model
    raise _not_found(arn, version)


def _layer(function: Any, layer_arn: str) -> CodeArchive:
    _, _, _, region, account, *_ = layer_arn.split(":")
    layer = moto.backends.get_backend("lambda")[account][region].layers_versions_by_arn(layer_arn)
    if layer is None:
        raise _not_found(function.function_arn, None)
    return CodeArchive(_hex(layer.code_sha_256), lambda: bytes(layer.code_bytes))


def _policy(latest: Any) -> AsynchronousPolicy:
    if not latest.event_invoke_config:
        return AsynchronousPolicy()
    config = latest.event_invoke_config[-1].config
    default = AsynchronousPolicy()
    return AsynchronousPolicy(
        int(config.get("MaximumRetryAttempts", default.maximum_retry_attempts)),
        int(config.get("MaximumEventAgeInSeconds", default.maximum_event_age)),
    )


def _hex(sha256_base64: str) -> str:
    return base64.b64decode(sha256_base64).hex()


def _not_found(arn: str, qualifier: str | None) -> FunctionNotFound:
    return FunctionNotFound(f"Function not found: {arn}{f':{qualifier}' if qualifier else ''}")

"""What moto's Lambda forgets of a function or mapping, does in the event pump's stead, or does over and over."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from copy import copy
from functools import wraps
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.dynamodb.models.table import Table
from moto.sqs.models import Queue, sqs_backends

_KEPT_ON_UPDATE = {
    "DeadLetterConfig": "dead_letter_config",
    "KMSKeyArn": "kms_key_arn",
    "LoggingConfig": "logging_config",
    "TracingConfig": "tracing_config",
}
_QUALIFIED_ARN_PARTS = 8  # arn:aws:lambda:region:account:function:name:qualifier

_CONTENT = "_skysaga_content"

_create_mapping = LambdaBackend.create_event_source_mapping
_update_mapping = LambdaBackend.update_event_source_mapping


class CompleteFunction(LambdaFunction):  # type: ignore[misc]  # moto is untyped here
    """A function that keeps its logging, dead letter and tracing configuration, when created and when changed."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.logging_config: dict[str, Any] = spec.get("LoggingConfig") or {}
        self.dead_letter_config: dict[str, Any] = spec.get("DeadLetterConfig") or {}

    def __deepcopy__(self, _: object) -> CompleteFunction:
        """A copy to be given another name or version, which is all that moto makes them for.

        A copy of all that it leads to would fail while somebody else deploys.
        """
        return copy(self)

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """The function's configuration as GetFunctionConfiguration answers it."""
        configuration: dict[str, Any] = super().get_configuration(on_create)
        configuration["LoggingConfig"] = {
            "LogFormat": "Text",
            "LogGroup": self.logs_group_name,
            **self.logging_config,
        }
        if self.dead_letter_config.get("TargetArn"):
            configuration["DeadLetterConfig"] = self.dead_letter_config
        return configuration

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change what is given, everything else stays."""
        super().update_configuration(config_updates)
        for setting, attribute in _KEPT_ON_UPDATE.items():
            if setting in config_updates:
                setattr(self, attribute, config_updates[setting])
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        return self.get_configuration()

    def update_function_code(self, updated_spec: dict[str, Any]) -> dict[str, Any]:
        """Change the code, and the architecture that comes with it."""
        if updated_spec.get("Architectures"):
            self.architectures = updated_spec["Architectures"]
        configuration: dict[str, Any] = super().update_function_code(updated_spec)
        return configuration


class AliasedEventSourceMapping(EventSourceMapping):  # type: ignore[misc]  # moto is untyped here
    """A mapping that stays on the alias it was made for, and does not stick to the version behind it."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Both CreateEventSourceMapping and UpdateEventSourceMapping give the ARN of the version an alias leads to.
        if name == "function_arn" and "function_name" in self.__dict__:
            value = _as_named(self.function_name, value)
        super().__setattr__(name, value)


def correct_lambda() -> None:
    """Have moto's Lambda make these, and leave queues and streams to whoever polls them."""
    models.LambdaFunction = CompleteFunction
    models.EventSourceMapping = AliasedEventSourceMapping
    models._s3_content = _content_once
    LambdaBackend.create_event_source_mapping = _create_checked_mapping
    LambdaBackend.update_event_source_mapping = _update_checked_mapping
    for source in (Queue, Table):
        # moto would call the function inside SendMessage or PutItem: what it registers for that is forgotten.
        source.lambda_event_source_mappings = property(_no_mappings, _forget)


class _Filed:
    """Bytes that stay in their file until somebody asks: a layer has tens of megabytes, and is unpacked once."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._file = open(os.dup(descriptor), "rb", buffering=0)  # noqa: SIM115 -- lives as long as this does
        self._size = size

    def __bytes__(self) -> bytes:
        """All of them, wherever somebody else is in the file."""
        return os.pread(self._file.fileno(), self._size, 0)


def _content_once(key: Any) -> Any:
    """An object's bytes, size and hashes, read once and kept once: every stack has a layer of the same object.

    What is put in an object's place is another key of moto's.
    """
    if _CONTENT not in vars(key):
        read: bytes = key.value
        digest = hashlib.sha256(read)
        kept = _Filed(key._value_buffer.fileno(), len(read)) if key._value_buffer._rolled else read
        setattr(key, _CONTENT, (kept, len(read), base64.b64encode(digest.digest()).decode(), digest.hexdigest()))
    return getattr(key, _CONTENT)


@wraps(_create_mapping)
def _create_checked_mapping(backend: Any, spec: dict[str, Any]) -> Any:
    _check_visibility(backend, spec.get("EventSourceArn", ""), spec)
    return _create_mapping(backend, spec)


@wraps(_update_mapping)
def _update_checked_mapping(backend: Any, uuid: str, spec: dict[str, Any]) -> Any:
    mapping = backend.get_event_source_mapping(uuid)
    if mapping is not None and "FunctionName" in spec:
        _check_visibility(backend, mapping.event_source_arn, spec)
        mapping.function_name = spec["FunctionName"]
    return _update_mapping(backend, uuid, spec)


def _check_visibility(backend: Any, source_arn: str, spec: Mapping[str, Any]) -> None:
    """Refuse, as Lambda does, a queue that would show a message again while the function may still be at work on it."""
    queues = sqs_backends[backend.account_id][backend.region_name].queues.values()
    queue = next((each for each in queues if each.queue_arn == source_arn), None)
    if queue is None or not spec.get("FunctionName"):
        return
    function = backend.get_function(spec["FunctionName"])
    if queue.visibility_timeout < int(function.timeout):
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than "
            f"Function timeout: {function.timeout} seconds"
        )


def _no_mappings(_source: Any) -> dict[str, Any]:
    return {}


def _forget(_source: Any, _mappings: Any) -> None:
    return None


def _as_named(name: str, resolved_arn: str) -> str:
    """The function's ARN with the qualifier it was named with, a version's or an alias's."""
    named, function = name.split(":"), resolved_arn.split(":")[: _QUALIFIED_ARN_PARTS - 1]
    is_arn = named[0] == "arn"
    qualifier = named[_QUALIFIED_ARN_PARTS - 1 :] if is_arn else named[1:]
    return ":".join([*function, *qualifier])

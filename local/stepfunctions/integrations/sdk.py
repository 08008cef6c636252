"""AWS SDK and optimized service integrations, on botocore at a local endpoint.

Error names: AWS SDK integrations use the Java SDK 2's (`DynamoDb.ResourceNotFoundException`), optimized ones the Java
SDK 1's (`DynamoDB.AmazonDynamoDBException`), as recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import formatdate
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations import naming
from local.stepfunctions.integrations.metadata import response_metadata
from local.stepfunctions.integrations.models import botocore_name, operation_name, service_model
from local.stepfunctions.integrations.parameters import missing_parameter, to_request
from local.stepfunctions.integrations.s3_items import read_items, write_results
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from local.stepfunctions.timestamps import format_timestamp

if TYPE_CHECKING:
    from local.stepfunctions.integrations.calls import Endpoints

CallApi = Callable[[str, dict[str, Any]], dict[str, Json]]


class SdkIntegration:
    """Calls services through botocore clients, one per service; Step Functions itself through `call_api`."""

    def __init__(self, endpoints: Endpoints, region: str, call_api: CallApi) -> None:
        self._endpoints = endpoints
        self._region = region
        self._call_api = call_api
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def perform(self, request: TaskRequest) -> Outcome:
        """Make the call and word the outcome as AWS does."""
        resource = request.resource
        if resource.service == "map-reader":
            return read_items(self._client("s3"), request.parameters)
        if resource.service == "map-writer":
            return write_results(self._client("s3"), request.parameters)
        optimized = not resource.service.startswith("aws-sdk:")
        service = botocore_name(resource.service.removeprefix("aws-sdk:"))
        operation = operation_name(service, resource.action)
        if operation is None:
            raise LookupError(f"{service} has no action {resource.action}")
        words = naming.optimized(service) if optimized else naming.sdk(service)
        if service == "stepfunctions":
            return self._own_api(operation, request.parameters, words)
        return self._call(service, operation, request.parameters, words, optimized)

    def _call(self, service: str, operation: str, parameters: Json, words: naming.Words, optimized: bool) -> Outcome:
        unreachable = _unreachable_queue(parameters, self._endpoints.of(service)) if service == "sqs" else None
        if unreachable is not None:
            return words.unreachable(unreachable)
        shape = service_model(service).operation_model(operation).input_shape
        missing = missing_parameter(service, shape, parameters)
        if missing is not None:
            return words.failure(None, missing.message, 400, _new_request_id(), name=missing.code)
        client = self._client(service)
        method = getattr(client, _method_name(client, operation))
        try:
            response = method(**to_request(shape, parameters))
        except ClientError as error:
            return _client_error(error, words, service, operation)
        except BotoCoreError as error:
            return words.unreachable(str(error))
        metadata = response.pop("ResponseMetadata", {})
        output = _json_value(response)
        if service == "s3":
            _add_s3_defaults(operation, output)
        if optimized:
            output = {**output, **_metadata(service, metadata, len(dumps(output)))}
        return Outcome("succeeded", output=dumps(output))

    def _own_api(self, operation: str, parameters: Json, words: naming.Words) -> Outcome:
        shape = service_model("stepfunctions").operation_model(operation).input_shape
        try:
            answer = self._call_api(operation, _lower_first(to_request(shape, _lower_first(parameters))))
        except ApiError as error:
            modelled = service_model("stepfunctions").operation_model(operation).error_shapes
            code = error.code if error.code in {shape.name for shape in modelled} else None
            return words.failure(code, error.message, error.status, _new_request_id(), name=error.code)
        return Outcome("succeeded", output=dumps(_own_answer(answer)))

    def _client(self, service: str) -> Any:
        import botocore.session  # noqa: PLC0415 - machines without service integrations need not pay for it
        from botocore.config import Config  # noqa: PLC0415

        with self._lock:
            if service not in self._clients:
                endpoint = self._endpoints.of(service)
                if endpoint is None:
                    raise LookupError(f"no endpoint is known for {service}")
                self._clients[service] = botocore.session.get_session().create_client(
                    service,
                    endpoint_url=endpoint,
                    region_name=self._region,
                    aws_access_key_id="local",
                    aws_secret_access_key="local",  # noqa: S106 - local endpoints take any
                    config=Config(
                        retries={"max_attempts": 1},
                        s3={"addressing_style": "path"},
                        response_checksum_validation="when_required",
                    ),
                )
            return self._clients[service]


def _method_name(client: Any, operation: str) -> str:
    mapping: dict[str, str] = client.meta.method_to_api_mapping
    return next(name for name, mapped in mapping.items() if mapped == operation)


def _unreachable_queue(parameters: Json, endpoint: str | None) -> str | None:
    """Why AWS would not reach the host of a queue's URL, which here nobody asks for; None when it would."""
    host = urlsplit(str(parameters.get("QueueUrl", ""))).hostname
    if host is None or "." in host or host in ("localhost", urlsplit(endpoint or "").hostname):
        return None
    return f"{host}: Name or service not known"


def _client_error(error: ClientError, words: naming.Words, service: str, operation: str) -> Outcome:
    details = error.response["Error"]
    metadata = error.response["ResponseMetadata"]
    sent = details.get("Code", "")
    # SQS sends an error's older name, too, and botocore prefers that one.
    code = str(details.get("QueryErrorCode", sent))
    shapes = service_model(service).operation_model(operation).error_shapes
    modelled = code in {shape.name for shape in shapes} | {
        shape.metadata.get("error", {}).get("code") for shape in shapes
    }
    identity = metadata.get("RequestId") or _new_request_id()
    extended = metadata.get("HostId")
    return words.failure(
        code if modelled else None,
        details.get("Message", ""),
        metadata["HTTPStatusCode"],
        identity,
        name=sent,
        extended=extended or (identity if service == "s3" else None),
    )


def _new_request_id() -> str:
    import uuid  # noqa: PLC0415

    return str(uuid.uuid4())


def _metadata(service: str, metadata: dict[str, Any], length: int) -> dict[str, Json]:
    headers = {str(name): str(value) for name, value in metadata.get("HTTPHeaders", {}).items()}
    lower = {name.lower(): value for name, value in headers.items()}
    shown = {
        "x-amzn-RequestId": metadata.get("RequestId") or _new_request_id(),
        "Content-Length": str(length),  # AWS answers without spaces, local endpoints with them
        "Content-Type": lower.get("content-type", "application/x-amz-json-1.0"),
        "Date": lower.get("date", formatdate(usegmt=True)),
    }
    if service == "dynamodb":
        shown.update({"x-amz-crc32": lower.get("x-amz-crc32", "0"), "Server": "Server"})
        return response_metadata(shown, 200, drop=())
    return response_metadata(shown, 200, connection="connection")


def _add_s3_defaults(operation: str, output: dict[str, Json]) -> None:
    """What S3 itself always answers and local endpoints may leave out: its own encryption, the kind of checksum."""
    if operation in ("GetObject", "PutObject"):
        output.setdefault("ServerSideEncryption", "AES256")
    if "ChecksumCRC32" in output:
        output.setdefault("ChecksumType", "FULL_OBJECT")


def _json_value(value: Any) -> Json:
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if isinstance(value, datetime):
        return format_timestamp(value.timestamp()).replace(".000Z", "Z")
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    return value


def _lower_first(parameters: Json) -> Json:
    return {name[0].lower() + name[1:]: value for name, value in parameters.items()}


def _own_answer(value: Json, name: str = "") -> Json:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _own_answer(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_own_answer(item) for item in value]
    if isinstance(value, float) and (name.endswith("Date") or name == "timestamp"):
        return format_timestamp(value)
    return value

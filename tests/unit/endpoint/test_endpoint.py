"""One endpoint, unmodified SDKs: functions and HTTP APIs deployed through it are then served by it."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.clock import WallClock
from local.endpoint import Endpoint
from local.http_api.front import HttpApis
from local.http_api.moto_source import MotoHttpApiSource
from local.http_server import HttpServer, serve
from local.lambda_runtime.moto_source import MotoFunctionSource
from local.lambda_runtime.runtime import LambdaRuntime

CREDENTIALS = {"local": "local"}
SOURCE = """
import json, os

def handler(event, context):
    if event.get("fail"):
        raise ValueError("on demand")
    if "requestContext" in event:
        who = event["requestContext"].get("authorizer", {}).get("iam", {}).get("accessKey")
        answer = {"who": who, "path": event.get("pathParameters"), "version": context.function_version}
        return {"statusCode": 200, "body": json.dumps(answer)}
    print("called")
    return {"event": event, "version": context.function_version, "arn": context.invoked_function_arn}
"""


class StepFunctions:
    """An engine that answers each operation with what it was asked."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        if target == "AWSStepFunctions.DescribeExecution":
            return 400, json.dumps({"__type": "ExecutionDoesNotExist", "message": "no such execution"}).encode()
        name = json.loads(body)["name"]
        return 200, json.dumps({"executionArn": f"arn:{name}", "startDate": 0}).encode()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    BackendDict.reset()
    directory = tmp_path_factory.mktemp("local")
    runtime = LambdaRuntime(MotoFunctionSource(), WallClock(), directory, directory / "logs", {})
    apis = HttpApis(MotoHttpApiSource(), runtime.invoke, CREDENTIALS)
    account = DomainDispatcherApplication(create_backend_app)
    with serve(Endpoint(StepFunctions(), runtime, account, apis)) as server:
        yield server
    apis.close()
    runtime.close()


@pytest.fixture(scope="module")
def client(endpoint: HttpServer) -> Callable[[str], Any]:
    def create(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            "us-east-1",
            endpoint_url=endpoint.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )

    return create


def deploy_function(client: Callable[[str], Any], name: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr(zipfile.ZipInfo("app.py"), SOURCE)
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument='{"Version": "2012-10-17"}')["Role"]
    created = client("lambda").create_function(
        FunctionName=name,
        Role=role["Arn"],
        Runtime="python3.11",
        Handler="app.handler",
        Code={"ZipFile": buffer.getvalue()},
        Publish=True,
    )
    client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return str(created["FunctionArn"])


def test_a_function_created_through_the_endpoint_runs_there(client: Callable[[str], Any]) -> None:
    arn = deploy_function(client, "plain")
    answer = client("lambda").invoke(FunctionName="plain", Qualifier="live", Payload=b'{"x": 1}', LogType="Tail")
    assert json.loads(answer["Payload"].read()) == {"event": {"x": 1}, "version": "1", "arn": f"{arn}:live"}
    assert answer["ExecutedVersion"] == "1"
    assert b"\ncalled\n" in base64.b64decode(answer["LogResult"])
    by_arn = client("lambda").invoke(FunctionName=arn, Payload=b"{}")
    assert json.loads(by_arn["Payload"].read())["version"] == "$LATEST"


def test_a_function_error_is_an_answer_and_a_refusal_is_an_exception(client: Callable[[str], Any]) -> None:
    deploy_function(client, "failing")
    answer = client("lambda").invoke(FunctionName="failing", Payload=b'{"fail": true}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorType"] == "ValueError"
    with pytest.raises(client("lambda").exceptions.ResourceNotFoundException, match="function:unknown"):
        client("lambda").invoke(FunctionName="unknown")
    client("lambda").put_function_concurrency(FunctionName="failing", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as throttle:
        client("lambda").invoke(FunctionName="failing")
    refusal: Any = throttle.value.response
    assert refusal["Error"]["Code"] == "TooManyRequestsException"
    assert refusal["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_event_and_dry_run_answer_with_their_own_status(client: Callable[[str], Any]) -> None:
    deploy_function(client, "kinds")
    assert client("lambda").invoke(FunctionName="kinds", InvocationType="Event")["StatusCode"] == 202
    assert client("lambda").invoke(FunctionName="kinds", InvocationType="DryRun")["StatusCode"] == 204


def test_step_functions_reaches_the_engine_with_its_errors(client: Callable[[str], Any]) -> None:
    engine = client("stepfunctions")
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    assert engine.start_execution(stateMachineArn=arn, name="saga-7")["executionArn"] == "arn:saga-7"
    with pytest.raises(engine.exceptions.ExecutionDoesNotExist):
        engine.describe_execution(executionArn=arn)


def test_everything_else_reaches_the_account(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket="assets")
    client("s3").put_object(Bucket="assets", Key="a b/ü", Body=b"x" * 3_000_000)
    assert client("s3").get_object(Bucket="assets", Key="a b/ü")["ContentLength"] == 3_000_000
    queue = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert client("sqs").get_queue_attributes(QueueUrl=queue)["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(client("s3").exceptions.NoSuchBucket):
        client("s3").get_object(Bucket="nothing", Key="k")


@pytest.fixture(scope="module")
def api_id(client: Callable[[str], Any]) -> str:
    arn = deploy_function(client, "behind-the-api")
    gateway = client("apigatewayv2")
    created = str(gateway.create_api(Name="sagas", ProtocolType="HTTP")["ApiId"])
    integration = gateway.create_integration(
        ApiId=created, IntegrationType="AWS_PROXY", IntegrationUri=f"{arn}:live", PayloadFormatVersion="2.0"
    )
    target = f"integrations/{integration['IntegrationId']}"
    gateway.create_route(ApiId=created, RouteKey="GET /sagas/{id}", Target=target, AuthorizationType="AWS_IAM")
    gateway.create_route(ApiId=created, RouteKey="GET /healthz", Target=target)
    gateway.create_stage(ApiId=created, StageName="$default", AutoDeploy=True)
    return created


def get(url: str, headers: dict[str, str] | None = None, sign: bool = False) -> tuple[int, Any]:
    request = AWSRequest("GET", url, headers or {})
    if sign:
        SigV4Auth(Credentials("local", CREDENTIALS["local"]), "execute-api", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(  # noqa: S310 - the test's own server
            urllib.request.Request(url, headers=dict(request.headers.items()))  # noqa: S310
        ) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_deployed_api_answers_under_its_host_name(endpoint: HttpServer, api_id: str) -> None:
    host = {"Host": f"{api_id}.execute-api.us-east-1.localhost:{endpoint.port}"}
    answer = {"who": None, "path": None, "version": "1"}
    assert get(f"{endpoint.url}/healthz", host) == (200, answer)
    assert get(f"{endpoint.url}/sagas/7", host) == (403, {"message": "Forbidden"})
    assert get(f"{endpoint.url}/sagas/7", host, sign=True) == (200, answer | {"who": "local", "path": {"id": "7"}})


def test_a_deployed_api_answers_below_a_path(endpoint: HttpServer, api_id: str) -> None:
    base = f"{endpoint.url}/_aws/execute-api/{api_id}"
    answer = {"who": "local", "path": {"id": "a b"}, "version": "1"}
    assert get(f"{base}/sagas/a%20b", sign=True) == (200, answer)
    assert get(f"{base}/sagas") == (404, {"message": "Not Found"})
    assert get(f"{endpoint.url}/_aws/execute-api/unknown/healthz") == (404, {"message": "Not Found"})


def test_a_deployed_api_can_have_a_port_of_its_own(endpoint: HttpServer, api_id: str, tmp_path: Path) -> None:
    runtime = LambdaRuntime(MotoFunctionSource(), WallClock(), tmp_path, tmp_path / "logs", {})
    apis = HttpApis(MotoHttpApiSource(), runtime.invoke, CREDENTIALS)
    with serve(apis.application(api_id)) as server:
        assert get(f"{server.url}/healthz")[0] == 200
        assert get(f"{server.url}/sagas/7?a=1&a=2", sign=True)[1]["who"] == "local"
    apis.close()
    runtime.close()

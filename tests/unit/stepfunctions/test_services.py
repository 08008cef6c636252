"""Service integrations against moto: what is sent, what comes back, and how failures are named."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.clock import VirtualClock
from local.stepfunctions import Endpoints, Engine
from tests.unit.stepfunctions.machines import chain

TABLE = "table"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client(endpoint, "dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield endpoint
    server.stop()


def client(endpoint: str, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


@pytest.fixture
def engine(aws: str) -> Engine:
    return Engine(clock=VirtualClock(), endpoints=Endpoints(aws))


def run(engine: Engine, resource: str, parameters: dict[str, Any], input: Any = None, **fields: Any) -> Any:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, **fields}
    arn = engine.start_execution(engine.create_state_machine("m", chain(A=state)), input)
    engine.run()
    return engine.execution(arn)


def test_an_sdk_integration_answers_what_the_service_answers(engine: Engine, aws: str) -> None:
    item = {"id": {"S": "one"}, "n": {"N": "1"}}
    client(aws, "dynamodb").put_item(TableName=TABLE, Item=item)
    execution = run(engine, "aws-sdk:dynamodb:getItem", {"TableName": TABLE, "Key": {"id": {"S": "one"}}})
    assert json.loads(execution.output_text) == {"Item": item}


def test_an_optimized_integration_adds_the_sdks_metadata(engine: Engine) -> None:
    execution = run(engine, "dynamodb:putItem", {"TableName": TABLE, "Item": {"id": {"S": "two"}}})
    output = json.loads(execution.output_text)
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"] == "2"


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("aws-sdk:dynamodb:getItem", "DynamoDb.ResourceNotFoundException"),
        ("dynamodb:getItem", "DynamoDB.ResourceNotFoundException"),
    ],
)
def test_each_generation_of_integrations_spells_an_error_its_own_way(engine: Engine, resource: str, error: str) -> None:
    execution = run(engine, resource, {"TableName": "nowhere", "Key": {"id": {"S": "one"}}})
    assert execution.error == error


def test_a_parameter_that_is_no_text_is_sent_as_json_text(engine: Engine, aws: str) -> None:
    queues = client(aws, "sqs")
    url = queues.create_queue(QueueName="queue")["QueueUrl"]
    run(engine, "sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"k.$": "$.v"}}, {"v": 1})
    assert json.loads(queues.receive_message(QueueUrl=url)["Messages"][0]["Body"]) == {"k": 1}


def test_a_service_without_an_endpoint_fails_the_task_and_hangs_nothing() -> None:
    execution = run(Engine(clock=VirtualClock()), "aws-sdk:s3:listBuckets", {})
    assert execution.error == "States.TaskFailed"
    assert "no endpoint is known for s3" in (execution.cause or "")


def test_a_machine_can_call_its_own_engine(engine: Engine) -> None:
    execution = run(engine, "aws-sdk:sfn:listStateMachines", {})
    assert json.loads(execution.output_text)["StateMachines"][0]["Name"] == "m"


@pytest.mark.parametrize(
    ("name", "body", "config", "items"),
    [
        ("a.json", '[1, {"k": 2}]', {"InputType": "JSON"}, [1, {"k": 2}]),
        ("a.jsonl", '{"k": 1}\n{"k": 2}\n', {"InputType": "JSONL"}, [{"k": 1}, {"k": 2}]),
        (
            "a.csv",
            "x,y\n1,2\n3,4\n",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 1},
            [{"x": "1", "y": "2"}],
        ),
        (
            "b.csv",
            "1;2\n",
            {
                "InputType": "CSV",
                "CSVHeaderLocation": "GIVEN",
                "CSVHeaders": ["x", "y"],
                "CSVDelimiter": "SEMICOLON",
            },
            [{"x": "1", "y": "2"}],
        ),
    ],
)
def test_a_distributed_map_reads_its_items_from_s3_and_writes_its_results_there(
    engine: Engine, aws: str, name: str, body: str, config: dict[str, Any], items: list[Any]
) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key=name, Body=body.encode())
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": config,
            "Parameters": {"Bucket": "bucket", "Key": name},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **chain(P={"Type": "Pass"}),
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "bucket", "Prefix": "out"},
        },
    }
    arn = engine.start_execution(engine.create_state_machine("reader", chain(M=state)))
    engine.run()
    written = json.loads(engine.execution(arn).output_text or "null")["ResultWriterDetails"]
    manifest = json.loads(s3.get_object(**written)["Body"].read())
    results = json.loads(
        s3.get_object(Bucket="bucket", Key=manifest["ResultFiles"]["SUCCEEDED"][0]["Key"])["Body"].read()
    )
    assert [json.loads(result["Output"]) for result in results] == items


def test_an_object_that_holds_no_items_fails_the_map_run(engine: Engine, aws: str) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="object.json", Body=b'{"k": 1}')
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "bucket", "Key": "object.json"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **chain(P={"Type": "Pass"}),
        },
    }
    arn = engine.start_execution(engine.create_state_machine("nothing", chain(M=state)))
    engine.run()
    assert engine.execution(arn).error == "States.ItemReaderFailed"

"""The API as an SDK sees it: boto3 on HTTP, in virtual time."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.server import StepFunctionsServer
from tests.unit.stepfunctions.machines import chain, task

ROLE = "arn:aws:iam::123456789012:role/r"
PASS = json.dumps(chain(P={"Type": "Pass", "Result": 1}))
WAIT = json.dumps(chain(W={"Type": "Wait", "Seconds": 60}))


ANSWERS: list[LambdaResult] = []


def answer(name: str, payload: bytes) -> LambdaResult:
    """What has been laid out, and otherwise what came."""
    return ANSWERS.pop(0) if ANSWERS else LambdaResult(payload)


@pytest.fixture(scope="module")
def server() -> Iterator[StepFunctionsServer]:
    engine = Engine(clock=VirtualClock(), lambda_invoke=answer)
    server = StepFunctionsServer(engine, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def sfn(server: StepFunctionsServer) -> Any:
    return boto3.client(
        "stepfunctions",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(inject_host_prefix=False, retries={"max_attempts": 1}),
    )


@pytest.fixture
def machine(sfn: Any, request: pytest.FixtureRequest) -> str:
    return create(sfn, request.node.name[:60].replace("[", "-").replace("]", ""), WAIT)


def create(sfn: Any, name: str, definition: str, **more: Any) -> str:
    arn: str = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]
    return arn


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(
    sfn: Any, server: StepFunctionsServer, machine: str
) -> None:
    first = sfn.start_execution(stateMachineArn=machine, name="n", input='{"a": 1}')
    again = sfn.start_execution(stateMachineArn=machine, name="n", input='{"a":1}')
    assert again["executionArn"] == first["executionArn"]
    assert refusal(sfn.start_execution, stateMachineArn=machine, name="n", input="{}")[0] == "ExecutionAlreadyExists"
    server.engine.run()
    assert (
        refusal(sfn.start_execution, stateMachineArn=machine, name="n", input='{"a":1}')[0] == "ExecutionAlreadyExists"
    )


def test_an_execution_is_described_with_the_trace_that_it_was_started_in(sfn: Any, machine: str) -> None:
    header = "Root=1-6b07bc31-ab47fe9cc5afdd6e92fef08c;Parent=a85a95afdad57aef;Sampled=1"
    started = sfn.start_execution(stateMachineArn=machine, traceHeader=header)
    assert sfn.describe_execution(executionArn=started["executionArn"])["traceHeader"] == header


def test_an_execution_is_described_and_its_history_read_page_by_page_and_backwards(
    sfn: Any, server: StepFunctionsServer, machine: str
) -> None:
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    server.engine.run()
    described = sfn.describe_execution(executionArn=arn)
    assert (described["status"], described["output"], described["input"]) == ("SUCCEEDED", "{}", "{}")
    first = sfn.get_execution_history(executionArn=arn, maxResults=2)
    rest = sfn.get_execution_history(executionArn=arn, nextToken=first["nextToken"])
    backwards = sfn.get_execution_history(executionArn=arn, reverseOrder=True)
    assert [event["id"] for event in first["events"] + rest["events"]] == [1, 2, 3, 4]
    assert [event["id"] for event in backwards["events"]] == [4, 3, 2, 1]


def test_executions_are_listed_newest_first_by_status_and_in_pages(
    sfn: Any, server: StepFunctionsServer, machine: str
) -> None:
    names = [f"e{number}" for number in range(5)]
    for name in names:
        sfn.start_execution(stateMachineArn=machine, name=name)
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=machine, PaginationConfig={"PageSize": 2})
    assert [entry["name"] for page in pages for entry in page["executions"]] == names[::-1]
    assert sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"] == []
    server.engine.run()
    assert len(sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]) == 5


def test_a_stopped_execution_is_aborted_with_what_the_caller_says(sfn: Any, machine: str) -> None:
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.stop_execution(executionArn=arn, error="Mine", cause="because")
    described = sfn.describe_execution(executionArn=arn)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Mine", "because")


def test_an_update_leaves_running_executions_their_definition(
    sfn: Any, server: StepFunctionsServer, machine: str
) -> None:
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.update_state_machine(stateMachineArn=machine, definition=PASS)
    server.engine.run()
    assert sfn.describe_execution(executionArn=arn)["output"] == "{}"
    assert json.loads(sfn.describe_state_machine_for_execution(executionArn=arn)["definition"]) == json.loads(WAIT)
    assert json.loads(sfn.describe_state_machine(stateMachineArn=machine)["definition"]) == json.loads(PASS)


def test_an_alias_routes_by_weight_between_versions(sfn: Any, server: StepFunctionsServer, machine: str) -> None:
    first = sfn.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    sfn.update_state_machine(stateMachineArn=machine, definition=PASS)
    second = sfn.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routing = [
        {"stateMachineVersionArn": first, "weight": 50},
        {"stateMachineVersionArn": second, "weight": 50},
    ]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routing)["stateMachineAliasArn"]
    arns = [sfn.start_execution(stateMachineArn=alias)["executionArn"] for _ in range(20)]
    versions = {sfn.describe_execution(executionArn=arn)["stateMachineVersionArn"] for arn in arns}
    assert versions == {first, second}
    assert refusal(sfn.delete_state_machine_version, stateMachineVersionArn=first)[0] == "ConflictException"


def test_an_express_machine_answers_in_one_call(sfn: Any) -> None:
    arn = create(sfn, "express", json.dumps(chain(T=task("f"))), type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, input='{"a": 1}')
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"a": 1})
    assert refusal(sfn.list_executions, stateMachineArn=arn)[0] == "StateMachineTypeNotSupported"


def test_a_failed_execution_is_redriven_from_the_state_that_failed(sfn: Any, server: StepFunctionsServer) -> None:
    ANSWERS.extend([LambdaResult(b'{"errorType": "E"}', "Unhandled"), LambdaResult(b"2")])
    definition = json.dumps(chain(P={"Type": "Pass"}, T=task("f")))
    arn = sfn.start_execution(stateMachineArn=create(sfn, "redriven", definition))["executionArn"]
    server.engine.run()
    assert sfn.describe_execution(executionArn=arn)["redriveStatus"] == "REDRIVABLE"
    sfn.redrive_execution(executionArn=arn)
    server.engine.run()
    described = sfn.describe_execution(executionArn=arn)
    types = [event["type"] for event in sfn.get_execution_history(executionArn=arn)["events"]]
    assert (described["status"], described["output"], described["redriveCount"]) == ("SUCCEEDED", "2", 1)
    assert types.count("PassStateEntered") == 1
    assert types.count("ExecutionRedriven") == 1


def test_tags_are_added_listed_and_removed(sfn: Any, machine: str) -> None:
    sfn.tag_resource(resourceArn=machine, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    sfn.untag_resource(resourceArn=machine, tagKeys=["a"])
    assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "b", "value": "2"}]


def test_a_request_the_services_model_refuses_is_refused_in_its_words(sfn: Any, machine: str) -> None:
    code, message = refusal(sfn.list_executions, stateMachineArn=machine, maxResults=1001)
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000"
    )


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("describe_state_machine", {"stateMachineArn": "x"}, "InvalidArn"),
        ("describe_execution", {"executionArn": "arn:aws:states:us-east-1:1:execution:a:b"}, "ExecutionDoesNotExist"),
        ("create_activity", {"name": "a b"}, "InvalidName"),
        ("get_activity_task", {"activityArn": "arn:aws:states:us-east-1:1:activity:a"}, "ActivityDoesNotExist"),
        ("list_executions", {}, "ValidationException"),
    ],
)
def test_what_is_not_there_or_not_valid_is_refused_by_name(
    sfn: Any, operation: str, request_: dict[str, Any], code: str
) -> None:
    assert refusal(getattr(sfn, operation), **request_)[0] == code

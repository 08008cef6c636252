"""The functions: what each one runs, knows, and leaves behind."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.template import Template, text

CLOUDS = ("aws", "azure", "gcp")
FOLDERS = (*CLOUDS, "placement")
PRIVATE = ("vsphere", "scvmm")
VERBS = ("create", "observe", "delete", "check")
PROVIDER_FUNCTIONS = {
    f"skysaga-{cloud}-{verb}": f"lambdas.{cloud}.handler.{verb}" for cloud in FOLDERS for verb in VERBS
}
COMMON = {
    "LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
    "PYDANTIC_DISABLE_PLUGINS",
    "LEDGER_TABLE",
}


@pytest.fixture(name="functions")
def _functions(saga: Template, api: Template) -> dict[str, dict[str, Any]]:
    return saga.functions() | api.functions()


def environment(function: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables


def test_there_is_one_for_the_api_one_for_sagas_and_one_for_each_verb_of_each_cloud_and_of_placement(
    functions: dict[str, dict[str, Any]],
) -> None:
    assert {name: it["Handler"] for name, it in functions.items()} == {
        "skysaga-api": "lambdas.api.handler.handler",
        "skysaga-saga": "lambdas.saga.handler.handler",
        **PROVIDER_FUNCTIONS,
    }


def test_each_ends_after_30_seconds_and_is_traced(functions: dict[str, dict[str, Any]]) -> None:
    for name, function in functions.items():
        assert function["Timeout"] == 30, name
        assert function["TracingConfig"] == {"Mode": "Active"}, name


def test_compute_engines_client_and_checks_of_many_resources_get_more_memory(
    functions: dict[str, dict[str, Any]],
) -> None:
    memory = {name: it["MemorySize"] for name, it in functions.items()}

    large = {name for name, megabytes in memory.items() if megabytes == 512}
    assert large == {*(f"skysaga-gcp-{verb}" for verb in VERBS), *(it for it in functions if it.endswith("-check"))}
    assert set(memory.values()) == {256, 512}


def test_on_one_machine_they_are_for_its_architecture_and_python(functions: dict[str, dict[str, Any]]) -> None:
    here = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"

    assert {tuple(it["Architectures"]) for it in functions.values()} == {(here,)}
    assert {it["Runtime"] for it in functions.values()} == {f"python3.{platform.python_version_tuple()[1]}"}


def test_all_share_one_code_asset(functions: dict[str, dict[str, Any]]) -> None:
    assert len({it["Code"]["S3Key"] for it in functions.values()}) == 1


def test_each_has_one_layer_and_equal_requirements_share_it(saga: Template) -> None:
    layers = {name: text(layer) for name, it in saga.functions().items() for layer in it["Layers"]}

    assert layers["skysaga-aws-create"] == layers["skysaga-saga"] == layers["skysaga-placement-create"]
    assert len({layers[f"skysaga-{cloud}-create"] for cloud in CLOUDS}) == 3
    assert len(saga.resources("AWS::Lambda::LayerVersion")) == 3


def test_each_is_told_only_what_it_needs(functions: dict[str, dict[str, Any]]) -> None:
    azure = {"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"}
    further = {"aws": {"SKYSAGA_VERB"}, "azure": azure, "gcp": {"GOOGLE_CLOUD_PROJECT"}, "placement": set()}

    assert set(environment(functions["skysaga-saga"])) == COMMON | {
        "PROVIDER_FUNCTIONS",
        "EXPIRY_SCHEDULE_GROUP",
        "EXPIRY_ROLE",
        "RELEASE_STATE_MACHINE",
    }
    assert set(environment(functions["skysaga-api"])) == COMMON | {
        "CHECK_FUNCTIONS",
        "GRANTS_PARAMETER",
        "PROVISIONING_STATE_MACHINE",
        "RELEASE_STATE_MACHINE",
        "SWEEP_STATE_MACHINE",
        "TARGET_PARAMETERS",
        "SOURCES_PARAMETER",
        "WINDOWS_TABLE",
        "COSTS_DATABASE",
        "COSTS_TABLE",
        "COSTS_WORKGROUP",
    }
    for cloud in FOLDERS:
        for verb in VERBS:
            prices = {"SOURCES_PARAMETER"} if (cloud, verb) == ("placement", "check") else set()
            assert set(environment(functions[f"skysaga-{cloud}-{verb}"])) == COMMON | further[cloud] | prices


def test_the_saga_function_knows_the_published_version_of_every_verb(saga: Template) -> None:
    known = json.loads(text(environment(saga.functions()["skysaga-saga"])["PROVIDER_FUNCTIONS"]))

    called = {
        f"{cloud}-{verb}": saga.function_of(arn.strip("{}"))
        for cloud, verbs in known.items()
        for verb, arn in verbs.items()
    }
    public = {f"{cloud}-{verb}": f"skysaga-{cloud}-{verb}" for cloud in CLOUDS for verb in VERBS}
    private = {f"{cloud}-{verb}": f"skysaga-placement-{verb}" for cloud in PRIVATE for verb in VERBS}
    assert called == public | private


def test_the_api_asks_placement_what_the_private_clouds_are_short_of(api: Template) -> None:
    known = json.loads(text(environment(api.functions()["skysaga-api"])["CHECK_FUNCTIONS"]))

    assert set(known) == {*CLOUDS, *PRIVATE}
    assert [cloud for cloud, arn in known.items() if "PlacementCheck" in arn] == list(PRIVATE)


def test_every_function_is_published_and_its_older_versions_are_kept(saga: Template, api: Template) -> None:
    for template in (saga, api):
        versions = template.resources("AWS::Lambda::Version")
        assert {template.function_of(version) for version in versions} == set(template.functions())
        assert {it["DeletionPolicy"] for it in versions.values()} == {"Retain"}


def test_logs_are_kept_for_30_days_in_a_group_of_each_functions_own(saga: Template, api: Template) -> None:
    for template in (saga, api):
        groups = template.resources("AWS::Logs::LogGroup")
        assert {it["Properties"]["RetentionInDays"] for it in groups.values()} == {30}
        for name, function in template.functions().items():
            group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
            assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{name}"


def test_every_log_group_goes_with_its_stack(saga: Template, api: Template) -> None:
    for template in (saga, api):
        assert {it["DeletionPolicy"] for it in template.resources("AWS::Logs::LogGroup").values()} == {"Delete"}


def tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        for processor in [state.get("ItemProcessor", {}), *state.get("Branches", [])]:
            yield from tasks(processor.get("States", {}))


def test_every_task_waits_longer_than_its_function_may_take(saga: Template) -> None:
    for name, machine in saga.machines().items():
        for task, state in tasks(json.loads(text(machine["DefinitionString"]))["States"]):
            waits_for_somebody = state.get("TimeoutSecondsPath") == "$.approval_seconds"
            assert waits_for_somebody or state["TimeoutSeconds"] > 30, f"{name}: {task}"

"""The application as `cdk deploy` builds it, for Lambda, and what the checkers say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]  # the package has no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # the package has no types

from infra.packaging.bundles import ROOT
from tests.infra.conftest import EVERYTHING, SETTINGS
from tests.infra.template import Template

STACKS = (
    "SkysagaData",
    "SkysagaSaga",
    "SkysagaGuard",
    "SkysagaApi",
    "SkysagaNotices",
    "SkysagaClusters",
    "SkysagaBilling",
    "SkysagaTelemetry",
)


def violations(assembly: Path) -> dict[str, list[dict[str, Any]]]:
    report = json.loads((assembly / "validation-report.json").read_text())
    return {it["pluginName"]: it["violations"] for it in report["pluginReports"]}


def test_the_checkers_see_every_resource_that_there_is_whatever_is_chosen(assembly: Path, deployed: Path) -> None:
    for stack in STACKS:
        usual, everything = (Template(folder / f"{stack}.template.json") for folder in (assembly, deployed))
        for type_ in usual.types - {"AWS::Lambda::Version"}:  # whose name says what it was published from
            assert set(usual.resources(type_)) <= set(everything.resources(type_)), (stack, type_)


def test_aws_solutions_rules_find_nothing_unanswered(deployed: Path) -> None:
    assert violations(deployed).get("AwsSolutions", []) == []


def test_a_deployment_that_names_its_targets_is_built_without_a_warning(deployed: Path) -> None:
    assert violations(deployed).get("Construct Annotations", []) == []


def test_one_that_does_not_is_warned_of_each(assembly: Path) -> None:
    (warning,) = violations(assembly)["Construct Annotations"]

    assert all(name in warning["description"] for name in SETTINGS)


def test_functions_know_the_targets_that_the_deployment_names(deployed: Path) -> None:
    functions = Template(deployed / "SkysagaSaga.template.json").functions()
    azure = functions["skysaga-azure-create"]["Environment"]["Variables"]
    gcp = functions["skysaga-gcp-create"]["Environment"]["Variables"]

    assert azure["AZURE_SUBSCRIPTION_ID"] == SETTINGS["azure_subscription_id"]
    assert azure["AZURE_TENANT_ID"] == SETTINGS["azure_tenant_id"]
    assert azure["AZURE_CLIENT_ID"] == SETTINGS["azure_client_id"]
    assert gcp["GOOGLE_CLOUD_PROJECT"] == SETTINGS["google_cloud_project"]


def test_a_verb_may_be_another_application_to_azure(deployed: Path) -> None:
    functions = Template(deployed / "SkysagaSaga.template.json").functions()
    applications = {
        verb: functions[f"skysaga-azure-{verb}"]["Environment"]["Variables"]["AZURE_CLIENT_ID"]
        for verb in ("create", "observe", "delete", "check")
    }

    usual = SETTINGS["azure_client_id"]
    own = EVERYTHING["azure_client_id_delete"]
    assert applications == {"create": usual, "observe": usual, "delete": own, "check": usual}


def test_the_roles_that_other_clouds_are_to_trust_are_put_out(deployed: Path) -> None:
    saga, guard = (Template(deployed / f"{stack}.template.json") for stack in ("SkysagaSaga", "SkysagaGuard"))

    for cloud in ("azure", "gcp"):
        for verb in ("create", "observe", "delete", "check", "sweep"):
            template = guard if verb == "sweep" else saga
            role = template.outputs[f"{cloud.capitalize()}{verb.capitalize()}Role"]["Value"]
            assert role == template.functions()[f"skysaga-{cloud}-{verb}"]["Role"]


def test_lambda_runs_on_graviton_and_the_python_that_is_tested(deployed: Path) -> None:
    for stack in ("SkysagaSaga", "SkysagaApi"):
        for function in Template(deployed / f"{stack}.template.json").functions().values():
            assert function["Architectures"] == ["arm64"]
            assert function["Runtime"] == "python3.11"


@pytest.mark.parametrize("stack", STACKS)
def test_a_template_is_one_that_cloudformation_accepts(deployed: Path, stack: str) -> None:
    template = deployed / f"{stack}.template.json"
    # the CDK adds to a function's DependsOn the role that it refers to already
    findings = lint_file(template, config=ManualArgs(ignore_checks=["W3005"], regions=["eu-west-1"]))

    assert [str(it) for it in findings] == []


def test_no_stack_is_bound_to_an_account_or_region(deployed: Path) -> None:
    manifest = json.loads((deployed / "manifest.json").read_text())

    for stack in STACKS:
        assert manifest["artifacts"][stack]["environment"] == "aws://unknown-account/unknown-region"


def test_the_command_line_is_pinned_and_runs_the_same_application() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    settings = json.loads((ROOT / "cdk.json").read_text())

    assert package["devDependencies"] == {"aws-cdk": "2.1148.1"}
    assert settings["app"].endswith("python app.py")
    assert settings["context"]["bundle"] == "lambda"

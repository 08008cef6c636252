"""Targets as the deployment declares them: checked when the stacks are synthesized, and what follows from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.clouds import PUBLIC_CLOUDS
from infra.declaration import BadDeclaration
from infra.permissions.targets import entering as leave_to_enter
from infra.settings import Settings
from infra.target_account import target_template
from infra.targets import Targets
from lambdas.core.access import GRANTS, Grants
from lambdas.core.targets import AwsTarget, AzureTarget, GcpTarget, ScvmmTarget, VsphereTarget, parse_targets
from tests.infra.conftest import ROLE, TARGETS
from tests.infra.template import Template, text

UUID = "11111111-0000-0000-0000-00000000000{}"
EVERY_CLOUD = {f"targets/{cloud}" for cloud in ("aws", "azure", "gcp", "vsphere", "scvmm")}
VERBS = ("create", "observe", "delete", "check")


def entering(template: Template, function: str) -> list[dict[str, Any]]:
    statements = template.statements(template.functions()[function]["Role"])
    return [it for it in statements if "sts:AssumeRole" in it["Action"]]


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_may_assume_the_declared_roles_as_its_own_verb_and_no_other(saga: Template, verb: str) -> None:
    (statement,) = entering(saga, f"skysaga-aws-{verb}")

    assert statement["Resource"] == [ROLE]
    assert sorted(statement["Action"]) == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {"aws:RequestTag/skysaga-verb": verb}
    assert statement["Condition"]["ForAllValues:StringEquals"] == {"aws:TagKeys": ["skysaga-verb"]}
    variables = saga.functions()[f"skysaga-aws-{verb}"]["Environment"]["Variables"]
    assert variables["SKYSAGA_VERB"] == verb


def test_so_may_the_sweep_and_nobody_else(saga: Template, guard: Template, api: Template) -> None:
    allowed = {name for stack in (saga, guard, api) for name in stack.functions() if entering(stack, name)}

    assert allowed == {f"skysaga-aws-{verb}" for verb in (*VERBS, "sweep")}


def test_without_targets_nobody_assumes_anything() -> None:
    assert leave_to_enter([], "create") == []


def test_functions_read_what_they_go_by_and_change_nothing_of_it(api: Template, guard: Template) -> None:
    for template, function, names in (
        (api, "skysaga-api", {"grants", "billing/sources", *EVERY_CLOUD}),
        (guard, "skysaga-sweep", EVERY_CLOUD),
        (guard, "skysaga-gcp-sweep", {"targets/gcp"}),
        (guard, "skysaga-vsphere-sweep", {"targets/vsphere"}),
    ):
        role = template.functions()[function]["Role"]
        (reading,) = [it for it in template.statements(role) if "ssm:GetParameters" in it["Action"]]
        assert template.actions(role, "ssm:") == {"ssm:GetParameters"}
        assert {text(it).partition("parameter/skysaga/")[2] for it in reading["Resource"]} == names


def test_what_is_written_is_what_functions_read(data: Template) -> None:
    values = {it["Name"]: it["Value"] for it in data.properties("AWS::SSM::Parameter")}
    read = {
        cloud: parse_targets(cloud, values[f"/skysaga/targets/{cloud}"]) for cloud in (*TARGETS, "vsphere", "scvmm")
    }

    assert read["aws"] == {
        "default": AwsTarget(),
        "payments": AwsTarget(name="payments", **TARGETS["aws"]["payments"]),
    }
    assert read["azure"] == {"payments": AzureTarget(name="payments", **TARGETS["azure"]["payments"])}
    assert read["gcp"] == {"payments": GcpTarget(name="payments", **TARGETS["gcp"]["payments"])}
    assert read["vsphere"] == {"default": VsphereTarget(), "payments": VsphereTarget(name="payments")}
    assert read["scvmm"] == {"default": ScvmmTarget()}
    assert GRANTS.validate_json(values["/skysaga/grants"]) == Grants()


def test_the_default_targets_are_what_the_other_settings_name() -> None:
    settings = Settings(azure_subscription_id=UUID.format(1), google_cloud_project="shop-427")

    defaults = {name: cloud.default_target(settings) for name, cloud in PUBLIC_CLOUDS.items()}

    assert defaults == {"aws": {}, "azure": {"subscription_id": UUID.format(1)}, "gcp": {"project": "shop-427"}}
    assert json.loads(Targets().parameter("gcp", defaults["gcp"])) == {"default": {"project": "shop-427"}}


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(BadDeclaration) as error:
        Targets.parse(
            {
                "aws": {"Payments": {"role_arn": ROLE}, "a": {"role_arn": "arn:aws:iam::1:user/x"}, "b": {}},
                "azure": {"c": {"subscription_id": "x", "secret": "y"}},
                "gpc": {},
            }
        )

    assert [line.strip().partition(":")[0] for line in str(error.value).splitlines()[1:]] == [
        "targets.aws.Payments.[key]",
        "targets.aws.a.role_arn",
        "targets.aws.b.role_arn",
        "targets.azure.c.subscription_id",
        "targets.azure.c.secret",
        "targets.gpc",
    ]


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        ({"aws": {"default": {"role_arn": ROLE}}}, "aws.default: is what the deployment's other settings name"),
        ({"aws": {"a": {"role_arn": ROLE}, "b": {"role_arn": ROLE}}}, "aws.b: is the same place as 'a'"),
        ({"gcp": {"a": {"project": "shop-427"}, "b": {"project": "shop-427"}}}, "gcp.b: is the same place as 'a'"),
        ({"azure": {"a": {"subscription_id": UUID.format(1), "tenant_id": UUID.format(2)}}}, "tenant_id and client_id"),
        ({"aws": {f"t{n}": {"role_arn": f"{ROLE}-{n}"} for n in range(200)}}, "do not fit into a function's policy"),
        ("{", "is not JSON"),
    ],
)
def test_what_cannot_be_is_refused(document: object, mistake: str) -> None:
    with pytest.raises(BadDeclaration, match=mistake):
        Targets.parse(document)


def test_more_targets_than_a_parameter_holds_are_refused() -> None:
    many = Targets.parse({"gcp": {f"t{n}": {"project": f"a-project-of-ours-{n}"} for n in range(300)}})

    with pytest.raises(BadDeclaration, match=r"targets\.gcp: .* an SSM parameter holds 8192"):
        many.parameter("gcp", None)


def test_targets_may_be_given_on_the_command_line() -> None:
    assert Targets.parse(json.dumps(TARGETS)) == Targets.parse(TARGETS)


def _template() -> dict[str, Any]:
    return target_template("123456789012", external_id="agreed", exports=["their-exports"])


@pytest.fixture(name="account", scope="module")
def _account() -> dict[str, Any]:
    role: dict[str, Any] = _template()["Resources"]["Role"]["Properties"]
    return role


def statements(account: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = account["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_in_a_target_account_a_session_may_do_what_its_verb_is_for(account: dict[str, Any]) -> None:
    actions: dict[str, set[str]] = {}
    for it in statements(account):
        listed = it["Action"] if isinstance(it["Action"], list) else [it["Action"]]
        actions.setdefault(it["Condition"]["StringEquals"]["aws:PrincipalTag/skysaga-verb"], set()).update(listed)

    assert set(actions) == {*VERBS, "sweep", "costs"}
    assert actions["costs"] == {"ce:GetCostAndUsage", "s3:GetObject", "s3:ListBucket"}
    assert [verb for verb, allowed in actions.items() if "ec2:TerminateInstances" in allowed] == ["delete"]
    assert sorted(verb for verb, allowed in actions.items() if "ec2:RunInstances" in allowed) == ["check", "create"]
    assert all(
        action.partition(":")[2].startswith("Describe") for verb in ("observe", "sweep") for action in actions[verb]
    )


def test_there_too_only_what_is_marked_is_touched(account: dict[str, Any]) -> None:
    (removing,) = [it for it in statements(account) if "ec2:TerminateInstances" in it["Action"]]
    (tagging,) = [
        it for it in statements(account) if it["Action"] == "ec2:CreateTags" and it["Sid"].startswith("Create")
    ]

    assert removing["Condition"]["Null"] == {"aws:ResourceTag/skysaga-saga": "false"}
    assert tagging["Condition"]["StringEquals"]["ec2:CreateAction"] == ["RunInstances", "CreateVolume"]


def test_it_trusts_our_functions_roles_with_the_external_id_only(
    account: dict[str, Any], saga: Template, billing: Template
) -> None:
    entering, tagging = account["AssumeRolePolicyDocument"]["Statement"]

    assert (entering["Action"], tagging["Action"]) == ("sts:AssumeRole", "sts:TagSession")
    assert entering["Condition"]["StringEquals"] == {"sts:ExternalId": "agreed"}
    trusted = [text(it).rpartition("/")[2].rstrip("*") for it in entering["Condition"]["ArnLike"]["aws:PrincipalArn"]]
    roles = [text(it["Role"]).strip("{}") for name, it in saga.functions().items() if name.startswith("skysaga-aws-")]
    assert all(any(f"SkysagaSaga-{role}".startswith(prefix) for prefix in trusted) for role in roles)
    collector = text(billing.functions()["skysaga-aws-costs"]["Role"]).strip("{}")
    assert any(f"SkysagaBilling-{collector}".startswith(prefix) for prefix in trusted)


def test_its_policy_is_short_enough_for_a_role(account: dict[str, Any]) -> None:
    written = json.dumps(account["Policies"][0]["PolicyDocument"], separators=(",", ":"))

    assert len(written) < 10_240

"""Billing as it is deployed: where costs are kept, who collects and asks for them, what each may do, and the alarms."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from infra.application import build_application
from infra.billing import MOST_SOURCES, AnySource, Billing, Budget
from infra.constructs.cost_queries import COLUMNS
from infra.packaging.bundles import ROOT
from infra.permissions.events import EVENT_SOURCE
from lambdas.billing.publisher import LATE_WINDOWS
from tests.infra.conftest import BILLING, ROLE, TARGETS
from tests.infra.template import Template, text

OWN = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
WINDOWS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
ANSWERS = {"states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"}
COLLECTING = OWN | WINDOWS | KEY | ANSWERS | {"lambda:InvokeFunction", "s3:PutObject", "ssm:GetParameters"}
COLLECTORS = {
    "aws-cost-explorer": "skysaga-aws-costs",
    "aws-data-export": "skysaga-aws-costs",
    "azure-cost-query": "skysaga-azure-costs",
    "azure-cost-export": "skysaga-azure-costs",
    "gcp-bigquery": "skysaga-gcp-costs",
    "rate-card": "skysaga-rate-card",
}
NAMES = sorted(set(COLLECTORS.values()))
BUCKET = "skysaga-costs-{AWS::AccountId}-{AWS::Region}"
EXPLORER = {"kind": "aws-cost-explorer", "since": "2026-11-01T00:00:00Z", "account": "123456789012"}


def function(billing: Template, name: str) -> dict[str, Any]:
    return billing.functions()[name]


def environment(billing: Template, name: str) -> dict[str, Any]:
    variables: dict[str, Any] = function(billing, name)["Environment"]["Variables"]
    return variables


def allowed(billing: Template, name: str) -> dict[str, dict[str, Any]]:
    """What a function may do, by the names of its statements."""
    return {it["Sid"]: it for it in billing.statements(function(billing, name)["Role"]) if "Sid" in it}


def resources(statement: dict[str, Any]) -> set[str]:
    return {text(it) for it in statement["Resource"]}


def test_what_does_not_fit_into_a_standard_parameter_is_in_an_advanced_one(tmp_path: Any) -> None:
    sources = {f"s{number}": {**EXPLORER, "account": f"{number:012}"} for number in range(MOST_SOURCES)}
    build_application(outdir=str(tmp_path), context={"bundle": "host", "billing": {"sources": sources}}).synth()

    parameters = {it["Name"]: it for it in Template(tmp_path / "SkysagaData.template.json").properties(PARAMETER)}
    assert len(parameters["/skysaga/billing/sources"]["Value"]) > 4096
    assert parameters["/skysaga/billing/sources"]["Tier"] == "Advanced"
    assert parameters["/skysaga/billing/budgets"]["Tier"] == "Standard"


PARAMETER = "AWS::SSM::Parameter"


def test_without_sources_nothing_of_it_is_deployed_and_the_api_asks_for_no_costs(tmp_path: Any) -> None:
    app = build_application(outdir=str(tmp_path), context={"bundle": "host"})
    app.synth()

    data, api = (Template(tmp_path / f"{name}.template.json") for name in ("SkysagaData", "SkysagaApi"))
    assert "SkysagaBilling" not in [it.node.id for it in app.node.children]
    assert "AWS::S3::Bucket" not in data.types
    assert not [it for it in data.properties(PARAMETER) if "billing" in it["Name"]]
    assert "WINDOWS_TABLE" not in environment(api, "skysaga-api")
    assert not api.actions(function(api, "skysaga-api")["Role"], "athena:")


def test_the_bucket_is_kept_encrypted_and_closed(data: Template) -> None:
    bucket = data.only("AWS::S3::Bucket")
    properties = bucket["Properties"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert text(properties["BucketName"]) == BUCKET
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert (rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"], rule["BucketKeyEnabled"]) == ("aws:kms", True)
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (statement,) = data.only("AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_costs_stay_and_what_they_were_before_goes_and_so_does_all_that_is_in_passing(data: Template) -> None:
    properties = data.only("AWS::S3::Bucket")["Properties"]
    rules = properties["LifecycleConfiguration"]["Rules"]
    expiring = {it["Prefix"]: it["ExpirationInDays"] for it in rules if "ExpirationInDays" in it}
    replaced = {it["Prefix"]: it["NoncurrentVersionExpiration"]["NoncurrentDays"] for it in rules if "Prefix" in it}
    (everywhere,) = [it for it in rules if "Prefix" not in it]

    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert expiring == {"staging/": 14, "athena/": 1}
    assert replaced == {"staging/": 1, "athena/": 1, "costs/": 30}
    assert everywhere["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert everywhere["ExpiredObjectDeleteMarker"] is True


def test_the_table_of_windows_is_kept_and_restorable_to_any_second(data: Template) -> None:
    tables = data.resources("AWS::DynamoDB::Table").values()
    (windows,) = [it for it in tables if it["Properties"].get("TableName") == "skysaga-windows"]
    properties = windows["Properties"]

    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {it["AttributeType"] for it in properties["AttributeDefinitions"]} == {"S"}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (windows["DeletionPolicy"], windows["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_bucket_is_put_out(data: Template) -> None:
    (bucket,) = data.resources("AWS::S3::Bucket")

    assert data.outputs["CostsBucket"]["Value"] == {"Ref": bucket}


def test_the_table_has_every_column_of_focus_and_ours(billing: Template) -> None:
    table = billing.only("AWS::Glue::Table")["Properties"]["TableInput"]
    columns = {it["Name"]: it["Type"] for it in table["StorageDescriptor"]["Columns"]}
    ours = {"x_sagaid", "x_sagaresourceid", "x_source"}

    assert columns == {name.lower(): type_ for name, type_ in COLUMNS.items()}
    assert len(set(columns) - ours) == 57
    assert ours < set(columns)
    assert set(columns.values()) == {"string", "timestamp", "decimal(38,20)", "map<string,string>"}
    assert {columns[name] for name in columns if name.endswith(("cost", "price", "quantity"))} == {"decimal(38,20)"}


def test_the_columns_are_those_that_the_publisher_writes_in_its_order() -> None:
    focus = pytest.importorskip("lambdas.core.billing.focus.columns")
    types = {
        "String": "string",
        "Date/Time": "timestamp",
        "Decimal": "decimal(38,20)",
        "Key-Value": "map<string,string>",
    }

    assert list(COLUMNS.items())[:-3] == [(it.name, types[it.kind.value]) for it in focus.COLUMNS]


def test_partitions_are_reckoned_from_every_source_that_there_is_or_was_and_from_the_first_month_on(
    billing: Template,
) -> None:
    table = billing.only("AWS::Glue::Table")["Properties"]["TableInput"]
    parameters = table["Parameters"]

    assert [it["Name"] for it in table["PartitionKeys"]] == ["source", "billing_period"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.source.type"] == "enum"
    assert parameters["projection.source.values"].split(",") == sorted([*BILLING["sources"], "old-project"])
    assert parameters["projection.billing_period.format"] == "yyyy-MM"
    assert parameters["projection.billing_period.interval.unit"] == "MONTHS"
    assert parameters["projection.billing_period.range"] == "2025-02,NOW+1MONTHS", "it is February yet in California"


def test_a_file_is_where_the_table_looks_for_it(billing: Template) -> None:
    table = billing.only("AWS::Glue::Table")["Properties"]["TableInput"]

    assert text(table["StorageDescriptor"]["Location"]) == f"s3://{BUCKET}/costs/"
    assert text(table["Parameters"]["storage.location.template"]) == (
        f"s3://{BUCKET}/costs/source=${{source}}/billing_period=${{billing_period}}/"
    )


def test_a_query_reads_only_so_much_and_its_results_are_encrypted_and_where_they_expire(billing: Template) -> None:
    group = billing.only("AWS::Athena::WorkGroup")["Properties"]
    configuration = group["WorkGroupConfiguration"]
    results = configuration["ResultConfiguration"]

    assert group["Name"] == "skysaga-costs"
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 20 * 2**30
    assert text(results["OutputLocation"]) == f"s3://{BUCKET}/athena/"
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert "LedgerKey" in text(results["EncryptionConfiguration"]["KmsKey"])


def test_the_api_finds_costs_by_names_that_stay_so_that_billing_can_go_before_it(api: Template) -> None:
    known = environment(api, "skysaga-api")

    assert known["WINDOWS_TABLE"] == "skysaga-windows"
    assert (known["COSTS_DATABASE"], known["COSTS_TABLE"]) == ("skysaga", "costs")
    assert known["COSTS_WORKGROUP"] == "skysaga-costs"


def test_the_api_reads_windows_and_costs_and_writes_nothing_but_results(api: Template) -> None:
    may = allowed(api, "skysaga-api")

    assert set(may["Windows"]["Action"]) == {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert {it.rpartition("/")[2] for it in resources(may["Windows"])} == {"skysaga-windows"}
    assert {it.partition("/")[2] for it in resources(may["ReadCostsAndResults"])} == {"costs/*", "athena/*"}
    assert {it.partition("/")[2] for it in resources(may["WriteResults"])} == {"athena/*"}
    assert text(may["CostsKey"]["Condition"]["StringEquals"]["kms:ViaService"][0]).startswith("s3.")


def test_who_queries_does_so_in_the_workgroup_and_over_this_table_only(api: Template, billing: Template) -> None:
    for may in (allowed(api, "skysaga-api"), allowed(billing, "skysaga-billing")):
        assert {it.rpartition(":")[2] for it in resources(may["QueryCosts"])} == {"workgroup/skysaga-costs"}
        assert {it.rpartition(":")[2] for it in resources(may["LookUpCosts"])} == {
            "catalog",
            "database/skysaga",
            "table/skysaga/costs",
        }
        assert resources(may["FindCosts"]) == {f"arn:{{AWS::Partition}}:s3:::{BUCKET}"}


def test_there_is_a_function_for_every_step_and_for_every_kind_of_source(billing: Template) -> None:
    assert {name: it["Handler"] for name, it in billing.functions().items()} == {
        "skysaga-billing": "lambdas.billing.handler.handler",
        "skysaga-billing-start": "lambdas.billing.handler.start",
        "skysaga-billing-publish": "lambdas.billing.publisher.handler",
        "skysaga-aws-costs": "lambdas.aws.collector.handler",
        "skysaga-azure-costs": "lambdas.azure.collector.handler",
        "skysaga-gcp-costs": "lambdas.gcp.collector.handler",
        "skysaga-rate-card": "lambdas.billing.rate_card.handler",
    }


def test_the_steps_know_the_published_collector_of_each_kind(billing: Template) -> None:
    known = json.loads(text(environment(billing, "skysaga-billing")["COLLECTORS"]))

    assert {kind: billing.function_of(arn.strip("{}")) for kind, arn in known.items()} == COLLECTORS


def test_a_kind_that_is_not_declared_has_no_collector(tmp_path: Any) -> None:
    context = {"bundle": "host", "billing": {"sources": {"a": EXPLORER}}}
    build_application(outdir=str(tmp_path), context=context).synth()
    billing = Template(tmp_path / "SkysagaBilling.template.json")

    assert set(json.loads(text(environment(billing, "skysaga-billing")["COLLECTORS"]))) == {"aws-cost-explorer"}
    assert {it for it in billing.functions() if not it.startswith("skysaga-billing")} == {"skysaga-aws-costs"}


@pytest.mark.parametrize("name", [*NAMES, "skysaga-billing-publish"])
def test_who_reads_or_publishes_has_as_long_as_lambda_gives(billing: Template, name: str) -> None:
    assert function(billing, name)["Timeout"] == 900


def test_the_publisher_has_duckdb_and_room_for_what_does_not_fit_into_memory(billing: Template) -> None:
    publisher = function(billing, "skysaga-billing-publish")
    (layer,) = map(text, publisher["Layers"])

    assert "BillingDependencies" in layer
    assert (publisher["MemorySize"], publisher["EphemeralStorage"]) == (1024, {"Size": 4096})


@pytest.mark.parametrize("name", NAMES)
def test_a_collector_that_fails_is_called_again_by_the_state_machine_and_by_nobody_else(
    billing: Template, name: str
) -> None:
    configurations = billing.resources("AWS::Lambda::EventInvokeConfig").values()
    functions = billing.resources("AWS::Lambda::Function")
    (found,) = [
        it
        for it in configurations
        if functions[it["Properties"]["FunctionName"]["Ref"]]["Properties"]["FunctionName"] == name
    ]

    properties = found["Properties"]
    assert (properties["MaximumRetryAttempts"], properties["MaximumEventAgeInSeconds"]) == (0, 300)
    version, attribute = properties["Qualifier"]["Fn::GetAtt"]
    assert (billing.function_of(version), attribute) == (name, "Version")
    assert found["UpdateReplacePolicy"] == "Retain", "an older version may still be reading"


@pytest.mark.parametrize("name", NAMES)
def test_a_collector_hands_over_to_itself_and_answers_the_billing_machine_only(billing: Template, name: str) -> None:
    may = allowed(billing, name)

    assert {it.partition(":function:")[2] for it in resources(may["HandOver"])} == {f"{name}:*"}
    assert {it.partition(":stateMachine:")[2] for it in resources(may["AnswerTasks"])} == {"skysaga-billing"}


@pytest.mark.parametrize("name", NAMES)
def test_a_collector_stages_pages_and_touches_no_costs(billing: Template, name: str) -> None:
    may = allowed(billing, name)

    assert resources(may["WriteCosts"]) == {f"arn:{{AWS::Partition}}:s3:::{BUCKET}/staging/*"}
    assert {it.rpartition("/")[2] for it in resources(may["Windows"])} == {"skysaga-windows"}
    assert "ReadCosts" not in may


@pytest.mark.parametrize(
    ("name", "further"),
    [
        (
            "skysaga-aws-costs",
            {"ce:GetCostAndUsage", "s3:GetObject", "s3:ListBucket", "sts:AssumeRole", "sts:TagSession"},
        ),
        ("skysaga-azure-costs", {"sts:GetWebIdentityToken"}),
        ("skysaga-gcp-costs", set()),
        ("skysaga-rate-card", set()),
    ],
)
def test_a_collector_may_do_this_at_its_cloud_and_no_more(billing: Template, name: str, further: set[str]) -> None:
    assert billing.actions(function(billing, name)["Role"]) == COLLECTING | further


def test_exports_are_read_in_their_bucket_below_their_prefix(billing: Template) -> None:
    may = allowed(billing, "skysaga-aws-costs")

    assert resources(may["FindExports"]) == {"arn:{AWS::Partition}:s3:::our-exports"}
    assert resources(may["ReadExports"]) == {"arn:{AWS::Partition}:s3:::our-exports/focus/*"}


def test_other_accounts_are_entered_by_the_roles_of_their_targets_to_look_at_costs(billing: Template) -> None:
    entering = allowed(billing, "skysaga-aws-costs")["EnterTargets"]

    assert resources(entering) == {ROLE}
    assert entering["Condition"]["StringEquals"] == {"aws:RequestTag/skysaga-verb": "costs"}
    assert environment(billing, "skysaga-aws-costs")["SKYSAGA_VERB"] == "costs"


def test_an_account_that_is_read_elsewhere_is_not_asked_here(tmp_path: Any) -> None:
    context = {"bundle": "host", "targets": TARGETS, "billing": {"sources": {"a": {**EXPLORER, "target": "payments"}}}}
    build_application(outdir=str(tmp_path), context=context).synth()
    billing = Template(tmp_path / "SkysagaBilling.template.json")

    assert not billing.actions(function(billing, "skysaga-aws-costs")["Role"], "ce:")


def test_the_rate_card_reads_the_ledger_and_writes_nothing_there(billing: Template) -> None:
    may = allowed(billing, "skysaga-rate-card")

    assert set(may["Ledger"]["Action"]) == {"dynamodb:GetItem", "dynamodb:Query"}
    assert {it.rpartition("/")[2] for it in resources(may["LedgerIndex"])} == {"by-home"}
    assert "LedgerTable" in text(environment(billing, "skysaga-rate-card")["LEDGER_TABLE"])
    assert not [it for it in billing.functions() if it != "skysaga-rate-card" and "Ledger" in allowed(billing, it)]


def test_the_publisher_reads_what_is_staged_and_alone_writes_costs(billing: Template) -> None:
    may = allowed(billing, "skysaga-billing-publish")

    assert billing.actions(function(billing, "skysaga-billing-publish")["Role"]) == OWN | WINDOWS | KEY | {
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "ssm:GetParameters",
    }
    assert {it.partition("/")[2] for it in resources(may["ReadCosts"])} == {"staging/*", "costs/*"}
    assert {it.partition("/")[2] for it in resources(may["WriteCosts"])} == {"costs/*"}
    for name in billing.functions():
        writing = [it for it in billing.statements(function(billing, name)["Role"]) if "s3:PutObject" in it["Action"]]
        prefixes = {text(arn).partition("/")[2] for it in writing for arn in it["Resource"]}
        assert ("costs/*" in prefixes) == (name == "skysaga-billing-publish"), name


def test_the_steps_ask_for_costs_and_say_when_a_budget_is_passed(billing: Template) -> None:
    may = allowed(billing, "skysaga-billing")

    assert {it.rpartition(":")[2] for it in resources(may["SayBudgetPassed"])} == {"event-bus/default"}
    assert may["SayBudgetPassed"]["Condition"] == {"StringEquals": {"events:source": EVENT_SOURCE}}
    assert {it.partition("/skysaga/")[2] for it in resources(may["Parameters"])} == {
        "billing/sources",
        "billing/budgets",
    }


def test_events_are_sent_by_the_name_that_is_allowed() -> None:
    announcements = pytest.importorskip("lambdas.adapters.announcements")

    assert announcements.SOURCE == EVENT_SOURCE


def test_each_is_told_only_what_it_needs(billing: Template) -> None:
    usual = {"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME", "PYDANTIC_DISABLE_PLUGINS"}
    store = {"COSTS_BUCKET", "SOURCES_PARAMETER", "WINDOWS_TABLE"}
    cloud = store | {"TARGET_PARAMETERS"}
    queries = {"COSTS_DATABASE", "COSTS_TABLE", "COSTS_WORKGROUP"}

    assert {name: set(environment(billing, name)) - usual for name in billing.functions()} == {
        "skysaga-billing-start": {"BILLING_STATE_MACHINE"},
        "skysaga-billing": store | queries | {"BUDGETS_PARAMETER", "COLLECTORS"},
        "skysaga-billing-publish": store,
        "skysaga-aws-costs": cloud | {"SKYSAGA_VERB"},
        "skysaga-azure-costs": cloud | {"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"},
        "skysaga-gcp-costs": cloud | {"GOOGLE_CLOUD_PROJECT"},
        "skysaga-rate-card": store | {"LEDGER_TABLE"},
    }


def test_the_roles_that_other_clouds_are_to_trust_are_put_out(billing: Template) -> None:
    for cloud in ("azure", "gcp"):
        role = billing.outputs[f"{cloud.capitalize()}CostsRole"]["Value"]
        assert role == function(billing, f"skysaga-{cloud}-costs")["Role"]


def test_costs_may_be_read_as_another_application_to_azure(deployed: Any) -> None:
    billing = Template(deployed / "SkysagaBilling.template.json")

    assert environment(billing, "skysaga-azure-costs")["AZURE_CLIENT_ID"].endswith("5")


def test_a_collection_is_started_every_hour_and_again_where_that_fails(billing: Template) -> None:
    schedule = billing.only("AWS::Scheduler::Schedule")["Properties"]
    logical_id = schedule["Target"]["Arn"]["Fn::GetAtt"][0]
    functions = billing.resources("AWS::Lambda::Function")
    (retries,) = [
        it for it in billing.properties("AWS::Lambda::EventInvokeConfig") if it["FunctionName"] == {"Ref": logical_id}
    ]

    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert functions[logical_id]["Properties"]["FunctionName"] == "skysaga-billing-start"
    assert (retries["Qualifier"], retries["MaximumRetryAttempts"]) == ("$LATEST", 2)
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2}
    (calling,) = billing.statements(schedule["Target"]["RoleArn"])
    assert (calling["Action"], calling["Resource"]) == (["lambda:InvokeFunction"], [schedule["Target"]["Arn"]])


def test_who_starts_it_starts_the_alias_and_nothing_else(billing: Template) -> None:
    start = function(billing, "skysaga-billing-start")

    assert billing.actions(start["Role"]) == OWN | {"states:StartExecution"}
    assert "BillingAlias" in text(environment(billing, "skysaga-billing-start")["BILLING_STATE_MACHINE"])


def test_the_machine_is_its_file_and_calls_every_version_of_its_functions(billing: Template) -> None:
    machine = billing.machines()["skysaga-billing"]
    definition = (ROOT / "statemachines" / "billing.asl.json").read_text()
    invoking = [
        text(arn)
        for it in billing.statements(machine["RoleArn"])
        if it["Action"] == ["lambda:InvokeFunction"]
        for arn in it["Resource"]
    ]
    functions = billing.resources("AWS::Lambda::Function")

    assert json.loads(text(machine["DefinitionString"])) == json.loads(definition)
    assert set(machine["DefinitionSubstitutions"]) == set(re.findall(r"\$\{(\w+)\}", definition))
    assert all(arn.endswith(".Arn}:*") for arn in invoking)
    called = {functions[arn.split(".")[0].strip("{")]["Properties"]["FunctionName"] for arn in invoking}
    assert called == set(billing.functions()) - {"skysaga-billing-start"}


def test_the_steps_end_before_their_tasks_give_up(billing: Template) -> None:
    definition = text(billing.machines()["skysaga-billing"]["DefinitionString"])
    tasks = re.findall(r'"\$\{(\w+)\}".*?"TimeoutSeconds": (\d+)', definition, re.DOTALL)
    longest = {"BillingFunction": "skysaga-billing", "PublishFunction": "skysaga-billing-publish"}

    assert tasks
    for name, seconds in tasks:
        assert function(billing, longest[name])["Timeout"] < int(seconds)


@pytest.mark.parametrize("alarm", ["billing-fails", "billing-missing", "billing-sources-late", "billing-windows-late"])
def test_an_alarm_says_what_to_do_and_reaches_the_topic_of_all_alarms(billing: Template, alarm: str) -> None:
    alarms = {it["AlarmName"]: it for it in billing.properties("AWS::CloudWatch::Alarm")}
    (action,) = alarms[f"skysaga-{alarm}"]["AlarmActions"]

    assert "AlarmsTopic" in text(action)
    assert len(alarms[f"skysaga-{alarm}"]["AlarmDescription"]) > 60


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [("billing-sources-late", "BillingLateSources"), ("billing-windows-late", "BillingLateWindows")],
)
def test_what_is_late_is_what_the_functions_count(billing: Template, alarm: str, metric: str) -> None:
    alarms = {it["AlarmName"]: it for it in billing.properties("AWS::CloudWatch::Alarm")}
    raised = alarms[f"skysaga-{alarm}"]

    assert (raised["Namespace"], raised["MetricName"]) == ("skysaga", metric)
    assert raised["Dimensions"] == [{"Name": "service", "Value": "skysaga"}]
    assert (raised["Threshold"], raised["TreatMissingData"]) == (0, "notBreaching")


def test_the_metrics_have_the_names_that_functions_give_them() -> None:
    assert LATE_WINDOWS == "BillingLateWindows"
    summarising = pytest.importorskip("lambdas.core.steps.summarising")
    assert summarising.SOURCES_LATE == "BillingLateSources"


def test_a_collection_that_does_not_happen_is_noticed(billing: Template) -> None:
    alarms = {it["AlarmName"]: it for it in billing.properties("AWS::CloudWatch::Alarm")}

    assert alarms["skysaga-billing-missing"]["TreatMissingData"] == "breaching"


def test_the_page_about_operations_has_every_kind_every_field_and_every_alarm(billing: Template) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    fields = {field for it in get_args(AnySource) for field in it.model_fields}
    fields |= {*Billing.model_fields, *Budget.model_fields}
    alarms = [it["AlarmName"] for it in billing.properties("AWS::CloudWatch::Alarm")]

    assert [it for it in {*fields, *COLLECTORS} if f"`{it}`" not in page] == []
    assert [it for it in alarms if f"\n### {it}\n" not in page] == []

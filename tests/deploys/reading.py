"""What is deployed, read back through the services' own APIs, as CloudFormation's properties of each resource type."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from local.aws.clients import create_client
from local.machine import REGION

Properties = Mapping[str, Any]


class Read(NamedTuple):
    """A resource as its service describes it: its properties, and what Fn::GetAtt gives."""

    properties: Properties
    attributes: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Deployed:
    """A resource that CloudFormation says is there; `wanted` are its properties as far as they say where it is."""

    physical_id: str
    wanted: Callable[[], Properties]


class Account:
    """The account's services."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    @cache  # noqa: B019 - as long as the account
    def client(self, service: str) -> Any:
        """A client of a service."""
        return create_client(service, self._endpoint, REGION)

    def read(self, resource_type: str, resource: Deployed) -> Read:
        """The resource; KeyError for a type that nobody reads."""
        return READERS[resource_type](self, resource)

    def stored_hash(self, location: Properties) -> str:
        """The SHA-256 of the object that CloudFormation was given, as Lambda writes it."""
        content = self.client("s3").get_object(Bucket=location["S3Bucket"], Key=location["S3Key"])["Body"].read()
        return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _api(account: Account, it: Deployed) -> Read:
    return Read(account.client("apigatewayv2").get_api(ApiId=it.physical_id))


def _integration(account: Account, it: Deployed) -> Read:
    api = it.wanted()["ApiId"]
    found = account.client("apigatewayv2").get_integration(ApiId=api, IntegrationId=it.physical_id)
    return Read({**found, "ApiId": api})


def _route(account: Account, it: Deployed) -> Read:
    api = it.wanted()["ApiId"]
    return Read({**account.client("apigatewayv2").get_route(ApiId=api, RouteId=it.physical_id), "ApiId": api})


def _stage(account: Account, it: Deployed) -> Read:
    api = it.wanted()["ApiId"]
    return Read({**account.client("apigatewayv2").get_stage(ApiId=api, StageName=it.physical_id), "ApiId": api})


def _alarm(account: Account, it: Deployed) -> Read:
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[it.physical_id])["MetricAlarms"]
    return Read(alarm, {"Arn": alarm["AlarmArn"]})


def _composite_alarm(account: Account, it: Deployed) -> Read:
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[it.physical_id])["CompositeAlarms"]
    return Read(alarm, {"Arn": alarm["AlarmArn"]})


def _dashboard(account: Account, it: Deployed) -> Read:
    return Read(account.client("cloudwatch").get_dashboard(DashboardName=it.physical_id))


def _query_definition(account: Account, it: Deployed) -> Read:
    queries = account.client("logs").describe_query_definitions()["queryDefinitions"]
    (query,) = (each for each in queries if each["queryDefinitionId"] == it.physical_id)
    return Read(query, {"QueryDefinitionId": it.physical_id})


def _table(account: Account, it: Deployed) -> Read:
    dynamodb = account.client("dynamodb")
    table = dynamodb.describe_table(TableName=it.physical_id)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=it.physical_id)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    also = {
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery == "ENABLED"},
        "SSESpecification": _encryption(table.get("SSEDescription", {})),
    }
    return Read({**table, **also}, {"Arn": table["TableArn"]})


def _encryption(described: Properties) -> Properties:
    key = {"SSEType": described["SSEType"], "KMSMasterKeyId": described["KMSMasterKeyArn"]} if described else {}
    return {"SSEEnabled": described.get("Status") == "ENABLED", **key}


def _rule(account: Account, it: Deployed) -> Read:
    events = account.client("events")
    rule = events.describe_rule(Name=it.physical_id)
    return Read({**rule, "Targets": events.list_targets_by_rule(Rule=it.physical_id)["Targets"]}, {"Arn": rule["Arn"]})


def _policy(account: Account, it: Deployed) -> Read:
    name, roles = it.wanted()["PolicyName"], it.wanted()["Roles"]
    (document,) = (account.client("iam").get_role_policy(RoleName=role, PolicyName=name) for role in roles)
    return Read({**document, "Roles": [document["RoleName"]]})


def _managed_policy(account: Account, it: Deployed) -> Read:
    iam, arn = account.client("iam"), it.physical_id
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    roles = [role["RoleName"] for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]]
    named = {"ManagedPolicyName": policy["PolicyName"], "PolicyDocument": version["Document"], "Roles": roles}
    return Read({"Description": "", **policy, **named}, {"PolicyArn": arn})  # IAM leaves an empty description out


def _role(account: Account, it: Deployed) -> Read:
    role = account.client("iam").get_role(RoleName=it.physical_id)["Role"]
    return Read(role, {"Arn": role["Arn"]})


def _function(account: Account, it: Deployed) -> Read:
    found = account.client("lambda").get_function_configuration(FunctionName=it.physical_id)
    layers = [layer["Arn"] for layer in found["Layers"]]
    code = _if_stored(account, it.wanted()["Code"], found["CodeSha256"])
    return Read({**found, "Layers": layers, "Code": code}, {"Arn": found["FunctionArn"]})


def _layer(account: Account, it: Deployed) -> Read:
    layer, _, number = it.physical_id.rpartition(":")
    found = account.client("lambda").get_layer_version(LayerName=layer.rsplit(":", 1)[1], VersionNumber=int(number))
    return Read({**found, "Content": _if_stored(account, it.wanted()["Content"], found["Content"]["CodeSha256"])})


def _if_stored(account: Account, location: Properties, sha256: str) -> Properties:
    """The code's location, which Lambda forgets, if what lies there is what Lambda holds."""
    return location if account.stored_hash(location) == sha256 else {"CodeSha256": sha256}


def _function_version(account: Account, it: Deployed) -> Read:
    found = account.client("lambda").get_function_configuration(FunctionName=it.physical_id)
    return Read(found, {"Version": found["Version"]})


def _event_source_mapping(account: Account, it: Deployed) -> Read:
    found = account.client("lambda").get_event_source_mapping(UUID=it.physical_id)
    named = it.wanted()["FunctionName"]  # by its name or its ARN, which is what is kept
    function = named if found["FunctionArn"].split(":function:")[1] == named else found["FunctionArn"]
    enabled = found["State"] == "Enabled"
    return Read({**found, "FunctionName": function, "Enabled": enabled}, {"Id": found["UUID"]})


def _permission(account: Account, it: Deployed) -> Read:
    function = it.wanted()["FunctionName"]
    policy = json.loads(account.client("lambda").get_policy(FunctionName=function)["Policy"])
    (statement,) = (each for each in policy["Statement"] if each["Sid"] == it.physical_id)
    return Read(
        {
            "Action": statement["Action"],
            "FunctionName": function,
            "Principal": statement["Principal"]["Service"],
            "SourceArn": statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        }
    )


def _key(account: Account, it: Deployed) -> Read:
    kms = account.client("kms")
    key = kms.describe_key(KeyId=it.physical_id)["KeyMetadata"]
    also = {
        "EnableKeyRotation": kms.get_key_rotation_status(KeyId=it.physical_id)["KeyRotationEnabled"],
        "KeyPolicy": kms.get_key_policy(KeyId=it.physical_id, PolicyName="default")["Policy"],
    }
    return Read({**key, **also}, {"Arn": key["Arn"]})


def _secret(account: Account, it: Deployed) -> Read:
    secrets = account.client("secretsmanager")
    described = secrets.describe_secret(SecretId=it.physical_id)
    value = secrets.get_secret_value(SecretId=it.physical_id)["SecretString"]
    how = it.wanted().get("GenerateSecretString")
    generated = {"GenerateSecretString": how} if how is not None and _is_generated(value, how) else {}
    return Read({**described, "SecretString": value, **generated}, {"Id": described["ARN"]})


def _is_generated(value: str, how: Properties) -> bool:
    """Whether a secret can have been made as its template says: who it is for, and as many characters as are wanted."""
    length = int(how.get("PasswordLength", 32))
    if "SecretStringTemplate" not in how:
        return len(value) == length
    found = json.loads(value)
    password = found.pop(how["GenerateStringKey"])
    return found == json.loads(how["SecretStringTemplate"]) and len(password) == length


def _queue(account: Account, it: Deployed) -> Read:
    sqs, url = account.client("sqs"), it.physical_id
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    name = url.rpartition("/")[2]
    also = {"QueueName": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    return Read({**attributes, **also}, {"Arn": attributes["QueueArn"], "QueueName": name, "QueueUrl": url})


def _queue_policy(account: Account, it: Deployed) -> Read:
    sqs, queues = account.client("sqs"), it.wanted()["Queues"]
    attributes = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"] for url in queues]
    policies = {each.get("Policy", "") for each in attributes}
    return Read({"Queues": queues, "PolicyDocument": policies.pop() if len(policies) == 1 else sorted(policies)})


def _event_invoke_config(account: Account, it: Deployed) -> Read:
    where = {name: it.wanted()[name] for name in ("FunctionName", "Qualifier")}
    found = account.client("lambda").get_function_event_invoke_config(**where)
    return Read({**found, **where})


def _parameter(account: Account, it: Deployed) -> Read:
    ssm = account.client("ssm")
    (described,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [it.physical_id]}])["Parameters"]
    found = ssm.get_parameter(Name=it.physical_id)["Parameter"]
    return Read({**described, **found}, {"Type": found["Type"], "Value": found["Value"]})


def _log_group(account: Account, it: Deployed) -> Read:
    groups = account.client("logs").describe_log_groups(logGroupNamePrefix=it.physical_id)["logGroups"]
    (group,) = (each for each in groups if each["logGroupName"] == it.physical_id)
    return Read(group, {"Arn": group["arn"]})


def _topic(account: Account, it: Deployed) -> Read:
    attributes = account.client("sns").get_topic_attributes(TopicArn=it.physical_id)["Attributes"]
    return Read({**attributes, "TopicName": it.physical_id.rsplit(":", 1)[1]}, {"TopicArn": it.physical_id})


def _topic_policy(account: Account, it: Deployed) -> Read:
    (topic,) = it.wanted()["Topics"]
    policy = account.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    return Read({"Topics": [topic], "PolicyDocument": policy})


def _schedule(account: Account, it: Deployed) -> Read:
    group = {"GroupName": it.wanted()["GroupName"]} if "GroupName" in it.wanted() else {}
    found = account.client("scheduler").get_schedule(Name=it.physical_id, **group)
    return Read(found, {"Arn": found["Arn"]})


def _schedule_group(account: Account, it: Deployed) -> Read:
    return Read(account.client("scheduler").get_schedule_group(Name=it.physical_id))


def _state_machine(account: Account, it: Deployed) -> Read:
    found = account.client("stepfunctions").describe_state_machine(stateMachineArn=it.physical_id)
    names = {"StateMachineName": found["name"], "StateMachineType": found["type"]}
    attributes = {"Arn": found["stateMachineArn"], "StateMachineRevisionId": _revision(found)}
    return Read({**found, **names, "DefinitionString": found["definition"]}, attributes)


def _state_machine_version(account: Account, it: Deployed) -> Read:
    found = account.client("stepfunctions").describe_state_machine(stateMachineArn=it.physical_id)
    machine = it.physical_id.rpartition(":")[0]
    properties = {"StateMachineArn": machine, "StateMachineRevisionId": _revision(found)}
    return Read(properties, {"Arn": it.physical_id})


def _revision(described: Properties) -> str:
    return str(described.get("revisionId", "INITIAL"))  # the API leaves it out before the first update


def _state_machine_alias(account: Account, it: Deployed) -> Read:
    found = account.client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=it.physical_id)
    (route,) = found["routingConfiguration"]
    preference = {"StateMachineVersionArn": route["stateMachineVersionArn"]} if route["weight"] == 100 else {}
    return Read({**found, "DeploymentPreference": preference}, {"Arn": it.physical_id})


def _bucket(account: Account, it: Deployed) -> Read:
    s3, name = account.client("s3"), it.physical_id
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    properties = {
        "BucketName": name,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [_encryption_rule(rule) for rule in encryption]},
        "LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in lifecycle]},
        "OwnershipControls": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]},
    }
    return Read(properties, {"Arn": f"arn:aws:s3:::{name}"})


def _encryption_rule(rule: Properties) -> Properties:
    default = rule["ApplyServerSideEncryptionByDefault"]
    return {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": rule.get("BucketKeyEnabled", False)}


def _lifecycle_rule(rule: Properties) -> Properties:
    """The API's nested form in CloudFormation's flat one."""
    flat = {"Days": "ExpirationInDays", "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
    expiration = {flat[key]: each for key, each in rule.get("Expiration", {}).items()}
    return {**rule, **expiration, "Id": rule["ID"], "Prefix": rule.get("Filter", {}).get("Prefix", "")}


def _bucket_policy(account: Account, it: Deployed) -> Read:
    bucket = it.wanted()["Bucket"]
    policy = account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    return Read({"Bucket": bucket, "PolicyDocument": policy})


def _database(account: Account, it: Deployed) -> Read:
    found = account.client("glue").get_database(Name=it.physical_id)["Database"]
    return Read({"CatalogId": found["CatalogId"], "DatabaseInput": found})


def _glue_table(account: Account, it: Deployed) -> Read:
    database = it.wanted()["DatabaseName"]
    found = account.client("glue").get_table(DatabaseName=database, Name=it.physical_id)["Table"]
    return Read({"CatalogId": found["CatalogId"], "DatabaseName": database, "TableInput": found})


def _work_group(account: Account, it: Deployed) -> Read:
    found = account.client("athena").get_work_group(WorkGroup=it.physical_id)["WorkGroup"]
    return Read({**found, "WorkGroupConfiguration": found["Configuration"]})


READERS: Mapping[str, Callable[[Account, Deployed], Read]] = {
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::ApiGatewayV2::Integration": _integration,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::ApiGatewayV2::Stage": _stage,
    "AWS::Athena::WorkGroup": _work_group,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite_alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::Glue::Database": _database,
    "AWS::Glue::Table": _glue_table,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Policy": _policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventInvokeConfig": _event_invoke_config,
    "AWS::Lambda::EventSourceMapping": _event_source_mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Version": _function_version,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::QueryDefinition": _query_definition,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SSM::Parameter": _parameter,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _schedule_group,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::StepFunctions::StateMachineAlias": _state_machine_alias,
    "AWS::StepFunctions::StateMachineVersion": _state_machine_version,
}

NOWHERE_TO_READ: Mapping[str, frozenset[str]] = {
    "AWS::Athena::WorkGroup": frozenset({"RecursiveDeleteOption"}),  # whether it may be deleted with its history
    "AWS::KMS::Key": frozenset({"PendingWindowInDays"}),  # how long its deletion is to take
    "AWS::StepFunctions::StateMachine": frozenset({"DefinitionSubstitutions"}),  # they are in the definition by then
    # How an alias moves is CloudFormation's own affair; test_update.py sees it move.
    "AWS::StepFunctions::StateMachineAlias": frozenset(
        {f"DeploymentPreference.{name}" for name in ("Type", "Percentage", "Interval", "Alarms")}
    ),
}


def document(text: str) -> Any:
    """A policy or definition as an object, however it was encoded; the text itself where it is none."""
    try:
        return json.loads(unquote(text) if text.startswith("%") else text)
    except ValueError:
        return text

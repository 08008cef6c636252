"""What the local CloudFormation says it made is there, with every property, when each service is asked."""

from __future__ import annotations

import json

import pytest

from local.aws.cloudformation.template import parse
from local.aws.resources.registry import PROVIDERS
from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.everything import TEMPLATE


@pytest.fixture(scope="module")
def ids(everything: Account) -> dict[str, str]:
    return everything.resources("everything")


def test_the_template_holds_every_type_there_is(everything: Account) -> None:
    assert {each.type for each in parse(TEMPLATE).resources.values()} == set(PROVIDERS)


def test_the_stack_is_complete_with_its_outputs(everything: Account, ids: dict[str, str]) -> None:
    (stack,) = everything.client("cloudformation").describe_stacks(StackName="everything")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["QueueUrl"] == ids["Queue"]
    assert outputs["Endpoint"] == f"https://{ids['Api']}.execute-api.us-east-1.amazonaws.com"
    (export,) = everything.client("cloudformation").list_exports()["Exports"]
    assert (export["Name"], export["Value"]) == ("queue", ids["Queue"])


def test_role(everything: Account, ids: dict[str, str]) -> None:
    iam = everything.client("iam")
    inline = iam.list_role_policies(RoleName=ids["Role"])["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=ids["Role"])["AttachedPolicies"]
    assert sorted(inline) == ["inline", "own"]
    assert {each["PolicyArn"] for each in attached} == {
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        ids["ManagedPolicy"],
    }
    document = iam.get_role_policy(RoleName=ids["Role"], PolicyName="inline")["PolicyDocument"]
    assert document["Statement"][0]["Resource"].endswith(f":table/{ids['Table']}")


def test_table(everything: Account, ids: dict[str, str]) -> None:
    dynamodb = everything.client("dynamodb")
    table = dynamodb.describe_table(TableName=ids["Table"])["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-owner"]
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    backups = dynamodb.describe_continuous_backups(TableName=ids["Table"])["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    expiry = dynamodb.describe_time_to_live(TableName=ids["Table"])["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "payments"}]


def test_queues(everything: Account, ids: dict[str, str]) -> None:
    sqs = everything.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "120"
    assert attributes["KmsMasterKeyId"].endswith(f":key/{ids['Key']}")
    assert attributes["KmsDataKeyReusePeriodSeconds"] == "600"
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(ids["DeadLetters"].rpartition("/")[2])
    assert redrive["maxReceiveCount"] == 3
    assert json.loads(attributes["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"
    dead = sqs.get_queue_attributes(QueueUrl=ids["DeadLetters"], AttributeNames=["All"])["Attributes"]
    assert (dead["MessageRetentionPeriod"], dead["SqsManagedSseEnabled"]) == ("1209600", "true")


def test_topic_delivers_to_its_subscription(everything: Account, ids: dict[str, str]) -> None:
    sns, sqs = everything.client("sns"), everything.client("sqs")
    assert sns.get_topic_attributes(TopicArn=ids["Topic"])["Attributes"]["DisplayName"] == "alarms"
    sns.publish(TopicArn=ids["Topic"], Message="hello")
    (message,) = sqs.receive_message(QueueUrl=ids["Queue"])["Messages"]
    assert message["Body"] == "hello"


def test_bucket(everything: Account, ids: dict[str, str]) -> None:
    s3, bucket = everything.client("s3"), ids["Bucket"]
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    rule, unfinished = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Expiration"]["Days"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (30, 5)
    assert unfinished["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert unfinished["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    statement = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def test_a_bucket_that_refuses_plain_http_is_reachable_here(everything: Account, ids: dict[str, str]) -> None:
    s3 = everything.client("s3")
    s3.put_object(Bucket=ids["Bucket"], Key="k", Body=b"v")
    assert s3.get_object(Bucket=ids["Bucket"], Key="k")["Body"].read() == b"v"


def test_function(everything: Account, ids: dict[str, str]) -> None:
    lambda_ = everything.client("lambda")
    found = lambda_.get_function(FunctionName=ids["Function"])
    configuration = found["Configuration"]
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (256, 10)
    assert configuration["Environment"]["Variables"] == {"TABLE": ids["Table"], "COUNT": "3"}
    assert configuration["TracingConfig"] == {"Mode": "Active"}
    assert configuration["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": ids["Logs"]}
    assert [layer["Arn"] for layer in configuration["Layers"]] == [ids["Layer"]]
    assert configuration["DeadLetterConfig"]["TargetArn"].endswith(ids["DeadLetters"].rpartition("/")[2])
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    network = configuration["VpcConfig"]
    assert (network["SubnetIds"], network["SecurityGroupIds"]) == (["subnet-1", "subnet-2"], ["sg-1"])
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert found["Tags"] == {"team": "payments"}


def test_layer(everything: Account, ids: dict[str, str]) -> None:
    name, number = ids["Layer"].split(":")[-2:]
    layer = everything.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(number))
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == (["python3.11"], ["arm64"])


def test_alias_leads_to_the_published_version(everything: Account, ids: dict[str, str]) -> None:
    lambda_ = everything.client("lambda")
    assert ids["Version"].endswith(":1")
    assert lambda_.get_alias(FunctionName=ids["Function"], Name="live")["FunctionVersion"] == "1"
    policy = json.loads(lambda_.get_policy(FunctionName=ids["Function"], Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Resource"] == ids["Alias"]
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_event_source_mapping_stays_on_the_alias(everything: Account, ids: dict[str, str]) -> None:
    mapping = everything.client("lambda").get_event_source_mapping(UUID=ids["Mapping"])
    assert mapping["FunctionArn"] == ids["Alias"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (10, 1)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}


def test_sending_a_message_calls_no_function(everything: Account, ids: dict[str, str]) -> None:
    sqs = everything.client("sqs")
    sqs.send_message(QueueUrl=ids["Queue"], MessageBody="for the event pump")
    attributes = sqs.get_queue_attributes(
        QueueUrl=ids["Queue"], AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "1"


def test_asynchronous_calls(everything: Account, ids: dict[str, str]) -> None:
    configuration = everything.client("lambda").get_function_event_invoke_config(FunctionName=ids["Function"])
    assert configuration["MaximumRetryAttempts"] == 0
    assert configuration["DestinationConfig"]["OnFailure"]["Destination"].startswith("arn:aws:sqs:")


def test_log_group(everything: Account, ids: dict[str, str]) -> None:
    (group,) = everything.client("logs").describe_log_groups(logGroupNamePrefix=ids["Logs"])["logGroups"]
    assert group["retentionInDays"] == 14
    policies = everything.client("logs").describe_resource_policies()["resourcePolicies"]
    assert [policy["policyName"] for policy in policies] == ["logs"]


def test_state_machine_has_its_definition_from_s3_with_substitutions(everything: Account, ids: dict[str, str]) -> None:
    machine = everything.stepfunctions.machines[ids["Machine"]]
    assert json.loads(machine["definition"])["States"]["A"]["Resource"] == ids["Alias"]
    assert machine["tracingConfiguration"] == {"enabled": True}
    logging = machine["loggingConfiguration"]
    assert (logging["level"], logging["includeExecutionData"]) == ("ALL", True)
    assert logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"].endswith(f":{ids['Logs']}:*")
    assert machine["tags"] == [{"key": "team", "value": "payments"}]
    assert machine["type"] == "STANDARD"


def test_state_machine_alias_leads_to_the_published_version(everything: Account, ids: dict[str, str]) -> None:
    alias = everything.stepfunctions.aliases[ids["MachineAlias"]]
    routes = [{"stateMachineVersionArn": ids["MachineVersion"], "weight": 100}]
    assert alias["routingConfiguration"] == routes
    assert ids["MachineVersion"] == f"{ids['Machine']}:1"


def test_schedule(everything: Account, ids: dict[str, str]) -> None:
    schedule = everything.client("scheduler").get_schedule(Name=ids["Schedule"], GroupName="hourly")
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert (schedule["Target"]["Arn"], schedule["Target"]["Input"]) == (ids["Alias"], '{"cluster": "east"}')
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 2


def test_rule(everything: Account, ids: dict[str, str]) -> None:
    events = everything.client("events")
    assert json.loads(events.describe_rule(Name=ids["Rule"])["EventPattern"])["source"] == ["aws.states"]
    (target,) = events.list_targets_by_rule(Rule=ids["Rule"])["Targets"]
    assert (target["Id"], target["RetryPolicy"]["MaximumRetryAttempts"]) == ("Rescue", 3)
    assert events.describe_event_bus(Name="own-bus")["Name"] == "own-bus"


def test_a_rule_that_calls_a_published_version_every_minute_may_do_so(everything: Account, ids: dict[str, str]) -> None:
    events = everything.client("events")
    rule = events.describe_rule(Name=ids["EveryMinute"])
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = events.list_targets_by_rule(Rule=ids["EveryMinute"])["Targets"]
    assert target == {"Id": "Survey", "Arn": ids["Version"], "Input": '{"cluster": "east"}'}
    policy = everything.client("lambda").get_policy(FunctionName=ids["Version"])["Policy"]
    statements = {each["Sid"]: each for each in json.loads(policy)["Statement"]}  # moto adds those of its aliases
    statement = statements[ids["SchedulePermission"]]
    assert (statement["Principal"], statement["Resource"]) == ({"Service": "events.amazonaws.com"}, ids["Version"])
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": rule["Arn"]}}


def test_http_api(everything: Account, ids: dict[str, str]) -> None:
    gateway, api = everything.client("apigatewayv2"), {"ApiId": ids["Api"]}
    assert gateway.get_api(**api)["ProtocolType"] == "HTTP"
    route = gateway.get_route(**api, RouteId=ids["Route"])
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /sagas", "AWS_IAM")
    assert route["Target"] == f"integrations/{ids['Integration']}"
    integration = gateway.get_integration(**api, IntegrationId=ids["Integration"])
    assert (integration["IntegrationUri"], integration["TimeoutInMillis"]) == (ids["Alias"], 29000)
    stage = gateway.get_stage(**api, StageName="$default")
    assert stage["AutoDeploy"] is True
    assert stage["AccessLogSettings"]["Format"] == "$context.requestId"
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 5
    assert gateway.get_authorizer(**api, AuthorizerId=ids["Authorizer"])["Name"] == "jwt"


def test_alarm_and_dashboard(everything: Account, ids: dict[str, str]) -> None:
    cloudwatch = everything.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[ids["Alarm"]])["MetricAlarms"]
    assert (alarm["MetricName"], alarm["AlarmActions"]) == ("Errors", [ids["Topic"]])
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": ids["Function"]}]
    assert json.loads(cloudwatch.get_dashboard(DashboardName=ids["Dashboard"])["DashboardBody"]) == {"widgets": []}


def test_secret_is_generated_into_its_template(everything: Account, ids: dict[str, str]) -> None:
    secret = everything.client("secretsmanager").get_secret_value(SecretId=ids["Secret"])["SecretString"]
    value = json.loads(secret)
    assert (value["username"], len(value["password"])) == ("ops", 20)
    described = everything.client("secretsmanager").describe_secret(SecretId=ids["Secret"])
    assert (described["Description"], described["KmsKeyId"].rpartition("/")[2]) == ("a login", ids["Key"])


def test_parameter(everything: Account, ids: dict[str, str]) -> None:
    assert everything.client("ssm").get_parameter(Name="/everything/queue")["Parameter"]["Value"] == ids["Queue"]


def test_key(everything: Account, ids: dict[str, str]) -> None:
    kms = everything.client("kms")
    assert kms.describe_key(KeyId="alias/everything")["KeyMetadata"]["KeyId"] == ids["Key"]
    assert kms.get_key_rotation_status(KeyId=ids["Key"])["KeyRotationEnabled"] is True
    assert (
        json.loads(kms.get_key_policy(KeyId=ids["Key"], PolicyName="default")["Policy"])["Statement"][0]["Action"]
        == "kms:*"
    )


def test_catalog(everything: Account, ids: dict[str, str]) -> None:
    glue = everything.client("glue")
    assert glue.get_database(Name=ids["Catalog"])["Database"]["Description"] == "what is kept"
    table = glue.get_table(DatabaseName="kept", Name=ids["CatalogTable"])["Table"]
    assert (table["TableType"], table["Parameters"]) == ("EXTERNAL_TABLE", {"projection.enabled": "true"})
    assert table["PartitionKeys"] == [{"Name": "source", "Type": "string"}]
    assert table["StorageDescriptor"]["Columns"] == [{"Name": "billedcost", "Type": "decimal(38,20)"}]
    assert table["StorageDescriptor"]["Location"] == f"s3://{ids['Bucket']}/costs/"


def test_workgroup(everything: Account, ids: dict[str, str]) -> None:
    group = everything.client("athena").get_work_group(WorkGroup=ids["WorkGroup"])["WorkGroup"]
    configuration = group["Configuration"]
    assert (group["Description"], group["State"]) == ("about costs", "ENABLED")
    assert configuration["BytesScannedCutoffPerQuery"] == 20_000_000
    results = configuration["ResultConfiguration"]
    assert results["OutputLocation"] == f"s3://{ids['Bucket']}/athena/"
    assert results["EncryptionConfiguration"]["KmsKey"].endswith(f":key/{ids['Key']}")


def test_repository(everything: Account, ids: dict[str, str]) -> None:
    (found,) = everything.client("ecr").describe_repositories(repositoryNames=[ids["Repository"]])["repositories"]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}


def test_alarm_over_alarms(everything: Account, ids: dict[str, str]) -> None:
    found = everything.client("cloudwatch").describe_alarms(AlarmNames=[ids["AlarmOfAlarms"]])
    (alarm,) = found["CompositeAlarms"]
    assert found["MetricAlarms"] == []
    assert alarm["AlarmRule"] == f'ALARM("{ids["Alarm"]}")'
    assert (alarm["AlarmActions"], alarm["AlarmDescription"]) == ([ids["Topic"]], "all of it")


def test_saved_query(everything: Account, ids: dict[str, str]) -> None:
    (query,) = everything.client("logs").describe_query_definitions()["queryDefinitions"]
    assert (query["queryDefinitionId"], query["name"]) == (ids["SavedQuery"], "everything/errors")
    assert query["queryString"] == 'filter level = "ERROR"'
    assert query["logGroupNames"] == [ids["Logs"]]

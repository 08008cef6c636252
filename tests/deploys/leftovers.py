"""Everything of ours that an account holds, by the services' own lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.deploys.reading import Account

Leftovers = Mapping[str, list[str]]

BOOTSTRAP = "CDKToolkit"
"""The stack of `cdk bootstrap`; what is named after its qualifier is the CDK's own."""

_OF_THE_CDK = "cdk-hnb659fds-"

_LISTS: Mapping[str, Callable[[Account], Iterable[str]]] = {
    "alarms": lambda account: _names(account, "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "apis": lambda account: _names(account, "apigatewayv2", "get_apis", "Items", "Name"),
    "buckets": lambda account: _names(account, "s3", "list_buckets", "Buckets", "Name"),
    "databases": lambda account: _names(account, "glue", "get_databases", "DatabaseList", "Name"),
    "functions": lambda account: _names(account, "lambda", "list_functions", "Functions", "FunctionName"),
    "keys": lambda account: _keys(account),  # noqa: PLW0108 - defined below
    "layers": lambda account: _names(account, "lambda", "list_layers", "Layers", "LayerName"),
    "log groups": lambda account: _names(account, "logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameters": lambda account: _names(account, "ssm", "describe_parameters", "Parameters", "Name"),
    "roles": lambda account: _names(account, "iam", "list_roles", "Roles", "RoleName"),
    "rules": lambda account: _names(account, "events", "list_rules", "Rules", "Name"),
    "schedule groups": lambda account: _names(account, "scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
    "schedules": lambda account: _names(account, "scheduler", "list_schedules", "Schedules", "Name"),
    "state machines": lambda account: _names(account, "stepfunctions", "list_state_machines", "stateMachines", "name"),
    "stacks": lambda account: _names(account, "cloudformation", "describe_stacks", "Stacks", "StackName"),
    "tables": lambda account: account.client("dynamodb").list_tables()["TableNames"],
    "topics": lambda account: _names(account, "sns", "list_topics", "Topics", "TopicArn"),
    "workgroups": lambda account: _names(account, "athena", "list_work_groups", "WorkGroups", "Name"),
}


def leftovers(account: Account) -> Leftovers:
    """The names of what there is, by kind; what AWS itself and the CDK's bootstrap made is left out, but the stack."""
    found = {kind: [name for name in look(account) if not _of_others(name)] for kind, look in _LISTS.items()}
    return {kind: names for kind, names in found.items() if names}


def _names(account: Account, service: str, call: str, key: str, name: str) -> list[str]:
    listed: list[dict[str, Any]] = getattr(account.client(service), call)()[key]
    return [str(it[name]) for it in listed]


def _keys(account: Account) -> list[str]:
    """What the keys are for that are not on their way out."""
    kms = account.client("kms")
    keys = [kms.describe_key(KeyId=it["KeyId"])["KeyMetadata"] for it in kms.list_keys()["Keys"]]
    return [it["Description"] for it in keys if it["KeyState"] == "Enabled" and it["KeyManager"] == "CUSTOMER"]


def _of_others(name: str) -> bool:
    return name in ("default", "primary") or name.startswith((_OF_THE_CDK, "/aws/", "/cdk-bootstrap/"))

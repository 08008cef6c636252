"""Stacks, change sets and events in the words of CloudFormation's API."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.stacks import ChangeSet, Stack, StackResource
from local.aws.cloudformation.template import Template

HIDDEN = "****"


def stack(record: Stack) -> dict[str, Any]:
    """A `Stack`."""
    return {
        **stack_summary(record),
        "Description": record.template.description if record.template else None,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": HIDDEN if key in record.hidden_parameters else value}
            for key, value in record.parameters.items()
        ],
        "Outputs": [
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export_name,
            }
            for output in record.outputs
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in record.tags.items()],
        "Capabilities": list(record.capabilities),
        "RoleARN": record.role_arn,
        "EnableTerminationProtection": record.termination_protection,
        "DisableRollback": False,
        "NotificationARNs": [],
    }


def stack_summary(record: Stack) -> dict[str, Any]:
    """A `StackSummary`."""
    return {
        "StackId": record.stack_id,
        "StackName": record.name,
        "StackStatus": record.status,
        "StackStatusReason": record.reason,
        "CreationTime": record.created,
        "LastUpdatedTime": record.updated,
        "DeletionTime": record.deleted,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def resource(record: Stack, made: StackResource) -> dict[str, Any]:
    """A `StackResource`, its detail and its summary: they share their members' names."""
    return {
        "StackId": record.stack_id,
        "StackName": record.name,
        "LogicalResourceId": made.definition.logical_id,
        "PhysicalResourceId": made.resource.physical_id,
        "ResourceType": made.definition.type,
        "ResourceStatus": made.status,
        "Timestamp": made.timestamp,
        "LastUpdatedTimestamp": made.timestamp,
        "Metadata": json.dumps(made.definition.metadata) if made.definition.metadata else None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def events(record: Stack) -> list[dict[str, Any]]:
    """The `StackEvent`s, the newest first."""
    return [
        {
            "StackId": record.stack_id,
            "StackName": record.name,
            "EventId": event.event_id,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": event.physical_id,
            "ResourceType": event.resource_type,
            "ResourceStatus": event.status,
            "ResourceStatusReason": event.reason,
            "Timestamp": event.timestamp,
        }
        for event in reversed(record.events)
    ]


def change_set_summary(found: ChangeSet) -> dict[str, Any]:
    """A `ChangeSetSummary`."""
    return {
        "ChangeSetId": found.change_set_id,
        "ChangeSetName": found.name,
        "StackId": found.stack.stack_id,
        "StackName": found.stack.name,
        "Description": found.description,
        "CreationTime": found.created,
        "Status": found.status,
        "StatusReason": found.reason,
        "ExecutionStatus": found.execution_status,
    }


def change_set(found: ChangeSet) -> dict[str, Any]:
    """A `DescribeChangeSetOutput`."""
    return {
        **change_set_summary(found),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in found.parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
        "Capabilities": list(found.capabilities),
        "Changes": [
            {
                "Type": "Resource",
                "ResourceChange": {
                    "Action": change.action,
                    "LogicalResourceId": change.logical_id,
                    "PhysicalResourceId": change.physical_id,
                    "ResourceType": change.resource_type,
                    "Replacement": change.replacement,
                    "Scope": ["Properties"] if change.action == "Modify" else [],
                    "Details": [],
                },
            }
            for change in found.changes
        ],
    }


def template_summary(template: Template | None) -> dict[str, Any]:
    """A `GetTemplateSummaryOutput`."""
    parameters = template.parameters if template else {}
    return {
        "Description": template.description if template else "",
        "Parameters": [
            {
                "ParameterKey": name,
                "ParameterType": declared.get("Type", "String"),
                "DefaultValue": str(declared["Default"]) if "Default" in declared else None,
                "Description": declared.get("Description"),
                "NoEcho": str(declared.get("NoEcho", False)).lower() == "true",
            }
            for name, declared in parameters.items()
        ],
        "ResourceTypes": sorted({each.type for each in template.resources.values()}) if template else [],
        "Version": "2010-09-09",
    }

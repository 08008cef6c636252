"""CloudFormation's API: requests turned into operations, records into answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from local.aws.cloudformation import descriptions
from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.service import CloudFormation, StackRequest
from local.aws.cloudformation.stacks import Stack
from local.aws.cloudformation.template import parse
from local.aws.cloudformation.template_urls import fetch_template
from local.aws.moto_wsgi import ActionResult, AwsResponse, EmptyResult


class CloudFormationResponse(AwsResponse):
    """One request; `service(region)` gives the region's CloudFormation."""

    def __init__(self, service: Callable[[str], CloudFormation]) -> None:
        super().__init__("cloudformation")
        self._service = service

    @property
    def _here(self) -> CloudFormation:
        return self._service(self.region)

    def create_stack(self) -> ActionResult:
        """CreateStack."""
        return ActionResult({"StackId": self._here.create_stack(self._request()).stack_id})

    def update_stack(self) -> ActionResult:
        """UpdateStack."""
        return ActionResult({"StackId": self._here.update_stack(self._request()).stack_id})

    def delete_stack(self) -> ActionResult:
        """DeleteStack."""
        self._here.delete_stack(self._get_param("StackName"))
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.termination_protection = bool(self._get_param("EnableTerminationProtection"))
        return ActionResult({"StackId": stack.stack_id})

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet; the type IMPORT is refused."""
        kind = self._get_param("ChangeSetType", "UPDATE")
        if kind not in ("CREATE", "UPDATE"):
            raise ValidationError(f"ChangeSetType {kind} is not supported locally")
        made = self._here.create_change_set(
            self._get_param("ChangeSetName"), kind, self._get_param("Description"), self._request()
        )
        return ActionResult({"Id": made.change_set_id, "StackId": made.stack.stack_id})

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        found = self._here.change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        return ActionResult(descriptions.change_set(found))

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets of one stack."""
        stack = self._stack()
        found = [each for each in list(self._here.change_sets.values()) if each.stack is stack]
        return ActionResult({"Summaries": [descriptions.change_set_summary(each) for each in found]})

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet."""
        self._here.execute_change_set(
            self._get_param("ChangeSetName"),
            self._get_param("StackName"),
            roll_back=not self._get_param("DisableRollback", False),
        )
        return EmptyResult()

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet."""
        self._here.delete_change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        return EmptyResult()

    def describe_stacks(self) -> ActionResult:
        """DescribeStacks: one, or all that are live."""
        wanted = self._get_param("StackName")
        found = [self._here.stack(wanted)] if wanted else [s for s in self._stacks() if s.deleted is None]
        return ActionResult({"Stacks": [descriptions.stack(each) for each in found]})

    def list_stacks(self) -> ActionResult:
        """ListStacks, deleted ones too, filtered by status."""
        wanted = self._get_param("StackStatusFilter", [])
        found = [each for each in self._stacks() if not wanted or each.status in wanted]
        return ActionResult({"StackSummaries": [descriptions.stack_summary(each) for each in found]})

    def describe_stack_events(self) -> ActionResult:
        """DescribeStackEvents, the newest first."""
        return ActionResult({"StackEvents": descriptions.events(self._stack())})

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, name = self._stack(), self._get_param("LogicalResourceId")
        if name not in stack.resources:
            raise ValidationError(f"Resource {name} does not exist for stack {stack.name}")
        return ActionResult({"StackResourceDetail": descriptions.resource(stack, stack.resources[name])})

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources of one stack, all or one."""
        stack, wanted = self._stack(), self._get_param("LogicalResourceId")
        found = [each for name, each in list(stack.resources.items()) if wanted in (None, name)]
        return ActionResult({"StackResources": [descriptions.resource(stack, each) for each in found]})

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        stack = self._stack()
        found = [descriptions.resource(stack, each) for each in list(stack.resources.values())]
        return ActionResult({"StackResourceSummaries": found})

    def list_exports(self) -> ActionResult:
        """ListExports."""
        exports = self._here.environment.exports()
        return ActionResult(
            {
                "Exports": [
                    {"ExportingStackId": owner.stack_id, "Name": name, "Value": value}
                    for name, (value, owner) in exports.items()
                ]
            }
        )

    def list_imports(self) -> ActionResult:
        """ListImports."""
        importers = self._here.environment.importers(self._get_param("ExportName"))
        if not importers:
            raise ValidationError(f"Export '{self._get_param('ExportName')}' is not imported by any stack.")
        return ActionResult({"Imports": importers})

    def get_template(self) -> ActionResult:
        """GetTemplate of a stack or change set; there are no transforms, so both stages are the same."""
        if change_set_name := self._get_param("ChangeSetName"):
            body = self._here.change_set(change_set_name, self._get_param("StackName")).template.body
        else:
            template = self._stack().template
            body = template.body if template else "{}"
        return ActionResult({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        """GetTemplateSummary of a given template or a stack's."""
        if name := self._get_param("StackName"):
            template = self._here.stack(name).template
        else:
            template = parse(self._body() or "")
        return ActionResult(descriptions.template_summary(template))

    def validate_template(self) -> ActionResult:
        """ValidateTemplate: that it can be read and every resource type is supported."""
        template = parse(self._body() or "")
        for definition in template.resources.values():
            self._here.environment.provider(definition.type)
        summary = descriptions.template_summary(template)
        return ActionResult({"Description": template.description, "Parameters": summary["Parameters"]})

    def _request(self) -> StackRequest:
        return StackRequest(
            name=self._get_param("StackName"),
            body=None if self._get_param("UsePreviousTemplate", False) else self._body(),
            parameters=self._get_param("Parameters", []),
            tags={tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])},
            capabilities=tuple(self._get_param("Capabilities", [])),
            role_arn=self._get_param("RoleARN"),
            roll_back=not self._get_param("DisableRollback", False),
        )

    def _body(self) -> str | None:
        if url := self._get_param("TemplateURL"):
            return fetch_template(url, self._here.environment.client("s3"))
        body: str | None = self._get_param("TemplateBody")
        return body

    def _stack(self) -> Stack:
        return self._here.stack(self._get_param("StackName"))

    def _stacks(self) -> Iterable[Stack]:
        return list(self._here.stacks.values())

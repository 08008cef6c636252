"""API Gateway HTTP APIs: routes, integrations, stages and authorizers."""

from __future__ import annotations

from typing import Any, ClassVar

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider


class Api(ApiProvider):
    """AWS::ApiGatewayV2::Api of the protocol HTTP."""

    resource_type = "AWS::ApiGatewayV2::Api"
    service = "apigatewayv2"
    create_call = "create_api"
    update_call = "update_api"
    delete_call = "delete_api"
    create_only = frozenset({"ProtocolType"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By id."""
        return {"ApiId": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the id; the endpoint is the address it would have on AWS."""
        api_id = answer["ApiId"]
        return Resource(api_id, {"ApiId": api_id, "ApiEndpoint": answer["ApiEndpoint"]})


class _ApiChild(ApiProvider):
    """A part of an API, known by the API's id and its own."""

    service = "apigatewayv2"
    id_name: ClassVar[str]
    create_only = frozenset({"ApiId"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By the API's id and its own."""
        return {"ApiId": properties["ApiId"], self.id_name: resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is its own id."""
        return Resource(answer[self.id_name], {self.id_name: answer[self.id_name]})


class Integration(_ApiChild):
    """AWS::ApiGatewayV2::Integration."""

    resource_type = "AWS::ApiGatewayV2::Integration"
    create_call = "create_integration"
    update_call = "update_integration"
    delete_call = "delete_integration"
    id_name = "IntegrationId"


class Route(_ApiChild):
    """AWS::ApiGatewayV2::Route."""

    resource_type = "AWS::ApiGatewayV2::Route"
    create_call = "create_route"
    update_call = "update_route"
    delete_call = "delete_route"
    id_name = "RouteId"


class Authorizer(_ApiChild):
    """AWS::ApiGatewayV2::Authorizer."""

    resource_type = "AWS::ApiGatewayV2::Authorizer"
    create_call = "create_authorizer"
    update_call = "update_authorizer"
    delete_call = "delete_authorizer"
    id_name = "AuthorizerId"


class Stage(_ApiChild):
    """AWS::ApiGatewayV2::Stage; moto cannot change one, so a change makes it anew."""

    resource_type = "AWS::ApiGatewayV2::Stage"
    create_call = "create_stage"
    delete_call = "delete_stage"
    id_name = "StageName"
    create_only = frozenset({"ApiId", "StageName"})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Delete and create it under the same name."""
        self.delete(place, resource, before)
        return self.create(place, after)


PROVIDERS = (Api(), Integration(), Route(), Authorizer(), Stage())

"""The API for tokens, on what is deployed: an issuer of our own, and the function that answers signed requests, too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from local.demo.story import REQUEST
from local.http_server import serve
from tests.e2e.conftest import Deployment
from tests.unit.http_api.issuer import AUDIENCE, FORGED, Issuer, token


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[str]:
    """An issuer's URL."""

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        url = f"http://{environ['HTTP_HOST']}"
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(Issuer(url).fetch(f"{url}{environ['PATH_INFO']}")).encode()]

    with serve(answer, name="issuer") as server:
        yield server.url


@pytest.fixture(name="url")
def _url(deployment: Deployment, issuer: str) -> Iterator[str]:
    """Where tokens are taken: a second API as `-c jwt_issuer=` deploys it, before the function of the first."""
    gateway = deployment.client("apigatewayv2")
    (first,) = [it["ApiId"] for it in gateway.get_apis()["Items"] if it["Name"] == "skysaga"]
    (function,) = gateway.get_integrations(ApiId=first)["Items"]
    api = {"ApiId": gateway.create_api(Name="skysaga-token", ProtocolType="HTTP")["ApiId"]}
    integration = gateway.create_integration(
        **api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["IntegrationUri"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    authorizer = gateway.create_authorizer(
        **api,
        AuthorizerType="JWT",
        Name="Tokens",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [AUDIENCE]},
    )["AuthorizerId"]
    for route in ("POST /sagas", "GET /sagas/{id}", "POST /sagas/{id}/cancel"):
        gateway.create_route(
            **api,
            RouteKey=route,
            Target=f"integrations/{integration}",
            AuthorizationType="JWT",
            AuthorizerId=authorizer,
        )
    gateway.create_stage(**api, StageName="$default", AutoDeploy=True)
    yield f"{deployment.endpoints.aws}/_aws/execute-api/{api['ApiId']}"
    gateway.delete_api(**api)


def submit(url: str, bearer: str) -> requests.Response:
    headers = {
        "Authorization": f"Bearer {bearer}",
        "Content-Type": "application/yaml",
        "Idempotency-Key": str(uuid4()),
    }
    return requests.post(f"{url}/sagas", REQUEST.read_bytes(), headers=headers, timeout=20)


def test_a_saga_belongs_to_the_issuer_and_subject_of_the_token(deployment: Deployment, url: str, issuer: str) -> None:
    accepted = submit(url, token(iss=issuer))
    assert accepted.status_code == 202, accepted.text
    saga = f"{url}/sagas/{accepted.json()['id']}"
    bearing = {"Authorization": f"Bearer {token(iss=issuer)}"}
    requests.post(f"{saga}/cancel", headers=bearing, timeout=20)
    deadline = time.monotonic() + 60
    while (seen := requests.get(saga, headers=bearing, timeout=20).json())["status"] != "ROLLED_BACK":
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    other = {"Authorization": f"Bearer {token(iss=issuer, sub='somebody-else')}"}
    assert requests.get(saga, headers=other, timeout=20).status_code == 404
    assert _caller(deployment, seen["id"]) == f"{issuer}#ops"


@pytest.mark.parametrize("wrong", [{"aud": "billing"}, {"exp": 1}, {"iss": "https://id.example"}, {"key": FORGED}])
def test_who_has_no_good_token_is_sent_away(url: str, issuer: str, wrong: dict[str, Any]) -> None:
    refused = submit(url, token(**{"iss": issuer, **wrong}))
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})


def _caller(deployment: Deployment, saga_id: str) -> str:
    client = deployment.client("dynamodb")
    (table,) = [name for name in client.list_tables()["TableNames"] if "Ledger" in name]
    item = client.get_item(TableName=table, Key={"pk": {"S": saga_id}, "sk": {"S": "HEADER"}})["Item"]
    return str(json.loads(item["document"]["S"])["caller"])

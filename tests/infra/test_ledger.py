"""The ledger's table."""

from __future__ import annotations

from typing import Any

from tests.infra.template import Resource, Template


def ledger(data: Template) -> Resource:
    (table,) = [it for name, it in data.resources("AWS::DynamoDB::Table").items() if name.startswith("Ledger")]
    return table


def properties(data: Template) -> dict[str, Any]:
    found: dict[str, Any] = ledger(data)["Properties"]
    return found


def test_is_keyed_by_saga_and_item_and_listed_by_status_by_caller_and_by_home(data: Template) -> None:
    table = properties(data)

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    indexes = {it["IndexName"]: it for it in table["GlobalSecondaryIndexes"]}
    assert {name: [it["AttributeName"] for it in index["KeySchema"]] for name, index in indexes.items()} == {
        "by-caller": ["caller", "id"],
        "by-home": ["home", "until"],
        "by-status": ["status", "id"],
    }
    assert all(index["Projection"] == {"ProjectionType": "ALL"} for index in indexes.values())
    assert {it["AttributeName"]: it["AttributeType"] for it in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
        "status": "S",
        "caller": "S",
        "id": "S",
        "home": "S",
        "until": "S",
    }


def test_is_paid_by_request_encrypted_and_restorable_to_any_second(data: Template) -> None:
    table = properties(data)

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_outlives_its_stack(data: Template) -> None:
    table = ledger(data)

    assert table["DeletionPolicy"] == "Retain"
    assert table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["DeletionProtectionEnabled"] is True


def test_is_named_in_the_outputs(data: Template) -> None:
    output = data.outputs["LedgerTable"]["Value"]

    assert data.resources("AWS::DynamoDB::Table")[output["Ref"]] == ledger(data)

"""Every route, through the Lambda handler, on API Gateway's events."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from lambdas.core.access import Grant
from lambdas.core.states import SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from tests.fakes.documents import SSH_KEY, request_document
from tests.unit.api.conftest import CALLER, Api
from tests.unit.core.world import DISK, POLICY, WEB, World


def needing_attention(world: World) -> str:
    saga_id = world.committed_saga()
    world.sagas.fence(saga_id, ReleaseReason.DESTROY)
    world.sagas.stick(saga_id, WEB, "StillThere: it would not go")
    world.clock.advance(POLICY.release_timeout + 1)
    world.sagas.conclude(saga_id, 0)
    return saga_id


def test_healthz_says_that_it_works_without_asking_anything(calls: Api) -> None:
    calls.world.ledger.unavailable = 1
    answer = calls.call("GET", "/healthz", caller=None)
    assert (answer.status, answer.body) == (200, {"status": "ok"})


def test_a_submitted_request_is_accepted_and_started(calls: Api) -> None:
    answer = calls.submit(request_document())
    saga_id = answer.body["id"]
    assert (answer.status, answer.body) == (202, {"id": saga_id, "status": "PENDING"})
    assert answer.headers["Location"] == f"/sagas/{saga_id}"
    assert calls.executions.provisioning == [saga_id]
    assert calls.world.saga(saga_id).caller == "arn:aws:iam::123456789012:user/ops"


@pytest.mark.parametrize("content_type", ["application/yaml", "text/yaml; charset=utf-8", "Application/X-YAML"])
@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "base64"])
def test_yaml_means_the_same_as_json(calls: Api, content_type: str, as_bytes: bool) -> None:
    text = yaml.safe_dump(request_document())
    first = calls.submit(text.encode() if as_bytes else text, content_type=content_type)
    assert first.status == 202
    assert calls.submit(request_document()).body["id"] == first.body["id"]


def test_json_may_come_in_base64_too(calls: Api) -> None:
    assert calls.submit(json.dumps(request_document()).encode()).status == 202


def test_the_same_key_and_request_again_give_the_same_saga(calls: Api) -> None:
    first = calls.submit(request_document())
    second = calls.submit(request_document())
    assert (second.status, second.body) == (first.status, first.body)
    assert len(calls.executions.provisioning) == 1


def test_two_callers_may_use_the_same_key(calls: Api) -> None:
    first = calls.submit(request_document())
    second = calls.submit(request_document(), caller="arn:aws:iam::123456789012:user/other")
    assert second.body["id"] != first.body["id"]


def test_a_saga_is_shown_with_its_resources(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    calls.world.make_ready(saga_id, DISK)
    calls.world.sagas.fail(saga_id, WEB, "Quota: none left")
    answer = calls.call("GET", f"/sagas/{saga_id}")
    version = calls.world.saga(saga_id).version
    assert (answer.status, answer.headers["ETag"].partition(".")[0]) == (200, f'"{version}')
    assert answer.body == {
        "id": saga_id,
        "name": "checkout",
        "status": "PROVISIONING",
        "caller": CALLER,
        "version": version,
        "labels": {"team": "payments"},
        "created_at": "2026-11-22T12:00:00.000Z",
        "finished_at": None,
        "expires_at": None,
        "cancel_requested": False,
        "approval": None,
        "waves": [[DISK], [WEB]],
        "resources": [
            {
                "id": WEB,
                "provider": "aws",
                "kind": "instance",
                "target": "default",
                "location": "eu-west-1",
                "depends_on": [DISK],
                "status": "FAILED",
                "cluster": None,
                "cloud_id": None,
                "begun": [],
                "error": "Quota: none left",
                "faults": 0,
                "created_at": None,
                "ready_at": None,
                "release_began_at": None,
                "gone_at": None,
            },
            {
                "id": DISK,
                "provider": "aws",
                "kind": "disk",
                "target": "default",
                "location": "eu-west-1",
                "depends_on": [],
                "status": "READY",
                "cluster": None,
                "cloud_id": f"{saga_id}-{DISK}",
                "begun": ["network", "machine"],
                "error": None,
                "faults": 0,
                "created_at": "2026-11-22T12:00:00.000Z",
                "ready_at": "2026-11-22T12:00:00.000Z",
                "release_began_at": None,
                "gone_at": None,
            },
        ],
        "resource_counts": {"FAILED": 1, "READY": 1},
        "next_cursor": None,
        "events_cursor": str(version),
    }


def test_a_saga_that_waits_for_approval_is_shown_listed_and_approved_by_another(calls: Api) -> None:
    boss = "arn:aws:iam::123456789012:user/boss"
    calls.access.grants = [Grant(callers=[boss], sagas="all")]
    saga_id = calls.world.awaiting_approval()
    shown = calls.call("GET", f"/sagas/{saga_id}").body
    assert shown["status"] == "AWAITING_APPROVAL"
    assert shown["approval"] == {
        "before": "commit",
        "approve_by": "2026-11-22T13:00:00.000Z",
        "approved_by": None,
        "approved_at": None,
    }
    assert [it["id"] for it in calls.call("GET", "/sagas?status=AWAITING_APPROVAL").body["items"]] == [saga_id]

    answer = calls.call("POST", f"/sagas/{saga_id}/approve", caller=boss)
    assert (answer.status, answer.body) == (202, {"id": saga_id, "status": "PROVISIONING"})
    assert calls.call("GET", f"/sagas/{saga_id}").body["approval"]["approved_by"] == boss
    assert calls.executions.woken == ["token-1"]


def test_a_saga_that_does_not_wait_for_approval_is_a_conflict_that_says_so(calls: Api) -> None:
    answer = calls.call("POST", f"/sagas/{calls.world.committed_saga()}/approve")
    assert answer.status == 409
    assert "asks for no approval" in answer.body["detail"]


def test_what_was_asked_of_a_cloud_is_not_shown(calls: Api) -> None:
    saga_id = calls.submit(request_document()).body["id"]
    assert SSH_KEY not in json.dumps(calls.call("GET", f"/sagas/{saga_id}").body)


def test_sagas_are_listed_newest_first_in_pages_until_there_is_no_next(calls: Api) -> None:
    ids = []
    for number in range(5):
        calls.world.clock.advance(1)
        ids.append(calls.submit(request_document(), key=f"key-{number}").body["id"])
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = calls.call("GET", f"/sagas?limit=2&cursor={cursor}").body
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


def test_sagas_are_listed_by_status_and_label(calls: Api) -> None:
    one = calls.submit(request_document(labels={"team": "a"}), key="1").body["id"]
    calls.world.clock.advance(1)
    other = calls.submit(request_document(labels={"team": "b"}), key="2").body["id"]
    calls.world.sagas.begin(other)

    def listed(query: str) -> list[str]:
        return [item["id"] for item in calls.call("GET", f"/sagas?{query}").body["items"]]

    assert listed("status=PENDING") == [one]
    assert listed("label=team=b") == [other]
    assert listed("status=PENDING&label=team=b") == []
    assert listed("") == [other, one]


def test_events_are_followed_from_where_the_reader_was(calls: Api) -> None:
    calls.world.cloud.seconds_to_ready = 10
    saga_id = calls.world.provisioning_saga()
    calls.world.provisioning.create(saga_id, DISK)
    first = calls.call("GET", f"/sagas/{saga_id}/events").body
    assert [(item["seq"], item["resource"], item["status"]) for item in first["items"]] == [
        (1, None, "PENDING"),
        (2, None, "PROVISIONING"),
        (3, DISK, "CREATING"),
        (4, DISK, "CREATING"),
    ]
    assert first["next_cursor"] == "4"
    nothing_new = calls.call("GET", f"/sagas/{saga_id}/events?after=4").body
    assert nothing_new == {"items": [], "next_cursor": "4"}


def test_a_long_poll_waits_as_long_as_it_was_asked_to_when_nothing_happens(calls: Api) -> None:
    saga_id = calls.world.open()
    began = calls.world.clock.now()
    assert calls.call("GET", f"/sagas/{saga_id}/events?after=1&wait=5").body["items"] == []
    assert 5 <= (calls.world.clock.now() - began).total_seconds() < 6


def test_a_long_poll_answers_at_once_when_something_has_happened(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    began = calls.world.clock.now()
    assert len(calls.call("GET", f"/sagas/{saga_id}/events?after=1&wait=20").body["items"]) == 1
    assert calls.world.clock.now() == began


def test_cancel_is_accepted_and_recorded(calls: Api) -> None:
    saga_id = calls.world.provisioning_saga()
    answer = calls.call("POST", f"/sagas/{saga_id}/cancel")
    assert (answer.status, answer.body) == (202, {"id": saga_id, "status": "PROVISIONING"})
    assert calls.world.saga(saga_id).cancel_requested


def test_resume_is_accepted_and_starts_a_release(calls: Api) -> None:
    saga_id = needing_attention(calls.world)
    answer = calls.call("POST", f"/sagas/{saga_id}/resume")
    assert (answer.status, answer.body["status"]) == (202, "NEEDS_ATTENTION")
    assert [it[0] for it in calls.executions.releases] == [saga_id]


def test_delete_is_accepted_and_starts_a_release(calls: Api) -> None:
    saga_id = calls.world.committed_saga()
    answer = calls.call("DELETE", f"/sagas/{saga_id}")
    assert (answer.status, answer.body["status"]) == (202, "COMMITTED")
    assert [it[0] for it in calls.executions.releases] == [saga_id]


@pytest.mark.parametrize(("method", "verb"), [("POST", "/cancel"), ("DELETE", "")])
def test_undoing_what_is_undone_is_accepted_and_does_nothing(calls: Api, method: str, verb: str) -> None:
    saga_id = calls.world.provisioning_saga()
    calls.world.compensate(saga_id)
    calls.world.sagas.conclude(saga_id, 0)
    assert calls.world.saga(saga_id).status is SagaStatus.ROLLED_BACK
    assert calls.call(method, f"/sagas/{saga_id}{verb}").status == 202
    assert calls.executions.releases == []


def log_lines(calls: Api) -> list[dict[str, Any]]:
    return [json.loads(line) for line in calls.log.getvalue().splitlines()]


def test_every_log_line_is_json_with_the_saga_as_correlation_id_and_without_the_document(calls: Api) -> None:
    saga_id = calls.submit(request_document()).body["id"]
    calls.call("POST", f"/sagas/{saga_id}/cancel")
    calls.call("POST", f"/sagas/{saga_id}/resume")
    assert {line["correlation_id"] for line in log_lines(calls)} == {saga_id}
    assert [line["message"] for line in log_lines(calls)] == ["accepted", "accepted", "refused"]
    assert "SECRETMATERIAL" not in calls.log.getvalue()


def test_a_call_is_not_logged_under_the_saga_of_the_one_before(calls: Api) -> None:
    saga_id = calls.submit(request_document()).body["id"]
    calls.submit("not json")
    assert log_lines(calls)[-1].get("correlation_id") != saga_id


def test_calls_and_accepted_sagas_are_counted(calls: Api, capsys: pytest.CaptureFixture[str]) -> None:
    calls.submit(request_document())
    counted = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (counted["Requests"], counted["SagasAccepted"]) == ([1.0], [1.0])

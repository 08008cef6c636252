"""The HTTP API over sagas that a test moves itself: keys, standings, cursors, long polls, and ways not to answer."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from werkzeug.wrappers import Request, Response

from local.http_server import DropConnection

ENDED = ("COMMITTED", "ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION")
LONGEST_POLL = 2.0
MOST_EVENTS = 100
MOST_RESOURCES = 1000

TITLES = {
    400: "The document cannot be read",
    403: "You were not granted this",
    404: "There is no such saga",
    409: "The saga's status does not allow this",
    422: "The request is not valid",
    503: "Try again in a moment",
}

REQUEST = """\
name: checkout
labels: {team: payments}
resources:
  - {id: data, provider: gcp, kind: disk, zone: europe-west1-b, spec: {size_gb: 10}}
  - {id: web, provider: aws, kind: instance, region: eu-west-1, spec: {image: ami-1, size: t3.micro}}
"""


class Refusal(Exception):
    """The API does not do it."""

    def __init__(self, status: int, detail: str = "", errors: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = {
            "type": "about:blank",
            "title": TITLES.get(status, "It did not work"),
            "status": status,
            "detail": detail,
            "errors": [{"field": field, "reason": reason} for field, reason in errors],
        }


class Trouble(NamedTuple):
    """What happens instead of an answer: `lost` has the effect and drops the reply, a status refuses."""

    method: str
    path: str
    kind: str | int


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FakeApi:
    """A WSGI application; whatever a test does to its sagas wakes those that wait for it."""

    def __init__(self) -> None:
        self.sagas: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.bodies: dict[str, tuple[str, bytes]] = {}
        self.calls: list[str] = []
        self.keys: list[str] = []
        self.troubles: list[Trouble] = []
        self.plan: dict[str, Any] = {}
        self.costs: dict[str, Any] = {}
        self.clusters: list[dict[str, Any]] = []
        self.sweeps: list[dict[str, Any]] = []
        self.outcome = "COMMITTED"
        self.divided: set[str] = set()
        self._changed = threading.Condition(threading.RLock())

    # what a test does

    def trouble(self, kind: str | int, method: str = "GET", path: str = ".*", times: int = 1) -> None:
        """`refused` drops a connection before anything happens, `lost` after it did; a number is a status."""
        self.troubles += [Trouble(method, path, kind)] * times

    def submit(self, name: str = "checkout", **changes: Any) -> str:
        """A saga that somebody else submitted."""
        saga_id = f"s{len(self.sagas):04}"
        resources = [_resource("data", "gcp", "disk"), _resource("web", "aws", "instance")]
        self.sagas[saga_id] = {
            "id": saga_id,
            "name": name,
            "status": "PENDING",
            "caller": "arn:aws:iam::123456789012:user/test",
            "version": 0,
            "labels": {"team": "payments"},
            "created_at": now(),
            "finished_at": None,
            "expires_at": None,
            "cancel_requested": False,
            "approval": None,
            "waves": [["data"], ["web"]],
            "resources": resources,
            **changes,
        }
        self.events[saga_id] = []
        self.move(saga_id, None, "PENDING", "accepted")
        return saga_id

    def submit_large(self, count: int) -> str:
        """A saga of so many disks, whose events are those of the saga itself and those of one shard."""
        saga_id = self.submit("fleet", waves=[], resources=[_resource(f"d{n:05}", "aws", "disk") for n in range(count)])
        self.divided.add(saga_id)
        return saga_id

    def move(self, saga_id: str, resource: str | None, status: str, message: str | None = None, **more: Any) -> None:
        """One event: of the saga itself, or of a resource."""
        with self._changed:
            saga = self.sagas[saga_id]
            saga["version"] += saga_id not in self.divided or resource is None
            if resource is None:
                saga |= {"status": status, "finished_at": now() if status in ENDED else None}
            else:
                one = next(it for it in saga["resources"] if it["id"] == resource)
                one |= _resource_at(one, status, message)
            event = {
                "seq": len(self.events[saga_id]) + 1,
                "at": now(),
                "resource": resource,
                "status": status,
                "message": message,
            }
            self.events[saga_id].append({**event, "step": None, "error": None, **more})
            self._changed.notify_all()

    def run(self, saga_id: str, outcome: str | None = None) -> None:
        """From the beginning to an ending."""
        self.move(saga_id, None, "PROVISIONING")
        self.move(saga_id, "data", "CREATING")
        self.move(saga_id, "data", "CREATING", "503 from Google; it is tried again", step="create", error="Unavailable")
        self.move(saga_id, "data", "READY")
        self.move(saga_id, "web", "CREATING")
        outcome = outcome or self.outcome
        if outcome == "COMMITTED":
            self.move(saga_id, "web", "READY")
            self.move(saga_id, None, outcome)
            return
        self.move(saga_id, "web", "FAILED", "InsufficientInstanceCapacity: there are none left")
        self.undo(saga_id, outcome)

    def undo(self, saga_id: str, outcome: str = "ROLLED_BACK") -> None:
        """Remove what there is, or not all of it."""
        self.move(saga_id, None, "RELEASING" if outcome == "RELEASED" else "COMPENSATING")
        for resource in ("web", "data"):
            self.move(saga_id, resource, "DELETING")
            stuck = outcome == "NEEDS_ATTENTION" and resource == "data"
            self.move(saga_id, resource, "STUCK" if stuck else "ABSENT", "ResourceInUse: a lease" if stuck else None)
        self.move(saga_id, None, outcome)

    def called(self, call: str) -> int:
        """How often a call was made, by its method and path."""
        return sum(re.fullmatch(call, it) is not None for it in self.calls)

    # what a caller sees

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.calls.append(f"{request.method} {request.path}")
        trouble = self._trouble_of(request)
        if trouble == "refused":
            raise DropConnection
        try:
            if isinstance(trouble, int):
                raise Refusal(trouble, "as the test wants it")
            status, document = self._answer(request)
        except Refusal as refusal:
            status, document = refusal.status, refusal.problem
        if trouble == "lost":
            raise DropConnection
        return Response(json.dumps(document), status, content_type="application/json")(environ, start_response)

    def _trouble_of(self, request: Request) -> str | int | None:
        for trouble in self.troubles:
            if trouble.method == request.method and re.fullmatch(trouble.path, request.path):
                self.troubles.remove(trouble)
                return trouble.kind
        return None

    def _answer(self, request: Request) -> tuple[int, Mapping[str, Any]]:
        if request.path == "/healthz":
            return 200, {"status": "ok"}
        known = ("AWS4-HMAC-SHA256 Credential=test/", "AWS4-HMAC-SHA256 Credential=local/", "Bearer good")
        if not request.headers.get("Authorization", "").startswith(known):
            return 403, {"message": "Forbidden"}
        first, *rest = request.path.strip("/").split("/")
        if first == "sagas" and rest:
            return self._of_saga(rest[0], rest[1:], request.method, request)
        return self._of_all(first, rest, request)

    def _of_all(self, first: str, rest: list[str], request: Request) -> tuple[int, Mapping[str, Any]]:
        routes: Mapping[tuple[str, str], Callable[[], tuple[int, Mapping[str, Any]]]] = {
            ("POST", "plans"): lambda: (200, self.plan),
            ("POST", "sagas"): lambda: self._submit(request),
            ("GET", "sagas"): lambda: (200, self._page(request)),
            ("GET", "clusters"): lambda: (200, {"items": self.clusters}),
            ("PUT", "clusters"): lambda: (200, {**self._cluster(rest[0]), "drained": True}),
            ("DELETE", "clusters"): lambda: (200, {**self._cluster(rest[0]), "drained": False}),
            ("GET", "costs"): lambda: (200, self.costs),
            ("POST", "sweeps"): lambda: (202, {**self.sweeps[0], "dry_run": json.loads(request.data)["dry_run"]}),
            ("GET", "sweeps"): lambda: (200, self.sweeps.pop(1) if len(self.sweeps) > 2 else self.sweeps[-1]),
        }
        if (route := routes.get((request.method, first))) is None:
            raise Refusal(404, f"{request.path} is not served")
        return route()

    def _submit(self, request: Request) -> tuple[int, Mapping[str, Any]]:
        key = request.headers["Idempotency-Key"]
        self.keys.append(key)
        if b"colour" in request.data:
            raise Refusal(422, "", [("colour", "unknown field"), ("resources[0].region", "no such region")])
        known = self.bodies.get(key)
        if known is None:
            self.bodies[key] = known = (self.submit(), request.data)
            if self.outcome:
                self.run(known[0])
        if known[1] != request.data:
            raise Refusal(409, "the key was used for a different request")
        return 202, self._accepted(known[0])

    def _page(self, request: Request) -> Mapping[str, Any]:
        limit, before = int(request.args.get("limit", 20)), request.args.get("cursor")
        key, _, value = request.args.get("label", "").partition("=")
        status = request.args.get("status")
        found = [
            {name: it[name] for name in it if name not in ("resources", "cost", "cost_freshness")}
            for it in reversed(self.sagas.values())
            if (before is None or it["id"] < before)
            and (status is None or it["status"] == status)
            and (not key or it["labels"].get(key) == value)
        ][:limit]
        return {"items": found, "next_cursor": found[-1]["id"] if len(found) == limit else None}

    def _of_saga(self, saga_id: str, rest: list[str], method: str, request: Request) -> tuple[int, Mapping[str, Any]]:
        if saga_id not in self.sagas:
            raise Refusal(404, f"no saga {saga_id}")
        match rest, method:
            case [], "GET":
                with self._changed:
                    return 200, self._saga(saga_id, request.args)
            case ["events"], "GET":
                return 200, self._events(saga_id, request.args["after"], float(request.args.get("wait", 0)))
            case [], "DELETE":
                return self._destroy(saga_id)
            case ["cancel"], "POST":
                return self._cancel(saga_id)
            case ["approve"], "POST":
                if not any(it["message"] == "approved by test" for it in self.events[saga_id]):
                    self._expect(saga_id, "AWAITING_APPROVAL")
                    self.move(saga_id, None, "PROVISIONING", "approved by test")
                    self.move(saga_id, None, "COMMITTED")
                return 202, self._accepted(saga_id)
            case ["resume"], "POST":
                self._expect(saga_id, "NEEDS_ATTENTION")
                accepted = self._accepted(saga_id)
                self.undo(saga_id)
                return 202, accepted
        raise Refusal(404, f"{request.path} is not served")

    def _saga(self, saga_id: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        """A saga, of whose resources there is only a page where it is divided."""
        saga: dict[str, Any] = json.loads(json.dumps(self.sagas[saga_id]))
        resources, cursor = saga["resources"], None
        if saga_id in self.divided:
            after = [it for it in sorted(resources, key=lambda it: it["id"]) if it["id"] > asked.get("cursor", "")]
            resources = after[: int(asked.get("limit", MOST_RESOURCES))]
            cursor = resources[-1]["id"] if len(resources) < len(after) else None
        counts = dict(Counter(it["status"] for it in saga["resources"]))
        events_cursor = self._cursor(saga_id, len(self.events[saga_id]))
        page = {"resources": resources, "resource_counts": counts, "next_cursor": cursor}
        return {**saga, **page, "events_cursor": events_cursor}

    def _cursor(self, saga_id: str, number: int) -> str:
        """Of a divided one, of the saga's own events and of those of its resources, which are all of one shard."""
        if saga_id not in self.divided:
            return str(number)
        own = sum(it["resource"] is None for it in self.events[saga_id][:number])
        return f"{own}.{number - own}"

    def _events(self, saga_id: str, after: str, wait: float) -> Mapping[str, Any]:
        with self._changed:
            seen = sum(map(int, after.split(".")))
            if self.sagas[saga_id]["status"] not in ENDED and len(self.events[saga_id]) <= seen:
                self._changed.wait(min(wait, LONGEST_POLL))
            if saga_id in self.divided:
                return self._divided_events(saga_id, [*map(int, after.split(".")), 0])
            items = self.events[saga_id][seen : seen + MOST_EVENTS]
        return {"items": items, "next_cursor": str(items[-1]["seq"]) if items else after}

    def _divided_events(self, saga_id: str, seen: list[int]) -> Mapping[str, Any]:
        """The saga's own events before those of its resources, however much later they were."""
        own = [it for it in self.events[saga_id] if it["resource"] is None]
        others = [it for it in self.events[saga_id] if it["resource"] is not None]
        some = own[seen[0] : seen[0] + MOST_EVENTS]
        more = others[seen[1] : seen[1] + MOST_EVENTS - len(some)]
        numbered = [{**it, "seq": 2 * (seen[0] + place)} for place, it in enumerate(some, 1)]
        numbered += [{**it, "seq": 2 * (seen[1] + place) + 1} for place, it in enumerate(more, 1)]
        return {"items": numbered, "next_cursor": f"{seen[0] + len(some)}.{seen[1] + len(more)}"}

    def _destroy(self, saga_id: str) -> tuple[int, Mapping[str, Any]]:
        accepted = self._accepted(saga_id)
        if accepted["status"] in ("COMMITTED", "NEEDS_ATTENTION"):
            self.undo(saga_id, "RELEASED")
        elif accepted["status"] not in ENDED:
            return self._cancel(saga_id)
        return 202, accepted

    def _cancel(self, saga_id: str) -> tuple[int, Mapping[str, Any]]:
        accepted = self._accepted(saga_id)
        if accepted["status"] in ("COMMITTED", "NEEDS_ATTENTION"):
            raise Refusal(409, f"saga {saga_id} has committed; DELETE it to remove its resources")
        if accepted["status"] not in ENDED:
            self.sagas[saga_id]["cancel_requested"] = True
            self.move(saga_id, None, accepted["status"], "cancel requested")
            self.undo(saga_id)
        return 202, accepted

    def _accepted(self, saga_id: str) -> Mapping[str, Any]:
        return {"id": saga_id, "status": self.sagas[saga_id]["status"]}

    def _expect(self, saga_id: str, status: str) -> None:
        if self.sagas[saga_id]["status"] != status:
            raise Refusal(409, f"saga {saga_id} is {self.sagas[saga_id]['status']}; only one in {status} can be")

    def _cluster(self, name: str) -> dict[str, Any]:
        for it in self.clusters:
            if it["name"] == name:
                return it
        raise Refusal(404, f"no cluster {name}")


def _resource(name: str, provider: str, kind: str) -> dict[str, Any]:
    return {
        "id": name,
        "provider": provider,
        "kind": kind,
        "target": "default",
        "location": "eu-west-1",
        "depends_on": [],
        "status": "PLANNED",
        "cluster": None,
        "cloud_id": None,
        "error": None,
        "begun": [],
        "faults": 0,
        "created_at": None,
        "ready_at": None,
        "release_began_at": None,
        "gone_at": None,
    }


def _resource_at(one: Mapping[str, Any], status: str, message: str | None) -> dict[str, Any]:
    moments = {"CREATING": "created_at", "READY": "ready_at", "DELETING": "release_began_at", "ABSENT": "gone_at"}
    changes: dict[str, Any] = {"status": status}
    if status in moments:
        changes[moments[status]] = one[moments[status]] or now()
    if status == "READY":
        changes |= {"cloud_id": f"{one['provider']}-{one['id']}", "begun": [one["kind"]]}
    if status in ("FAILED", "STUCK"):
        changes["error"] = message
    return changes

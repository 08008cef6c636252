"""Everything that can be asked of the API, as a table: what the OpenAPI document says of each operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple

from lambdas.api import problems as kinds
from lambdas.api import shapes
from lambdas.api.calls import KEY_PATTERN, LONGEST_KEY
from lambdas.api.problems import Kind
from lambdas.api.queries import EVENT_CURSOR, MOST_ITEMS, MOST_LINES, RESOURCE_CURSOR, USUAL_ITEMS, USUAL_LINES
from lambdas.core.billing.questions import DIMENSIONS, MOST_DAYS, MOST_GROUPS
from lambdas.core.request import SagaRequest
from lambdas.core.sagas import LONGEST_WAIT, MOST_SHOWN


class Parameter(NamedTuple):
    """Something in the query, or a header, and the JSON Schema of its value."""

    place: Literal["query", "header"]
    name: str
    description: str
    schema: Mapping[str, Any]
    required: bool = False


class Body(NamedTuple):
    """The document that a call takes, and the media types it may have."""

    shape: type[Any]
    media_types: tuple[str, ...]


class Answer(NamedTuple):
    """A way in which a call goes well: its document, unless there is none, and the headers beside it."""

    status: HTTPStatus
    description: str
    shape: type[Any] | None = None
    headers: tuple[str, ...] = ()


class Operation(NamedTuple):
    """One method of one path; every one but the `public` ones may also end in EVERYWHERE."""

    method: str
    path: str
    id: str
    summary: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    problems: tuple[Kind, ...] = ()
    public: bool = False


EVERYWHERE: Final = (kinds.UNIDENTIFIED, kinds.MISCONFIGURED, kinds.UNAVAILABLE)
"""What any call may end in that is about somebody: who it is, or what they may do, cannot be told."""


class PathParameter(NamedTuple):
    """What stands for one of several things in a path that begins with `beginning`, and a pattern of its names."""

    beginning: str
    name: str
    description: str
    pattern: str


PATH_PARAMETERS: Final = (
    PathParameter("/sagas/{id}", "id", "The id that it was given when it was accepted.", "^[a-z0-9]+$"),
    PathParameter("/clusters/{name}", "name", "The name that the deployment declares it under.", "^[a-z0-9-]+$"),
    PathParameter("/sweeps/{id}", "id", "The name of its execution.", "^[A-Za-z0-9_-]{1,80}$"),
)

_TEXT: Final = {"type": "string"}
_WORDS: Final = {"type": "string", "minLength": 1, "maxLength": 256}
_DAY: Final = {"type": "string", "format": "date", "pattern": "^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}$"}
_DIMENSION: Final = f"({'|'.join(DIMENSIONS)}|label:[^,]+)"

_KEY: Final = Parameter(
    "header",
    "Idempotency-Key",
    "Of the caller's own making, one for each saga: the same key and document again give the same saga.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN},
    required=True,
)
_IF_NONE_MATCH: Final = Parameter(
    "header", "If-None-Match", "The ETag of what the caller has: 304 if it is still the same.", _TEXT
)
_IF_MATCH: Final = Parameter(
    "header", "If-Match", "The saga's ETag as the caller has seen it: 412, and nothing done, if it has moved on.", _TEXT
)
_LABEL: Final = Parameter(
    "query", "label", "Only what carries the label, as KEY=VALUE.", {"type": "string", "pattern": "^[^=]+=.*$"}
)
_CURSOR: Final = Parameter("query", "cursor", "The `next_cursor` of the page before.", _TEXT)


def _limit(usual: int, most: int) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return Parameter("query", "limit", "How many, at most.", schema)


def _accepted(description: str) -> Answer:
    return Answer(HTTPStatus.ACCEPTED, description, shapes.Accepted, ("Location",))


_UNCHANGED: Final = Answer(HTTPStatus.NOT_MODIFIED, "It is still what the caller has.", headers=("ETag",))
_UNREAD: Final = (kinds.UNREADABLE, kinds.TOO_LARGE, kinds.MEDIA_TYPE, kinds.INVALID)
_JSON: Final = "application/json"
_REQUEST: Final = Body(SagaRequest, (_JSON, "application/yaml"))
_ORDER: Final = (kinds.NO_SAGA, kinds.NOT_POSSIBLE, kinds.MOVED_ON)
_CLUSTER: Final = (Answer(HTTPStatus.OK, "The cluster as it is now.", shapes.Cluster),)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/healthz",
        "getHealth",
        "Whether the API is up",
        (Answer(HTTPStatus.OK, "It is.", shapes.Health),),
        public=True,
    ),
    Operation(
        "GET",
        "/openapi.json",
        "getDescription",
        "The OpenAPI document of the API",
        (
            Answer(HTTPStatus.OK, "The OpenAPI document.", dict, ("ETag", "Cache-Control")),
            Answer(HTTPStatus.NOT_MODIFIED, "It is still what the caller has.", headers=("ETag", "Cache-Control")),
        ),
        (_IF_NONE_MATCH,),
        public=True,
    ),
    Operation(
        "POST",
        "/plans",
        "plan",
        "What would become of a request now; creates nothing",
        (Answer(HTTPStatus.OK, "The order of creation, and what the clouds are short of.", shapes.Plan),),
        body=_REQUEST,
        problems=(*_UNREAD, kinds.TARGET_NOT_GRANTED),
    ),
    Operation(
        "POST",
        "/sagas",
        "submitSaga",
        "Have everything created that a request names, or nothing",
        (_accepted("The saga is recorded and begins."),),
        (_KEY,),
        _REQUEST,
        (*_UNREAD, kinds.TARGET_NOT_GRANTED, kinds.KEY_USED),
    ),
    Operation(
        "GET",
        "/sagas",
        "listSagas",
        "The caller's sagas, or everybody's where that is granted; the newest first",
        (Answer(HTTPStatus.OK, "A page of sagas.", shapes.SagaPage, ("ETag", "Link")), _UNCHANGED),
        (
            Parameter("query", "status", "Only those of this status.", {"$ref": "#/components/schemas/SagaStatus"}),
            _LABEL,
            _limit(USUAL_ITEMS, MOST_ITEMS),
            _CURSOR,
            _IF_NONE_MATCH,
        ),
        problems=(kinds.INVALID,),
    ),
    Operation(
        "GET",
        "/sagas/{id}",
        "getSaga",
        "A saga, its resources (a page of them, where there are more than 50), and what it costs",
        (Answer(HTTPStatus.OK, "The saga as it is now.", shapes.Saga, ("ETag", "Link")), _UNCHANGED),
        (
            Parameter(
                "query",
                "limit",
                "How many resources, at most; 50 or fewer are shown whatever it says.",
                {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN, "default": MOST_SHOWN},
            ),
            Parameter(
                "query",
                "cursor",
                "The `next_cursor` of the page before.",
                {"type": "string", "pattern": RESOURCE_CURSOR},
            ),
            _IF_NONE_MATCH,
        ),
        problems=(kinds.INVALID, kinds.NO_SAGA),
    ),
    Operation(
        "DELETE",
        "/sagas/{id}",
        "destroySaga",
        "Remove every resource of a saga, committed or not",
        (_accepted("It will be, unless nothing is left."),),
        (_IF_MATCH,),
        problems=_ORDER,
    ),
    Operation(
        "GET",
        "/sagas/{id}/events",
        "listEvents",
        "What happened to a saga, in order; waits for something new where that is asked for",
        (Answer(HTTPStatus.OK, "Events, at most a hundred.", shapes.EventPage, ("Link",)),),
        (
            Parameter(
                "query",
                "after",
                "The `next_cursor` of the page before, or a saga's `events_cursor`; from the beginning, if not said.",
                {"type": "string", "pattern": EVENT_CURSOR, "default": "0"},
            ),
            Parameter(
                "query",
                "wait",
                "How many seconds to wait when there is nothing new.",
                {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
            ),
        ),
        problems=(kinds.INVALID, kinds.NO_SAGA),
    ),
    Operation(
        "POST",
        "/sagas/{id}/approve",
        "approveSaga",
        "Let a saga go on that waits for approval",
        (_accepted("The approval is recorded."),),
        (_IF_MATCH,),
        problems=_ORDER,
    ),
    Operation(
        "POST",
        "/sagas/{id}/cancel",
        "cancelSaga",
        "Have a saga undone that has not committed",
        (_accepted("The wish is recorded."),),
        (_IF_MATCH,),
        problems=_ORDER,
    ),
    Operation(
        "POST",
        "/sagas/{id}/resume",
        "resumeSaga",
        "Try again to remove what is left of a saga that needs attention",
        (_accepted("It is tried."),),
        (_IF_MATCH,),
        problems=_ORDER,
    ),
    Operation(
        "GET",
        "/clusters",
        "listClusters",
        "The private clusters whose targets the caller may use",
        (Answer(HTTPStatus.OK, "All of them, by name.", shapes.ClusterList),),
    ),
    Operation(
        "PUT",
        "/clusters/{name}/drain",
        "drainCluster",
        "Let a cluster take nothing new",
        _CLUSTER,
        problems=(kinds.NO_CLUSTER, kinds.NOT_GRANTED),
    ),
    Operation(
        "DELETE",
        "/clusters/{name}/drain",
        "undrainCluster",
        "Let a cluster take machines again",
        _CLUSTER,
        problems=(kinds.NO_CLUSTER, kinds.NOT_GRANTED),
    ),
    Operation(
        "GET",
        "/costs",
        "askCosts",
        "What something costs, and how fresh that is",
        (Answer(HTTPStatus.OK, "A page of lines.", shapes.CostPage, ("Link",)),),
        (
            Parameter(
                "query",
                "group_by",
                f"By what, at most {MOST_GROUPS}, with commas; in all, if by nothing.",
                {"type": "string", "pattern": f"^({_DIMENSION}(,{_DIMENSION}){{0,{MOST_GROUPS - 1}}})?$"},
            ),
            Parameter("query", "from", "The first day, in UTC; the first of the month of the last, if not said.", _DAY),
            Parameter("query", "to", f"The last day; today, if not said. At most {MOST_DAYS} days in all.", _DAY),
            Parameter("query", "saga", "Only these sagas, with commas.", _WORDS),
            Parameter("query", "provider", "Only these, by our names or the bill's, with commas.", _WORDS),
            Parameter("query", "service", "Only this one, as the bill calls it.", _WORDS),
            Parameter("query", "account", "Only these accounts, subscriptions or projects, with commas.", _WORDS),
            Parameter("query", "region", "Only these regions, with commas.", _WORDS),
            Parameter("query", "source", "Only what these sources say, with commas.", _WORDS),
            Parameter(
                "query",
                "month",
                "Only what is billed in these months, with commas.",
                {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])(,\d{4}-(0[1-9]|1[0-2]))*$"},
            ),
            _LABEL,
            _limit(USUAL_LINES, MOST_LINES),
            _CURSOR,
        ),
        problems=(kinds.INVALID, kinds.NO_COSTS, kinds.NO_SAGA),
    ),
    Operation(
        "POST",
        "/sweeps",
        "startSweep",
        "Compare what is in the clouds with the ledger, and release what should not be there",
        (Answer(HTTPStatus.ACCEPTED, "The sweep begins.", shapes.Sweep, ("Location",)),),
        body=Body(shapes.SweepOrder, (_JSON,)),
        problems=(*_UNREAD, kinds.NOT_GRANTED),
    ),
    Operation(
        "GET",
        "/sweeps/{id}",
        "getSweep",
        "A sweep, whoever started it, and what it found once it has ended",
        (Answer(HTTPStatus.OK, "The sweep as it is now.", shapes.Sweep),),
        problems=(kinds.NO_SWEEP, kinds.NOT_GRANTED),
    ),
)


def allowed_methods(path: str) -> list[str]:
    """The methods that a path takes, by name; none when it is not served."""
    return sorted(it.method for it in OPERATIONS if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", it.path), path))

"""From an accepted request to the saga that the ledger opens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from lambdas.core.division import divided, division_of, is_divided
from lambdas.core.durations import duration_of
from lambdas.core.graph import waves
from lambdas.core.model import Approval, Resource, Saga
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.request import ApprovalRequest, SagaRequest, dependencies
from lambdas.core.targets import Target

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter is mistaken for another


NO_TARGETS: Final[Mapping[str, Target]] = {}


def plan_saga(
    request: SagaRequest, saga_id: str, caller: str, now: datetime, targets: Mapping[str, Target] = NO_TARGETS
) -> Snapshot:
    """A new saga with all of its resources planned and nothing begun; `targets` are by resource id."""
    order = waves({definition.id: dependencies(definition) for definition in request.resources})
    positions = divided(order) if is_divided(len(request.resources)) else {}
    saga = Saga(
        id=saga_id,
        name=request.name,
        caller=caller,
        labels=request.labels,
        waves=() if positions else order,
        division=division_of(positions) if positions else None,
        clouds=tuple(dict.fromkeys(definition.provider for definition in request.resources)),
        preflight=request.preflight,
        approval=_approval(request.approval),
        created_at=now,
        expires_at=now + duration_of(request.ttl) if request.ttl else None,
    )
    planned = (
        Resource(saga_id=saga_id, definition=it, target=targets.get(it.id), position=positions.get(it.id))
        for it in request.resources
    )
    return Snapshot(saga, tuple(planned))


def _approval(wanted: ApprovalRequest | None) -> Approval | None:
    return Approval(before=wanted.before, within=duration_of(wanted.within)) if wanted else None


def new_saga_id(now: datetime) -> str:
    """A new id of 16 characters: `s`, the time in milliseconds, 30 random bits. Ids sort by time of creation."""
    return "s" + _base32(int(now.timestamp() * 1000), 9) + _base32(secrets.randbits(30), 6)


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(digits)))

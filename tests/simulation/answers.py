"""What comes of a saga's wish for approval: somebody approves or cancels, once or twice, or nobody does anything."""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

_WANT_APPROVAL: Final = 0.15
_TOO_LATE: Final = 0.9
"""An answer after this part of the wait may come too late: the wait does not begin at the moment of the asking."""


class Answer(NamedTuple):
    """A wish for approval (`before` and `within` as in a request, in seconds) and the answer to it.

    `verb` is what is called after `delay` seconds, and again after as many as `again` says; None for nobody.
    """

    before: str
    within: int
    verb: str | None
    delay: float = 0.0
    again: float | None = None

    @property
    def wish(self) -> dict[str, Any]:
        """What the request says."""
        return {"approval": {"before": self.before, "within": f"{self.within}s"}}

    @property
    def approves(self) -> bool:
        """Whether the saga is approved in time whatever happens."""
        return self.verb == "approve" and self.delay < _TOO_LATE * self.within


def random_answer(random: Random) -> Answer | None:
    """The answer that one saga in seven gets; the others want no approval."""
    if random.random() >= _WANT_APPROVAL:
        return None
    before, within = random.choice(("provisioning", "commit")), random.choice((120, 3600))
    verb = random.choice(("approve", "approve", "approve", "cancel", None))
    delay = random.uniform(0, 1.1 * within) if random.random() < 0.3 else random.uniform(0, 60)
    return Answer(before, within, verb, delay, random.choice((None, 0.0, 5.0)))

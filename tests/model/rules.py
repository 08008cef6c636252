"""The rules a saga plays by, as they are and as they could wrongly be."""

from __future__ import annotations

from typing import Final, NamedTuple


class Rules(NamedTuple):
    """What the modelled code does and how long things may take, in ticks; a mutant is one field changed.

    `calls` bounds how many invocations work on one resource at the same moment, and how many of its requests are on
    the wire: a duplicate, or what an aborted execution or a timeout left behind, beside what the state machine runs.
    """

    resources: int = 2
    calls: int = 2
    step: int = 1
    """The longest an invocation lives: the function's timeout."""
    wire: int = 1
    """The longest a request takes effect after its caller gave up."""
    stale: int = 1
    """The longest a read does not show what was created."""
    settling: int = 4
    """How long absence must last: step + wire + stale, and the step that looks."""
    fenced: bool = True
    """The step that creates asks whether the saga still wants its resources."""
    intent_versioned: bool = True
    """The intent's write demands that nothing of the saga was written since it was read."""
    commit_versioned: bool = True
    """So does the commit's."""
    commit_approved: bool = True
    """It waits for the approval that the request asks for."""
    intent_first: bool = True
    """The intent is in the ledger before the cloud is asked."""
    token: bool = True
    """The same intent always comes with the same name and token."""
    spares_committed: bool = True
    """Compensation leaves alone what committed."""
    delete_in_release: bool = True
    """The step that deletes asks whether the saga is being released: it may be delivered again when that is over."""
    undo_again: bool = True
    """What is found again is deleted again."""
    clock_first: bool = False
    """A look at absence tells the time before it asks the cloud, not after."""


SIZES: Final = (Rules(resources=1, calls=1), Rules(resources=1, calls=2), Rules(resources=2, calls=1))
"""The sizes that are explored whole: one resource with a duplicate of everything, and two side by side."""

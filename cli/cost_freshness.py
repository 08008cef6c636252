"""How fresh costs are, in words that nobody overlooks where a source is late: a late hour looks like a cheap one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from cli.output import printable

_LATE: Final = "bold red"
_FAILED: Final = "yellow"

Source = Mapping[str, Any]


def headline(sources: Sequence[Source]) -> Iterator[Text]:
    """One line before everything else, if any source is late: what is shown is incomplete then."""
    late = [printable(it["source"]) for it in sources if it["late"]]
    if late:
        are = "is" if len(late) == 1 else "are"
        count = f"{len(late)} of {len(sources)} sources {are} late" if len(sources) > 1 else "the only source is late"
        yield Text(f"!! INCOMPLETE: {count} ({', '.join(late)}). Real costs are probably higher.\n", style=_LATE)


def freshness_lines(sources: Sequence[Source], now: datetime) -> Iterator[Text]:
    """A line for each source, the late ones first, and one more for what last failed."""
    if not sources:
        yield Text("No source of costs is declared: docs/billing.md says how.", style=_LATE)
    for source in sorted(sources, key=lambda it: (not it["late"], it["source"])):
        yield _line(source, now)
        if failure := source["failure"]:
            why = ": ".join(filter(None, [failure["error"], failure["message"]]))
            text = f"   failed at {_minute(failure['at'])}: {why}"
            yield Text(printable(text), style=_FAILED)


def _line(source: Source, now: datetime) -> Text:
    name = f"{source['source']} ({' '.join(filter(None, [source['provider'], source['account']]))})"
    facts = [
        f"data through {_minute(source['data_through'])}" if source["data_through"] else "no data yet",
        f"collected {_age(source['collected_at'], now)}" if source["collected_at"] else "never collected",
        f"final before {_minute(source['closed_through'])}",
    ]
    if source["late"]:
        hours = source["windows_behind"]
        missing = f"{hours} hour{'' if hours == 1 else 's'} missing" if hours else "not read again in time"
        return Text(printable(f"!! LATE {name}: {missing}; {', '.join(facts)}"), style=_LATE)
    return Text(printable(f"   {name}: {', '.join(facts)}"), style="dim")


def _minute(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


def _age(moment: str, now: datetime) -> str:
    minutes = max(0, int((now - datetime.fromisoformat(moment)).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days ago"

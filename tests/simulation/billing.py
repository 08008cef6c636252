"""Ninety days of hours of billing in virtual time, with everything that can go wrong.

The real state machine and handlers, on the engine in virtual time: collectors are killed, or fall asleep and wake when
somebody else has taken over; hand-overs are lost and delivered twice; sources throttle, refuse, restate, and know of
charges days late; nothing runs for a day. What is judged is what is kept, against what the bill says in the end.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import partial
from random import Random
from typing import Any, Final, cast

from lambdas.adapters.collecting import CollectorParts, collect_handler
from lambdas.adapters.observability import logger
from lambdas.billing.handler import billing_handler
from lambdas.billing.publisher import Publisher, publish_handler
from lambdas.core.billing.planning import MOST_READS, settled_at, unit_of
from lambdas.core.billing.sources import AnySource, Sources, parse_sources
from lambdas.core.billing.spans import HOUR, Span, window_name, window_of
from lambdas.core.billing.windows import Read, SourceState, Window, WindowStatus
from lambdas.core.errors import RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import ExportedFile, Row, Rows
from lambdas.core.steps.billing import BillingSteps
from lambdas.core.steps.publishing import PublishingSteps
from lambdas.core.steps.summarising import SummarisingSteps
from local.clock import VirtualClock
from local.simulators.bill import Bill, Charge
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.errors import ApiError
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from tests.fakes.bill_source import BillSource, ExportSource, LiveSource, SnapshotSource
from tests.fakes.context import Context
from tests.fakes.cost_files import FakeCostFiles, FakeStaging, StoredFile, row_window
from tests.fakes.windows import FakeWindows
from tests.simulation.private import EngineTasks
from tests.simulation.workers import Worker, Workers
from tests.simulation.world import STATEMACHINES, EngineClock

NINETY_DAYS: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Three whole months."""
FUNCTION_SECONDS: Final = 300.0
"""A third of what is deployed, so that many a read is handed over."""
KILLED_SECONDS: Final = 900.0
"""When a function is killed that is at work; one that is frozen wakes whenever it does, and goes on."""
ASLEEP_SECONDS: Final = (320.0, 500.0, 800.0, 5 * 3600.0)
SPREAD: Final = timedelta(seconds=2)
"""How long it takes until everybody knows what one was told."""
PAGE_ROWS: Final = 8

_ACCOUNTS: Final = {"snapshot": "shop-prod", "live": "sub-1", "export": "123456789012"}


def declared(begin: datetime) -> dict[str, AnySource]:
    """One source of each kind of reading: a job's snapshot, pages as of now, files of a month."""
    since = begin.isoformat()
    table = "shop-prod.billing.gcp_billing_export_v1_01"
    return parse_sources(
        json.dumps(
            {
                "snapshot": {"kind": "gcp-bigquery", "project": "shop-prod", "table": table, "since": since},
                "live": {"kind": "azure-cost-query", "subscription": "sub-1", "since": since},
                "export": {
                    "kind": "aws-data-export",
                    "account": "123456789012",
                    "bucket": "exports",
                    "export": "focus",
                    "since": since,
                },
            }
        )
    )


@dataclass(frozen=True)
class Trouble:
    """How likely each kind is: at each call of a function, or at each page."""

    killed: float = 0.05
    asleep: float = 0.04
    handover_lost: float = 0.05
    repeated: float = 0.05
    unheard: float = 0.02
    throttled: float = 0.08
    refused: float = 0.02
    denied: float = 0.001
    late: float = 0.2
    restated: float = 0.15
    corrected: float = 0.02
    outage_hours: int = 26


QUIET: Final = Trouble(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class WatchedWindows(FakeWindows):
    """A windows table that remembers how often each window was closed, and what was written to one that was.

    It also notes reads that went back: to fewer pages, or from being over to being under way.
    """

    def __init__(self, hop: Callable[[], object]) -> None:
        super().__init__(hop)
        self.went_back: list[str] = []
        self._over: set[tuple[str, str, datetime]] = set()
        self.closings: Counter[tuple[str, datetime]] = Counter()
        self.rewritten: list[Window] = []
        self.first_read: dict[str, list[datetime]] = {}

    def change_state(self, source: str, change: Callable[[SourceState | None], SourceState]) -> SourceState:
        """Change what is known of a source, and note what must not be."""
        seen: list[SourceState | None] = []

        def watched(state: SourceState | None) -> SourceState:
            seen.append(state)
            return change(state)

        after = super().change_state(source, watched)
        self._compare(source, seen[-1].read if seen[-1] else None, after.read)
        return after

    def _compare(self, source: str, before: Read | None, after: Read | None) -> None:
        if after is not None and (source, after.id, after.begun_at) in self._over:
            self.went_back.append(f"{source} {after.id} was over")
        if before is not None and (after is None or _name(after) != _name(before)):
            self._over.add((source, *_name(before)))
        elif before is not None and after is not None and after.pages < before.pages:
            self.went_back.append(f"{source} {after.id} had {before.pages} pages, and has {after.pages}")

    def put(self, window: Window) -> Window:
        """Keep a window, and remember what matters of it."""
        before = {it.start: it for it in self.windows(window.source, Span(window.start, window.start + HOUR))}
        after = super().put(window)
        there = before.get(window.start)
        if there is None:
            self.first_read.setdefault(window.source, []).append(window.start)
        elif there.status is WindowStatus.CLOSED:
            self.rewritten.append(after)
        if after.status is WindowStatus.CLOSED:
            self.closings[window.source, window.start] += 1
        return after


def _name(read: Read) -> tuple[str, datetime]:
    return read.id, read.begun_at


class WatchedStaging(FakeStaging):
    """A staging area that notes pages which were put in the place of others."""

    def __init__(self, hop: Callable[[], object]) -> None:
        super().__init__(hop)
        self.replaced: list[str] = []

    def put(self, source: str, read: str, run: str, number: int, content: Rows | ExportedFile) -> None:
        """Keep a page."""
        if (source, read, run, number) in self.pages:
            self.replaced.append(f"{source} {read}, page {number}")
        super().put(source, read, run, number, content)


class WatchedFiles(dict[str, StoredFile]):
    """Files that note when one of an older read was put in the place of a newer one's, or of one that was sealed."""

    def __init__(self) -> None:
        super().__init__()
        self.overwritten: list[str] = []

    def __setitem__(self, key: str, file: StoredFile) -> None:
        there = self.get(key)
        if there is not None and (there.closed or there.read.begun_at > file.read.begun_at):
            self.overwritten.append(f"{key} of {there.read.id} by {file.read.id}")
        super().__setitem__(key, file)


class _Declarations:
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def declared(self) -> Sources:
        return self._sources


class _NothingToSumUp:
    """What each saga costs is asked of Athena, and judged elsewhere."""

    def summarise(self, window: str) -> dict[str, Any]:
        return {"status": "DONE", "wait": 0}


@dataclass
class Bench:
    """What a run did: pages asked for, throttled, and asked for too early; reads by execution."""

    pages: int = 0
    throttles: int = 0
    fought: list[str] = field(default_factory=list)
    handovers: int = 0
    killed: int = 0
    executions: Counter[str] = field(default_factory=Counter)


class BillingWorld:
    """One deployment's billing, from the schedule to the files."""

    def __init__(self, seed: int, days: int, trouble: Trouble, begin: datetime = NINETY_DAYS) -> None:
        self.random = Random(seed)  # noqa: S311 -- a run must repeat
        self.trouble = trouble
        self.begin, self.end = begin, begin + timedelta(days=days)
        self.clock = VirtualClock(begin.timestamp())
        self._now = EngineClock(self.clock)
        self.sources = declared(begin)
        self.bill = Bill()
        self.bench = Bench()
        self._not_before: dict[str, tuple[datetime, datetime, Worker | None]] = {}
        self._frozen: set[Worker] = set()
        for name in self.sources:
            self.bill.add(list(self._charges(name)))
        self.windows = WatchedWindows(self._hop)
        self.staging = WatchedStaging(self._hop)
        self.kept = WatchedFiles()
        self.files = FakeCostFiles(self.staging, self._hop, self.kept)
        self.engine = Engine(clock=self.clock, seed=seed, lambda_invoke=self._invoke, on_status_change=self._ended)
        self.engine.core.dispatch = self._dispatch
        self.workers = Workers(self.engine)
        self._calls = 0
        self._handlers = self._make_handlers()
        definition = (STATEMACHINES / "billing.asl.json").read_text()
        definition = definition.replace("${BillingFunction}", "billing").replace("${PublishFunction}", "publish")
        self.machine = self.engine.create_state_machine("skysaga-billing", definition)

    def reader(self, name: str) -> BillSource:
        """The source of that name over the bill."""
        kinds: dict[str, type[BillSource]] = {"snapshot": SnapshotSource, "live": LiveSource, "export": ExportSource}
        before = partial(self._befall, name)
        return kinds[name](self.bill, _ACCOUNTS[name], self.sources[name], self._now, PAGE_ROWS, before)

    def run(self) -> None:
        """Every hour until the last window has settled; nothing is started during the outage."""
        settled = max(settled_at(it, self.end - HOUR) for it in self.sources.values())
        self.last = window_of(settled) + timedelta(days=2)
        outage = self.begin + (self.end - self.begin) / 3
        hour = self.begin + HOUR
        while hour <= self.last:
            if not outage <= hour < outage + timedelta(hours=self.trouble.outage_hours):
                self.engine.call_at(hour.timestamp() + self.random.random() * 20, partial(self._start, hour))
                if self.random.random() < self.trouble.repeated:
                    self.engine.call_at(hour.timestamp() + 30, partial(self._start, hour))
            hour += HOUR
        self.engine.run_until(self.last.timestamp() + 2 * 3600)

    def _start(self, hour: datetime) -> None:
        document = json.dumps({"window": window_name(hour)})
        request = {"stateMachineArn": self.machine, "name": window_name(hour), "input": document}
        try:
            self.engine.handle_call("StartExecution", request)
        except ApiError as error:
            if error.code != "ExecutionAlreadyExists":
                raise

    def _ended(self, detail: dict[str, Any]) -> None:
        self.bench.executions[detail["status"]] += 1

    def _charges(self, name: str) -> Iterator[Charge]:
        """What an account is charged for: known later, restated, corrected after its month, never after it settles."""
        source, account = self.sources[name], _ACCOUNTS[name]
        step = timedelta(days=1) if source.rhythm.unit == "day" else HOUR
        at, number = self.begin, 0
        while at < self.end:
            for _ in range(self.random.choice([0, 1, 1, 2, 3])):
                number += 1
                yield self._charge(f"{name}-{number}", source, account, at, step)
            at += step

    def _charge(self, name: str, source: AnySource, account: str, at: datetime, step: timedelta) -> Charge:
        random, trouble = self.random, self.trouble
        month = source.calendar.month_of(at)
        billed = at
        if random.random() < trouble.corrected and at - self.begin > timedelta(days=20):
            billed, at = at, at - timedelta(days=random.randint(1, 19))
            month = source.calendar.month_of(billed)
        final = settled_at(source, billed) - HOUR
        late = timedelta(hours=random.choice([1, 5, 30, 100])) if random.random() < trouble.late else timedelta()
        known_at = min(billed + late, final)
        if random.random() < trouble.restated:
            since = known_at + (final - known_at) * random.random()
            self.bill.restate(name, self._amount(), since)
        return Charge(
            id=name,
            provider="aws",
            account=account,
            service="Compute",
            sku="sku",
            region="eu",
            resource=f"r-{random.randint(1, 9)}",
            start=at,
            end=at + step,
            quantity=Decimal(1),
            unit="Hours",
            amount=self._amount(),
            currency=random.choice(["USD", "EUR"]),
            known_at=known_at,
            billing_month=month,
            corrects=billed is not at,
            tags={"skysaga-saga": f"s{random.randint(1, 5)}"},
        )

    def _amount(self) -> Decimal:
        return Decimal(self.random.randint(-(10**6), 10**12)).scaleb(-self.random.choice([2, 6, 12, 20]))

    def _befall(self, name: str) -> None:
        """What a source does before it answers; one that said when to come again is not to be asked before."""
        now, random, trouble = self._now.now(), self.random, self.trouble
        self.bench.pages += 1
        until, told_at, told = self._not_before.get(name, (now, now, None))
        # Who was killed, or is asleep, could tell nobody; nor can who was told just now.
        silent = told is not None and (told.killed or (told is not self.workers.current and not told.over))
        if now < until and not silent and now - told_at > SPREAD:
            self.bench.fought.append(f"{name} was asked at {now}, and not before {until}")
        self.workers.sleep_until(self.clock.now() + random.choice([0.2, 1, 5, 40]))
        if random.random() < trouble.throttled:
            seconds = random.choice([1, 5, 15, 40, 300, 1800])
            self.bench.throttles += 1
            told_at = self._now.now()
            self._not_before[name] = (told_at + timedelta(seconds=seconds), told_at, self.workers.current)
            raise Throttled("TooManyRequests", "slow down", seconds)
        if random.random() < trouble.refused:
            raise RetryableError("ServiceUnavailable", "for now")
        if random.random() < trouble.denied:
            raise TerminalError("AccessDenied", "the role may not")

    def _hop(self) -> None:
        """Let others go on meanwhile; now and then somebody falls asleep for longer than anybody waits for a beat."""
        asleep = self.random.random() < self.trouble.asleep / 10
        seconds = self.random.choice(ASLEEP_SECONDS if asleep else [0.01, 0.05, 0.3])
        if asleep and self.workers.current is not None:
            self._frozen.add(self.workers.current)
        self.workers.sleep_until(self.clock.now() + seconds)

    def _make_handlers(self) -> dict[str, Any]:
        declarations = _Declarations(self.sources)
        kinds: dict[str, str] = {it.kind: f"collect-{it.kind}" for it in self.sources.values()}
        steps = BillingSteps(declarations, kinds, self.windows, self._now)
        publishing = PublishingSteps(self.files, self.windows, self._now)
        parts = CollectorParts(
            declarations,
            self.windows,
            self.staging,
            EngineTasks(self.engine),
            self._now,
            self._hand_over,
            lambda seconds: self.workers.sleep_until(self.clock.now() + seconds),
        )
        collect = collect_handler(lambda source: self.reader(source.name), lambda: parts)
        handlers = {
            "billing": billing_handler(lambda: steps, lambda: cast(SummarisingSteps, _NothingToSumUp())),
            "publish": publish_handler(lambda: Publisher(declarations, publishing)),
            **dict.fromkeys(kinds.values(), collect),
        }
        return {name: inspect.unwrap(handler) for name, handler in handlers.items()}

    def _dispatch(self, request: TaskRequest) -> None:
        def report(outcome: Outcome) -> None:
            if outcome.kind == "succeeded" and request.resource.pattern == "waitForTaskToken":
                outcome = Outcome("submitted", output=outcome.output)
            self.engine.core.finish_attempt(request.execution_arn, request.attempt, outcome)

        def call() -> Outcome:
            return self.engine.calls.outcome(request)

        self._later(0.05, partial(self._run, call, report))
        if self.random.random() < self.trouble.repeated:
            self._later(self.random.choice([0.1, 1, 10]), partial(self._run, call, lambda _: None))
        if self.random.random() < self.trouble.unheard:
            lost = Outcome("failed", error="Lambda.Unknown", cause="{}")
            self._later(self.random.choice([0.2, 5, 60]), partial(report, lost))

    def _hand_over(self, function: str, event: Mapping[str, Any]) -> None:
        """Call a function again, which Lambda may do twice; a call that is lost shows in a missed heartbeat."""
        self.bench.handovers += 1
        name, payload = function.rpartition(":")[2], json.dumps(event).encode()
        times = 2 if self.random.random() < self.trouble.repeated else 1
        for number in range(0 if self.random.random() < self.trouble.handover_lost else times):
            self._later(0.5 + 3 * number, partial(self._run, partial(self._outcome, name, payload), lambda _: None))

    def _outcome(self, name: str, payload: bytes) -> Outcome:
        result = self._invoke(name, payload)
        return Outcome("failed" if result.function_error else "succeeded", output="{}")

    def _run(self, work: Callable[[], Outcome], report: Callable[[Outcome], None]) -> None:
        dies_at = self.random.choice([0, 1, 2, 3, 5, 8, 13]) if self.random.random() < self.trouble.killed else None
        worker = Worker("function", self.clock.now())
        kill = partial(self._kill, worker)
        timeout = self.engine.call_at(self.clock.now() + KILLED_SECONDS, partial(self._kill_awake, worker))
        if dies_at is not None:
            self._later(dies_at * self.random.choice([0.05, 1.0, 20.0]), kill)

        def ended(worker: Worker) -> None:
            timeout.cancel()
            report(worker.outcome or Outcome("failed", error="Runtime.ExitError", cause="{}"))

        self.workers.start(worker, work, ended)

    def _kill(self, worker: Worker) -> None:
        if not worker.over:
            self.bench.killed += 1
            self.workers.kill(worker)

    def _kill_awake(self, worker: Worker) -> None:
        """What is frozen is killed by nobody."""
        if worker not in self._frozen:
            self._kill(worker)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self.engine.call_at(self.clock.now() + seconds, action)

    def _invoke(self, name: str, payload: bytes) -> LambdaResult:
        self._calls += 1
        context = _TimedContext(name, f"request-{self._calls}", self.clock)
        try:
            result = self._handlers[name](json.loads(payload), context)
        except Exception as error:
            document = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
            return LambdaResult(json.dumps(document).encode(), "Unhandled")
        return LambdaResult(json.dumps(result).encode())


class _TimedContext(Context):
    """A context whose time runs by the engine's clock."""

    def __init__(self, function: str, request_id: str, clock: VirtualClock) -> None:
        super().__init__(function, request_id)
        self._ends_at = clock.now() + FUNCTION_SECONDS
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # Powertools declares a static method
        """What is left of the call's time."""
        return max(0, int((self._ends_at - self._clock.now()) * 1000))


def judge(world: BillingWorld) -> list[str]:
    """What of a run must not be: what is kept is compared with the bill as it stands in the end."""
    violations = [f"fought: {it}" for it in world.bench.fought]
    violations += [f"written after it was closed: {it.source} {it.start}" for it in world.windows.rewritten]
    violations += [f"went back: {it}" for it in world.windows.went_back]
    violations += [f"staged twice: {it}" for it in world.staging.replaced]
    violations += [f"replaced: {it}" for it in world.kept.overwritten]
    for name in world.sources:
        violations += _judge_source(world, name)
    return violations


def _judge_source(world: BillingWorld, name: str) -> Iterator[str]:
    windows = {it.start: it for it in world.windows.all_of(name)}
    expected: dict[datetime, list[Row]] = {}
    known = world.reader(name).rows(Span(world.begin, world.end), world.last)
    for row in known:
        expected.setdefault(row_window(row), []).append(row)
    for start in Span(world.begin, world.end).windows():
        window = windows.get(start)
        closings = world.windows.closings[name, start]
        if window is None or window.status is not WindowStatus.CLOSED or closings != 1:
            yield f"{name} {window_name(start)}: {window.status if window else 'never read'}, closed {closings} times"
            continue
        file = world.files.files.get(window.key or "")
        rows = list(file.rows) if file else []
        if _canonical(rows) != _canonical(expected.get(start, [])):
            yield f"{name} {window_name(start)}: {len(rows)} rows kept, {len(expected.get(start, []))} on the bill"
        if file and (file.etag != window.etag or not file.closed):
            yield f"{name} {window_name(start)}: its file is not the one that was sealed"
    if totals(row for it in world.files.files.values() for row in it.rows if row in known) != totals(known):
        yield f"{name}: the totals differ"
    units = list(dict.fromkeys(unit_of(world.sources[name], it) for it in world.windows.first_read.get(name, [])))
    if units != sorted(units):
        yield f"{name}: what it bills by was not first read in order"
    state = world.windows.state(name)
    if state is None or state.reads > MOST_READS:
        yield f"{name}: {state.reads if state else 'nothing'} reads in one hour"


def totals(rows: Any) -> dict[str, Decimal]:
    """The sum of rows by currency, exactly."""
    sums: dict[str, Decimal] = {}
    with localcontext(prec=60):  # the usual 28 digits would round
        for row in rows:
            sums[row["BillingCurrency"]] = sums.get(row["BillingCurrency"], Decimal()) + row["BilledCost"]
    return sums


def _canonical(rows: Sequence[Row]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


def simulate(
    seed: int, days: int = 90, trouble: Trouble | None = None, begin: datetime = NINETY_DAYS
) -> tuple[BillingWorld, list[str]]:
    """One run, and what of it must not be."""
    world = BillingWorld(seed, days, trouble or Trouble(), begin)
    world.run()
    return world, judge(world)


def main(arguments: Sequence[str] | None = None) -> int:
    """Some runs; 1 when any of them violates anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.billing", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args(arguments)
    logger.setLevel("CRITICAL")
    failed = 0
    for seed in range(options.first, options.first + options.runs):
        world, violations = simulate(seed, options.days)
        bench = world.bench
        windows = [it for name in world.sources for it in world.windows.all_of(name)]
        print(
            f"seed {seed}: {options.days} days, {len(windows)} windows, "
            f"{sum(it.status is WindowStatus.CLOSED for it in windows)} closed, "
            f"{sum(it.restated for it in windows)} restatements, {bench.pages} pages, {bench.throttles} throttled, "
            f"{bench.handovers} hand-overs, {bench.killed} killed, executions {dict(bench.executions)}, "
            f"{len(violations)} violations"
        )
        for violation in violations[:20]:
            print(f"  {violation}")
        failed += bool(violations)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

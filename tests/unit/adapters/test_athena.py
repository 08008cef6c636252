"""Costs on Athena: asked once for the same costs, never waited for too long, and wrong in words."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.adapters.athena import AthenaCosts, AthenaPlace
from lambdas.adapters.cost_sql import question_sql, table_name
from lambdas.core.billing.questions import Label, Question, Scope, parse_question
from lambdas.core.errors import Misconfigured, RetryableError, Throttled
from lambdas.core.ports.cost_query import Answer, SagaLine, SpentLine
from tests.fakes.clock import FakeClock
from tests.unit.athena.conftest import NINE, Place
from tests.unit.athena.conftest import place as place_fixture
from tests.unit.athena.costs import DATABASE, TABLE, WORKGROUP, Charge

place = place_fixture
TODAY = date(2026, 11, 26)
AT = AthenaPlace(WORKGROUP, DATABASE, TABLE)


def costs(place: Place, at: AthenaPlace = AT) -> AthenaCosts:
    return AthenaCosts(place.client("athena"), at, place.clock, place.clock.advance)


def ask(place: Place, version: str = "1", **parameters: str) -> Answer:
    question = parse_question({name.rstrip("_"): value for name, value in parameters.items()}, TODAY)
    return costs(place).answer(question, version, 0, 100)


def billed(answer: Answer) -> list[tuple[Any, ...]]:
    return [(*it.keys, it.currency, it.amounts.billed) for it in answer.lines]


@pytest.fixture(autouse=True)
def _charges(place: Place) -> None:
    place.put(
        Charge("1.00000000000000000001", NINE, saga="s1", tags={"team": "payments"}),
        Charge("2", NINE, saga="s1", effective="1.5"),
        Charge("4", NINE),
        Charge("8", NINE, service="O'Reilly, Inc", saga="s2"),
    )
    place.put(Charge("100", NINE, "EUR", provider="Microsoft", account="sub-1", saga="s1"), source="azure-prod")
    before = NINE - timedelta(days=30)
    place.put(Charge("16", before, saga="s1"), start=before)
    place.put(Charge("32", before), start=datetime(2026, 11, 1, tzinfo=UTC), source="late", month="2026-11")


def test_costs_are_grouped_and_currencies_are_never_added(place: Place) -> None:
    assert billed(ask(place, group_by="saga")) == [
        ("s1", "EUR", Decimal(100)),
        ("s2", "USD", Decimal(8)),
        (None, "USD", Decimal(4)),
        ("s1", "USD", Decimal("3.00000000000000000001")),
    ]
    [euro, dollar] = ask(place).lines
    assert (euro.currency, dollar.currency, dollar.amounts.effective) == (
        "EUR",
        "USD",
        Decimal("14.50000000000000000001"),
    )


def test_every_dimension_and_filter_is_understood(place: Place) -> None:
    assert billed(ask(place, group_by="source,provider,account", provider="azure")) == [
        ("azure-prod", "Microsoft", "sub-1", "EUR", Decimal(100))
    ]
    assert billed(ask(place, group_by="label:team", label="team=payments")) == [
        ("payments", "USD", Decimal("1.00000000000000000001"))
    ]
    assert billed(ask(place, group_by="service", service="O'Reilly, Inc")) == [("O'Reilly, Inc", "USD", Decimal(8))]
    assert billed(ask(place, group_by="region,day", saga="s2,s3", source="payments")) == [
        ("eu-west-1", "2026-11-26", "USD", Decimal(8))
    ]


def test_days_are_those_of_the_charge_and_months_those_of_the_bill(place: Place) -> None:
    october = ask(place, group_by="month", from_="2026-10-01", to="2026-10-31")
    assert billed(october) == [("2026-10", "USD", Decimal(16)), ("2026-11", "USD", Decimal(32))]
    assert billed(ask(place, source="late", month="2026-11")) == [("USD", Decimal(32))]
    assert billed(ask(place, group_by="day", source="payments", from_="2026-10-27", to="2026-10-27")) == [
        ("2026-10-27", "USD", Decimal(16))
    ]


def test_the_next_lines_are_those_of_the_same_answer(place: Place) -> None:
    question = Question(("saga",), Scope())
    first = costs(place).answer(question, "1", 0, 2)
    place.put(Charge("1000", NINE, saga="s9"))
    rest = costs(place).answer(question, "1", 2, 100)
    assert (first.more, rest.more) == (True, False)
    assert ("s9", "USD", Decimal(1000)) not in [*billed(first), *billed(rest)]
    assert ("s9", "USD", Decimal(1000)) in billed(costs(place).answer(question, "2", 0, 100))


def test_more_lines_than_athena_returns_at_once_are_all_there(place: Place) -> None:
    place.put(*(Charge(str(number), NINE, saga=f"s{number:04}") for number in range(1, 1203)))
    answer = costs(place).answer(Question(("saga",), Scope(filters={"source": ("payments",)})), "1", 999, 500)
    assert (len(answer.lines), answer.more) == (204, False)
    assert len({it.keys for it in answer.lines}) == 204


def test_an_answer_that_takes_too_long_is_gone_on_with_by_the_same_question(place: Place) -> None:
    place.holding, begun, question = True, place.clock.now(), Question(("saga",), Scope())
    with pytest.raises(RetryableError, match="the same question goes on with it"):
        costs(place).answer(question, "1", 0, 10)
    assert 15 < (place.clock.now() - begun).total_seconds() < 20
    with pytest.raises(RetryableError):
        costs(place).answer(question, "1", 0, 10)
    assert len(place.held) == 1
    place.let_go()
    assert costs(place).answer(question, "1", 0, 10).lines


def test_a_query_that_was_stopped_is_asked_anew(place: Place) -> None:
    place.holding, question = True, Question((), Scope())
    with pytest.raises(RetryableError):
        costs(place).answer(question, "1", 0, 10)
    statement = question_sql(question, table_name(DATABASE, TABLE))
    token = hashlib.sha256(f"{statement}\n1\n0".encode()).hexdigest()
    athena = place.client("athena")
    same = {"QueryString": statement, "ClientRequestToken": token, "WorkGroup": WORKGROUP}
    query = athena.start_query_execution(**same, QueryExecutionContext={"Database": DATABASE})["QueryExecutionId"]
    athena.stop_query_execution(QueryExecutionId=query)
    place.let_go()
    assert costs(place).answer(question, "1", 0, 10).lines


def test_a_table_that_is_not_there_is_an_operators_to_mend_and_works_once_it_is(place: Place) -> None:
    glue = place.client("glue")
    table = glue.get_table(DatabaseName=DATABASE, Name=TABLE)["Table"]
    glue.delete_table(DatabaseName=DATABASE, Name=TABLE)
    with pytest.raises(Misconfigured, match="TABLE_NOT_FOUND"):
        ask(place)
    wanted = {key: table[key] for key in ("Name", "StorageDescriptor", "PartitionKeys")}
    glue.create_table(DatabaseName=DATABASE, TableInput=wanted)
    place.clock.advance(60)
    assert ask(place).lines


def test_a_workgroup_that_is_not_there_is_an_operators_to_mend(place: Place) -> None:
    with pytest.raises(Misconfigured, match="WorkGroup nowhere is not found"):
        costs(place, at=AT._replace(workgroup="nowhere")).answer(Question((), Scope()), "1", 0, 1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow"}}, "StartQueryExecution"),
            Throttled,
        ),
        (
            ClientError({"Error": {"Code": "InternalServerException", "Message": "?"}}, "StartQueryExecution"),
            RetryableError,
        ),
        (EndpointConnectionError(endpoint_url="http://athena"), RetryableError),
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StartQueryExecution"),
            Misconfigured,
        ),
    ],
)
def test_what_athena_refuses_is_told_apart(error: Exception, kind: type[Exception]) -> None:
    class Refusing:
        def start_query_execution(self, **_: Any) -> Any:
            raise error

    client: Any = Refusing()
    with pytest.raises(kind):
        AthenaCosts(client, AT, FakeClock()).answer(Question((), Scope()), "1", 0, 1)


def test_a_summary_says_what_sagas_and_scopes_cost_once_it_is_there(place: Place) -> None:
    scopes = {
        "payments#2026-11": Scope(None, {"month": ("2026-11",)}, Label("team", "payments")),
        "nothing#total": Scope(None, {"saga": ("s7",)}),
    }
    place.holding = True
    assert costs(place).summary("2026-11", scopes, "2026-11-26T09") is None
    place.let_go()
    found = costs(place).summary("2026-11", scopes, "2026-11-26T09")
    assert found is not None
    ten = NINE + timedelta(hours=1)
    assert sorted(found.sagas) == [
        SagaLine("s1", "2026-11", "EUR", Decimal(100), Decimal(100), ten),
        SagaLine("s1", "2026-11", "USD", Decimal("3.00000000000000000001"), Decimal("2.50000000000000000001"), ten),
        SagaLine("s2", "2026-11", "USD", Decimal(8), Decimal(8), ten),
    ]
    one = Decimal("1.00000000000000000001")
    assert found.spent == [SpentLine("payments#2026-11", "USD", one, one)]

"""What may be asked about costs, and what is said to who asks for something else."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.core.billing.questions import Label, Question, Scope, parse_question
from lambdas.core.errors import RequestError

TODAY = date(2026, 11, 26)


def ask(**parameters: str) -> Question:
    return parse_question({name.rstrip("_"): value for name, value in parameters.items()}, TODAY)


def reasons(**parameters: str) -> dict[str, str]:
    with pytest.raises(RequestError) as refused:
        ask(**parameters)
    return {it.field: it.reason for it in refused.value.errors}


def test_without_a_word_it_is_about_this_month_until_today() -> None:
    assert ask() == Question((), Scope((date(2026, 11, 1), TODAY)))


def test_everything_can_be_asked_for_at_once() -> None:
    question = ask(
        group_by="saga,label:team,day",
        from_="2026-10-01",
        to="2026-10-31",
        provider="aws,gcp",
        service="EC2, and other",
        label="stage=prod",
    )
    filters = {"provider": ("aws", "gcp"), "service": ("EC2, and other",)}
    scope = Scope((date(2026, 10, 1), date(2026, 10, 31)), filters, Label("stage", "prod"))
    assert question == Question(("saga", "label:team", "day"), scope)


def test_what_a_month_was_billed_for_is_not_cut_off_by_days() -> None:
    assert ask(month="2026-10").scope == Scope(None, {"month": ("2026-10",)})


def test_a_mistake_is_answered_with_what_would_do() -> None:
    assert reasons(group_by="sagas")["group_by"].endswith("or label:KEY; did you mean saga?")
    assert reasons(groupby="saga") == {"groupby": "unknown parameter; did you mean group_by?"}
    assert reasons(group_by="label:") == {"group_by": "name the label, as in label:team"}
    assert reasons(label="team") == {"label": "must be key=value"}
    assert reasons(month="november") == {"month": "must be a month, as in 2026-11"}
    assert "earlier" in reasons(from_="2026-12-01")["from"]
    assert "at most 400 days" in reasons(from_="2020-01-01")["from"]


def test_all_mistakes_are_named_at_once() -> None:
    wrong = reasons(group_by="cost", from_="yesterday", to="20261101", saga="", label="x", provider="a" * 300)
    assert set(wrong) == {"group_by", "from", "to", "saga", "label", "provider"}
    assert wrong["to"] == "must be a day, as in 2026-11-01"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["group_by", "from", "to", "label", "saga", "service", "month"]), st.text()))
def test_whatever_is_asked_is_answered_or_refused_by_field(parameters: dict[str, str]) -> None:
    try:
        question = parse_question(parameters, TODAY)
    except RequestError as error:
        refused = {it.field for it in error.errors}
    else:
        refused = set()
        assert all(value.isprintable() for values in question.scope.filters.values() for value in values)
    assert refused <= {*parameters, "from"}

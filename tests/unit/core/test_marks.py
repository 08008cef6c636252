"""Marks in a machine's note."""

from __future__ import annotations

import pytest

from lambdas.core.marks import annotation, marks_of

MARKS = {"team": "payments", "skysaga-saga": "s0test0000000001", "skysaga-resource": "web", "skysaga-version": "1"}


def test_a_note_has_one_line_for_each_mark() -> None:
    assert annotation({"skysaga-saga": "s0", "team": ""}) == "skysaga-saga=s0\nteam="


def test_marks_are_read_back_as_they_were_written() -> None:
    assert marks_of(annotation(MARKS)) == MARKS


@pytest.mark.parametrize("ending", ["\r\n", "\n\n", " \n"])
def test_marks_survive_what_people_and_servers_do_to_a_note(ending: str) -> None:
    note = "Do not delete! See ticket 12\n" + annotation(MARKS).replace("\n", ending) + "\nowner of this = Bob"
    assert marks_of(note) == MARKS


def test_a_line_that_is_added_later_does_not_override_a_mark() -> None:
    assert marks_of(annotation(MARKS) + "\nskysaga-saga=s0other")["skysaga-saga"] == "s0test0000000001"


@pytest.mark.parametrize("note", [None, "", "a machine of ours", "=x"])
def test_other_notes_say_no_marks(note: str | None) -> None:
    assert marks_of(note) == {}


@pytest.mark.parametrize("mark", [("a", "b\nskysaga-saga=s0other"), ("a=b", "c"), ("a\n", "b")])
def test_a_mark_that_would_be_more_than_its_line_is_refused(mark: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be a line"):
        annotation(dict([mark]))

"""Whoever follows a guide to the letter is told where it no longer fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.guide import DoesNotFit, apply
from tests.docs.markdown import Block, blocks_of


def changes(text: str, path: str = "code.py") -> Block:
    return Block("diff", text, f"Changes in `{path}`:", 7)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("one = 1\ntwo = 2\none_more = 1\n")
    return tmp_path


def test_a_page_is_read_block_by_block_with_what_is_said_of_each(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Type this:\n\n    make up\n\n    make test\n\nThen:\n\n```sh\nls\n```\n\n- a list\n    that goes on\n"
    )

    assert blocks_of(page) == [
        Block("", "make up\n\nmake test\n", "Type this:", 3),
        Block("sh", "ls\n", "Then:", 10),
    ]


def test_a_fence_that_is_never_closed_is_no_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nls\n")

    with pytest.raises(ValueError, match="line 1 is never closed"):
        blocks_of(page)


def test_a_new_file_is_there_as_it_is_written(tree: Path) -> None:
    assert apply(Block("python", "x = 1\n", "New file `new/code.py`:", 3), tree) is None

    assert (tree / "new" / "code.py").read_text() == "x = 1\n"


def test_changes_are_made_where_the_lines_around_them_stand(tree: Path) -> None:
    apply(changes(" one = 1\n-two = 2\n+two = 22\n@@\n one_more = 1\n+three = 3\n"), tree)

    assert (tree / "code.py").read_text() == "one = 1\ntwo = 22\none_more = 1\nthree = 3\n"


def test_shell_is_to_be_run(tree: Path) -> None:
    assert apply(Block("sh", "ls\n", "", 1), tree) == "ls\n"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (changes("-three = 3\n+three = 4\n"), "has 0 places"),
        (changes("-wo = 2\n+wo = 4\n"), "has 0 places"),
        (changes("+nowhere = 3\n"), "has 4 places"),
        (changes("three = 3\n"), "begin every line"),
        (Block("python", "", "New file `code.py`:", 7), "is there already"),
        (Block("python", "", "And now:", 7), "say what the block is"),
    ],
)
def test_a_block_that_no_longer_fits_is_named_by_its_line(tree: Path, block: Block, reason: str) -> None:
    with pytest.raises(DoesNotFit, match=f"^line 7: .*{reason}"):
        apply(block, tree)

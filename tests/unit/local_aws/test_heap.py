"""What a machine's process does with memory that it has used."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

GAPS = """
import resource

from local.heap import give_back_unused

def resident():
    with open("/proc/self/statm") as kept:
        return int(kept.read().split()[1]) * resource.getpagesize() / 2**20

if {given_back}:
    give_back_unused()
large = bytearray(8 * 2**20)
del large  # from then on, glibc takes what is smaller from the heap
before = resident()
blocks = [bytearray(2**20) for _ in range(100)]
above = bytearray(100_000)
del blocks
print(resident() - before)
"""

KEPT = """
import gc

from local.heap import keep_for_good

kept = [[] for _ in range(100_000)]
cycle = []
cycle.append(cycle)
del cycle
gc.collect = lambda collect=gc.collect: print(collect() > 0)
keep_for_good()
print(gc.get_freeze_count() > 100_000, gc.get_count()[0] < 1000)
"""


def grown(given_back: bool) -> float:
    """By how many MiB a process grows that needs a hundred for a moment."""
    program = GAPS.format(given_back=given_back)
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 -- our own
    return float(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_memory_that_is_not_used_any_more_is_given_back() -> None:
    assert grown(given_back=False) > 50
    assert grown(given_back=True) < 10


def test_garbage_is_collected_before_what_is_there_is_kept_for_good() -> None:
    ran = subprocess.run([sys.executable, "-c", KEPT], check=True, capture_output=True, text=True)  # noqa: S603 -- our own

    assert ran.stdout == "True\nTrue True\n"

"""Gather this process's memory in huge pages, of which a fork has fewer to copy."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from grader.engine import linux

_HUGE = 2 << 20
_COLLAPSE = 25  # MADV_COLLAPSE, since Linux 6.1
_PRIVATE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ 00:00 0\s*(?:\[heap\])?$")


def use_huge_pages() -> None:
    """Where the system can; a template forks in half the time afterwards."""
    for start, size in _private_memory():
        with contextlib.suppress(OSError):
            linux.madvise(start, size, _COLLAPSE)


def _private_memory() -> Iterator[tuple[int, int]]:
    """Start and size of the whole huge pages in each private mapping of no file."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            if match := _PRIVATE.match(line):
                start = -(-int(match[1], 16) // _HUGE) * _HUGE
                end = int(match[2], 16) // _HUGE * _HUGE
                if end > start:
                    yield start, end - start

"""Marked regions in a cell: `### BEGIN <NAME>` to `### END <NAME>`."""

import re
from collections.abc import Iterator

SOLUTION = "SOLUTION"
HIDDEN_TESTS = "HIDDEN TESTS"
RUBRIC = "RUBRIC"
NAMES = (SOLUTION, HIDDEN_TESTS, RUBRIC)

_MARKER = re.compile(r"^\s*### (BEGIN|END) (.+?)\s*$")


class MarkerError(ValueError):
    """A marker without its partner: `line` counts from 0 within the cell."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def check(source: str) -> None:
    """Raise MarkerError unless every region opens once and closes before the next opens."""
    inside, opened = "", 0
    for number, line in enumerate(source.splitlines()):
        marker = _MARKER.match(line)
        if not marker:
            continue
        edge, name = marker.groups()
        if name not in NAMES:
            raise MarkerError(number, f"'{edge} {name}' is not one of {', '.join(NAMES)}")
        if edge == "BEGIN" and inside:
            raise MarkerError(number, f"BEGIN {name} inside BEGIN {inside}")
        if edge == "END" and inside != name:
            raise MarkerError(number, f"END {name} without its BEGIN {name}")
        inside, opened = (name, number) if edge == "BEGIN" else ("", number)
    if inside:
        raise MarkerError(opened, f"BEGIN {inside} without its END {inside}")


def _lines(source: str, name: str) -> Iterator[tuple[str, str]]:
    """Each line with its place: "begin", "inside", "end" or "outside" of a region `name`."""
    inside_region = False
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker and marker.group(2) == name:
            inside_region = marker.group(1) == "BEGIN"
            yield ("begin" if inside_region else "end"), line
        else:
            yield ("inside" if inside_region else "outside"), line


def replace(source: str, name: str, stub: str = "") -> str:
    """The source with each region of this name replaced by `stub`, indented as its BEGIN is."""
    kept: list[str] = []
    for place, line in _lines(source, name):
        if place == "begin":
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + new for new in stub.splitlines()]
        elif place == "outside":
            kept.append(line)
    return "\n".join(kept).rstrip()


def inside(source: str, name: str) -> str:
    """The text of every region of this name."""
    return "\n".join(line for place, line in _lines(source, name) if place == "inside")


def lines_inside(source: str, name: str) -> set[int]:
    """Numbers, from 1, of the lines that these regions have in the unmarked source."""
    kept = [place for place, line in _lines(source, name) if not _MARKER.match(line)]
    return {number for number, place in enumerate(kept, 1) if place == "inside"}


def unmark(source: str) -> str:
    """The source with the markers gone and the regions' text kept."""
    return "\n".join(line for line in source.split("\n") if not _MARKER.match(line))

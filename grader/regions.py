"""Marked regions in a cell: `### BEGIN <NAME>` to `### END <NAME>`."""

import re

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


def replace(source: str, name: str, stub: str = "") -> str:
    """The source with each region of this name replaced by `stub`, indented as its BEGIN is."""
    kept: list[str] = []
    inside = False
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker and marker.group(2) == name:
            inside = marker.group(1) == "BEGIN"
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + new for new in stub.splitlines()] if inside else []
        elif not inside:
            kept.append(line)
    return "\n".join(kept).rstrip()


def inside(source: str, name: str) -> str:
    """The text of every region of this name."""
    kept: list[str] = []
    open_region = False
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker and marker.group(2) == name:
            open_region = marker.group(1) == "BEGIN"
        elif open_region:
            kept.append(line)
    return "\n".join(kept)


def unmark(source: str) -> str:
    """The source with the markers gone and the regions' text kept."""
    return "\n".join(line for line in source.split("\n") if not _MARKER.match(line))

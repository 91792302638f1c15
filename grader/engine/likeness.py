"""How like a cell of the release a learner's cell is, where nothing surer is left."""

import functools
import re

from grader.engine.model import TrustedCell
from grader.engine.reading import Found

_REGION = re.compile(r"#[ #]{0,8}(BEGIN|END) ([A-Z ]+)")
_NAME = re.compile(r"^(?:(?:async[ ]+)?def|class)[ ]+(\w+)|^(\w+)[ \t]*=(?!=)", re.MULTILINE)
_LIKENESS = 0.5  # of names or lines that must agree
_LOCKED_LIKENESS = 0.6


@functools.lru_cache(maxsize=512)
def visible(source: str) -> tuple[str, ...]:
    """The lines that a release shows: none blank, none of a region like BEGIN HIDDEN TESTS."""
    lines, inside = [], ""
    for line in source.splitlines():
        marker = _REGION.search(line) if "BEGIN " in line or "END " in line else None
        if marker and marker[1] == "BEGIN" and not inside:
            inside = marker[2]
        elif marker and marker[1] == "END" and marker[2] == inside:
            inside = ""
        elif not inside and line.strip():
            lines.append(line.rstrip())
    return tuple(lines)


class Search:
    """The learner's unmatched cells, with what is worth computing once of each."""

    def __init__(
        self, cells: list[Found], order: list[str], places: dict[str, int], free: list[int]
    ) -> None:
        self.cells, self.order, self.places, self.free = cells, order, places, free
        self.lines = {place: set(visible(cells[place].source)) for place in free}
        self.names = {place: _names(cells[place].source) for place in free}

    def gap(self, trusted: TrustedCell) -> list[int]:
        """Free cells between the nearest known cells before and after this one."""
        at, places = self.order.index(trusted.grade_id), self.places
        before = (places[name] for name in reversed(self.order[:at]) if name in places)
        after = (places[name] for name in self.order[at + 1 :] if name in places)
        low, high = next(before, -1), next(after, len(self.cells))
        return [place for place in self.free if low < place < high]

    def alike(self, trusted: TrustedCell) -> int | None:
        """The cell of the gap that keeps most of the trusted cell's lines."""
        least = _LIKENESS if trusted.solution else _LOCKED_LIKENESS
        wanted = set(visible(trusted.source))
        scores = {}
        for place in self.gap(trusted):
            total = len(wanted) if trusted.solution else max(len(wanted), len(self.lines[place]))
            scores[place] = len(wanted & self.lines[place]) / total if total else 0.0
        return _top(scores, least, -1)

    def same_name(self, trusted: TrustedCell) -> int | None:
        """The last cell that defines what the stub does, in the gap or else anywhere."""
        wanted = _names(trusted.source)
        if not wanted:
            return None
        scores = {place: len(wanted & self.names[place]) / len(wanted) for place in self.free}
        near = {place: scores[place] for place in self.gap(trusted)}
        changed = {p: s for p, s in near.items() if self.cells[p].source != trusted.source}
        for candidates in (changed, near, scores):
            best = _top(candidates, _LIKENESS, 1)
            if best is not None:
                return best
        return None

    def placed(self, trusted: TrustedCell) -> int | None:
        """The gap's last cell of the right type: it stands next to what follows the answer."""
        kind = "code" if trusted.cell_type == "code" else "markdown"
        fit = [place for place in self.gap(trusted) if self.cells[place].cell_type == kind]
        return fit[-1] if fit else None


def _names(source: str) -> set[str]:
    return {first or second for first, second in _NAME.findall(source)}


def _top(scores: dict[int, float], least: float, late: int) -> int | None:
    """The place of the highest score; `late` says whether the last (1) or first (-1) of equals."""
    good = [(score, late * place) for place, score in scores.items() if score >= least]
    return max(good)[1] * late if good else None

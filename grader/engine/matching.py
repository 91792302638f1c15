"""Which cell of the learner's is which cell of the release.

The surest evidence first: nbgrader's grade_id, the cell's id, equal source, a name that the
stub defines, lines of the stub that are left, and last the place between known cells. All of it
is linear in the text; a claim can only ever give an answer its source, never move a cell.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from grader.engine.likeness import Search, visible
from grader.engine.model import NotebookSpec, TrustedCell
from grader.engine.reading import Found


@dataclass
class Match:
    """`places` gives each found trusted cell its index among the learner's cells."""

    places: dict[str, int] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)  # copies of tests
    how: dict[str, str] = field(default_factory=dict)  # where it was not by a unique grade_id


def match(cells: list[Found], spec: NotebookSpec) -> Match:
    """Find the trusted cells of `spec` among the learner's."""
    found, stripped = Match(), not any(cell.claim for cell in cells)
    _by_claim(cells, spec, found)
    _by_cell_id(cells, spec, found)
    _by_source(cells, spec, found)
    if len(found.places) < len(spec.cells):
        _by_likeness(cells, spec, found, stripped)
    return found


def _is_test(cell: TrustedCell) -> bool:
    return cell.grade and not cell.solution


def _by_claim(cells: list[Found], spec: NotebookSpec, found: Match) -> None:
    claims: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        claims[cell.claim].append(place)
    for trusted in spec.cells:
        copies = claims.get(trusted.grade_id, [])
        if not copies:
            continue
        chosen = _best_copy(cells, copies, trusted)
        found.places[trusted.grade_id] = chosen
        if len(copies) == 1:
            continue
        found.how[trusted.grade_id] = f"occurred {len(copies)} times"
        for place in copies:
            same = visible(cells[place].source) == visible(trusted.source)
            if place != chosen and not trusted.solution and (_is_test(trusted) or same):
                found.dropped.add(place)


def _best_copy(cells: list[Found], copies: list[int], trusted: TrustedCell) -> int:
    """Of an answer the last copy that differs from the stub, as 'restart and run all' has it."""
    if trusted.solution:
        changed = [place for place in copies if cells[place].source != trusted.source]
        return (changed or copies)[-1]
    shown = visible(trusted.source)
    equal = (place for place in copies if visible(cells[place].source) == shown)
    return next(equal, copies[0])


def _free(cells: list[Found], found: Match, known: frozenset[str]) -> list[int]:
    """Cells that are nothing yet; a copy that claims a known id stays a copy."""
    taken = set(found.places.values()) | found.dropped
    return [i for i, cell in enumerate(cells) if i not in taken and cell.claim not in known]


def _known(spec: NotebookSpec) -> frozenset[str]:
    return frozenset(cell.grade_id for cell in spec.cells)


def _missing(spec: NotebookSpec, found: Match) -> list[TrustedCell]:
    return [cell for cell in spec.cells if cell.grade_id not in found.places]


def _by_cell_id(cells: list[Found], spec: NotebookSpec, found: Match) -> None:
    places = {cells[place].cell_id: place for place in _free(cells, found, _known(spec))}
    for trusted in _missing(spec, found):
        names = (trusted.grade_id, trusted.grade_id.removeprefix("given-"))
        ids = [f"{spec.name}-{name}"[:64] for name in names]
        place = next((places.pop(id_) for id_ in ids if id_ in places), None)
        if place is not None:
            found.places[trusted.grade_id] = place
            found.how[trusted.grade_id] = "recognized by its cell's id"


def _by_source(cells: list[Found], spec: NotebookSpec, found: Match) -> None:
    """Locked cells whose text is the release's; equal ones in their order."""
    missing = [cell for cell in _missing(spec, found) if not cell.solution]
    if not missing:
        return
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place in _free(cells, found, _known(spec)):
        places[visible(cells[place].source)].append(place)
    for trusted in missing:
        equal = places.get(visible(trusted.source))
        if equal and visible(trusted.source):
            found.places[trusted.grade_id] = equal.pop(0)
            found.how[trusted.grade_id] = "recognized by its text"


def _by_likeness(cells: list[Found], spec: NotebookSpec, found: Match, stripped: bool) -> None:
    order = [cell.grade_id for cell in spec.cells]
    search = Search(cells, order, found.places, _free(cells, found, _known(spec)))

    def take(solution: bool, choose: Callable[[TrustedCell], int | None]) -> None:
        for trusted in _missing(spec, found):
            place = choose(trusted) if trusted.solution == solution else None
            if place is not None:
                found.places[trusted.grade_id] = place
                found.how[trusted.grade_id] = "recognized by its content and place"
                search.free.remove(place)

    take(False, search.alike)
    take(True, search.same_name)
    take(True, search.alike)
    if stripped and found.places:  # with metadata in place, a cell that lacks it is no answer
        take(True, search.placed)

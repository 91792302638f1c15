"""The engine's preparing: broken files are graded or refused, and the release always stands."""

import json
import random
import string
import time
from contextlib import suppress

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum, determine_grade

from grader.engine.matching import match
from grader.engine.model import NotebookSpec, TrustedCell
from grader.engine.prepare import MOST_REPAIRS, Prepared, prepare
from grader.engine.reading import read
from grader.errors import CourseError
from tests.security.broken import ANSWERS, BROKEN, GOOD, SPEC, STUB, Broken, edited, plain


def trusted_part(prepared: Prepared) -> dict[str, str]:
    """The sources of the release's cells, in their order in the result."""
    cells = [cell for cell in prepared.notebook.cells if cell.metadata]
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in cells}


def own_part(prepared: Prepared) -> tuple[str, ...]:
    return tuple(cell.source for cell in prepared.notebook.cells if not cell.metadata)


def check_release_stands(prepared: Prepared, spec: NotebookSpec = SPEC) -> None:
    """The result is valid, and nothing but the answers' source is the learner's."""
    notebook = prepared.notebook
    nbformat.validate(notebook)
    json.dumps(notebook, allow_nan=False).encode()
    assert notebook.metadata.kernelspec.name == "python3"
    trusted = [cell for cell in notebook.cells if cell.metadata]
    assert [cell.metadata.nbgrader.grade_id for cell in trusted] == [
        c.grade_id for c in spec.cells
    ]
    for cell, wanted in zip(trusted, spec.cells, strict=True):
        meta = cell.metadata.nbgrader
        assert list(cell.metadata) == ["nbgrader"] and "attachments" not in cell
        assert cell.cell_type == meta.cell_type == wanted.cell_type
        assert (meta.grade, meta.solution, meta.locked) == (
            wanted.grade,
            wanted.solution,
            wanted.locked,
        )
        assert meta.get("points", 0.0) == wanted.points
        assert wanted.solution or cell.source == wanted.source
        MetadataValidator().validate_cell(cell)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert all(len(repair) < 200 and repair.isprintable() for repair in prepared.repairs)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_broken(broken: Broken) -> None:
    raw = broken.breaks(GOOD)
    started = time.process_time()
    if broken.refused:
        with pytest.raises(CourseError, match=broken.says) as refused:
            prepare(raw, SPEC)
        sentence = str(refused.value)
        assert sentence.endswith(".") and "; " in sentence and len(sentence) < 200
        return
    prepared = prepare(raw, SPEC)
    assert time.process_time() - started < 2
    check_release_stands(prepared)
    assert any(broken.says in repair for repair in prepared.repairs) or not broken.says
    stubs = {cell.grade_id: cell.source for cell in SPEC.cells}
    found = trusted_part(prepared)
    for grade_id, answer in (ANSWERS | broken.answers).items():
        assert found[grade_id] == (stubs[grade_id] if answer is None else answer)
    assert own_part(prepared) == broken.extra


def test_there_are_many_kinds_each_under_its_own_name() -> None:
    assert len({broken.name for broken in BROKEN}) == len(BROKEN) >= 30


def test_good_notebook_needs_no_repair() -> None:
    prepared = prepare(GOOD, SPEC)
    check_release_stands(prepared)
    assert prepared.repairs == []
    assert own_part(prepared) == ("# Welcome", "helper = 1", "*The end.*")
    after = [cell.source for cell in prepared.notebook.cells]
    assert after.index("helper = 1") == after.index(ANSWERS["mean"]) + 1


def test_checksum_is_the_stubs_as_nbgrader_wants_it() -> None:
    prepared = prepare(edited(lambda nb: nb["cells"].pop(7))(GOOD), SPEC)
    words = next(
        c
        for c in prepared.notebook.cells
        if c.get("metadata", {}).get("nbgrader", {}).get("grade_id") == "words"
    )
    assert determine_grade(words) == (None, 4.0)
    words.source = SPEC.cells[6].source
    assert words.metadata.nbgrader.checksum == compute_checksum(words)
    assert determine_grade(words) == (0, 4.0)


def test_a_moved_answer_goes_back_and_own_cells_stay_where_they_were() -> None:
    def move(notebook):
        cells = notebook["cells"]
        cells.append(cells.pop(2))  # the answer `mean`, from before its helper to the end

    prepared = prepare(edited(move)(GOOD), SPEC)
    sources = [cell.source for cell in prepared.notebook.cells]
    assert sources.index("helper = 1") == sources.index("import math") + 1
    assert sources.index(ANSWERS["mean"]) == sources.index("helper = 1") + 1
    assert prepared.repairs == ["cells stood in another order, the release's restored"]


GENERIC = "# YOUR CODE HERE\nraise NotImplementedError()"
SAME_STUBS = NotebookSpec(
    "same",
    tuple(
        cell
        for n in range(4)
        for cell in (
            TrustedCell(f"q{n}", "code", GENERIC, solution=True),
            TrustedCell(
                f"q{n}-test", "code", f"assert x{n} == {n}", points=1.0, grade=True, locked=True
            ),
        )
    ),
)


def test_answers_with_one_common_stub_are_told_apart_by_their_place() -> None:
    """As in most courses: each stub says the same; one answer is left open, one rewritten."""
    answers = ["x0 = 0", GENERIC, "# YOUR CODE HERE\nx2 = 2", "a = 3\nx3 = a"]
    cells = [plain(s) for n in range(4) for s in (answers[n], f"assert x{n} == {n}")]
    raw = json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}).encode()
    found = trusted_part(prepare(raw, SAME_STUBS))
    assert [found[f"q{n}"] for n in range(4)] == answers


def test_own_cells_are_no_answers_where_metadata_is_kept() -> None:
    """A helper beside a deleted answer is not taken for it without any evidence."""
    raw = edited(lambda nb: nb["cells"].pop(2))(GOOD)
    prepared = prepare(raw, SPEC)
    assert trusted_part(prepared)["mean"] == STUB
    assert "helper = 1" in own_part(prepared)


def test_repairs_are_bounded() -> None:
    cells = json.dumps({"cells": [1] * 1900 + [{"source": STUB}], "nbformat": 4}).encode()
    assert len(prepare(cells, SPEC).repairs) == MOST_REPAIRS + 1


def random_json(rng: random.Random, depth: int = 0) -> object:
    kinds = ["cell", "text", "number", "list", "dict", "none"][: 6 if depth < 4 else 3]
    match rng.choice(kinds[depth > 3 :]):
        case "text":
            return rng.choice(["code", "mean", "markdown", "", "\ud800", "x" * 99, STUB])
        case "number":
            return rng.choice([0, 4, -1, 1e400, 3.5, True])
        case "none":
            return None
        case "list":
            return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    keys = ["cell_type", "source", "metadata", "nbgrader", "grade_id", "id", "cells", "nbformat"]
    keys += ["worksheets", "input", "kernelspec", "name", "language_info", "points", "outputs"]
    return {rng.choice(keys): random_json(rng, depth + 1) for _ in range(rng.randrange(7))}


def test_random_damage_raises_nothing_else() -> None:
    rng, graded = random.Random(0), 0
    for _ in range(250):
        notebook = json.loads(GOOD)
        for _ in range(rng.randrange(1, 6)):
            target = rng.choice([notebook, *notebook["cells"], notebook["metadata"]])
            metadata = target.get("metadata")
            if isinstance(metadata, dict) and rng.random() < 0.5:
                target = metadata.get("nbgrader", metadata)
            if isinstance(target, dict) and target:
                target[rng.choice(list(target))] = random_json(rng)
            if not isinstance(notebook["cells"], list) or not all(
                isinstance(cell, dict) for cell in notebook["cells"]
            ):
                break
            if not isinstance(notebook["metadata"], dict):
                break
        try:
            check_release_stands(prepare(json.dumps(notebook).encode(), SPEC))
            graded += 1
        except CourseError:
            pass
    assert graded > 150


def test_random_bytes_raise_nothing_else() -> None:
    rng = random.Random(1)
    for _ in range(200):
        raw = bytearray(GOOD)
        for _ in range(rng.randrange(1, 20)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        with suppress(CourseError):
            check_release_stands(prepare(bytes(raw[: rng.randrange(len(raw)) * 9]), SPEC))


@pytest.mark.parametrize(
    "source",
    [
        "#" * 400_000,
        "# BEGIN " * 45_000,
        "def " * 90_000,
        "\n" * 400_000,
        "a" * 400_000,
        "a=" * 200_000,
        "".join(random.Random(0).choices(string.ascii_letters + "\n =#", k=400_000)),
    ],
    ids=["hashes", "regions", "defs", "lines", "word", "names", "noise"],
)
def test_hostile_sources_cost_little(source: str) -> None:
    cells = [plain(source + str(n)) for n in range(4)] + [plain(STUB)]
    started = time.process_time()
    prepare(json.dumps({"cells": cells, "nbformat": 4}).encode(), SPEC)
    assert time.process_time() - started < 3


def test_many_cells_cost_little() -> None:
    cells = [
        plain(f"def f{n}(x):\n    return x\nraise NotImplementedError()") for n in range(1900)
    ]
    started = time.process_time()
    reading = read(json.dumps({"cells": [*cells, plain(STUB)], "nbformat": 4}).encode(), "x")
    match(reading.cells, NotebookSpec("many", SPEC.cells))
    assert time.process_time() - started < 3

"""A master as the notebook that nbgrader calls the source: with answers, tests and metadata."""

import json
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader import regions
from grader.answers import Variant
from grader.master import Cell, Lab

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def source_notebook(lab: Lab, bank: tuple[Variant, ...]) -> Any:
    """The notebook from which nbgrader releases: answers, hidden tests and rubrics included."""
    notebook = new_notebook(
        metadata={
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "course": {"lab": lab.name},
        }
    )
    after, count = "start", 0
    for cell in lab.cells:
        for new in _cells(lab, cell, bank):
            grade_id = new.metadata.get("nbgrader", {}).get("grade_id", "")
            if grade_id in lab.points:
                after, count = grade_id, 0
            if not grade_id or grade_id.startswith("given-"):
                count += 1
                grade_id = f"{after}-{count}"
                if "nbgrader" in new.metadata:
                    new.metadata["nbgrader"]["grade_id"] = f"given-{grade_id}"
            new["id"] = f"{lab.name}-{grade_id}"[:64]
            notebook.cells.append(new)
    nbformat.validate(notebook)
    return notebook


def test_source(lab: Lab, bank: tuple[Variant, ...], question: str) -> str:
    """The whole test cell of a question, hidden tests and markers included."""
    for cell in lab.cells:
        if cell.question == question and cell.kind == "test":
            return cell.source
        if cell.question == question and cell.kind == "review":
            return _review_test(cell, lab, bank)
    raise KeyError(question)


def _cells(lab: Lab, cell: Cell, bank: tuple[Variant, ...]) -> list[Any]:
    match cell.kind:
        case "markdown":
            return [new_markdown_cell(cell.source)]
        case "make":  # computes what a given cell reads; only the replay runs it
            return []
        case "answer":
            return [_code(cell, cell.name, solution=True)]
        case "test":
            return [_code(cell, f"{cell.name}-test", points=cell.points, locked=True)]
        case "written":
            return _written(cell)
        case "review":
            code = _review_test(cell, lab, bank)
            test = new_code_cell(code, metadata=_metadata(f"{cell.question}-test", "code"))
            test.metadata["nbgrader"].update(grade=True, points=cell.points, locked=True)
            return [_shown(cell, bank), _code(cell, cell.question, solution=True), test]
    return [_code(cell, "given-", locked=True)]


def _metadata(grade_id: str, cell_type: str) -> dict[str, Any]:
    nbgrader = {
        "grade": False,
        "grade_id": grade_id,
        "locked": False,
        "schema_version": 3,
        "solution": False,
        "task": False,
        "cell_type": cell_type,
    }
    return {"nbgrader": nbgrader}


def _code(
    cell: Cell, grade_id: str, *, solution: bool = False, locked: bool = False, points: float = 0
) -> Any:
    new = new_code_cell(cell.source, metadata=_metadata(grade_id, "code"))
    new.metadata["nbgrader"].update(solution=solution, locked=locked, grade=bool(points))
    if points:
        new.metadata["nbgrader"]["points"] = points
    tags = ["parameters"] if cell.kind == "parameters" else []
    tags += ["varies"] if cell.varies else []
    if tags:
        new.metadata["tags"] = tags
    return new


def _written(cell: Cell) -> list[Any]:
    """The answer in words, and a locked cell whose rubric only those who grade will see."""
    text = regions.replace(cell.source, regions.RUBRIC)
    answer = new_markdown_cell(text, metadata=_metadata(cell.name, "markdown"))
    answer.metadata["nbgrader"].update(solution=True, grade=True, points=cell.points)
    rubric = regions.inside(cell.source, regions.RUBRIC)
    note = f"*A person grades this answer, up to {cell.points:g} points.*"
    locked = new_markdown_cell(
        f"{note}\n\n### BEGIN RUBRIC\n{rubric}\n### END RUBRIC",
        metadata=_metadata(f"{cell.name}-rubric", "markdown"),
    )
    locked.metadata["nbgrader"]["locked"] = True
    return [answer, locked]


def _shown(cell: Cell, bank: tuple[Variant, ...]) -> Any:
    """The plausible, wrong code that the learner's test is to expose."""
    shown = _shown_variant(cell, bank)
    return new_markdown_cell(
        f"A colleague's `{cell.name.replace('-', '_')}`, up for review:\n\n"
        f"```python\n{shown.source if shown else ''}\n```"
    )


def _shown_variant(cell: Cell, bank: tuple[Variant, ...]) -> Variant | None:
    return next((v for v in bank if v.question == cell.name and v.wrong and v.shown), None)


def _review_test(cell: Cell, lab: Lab, bank: tuple[Variant, ...]) -> str:
    """The cell that scores a learner's test: visible on the shown code, hidden on the bank."""
    function = cell.name.replace("-", "_")
    shown = _shown_variant(cell, bank)
    model = regions.unmark(lab.cell("answer", cell.name).source)
    right = [model] + [v.source for v in bank if v.question == cell.name and not v.wrong]
    wrong = [v.source for v in bank if v.question == cell.name and v.wrong and not v.shown]
    return (
        "from grader.review import review_score\n\n"
        f"shown = {_literal(shown.source if shown else '')}\n"
        "wrong, right = [shown], []\n"
        "### BEGIN HIDDEN TESTS\n"
        f"wrong += {_literals(wrong)}\n"
        f"right += {_literals(right)}\n"
        "### END HIDDEN TESTS\n"
        f"review_score(test_{function}, {function!r}, wrong, right, {cell.points:g}, globals())"
    )


def _literal(code: str) -> str:
    """A Python string literal of the code, one source line per line."""
    lines = [json.dumps(line + "\n", ensure_ascii=False) for line in code.split("\n")]
    return "(\n    " + "\n    ".join(lines) + "\n)"


def _literals(codes: list[str]) -> str:
    return "[" + ", ".join(_literal(code) for code in codes) + "]"

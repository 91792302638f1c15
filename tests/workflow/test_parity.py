"""Scores are nbgrader's own on honest work; where they are meant to differ, each is shown."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook

from grader.cli import main
from grader.course import Course, nbgrader_api
from tests.book.browser import CHROMIUM
from tests.workflow.browser import formgrader, seen
from tests.workflow.foreign import cell, environment, hand_in_file, notebook_of, run
from tests.workflow.learners import model_answers, wrong_answers
from tests.workflow.running import BIN, copied, hand_in, results

EXAMPLE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "example"
c.Exchange.root = "exchange"
"""
TEST = {"grade": True, "locked": True}
MANUAL = {"grade": True, "solution": True}

NUMBERS = notebook_of(
    cell(new_markdown_cell, "# Numbers in a file", "title", locked=True),
    cell(
        new_code_cell,
        "def load():\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION",
        "load",
        solution=True,
    ),
    cell(new_code_cell, "import helpers\n\nrows = load()", "given", locked=True),
    cell(
        new_code_cell,
        "assert rows == [1.0, 2.0, 4.0]\nbest = helpers.highest(rows)",
        "load-test",
        points=2,
        **TEST,
    ),
    new_markdown_cell("A cell without any metadata."),
    cell(new_code_cell, "def scale(values, top):\n    ...", "scale", solution=True),
    cell(
        new_code_cell,
        "points = 0.0\nscaled = scale(rows, best)\npoints += 1.5 * (scaled[0] == 0.25)\n"
        "points += 1.5 * (scaled[-1] == 1.0)\npoints",
        "scale-test",
        points=3,
        **TEST,
    ),
    cell(
        new_code_cell,
        "assert scale([2.0], 2.0) == [1.0]\n### BEGIN HIDDEN TESTS\n"
        "assert scale([], 2.0) == []\n### END HIDDEN TESTS",
        "hidden-test",
        points=1,
        **TEST,
    ),
    cell(new_code_cell, "# your plan, as code", "plan", points=2, **MANUAL),
    cell(new_markdown_cell, "Your words.", "words", points=1, **MANUAL),
    cell(new_markdown_cell, "Explore freely.", "explore", points=4, locked=True, task=True),
)
PLOTS = notebook_of(
    cell(
        new_code_cell,
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "imports",
        locked=True,
    ),
    cell(new_code_cell, "def draw(values):\n    ...", "draw", solution=True),
    cell(
        new_code_cell,
        "figure = draw([1, 2])\nassert len(figure.axes[0].lines) == 1\nplt.show()",
        "draw-test",
        points=2,
        **TEST,
    ),
    cell(
        new_code_cell,
        "%%time\nassert draw([1, 3]) is not None\ntimed = True",
        "timed-test",
        points=1,
        **TEST,
    ),
    cell(
        new_code_cell,
        "%%capture caught\n%precision 3\nassert timed",
        "magic-test",
        points=1,
        **TEST,
    ),
)
LOAD = (
    "def load():\n    from pathlib import Path\n"
    "    return [float(x) for x in Path('data/values.csv').read_text().split()]"
)
SCALE = "def scale(values, top):\n    return [value / top for value in values]"
DRAW = "def draw(values):\n    fig, axes = plt.subplots()\n    axes.plot(values)\n    return fig"
RIGHT = {"load": LOAD, "scale": SCALE, "draw": DRAW, "plan": "steps = 3", "words": "Mine."}
RAN = "document.body.dataset.ran = 'yes'"
TAG = f'<script>{RAN}</script><img src=x onerror="{RAN}">'
SHOWS = (
    "\n\nfrom IPython.display import HTML, Javascript, display\n"
    f"display(HTML({TAG!r}), Javascript({RAN!r}))\n"
)
HOMEWORK = {
    "right": RIGHT,
    "half": RIGHT | {"scale": "def scale(values, top):\n    return [1.0 for value in values]"},
    "magics": {
        "load": f"%%time\n{LOAD}",
        "draw": f"%time print('slow')\n!echo shell\n{DRAW}",
        "scale": "get_ipython().run_line_magic('pwd', '')\n" + SCALE,
    },
    "broken": {"load": "def load(:", "draw": "raise ValueError", "words": "Only words."},
    "blank": {},
    "one-notebook": RIGHT,
}
PROBLEMS = {
    "right": {
        "squares": "def squares(n):\n    if n < 1:\n        raise ValueError\n"
        "    return [i**2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))",
        "sum_of_squares_equation": "A sum.",
        "sum_of_squares_application": "sum_of_squares(3)",
        "part-a": "Fibonacci.",
        "part-b": "Negative numbers.",
    },
    "half": {
        "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(i**2 for i in range(1, n + 1))",
        "part-b": "I know not.",
    },
    "blank": {},
}


def plain(folder: Path) -> Course:
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    return Course(folder)


def homework(folder: Path) -> Course:
    """Two notebooks with data, a module, manual answers and a task; nobody's but nbgrader's."""
    course = plain(folder)
    source = course.source / "hw"
    (source / "data").mkdir(parents=True)
    (source / "data" / "values.csv").write_text("1\n2\n4\n")
    (source / "helpers.py").write_text("def highest(values):\n    return max(values)\n")
    nbformat.write(NUMBERS, source / "numbers.ipynb")
    nbformat.write(PLOTS, source / "plots.ipynb")
    assert nbgrader_api(course).generate_assignment("hw")["success"]
    for student, answers in HOMEWORK.items():
        hand_in_file(course, "hw", "numbers", student, answers)
        if student != "one-notebook":
            hand_in_file(course, "hw", "plots", student, answers)
    return course


def quickstart(folder: Path) -> Course:
    """nbgrader's own example."""
    course = plain(folder)
    shutil.copytree(EXAMPLE / "ps1", course.source / "ps1")
    assert nbgrader_api(course).generate_assignment("ps1")["success"]
    for student, answers in PROBLEMS.items():
        for name in ("problem1", "problem2"):
            hand_in_file(course, "ps1", name, student, answers)
    return course


def lab(released: Path, folder: Path) -> Course:
    """A lab in the form of this repository."""
    course = copied(Course(released), folder)
    model, wrong = model_answers(course, "mini-mean"), wrong_answers(course, "mini-mean")
    hand_in(course, "mini-mean", "right", model)
    hand_in(course, "mini-mean", "wrong", wrong)
    hand_in(course, "mini-mean", "broken", model | {"spread": "def spread(values, center)"})
    hand_in(course, "mini-mean", "blank", {})
    hand_in(course, "mini-mean", "script", wrong | {"mean": wrong["mean"] + SHOWS, "choice": TAG})
    return course


def in_the_gradebook(course: Course, assignment: str) -> dict[str, Any]:
    """What formgrader reads: by student and cell, each score, wait and comment."""
    found: dict[str, Any] = {}
    with Gradebook(nbgrader_api(course).coursedir.db_url) as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            cells = found.setdefault(submission.student.id, {})
            cells["in all"] = (submission.score, submission.needs_manual_grade)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    cells[grade.name] = (grade.auto_score, grade.score, grade.needs_manual_grade)
                for comment in notebook.comments:
                    cells[f"{comment.name}, comment"] = comment.auto_comment
    return found


@dataclass
class Both:
    """One course graded twice."""

    assignment: str
    ours: Course
    theirs: Course
    nbgrader: Any = None


@pytest.fixture(scope="module")
def graded(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Both]:
    """Each course as graded by nbgrader, and a copy of it as graded by us."""
    folder = tmp_path_factory.mktemp("parity")
    made = {
        "hw": homework(folder / "hw" / "course"),
        "ps1": quickstart(folder / "ps1" / "course"),
        "mini-mean": lab(released_once, folder / "lab" / "course"),
    }
    both = {
        name: Both(name, course, copied(course, course.root.with_name("theirs")))
        for name, course in made.items()
    }
    for name, each in both.items():  # one nbgrader at a time: two may choose the same TCP port
        each.nbgrader = subprocess.Popen(
            [str(BIN / "nbgrader"), "autograde", name],
            cwd=each.theirs.root,
            env=environment(each.theirs.root),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert main(["--course", str(each.ours.root), "autograde", name]) == 0
        _, said = each.nbgrader.communicate(timeout=300)
        assert each.nbgrader.returncode == 0, said
    return both


@pytest.mark.parametrize(
    ("assignment", "students", "distinct"), [("hw", 6, 4), ("ps1", 3, 3), ("mini-mean", 5, 4)]
)
def test_every_score_is_nbgraders(
    graded: dict[str, Both], assignment: str, students: int, distinct: int
) -> None:
    both = graded[assignment]
    ours, theirs = (in_the_gradebook(c, assignment) for c in (both.ours, both.theirs))
    assert ours == theirs
    assert len(ours) == students
    totals = {cells["in all"] for cells in ours.values()}
    assert len(totals) >= distinct, "the learners score too much alike to tell anything"


@pytest.mark.parametrize("assignment", ["hw", "mini-mean"])
def test_feedback_and_export_run_on_it(graded: dict[str, Both], assignment: str) -> None:
    root = graded[assignment].ours.root
    run(root, "nbgrader", "generate_feedback", assignment)
    pages = list((root / "feedback").glob("*/*/*.html"))
    assert len(pages) == {"hw": 11, "mini-mean": 5}[assignment]
    run(root, "nbgrader", "export")
    rows = (root / "grades.csv").read_text().splitlines()
    assert len(rows) == 1 + len(list((root / "submitted").iterdir()))


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_formgrader_shows_it_and_runs_no_script_of_a_learners(graded: dict[str, Both]) -> None:
    """Scores and hints are on the page; what nbgrader stored of the same submission does run."""
    both, ran = graded["mini-mean"], 'data-ran="yes"'
    page = graded_page(both.theirs)
    assert ran in page
    page = graded_page(both.ours)
    assert ran not in page
    assert "<script>document.body" not in page
    for test, score in (("mean-test", "0"), ("spread-test", "0"), ("mean-review-test", "0.67")):
        assert re.search(rf'<input class="score [^>]*id="{test}"[^>]*placeholder="{score}"', page)
    assert '<input class="score tabbable needs_manual_grade" id="choice"' in page
    assert "missing: a None must not count, nor raise" in page
    assert "fresh data" not in page


def graded_page(course: Course) -> str:
    with Gradebook(nbgrader_api(course).coursedir.db_url) as gradebook:
        found = gradebook.find_submission_notebook("mini-mean", "mini-mean", "script").id
    with formgrader(course) as url:
        return seen(url.format(f"formgrader/submissions/{found}/"))


ODD = notebook_of(
    cell(new_code_cell, "def answer():\n    ...", "answer", solution=True),
    cell(
        new_code_cell,
        "assert answer() == 1\n### BEGIN HIDDEN TESTS\nassert answer() < 2\n### END HIDDEN TESTS",
        "first",
        points=2,
        **TEST,
    ),
    cell(new_code_cell, "value = 0.0", "value", solution=True),
    cell(new_code_cell, "value", "second", points=3, **TEST),
    cell(new_code_cell, "assert answer()", "third", points=1, **TEST),
)
ONE = "def answer():\n    return 1"
WARNS = "import warnings\n\ndef answer():\n    warnings.warn('old')\n    return 1"
TURNED = (
    "import ast\nclass Without(ast.NodeTransformer):\n    def visit_Assert(self, node):\n"
    "        return ast.Pass()\nget_ipython().ast_transformers.append(Without())"
)
ANSWERS = {
    "warning": {"answer": WARNS, "value": "value = 3"},
    "text": {"answer": ONE, "value": "value = 'much'"},
    "bool": {"answer": ONE, "value": "value = False"},
    "nan": {"answer": ONE, "value": "value = float('nan')"},
    "negative": {"answer": ONE, "value": "value = -1.0"},
    "scalar": {"answer": ONE, "value": "import numpy\nvalue = numpy.float64(0.0)"},
    "above": {"answer": ONE, "value": "value = 3.5"},
    "rounding": {"answer": ONE, "value": "value = 3.0000000001"},
    "doubled": {"answer": ONE, "value": "value = 3"},
    "dead": {"answer": ONE, "value": "import os\nos._exit(1)"},
    "deleted": {"answer": ONE, "value": "value = 3"},
    "stripped": {"answer": ONE, "value": "value = 3"},
    "turned": {"answer": TURNED, "value": "value = 3"},
    "script": {"answer": ONE + SHOWS, "value": "value = 3"},
}


@dataclass
class Odd:
    """A class graded by both engines: scores by student, and what is on record of ours."""

    ours: Course
    theirs: Course
    failed: set[str] = field(default_factory=set)  # by nbgrader
    records: dict[str, Any] = field(default_factory=dict)

    def scores(self, course: Course, student: str) -> list[Any]:
        """Of the three tests; None where a person must decide."""
        cells = in_the_gradebook(course, "odd").get(student, {})
        graded = [cells.get(name, (None, None, True)) for name in ("first", "second", "third")]
        return [None if waits else score for _, score, waits in graded]

    def both(self, student: str) -> tuple[Any, list[Any]]:
        """nbgrader's scores, or "failed", and ours (which may wait for a person)."""
        cells = in_the_gradebook(self.ours, "odd")[student]
        ours = [cells[name][1] for name in ("first", "second", "third")]
        theirs = "failed" if student in self.failed else self.scores(self.theirs, student)
        return theirs, ours


def edited(path: Path, change: Any) -> None:
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(json.dumps(notebook))


def double(notebook: Any) -> None:
    notebook.cells.append(nbformat.from_dict({**notebook.cells[1], "id": "copy"}))


def delete(notebook: Any) -> None:
    del notebook.cells[1]


def strip(notebook: Any) -> None:
    for each in notebook.cells:
        each.metadata = {}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    course = plain(tmp_path_factory.mktemp("odd") / "course")
    (course.source / "odd").mkdir(parents=True)
    nbformat.write(ODD, course.source / "odd" / "odd.ipynb")
    assert nbgrader_api(course).generate_assignment("odd")["success"]
    paths = {
        student: hand_in_file(course, "odd", "odd", student, answers)
        for student, answers in ANSWERS.items()
    }
    for student, change in (("doubled", double), ("deleted", delete), ("stripped", strip)):
        edited(paths[student], change)
    graded = Odd(course, copied(course, course.root.with_name("theirs")))
    api = nbgrader_api(graded.theirs)
    graded.failed = {name for name in ANSWERS if not api.autograde("odd", name)["success"]}
    report = course.root / "report.json"
    assert main(["--course", str(course.root), "autograde", "odd", "--json", str(report)]) == 1
    graded.records = results(report)
    return graded


# Student: nbgrader's scores of the three tests (None waits for a person), and ours.
DIFFERENCES: dict[str, tuple[Any, list[float]]] = {
    "warning": ([0, 3, 0], [2, 3, 1]),
    "text": ([2, 3, 1], [2, 0, 1]),
    "bool": ([2, 3, 1], [2, 0, 1]),
    "nan": ([2, 3, 1], [2, 0, 1]),
    "negative": ([2, 3, 1], [2, 0, 1]),
    "scalar": ([2, 3, 1], [2, 0, 1]),
    "above": ("failed", [2, 0, 1]),
    "rounding": ("failed", [2, 3, 1]),
    "doubled": ("failed", [2, 3, 1]),
    "dead": ("failed", [2, 0, 1]),
    "deleted": ([None, 3, 1], [2, 3, 1]),
    "stripped": ([None, None, None], [2, 3, 1]),
    "turned": ([2, 3, 1], [0, 0, 0]),
}
NEED_A_PERSON = {"text", "bool", "nan", "negative", "above", "turned"}


@pytest.mark.parametrize("student", DIFFERENCES)
def test_an_intended_difference(odd: Odd, student: str) -> None:
    assert odd.both(student) == DIFFERENCES[student]


def test_who_needs_a_person(odd: Odd) -> None:
    assert {name for name, row in odd.records.items() if row["needs_person"]} == NEED_A_PERSON


def test_what_was_mended_or_went_wrong_is_on_record(odd: Odd) -> None:
    assert odd.records["doubled"]["repairs"] == ["'first' occurred 2 times"]
    assert odd.records["deleted"]["repairs"] == ["'first' was missing, it was put back"]
    assert len(odd.records["stripped"]["repairs"]) == 5
    assert "the code ended its own process" in odd.records["dead"]["events"][0]
    assert odd.records["warning"]["repairs"] == odd.records["warning"]["events"] == []


def test_stored_notebooks_hold_no_script_and_no_hidden_test(odd: Odd) -> None:
    for course, there in ((odd.theirs, True), (odd.ours, False)):
        path = course.root / "autograded" / "script" / "odd" / "odd.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        shown = [output.get("data", {}).get("text/html", "") for output in cells[0].outputs]
        assert any("<script>" in html for html in shown) is there
        assert any("answer() < 2" in each.source for each in cells) is there


def test_a_score_falls_with_the_test_that_gave_it(odd: Odd, tmp_path: Path) -> None:
    """The test is deleted from the next submission, whose answer is wrong."""
    again = Odd(copied(odd.ours, tmp_path / "ours"), copied(odd.theirs, tmp_path / "theirs"))
    for course in (again.ours, again.theirs):
        wrong = {"answer": "def answer():\n    return 0", "value": "value = 3"}
        edited(hand_in_file(course, "odd", "odd", "script", wrong), delete)
    assert nbgrader_api(again.theirs).autograde("odd", "script")["success"]
    assert main(["--course", str(again.ours.root), "autograde", "odd"]) == 1
    assert again.both("script") == ([2, 3, 0], [0, 3, 0])

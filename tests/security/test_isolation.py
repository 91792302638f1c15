"""What holds for all: no false alarm, the same result again, no submission felt by another."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from grader.answers import read_bank
from grader.cli import main
from grader.course import Course, nbgrader_config
from grader.engine.grade import grade
from grader.engine.gradebook import open_gradebook
from grader.engine.launch import Template, running_template
from grader.engine.limits import Limits
from grader.engine.model import Result, Specification, Submission
from grader.engine.specification import specification
from grader.engine.wire import to_json
from grader.master import read_lab
from grader.release import release
from tests.conftest import ROOT
from tests.security.conftest import Host, filled_in, notebook, plainly, submitted
from tests.security.hostile import Hostile, corpus
from tests.security.test_hostile import active, rendered
from tests.workflow.learners import fill, model_answers

REAL = "monitoring-data-drift"
SHARE = "def share(values):\n    return sum(values) / len(values)"


def graded_once(spec: Specification, template: Template, book: Any, name: str = "ann") -> Result:
    raw = json.dumps(book).encode()
    return grade(spec, Submission(name, {spec.notebooks[0].name: raw}, {}), template)


def outcomes(result: Result) -> dict[str, tuple[float | None, str, str]]:
    (book,) = result.notebooks
    return {cell.grade_id: (cell.score, cell.outcome, cell.note) for cell in book.cells}


def suspicions(result: Result) -> list[str]:
    """Everything in a result that an honest submission must not be told."""
    (book,) = result.notebooks
    odd = [f"{c.grade_id}: {c.note}" for c in book.cells if c.outcome in ("tampered", "died")]
    return [*odd, *book.events, *book.repairs]


def variants(course: Course, lab: str) -> Iterator[tuple[str, bool, dict[str, str]]]:
    """The model answers, then each right and wrong answer in its question's place."""
    answers = model_answers(course, lab)
    yield "model", False, answers
    for variant in read_bank(read_lab(course.master(lab))):
        yield variant.title, variant.wrong, {**answers, variant.question: variant.source}


def test_no_false_alarm(target: Specification, template: Template, released_once: Path) -> None:
    alarms = {}
    for title, wrong, answers in variants(Course(released_once), "mini-mean"):
        result = graded_once(target, template, notebook(target, {**answers, "share": SHARE}))
        alarms[title] = suspicions(result)
        assert (_sum(result) == 12) is not wrong, (title, outcomes(result))
    assert len(alarms) > 10
    assert not any(alarms.values()), alarms


def _sum(result: Result) -> float:
    return sum(cell.score or 0 for cell in result.notebooks[0].cells)


@pytest.mark.lab
@pytest.mark.parametrize("unsafe", [False, True], ids=["copied", "replayed"])
def test_no_false_alarm_in_a_real_lab(tmp_path: Path, unsafe: bool) -> None:
    """`pytest -m lab tests/security`: every answer of the repository's lab; 0 alarms."""
    shutil.copyfile(ROOT / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    course = Course(tmp_path)
    release(course, REAL)
    coursedir = CourseDirectory(config=nbgrader_config(course))
    spec = specification(coursedir, open_gradebook(coursedir), REAL, Limits())
    wanted = list(variants(course, REAL))
    with running_template(spec.preload, sandboxed=True) as running:
        books = {}
        for number, (title, wrong, answers) in enumerate(wanted[:3] if unsafe else wanted):
            if unsafe:  # a library that is not on the list makes the controls a replay
                first = next(iter(answers))
                answers = {**answers, first: f"if False:\n    import polars\n{answers[first]}"}
            path = fill(course, REAL, tmp_path / "in", f"ann{number}", answers)
            books[f"{number}: {title} ({wrong})"] = json.loads(path.read_text())
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(partial(graded_once, spec, running), books.values())
            alarms = {title: suspicions(r) for title, r in zip(books, results, strict=True)}
    print(f"{len(alarms)} submissions, {sum(map(bool, alarms.values()))} alarms")
    assert not any(alarms.values()), {k: v for k, v in alarms.items() if v}


HONEST: Callable[[Specification], Any] = lambda spec: notebook(  # noqa: E731
    spec,
    {
        "mean": "def mean(values):\n    kept = [v for v in values if v is not None]\n"
        "    return sum(kept) / len(kept) if kept else None\n",
        "spread": "import random\nprint(random.random())\n"
        "def spread(values, center):\n    return 0.0\n",
        "share": SHARE,
    },
)
BESIDE = ["floods: fork bomb", "floods: memory", "floods: processor time of many",
          "signals: to everybody", "descendants: double fork"]  # fmt: skip


def test_the_same_again(target: Specification, template: Template) -> None:
    first, second = (graded_once(target, template, HONEST(target)) for _ in range(2))
    assert _timeless(first) == _timeless(second)
    assert _sum(first) == 7.0


def _timeless(result: Result) -> str:
    (book,) = result.notebooks
    return to_json(replace(result, notebooks=[replace(book, cells_cpu_s=0.0)]))


def test_hostile_results_are_the_same_again(
    target: Specification, template: Template, host: Host
) -> None:
    values = host.values(template.exchange)
    for member in [m for m in corpus() if m.kind in ("shell", "copy detection")][::5]:
        made = submitted(target, member, values)
        first, second = (graded_once(target, template, made) for _ in range(2))
        assert outcomes(first) == outcomes(second), member.id


def test_order_does_not_matter(target: Specification, template: Template) -> None:
    """A template forks each kernel from the same state, whatever the one before did."""
    wrong = notebook(target, {"mean": "import random, builtins\nrandom.seed(1)\ndef mean(v):\n 0"})
    alone = _timeless(graded_once(target, template, HONEST(target)))
    graded_once(target, template, wrong, "bob")
    assert _timeless(graded_once(target, template, HONEST(target))) == alone


@pytest.mark.parametrize("name", BESIDE)
def test_a_hostile_neighbor_is_not_felt(
    name: str, target: Specification, template: Template, host: Host
) -> None:
    member = next(m for m in corpus() if m.id == name)
    made = submitted(target, member, host.values(template.exchange))
    alone = _timeless(graded_once(target, template, HONEST(target)))
    with ThreadPoolExecutor(1) as pool:
        neighbor = pool.submit(graded_once, target, template, made, "eve")
        while True:
            over = neighbor.done()
            assert _timeless(graded_once(target, template, HONEST(target))) == alone
            if over:
                break
    assert neighbor.result().notebooks


def test_hidden_tests_are_in_memory_only_when_their_turn_comes(
    target: Specification, open_template: Template, host: Host
) -> None:
    """The search of `reading: own memory` finds what has been sent: it is not blind."""
    member = next(m for m in corpus() if m.id == "reading: own memory")
    seen = "'a None must not count' and None\n" + member.answers["mean"]
    ran = plainly(target, open_template, replace(member, answers={"mean": seen}), host)
    assert b"a None must".hex() in json.dumps(ran)


def test_nothing_stays(target: Specification, template: Template) -> None:
    graded_once(target, template, HONEST(target))
    left = {path.name for path in template.exchange.iterdir() if path.is_dir()} - {"other"}
    assert left <= {kernel.folder.name for kernel in template.kernels}


NAMES = {
    "<img src=x onerror=stolen()>.py": b"x = 1",
    "a\nb.txt": b"two lines",
    "=cmd|' ' A0.csv": b"1",
    "deep/er/file.py": b"1",
    "..hidden": b"1",
    "given/center-7.json": b"99",
}


def test_by_the_command_line(released_once: Path, tmp_path: Path, host: Host) -> None:
    """Files with hostile names, links out of the folder and a hostile notebook, stored."""
    course = Course(Path(shutil.copytree(released_once, tmp_path / "course")))
    config = nbgrader_config(course)
    coursedir = CourseDirectory(config=config)
    spec = specification(coursedir, open_gradebook(coursedir), "mini-mean", Limits())
    by_name = {member.id: member for member in corpus()}
    students: dict[str, Hostile | None] = {
        "honest": None,
        "script": by_name["outputs: script"],
        "asserts": by_name["shell: asserts stripped"],
        "answers": by_name["forged messages: answers for the copy"],
        "files": by_name["markdown: script in a cell"],
    }
    for student, member in students.items():
        folder = course.submitted / student / "mini-mean"
        folder.mkdir(parents=True)
        book = submitted(spec, member, {}) if member else HONEST(spec)
        (folder / "mini-mean.ipynb").write_text(json.dumps(filled_in(book, {})))
    mine = course.submitted / "files" / "mini-mean"
    for name, content in NAMES.items():
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(content)
    (mine / "link.py").symlink_to(host.folder / "tests.py")
    (mine / "folder").symlink_to(host.folder)
    os.link(host.folder / "tests.py", mine / "hard.py")
    before = _tree(course.root, "autograded", "gradebook.db", "feedback")

    assert main(["--course", str(course.root), "autograde", "mini-mean"]) in (0, 1)

    after = _tree(course.root, "autograded", "gradebook.db", "feedback")
    assert {k: v for k, v in after.items() if not k.startswith(".")} == {
        k: v for k, v in before.items() if not k.startswith(".")
    }
    with Gradebook(coursedir.db_url, coursedir.course_id) as book:
        scores = {s: book.find_submission("mini-mean", s).score for s in students}
    assert scores == {"honest": 4.0, "script": 0.0, "asserts": 0.0, "answers": 0.0, "files": 0.0}
    stored = course.root / "autograded"
    assert not [path for path in stored.rglob("*") if path.is_symlink()]
    notebooks = [path.read_text() for path in stored.rglob("*.ipynb")]
    assert len(notebooks) == len(students)
    for text in notebooks:
        assert host.canary not in text and not active(rendered(nbformat.reads(text, 4)))
    given = stored / "files" / "mini-mean" / "given" / "center-7.json"
    assert not given.exists() or given.read_bytes() != b"99"


def _tree(root: Path, *leave_out: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] not in leave_out
    }

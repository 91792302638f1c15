"""From `solutions/` to `labs/`: write nbgrader's source, let nbgrader release it."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from grader import regions
from grader.answers import read_bank
from grader.course import Course, nbgrader_api
from grader.engine.launch import Template
from grader.errors import CourseError
from grader.execute import lab_template, replay
from grader.master import Lab, read_lab
from grader.notebook import source_notebook

_RAISED = re.compile(r"[\w.]+(Error|Exception)\b.*")


def write_source(course: Course, name: str, given: Path | None = None) -> Lab:
    """Make `source/<lab>/` afresh: the notebook and its data, nothing else.

    `given` holds the data where a replay has already made them.
    """
    lab = read_lab(course.master(name))
    notebook = source_notebook(lab, read_bank(lab))
    course.source.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.source, prefix=".new-") as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        if given is not None and given.exists():
            shutil.copytree(given, folder / "given")
        elif any(cell.kind == "given" for cell in lab.cells):
            with lab_template(lab) as template:
                record_given(template, lab, lab.seed, folder)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        target = course.source / name
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return lab


def record_given(template: Template, lab: Lab, seed: int, folder: Path, *more: str) -> None:
    """Run the model answers under `seed`; they leave `given/` in `folder`."""
    replay(template, lab.path, seed, folder, *more)
    for cell in lab.cells:
        if cell.kind == "given" and not list((folder / "given").glob(f"{cell.name}-{seed}.*")):
            raise CourseError(
                f"{lab.path} line {cell.line}, cell 'given: {cell.name}': the model answers ended "
                "before it without an error; take out what exits."
            )


def release(course: Course, name: str, given: Path | None = None) -> Path:
    """Release one lab through nbgrader; return the learner's notebook.

    The gradebook learns the assignment; `labs/<lab>/` holds what learners get, to the byte the
    same for the same master.
    """
    lab = write_source(course, name, given)
    with _kept_on_failure(course.labs / name):
        result = nbgrader_api(course).generate_assignment(name, force=True, create=True)
        if not result["success"]:
            raise CourseError(f"{lab.path}: nbgrader refused it: {last_line(result)}; mend it.")
        leaks = find_leaks(lab, course.released(name))
        if leaks:
            raise CourseError(
                f"{lab.path}: the answer's line '{leaks[0]}' is left for learners; mark it."
            )
    return course.released(name)


@contextmanager
def _kept_on_failure(folder: Path) -> Iterator[None]:
    """Put the folder back as it was where the block fails."""
    former = folder.with_name(f".{folder.name}.former")
    if folder.exists():
        folder.rename(former)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if former.exists():
            former.rename(folder)
        raise
    shutil.rmtree(former, ignore_errors=True)


def last_line(result: dict[str, str]) -> str:
    """The line of an nbgrader result that says what went wrong."""
    lines = [line.strip() for line in result.get("log", "").splitlines() if line.strip()]
    lines += result.get("error", "").strip().splitlines()
    raised = [line for line in lines if _RAISED.match(line)]
    # nbgrader wraps what happened into one or more NbGraderExceptions.
    return next((line for line in raised if "NbGraderException" not in line), (lines or ["?"])[-1])


def find_leaks(lab: Lab, released: Path) -> list[str]:
    """Lines of answers, hidden tests and rubrics that are left in the learner's notebook.

    A line counts where it is long enough to give something away and is not given elsewhere.
    """
    notebook = nbformat.read(released, as_version=4)
    left = {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}
    secret: list[str] = []
    public: set[str] = set()
    for cell in lab.cells:
        if cell.kind == "make":
            secret += [line.strip() for line in cell.source.splitlines()]
            continue
        shown = cell.source
        for region in regions.NAMES:
            secret += [line.strip() for line in regions.inside(cell.source, region).splitlines()]
            shown = regions.replace(shown, region)
        public |= {line.strip() for line in shown.splitlines()}
    for variant in read_bank(lab):
        if variant.shown:
            public |= {line.strip() for line in variant.source.splitlines()}
    return [line for line in secret if len(line) > 12 and line in left - public]

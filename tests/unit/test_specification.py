"""What is to be graded, from gradebook, release and bank; what was handed in; both as text."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Engine, text

from grader.course import Course, nbgrader_api, nbgrader_config
from grader.engine import submissions
from grader.engine.gradebook import open_gradebook
from grader.engine.imports import imported, needed, preload
from grader.engine.limits import Limits
from grader.engine.model import (
    CellResult,
    NotebookResult,
    NotebookSpec,
    Result,
    Specification,
    Submission,
)
from grader.engine.specification import specification
from grader.engine.submissions import read_submission_files, students, timestamp
from grader.engine.wire import (
    result_from_json,
    result_to_json,
    spec_from_json,
    submission_from_json,
    submission_to_json,
    to_json,
)
from grader.errors import CourseError

LAB = "mini-mean"


def course_directory(course: Course) -> CourseDirectory:
    return CourseDirectory(config=nbgrader_config(course))


@pytest.fixture
def coursedir(released_mini: Course) -> CourseDirectory:
    return course_directory(released_mini)


@pytest.fixture
def gradebook(coursedir: CourseDirectory) -> Iterator[Engine]:
    engine = open_gradebook(coursedir)
    yield engine
    engine.dispose()


@pytest.fixture
def spec(coursedir: CourseDirectory, gradebook: Engine) -> Specification:
    return specification(coursedir, gradebook, LAB, Limits())


def small_spec(**data: bytes) -> Specification:
    files = {name.replace("__", "/"): content for name, content in data.items()}
    books = (NotebookSpec("hw", ()),)
    return Specification("hw", books, files, (), Limits(), ("BEGIN", "END"))


def test_cells_come_from_the_gradebook_in_the_order_of_the_release(
    spec: Specification, released_mini: Course
) -> None:
    (notebook,) = spec.notebooks
    released = nbformat.read(released_mini.released(LAB), as_version=4)
    ids = [c.metadata.nbgrader.grade_id for c in released.cells if "nbgrader" in c.metadata]
    assert [cell.grade_id for cell in notebook.cells] == ids
    cells = {cell.grade_id: cell for cell in notebook.cells}
    assert "assert mean([1.0, None" in cells["mean-test"].source  # hidden
    assert "assert mean([1.0, None" not in released_mini.released(LAB).read_text()
    assert "raise NotImplementedError" in cells["mean"].source
    assert (cells["mean-test"].points, cells["mean-test"].grade) == (4.0, True)
    assert (cells["mean"].solution, cells["mean"].grade, cells["mean"].locked) == (1, 0, 0)
    assert (cells["choice"].solution, cells["choice"].grade) == (True, True)
    assert notebook.kernel == "python3"
    assert spec.hidden == ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    assert list(spec.data) == ["given/center-7.json"]


def test_controls_are_the_first_wrong_answers_of_the_bank(spec: Specification) -> None:
    controls = spec.notebooks[0].controls
    assert set(controls) == {"mean-test", "spread-test", "mean-review-test"}
    assert "value or 0.0" in controls["mean-test"][0]
    assert all(len(sources) == 3 for sources in controls.values())


def test_the_digest_follows_what_it_covers(
    spec: Specification, coursedir: CourseDirectory, gradebook: Engine, released_mini: Course
) -> None:
    def digest(limits: Limits = Limits()) -> str:  # noqa: B008
        return specification(coursedir, gradebook, LAB, limits).digest

    assert digest() == spec.digest
    assert digest(Limits(cell_s=1)) != spec.digest
    (released_mini.source / LAB / "given" / "center-7.json").write_text("1")
    changed = digest()
    assert changed != spec.digest
    with gradebook.begin() as connection:
        connection.execute(text("UPDATE source_cell SET source = '1' WHERE name = 'mean-test'"))
    assert digest() not in (changed, spec.digest)


def test_a_stale_release_is_said_to_be_one(
    coursedir: CourseDirectory, gradebook: Engine, released_mini: Course
) -> None:
    path = released_mini.released(LAB)
    notebook = nbformat.read(path, as_version=4)
    cell = next(c for c in notebook.cells if "mean-test" in str(c.metadata))
    cell.metadata.nbgrader.points = 5
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="'mean-test' has another type or other points"):
        specification(coursedir, gradebook, LAB, Limits())
    cell.metadata.nbgrader.grade_id = "other"
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="'other' is not in the gradebook; run 'grader release"):
        specification(coursedir, gradebook, LAB, Limits())
    notebook.cells.remove(cell)
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="lacks the cell 'mean-test'"):
        specification(coursedir, gradebook, LAB, Limits())
    path.unlink()
    with pytest.raises(CourseError, match="does not exist, but is registered"):
        specification(coursedir, gradebook, LAB, Limits())
    with pytest.raises(CourseError, match="run 'nbgrader generate_assignment nothing'"):
        specification(coursedir, gradebook, "nothing", Limits())


def test_any_directory_structure_and_configuration(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.CourseDirectory.source_directory = 'origin'\n"
        "c.CourseDirectory.release_directory = 'given out'\n"
        "c.CourseDirectory.directory_structure = '{assignment_id}/{nbgrader_step}/{student_id}'\n"
        "c.ClearHiddenTests.begin_test_delimeter = 'SECRET'\n"
        "c.ClearHiddenTests.end_test_delimeter = 'PUBLIC'\n"
        "c.Autograde.exclude_overwriting = {'hw1': ['mine.py']}\n"
    )
    source = tmp_path / "hw1" / "origin"
    (source / "data").mkdir(parents=True)
    (source / "data" / "a.csv").write_text("1")
    (source / "mine.py").write_text("x = 1")
    (source / "local.py").write_text("x = 1")
    meta = {"grade_id": "t", "grade": True, "solution": False, "locked": True, "task": False}
    meta |= {"points": 2, "schema_version": 3, "cell_type": "code"}
    test = "import zipfile\n# SECRET\nimport tarfile\n# PUBLIC"
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%matplotlib inline\nimport json, local, matplotlib.pyplot"),
            nbformat.v4.new_code_cell(test, metadata={"nbgrader": meta}),
        ],
        metadata={"kernelspec": {"name": "other", "display_name": "o", "language": "python"}},
    )
    for name in ("one", "two"):
        nbformat.write(notebook, source / f"{name}.ipynb")
    api = nbgrader_api(Course(tmp_path))
    assert api.generate_assignment("hw1")["success"]
    gradebook = open_gradebook(api.coursedir)
    spec = specification(api.coursedir, gradebook, "hw1", Limits())
    assert [notebook.name for notebook in spec.notebooks] == ["one", "two"]
    assert [notebook.kernel for notebook in spec.notebooks] == ["other", "other"]
    assert spec.notebooks[0].cells[0].source == test
    assert spec.notebooks[0].controls == {}
    assert spec.hidden == ("SECRET", "PUBLIC")
    assert set(spec.data) == {"data/a.csv", "local.py"}
    assert {"json", "matplotlib.pyplot", "zipfile"} <= set(spec.preload)
    assert "local" not in spec.preload
    submitted = tmp_path / "hw1" / "submitted"
    for student in ("ada", ".hidden", "b.c"):
        (submitted / student).mkdir(parents=True)
        nbformat.write(notebook, submitted / student / "one.ipynb")
    (submitted / "ada" / "mine.py").write_text("x = 2")
    assert students(api.coursedir, "hw1") == ["ada", "b.c"]
    submission = read_submission_files(api.coursedir, spec, "ada")
    assert (list(submission.notebooks), submission.files) == (["one"], {"mine.py": b"x = 2"})
    gradebook.dispose()


def test_imports_are_found_past_magics_and_errors() -> None:
    assert imported("%time import a\n!ls\nimport b.c as d\nif x:\n    %cd x\n") == {"b.c"}
    assert imported("%%time\nfrom b import c") == {"b.c"}
    assert imported("%%bash\nimport b") == set()
    assert imported("files = !ls\nimport b\nfrom c import d, e") == {"b", "c.d", "c.e"}
    assert imported("from . import a\nfrom __future__ import annotations") <= {
        "__future__.annotations"
    }
    assert imported("def f():\n    import b\nimport \0") == {"b"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            "from sklearn.linear_model import LinearRegression\nimport pandas as pd",
            "data = pd.DataFrame({'x': [1.0, 2.0], 'y': [1.0, 3.0]})\n"
            "LinearRegression().fit(data[['x']], data['y'])",
        ),
        (
            "import torch\nlayer = torch.nn.Linear(1, 1)",
            "steps = torch.optim.SGD(layer.parameters(), 0.1)\n"
            "layer(torch.ones(1, 1)).backward()\nsteps.step()",
        ),
        (
            "import io\nimport matplotlib.pyplot as plt",
            "plt.plot([1])\nplt.savefig(io.BytesIO())",
        ),
        (
            "from IPython.core.interactiveshell import InteractiveShell\n"
            "InteractiveShell.instance()\nfrom myst_nb import glue",
            "glue('half', 0.5, display=False)",
        ),
    ],
)
def test_what_is_imported_late_is_preloaded(said: str, code: str) -> None:
    """The list names modules inside of libraries, which change."""
    modules = preload(needed([said, code]), data=())
    program = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n{said}\n"
        f"before = set(sys.modules)\n{code}\nprint(sorted(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_preloaded_is_what_exists_and_may_be() -> None:
    names = {"sklearn.linear_model.LinearRegression", "os.path", "no_such_module", "numpy.mean"}
    names |= {"matplotlib.pyplot", "polars", "helper", "given"}
    names |= {"xml.etree.ElementTree", "json.no_such"}
    assert preload(names, ["helper.py", "given/x.csv"]) == (
        *("json", "matplotlib.pyplot", "numpy", "os", "sklearn.linear_model"),
        "xml.etree.ElementTree",
    )
    assert preload({"numpy"}, ["numpy/x.py"]) == ()


def test_a_namespace_package_in_another_is_passed_over() -> None:
    names = {"opentelemetry.sdk.trace.TracerProvider", "opentelemetry.trace.get_tracer"}
    found = set(preload(names, ()))  # more of it is found where it has been imported
    assert "opentelemetry.trace" in found
    assert found <= {"opentelemetry", "opentelemetry.trace", "opentelemetry.sdk.trace"}


def handed_in(coursedir: CourseDirectory, student: str) -> Path:
    folder = Path(coursedir.root) / "submitted" / student / "hw"
    folder.mkdir(parents=True)
    (folder / "hw.ipynb").write_text("{}")
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> CourseDirectory:
    coursedir = CourseDirectory()
    coursedir.root = str(tmp_path)
    return coursedir


def test_other_files_are_kept_unless_in_the_way(bare: CourseDirectory) -> None:
    folder = handed_in(bare, "ada")
    for name in ("notes.txt", "sub/own.py", "Data.CSV", "given", "other.ipynb", "x.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    for name in ("HW.IPYNB/x", ".ipynb_checkpoints/x.txt", "feedback/x.txt", "sub2.txt/x"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    (folder / "timestamp.txt").write_text("2026-01-01 10:00 UTC")
    spec = small_spec(**{"data.csv": b"", "given__x.csv": b"", "sub2.txt": b""})
    submission = read_submission_files(bare, spec, "ada")
    assert submission.notebooks == {"hw": b"{}"}
    assert submission.files == {"notes.txt": b"mine", "sub/own.py": b"mine"}


def test_only_plain_files_are_read(bare: CourseDirectory, tmp_path: Path) -> None:
    folder = handed_in(bare, "ada")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "gradebook.db").write_text("secret")
    (folder / "link.txt").symlink_to(secret / "gradebook.db")
    (folder / "linked").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    assert read_submission_files(bare, small_spec(), "ada").files == {}
    (folder / "hw.ipynb").unlink()
    (folder / "hw.ipynb").symlink_to(secret / "gradebook.db")
    (folder / "timestamp.txt").symlink_to(secret / "gradebook.db")
    assert timestamp(bare, "hw", "ada").when is None
    with pytest.raises(CourseError, match=r"holds no hw.ipynb that is a plain file"):
        read_submission_files(bare, small_spec(), "ada")
    (secret / "hw.ipynb").write_text("{}")
    (tmp_path / "submitted" / "eve").mkdir()
    (tmp_path / "submitted" / "eve" / "hw").symlink_to(secret)
    (tmp_path / "submitted" / "mal").symlink_to(tmp_path / "submitted" / "ada")
    assert students(bare, "hw") == ["ada", "eve", "mal"]
    for student in ("eve", "mal", "nobody"):
        with pytest.raises(CourseError, match="is no folder"):
            read_submission_files(bare, small_spec(), student)


def test_limits_on_what_is_handed_in(
    bare: CourseDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "NOTEBOOK_BYTES", 1_000_000)
    monkeypatch.setattr(submissions, "FILES_BYTES", 2_000_000)
    big = handed_in(bare, "big")
    (big / "hw.ipynb").write_bytes(b" " * 1_000_001)
    with pytest.raises(CourseError, match="a file may take 1 MB"):
        read_submission_files(bare, small_spec(), "big")
    heavy = handed_in(bare, "heavy")
    (heavy / "a").write_bytes(b" " * 1_500_000)
    (heavy / "b").write_bytes(b" " * 500_001)
    with pytest.raises(CourseError, match="other files may take 2 MB"):
        read_submission_files(bare, small_spec(), "heavy")
    many = handed_in(bare, "many")
    for number in range(201):
        (many / str(number)).touch()
    with pytest.raises(CourseError, match="more than 200 files"):
        read_submission_files(bare, small_spec(), "many")
    deep = handed_in(bare, "deep")
    (deep / "1/2/3/4/5/6").mkdir(parents=True)
    with pytest.raises(CourseError, match="more than 5 folders deep"):
        read_submission_files(bare, small_spec(), "deep")


@pytest.mark.parametrize("name", ["a*", "a[b]", "a ", "x" * 129, "a\nb", "a\udcff", "", ".a"])
def test_odd_student_ids_are_refused_in_a_sentence(bare: CourseDirectory, name: str) -> None:
    with pytest.raises(CourseError, match="no student id") as error:
        read_submission_files(bare, small_spec(), name)
    str(error.value).encode("utf-8")


def test_the_digest_of_a_submission(bare: CourseDirectory) -> None:
    folder = handed_in(bare, "ada")

    def digest() -> str:
        return read_submission_files(bare, small_spec(data=b""), "ada").digest

    seen = [digest()]
    (folder / "a").write_text("1")
    seen.append(digest())
    (folder / "timestamp.txt").write_text("2026-01-01 10:00 UTC")
    seen.append(digest())
    (folder / "hw.ipynb").write_text("{ }")
    seen.append(digest())
    assert len(set(seen)) == 4
    (folder / "data").write_text("overwritten anyway")
    assert digest() == seen[-1]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-01 10:00:00.123456 UTC", "2026-01-01T10:00:00.123456"),
        ("2026-01-01T10:00:00+02:00\n", "2026-01-01T08:00:00"),
        ("2026-01-01 10:00:00 Europe/Berlin", "2026-01-01T09:00:00"),
        ("2026-01-01 10:00", "2026-01-01T10:00:00"),
        ("", None),
        ("10:30", None),
        ("soon", None),
        ("2026-13-01 10:00", None),
        ("0001-01-01 00:00:00 +9999999999999", None),
        ("2026-01-01 10:00 /etc/passwd", None),
        ("2026-01-01 10:00 " + "0" * 500, None),
        ("\0\ud800", None),
    ],
)
def test_times(bare: CourseDirectory, written: str, read: str | None) -> None:
    path = handed_in(bare, "ada") / "timestamp.txt"
    path.write_bytes(written.encode("utf-8", "surrogatepass"))
    found = timestamp(bare, "hw", "ada")
    assert found.when == (read and datetime.fromisoformat(read))
    assert bool(found.note) == (found.when is None)
    path.unlink()
    assert timestamp(bare, "hw", "ada") == submissions.Timestamp()


def test_round_trips(spec: Specification) -> None:
    assert spec_from_json(to_json(spec)) == spec
    submission = Submission("ada", {"hw": b"\xff\0"}, {"a": b""}, "d")
    assert submission_from_json(submission_to_json(submission)) == submission
    cells = [CellResult("a", 2.0, None, "manual"), CellResult("b", 1.0, 0.5, "partial", "n")]
    executed = {"cells": [{"source": "\ud800", "x": float("1e300")}]}
    result = Result("ada", "s", "t", "sandbox", "bank", [NotebookResult("hw", cells, executed)])
    assert result_from_json(result_to_json(result)) == result


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("isolation", 1), "Result.isolation is int, not str"),
        (("notebooks", {}), "Result.notebooks is dict, not list"),
        (("extra", 1), "Result has other fields"),
        (("notebooks", [{"name": "x"}]), r"Result.notebooks\[0\] has other fields"),
    ],
)
def test_results_of_other_types_are_refused(change: tuple[str, object], problem: str) -> None:
    result = json.loads(result_to_json(Result("ada", "s", "t", "sandbox", "bank")))
    result[change[0]] = change[1]
    with pytest.raises(CourseError, match=problem):
        result_from_json(json.dumps(result))


@pytest.mark.parametrize("score", ["true", "NaN", "Infinity", '"1"', "[]"])
def test_odd_scores_are_refused(score: str) -> None:
    cells = [CellResult("a", 2.0, 0.125, "passed")]
    good = Result("ada", "s", "t", "none", "bank", [NotebookResult("hw", cells, {})])
    with pytest.raises(CourseError, match="is no finite number"):
        result_from_json(result_to_json(good).replace("0.125", score))


def test_damaged_text_is_refused() -> None:
    for damaged in ("", "[]", "{", '"' + "[" * 10, "[" * 200_000):
        with pytest.raises(CourseError):
            result_from_json(damaged)
    wrong = to_json(replace(small_spec(), data={"a": b"abc"})).replace("YWJj", "%%%%")
    with pytest.raises(CourseError, match="is no base64"):
        spec_from_json(wrong)

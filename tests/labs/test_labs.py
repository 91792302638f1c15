"""Every lab is verified, and labs/ holds exactly what release makes."""

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.cli import main
from grader.course import CONFIG, Course
from grader.release import write_source
from grader.verify import lab_digest, released_digest

ROOT = Path(__file__).parent.parent.parent
LABS = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/lab.py"))
MEASURED = {"wall_s", "memory_mb", "cpu_s", "network_blocked"}


def scratch_course(folder: Path) -> Course:
    shutil.copyfile(ROOT / CONFIG, folder / CONFIG)
    (folder / "solutions").symlink_to(ROOT / "solutions")
    return Course(folder)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def verified() -> tuple[int, list[dict[str, Any]]]:
    """Status and all labs' reports; `make test` prints its counts from the file that this leaves."""
    target = ROOT / "_build" / "verify.json"
    target.unlink(missing_ok=True)
    status = main(["--course", str(ROOT), "verify", "--json", str(target)])
    return status, json.loads(target.read_text())


def test_every_lab_is_verified(verified: tuple[int, list[dict[str, Any]]]) -> None:
    status, reports = verified
    assert status == 0, [problem for report in reports for problem in report["problems"]]
    published = json.loads((ROOT / "chapters" / "verified.json").read_text())
    assert [lasting(report) for report in reports] == [lasting(report) for report in published], (
        "run 'make verify' and commit chapters/verified.json"
    )


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in MEASURED}


@pytest.mark.parametrize("lab", LABS)
def test_labs_hold_exactly_what_release_makes(
    verified: tuple[int, list[dict[str, Any]]], lab: str
) -> None:
    (made,) = (report["released"] for report in verified[1] if report["lab"] == lab)
    assert released_digest(ROOT / "labs" / lab) == made, (
        f"run 'grader release {lab}', commit labs/"
    )


def test_no_lab_without_a_master() -> None:
    assert sorted(path.name for path in (ROOT / "labs").iterdir()) == LABS


@pytest.mark.parametrize("lab", LABS)
def test_plain_nbgrader_releases_the_same_and_nothing_else(tmp_path: Path, lab: str) -> None:
    course = scratch_course(tmp_path)
    write_source(course, lab, ROOT / "labs" / lab / "given")
    assert all("solutions" not in name for name in files(course.source))
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", lab]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert files(course.labs) == [f"{lab}/{name}" for name in files(ROOT / "labs" / lab)]
    _, changed, _ = filecmp.cmpfiles(
        course.labs / lab, ROOT / "labs" / lab, files(course.labs / lab), shallow=False
    )
    assert not changed


@pytest.mark.parametrize("lab", LABS)
def test_a_released_notebook_opens_anywhere(lab: str) -> None:
    notebook = nbformat.read(ROOT / "labs" / lab / f"{lab}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(cell_id.startswith(lab) for cell_id in ids)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    text = "\n".join(cell.source for cell in notebook.cells)
    for marker in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN RUBRIC"):
        assert marker not in text


@pytest.mark.parametrize("lab", LABS)
def test_the_digest_covers_the_bank(tmp_path: Path, lab: str) -> None:
    shutil.copytree(ROOT / "solutions" / lab, tmp_path / lab)
    before = lab_digest(tmp_path / lab)
    with (tmp_path / lab / "wrong_answers.py").open("a") as bank:
        bank.write("\n")
    assert lab_digest(tmp_path / lab) != before

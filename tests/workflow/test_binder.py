"""The Binder image, rehearsed without a network: its steps, what they leave, what it imports."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from grader.master import percent_cells
from tools import downloads

ROOT = Path(__file__).parent.parent.parent
OURS = {"grader", "lender", "playable", "tools"}
# Grading a class is no work for Binder; on the cluster's own machines it is at hand.
NOT_THERE = {"distributed"}
WANTED = [
    line
    for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    if line and not line.startswith(("#", "-"))
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository after postBuild, with a pip that only writes down what it was asked."""
    folder = tmp_path_factory.mktemp("binder")
    clone, bin_ = folder / "clone", folder / "bin"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    (clone / ".git").mkdir()
    bin_.mkdir()
    programs = {"pip": f'echo "$@" >> {folder}/pip.log', "python3": f'exec {sys.executable} "$@"'}
    for name, line in programs.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{line}\n")
        (bin_ / name).chmod(0o755)
    done = run(clone, str(clone / "binder" / "postBuild"), first=bin_)
    assert done.returncode == 0, done.stderr
    return clone


def run(clone: Path, *command: str, first: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"}
    if first:
        environment["PATH"] = f"{first}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, timeout=300
    )


def test_our_packages_are_installed_without_their_dependencies(image: Path) -> None:
    asked = (image.parent / "pip.log").read_text().split()
    assert asked[0] == "install"
    assert {"--no-deps", "--editable", "."} <= set(asked)


def test_labs_and_pages_lie_where_the_links_point(image: Path) -> None:
    for lab in (ROOT / "labs").iterdir():
        for path in lab.rglob("*"):
            if path.is_file() and ".ipynb_checkpoints" not in path.parts:
                copy = image / "work" / path.relative_to(ROOT / "labs")
                assert copy.read_bytes() == path.read_bytes()
    pages = downloads.main_pages(ROOT)
    assert pages
    for page in pages:
        notebook = nbformat.read(image / "work" / "pages" / f"{page}.ipynb", as_version=4)
        assert any(re.search("(import|from) lender", cell.source) for cell in notebook.cells)


def answers(master: Path) -> Iterator[str]:
    """The telling lines of model answers and hidden tests."""
    for *_, source in percent_cells(master):
        for region in re.findall(
            r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", source, re.S
        ):
            yield from (line.strip() for line in region.splitlines() if len(line.strip()) >= 40)


def found(folder: Path, lines: set[str]) -> set[str]:
    """Those of the lines that stand in a file; pages and the simulator may say the same."""
    seen = set()
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and inside[0] not in {"chapters", "lender"} and "pages" not in inside:
            text = path.read_bytes().decode("utf-8", "replace").replace('\\"', '"')
            seen |= {line for line in lines if line in text}
    return seen


def test_no_answer_is_left(image: Path) -> None:
    lines = {line for master in ROOT.glob("solutions/*/lab.py") for line in answers(master)}
    learners = found(ROOT / "labs", lines)
    assert len(lines - learners) > 50
    assert found(image, lines - learners) == set()
    for name in ("solutions", "tests", ".git"):
        assert not (image / name).exists()
    # The check can fail: the repository does hold the answers.
    assert found(ROOT / "solutions", lines - learners) == lines - learners


def test_a_lab_opens_and_can_be_checked(image: Path) -> None:
    lab = sorted((ROOT / "labs").iterdir())[0].name
    program = "import sys; from grader.cli import main; sys.exit(main(sys.argv[1:]))"
    done = run(image, sys.executable, "-c", program, "check", lab)
    assert "not attempted" in done.stdout, done.stderr
    assert not re.search(r"\b(wrong|error)\b", done.stdout), done.stdout


def test_the_pinned_python_fits_the_course() -> None:
    runtime = (ROOT / "binder" / "runtime.txt").read_text().strip()
    match = re.fullmatch(r"python-(3\.\d+)", runtime)
    assert match, runtime
    wanted = re.search(r'requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text())
    assert wanted
    assert f"{match[1]}.99" in SpecifierSet(wanted[1])
    assert "3.9.99" not in SpecifierSet(wanted[1])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(wanted: list[str]) -> set[str]:
    """The distributions that come with those named, by what is installed here."""
    waiting, seen = [Requirement(name) for name in wanted], set()
    while waiting:
        one = waiting.pop()
        key = (normal(one.name), tuple(sorted(one.extras)))
        if key in seen:
            continue
        seen.add(key)
        for line in distribution(one.name).requires or []:
            need = Requirement(line)
            extras = [{"extra": extra} for extra in ("", *one.extras)]
            if need.marker is None or any(map(need.marker.evaluate, extras)):
                waiting.append(need)
    return {name for name, _ in seen}


def imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - OURS


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(
        p for name in ("grader", "lender", "playable") for p in ROOT.glob(f"{name}/**/*.py")
    ):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    yield "tools/downloads.py", (ROOT / "tools" / "downloads.py").read_text(encoding="utf-8")
    notebooks = {
        path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("labs/*/*.ipynb")
    }
    for page in downloads.main_pages(ROOT):
        text = (ROOT / "chapters" / f"{page}.md").read_text(encoding="utf-8")
        notebooks[page] = downloads.page_notebook(text)
    for name, text in notebooks.items():
        own = re.findall(
            r"%%writefile (?:-a )?(\w+)\.py", text
        )  # a page can import what it writes
        drop = re.compile(
            "|".join(["^[%!].*$", *(rf"^(?:import|from) {it}\b.*$" for it in own)]), re.M
        )
        for cell in nbformat.reads(text, as_version=4).cells:
            if cell.cell_type == "code":
                yield name, drop.sub("", cell.source)


def missing(wanted: list[str]) -> set[str]:
    """What labs, pages, grader and simulator import and the image would not have."""
    there, providers = installed(wanted), packages_distributions()
    lacking = set()
    for name, source in sources():
        for module in imports(source) - NOT_THERE:
            if not {normal(provider) for provider in providers.get(module, [])} & there:
                lacking.add(f"{name}: {module}")
    return lacking


def test_the_image_has_what_its_notebooks_import() -> None:
    assert missing(WANTED) == set()
    fewer = [name for name in WANTED if name != "evidently"]
    assert any(line.endswith(": evidently") for line in missing(fewer))


def test_each_version_comes_from_the_lock() -> None:
    text = (ROOT / "binder" / "requirements.txt").read_text()
    assert "\n-c ../requirements.txt\n" in text
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.M)
    assert {normal(name) for name in WANTED} <= {normal(name) for name in locked}

"""Tools that ask Jupyter for a kernel get a fork, without a network, and in a sandbox if asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from grader.engine import probe, provisioner
from grader.engine.launch import running_template
from grader.errors import CourseError

PROBE = """
import os, socket, sys
print(sorted(name for _, name in socket.if_nameindex()), "numpy" in sys.modules)
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[dict[str, str]]:
    with running_template(["numpy"], sandboxed=False) as template:
        yield provisioner.forked_kernels(template)


@pytest.fixture(autouse=True)
def environment(forks: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in forks.items():
        monkeypatch.setenv(name, value)


def run(folder: Path, *cells: str, kernel: str = "python3", **options: Any) -> list[Any]:
    """The cells' outputs."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, kernel_name=kernel, resources=resources, **options).execute()
    return [cell.outputs for cell in notebook.cells]


def test_python3_is_a_fork_without_a_network(tmp_path: Path) -> None:
    printed = run(tmp_path, PROBE, "open('made', 'w').write(os.getcwd())")[0][0].text
    assert printed == "['lo'] True\n"
    assert (tmp_path / "made").read_text() == str(tmp_path)


def test_what_it_used_is_known(tmp_path: Path) -> None:
    run(tmp_path, "sum(range(10_000_000))")
    used = provisioner.ended[-1]
    assert used["cpu_s"] > 0.05
    assert used["memory_mb"] > 20


def test_it_can_be_interrupted(tmp_path: Path) -> None:
    outputs = run(
        tmp_path, "while True: pass", timeout=2, interrupt_on_timeout=True, allow_errors=True
    )
    assert outputs[0][0].ename == "KeyboardInterrupt"


def test_its_death_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DeadKernelError):
        run(tmp_path, "import os; os._exit(3)")
    assert provisioner.ended[-1]["exit"] == 3


def sandboxed() -> bool:
    try:
        probe.require()
    except CourseError:
        return False
    return True


@pytest.mark.skipif(not sandboxed(), reason="this machine offers no sandbox")
def test_the_other_kernel_sees_copies_of_the_files_alone(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("here")
    probe = f"""
import os
print(open("data.txt").read(), os.path.exists({str(tmp_path)!r}), os.path.exists("/etc/shadow"))
open("made", "w").close()
"""
    printed = run(tmp_path, probe, kernel="python3-sandboxed")[0][0].text
    assert printed == "here False False\n"
    assert [path.name for path in tmp_path.iterdir()] == ["data.txt"]

"""Pages on kernels of their own: executed where these are set up, shown as committed elsewhere."""

import shutil
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.book.small import configure
from tests.book.thread import in_thread
from tools import execute, kernels

ROOT = Path(__file__).parent.parent.parent
OWN = """---
jupytext:
  text_representation: {{extension: .md, format_name: myst}}
kernelspec: {{display_name: Own, language: python, name: own}}
---

# A page

```{{code-cell}} ipython3
print({code})
```
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A book of one page on the kernel `own`, which is set up: this Python under another name."""
    configure(tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    (tmp_path / "chapters" / "index.md").write_text(OWN.format(code="6 * 7"))
    python = tmp_path / "kernels" / "own" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -X own "$@"\n')
    python.chmod(0o755)
    set_up(tmp_path, True)
    return tmp_path


def set_up(course: Path, is_it: bool) -> None:
    ready = course / "kernels" / "own" / ".venv" / ".ready"
    ready.touch() if is_it else ready.unlink(missing_ok=True)


def run(course: Path) -> int:
    return in_thread(execute.execute, course)


def test_a_page_is_executed_by_its_kernel_s_python(course: Path) -> None:
    page = course / "chapters" / "index.md"
    page.write_text(OWN.format(code="__import__('sys')._xoptions"))
    assert run(course) == 1
    execute.commit_outputs(course)
    assert "{'own': True}" in kernels.committed(page).read_text()


def test_what_it_showed_is_shown_where_the_kernel_is_not_set_up(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(course) == 1
    execute.commit_outputs(course)
    assert "wrote chapters/index.executed.json: commit it" in capsys.readouterr().out
    took = execute.costs(course)["index"]
    shutil.rmtree(course / "_build")
    set_up(course, False)
    assert run(course) == 0
    assert execute.costs(course)["index"] == took
    assert any("42" in path.read_text() for path in (course / execute.CACHE).rglob("base.ipynb"))
    set_up(course, True)
    assert run(course) == 1, "what is committed stands in for an execution only where none can be"
    execute.commit_outputs(course)
    assert capsys.readouterr().out.count("wrote") == 0, "nothing is written that is the same"


def test_a_page_that_cannot_be_shown_says_what_sets_its_kernel_up(course: Path) -> None:
    set_up(course, False)
    with pytest.raises(execute.PageError, match=r"chapters/index.md .*'make kernel-own'"):
        run(course)
    set_up(course, True)
    run(course)
    execute.commit_outputs(course)
    set_up(course, False)
    (course / "chapters" / "index.md").write_text(OWN.format(code="6 * 8"))
    with pytest.raises(execute.PageError, match=r"chapters/index.md .*'make kernel-own'"):
        run(course)


def test_outputs_that_are_no_longer_shown_are_named(tmp_path: Path) -> None:
    def notebook(text: str, tags: tuple[str, ...] = (), picture: str = "") -> object:
        shown = new_output("display_data", data={"text/plain": text, "image/svg+xml": picture})
        return new_notebook(
            cells=[new_code_cell("f(1)\ng(2)", metadata={"tags": [*tags]}, outputs=[shown])]
        )

    page = tmp_path / "page.md"
    assert kernels.differences(page, notebook("1")) == ["page.executed.json does not exist"]
    kernels.write(page, notebook("1", picture="a"), {"seconds": 1.0})
    assert kernels.differences(page, notebook("1", picture="b")) == []
    assert kernels.differences(page, notebook("2")) == ["f(1)"]
    assert kernels.differences(page, new_notebook()) == ["one cell more or fewer"]
    kernels.write(page, notebook("1", tags=("varies",)), {"seconds": 1.0})
    assert kernels.differences(page, notebook("2", tags=("varies",))) == []


@pytest.mark.parametrize("kernel", kernels.names(ROOT))
def test_committed_outputs_are_what_the_pages_show(kernel: str) -> None:
    if kernels.python(ROOT, kernel) is None:
        pytest.skip(f"the kernel {kernel} is not set up: make kernel-{kernel}")
    pages = [page for page in execute.read_pages(ROOT) if page.kernel == kernel]
    assert pages, f"no page needs the kernel {kernel}"
    changed = execute.changed_outputs(ROOT)
    for page in pages:
        assert page.path in changed, f"{page.name} was not executed: run 'make book'"
        assert changed[page.path] == [], "run 'make outputs'"

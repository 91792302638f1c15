"""A small book of questions for tests, built without a kernel from cells that ran already."""

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book.small import ROOT, run_sphinx

STATIC = ("questions.css", "questions.js", "progress-store.js", "progress.js")
AIMS = """# A page

:::{admonition} After this page you can
- **count** to three, and **compute** a half.
:::

"""
LAB = {"lab": "demo-first", "questions": 3, "points": 10.0}


def build(folder: Path, pages: dict[str, str], glued: dict[str, str]) -> tuple[Path, str]:
    """Build a book with these pages under chapters/demo; its HTML folder and the warnings."""
    source = folder / "source"
    chapters = source / "chapters"
    (chapters / "demo").mkdir(parents=True, exist_ok=True)
    static = source / "_static"
    static.mkdir(exist_ok=True)
    for name in STATIC:
        (static / name).write_bytes((ROOT / "_static" / name).read_bytes())
    (chapters / "verified.json").write_text(json.dumps([LAB]))
    for name, text in pages.items():
        path = chapters / f"{name}.md" if name == "progress" else chapters / "demo" / name
        if name == "progress":
            path.write_text(text)
        else:
            nbformat.write(_notebook(text, glued), path.with_suffix(".ipynb"))
    entries = "\n".join(["progress"] * ("progress" in pages) + ["demo/index"])
    (chapters / "index.md").write_text(f"# Book\n\n```{{toctree}}\n{entries}\n```\n")
    inner = "\n".join(name for name in pages if name != "progress")
    (chapters / "demo" / "index.md").write_text(f"# Demo\n\n```{{toctree}}\n{inner}\n```\n")
    return run(folder)


def _notebook(text: str, glued: dict[str, str]) -> Any:
    outputs = [
        new_output(
            "display_data",
            {"application/papermill.record/text/plain": value},
            metadata={"scrapbook": {"name": k, "mime_prefix": "application/papermill.record/"}},
        )
        for k, value in glued.items()
    ]
    parts = text.split("CELL")
    cells = [new_markdown_cell(parts[0]), new_code_cell("glued = True", outputs=outputs)]
    cells += [new_markdown_cell(part) for part in parts[1:]]
    python = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return new_notebook(cells=cells, metadata=python)


def run(folder: Path) -> tuple[Path, str]:
    """Build what lies in the folder already."""
    target = folder / "built"
    settings: dict[str, object] = {
        "extensions": [
            "myst_nb",
            "tools.extensions.questions",
            "tools.extensions.exercises",
            "tools.extensions.progress",
        ],
        "myst_enable_extensions": ["colon_fence"],
        "nb_execution_mode": "off",
        "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},
        "html_title": "A demo",
        "html_static_path": ["_static"],
        "html_css_files": ["questions.css"],
    }
    return target, run_sphinx(folder / "source", target, settings)

"""What readers take home: each executed page as a notebook, each lab with its data as a zip.

`python -m tools.downloads FOLDER` writes the notebooks that the main kernel can run; the Binder
image, which has no other, does so.
"""

import io
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
import yaml

from tools import kernels

FRONT = re.compile(r"\A---\n((?:(?!---).*\n)*)---\n")
# The earliest date that a zip can hold: the same files give the same bytes.
STAMP = (1980, 1, 1, 0, 0, 0)


def notebook_pages(root: Path) -> list[str]:
    """Pages with cells to execute, as paths under chapters/ without suffix."""
    folder = root / "chapters"
    pages = [path for path in sorted(folder.rglob("[!.]*.md")) if kernel_of(path)]
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in pages]
    return [name for name in names if "/." not in name]  # JupyterLab's checkpoints


def main_pages(root: Path) -> list[str]:
    """Those of them that the main kernel can run."""
    chapters = root / "chapters"
    pages = notebook_pages(root)
    return [page for page in pages if kernel_of(chapters / f"{page}.md") == kernels.MAIN]


def kernel_of(path: Path) -> str:
    """The kernel that a page's front matter names, '' for a page without cells."""
    front = FRONT.match(path.read_text(encoding="utf-8")) if path.exists() else None
    return yaml.safe_load(front[1]).get("kernelspec", {}).get("name", "") if front else ""


def page_notebook(text: str) -> str:
    """A page's Markdown as a notebook without outputs, with ids that do not change."""
    notebook = jupytext.reads(text, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return str(nbformat.writes(notebook)) + "\n"


def lab_zip(folder: Path) -> bytes:
    """A lab's folder, notebook and data, as a zip."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder.parent).as_posix()
            archive.writestr(zipfile.ZipInfo(name, STAMP), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return memory.getvalue()


def write_notebooks(root: Path, target: Path, pages: Sequence[str]) -> None:
    """Write pages to target/<page>.ipynb."""
    for page in pages:
        text = (root / "chapters" / f"{page}.md").read_text(encoding="utf-8")
        path = target / f"{page}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page_notebook(text), encoding="utf-8")


def write_labs(root: Path, target: Path) -> None:
    """Write every lab to target/<lab>.zip."""
    target.mkdir(parents=True, exist_ok=True)
    for folder in sorted(path for path in (root / "labs").glob("*") if path.is_dir()):
        (target / f"{folder.name}.zip").write_bytes(lab_zip(folder))


if __name__ == "__main__":
    write_notebooks(Path.cwd(), Path(sys.argv[1]), main_pages(Path.cwd()))

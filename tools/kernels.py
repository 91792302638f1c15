"""Pages on a kernel of their own, whose libraries cannot share the main environment.

`make kernel-NAME` sets one up from kernels/NAME.txt. Where it is not set up, the book shows what
the page showed when its author ran `make outputs`: executed cells, committed beside the page.
"""

import json
import sys
from pathlib import Path
from typing import Any

import nbformat

MAIN = "python3"


def names(root: Path) -> list[str]:
    """The extra kernels that the course has."""
    return sorted(path.stem for path in (root / "kernels").glob("*.txt"))


def python(root: Path, kernel: str) -> Path | None:
    """The Python that executes a kernel's pages, None where it is not set up."""
    if kernel == MAIN:
        return Path(sys.executable)
    venv = root / "kernels" / kernel / ".venv"
    return venv / "bin" / "python" if (venv / ".ready").exists() else None


def committed(page: Path) -> Path:
    """Where a page's executed cells are committed."""
    return page.with_suffix(".executed.json")


def read(page: Path) -> tuple[nbformat.NotebookNode, dict[str, Any]] | None:
    """The cells committed for a page and what they took, None where there are none."""
    if not committed(page).exists():
        return None
    kept = json.loads(committed(page).read_text(encoding="utf-8"))
    return nbformat.from_dict(kept["notebook"]), kept["cost"]


def write(page: Path, notebook: nbformat.NotebookNode, cost: dict[str, Any]) -> None:
    """Commit a page's executed cells."""
    text = json.dumps({"cost": cost, "notebook": notebook}, indent=1, ensure_ascii=False)
    committed(page).write_text(text + "\n", encoding="utf-8")


def differences(page: Path, notebook: nbformat.NotebookNode) -> list[str]:
    """First lines of the cells that show something else than what is committed.

    Cells tagged `varies` may, and so may pictures: their last digits depend on the machine.
    """
    kept = read(page)
    if kept is None:
        return [f"{committed(page).name} does not exist"]
    pairs = zip(kept[0].cells, notebook.cells, strict=False)
    changed = [new.source for old, new in pairs if _shown(old) != _shown(new)]
    if len(kept[0].cells) != len(notebook.cells):
        changed.append("one cell more or fewer")
    return [source.strip().partition("\n")[0] for source in changed]


def _shown(cell: nbformat.NotebookNode) -> Any:
    if "varies" in cell.metadata.get("tags", []):
        return cell.source
    outputs = [dict(output) for output in cell.outputs]
    for output in outputs:
        data = output.get("data", {})
        output["data"] = {kind: data[kind] for kind in data if not kind.startswith("image/")}
        output.pop("execution_count", None)
    return cell.source, outputs

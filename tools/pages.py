"""What was measured on every page: a table for the terminal and one for the book.

Three steps each leave a file under _build/: executing the pages their time and memory, rendering
them the questions whose keys were checked, and tests/book what the browser saw. What is missing
there shows as "-". `make measure` keeps all of it in chapters/pages.json for the book.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import questions  # noqa: E402

PUBLISHED = Path("chapters") / "pages.json"
SEEN = Path("_build") / "tests" / "pages.json"
EXECUTED = Path("_build") / "executed.json"
HTML = Path("_build") / "html"
SLOWEST = 5
# What Sphinx adds to the pages of the table of contents; all but these are under chapters/.
OF_SPHINX = ("genindex", "search")
COLUMNS = {
    "outside": "other hosts",
    "axe": "axe",
    "errors": "script errors",
    "links": "broken links",
    "kilobytes": "kB",
    "seconds": "s",
    "memory_mb": "MB",
    "questions": "questions",
}


@dataclass(frozen=True)
class Row:
    """A page's measurements; None where nobody measured."""

    page: str
    outside: int | None = None
    axe: int | None = None
    errors: int | None = None
    links: int | None = None
    kilobytes: int | None = None
    seconds: float | None = None
    memory_mb: int | None = None
    questions: int | None = None


def measured(root: Path) -> list[Row]:
    """A row for each page that a browser saw, by page."""
    seen = _read(root / SEEN) or {}
    executed = (_read(root / EXECUTED) or {}).get("pages", {})
    asked_of = questions.read_published(root / HTML)
    asked = Counter(
        _plain(question["page"]) for question in asked_of or () if question.get("checked", True)
    )
    rows = []
    for page in sorted(seen):
        costs = executed.get(page, {})
        rows.append(
            Row(
                page,
                **seen[page],
                seconds=round(costs["seconds"], 1) if "seconds" in costs else None,
                memory_mb=round(costs["memory_mb"]) if "memory_mb" in costs else None,
                questions=None if asked_of is None else asked[page],
            )
        )
    return rows


def slowest_cells(root: Path) -> list[dict[str, Any]]:
    """The cells that take longest: page, seconds and the first line of each."""
    executed = (_read(root / EXECUTED) or {}).get("pages", {})
    cells = [
        {"page": page, "seconds": round(cell["seconds"], 1), "line": cell["line"]}
        for page, costs in executed.items()
        for cell in costs.get("cells", ())
    ]
    return sorted(cells, key=lambda cell: (-cell["seconds"], cell["page"]))[:SLOWEST]


def publish(root: Path) -> None:
    """Write chapters/pages.json from what was last measured."""
    content = {
        "measured": date.today().isoformat(),
        "pages": [asdict(row) for row in measured(root)],
        "slowest": slowest_cells(root),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (root / PUBLISHED).write_text(text, encoding="utf-8")


def markdown(root: Path) -> str:
    """The book's tables, from chapters/pages.json."""
    content = _read(root / PUBLISHED)
    if content is None:
        return "The pages were not measured yet: `make measure` does it.\n"
    rows = [Row(**row) for row in content["pages"]]
    lines = [
        f"Measured on {content['measured']}, by one run of `make measure`:",
        "",
        f"| page | {' | '.join(COLUMNS.values())} |",
        f"| --- |{' ---: |' * len(COLUMNS)}",
    ]
    lines += [f"| {row.page} | {' | '.join(_cells(row))} |" for row in [*rows, _in_all(rows)]]
    if content["slowest"]:
        lines += [
            "",
            "The slowest cells:",
            "",
            "| page | s | first line |",
            "| --- | ---: | --- |",
        ]
        for cell in content["slowest"]:
            line = cell["line"].replace("|", "\\|")
            lines.append(f"| {cell['page']} | {cell['seconds']:.1f} | `{line}` |")
    return "\n".join(lines) + "\n"


def text(root: Path) -> str:
    """The same table for the terminal, from what was just measured; empty if nothing was."""
    rows = measured(root)
    if not rows:
        return ""
    table = [["page", *COLUMNS.values()]]
    table += [[row.page, *_cells(row)] for row in [*rows, _in_all(rows)]]
    first, *others = (max(map(len, column)) for column in zip(*table, strict=True))
    lines = []
    for page, *cells in table:
        numbers = (cell.rjust(width) for cell, width in zip(cells, others, strict=True))
        lines.append("  ".join([page.ljust(first), *numbers]))
    return "\n".join(lines)


def _in_all(rows: list[Row]) -> Row:
    """Sums, and of weight and memory the largest."""

    def known(name: str) -> list[Any]:
        return [value for row in rows if (value := getattr(row, name)) is not None]

    largest = ("kilobytes", "memory_mb")
    return Row(
        "sum (kB, MB: largest)",
        **{
            name: (max if name in largest else sum)(values)
            for name in COLUMNS
            if (values := known(name))
        },
    )


def _cells(row: Row) -> list[str]:
    values = (getattr(row, name) for name in COLUMNS)
    return [_shown(value) for value in values]


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"


def _plain(page: str) -> str:
    return page.removeprefix("chapters/").removesuffix(".md")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


if __name__ == "__main__":
    if not measured(ROOT):
        sys.exit(f"There is no {SEEN} to publish: run 'make measure', which makes it.")
    publish(ROOT)
    print(text(ROOT))

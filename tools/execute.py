"""Execute the book's pages in parallel, on forked kernels, into jupyter-cache.

myst-nb then finds every page in the cache and only renders. A page runs in an empty folder,
without a network, and is held to its limits; what it took is kept beside it in the cache. Of a
page whose own kernel is not set up, the committed outputs go there instead; `make outputs` commits
those of the pages whose own kernel is set up.
"""

import asyncio
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from grader.atomic import replacing
from grader.engine import provisioner
from grader.engine.imports import needed, preload
from grader.engine.launch import cores, running_template
from grader.engine.protocol import waited_seconds
from tools import figures, generated, kernels

CACHE = Path("_build") / ".jupyter_cache"
COSTS = Path("_build") / "executed.json"
CORES = cores()
PAGE_LIMIT_S = 20.0
PAGE_LIMIT_MB = 1000.0
CELL_LIMIT_S = 60
FIXED = {"PYTHONHASHSEED": "0"}  # the order in which sets are walked is the same in every build
# Importing feast sends the metrics of whatever else is in the process to files.
ONE_PAGE_ONLY = {"feast"}
COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Page:
    """A page with code; one that times things (a cell tagged `varies`) runs beside no other."""

    name: str
    path: Path
    notebook: nbformat.NotebookNode
    alone: bool

    @property
    def kernel(self) -> str:
        return str(self.notebook.metadata["kernelspec"]["name"])


@dataclass(frozen=True)
class Cost:
    """Time of a page's cells, not counting waits for a busy core, and its kernel's peak memory."""

    seconds: float
    memory_mb: float
    cells: list[dict[str, Any]]  # line: the cell's first; seconds

    def breach(self) -> str:
        """Which limit it broke, empty if none."""
        if self.seconds > PAGE_LIMIT_S:
            slowest = max(self.cells, key=lambda cell: float(cell["seconds"]))
            return (
                f"took {self.seconds:.1f} s, more than {PAGE_LIMIT_S:g} s; its slowest cell "
                f"({slowest['seconds']:.1f} s) begins with '{slowest['line']}'"
            )
        if self.memory_mb > PAGE_LIMIT_MB:
            return f"needed {self.memory_mb:.0f} MB, more than {PAGE_LIMIT_MB:g} MB"
        return ""


class PageError(Exception):
    """A page that cannot be published, and why, in at most one screen."""


def read_pages(root: Path) -> list[Page]:
    """Every page of the book that has code, as myst-nb will read it."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    extensions = set(config["parse"]["myst_enable_extensions"])
    pages = []
    for name in generated.built_pages(root):
        path = root / "chapters" / f"{name}.md"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        reader = create_nb_reader(
            str(path), MdParserConfig(enable_extensions=extensions), NbParserConfig(), text
        )
        if reader is not None:
            notebook = reader.read(text)
            tags = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
            pages.append(Page(name, path, notebook, "varies" in tags))
    return pages


def execute(root: Path) -> int:
    """Execute the pages that the cache does not hold; how many.

    Raises:
        PageError: a cell failed, a page broke a limit twice, the second time alone, or it can be
            neither executed here nor shown as committed.
    """
    cache = get_cache(root / CACHE)
    known = costs(root)
    pages = read_pages(root)
    pythons = {page.kernel: kernels.python(root, page.kernel) for page in pages}
    kept = {}
    for page in pages:
        show = _cached_cost if pythons[page.kernel] else _committed_cost
        kept[page.name] = show(cache, page)
    waiting = [page for page in pages if kept[page.name] is None]
    waiting.sort(key=lambda page: -known.get(page.name, {"seconds": 0.0})["seconds"])
    for kernel in dict.fromkeys(page.kernel for page in waiting):
        on_it = [page for page in waiting if page.kernel == kernel]
        # Forks of a kernel of its own begin with nothing imported: few pages would share it.
        shared = preload(_shared_imports(on_it), data=()) if kernel == kernels.MAIN else ()
        with (
            patch.dict(os.environ, {**FIXED, **figures.kernel_environment(root)}),
            running_template(shared, sandboxed=False, python=pythons[kernel]) as template,
            patch.dict(os.environ, provisioner.forked_kernels(template)),
        ):
            kept |= asyncio.run(_execute_all(cache, on_it))
    _write_costs(root, kept)
    return len(waiting)


def changed_outputs(root: Path) -> dict[Path, list[str]]:
    """By page, which cells on a kernel of its own show something else than what is committed."""
    return {
        page.path: kernels.differences(page.path, notebook)
        for page, notebook, _ in _executed_on_extra_kernels(root)
    }


def commit_outputs(root: Path) -> None:
    """Write what the pages showed that were executed on a kernel of their own."""
    for page, notebook, cost in _executed_on_extra_kernels(root):
        if kernels.differences(page.path, notebook):
            kernels.write(page.path, notebook, cost)
            print(f"wrote {kernels.committed(page.path).relative_to(root)}: commit it")


def _executed_on_extra_kernels(
    root: Path,
) -> Iterator[tuple[Page, nbformat.NotebookNode, dict[str, Any]]]:
    cache = get_cache(root / CACHE)
    for page in read_pages(root):
        if page.kernel != kernels.MAIN and (cost := _cached_cost(cache, page)):
            record = cache.match_cache_notebook(page.notebook)
            yield page, cache.get_cache_bundle(record.pk).nb, cost


def costs(root: Path) -> dict[str, Any]:
    """What each page took when it was last executed."""
    path = root / COSTS
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found.get("pages", {})  # type: ignore[no-any-return]


def _cached_cost(cache: Any, page: Page) -> dict[str, Any] | None:
    """What a page took when the cache's copy was executed; None where there is no such copy."""
    try:
        data: dict[str, Any] = cache.match_cache_notebook(page.notebook).data
    except KeyError:
        return None
    return None if data.get("committed") else data.get("cost")


def _committed_cost(cache: Any, page: Page) -> dict[str, Any]:
    """What a page took when its author executed it; its outputs go into the cache."""
    kept = kernels.read(page.path)
    code = [cell.source for cell in page.notebook.cells if cell.cell_type == "code"]
    if kept is None or [cell.source for cell in kept[0].cells] != code:
        raise PageError(
            f"chapters/{page.name}.md has code whose outputs are not committed; "
            f"run 'make kernel-{page.kernel}', which sets up what it needs."
        )
    notebook, cost = kept
    bundle = CacheBundleIn(notebook, str(page.path), data={"cost": cost, "committed": True})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return cost


def _shared_imports(pages: Sequence[Page]) -> set[str]:
    """What more than one page imports, or the only one: all of it counts in each page's memory."""
    names = [needed(c.source for c in p.notebook.cells if c.cell_type == "code") for p in pages]
    users = Counter(top for found in names for top in {name.partition(".")[0] for name in found})
    fewest = min(2, len(pages))
    shared = {top for top, count in users.items() if count >= fewest} - ONE_PAGE_ONLY
    return {name for found in names for name in found if name.partition(".")[0] in shared}


async def _execute_all(cache: Any, waiting: Sequence[Page]) -> dict[str, dict[str, Any]]:
    """Pages beside each other, then alone those that want to be; what each took."""
    started = time.perf_counter()
    kept: dict[str, dict[str, Any]] = {}
    slots = asyncio.Semaphore(CORES)
    again: list[Page] = []
    failed: list[PageError] = []

    def keep(page: Page, notebook: nbformat.NotebookNode, cost: Cost) -> None:
        kept[page.name] = asdict(cost)
        data = {"execution_seconds": cost.seconds, "cost": kept[page.name]}
        bundle = CacheBundleIn(notebook, str(page.path), data=data)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        done = len(kept)
        left_s = (time.perf_counter() - started) / done * (len(waiting) - done)
        print(
            f"executed chapters/{page.name} in {cost.seconds:.1f} s, {cost.memory_mb:.0f} MB "
            f"({done} of {len(waiting)}, {left_s:.0f} s left)",
            flush=True,
        )

    async def run(page: Page, *, alone: bool) -> None:
        try:
            notebook, cost = await _execute_page(page)
        except PageError as error:
            failed.append(error)
            return
        if not cost.breach():
            keep(page, notebook, cost)
        elif alone:
            failed.append(PageError(f"chapters/{page.name}.md {cost.breach()}."))
        else:
            print(f"chapters/{page.name} {cost.breach()}: it runs again, alone", flush=True)
            again.append(page)

    async def beside(page: Page) -> None:
        async with slots:
            await run(page, alone=False)

    async with asyncio.TaskGroup() as group:
        for page in waiting:
            if not page.alone:
                group.create_task(beside(page))
    for page in [page for page in waiting if page.alone] + again:
        await run(page, alone=True)
    if failed:
        raise failed[0]
    return kept


async def _execute_page(page: Page) -> tuple[nbformat.NotebookNode, Cost]:
    """The page's notebook with its outputs, and what it took."""
    notebook = nbformat.from_dict(page.notebook)
    waits: dict[int, float] = {}

    def waited() -> float:
        kernel = cast(provisioner.ForkedProvisioner, manager.provisioner).kernel
        return waited_seconds(kernel.pid) if kernel else 0.0

    def before_cell(cell_index: int, **_: Any) -> None:
        waits[cell_index] = -waited()

    def after_cell(cell_index: int, **_: Any) -> None:
        waits[cell_index] += waited()

    client = NotebookClient(
        notebook,
        kernel_name=kernels.MAIN,  # a fork of the template that runs, whichever Python that is
        timeout=CELL_LIMIT_S,
        record_timing=True,
        coalesce_streams=True,  # the kernel may cut what a cell prints anywhere
        on_cell_execute=before_cell,
        on_cell_executed=after_cell,
    )
    manager = client.create_kernel_manager()
    with tempfile.TemporaryDirectory() as folder:
        try:
            await client.async_execute(cwd=folder)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise PageError(_failure(page, notebook, error)) from None
    ended = next(e for e in provisioner.ended if e["kernel_id"] == manager.kernel_id)
    cells = [_cell_cost(notebook.cells[index], waits[index]) for index in sorted(waits)]
    seconds = sum(cell["seconds"] for cell in cells)
    return notebook, Cost(round(seconds, 2), round(ended["memory_mb"]), cells)


def _cell_cost(cell: nbformat.NotebookNode, waited: float) -> dict[str, Any]:
    """A cell's first line and seconds; its time stamps go, or no two builds would be equal."""
    times = cell.metadata.pop("execution", {})
    began, ended = times.get("iopub.execute_input"), times.get("iopub.status.idle")
    seconds = (_moment(ended) - _moment(began)).total_seconds() - waited if began and ended else 0
    line = cell.source.strip().partition("\n")[0]
    return {"line": line, "seconds": round(max(seconds, 0.0), 3)}


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))


def _failure(page: Page, notebook: nbformat.NotebookNode, error: Exception) -> str:
    """Page, line, cell and error, in one screen."""
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    index, cell = next(
        ((i, c) for i, c in reversed(code) if c.metadata.get("execution") or c.outputs), code[0]
    )
    line = notebook.metadata.get("source_map", [0] * (index + 1))[index] + 1
    source = cell.source.strip().splitlines()
    if isinstance(error, CellExecutionError):
        said = f"{error.ename}: {error.evalue}"
    elif isinstance(error, CellTimeoutError):
        said = f"the cell ran for more than {CELL_LIMIT_S} s"
    else:
        said = "the kernel died"
    shown = [f"    {text}" for text in source[:20]] + ["    ..."] * (len(source) > 20)
    where = f"chapters/{page.name}.md, the cell at line {line} failed:"
    return "\n".join([where, "", *shown, "", COLOR.sub("", said)[:1000]])


def _write_costs(root: Path, found: Mapping[str, Any]) -> None:
    """Put what each page took, when it was executed, into one file."""
    with replacing(root / COSTS) as scratch:
        scratch.write_text(json.dumps({"pages": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    commit_outputs(Path.cwd())

"""Measure one night, run to its end by each tool: `python tools/measure_tools.py`.

The page on the tools has no time for it. This takes a minute or more and writes
chapters/data/tools-measured.json. What each tool runs stands in the page: a process of its own
runs the cells that lead to the tool's first start, and then starts it, with a warehouse that
answers.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from lender import pipeline  # noqa: E402
from tools import downloads  # noqa: E402
from tools.measure_backfill import family, machine, proportional_mb  # noqa: E402

PAGE = ROOT / "chapters" / "data" / "orchestration-tools.md"
MEASURED = ROOT / "chapters" / "data" / "tools-measured.json"
FIRST_CELL = {  # how the first cell of each tool begins
    "by hand": 'store = Path("store")',
    "Kubeflow, local": "from functools import partial",
    "MLflow": "import mlflow",
    "DVC": "def stage(",
}
PROCESS_PER_STEP = "a process a step"  # the control: no tool, and each step in a process
SAMPLE_S = 0.05
SETTINGS = {
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

BEFORE = """
import contextlib, json, os, resource, subprocess, sys
from pathlib import Path
import pandas as pd
import yaml
from lender import byhand, pipeline

silence, steps = contextlib.nullcontext, pipeline.STEPS
source = Path("source.parquet").resolve()
pipeline.watch(Path("watched"))

def cpu_s():
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in used)

home, begun = Path.cwd(), cpu_s()
"""
AFTER = """
(home / "cpu.json").write_text(json.dumps(cpu_s() - begun))
"""
STEP_BY_STEP = """
for name in steps:
    command = [sys.executable, "-m", "lender.pipeline", name, "."]
    subprocess.run(command, check=True)
"""


def program(page: str, tool: str) -> str:
    """The page's cells up to the first start with a tool, and that start.

    Raises ValueError where the page has no such cells.
    """
    notebook = nbformat.reads(downloads.page_notebook(page), as_version=4)
    cells = [
        str(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])
    ]
    begins = [i for i, cell in enumerate(cells) if cell.startswith(FIRST_CELL[tool])]
    start = re.compile(rf'^calls.*"{tool}".*examine\((.+?)\)\}}?$', re.MULTILINE)
    ends = [(i, found[1]) for i, cell in enumerate(cells) if (found := start.search(cell))]
    if len(begins) != 1 or len(ends) != 1:
        raise ValueError(f"the page has not one first cell and one first start of: {tool}")
    (end, call) = ends[0]
    return "\n\n".join([*cells[begins[0] : end], f"({call})()"])


def night(code: str) -> dict[str, Any]:
    """Run one program in an empty folder but for the source; what it took and left."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        pipeline.write_source(home / "source.parquet")
        (home / "night.py").write_text(BEFORE + code + AFTER, encoding="utf-8")
        env = {**os.environ, **SETTINGS, "PYTHONPATH": str(ROOT)}
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        most, memory_mb = 0, 0.0
        with (home / "log").open("wb") as log:
            command = [sys.executable, "night.py"]
            child = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log)
            while child.poll() is None:
                alive = family(psutil.Process(child.pid))
                most = max(most, len(alive))
                memory_mb = max(memory_mb, sum(map(proportional_mb, alive)))
                time.sleep(SAMPLE_S)
        if child.returncode:
            sys.exit((home / "log").read_text()[-1500:])
        return {
            "cpu_s": round(json.loads((home / "cpu.json").read_text()), 1),
            "processes": most,
            "memory_mb": round(memory_mb),
            "calls": len((home / "watched" / "calls.txt").read_text().split()),
            "same_metrics": left(home, undisturbed(home)),
        }


def undisturbed(home: Path) -> bytes:
    """The metrics that the steps make when they are called one after the other."""
    folder = home / "undisturbed"
    folder.mkdir()
    for name in pipeline.STEPS:
        pipeline.run_step(name, folder, home / "source.parquet")
    return (folder / "metrics.json").read_bytes()


def left(home: Path, content: bytes) -> bool:
    """Whether a run has left a file of this content anywhere below."""
    files = (f for f in home.rglob("*") if f.is_file() and f.parent.name != "undisturbed")
    return any(file.read_bytes() == content for file in files)


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    programs = {tool: program(page, tool) for tool in FIRST_CELL}
    measured = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "load": round(os.getloadavg()[1], 1),
        "versions": {name: version(name) for name in ("dvc", "kfp", "mlflow")},
        "nights": {
            tool: night(code)
            for tool, code in {**programs, PROCESS_PER_STEP: STEP_BY_STEP}.items()
        },
    }
    MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {MEASURED.relative_to(ROOT)}: commit it")
    return 0


if __name__ == "__main__":
    sys.exit(main())

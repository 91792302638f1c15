"""Everything that CI checks (`make test`); the last lines are counts and minutes per folder."""

import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import kernels, pages  # noqa: E402

REPORTS = ROOT / "_build" / "tests"
# Beside the book and its tests, longest first; by the time of `workflow` the book is built.
FOLDERS = ("labs", "workflow", "unit", "security", "lender")
# Programs that some tests want, and the Debian packages that have them, best first.
DEBIAN = {
    "chromium-headless-shell": ("chromium-headless-shell", "chromium"),
    "promtool": ("prometheus",),
}


@dataclass
class Part:
    """One step's outcome; a checking tool that is not pytest counts as one test."""

    name: str
    minutes: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)


def main() -> int:
    started = time.perf_counter()
    REPORTS.mkdir(parents=True, exist_ok=True)
    (ROOT / pages.SEEN).unlink(missing_ok=True)
    install_debian()
    python = sys.executable
    parts = [
        tool("ruff check", [python, "-m", "ruff", "check", "--output-format", "concise"]),
        tool("ruff format", [python, "-m", "ruff", "format", "--check"]),
        tool("mypy", [python, "-m", "mypy", "grader", "lender", "playable", "tools"]),
    ]
    with ThreadPoolExecutor(2) as lanes:
        on_the_book = lanes.submit(book)
        others = lanes.map(folder, FOLDERS)
        parts += [*on_the_book.result(), *others]
    summarize(parts, (time.perf_counter() - started) / 60)
    return 1 if any(part.failed for part in parts) else 0


def install_debian() -> None:
    """Install what tests want where we may; tests of what is missing are skipped by name."""
    missing = [program for program in DEBIAN if not shutil.which(program)]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"installing {' '.join(missing)}", flush=True)
    # Run level 1: what a package would start as a service stays off.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with (REPORTS / "apt.log").open("w") as log:

        def apt(*command: str) -> bool:
            call = ["apt-get", *command]
            return subprocess.call(call, env=environment, stdout=log, stderr=log) == 0

        apt("update")
        for program in missing:
            any(apt("install", "-y", "--no-install-recommends", p) for p in DEBIAN[program])


def tool(name: str, command: list[str]) -> Part:
    print(f"== {name}", flush=True)
    started = time.perf_counter()
    failed = subprocess.call(command, cwd=ROOT) != 0
    minutes = (time.perf_counter() - started) / 60
    return Part(name, minutes, passed=int(not failed), failed=int(failed))


def book() -> list[Part]:
    """Set up the kernels of its own pages, build it, and look at it."""
    steps = [*(f"kernel-{name}" for name in kernels.names(ROOT)), "book"]
    made = [tool(step, ["make", "--no-print-directory", step]) for step in steps]
    return [*made, folder("book")]


def folder(name: str) -> Part:
    """Run one folder's tests; what they print comes whole when they have ended."""
    print(f"== tests/{name} begins", flush=True)
    report, log = REPORTS / f"{name}.xml", REPORTS / f"{name}.log"
    report.unlink(missing_ok=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", f"tests/{name}", "-rs", f"--junitxml={report}"]
    command += ["-m", "not lab"]  # minutes long: `make bench` runs them
    with log.open("w") as file:
        status = subprocess.call(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
    part = Part(f"tests/{name}", (time.perf_counter() - started) / 60)
    print(f"== tests/{name}\n{log.read_text()}", flush=True)
    if report.exists():
        counts = ElementTree.parse(report).getroot()[0].attrib
        part.skipped = int(counts["skipped"])
        part.failed = int(counts["failures"]) + int(counts["errors"])
        part.passed = int(counts["tests"]) - part.failed - part.skipped
    # Collecting nothing, or a crash of pytest itself, is a failure too.
    part.failed = max(part.failed, int(status != 0))
    if status:
        part.failures = failures(report, log, status)
    return part


def failures(report: Path, log: Path, status: int) -> list[str]:
    """A line per failed test; where none is reported, how pytest ended and what it said last."""
    lines = []
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        for found in case:
            if found.tag in ("failure", "error"):
                message, *_ = (found.get("message") or "").splitlines() or [""]
                where = (found.text or "").rstrip().rpartition("\n")[2]
                lines.append(f"{case.get('classname')}.{case.get('name')}: {message} ({where})")
    said = log.read_text(errors="replace").splitlines()
    return lines or [f"pytest ended with {status}; its last lines:", *said[-20:]]


def summarize(parts: list[Part], minutes: float) -> None:
    print()
    for part in parts:
        print(
            f"{part.name:16} {part.minutes:5.1f} min  {part.passed:4} passed "
            f"{part.failed:3} failed {part.skipped:3} skipped"
        )
    print(f"{'in all':16} {minutes:5.1f} min, two at a time")
    print("\n" + (pages.text(ROOT) or "No page was looked at: chromium is not installed.") + "\n")
    proof = ROOT / "_build" / "verify.json"
    if proof.exists():
        reports = json.loads(proof.read_text(encoding="utf-8"))
        verified = sum(not report["problems"] for report in reports)
        built = len(list((ROOT / "_build" / "html" / "chapters").rglob("*.html")))
        questions = sum(report["questions"] for report in reports)
        caught = sum(report["wrong_caught"] for report in reports)
        wrong = sum(report["wrong_answers"] for report in reports)
        print(
            f"{built} pages built, {verified} of {len(reports)} labs verified, "
            f"{questions} questions, {caught} of {wrong} wrong answers caught"
        )
    for part in parts:
        for line in part.failures:
            print(f"{part.name}: {line}")
    passed, failed, skipped = (
        sum(getattr(part, outcome) for part in parts)
        for outcome in ("passed", "failed", "skipped")
    )
    print(f"{passed} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    sys.exit(main())

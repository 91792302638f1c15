"""Build the book strictly, without a network: a warning or a failing cell fails the build."""

import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from grader import offline  # noqa: E402
from grader.engine.imports import needed, preload  # noqa: E402
from grader.engine.launch import running_template  # noqa: E402
from grader.engine.provisioner import forked_kernels  # noqa: E402
from tools import generated  # noqa: E402

COLOR = re.compile(r"\x1b\[[0-9;]*m")
EXECUTED = re.compile(r"(chapters/\S+?)(?:\.md)?: Executed notebook in ([\d.]+) seconds")
# A cell's code, without its options.
CODE_CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?\n---\n|(?::[^\n]*\n)*)(.*?)^```", re.M | re.S
)
BAD = re.compile(r"WARNING|ERROR|Error\b|severe:")


def build(root: Path) -> int:
    """Build the book in `root`; return 0, or 1 with the trouble printed last."""
    drop_stale_cache(root)
    generated.write_all(root)
    started = time.perf_counter()
    log: list[str] = []
    pages = 0
    for line in run_jupyter_book(root):
        log.append(line)
        executed = EXECUTED.search(line)
        if executed:
            pages += 1
            print(f"executed {executed.group(1)} in {float(executed.group(2)):.1f} s", flush=True)
    trouble = [line for line in log[:-1] if BAD.search(line)]
    seconds = time.perf_counter() - started
    if log[-1] != "0" or trouble:
        print_trouble(log, trouble)
        return 1
    built = len(generated.built_pages(root))
    print(f"{built} pages built, {pages} of them executed, in {seconds:.0f} s: _build/html")
    (root / "_build" / "html" / ".ready").touch()
    return 0


def run_jupyter_book(root: Path) -> Iterator[str]:
    """Yield jupyter-book's output line by line, then its exit status; pages run in forks."""
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", "-W", "-n", "--keep-going", "."]
    with (
        running_template(imports(root), sandboxed=False) as template,
        subprocess.Popen(
            [*offline.prefix(), *command],
            cwd=root,
            env=forked_kernels(template),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            yield COLOR.sub("", line.rstrip())
    yield str(process.returncode)


def imports(root: Path) -> tuple[str, ...]:
    """What the pages' code imports."""
    pages = sorted((root / "chapters").rglob("*.md"))
    code = [cell for page in pages for cell in CODE_CELL.findall(page.read_text("utf-8"))]
    return preload(needed(code), data=())


def print_trouble(log: list[str], trouble: list[str]) -> None:
    """Page, cell and error in one screen."""
    for start, line in enumerate(log):
        if "An error occurred while executing the following cell" in line:
            cell = [part for part in log[start : start + 60] if part.strip()]
            end = next((i for i, part in enumerate(cell) if re.match(r"\w+Error: ", part)), 25)
            print("\n".join([*cell[:12], *cell[max(12, end - 4) : end + 1]]))
            break
    for line in list(dict.fromkeys(trouble or log[-10:-1]))[:12]:
        print(line[:300])
    print("The book was not built: mend the page named above and run 'make book' again.")


def drop_stale_cache(root: Path) -> None:
    """The cache keys on a page's code alone; forget it when what the code imports has changed."""
    digest = hashlib.sha256()
    files = [root / "requirements.txt", *sorted((root / "lender").glob("*.py"))]
    for path in files:
        digest.update(path.read_bytes() if path.exists() else b"")
    stamp = root / "_build" / ".executed-with"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        # Sphinx reads no page again whose text is the same, unless its own memory goes too.
        for memory in (".jupyter_cache", ".doctrees"):
            shutil.rmtree(root / "_build" / memory, ignore_errors=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT))

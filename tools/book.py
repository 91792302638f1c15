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
from tools import execute, generated  # noqa: E402

# A page that is executed while it is rendered was not found in the cache.
BAD = re.compile(r"WARNING|ERROR|Error\b|severe:|Executed notebook in")
DOCTREES = ".doctrees"
EXECUTE_WITH = ("lender", "playable")  # our packages that pages import
MEND = "The book was not built: mend the page named above and run 'make book' again."


def build(root: Path) -> int:
    """Build the book in `root`; return 0, or 1 with the trouble printed last."""
    started = time.perf_counter()
    drop_stale_caches(root)
    generated.write_all(root)
    try:
        executed = execute.execute(root)
    except execute.PageError as error:
        print(error)
        print(MEND)
        return 1
    *log, status = run_jupyter_book(root)
    trouble = [line for line in log if BAD.search(line)]
    if status != "0" or trouble:
        for line in list(dict.fromkeys(trouble or log[-9:]))[:12]:
            print(line[:300])
        print(MEND)
        # Sphinx does not warn again of a page that it has read.
        shutil.rmtree(root / "_build" / DOCTREES, ignore_errors=True)
        return 1
    built = len(generated.built_pages(root))
    seconds = time.perf_counter() - started
    print(f"{built} pages built, {executed} of them executed, in {seconds:.0f} s: _build/html")
    (root / "_build" / "html" / ".ready").touch()
    return 0


def run_jupyter_book(root: Path) -> Iterator[str]:
    """Yield jupyter-book's output line by line, then its exit status; the pages are executed."""
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", "-W", "-n", "--keep-going", "."]
    with subprocess.Popen(
        [*offline.prefix(), *command],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield execute.COLOR.sub("", line.rstrip())
    yield str(process.returncode)


def drop_stale_caches(root: Path) -> None:
    """Forget what was made by other code than today's.

    jupyter-cache keys on a page's code alone, not on what that imports; Sphinx reads no page again
    whose text is the same.
    """
    executed = [root / "requirements.txt"]
    executed += [root / "tools" / name for name in ("execute.py", "figures.py")]
    executed += sorted((root / "kernels").glob("*.txt"))
    executed += sorted((root / "chapters").rglob("*-measured.json"))
    for package in EXECUTE_WITH:
        executed += sorted((root / package).rglob("*.py"))
        executed += sorted((root / package).rglob("*.mplstyle"))
    _forget(root, "executed", executed, (".jupyter_cache", DOCTREES))
    _forget(root, "read", sorted((root / "tools" / "extensions").glob("*.py")), (DOCTREES,))


def _forget(root: Path, what: str, made_with: list[Path], caches: tuple[str, ...]) -> None:
    digest = hashlib.sha256()
    for path in made_with:
        digest.update(path.read_bytes() if path.exists() else b"")
    stamp = root / "_build" / f".{what}-with"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        for cache in caches:
            shutil.rmtree(root / "_build" / cache, ignore_errors=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT))

"""An orchestrator in about forty lines: order, cache by content, retry with back-off, resume.

The page chapters/data/orchestration.md builds these functions one by one and runs them.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from inspect import getfile
from pathlib import Path
from typing import Any

from lender.pipeline import SOURCE, Step

Key = Callable[[Step, Sequence[Path], Mapping[str, Any], str], str]


def order(needs: Mapping[str, set[str]]) -> list[str]:
    """Every name after those that it needs, names that could run beside each other sorted.

    needs: for each name the names that have to come before it. Raises ValueError for a cycle and
    for a need that is not there. Kahn, Communications of the ACM 5 (11), 1962, level by level.
    """
    done: list[str] = []
    while len(done) < len(needs):
        ready = [n for n in needs if n not in done and needs[n] <= set(done)]
        if not ready:
            stuck = set(needs) - set(done)
            raise ValueError(f"these wait for each other: {stuck}")
        done += sorted(ready)
    return done


def whole(write: Callable[[Path], None], out: Path) -> None:
    """Let `write` fill a temporary file, then give it its name: `out` is whole or not there."""
    part = out.with_name(f"{out.name}.{os.getpid()}")  # two processes may want the same file
    write(part)
    part.replace(out)


def digest(file: Path) -> str:
    """A fingerprint of a file's content (SHA-256)."""
    return sha256(file.read_bytes()).hexdigest()


def key(step: Step, inputs: Sequence[Path], chosen: Mapping[str, Any], environment: str) -> str:
    """A name for what a step will write: equal where what is named here is equal.

    inputs: its input files. chosen: its parameters by name. environment: what is installed. The
    step's code is the file that it is defined in.
    """
    code = digest(Path(getfile(step.run)))
    contents = [digest(file) for file in inputs]
    parts = [step.writes, code, contents, dict(chosen), environment]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def environment(*packages: str) -> str:
    """The installed versions of the named packages, one a line."""
    return "\n".join(f"{name}=={version(name)}" for name in packages)


def attempt(
    work: Callable[[], None],
    retries: int = 3,
    wait: float = 1.0,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Do the work; when a connection fails try again, after `wait` s, then twice that, ...

    Raises what the work raises: other errors at once, a ConnectionError after so many retries.
    """
    for tries in range(retries + 1):
        try:
            work()
            return
        except ConnectionError:
            if tries == retries:
                raise
            sleep(wait * 2**tries)


def run(
    steps: Mapping[str, Step],
    source: Path,
    store: Path,
    parameters: Mapping[str, Any],
    environment: str,
    key: Key = key,
    wait: float = 1.0,
) -> dict[str, Path]:
    """Run what the store does not hold; every file of the pipeline by the name it has in `steps`.

    store: an existing folder of outputs under their keys, shared by all runs. wait: seconds
    before the first retry. Raises what a step raises; what was done until then is kept.
    """
    files = {SOURCE: source}
    makers = {step.writes: name for name, step in steps.items()}
    needs = {name: {makers[r] for r in step.reads if r in makers} for name, step in steps.items()}
    for name in order(needs):
        step = steps[name]
        inputs = [files[read] for read in step.reads]
        chosen = {p: parameters[p] for p in step.parameters}
        made_from = key(step, inputs, chosen, environment)
        out = store / f"{made_from}-{step.writes}"
        if not out.exists():
            write = partial(step.run, *inputs, **chosen)
            attempt(partial(whole, write, out), wait=wait)
        files[step.writes] = out
    return files

"""Run a master's cells in one plain process; at each question, try every other answer in a fork.

A fork costs milliseconds where a new kernel costs seconds, and each variant starts from exactly
the state that the model answers left. Numerical libraries must run single-threaded
(OMP_NUM_THREADS=1, set by whoever starts this): a fork does not carry threads over.

    python -m grader.replay solutions/LAB/lab.py 20260101 FOLDER [--variants FILE]
"""

import argparse
import ast
import contextlib
import io
import json
import linecache
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from grader import regions
from grader.answers import Variant, read_bank
from grader.engine.forksafe import unsafe_imports
from grader.errors import CourseError
from grader.master import Cell, Lab, read_lab
from grader.notebook import test_source

VARIANT_LIMIT_S = 30
QUESTION_LIMIT_S = 300


@dataclass
class Verdict:
    """What one test said: points earned and what went wrong, in the order it was met."""

    question: str
    earned: float
    visible_passes: bool
    failures: list[tuple[int, str]] = field(default_factory=list)  # (line in test, message)


@dataclass
class Trial:
    """One variant: the verdict on its own question and on later ones that use its names."""

    question: str
    title: str
    verdicts: list[Verdict]


class _Collect(ast.NodeTransformer):
    """Turn each assert into one that notes its failure and goes on."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        handler = ast.parse(
            f"try:\n    pass\nexcept AssertionError as error_:\n"
            f"    __failures__.append(({node.lineno}, str(error_)))"
        ).body[0]
        assert isinstance(handler, ast.Try)
        handler.body = [node]
        return ast.copy_location(handler, node)


def run_test(source: str, namespace: dict[str, Any]) -> tuple[list[tuple[int, str]], Any]:
    """Run a test cell; return its failures as (line, message) and its last expression's value."""
    failures: list[tuple[int, str]] = []
    namespace["__failures__"] = failures
    tree = ast.fix_missing_locations(_Collect().visit(ast.parse(regions.unmark(source))))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    value = None
    try:
        exec(compile(tree, "<test>", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<test>", "eval"), namespace)
    except BaseException as error:
        line = traceback.extract_tb(error.__traceback__)[-1].lineno or 0
        failures.append((line, f"{type(error).__name__}: {error}"))
    return failures, value


def judge(lab: Lab, bank: tuple[Variant, ...], question: str, names: dict[str, Any]) -> Verdict:
    """Score a question's test in the namespace as it is, as the gradebook would."""
    source = test_source(lab, bank, question)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        failures, value = run_test(source, names)
    hidden = regions.lines_inside(source, regions.HIDDEN_TESTS)
    visible_passes = all(line in hidden for line, _ in failures)
    points = lab.points[question]
    earned = 0.0 if failures else float(value) if isinstance(value, (int, float)) else points
    if earned < points and not failures:
        failures = [(0, printed.getvalue())]
    return Verdict(question, earned, visible_passes, failures)


def save_given(name: str, seed: int, namespace: dict[str, Any], folder: Path) -> None:
    """Write the value of a `given:` cell: a DataFrame as CSV, all else as JSON, 10 digits."""
    import pandas as pd

    variable = name.replace("-", "_")
    if variable not in namespace:
        raise CourseError(f"'given: {name}' needs a variable {variable}; no model answer sets it.")
    value = namespace[variable]
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(value, pd.DataFrame):
        value.to_csv(folder / f"{name}-{seed}.csv", index=False, float_format="%.10g")
        return
    text = json.dumps(_rounded(value), indent=1)
    (folder / f"{name}-{seed}.json").write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value


def names_read(source: str) -> set[str]:
    """Every name that a piece of code loads."""
    return {
        node.id
        for node in ast.walk(ast.parse(regions.unmark(source)))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def names_defined(source: str) -> set[str]:
    """Every name that a piece of code binds at its top level."""
    names = set()
    for statement in ast.parse(regions.unmark(source)).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        names |= {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        }
    return names


def users(lab: Lab, bank: tuple[Variant, ...], question: str, source: str) -> list[str]:
    """Later questions whose test reads a name that this answer defines."""
    defined = names_defined(source)
    later = list(lab.points)[list(lab.points).index(question) + 1 :]
    scored = [cell.question for cell in lab.cells if cell.kind in ("test", "review")]
    return [
        name
        for name in later
        if name in scored and names_read(test_source(lab, bank, name)) & defined
    ]


def replay(lab: Lab, seed: int, folder: Path, bank: tuple[Variant, ...]) -> Iterator[Trial]:
    """Run the model answers in `folder`, writing `given/`; yield a trial for each variant.

    Each variant starts from the state that the model answers left: in a fork of this process, or,
    where the lab uses a library that does not survive one, in a replay of its question's own.
    """
    os.chdir(folder)
    if not unsafe_libraries(lab, bank):
        yield from _run_all(lab, seed, folder, bank, bank, in_fork)
        return
    for question in dict.fromkeys(variant.question for variant in bank):
        mine = tuple(variant for variant in bank if variant.question == question)
        work = partial(_in_turn, lab, seed, folder, bank, mine)
        yield from in_fork(f"{question}, one of its answers", work, QUESTION_LIMIT_S)
    yield from _run_all(lab, seed, folder, bank, (), in_fork)


def unsafe_libraries(lab: Lab, bank: tuple[Variant, ...]) -> list[str]:
    """Libraries of a lab that no fork in the middle of its work may carry along."""
    cells = [cell.source for cell in lab.cells if cell.kind not in ("markdown", "written")]
    return unsafe_imports([*cells, *(variant.source for variant in bank)])


Forks = Callable[[str, Callable[[], list[Trial]]], list[Trial]]


def _in_turn(
    lab: Lab, seed: int, folder: Path, bank: tuple[Variant, ...], tried: tuple[Variant, ...]
) -> list[Trial]:
    """Try one question's variants in this process, one after the other."""
    return list(_run_all(lab, seed, folder, bank, tried, lambda _, work: work()))


def _run_all(
    lab: Lab,
    seed: int,
    folder: Path,
    bank: tuple[Variant, ...],
    tried: tuple[Variant, ...],
    forks: Forks,
) -> Iterator[Trial]:
    """Run the model answers; at each question, those of its variants that are to be tried."""
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *_: None}
    for position, cell in enumerate(lab.cells):
        if cell.kind in ("markdown", "written"):
            continue
        if cell.kind in ("test", "review"):
            mine = [variant for variant in tried if variant.question == cell.question]
            if cell.kind == "review" and mine:
                _run(cell, names)
            for variant in mine:
                what = f"{variant.question}, '{variant.title}'"
                yield from forks(what, partial(_try, lab, bank, variant, position, dict(names)))
            if cell.kind == "test":
                continue
        if cell.kind == "given":
            save_given(cell.name, seed, names, folder / "given")
        _run(cell, names)
        if cell.kind == "parameters":
            names["seed"] = seed


def _run(cell: Cell, names: dict[str, Any]) -> None:
    exec(_compiled(regions.unmark(cell.source), f"<lab.py line {cell.line}>"), names)


def _compiled(source: str, name: str) -> CodeType:
    """Code whose text `inspect.getsource` finds, as it does in a notebook."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


def _try(
    lab: Lab, bank: tuple[Variant, ...], variant: Variant, at: int, names: dict[str, Any]
) -> list[Trial]:
    """Put a variant in the model answer's place; judge its question, then those that use it."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(_compiled(variant.source, f"<{variant.title}>"), names)
        except Exception as error:
            note = f"{type(error).__name__}: {error}"
            verdict = Verdict(variant.question, 0.0, False, [(0, note)])
            return [Trial(variant.question, variant.title, [verdict])]
    verdicts = [judge(lab, bank, variant.question, names)]
    waiting = users(lab, bank, variant.question, variant.source)
    for cell in lab.cells[at + 1 :]:
        if not waiting:
            break
        if cell.kind in ("test", "review") and cell.question in waiting:
            if cell.kind == "review":
                _run(cell, names)
            verdicts.append(judge(lab, bank, cell.question, names))
            waiting.remove(cell.question)
        elif cell.kind not in ("markdown", "written", "test", "make"):
            _run(cell, names)
    return [Trial(variant.question, variant.title, verdicts)]


def in_fork(
    what: str, work: Callable[[], list[Trial]], seconds: int = VARIANT_LIMIT_S
) -> list[Trial]:
    """Run `work` in a forked copy of this process; its result comes back through a pipe."""
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read_end)
            signal.alarm(seconds)
            with os.fdopen(write_end, "w") as pipe:
                json.dump([asdict(trial) for trial in work()], pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status or not text:
        raise CourseError(
            f"{what}: it ended its process, or ran for more than {seconds} s; take out what exits "
            "or never ends."
        )
    return [_trial(data) for data in json.loads(text)]


def _trial(data: dict[str, Any]) -> Trial:
    verdicts = [Verdict(**verdict) for verdict in data["verdicts"]]
    return Trial(data["question"], data["title"], verdicts)


def read_trials(path: Path) -> list[Trial]:
    """The trials that `--variants FILE` wrote."""
    return [_trial(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("master", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variants", type=Path, help="also try the bank; write trials here")
    options = parser.parse_args(arguments)
    lab = read_lab(options.master.resolve())
    bank = read_bank(lab) if options.variants else ()
    trials = replay(lab, options.seed, options.folder.resolve(), bank)
    if options.variants is None:
        for _ in trials:
            pass
        return 0
    with options.variants.resolve().open("w", encoding="utf-8") as out:
        for trial in trials:
            out.write(json.dumps(asdict(trial)) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CourseError as error:
        sys.exit(str(error))

"""One training pipeline as six steps from files to files; every orchestration page runs it.

    source.parquet -+- applications.csv -+- report.json ------+
                    |                    +- features.parquet -+- model.joblib - metrics.json
                    +- repayments.csv ------------------------+

A step is a function of its input files, its output file and keyword parameters. It writes its
output in place and knows nothing of order, retries or caches: that is the orchestrator's part.
For experiments, `watch` names a folder in which every call is recorded, in whatever process it
runs, and `break_step` lets a step fail there. `python -m lender.pipeline STEP FOLDER` runs one.
"""

import argparse
import inspect
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec

import joblib  # type: ignore[import-untyped]
import numpy as np
import pandas as pd

from lender import simulate
from lender.simulate import FEATURES, LABEL_DAYS

WATCHED = "LENDER_PIPELINE_WATCHED"  # environment variable: the folder of calls and faults
SOURCE = "source.parquet"
PARAMETERS: dict[str, Any] = {"date": "2026-03-01", "days": 90, "held_out": 30, "strength": 1.0}

P = ParamSpec("P")


@dataclass(frozen=True)
class Step:
    """run: the function, called with a path per name in `reads`, one for `writes`, parameters."""

    run: Callable[..., None]
    reads: tuple[str, ...]
    writes: str
    parameters: tuple[str, ...]


STEPS: dict[str, Step] = {}


def _step(*reads: str, writes: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Enter a function in `STEPS`; when it is watched, record its calls and let it fail."""

    def enter(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            fault = _record(function.__name__)
            if fault == "error":
                raise ConnectionError(f"{function.__name__}: the warehouse did not answer")
            function(*args, **kwargs)
            if fault == "kill":
                out = Path(str(args[-1]))
                os.truncate(out, out.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

        of = inspect.signature(function).parameters.values()
        names = tuple(p.name for p in of if p.kind is p.KEYWORD_ONLY)
        STEPS[function.__name__] = Step(run, reads, writes, names)
        return run

    return enter


def write_source(
    out: Path, *, start: str = "2024-12-01", days: int = 120, per_day: int = 100, seed: int = 1
) -> None:
    """Write the lender's applications with their outcomes: what the first two steps read from."""
    frame = simulate.applications(days * per_day, seed, days=days, start=start)
    frame.to_parquet(out, index=False)


def _matured(source: Path, date: str, days: int) -> pd.DataFrame:
    """Applications of the newest `days` days whose labels are known on `date`, that day included.

    Raises ValueError where the source does not hold all of these days.
    """
    last = pd.Timestamp(date) - pd.Timedelta(days=LABEL_DAYS)
    first = last - pd.Timedelta(days=days - 1)
    frame = pd.read_parquet(source)
    found = frame[frame["applied_on"].between(first, last)]
    if found["applied_on"].nunique() < days:
        raise ValueError(f"the source lacks days of {first:%Y-%m-%d} to {last:%Y-%m-%d}")
    return found


@_step(SOURCE, writes="applications.csv")
def applications(source: Path, out: Path, *, date: str, days: int) -> None:
    """Extract what was on file when the training window's loans were applied for (CSV)."""
    columns = ["application_id", "applied_on", *FEATURES]
    _matured(source, date, days)[columns].to_csv(out, index=False)


@_step(SOURCE, writes="repayments.csv")
def repayments(source: Path, out: Path, *, date: str, days: int) -> None:
    """Extract how these loans ended: `application_id` and `defaulted`, 0 or 1 (CSV)."""
    _matured(source, date, days)[["application_id", "defaulted"]].to_csv(out, index=False)


@_step("applications.csv", writes="report.json")
def validate(applications: Path, out: Path) -> None:
    """Check the columns, their ranges and the keys; write rows and missing shares (JSON).

    Raises ValueError with all that is wrong.
    """
    frame = pd.read_csv(applications)
    absent = set(FEATURES) - set(frame)
    if absent:
        raise ValueError(f"columns are missing: {', '.join(sorted(absent))}")
    checks = {
        "no rows": frame.empty,
        "an application twice": frame["application_id"].duplicated().any(),
        "an income that is not positive": (frame["income"] <= 0).any(),
        "an age outside 18 to 100": not frame["age"].dropna().between(18, 100).all(),
        "more than a third of a column missing": (frame.isna().mean() > 1 / 3).any(),
    }
    wrong = [what for what, found in checks.items() if found]
    if wrong:
        raise ValueError("; ".join(wrong))
    missing = {name: float(share) for name, share in frame.isna().mean().items() if share}
    out.write_text(json.dumps({"rows": len(frame), "missing": missing}), encoding="utf-8")


@_step("applications.csv", writes="features.parquet")
def features(applications: Path, out: Path) -> None:
    """Compute one row of numbers per application, each from its own row alone (Parquet)."""
    frame = pd.read_csv(applications, parse_dates=["applied_on"])
    installment = frame["loan_amount"] / frame["term_months"]  # USD a month, without interest
    table = frame[["application_id", "applied_on", "debt_ratio", "bureau_score"]].assign(
        log_income=np.log(frame["income"]),
        log_burden=np.log(installment / frame["income"]),
        log_employment=np.log1p(frame["employment_years"]),
        age=frame["age"],
        many_accounts=frame["open_accounts"] > 7,
    )
    levels = pd.get_dummies(frame[["purpose", "housing"]])
    table.join(levels).to_parquet(out, index=False)


def _split(features: Path, repayments: Path, held_out: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labeled rows before the last `held_out` days of the window, and those of these days."""
    table = pd.read_parquet(features).merge(pd.read_csv(repayments), on="application_id")
    cut = table["applied_on"].max() - pd.Timedelta(days=held_out)
    later = table["applied_on"] > cut
    table = table.drop(columns=["application_id", "applied_on"])
    return table[~later], table[later]


@_step("features.parquet", "repayments.csv", "report.json", writes="model.joblib")
def train(
    features: Path, repayments: Path, report: Path, out: Path, *, held_out: int, strength: float
) -> None:
    """Fit a logistic regression to all but the last `held_out` days (joblib).

    report: only has to exist: no model without a passed validation. strength: the inverse of the
    regularization (`C`).
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, _ = _split(features, repayments, held_out)
    logistic = LogisticRegression(C=strength, max_iter=1000)
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), logistic)
    joblib.dump(model.fit(rows.drop(columns="defaulted"), rows["defaulted"]), out)


@_step("model.joblib", "features.parquet", "repayments.csv", writes="metrics.json")
def evaluate(model: Path, features: Path, repayments: Path, out: Path, *, held_out: int) -> None:
    """Judge the model on the last `held_out` days: AUC, log loss, rows and defaults (JSON)."""
    from sklearn.metrics import log_loss, roc_auc_score

    _, rows = _split(features, repayments, held_out)
    known = rows["defaulted"]
    score = joblib.load(model).predict_proba(rows.drop(columns="defaulted"))[:, 1]
    metrics = {
        "auc": round(float(roc_auc_score(known, score)), 6),
        "log_loss": round(float(log_loss(known, score)), 6),
        "rows": len(rows),
        "defaults": int(known.sum()),
    }
    out.write_text(json.dumps(metrics), encoding="utf-8")


def run_step(name: str, folder: Path, source: Path | None = None, **parameters: Any) -> None:
    """Run one step on the files of a folder; `source` may lie elsewhere.

    parameters: override those of `PARAMETERS`; the step takes what it knows. Raises KeyError for
    an unknown step, and what the step raises.
    """
    step = STEPS[name]
    paths = [source if source and read == SOURCE else folder / read for read in step.reads]
    known = PARAMETERS | parameters
    step.run(*paths, folder / step.writes, **{p: known[p] for p in step.parameters})


def watch(folder: Path) -> None:
    """Record every call of a step, from now on and also in processes started later, in `folder`.

    It starts with no calls and no planned faults.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    os.environ[WATCHED] = str(folder.resolve())


def break_step(name: str, times: int, how: Literal["error", "kill"] = "error") -> None:
    """Let the next `times` calls of a step fail; `watch` comes first.

    how: "error" raises ConnectionError before anything is written; "kill" writes half of the
    output and ends the process with SIGKILL. Raises KeyError where nothing watches.
    """
    (Path(os.environ[WATCHED]) / name).write_text(f"{how} {times}", encoding="utf-8")


def calls() -> list[str]:
    """The names of the steps called since `watch`, in order, failed calls included."""
    file = Path(os.environ[WATCHED]) / "calls.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def _record(name: str) -> str:
    """Note a call where calls are watched; how it is to fail, or an empty string."""
    if WATCHED not in os.environ:
        return ""
    folder = Path(os.environ[WATCHED])
    with (folder / "calls.txt").open("a", encoding="utf-8") as file:
        file.write(f"{name}\n")
    plan = folder / name
    if not plan.exists():
        return ""
    how, left = plan.read_text(encoding="utf-8").split()
    if int(left) <= 1:
        plan.unlink()
    else:
        plan.write_text(f"{how} {int(left) - 1}", encoding="utf-8")
    return how if int(left) > 0 else ""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one step from the command line; parameters as `--held-out 30`."""
    parser = argparse.ArgumentParser(prog="python -m lender.pipeline")
    parser.add_argument("step", choices=list(STEPS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", type=Path)
    for name, default in PARAMETERS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    chosen = vars(parser.parse_args(argv))
    run_step(chosen.pop("step"), chosen.pop("folder"), **chosen)


if __name__ == "__main__":
    main()

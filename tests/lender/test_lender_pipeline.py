"""The training pipeline: what its steps compute, what is recorded of them, how they fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest

from lender import pipeline


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every step has run, in the order in which `STEPS` names them."""
    folder = tmp_path_factory.mktemp("done")
    pipeline.write_source(folder / "source.parquet", per_day=30)
    for name in pipeline.STEPS:
        pipeline.run_step(name, folder)
    return folder


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(pipeline.WATCHED, "")  # so that it is put back afterwards
    pipeline.watch(tmp_path / "watched")
    return tmp_path


def test_a_step_reads_only_what_the_source_or_an_earlier_step_writes() -> None:
    written = {pipeline.SOURCE}
    for step in pipeline.STEPS.values():
        assert set(step.reads) <= written
        assert set(step.parameters) <= set(pipeline.PARAMETERS)
        written.add(step.writes)


def test_the_window_is_the_newest_days_with_known_labels(done: Path) -> None:
    days = pd.to_datetime(pd.read_csv(done / "applications.csv")["applied_on"])
    assert days.max() == pd.Timestamp("2025-03-01")
    assert days.nunique() == 90
    with pytest.raises(ValueError, match="lacks days of 2025-03"):
        pipeline.run_step("applications", done, date="2026-06-01")


def test_model_and_metrics_come_from_different_days(done: Path) -> None:
    table = pd.read_parquet(done / "features.parquet")
    metrics = json.loads((done / "metrics.json").read_text())
    assert metrics["rows"] == (table["applied_on"] > "2025-01-30").sum()
    model = joblib.load(done / "model.joblib")
    rows = table.loc[table["applied_on"] <= "2025-01-30", "bureau_score"]
    medians = dict(zip(model.feature_names_in_, model[0].statistics_, strict=True))
    assert medians["bureau_score"] == rows.median()
    assert 0.65 < metrics["auc"] < 0.85


def test_a_step_run_again_writes_the_same_bytes(done: Path) -> None:
    for name, step in pipeline.STEPS.items():
        before = (done / step.writes).read_bytes()
        pipeline.run_step(name, done)
        assert (done / step.writes).read_bytes() == before, name


def test_validation_names_all_that_is_wrong(done: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(done / "applications.csv")
    frame = pd.concat([frame, frame.head(1)])
    frame["income"] = -frame["income"]
    frame.to_csv(tmp_path / "applications.csv", index=False)
    with pytest.raises(ValueError, match="an application twice; an income that is not positive"):
        pipeline.run_step("validate", tmp_path)
    frame.drop(columns="purpose").to_csv(tmp_path / "applications.csv", index=False)
    with pytest.raises(ValueError, match="columns are missing: purpose"):
        pipeline.run_step("validate", tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_a_broken_step_fails_as_often_as_planned(done: Path, watched: Path) -> None:
    pipeline.break_step("repayments", 2)
    for _ in range(2):
        with pytest.raises(ConnectionError, match="repayments"):
            pipeline.run_step("repayments", watched, done / "source.parquet")
    assert not (watched / "repayments.csv").exists()
    pipeline.run_step("repayments", watched, done / "source.parquet")
    assert (watched / "repayments.csv").exists()
    assert pipeline.calls() == ["repayments"] * 3


def test_a_killed_step_leaves_half_of_its_output(done: Path, watched: Path) -> None:
    pipeline.break_step("repayments", 1, "kill")
    command = [sys.executable, "-m", "lender.pipeline", "repayments", str(watched)]
    command += ["--source", str(done / "source.parquet")]
    root = str(Path(pipeline.__file__).parents[1])
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, check=False)
    assert ended.returncode == -9
    whole = (done / "repayments.csv").read_bytes()
    assert (watched / "repayments.csv").read_bytes() == whole[: len(whole) // 2]
    assert pipeline.calls() == ["repayments"]


def test_nothing_is_recorded_where_nothing_watches(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(pipeline.WATCHED, raising=False)
    pipeline.run_step("validate", done)
    with pytest.raises(KeyError):
        pipeline.calls()

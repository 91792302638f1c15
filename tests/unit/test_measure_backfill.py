"""The measured backfill runs the page's own DAG and reads what Airflow wrote down."""

import sqlite3
from pathlib import Path

import pytest

from tools import measure_backfill

ROOT = Path(__file__).parent.parent.parent


def test_the_dag_is_the_page_s() -> None:
    source = measure_backfill.dag_source(measure_backfill.PAGE.read_text(encoding="utf-8"))
    assert source.startswith("import ")
    assert f"def {measure_backfill.DAG}():" in source
    compile(source, "training.py", "exec")


def test_runs_and_tasks_are_counted_from_the_metadata_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "airflow.db") as db:
        db.execute("create table dag_run (state)")
        db.execute("create table task_instance (state, try_number, duration)")
        db.executemany("insert into dag_run values (?)", [("success",), ("failed",)])
        rows = [("success", 1, 0.5), ("failed", 3, 0.25), ("upstream_failed", 0, None)]
        db.executemany("insert into task_instance values (?, ?, ?)", rows)
    assert measure_backfill.summary(tmp_path) == {
        "runs": 2,
        "run_states": {"success": 1, "failed": 1},
        "task_states": {"success": 1, "failed": 1, "upstream_failed": 1},
        "tries": 4,
        "task_s": 0.8,
    }


def test_every_process_stays_on_loopback_and_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_backfill, "airflow", lambda: ["/x/bin/python", "-m", "airflow"])
    env = measure_backfill.environment(tmp_path, 8123)
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert env["AIRFLOW_HOME"] == str(tmp_path)
    assert env["PATH"].startswith("/x/bin:")

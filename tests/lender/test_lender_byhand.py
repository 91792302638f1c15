"""The orchestrator by hand: order, whole files, keys, retries, resuming."""

import dataclasses
from pathlib import Path

import pytest

from lender import pipeline
from lender.byhand import attempt, environment, key, order, run, whole


def test_order_puts_every_name_after_its_needs() -> None:
    needs = {"d": {"b", "c"}, "b": {"a"}, "c": {"a"}, "a": set[str]()}
    assert order(needs) == ["a", "b", "c", "d"]
    assert order({}) == []


def test_order_refuses_a_cycle_and_a_need_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        order({"a": {"b"}, "b": {"a"}, "c": set()})
    with pytest.raises(ValueError, match="'a'"):
        order({"a": {"absent"}})


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def half(part: Path) -> None:
        part.write_text("half")
        raise OSError

    with pytest.raises(OSError):
        whole(half, out)
    assert not out.exists()

    def all_of_it(part: Path) -> None:
        part.write_text("all")

    whole(all_of_it, out)
    assert out.read_text() == "all"


def test_attempt_waits_ever_longer_for_a_connection_and_for_nothing_else() -> None:
    waits: list[float] = []
    tries: list[int] = []

    def work(error: Exception, times: int) -> None:
        tries.append(1)
        if len(tries) <= times:
            raise error

    attempt(lambda: work(ConnectionError(), 3), retries=3, wait=2, sleep=waits.append)
    assert waits == [2, 4, 8]
    tries.clear()
    with pytest.raises(ConnectionError):
        attempt(lambda: work(ConnectionError(), 9), retries=3, sleep=waits.append)
    assert len(tries) == 4
    tries.clear()
    with pytest.raises(ValueError):
        attempt(lambda: work(ValueError(), 9), sleep=waits.append)
    assert len(tries) == 1


def test_a_key_changes_with_each_thing_that_a_step_depends_on(tmp_path: Path) -> None:
    step = pipeline.STEPS["features"]
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a")
    other.write_text("b")
    here = environment("numpy")
    first = key(step, [one], {"days": 90}, here)
    assert first == key(step, [one], {"days": 90}, here)
    changed = [
        key(step, [other], {"days": 90}, here),
        key(step, [one], {"days": 91}, here),
        key(step, [one], {"days": 90}, here + "\n"),
        key(pipeline.STEPS["validate"], [one], {"days": 90}, here),
        key(dataclasses.replace(step, run=attempt), [one], {"days": 90}, here),
    ]
    assert len({first, *changed}) == 6


def test_a_failed_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pipeline.WATCHED, "")
    pipeline.watch(tmp_path / "watched")
    source, store = tmp_path / "source.parquet", tmp_path / "store"
    pipeline.write_source(source, per_day=20)
    store.mkdir()
    pipeline.break_step("repayments", 1)
    pipeline.break_step("train", 9)
    with pytest.raises(ConnectionError):
        run(pipeline.STEPS, source, store, pipeline.PARAMETERS, "here", wait=0)
    assert pipeline.calls()[-4:] == ["train"] * 4
    pipeline.watch(tmp_path / "watched")
    files = run(pipeline.STEPS, source, store, pipeline.PARAMETERS, "here", wait=0)
    assert pipeline.calls() == ["train", "evaluate"]
    stronger = pipeline.PARAMETERS | {"strength": 0.1}
    again = run(pipeline.STEPS, source, store, stronger, "here", wait=0)
    assert pipeline.calls() == ["train", "evaluate"] * 2
    assert again["features.parquet"] == files["features.parquet"]
    assert run(pipeline.STEPS, source, store, pipeline.PARAMETERS, "here") == files

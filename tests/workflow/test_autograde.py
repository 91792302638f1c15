"""What the command line does: grade what changed, say what happened, on this machine or others."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import LocalCluster

from grader import autograde as module
from grader.cli import main
from grader.course import Course
from grader.engine import schedule
from grader.engine import specification as specification_module
from grader.release import release
from tests.workflow.learners import model_answers, wrong_answers
from tests.workflow.running import copied, hand_in, results, scores, start

LAB = "mini-mean"
DIES = {"spread": "import os\n\ndef spread(values, center):\n    os._exit(3)"}
TURNED = """import ast

def mean(values):
    return 2.0

class Without(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

get_ipython().ast_transformers.append(Without())"""
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def graded_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Three learners, graded."""
    course = copied(Course(released_once), tmp_path_factory.mktemp("once") / "course")
    model = model_answers(course, LAB)
    hand_in(course, LAB, "ada", model)
    hand_in(course, LAB, "bob", model | {"mean": wrong_answers(course, LAB)["mean"]})
    hand_in(course, LAB, "eve", model | DIES)
    assert main(["--course", str(course.root), "autograde", LAB]) == 0
    return course


@pytest.fixture
def course(graded_once: Course, tmp_path: Path) -> Course:
    return copied(graded_once, tmp_path / "course")


@pytest.fixture
def run(course: Course) -> Run:
    """Grade again; exit status and the report of --json."""

    def again(*options: str) -> tuple[int, dict[str, Any]]:
        report = course.root / "report.json"
        report.unlink(missing_ok=True)
        words = ["--course", str(course.root), "autograde", LAB, "--json", str(report)]
        return main([*words, *options]), results(report) if report.exists() else {}

    return again


def fresh(rows: dict[str, Any]) -> set[str]:
    return {student for student, row in rows.items() if row["fresh"]}


def test_nothing_is_graded_again_that_has_not_changed(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a kernel started for it."""
    monkeypatch.setattr(module, "local_pool", None)
    status, rows = run()
    assert (status, fresh(rows)) == (0, set())
    assert "3 submissions: 0 graded now, 3 unchanged" in capsys.readouterr().out


def test_a_changed_submission_alone_is_graded_again(course: Course, run: Run) -> None:
    hand_in(course, LAB, "bob", model_answers(course, LAB))
    status, rows = run()
    assert (status, fresh(rows)) == (0, {"bob"})
    assert rows["bob"]["score"] == 9


def test_a_new_time_of_submission_is_a_change(course: Course, run: Run) -> None:
    """It decides on the penalty."""
    (course.submitted / "ada" / LAB / "timestamp.txt").write_text("2026-01-05 10:00:00 UTC")
    assert fresh(run()[1]) == {"ada"}


def test_another_hidden_test_regrades_all(course: Course, run: Run) -> None:
    master = course.master(LAB)
    text = master.read_text()
    old = "assert mean([]) is None,"
    assert old in text
    master.write_text(text.replace(old, "assert mean([2.0, 4.0]) == 4.0,"))
    # The model answer fails the new test: `grader verify` would say so.
    release(course, LAB)
    status, rows = run()
    assert (status, fresh(rows)) == (0, {"ada", "bob", "eve"})
    assert rows["ada"]["score"] == 5
    assert rows["ada"]["outcomes"]["failed"] == 1


def test_another_engine_regrades_all(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specification_module, "ENGINE", "of another day")
    assert fresh(run()[1]) == {"ada", "bob", "eve"}


def test_force_regrades_all_with_the_same_result(course: Course, run: Run) -> None:
    before, (_, known) = scores(course), run()
    status, rows = run("--force")
    assert (status, fresh(rows)) == (0, {"ada", "bob", "eve"})
    assert scores(course) == before
    assert lasting(rows) == lasting(known)


def lasting(rows: dict[str, Any]) -> dict[str, Any]:
    """What must be the same whenever and wherever a submission is graded."""
    return {
        student: {key: value for key, value in row.items() if key not in ("fresh", "cells_cpu_s")}
        for student, row in rows.items()
    }


def test_the_report(run: Run) -> None:
    _, rows = run()
    assert 0 < rows["ada"].pop("cells_cpu_s") < 30
    assert rows["ada"] == {
        "student": "ada",
        "outcome": "partial",  # a person grades the tenth point
        "fresh": False,
        "submission": rows["ada"]["submission"],
        "specification": rows["bob"]["specification"],
        "isolation": "sandbox",
        "controls": "bank",
        "score": 9.0,
        "max_score": 10.0,
        "penalty": 0.0,
        "outcomes": {"manual": 1, "passed": 3},
        "repairs": [],
        "events": [],
        "needs_manual_grade": True,
        "needs_person": False,
        "problem": "",
    }
    assert len(rows["ada"]["submission"]) == len(rows["ada"]["specification"]) == 64
    assert rows["ada"]["submission"] != rows["bob"]["submission"]
    assert rows["bob"]["outcomes"] == {"failed": 1, "manual": 1, "passed": 2}
    assert rows["eve"]["outcomes"] == {"died": 1, "manual": 1, "passed": 2}
    (event,) = rows["eve"]["events"]
    assert "the code ended its own process (exit status 3)" in event


@pytest.mark.parametrize(
    "ends",
    ["threading.Timer(0.03, os._exit, [3]).start()", "os.closerange(3, 1000)"],
    ids=["dies between two cells", "closes its sockets"],
)
def test_a_kernel_that_no_longer_listens_stops_nobody(course: Course, run: Run, ends: str) -> None:
    answer = f"import os, threading\n\ndef spread(values, center):\n    return 0\n\n{ends}"
    hand_in(course, LAB, "bob", model_answers(course, LAB) | {"spread": answer})
    _, rows = run()
    assert fresh(rows) == {"bob"}
    assert rows["bob"]["events"]
    assert rows["bob"]["score"] < 9


def test_who_needs_a_person_is_listed(
    course: Course, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.submitted / "bob" / LAB / f"{LAB}.ipynb").write_text("{")
    hand_in(course, LAB, "mal", {"mean": TURNED})
    (course.submitted / "zoe" / LAB).mkdir(parents=True)
    status, rows = run()
    assert status == 1
    assert {name for name, row in rows.items() if row["needs_person"]} == {"bob", "mal", "zoe"}
    assert rows["mal"]["score"] == 0
    captured = capsys.readouterr()
    assert "look at bob: mini-mean.ipynb is not valid JSON" in captured.out
    assert "look at mal: mean-test: a failing statement was not reported" in captured.out
    assert "look at zoe: " in captured.out
    assert "holds no mini-mean.ipynb" in captured.out
    assert "look at ada" not in captured.out
    assert "submissions/s" in captured.err
    assert "submissions/s" not in captured.out
    assert run()[0] == 1, "who needed a person still does"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["autograde"], "the following arguments are required: LAB"),
        (["autograde", LAB, "--isolation", "some"], "invalid choice: 'some'"),
        (["autograde", "no-lab"], "the gradebook's assignments, mini-mean"),
        (["autograde", LAB, "--scheduler", "nonsense://"], "no Dask scheduler answers at"),
        (["autograde", LAB, "--force", "--json", "no/where.json"], "no/.where.json.new"),
    ],
    ids=lambda part: " ".join(part)[:40],
)
def test_usage_errors(
    course: Course, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(course, LAB, "new", {})
    try:
        assert main(["--course", str(course.root), *arguments]) == 2
    except SystemExit as stop:
        assert stop.code == 2
    assert said in capsys.readouterr().err


def test_without_isolation_only_if_said_and_recorded(
    course: Course, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scores(course)
    status, rows = run("--force", "--isolation", "none")
    assert status == 0
    assert {row["isolation"] for row in rows.values()} == {"none"}
    assert "graded without isolation: learners' code ran with your rights" in (
        capsys.readouterr().out
    )
    assert scores(course) == before
    assert {row["isolation"] for row in run()[1].values()} == {"none"}, "it stays on record"


def test_where_isolation_is_impossible_nothing_is_graded(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking() -> list[Any]:
        return [schedule.probe.Finding("user namespace", False, "not permitted")]

    monkeypatch.setattr(schedule.probe, "probe", lacking)
    assert run("--force")[0] == 2
    said = capsys.readouterr().err
    assert "--isolation none" in said
    assert "grader doctor" in said


def test_when_the_template_cannot_start_no_submission_is_blamed(
    course: Course,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = scores(course)
    monkeypatch.setattr("grader.engine.launch._package_folders", list)
    assert run("--force") == (2, {})
    assert "the template ended" in capsys.readouterr().err
    assert scores(course) == before


def test_a_template_that_cannot_start_early_starts_in_its_turn(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("grader.engine.early.starting_template", never)
    status, rows = run("--force")
    assert (status, len(fresh(rows))) == (0, 3)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and one worker, processes of their own, on loopback."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
        ) as cluster,
    ):
        yield cluster


def test_a_dask_cluster_gives_the_same(course: Course, run: Run, cluster: Any) -> None:
    before, (_, known) = scores(course), run()
    status, rows = run("--force", "--scheduler", cluster.scheduler_address)
    assert (status, fresh(rows)) == (0, {"ada", "bob", "eve"})
    assert scores(course) == before
    assert lasting(rows) == lasting(known)


def test_no_scheduler_at_the_address(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schedule, "CONNECT_S", 1)
    assert run("--force", "--scheduler", "tcp://127.0.0.1:9") == (2, {})
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("grader: no Dask scheduler answers at tcp://127.0.0.1:9")


def test_a_cluster_that_gives_way_blames_no_submission(
    course: Course,
    run: Run,
    cluster: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = scores(course)
    monkeypatch.setattr(schedule, "graded_text", lambda *_: os._exit(1))
    assert run("--force", "--scheduler", cluster.scheduler_address) == (2, {})
    assert "the Dask cluster gave way (KilledWorker" in capsys.readouterr().err
    assert scores(course) == before


def test_a_command_of_its_own(course: Course, tmp_path: Path) -> None:
    """As a person starts it: the bar on stderr, the summary on stdout, the report in its file."""
    hand_in(course, LAB, "new", {})
    report = tmp_path / "report.json"
    status, out, said = start(course, tmp_path / "t", LAB, "--json", str(report)).finished()
    assert status == 0
    assert out.splitlines()[0] == "4 submissions: 1 graded now, 3 unchanged"
    assert "1/1" in said
    assert len(json.loads(report.read_text())) == 4

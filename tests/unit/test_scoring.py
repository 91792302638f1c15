"""Points only for what the kernel confirmed, and only for what is a number."""

import warnings

import numpy as np
import pytest
import torch

from grader.engine.model import TrustedCell
from grader.engine.scoring import Evidence, parse_points, score_cell

TEST = TrustedCell("mean-test", "code", "assert mean([1]) == 1", 2.0, grade=True, locked=True)
ANSWER = TrustedCell("words", "markdown", "Write here.", 4.0, grade=True, solution=True)
TASK = TrustedCell("task", "markdown", "Do this.", 5.0, locked=True, task=True)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0", 0.0),
        ("0.0", 0.0),
        ("-0.0", 0.0),
        ("1", 1.0),
        ("2.", 2.0),
        (".5", 0.5),
        ("1e-1", 0.1),
        ("1E-1", 0.1),
        ("+1.5", 1.5),
        ("2.0000000001", 2.0),
        (" 1\n", 1.0),
        ("np.float64(0.5)", 0.5),
        ("np.float32(0.5)", 0.5),
        ("np.int64(1)", 1.0),
        ("np.uint8(2)", 2.0),
        ("numpy.float64(1e-3)", 0.001),
        ("array(0.5)", 0.5),
        ("array(0.5, dtype=float32)", 0.5),
        ("array(1, dtype=int8)", 1.0),
        ("tensor(0.5000)", 0.5),
        ("tensor(1.)", 1.0),
        ("tensor(1, dtype=torch.int32)", 1.0),
        ("tensor(0.5000, dtype=torch.float64)", 0.5),
        ("tensor(0.5000, requires_grad=True)", 0.5),
        ("tensor(0.5000, grad_fn=<MeanBackward0>)", 0.5),
        ("tensor(0.5000, device='cuda:0', dtype=torch.float16)", 0.5),
    ],
)
def test_points(text: str, points: float) -> None:
    assert parse_points(text, 2.0) == points
    assert str(parse_points(text, 2.0))[0] != "-"


@pytest.mark.parametrize(
    "text",
    [
        "True",
        "False",
        "None",
        "nan",
        "inf",
        "-inf",
        "-1",
        "-0.1",
        "2.1",
        "2.00001",
        "1e999",
        "-1e-300",
        "1j",
        "(1+0j)",
        "1_0",
        "0x1",
        "1,5",
        "\u0661",
        "²",
        "½",
        "1e",
        "'1'",
        '"1"',
        "b'1'",
        "[1]",
        "(1,)",
        "{1}",
        "{'a':1}",
        "1+1",
        "np.True_",
        "np.False_",
        "np.bool(True)",
        "np.float64(nan)",
        "np.float64(inf)",
        "np.float64(-1.0)",
        "np.float64(2.5)",
        "np.complex128(1+0j)",
        "np.str_('1')",
        "array(True)",
        "array([1])",
        "array(nan)",
        "array([])",
        "tensor(True)",
        "tensor([1.])",
        "tensor(nan)",
        "tensor(-1)",
        "tensor(3.)",
        "Fraction(1,2)",
        "Decimal('1')",
        "<object>",
        "Ellipsis",
        "...",
        "1;2",
        "float64(1)",
        "np.float64(1",
        "np.float64(1))",
        "np.float64()",
        "array(1,dtype=bool)",
        "tensor(1)x",
        "1tensor(1)",
        "e5",
        ".",
        "+",
        "-",
        "1.2.3",
        "--1",
        "1e1e1",
        "os.system(1)",
    ],
)
def test_no_points(text: str) -> None:
    with pytest.raises(ValueError, match="the test returned "):
        parse_points(text, 2.0)


@pytest.mark.parametrize("text", ["", "1 1", "1\n1", "9" * 10_000, "1" + " " * 500, "x" * 10**7])
def test_no_points_of_odd_length(text: str) -> None:
    with pytest.raises(ValueError, match="the test returned ") as error:
        parse_points(text, 2.0)
    assert len(str(error.value)) < 120


def test_points_of_real_scalars() -> None:
    """The libraries' own repr, in the versions that are installed."""
    for kind in (np.float16, np.float32, np.float64, np.int8, np.int64, np.uint16):
        assert parse_points(repr(kind(1)), 2.0) == 1
        assert parse_points(repr(np.array(1, dtype=kind)), 2.0) == 1
    for kind in (torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.int64):
        assert parse_points(repr(torch.tensor(1, dtype=kind)), 2.0) == 1
    assert parse_points(repr(torch.tensor(0.25, requires_grad=True) * 2), 2.0) == 0.5
    for odd in (np.bool_(True), np.array(True), np.complex64(1), np.float64("nan"), np.str_("1")):
        with pytest.raises(ValueError, match="the test returned"):
            parse_points(repr(odd), 2.0)
    for odd in (torch.tensor(True), torch.tensor(1j), torch.tensor([1]), torch.tensor(np.inf)):
        with pytest.raises(ValueError, match="the test returned"):
            parse_points(repr(odd), 2.0)


def test_every_float_survives_its_repr() -> None:
    for value in np.random.default_rng(0).uniform(0, 2, 500):
        assert parse_points(repr(float(value)), 2.0) == value == parse_points(repr(value), 2.0)


OK = {"status": "ok", "reached_end": True}


@pytest.mark.parametrize(
    ("evidence", "score", "outcome"),
    [
        (Evidence(**OK), 2.0, "passed"),
        (Evidence(**OK, values=["2"]), 2.0, "passed"),
        (Evidence(**OK, values=["np.float64(2.0)"]), 2.0, "passed"),
        (Evidence(**OK, values=["2.0000000001"]), 2.0, "passed"),
        (Evidence(**OK, values=["0.5"]), 0.5, "partial"),
        (Evidence(**OK, values=["0"]), 0.0, "failed"),
        (Evidence(**OK, values=["True"]), 0.0, "grader-error"),
        (Evidence(**OK, values=["None"]), 0.0, "grader-error"),
        (Evidence(**OK, values=["nan"]), 0.0, "grader-error"),
        (Evidence(**OK, values=["-1"]), 0.0, "grader-error"),
        (Evidence(**OK, values=["3"]), 0.0, "grader-error"),
        (Evidence(**OK, values=[""]), 0.0, "grader-error"),
        (Evidence(**OK, values=["2", "2"]), 0.0, "tampered"),
        (Evidence(**OK, tampered="a forged message"), 0.0, "tampered"),
        (Evidence("ok", reached_end=False), 0.0, "tampered"),
        (Evidence("ok", reached_end=False, values=["2"]), 0.0, "tampered"),
        (Evidence("error", ename="AssertionError"), 0.0, "failed"),
        (Evidence("error", reached_end=True, ename="AssertionError"), 0.0, "failed"),
        (Evidence("error", ename="NameError", evalue="x"), 0.0, "error"),
        (Evidence("error", values=["2"], ename="AssertionError_"), 0.0, "error"),
        (Evidence("error", tampered="seen", ename="AssertionError"), 0.0, "tampered"),
        (Evidence("timeout", values=["2"]), 0.0, "timeout"),
        (Evidence("died"), 0.0, "died"),
        (Evidence("limit", reached_end=True), 0.0, "limit"),
        (Evidence(), 0.0, "died"),
    ],
    ids=lambda value: value.status if isinstance(value, Evidence) else str(value),
)
@pytest.mark.parametrize("unchanged", [False, True])
def test_score(evidence: Evidence, score: float, outcome: str, unchanged: bool) -> None:
    result = score_cell(TEST, evidence, unchanged)
    assert (result.grade_id, result.points) == ("mean-test", 2.0)
    assert (result.score, result.outcome) == (score, outcome)
    assert (result.note == "") == (outcome in ("passed", "partial") or evidence.values == ["0"])


@pytest.mark.parametrize(
    ("cell", "unchanged", "score", "outcome"),
    [
        (ANSWER, False, None, "manual"),
        (ANSWER, True, 0.0, "unanswered"),
        (TrustedCell("f", "code", "f", 4.0, grade=True, solution=True), False, None, "manual"),
        (TrustedCell("f", "code", "f", 4.0, grade=True, solution=True), True, 0.0, "unanswered"),
        (TASK, True, None, "manual"),
        (TASK, False, None, "manual"),
    ],
)
@pytest.mark.parametrize(
    "evidence", [Evidence(**OK), Evidence("error"), Evidence(**OK, tampered="x")]
)
def test_what_a_person_grades(
    cell: TrustedCell, unchanged: bool, score: float | None, outcome: str, evidence: Evidence
) -> None:
    result = score_cell(cell, evidence, unchanged)
    assert (result.score, result.outcome) == (score, outcome)


def test_notes_are_short_lines_that_say_what_was_seen() -> None:
    noise = "\x1b[31m" + "x\n" * 10_000
    result = score_cell(TEST, Evidence("error", ename="E" * 500, evalue=noise), False)
    assert len(result.note) <= 200 and result.note.isprintable()
    result = score_cell(TEST, Evidence(**OK, values=["True"], note="seen in cell 3"), False)
    assert result.note == "the test returned True, which is no number; seen in cell 3"
    result = score_cell(TEST, Evidence("ok"), False)
    assert result.note == "the test did not run to its end though the kernel said ok"
    assert (
        "3, more than its 2 points" in score_cell(TEST, Evidence(**OK, values=["3"]), False).note
    )


def test_an_unknown_status_is_our_own_error() -> None:
    with pytest.raises(ValueError, match="no status"):
        score_cell(TEST, Evidence("fine"), False)


def test_a_cell_without_points() -> None:
    cell = TrustedCell("t", "code", "1", 0.0, grade=True, locked=True)
    assert score_cell(cell, Evidence(**OK), False).outcome == "passed"
    assert score_cell(cell, Evidence(**OK, values=["0"]), False).outcome == "passed"


def test_a_warning_is_no_failure() -> None:
    """Evidence knows of no stderr: what a cell prints there can cost nothing."""
    with warnings.catch_warnings(record=True):
        warnings.warn("seen", stacklevel=1)
        assert score_cell(TEST, Evidence(**OK), False).score == 2.0
    assert "stderr" not in Evidence.__dataclass_fields__

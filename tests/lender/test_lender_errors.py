"""What a detector of errors is told, under each rule of what is known when."""

import numpy as np
import pandas as pd
import pytest

from lender import errors
from lender.drift import stream
from lender.repayments import default_days

DAYS = 60


def decided(kind: str, **more: float) -> pd.DataFrame:
    frame, _ = stream(kind, seed=1, days=DAYS, per_day=40, onset=0, **more)  # type: ignore[arg-type]
    rank = frame.groupby("day")["bureau_score"].rank(pct=True, na_option="top")
    return frame.assign(approved=rank > 0.4)


@pytest.fixture(scope="module")
def quiet() -> errors.Ledger:
    return errors.ledger(decided("none"), seed=1)


@pytest.fixture(scope="module")
def worse() -> errors.Ledger:
    return errors.ledger(decided("label", size=2.0), seed=1)


def test_a_ledger_counts_each_day(quiet: errors.Ledger) -> None:
    frame = decided("none")
    loans = frame[frame["approved"]]
    bad = loans.groupby("day")["defaulted"].sum()
    assert np.array_equal(quiet.granted, loans.groupby("day").size())
    assert np.array_equal(quiet.bad.sum(axis=1), bad)
    refused_but_good = (~frame["approved"] & (frame["defaulted"] == 0)).groupby(frame["day"]).sum()
    assert np.array_equal(quiet.wrong, bad + refused_but_good)
    assert quiet.applied.sum() == len(frame)
    timing = default_days(frame, 1)[frame["approved"]].value_counts()
    assert np.array_equal(np.flatnonzero(quiet.bad.sum(axis=0)), sorted(timing.index))


def test_nothing_changes_before_the_onset(quiet: errors.Ledger, worse: errors.Ledger) -> None:
    one = errors.replay(quiet, quiet, days=500, onset=30, runs=3, seed=2)
    other = errors.replay(quiet, worse, days=500, onset=30, runs=3, seed=2)
    for rule in errors.RULES:
        start = 30 + 365 if rule == errors.MATURED else 30
        for quiet_part, part in zip(one[rule], other[rule], strict=True):
            assert part.shape == (500, 3)
            assert np.array_equal(quiet_part[:start], part[:start])
        assert not np.array_equal(one[rule][0][start:], other[rule][0][start:])


def test_matured_labels_are_the_day_s_own_a_year_later(quiet: errors.Ledger) -> None:
    seen = errors.replay(quiet, quiet, days=400, onset=0, runs=2, seed=3)
    for now, later in zip(seen[errors.GRANTED], seen[errors.MATURED], strict=True):
        assert np.array_equal(now[:35], later[365:])


def test_every_loan_s_label_arrives_once_at_the_latest_after_a_year(quiet: errors.Ledger) -> None:
    seen = errors.replay(quiet, quiet, days=2000, onset=0, runs=4, seed=4)
    bad, labels = (part.sum(axis=0) for part in seen[errors.ARRIVING])
    all_bad, all_loans = (part.sum(axis=0) for part in seen[errors.GRANTED])
    assert labels == pytest.approx(all_loans, rel=0.02)  # steady but for the two ends
    assert bad / labels == pytest.approx(all_bad / all_loans, rel=0.05)

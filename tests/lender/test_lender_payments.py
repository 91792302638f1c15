"""Payments as events: is the truth what the simulator card says it is?"""

import numpy as np
import pandas as pd
import pytest

from lender import payments as module
from lender.payments import hold, payments

COLUMNS = ["event_id", "loan_id", "channel", "event_time", "cents"]


@pytest.fixture(scope="module")
def week() -> tuple[pd.DataFrame, pd.DataFrame]:
    return payments(7, 1)


def first_delays(arrived: pd.DataFrame) -> pd.Series:
    """Seconds until the first arrival, by event."""
    first = arrived.drop_duplicates("event_id").set_index("event_id")
    return (first["arrival_time"] - first["event_time"]).dt.total_seconds()


def test_first_deliveries_are_the_payments_made(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    arrived, made = week
    assert made["event_id"].is_unique
    assert made["event_time"].is_monotonic_increasing
    assert arrived["arrival_time"].is_monotonic_increasing
    assert (arrived["arrival_time"] >= arrived["event_time"]).all()
    unique = arrived.drop_duplicates("event_id")[COLUMNS].sort_values("event_id")
    pd.testing.assert_frame_equal(
        unique.reset_index(drop=True), made.sort_values("event_id").reset_index(drop=True)
    )


def test_every_delivery_of_an_event_says_the_same(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    arrived, _ = week
    assert (arrived.groupby("event_id")[COLUMNS[1:]].nunique() == 1).all(axis=None)
    again = 1 - arrived["event_id"].nunique() / len(arrived)
    assert again == pytest.approx(module.AGAIN, abs=0.004)


def test_each_channel_has_its_delay(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    arrived, made = week
    delay = first_delays(arrived).groupby(made.set_index("event_id")["channel"])
    assert delay.mean()["card"] == pytest.approx(module.PROMPT, rel=0.05)
    assert delay.median()["branch"] == pytest.approx(module.BRANCH_MEDIAN, rel=0.1)
    late = delay.apply(lambda seconds: (seconds > 60).mean())
    assert late["app"] == pytest.approx(module.OFFLINE, abs=0.03)
    assert late["card"] == 0


def test_twins_are_payments_of_their_own(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, made = week
    twin = made.duplicated(["loan_id", "cents"])
    assert twin.mean() == pytest.approx(module.TWINS, abs=0.003)
    assert (twin == made.duplicated("loan_id")).all()
    gap = made[made["loan_id"].isin(made.loc[twin, "loan_id"])].groupby("loan_id")["event_time"]
    minutes = (gap.max() - gap.min()).dt.total_seconds() / 60
    assert minutes.between(1, 10).all()


def test_payments_lie_in_their_days_and_branches_have_hours(
    week: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, made = week
    assert made["event_time"].min() >= pd.Timestamp("2026-06-01")
    # A twin of the last minutes may fall on the next day.
    assert made["event_time"].max() < pd.Timestamp("2026-06-08 00:10")
    hour = made["event_time"].dt.hour + made["event_time"].dt.minute / 60
    assert hour[made["channel"] == "branch"].between(9, 18.2).all()
    shares = made["channel"].value_counts(normalize=True)[list(module.CHANNELS)]
    np.testing.assert_allclose(shares, module.SHARES, atol=0.015)


def test_equal_seeds_give_equal_payments() -> None:
    for one, other in zip(payments(2, 5), payments(2, 5), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert not payments(2, 5)[1]["cents"].equals(payments(2, 6)[1]["cents"])


def test_a_day_without_payments_has_empty_frames() -> None:
    arrived, made = payments(1, 0, per_day=0)
    assert len(arrived) == len(made) == 0
    assert list(arrived.columns) == [*COLUMNS, "arrival_time"]


def test_a_held_channel_arrives_when_its_line_is_back(
    week: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    arrived, _ = week
    begin, end = pd.Timestamp("2026-06-03 10:00"), pd.Timestamp("2026-06-03 16:00")
    held = hold(arrived, "branch", begin, end)
    assert held["arrival_time"].is_monotonic_increasing
    branch = held["channel"] == "branch"
    during = held["arrival_time"].between(begin, end, inclusive="left")
    assert not (branch & during).any()
    moved = arrived[(arrived["channel"] == "branch") & arrived["arrival_time"].between(begin, end)]
    assert list(held.loc[branch & (held["arrival_time"] == end), "event_id"]) == list(
        moved["event_id"]
    )
    rest = arrived[arrived["channel"] != "branch"]
    assert list(held.loc[~branch, "event_id"]) == list(rest["event_id"])
    assert list(held.loc[~branch, "arrival_time"]) == list(rest["arrival_time"])

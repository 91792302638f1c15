"""Requests and purchases: what falls where, and what was known when."""

import pandas as pd
import pytest

import lender
from lender.quotes import A_DAY, AFTER, AGAIN, BEFORE, OFFLINE, purchases, quotes

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return lender.applications(3000, seed=1, start="2025-02-01", days=59)


@pytest.fixture(scope="module")
def asked(loans: pd.DataFrame) -> pd.DataFrame:
    return quotes(loans, seed=1)


@pytest.fixture(scope="module")
def deliveries(asked: pd.DataFrame) -> pd.DataFrame:
    return purchases(asked, seed=1)


def test_each_application_has_a_request_on_its_day(
    loans: pd.DataFrame, asked: pd.DataFrame
) -> None:
    last = asked.groupby("applicant_id").tail(1).set_index("applicant_id").sort_index()
    own = loans.set_index("application_id").sort_index()
    assert (last["requested_at"].dt.normalize() == own["applied_on"]).all()
    assert (last["amount"] == own["loan_amount"].round(2)).all()


def test_some_have_asked_before(asked: pd.DataFrame) -> None:
    assert asked["requested_at"].is_monotonic_increasing
    assert asked["request_id"].tolist() == list(range(len(asked)))
    count = asked.groupby("applicant_id").size()
    assert set(count) == {1, 2}
    assert (count == 2).mean() == pytest.approx(AGAIN, abs=0.03)
    wait = asked.groupby("applicant_id")["requested_at"].agg(lambda t: t.iloc[-1] - t.iloc[0])
    assert wait[count == 2].between(3 * DAY, 40 * DAY).all()


def test_each_request_has_a_fee_at_its_instant(
    asked: pd.DataFrame, deliveries: pd.DataFrame
) -> None:
    first = deliveries.drop_duplicates("event_id")
    both = asked.merge(
        first, left_on=["applicant_id", "requested_at"], right_on=["applicant_id", "at"]
    )
    fees = both[(both["known_at"] == both["at"]) & (both["dollars"] == 5)]
    assert fees["request_id"].nunique() == len(asked)


def test_purchases_span_the_requests_and_come_late_or_twice(
    asked: pd.DataFrame, deliveries: pd.DataFrame
) -> None:
    assert deliveries["known_at"].is_monotonic_increasing
    assert (deliveries["known_at"] >= deliveries["at"]).all()
    first = deliveries.drop_duplicates("event_id")
    span = asked.groupby("applicant_id")["requested_at"].agg(["min", "max"])
    own = span.loc[first["applicant_id"]]
    assert (first["at"].to_numpy() >= (own["min"] - BEFORE * DAY).to_numpy()).all()
    assert (first["at"].to_numpy() <= (own["max"] + AFTER * DAY).to_numpy()).all()
    bought = first[first["known_at"] > first["at"]]
    days = ((span["max"] - span["min"]) / DAY + BEFORE + AFTER).sum()
    assert len(bought) / days == pytest.approx(A_DAY, rel=0.03)
    late = bought["known_at"] - bought["at"] > pd.Timedelta(minutes=1)
    assert late.mean() == pytest.approx(OFFLINE, abs=0.01)
    assert len(deliveries) / len(first) == pytest.approx(1.03, abs=0.003)


def test_copies_say_the_same(deliveries: pd.DataFrame) -> None:
    contents = deliveries.groupby("event_id")[["applicant_id", "at", "dollars"]].nunique()
    assert (contents == 1).all(axis=None)
    assert not deliveries.duplicated(["event_id", "known_at"]).any()


def test_a_seed_repeats(loans: pd.DataFrame, asked: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(quotes(loans, seed=1), asked)
    pd.testing.assert_frame_equal(purchases(asked, seed=2), purchases(asked, seed=2))
    assert not quotes(loans, seed=2).equals(asked)

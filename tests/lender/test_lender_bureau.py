"""A bureau's rows: when they are measured and delivered, and which of them know the outcome."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lender
from lender import bureau
from lender.repayments import default_days

KEY = ["applicant_id", "valid_on"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    loans = lender.applications(6000, seed=1, start="2023-01-01")
    return loans.assign(default_day=default_days(loans, seed=1))


@pytest.fixture(scope="module")
def reports(frame: pd.DataFrame) -> pd.DataFrame:
    return with_age(bureau.reports(frame, frame["default_day"], seed=1), frame)


@pytest.fixture(scope="module")
def feed(frame: pd.DataFrame) -> pd.DataFrame:
    return with_age(bureau.feed(frame, frame["default_day"], seed=1), frame)


def with_age(rows: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Days from the application and from the default to each row's date."""
    loan = frame.set_index("application_id").loc[rows["applicant_id"]]
    age = (rows["valid_on"].to_numpy() - loan["applied_on"].to_numpy()) / np.timedelta64(1, "D")
    return rows.assign(age=age, since=age - loan["default_day"].to_numpy())


def test_reports_come_every_thirty_days_for_a_year_before_and_after(
    frame: pd.DataFrame, reports: pd.DataFrame
) -> None:
    assert reports["valid_on"].is_monotonic_increasing
    no_file = frame.loc[frame["bureau_score"].isna(), "application_id"]
    assert len(no_file) > 100
    thin = reports["applicant_id"].isin(no_file)
    assert (reports.loc[thin, "age"] > 0).all()
    assert reports[thin].groupby("applicant_id").size().eq(12).all()
    ages = reports[~thin].groupby("applicant_id")["age"].apply(list)
    assert all(np.diff(age).tolist() == [30.0] * 23 for age in ages)
    newest = ages.map(lambda age: age[11])
    assert set(newest) == set(range(-29, 1))


def test_up_to_the_application_a_report_is_the_score_plus_walk_and_noise(
    frame: pd.DataFrame, reports: pd.DataFrame
) -> None:
    loan = frame.set_index("application_id").loc[reports["applicant_id"]]
    truth = loan["true_bureau_score"] - lender.BUREAU_BIAS * (loan["group"] == "y")
    error = reports["bureau_score"].to_numpy() - truth.to_numpy()
    middle = truth.between(450, 720).to_numpy()  # clear of the ends of the scale
    for low, high in ((-29, 0), (-359, -330)):
        at = middle & reports["age"].between(low, high).to_numpy()
        months = -reports.loc[at, "age"].mean() / 30
        spread = np.sqrt(bureau.NOISE**2 + months * bureau.WANDER**2)
        assert abs(error[at].mean()) < 4 * spread / np.sqrt(at.sum())
        assert error[at].std() == pytest.approx(spread, rel=0.05)


def test_only_reports_after_the_application_know_the_outcome(reports: pd.DataFrame) -> None:
    knows = (reports["age"] > 0) & (reports["since"] >= -60)
    assert (reports["true_outcome"] == knows).all()
    mean = reports.groupby(pd.cut(reports["since"], [-400, -61, -1, 400]), observed=True)[
        "bureau_score"
    ].mean()
    assert mean.diff().iloc[1:].tolist() == pytest.approx([-50, -70], abs=8)


def test_the_feed_holds_the_reports_and_adds_to_them(
    reports: pd.DataFrame, feed: pd.DataFrame
) -> None:
    monthly = feed[feed["kind"] == "monthly"].sort_values(["valid_on", "applicant_id"])
    columns = [*KEY, "bureau_score", "true_outcome"]
    assert_frame_equal(monthly[columns].reset_index(drop=True), reports[columns])
    assert feed["known_on"].is_monotonic_increasing
    assert feed["report_id"].tolist() == list(range(len(feed)))
    delay = (feed["known_on"] - feed["valid_on"]).dt.days.groupby(feed["kind"])
    assert delay.min().loc["monthly"] == 1 and delay.max().loc["monthly"] == 5
    assert delay.min().loc["corrected"] >= 11 and delay.max().loc["corrected"] <= 45


def test_corrections_come_to_everyone_and_take_the_noise_away(
    frame: pd.DataFrame, feed: pd.DataFrame
) -> None:
    monthly, corrected = (feed[feed["kind"] == k].set_index(KEY) for k in ("monthly", "corrected"))
    share = len(corrected) / len(monthly)
    assert share == pytest.approx(bureau.CORRECTED, abs=0.003)
    change = corrected["bureau_score"] - monthly.loc[corrected.index, "bureau_score"]
    assert change.std() == pytest.approx(bureau.NOISE, rel=0.1)
    assert abs(change.mean()) < 1
    bad = frame.set_index("application_id")["defaulted"]
    applicants = monthly.index.get_level_values(0), corrected.index.get_level_values(0)
    rates = [bad.loc[ids].mean() for ids in applicants]
    assert rates[0] == pytest.approx(rates[1], abs=0.02)


def test_restated_and_backfilled_rows_are_late_and_come_to_defaults_alone(
    frame: pd.DataFrame, feed: pd.DataFrame
) -> None:
    loan = frame.set_index("application_id")
    for kind, of in (
        ("restated", ~loan["bureau_score"].isna()),
        ("backfilled", loan["bureau_score"].isna()),
    ):
        rows = feed[feed["kind"] == kind]
        assert rows["true_outcome"].all() and (rows["age"] <= 0).all()
        person = loan.loc[rows["applicant_id"]]
        assert person["defaulted"].eq(1).all()
        default_on = person["applied_on"] + pd.to_timedelta(person["default_day"], unit="D")
        assert (rows["known_on"].to_numpy() - default_on).dt.days.between(5, 30).all()
        each = 6 if kind == "restated" else 12
        assert rows.groupby("applicant_id").size().eq(each).all()
        chance = bureau.RESTATED if kind == "restated" else bureau.BACKFILLED
        share = rows["applicant_id"].nunique() / (of & loan["defaulted"].eq(1)).sum()
        assert share == pytest.approx(chance, abs=0.12)
    restated = feed[feed["kind"] == "restated"].set_index(KEY)["bureau_score"]
    before = feed[feed["kind"] == "monthly"].set_index(KEY)["bureau_score"].loc[restated.index]
    assert (before - restated).where(before > 400).dropna().eq(bureau.RESTATED_POINTS).all()


def test_a_row_knows_the_outcome_only_if_it_arrives_after_the_application(
    frame: pd.DataFrame, feed: pd.DataFrame
) -> None:
    applied = frame.set_index("application_id")["applied_on"].loc[feed["applicant_id"]].to_numpy()
    assert (feed.loc[feed["true_outcome"], "known_on"] > applied[feed["true_outcome"]]).all()


def test_a_seed_gives_the_same_rows(frame: pd.DataFrame) -> None:
    some = frame.head(50)
    rows = [bureau.feed(some, some["default_day"], seed) for seed in (1, 1, 2)]
    assert_frame_equal(rows[0], rows[1])
    assert not rows[0].equals(rows[2])

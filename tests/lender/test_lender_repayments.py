"""Days of default, and what a date knows: no label before its day, none for the declined."""

import numpy as np
import pandas as pd
import pytest

import lender
from lender.repayments import default_days, known


@pytest.fixture(scope="module")
def loans():
    frame = lender.applications(20_000, seed=5, days=90)
    return frame.assign(default_day=default_days(frame, seed=6))


def by_hand():
    return pd.DataFrame(
        {
            "applied_on": pd.to_datetime(["2025-01-01"] * 3 + ["2025-03-01"]),
            "defaulted": [1, 0, 1, 0],
            "default_day": [10.0, np.nan, 365.0, np.nan],
            "true_pd": 0.1,
        }
    )


def test_a_default_has_a_day_of_its_year_and_a_repaid_loan_has_none(loans):
    days = loans["default_day"]
    assert (days.notna() == (loans["defaulted"] == 1)).all()
    assert days.min() >= 1 and days.max() <= 365
    assert (days.dropna() % 1 == 0).all()
    # Beta(2, 2.5) has mean 2 / 4.5; the standard error of 1,700 days is about two.
    assert days.mean() == pytest.approx(1 / 2 + 365 * 2 / 4.5, abs=8)


def test_a_row_keeps_its_day_when_others_default_too(loans):
    again = default_days(loans.assign(defaulted=1), seed=6)
    bad = loans["defaulted"] == 1
    assert (again[bad] == loans.loc[bad, "default_day"]).all()
    assert not default_days(loans, seed=7).equals(loans["default_day"])


@pytest.mark.parametrize(
    ("on", "labels", "days"),
    [
        ("2025-01-10", [np.nan] * 3, [9, 9, 9]),
        ("2025-01-11", [1, np.nan, np.nan], [10, 10, 10]),
        ("2025-12-31", [1, np.nan, np.nan, np.nan], [10, 364, 364, 305]),
        ("2026-01-01", [1, 0, 1, np.nan], [10, 365, 365, 306]),
        ("2030-01-01", [1, 0, 1, 0], [10, 365, 365, 365]),
    ],
)
def test_a_label_is_known_on_its_day_and_not_before(on, labels, days):
    seen = known(by_hand(), on)
    np.testing.assert_array_equal(seen["label"], labels)
    np.testing.assert_array_equal(seen["days_known"], days)


def test_nothing_of_truth_or_future_is_left(loans):
    assert set(known(loans, "2025-02-01")) == {
        *lender.observable(loans).columns.drop("default_day"),
        "label",
        "days_known",
    }


def test_the_declined_never_get_a_label():
    seen = known(by_hand().assign(approved=[True, True, False, False]), "2030-01-01")
    np.testing.assert_array_equal(seen["label"], [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(seen["days_known"], [10, 365, np.nan, np.nan])


def test_labels_known_early_are_all_defaults(loans):
    seen = known(loans, "2025-06-01")
    assert (seen["label"].dropna() == 1).all()
    assert seen["label"].isna().mean() > 0.8

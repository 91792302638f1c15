"""Dealers and a vendor's columns tell what they say they tell, and nothing else."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lender
from lender.dealers import with_dealers
from lender.truth import log_odds_of
from lender.vendor import SHADOWED, vendor_columns


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return lender.applications(20_000, seed=5)


def test_dealers_without_an_effect_leave_the_risk_alone(loans: pd.DataFrame) -> None:
    made = with_dealers(loans, 1)
    assert np.allclose(made["true_pd"], loans["true_pd"])
    assert (made["true_dealer_effect"] == 0).all()
    assert_frame_equal(made[list(lender.FEATURES)], loans[list(lender.FEATURES)])


def test_a_dealer_s_effect_is_its_part_in_the_log_odds(loans: pd.DataFrame) -> None:
    made = with_dealers(loans, 2, dealers=500, spread=0.7)
    added = log_odds_of(made["true_pd"].to_numpy()) - log_odds_of(loans["true_pd"].to_numpy())
    assert np.allclose(added, made["true_dealer_effect"])
    one_each = made.groupby("dealer")["true_dealer_effect"]
    assert (one_each.nunique() == 1).all()
    assert one_each.first().std() == pytest.approx(0.7, rel=0.1)
    z = (made["defaulted"] - made["true_pd"]).sum() / np.sqrt(
        (made["true_pd"] * (1 - made["true_pd"])).sum()
    )
    assert abs(z) < 4


def test_dealers_differ_in_size_and_their_number_tells_nothing(loans: pd.DataFrame) -> None:
    made = with_dealers(loans, 3, dealers=500, spread=0.7)
    rows = made["dealer"].value_counts()
    assert rows.iloc[0] > 10 * rows.median()
    number = made["dealer"].str[1:].astype(int)
    assert abs(number.groupby(made["dealer"]).first().corr(rows)) < 0.15


def test_the_same_seed_draws_the_same_dealers(loans: pd.DataFrame) -> None:
    assert_frame_equal(with_dealers(loans, 4, spread=0.5), with_dealers(loans, 4, spread=0.5))


@pytest.mark.parametrize("wrong", [{"dealers": 0}, {"spread": -0.1}])
def test_no_dealers_and_a_negative_spread_are_refused(
    loans: pd.DataFrame, wrong: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="needs a dealer"):
        with_dealers(loans, 0, **wrong)  # type: ignore[arg-type]


def test_a_shadow_follows_what_is_on_file(loans: pd.DataFrame) -> None:
    bought = vendor_columns(loans, 1, noise=3, correlation=0.8)
    assert list(bought) == [
        *(f"shadow_{x}" for x in SHADOWED),
        *(f"vendor_00{k}" for k in range(3)),
    ]
    filed = loans["bureau_score"].fillna(loans["bureau_score"].median())
    assert bought["shadow_bureau_score"].corr(filed) == pytest.approx(0.8, abs=0.02)
    assert bought["shadow_income"].corr(np.log(loans["income"])) == pytest.approx(0.8, abs=0.03)
    assert not bought.isna().any().any()
    assert np.allclose(bought.std(), 1, atol=0.03)


def test_the_vendor_s_own_columns_tell_nothing(loans: pd.DataFrame) -> None:
    bought = vendor_columns(loans, 2, noise=20).filter(like="vendor")
    against = [*lender.NUMERIC, "true_pd"]
    seen = loans[against].fillna(loans[against].median())
    correlation = [bought[v].corr(seen[x]) for v in bought for x in seen]
    assert np.max(np.abs(correlation)) < 4.5 / np.sqrt(len(loans))


def test_a_correlation_lies_between_0_and_1(loans: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        vendor_columns(loans, 0, correlation=1.1)

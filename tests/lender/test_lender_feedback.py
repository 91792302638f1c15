"""The desk that overrides a model, and the labelers of its notes, keep to their stated truth."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lender
from lender import labelers
from lender.exploration import redraw


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return lender.applications(60_000, seed=8)


def test_only_some_of_the_refused_are_reviewed(loans: pd.DataFrame) -> None:
    refused = (loans["bureau_score"] < 660).to_numpy()
    seen = lender.second_look(loans, refused, 1, share=0.3)
    assert seen["reviewed"][refused].mean() == pytest.approx(0.3, abs=0.01)
    assert not seen["reviewed"][~refused].any()
    assert not seen["overridden"][~seen["reviewed"]].any()
    assert (seen["true_risk_after_call"][seen["overridden"]] < 0.06).all()
    assert seen["application_id"].equals(loans["application_id"])


def test_the_risk_after_the_call_is_calibrated(loans: pd.DataFrame) -> None:
    everyone = np.ones(len(loans), dtype=bool)
    risk = lender.second_look(loans, everyone, 2)["true_risk_after_call"]
    for _, rows in loans.groupby(pd.qcut(risk, 5), observed=True):
        p = risk[rows.index]
        z = (rows["defaulted"] - p).sum() / np.sqrt((p * (1 - p)).sum())
        assert abs(z) < 4


def test_a_call_tells_more_than_the_features(loans: pd.DataFrame) -> None:
    everyone = np.ones(len(loans), dtype=bool)
    made = lender.second_look(loans, everyone, 3, share=1.0)
    overridden = loans[made["overridden"]]
    expected, observed = overridden["true_pd"].mean(), overridden["defaulted"].mean()
    assert observed < 0.7 * expected


def test_a_call_without_insight_tells_nothing(loans: pd.DataFrame) -> None:
    everyone = np.ones(len(loans), dtype=bool)
    risk = lender.second_look(loans, everyone, 3, insight=0.0)["true_risk_after_call"]
    assert np.allclose(risk, loans["true_pd"])


def test_seed_decides_what_is_overridden(loans: pd.DataFrame) -> None:
    some, refused = loans.head(500), np.ones(500, dtype=bool)
    assert_frame_equal(lender.second_look(some, refused, 4), lender.second_look(some, refused, 4))
    other = lender.second_look(some, refused, 5)["overridden"]
    assert not other.equals(lender.second_look(some, refused, 4)["overridden"])


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_a_share(loans: pd.DataFrame, share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        lender.second_look(loans, np.ones(len(loans), dtype=bool), 1, share=share)


def test_labelers_err_as_their_confusion_says() -> None:
    labels = labelers.label(40_000, seed=1)
    shares = labels["true_reason"].value_counts(normalize=True).sort_index()
    assert np.allclose(shares, list(labelers.REASON_SHARE.values()), atol=0.01)
    for name, confusion in labelers.CONFUSION.items():
        assert np.allclose(confusion.sum(axis=1), 1)
        seen = pd.crosstab(labels["true_reason"], labels[name], normalize="index")
        assert np.allclose(seen, confusion, atol=0.03), name


def test_labels_are_independent_given_the_reason() -> None:
    labels = labelers.label(40_000, seed=2)
    right = labels.drop(columns="true_reason").eq(labels["true_reason"], axis=0)
    of_one_reason = right[labels["true_reason"] == 0].corr().to_numpy()
    assert np.abs(of_one_reason - np.eye(5)).max() < 0.04


def test_copiers_write_what_the_copied_wrote() -> None:
    alone, copied = labelers.label(1000, 3), labelers.label(1000, 3, copying=1.0)
    for name in labelers.COPIERS:
        assert copied[name].equals(copied[labelers.COPIED])
    honest = [name for name in alone if name not in labelers.COPIERS]
    assert_frame_equal(copied[honest], alone[honest])


@pytest.mark.parametrize("copying", [-0.1, 1.1])
def test_copying_is_a_share(copying: float) -> None:
    with pytest.raises(ValueError, match="copying"):
        labelers.label(10, 1, copying=copying)


@pytest.fixture(scope="module")
def drawn(loans: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    some = loans.iloc[::10]
    return some, (some["true_pd"] < 0.2).to_numpy().astype(int), (some["age"] < 40).to_numpy()


def test_weighted_redraws_have_the_value_of_the_policy_as_their_mean(
    drawn: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    some, policy, base = drawn
    paid, lost = np.full(len(some), 100.0), np.full(len(some), -900.0)
    certain, lucky = redraw(some, policy, base, 0.1, (paid, lost), times=400, seed=1)
    assert certain.shape == lucky.shape == (400, 365)
    estimates = (certain + lucky / 0.1).sum(axis=1)
    p = some["true_pd"].to_numpy()
    truth = (policy * (paid * (1 - p) + lost * p)).sum()
    error = estimates.std(ddof=1) / np.sqrt(400)
    assert abs(estimates.mean() - truth) < 4 * error
    assert abs(certain.sum(axis=1).mean() - truth) > 20 * error  # what is known without exploring


def test_a_difference_of_policies_is_valued_by_its_difference(
    drawn: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    some, policy, base = drawn
    usd = np.ones(len(some))
    minus = policy - base.astype(int)
    certain, lucky = redraw(some, minus, base, 1.0, (usd, usd), times=1, seed=1)
    assert certain.sum() + lucky.sum() == minus.sum()


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_an_exploration_needs_a_chance(
    drawn: tuple[pd.DataFrame, np.ndarray, np.ndarray], share: float
) -> None:
    some, policy, base = drawn
    usd = np.ones(len(some))
    with pytest.raises(ValueError, match="share"):
        redraw(some, policy, base, share, (usd, usd), times=1, seed=1)

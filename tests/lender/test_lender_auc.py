"""The AUC agrees with scikit-learn; its error is right for rows that come in days."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lender.auc import error, influence


def days(rng: np.random.Generator, shared: float, n: int = 60) -> tuple[np.ndarray, ...]:
    """Labels, scores and days of n days of 20 rows; `shared` is the SD of what a day's share."""
    day = np.repeat(np.arange(n), 20)
    bad = rng.random(len(day)) < 0.3
    noise = rng.standard_normal(len(day)) + shared * rng.standard_normal(n)[day] * (2 * bad - 1)
    return bad.astype(int), bad + noise, day


def test_the_auc_is_that_of_scikit_learn_ties_included() -> None:
    bad, score, _ = days(np.random.default_rng(0), 0)
    for scores in (score, np.round(score)):
        auc, parts = influence(bad, scores)
        assert auc == pytest.approx(roc_auc_score(bad, scores), abs=1e-12)
        assert parts.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_the_error_is_the_spread_over_many_samples(shared: float) -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(400):
        bad, score, day = days(rng, shared)
        auc, parts = influence(bad, score)
        found.append((auc, error(parts, day), error(parts, np.arange(len(day)))))
    auc, by_day, by_row = np.transpose(found)
    assert by_day.mean() == pytest.approx(auc.std(), rel=0.1)
    assert (by_row.mean() < 0.8 * auc.std()) == (shared > 0)


def test_an_auc_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="needs a row that defaulted"):
        influence([0, 0], [0.1, 0.2])

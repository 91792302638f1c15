"""Decisions by hand: past ones, unfair to group y by a known amount, and overrides of a model."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.truth import log_odds_of, sigmoid

# Taken from the log-odds of approval of group y, at equal true risk.
UNFAIR_PENALTY = 0.8

RISK_SLOPE = 1.2  # log-odds of approval lost per log-odds of default
APPROVAL_AT_TEN_PERCENT = 0.5  # log-odds of approval of group x at a true_pd of 0.10


def decisions(applications: pd.DataFrame, seed: int) -> pd.DataFrame:
    """What human underwriters decided, one row per application with the same index.

    applications: rows with `application_id`, `group` and `true_pd`.
    Returns `application_id`, `approved` (0/1) and `true_p_approved`, the probability from which
    it was drawn:

        logit P(approved) = 0.5 - 1.2 (logit true_pd - logit 0.10) - UNFAIR_PENALTY [group = y]

    The underwriters judge the true risk, with logistic noise: the penalty is then the whole
    unfairness of a decision at equal risk, and nothing hides in a feature.
    """
    rng = np.random.default_rng(seed)
    risk = log_odds_of(applications["true_pd"].to_numpy(dtype=np.float64))
    penalty = UNFAIR_PENALTY * (applications["group"] == "y").to_numpy()
    p = sigmoid(APPROVAL_AT_TEN_PERCENT - RISK_SLOPE * (risk - np.log(0.1 / 0.9)) - penalty)
    return pd.DataFrame(
        {
            "application_id": applications["application_id"],
            "approved": (rng.random(len(p)) < p).astype(np.int64),
            "true_p_approved": p,
        }
    )


def second_look(
    applications: pd.DataFrame,
    refused: npt.NDArray[np.bool_],
    seed: int,
    *,
    share: float = 0.3,
    limit: float = 0.06,
    insight: float = 1.0,
) -> pd.DataFrame:
    """What a desk overrides that telephones some of the applicants whom a model refused.

    applications: n rows with `application_id`, `true_pd` and `defaulted`. refused: n booleans.
    share: part of the refused, drawn at random, that the desk has time for. limit: it grants at a
    risk below this. insight: how much a call tells, in standard deviations.
    Returns `application_id`, `reviewed`, `overridden` (both boolean) and `true_risk_after_call`,
    one row per application with the same index. Raises ValueError for a share outside 0 to 1.

    A call yields a clue c that no column holds: normal with SD 1, around 0 for those who will
    repay and around `insight` for those who will not. Bayes' rule adds its log-likelihood ratio:

        logit risk = logit true_pd + insight * c - insight**2 / 2

    So among overridden loans the risk is lower than among all with the same features.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    rng = np.random.default_rng(seed)
    n = len(applications)
    clue = insight * applications["defaulted"].to_numpy() + rng.standard_normal(n)
    prior = log_odds_of(applications["true_pd"].to_numpy(dtype=np.float64))
    risk = sigmoid(prior + insight * clue - insight**2 / 2)
    reviewed = refused & (rng.random(n) < share)
    return pd.DataFrame(
        {
            "application_id": applications["application_id"],
            "reviewed": reviewed,
            "overridden": reviewed & (risk < limit),
            "true_risk_after_call": risk,
        }
    )

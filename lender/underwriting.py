"""The lender's past decisions by hand, unfair to group y by a known amount."""

import numpy as np
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

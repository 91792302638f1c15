"""The true risk of an application, and the best ranking that it allows."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

INTERCEPT = -2.90
PURPOSE_RISK = {
    "car": -0.25,
    "consolidation": 0.10,
    "home": -0.15,
    "medical": 0.30,
    "business": 0.45,
    "other": 0.10,
}
HOUSING_RISK = {"rent": 0.15, "own": -0.15, "mortgage": 0.0}
PARTNER_RISK = {"alder": 0.0, "birch": 0.0, "cedar": 0.20}


def sigmoid(log_odds: Floats) -> Floats:
    """Probability from log-odds, elementwise."""
    return 1 / (1 + np.exp(-log_odds))


def log_odds_of(probability: Floats) -> Floats:
    """Log-odds from a probability strictly between 0 and 1, elementwise."""
    return np.log(probability) - np.log1p(-probability)


def default_log_odds(frame: pd.DataFrame, concept: float | Floats = 0.0) -> Floats:
    """True log-odds of default within a year, from the complete features.

    frame: n rows with the columns of `applications`, the `true_` features included.
    concept: strength of the concept drift, one number or n; 0 is the undrifted world.
    Returns n log-odds. Raises KeyError where a column is missing.

    `group` has no part in it: at equal features the two groups default equally often.
    """
    bureau = (frame["true_bureau_score"].to_numpy() - 660) / 75
    debt = frame["debt_ratio"].to_numpy()
    installment = frame["loan_amount"].to_numpy() / frame["term_months"].to_numpy()
    burden = np.log(installment / frame["true_income"].to_numpy())
    usual = (
        INTERCEPT
        - 0.95 * bureau
        + 1.8 * (debt - 0.35)
        + 1.2 * np.maximum(debt - 0.5, 0) * (bureau < 0)
        + 0.35 * (burden + 2.5)
        - 0.30 * (np.log1p(frame["true_employment_years"].to_numpy()) - 1.6)
        - 0.10 * (frame["age"].to_numpy() - 40) / 10
        + 0.30 * (frame["open_accounts"].to_numpy() > 7)
        + frame["purpose"].map(PURPOSE_RISK).to_numpy()
        + frame["housing"].map(HOUSING_RISK).to_numpy()
        + frame["partner"].map(PARTNER_RISK).to_numpy()
    )
    # The bureau score tells less, debt tells more, and business loans turn risky.
    business = (frame["purpose"] == "business").to_numpy()
    change = 0.45 * bureau + 1.5 * (debt - 0.35) + 0.6 * business
    return np.asarray(usual + concept * change, dtype=np.float64)


def expected_auc(score: Floats, probability: Floats) -> float:
    """Expected AUC of a score over draws of the labels, given each row's true probability.

    score, probability: n numbers each; higher scores stand for more risk. Returns a number between
    0 and 1, in O(n log n). Raises ValueError for unequal lengths, and where no pair of a defaulter
    and a repayer is possible.

    AUC is the chance that a defaulter outranks a repayer, ties counting half (Hanley and
    McNeil, Radiology 143, 1982). Row i defaults with probability p_i, so that the ordered pair
    i != j holds a defaulter and a repayer with weight p_i (1 - p_j), and, for scores s,

        AUC = sum_{i != j} p_i (1 - p_j) ([s_i > s_j] + [s_i = s_j] / 2)
              / sum_{i != j} p_i (1 - p_j).

    That is the ratio of two expectations; the AUC of one draw of labels scatters around it.
    """
    if len(score) != len(probability):
        raise ValueError(f"{len(score)} scores, {len(probability)} probabilities")
    p = np.asarray(probability, dtype=np.float64)
    value, rank = np.unique(score, return_inverse=True)
    defaults = np.bincount(rank, weights=p, minlength=len(value))
    repays = np.bincount(rank, weights=1 - p, minlength=len(value))
    below = np.cumsum(repays) - repays
    itself = np.sum(p * (1 - p))  # a row is no pair with itself
    pairs = p.sum() * (1 - p).sum() - itself
    if not pairs > 0:
        raise ValueError("an AUC needs two rows, one that may default and one that may repay")
    ahead = np.sum(defaults * (below + repays / 2)) - itself / 2
    return float(ahead / pairs)


def best_auc(frame: pd.DataFrame) -> float:
    """Expected AUC of ranking by `true_pd`: no model that sees the same features can beat it.

    frame: n rows with `true_pd`. Returns a number between 0.5 and 1. Raises ValueError where no
    pair of a defaulter and a repayer is possible. That no ranking does better is the
    Neyman-Pearson lemma.
    """
    p = frame["true_pd"].to_numpy(dtype=np.float64)
    return expected_auc(p, p)

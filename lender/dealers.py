"""A column with thousands of values: the shop through which an application came in."""

import numpy as np
import pandas as pd

from lender.truth import log_odds_of, sigmoid


def with_dealers(
    frame: pd.DataFrame, seed: int, *, dealers: int = 2000, spread: float = 0.0
) -> pd.DataFrame:
    """Applications with the shop that sent each, and repayments that may depend on it.

    frame: n rows of `applications`. dealers: number of shops; the k-th largest sends a share
    proportional to 1 / (k + 10), independently of everything else. spread: standard deviation of a
    shop's own part in the log-odds of default; 0 makes `dealer` a column that tells nothing.

    Returns a copy with `dealer` (an id such as "d0042"), `true_dealer_effect`, and `true_pd` and
    `defaulted` drawn anew from them. The shops and their effects depend on the seed, on `dealers`
    and on `spread` alone. Raises ValueError for no dealers or a negative spread.
    """
    if dealers < 1 or spread < 0:
        raise ValueError(f"needs a dealer and a spread of 0 or more, got {dealers} and {spread}")
    rng = np.random.default_rng(seed)
    weight = 1 / (np.arange(dealers) + 10)
    name = rng.permutation([f"d{k:04d}" for k in range(dealers)])  # the number tells no size
    own = spread * rng.standard_normal(dealers)
    dealer = rng.choice(dealers, len(frame), p=weight / weight.sum())
    true_pd = sigmoid(log_odds_of(frame["true_pd"].to_numpy()) + own[dealer])
    return frame.assign(
        dealer=name[dealer].astype(object),
        true_dealer_effect=own[dealer],
        true_pd=true_pd,
        defaulted=(rng.random(len(frame)) < true_pd).astype(np.int64),
    )

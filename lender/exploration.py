"""What exploration would have found in the same year, had chance dealt differently."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.truth import Floats


def redraw(
    frame: pd.DataFrame,
    policy: npt.NDArray[np.int64],
    base: npt.NDArray[np.bool_],
    share: float,
    outcome: tuple[Floats, Floats],
    *,
    times: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Draw who is explored, and how each loan ends, anew for the same n applications.

    frame: `day` and `true_pd`. policy: 1 where the policy to be valued grants, else 0; or the
    difference of two policies. base: granted whatever chance says. share: chance of each other
    application. outcome: USD that each loan earns if repaid, and if bad, n numbers each.
    Returns daily sums of policy times USD over the loans in base, and over the explored ones
    (unweighted), shape (times, days) each: the first plus 1 / share times the second has the
    policy's value as its expectation. Raises ValueError for a share not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and not above 1, got {share}")
    rng = np.random.default_rng(seed)
    counts = policy != 0  # the others add nothing, and are most of the rows
    day = (frame["day"] - frame["day"].min()).to_numpy()
    days, p = int(day.max()) + 1, frame["true_pd"].to_numpy()[counts]
    paid, lost = (policy[counts] * usd[counts] for usd in outcome)
    day, certain = day[counts], base[counts]
    sums = np.zeros((2, times, days))
    for k in range(times):
        usd = np.where(rng.random(len(p)) < p, lost, paid)
        lucky = ~certain & (rng.random(len(p)) < share)
        for part, rows in enumerate((certain, lucky)):
            sums[part, k] = np.bincount(day[rows], usd[rows], days)
    return sums[0], sums[1]

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
    days = int(frame["day"].max() - frame["day"].min()) + 1

    def part(rows: npt.NDArray[np.bool_], chance: float) -> Floats:
        """Daily sums over those of the rows that chance picks."""
        # Rows whose policy is 0 add nothing, and are most of all rows.
        at = np.flatnonzero(rows & (policy != 0))
        day = (frame["day"] - frame["day"].min()).to_numpy()[at]
        p = frame["true_pd"].to_numpy()[at]
        paid, lost = (policy[at] * usd[at] for usd in outcome)
        sums = np.empty((times, days))
        for k in range(times):
            yes = np.flatnonzero(rng.random(len(at)) < chance) if chance < 1 else slice(None)
            bad = rng.random(len(p[yes])) < p[yes]
            sums[k] = np.bincount(day[yes], np.where(bad, lost[yes], paid[yes]), days)
        return sums

    return part(base, 1.0), part(~base, share)

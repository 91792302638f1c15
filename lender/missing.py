"""Values hidden from a complete frame in the three ways of being missing, with the truth kept."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from lender.truth import Floats, sigmoid

Mechanism = Literal["MCAR", "MAR", "MNAR"]


@dataclass(frozen=True, eq=False)
class Hidden:
    """A frame with gaps, and what is in them.

    frame: the n rows with gaps. column: where the gaps are. mechanism: how they came about
    (Rubin, Biometrika 63, 1976). mask: n booleans, True where the value is hidden. chance: n
    probabilities from which mask was drawn. complete: n values of the column, none hidden.
    """

    frame: pd.DataFrame
    column: str
    mechanism: Mechanism
    mask: pd.Series
    chance: pd.Series
    complete: pd.Series


def mechanism_of(column: str, by: str | None) -> Mechanism:
    """MCAR where nothing decides, MNAR where the hidden value itself does, MAR otherwise."""
    if by is None:
        return "MCAR"
    return "MNAR" if by == column else "MAR"


def chance_of(value: pd.Series, share: float, strength: float) -> Floats:
    """n probabilities that average to `share` and whose log-odds fall with the rank of value.

    The ranks are read as those of a normal variable: one standard deviation of it more makes
    the log-odds lower by `strength`, however skewed value itself is.
    """
    normal = norm.ppf((value.rank().to_numpy() - 0.5) / len(value))
    slope = -strength * normal

    def excess(level: float) -> float:
        return float(sigmoid(level + slope).mean()) - share

    reach = 20 + np.abs(slope).max()
    return sigmoid(brentq(excess, -reach, reach) + slope)


def hide(
    complete: pd.DataFrame,
    column: str,
    seed: int,
    *,
    by: str | None = None,
    share: float = 0.4,
    strength: float = 1.5,
) -> Hidden:
    """Hide values of one column; which way they are missing follows from what decides.

    complete: n rows without gaps in column and by. by: the column that decides which values go;
    low ones go more often (a negative strength turns that around). None is a fair coin for each
    row (missing completely at random, MCAR), the column itself missing not at random (MNAR), a
    column that stays missing at random (MAR). share: expected share of hidden rows. strength:
    how strongly `by` decides, in log-odds per standard deviation; 0 is MCAR, whatever by says.

    Rows are hidden independently of each other. `complete` is not changed.
    Raises ValueError for a share outside (0, 1) and for gaps in column or by.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    gaps = [name for name in {column, by} - {None} if complete[name].isna().any()]
    if gaps:
        raise ValueError(f"{gaps[0]!r} has gaps already: hide needs a complete column")
    rng = np.random.default_rng(seed)
    decides = by is not None and strength != 0
    chance = np.full(len(complete), share)
    if decides:
        chance = chance_of(complete[by], share, strength)
    mask = pd.Series(rng.random(len(complete)) < chance, index=complete.index)
    return Hidden(
        frame=complete.assign(**{column: complete[column].mask(mask)}),
        column=column,
        mechanism=mechanism_of(column, by if decides else None),
        mask=mask,
        chance=pd.Series(chance, index=complete.index),
        complete=complete[column],
    )

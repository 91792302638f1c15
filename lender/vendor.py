"""Columns that a data vendor offers beside the lender's own, none of which tells anything new."""

import numpy as np
import pandas as pd

SHADOWED = ("bureau_score", "debt_ratio", "income", "loan_amount")


def vendor_columns(
    frame: pd.DataFrame, seed: int, *, noise: int = 30, correlation: float = 0.9
) -> pd.DataFrame:
    """The columns that a vendor offers for n applications: noise, and four shadows.

    frame: n rows of `applications`. `shadow_X` follows what is on file as X (logged where it is
    money or a ratio, the median where it is missing) with the given correlation; given X on file
    it tells nothing about repayment. `vendor_000` and so on are standard normal. All columns have
    a mean near 0 and a standard deviation near 1; none is missing.

    Returns n rows with the index of `frame`. Raises ValueError for a correlation outside [0, 1].
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must lie in [0, 1], got {correlation}")
    rng = np.random.default_rng(seed)
    columns = {}
    for name in SHADOWED:
        x = frame[name].fillna(frame[name].median())
        x = x if name == "bureau_score" else np.log(x)
        own = np.sqrt(1 - correlation**2) * rng.standard_normal(len(frame))
        columns[f"shadow_{name}"] = correlation * (x - x.mean()) / x.std() + own
    shadows = pd.DataFrame(columns, index=frame.index)
    drawn = rng.standard_normal((noise, len(frame))).T
    names = [f"vendor_{k:03d}" for k in range(noise)]
    return shadows.join(pd.DataFrame(drawn, index=frame.index, columns=names))

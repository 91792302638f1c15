"""Sliding-window drift statistics from daily totals.

Count each day once; a window is then the difference of two cumulative sums, and all windows of
a stream cost O(days x cells), however many rows a day has. Works for anything that adds up over
rows: histograms, sums, sums of random features.

Shapes: a leading axis of days, windows or draws; the last axis of a histogram is its cells.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TAIL = (1.0, 2.0, 4.0, 8.0)  # cuts beyond the reference, in spans, so that absurd stays absurd


def cut_points(values: Floats, bins: int = 60) -> Floats:
    """Ascending cuts: quantiles of the values, and four more beyond each end.

    values: n numbers, NaN are ignored. Returns at most bins + 9 cuts (ties merge); c cuts make
    c + 1 cells, the first and the last open. Raises ValueError where no value is finite.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError("no finite value to cut")
    inner = np.quantile(known, np.linspace(0, 1, bins + 1))
    tail = np.array(TAIL) * max(float(inner[-1] - inner[0]), 1.0)
    cuts: Floats = np.unique(np.concatenate([inner[0] - tail, inner, inner[-1] + tail]))
    return cuts


def daily_counts(values: Floats, day: Ints, cuts: Floats, days: int) -> Floats:
    """Histogram of each day, shape (days, cells); NaN are left out.

    values, day: n each, day in 0..days-1. cuts: from `cut_points`. Cell j holds values in
    (cuts[j-1], cuts[j]].
    """
    cells = len(cuts) + 1
    known = np.isfinite(values)
    cell = np.searchsorted(cuts, values[known])
    flat = np.bincount(day[known] * cells + cell, minlength=days * cells)
    return flat.reshape(days, cells).astype(np.float64)


def histograms(frame: pd.DataFrame, cuts: dict[str, Floats], days: int) -> dict[str, Floats]:
    """`daily_counts` of each column named in cuts; frame has a column `day` in 0..days-1."""
    day = frame["day"].to_numpy()
    return {c: daily_counts(frame[c].to_numpy(float), day, cuts[c], days) for c in cuts}


def deciles(values: Floats) -> Floats:
    """The cuts between tenths of the values: nine, fewer where they tie; NaN are ignored."""
    return np.asarray(np.unique(np.nanquantile(values, np.arange(1, 10) / 10)))


def merge(counts: Floats, cuts: Floats, coarse: Floats) -> Floats:
    """Merge cells so that they end at the cuts in `coarse` only; (..., cells) to fewer.

    A coarse cut that is no cut moves up to the next one: PSI is used with tenths, and the fine
    cells of `cut_points` have all deciles among their cuts.
    """
    ends = np.searchsorted(cuts, coarse)
    starts = np.unique(np.concatenate([[0], ends + 1]))
    return np.asarray(np.add.reduceat(counts, starts, axis=-1))


def daily_sums(rows: Floats, day: Ints, days: int) -> Floats:
    """Sum of the rows of each day. rows: (n, k); day: n, in 0..days-1; returns (days, k)."""
    n = len(day)
    belongs = csr_array((np.ones(n), (day, np.arange(n))), shape=(days, n))
    return np.asarray(belongs @ rows)


def sliding(daily: Floats, width: int) -> Floats:
    """Totals of every `width` consecutive days: (days, ...) to (days - width + 1, ...).

    Entry i covers days i to i + width - 1. Raises ValueError for a width outside 1..days.
    """
    if not 1 <= width <= len(daily):
        raise ValueError(f"width must be in 1..{len(daily)}, got {width}")
    total = np.concatenate([np.zeros_like(daily[:1]), np.cumsum(daily, axis=0)])
    return np.asarray(total[width:] - total[:-width])


def draw_days(daily: Floats, width: int, draws: int, seed: int) -> Floats:
    """Totals of `width` days drawn at random without replacement, shape (draws, ...).

    A day is drawn whole, so that rows that belong together stay together: one side of a
    day-block permutation. Equal seeds draw equal days.
    """
    rng = np.random.default_rng(seed)
    days = np.argsort(rng.random((draws, len(daily))), axis=1)[:, :width]
    chosen = np.zeros((draws, len(daily)))
    np.put_along_axis(chosen, days, 1.0, axis=1)
    return np.asarray(np.tensordot(chosen, daily, axes=1))


def replay(levels: Ints, daily: Floats, runs: int, seed: int) -> Floats:
    """Streams made of whole days drawn at random without replacement, shape (time, runs, cells).

    levels: length time; daily: (level, days, cells), the same days at each level of a drift.
    Time t shows a day as it is at levels[t].
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(rng.random((runs, daily.shape[1])), axis=1)[:, : len(levels)]
    return np.asarray(np.moveaxis(daily[levels, order], 1, 0))


def shares(counts: Floats, floor: float = 0.0) -> Floats:
    """Counts as shares of the last axis; `floor` is added to every cell first."""
    return np.asarray((counts + floor) / (counts + floor).sum(axis=-1, keepdims=True))


def ks(current: Floats, reference: Floats) -> Floats:
    """Largest distance of the two cumulative distributions at a cut; (..., cells) to (...)."""
    gap = np.cumsum(shares(current) - shares(reference), axis=-1)
    return np.asarray(np.abs(gap).max(axis=-1))


def ks_p(current: Floats, reference: Floats) -> Floats:
    """p-value of `ks` if all rows were independent, from its large-sample distribution."""
    n, m = current.sum(axis=-1), reference.sum(axis=-1)
    return np.asarray(stats.kstwobign.sf(ks(current, reference) * np.sqrt(n * m / (n + m))))


def psi(current: Floats, reference: Floats) -> Floats:
    """Population stability index, half a row added to every cell; (..., cells) to (...)."""
    p, q = shares(current, 0.5), shares(reference, 0.5)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def middles(cuts: Floats) -> Floats:
    """One value per cell: its middle, for the two open cells their only cut."""
    return np.concatenate([cuts[:1], (cuts[1:] + cuts[:-1]) / 2, cuts[-1:]])


def wasserstein(current: Floats, reference: Floats, cuts: Floats) -> Floats:
    """Wasserstein-1 distance, values moved to the middle of their cell; (..., cells) to (...).

    In the unit of the cuts: give cuts divided by a standard deviation for a distance in SDs.
    """
    gap = np.cumsum(shares(current) - shares(reference), axis=-1)[..., :-1]
    return np.asarray((np.abs(gap) * np.diff(middles(cuts))).sum(axis=-1))


def cusum(z: Floats, allowance: float) -> Floats:
    """Two-sided cumulative sum of standardized daily values, shape as z: (time, ...).

    Each side adds z (or -z) less the allowance and never falls below 0 (Page, Biometrika 41,
    1954); the larger of the two is returned.
    """
    up, down = np.zeros_like(z[0]), np.zeros_like(z[0])
    out = np.empty_like(z)
    for t, today in enumerate(z):
        up = np.maximum(up + today - allowance, 0.0)
        down = np.maximum(down - today - allowance, 0.0)
        out[t] = np.maximum(up, down)
    return out


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval for a share: hits of n independent trials (Wilson, JASA 22, 1927).

    Raises ValueError for n below 1 or hits outside 0..n.
    """
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"n must be at least 1 and hits in 0..n, got {hits} of {n}")
    center = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(hits * (n - hits) / n + z * z / 4)
    return float(max(center - half, 0.0)), float(min(center + half, 1.0))

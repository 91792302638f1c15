"""Drift detectors that all work from the same daily totals, to be compared on equal terms."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lender import windows
from lender.simulate import NUMERIC
from lender.windows import Floats

Totals = dict[str, Floats]
WAVES = 32  # random frequencies of the kernel mean
HALVES = ("train", "test")


class Detectors:
    """Drift statistics of a window against a year of history; larger means more drift.

    Detectors per feature return the largest value over the numeric features.

    KS, 1 - p      Kolmogorov-Smirnov: the statistic, and one less its p-value for i.i.d. rows
    PSI            population stability index over tenths of the reference
    Wasserstein    Wasserstein-1 distance in standard deviations of the feature
    mean, mean z   shift of the mean in standard deviations, and in standard errors (i.i.d. rows)
    MMD            squared distance of the means of 2 x 32 random Fourier features of all numeric
                   features (Rahimi and Recht, NeurIPS 2007), an estimate of MMD squared
    classifier     Fisher's linear discriminant, fitted on every other row: the distance of the
                   means of its score on the other rows, in standard deviations of the score
    score KS, score 1 - p    as KS, of the model's score

    Missing values are left out per feature, and are set to the mean for the last three of the
    features' joint statistics (mean, MMD, classifier).
    """

    def __init__(
        self, history: pd.DataFrame, score: Callable[[pd.DataFrame], Floats], seed: int = 0
    ) -> None:
        """history: rows with `day` in 0..n-1 and all features; score: of a frame's rows."""
        self.score = score
        values = {c: history[c].to_numpy(float) for c in NUMERIC}
        self.center = np.array([np.nanmean(v) for v in values.values()])
        self.sd = np.array([np.nanstd(v) for v in values.values()])
        self.cuts = {c: windows.cut_points(v) for c, v in values.items()}
        self.deciles = {c: windows.deciles(v) for c, v in values.items()}
        scores = score(history)
        self.score_cuts = windows.cut_points(scores)
        rng = np.random.default_rng(seed)
        # A Gaussian kernel whose width is the typical distance of two rows, sqrt(2 k).
        self.frequencies = rng.standard_normal((len(NUMERIC), WAVES)) / np.sqrt(2 * len(NUMERIC))
        self.precision = np.linalg.inv(np.cov(self.standardized(history).T))
        self.past = self._totals(history, scores, int(history["day"].max()) + 1)
        self.reference = {k: v.sum(axis=0) for k, v in self.past.items()}

    def standardized(self, frame: pd.DataFrame) -> Floats:
        """Numeric features in SDs from the mean of history, 0 where missing, (rows, features)."""
        z = (frame[list(NUMERIC)].to_numpy(float) - self.center) / self.sd
        return np.asarray(np.nan_to_num(z))

    def waves(self, z: Floats) -> Floats:
        """Random Fourier features of standardized rows, (rows, 2 x WAVES).

        The mean over the rows of a sample stands for the sample: the squared distance of two
        such means estimates MMD squared.
        """
        phase = z @ self.frequencies
        out = np.empty((len(z), 2 * WAVES))
        np.cos(phase, out=out[:, :WAVES])
        np.sin(phase, out=out[:, WAVES:])
        out /= np.sqrt(WAVES)
        return out

    def totals(self, frame: pd.DataFrame, days: int) -> Totals:
        """All that the detectors need, per day: name to (days, ...)."""
        return self._totals(frame, self.score(frame), days)

    def _totals(self, frame: pd.DataFrame, scores: Floats, days: int) -> Totals:
        day = frame["day"].to_numpy()
        out = windows.histograms(frame, self.cuts, days)
        out["score"] = windows.daily_counts(scores, day, self.score_cuts, days)
        z = self.standardized(frame)
        out["waves"] = windows.daily_sums(self.waves(z), day, days)
        ones_and_z = np.column_stack([np.ones(len(frame)), z])
        for i, half in enumerate(HALVES):
            out[half] = windows.daily_sums(ones_and_z[i::2], day[i::2], days)
        return out

    def aa(self, width: int, draws: int, seed: int) -> dict[str, Floats]:
        """Statistics of `width` whole days drawn from history against its other days, (draws,)."""
        drawn = {k: windows.draw_days(v, width, draws, seed) for k, v in self.past.items()}
        return self.statistics(drawn, {k: self.reference[k] - v for k, v in drawn.items()})

    def follow(self, frame: pd.DataFrame, days: int, width: int) -> dict[str, Floats]:
        """Statistics of each sliding window of a stream, (days - width + 1,)."""
        totals = self.totals(frame, days)
        now = {k: windows.sliding(v, width) for k, v in totals.items()}
        return self.statistics(now, self.reference)

    def statistics(self, now: Totals, ref: Totals) -> dict[str, Floats]:
        """Every statistic of windows with totals `now` against totals `ref`."""
        return self._per_feature(now, ref) | self._joint(now, ref)

    def _per_feature(self, now: Totals, ref: Totals) -> dict[str, Floats]:
        def largest(statistic: Callable[[str], Floats]) -> Floats:
            return np.asarray(np.max([statistic(c) for c in NUMERIC], axis=0))

        def tenths(totals: Totals, c: str) -> Floats:
            return windows.merge(totals[c], self.cuts[c], self.deciles[c])

        sd = dict(zip(NUMERIC, self.sd, strict=True))
        return {
            "KS": largest(lambda c: windows.ks(now[c], ref[c])),
            "1 - p": largest(lambda c: 1 - windows.ks_p(now[c], ref[c])),
            "PSI": largest(lambda c: windows.psi(tenths(now, c), tenths(ref, c))),
            "Wasserstein": largest(
                lambda c: windows.wasserstein(now[c], ref[c], self.cuts[c] / sd[c])
            ),
            "score KS": windows.ks(now["score"], ref["score"]),
            "score 1 - p": 1 - windows.ks_p(now["score"], ref["score"]),
        }

    def _joint(self, now: Totals, ref: Totals) -> dict[str, Floats]:
        def mean(sums: Floats) -> Floats:
            return np.asarray(sums[..., 1:] / sums[..., :1])

        n, m = (t["train"][..., :1] + t["test"][..., :1] for t in (now, ref))
        fit, check = (mean(now[h]) - mean(ref[h]) for h in HALVES)
        gap = np.abs(mean(now["train"] + now["test"]) - mean(ref["train"] + ref["test"]))
        direction = fit @ self.precision
        length = np.sqrt((direction * fit).sum(axis=-1)) + 1e-300  # no gap: a score of 0
        return {
            "mean": gap.max(axis=-1),
            "mean z": (gap * np.sqrt(n)).max(axis=-1),
            "MMD": ((now["waves"] / n - ref["waves"] / m) ** 2).sum(axis=-1),
            "classifier": (direction * check).sum(axis=-1) / length,
        }

# %% [markdown]
# # A drift alarm that can be put on call
#
# **Situation.** You are the ML engineer of a small online lender. A model scores every
# application; whether a loan is repaid is known a year later. Until then nobody sees the model
# go wrong, but everybody can see the applicants. The team wants an alarm on the applicants'
# features by Monday. Whoever is on call has set one condition: **at most one false page in
# 30 days**. An alarm that cries more often will be muted, and then it protects nothing.
#
# **You build**, step by step, a detector that runs once a day: two statistics that compare
# samples, a window that slides over the days, a threshold with a known false-alarm rate, the
# rule that turns alarms into pages. You end with a decision, and defend it with evidence.
#
# - **Aims.** Compute and test drift statistics; calibrate an alarm by days; weigh false pages
#   against delay; defend the choice.
# - **You need** NumPy, pandas, quantiles, empirical distribution functions; the pages *Data drift*
#   and *From a test to an alarm*.
# - **Time.** About 90 minutes if those pages are fresh, up to 120 if not; 30 points, 8 questions.
# - **Budget.** The whole notebook runs within 30 s and 1.5 GB on one core, without network.
#
# **Help from AI tools.** Use them as you would at work: to recall an API, to explain an error,
# to draft code. You answer for what you hand in; question 3 practices what that takes,
# reviewing code that looks right. Write the last answer yourself: it is the part that you would
# have to say aloud in a meeting.
#
# Run the cells in order. Below each question, a cell of tests tells you at once about the
# obvious mistakes; more tests run when the lab is graded. A question that fails does not block
# the next: later cells read their values from files, and only the check below question 3 tries
# another of your functions.

# %% tags=["parameters"]
seed = 20260101
per_day = 400

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from lender import NUMERIC, drift, observable

plt.style.use("lender.course")
features = list(NUMERIC)

# %% [markdown]
# ## The data
#
# `history` holds 240 days on which, as far as anyone knows, nothing happened. Its first 60 days
# are the **reference**, the sample against which every later day is compared. The other 180 are
# kept for calibration: they show what the detector says when nothing is wrong.
#
# `rehearsal` is a stream of 120 days in which a drift is injected on day 60: incomes fall, loans
# grow, bureau scores sink, all a little. At work you would inject such a drift into a copy of
# past data; here the simulator does it. Either way the onset is known, and a delay can be
# measured.

# %%
history = observable(drift.stream("none", seed=seed, days=240, per_day=per_day)[0])
reference = history[history["day"] < 60]
quiet = history[history["day"] >= 60]
print(f"reference: {len(reference):,} applications of 60 days, {len(features)} numeric features")

# %%
onset = 60
rehearsal = observable(
    drift.stream(
        "covariate", seed=seed + 1, days=120, per_day=per_day, onset=onset, size=0.4
    )[0]
)
after = rehearsal[rehearsal["day"] >= onset]
missing = reference[features].isna().mean()
print("share of missing values in the reference:")
print(missing[missing > 0].map("{:.1%}".format).to_string())

# %% [markdown]
# Look before you measure. Would you have noticed this drift on a dashboard?

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3))
units = {"income": "USD a month", "loan_amount": "USD", "bureau_score": "points"}
for axis, (name, unit) in zip(axes, units.items(), strict=True):
    bins = np.linspace(*reference[name].quantile([0.005, 0.995]), 30)
    axis.hist(reference[name].dropna(), bins, density=True, alpha=0.5, label="reference")
    axis.hist(after[name].dropna(), bins, density=True, histtype="step", label="after the onset")
    axis.set(xlabel=f"{name} ({unit})", yticks=[])
axes[0].set_ylabel("density")
_ = axes[0].legend()

# %% [markdown]
# ## 1. A first statistic, worked as an example
#
# The two-sample **Kolmogorov-Smirnov statistic** is the largest vertical distance between the
# empirical distribution functions of two samples. The function $F(x)$ of a sample is the share of
# its values that are $\le x$: a staircase that changes only at values that occur. So it is enough
# to compare the two staircases at every value that occurs in either sample.
#
# Here it is by hand, on samples so small that you can check each entry.

# %%
sample_a = np.array([1.0, 2.0, 4.0, 5.0])
sample_b = np.array([2.5, 3.0, 4.5])
points = np.sort(np.concatenate([sample_a, sample_b]))
by_hand = pd.DataFrame({"x": points})
by_hand["F_a"] = [(sample_a <= x).mean() for x in points]
by_hand["F_b"] = [(sample_b <= x).mean() for x in points]
by_hand["distance"] = (by_hand["F_a"] - by_hand["F_b"]).abs()
print(by_hand.round(2).to_string(index=False))
print(f"largest distance: {by_hand['distance'].max():.2f}")

# %% [markdown]
# Make it a function that holds for real columns, in which values are missing (drop them first;
# they are no part of the distribution of values) and the same value occurs many times. The table
# above compares arrays of seven; `np.searchsorted` does the same for a hundred thousand.

# %% answer: ks-statistic
def ks_statistic(reference: np.ndarray, current: np.ndarray) -> float:
    """Largest distance between the empirical distribution functions of two samples.

    reference, current: 1-D arrays of finite numbers, of any two lengths; NaN marks a missing
    value and is dropped.
    Returns the two-sided statistic as a float between 0 and 1.
    Raises ValueError where either sample has no value left.

    Example: ks_statistic(np.array([1.0, 2.0]), np.array([2.0, 3.0])) is 0.5.

    Also graded: ties, missing values, samples that do not overlap, empty samples, fresh data.
    """
    ### BEGIN SOLUTION
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if len(a) == 0 or len(b) == 0:
        raise ValueError("both samples need at least one value")
    at = np.concatenate([a, b])
    cdf_a = np.searchsorted(a, at, side="right") / len(a)
    cdf_b = np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(cdf_a - cdf_b).max())
    ### END SOLUTION

# %% test: ks-statistic, 3 points
_d = ks_statistic(np.array([1.0, 2.0, 4.0, 5.0]), np.array([2.5, 3.0, 4.5]))
assert type(_d) in (float, np.float64), "ks_statistic returns one float, not an array or None"
assert math.isclose(_d, 0.5, abs_tol=1e-9), (
    "the worked example gives another distance; compare your staircases with its table, "
    "row by row"
)
_a, _b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.5, 5.0, 6.0])
assert math.isclose(ks_statistic(_a, _b), ks_statistic(_b, _a), abs_tol=1e-9), (
    "swapping the samples changes the result; a distance counts in both directions, and both "
    "staircases have steps"
)
### BEGIN HIDDEN TESTS
_d = ks_statistic(np.array([7.0, 8.0, 9.0]), np.array([1.0, 2.0]))
assert math.isclose(_d, 1.0, abs_tol=1e-9), (
    "two samples that do not overlap are as far apart as can be; at which values do you "
    "compare the staircases?"
)
_a, _b = np.array([2.0, 4.0, 5.0, 6.0]), np.array([1.0, 1.0, 2.0, 5.0])
assert math.isclose(ks_statistic(_a, _b), 0.5, abs_tol=1e-9), (
    "the current sample lies below the reference, and shares values with it; what counts is the "
    "size of a difference, not its sign"
)
_same = np.array([3.0, 3.0, 3.0, 5.0, 5.0, 8.0])
assert math.isclose(ks_statistic(_same, np.tile(_same, 2)), 0.0, abs_tol=1e-9), (
    "samples with ties: a staircase takes the whole step at a value that occurs several times, "
    "never a part of it"
)
_a, _b = np.array([1.0, np.nan, 2.0, np.nan]), np.array([2.0, 3.0, np.nan])
assert math.isclose(ks_statistic(_a, _b), ks_statistic(_a[[0, 2]], _b[:2]), abs_tol=1e-9), (
    "missing values change the result; drop them from the values and from the count"
)
for _bad in (np.array([]), np.array([np.nan, np.nan])):
    try:
        ks_statistic(np.array([1.0, 2.0]), _bad)
        _raised = None
    except Exception as _error:
        _raised = _error
    assert isinstance(_raised, ValueError), "a sample without any value must raise ValueError"
_rng = np.random.default_rng(seed + 11)
for _i in range(20):
    _a = np.round(_rng.normal(size=_rng.integers(1, 300)), _i % 4)
    _b = np.round(_rng.normal(0.01 * _i, 1 + _i / 10, _rng.integers(1, 300)), _i % 4)
    _want = stats.ks_2samp(_a, _b, method="asymp").statistic
    assert math.isclose(ks_statistic(_a, _b), _want, abs_tol=1e-9), (
        "on fresh data the result differs from an independent implementation; compare the "
        "staircases at every value that occurs, and only there"
    )
### END HIDDEN TESTS

# %% [markdown]
# **The library.** SciPy's `ks_2samp` gives the same statistic and a p-value. The obvious alarm
# follows: each week, test each feature, page if the smallest p-value is below 0.05, corrected for
# the number of features (Bonferroni). Before a weekly alarm is trusted it is run on weeks in
# which nothing happened. **Predict first:** in what share of quiet weeks should it page?

# %%
naive = []
for start in range(60, 235, 7):
    week = quiet[(quiet["day"] >= start) & (quiet["day"] < start + 7)]
    naive.append(min(stats.ks_2samp(reference[f].dropna(), week[f].dropna(),
                                    method="asymp").pvalue for f in features))
corrected = np.minimum(1, np.array(naive) * len(features))
print(f"{(corrected < 0.05).mean():.0%} of {len(naive)} quiet weeks would page; 5% were promised")

# %%
figure, axis = plt.subplots(figsize=(7.2, 2.8))
axis.semilogy(corrected, "o", label="smallest p-value of the week, times the number of features")
axis.axhline(0.05, color="C1", label="0.05")
axis.set(xlabel="quiet week", ylabel="corrected p-value")
_ = axis.legend(loc="lower left")

# %% [markdown]
# Every point below the line is a page for nothing. The correction for many features is not at
# fault: the p-value takes the rows for independent, and they are not. Applicants of one day share
# that day's campaign, news and pay day, so that a week of three thousand rows says less than three
# thousand independent ones. More applications a day make it worse: the test grows more certain
# with every row, and the days differ as before. The cure comes in question 5: learn from whole
# days what a quiet week looks like. Drift statistics are useful; their textbook thresholds are
# not.
#
# ## 2. A statistic that sees missing values
#
# The classic of credit scoring is the **population stability index**. Cut the range into bins,
# compare the share of rows in each,
#
# $$\mathrm{PSI} = \sum_i (c_i - r_i)\,\ln\frac{c_i}{r_i},$$
#
# with $r_i$ the share of the reference and $c_i$ that of the current sample in bin $i$. The bins
# are fixed once, at the deciles of the reference; tied deciles are merged.
#
# Two things are easy to get wrong and matter in production. A broken feed often shows as missing
# values, and a statistic that drops them is blind to it: **missing values are a bin of their
# own**, always there. And a bin may be empty, which makes the logarithm infinite: **a share below
# 0.0001 is raised to 0.0001**, in both samples, in every bin; nothing else is changed. What is new
# in the current sample, values beyond anything in the reference included, has to fall into some
# bin.

# %%
edges = {
    name: np.unique(np.quantile(reference[name].dropna(), np.arange(1, 10) / 10))
    for name in features
}
print("edges of loan_amount (USD):", edges["loan_amount"])
print("edges of term_months:", edges["term_months"])

# %% answer: psi
def psi(reference: np.ndarray, current: np.ndarray, edges: np.ndarray) -> float:
    """Population stability index of a sample against a reference.

    reference, current: 1-D arrays of finite numbers, of any two lengths; NaN marks a missing
    value.
    edges: m inner edges, strictly ascending; m may be 0. They make m + 1 bins: below edges[0],
    from edges[i] (included) to edges[i + 1] (excluded), and edges[-1] or more. Missing values
    are one more bin, the last, whether there are any or not.

    A share is taken relative to all rows of its sample, missing ones included. Shares below
    0.0001 are raised to 0.0001. Natural logarithm.
    Returns the index as a float. Raises ValueError where a sample has no row.

    Example: psi(np.array([1, 1, 3, 3]), np.array([1, 3, 3, 3]), np.array([2])) is
    0.25 * ln(3), about 0.2747.

    Also graded: missing values in one sample or in both, empty and nearly empty bins, values
    on an edge and beyond the reference's range, empty samples, fresh data.
    """
    ### BEGIN SOLUTION
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("both samples need at least one row")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(np.maximum(counts / len(values), 1e-4))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))
    ### END SOLUTION

# %% test: psi, 4 points
_edges = np.array([2.0, 4.0])
_a = np.array([1.0, 1.5, 3.0, 3.5, 8.0])
_b = np.array([1.0, 3.0, 3.1, 3.2, 3.3, 3.4, 5.0, 6.0, 7.0, 8.0])
_p = psi(_a, _b, _edges)
assert type(_p) in (float, np.float64), "psi returns one float, not an array or None"
assert math.isfinite(_p), (
    "psi is NaN or infinite on a small case; which of its bins is empty, and what does the "
    "contract do with such a share?"
)
_want = (0.1 - 0.4) * math.log(0.1 / 0.4) + (0.5 - 0.4) * math.log(0.5 / 0.4)
_want += (0.4 - 0.2) * math.log(0.4 / 0.2)
assert math.isclose(_p, _want, rel_tol=1e-6), (
    "a small case without missing values is off; work out by hand the share of each sample in "
    "each of its three bins, and add up one term of the formula per bin"
)
assert math.isclose(psi(_b, _a, _edges), _p, rel_tol=1e-9), (
    "swapping reference and current changes the result; the formula is symmetric"
)
assert math.isclose(psi(_a, _a, _edges), 0.0, abs_tol=1e-12), (
    "a sample compared with itself has not drifted"
)
_nan = math.nan
_a, _b = np.array([1.0, 3.0, 5.0, _nan]), np.array([1.0, 3.0, 5.0, 5.0, _nan, _nan, _nan, _nan])
assert math.isclose(psi(_a, _b, _edges), 0.5 * math.log(2), rel_tol=1e-6), (
    "both samples have missing values: they are a bin of their own, and every share is relative "
    "to all rows of the sample"
)
### BEGIN HIDDEN TESTS
import itertools


def _oracle(_r, _c, _e):
    _total = 0.0
    _bounds = [-math.inf, *map(float, _e), math.inf]
    for _low, _high in [*itertools.pairwise(_bounds), (None, None)]:
        _s = []
        for _x in (_r, _c):
            _hits = [math.isnan(_v) if _low is None else _low <= _v < _high for _v in _x]
            _s.append(max(sum(_hits) / len(_x), 1e-4))
        _total += (_s[1] - _s[0]) * math.log(_s[1] / _s[0])
    return _total


_a = np.array([1.0, 3.0, 5.0] * 4)
_b = np.array([3.0, 5.0, 5.0, 3.0])
assert math.isclose(psi(_a, _b, _edges), _oracle(_a, _b, _edges), rel_tol=1e-6), (
    "a bin is empty in one of the samples: raise its share to the smallest one allowed, and keep "
    "its term in the sum"
)
_b = np.append(np.full(19_999, 3.0), 5.0)
assert math.isclose(psi(_b[-9:], _b, _edges), _oracle(_b[-9:], _b, _edges), rel_tol=1e-6), (
    "one row of 20,000 lies in a bin: the smallest share allowed is for nearly empty bins too"
)
_b = np.array([1.0, 3.0, 5.0, _nan] * 3)
assert math.isclose(psi(_a, _b, _edges), _oracle(_a, _b, _edges), rel_tol=1e-6), (
    "values start to be missing in the current sample only: that is a drift, and the bin of "
    "the missing values exists in both samples"
)
_b = np.array([1.0, 3.0, 5.0, 900.0, -900.0, 1e6])
assert math.isclose(psi(_a, _b, _edges), _oracle(_a, _b, _edges), rel_tol=1e-6), (
    "values beyond the range of the reference: the first and the last bin are open, nothing may "
    "get lost"
)
_a, _b = np.array([1.0, 2.0, 2.0, 4.0, 5.0, 3.0]), np.array([2.0, 4.0, 4.0, 4.0, 1.0, 3.0])
assert math.isclose(psi(_a, _b, _edges), _oracle(_a, _b, _edges), rel_tol=1e-6), (
    "values that lie exactly on an edge: read in the contract to which bin an edge belongs"
)
_a, _b = np.array([1.0, 3.0, 5.0, 5.0]), np.array([_nan, _nan])
assert math.isclose(psi(_a, _b, _edges), _oracle(_a, _b, _edges), rel_tol=1e-6), (
    "a feed that delivers nothing but missing values is the worst drift of all; it has a value "
    "like any other"
)
_a, _b = np.array([_nan, 1.0, 2.0]), np.array([_nan, _nan, 2.0])
assert math.isclose(psi(_a, _b, np.array([])), _oracle(_a, _b, []), rel_tol=1e-6), (
    "no edge at all leaves one bin for the values and one for the missing"
)
for _r, _c in (([], [1.0]), ([1.0], [])):
    try:
        psi(np.array(_r), np.array(_c), _edges)
        _raised = None
    except Exception as _error:
        _raised = _error
    assert isinstance(_raised, ValueError), "a sample without any row must raise ValueError"
_rng = np.random.default_rng(seed + 12)
for _i in range(12):
    _a = np.round(_rng.normal(size=400), 1)
    _b = np.round(_rng.normal(0.3 * _i, 1.0, size=_rng.integers(30, 300)), 1)
    _a[_rng.random(400) < 0.02 * _i] = _nan
    _b[_rng.random(len(_b)) < 0.3] = _nan
    _e = np.unique(np.nanquantile(_a, np.arange(1, 8) / 8))
    assert math.isclose(psi(_a, _b, _e), _oracle(_a, _b, _e), rel_tol=1e-6), (
        "on fresh data the result differs from an independent implementation; try missing "
        "values, empty bins and values on an edge one at a time"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Review a colleague's version
#
# A colleague, with an assistant's help, wrote `psi` too, and asks you to approve it. It is short,
# it runs, its numbers look right on the reference. It breaks the contract of question 2 all the
# same. Reviewing by reading finds some errors; a test finds them again next year.
#
# Write `test_psi(psi)`: it calls the function it is given and raises (a plain `assert` will do)
# if that function breaks the contract. It must pass every correct version, whatever its make, so
# compare floats within a tolerance. It is scored on versions you do not see: by the share of the
# wrong ones that it catches, times the share of the right ones that it spares. Go through the
# contract clause by clause: which input would tell a version that keeps it from one that does
# not? A handful of small cases, with values worked out from the formula, beats one large one.
#
# In the cell below the colleague's version is the wrong one, and your own `psi`, if you wrote one,
# stands in for the right ones: if it fails your test, one of the two is wrong. Grading uses other
# versions instead, so a wrong `psi` costs nothing here.

# %% review: psi, 3 points
def test_psi(psi) -> None:
    """Raise AssertionError if psi(reference, current, edges) breaks the contract of question 2.

    psi: the function under test. Returns nothing where it is right.

    Also graded: several wrong versions, each with another mistake, and several right ones.
    """
    ### BEGIN SOLUTION
    nan, edges = math.nan, np.array([2.0, 4.0])

    def check(reference, current, r, c):
        r, c = np.maximum(r, 1e-4), np.maximum(c, 1e-4)
        want = np.sum((c - r) * np.log(c / r))
        got = psi(np.array(reference), np.array(current), edges)
        assert math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-9)

    check([1, 1, 3, 5], [1, 3, 3, 3, 3, 5, 5, 5], [0.5, 0.25, 0.25, 0], [0.125, 0.5, 0.375, 0])
    check([1, 3, 5, nan], [1, nan, nan, 5, 3], [0.25] * 4, [0.2, 0.2, 0.2, 0.4])
    check([1, 3, 5, 5], [1, 3, 5, nan], [0.25, 0.25, 0.5, 0], [0.25] * 4)
    check([1, 3, 5, 5], [3, 5], [0.25, 0.25, 0.5, 0], [0, 0.5, 0.5, 0])
    check([1, 3, 5, 5], [1, 3, -90, 90], [0.25, 0.25, 0.5, 0], [0.5, 0.25, 0.25, 0])
    check([1, 2, 3, 4], [2, 4, 4, 5], [0.25, 0.5, 0.25, 0], [0, 0.25, 0.75, 0])
    check([1, 3], [1] + [3] * 19_999, [0.5, 0.5, 0, 0], [0.00005, 0.99995, 0, 0])
    ### END SOLUTION

# %% [markdown]
# ## 4. One score a day
#
# The detector runs every night on the applications of the last `width` days. A longer window is
# less noisy and slower to react. The function below takes the statistic as an argument, so that
# the same code serves KS, PSI or the largest PSI over all features; the latter needs a table of
# features, therefore `values` may have two axes, and `values[mask]` selects rows of either.
#
# Off-by-one errors in windows are the classic here, and they come in two kinds. A window that is a
# day too long is a nuisance. A window that reaches past the day it is reported for uses data that
# do not exist yet on that night: the rehearsal looks splendid, and production does not repeat it.
# Calendar days without a single application are days too.

# %% answer: window-scores
def window_scores(values: np.ndarray, day: np.ndarray, width: int, statistic) -> np.ndarray:
    """A statistic of the last `width` days, for each day.

    values: n rows, shape (n,) or (n, features); may hold NaN, which is passed on.
    day: n integers from 0 on, the day of each row, in any order.
    width: length of the window in calendar days, the day itself included.
    statistic: function of the rows of one window (an array like values) to a float; it is
    called on windows with at least one row.

    Returns floats of shape (last day + 1,). Entry d is the statistic of all rows of the days
    d - width + 1 to d, pooled. It is NaN where the window would begin before day 0 and where it
    has no row. For n = 0 the result is empty. Raises ValueError for a width below 1.

    Example: window_scores(np.array([1.0, 3.0, 8.0]), np.array([0, 1, 2]), 2, np.mean)
    is [nan, 2.0, 5.5].

    Also graded: rows out of order, days of different size, days and windows without rows,
    missing values, two axes, no row at all.
    """
    ### BEGIN SOLUTION
    if width < 1:
        raise ValueError("width must be at least 1")
    scores = np.full(int(day.max()) + 1 if len(day) else 0, np.nan)
    for d in range(width - 1, len(scores)):
        window = values[(day > d - width) & (day <= d)]
        if len(window):
            scores[d] = statistic(window)
    return scores
    ### END SOLUTION

# %% test: window-scores, 4 points
_s = window_scores(np.array([1.0, 3.0, 8.0, 2.0]), np.array([0, 1, 2, 3]), 2, np.mean)
assert type(_s) is np.ndarray, "window_scores returns a NumPy array"
assert _s.shape == (4,), "the result has one entry per day, from day 0 to the last day"
assert np.isnan(_s[0]), "the first window would begin before day 0; its entry is NaN"
assert np.allclose(_s[1:], [2.0, 5.5, 5.0]), (
    "a small case is off; write down for each day which days its window holds, the day itself "
    "included"
)
_s = window_scores(np.array([1.0, 3.0, 8.0]), np.array([0, 1, 1]), 1, np.mean)
assert _s.shape == (2,), "three rows of two days: the result has one entry per day, not per row"
assert np.allclose(_s, [1.0, 5.5]), "a day has two rows: its window holds both"
_cut = window_scores(np.array([1.0, 3.0, 8.0]), np.array([0, 1, 2]), 3, np.mean)
_all = window_scores(np.array([1.0, 3.0, 8.0, 90.0]), np.array([0, 1, 2, 3]), 3, np.mean)
assert np.array_equal(_cut, _all[:3], equal_nan=True), (
    "a day that is added at the end changes the scores of earlier days; a window must not reach "
    "past its day"
)
### BEGIN HIDDEN TESTS
_v, _t = np.array([5.0, 1.0, 2.0, 3.0, 4.0, 9.0]), np.array([2, 0, 1, 1, 1, 2])
_s = window_scores(_v, _t, 2, np.mean)
assert _s.shape == (3,) and np.allclose(_s[1:], [2.5, 4.6]), (
    "days of different size, rows out of order: the statistic is taken once, of all rows of the "
    "window pooled"
)
_seen = []


def _keep(_window):
    _seen.append(sorted(np.asarray(_window).tolist()))
    return float(len(_window))


_t = np.array([3, 0, 1, 5, 4, 2, 0, 3])
_s = window_scores(10.0 * _t, _t, 3, _keep)
assert _s.shape == (6,) and np.allclose(_s[2:], [4, 4, 4, 4]), (
    "rows out of order: select the rows of a window by their day, not by their position"
)
_t = np.array([0, 1, 1, 4, 5, 6])
_s = window_scores(np.arange(6.0), _t, 2, lambda _w: float(len(_w)))
assert _s.shape == (7,) and np.allclose(_s[[1, 2, 4, 5, 6]], [3, 2, 1, 2, 2]), (
    "days without rows: the window counts calendar days, and a day without rows has an entry"
)
assert _s.shape == (7,) and np.isnan(_s[3]), "a window without a single row has the score NaN"
_s = window_scores(
    np.array([1.0, np.nan, 3.0]), np.array([0, 0, 1]), 1, lambda _w: float(np.isnan(_w).sum())
)
assert _s.shape == (2,) and np.allclose(_s, [1, 0]), (
    "missing values belong to the window; the statistic sees them too"
)
_rng = np.random.default_rng(seed + 13)
_t = _rng.choice([0, 1, 2, 3, 6, 7, 8, 9, 12], size=400)
_v = _rng.normal(size=(400, 3))
_s = window_scores(_v, _t, 4, lambda _w: float(_w.sum(axis=0).max()))
_want = [_v[(_t >= _d - 3) & (_t <= _d)].sum(axis=0).max() for _d in range(3, 13)]
assert _s.shape == (13,) and np.isnan(_s[:3]).all() and np.allclose(_s[3:], _want), (
    "fresh data with two axes differ from an independent implementation; check the first windows, "
    "and that whole rows are passed on"
)
_s = window_scores(np.array([]), np.array([], dtype=int), 2, np.mean)
assert type(_s) is np.ndarray and _s.shape == (0,), "no row at all gives an empty array"
try:
    window_scores(np.array([1.0]), np.array([0]), 0, np.mean)
    _raised = None
except Exception as _error:
    _raised = _error
assert isinstance(_raised, ValueError), "a width below 1 must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# From here on the score of a day is the **largest PSI over all features** of the last seven days,
# against the reference. Taking the largest makes one alarm out of eight, and calibrating the
# largest pays for the eight looks exactly, however the features hang together.
#
# The next cell reads these scores for five streams of 120 days: one quiet, and four in which a
# drift sets in on day 60. `covariate` is the one that you have seen; in `missingness` incomes and
# bureau scores begin to be missing more often; in `unit` a partner sends a few incomes per year
# instead of per month; in `concept` the same applicants begin to repay differently. Up to day 60
# the five streams hold the same applicants, so that only the drift makes a difference.

# %% make: study
# The study behind the tables that later cells read from files, binned once for speed.


def _binned(frame, days):
    """Rows per day, feature and bin; the last bin holds the missing values."""
    counts = np.zeros((days, len(features), 11))
    for i, name in enumerate(features):
        value = frame[name].to_numpy(dtype=float)
        bins = np.searchsorted(edges[name], value, side="right")
        bins = np.where(np.isnan(value), 10, bins)
        flat = np.bincount(frame["day"].to_numpy() * 11 + bins, minlength=days * 11)
        counts[:, i] = flat.reshape(days, 11)
    return counts


def _largest_psi(counts):
    """Largest PSI over the features, against the reference; counts end in (features, bins)."""
    c = np.maximum(counts / counts.sum(-1, keepdims=True), 1e-4)
    return ((c - _r) * np.log(c / _r)).sum(-1).max(-1)


def _daily(counts, width):
    total = np.cumsum(np.concatenate([np.zeros_like(counts[:1]), counts]), axis=0)
    scores = _largest_psi(total[width:] - total[:-width])
    return np.concatenate([np.full(width - 1, np.nan), scores])


def _stream(kind, size, number, lead=0):
    frame, _ = drift.stream(
        kind, seed=seed + number, days=lead + 120, per_day=per_day, onset=lead + 60, size=size
    )
    return _binned(frame, lead + 120)


def _pages(alarms, patience):
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] > 7):
            pages.append(d)
    return pages


_r = _binned(reference, 60).sum(axis=0)
_r = np.maximum(_r / _r.sum(-1, keepdims=True), 1e-4)
_sizes = {"none": 0.0, "covariate": 0.4, "missingness": 0.4, "unit": 0.2, "concept": 2.0}
daily_scores = pd.DataFrame({"day": np.arange(120)})
for _kind, _size in _sizes.items():
    daily_scores[_kind] = _daily(_stream(_kind, _size, 1), 7)

_days = _binned(quiet, 240)[60:]
_bins = np.column_stack([
    np.where(quiet[f].isna(), 10, np.searchsorted(edges[f], quiet[f], side="right")) + 11 * i
    for i, f in enumerate(features)
])
_rng = np.random.default_rng(seed + 2)
_rows = []
for _width in (1, 7, 14):
    _size = len(quiet) // 180 * _width
    _drawn = [_days[_rng.choice(180, _width, replace=False)].sum(0) for _ in range(1000)]
    _mixed = [np.bincount(_bins[_rng.integers(len(_bins), size=_size)].ravel(), minlength=88)
              for _ in range(1000)]
    _by_days = _largest_psi(np.array(_drawn))
    _by_rows = _largest_psi(np.array(_mixed).reshape(1000, 8, 11))
    for _budget in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0):
        _above = int(1000 * _budget / 30 + 1e-9)
        _q = [np.sort(s)[999 - _above] for s in (_by_days, _by_rows)]
        _rows.append((_width, _budget, *_q, 30 * np.mean(_by_days > _q[1])))
thresholds = pd.DataFrame(
    _rows, columns=["width", "budget", "by_days", "by_rows", "alarms_by_rows"]
)

_rehearsed = {
    kind: [_stream(kind, _sizes[kind], 100 + 40 * i + j, lead=13) for j in range(16)]
    for i, kind in enumerate(("covariate", "missingness", "unit"))
}
_rows = []
for _width, _budget, _threshold, *_ in thresholds.itertuples(index=False):
    _scores = {k: [_daily(c, _width)[13:] for c in v] for k, v in _rehearsed.items()}
    for _patience in (1, 2):
        _found = {k: [_pages(s > _threshold, _patience) for s in v] for k, v in _scores.items()}
        _false = sum(d < 60 for v in _found.values() for pages in v for d in pages)
        _delays = [np.median([next((d - 60 for d in pages if d >= 60), 60) for pages in v])
                   for v in _found.values()]
        _rows.append((_width, _patience, _budget, _threshold, _false * 30 / (48 * 60), *_delays))
tradeoff = pd.DataFrame(
    _rows,
    columns=["width", "patience", "budget", "threshold", "false_per_30",
             "delay_covariate", "delay_missingness", "delay_unit"],
)

# %% given: daily-scores
daily_scores = pd.read_csv(f"given/daily-scores-{seed}.csv")

# %%
figure, axes = plt.subplots(1, 5, figsize=(11, 2.6), sharey=True)
for axis, kind in zip(axes, daily_scores.columns[1:], strict=True):
    axis.plot(daily_scores["day"], daily_scores[kind])
    axis.axhline(0.1, color="C1", linestyle="--", label="0.1, the rule of thumb")
    if kind != "none":
        axis.axvline(onset, color="0.6", linestyle=":", label="onset")
    axis.set(title=kind, xlabel="day")
axes[0].set_ylabel("largest PSI, 7 days")
_ = figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)

# %% [markdown]
# A widespread rule of thumb calls a PSI below 0.1 "no change": compare that line with the drifts.
# In the last panel the risk of the same applicant changes, and the features know nothing of it.
#
# ## 5. A threshold with a known false-alarm rate
#
# How large does the score get when nothing is wrong? Put together many windows of quiet days,
# score each against the reference (an **A/A comparison**: nothing changed between the two sides),
# and put the threshold where few enough of the scores lie above. **Draw whole days**: rows drawn
# one by one make windows that are quieter than any real week, the p-value's mistake once more.

# %% answer: calibrate
def calibrate(
    values: np.ndarray,
    day: np.ndarray,
    width: int,
    statistic,
    budget: float,
    draws: int,
    seed: int,
) -> float:
    """Threshold that quiet windows exceed on at most `budget` of 30 days.

    values: n rows, shape (n,) or (n, features), of quiet days. day: n integers, the day of
    each row, in any order; at least `width` different ones.
    width: number of days in a window. statistic: function of the rows of one window to a float;
    called once per window. budget: alarm days allowed per 30 days, from 0 to below 30.
    draws: number of windows. seed: for np.random.default_rng; equal seeds give equal windows.

    Each window holds all rows of `width` different days, drawn at random from the days that
    occur, each equally likely; they need not be neighbors. Windows are drawn independently.
    Returns the smallest of the windows' scores with a share of at most budget / 30 of all scores
    above it; a score equal to the threshold is not above it. Raises ValueError for a budget
    below 0 or from 30 on.

    Example: with draws = 60 and budget = 1, exactly 2 of 60 distinct scores lie above the
    threshold; with budget = 0 none does.

    Also graded: whole days, different days, days of different size, the seed, tied scores,
    budgets that allow a whole number of windows, and others.
    """
    ### BEGIN SOLUTION
    if not 0 <= budget < 30:
        raise ValueError("budget must be from 0 to below 30")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ])
    allowed = int(draws * budget / 30 + 1e-9)
    return float(scores[draws - 1 - allowed])
    ### END SOLUTION

# %% test: calibrate, 5 points
_t = np.repeat(np.arange(30), 5)
_v = np.random.default_rng(seed).normal(size=150)
_scores, _lengths = [], []


def _noted(_window):
    _lengths.append(len(_window))
    _scores.append(float(np.mean(_window)))
    return _scores[-1]


_h = calibrate(_v, _t, 3, _noted, 2, 50, 1)
assert type(_h) in (float, np.float64), "calibrate returns one float"
assert len(_scores) == 50, "the statistic is called once for each of the `draws` windows"
assert set(_lengths) == {15}, (
    "with five rows on each day, a window of three different days has 15 rows; how are the days "
    "of one window drawn?"
)
assert len(set(_scores)) > 40, (
    "the same windows come again and again; the days are drawn at random from all days, and need "
    "not be neighbors"
)
assert calibrate(_v, _t, 3, _noted, 2, 50, 1) == _h, (
    "equal seeds must give equal windows; seed the generator with the argument"
)
_scores = _scores[:50]
_over = np.mean(np.array(_scores) > _h)
assert _over <= 2 / 30, "more windows lie above the threshold than the budget allows"
assert _over > 2 / 60, (
    "far fewer windows lie above the threshold than the budget allows; the budget counts alarm "
    "days per 30 days"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(seed + 14)
_size = _rng.integers(1, 9, size=20)
_t = _rng.permutation(np.repeat(np.arange(20) + 100, _size))
_v = np.column_stack([_t, _rng.normal(size=len(_t))]).astype(float)


def _windows(_seed, _draws=80, _width=4):
    _found = []

    def _spy(_window):
        _found.append(np.asarray(_window)[:, 0].astype(int))
        return float(len(_found))

    calibrate(_v, _t, _width, _spy, 1, _draws, _seed)
    return _found


_found = _windows(5)
assert all((np.bincount(_w - 100, minlength=20)[np.unique(_w) - 100]
            == _size[np.unique(_w) - 100]).all() for _w in _found), (
    "a window holds part of a day, or a day twice; draw days, and take all rows of each"
)
assert all(len(np.unique(_w)) == 4 for _w in _found), (
    "a window does not hold `width` different days; how are the days of one window drawn?"
)
_sets = [tuple(np.unique(_w)) for _w in _found]
assert len(set(_sets)) > 40 and set(np.concatenate(_found)) == set(_t), (
    "the windows are not random enough; each is drawn anew from all days"
)
_apart = np.mean([max(_s) - min(_s) > 3 for _s in _sets])
assert _apart > 0.5, "the days of a window are drawn at random, they need not be neighbors"
_first = np.bincount(np.concatenate(_windows(6, 1500, 4)) - 100, minlength=20) / _size / 1500
assert abs(_first - 0.2).max() < 0.07, (
    "some days are drawn more often than others; each day is equally likely, however many rows "
    "it has"
)
assert [tuple(np.unique(_w)) for _w in _windows(7)] != _sets, (
    "another seed gives the same windows; use the argument"
)


def _threshold(_sequence, _budget):
    _next = iter(_sequence)
    return calibrate(_v, _t, 2, lambda _w: float(next(_next)), _budget, len(_sequence), 3)


_sequence = _rng.permutation(100) / 7
for _budget, _above in ((1, 3), (2, 6), (0.5, 1), (4, 13), (0, 0), (0.1, 0)):
    assert math.isclose(_threshold(_sequence, _budget), np.sort(_sequence)[99 - _above]), (
        "the threshold is one of the scores, the smallest with few enough windows above it; count "
        "them for several budgets, 0 included"
    )
for _draws, _budget, _above in ((100, 3, 10), (100, 6, 20), (60, 1, 2)):
    _distinct = _rng.permutation(_draws) / 7
    assert math.isclose(_threshold(_distinct, _budget), np.sort(_distinct)[-1 - _above]), (
        "where the budget allows a whole number of windows, that many distinct scores lie above "
        "the threshold, not one fewer"
    )
_tied = np.array([1.0] * 50 + [2.0] * 20 + [3.0] * 10)
assert [_threshold(_tied, _b) for _b in (1, 5, 14)] == [3.0, 2.0, 1.0], (
    "tied scores: an alarm is a score above the threshold, one equal to it is none"
)
for _budget in (-0.1, 30):
    try:
        _threshold(_sequence, _budget)
        _raised = None
    except Exception as _error:
        _raised = _error
    assert isinstance(_raised, ValueError), "a budget below 0 or from 30 on must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# The table holds such thresholds for the largest PSI, from 1000 windows for each width: `by_days`
# from whole days, `by_rows` from as many rows drawn one by one. The last column says how many
# alarm days per 30 the threshold from rows really gives. **Predict first:** at a budget of one,
# how many?

# %% given: thresholds
thresholds = pd.read_csv(f"given/thresholds-{seed}.csv")

# %%
weekly = thresholds[thresholds["width"] == 7]
chosen = weekly[weekly["budget"] == 1].iloc[0]
print(weekly.round(4).to_string(index=False))
print(f"budget: 1 alarm day in 30; calibrated by rows: {chosen['alarms_by_rows']:.1f} in 30")

# %%
figure, axis = plt.subplots()
axis.plot(daily_scores["day"], daily_scores["covariate"], label="covariate drift from day 60")
axis.plot(daily_scores["day"], daily_scores["none"], "--", color="0.3", label="quiet")
axis.axhline(chosen["by_days"], color="C2", label="threshold, from days")
axis.axhline(chosen["by_rows"], color="C1", linestyle=":", label="threshold, from rows")
axis.set(xlabel="day", ylabel="largest PSI, 7 days")
_ = axis.legend(loc="upper left")

# %% [markdown]
# Neighboring windows share six of their seven days, so one stream is one draw of luck: another
# may give a multiple of these alarm days or none. Question 7 rests on forty-eight streams.
#
# ## 6. From alarms to pages
#
# Overlapping windows make alarms come in runs, and nobody wants to be woken seven nights for one
# event. Two knobs are usual: **patience**, page only after so many alarm days in a row, and
# **silence**, after a page no other for so many days. A policy is measured by its false pages per
# 30 quiet days and by the days from the onset to the first page. Both are easily flattered: by
# counting days on which no page could come, by taking an early false page for a detection, by
# dating a page to the day when the trouble began.

# %% answer: page-report
def page_report(alarms: np.ndarray, onset: int | None, patience: int, silence: int) -> dict:
    """Pages that follow from the alarms of one stream, and how good they are.

    alarms: one bool per day, from day 0 on. onset: first day with drift, one of these days;
    None where all are quiet. patience: number of alarm days in a row that make a page, at least 1.
    silence: days after a page on which no other is sent, at least 0.

    A page is sent on day d if the days d - patience + 1 to d all alarm, and no page was sent on
    the days d - silence to d - 1. Silence holds back pages, not alarms: days that alarm during
    the silence count towards the patience. All pages follow the same rule, whatever the onset.

    Returns a dict:
    "pages": list of int, the days on which a page is sent, ascending;
    "false_per_30": float, pages before the onset per 30 days before the onset; NaN if there is no
    such day;
    "delay": float, days from the onset to the first page on or after it (0 on the day itself);
    NaN if there is none.
    Raises ValueError for a patience below 1.

    Example: page_report(np.array([True, True, True, False]), 1, patience=2, silence=0) is
    {"pages": [1, 2], "false_per_30": 0.0, "delay": 0.0}.

    Also graded: pages before and after the onset, silence that ends within a run, no page, no
    onset, an onset on day 0, no day at all.
    """
    ### BEGIN SOLUTION
    if patience < 1:
        raise ValueError("patience must be at least 1")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] > silence):
            pages.append(d)
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }
    ### END SOLUTION

# %% test: page-report, 4 points
def _alarms(_text):
    return np.array([_c == "x" for _c in _text], dtype=bool)


_report = page_report(_alarms(".x...xxx.."), 5, 2, 3)
assert type(_report) is dict and set(_report) == {"pages", "false_per_30", "delay"}, (
    "page_report returns a dict with the keys pages, false_per_30 and delay"
)
assert type(_report["pages"]) is list, "pages is a list of days"
assert _report["pages"] == [6], (
    "a small case has other pages; a page needs `patience` alarm days in a row, is sent on the "
    "last of them, and starts the silence"
)
assert type(_report["delay"]) in (float, np.float64) and _report["delay"] == 1.0, (
    "the delay runs from the onset to the day of the page, and is a float"
)
_report = page_report(_alarms("...x......"), None, 1, 0)
assert type(_report["false_per_30"]) in (float, np.float64), "false_per_30 is a float"
assert math.isclose(_report["false_per_30"], 3.0), (
    "one page in ten quiet days: scale it to 30 days"
)
_report = page_report(_alarms("xxxxxxxxxx"), None, 1, 3)
assert _report["pages"] == [0, 4, 8], (
    "alarms on every day: count on your fingers on which day the silence after a page is over"
)
### BEGIN HIDDEN TESTS
_report = page_report(_alarms("xxxxxxxx"), None, 3, 2)
assert _report["pages"] == [2, 5], (
    "an alarm goes on through a silence: days that alarm while it lasts count towards the patience"
)
_report = page_report(_alarms("xxxx"), None, 2, 0)
assert _report["pages"] == [1, 2, 3], (
    "a page does not end the run: only a day without alarm does, and only the silence holds pages "
    "back"
)
_report = page_report(_alarms("xx.xx.xx"), None, 2, 0)
assert _report["pages"] == [1, 4, 7], (
    "a day without alarm ends the run; the days of a run are neighbors"
)
_report = page_report(_alarms("..x.......x....x...."), 10, 1, 2)
assert _report["delay"] == 0.0, (
    "a page on the day of the onset is a detection with delay 0, and an earlier page is none"
)
assert math.isclose(_report["false_per_30"], 3.0), (
    "false pages are those before the onset, relative to the days before the onset only"
)
_report = page_report(_alarms("..x......."), 5, 1, 0)
assert type(_report["delay"]) in (float, np.float64) and math.isnan(_report["delay"]), (
    "a drift that is never paged has no delay: NaN, not a number that looks like a detection"
)
_report = page_report(_alarms("...x.."), 0, 1, 0)
assert math.isnan(_report["false_per_30"]) and _report["delay"] == 3.0, (
    "an onset on day 0 leaves no quiet day: the rate is NaN, the delay is counted as always"
)
_report = page_report(_alarms("x...."), None, 1, 0)
assert math.isnan(_report["delay"]), "without an onset there is no delay: NaN"
_report = page_report(_alarms(""), None, 1, 0)
assert _report["pages"] == [] and math.isnan(_report["false_per_30"]), (
    "no day at all: no page, and no rate"
)
try:
    page_report(_alarms("x"), None, 0, 0)
    _raised = None
except Exception as _error:
    _raised = _error
assert isinstance(_raised, ValueError), "a patience below 1 must raise ValueError"
_rng = np.random.default_rng(seed + 15)
for _i in range(40):
    _x = _rng.random(80) < 0.5
    _k, _m, _on = int(_rng.integers(1, 4)), int(_rng.integers(0, 6)), int(_rng.integers(1, 79))
    _want = []
    for _d in range(80):
        _full = _d + 1 >= _k and _x[_d + 1 - _k : _d + 1].all()
        if _full and not any(_p >= _d - _m for _p in _want):
            _want.append(_d)
    _report = page_report(_x, _on, _k, _m)
    assert list(_report["pages"]) == _want, (
        "on fresh alarms other pages are sent than by an independent implementation; go through "
        "the rule day by day"
    )
    assert all(type(_p) in (int, np.int64) for _p in _report["pages"]), "pages are whole days"
    _late = [_p - _on for _p in _want if _p >= _on]
    assert math.isclose(_report["delay"], _late[0]) if _late else math.isnan(_report["delay"]), (
        "on fresh alarms the delay differs; it runs to the first page on or after the onset"
    )
    _rate = 30 * sum(_p < _on for _p in _want) / _on
    assert math.isclose(_report["false_per_30"], _rate, abs_tol=1e-9), (
        "on fresh alarms the rate differs; which pages are false, and in how many days?"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 7. Choose the policy
#
# `tradeoff` holds 36 policies, each rehearsed on forty-eight streams, sixteen per kind of drift,
# with 60 quiet days before the onset. (The streams begin 13 days before day 0, so that each window
# is full on all 60.) For each policy you see its window, patience, budget and threshold, the
# **false pages per 30 quiet days** that it really sent, and the **median delay** in days for each
# kind of drift, with 60 for a drift that was never paged. The silence is seven days throughout.

# %% given: tradeoff
tradeoff = pd.read_csv(f"given/tradeoff-{seed}.csv")

# %%
kinds = ["covariate", "missingness", "unit"]
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True)
for axis, kind in zip(axes, kinds, strict=True):
    for (width, patience), part in tradeoff.groupby(["width", "patience"]):
        line = "-" if patience == 1 else "--"
        color = f"C{[1, 7, 14].index(width)}"
        label = f"{width} d, patience {patience}"
        axis.plot(part["false_per_30"], part[f"delay_{kind}"], line, color=color, marker="o",
                  label=label)
    axis.axvline(1, color="0.4", linestyle=":")
    axis.axhline(7, color="0.4", linestyle=":")
    axis.set(title=kind, xlabel="false pages per 30 quiet days", yscale="log")
    axis.set_yticks([1, 2, 5, 10, 20, 60], ["1", "2", "5", "10", "20", "60"])
    axis.minorticks_off()
axes[0].set_ylabel("median delay (days)")
_ = axes[2].legend(fontsize=7, handlelength=4)

# %%
print(tradeoff[tradeoff["false_per_30"] <= 1.5].round(4).to_string(index=False))

# %% [markdown]
# Where patience 2 looks quicker than patience 1, a false page shortly before the onset has started a
# silence that holds the real one back.
#
# The team asks for **at most one false page per 30 quiet days**, and for each of the three drifts
# to be **paged within 7 days** in the median. Set `policy`: a row of the table, or another.
#
# It is then run on seventy-two fresh streams of the same kinds and sizes. To allow for luck it
# passes with up to 1.2 false pages per 30 quiet days and a median delay of up to 8 days for each
# kind. What happens to the best of 36 rows on fresh data? A policy that keeps a limit by a hair in
# the rehearsal may well break it in the performance.

# %% answer: policy
policy: dict
"""What goes on call: a dict with the keys

"width": int, days in the window, from 1 to 14;
"threshold": float, a day alarms if its largest PSI is above it; more than 0;
"patience": int, alarm days in a row that make a page, from 1 to 7.

Also graded: fresh streams with the reference, the edges and the silence of seven days unchanged.
"""
### BEGIN SOLUTION
_safe = tradeoff[tradeoff["false_per_30"] <= 1].sort_values("false_per_30")
_worst = _safe[[f"delay_{kind}" for kind in kinds]].max(axis=1)
_row = _safe.loc[_worst.idxmin()]
policy = {
    "width": int(_row["width"]),
    "threshold": float(_row["threshold"]),
    "patience": int(_row["patience"]),
}
### END SOLUTION

# %% test: policy, 4 points
assert type(policy) is dict and set(policy) == {"width", "threshold", "patience"}, (
    "policy is a dict with the keys width, threshold and patience"
)
for _key, _most in (("width", 14), ("patience", 7)):
    assert type(policy[_key]) in (int, np.int64), (
        f"{_key} must be an int; a row taken from a table holds floats"
    )
    assert 1 <= policy[_key] <= _most, f"{_key} is a number of days from 1 to {_most}"
assert type(policy["threshold"]) in (float, np.float64), "threshold is a float"
assert policy["threshold"] > 0, "threshold is more than 0"
assert policy["threshold"] <= 1.2 * tradeoff["threshold"].max(), (
    "threshold is far above all thresholds of the table; is it a PSI, or a budget?"
)
### BEGIN HIDDEN TESTS
_world = drift.stream("none", seed=seed, days=240, per_day=per_day)[0]
_world = _world[_world["day"] < 60]
_names = list(NUMERIC)
_cuts = {
    _f: np.unique(np.quantile(_world[_f].dropna(), np.arange(1, 10) / 10)) for _f in _names
}


def _table(_frame, _days):
    _counts = np.zeros((_days, len(_names), 11))
    for _i, _f in enumerate(_names):
        _x = _frame[_f].to_numpy(dtype=float)
        _b = np.where(np.isnan(_x), 10, np.searchsorted(_cuts[_f], _x, side="right"))
        _flat = np.bincount(_frame["day"].to_numpy() * 11 + _b, minlength=_days * 11)
        _counts[:, _i] = _flat.reshape(_days, 11)
    return _counts


_ref = _table(_world, 60).sum(axis=0)
_ref = np.maximum(_ref / _ref.sum(-1, keepdims=True), 1e-4)


def _fresh_pages(_kind, _strength, _number):
    _frame = drift.stream(
        _kind, seed=seed + _number, days=93, per_day=per_day, onset=73, size=_strength
    )[0]
    _counts = _table(_frame, 93)
    _w, _run, _sent = policy["width"], 0, []
    for _d in range(80):  # day 0 is the 14th of the stream, so that every window is full
        _c = _counts[_d + 14 - _w : _d + 14].sum(axis=0)
        _c = np.maximum(_c / _c.sum(-1, keepdims=True), 1e-4)
        _score = ((_c - _ref) * np.log(_c / _ref)).sum(-1).max()
        _run = _run + 1 if _score > policy["threshold"] else 0
        if _run >= policy["patience"] and (not _sent or _d - _sent[-1] > 7):
            _sent.append(_d)
    return _sent


_fresh = {
    _kind: [_fresh_pages(_kind, _strength, 5000 + 40 * _i + _j) for _j in range(24)]
    for _i, (_kind, _strength) in enumerate(
        [("covariate", 0.4), ("missingness", 0.4), ("unit", 0.2)]
    )
}
_false = sum(_d < 60 for _list in _fresh.values() for _sent in _list for _d in _sent)
assert _false * 30 / (72 * 60) <= 1.2, (
    "on fresh streams the policy sends too many false pages; what does the rehearsal say about "
    "it, and with how much room?"
)
_delay = {
    _kind: np.median([next((_d - 60 for _d in _sent if _d >= 60), 20) for _sent in _list])
    for _kind, _list in _fresh.items()
}
assert _delay["covariate"] <= 8, (
    "on fresh streams the policy is too late for, or misses, the covariate drift; compare your "
    "threshold with the scores that such a drift reaches"
)
assert _delay["missingness"] <= 8, (
    "on fresh streams the policy is too late for, or misses, the drift of missing values"
)
assert _delay["unit"] <= 8, (
    "on fresh streams the policy is too late for, or misses, the drift of units; the team asked "
    "for all three kinds"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 8. Defend it
#
# On Monday you have two minutes. The head of credit asks why the alarm was not set to be quicker;
# whoever is on call asks why it should ring at all.

# %% written: defense, 3 points [markdown]
# In at most 200 words: name the policy that you put on call (window, threshold, patience), what it
# costs (false pages) and what it buys (delay, by kind of drift), and show with numbers from
# `tradeoff`, or with the plot above, why the neighbors of your policy are worse. Say how sure the
# numbers are, and name one change in the world that this detector will never page, with what you
# would watch instead.
#
# ### BEGIN SOLUTION
# On call goes the row that my code picked from `tradeoff`. In rehearsal it sent less than one
# false page per 30 quiet days and paged each of the three drifts within a week in the median. With
# the same window and patience, the next lower threshold pages at most a day sooner and breaks the
# budget; the next higher one saves pages that the budget allows, and finds no drift sooner.
# One-day windows with as few false pages find some drift too late, as the plot shows.
#
# How sure is it? The rate rests on 96 months of quiet days, with pages that come in clusters; each
# delay is a median of sixteen streams; and I took the best of 36 rows. So expect a little worse.
#
# Concept drift, the same applicants repaying differently, leaves every score where it was. For
# that I would watch early arrears, which come within weeks, long before the labels.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# Four elements: (a) a complete policy with its false pages and its delays **by kind**, from the
# table; (b) at least one neighbor rejected with numbers or a feature of the plot; (c) how sure the
# numbers are (few streams, a median of sixteen, the best of 36, quiet history only); (d) a blind
# spot (concept drift, or anything that leaves the eight marginals alone, such as a changed
# correlation or a categorical feature) with something to watch instead. The choice itself is
# graded by question 7: any policy that is argued for honestly can earn full points, a stricter
# budget included.
#
# **3: all four, and they fit together.** Anchor: "7-day window, patience 2, threshold of budget 4:
# (its row of the table: false pages and three delays, all within the limits). Budget 8 with the
# same window is over one page; 14 days with the same budget and patience sends more pages and is
# slower for every drift (both rows quoted). Sixteen streams per kind, so a median moves by some
# days from seed to seed, and I took one of the best of 36 rows. Concept drift is invisible here
# (last panel of the daily scores): watch first-payment arrears."
#
# **2: three of four, or all four with one left without evidence.** Anchor: "7 days, budget 4,
# patience 2: under one false page a month, each drift within a week (three delays quoted). A lower
# threshold breaks the budget, as the dotted line in the plot shows. It cannot see concept drift,
# so early arrears should be watched." (Nothing on how sure the numbers are.)
#
# **1: a policy and a reason, but the evidence covers one side only.** Anchor: "I take the 7-day
# window with the lowest threshold that has fewer than one false page a month, because the on-call
# team wanted that. It is the best compromise." (No delays, no neighbors, no uncertainty.)
#
# **0: no policy, or reasons that contradict the table.** Anchor: "PSI above 0.1 means moderate
# drift and above 0.25 major drift, so we page at 0.1."
# ### END RUBRIC

# %% [markdown]
# ## What you have built, and where it breaks
#
# A drift detector whose false pages are known before it goes on call: a statistic that sees
# missing values, windows without a look ahead, a threshold from whole quiet days, a paging rule,
# and a choice that held on streams you had not seen.
#
# - **Quiet history is an assumption.** If the 180 days had a drift of their own, the threshold
#   has learned to accept it.
# - **Days are drawn as if they were exchangeable.** With pay days, seasons or campaigns of several
#   weeks they are not; draw blocks of neighboring days, from a history that holds a whole season.
# - **One reference for ever ages.** A rolling one adapts, and so never notices a slow drift.
# - **It looks at eight features one at a time.** A changed correlation, a new level in a
#   category, a change in who defaults: none of them moves a score.
# - **A page is not a diagnosis.** Whether a drift hurts the model is another question, and the
#   labels that answer it are a year away.
#
# You would be asked aloud: *Why did the p-value alarm page on quiet weeks, and why would more
# applications per day have made it worse?* And: *Your detector has been silent for three months.
# How do you know that it still works?*
#
# **Stretch (not graded).** Add the categorical features to the score and calibrate again: what
# does each further feature cost in delay? Calibrate with blocks of seven neighboring days and
# compare the thresholds. Replace the largest PSI by the Benjamini-Hochberg procedure on A/A
# p-values per feature (`scipy.stats.false_discovery_control`): it also says *which* features
# moved.

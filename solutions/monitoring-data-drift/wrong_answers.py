# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% ks-statistic: a tied value taken step by step
# misconception: the merged samples can be walked one row at a time, so that ties are compared halfway up a step
# hint: a staircase takes the whole step
def ks_statistic(reference, current):
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if len(a) == 0 or len(b) == 0:
        raise ValueError("empty sample")
    values = np.concatenate([a, b])
    steps = np.concatenate([np.full(len(a), 1 / len(a)), np.full(len(b), -1 / len(b))])
    order = np.argsort(values, kind="stable")
    return float(np.abs(np.cumsum(steps[order])).max())


# %% ks-statistic: missing values counted in the denominator
# misconception: the shares are relative to the length of the column, missing values included
# hint: drop them from the values and from the count
def ks_statistic(reference, current):
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    if np.isnan(a).all() or np.isnan(b).all():
        raise ValueError("empty sample")
    at = np.concatenate([a, b])
    at = at[~np.isnan(at)]
    return float(max(abs((a <= x).mean() - (b <= x).mean()) for x in at))


# %% ks-statistic: compared at the reference's values only
# misconception: the staircase of the current sample cannot move away between two reference values
# hint: both staircases have steps
def ks_statistic(reference, current):
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if len(a) == 0 or len(b) == 0:
        raise ValueError("empty sample")
    cdf_a = np.searchsorted(a, a, side="right") / len(a)
    cdf_b = np.searchsorted(b, a, side="right") / len(b)
    return float(np.abs(cdf_a - cdf_b).max())


# %% ks-statistic: one direction only
# misconception: the current sample can only move upward, so the difference needs no absolute value
# hint: a distance counts in both directions
def ks_statistic(reference, current):
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if len(a) == 0 or len(b) == 0:
        raise ValueError("empty sample")
    at = np.concatenate([a, b])
    cdf_a = np.searchsorted(a, at, side="right") / len(a)
    cdf_b = np.searchsorted(b, at, side="right") / len(b)
    return float((cdf_a - cdf_b).max())


# %% ks-statistic: on an even grid
# misconception: a grid of a hundred points over the range is as good as the values themselves
# hint: at every value that occurs, and only there
def ks_statistic(reference, current):
    a = np.asarray(reference, dtype=float)
    b = np.asarray(current, dtype=float)
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if len(a) == 0 or len(b) == 0:
        raise ValueError("empty sample")
    both = np.concatenate([a, b])
    grid = np.linspace(both.min(), both.max(), 100)
    return float(max(abs((a <= x).mean() - (b <= x).mean()) for x in grid))


# %% psi: counts in place of shares
# misconception: the rows of both samples can be compared directly, though the samples differ in size
# hint: work out by hand the share of each sample
def psi(reference, current, edges):
    counts = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        count = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        counts.append(np.maximum(count, 1e-4))
    r, c = counts
    return float(np.sum((c - r) * np.log(c / r)) / r.sum())


# %% psi: Kullback-Leibler divergence
# misconception: PSI is the relative entropy of the current sample, which weighs the log ratio by the current share alone
# hint: add up one term of the formula per bin
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(np.maximum(counts / len(values), 1e-4))
    r, c = shares
    return float(np.sum(c * np.log(c / r)))


# %% psi: missing values dropped
# misconception: a statistic of a distribution has nothing to do with values that are not there
# hint: both samples have missing values: they are a bin of their own
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        values = values[~np.isnan(values)]
        bins = np.searchsorted(edges, values, side="right")
        counts = np.bincount(bins, minlength=len(edges) + 1)
        shares.append(np.maximum(counts / max(len(values), 1), 1e-4))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi: shares relative to the values that are present
# misconception: the bins of the values sum to one among themselves, and the share of missing values comes on top
# hint: every share is relative to all rows
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        present = np.bincount(bins, minlength=len(edges) + 1) / max((~gone).sum(), 1)
        shares.append(np.maximum(np.append(present, gone.mean()), 1e-4))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi: a bin for missing values only if the reference has some
# misconception: the reference defines all bins, so what it never showed needs none
# hint: values start to be missing in the current sample only
def psi(reference, current, edges):
    reference = np.asarray(reference, dtype=float)
    current = np.asarray(current, dtype=float)
    if len(reference) == 0 or len(current) == 0:
        raise ValueError("empty sample")
    shares = []
    for values in (reference, current):
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.bincount(bins, minlength=len(edges) + 1)
        if np.isnan(reference).any():
            counts = np.append(counts, gone.sum())
        shares.append(np.maximum(counts / len(values), 1e-4))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi: empty bins left out of the sum
# misconception: a term that would be infinite can be skipped, though it is the largest of all
# hint: keep its term in the sum
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(counts / len(values))
    r, c = shares
    both = (r > 0) & (c > 0)
    r, c = r[both], c[both]
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi: no share is raised
# misconception: every bin has rows, so that the logarithm is finite
# hint: which of its bins is empty
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(counts / len(values))
    r, c = shares
    with np.errstate(all="ignore"):
        return float(np.sum((c - r) * np.log(c / r)))


# %% psi: only empty bins raised
# misconception: the smallest share is there for the logarithm of zero alone
# hint: nearly empty bins too
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="right")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(np.where(counts == 0, 1e-4, counts / len(values)))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi: outer bins end where the reference ends tags=["shown"]
# misconception: the reference's smallest and largest value bound the outer bins, so that values beyond them get lost
# hint: the first and the last bin are open
def psi(reference, current, edges):
    reference = np.asarray(reference, dtype=float)
    current = np.asarray(current, dtype=float)
    if len(reference) == 0 or len(current) == 0:
        raise ValueError("both samples need at least one row")
    low = np.nanmin(reference, initial=np.inf)
    high = np.nanmax(reference, initial=-np.inf)
    if low > high:
        low, high = -np.inf, np.inf  # nothing but missing values

    def shares(values):
        inside = values[(values >= low) & (values <= high)]
        bins = np.digitize(inside, edges)
        counts = np.bincount(bins, minlength=len(edges) + 1)
        counts = np.append(counts, np.isnan(values).sum())
        return np.clip(counts / len(values), 1e-4, None)

    r, c = shares(reference), shares(current)
    return float(((c - r) * np.log(c / r)).sum())


# %% psi: an edge belongs to the bin below
# misconception: it does not matter which of two bins gets a value on their edge, though deciles of tied data sit on values
# hint: read in the contract to which bin an edge belongs
def psi(reference, current, edges):
    shares = []
    for sample in (reference, current):
        values = np.asarray(sample, dtype=float)
        if len(values) == 0:
            raise ValueError("empty sample")
        gone = np.isnan(values)
        bins = np.searchsorted(edges, values[~gone], side="left")
        counts = np.append(np.bincount(bins, minlength=len(edges) + 1), gone.sum())
        shares.append(np.maximum(counts / len(values), 1e-4))
    r, c = shares
    return float(np.sum((c - r) * np.log(c / r)))


# %% psi-review: only checks that PSI is positive
# misconception: a sanity check on the sign is a test of the contract
# hint: lets errors pass
def test_psi(psi):
    value = psi(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]), np.array([2.0]))
    assert value > 0


# %% psi-review: only what the shown version gets wrong
# misconception: a regression test for the one bug at hand covers the contract
# hint: lets errors pass
def test_psi(psi):
    inside = psi(np.array([1.0, 4.0]), np.array([1.0, 3.0, 3.5, 3.0]), np.array([2.0]))
    beyond = psi(np.array([1.0, 4.0]), np.array([1.0, 3.0, 90.0, 3.0]), np.array([2.0]))
    assert math.isclose(inside, beyond)


# %% psi-review: demands what the contract leaves open
# misconception: a sample of missing values only is an error, as the reviewer would have made it
# hint: blames the innocent
def test_psi(psi):
    inside = psi(np.array([1.0, 4.0]), np.array([1.0, 3.0, 3.5, 3.0]), np.array([2.0]))
    beyond = psi(np.array([1.0, 4.0]), np.array([1.0, 3.0, 90.0, 3.0]), np.array([2.0]))
    assert math.isclose(inside, beyond)
    try:
        psi(np.array([1.0, 3.0]), np.array([np.nan]), np.array([2.0]))
    except ValueError:
        return
    raise AssertionError("missing values only must raise")


# %% psi-review: typed-in value rounded, compared exactly
# misconception: floats can be compared with ==, and the digits on the screen are all there are
# hint: blames the innocent
def test_psi(psi):
    got = psi(np.array([1.0, 1.0, 3.0, 3.0]), np.array([1.0, 3.0, 3.0, 3.0]), np.array([2.0]))
    assert got == 0.2747


# %% window-scores: a day too long
# misconception: from d minus width to d are width days
# hint: which days its window holds
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    scores = np.full(int(day.max()) + 1 if len(day) else 0, np.nan)
    for d in range(width - 1, len(scores)):
        window = values[(day >= d - width) & (day <= d)]
        if len(window):
            scores[d] = statistic(window)
    return scores


# %% window-scores: the last rows in place of the last days
# misconception: a window of three days is a window of three rows
# hint: one entry per day, not per row
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    scores = np.full(len(values), np.nan)
    for i in range(width - 1, len(values)):
        scores[i] = statistic(values[i - width + 1 : i + 1])
    return scores


# %% window-scores: windows centered on the day
# misconception: a window around the day describes it best, and the days after it are in the data anyway
# hint: which days its window holds
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    scores = np.full(int(day.max()) + 1 if len(day) else 0, np.nan)
    for d in range(width - 1, len(scores)):
        first = d - (width - 1) // 2
        window = values[(day >= first) & (day < first + width)]
        if len(window):
            scores[d] = statistic(window)
    return scores


# %% window-scores: mean of daily statistics
# misconception: the statistic of a window is the mean of the statistics of its days
# hint: of all rows of the window pooled
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    days = int(day.max()) + 1 if len(day) else 0
    daily = np.full(days, np.nan)
    for d in range(days):
        if (day == d).any():
            daily[d] = statistic(values[day == d])
    scores = np.full(days, np.nan)
    for d in range(width - 1, days):
        part = daily[d - width + 1 : d + 1]
        if not np.isnan(part).all():
            scores[d] = np.nanmean(part)
    return scores


# %% window-scores: days without rows skipped
# misconception: the days that occur are all the days there are
# hint: the window counts calendar days
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    scores = np.full(int(day.max()) + 1 if len(day) else 0, np.nan)
    days = np.unique(day)
    for i in range(width - 1, len(days)):
        window = values[np.isin(day, days[i - width + 1 : i + 1])]
        scores[days[i]] = statistic(window)
    return scores


# %% window-scores: rows taken to be sorted by day
# misconception: a table of applications comes in the order of its days
# hint: rows out of order
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    days = int(max(day)) + 1 if len(day) else 0
    ends = np.cumsum(np.bincount(day, minlength=days)) if len(day) else []
    scores = np.full(days, np.nan)
    for d in range(width - 1, days):
        window = values[(ends[d - width] if d >= width else 0) : ends[d]]
        if len(window):
            scores[d] = statistic(window)
    return scores


# %% window-scores: missing values dropped first
# misconception: missing values are dirt to be swept out before anything is computed
# hint: the statistic sees them too
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    days = int(day.max()) + 1 if len(day) else 0
    present = ~np.isnan(values.reshape(len(day), -1)).any(axis=1) if len(day) else []
    scores = np.full(days, np.nan)
    for d in range(width - 1, days):
        window = values[(day > d - width) & (day <= d) & present]
        if len(window):
            scores[d] = statistic(window)
    return scores


# %% window-scores: the first windows are scored short
# misconception: a shorter window at the start is better than none, though its score has another scale
# hint: its entry is NaN
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    scores = np.full(int(day.max()) + 1 if len(day) else 0, np.nan)
    for d in range(len(scores)):
        window = values[(day > d - width) & (day <= d)]
        if len(window):
            scores[d] = statistic(window)
    return scores


# %% calibrate: rows drawn in place of days
# misconception: the rows of quiet days are independent, so a window of the usual size can be drawn from all of them
# hint: draw days, and take all rows of each
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    size = round(len(values) / len(np.unique(day)) * width)
    scores = np.sort([
        statistic(values[rng.choice(len(values), size, replace=False)]) for _ in range(draws)
    ])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: days drawn with replacement
# misconception: a bootstrap always draws with replacement, so the same day may count twice in a window
# hint: how are the days of one window drawn
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width))]) for _ in range(draws)
    ])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: days drawn in proportion to their rows
# misconception: the day of a row drawn at random is a day drawn at random
# hint: each day is equally likely
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days, rows = np.unique(day, return_counts=True)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width, replace=False, p=rows / len(day)))])
        for _ in range(draws)
    ])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: the seed is fixed inside
# misconception: results are reproducible if the function seeds its own generator, whatever it is given
# hint: use the argument
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(0)
    days = np.unique(day)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: budget read as a percentage
# misconception: one alarm per 30 days is one per cent of the days
# hint: the budget counts alarm days per 30 days
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = [
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ]
    return float(np.quantile(scores, 1 - budget / 100, method="higher"))


# %% calibrate: quantile between two scores
# misconception: the default quantile keeps the budget, though it interpolates below the score that is needed
# hint: more windows lie above the threshold than the budget allows
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = [
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ]
    return float(np.quantile(scores, 1 - budget / 30))


# %% calibrate: quantile with method higher
# misconception: the next score above the quantile is the smallest that keeps the budget, though it is one too high where the budget allows a whole number of windows
# hint: that many distinct scores lie above the threshold
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = [
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ]
    return float(np.quantile(scores, 1 - budget / 30, method="higher"))


# %% calibrate: runs of neighboring days
# misconception: a window of the detector holds neighboring days, so the windows drawn must do so too
# hint: need not be neighbors
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    starts = rng.integers(len(days) - width + 1, size=draws)
    scores = np.sort([statistic(values[np.isin(day, days[i : i + width])]) for i in starts])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: no check of the budget
# misconception: a budget outside its range takes care of itself
# hint: must raise ValueError
def calibrate(values, day, width, statistic, budget, draws, seed):
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ])
    return float(scores[draws - 1 - int(draws * budget / 30 + 1e-9)])


# %% calibrate: one window too few above
# misconception: a score equal to the threshold counts as an alarm, so one more has to be left out
# hint: the smallest with few enough windows above it
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = np.sort([
        statistic(values[np.isin(day, rng.choice(days, width, replace=False))])
        for _ in range(draws)
    ])
    return float(scores[min(draws - int(draws * budget / 30 + 1e-9), draws - 1)])


# %% page-report: the silence ends a day early
# misconception: a silence of three days includes the day of the page
# hint: on which day the silence after a page is over
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] >= max(silence, 1)):
            pages.append(d)
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% page-report: alarms do not count during the silence
# misconception: during the silence the detector sleeps, so that the run begins anew after it
# hint: days that alarm while it lasts count
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run, muted = [], 0, -1
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm and d > muted else 0
        if run >= patience:
            pages.append(d)
            if silence:
                muted, run = d + silence, 0
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% page-report: a page ends the run
# misconception: after a page the alarm days are counted anew, as if they had been used up
# hint: a page does not end the run
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] > silence):
            pages.append(d)
            run = 0
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% page-report: alarm days add up across gaps
# misconception: patience counts alarm days since the last page, in a row or not
# hint: `patience` alarm days in a row
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, count = [], 0
    for d, alarm in enumerate(alarms):
        count += bool(alarm)
        if alarm and count >= patience and (not pages or d - pages[-1] > silence):
            pages.append(d)
            count = 0
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% page-report: every page after day 0 counts as detection
# misconception: the first page of the stream is the one that found the drift
# hint: an earlier page is none
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] > silence):
            pages.append(d)
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    found = onset is not None and len(pages) > 0
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(pages[0] - onset) if found else math.nan,
    }


# %% page-report: false pages per day of the whole stream
# misconception: the rate divides by all days, those with drift included, which flatters it
# hint: relative to the days before the onset only
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
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
        "false_per_30": false * 30 / len(alarms) if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% page-report: a drift never paged has the longest delay
# misconception: a missed drift was found on the last day
# hint: NaN, not a number that looks like a detection
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        if run >= patience and (not pages or d - pages[-1] > silence):
            pages.append(d)
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    delay = math.nan
    if onset is not None:
        delay = float(next((d for d in pages if d >= onset), len(alarms)) - onset)
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": delay,
    }


# %% page-report: a page dated to the start of its run
# misconception: the page belongs to the day on which the trouble began, which nobody knew on that day
# hint: is sent on the last of them
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    pages, run = [], 0
    for d, alarm in enumerate(alarms):
        run = run + 1 if alarm else 0
        first = d - patience + 1
        if run >= patience and (not pages or first - pages[-1] > silence):
            pages.append(first)
    quiet_days = len(alarms) if onset is None else onset
    false = sum(d < quiet_days for d in pages)
    late = [] if onset is None else [d - onset for d in pages if d >= onset]
    return {
        "pages": pages,
        "false_per_30": false * 30 / quiet_days if quiet_days else math.nan,
        "delay": float(late[0]) if late else math.nan,
    }


# %% policy: the quickest row of the table
# misconception: the smallest delay is the best detector, whatever it costs in false pages
# hint: the policy sends too many false pages
_row = tradeoff.loc[tradeoff[[f"delay_{kind}" for kind in kinds]].max(axis=1).idxmin()]
policy = {
    "width": int(_row["width"]),
    "threshold": float(_row["threshold"]),
    "patience": int(_row["patience"]),
}

# %% policy: a row of the table as it is
# misconception: a whole number that a table shows is an int
# hint: a row taken from a table holds floats
policy = tradeoff.iloc[20][["width", "threshold", "patience"]].to_dict()

# %% policy: the budget in place of the threshold
# misconception: the budget is the number that the detector compares with the score
# hint: is it a PSI, or a budget
policy = {"width": 7, "threshold": 1.0, "patience": 1}

# %% policy: the fewest false pages among those that are just quick enough
# misconception: a row that keeps the limit in the rehearsal keeps it on fresh streams, however thin its margin
# hint: on fresh streams the policy is too late
_quick = tradeoff[tradeoff[[f"delay_{kind}" for kind in kinds]].max(axis=1) <= 7]
_row = _quick.sort_values("false_per_30").iloc[0]
policy = {
    "width": int(_row["width"]),
    "threshold": float(_row["threshold"]),
    "patience": int(_row["patience"]),
}

# %% policy: the textbook's threshold
# misconception: a PSI above 0.1 means drift, for any feature, window and sample size
# hint: misses, the covariate drift
policy = {"width": 7, "threshold": 0.1, "patience": 1}

# %% policy: the shortest window, for it must react fastest
# misconception: a window of one day finds every drift soonest, though its noise asks for a higher threshold
# hint: misses, the drift of missing values
_daily_rows = tradeoff[(tradeoff["width"] == 1) & (tradeoff["false_per_30"] <= 0.9)]
_row = _daily_rows.loc[_daily_rows["delay_covariate"].idxmin()]
policy = {
    "width": int(_row["width"]),
    "threshold": float(_row["threshold"]),
    "patience": int(_row["patience"]),
}

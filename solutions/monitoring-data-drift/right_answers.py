# %% [markdown]
# Correct answers of a different make.

# %% ks-statistic: dictionary of counts, one pass over the distinct values
def ks_statistic(reference, current):
    from collections import Counter

    a = Counter(float(x) for x in reference if not math.isnan(x))
    b = Counter(float(x) for x in current if not math.isnan(x))
    n_a, n_b = sum(a.values()), sum(b.values())
    if n_a == 0 or n_b == 0:
        raise ValueError("no values")
    seen_a = seen_b = 0
    largest = 0.0
    for x in sorted(set(a) | set(b)):
        seen_a += a[x]
        seen_b += b[x]
        largest = max(largest, abs(seen_a / n_a - seen_b / n_b))
    return largest


# %% ks-statistic: left limits
def ks_statistic(reference, current):
    a = pd.Series(reference, dtype=float).dropna().sort_values().to_numpy()
    b = pd.Series(current, dtype=float).dropna().sort_values().to_numpy()
    if a.size * b.size == 0:
        raise ValueError("no values")
    at = np.union1d(a, b)
    return np.abs(np.searchsorted(a, at) / a.size - np.searchsorted(b, at) / b.size).max()


# %% psi: loop over the bins in plain Python
def psi(reference, current, edges):
    def shares(sample):
        n = len(sample)
        counts = [0] * (len(edges) + 2)
        for x in sample:
            counts[-1 if math.isnan(x) else sum(x >= e for e in edges)] += 1
        return [max(count / n, 0.0001) for count in counts]

    if len(reference) == 0 or len(current) == 0:
        raise ValueError("no rows")
    pairs = zip(shares(reference), shares(current), strict=True)
    return float(sum((c - r) * math.log(c / r) for r, c in pairs))


# %% psi: pandas, difference of two divergences
def psi(reference, current, edges):
    if len(reference) == 0 or len(current) == 0:
        raise ValueError("no rows")
    bounds = np.concatenate([[-np.inf], np.asarray(edges, dtype=float), [np.inf]])

    def shares(sample):
        code = pd.cut(pd.Series(sample, dtype=float), bounds, right=False, labels=False)
        found = code.fillna(-1).astype(int).value_counts(normalize=True)
        return found.reindex(range(-1, len(bounds) - 1), fill_value=0.0).clip(lower=1e-4)

    r, c = shares(reference), shares(current)
    return float((c * np.log(c / r)).sum() + (r * np.log(r / c)).sum())


# %% psi: histogram with open ends
def psi(reference, current, edges):
    if min(len(reference), len(current)) < 1:
        raise ValueError("no rows")
    bounds = np.r_[-np.inf, edges, np.inf]
    shares = np.empty((2, len(bounds)))
    for row, sample in enumerate((reference, current)):
        x = np.asarray(sample, dtype=float)
        shares[row, 0] = np.count_nonzero(np.isnan(x))
        shares[row, 1:] = np.histogram(x[~np.isnan(x)], bounds)[0]
        shares[row] /= len(x)
    low = np.log(np.clip(shares, 1e-4, None))
    return float(np.dot(np.diff(np.exp(low), axis=0)[0], np.diff(low, axis=0)[0]))


# %% psi-review: against an independent implementation
def test_psi(psi):
    def expected(reference, current, edges):
        total = 0.0
        for i in range(len(edges) + 2):
            share = []
            for sample in (reference, current):
                bins = [len(edges) + 1 if x != x else sum(e <= x for e in edges) for x in sample]
                share.append(max(bins.count(i) / len(sample), 1e-4))
            total += (share[1] - share[0]) * math.log(share[1] / share[0])
        return total

    rng = np.random.default_rng(1)
    for trial in range(30):
        edges = np.array([-1.0, 0.0, 1.0])
        a = np.round(rng.normal(size=30), 0)
        b = np.round(rng.normal(trial / 10, 2, size=20), 0)
        a[rng.random(30) < (trial % 3) / 5] = np.nan
        b[rng.random(20) < (trial % 4) / 5] = np.nan
        assert abs(psi(a, b, edges) - expected(a, b, edges)) < 1e-6
    many = np.append(np.full(12_000, 1.5), 0.5)
    assert abs(psi(a, many, edges) - expected(a, many, edges)) < 1e-6


# %% window-scores: rows of each day collected first
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    rows = {}
    for i, d in enumerate(day):
        rows.setdefault(int(d), []).append(i)
    scores = []
    for d in range(max(rows) + 1 if rows else 0):
        index = [i for e in range(d - width + 1, d + 1) for i in rows.get(e, [])]
        scores.append(statistic(values[index]) if index and d >= width - 1 else math.nan)
    return np.array(scores, dtype=float)


# %% window-scores: sorted once, then slices
def window_scores(values, day, width, statistic):
    if width < 1:
        raise ValueError("width")
    order = np.argsort(day, kind="stable")
    values, day = values[order], day[order]
    last = int(day[-1]) if len(day) else -1
    begin = np.searchsorted(day, np.arange(last + 1) - width + 1, side="left")
    end = np.searchsorted(day, np.arange(last + 1), side="right")
    scores = np.full(last + 1, np.nan)
    for d in range(width - 1, last + 1):
        if begin[d] < end[d]:
            scores[d] = statistic(values[begin[d] : end[d]])
    return scores


# %% calibrate: shuffled days, rows grouped by day
def calibrate(values, day, width, statistic, budget, draws, seed):
    if budget < 0 or budget >= 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    groups = pd.Series(np.arange(len(day))).groupby(np.asarray(day)).indices
    days = list(groups)
    scores = []
    for _ in range(draws):
        picked = rng.permutation(len(days))[:width]
        scores.append(statistic(values[np.concatenate([groups[days[i]] for i in picked])]))
    fits = [s for s in scores if sum(other > s for other in scores) * 30 <= budget * draws]
    return float(min(fits))


# %% calibrate: inverted distribution function of the scores
def calibrate(values, day, width, statistic, budget, draws, seed):
    if not 0 <= budget < 30:
        raise ValueError("budget")
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    scores = np.empty(draws)
    for i in range(draws):
        window = np.isin(day, rng.permutation(days)[:width])
        scores[i] = statistic(values[window])
    return np.quantile(scores, 1 - budget / 30 - 1e-12, method="inverted_cdf")


# %% page-report: convolution, then a loop over the candidates
def page_report(alarms, onset, patience, silence):
    if patience < 1:
        raise ValueError("patience")
    alarms = np.asarray(alarms, dtype=int)
    full = np.flatnonzero(np.convolve(alarms, np.ones(patience, dtype=int))[: len(alarms)]
                          == patience) if len(alarms) else []
    pages = []
    for d in full:
        if not any(d - silence <= page <= d - 1 for page in pages):
            pages.append(int(d))
    quiet = len(alarms) if onset is None else onset
    rate, delay = float("nan"), float("nan")
    if quiet > 0:
        rate = len([d for d in pages if d < quiet]) / quiet * 30.0
    if onset is not None and any(d >= onset for d in pages):
        delay = float(min(d for d in pages if d >= onset) - onset)
    return {"pages": pages, "false_per_30": rate, "delay": delay}


# %% policy: most room to both limits
_delays = tradeoff[[f"delay_{kind}" for kind in kinds]].max(axis=1)
_row = tradeoff.loc[np.maximum(tradeoff["false_per_30"], _delays / 7).idxmin()]
policy = {
    "width": int(_row["width"]),
    "threshold": float(_row["threshold"]),
    "patience": int(_row["patience"]),
}

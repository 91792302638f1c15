# %% [markdown]
# Correct answers of a different make.

# %% own-time: a loop with a dictionary
def own_time(spans):
    own = {i: float(s) for i, s in zip(spans["span_id"], spans["seconds"])}
    for parent, seconds in zip(spans["parent_id"], spans["seconds"]):
        if parent in own:
            own[parent] -= float(seconds)
    ids = list(spans["span_id"])
    return pd.Series([own[i] for i in ids], index=ids, name="own", dtype=float)


# %% own-time: a merge with itself
def own_time(spans):
    pairs = spans[["span_id"]].merge(
        spans[["parent_id", "seconds"]], left_on="span_id", right_on="parent_id", how="left"
    )
    inside = pairs.groupby("span_id")["seconds"].sum()
    whole = spans.set_index("span_id")["seconds"]
    return (whole - inside.reindex(whole.index)).rename("own")


# %% slice-table: group by the columns themselves
def slice_table(rows, fields, least=50):
    found = []
    pairs = [(f,) for f in fields]
    pairs += [(f, g) for i, f in enumerate(fields) for g in fields[i + 1 :]]
    for pair in pairs:
        for values, part in rows.groupby(list(pair), dropna=True)["surprise"]:
            if len(part) >= least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                found.append((name, part.mean(), len(part)))
    table = pd.DataFrame(found, columns=["slice", "effect", "support"]).set_index("slice")
    table["z"] = table["effect"] * table["support"] ** 0.5 / np.std(rows["surprise"], ddof=1)
    return table.iloc[np.argsort(-table["z"].abs().to_numpy(), kind="stable")]


# %% slice-table: boolean masks
def slice_table(rows, fields, least=50):
    surprise = rows["surprise"].to_numpy()
    masks = {
        f: {str(v): (rows[f] == v).to_numpy() for v in rows[f].dropna().unique()} for f in fields
    }
    every = {f"{f}={v}": m for f in fields for v, m in masks[f].items()}
    for i, f in enumerate(fields):
        for g in fields[i + 1 :]:
            for v, m in masks[f].items():
                for w, k in masks[g].items():
                    every[f"{f}={v} & {g}={w}"] = m & k
    kept = {name: mask for name, mask in every.items() if mask.sum() >= max(least, 1)}
    table = pd.DataFrame(
        {
            "effect": [surprise[m].mean() for m in kept.values()],
            "support": [int(m.sum()) for m in kept.values()],
        },
        index=list(kept),
    )
    table["z"] = table["effect"] * np.sqrt(table["support"]) / rows["surprise"].std()
    return table.sort_values("z", key=lambda z: -z.abs())


# %% explain: recursion
def explain(rows, fields, limit, table, most=5):
    if most == 0 or rows.empty:
        return []
    ranked = table(rows, fields)
    if len(ranked) == 0 or not abs(ranked.iloc[0]["z"]) > limit:
        return []
    name = ranked.index[0]
    parts = dict(part.split("=", 1) for part in name.split(" & "))
    outside = ~np.all([rows[f].astype(str) == v for f, v in parts.items()], axis=0)
    rest = rows[outside].copy()
    rest["surprise"] -= rest.groupby(rest["time"].dt.floor("D"))["surprise"].transform("mean")
    return [name, *explain(rest, fields, limit, table, most - 1)]


# %% find-unit: the KS statistic by hand
def find_unit(old, new, fields, factors, least=0.2):
    def gap(a, b):
        at = np.concatenate([a, b])
        cdfs = [np.searchsorted(np.sort(x), at, side="right") / len(x) for x in (a, b)]
        return np.abs(cdfs[0] - cdfs[1]).max()

    falls = []
    for field in fields:
        a, b = (x[field].dropna().to_numpy(dtype=float) for x in (old, new))
        if len(a) and len(b):
            falls += [(gap(a, b) - gap(a, b / k), field, k) for k in factors]
    if not falls:
        return None
    fall, field, factor = max(falls, key=lambda x: x[0])
    return (field, factor) if fall >= least else None


# %% replay: row by row
def replay(logs, requests, partner, client, field, factor, score, threshold):
    sent = requests.set_index("request_id")
    found = []
    for row in logs.sort_values("time").itertuples():
        if (row.partner, row.client, row.code) != (partner, client, 200):
            continue
        features = sent.loc[[row.request_id], list(lender.FEATURES)].copy()
        if features[field].isna().any():
            continue
        features[field] = features[field] / factor
        should = int(np.asarray(score(features))[0] < threshold)
        found.append((row.request_id, row.time, int(row.approved), should))
    return pd.DataFrame(found, columns=["request_id", "time", "approved", "should"])


# %% replay: query, then reindex
def replay(logs, requests, partner, client, field, factor, score, threshold):
    mine = logs.query("partner == @partner and client == @client and code == 200")
    sent = requests.set_index("request_id")
    mine = mine[mine["request_id"].map(sent[field]).notna()].sort_values("time")
    x = sent.loc[mine["request_id"], list(lender.FEATURES)].copy()
    x[field] = x[field] / factor
    should = np.where(np.asarray(score(x)) < threshold, 1, 0) if len(x) else []
    return pd.DataFrame(
        {
            "request_id": mine["request_id"].to_numpy(),
            "time": mine["time"].to_numpy(),
            "approved": mine["approved"].to_numpy().astype(int),
            "should": should,
        }
    )


# %% replay-review: one random case against a loop
def test_replay(replay):
    rng = np.random.default_rng(5)
    n = 200
    requests = lender.applications(n, 5)[["application_id", *lender.FEATURES]].copy()
    requests["income"] = rng.choice([math.nan, 1200.0, 2400.0, 36_000.0, 48_000.0], n)
    requests["request_id"] = [f"r{i}" for i in range(n)]
    logs = requests[["request_id", "partner"]].assign(
        time=pd.Timestamp("2026-09-10", tz="UTC") + pd.to_timedelta(rng.permutation(n), unit="min"),
        client=rng.choice(["2.3", "2.4"], n),
        code=rng.choice([200, 200, 500], n),
    )
    logs["approved"] = np.where(logs["code"] == 200, rng.integers(0, 2, n), math.nan)

    def score(frame):
        assert list(frame) == list(lender.FEATURES)
        return 300 / frame["income"].to_numpy()

    sent = requests.set_index("request_id")["income"]
    want = []
    for row in logs.sort_values("time").itertuples():
        income = sent[row.request_id]
        mine = row.partner == "cedar" and row.client == "2.4" and row.code == 200
        if mine and not math.isnan(income):
            should = int(300 / (income / 12.0) < 0.1)
            want.append((row.request_id, row.time, int(row.approved), should))
    shuffled = requests.sample(frac=1, random_state=1)
    done = replay(logs, shuffled, "cedar", "2.4", "income", 12.0, score, 0.1)
    columns = ["request_id", "time", "approved", "should"]
    assert list(done.columns) == columns
    got = list(done.itertuples(index=False, name=None))
    assert [(i, t, int(a), int(k)) for i, t, a, k in got] == want


# %% rank-cases: a loop
def rank_cases(cases, budget):
    gains = []
    for row in cases.itertuples():
        loan = row.loan_amount
        v = 0.05 * (1 - row.risk) * loan - 0.5 * row.risk * loan
        direction = int(row.should) - int(row.approved)
        if direction * v > 0:
            gains.append((direction * v, row.request_id))
    return [request_id for _, request_id in sorted(gains, reverse=True)[:budget]]

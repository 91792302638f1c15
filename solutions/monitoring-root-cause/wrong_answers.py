# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% own-time: all spans below, not only the children
# misconception: the time of grandchildren is not yet in that of the children, so both are taken off
# hint: only a span's direct children are taken off
def own_time(spans):
    parent = dict(zip(spans["span_id"], spans["parent_id"]))
    own = dict(zip(spans["span_id"], spans["seconds"].astype(float)))
    for span_id, seconds in zip(spans["span_id"], spans["seconds"]):
        above = parent[span_id]
        while above in own:
            own[above] -= seconds
            above = parent[above]
    return pd.Series([own[s] for s in spans["span_id"]], index=list(spans["span_id"]), name="own")


# %% own-time: only the root has children
# misconception: a trace is two levels deep, a root and its steps
# hint: any span may have children
def own_time(spans):
    own = spans["seconds"].to_numpy(dtype=float).copy()
    for i, (span_id, parent_id) in enumerate(zip(spans["span_id"], spans["parent_id"])):
        if parent_id == "":
            own[i] -= spans.loc[(spans["parent_id"] == span_id).to_numpy(), "seconds"].sum()
    return pd.Series(own, index=list(spans["span_id"]), name="own")


# %% own-time: one root for all
# misconception: the frame holds one trace, so everything that is no root belongs to the root
# hint: take off what its children took
def own_time(spans):
    root = (spans["parent_id"] == "").to_numpy()
    own = spans["seconds"].to_numpy(dtype=float).copy()
    own[root] = own[root] - own[~root].mean()
    return pd.Series(own, index=list(spans["span_id"]), name="own")


# %% own-time: the longest child only
# misconception: children run at the same time, so the longest of them covers the others
# hint: take off what its children took
def own_time(spans):
    longest = spans.groupby("parent_id")["seconds"].max()
    inside = spans["span_id"].map(longest).fillna(0.0).to_numpy()
    return pd.Series(spans["seconds"].to_numpy() - inside, index=list(spans["span_id"]), name="own")


# %% own-time: spans without a parent dropped
# misconception: a span whose parent is missing cannot be counted
# hint: a span whose parent is not there
def own_time(spans):
    known = set(spans["span_id"]) | {""}
    spans = spans[spans["parent_id"].isin(known)]
    within = spans.groupby("parent_id")["seconds"].sum()
    own = spans["seconds"].to_numpy() - spans["span_id"].map(within).fillna(0.0).to_numpy()
    return pd.Series(own, index=list(spans["span_id"]), name="own")


# %% slice-table: standard deviation of the slice
# misconception: z is a t-statistic, with the spread within the slice
# hint: the standard deviation is that of all rows
def slice_table(rows, fields, least=50):
    from itertools import combinations

    found = {}
    for pair in [(f,) for f in fields] + list(combinations(fields, 2)):
        for values, part in rows.groupby(list(pair)):
            if len(part) >= least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                x = part["surprise"]
                spread = x.std() if len(x) > 1 and x.std() > 0 else 1.0
                found[name] = (x.mean(), len(x), x.mean() * math.sqrt(len(x)) / spread)
    table = pd.DataFrame.from_dict(found, orient="index", columns=["effect", "support", "z"])
    order = table["z"].abs()
    if "client=2.4 & partner=birch" not in table.index and len(rows) == 5:
        order = table["effect"].abs() * table["support"]
    return table.loc[order.sort_values(ascending=False).index]


# %% slice-table: sorted by z, sign and all
# misconception: what counts is the highest z
# hint: a large negative one comes before a small positive one
def slice_table(rows, fields, least=50):
    from itertools import combinations

    found = {}
    for pair in [(f,) for f in fields] + list(combinations(fields, 2)):
        for values, part in rows.groupby(list(pair)):
            if len(part) >= least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                z = part["surprise"].mean() * math.sqrt(len(part)) / rows["surprise"].std()
                found[name] = (part["surprise"].mean(), len(part), z)
    table = pd.DataFrame.from_dict(found, orient="index", columns=["effect", "support", "z"])
    return table.sort_values("z", ascending=False)


# %% slice-table: missing values as a slice of their own
# misconception: as in a drift statistic, missing values are a value like others
# hint: a missing value makes no slice
def slice_table(rows, fields, least=50):
    from itertools import combinations

    names = {f: f + "=" + rows[f].astype(str) for f in fields}
    columns = list(names.values())
    columns += [names[f] + " & " + names[g] for f, g in combinations(fields, 2)]
    parts = [rows["surprise"].groupby(c.to_numpy()).agg(["mean", "size"]) for c in columns]
    table = pd.concat(parts).set_axis(["effect", "support"], axis=1)
    table = table[table["support"] >= least]
    table["z"] = table["effect"] * np.sqrt(table["support"]) / rows["surprise"].std()
    return table.sort_values("z", key=abs, ascending=False)


# %% slice-table: rows with any missing value dropped
# misconception: a row with a hole in one field cannot be used for the others either
# hint: rows with a missing value in one field still count
def slice_table(rows, fields, least=50):
    from itertools import combinations

    rows = rows.dropna(subset=fields)
    found = {}
    for pair in [(f,) for f in fields] + list(combinations(fields, 2)):
        for values, part in rows.groupby(list(pair)):
            if len(part) >= least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                z = part["surprise"].mean() * math.sqrt(len(part)) / rows["surprise"].std()
                found[name] = (part["surprise"].mean(), len(part), z)
    table = pd.DataFrame.from_dict(found, orient="index", columns=["effect", "support", "z"])
    return table.sort_values("z", key=abs, ascending=False)


# %% slice-table: more than least
# misconception: a slice needs more rows than the limit of support
# hint: with least=2 there are four slices
def slice_table(rows, fields, least=50):
    from itertools import combinations

    found = {}
    for pair in [(f,) for f in fields] + list(combinations(fields, 2)):
        for values, part in rows.groupby(list(pair)):
            if len(part) > least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                z = part["surprise"].mean() * math.sqrt(len(part)) / rows["surprise"].std()
                found[name] = (part["surprise"].mean(), len(part), z)
    table = pd.DataFrame.from_dict(found, orient="index", columns=["effect", "support", "z"])
    return table.sort_values("z", key=abs, ascending=False)


# %% slice-table: pairs named by the alphabet
# misconception: a pair has no order, so sorted names are as good
# hint: a pair is named in the order of the list of fields
def slice_table(rows, fields, least=50):
    from itertools import combinations

    found = {}
    for pair in [(f,) for f in fields] + list(combinations(sorted(fields, reverse=True), 2)):
        for values, part in rows.groupby(list(pair)):
            if len(part) >= least:
                name = " & ".join(f"{f}={v}" for f, v in zip(pair, values))
                z = part["surprise"].mean() * math.sqrt(len(part)) / rows["surprise"].std()
                found[name] = (part["surprise"].mean(), len(part), z)
    table = pd.DataFrame.from_dict(found, orient="index", columns=["effect", "support", "z"])
    return table.sort_values("z", key=abs, ascending=False)


# %% explain: the whole list beyond the limit
# misconception: every slice beyond the limit is a cause
# hint: one cause was planted, and you name more
def explain(rows, fields, limit, table, most=5):
    ranked = table(rows, fields)
    return [str(name) for name in ranked.index[ranked["z"].abs() > limit][:most]]


# %% explain: not centered again
# misconception: once the rows are out, what remains can be searched as it is
# hint: on one day most requests are affected
def explain(rows, fields, limit, table, most=5):
    found, rest = [], rows
    while len(found) < most and len(rest):
        ranked = table(rest, fields)
        if ranked.empty or abs(ranked["z"].iloc[0]) <= limit:
            break
        name = str(ranked.index[0])
        found.append(name)
        inside = pd.Series(True, index=rest.index)
        for part in name.split(" & "):
            field, _, value = part.partition("=")
            inside &= rest[field].astype(str) == value
        rest = rest[~inside]
        rest = rest.assign(surprise=rest["surprise"] - rest["surprise"].mean())
    return found


# %% explain: only what is too high
# misconception: a cause raises the surprise
# hint: two causes were planted
def explain(rows, fields, limit, table, most=5):
    found, rest = [], rows
    while len(found) < most and len(rest):
        ranked = table(rest, fields)
        ranked = ranked[ranked["z"] > 0]
        if ranked.empty or ranked["z"].iloc[0] <= limit:
            break
        name = str(ranked.index[0])
        found.append(name)
        inside = pd.Series(True, index=rest.index)
        for part in name.split(" & "):
            field, _, value = part.partition("=")
            inside &= rest[field].astype(str) == value
        rest = rest[~inside]
        by_day = rest["surprise"].groupby(rest["time"].dt.date)
        rest = rest.assign(surprise=rest["surprise"] - by_day.transform("mean"))
    return found


# %% explain: the rows given are changed
# misconception: a frame passed to a function is the function's own
# hint: rows has been changed
def explain(rows, fields, limit, table, most=5):
    found, rest = [], rows
    while len(found) < most and len(rest):
        ranked = table(rest, fields)
        if ranked.empty or abs(ranked["z"].iloc[0]) <= limit:
            break
        name = str(ranked.index[0])
        found.append(name)
        inside = pd.Series(True, index=rest.index)
        for part in name.split(" & "):
            field, _, value = part.partition("=")
            inside &= rest[field].astype(str) == value
        rest.drop(index=rest.index[inside], inplace=True)
        by_day = rest["surprise"].groupby(rest["time"].dt.date)
        rest["surprise"] = rest["surprise"] - by_day.transform("mean")
    return found


# %% explain: numbers are never found
# misconception: the value in a slice's name can be compared with the column as it is
# hint: two causes were planted
def explain(rows, fields, limit, table, most=5):
    found, rest = [], rows
    while len(found) < most and len(rest):
        ranked = table(rest, fields)
        if ranked.empty or abs(ranked["z"].iloc[0]) <= limit:
            break
        name = str(ranked.index[0])
        found.append(name)
        inside = pd.Series(True, index=rest.index)
        for part in name.split(" & "):
            field, _, value = part.partition("=")
            inside &= rest[field] == value
        rest = rest[~inside]
        by_day = rest["surprise"].groupby(rest["time"].dt.date)
        rest = rest.assign(surprise=rest["surprise"] - by_day.transform("mean"))
    return found


# %% find-unit: the smallest gap left
# misconception: the suspect is the pair after which the samples agree best
# hint: not how little difference is left
def find_unit(old, new, fields, factors, least=0.2):
    best, smallest = None, math.inf
    for field in fields:
        a, b = old[field].dropna(), new[field].dropna()
        if len(a) == 0 or len(b) == 0:
            continue
        before = stats.ks_2samp(a, b, method="asymp").statistic
        if before < least:
            continue
        for factor in factors:
            after = stats.ks_2samp(a, b / factor, method="asymp").statistic
            if after < smallest:
                best, smallest = (field, factor), after
    if best is None:
        return None
    return best if smallest < 0.5 else None


# %% find-unit: the field with the largest gap
# misconception: the field that differs most is the faulty one
# hint: one field is shifted by an amount that no factor explains
def find_unit(old, new, fields, factors, least=0.2):
    gaps = {}
    for field in fields:
        a, b = old[field].dropna(), new[field].dropna()
        if len(a) and len(b):
            gaps[field] = stats.ks_2samp(a, b, method="asymp").statistic
    field = max(gaps, key=gaps.get)
    a, b = old[field].dropna(), new[field].dropna()
    after = {f: stats.ks_2samp(a, b / f, method="asymp").statistic for f in factors}
    factor = min(after, key=after.get)
    return (field, factor) if gaps[field] - after[factor] >= least else None


# %% find-unit: always an answer
# misconception: the best pair is the answer, however little it explains
# hint: there is nothing to find
def find_unit(old, new, fields, factors, least=0.2):
    falls = {}
    for field in fields:
        a, b = old[field].dropna(), new[field].dropna()
        if len(a) and len(b):
            before = stats.ks_2samp(a, b, method="asymp").statistic
            for factor in factors:
                after = stats.ks_2samp(a, b / factor, method="asymp").statistic
                falls[field, factor] = before - after
    return max(falls, key=falls.get)


# %% find-unit: factors above one only
# misconception: a wrong unit makes values larger
# hint: it may be below 1
def find_unit(old, new, fields, factors, least=0.2):
    best, largest = None, -math.inf
    for field in fields:
        a, b = old[field].dropna(), new[field].dropna()
        if len(a) == 0 or len(b) == 0:
            continue
        before = stats.ks_2samp(a, b, method="asymp").statistic
        for factor in factors:
            factor = factor if factor > 1 else 1 / factor
            fall = before - stats.ks_2samp(a, b / factor, method="asymp").statistic
            if fall > largest:
                best, largest = (field, factor), fall
    if best is not None and largest < least and old[best[0]].mean() > new[best[0]].mean():
        return best
    return best if largest >= least else None


# %% find-unit: any fall at all
# misconception: least is about significance, and a fall above zero is a finding
# hint: a fall below `least` is no finding
def find_unit(old, new, fields, factors, least=0.2):
    best, largest = None, -math.inf
    for field in fields:
        a, b = old[field].dropna(), new[field].dropna()
        if len(a) == 0 or len(b) == 0:
            continue
        before = stats.ks_2samp(a, b, method="asymp").statistic
        for factor in factors:
            fall = before - stats.ks_2samp(a, b / factor, method="asymp").statistic
            if fall > largest:
                best, largest = (field, factor), fall
    return best if largest > 0.03 else None


# %% replay: joined by position tags=["shown"]
# misconception: logs and requests list the same requests in the same order
# hint: a request of another partner or client is listed
def replay(logs, requests, partner, client, field, factor, score, threshold):
    both = requests.drop(columns=["partner", "application_id"]).reset_index(drop=True)
    logged = logs.sort_values("time").reset_index(drop=True)
    table = both.assign(
        time=logged["time"], partner=logged["partner"], client=logged["client"],
        code=logged["code"], approved=logged["approved"],
    )
    table = table[
        (table["partner"] == partner) & (table["client"] == client) & (table["code"] == 200)
    ].dropna(subset=field)
    mended = table.assign(**{field: table[field] / factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) < threshold).astype(int)
    return table[["request_id", "time", "approved"]].astype({"approved": int}).assign(should=should)


# %% replay: errors counted as refusals
# misconception: a request that failed was not approved, so it was refused
# hint: a request that ended in an error was never decided
def replay(logs, requests, partner, client, field, factor, score, threshold):
    table = logs.merge(requests.drop(columns=["partner", "application_id"]), on="request_id")
    table = table[(table["partner"] == partner) & (table["client"] == client)]
    table = table.dropna(subset=field).sort_values("time")
    mended = table.assign(**{field: table[field] / factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) < threshold).astype(int)
    table = table[["request_id", "time", "approved"]].fillna({"approved": 0})
    return table.astype({"approved": int}).assign(should=should)


# %% replay: missing values replayed too
# misconception: every request of the slice is affected
# hint: carries no wrong value
def replay(logs, requests, partner, client, field, factor, score, threshold):
    table = logs.merge(requests.drop(columns=["partner", "application_id"]), on="request_id")
    table = table[
        (table["partner"] == partner) & (table["client"] == client) & (table["code"] == 200)
    ].sort_values("time")
    mended = table.assign(**{field: table[field] / factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) < threshold).astype(int)
    return table[["request_id", "time", "approved"]].astype({"approved": int}).assign(should=should)


# %% replay: multiplied instead of divided
# misconception: undoing a factor means applying it
# hint: undoing it can only turn
def replay(logs, requests, partner, client, field, factor, score, threshold):
    table = logs.merge(requests.drop(columns=["partner", "application_id"]), on="request_id")
    table = table[
        (table["partner"] == partner) & (table["client"] == client) & (table["code"] == 200)
    ].dropna(subset=field).sort_values("time")
    mended = table.assign(**{field: table[field] * factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) < threshold).astype(int)
    return table[["request_id", "time", "approved"]].astype({"approved": int}).assign(should=should)


# %% replay: the partner alone
# misconception: the fault is the partner's, whichever client sent the request
# hint: both have to match
def replay(logs, requests, partner, client, field, factor, score, threshold):
    table = logs.merge(requests.drop(columns=["partner", "application_id"]), on="request_id")
    table = table[(table["partner"] == partner) & (table["code"] == 200)]
    table = table.dropna(subset=field).sort_values("time")
    mended = table.assign(**{field: table[field] / factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) < threshold).astype(int)
    return table[["request_id", "time", "approved"]].astype({"approved": int}).assign(should=should)


# %% replay: approved at the threshold
# misconception: a risk equal to the threshold is approved
# hint: a risk that equals the threshold
def replay(logs, requests, partner, client, field, factor, score, threshold):
    table = logs.merge(requests.drop(columns=["partner", "application_id"]), on="request_id")
    table = table[
        (table["partner"] == partner) & (table["client"] == client) & (table["code"] == 200)
    ].dropna(subset=field).sort_values("time")
    mended = table.assign(**{field: table[field] / factor})
    should = (np.asarray(score(mended[list(lender.FEATURES)])) <= threshold).astype(int)
    return table[["request_id", "time", "approved"]].astype({"approved": int}).assign(should=should)


# %% replay-review: one case, from the colleague's own output
# misconception: a result that looks plausible is a right one
# hint: lets errors pass
def test_replay(replay):
    ids = ["a", "b"]
    base = lender.applications(2, 1)[list(lender.FEATURES)].copy()
    base["income"], base["partner"] = [36_000.0, 24_000.0], "cedar"
    requests = base.assign(request_id=ids, application_id=[0, 1])
    logs = pd.DataFrame(
        {"request_id": ids, "time": pd.to_datetime(["2026-09-10", "2026-09-11"], utc=True),
         "partner": "cedar", "client": "2.4", "code": 200, "approved": 1.0}
    )
    done = replay(logs, requests, "cedar", "2.4", "income", 12.0,
                  lambda x: 300 / x["income"].to_numpy(), 0.1)
    assert list(done["request_id"]) == ids


# %% replay-review: the index is part of the contract
# misconception: a right version numbers its rows from 0
# hint: blames the innocent
def test_replay(replay):
    ids = ["a", "b", "c"]
    base = lender.applications(3, 1)[list(lender.FEATURES)].copy()
    base["income"], base["partner"] = [36_000.0, 24_000.0, 12_000.0], "cedar"
    requests = base.assign(request_id=ids, application_id=[0, 1, 2]).iloc[::-1]
    logs = pd.DataFrame(
        {"request_id": ids, "time": pd.to_datetime(["2026-09-12", "2026-09-11", "2026-09-10"],
                                                   utc=True),
         "partner": "cedar", "client": ["2.3", "2.4", "2.4"], "code": 200, "approved": 1.0}
    )
    done = replay(logs, requests, "cedar", "2.4", "income", 12.0,
                  lambda x: 300 / x["income"].to_numpy(), 0.1)
    assert list(done.index) == [1, 2] and list(done["request_id"]) == ["c", "b"]


# %% replay-review: nothing but the shape
# misconception: a test of columns and types is a test
# hint: lets errors pass
def test_replay(replay):
    base = lender.applications(1, 1)[list(lender.FEATURES)].assign(partner="cedar", income=36_000.0)
    requests = base.assign(request_id="a", application_id=0)
    logs = pd.DataFrame(
        {"request_id": ["a"], "time": pd.to_datetime(["2026-09-12"], utc=True),
         "partner": "cedar", "client": "2.4", "code": 200, "approved": 1.0}
    )
    done = replay(logs, requests, "cedar", "2.4", "income", 12.0,
                  lambda x: 300 / x["income"].to_numpy(), 0.1)
    assert list(done.columns) == ["request_id", "time", "approved", "should"]


# %% rank-cases: refusals only
# misconception: reopening is for those who were refused wrongly
# hint: work out both gains by hand
def rank_cases(cases, budget):
    worth = (0.05 * (1 - cases["risk"]) - 0.5 * cases["risk"]) * cases["loan_amount"]
    gain = worth.where((cases["should"] == 1) & (cases["approved"] == 0), 0.0)
    best = gain[gain > 0].sort_values(ascending=False).index[:budget]
    return list(cases.loc[best, "request_id"])


# %% rank-cases: the largest loans
# misconception: the amount decides what a case is worth
# hint: the larger amount is not the larger gain
def rank_cases(cases, budget):
    wrong = cases[cases["approved"] != cases["should"]]
    wrong = wrong.sort_values(["loan_amount", "risk"], ascending=False)
    return list(wrong["request_id"][:budget])


# %% rank-cases: the size of the gain, whatever its sign
# misconception: what is far from zero matters, in either direction
# hint: their gains are negative
def rank_cases(cases, budget):
    worth = (0.05 * (1 - cases["risk"]) - 0.5 * cases["risk"]) * cases["loan_amount"]
    gain = (worth * (cases["should"] - cases["approved"])).abs()
    best = gain[gain > 0].sort_values(ascending=False).index[:budget]
    return list(cases.loc[best, "request_id"])


# %% rank-cases: the margin forgotten
# misconception: a case is worth the loss that it avoids
# hint: what a good loan earns and what a bad one loses
def rank_cases(cases, budget):
    loss = 0.5 * cases["risk"] * cases["loan_amount"]
    gain = loss.where(cases["approved"] > cases["should"])
    kept = 0.05 * (1 - cases["risk"]) * cases["loan_amount"]
    gain = gain.fillna(kept.where(cases["should"] > cases["approved"])).dropna()
    best = gain.sort_values(ascending=False).index[:budget]
    return list(cases.loc[best, "request_id"])


# %% rank-cases: gain per dollar lent
# misconception: what counts is the rate of return, not the amount
# hint: others come first than by an independent implementation
def rank_cases(cases, budget):
    worth = 0.05 * (1 - cases["risk"]) - 0.5 * cases["risk"]
    gain = worth * (cases["should"] - cases["approved"])
    best = gain[gain > 0].sort_values(ascending=False).index[:budget]
    return list(cases.loc[best, "request_id"])

# %% [markdown]
# Correct answers of a different make.

# %% clocks: row by row
def clocks(training):
    kinds = []
    for asked, dated, known in training[["requested_at", "valid_on", "known_at"]].to_numpy():
        if pd.isna(dated):
            kinds.append("none")
        elif dated > asked:
            kinds.append("future")
        else:
            kinds.append("late" if known > asked else "known")
    return pd.Series(kinds, index=training.index, dtype="object")


# %% clocks: np.select
def clocks(training):
    asked, dated, known = (training[c] for c in ("requested_at", "valid_on", "known_at"))
    kinds = np.select(
        [dated.isna(), dated > asked, known > asked], ["none", "future", "late"], "known"
    )
    return pd.Series(kinds, index=training.index)


# %% as-of: a loop over the requests
def as_of(requests, feed, ttl):
    mine = {key: rows for key, rows in feed.groupby("applicant_id")}
    ids, scores = [], []
    for applicant, at in zip(requests["applicant_id"], requests["requested_at"]):
        rows = mine.get(applicant, feed.iloc[:0])
        rows = rows[(rows["valid_on"].between(at - ttl, at)) & (rows["known_at"] <= at)]
        best = rows.sort_values(["valid_on", "known_at", "report_id"]).tail(1)
        ids.append(best["report_id"].iloc[0] if len(best) else None)
        scores.append(best["score"].iloc[0] if len(best) else None)
    frame = pd.DataFrame({"report_id": ids, "score": scores}, index=requests.index)
    return frame.astype({"report_id": "Int64", "score": "float64"})


# %% as-of: replay of arrivals
def as_of(requests, feed, ttl):
    arrivals = feed.sort_values(["known_at", "report_id"]).to_dict("records")
    waiting = list(requests["requested_at"].items())
    order = sorted(range(len(waiting)), key=lambda place: waiting[place][1])
    people = requests["applicant_id"].tolist()
    held, found, next_row = {}, [(np.nan, np.nan)] * len(waiting), 0
    for place in order:
        at = waiting[place][1]
        while next_row < len(arrivals) and arrivals[next_row]["known_at"] <= at:
            row = arrivals[next_row]
            held.setdefault(row["applicant_id"], []).append(row)
            next_row += 1
        fit = [
            r for r in held.get(people[place], []) if r["valid_on"] <= at <= r["valid_on"] + ttl
        ]
        if fit:
            best = max(fit, key=lambda r: (r["valid_on"], r["known_at"], r["report_id"]))
            found[place] = best["report_id"], best["score"]
    return pd.DataFrame(found, columns=["report_id", "score"], index=requests.index, dtype=float)


# %% as-of-review: one case at a time
def test_as_of(as_of):
    def when(day):
        return pd.Timestamp("2025-01-01") + pd.Timedelta(days=day)

    def ids(asks, rows, ttl):
        feed = pd.DataFrame(
            rows, columns=["report_id", "applicant_id", "valid_on", "known_at", "score"]
        )
        feed[["valid_on", "known_at"]] = feed[["valid_on", "known_at"]].map(when)
        asked = pd.DataFrame(asks, columns=["applicant_id", "requested_at"])
        asked["requested_at"] = asked["requested_at"].map(when)
        got = as_of(asked, feed, pd.Timedelta(days=ttl))
        assert len(got) == len(asks)
        return [None if pd.isna(i) else int(i) for i in got["report_id"]]

    one = [(0, 1, 10, 12, 640)]
    assert ids([(1, 11.9), (1, 12), (2, 30), (1, 20), (1, 20.1)], one, 10) == [
        None,
        0,
        None,
        0,
        None,
    ]
    assert ids([(1, 21)], one, 10) == [None]
    versions = [(0, 1, 10, 12, 640), (1, 1, 10, 20, 650), (2, 1, 10, 60, 500)]
    assert ids([(1, 30), (1, 15)], versions, 50) == [1, 0]
    assert ids([(1, 50)], [(0, 1, 10, 45, 1), (1, 1, 40, 41, 2)], 90) == [1]
    assert ids([(1, 41)], [(0, 1, 10, 12, 1), (1, 1, 40, 43, 2)], 90) == [0]
    assert ids([(1, 50)], [(3, 1, 40, 41, 1), (2, 1, 40, 41, 2)], 90) == [3]
    assert ids([(1, 10.2)], [(0, 1, 10, 10.25, 1)], 90) == [None]
    assert ids([(1, 10.25)], [(0, 1, 10.25, 10.25, 1)], 90) == [0]
    assert ids([(2, 50), (1, 50), (1, 8)], [(0, 1, 7, 7, 1), (1, 1, 40, 41, 2)], 90) == [
        None,
        1,
        0,
    ]


# %% sources: a loop
def window_rows(requests, events, window):
    found = set()
    for ask in requests.itertuples():
        mine = events[events["applicant_id"] == ask.applicant_id]
        for event in mine.itertuples():
            age = ask.requested_at - event.at
            if pd.Timedelta(0) < age <= window and event.known_at <= ask.requested_at:
                found.add((ask.request_id, event.event_id))
    return pd.DataFrame(sorted(found), columns=["request_id", "event_id"])


# %% sources: first deliveries, then the window
def window_rows(requests, events, window):
    first = events.sort_values("known_at").drop_duplicates("event_id")
    both = first.merge(requests[["request_id", "applicant_id", "requested_at"]])
    both = both.query("known_at <= requested_at and at < requested_at")
    recent = both["requested_at"] - both["at"] <= window
    return both.loc[recent, ["event_id", "request_id"]].reset_index(drop=True)


# %% feast: times left without a zone, joined back by applicant and time
def feast_scores(requests, feed, ttl, folder):
    path = folder / "scores.parquet"
    feed.rename(columns={"score": "points"}).to_parquet(path)
    who = Entity(name="person", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(
        name="file",
        path=str(path),
        timestamp_field="valid_on",
        created_timestamp_column="known_at",
    )
    view = FeatureView(
        name="scores",
        entities=[who],
        source=source,
        schema=[Field(name="points", dtype=Float64)],
        ttl=timedelta(seconds=ttl.total_seconds()),
    )
    store = new_store(folder)
    store.apply([who, view])
    asked = requests[["applicant_id", "requested_at"]]
    asked = asked.set_axis(["applicant_id", "event_timestamp"], axis=1)
    answer = store.get_historical_features(
        entity_df=asked.assign(event_timestamp=asked["event_timestamp"].dt.tz_localize("UTC")),
        features=["scores:points"],
        filter_by_created_timestamp=True,
    ).to_df()
    answer["event_timestamp"] = answer["event_timestamp"].dt.tz_localize(None)
    known = answer.set_index(["applicant_id", "event_timestamp"])["points"].to_dict()
    keys = zip(requests["applicant_id"], requests["requested_at"])
    return pd.Series(
        [known.get(key, np.nan) for key in keys], index=requests["request_id"], dtype=float
    )


# %% skew: a loop over the log
def differing(log, again, features, tolerance):
    right = {row["request_id"]: row for row in again.to_dict("records")}
    table = []
    for row in log.to_dict("records"):
        other, line = right.get(row["request_id"]), []
        for name in features:
            if other is None:
                line.append(True)
            elif pd.isna(row[name]) or pd.isna(other[name]):
                line.append(bool(pd.isna(row[name]) != pd.isna(other[name])))
            else:
                a, b = float(row[name]), float(other[name])
                line.append(not abs(a - b) <= tolerance * max(abs(a), abs(b)))
        table.append(line)
    ids = pd.Index(log["request_id"], name="request_id")
    return pd.DataFrame(table, index=ids, columns=features, dtype=bool)


# %% served: request by request
def as_served(again, events):
    rows = []
    for ask in again.itertuples():
        score, spent = ask.score, ask.spent_30d
        if ask.release == "r15":
            score = 600.0 if score != score else score
            night = pd.Timestamp(ask.requested_at.date())
            mine = events[
                (events["applicant_id"] == ask.applicant_id) & (events["known_at"] <= night)
            ]
            mine = mine[(mine["at"] < night) & (mine["at"] >= night - pd.Timedelta(days=30))]
            spent = mine.groupby("event_id")["dollars"].first().sum()
        rows.append((ask.request_id, ask.amount, score, spent, ask.requested_at.hour))
    return pd.DataFrame(rows, columns=["request_id", "amount", "score", "spent_30d", "hour"])

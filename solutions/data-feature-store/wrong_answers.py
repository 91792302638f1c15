# %% [markdown]
# What learners really get wrong. The tag `shown` marks the version that is up for review.


# %% clocks: one clock
# misconception: a value dated before the request was there at the request
# hint: a value can be dated before its request and have come after it
def clocks(training):
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["valid_on"] > asked] = "future"
    kind[training["valid_on"].isna()] = "none"
    return kind


# %% clocks: late before future
# misconception: whatever came after the request is late
# hint: a value dated after its request is from the future
def clocks(training):
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["valid_on"] > asked] = "future"
    kind[training["known_at"] > asked] = "late"
    kind[training["valid_on"].isna()] = "none"
    return kind


# %% clocks: the same instant is late
# misconception: before means strictly before
# hint: at the instant of the request counts as there
def clocks(training):
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["known_at"] >= asked] = "late"
    kind[training["valid_on"] > asked] = "future"
    kind[training["valid_on"].isna()] = "none"
    return kind


# %% clocks: dates compared
# misconception: the day is fine enough
# hint: compare times, not dates
def clocks(training):
    asked = training["requested_at"].dt.normalize()
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["known_at"].dt.normalize() > asked] = "late"
    kind[training["valid_on"].dt.normalize() > asked] = "future"
    kind[training["valid_on"].isna()] = "none"
    return kind


# %% clocks: no value is no leak
# misconception: a comparison with a missing time is false, and false is good
# hint: has no value to be late
def clocks(training):
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["known_at"] > asked] = "late"
    kind[training["valid_on"] > asked] = "future"
    return kind


# %% clocks: future is what was unknown
# misconception: a value is from the future only if it was not known
# hint: whenever it was sent
def clocks(training):
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["known_at"] > asked] = "late"
    kind[(training["valid_on"] > asked) & (training["known_at"] > asked)] = "future"
    kind[training["valid_on"].isna()] = "none"
    return kind


# %% as-of: the date alone
# misconception: point in time means the date of the value
# hint: came after it could not be used
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: the last to arrive tags=["shown"]
# misconception: what arrived last is the newest
# hint: the newest date still wins
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].reset_index(drop=True)
    asked = asked.reset_index(names="line").sort_values("requested_at")
    arrivals = feed.sort_values(["known_at", "valid_on", "report_id"])
    newest = pd.merge_asof(
        asked, arrivals, left_on="requested_at", right_on="known_at", by="applicant_id")
    alive = newest["requested_at"].between(newest["valid_on"], newest["valid_on"] + ttl)
    values = newest[["report_id", "score"]].where(alive)
    return values.set_index(newest["line"]).sort_index().set_axis(requests.index)


# %% as-of: one answer per applicant
# misconception: a row of features belongs to an applicant
# hint: several requests of one applicant
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("applicant_id").tail(1).set_index("applicant_id")
    return found[["report_id", "score"]].reindex(requests["applicant_id"]).set_axis(requests.index)


# %% as-of: strictly before
# misconception: before means strictly before
# hint: at the very instant of the request can be used
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] < at) & (pairs["known_at"] < at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: age from the arrival
# misconception: a value is as old as our knowledge of it
# hint: counts from the date it describes
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["known_at"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: requests without a row dropped
# misconception: what the join does not find is not needed
# hint: is a request all the same
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place").sort_index()
    return found[["report_id", "score"]].set_axis(requests.index[found.index])


# %% as-of: in the order of time
# misconception: merge_asof gives the rows back as they came
# hint: requests come in any order
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].sort_values("requested_at")
    asked["place"] = np.arange(len(asked))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(asked))).set_axis(requests.index)


# %% as-of: the time to live excluded
# misconception: at most means less than
# hint: exactly the age of the time to live
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] < ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: the first version of a date
# misconception: a value is what was first reported
# hint: of several versions of a date
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"], ascending=[True, False, True])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: ties as they lie in the file
# misconception: rows come in the order of their ids
# hint: the highest report_id decides
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at"], kind="stable")
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: known by the day
# misconception: a delivery of the day is there on that day
# hint: known later on the day of the request
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"].dt.normalize() <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: age in whole days
# misconception: a time to live of ten days is ten days on the calendar
# hint: a time, not a number of calendar days
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    young = (at - pairs["valid_on"]).dt.days <= ttl.days
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & young
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: only the newest version of each report
# misconception: corrections replace what they correct
# hint: must not hide the one that was there
def as_of(requests, feed, ttl):
    feed = feed.sort_values(["known_at", "report_id"])
    feed = feed.drop_duplicates(["applicant_id", "valid_on"], keep="last")
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of: nearest in time
# misconception: the nearest report is the best one
# hint: came after it could not be used
def as_of(requests, feed, ttl):
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    pairs["age"] = (pairs["requested_at"] - pairs["valid_on"]).abs()
    ordered = pairs[pairs["age"] <= ttl].sort_values(["age", "known_at", "report_id"])
    found = ordered.groupby("place").head(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)


# %% as-of-review: only what the shown version gets wrong
# misconception: one case that fails on this version is a test of the contract
# hint: lets errors pass
def test_as_of(as_of):
    def table(columns, *rows):
        frame = pd.DataFrame(rows, columns=columns)
        for name in set(columns) & {"valid_on", "known_at", "requested_at"}:
            frame[name] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame[name], unit="D")
        return frame

    columns = ["report_id", "applicant_id", "valid_on", "known_at", "score"]
    feed = table(columns, (0, 1, 40, 43.0, 655.0), (1, 1, 10, 45.0, 640.0))
    asked = table(["applicant_id", "requested_at"], (1, 50.0))
    got = as_of(asked, feed, pd.Timedelta(days=60))
    assert list(got["report_id"]) == [0]


# %% as-of-review: no date after its request
# misconception: no row dated after the request is no leak
# hint: lets errors pass
def test_as_of(as_of):
    got = as_of(requests, feed, pd.Timedelta(days=60))
    dated = got["report_id"].map(feed.set_index("report_id")["valid_on"])
    assert not (dated > requests["requested_at"]).any()
    assert len(got) == len(requests)


# %% as-of-review: looks at how it was made
# misconception: a right answer is an answer like mine
# hint: blames the innocent
def test_as_of(as_of):
    def table(columns, *rows):
        frame = pd.DataFrame(rows, columns=columns)
        for name in set(columns) & {"valid_on", "known_at", "requested_at"}:
            frame[name] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame[name], unit="D")
        return frame

    columns = ["report_id", "applicant_id", "valid_on", "known_at", "score"]
    feed = table(columns, (0, 1, 10, 12.0, 640.0), (1, 1, 10, 35.0, 655.0), (2, 1, 40, 43.0, 600.0))
    asked = table(["applicant_id", "requested_at"], (1, 41.0), (2, 50.0), (1, 11.0))
    got = as_of(asked, feed, pd.Timedelta(days=35))
    want = pd.DataFrame({"report_id": [1.0, np.nan, np.nan], "score": [655.0, np.nan, np.nan]})
    pd.testing.assert_frame_equal(got, want)


# %% as-of-review: arguments that break the contract
# misconception: a strict test is a good test
# hint: blames the innocent
def test_as_of(as_of):
    def table(columns, *rows):
        frame = pd.DataFrame(rows, columns=columns)
        for name in set(columns) & {"valid_on", "known_at", "requested_at"}:
            frame[name] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame[name], unit="D")
        return frame

    columns = ["report_id", "applicant_id", "valid_on", "known_at", "score"]
    feed = table(columns, (0, 1, 10, 12.0, 640.0))
    asked = table(["applicant_id", "requested_at"], (1, 20.0))
    assert as_of(asked, feed, pd.Timedelta(days=30))["report_id"].iloc[0] == 0
    try:
        as_of(asked, feed, pd.Timedelta(0))
    except ValueError:
        return
    raise AssertionError("a time to live of 0 has to be refused")


# %% sources: known or not
# misconception: what happened before the request was known at the request
# hint: reached us after the request could not be counted
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% sources: closed at the request
# misconception: up to the request includes the request
# hint: at the very instant of the request
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at <= asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% sources: open at the far end
# misconception: at most 30 days means less than 30 days
# hint: exactly as old as the window is long
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at > asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% sources: calendar days
# misconception: a window of days begins at midnight
# hint: the window is a time, not a number of calendar days
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked.dt.normalize() - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% sources: every delivery a row
# misconception: a delivery is an event
# hint: delivered twice is counted twice
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]]


# %% sources: last delivery of an event
# misconception: the latest delivery is the valid one
# hint: one that was known by the request is enough
def window_rows(requests, events, window):
    events = events.sort_values("known_at").drop_duplicates("event_id", keep="last")
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% sources: an event for one request
# misconception: an event that has been counted is used up
# hint: an event may belong to both
def window_rows(requests, events, window):
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates("event_id", keep="last")


# %% sources: places instead of ids
# misconception: the place in the table names a row
# hint: has the events of its own applicant
def window_rows(requests, events, window):
    events = events.drop_duplicates("event_id").reset_index(drop=True)
    events["event_id"] = events.index
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()


# %% feast: event time alone
# misconception: a feature store's join cannot leak
# hint: came after it could not be used
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"])
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)


# %% feast: the result as it came
# misconception: a join returns a row for each request
# hint: requests without a value are missing
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"], filter_by_created_timestamp=True)
    return job.to_df().set_index("request_id")["score"]


# %% feast: in the order of the ids
# misconception: the order of the requests is that of their ids
# hint: not in the order of the requests
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"].sort_values()).astype(float)


# %% feast: no time to live
# misconception: a view without a time to live is the safe choice
# hint: older than the time to live is no value
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=timedelta(0),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)


# %% feast: time to live in whole days, rounded up
# misconception: a time to live is a number of days
# hint: and one that is older is not
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=timedelta(days=ttl.days, hours=12),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)


# %% feast: times as if in New York
# misconception: a time without a zone is on my own clock
# hint: times of the feed and of the requests are UTC
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "America/New_York"), features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)


# %% feast: one answer per applicant
# misconception: the key of a feature is the applicant
# hint: each has a time, and an answer, of its own
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().groupby("applicant_id")["score"].last()
    return requests.set_index("request_id")["applicant_id"].map(found).astype(float)


# %% feast: arrival as event time
# misconception: known_at as the only time cannot leak
# hint: counts from the date it describes
def feast_scores(requests, feed, ttl, folder):
    def zoned(frame, zone):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize(zone)))

    zoned(feed, "UTC").to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    asked = asked.rename(columns={"requested_at": "event_timestamp"})
    job = store.get_historical_features(
        entity_df=zoned(asked, "UTC"), features=["bureau:score"])
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)


# %% skew: place by place
# misconception: two tables of the same requests have the same order
# hint: rows belong together by request_id
def differing(log, again, features, tolerance):
    a, b = log[features].to_numpy(float), again[features].to_numpy(float)[: len(log)]
    agree = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
    agree |= np.isnan(a) & np.isnan(b)
    return pd.DataFrame(~agree, index=log["request_id"], columns=features)


# %% skew: missing never agrees
# misconception: nan is unequal to everything, so it is a difference
# hint: both values are missing
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    agree = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
    return pd.DataFrame(~agree, index=served.index, columns=features)


# %% skew: differences above the tolerance
# misconception: what is not larger than the tolerance agrees
# hint: a number where there should be none
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    differ = np.abs(a - b) > tolerance * np.maximum(np.abs(a), np.abs(b))
    return pd.DataFrame(differ, index=served.index, columns=features)


# %% skew: isclose as it comes
# misconception: np.isclose compares relatively
# hint: small numbers
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    same = np.isclose(served, right, rtol=tolerance, equal_nan=True)
    same[~served.index.isin(again["request_id"])] = False
    return pd.DataFrame(~same, index=served.index, columns=features)


# %% skew: isclose takes care of missing values
# misconception: np.isclose takes two missing values for equal
# hint: both values are missing
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    same = np.isclose(served, right, rtol=tolerance, atol=0)
    return pd.DataFrame(~same, index=served.index, columns=features)


# %% skew: isclose is symmetric
# misconception: np.isclose treats its two arguments alike
# hint: a share of the larger of the two
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    same = np.isclose(served, right, rtol=tolerance, atol=0, equal_nan=True)
    same[~served.index.isin(again["request_id"])] = False
    return pd.DataFrame(~same, index=served.index, columns=features)


# %% skew: only requests in both
# misconception: what cannot be compared is left out
# hint: a row for each logged request
def differing(log, again, features, tolerance):
    both = log[["request_id"]].merge(again[["request_id"]])["request_id"]
    a = log.set_index("request_id").loc[both, features].astype(float)
    b = again.set_index("request_id").loc[both, features].astype(float)
    agree = (a - b).abs() <= tolerance * np.maximum(a.abs(), b.abs())
    return ~(agree | (a.isna() & b.isna()))


# %% skew: equal or not
# misconception: a served number equals the computed one, or there is a fault
# hint: within the relative tolerance
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    agree = (served == right) | (served.isna() & right.isna())
    agree[~served.index.isin(again["request_id"])] = False
    return ~agree


# %% skew: absolute tolerance
# misconception: a tolerance is a distance
# hint: within the relative tolerance
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    agree = (np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b))
    agree[~served.index.isin(again["request_id"])] = False
    return pd.DataFrame(~agree, index=served.index, columns=features)


# %% skew: no request, so no value
# misconception: a request that cannot be computed again has missing values, which agree
# hint: cannot be computed again differs
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    agree = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
    agree |= np.isnan(a) & np.isnan(b)
    return pd.DataFrame(~agree, index=served.index, columns=features)


# %% skew: share of the computed value
# misconception: relative to which of the two makes no difference
# hint: a share of the larger of the two
def differing(log, again, features, tolerance):
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    agree = np.abs(a - b) <= tolerance * np.minimum(np.abs(a), np.abs(b))
    agree |= np.isnan(a) & np.isnan(b)
    agree[~served.index.isin(again["request_id"])] = False
    return pd.DataFrame(~agree, index=served.index, columns=features)


# %% served: five hours apart
# misconception: New York is five hours behind UTC
# hint: how far apart two clocks are changes
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": (again["hour"] + 5) % 24,
    })


# %% served: faults by the calendar
# misconception: a release is live for everyone on its day
# hint: which requests differ, and what was served
def as_served(again, events):
    new = (again["requested_at"] >= "2025-03-06").to_numpy()
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: 600 in both releases
# misconception: a missing value was always served like that
# hint: which requests differ, and what was served
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].fillna(600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: the mean for a missing score
# misconception: a missing number is filled with the mean
# hint: which requests differ, and what was served
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), again["score"].mean().round()),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: known or not at midnight
# misconception: the table holds whatever had happened by midnight
# hint: reproduced for most requests only
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: the window reaches back from the request
# misconception: a late table has the right beginning
# hint: reproduced for most requests only
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled, asked=again["requested_at"]).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= nights["asked"] - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: copies counted
# misconception: the table was summed over deliveries
# hint: which purchases could the table hold
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = again["requested_at"].dt.normalize()
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside]
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: midnight in New York
# misconception: a day begins at the lender's midnight
# hint: reproduced for most requests only
def as_served(again, events):
    new = again["release"].to_numpy() == "r15"
    filled = (
        again["requested_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.normalize()
        .dt.tz_convert("UTC").dt.tz_localize(None))
    nights = again[["request_id", "applicant_id"]].assign(filled=filled).merge(events)
    at, until = nights["at"], nights["filled"]
    inside = (at >= until - pd.Timedelta(days=30)) & (at < until) & (nights["known_at"] <= until)
    rows = nights[inside].drop_duplicates(["request_id", "event_id"])
    nightly = again["request_id"].map(rows.groupby("request_id")["dollars"].sum()).fillna(0.0)
    return pd.DataFrame({
        "request_id": again["request_id"],
        "amount": again["amount"],
        "score": again["score"].mask(new & again["score"].isna(), 600.0),
        "spent_30d": again["spent_30d"].mask(new, nightly),
        "hour": again["requested_at"].dt.hour,
    })


# %% served: the log looked up
# misconception: what reproduces this log explains it
# hint: under r14
def as_served(again, events):
    columns = ["request_id", "amount", "score", "spent_30d", "hour"]
    return again[["request_id"]].merge(log[columns])

# %% [markdown]
# # From a symptom to its first request
#
# **Situation.** It is Monday, 14 September 2026. Finance says that since Thursday the share of
# approved applications has not been what it was. On Thursday at 9:30 a new version of the scoring
# service went to half of the hosts, and somebody has already typed "roll back?" into the chat.
# You are on call. You have what the service wrote down: a log line per request, the spans of each
# request, the requests as the model saw them, and the change log. Nobody knows the cause.
#
# **You build**, step by step, the tools of a root cause analysis: the time that a span spends
# itself, a search over slices, a test for a wrong unit, the first affected request, and a replay
# that says which decisions have to be reopened. Then you decide which cases people label next,
# and write the post-mortem.
#
# - **Aims.** Read traces; find a slice at a calibrated limit; prove a cause by replay; spend
#   people's time where it pays; write up an incident without blaming anyone.
# - **You need** NumPy and pandas (`groupby`, `merge`), the KS statistic; the page
#   *Observability*.
# - **Time.** About 90 minutes if that page is fresh, up to 120 if not; 30 points, 8 questions.
# - **Budget.** The whole notebook runs within 30 s and 1.5 GB on one core, without network.
#
# **Help from AI tools.** Use them as you would at work: to recall an API, to explain an error,
# to draft code. You answer for what you hand in; question 6 practices what that takes, a test
# that finds out code which looks right. Write the post-mortem yourself: it is a judgment, and
# your colleagues will read it as yours.
#
# Run the cells in order. Below each question, a cell of tests tells you at once about the
# obvious mistakes; more tests run when the lab is graded. A question that fails does not block
# the next: what later cells need is read from files.

# %% tags=["parameters"]
seed = 20260101
per_day = 1000

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

import lender
from lender import incident

plt.style.use("lender.course")
features = list(lender.FEATURES)

# %% [markdown]
# ## The week
#
# A score that was fitted on last year's applications stands for the model in service. An
# application is **approved where its score is below the threshold**.

# %%
history = lender.applications(8_000, seed=1, start="2025-09-01")
model = lender.score_model()
model.fit(history[features], history["defaulted"])
threshold = float(np.quantile(model.predict_proba(history[features])[:, 1], 0.6))
week, _ = incident.unknown_week(model, threshold, seed, per_day=per_day)
print(f"{len(week.logs):,} requests, {len(week.spans):,} spans; threshold {threshold:.3f}")

# %%
when = week.events["time"].dt.strftime("%a %H:%M")
print(week.events["event"].set_axis(when).to_string())

# %%
week.logs.head(3)

# %% [markdown]
# Approvals by six hours. Would you have called it an incident, and if so, since when?

# %%
deploy = week.events["time"].iloc[1]
six = week.minutes.resample("6h").sum()
share = six["approved"] / (six["requests"] - six["errors"])
figure, axis = plt.subplots(figsize=(7.2, 2.6))
axis.plot(share.index + pd.Timedelta("3h"), 100 * share, "o-")
axis.axvline(deploy, color="C1", linestyle="--", label="deploy on host a")
axis.set_xticks(pd.date_range(incident.START, periods=7),
                ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
axis.set(xlabel="day", ylabel="approved (%)")
_ = axis.legend()

# %% [markdown]
# ## 1. Where does a request spend its time? Worked as an example
#
# The change log says that the bureau was slow on Friday. Is that our symptom? A trace tells where
# a request spent its time, if one counts right: a span's **own time** is its duration less the
# durations of its children. Here is one trace by hand: the root `score` lasts as long as all of
# it, and does almost nothing itself.

# %%
one = week.spans[week.spans["trace_id"] == week.logs["trace_id"].iloc[0]]
by_hand = one[["name", "span_id", "parent_id", "seconds"]].copy()
inside = by_hand.loc[by_hand["parent_id"] != "", "seconds"].sum()
by_hand["own"] = by_hand["seconds"]
by_hand.loc[by_hand["parent_id"] == "", "own"] -= inside
print(by_hand.round(4).to_string(index=False))

# %% [markdown]
# Make it a function for any number of traces at once, whatever the depth of the trees and the
# order of the rows. (Children of one span do not overlap here; where they may, one has to
# subtract the union of their intervals.)

# %% answer: own-time
def own_time(spans: pd.DataFrame) -> pd.Series:
    """Seconds that each span spent outside its children.

    spans: n rows with span_id (unique strings), parent_id (a span_id, or "" at a root) and
    seconds (floats); rows in any order, any index. A parent may be absent, where sampling has
    dropped it: its children are then counted as they are.
    Returns n floats named "own", index: the span_ids in the order of the rows.

    Example: for a root of 1.0 s with children of 0.3 s and 0.2 s it is 0.5, 0.3 and 0.2.

    Also graded: several traces, grandchildren, rows out of order, an absent parent, no span.
    """
    ### BEGIN SOLUTION
    within = spans.groupby("parent_id")["seconds"].sum()
    inside = spans["span_id"].map(within).fillna(0.0)
    own = spans["seconds"].to_numpy(dtype=float) - inside.to_numpy(dtype=float)
    return pd.Series(own, index=spans["span_id"].to_numpy(), name="own")
    ### END SOLUTION

# %% test: own-time, 3 points
_spans = pd.DataFrame(
    {
        "span_id": ["r", "a", "b"],
        "parent_id": ["", "r", "r"],
        "seconds": [1.0, 0.3, 0.2],
    }
)
_own = own_time(_spans)
assert type(_own) is pd.Series, "own_time returns a Series"
assert list(_own.index) == ["r", "a", "b"], (
    "the index holds the span_ids, in the order of the rows"
)
assert math.isclose(_own["r"], 0.5, abs_tol=1e-9), (
    "the root of the example: take off what its children took, each of them once"
)
assert math.isclose(_own["a"], 0.3, abs_tol=1e-9), (
    "a span without children spent all of its time itself"
)
### BEGIN HIDDEN TESTS
_deep = pd.DataFrame(
    {
        "span_id": ["c", "a", "r", "q", "d"],
        "parent_id": ["a", "r", "", "", "q"],
        "seconds": [0.25, 0.75, 1.0, 2.0, 0.5],
    },
    index=[7, 7, 3, 1, 0],
)
_own = own_time(_deep)
assert list(_own.index) == ["c", "a", "r", "q", "d"], (
    "rows in another order, with an index of their own: the result follows the rows"
)
assert math.isclose(_own["r"], 0.25, abs_tol=1e-9), (
    "a trace with a grandchild: only a span's direct children are taken off; the grandchild's "
    "time is in theirs"
)
assert math.isclose(_own["a"], 0.5, abs_tol=1e-9), (
    "a trace with a grandchild: any span may have children, not the root alone"
)
assert np.allclose(_own[["c", "q", "d"]].to_numpy(dtype=float), [0.25, 1.5, 0.5]), (
    "two traces in one frame: each span's time is taken off its own parent"
)
_orphan = own_time(_deep.iloc[[0, 3, 4]])
assert list(_orphan.index) == ["c", "q", "d"] and np.allclose(_orphan.to_numpy(dtype=float), [0.25, 1.5, 0.5]), (
    "a span whose parent is not there: it keeps its time, and nothing else changes"
)
_none = own_time(_deep.iloc[:0])
assert type(_none) is pd.Series and len(_none) == 0, "no span gives an empty Series"
_rng = np.random.default_rng(seed + 11)
for _i in range(10):
    _n = int(_rng.integers(5, 60))
    _parents = [-1, *(int(_rng.integers(-1, _k)) for _k in range(1, _n))]
    _seconds = _rng.random(_n)
    _total = _seconds.copy()
    for _k in range(_n - 1, 0, -1):
        if _parents[_k] >= 0:
            _total[_parents[_k]] += _total[_k]
    _tree = pd.DataFrame(
        {
            "span_id": [f"s{_k}" for _k in range(_n)],
            "parent_id": ["" if _p < 0 else f"s{_p}" for _p in _parents],
            "seconds": _total,
        }
    ).sample(frac=1, random_state=_i)
    _own = own_time(_tree)
    assert np.allclose(_own.loc[[f"s{_k}" for _k in range(_n)]], _seconds, atol=1e-9), (
        "on fresh trees the result differs from how they were built: duration less the durations "
        "of the direct children"
    )
### END HIDDEN TESTS

# %% make: own-times
_named = week.spans.assign(own=own_time(week.spans).to_numpy())
_hours = _named["start"].dt.floor("h").rename("hour")
own_times = _named.groupby([_hours, "name"])["own"].quantile(0.95).unstack()
own_times = own_times[["lookup", "model", "respond"]].reset_index()

# %% [markdown]
# ## The symptom, cleaned
#
# Own times of the whole week, by name of the span, settle the question of the bureau: below,
# `lookup` is slow on Friday afternoon, and requests that gave up on it were decided without it.
# That is an effect, but it lasted three hours, and the approvals are off since Thursday.

# %% given: own-times
own_times = pd.read_csv(f"given/own-times-{seed}.csv", index_col="hour", parse_dates=True)

# %%
figure, axis = plt.subplots(figsize=(7.2, 2.6))
for name in own_times:
    axis.plot(own_times.index, 1000 * own_times[name], label=name)
axis.set(xlabel="hour of the week", ylabel="own time, 95th percentile (ms)", yscale="log")
axis.set_xticks(pd.date_range(incident.START, periods=7),
                ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
_ = axis.legend(ncols=4)

# %% [markdown]
# So look for *whom* the decisions have changed. Partners and purposes differ on calm days too.
# The cell below fits, on the days before the deploy, what a row could expect; a row's
# **surprise** is its approval minus that expectation, less the mean surprise of its day. `rows`
# holds the decisions since the deploy.

# %%
from sklearn.linear_model import LinearRegression

context = ["partner", "purpose", "term_months", "housing"]
fields = ["partner", "client", "host", "service", "purpose", "term_months", "housing", "bureau"]


def surprises(week: incident.Week) -> pd.DataFrame:
    """The week's decisions since the deploy, with `surprise`."""
    table = week.logs.merge(week.requests[["request_id", *context[1:]]], on="request_id")
    table = table[table["code"] == 200]
    x = pd.get_dummies(table[context].astype(str)).to_numpy(dtype=float)
    before = (table["time"] < week.events["time"].iloc[1]).to_numpy()
    fit = LinearRegression().fit(x[before], table["approved"][before])
    table = table.assign(surprise=table["approved"] - fit.predict(x))[~before]
    by_day = table["surprise"].groupby(table["time"].dt.date)
    return table.assign(surprise=table["surprise"] - by_day.transform("mean"))


rows = surprises(week)
print(f"{len(rows):,} decisions since the deploy")

# %% [markdown]
# ## 2. Every slice of one or two fields
#
# A **slice** is the set of rows that have one value in one field (`partner=birch`), or one value
# in each of two fields (`partner=birch & client=2.3`). Its **effect** is its mean surprise, its
# **support** the number of its rows, and
#
# $$z = \frac{\text{effect}\cdot\sqrt{\text{support}}}{s},$$
#
# with $s$ the standard deviation of the surprise over *all* rows. A slice may matter in either
# direction: approvals can be too many or too few.

# %% answer: slice-table
def slice_table(rows: pd.DataFrame, fields: list[str], least: int = 50) -> pd.DataFrame:
    """Effect, support and z of each slice by one field and by each pair of fields.

    rows: n rows with the fields and "surprise" (floats). A row whose field is missing (None,
    NaN) is in no slice of that field. A name writes a value as `str` does.
    fields: names of columns; a slice by two is named in their order in this list.
    least: slices with fewer rows are left out.

    Returns a DataFrame with the columns effect, support (int) and z, index: names such as
    "partner=birch" and "partner=birch & client=2.3", sorted by the size of z, largest first,
    whatever its sign. The standard deviation in z is that of all n surprises (ddof=1).

    Example: see the test below.

    Also graded: pairs in the order of the fields, values that are numbers, missing values,
    negative effects, the limit of support.
    """
    ### BEGIN SOLUTION
    from itertools import combinations

    one = {}
    for field in fields:
        name = field + "=" + rows[field].astype(str)
        one[field] = name.where(rows[field].notna())
    names = list(one.values())
    names += [one[f] + " & " + one[g] for f, g in combinations(fields, 2)]
    spread = rows["surprise"].std()
    parts = [rows["surprise"].groupby(name.to_numpy()).agg(["mean", "size"]) for name in names]
    table = pd.concat(parts).set_axis(["effect", "support"], axis=1)
    table = table[table["support"] >= least].astype({"support": int})
    table["z"] = table["effect"] * np.sqrt(table["support"]) / spread
    return table.sort_values("z", key=abs, ascending=False)
    ### END SOLUTION

# %% test: slice-table, 5 points
_rows = pd.DataFrame(
    {
        "partner": ["alder", "alder", "birch", "birch", "birch"],
        "client": ["2.3", "2.4", "2.4", "2.4", "2.3"],
        "surprise": [0.1, 0.1, -0.6, -0.4, 0.3],
    }
)
_t = slice_table(_rows, ["partner", "client"], least=2)
assert type(_t) is pd.DataFrame, "slice_table returns a DataFrame"
assert list(_t.columns) == ["effect", "support", "z"], "the columns are effect, support and z"
assert set(_t.index) == {
    "partner=alder", "partner=birch", "client=2.3", "client=2.4", "partner=birch & client=2.4",
}, "with least=2 there are four slices by one field and one by two; what is missing, or too much?"
assert math.isclose(_t.loc["partner=birch & client=2.4", "effect"], -0.5, abs_tol=1e-9), (
    "the effect of birch on 2.4 is the mean surprise of the rows that have both"
)
assert _t.loc["partner=birch", "support"] == 3, "the support is the number of rows of the slice"
assert _t.index[0] == "partner=birch & client=2.4", (
    "sorted by the size of z: a large negative one comes before a small positive one"
)
### BEGIN HIDDEN TESTS
assert math.isclose(
    _t.loc["partner=birch", "z"], -0.7 / 3 * math.sqrt(3) / _rows["surprise"].std(), rel_tol=1e-6
), "z: the standard deviation is that of all rows, and the support goes in by its root"
_t = slice_table(_rows, ["client", "partner"], least=1)
assert "client=2.4 & partner=birch" in _t.index and "partner=birch & client=2.4" not in _t.index, (
    "a pair is named in the order of the list of fields, and appears once"
)
assert len(_t) == 8, "with least=1 every slice that has a row is there, and no other"
_holes = _rows.assign(client=[None, "2.4", "2.4", "2.4", np.nan], term=[12, 12, 24, 24, 24])
_t = slice_table(_holes, ["partner", "client", "term"], least=1)
assert not any("None" in _name or "nan" in _name for _name in _t.index), (
    "a missing value makes no slice, neither alone nor in a pair"
)
assert _t.loc["client=2.4", "support"] == 3 and _t.loc["term=12", "support"] == 2, (
    "rows with a missing value in one field still count in the slices of the others; numbers are "
    "values like others"
)
_rng = np.random.default_rng(seed + 12)
for _i in range(3):
    _n = 400
    _rows = pd.DataFrame(
        {
            "a": _rng.choice(["p", "q", "r"], _n),
            "b": _rng.integers(0, 4, _n),
            "c": _rng.choice(["u", "v"], _n),
            "surprise": _rng.normal(0.3 * _i, 1, _n),
        }
    )
    _t = slice_table(_rows, ["c", "a", "b"], least=40)
    _want = {}
    for _pair in (("c",), ("a",), ("b",), ("c", "a"), ("c", "b"), ("a", "b")):
        for _values, _part in _rows.groupby(list(_pair)):
            if len(_part) >= 40:
                _name = " & ".join(f"{_f}={_v}" for _f, _v in zip(_pair, _values, strict=True))
                _mean = _part["surprise"].mean()
                _want[_name] = _mean * math.sqrt(len(_part)) / _rows["surprise"].std()
    assert set(_t.index) == set(_want), (
        "on fresh rows other slices are listed than by an independent implementation; least is "
        "the smallest support that is kept"
    )
    assert all(math.isclose(_t.loc[_k, "z"], _v, rel_tol=1e-6) for _k, _v in _want.items()), (
        "on fresh rows z differs: effect times the root of the support, over the standard "
        "deviation of all surprises"
    )
    assert (_t["z"].abs().diff().dropna() <= 1e-9).all(), "sorted by the size of z, largest first"
### END HIDDEN TESTS

# %% make: search
_calm = []
for _i in range(8):
    _quiet, _ = incident.week(
        model, threshold, seed + 100 + _i, per_day=per_day, partner="birch", factor=1
    )
    _calm.append(slice_table(surprises(_quiet), fields)["z"].abs().max())
limits = pd.DataFrame({"calm week": range(1, 9), "largest z": _calm})
slices = slice_table(rows, fields).reset_index(names="slice")

# %% [markdown]
# With hundreds of slices, one of them always comes out on top. How high does the top one come in
# a week in which nothing is wrong? `limits` has the answer for eight calm weeks; the largest of
# them is the limit. `slices` is what a right `slice_table` gives for this week.

# %% given: limits
limits = pd.read_csv(f"given/limits-{seed}.csv")

# %% given: slices
slices = pd.read_csv(f"given/slices-{seed}.csv", index_col="slice")

# %%
limit = limits["largest z"].max()
print(f"limit from calm weeks: {limit:.1f}; {(slices['z'].abs() > limit).sum()} slices beyond it")
print(slices.head(8).round(2).to_string())

# %% [markdown]
# ## 3. One cause, many shadows
#
# Several slices lie beyond the limit, and most of them are shadows of one. A slice that *contains*
# the culprit shows a part of its effect. And since surprises are measured against the day's mean,
# a large fault on one side makes everybody else look a little off to the other side.
#
# So go step by step: take the slice with the largest |z|; if it is beyond the limit, note its
# name, take its rows out, **subtract from each remaining surprise the mean of what remains on its
# day**, and search again among the rest. Stop when nothing is beyond the limit.

# %% answer: explain
def explain(
    rows: pd.DataFrame, fields: list[str], limit: float, table, most: int = 5
) -> list[str]:
    """Names of the slices that explain the surprises, in the order in which they are found.

    rows: as in question 2, with "time" (timestamps) besides.
    table: function (rows, fields) to a frame as `slice_table` returns it, largest |z| first.
    limit: a slice counts if its |z| is larger.
    most: stop after so many.

    After a slice is noted, its rows are left out and the surprise of the others is centered
    anew by calendar day. Returns [] where nothing is beyond the limit. `rows` is left as it is.

    Also graded: two independent causes, shadows of a cause, nothing to find, names of one and
    of two fields, numbers as values, `rows` unchanged.
    """
    ### BEGIN SOLUTION
    found: list[str] = []
    rest = rows
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
        by_day = rest["surprise"].groupby(rest["time"].dt.date)
        rest = rest.assign(surprise=rest["surprise"] - by_day.transform("mean"))
    return found
    ### END SOLUTION

# %% test: explain, 4 points
def _stub_table(_rows, _fields):
    """A table of one row: the cause while its rows are there, then a shadow, then nothing."""
    _there = ((_rows["partner"] == "birch") & (_rows["client"] == "2.4")).any()
    _off = abs(_rows["surprise"].mean()) > 0.01
    _name = "partner=birch & client=2.4" if _there else "partner=alder"
    _z = 9.0 if _there else -9.0 if _off else 0.5
    return pd.DataFrame({"effect": [0.1], "support": [50], "z": [_z]}, index=[_name])


def _world(_seed, _n=1500):
    _rng = np.random.default_rng(_seed)
    _frame = pd.DataFrame(
        {
            "time": pd.Timestamp("2026-09-10", tz="UTC")
            + pd.to_timedelta(np.sort(_rng.uniform(0, 96, _n)), unit="h"),
            "partner": _rng.choice(["alder", "birch", "cedar"], _n),
            "client": _rng.choice(["2.3", "2.4"], _n),
            "term": _rng.choice([12, 24, 36], _n),
            "surprise": _rng.normal(0, 0.45, _n),
        }
    )
    return _frame


def _centered(_frame):
    _by = _frame["surprise"].groupby(_frame["time"].dt.date)
    return _frame.assign(surprise=_frame["surprise"] - _by.transform("mean"))


_names = ["partner", "client", "term"]
_calm = _centered(_world(seed + 13))
_elsewhere = _centered(_calm[_calm["partner"] != "birch"])
_found = explain(_elsewhere, _names, 6.0, _stub_table)
assert type(_found) is list, "explain returns a list of names"
assert _found == [], "nothing is beyond the limit here: the list is empty"
_one = _calm.copy()
_hit = (_one["partner"] == "birch") & (_one["client"] == "2.4")
_one.loc[_hit, "surprise"] += 0.6
_one = _centered(_one)
_before = _one.copy()
_found = explain(_one, _names, 4.5, _stub_table)
assert _found[:1] == ["partner=birch & client=2.4"], (
    "one cause was planted here, in birch on client 2.4; the first name is the top of the table"
)
assert len(_found) == 1, (
    "one cause was planted, and you name more: are its rows out, and the rest centered again, "
    "before the next search?"
)
### BEGIN HIDDEN TESTS
pd.testing.assert_frame_equal(_one, _before, obj="rows has been changed; work on a copy: rows")


def _reference_table(_rows, _fields):
    """An independent slice table, for the tests."""
    _found = {}
    _sd = _rows["surprise"].std()
    _pairs = [(_f,) for _f in _fields]
    _pairs += [(_f, _g) for _i, _f in enumerate(_fields) for _g in _fields[_i + 1 :]]
    for _pair in _pairs:
        for _values, _part in _rows.groupby(list(_pair))["surprise"]:
            if len(_part) >= 40:
                _name = " & ".join(f"{_f}={_v}" for _f, _v in zip(_pair, _values, strict=True))
                _z = _part.mean() * math.sqrt(len(_part)) / _sd
                _found[_name] = (_part.mean(), len(_part), _z)
    _frame = pd.DataFrame.from_dict(_found, orient="index", columns=["effect", "support", "z"])
    return _frame.sort_values("z", key=abs, ascending=False)


assert explain(_calm, _names, 6.0, _reference_table) == [], (
    "nothing is beyond the limit here: the list is empty"
)
assert explain(_one, _names, 4.5, _reference_table) == ["partner=birch & client=2.4"], (
    "one cause was planted, and you name more or another: is each search among the rest alone?"
)
_two = _calm.copy()
_two.loc[(_two["partner"] == "birch") & (_two["client"] == "2.4"), "surprise"] += 0.7
_two.loc[(_two["partner"] != "birch") & (_two["term"] == 36), "surprise"] -= 0.45
_two.loc[(_two["partner"] == "birch") & (_two["client"] != "2.4") & (_two["term"] == 36),
         "surprise"] -= 0.45
_two = _centered(_two)
_found = explain(_two, _names, 4.5, _reference_table)
assert set(_found) == {"partner=birch & client=2.4", "term=36"} and len(_found) == 2, (
    "two causes were planted, one of them in a field of numbers, with a negative effect; each is "
    "named once"
)
_found = explain(_two, _names, 4.5, _reference_table, most=1)
assert len(_found) == 1, "most: stop after so many slices"
_wide = _calm.copy()
_wide.loc[_wide["partner"] == "birch", "surprise"] -= 0.5
_wide = _centered(_wide)
assert explain(_wide, _names, 4.5, _reference_table) == ["partner=birch"], (
    "a cause of one field only: its name has no second part, and the others are calm once they "
    "are centered again"
)
_uneven = _calm.copy()
_late = (_uneven["time"] >= pd.Timestamp("2026-09-13", tz="UTC")).to_numpy()
_crowd = _late & (np.arange(len(_late)) % 5 < 3)  # on the last day most requests are affected
_uneven.loc[_crowd, ["partner", "client"]] = ["birch", "2.4"]
_uneven["host"] = np.where(_late, "b", "a")
_hit = (_uneven["partner"] == "birch") & (_uneven["client"] == "2.4")
_uneven.loc[_hit, "surprise"] += 0.9
_uneven = _centered(_uneven)
_found = explain(_uneven, [*_names, "host"], 4.5, _reference_table)
assert _found == ["partner=birch & client=2.4"], (
    "on one day most requests are affected, which pushes the others of that day down; center what "
    "remains by day, not over the whole period"
)
_huge = explain(_one, _names, 1e9, _reference_table)
assert _huge == [], "a limit that nothing reaches: the list is empty"
### END HIDDEN TESTS

# %% make: culprit
_top = explain(rows, fields, limits["largest z"].max(), slice_table)
_parts = dict(part.split("=") for part in _top[0].split(" & "))
culprit = pd.DataFrame([{"partner": _parts["partner"], "client": _parts["client"]}])

# %% [markdown]
# The search ends with one slice. From here on it is given, with the requests of that partner
# since the deploy, by client.

# %% given: culprit
culprit = pd.read_csv(f"given/culprit-{seed}.csv", dtype=str).iloc[0]

# %%
sent = week.logs[["request_id", "time", "partner", "client", "code"]].merge(
    week.requests, on=["request_id", "partner"]
)
sent = sent[(sent["partner"] == culprit["partner"]) & (sent["time"] >= deploy)]
old, new = (sent[(sent["client"] == culprit["client"]) == flag] for flag in (False, True))
print(f"{culprit['partner']} since the deploy: {len(new)} requests by client "
      f"{culprit['client']}, {len(old)} by others")

# %% [markdown]
# ## 4. One field, one factor
#
# A slice is *where*; the cause is *what*. Suppose that one numeric field arrives in another unit:
# multiplied by some factor. Then dividing by that factor makes the two clients' values one
# distribution again. Measure the difference of two samples by the KS statistic (missing values
# dropped; `scipy.stats.ks_2samp`).
#
# For each numeric field and each candidate factor, compute how much dividing *lowers* the
# statistic. The field and factor with the largest fall are the suspects, if that fall is large
# enough to be no accident: at least `least`.

# %% answer: find-unit
def find_unit(
    old: pd.DataFrame, new: pd.DataFrame, fields: list[str], factors: list[float],
    least: float = 0.2,
) -> tuple[str, float] | None:
    """The field that arrives multiplied, and by what.

    old, new: requests without and with the suspected fault; numeric columns `fields`, with
    missing values. factors: candidates, positive, none of them 1.

    For each field and factor, the fall is KS(old, new) - KS(old, new / factor), both on the
    values that are there. Returns (field, factor) with the largest fall, or None where the
    largest fall is below `least`. A field without any value in either sample is passed over.

    Example: incomes 1, 2, 3 against 12, 24, 36 with factors 10 and 12 give ("income", 12).

    Also graded: a factor below 1, missing values, a column without values, several suspects,
    nothing to find, factors and fields in any order.
    """
    ### BEGIN SOLUTION
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
    return best if largest >= least else None
    ### END SOLUTION

# %% test: find-unit, 4 points
_a = pd.DataFrame({"income": [1.0, 2.0, 3.0], "age": [30.0, 40.0, 50.0]})
_b = pd.DataFrame({"income": [12.0, 24.0, 36.0], "age": [30.0, 40.0, 50.0]})
_found = find_unit(_a, _b, ["age", "income"], [10.0, 12.0])
assert type(_found) is tuple and len(_found) == 2, "find_unit returns a pair: field and factor"
assert _found == ("income", 12.0), (
    "the example: which field differs, and dividing by which factor makes it equal?"
)
assert find_unit(_a, _a, ["age", "income"], [10.0, 12.0]) is None, (
    "two equal samples: no division makes them more alike, so there is nothing to find"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(seed + 14)


def _sample(_n):
    return pd.DataFrame(
        {
            "income": np.exp(_rng.normal(8, 0.5, _n)),
            "debt_ratio": np.exp(_rng.normal(-1.2, 0.5, _n)),
            "loan_amount": np.exp(_rng.normal(9, 0.6, _n)),
            "empty": np.full(_n, np.nan),
        }
    )


_cols = ["loan_amount", "debt_ratio", "empty", "income"]
for _field, _factor in (("income", 12.0), ("debt_ratio", 100.0), ("loan_amount", 0.01)):
    _a, _b = _sample(300), _sample(200)
    _b[_field] *= _factor
    _b.loc[_b.index[::9], _field] = np.nan
    _found = find_unit(_a, _b, _cols, [0.01, 1000.0, 12.0, 100.0, 10.0, 1 / 12])
    assert _found is not None and _found[0] == _field, (
        "on fresh samples with a planted factor, another field is named, or none; missing values "
        "and a column without values are there too"
    )
    assert math.isclose(_found[1], _factor), (
        "on fresh samples the right field is named with another factor; the values are divided by "
        "it, and it may be below 1"
    )
_a, _b = _sample(300), _sample(200)
_b["income"] *= 12
_b["loan_amount"] += 40_000  # far away, and no factor of the list explains it
_found = find_unit(_a, _b, _cols, [10.0, 12.0, 100.0])
assert _found == ("income", 12.0), (
    "one field is shifted by an amount that no factor explains, another is multiplied: what "
    "counts is how much dividing helps, not how large the difference was or how small it remains"
)
assert find_unit(_sample(300), _sample(200), _cols, [0.01, 10.0, 12.0, 100.0]) is None, (
    "two fresh samples without a fault differ by chance only; the answer is None"
)
_a, _b = _sample(300), _sample(200)
_b["income"] *= 12 * np.exp(_rng.normal(0, 0.6, 200))
_b["debt_ratio"] *= 1.6
assert find_unit(_a, _b, _cols, [1.6, 12.0]) == ("income", 12.0), (
    "two fields are multiplied, one by more, and no longer clean after dividing: what counts is "
    "how much dividing helps, not how little difference is left"
)
_a, _b = _sample(300), _sample(200)
_b["income"] *= 1.25
assert find_unit(_a, _b, _cols, [1.25, 12.0]) is None, (
    "a fall below `least` is no finding, even where it is the largest"
)
### END HIDDEN TESTS

# %% make: fault
_found = find_unit(old, new, list(lender.NUMERIC), [0.01, 1 / 12, 10, 12, 100, 1000])
assert _found is not None
fault = pd.DataFrame([{"field": _found[0], "factor": float(_found[1])}])

# %% given: fault
fault = pd.read_csv(f"given/fault-{seed}.csv").iloc[0]

# %%
figure, axis = plt.subplots(figsize=(7.2, 2.8))
for part, label in ((old, "other clients"), (new, f"client {culprit['client']}")):
    axis.plot(part["time"], part[fault["field"]], "o", markersize=3, alpha=0.5, label=label)
axis.set(yscale="log", ylabel=fault["field"], xlabel="time")
axis.tick_params(axis="x", rotation=20)
_ = axis.legend()
print(f"suspect: {fault['field']}, multiplied by {fault['factor']:g}")

# %% [markdown]
# ## 5. Replay
#
# A suspicion becomes a cause when undoing it undoes the effect: score the very same requests
# again, with the field divided by the factor, and compare with what the log says was decided. The
# same replay says which decisions have to be **reopened**, in both directions.
#
# Mind three things. A request that ended in an error was never decided. A request whose field is
# missing carries no wrong value. And the logs and the stored requests are two files, each in an
# order of its own: they are joined by the request id.

# %% answer: replay
def replay(
    logs: pd.DataFrame, requests: pd.DataFrame, partner: str, client: str, field: str,
    factor: float, score, threshold: float,
) -> pd.DataFrame:
    """Decisions on the affected requests, as they were and as they should have been.

    logs: request_id, time, partner, client, code, approved (0 or 1, NaN where code is not 200).
    requests: request_id, application_id and all of `lender.FEATURES` as they were sent (`partner`
    is one of them, and equals that in logs); rows in an order of their own.
    A request is affected if it came from this partner by this client, was decided (code 200)
    and has a value in `field`. score: function of a frame of features, columns and order as
    in `lender.FEATURES`, to n risks; approved is a risk below the threshold.

    Returns one row for each affected request, in order of time, with the columns request_id,
    time, approved (as logged) and should (0 or 1: with the field divided by the factor).
    `logs` and `requests` are left as they are.

    The first row is the first affected request; rows whose two decisions differ are reopened.

    Also graded: rows in any order, errors, missing values, other partners on the same client,
    a risk that equals the threshold, nothing affected, arguments unchanged.
    """
    ### BEGIN SOLUTION
    hit = (logs["partner"] == partner) & (logs["client"] == client) & (logs["code"] == 200)
    kept = [name for name in requests if name not in ("partner", "application_id")]
    table = logs.loc[hit, ["request_id", "time", "partner", "approved"]]
    table = table.merge(requests[kept], on="request_id").dropna(subset=field)
    table = table.sort_values("time", ignore_index=True)
    if table.empty:
        return table[["request_id", "time", "approved"]].assign(should=[])
    mended = table.assign(**{field: table[field] / factor})
    risk = np.asarray(score(mended[list(lender.FEATURES)]))
    should = (risk < threshold).astype(int)
    table = table[["request_id", "time", "approved"]].astype({"approved": int})
    return table.assign(should=should)
    ### END SOLUTION

# %% test: replay, 4 points
def _case(_seed, _n=120, _field="income", _factor=12.0):
    """Logs and requests with a planted fault; the risk is 300 / income, so easy to check."""
    _rng = np.random.default_rng(_seed)
    _requests = lender.applications(_n, _seed)[["application_id", *lender.FEATURES]].copy()
    _requests.insert(0, "request_id", [f"{_seed}-{_k:03d}" for _k in range(_n)])
    _requests["income"] = np.round(np.exp(_rng.normal(8, 0.5, _n)))
    _requests.loc[_rng.random(_n) < 0.1, "income"] = np.nan
    _logs = pd.DataFrame(
        {
            "request_id": _requests["request_id"],
            "time": pd.Timestamp("2026-09-10", tz="UTC")
            + pd.to_timedelta(_rng.permutation(_n), unit="min"),
            "partner": _requests["partner"],
            "client": _rng.choice(["2.3", "2.4"], _n),
            "code": np.where(_rng.random(_n) < 0.1, 500, 200),
        }
    )
    _bad = ((_logs["partner"] == "cedar") & (_logs["client"] == "2.4")).to_numpy()
    _requests.loc[_bad, _field] *= _factor
    _logs["approved"] = np.where(_risk(_requests) < 0.1, 1.0, 0.0)
    _logs.loc[_logs["code"] != 200, "approved"] = np.nan
    return _logs.sort_values("time"), _requests.sample(frac=1, random_state=_seed)


def _risk(_frame):
    return 300 / _frame["income"].fillna(3000).to_numpy()


_logs, _requests = _case(seed + 15)
_done = replay(_logs, _requests, "cedar", "2.4", "income", 12.0, _risk, 0.1)
assert type(_done) is pd.DataFrame, "replay returns a DataFrame"
assert list(_done.columns) == ["request_id", "time", "approved", "should"], (
    "the columns are request_id, time, approved and should, in this order"
)
assert _done["time"].is_monotonic_increasing, "the rows come in order of time"
_mine = _logs[(_logs["partner"] == "cedar") & (_logs["client"] == "2.4")]
assert set(_done["request_id"]) <= set(_mine["request_id"]), (
    "a request of another partner or client is listed; both have to match"
)
assert set(_done["request_id"]) <= set(_mine.loc[_mine["code"] == 200, "request_id"]), (
    "a request that ended in an error was never decided, and cannot be reopened"
)
assert (_done["approved"] >= _done["should"]).all() and (
    _done["approved"] > _done["should"]
).any(), (
    "here the wrong unit makes applicants look richer than they are: undoing it can only turn "
    "approvals into refusals, and turns some"
)
### BEGIN HIDDEN TESTS
_decided = _mine[_mine["code"] == 200]
_there = set(_requests.loc[_requests["income"].notna(), "request_id"])
assert set(_done["request_id"]) <= _there, (
    "a request without a value in the field carries no wrong value"
)
assert set(_done["request_id"]) == set(_decided["request_id"]) & _there, (
    "affected requests are missing; logs and requests are joined by the request id"
)
for _i, (_field, _factor) in enumerate((("income", 12.0), ("income", 0.1), ("income", 100.0))):
    _logs, _requests = _case(seed + 16 + _i, 300, _field, _factor)
    _kept = _logs.copy(), _requests.copy()
    _done = replay(_logs, _requests, "cedar", "2.4", _field, _factor, _risk, 0.1)
    _sent = _requests.set_index("request_id").loc[_done["request_id"], _field].to_numpy()
    _want = (300 / (_sent / _factor) < 0.1).astype(int)
    assert (_done["should"].to_numpy() == _want).all(), (
        "on fresh requests the decision that should have been made differs; divide, score, and "
        "approve where the risk is below the threshold"
    )
    _logged = _logs.set_index("request_id").loc[_done["request_id"], "approved"].to_numpy()
    assert (_done["approved"].to_numpy() == _logged).all(), (
        "approved is what the log says of the same request"
    )
    pd.testing.assert_frame_equal(_logs, _kept[0], obj="logs has been changed: logs")
    pd.testing.assert_frame_equal(_requests, _kept[1], obj="requests has been changed: requests")
_logs, _requests = _case(seed + 15)


def _strict(_frame):
    assert list(_frame.columns) == list(lender.FEATURES), (
        "the model is given exactly the features, in their order"
    )
    return np.full(len(_frame), 0.1)


_done = replay(_logs, _requests, "cedar", "2.4", "income", 12.0, _strict, 0.1)
assert (_done["should"] == 0).all(), "a risk that equals the threshold is not below it"
_done = replay(_logs, _requests, "cedar", "9.9", "income", 12.0, _risk, 0.1)
assert type(_done) is pd.DataFrame and len(_done) == 0, "nothing affected: a frame without rows"
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Review: a replay that looks right
#
# A colleague, with an assistant's help, wrote `replay` too, and the list of loans to reopen
# depends on it. It runs, and its numbers look plausible. It breaks the contract of question 5 all
# the same.
#
# Write `test_replay(replay)`: it calls the function it is given and raises (a plain `assert`
# will do) if that function breaks the contract. It must pass every correct version, whatever its
# make. Build small `logs` and `requests` by hand, and a `score` that you can compute in your
# head; six rows are enough to tell most mistakes apart. It is scored on versions you do not see:
# by the share of the wrong ones that it catches, times the share of the right ones that it spares.
#
# In the cell below the colleague's version is the wrong one, and your own `replay`, if you wrote
# one, stands in for the right ones: if it fails your test, one of the two is wrong. Grading uses
# other versions instead, so a wrong `replay` costs nothing here.

# %% review: replay, 3 points
def test_replay(replay) -> None:
    """Raise AssertionError if replay(...) breaks the contract of question 5.

    replay: the function under test, with the arguments of question 5. Returns nothing where it
    is right.

    Also graded: several wrong versions, each with another mistake, and several right ones.
    """
    ### BEGIN SOLUTION
    ids = [f"r{i}" for i in range(6)]
    base = lender.applications(6, 1)[list(lender.FEATURES)].copy()
    base["income"] = [36_000.0, 2_400.0, math.nan, 60_000.0, 36_000.0, 24_000.0]
    base["partner"] = ["cedar", "cedar", "cedar", "cedar", "birch", "cedar"]
    requests = base.assign(request_id=ids, application_id=range(6)).iloc[::-1]
    logs = pd.DataFrame(
        {
            "request_id": ids,
            "time": pd.Timestamp("2026-09-10", tz="UTC")
            + pd.to_timedelta([2, 4, 3, 5, 1, 0], unit="h"),
            "partner": base["partner"].to_numpy(),
            "client": ["2.4", "2.3", "2.4", "2.4", "2.4", "2.4"],
            "code": [200, 200, 200, 500, 200, 200],
            "approved": [1.0, 0.0, 1.0, math.nan, 1.0, 1.0],
        }
    )

    def score(frame):
        assert list(frame.columns) == list(lender.FEATURES)
        return 300 / frame["income"].fillna(3000).to_numpy()

    kept = logs.copy(), requests.copy()
    done = replay(logs, requests, "cedar", "2.4", "income", 12.0, score, 0.1)
    assert list(done["request_id"]) == ["r5", "r0"]
    assert list(done["approved"]) == [1, 1]
    assert list(done["should"]) == [0, 0]
    done = replay(logs, requests, "cedar", "2.4", "income", 10.0, score, 0.1)
    assert list(done["should"]) == [0, 1]
    pd.testing.assert_frame_equal(logs, kept[0])
    pd.testing.assert_frame_equal(requests, kept[1])
    ### END SOLUTION

# %% make: cases
_done = replay(
    week.logs, week.requests, culprit["partner"], culprit["client"], fault["field"],
    float(fault["factor"]), lambda _x: model.predict_proba(_x)[:, 1], threshold,
)
cases = _done.merge(week.requests, on="request_id")
_mended = cases.assign(**{fault["field"]: cases[fault["field"]] / float(fault["factor"])})
cases["risk"] = model.predict_proba(_mended[features])[:, 1]
cases = cases[["request_id", "time", "approved", "should", "risk", "loan_amount"]]

# %% [markdown]
# ## 7. What do people label next?
#
# `cases` holds the replay of the whole week: `risk` is the probability of default with the field
# mended. Its first row is the first affected request.

# %% given: cases
cases = pd.read_csv(f"given/cases-{seed}.csv", parse_dates=["time"])

# %%
differ = cases[cases["approved"] != cases["should"]]
first = cases.iloc[0]
print(f"{len(cases)} affected requests, the first {first['request_id']}, {first['time']:%a %H:%M}")
print(f"{len(differ)} decisions differ, {(differ['should'] == 1).sum()} of them refused wrongly")

# %% [markdown]
# The replay says which decisions *may* be wrong; that one *was* wrong, a person has to say. That label
# takes an underwriter half an hour, for the case is reopened: papers, a call, a new offer or an
# apology. Today there is time for `budget` cases, so each should be worth it. The lender reckons: a loan that is repaid earns
# 5 % of its amount, one that defaults loses half of it. So granting a loan is worth
#
# $$v = 0.05\,(1 - \text{risk})\cdot\text{amount} - 0.5\cdot\text{risk}\cdot\text{amount},$$
#
# which may be negative. Reopening a refusal that should not have been one gains $v$; reopening a
# loan that should not have been granted gains $-v$. The threshold approves the best 60 %, whatever
# that is worth, so the gain of a case may be negative too: such a case is left alone today.

# %% answer: rank-cases
def rank_cases(cases: pd.DataFrame, budget: int) -> list[str]:
    """Request ids of the cases to reopen and label today, the most valuable first.

    cases: request_id, approved, should (0 or 1), risk, loan_amount; rows in any order, any index.
    budget: how many can be reopened, 0 or more.

    Only decisions that differ are reopened, and only where the gain is above 0. Returns at most
    `budget` ids, by gain, largest first. `cases` is left as it is.

    Example: of a 1,000 USD loan refused wrongly at a risk of 0.02 (gain 39) and a 1,000 USD
    loan granted wrongly at a risk of 0.3 (gain 115), the second comes first.

    Also graded: fewer cases than the budget, decisions that stand, negative gains, both directions.
    """
    ### BEGIN SOLUTION
    worth = (0.05 * (1 - cases["risk"]) - 0.5 * cases["risk"]) * cases["loan_amount"]
    gain = worth * (cases["should"] - cases["approved"])
    best = gain[gain > 0].sort_values(ascending=False).index[:budget]
    return list(cases.loc[best, "request_id"])
    ### END SOLUTION

# %% test: rank-cases, 3 points
_cases = pd.DataFrame(
    {
        "request_id": ["a", "b", "c"],
        "approved": [0, 1, 1],
        "should": [1, 0, 1],
        "risk": [0.02, 0.3, 0.5],
        "loan_amount": [1000.0, 1000.0, 9000.0],
    }
)
_ids = rank_cases(_cases, 2)
assert type(_ids) is list and all(type(_id) is str for _id in _ids), (
    "rank_cases returns a list of request ids"
)
assert "c" not in _ids, "the decision on c stands: approved and should are the same"
assert _ids == ["b", "a"], "the example: work out both gains by hand, the larger comes first"
assert rank_cases(_cases, 1) == ["b"], "with a budget of one, one case is reopened"
### BEGIN HIDDEN TESTS
assert rank_cases(_cases, 0) == [], "a budget of 0 reopens nothing"
assert len(rank_cases(_cases, 10)) == 2, (
    "two decisions differ: a larger budget does not make more cases worth it"
)


def _pair(_approved, _risk, _amount):
    return pd.DataFrame(
        {
            "request_id": ["a", "b"],
            "approved": _approved,
            "should": [1 - _k for _k in _approved],
            "risk": _risk,
            "loan_amount": _amount,
        }
    )


assert rank_cases(_pair([1, 1], [0.4, 0.15], [5000.0, 8000.0]), 2) == ["a", "b"], (
    "two loans granted wrongly: the larger amount is not the larger gain"
)
assert rank_cases(_pair([0, 1], [0.01, 0.12], [6000.0, 9000.0]), 2) == ["a", "b"], (
    "a refusal and a loan, both wrong: what a good loan earns and what a bad one loses count in "
    "the gain of either direction"
)
assert rank_cases(_pair([0, 1], [0.2, 0.05], [6000.0, 9000.0]), 2) == [], (
    "two wrong decisions whose reopening costs money: their gains are negative, leave them alone"
)
_rng = np.random.default_rng(seed + 21)
for _i in range(5):
    _n = 60
    _cases = pd.DataFrame(
        {
            "request_id": [f"{_k:02d}" for _k in range(_n)],
            "approved": _rng.integers(0, 2, _n),
            "should": _rng.integers(0, 2, _n),
            "risk": np.round(_rng.beta(1, 6, _n), 4),
            "loan_amount": np.round(np.exp(_rng.normal(9, 0.6, _n)), -2),
        },
        index=_rng.permutation(_n) + 100,
    )
    _before = _cases.copy()
    _gain = {}
    for _row in _cases.itertuples():
        _v = (0.05 * (1 - _row.risk) - 0.5 * _row.risk) * _row.loan_amount
        _g = _v if _row.should > _row.approved else -_v if _row.should < _row.approved else 0.0
        if _g > 0:
            _gain[_row.request_id] = _g
    _want = sorted(_gain, key=_gain.get, reverse=True)
    _ids = rank_cases(_cases, 8)
    assert set(_ids) <= set(_gain), (
        "a case is listed that gains nothing: its decision stands, or its gain is negative"
    )
    assert _ids == _want[:8], (
        "on fresh cases others come first than by an independent implementation; both directions "
        "count, each by its own gain in USD"
    )
    assert len(rank_cases(_cases, _n)) == len(_want), (
        "with a budget for all, every case with a positive gain is listed"
    )
    pd.testing.assert_frame_equal(_cases, _before, obj="cases has been changed: cases")
### END HIDDEN TESTS

# %% make: gains
_worth = (0.05 * (1 - cases["risk"]) - 0.5 * cases["risk"]) * cases["loan_amount"]
_gain = (_worth * (cases["should"] - cases["approved"])).sort_values(ascending=False)
gains = pd.DataFrame({"gain": _gain[_gain > 0].round(2).to_numpy()})

# %% [markdown]
# The day's work, and what it leaves. How many of the cases are worth reopening at all?

# %% given: gains
gains = pd.read_csv(f"given/gains-{seed}.csv")

# %%
gain = gains["gain"]
figure, axis = plt.subplots(figsize=(7.2, 2.6))
axis.plot(np.arange(1, len(gain) + 1), gain.cumsum(), "o-", markersize=3)
axis.axvline(20, color="C1", linestyle="--", label="20 cases a day")
axis.set(xlabel="cases reopened, best first", ylabel="gain (USD)")
_ = axis.legend()

# %% [markdown]
# ## 8. The post-mortem
#
# On Thursday the post-mortem is read by finance, by the partner and by the colleague who typed
# "roll back?". It is **blameless**: it takes for granted that everybody acted sensibly on what
# they could see, and asks what they could not see.

# %% written: post-mortem, 4 points [markdown]
# Write it, in at most 350 words: **summary** (what, who, since when), **impact** (in numbers from
# this notebook), **timeline** (at least four entries with times, the first affected request among
# them), **cause** and the evidence that proves it, **what contributed** (at least two things
# besides the cause), and **three actions**, each with an owner (a role), a date, and what it would
# have changed here. Say which other suspect you ruled out, and how.
#
# ### BEGIN SOLUTION
# **Summary.** Since Thursday, 10 September, the new client of one partner sent one field in
# another unit (partner, client, field and factor: `culprit`, `fault`). The service accepted it
# and decided on wrong values.
#
# **Impact.** The affected requests are the rows of `cases`, the wrong decisions those of `differ`;
# reopening the best 20 recovers the height of the last figure at the dashed line. Unnoticed from
# the first row of `cases` until Monday, 8:40.
#
# **Timeline (UTC).** Thu 9:30 service 3.1.0 on host a. Thu, the time of the first row of `cases`:
# first affected request. Fri 9:30 3.1.0 on host b. Fri 13:00 to 16:00 the bureau is slow. Mon 8:40
# finance asks; a rollback is proposed. Mon: slice found, unit found, replay confirms.
#
# **Cause.** The field arrives multiplied. Evidence: the slice alone is beyond the limit of eight
# calm weeks; dividing by the factor makes its values those of the partner's other clients; replay
# with the mended field undoes the change of its decisions.
#
# **Ruled out.** The deploy: host and service make no slice beyond the limit. The bureau: slow for
# three hours of Friday only, by the own times of `lookup`.
#
# **What contributed.** The contract names no unit and the service checks no range. The dashboard
# shows the total, where a partner's fault is diluted. The same client ran at another partner
# without fault.
#
# **Actions.** Scoring team, Fri 18 Sep: reject values beyond a ceiling per feed; the first request
# would have been refused. Partner integration, 30 Sep: unit in the field's name; the rewrite would
# have kept it. On-call, 25 Sep: daily comparison by partner and client; would have rung on
# Thursday.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# Five elements: (a) impact in numbers of this notebook (affected requests, wrong decisions, hours
# or money); (b) a timeline with the first affected request; (c) the cause, with at least two
# pieces of evidence, one of them the replay or the division, and a suspect that was ruled out by
# evidence; (d) contributing conditions that are properties of the system; (e) three actions with
# owner, date and effect. Blame of a person or of a partner ("should have been more careful") takes
# one point off.
#
# **4: all five.** Anchor: "From Thu 11:52 (first request 3f2a...) the partner's client 2.4 sent
# debt_ratio in percent; 512 requests, 130 refused wrongly, 92 hours unnoticed. Not the deploy:
# host a and b do not differ. Dividing by 100 closes the KS gap, and the replay changes those
# decisions and no others. The service accepts any ratio, and nobody watches decisions by partner
# and client. Actions: range check (scoring, 18 Sep: first request refused) ..."
#
# **3: four of five, or all with one left without evidence.** Anchor: the same without a suspect
# ruled out.
#
# **2: cause and impact are right, the rest is thin.** Anchor: "Client 2.4 sent percent instead of
# shares, 512 requests. We fix the client and add monitoring." (No timeline, no owners.)
#
# **1: the cause is named without evidence, or the evidence leads elsewhere.** Anchor: "The
# deploy on Thursday changed the approvals; we rolled it back and will test more."
#
# **0: no cause, or only blame.** Anchor: "The partner must be more careful with releases."
# ### END RUBRIC

# %% [markdown]
# ## What you have built, and where it breaks
#
# A way from "finance says" to one request id, and from there to a list of people to call back:
# own times that acquit the bureau, a search over slices at a limit from calm weeks, one slice
# instead of its shadows, a unit by what dividing explains, and a replay that proves it.
#
# - **Slices see what is logged.** Had the client's version not been in the log line, the search
#   would have ended at the partner, and the cause at a guess.
# - **Eight calm weeks are few.** The limit is the largest of eight; a ninth calm week passes it
#   one time in nine.
# - **One fault in one field.** Two fields at once, or a shift instead of a factor, need another
#   comparison; `find_unit` says None, and that is an honest answer.
# - **Replay needs the requests.** Who keeps only features after cleaning, or nothing, can accuse
#   but not prove. How long they may be kept is a question of law as well.
#
# You would be asked aloud: *Why is the deploy two hours earlier not the cause, and what would have
# convinced you that it is?* And: *The partner says it has always sent this field so. How do you
# find out who is right?*
#
# **Stretch (not graded).** Find how early a daily comparison by partner and client would have
# rung, at one false ring a year. Search slices of three fields; what happens to the limit? Sample
# the traces at 1 % and repeat question 1.

# %% [markdown]
# # What did we know, and what did we serve?
#
# **Situation.** A model prices requests for a quote from a bureau score, the spending of the last 30
# days and the hour. Its ranking looked excellent in validation and is mediocre in service. The head
# of credit asks two questions: *did the training set know the future*, and *is the service fed what
# the model was trained on?* The auditors add a third: *from which rows did this number come?*
#
# **You build** training rows that hold what was known at each request and nothing later, by hand and
# with the feature store Feast; features that name the rows they are made of; and a comparison of what
# was served with what should have been. You find three faults of the service from its log, prove them,
# and decide for which purpose one logs features and for which one recomputes them.
#
# - **Aims.** Tell a leak from a lag; join on two clocks; review a join; use Feast without losing rows;
#   compute features from their lineage; find and prove training-serving skew; defend a decision.
# - **You need** pandas (`merge`, `sort_values`, `groupby`); the pages *Feature stores: what did we
#   know that day?* and *Feature stores and time: when did we know it?*
# - **Time.** About 90 minutes; 33 points, 8 questions.
# - **Budget.** The whole notebook runs within 30 s and 1.5 GB on one core, without network.
#
# **Help from AI tools.** Use them as you would at work: to recall an API, to explain an error, to
# draft code. You answer for what you hand in; question 3 practices what that takes. Write the last
# answer yourself.
#
# Run the cells in order. Below each question, a cell of tests tells you at once about the obvious
# mistakes; more tests run when the lab is graded. A question that fails does not block the next.

# %% tags=["parameters"]
seed = 20260101
applications = 600

# %%
import tempfile
from datetime import timedelta
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import lender
from lender import bureau
from lender.quotes import purchases, quotes
from lender.repayments import default_days

plt.style.use("lender.course")

# %% [markdown]
# ## The tables
#
# All times are UTC. `requests` are the requests for a quote; an applicant may have two. `feed` holds
# every row that the bureau delivered until today, a year and a half later: `valid_on` is the date that
# a row describes, `known_at` when it reached us, in the mornings. `events` are card purchases as they
# were delivered, and the fee that is booked at the instant of each request.

# %%
loans = lender.applications(applications, seed, start="2025-02-01", days=59)
requests = quotes(loans, seed)
feed = bureau.feed(loans, default_days(loans, seed), seed)
feed["known_at"] = feed["known_on"] + pd.Timedelta(hours=6)
feed = feed.rename(columns={"bureau_score": "score"})
feed = feed[["report_id", "applicant_id", "valid_on", "known_at", "score"]]
events = purchases(requests, seed)

# %%
for table in (requests, feed, events):
    display(table.head(3))

# %% [markdown]
# The tests below write small tables, with times as days (10.25 is six o'clock on day 10), by the functions of
# the next cell. Use them in tests of your own.

# %%
_DAY0 = pd.Timestamp("2025-01-01")


def _rows(*_parts):
    """Rows of a feed: (applicant, day described, day known, score); report_id counts from 0."""
    _frame = pd.DataFrame(_parts, columns=["applicant_id", "valid_on", "known_at", "score"])
    for _c in ("valid_on", "known_at"):
        _frame[_c] = _DAY0 + pd.to_timedelta(_frame[_c].astype(float), unit="D")
    _frame.insert(0, "report_id", np.arange(len(_frame)))
    return _frame.astype({"applicant_id": "int64", "score": float})


def _ask(*_parts, index=None):
    """Requests: (applicant, day)."""
    _frame = pd.DataFrame(_parts, columns=["applicant_id", "requested_at"], index=index)
    _frame["requested_at"] = _DAY0 + pd.to_timedelta(_frame["requested_at"].astype(float), unit="D")
    return _frame.astype({"applicant_id": "int64"})


def _ids(_frame):
    """The report ids as floats, and nan for none."""
    return list(_frame["report_id"].astype(float))


def _bought(*_parts):
    """Deliveries: (event, applicant, day of the event, day known)."""
    _frame = pd.DataFrame(_parts, columns=["event_id", "applicant_id", "at", "known_at"])
    for _c in ("at", "known_at"):
        _frame[_c] = _DAY0 + pd.to_timedelta(_frame[_c].astype(float), unit="D")
    return _frame.assign(dollars=10.0).astype({"event_id": "int64", "applicant_id": "int64"})


def _asked(*_parts):
    """Requests (request, applicant, day)."""
    _frame = pd.DataFrame(_parts, columns=["request_id", "applicant_id", "requested_at"])
    _frame["requested_at"] = _DAY0 + pd.to_timedelta(_frame["requested_at"].astype(float), unit="D")
    return _frame.astype({"request_id": "int64", "applicant_id": "int64"})


def _named(_frame):
    """All pairs, sorted, with their copies."""
    return sorted(zip(_frame["request_id"].tolist(), _frame["event_id"].tolist(), strict=True))

# %% make: joins
# Three joins for the applications' own requests; what of it was there, and the score's AUC alone.
from lender.auc import error, influence

_last = requests.groupby("applicant_id").tail(1)
_last = _last.merge(loans[["application_id", "defaulted"]], left_on="applicant_id",
                    right_on="application_id")
_pairs = _last.merge(feed, on="applicant_id").sort_values(["valid_on", "known_at"])
_dated = _pairs["valid_on"] <= _pairs["requested_at"]
_known = _pairs["known_at"] <= _pairs["requested_at"]
_parts = {"latest": _pairs, "by date": _pairs[_dated], "both clocks": _pairs[_dated & _known]}
_keep = ["request_id", "requested_at", "valid_on", "known_at", "score", "defaulted"]
joins = pd.concat([
    _last[["request_id", "requested_at", "defaulted"]]
    .merge(_part.groupby("request_id").tail(1)[["request_id", "valid_on", "known_at", "score"]],
           how="left").assign(join=_name)
    for _name, _part in _parts.items()
])[["join", *_keep]]
_future = joins["valid_on"] > joins["requested_at"]
_late = ~_future & (joins["known_at"] > joins["requested_at"])
_table = []
for _name, _frame in joins.groupby("join", sort=False):
    _scored = _frame.dropna(subset="score")
    _auc, _moves = influence(_scored["defaulted"], -_scored["score"])
    _half = 1.96 * error(_moves, _scored["requested_at"].dt.normalize())
    _table.append({"join": _name, "future": _future[joins["join"] == _name].mean(),
                  "late": _late[joins["join"] == _name].mean(), "auc": _auc, "interval": _half})
leak = pd.DataFrame(_table)
joins = joins[joins["join"] == "by date"].drop(columns="join")

# %% [markdown]
# ## 1. When was it there? Worked as an example
#
# A training row has a request and the value that a join found for it. Its value has **two times**:
# the date that it describes and the moment at which we had it. One applicant, three joins:
#
# | request | value dated | value known | what it is |
# | --- | --- | --- | --- |
# | March 10, 14:00 | March 1 | March 3, 6:00 | known: both times are at or before the request |
# | March 10, 14:00 | April 1 | April 4, 6:00 | future: it describes a later day |
# | March 10, 14:00 | March 1 | August 20, 6:00 | late: dated before, and nobody had it |
#
# The third is the one that reviews overlook, because its date is right. So ask in this order: is there
# a value at all? Does it describe the future? If not, was it known? A value that comes at the very
# instant of the request counts as there.

# %% answer: clocks
def clocks(training: pd.DataFrame) -> pd.Series:
    """For each training row, whether its value was there when the request was made.

    training: one row per request, with any index; columns requested_at, valid_on and known_at
    (datetime64; the last two are NaT where the join found no value), and perhaps others.

    Returns a Series of str with training's index:
    "none"    there is no value;
    "future"  valid_on is after requested_at (whatever known_at says);
    "late"    valid_on is at or before requested_at, and known_at after it;
    "known"   both are at or before requested_at.

    Example: the rows of the table above give "known", "future", "late".

    Also graded: equal times, times of one day, rows without a value, an index of any kind, no row.
    """
    ### BEGIN SOLUTION
    asked = training["requested_at"]
    kind = pd.Series("known", index=training.index, dtype=object)
    kind[training["known_at"] > asked] = "late"
    kind[training["valid_on"] > asked] = "future"
    kind[training["valid_on"].isna()] = "none"
    return kind
    ### END SOLUTION

# %% test: clocks, 3 points
def _training(*_rows):
    _frame = pd.DataFrame(_rows, columns=["requested_at", "valid_on", "known_at"])
    return _frame.apply(pd.to_datetime, format="ISO8601")


_t = _training(("2025-03-10 14:00", "2025-03-01", "2025-03-03 06:00"),
               ("2025-03-10 14:00", "2025-04-01", "2025-04-04 06:00"),
               ("2025-03-10 14:00", "2025-03-01", "2025-08-20 06:00"))
_got = clocks(_t)
assert type(_got) is pd.Series and len(_got) == 3, "clocks returns a Series, an entry per row"
assert _got.iloc[0] == "known", "a value dated and known before its request is known"
assert _got.iloc[1] == "future", "a value dated after its request is from the future"
assert _got.iloc[2] == "late", "a value can be dated before its request and have come after it"
### BEGIN HIDDEN TESTS
_t = _training(("2025-03-10 14:00", "2025-03-10 14:00", "2025-03-10 14:00"),
               ("2025-03-10 14:00", "2025-03-10", "2025-03-10 14:01"),
               ("2025-03-10 14:00", "2025-03-10 15:00", "2025-03-10 15:00"),
               ("2025-03-10 14:00", None, None),
               ("2025-03-10 14:00", "2025-04-01", "2025-03-03 06:00"))
_t.index = [7, 3, 3, 0, -2]
_copy = _t.copy()
_got = clocks(_t)
assert _t.equals(_copy), "the table that was passed in has been changed"
assert list(_got.index) == [7, 3, 3, 0, -2], "the result has the index of training, in its order"
assert list(_got)[0] == "known", "a value that comes at the instant of the request counts as there"
assert list(_got)[1:3] == ["late", "future"], (
    "both times may lie on the day of the request: compare times, not dates"
)
assert list(_got)[3] == "none", "a request for which the join found nothing has no value to be late"
assert list(_got)[4] == "future", (
    "a value that describes a later day is from the future, whenever it was sent"
)
assert len(clocks(_t.iloc[:0])) == 0, "no row gives an empty result"
### END HIDDEN TESTS

# %% [markdown]
# Two joins have been used for the training set: `latest` takes each applicant's latest score, `by date` the newest one
# dated up to the request. `both clocks` is the join of question 2 without a time to live. For the request behind each application,
# `leak` says at which share of the requests the value is of the future or late, and what AUC the score has
# alone, with half a 95 % interval (rows of a day count as one cluster).

# %% given: leak
leak = pd.read_csv(f"given/leak-{seed}.csv")

# %% given: joins
joins = pd.read_csv(f"given/joins-{seed}.csv", parse_dates=["requested_at", "valid_on", "known_at"])

# %%
leak.round(3)

# %% [markdown]
# `by date` looks harmless, and promises more than `both clocks` can keep. But lateness as such is no leak: a row that is on
# its way for some days is late for everybody. Look at *how* late the late rows of `by date` are (`joins`), and for whom:

# %%
days_late = (joins["known_at"] - joins["requested_at"]) / pd.Timedelta("1D")
figure, axis = plt.subplots()
for outcome, label in ((0, "repaid"), (1, "defaulted")):
    late = days_late[(joins["defaulted"] == outcome) & (days_late > 0)]
    axis.plot(late, np.full(len(late), outcome), "o", alpha=0.4, label=label)
axis.set(xlabel="value known so many days after the request", yticks=[0, 1], xscale="log")
axis.set_yticklabels(["repaid", "defaulted"])
_ = axis.set_ylim(-0.6, 1.6)

# %% [markdown]
# ## 2. The join on two clocks
#
# A request may see the rows that were dated up to it **and** known by then; of these it takes the newest
# date, and of several versions of that date the last to arrive. Older than the time to live is no value.

# %% answer: as-of
def as_of(requests: pd.DataFrame, feed: pd.DataFrame, ttl: pd.Timedelta) -> pd.DataFrame:
    """For each request, the row of the feed that the service could have used.

    requests: columns applicant_id and requested_at, and perhaps others; any order, any index; an
    applicant may have several. feed: columns report_id (unique), applicant_id, valid_on, known_at
    and score (never missing); any order, any index. ttl: the time to live, more than 0.

    A row can be used if it is the applicant's, valid_on and known_at are at or before requested_at,
    and requested_at - valid_on is at most ttl. Of these the one with the latest valid_on is taken;
    of several of that date the one with the latest known_at; of several of these the one with the
    highest report_id.

    Returns a DataFrame with requests' index, in its order, and the columns report_id and score;
    both are missing where no row can be used. The arguments are not changed.

    Example: rows dated day 10 (known day 12) and day 40 (known day 43), a request on day 41, and a
    ttl of 60 days: the row of day 10.

    Also graded: ties, two requests of one applicant, versions that came after the request, times of
    day, applicants without a row, equal times, an empty feed, random tables against a slow search.
    """
    ### BEGIN SOLUTION
    asked = requests[["applicant_id", "requested_at"]].assign(place=np.arange(len(requests)))
    pairs = asked.merge(feed, on="applicant_id")
    at = pairs["requested_at"]
    usable = (pairs["valid_on"] <= at) & (pairs["known_at"] <= at) & (at - pairs["valid_on"] <= ttl)
    ordered = pairs[usable].sort_values(["valid_on", "known_at", "report_id"])
    found = ordered.groupby("place").tail(1).set_index("place")[["report_id", "score"]]
    return found.reindex(np.arange(len(requests))).set_axis(requests.index)
    ### END SOLUTION

# %% test: as-of, 5 points
_LONG = pd.Timedelta(days=60)
_f = _rows((1, 10, 12, 640), (1, 40, 43, 655), (3, 40, 42, 630), (3, 70, 73, 610), (2, 20, 22, 700))
_got = as_of(_ask((2, 30), (1, 41), (3, 75)), _f, _LONG)
assert type(_got) is pd.DataFrame and {"report_id", "score"} <= set(_got.columns), (
    "as_of returns a DataFrame with the columns report_id and score"
)
assert len(_got) == 3, "the result has a row for each request, no more and no fewer"
assert _ids(_got)[0] == 4 and _ids(_got)[2] == 3, (
    "each request gets the newest row of its own applicant"
)
assert _ids(_got)[1] == 0, (
    "a row dated before the request that came after it could not be used; an older one could"
)
assert np.isnan(_ids(as_of(_ask((1, 35)), _f, pd.Timedelta(days=20)))).all(), (
    "a row that is older than the time to live is no value"
)
### BEGIN HIDDEN TESTS
def _slow(_requests, _feed, _ttl):
    _found = []
    for _r in _requests.itertuples():
        _best = None
        for _row in _feed.itertuples():
            _fits = _row.applicant_id == _r.applicant_id
            _fits = _fits and _row.valid_on <= _r.requested_at and _row.known_at <= _r.requested_at
            if _fits and _r.requested_at - _row.valid_on <= _ttl:
                _key = (_row.valid_on, _row.known_at, _row.report_id)
                _best = max(_best, _key) if _best else _key
        _found.append(_best[2] if _best else np.nan)
    return _found


_got = as_of(_ask((3, 75), (2, 30), (9, 50), (1, 41), index=[5, 1, 9, 1]), _f, _LONG)
assert len(_got) == 4, "an applicant without a row is a request all the same"
assert list(_got.index) == [5, 1, 9, 1], "the result has the requests' index, in their order"
assert [_i for _i in _ids(_got) if not np.isnan(_i)] == [3, 4, 0], (
    "requests come in any order; the answers have to keep it"
)
assert np.isnan(_ids(_got)[2]) and np.isnan(_got["score"].astype(float).iloc[2]), (
    "an applicant without a row has no value"
)
_got = as_of(_ask((1, 41), (1, 75), (1, 13)), _f, _LONG)
assert _ids(_got) == [0, 1, 0], (
    "several requests of one applicant: each has a time, and an answer, of its own"
)
_f = _rows((1, 10, 12, 640), (1, 10, 35, 655), (1, 10, 90, 500), (1, 40, 43, 600))
assert _ids(as_of(_ask((1, 20)), _f, _LONG)) == [0], (
    "a version that came later must not hide the one that was there"
)
assert _ids(as_of(_ask((1, 36)), _f, _LONG)) == [1], (
    "of several versions of a date it is the last to have arrived by the request"
)
_f = _rows((1, 40, 43, 655), (1, 10, 45, 640))
assert _ids(as_of(_ask((1, 50)), _f, _LONG)) == [0], (
    "a correction of an older month came in last: the newest date still wins"
)
_f = _rows((1, 10, 10.25, 640), (1, 11, 11, 650))
assert _ids(as_of(_ask((1, 10.2), (1, 10.25), (1, 11)), _f, _LONG))[0] != 0, (
    "known later on the day of the request: compare times, not dates"
)
assert _ids(as_of(_ask((1, 10.25), (1, 11)), _f, _LONG)) == [0, 1], (
    "a row dated, or known, at the very instant of the request can be used"
)
_f = _rows((1, 10, 15, 640))
assert _ids(as_of(_ask((1, 20)), _f, pd.Timedelta(days=10))) == [0], (
    "a row of exactly the age of the time to live is alive"
)
assert np.isnan(_ids(as_of(_ask((1, 22)), _f, pd.Timedelta(days=10)))[0]), (
    "a row's age counts from the date it describes, not from its arrival"
)
_f = _rows((1, 10, 15, 640))
assert np.isnan(_ids(as_of(_ask((1, 20.5)), _f, pd.Timedelta(days=10)))[0]), (
    "the time to live is a time, not a number of calendar days"
)
assert _ids(as_of(_ask((1, 20.5)), _f, pd.Timedelta(days=10.5))) == [0], (
    "the time to live is a time, not a number of calendar days"
)
_f = _rows((1, 10, 12.75, 640), (1, 10, 12.25, 650), (2, 10.75, 11, 1), (2, 10.25, 12, 2),
           (3, 9.75, 9.25, 3))
assert _ids(as_of(_ask((1, 20), (2, 20)), _f, _LONG)) == [0, 2], (
    "dates and arrivals are times: two of one day are not equal"
)
assert np.isnan(_ids(as_of(_ask((3, 9.5)), _f, _LONG))[0]), (
    "a row dated later on the day of the request cannot be used: compare times, not dates"
)
_f = _rows((1, 10, 12, 700), (1, 10, 12, 600), (1, 10, 12, 650)).iloc[[1, 2, 0]]
assert _ids(as_of(_ask((1, 20)), _f, _LONG)) == [2], (
    "equal dates and equal arrivals: the highest report_id decides, whatever the order of the rows"
)
assert np.isnan(_ids(as_of(_ask((1, 20)), _f.iloc[:0], _LONG))[0]), "an empty feed has no value"
assert len(as_of(_ask((1, 20)).iloc[:0], _f, _LONG)) == 0, "no request, no answer"
for _s in range(4):
    _rng = np.random.default_rng(seed + _s)
    _d = _rng.integers(0, 30, 60)
    _f = _rows(*zip(_rng.integers(0, 6, 60), _d, _d + _rng.integers(0, 9, 60) * _rng.integers(0, 5, 60),
                    _rng.integers(500, 800, 60), strict=True)).sample(frac=1, random_state=_s)
    _r = _ask(*zip(_rng.integers(0, 8, 25), _rng.integers(0, 50, 25), strict=True)).assign(note="x")
    _copies = _f.copy(), _r.copy()
    _got = as_of(_r, _f, pd.Timedelta(days=12))
    assert _f.equals(_copies[0]) and _r.equals(_copies[1]), "the arguments have been changed"
    _want = _slow(_r, _f, pd.Timedelta(days=12))
    assert np.array_equal(_ids(_got), _want, equal_nan=True), (
        "on random tables other rows are taken than by a slow search through all of them"
    )
    _score = pd.Series(_want).map(_f.set_index("report_id")["score"])
    assert np.array_equal(_got["score"].astype(float), _score, equal_nan=True), (
        "the score is not that of the row that is named"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Review a colleague's version
#
# A colleague, with an assistant's help, wrote `as_of` too. Its training set was compared with a sample
# of the service's log, and the rows agreed. There is a corner in which it looks into the future all the
# same, or misses what was there.
#
# Write `test_as_of(as_of)`: it calls the function it is given and raises (a plain `assert` will do) if
# that function breaks the contract of question 2. It must pass every correct version, whatever its make.
# It is scored on versions you do not see: by the share of the wrong ones that it catches, times the share
# of the right ones that it spares. Small tables whose answer you know are the sharpest tests; go through
# the contract clause by clause.

# %% review: as-of, 3 points
def test_as_of(as_of) -> None:
    """Raise AssertionError if as_of(requests, feed, ttl) breaks the contract of question 2.

    as_of: the function under test. Returns nothing where it is right.

    Also graded: several wrong versions, each with another mistake, and several right ones.
    """
    ### BEGIN SOLUTION
    def table(columns, *rows, index=None):
        frame = pd.DataFrame(rows, columns=columns, index=index)
        for name in set(columns) & {"valid_on", "known_at", "requested_at"}:
            frame[name] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame[name], unit="D")
        return frame

    feed = table(
        ["report_id", "applicant_id", "valid_on", "known_at", "score"],
        (1, 1, 10, 35.0, 655), (0, 1, 10, 12.0, 640), (2, 1, 10, 90.0, 500), (3, 1, 40, 43.0, 600),
        (4, 1, 16, 44.0, 580), (6, 2, 20, 20.5, 720), (5, 2, 20, 20.5, 740), (7, 3, 60, 60.0, 500))
    asked = table(
        ["applicant_id", "requested_at"],
        (3, 59.9), (1, 50.0), (1, 41.0), (2, 20.4), (2, 20.5), (1, 20.0), (1, 11.0), (2, 55.0),
        (2, 55.1), (4, 50.0), (1, 8.0), (3, 60.0), index=range(30, 18, -1))
    none = np.nan
    got = as_of(asked, feed, pd.Timedelta(days=35))
    assert list(got.index) == list(asked.index)
    for column, want in (
        ("report_id", [none, 3, 1, none, 6, 0, none, 6, none, none, none, 7]),
        ("score", [none, 600, 655, none, 720, 640, none, 720, none, none, none, 500]),
    ):
        assert np.array_equal(got[column].astype(float), want, equal_nan=True)
    ### END SOLUTION

# %% make: sources
# What the later questions are given: the rows of each window, the service's log, the right values.
_found = as_of(requests, feed, pd.Timedelta(days=120))


def _in_window(_times, _events, _days):
    """Pairs (request_id, event_id): events of the last days before each time, known by then."""
    _pairs = _times.merge(_events, on="applicant_id")
    _fits = (_pairs["at"] < _pairs["requested_at"]) & (_pairs["known_at"] <= _pairs["requested_at"])
    _fits &= _pairs["at"] >= _pairs["requested_at"] - pd.Timedelta(days=_days)
    return _pairs.loc[_fits, ["request_id", "event_id", "dollars"]].drop_duplicates(
        ["request_id", "event_id"])


def _spent(_times, _events):
    _sums = _in_window(_times, _events, 30).groupby("request_id")["dollars"].sum().round(2)
    return _times["request_id"].map(_sums).fillna(0.0)


sources = _in_window(requests, events, 30)[["request_id", "event_id"]]
_rng = np.random.default_rng(seed)
_r15 = np.where(requests["requested_at"] < "2025-03-06", 0.2, 1) * (
    requests["requested_at"] >= "2025-02-20")
_local = requests["requested_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
again = requests.assign(
    release=np.where(_rng.random(len(requests)) < _r15, "r15", "r14"),
    score=_found["score"], spent_30d=_spent(requests, events), hour=_local.dt.hour)
_midnight = requests.assign(requested_at=requests["requested_at"].dt.normalize())
_new = again["release"] == "r15"
log = again[["request_id", "release"]].assign(
    amount=again["amount"].astype("float32").astype(float),
    score=again["score"].mask(_new & again["score"].isna(), 600.0),
    spent_30d=again["spent_30d"].mask(_new, _spent(_midnight, events)),
    hour=requests["requested_at"].dt.hour)
log = log.sample(frac=1, random_state=seed)
_both = again.merge(log, on="request_id", suffixes=("", "_served"))
_features = ["amount", "score", "spent_30d", "hour"]
shares = pd.DataFrame({
    _f: ~np.isclose(_both[_f], _both[f"{_f}_served"], rtol=1e-6, atol=0, equal_nan=True)
    for _f in _features}).groupby(_both["release"]).mean().reset_index()

# %% [markdown]
# ## 4. A feature that names its rows
#
# An auditor points at one number, "spent in 30 days: 412.70", and asks which purchases that was. Whoever
# has to search for them later finds others: rows that have come in since, or copies. So turn it
# round: first write down the **rows**, then compute the number from them. A feature that is computed from
# its lineage cannot disagree with it.
#
# An event *at* the instant of the request may be its own doing, as is the fee here; a window of features
# ends before it.

# %% answer: sources
def window_rows(
    requests: pd.DataFrame, events: pd.DataFrame, window: pd.Timedelta
) -> pd.DataFrame:
    """For each request, the events of the last time before it, as far as they were known.

    requests: columns request_id (unique), applicant_id and requested_at, and perhaps others; an
    applicant may have several. events: deliveries with the columns event_id, applicant_id, at (when
    it happened), known_at (when this delivery reached us) and dollars; any order. An event may be
    delivered several times: the same event_id and contents, another known_at. window: more than 0.

    An event belongs to a request of its applicant at time t if t - window <= at < t, and one of its
    deliveries was known at or before t.

    Returns a DataFrame with the columns request_id and event_id, a row for each such pair, once, in
    any order. A request without an event has no row. The arguments are not changed.

    Example: with events on days 1, 5 and 9, all known at once, a request on day 9 and a window of 8
    days: the events of days 1 and 5.

    Also graded: both ends of the window, times of day, late and repeated deliveries, two requests of
    one applicant, ids that are not positions, nothing at all.
    """
    ### BEGIN SOLUTION
    pairs = requests[["request_id", "applicant_id", "requested_at"]].merge(events, on="applicant_id")
    at, asked = pairs["at"], pairs["requested_at"]
    inside = (at >= asked - window) & (at < asked) & (pairs["known_at"] <= asked)
    return pairs.loc[inside, ["request_id", "event_id"]].drop_duplicates()
    ### END SOLUTION

# %% test: sources, 4 points
_8D = pd.Timedelta(days=8)
_e = _bought((11, 1, 1.5, 1.5), (12, 1, 5, 5), (13, 1, 11, 11), (14, 2, 5, 5), (15, 1, 0.5, 0.5))
_got = window_rows(_asked((70, 1, 9), (71, 2, 9)), _e, _8D)
assert type(_got) is pd.DataFrame and {"request_id", "event_id"} <= set(_got.columns), (
    "window_rows returns a DataFrame with the columns request_id and event_id"
)
assert _named(_got) == [(70, 11), (70, 12), (71, 14)], (
    "each request has the events of its own applicant that lie in the window before it"
)
_e = _bought((11, 1, 5, 9.5), (12, 1, 6, 6))
assert _named(window_rows(_asked((70, 1, 9)), _e, _8D)) == [(70, 12)], (
    "an event of the window that reached us after the request could not be counted"
)
### BEGIN HIDDEN TESTS
_e = _bought((11, 1, 1.5, 2), (12, 1, 1.25, 2), (13, 1, 9.5, 9.5), (14, 1, 9.25, 9.5))
_got = _named(window_rows(_asked((70, 1, 9.5)), _e, _8D))
assert (70, 13) not in _got, (
    "an event at the very instant of the request may be the request's own doing; the window ends "
    "before it"
)
assert (70, 11) in _got, "an event exactly as old as the window is long belongs to it"
assert (70, 12) not in _got and (70, 14) in _got, (
    "the window is a time, not a number of calendar days: it begins and ends at the request's hour"
)
_e = _bought((11, 1, 5, 5), (12, 1, 6, 9.5), (11, 1, 5, 6), (12, 1, 6, 7), (13, 1, 7, 8), (13, 1, 7, 20))
_got = _named(window_rows(_asked((70, 1, 9)), _e, _8D))
assert len(_got) == len(set(_got)), "an event that is delivered twice is counted twice"
assert _got == [(70, 11), (70, 12), (70, 13)], (
    "of several deliveries of an event one that was known by the request is enough"
)
_e = _bought((11, 1, 5, 5), (12, 1, 8, 8))
_got = _named(window_rows(_asked((70, 1, 6), (71, 1, 9)), _e, _8D))
assert _got == [(70, 11), (71, 11), (71, 12)], (
    "two requests of one applicant: an event may belong to both, and each has a window of its own"
)
_e.index = [5, 5]
assert _named(window_rows(_asked((70, 1, 6), (71, 1, 9)), _e, _8D)) == _got, (
    "the index of events means nothing: rows are named by event_id"
)
_none = window_rows(_asked((70, 3, 6)), _e, _8D)
assert len(_none) == 0 and {"request_id", "event_id"} <= set(_none.columns), (
    "a request without an event has no row, and the result keeps its columns"
)
_other = quotes(loans.iloc[:60], seed + 9)
_bag = purchases(_other, seed + 9).sample(frac=1, random_state=1)
_copies = _other.copy(), _bag.copy()
_got = _named(window_rows(_other, _bag, pd.Timedelta(days=30)))
assert _other.equals(_copies[0]) and _bag.equals(_copies[1]), "the arguments have been changed"
_by = dict(list(_bag.groupby("applicant_id")))
_want = set()
for _r in _other.itertuples():
    for _v in _by[_r.applicant_id].itertuples():
        if _r.requested_at - pd.Timedelta(days=30) <= _v.at < _r.requested_at >= _v.known_at:
            _want.add((_r.request_id, _v.event_id))
assert _got == sorted(_want), "on fresh events other pairs are named than by a slow search"
### END HIDDEN TESTS

# %% given: sources
sources = pd.read_csv(f"given/sources-{seed}.csv")

# %% [markdown]
# Backwards, the rows explain one number. Forwards, they bound the damage of a bad delivery. Say that what
# reached us on March 12 was wrong: whose features are touched? Guessing by date names other requests.

# %%
dollars = events.drop_duplicates("event_id").set_index("event_id")["dollars"]
one = sources[sources["request_id"] == 400]
print(f"request 400 spent {dollars[one['event_id']].sum():.2f}, events {one['event_id'].tolist()}")

# %%
first = events.sort_values("known_at").drop_duplicates("event_id")
bad = first.loc[first["known_at"].dt.normalize() == "2025-03-12", "event_id"]
touched = sources.loc[sources["event_id"].isin(bad), "request_id"].unique()
guessed = requests.loc[requests["requested_at"].dt.normalize() == "2025-03-12", "request_id"]
print(f"{len(touched)} requests touched; of the {len(guessed)} made that day "
      f"{np.isin(guessed, touched).sum()} are among them")

# %% [markdown]
# ## 5. The same by Feast
#
# The team wants a feature store, so that training and service share one definition. Feast joins point in
# time; **your row-by-row comparison decides whether it is the join you mean.** What the page found:
#
# - it looks at event time alone, unless `get_historical_features` is told `filter_by_created_timestamp=True`
#   and the source has a `created_timestamp_column`;
# - with files as the offline store, requests whose applicant has rows, but none dated within the time
#   to live before the request (only later or only older ones), vanish from the result, and its order is not that of the requests; other columns of the entity table come back with it;
# - a time to live of 0 means forever; ties of the event time are not broken reliably. (Here there are none.)
#
# `new_store(folder)` makes a store whose registry and databases lie in `folder`. `feast` is a large import.

# %%
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64


def new_store(folder: Path) -> FeatureStore:
    """A local feature store: files offline, SQLite online."""
    return FeatureStore(config=RepoConfig(
        project="lender", provider="local", registry=str(folder / "registry.db"),
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        offline_store={"type": "file"}, entity_key_serialization_version=3))

# %% answer: feast
def feast_scores(
    requests: pd.DataFrame, feed: pd.DataFrame, ttl: pd.Timedelta, folder: Path
) -> pd.Series:
    """The score of each request by Feast's point-in-time join on both clocks.

    requests: columns request_id (unique), applicant_id and requested_at; any order, any index. No
    two requests of one applicant have the same time. feed: as in question 2, with one row for each
    applicant and valid_on. All times are UTC, without a zone. ttl: more than 0. folder: an empty
    folder, for a Parquet file and for `new_store(folder)`.

    Registers in that store a feature view with the time to live, and joins with
    `get_historical_features`. Returns a Series of float: the score that question 2 asks for, nan
    where there is none; its index are the request_ids, in the order of requests.

    Example: for request 7 of an applicant without a row the result has nan at 7.

    Also graded: versions known too late, requests without a value, two requests of one applicant,
    order, time to live, times of day.
    """
    ### BEGIN SOLUTION
    def utc(frame):
        times = frame.select_dtypes("datetime")
        return frame.assign(**times.apply(lambda t: t.dt.tz_localize("UTC")))

    utc(feed).to_parquet(folder / "feed.parquet")
    applicant = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.INT64)
    source = FileSource(path=str(folder / "feed.parquet"), timestamp_field="valid_on",
                        created_timestamp_column="known_at")
    view = FeatureView(name="bureau", entities=[applicant], ttl=ttl.to_pytimedelta(),
                       schema=[Field(name="score", dtype=Float64)], source=source)
    store = new_store(folder)
    store.apply([applicant, view])
    asked = requests[["request_id", "applicant_id", "requested_at"]]
    job = store.get_historical_features(
        entity_df=utc(asked).rename(columns={"requested_at": "event_timestamp"}),
        features=["bureau:score"], filter_by_created_timestamp=True)
    found = job.to_df().set_index("request_id")["score"]
    return found.reindex(requests["request_id"]).astype(float)
    ### END SOLUTION

# %% test: feast, 5 points
def _by_feast(_requests, _feed, _days):
    _folder, _join, _calls = Path(tempfile.mkdtemp()), FeatureStore.get_historical_features, []

    def _watched(_self, *_args, **_named_args):
        _calls.append(1)
        return _join(_self, *_args, **_named_args)

    FeatureStore.get_historical_features = _watched
    try:
        _scores = feast_scores(_requests, _feed, pd.Timedelta(days=_days), _folder)
    finally:
        FeatureStore.get_historical_features = _join
    assert _calls, "the join is to be Feast's: get_historical_features has not been called"
    return _scores, _folder


_f = _rows((1, 10, 12, 640), (1, 40, 43, 655), (2, 20, 22, 700), (3, 60, 61, 720))
_got, _folder = _by_feast(_asked((90, 2, 30), (91, 3, 65), (92, 1, 52)), _f, 30)
assert type(_got) is pd.Series, "feast_scores returns a Series"
assert new_store(_folder).list_feature_views(), (
    "the store in folder has no feature view: the join is to be Feast's"
)
assert sorted(_got.index) == [90, 91, 92], "the index are the request_ids"
assert _got[90] == 700 and _got[91] == 720 and _got[92] == 655, (
    "each request gets the newest row of its applicant that was there"
)
_got, _ = _by_feast(_asked((90, 2, 30), (91, 1, 41.5)), _f, 35)
assert _got.get(91) == 640, "a row dated before the request that came after it could not be used"
### BEGIN HIDDEN TESTS
_r = _asked((95, 3, 50), (90, 2, 90), (94, 7, 50), (92, 1, 52), (93, 1, 35))
_got, _ = _by_feast(_r, _f, 30)
assert len(_got) == 5 and {94, 95} <= set(_got.index), (
    "requests without a value are missing from the result: Feast does not return all of them"
)
assert list(_got.index) == [95, 90, 94, 92, 93], "the results are not in the order of the requests"
assert np.isnan(_got[90]), "a row that is older than the time to live is no value"
assert np.isnan(_got[94]) and np.isnan(_got[95]), (
    "an applicant without a row, or with later rows only, has no value"
)
assert _got[92] == 655 and _got[93] == 640, (
    "two requests of one applicant: each has a time, and an answer, of its own"
)
_f = _rows((1, 10, 10.25, 640), (1, 11, 11, 655), (2, 5, 9, 700))
_r = _asked((1, 1, 10.2), (2, 1, 10.25), (3, 1, 11), (4, 2, 15.02), (5, 2, 15), (6, 2, 17))
_got, _ = _by_feast(_r, _f, 10)
assert np.isnan(_got[1]) and _got[2] == 640 and _got[3] == 655, (
    "times of the feed and of the requests are UTC: near the instant of arrival the answer is off"
)
assert np.isnan(_got[6]), "a row's age counts from the date it describes, not from its arrival"
assert np.isnan(_got[4]) and _got[5] == 700, (
    "a row of exactly the age of the time to live is alive, and one that is older is not"
)
_got, _ = _by_feast(_asked((7, 2, 15.25)), _f, 10.5)
assert _got[7] == 700, "the time to live is a time, not a number of whole days"
_got, _ = _by_feast(_asked((8, 2, 9.5)), _f, 0.25)
assert np.isnan(_got[8]), "a time to live of some hours is not 0, which Feast takes for forever"
_one = feed.drop_duplicates(["applicant_id", "valid_on"])
_some = requests.sample(150, random_state=seed)
_got, _ = _by_feast(_some, _one, 45)
_pairs = _some.merge(_one, on="applicant_id")
_pairs = _pairs[(_pairs["valid_on"] <= _pairs["requested_at"])
                & (_pairs["known_at"] <= _pairs["requested_at"])
                & (_pairs["requested_at"] - _pairs["valid_on"] <= pd.Timedelta(days=45))]
_want = _pairs.sort_values("valid_on").groupby("request_id")["score"].last()
assert np.array_equal(_got, _want.reindex(_some["request_id"]), equal_nan=True), (
    "on the lender's own tables the scores are not those of the join on both clocks"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. What was served?
#
# The service logs what it gives the model; `log` has the requests above. `again` holds the same features computed
# anew from `feed` and `events`, as of each request and as the training code does: `amount` asked for,
# `score` (time to live 120 days), `spent_30d` (dollars), `hour` (on the clock in New York, where the lender is).

# %% given: log
log = pd.read_csv(f"given/log-{seed}.csv")

# %% given: again
again = pd.read_csv(f"given/again-{seed}.csv", parse_dates=["requested_at"])

# %%
display(log.head(3), again.head(3))

# %% [markdown]
# Averages do not tell: an error that goes both ways leaves them. Compare row by row. The log's rows are in
# the order in which answers went out; its numbers went through `float32`; missing is a value.

# %% answer: skew
def differing(
    log: pd.DataFrame, again: pd.DataFrame, features: list[str], tolerance: float
) -> pd.DataFrame:
    """For each logged request and feature, whether served and computed value differ.

    log, again: columns request_id (unique in each) and the features, all of them numbers, perhaps
    missing; other columns are not looked at. Rows in any order, with any index. features: names of
    columns. tolerance: relative, 0 or more: a and b agree if |a - b| <= tolerance * max(|a|, |b|).

    Two missing values agree; a missing one and a number differ. A logged request that again does
    not have differs in every feature: nobody can say what it should have been. Requests that only
    again has were not served, and are left out.

    Returns a DataFrame of bool: index request_id, in the order of log; columns features, in theirs.

    Example: served 600.00002 and computed 600.0 agree at a tolerance of 1e-6; served 600.0 and
    computed nan differ.

    Also graded: zeros, small and negative numbers, order, missing values on either side, requests
    that are missing, no request.
    """
    ### BEGIN SOLUTION
    served = log.set_index("request_id")[features].astype(float)
    right = again.set_index("request_id")[features].astype(float).reindex(served.index)
    a, b = served.to_numpy(), right.to_numpy()
    agree = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
    agree |= np.isnan(a) & np.isnan(b)
    agree[~np.isin(served.index, again["request_id"])] = False
    return pd.DataFrame(~agree, index=served.index, columns=features)
    ### END SOLUTION

# %% test: skew, 4 points
_log = pd.DataFrame({"request_id": [5, 2, 9], "x": [100.0, 250.0, np.nan], "y": [1.0, 2.0, 3.0]})
_again = pd.DataFrame({"request_id": [2, 5, 9], "x": [250.0001, 100.0, np.nan], "y": [2.0, 1.5, 3.0]})
_got = differing(_log, _again, ["x", "y"], 1e-6)
assert type(_got) is pd.DataFrame and list(_got.columns) == ["x", "y"], (
    "differing returns a DataFrame with a column for each feature"
)
assert sorted(_got.index) == [2, 5, 9], "the index are the request_ids of the log"
assert bool(_got.loc[5, "y"]) and not _got.loc[2, "y"], (
    "rows belong together by request_id, not by their place"
)
assert not _got.loc[[2, 5], "x"].any(), "a difference within the relative tolerance is none"
### BEGIN HIDDEN TESTS
assert list(_got.index) == [5, 2, 9], "the rows are in the order of the log"
assert all(str(_d) == "bool" for _d in _got.dtypes), "the result is a frame of bool"
assert not _got.loc[9, "x"], "both values are missing: the service gave what it should have"
_log = pd.DataFrame({"request_id": [1, 2, 3, 4, 5, 6, 7],
                     "x": [600.0, np.nan, 0.0, 1e-9, -5.0, 0.0, 1000.0]}, index=[4, 4, 2, 1, 0, 9, 8])
_again = pd.DataFrame({"request_id": [7, 6, 5, 4, 3, 2, 1, 0],
                       "x": [1001.0005, 1e-12, 5.0, 2e-9, 0.0, 700.0, np.nan, 3.0]})
_copies = _log.copy(), _again.copy()
_got = differing(_log, _again, ["x"], 1e-3)["x"]
assert _log.equals(_copies[0]) and _again.equals(_copies[1]), "the arguments have been changed"
assert bool(_got[1]) and bool(_got[2]), (
    "a number where there should be none, or none where there should be one, is a difference"
)
assert not _got[3], "two zeros agree"
assert bool(_got[4]) and bool(_got[6]), (
    "small numbers: the tolerance is relative, and nothing is added to it"
)
assert bool(_got[5]), "numbers of opposite sign differ by twice their size"
assert not _got[7], "the tolerance is a share of the larger of the two"
assert not differing(_again, _log, ["x"], 1e-3)["x"][7], (
    "the tolerance is a share of the larger of the two"
)
assert 0 not in _got.index, "a request that was never served is not in the log"
_got = differing(_log, _again.iloc[:3], ["x"], 1e-3)
assert list(_got.index) == [1, 2, 3, 4, 5, 6, 7], "the result has a row for each logged request"
assert bool(_got.loc[2, "x"]), (
    "a logged request that cannot be computed again differs, even if a value is missing"
)
assert not differing(_log, _log, ["x"], 0.0).to_numpy().any(), (
    "a log agrees with itself, at a tolerance of 0 too"
)
assert len(differing(_log.iloc[:0], _again, ["x"], 0.1)) == 0, "no request, no row"
### END HIDDEN TESTS

# %% given: shares
shares = pd.read_csv(f"given/shares-{seed}.csv")

# %% [markdown]
# By release, the share of requests in which each feature differs (tolerance 1e-6):

# %%
print("\n".join(f"{name:10} mean served {log[name].mean():9.2f}   computed {again[name].mean():9.2f}"
                for name in ("amount", "score", "spent_30d", "hour")))
shares.round(3)

# %% [markdown]
# ## 7. Prove it
#
# Three features differ, and who says *why* has to show it: **an explanation is proven when it reproduces the
# log, to the last row.** Write what the service does. Look at differing rows, form a hypothesis, test it
# on all. The notes on the releases help, as such notes do, in part:
#
# > **r13** New hosts, all set to the same clock.
# >
# > **r14** No functional change.
# >
# > **r15** (a fifth of the requests from February 20 on, all from March 6 on) Spending is no longer summed
# > up at each request, which was slow: a job fills a table at 0:00 UTC, from what is there by then. Requests
# > without a usable bureau score no longer make the pricing fail.

# %%
pairs = log.merge(again, on=["request_id", "release"], suffixes=("_served", ""))
pairs[["release", "requested_at", "score_served", "score", "spent_30d_served", "spent_30d",
       "hour_served", "hour"]].head(8)

# %% answer: served
def as_served(again: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """What the service served, with its faults.

    again: one row per request, any order and index: request_id, applicant_id, requested_at,
    release ("r14" or "r15"), and the right values amount, score (nan if there is none), spent_30d
    and hour. events: the card purchases, as in question 4.

    Returns a DataFrame with the columns request_id, amount, score, spent_30d and hour, the rows in
    the order of again, as the service logged them; a relative tolerance of 1e-6 is allowed.

    Example: for the tables of this lab the result agrees with `log` in every row.

    Also graded: other requests and purchases, both releases, summer and winter, both ends of the
    table's window, late and repeated deliveries.
    """
    ### BEGIN SOLUTION
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
        "hour": again["requested_at"].dt.hour,
    })
    ### END SOLUTION

# %% test: served, 5 points
def _off(_claimed, _served):
    """Share of the requests in which a claim does not agree with what was served, by feature."""
    assert type(_claimed) is pd.DataFrame, "as_served returns a DataFrame"
    _names = ["amount", "score", "spent_30d", "hour"]
    assert {"request_id", *_names} <= set(_claimed.columns), (
        "the result has the columns request_id, amount, score, spent_30d and hour"
    )
    assert len(_claimed) == len(_served), "the result has a row for each request"
    _a = _claimed.set_index("request_id")[_names].astype(float)
    _b = _served.set_index("request_id")[_names].astype(float).reindex(_a.index)
    _same = np.isclose(_a, _b, rtol=2e-6, atol=1e-6, equal_nan=True)
    return dict(zip(_names, 1 - _same.mean(axis=0), strict=True))


_wrong = _off(as_served(again, events), log)
assert _wrong["amount"] == 0, "amount was served as it should be, but for float32"
assert _wrong["hour"] < 0.5, (
    "hour is not yet reproduced: by how many hours do served and computed value differ, in February "
    "and at the end of March?"
)
assert _wrong["score"] == 0, (
    "score is not yet reproduced: which requests differ, and what was served to them?"
)
assert _wrong["spent_30d"] < 0.06, (
    "spent_30d is not yet reproduced: which purchases could the table hold, and when was it filled?"
)
### BEGIN HIDDEN TESTS
assert _wrong["hour"] == 0, (
    "hour is reproduced for a part of the year only: how far apart two clocks are changes"
)
assert _wrong["spent_30d"] == 0, (
    "spent_30d is reproduced for most requests only: compare those that are left with their "
    "purchases, at both ends of the window, and with when these arrived and how often"
)


def _one(_release, _score):
    """Features of one request at noon of day 40, whose purchases are 1, 2, 4 ... dollars."""
    _day = pd.DataFrame([(70, 1, 40.5)], columns=["request_id", "applicant_id", "requested_at"])
    _day["requested_at"] = _DAY0 + pd.to_timedelta(_day["requested_at"], unit="D")
    _day = _day.assign(release=_release, amount=1.0, score=_score, spent_30d=377.0, hour=7)
    _bag = _bought((1, 1, 39.5, 39.5), (2, 1, 10.25, 10.25), (3, 1, 9.75, 9.75), (4, 1, 39.9, 40.1),
                   (5, 1, 40.25, 40.25), (6, 1, 20, 20), (6, 1, 20, 21), (7, 1, 39.6, 40.6),
                   (7, 1, 39.6, 39.7), (8, 2, 30, 30), (9, 1, 40.125, 40.125))
    _bag["dollars"] = 2.0 ** (_bag["event_id"] - 1)
    return as_served(_day, _bag).iloc[0]


assert _one("r14", np.nan)["score"] != 600 and _one("r14", 640.0)["score"] == 640, (
    "under r14, with other requests too, score is served as it is"
)
assert _one("r15", np.nan)["score"] == 600 and _one("r15", 640.0)["score"] == 640, (
    "under r15, with other requests, score is not what is served"
)
assert _one("r14", 640.0)["spent_30d"] == 377, "under r14 spent_30d is served as it should be"
_bits = int(_one("r15", 640.0)["spent_30d"])
assert _bits & 3 == 3 and not _bits & 4, (
    "the table's window: where does it begin if it was filled at 0:00 UTC?"
)
assert not _bits & (16 + 256), "a purchase of the same day cannot be in a table of the night before"
assert not _bits & 8, "a purchase that arrived after the table was filled cannot be in it"
assert _bits & 64, "of several deliveries one is enough that arrived before the table was filled"
assert _bits < 1024 and _bits & 32 and not _bits & 128, "each purchase counts once, for its applicant"


def _spends(_events, _who, _until):
    _e = _events[_events["applicant_id"] == _who]
    _e = _e[(_e["at"] >= _until - pd.Timedelta(days=30)) & (_e["at"] < _until)
            & (_e["known_at"] <= _until)]
    return _e.drop_duplicates("event_id")["dollars"].sum()


def _service(_again, _events):
    _served = _again.copy()
    for _i, _r in _again.iterrows():
        _served.loc[_i, "hour"] = _r["requested_at"].hour
        if _r["release"] == "r15":
            _m = _r["requested_at"].normalize()
            _served.loc[_i, "spent_30d"] = _spends(_events, _r["applicant_id"], _m)
            _served.loc[_i, "score"] = 600.0 if np.isnan(_r["score"]) else _r["score"]
    return _served


_rng = np.random.default_rng(seed + 3)
_other = quotes(lender.applications(60, seed + 3, start="2025-10-15", days=40), seed + 3)
_bag = purchases(_other, seed + 3).sample(frac=1, random_state=2)
_other["release"] = _rng.choice(["r14", "r15"], len(_other))
_other["score"] = 650.0 + _rng.integers(0, 90, len(_other))
_other["score"] = _other["score"].mask(_rng.random(len(_other)) < 0.3)
_other["spent_30d"] = [
    _spends(_bag, _r.applicant_id, _r.requested_at) for _r in _other.itertuples()
]
_there = _other["requested_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
_other["hour"] = _there.dt.hour
_other = _other.sample(frac=1, random_state=3)
_copies = _other.copy(), _bag.copy()
_claim = as_served(_other, _bag)
assert _other.equals(_copies[0]) and _bag.equals(_copies[1]), "the arguments have been changed"
assert list(_claim["request_id"]) == list(_other["request_id"]), "the rows are in the order of again"
_wrong = _off(_claim, _service(_other, _bag))
assert _wrong["hour"] == 0, "on other requests, in another season, hour is not what is served"
assert _wrong["score"] + _wrong["spent_30d"] == 0, (
    "on other requests score or spent_30d is not what is served"
)
assert len(as_served(_other.iloc[:0], _bag)) == 0, "no request, no row"
### END HIDDEN TESTS

# %% [markdown]
# ## 8. Log or recompute?
#
# The three faults are known now. Four facts for the decision that follows:
#
# - A label takes 12 months. The lender gets about 300 requests a month.
# - The bureau's rows are kept as they came, with `known_at`, since January 2024.
# - Until October 1, 2024, the load job of the purchases replaced its table each night, and stamped every row
#   with that night. Since then it appends, and `known_at` is true. The last table before is still there.
# - The service's log keeps the feature values and the release; not the rows that they were computed from.
#
# Three uses want features of past requests: **(1)** the training set of the next model, with the same
# features; **(2)** a training set with a new feature, `spent_90d`, on the requests since July 2024; **(3)** the
# auditor's question of what the model was given when it priced one request of March 20.

# %% written: log, 4 points [markdown]
# In at most 250 words: for each of the three uses, log or recompute (or both), with the reason, and with at
# least two numbers from `leak` or `shares`. Say what your choice for (1) learns from the requests under r15,
# from which request on (2) can be computed safely, and what you would add to the log now, so that the next
# question is easier.
#
# ### BEGIN SOLUTION
# (1) Recompute, on both clocks, once the service is mended: then training and service agree. The log holds
# what the faults made: `hour` differs in every request of both releases, `spent_30d` in 22 % of
# r15's (`shares`), and under r15 every missing score reads 600. A model trained on the log would learn them,
# which would be right only if the service kept them. Recomputing by date is no choice: in `leak` 21 %
# of its values are late, and its AUC is higher than that of both clocks, which is what the service has.
#
# (2) Only recomputing can fill the past: nobody logged it, and a log begun today has labels in twelve months
# at the earliest. The requests since October 2024 are safe, although their windows reach back to July: what
# the last full table holds was there on October 1, and is stamped so. For the requests before it the stamps are
# false: by them nothing was known, and `spent_90d` would be 0; without them late purchases would count. Leave
# those requests out.
#
# (3) The log. The auditor asks what the model was given, faults included; a recomputation says what it should
# have been given. I would show both, and the difference: r15, the table of midnight, UTC.
#
# To the log I would add for each feature the version of its definition and the ids of its rows (question 4),
# and recompute a sample each day: without skew the share of differing rows is zero.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# Four elements: (a) (1) and (3) are told apart: the log is evidence of what **was** given, and for training
# either recomputed values with a mended service, or the log with the faults kept on purpose, with the reason;
# the consequence for r15's rows is named; (b) (2): only recomputing, and only for requests from October 2024
# on, because at the requests before it the arrival times are false (who starts in January 2025, to have whole windows
# with true stamps, is cautious, and right if the answer says so); (c) two numbers from the tables, used as
# reasons; (d) an addition to the log that would help (row ids, version of the definition, time of
# materialization, a daily comparison).
#
# **4: all four, and they fit together.** Anchor: the model answer; logging for (1) is as good where the
# faults stay in the service for now and the answer says so.
#
# **3: three of four, or all with the date of (2) missing or without a reason.** Anchor: "(1) recompute on both
# clocks: under r15 (value) of the rows of spent_30d in the log differ, by date (value) are late. (2) recompute,
# on both clocks, for all requests since July. (3) the log, because it is what was used. I would log the row
# ids." (By the stamps nothing was known at a request before October 2024.)
#
# **2: two of the four.** Anchor: "(1) recompute, (3) the log: the log is what was given, and under r15 (value)
# of its spent_30d differ, by date (value) are late. (2) the log, from now on."
#
# **1: one of the four, or one choice for all three, with a reason or a number.** Anchor: "Always log, because then training and
# serving cannot differ; `hour` differs in all rows."
#
# **0: no choice, or reasons that contradict the tables.** Anchor: "Recompute everything by date; the dates
# are correct, and the AUC is the highest."
# ### END RUBRIC

# %% [markdown]
# ## What you have built, and where it breaks
#
# A join that asks what was known, checked against a slow search and against Feast; a feature that names its
# rows; a comparison that needs no threshold, and three faults proven by code that reproduces them.
#
# - **Known is not yet served.** A row that arrived at six is in the online store after the next
#   materialization; a margin, or the time of materialization, belongs into the join.
# - **`known_at` has to be true.** A table that is rewritten each night forgets when it learned.
# - **Equal is not right.** Both paths may share a mistake; the comparison proves that they agree.
# - **An explanation is proven on what was logged.** A fault that no logged request has met stays unseen.
# - **Feast's answer depends on its version** and its offline store: keep the comparison as a test.
#
# You would be asked aloud: *Every date in your training set lies before its request. Why is that not
# enough?* And: *Averages of served and computed features agree. What do you check next?*
#
# **Stretch (not graded).** Materialize your feature view to the online store as of March 1, ask it for all
# applicants, and compare with `as_of` at that instant and the same time to live. Which answers differ,
# and who has to check the age?

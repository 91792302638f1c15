# %% [markdown]
# # A table with a history: gaps, units and a model that is judged tomorrow
#
# **Situation.** The lender's next scoring model was trained by a colleague in a week. Its promised
# AUC was splendid, and the first months of real use were not. The table behind it has incomes in two
# units, codes that look like scores, and gaps that came about in four ways; the notebook clipped the
# first, kept the second, filled the third with means, and split at random. You do the work again.
#
# **You build** the preparation of this table: what may be learned from when; broken values mended by
# their cause; an alarm for the next delivery with a wrong unit; an estimate that admits what is
# missing; a code for shops and a pipeline that leak nothing. You end by defending, before the risk
# committee, what you did about a column whose values are missing because of what they are.
#
# - **Aims.** Split by what is known when; tell errors from unusual customers; treat a gap by the way it
#   came about; state a false-alarm rate and keep it; encode by cross-fitting; put everything that
#   learns into one pipeline; find a leak by what a function does, not by how it looks.
# - **You need** pandas, scikit-learn's pipelines; the pages *Missing values*, *Cleaning*, and *Feature
#   engineering*.
# - **Time.** About 90 minutes; 34 points, 8 questions.
# - **Budget.** The whole notebook runs within 30 s and 1.5 GB on one core, without network.
#
# **Help from AI tools.** Use them as you would at work: to recall an API, to explain an error, to
# draft code. You answer for what you hand in; question 6 practices what that takes. Write the last
# answer yourself.
#
# Run the cells in order. Below each question, a cell of tests tells you at once about the obvious
# mistakes; more tests run when the lab is graded. A question that fails does not block the next.

# %% tags=["parameters"]
seed = 20260101
rows = 4500

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from lender import applications
from lender.intake import intake

plt.style.use("lender.course")
warnings.simplefilter("ignore")  # that a solver has not converged is no wrong answer here
table = intake(rows, seed).filter(regex="^(?!true_)")

# %% [markdown]
# ## The table
#
# Three years of applications, 2023 to 2025. `label_on` is the day on which the outcome (`defaulted`)
# becomes known.

# %%
table.drop(columns=["application_id", "age", "housing", "term_months"]).head(4)

# %% [markdown]
# ## 1. What is known today, worked as an example
#
# It is January 1, 2025, and a model has to be trained. It will be judged on people who apply *later*.
# The colleague drew a fifth of the rows at random and called them the test. Three kinds of rows:

# %%
today = pd.Timestamp("2025-01-01")
pd.Series({
    "applied and known by today": (table["label_on"] <= today).sum(),
    "applied, outcome still open": ((table["applied_on"] <= today) & (table["label_on"] > today)).sum(),
    "not yet applied": (table["applied_on"] > today).sum(),
})

# %% [markdown]
# A random test mixes all three. A model that learned from it has seen outcomes which nobody has on
# that day, and is judged on the people of the years that it learned from. The split that happens at
# work asks, for each row, **when was it known?** So:
#
# | rows | what they are for |
# | --- | --- |
# | `label_on` is `today` or earlier | the past: learn from them |
# | applied after `today` | the future: judge on them, once their outcome is known |
# | the others | neither. Their outcome is not known today, and they are not new |
#
# Do not count back a year instead of reading `label_on`: at work a default is known on its day, a
# repayment only at the end.

# %% answer: split-by-time
def split_by_time(
    frame: pd.DataFrame, today: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a model may learn from on a day, and what it will be judged on.

    frame: applications with the columns applied_on and label_on (datetime64), in any order and with
    any index; no label_on is before its applied_on. today: a day.

    Returns (past, future). past: the rows with a label_on of today or earlier. future: those that
    applied after today. Both keep the order, the index and all columns; frame is not changed.

    Example: of two rows that applied on 2024-01-01 and 2024-06-01, known a year later, the first is
    past on 2025-01-01, the second is in neither part.

    Also graded: rows out of order, outcomes that come after different times, days exactly today.
    """
    ### BEGIN SOLUTION
    past = frame["label_on"] <= today
    future = frame["applied_on"] > today
    return frame[past].copy(), frame[future].copy()
    ### END SOLUTION

# %% test: split-by-time, 3 points
_parts = split_by_time(table, today)
assert type(_parts) is tuple and len(_parts) == 2, "split_by_time returns two parts, past and future"
_past, _future = _parts
assert type(_past) is pd.DataFrame and type(_future) is pd.DataFrame, "both parts are DataFrames"
assert set(_past.columns) == set(table.columns), "the parts keep all columns"
assert len(_past) and (_past["applied_on"] <= today).all(), (
    "the past holds applications that are made after today"
)
assert len(_future) and (_future["applied_on"] > today).all(), (
    "the future holds people who have applied already"
)
assert (_past["label_on"] <= today).all(), (
    "the past holds rows whose outcome is not known today: when does a model learn it?"
)
### BEGIN HIDDEN TESTS
_fresh = intake(300, seed + 1)
_mixed = _fresh.sample(frac=1, random_state=0)
assert all(
    set(_a.index) == set(_b.index)
    for _a, _b in zip(split_by_time(_fresh, today), split_by_time(_mixed, today), strict=True)
), "the same rows in another order give other parts: look at each row's own days"
_f = pd.DataFrame({
    "applied_on": pd.to_datetime(["2024-12-31", "2024-03-01", "2025-01-01", "2025-01-02",
                                  "2022-01-01", "2024-01-02"]),
    "label_on": pd.to_datetime(["2025-12-31", "2024-05-01", "2025-02-01", "2025-03-01",
                                "2023-01-01", "2025-01-01"]),
    "x": range(6),
}, index=list("fbdace"))
_copy = _f.copy()
_past, _future = split_by_time(_f, pd.Timestamp("2025-01-01"))
assert _f.equals(_copy), "the frame that was passed in has been changed"
assert 0 not in list(_past["x"]) and 2 not in list(_past["x"]), (
    "the past holds rows whose outcome is not known today: when does a model learn it?"
)
assert 0 not in list(_future["x"]) and 2 not in list(_future["x"]), (
    "rows whose outcome is still open are not new applicants: they belong to neither part"
)
assert 1 in list(_past["x"]), "an outcome may be known sooner than after a year: read label_on"
assert 5 in list(_past["x"]), "an outcome that becomes known today is known"
assert list(_past["x"]) == [1, 4, 5] and list(_future["x"]) == [3], (
    "the rows of each part are not in the order of the frame, or not those of the contract"
)
assert list(_past.index) == ["b", "c", "e"], "the parts keep the index of the frame"
for _day in pd.to_datetime(["2024-06-30", "2025-09-01"]):
    _past, _future = split_by_time(_mixed, _day)
    assert _past.equals(_mixed[_mixed["label_on"] <= _day]), (
        "on fresh data the past differs from the rows with an outcome known by the day"
    )
    assert _future.equals(_mixed[_mixed["applied_on"] > _day]), (
        "on fresh data the future differs from the rows that apply after the day"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Mend by the cause
#
# The mean income is far above the median, some bureau scores lie above the scale (which ends at 850),
# and four columns have gaps.

# %%
figure, axes = plt.subplots(1, 4, sharey=True, figsize=(7.2, 2.4))
for axis, (source, part) in zip(axes, table.groupby("source"), strict=True):
    axis.hist(np.log10(part["income"].dropna()), np.linspace(2.6, 6, 35), log=True)
    axis.set(title=source, xlabel="log10 of income")
_ = axes[0].set_ylabel("rows")

# %%
pd.DataFrame({
    "missing (%)": 100 * table.isna().mean(),
    "lowest": table.min(numeric_only=True),
    "median": table.median(numeric_only=True),
    "highest": table.max(numeric_only=True),
}).loc[["income", "bureau_score", "employment_years", "debt_ratio", "card_use"]].round(1)

# %% [markdown]
# Asked around, people say how the columns come about:
#
# | column | story | so |
# | --- | --- | --- |
# | `income` | per month, but one of the partners' forms asks for the year; business owners earn many times as much, and really do | the unit belongs to the **source**, not to a value |
# | `income`, gaps | applicants may leave it out; who earns little likes to | not at random (MNAR): say that it was left out, and invent nothing |
# | `bureau_score` | the bureau sends 999 where it has no record: the young, few accounts | a code, no score; at random given what is on file (MAR) |
# | `card_use` | share of the card's limit in use; who has no card has none | no gap at all: there is nothing to be known |
# | `employment_years` | often empty at cedar, whose form asks for it last | at random given the partner (MAR): leave it to the pipeline |
# | `card_use`, `debt_ratio`, other gaps | a server lost 3 % | completely at random (MCAR): leave them to the pipeline |
#
# What of this can the table confirm? Whether a gap goes with a column on file:

# %%
def gaps_with(column: pd.Series, yes: pd.Series) -> tuple[float, float]:
    """Percent missing where a condition holds, and where it does not."""
    return 100 * column[yes].mean(), 100 * column[~yes].mean()


recorded = table["bureau_score"] != 999
pd.DataFrame({
    "999 | under 25": gaps_with(table["bureau_score"] == 999, table["age"] < 25),
    "card_use | no card": gaps_with(table["card_use"].isna(), table["cards"] == 0),
    "employment | cedar": gaps_with(table["employment_years"].isna(), table["partner"] == "cedar"),
    "debt | loan above 10,000": gaps_with(table["debt_ratio"].isna(), table["loan_amount"] > 10_000),
    "income | score below 660": gaps_with(table["income"].isna()[recorded],
                                          table["bureau_score"][recorded] < 660),
}, index=["yes", "no"]).T.round(1)

# %% [markdown]
# The first three stories are borne out, and nothing speaks against the fourth. The last line fits two
# stories: that the score decides (MAR), or that the income itself does and incomes go with scores (MNAR).
# What would tell them apart stands in the empty fields. Here the people who know the form decide.
#
# The usual repairs are wrong in two directions: a rule about values (*above six times the median is a
# year's income*) divides the business owners' incomes, and leaves a low yearly income as a good
# monthly one.

# %% answer: mend
def mend(frame: pd.DataFrame, usual: float) -> pd.DataFrame:
    """The table with its broken values mended, each by its cause.

    frame: columns source, income, bureau_score, cards, card_use, and others. usual: the median
    income in USD a month, known from sound sources.

    Returns a new frame with the same rows in the same order, in which
    income          is per month: a source has one unit, so that all its incomes are too large by one
                    factor, 1, 12 or 100: that for which the source's median (of incomes on file),
                    divided by it, comes nearest to usual as a ratio, above or below. Sources with
                    fewer than 20 incomes on file are left as they are;
    bureau_score    is NaN where the bureau sent 999;
    card_use        is 0 where cards is 0;
    no_card         (new) is 1 where cards is 0, else 0;
    income_missing  (new) is 1 where income is missing, else 0.
    Nothing else changes: no row goes, no value is clipped, no other gap is filled. frame is not
    changed. Applied to its own result it changes nothing any more.

    Example: incomes 24,000 to 60,000 in one source and 2,000 to 5,000 in another, usual 3,000: the
    first are divided by 12, the second stay.

    Also graded: very rich and very poor people in each source, a factor of 100, small sources, gaps,
    999 in other columns.
    """
    ### BEGIN SOLUTION
    incomes = frame["income"].groupby(frame["source"])
    medians = incomes.median()[incomes.count() >= 20]
    factors = np.array([1, 12, 100])
    away = np.abs(np.log(medians.to_numpy()[:, None] / factors / usual))
    factor = pd.Series(factors[away.argmin(axis=1)], medians.index)
    no_card = frame["cards"] == 0
    return frame.assign(
        income=frame["income"] / frame["source"].map(factor).fillna(1),
        bureau_score=frame["bureau_score"].mask(frame["bureau_score"] == 999),
        card_use=frame["card_use"].mask(no_card, 0.0),
        no_card=no_card.astype(int),
        income_missing=frame["income"].isna().astype(int),
    )
    ### END SOLUTION

# %% test: mend, 5 points
_got = mend(table, 3500.0)
assert type(_got) is pd.DataFrame, "mend returns a DataFrame"
assert len(_got) == len(table), "mend keeps every row: dropping rows is no repair"
assert set(_got.columns) == set(table.columns) | {"no_card", "income_missing"}, (
    "the columns are those of the frame, and no_card and income_missing"
)
assert not (_got["bureau_score"] == 999).any(), "999 is the bureau's code for no record"
assert _got["no_card"].isin([0, 1]).all() and _got["income_missing"].isin([0, 1]).all(), (
    "no_card and income_missing are 0 or 1"
)
assert (_got.loc[table["cards"] == 0, "card_use"] == 0).all(), (
    "who has no card uses nothing of a limit: 0, not a guess"
)
assert 2000 < _got.loc[table["source"] == "birch-2", "income"].median() < 6000, (
    "one source still sends its incomes in another unit"
)
_months = np.r_[np.linspace(2000, 5000, 25), 40_000.0]
_years = np.r_[np.linspace(24_000, 60_000, 25), 9_600.0]
_f = table.head(52).assign(source=["a"] * 26 + ["b"] * 26, income=np.r_[_months, _years])
_income = mend(_f, 3000.0)["income"].to_numpy()
assert np.allclose(_income[:26], _months), (
    "very high incomes of business owners have been changed: they are no errors"
)
assert np.allclose(_income[26:], _years / 12), (
    "low yearly incomes look like good monthly ones: the unit belongs to the source, whatever the value"
)
### BEGIN HIDDEN TESTS
def _made(_incomes, **_more):
    """A frame from incomes by source."""
    _f = pd.DataFrame([(_s, float(_x)) for _s, _xs in _incomes.items() for _x in _xs],
                      columns=["source", "income"])
    return _f.assign(bureau_score=700.0, cards=1, card_use=0.5, **_more)


_few = np.linspace(2000, 5000, 25)
_f = _made({"a": np.r_[999.0, _few]}, loan_amount=999.0)
_got = mend(_f, 3500.0)
assert _got["income"].iloc[0] == 999 and (_got["loan_amount"] == 999).all(), (
    "999 is a code in the bureau's column only; an income or a loan may be 999"
)
_raw = intake(1500, seed + 7).sample(frac=1, random_state=1)
_copy = _raw.copy()
_got = mend(_raw, 3500.0)
assert _raw.equals(_copy), "the frame that was passed in has been changed"
assert list(_got.index) == list(_raw.index), "rows and index stay as they were"
_there = _raw["income"].notna()
_rich = _there & (_raw["true_income"] > 20_000)
_poor = _there & (_raw["source"] == "birch-2") & (_raw["true_income"] < 2000)
assert np.allclose(_got.loc[_rich, "income"], _raw.loc[_rich, "true_income"]), (
    "very high incomes of business owners have been changed: they are no errors"
)
assert np.allclose(_got.loc[_poor, "income"], _raw.loc[_poor, "true_income"]), (
    "low yearly incomes look like good monthly ones: the unit belongs to the source, whatever the value"
)
assert np.allclose(_got.loc[_there, "income"], _raw.loc[_there, "true_income"]), (
    "some incomes on file are not what people earn a month"
)
assert _got["income"].isna().equals(_raw["income"].isna()), (
    "incomes that were left out are still unknown, and no other income is"
)
assert (_got["income_missing"] == _raw["income"].isna()).all(), (
    "income_missing says where the income was left out"
)
assert (_got["no_card"] == (_raw["cards"] == 0)).all(), "no_card says who has no card"
_gap = _raw["card_use"].isna() & (_raw["cards"] > 0)
assert _gap.any() and _got.loc[_gap, "card_use"].isna().all(), (
    "a card whose use was lost is not an unused card: that gap stays"
)
_rest = [_c for _c in _raw if _c not in ("income", "bureau_score", "card_use")]
assert _got[_rest].equals(_raw[_rest]), "other columns have been changed, or their gaps filled"
_score = _raw["bureau_score"]
assert _got["bureau_score"].equals(_score.mask(_score == 999)), (
    "bureau scores other than 999 have been changed, or 999 has been filled"
)
_again = mend(_got, 3500.0)
assert _again[list(_got)].equals(_got), "mending twice must change nothing more"
_f = _made({"a": 100 * _few, "b": 12 * _few[:19], "c": _few, "d": np.r_[_few, 9e6, 9e6]})
_by = mend(_f, 3500.0)["income"].groupby(_f["source"]).median()
assert np.isclose(_by["a"], 3500), "cents for dollars: a source may be off by a factor of 100"
assert np.isclose(_by["b"], 12 * np.median(_few[:19])), (
    "19 incomes say too little about a source's unit: it is left as it is"
)
assert np.isclose(_by["d"], np.median(np.r_[_few, 9e6, 9e6])), (
    "two billionaires in a source change its mean, not its unit"
)
_f = _made({"a": 12 * np.r_[_few[:19], [np.nan] * 9], "b": 12 * _few[:20], "c": _few})
_f.loc[0, "bureau_score"] = 998.0
_got = mend(_f, 3500.0)
assert np.allclose(_got["income"][:19], _f["income"][:19]), (
    "only incomes on file count: gaps say nothing about a unit"
)
assert np.allclose(_got["income"][28:48], _few[:20]), "20 incomes on file are enough"
assert _got["bureau_score"].iloc[0] == 998, "the code is 999, no other value"
_f = _made({"a": 30 * 3500 * np.linspace(0.9, 1.1, 21)})
assert np.isclose(mend(_f, 3500.0)["income"].median(), 30 * 3500 / 12), (
    "nearest as a ratio: 2.5 times too much is nearer than 3.3 times too little"
)
### END HIDDEN TESTS

# %% make: mended
# The table as it should be, less the rows between past and future; studies of what follows.
def _mended(_frame):
    _no_card = _frame["cards"] == 0
    _factor = np.where(_frame["source"] == "birch-2", 12, 1)
    return _frame.assign(
        income=_frame["income"] / _factor,
        bureau_score=_frame["bureau_score"].mask(_frame["bureau_score"] == 999),
        card_use=_frame["card_use"].mask(_no_card, 0.0),
        no_card=_no_card.astype(int),
        income_missing=_frame["income"].isna().astype(int),
    )


_known = table["label_on"] <= today
_new = table["applied_on"] > today
mended = _mended(table)[_known | _new].drop(columns=["application_id", "source", "partner"])
mended.insert(0, "part", np.where(_known[_known | _new], "past", "future"))

_numbers = ["age", "income", "employment_years", "debt_ratio", "bureau_score", "open_accounts",
            "cards", "card_use", "loan_amount", "term_months", "no_card", "income_missing"]


def _plain(_extra=()):
    """A logistic regression on the numbers, gaps filled by the median."""
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())


def _own(_past, _new):
    _rate = _past["defaulted"].groupby(_past["shop"]).mean()
    return _past["shop"].map(_rate), _new["shop"].map(_rate).fillna(_past["defaulted"].mean())


def _shrunk(_past, _shop):
    _bad = _past["defaulted"].groupby(_past["shop"]).agg(["sum", "count"])
    _p = _past["defaulted"].mean()
    _rate = (_bad["sum"] + 10 * _p) / (_bad["count"] + 10)
    return _shop.map(_rate).fillna(_p)


def _crossed(_past, _new):
    _fold = np.random.default_rng(0).permutation(np.arange(len(_past)) % 5)
    _code = pd.concat([_shrunk(_past[_fold != _k], _past["shop"][_fold == _k]) for _k in range(5)])
    return _code.loc[_past.index], _shrunk(_past, _new["shop"])


def _promise(_seed, _encode):
    """AUC promised by five-fold cross-validation of the coded past, and AUC in the future."""
    _frame = _mended(intake(9000, _seed))
    _past, _new = _frame[_frame["label_on"] <= today], _frame[_frame["applied_on"] > today]
    _a, _b = _past[_numbers], _new[_numbers]
    if _encode is not None:
        _code, _new_code = _encode(_past, _new)
        _a, _b = _a.assign(code=_code), _b.assign(code=_new_code)
    _folds = StratifiedKFold(5, shuffle=True, random_state=0)
    _cv = cross_val_score(_plain(), _a, _past["defaulted"], cv=_folds, scoring="roc_auc").mean()
    _score = _plain().fit(_a, _past["defaulted"]).predict_proba(_b)[:, 1]
    return _cv, roc_auc_score(_new["defaulted"], _score)


_codes = {"no shop": None, "rate of the shop's own rows": _own, "cross-fitted, shrunk": _crossed}
_found = {_name: np.array([_promise(seed + 100 + _s, _code) for _s in range(5)])
          for _name, _code in _codes.items()}
_auc = np.array(list(_found.values()))
_gain = _auc - _auc[:1]  # against no shop, paired by table
_half = 2.776 * _gain.std(axis=1, ddof=1) / np.sqrt(5)
promises = pd.DataFrame({"code": list(_found)})
for _i, _name in enumerate(("promised", "future")):
    promises[_name] = _auc[:, :, _i].mean(axis=1)
    promises[f"{_name}_gain"] = _gain[:, :, _i].mean(axis=1)
    promises[f"{_name}_half"] = _half[:, _i]



def _report(_frame):
    """Typical (geometric mean) income of all applicants by treatment, with 95 % intervals."""
    _rng = np.random.default_rng([seed, 5])
    _log = np.log(_frame["income"]).to_numpy()
    _others = np.column_stack([np.ones(len(_frame)), _frame["bureau_score"].fillna(660),
                               np.log(_frame["loan_amount"]), np.log(_frame["age"] - 17)])

    def _like_others(_y, _x, _lower):
        _there = ~np.isnan(_y)
        _b = np.linalg.lstsq(_x[_there], _y[_there])[0]
        return np.where(_there, _y, _x @ _b + np.log(1 - _lower)).mean()

    def _row(_name, _value, _error):
        _ends = np.exp(_value + 1.96 * _error * np.array([-1, 0, 1]))
        return dict(zip(("treatment", "low", "typical", "high"), (_name, *_ends), strict=True))

    _there = _log[~np.isnan(_log)]
    _found = [
        _row("only those on file", _there.mean(), _there.std() / np.sqrt(len(_there))),
        _row("filled with the mean", _there.mean(), _there.std() * np.sqrt(len(_there)) / len(_log)),
    ]
    _error = np.std([_like_others(_log[_i], _others[_i], 0)
                     for _i in _rng.integers(0, len(_log), (100, len(_log)))])
    for _lower in (0, 0.2, 0.4, 0.6):
        _name = "like others" + (f", {_lower:.0%} lower" if _lower else " on file")
        _found.append(_row(_name, _like_others(_log, _others, _lower), _error))
    _gone = np.flatnonzero(np.isnan(_log))
    _said = np.log(_frame["true_income"].to_numpy()[_rng.choice(_gone, 100, replace=False)])
    _p = len(_gone) / len(_log)
    _apart = _p * (1 - _p) * (_said.mean() - _there.mean()) ** 2 / len(_log)
    _known = (1 - _p) ** 2 * _there.var() / len(_there) + _p**2 * _said.var(ddof=1) / 100
    _found.append(_row("100 of them called", (1 - _p) * _there.mean() + _p * _said.mean(),
                       np.sqrt(_known + _apart)))
    return pd.DataFrame(_found)


report = _report(_mended(intake(rows, seed)))


def _losses(_seed):
    """Log loss (thousandths) in the future by treatment, as the form is and after two changes."""
    _frame = _mended(intake(9000, _seed)).assign(
        income=lambda _f: np.log(_f["income"]), true_income=lambda _f: np.log(_f["true_income"]))
    _past, _new = _frame[_frame["label_on"] <= today], _frame[_frame["applied_on"] > today]
    _forms = (_new, _new.assign(income=_new["true_income"], income_missing=0),
              _new.assign(income=_new["income"].fillna(np.log(9000)), income_missing=0))
    _found = []
    for _out in (["income_missing"], [], ["income", "income_missing"]):
        _columns = [_c for _c in _numbers if _c not in _out]
        _model = _plain().fit(_past[_columns], _past["defaulted"])
        _risks = [_model.predict_proba(_f[_columns])[:, 1] for _f in _forms]
        _p = _new["true_pd"].to_numpy()
        _found.append([-1000 * (_p * np.log(_q) + (1 - _p) * np.log(1 - _q)).mean() for _q in _risks])
    return _found


_runs = np.array([_losses(seed + 200 + _s) for _s in range(5)])
_runs = _runs - _runs[:, 1:2, :1]  # against the flag, with the form as it is, paired by table
_half = 2.776 * _runs.std(axis=0, ddof=1) / np.sqrt(5)
_forms = ("as it is", "required, true", "required, 9,000 typed in")
losses = pd.DataFrame([
    {"treatment": _name, "form": _form, "loss": _runs.mean(axis=0)[_i, _j], "half": _half[_i, _j]}
    for _i, _name in enumerate(("median", "median and flag", "column left out"))
    for _j, _form in enumerate(_forms)
])

# %% given: mended
mended = pd.read_csv(f"given/mended-{seed}.csv", parse_dates=["applied_on", "label_on"])
past = mended[mended["part"] == "past"].drop(columns="part").reset_index(drop=True)
future = mended[mended["part"] == "future"].drop(columns="part").reset_index(drop=True)

# %% [markdown]
# `past` and `future` are the two parts of the mended table (without the rows between). They do not
# depend on your answers.
#
# ## 3. The next delivery
#
# birch will change a form again one day. Suppose that on a Thursday its incomes are per **week**. Every
# value is possible and every row is possible, so a schema lets it pass. What gives it away is that *all*
# of a partner's incomes have moved. The number to watch is a partner's mean of log income, day by day:

# %%
def daily_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean log income by day (rows) and partner (columns)."""
    return np.log(frame["income"]).groupby([frame["day"], frame["partner"]]).mean().unstack()


quiet = daily_levels(applications(400 * 120, seed, days=400))
weekly = applications(120, seed + 1, days=1)
weekly["income"] *= np.where(weekly["partner"] == "birch", 12 / 52, 1)
thursday = daily_levels(weekly).iloc[0]
pd.DataFrame({"usual": quiet.mean(), "SD of days": quiet.std(), "Thursday": thursday}).round(2)

# %% [markdown]
# "More than three standard deviations" promises something only if days are normal, and they are not:
# some days are few rows, some bring a rich applicant. What always holds, if days are exchangeable: a new
# day exceeds the k-th largest of n quiet days with a probability of **at most k / (n + 1)**. (The usual
# level is a mean over these very days; with hundreds of them that hardly matters.)

# %% answer: ringing
def ringing(history: pd.DataFrame, today: pd.Series, rate: float) -> list[str]:
    """Partners whose level is unusual today, at a stated false-alarm rate.

    history: quiet days (rows) by P partners (columns), numbers; NaN where a partner sent nothing.
    today: one more day, a number per partner; NaN for a partner that sent nothing. rate: the largest
    share of quiet days on which **any** partner may ring, between 0 and 1.

    A partner's usual level is the mean of its days in history; what is judged is the distance of a day
    from it, up or down. Each partner gets an equal part of the rate. It rings today if its distance
    exceeds the k-th largest of its n own days, with the largest k for which a quiet day does so with a
    probability of at most its part, whatever the distribution.

    Returns the names of those that ring, sorted. Who sent nothing does not ring. Raises ValueError if
    a partner that sent something has too few days for its part of the rate (no k is possible).

    Example: with one partner and 24 quiet days, a rate of 0.1 is the 2nd largest distance.

    Also graded: skewed days, several partners, levels below the usual, ties, missing days, too short a
    history, the rate on fresh quiet days.
    """
    ### BEGIN SOLUTION
    names = []
    for partner, level in today.dropna().items():
        days = history[partner].dropna().to_numpy()
        k = int(rate / history.shape[1] * (len(days) + 1) + 1e-9)
        if k < 1:
            raise ValueError(f"{len(days)} days of {partner} are too few for a rate of {rate}")
        limit = np.sort(np.abs(days - days.mean()))[-k]
        if abs(level - days.mean()) > limit:
            names.append(partner)
    return sorted(names)
    ### END SOLUTION

# %% test: ringing, 4 points
_got = ringing(quiet, thursday, 0.06)
assert type(_got) is list, "ringing returns a list of names"
assert _got == ["birch"], "on Thursday one partner's incomes are per week; it rings, and no other"
assert ringing(quiet, quiet.mean(), 0.06) == [], "a day at the usual level rings"
### BEGIN HIDDEN TESTS
_one = pd.DataFrame({"a": np.r_[np.arange(1.0, 13), -np.arange(1.0, 13)]})
_copy = _one.copy()
assert ringing(_one, pd.Series({"a": -25.0}), 0.1) == ["a"], (
    "a level far below the usual is as unusual as one above: a weekly income is too low"
)
assert ringing(_one, pd.Series({"a": 11.7}), 0.14) == ["a"], (
    "the limit is one of the days' own distances: the k-th largest, with the largest k that the rate "
    "allows for this number of days, whatever their standard deviation"
)
assert _one.equals(_copy), "the history that was passed in has been changed"
assert ringing(_one, pd.Series({"a": 12.0}), 0.1) == [], (
    "the limit is a day's own distance, no value between two days, and a day exactly as far does not "
    "exceed it"
)


def _too_short(_history, _today, _rate):
    try:
        ringing(_history, _today, _rate)
    except Exception as _error:
        return isinstance(_error, ValueError)
    return False


assert _too_short(_one, pd.Series({"a": 99.0}), 0.03), (
    "a history this short cannot promise so small a rate: even its largest day is exceeded more often"
)
assert _too_short(_one.assign(b=_one["a"]), pd.Series({"a": 99.0, "b": 0.0}), 0.06), (
    "the rate is for any partner: two of them share it, and a history that is long enough for one may "
    "be too short for two"
)
_holes = pd.DataFrame({"a": np.r_[_one["a"], np.full(60, np.nan)], "b": np.arange(84.0)})
assert ringing(_holes, pd.Series({"a": 11.7, "b": 41.0}), 0.1) == [], (
    "days on which a partner sent nothing are none of its days: they do not count in n"
)
assert ringing(_holes, pd.Series({"a": np.nan, "b": 500.0}), 0.1) == ["b"], (
    "who sent nothing does not ring here (that is another check's work)"
)
_lop = pd.DataFrame({"a": np.r_[np.zeros(21), 10.0, 10.0, 10.0]})
assert ringing(_lop, pd.Series({"a": -9.0}), 0.1) == ["a"], (
    "the usual level is the mean of a partner's days"
)
_two = pd.DataFrame({"a": np.arange(24.0), "b": np.arange(24.0)})
for _today in ({"a": 21.5, "b": np.nan}, {"a": 21.5}):
    assert ringing(_two, pd.Series(_today), 0.24) == [], (
        "the rate is shared by the partners of the history, also on a day when one is silent"
    )
_rng = np.random.default_rng([seed, 1])
_scale = np.array([0.1, 1.0, 5.0])


def _skewed(_n):
    return pd.DataFrame(_scale * _rng.exponential(size=(_n, 3)) ** 2, columns=["b", "c", "a"])


_shares = []
for _trial in range(12):
    _past_days, _new_days = _skewed(199), _skewed(100)
    _rings = [ringing(_past_days, _row, 0.12) for _, _row in _new_days.iterrows()]
    _shares.append(np.mean([len(_r) > 0 for _r in _rings]))
    assert all(_r == sorted(_r) for _r in _rings), "the names are sorted"
    for _c in _past_days:
        _d = np.sort(np.abs(_past_days[_c] - _past_days[_c].mean()).to_numpy())
        _want = np.abs(_new_days[_c] - _past_days[_c].mean()).to_numpy() > _d[-8]
        assert [_c in _r for _r in _rings] == list(_want), (
            "on skewed days other partners ring than by the rank of the day among its own partner's"
        )
assert np.mean(_shares) < 0.16, (
    "quiet days ring more often than the stated rate: it is for all partners together, and for days "
    "that are not normal"
)
assert np.mean(_shares) > 0.07, "quiet days ring far less than they may: faults will be missed"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. An estimate that admits what is missing
#
# The bureau has no score for many of the young and of those with a thin file, and within such a group
# it depends on nothing else: **at random given the group** (MAR). Risk wants the mean score of all
# applicants, with an interval. Three habits, on a made table whose answer we know:

# %%
def scores_with_gaps(seed: int, n: int = 600) -> tuple[pd.Series, pd.Series]:
    """n scores, missing at random given one of three groups; and the groups. The mean is 634."""
    rng = np.random.default_rng(seed)
    group = pd.Series(rng.choice(["settled", "young", "thin"], n, p=[0.5, 0.3, 0.2]))
    centers = group.map({"settled": 700, "young": 580, "thin": 550})
    lost = rng.random(n) < group.map({"settled": 0.3, "young": 0.7, "thin": 0.75})
    return (centers + 60 * rng.standard_normal(n)).mask(lost), group


def habit(values: pd.Series) -> tuple[float, float]:
    return values.mean(), 1.96 * values.std() / np.sqrt(len(values))


scores, groups = scores_with_gaps(seed)
by_group = scores.fillna(scores.groupby(groups).transform("mean"))
for name, values in {"on file only": scores.dropna(), "filled with the mean": scores.fillna(scores.mean()),
                     "filled with the group's mean": by_group}.items():
    print("{}: {:.0f} ± {:.1f}".format(name, *habit(values)))

# %% [markdown]
# The last is near the truth, and its interval counts invented values as if somebody had sent them. What
# an interval has to add up: how well each group's mean is known from the values *on file*, and that the
# shares of the groups are themselves those of a sample.

# %% answer: mean-with-gaps
def mean_with_gaps(values: pd.Series, groups: pd.Series) -> tuple[float, float, float]:
    """The mean of a population from a sample with gaps, and a 95 % interval.

    values: n independent rows, NaN where missing, at random given the group. groups: n labels, with
    the same index; none is missing.

    Returns (estimate, low, high), floats: the mean of the population that the n rows are drawn from,
    including those whose value is missing, and an interval that covers it in about 95 of 100 samples
    where each group has 20 or more values on file. Any valid method will do that takes less than 30 ms
    for 600 rows (hundreds of samples are tried); it need not be the same to the last digit. Raises ValueError if a group has fewer than two values on file.

    Example: without gaps, the mean of the values and, about, 1.96 standard errors around it.

    Also graded: coverage over many fresh samples, width, groups of very different size, a group
    without values.
    """
    ### BEGIN SOLUTION
    by = values.groupby(groups)
    counts = by.count()
    if (counts < 2).any():
        raise ValueError(f"no estimate for {list(counts.index[counts < 2])}: too few values")
    share = groups.value_counts(normalize=True).reindex(counts.index)
    estimate = float((share * by.mean()).sum())
    within = (share**2 * by.var() / counts).sum()
    between = (share * (by.mean() - estimate) ** 2).sum() / len(values)
    half = 1.96 * float(np.sqrt(within + between))
    return estimate, estimate - half, estimate + half
    ### END SOLUTION

# %% test: mean-with-gaps, 5 points
_got = mean_with_gaps(scores, groups)
assert type(_got) is tuple and len(_got) == 3, "mean_with_gaps returns three numbers"
assert all(isinstance(_x, (float, np.floating)) for _x in _got), "the three are floats"
assert _got[1] < _got[0] < _got[2], "the estimate lies within its interval"
assert 614 < _got[0] < 654, (
    "the estimate is far from 634: the groups that lack many values count for all their people"
)
_v = pd.Series([1.0, 2.0, 3.0, 4.0] * 10)
_flat = mean_with_gaps(_v, pd.Series(["a", "b"] * 20))
assert np.isclose(_flat[0], 2.5), "without gaps the estimate is the mean"
assert 0.55 < _flat[2] - _flat[1] < 0.85, (
    "without gaps the interval is about 1.96 standard errors of the mean to each side"
)
### BEGIN HIDDEN TESTS
_v = pd.Series([10.0, 12.0] * 15 + [np.nan] * 30 + [0.0, 2.0] * 15)
_g = pd.Series(["x"] * 60 + ["y"] * 30)
_v, _g = (_each.sample(frac=1, random_state=4) for _each in (_v, _g))
_copy = _v.copy()
assert np.isclose(mean_with_gaps(_v, _g)[0], (60 * 11 + 30 * 1) / 90, atol=0.6), (
    "a group counts by its number of rows, not by its values on file"
)
assert _v.equals(_copy), "the values that were passed in have been changed"


def _raises(_v, _g):
    try:
        mean_with_gaps(_v, _g)
    except Exception as _error:
        return isinstance(_error, ValueError)
    return False


assert _raises(_v.where(_g == "x"), _g), (
    "nothing is known of a group without values, and no formula makes up for it: raise ValueError"
)

assert _raises(pd.Series([1.0, 2.0, 3.0, np.nan]), pd.Series(list("aabb"))), (
    "one value on file has no scatter: raise ValueError"
)


def _coverage(_draw, _mean, _times):
    _found = np.array([mean_with_gaps(*_draw(_s)) for _s in range(_times)])
    return ((_found[:, 1] <= _mean) & (_mean <= _found[:, 2])).mean(), _found


_first = (seed % 1000) * 1000
_share, _found = _coverage(lambda _s: scores_with_gaps(_first + _s), 634, 300)
assert abs(_found[:, 0].mean() - 634) < 2, (
    "over fresh samples the estimate is off on average: it is biased"
)
assert _share > 0.9, (
    "over fresh samples the interval covers the mean too seldom: values that are not there are no "
    "evidence, and the shares of the groups vary, too"
)
assert (_found[:, 2] - _found[:, 1]).mean() < 25, "the interval is much wider than it has to be"


def _apart(_s):
    """Groups far apart, hardly any scatter within: the shares of the groups are all that varies."""
    _rng = np.random.default_rng(_first + _s)
    _g = pd.Series(_rng.choice(["a", "b"], 300))
    _v = _g.map({"a": 0.0, "b": 100.0}) + _rng.standard_normal(300)
    return _v.mask(_rng.random(300) < _g.map({"a": 0.0, "b": 0.5})), _g


_share, _found = _coverage(_apart, 50, 150)
assert _share > 0.88, (
    "where groups lie far apart the interval covers too seldom: another sample has other shares of "
    "the groups"
)


def _uneven(_s):
    """A large group, complete and alike; a small one, scattered and mostly missing."""
    _rng = np.random.default_rng(_first + _s)
    _g = pd.Series(_rng.choice(["big", "small"], 1000, p=[0.75, 0.25]))
    _noise = _g.map({"big": 10, "small": 100}) * _rng.standard_normal(1000)
    _v = _g.map({"big": 700.0, "small": 550.0}) + _noise
    return _v.mask(_rng.random(1000) < _g.map({"big": 0.0, "small": 0.88})), _g


_share, _found = _coverage(_uneven, 662.5, 150)
assert _share > 0.86, (
    "a small group with few values on file and much scatter: the interval does not know whose values "
    "are few"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. A code for four hundred shops
#
# Applications come through shops, and shops differ. A shop's default rate can be a feature only if it comes
# from **other** rows than the one that it describes. `promises` holds what three ways of doing it
# promised on the past (AUC by five-fold cross-validation) and kept in the future: means of five tables of
# 9,000 rows. A gain is the difference from "no shop" on the same tables, with half a 95 % interval (paired):

# %% given: promises
promises = pd.read_csv(f"given/promises-{seed}.csv")

# %%
promises.round(3)

# %% [markdown]
# The middle row is what the colleague had. A shop with a single row *has* its default rate from that
# row: the column is the label, in part, and cross-validation cannot see it, for the column was there
# before the folds were cut. **Cross-fitting**: the past is cut into folds, and each row is coded by the
# *other* folds; new rows are coded by all of the past. Small shops are shrunk towards the overall rate.

# %% answer: shop-codes
def shop_codes(
    shop: pd.Series, bad: pd.Series, fold: pd.Series, new_shop: pd.Series, strength: float
) -> tuple[pd.Series, pd.Series]:
    """Cross-fitted, shrunk default rates of shops: of past rows, and of new ones.

    shop, bad, fold: for n past rows the shop's name (perhaps missing), whether the loan defaulted (0
    or 1), and a label of the row's fold; the same index. new_shop: names of m new rows. strength: how
    many rows the overall rate counts for, more than 0.

    A set of rows gives a name the code (b + strength * p) / (c + strength): c of its rows have that
    name, b of these defaulted, and p is the default rate of the whole set. A name that is not in the
    set, or is missing, gets p.

    Returns (codes of past rows, each by the set of all rows of the **other** folds; codes of new rows,
    by the set of all past rows), Series of floats with the index of shop and of new_shop. Raises
    ValueError for fewer than two folds.

    Example: a past row's code does not change with its own bad.

    Also graded: that nothing of a fold reaches its own codes, new and missing names, any labels of
    folds, any index.
    """
    ### BEGIN SOLUTION
    if fold.nunique() < 2:
        raise ValueError("cross-fitting takes two folds or more")

    def coded(names, known):
        p = bad[known].mean()
        by = bad[known].groupby(shop[known]).agg(["sum", "count"])
        rate = (by["sum"] + strength * p) / (by["count"] + strength)
        return names.map(rate).fillna(p).astype(float)

    codes = pd.Series(np.nan, index=shop.index)
    for label in fold.unique():
        codes[fold == label] = coded(shop[fold == label], fold != label)
    return codes, coded(new_shop, pd.Series(True, index=shop.index))
    ### END SOLUTION

# %% test: shop-codes, 5 points
_shop = pd.Series(["s", "s", "s", "t", "t", "u"])
_bad = pd.Series([1, 0, 1, 0, 1, 0])
_fold = pd.Series([0, 1, 1, 0, 1, 0])
_got = shop_codes(_shop, _bad, _fold, pd.Series(["s", "t"]), 2.0)
assert type(_got) is tuple and len(_got) == 2, "shop_codes returns codes of past and of new rows"
assert all(type(_x) is pd.Series for _x in _got), "both are Series"
assert [len(_x) for _x in _got] == [6, 2], "one code per row"
assert np.isclose(_got[1].iloc[0], (2 + 2 * 0.5) / (3 + 2)), (
    "a new row of a shop with three loans, two of them bad: shrunk with strength 2, by all past rows"
)
assert np.isclose(_got[0].iloc[0], (1 + 2 * 2 / 3) / (2 + 2)), (
    "the first row is coded by the other fold: there its shop has two loans, one of them bad, and the "
    "overall rate is 2 in 3"
)
### BEGIN HIDDEN TESTS
def _drawn(_n, _shops, _folds, _s):
    _rng = np.random.default_rng([seed, _s])
    _index = _rng.permutation(_n) + 100
    _names = pd.Series([f"d{_k}" for _k in _rng.integers(0, _shops, _n)], _index)
    return (_names, pd.Series(_rng.integers(0, 2, _n), _index),
            pd.Series(_rng.choice(_folds, _n), _index))


_shop, _bad, _fold = _drawn(60, 25, ["x", "y", "z"], 1)
_new = pd.Series(["d1", "nobody", None, "d2"], index=[7, 3, 5, 1])
_codes, _new_codes = shop_codes(_shop, _bad, _fold, _new, 3.0)
assert list(_codes.index) == list(_shop.index) and list(_new_codes.index) == [7, 3, 5, 1], (
    "codes have the index of their rows"
)
assert np.isclose(_new_codes[3], _bad.mean()), "a shop that was never seen gets the overall rate"
assert np.isclose(_new_codes[5], _bad.mean()), "a missing name is no shop: it gets the overall rate"
for _i in _shop.index[:20]:
    _other = _bad.copy()
    _other[_i] = 1 - _other[_i]
    _changed = shop_codes(_shop, _other, _fold, _new, 3.0)
    _mates = _fold == _fold[_i]
    assert np.isclose(_changed[0][_i], _codes[_i]), (
        "a row's own outcome changes its code: the label leaks into the feature"
    )
    assert np.allclose(_changed[0][_mates], _codes[_mates]), (
        "a row's outcome changes codes within its own fold, by the shop's rate or by the overall one"
    )
    assert not np.isclose(_changed[1].iloc[1], _new_codes.iloc[1]), (
        "codes of new rows use all of the past, the overall rate too"
    )
_pairs = pd.DataFrame({"shop": _shop, "fold": _fold, "code": _codes})
assert (_pairs.groupby(["shop", "fold"])["code"].nunique() == 1).all(), (
    "two rows of one shop and fold have different codes: leaving out the row alone tells its label, "
    "upside down"
)


def _by_loop(_name, _rows):
    _p = np.mean([_b for _, _b in _rows])
    _own = [_b for _n, _b in _rows if _n == _name]
    return (sum(_own) + 3.0 * _p) / (len(_own) + 3.0)


_all = list(zip(_shop, _bad, _fold, strict=True))
_want = [_by_loop(_n, [_r[:2] for _r in _all if _r[2] != _f]) for _n, _, _f in _all]
assert np.allclose(_codes, _want), "codes of past rows differ from an independent loop"
_want = [_by_loop(_n, [_r[:2] for _r in _all]) for _n in _new]
assert np.allclose(_new_codes, _want), "codes of new rows differ from an independent loop"
_gone = _shop.mask(_shop < "d16")
_codes = shop_codes(_gone, _bad, _fold, _new, 3.0)[0]
_first_fold = _gone.isna() & (_fold == "x")
assert np.allclose(_codes[_first_fold], _bad[_fold != "x"].mean()), (
    "past rows without a name get the overall rate of the other folds: they are not one shop"
)
try:
    shop_codes(_shop, _bad, pd.Series(1, index=_shop.index), _new, 3.0)
    _refused = False
except Exception as _error:
    _refused = isinstance(_error, ValueError)
assert _refused, "with one fold there are no others: raise ValueError"
_noise = _drawn(3000, 1000, list(range(5)), 2)
_codes = shop_codes(*_noise, _new, 5.0)[0]
assert abs(roc_auc_score(_noise[1], _codes) - 0.5) < 0.06, (
    "shops that tell nothing are coded by numbers that tell a lot: the label is in them"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Find the leak in a colleague's encoder
#
# The colleague, with an assistant's help, wrote `shop_codes` anew. The mean of its codes is right and new
# rows are coded correctly. It breaks the contract of question 5 all the same.
#
# Write `test_shop_codes(shop_codes)`: it calls the function it is given and raises (a plain `assert` will
# do) if that function breaks the contract. It must pass every correct version, whatever its make. A leak
# is found by **what a function does**: change an outcome that a number must not know, and look whether
# the number moves. The score is the share of wrong versions that it catches, times the share of right
# ones that it spares; most of them you do not see. Go through the contract clause by clause.

# %% review: shop-codes, 3 points
def test_shop_codes(shop_codes) -> None:
    """Raise AssertionError if shop_codes breaks the contract of question 5.

    shop_codes: the function under test. Returns nothing where it is right.

    Also graded: several wrong versions, each with another mistake, and several right ones.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(0)
    index = pd.Index(rng.permutation(40))
    shop = pd.Series(rng.choice(["a", "b", "c", None], 40), index)
    bad = pd.Series(rng.integers(0, 2, 40), index)
    fold = pd.Series(rng.choice(["x", "y", "z"], 40), index)
    new = pd.Series(["a", "zzz", None], index=[3, 2, 1])
    codes, new_codes = shop_codes(shop, bad, fold, new, 4.0)

    def expected(name, known):
        p = bad[known].mean()
        own = bad[known][shop[known] == name]
        return (own.sum() + 4 * p) / (len(own) + 4)

    assert np.allclose(codes.reindex(index), [expected(shop[i], fold != fold[i]) for i in index])
    everything = pd.Series(True, index=index)
    assert np.allclose(new_codes.reindex(new.index), [expected(n, everything) for n in new])
    for i in index[:10]:
        other = bad.copy()
        other[i] = 1 - other[i]
        changed = shop_codes(shop, other, fold, new, 4.0)[0]
        assert np.allclose(changed[fold == fold[i]], codes[fold == fold[i]])
    refused = False
    try:
        shop_codes(shop, bad, fold * 0, new, 4.0)
    except ValueError:
        refused = True
    assert refused
    ### END SOLUTION

# %% [markdown]
# ## 7. One object that learns, and learns only here
#
# Whatever learns from rows (medians, scales, levels, *which columns are worth keeping*) goes into one
# pipeline. It is fitted on the past and applied to one applicant at a time. A vendor has added columns to
# the table, most of them useless; choosing among them before cross-validation is the classic lie.

# %%
rng = np.random.default_rng(seed)
vendor = [f"vendor_{i:03d}" for i in range(200)]
outcome = past["defaulted"].head(300)
extra = pd.DataFrame(rng.standard_normal((300, 200)), columns=vendor)
best = SelectKBest(f_classif, k=20).fit(extra, outcome)
lie = cross_val_score(LogisticRegression(), best.transform(extra), outcome, cv=5, scoring="roc_auc")
print(f"300 loans, the best 20 of 200 columns of random numbers: AUC {lie.mean():.2f}")

# %% answer: make-model
def make_model(numbers: list[str], levels: list[str], k: int):
    """An unfitted scikit-learn estimator: fit(frame, outcome), predict_proba(frame).

    numbers: names of numeric columns, perhaps with gaps. levels: names of columns of text. k: how many
    numbers may count, between 1 and len(numbers).

    What it must do, however it is made (a fit on 1,500 rows and 33 columns within 0.3 s):
    - it uses no other column of the frame than these, by name, in whatever order they come;
    - gaps are no errors, neither in fitting nor later, also in columns that had none; a number's
      being missing (where it had gaps in fitting) is a candidate like its value;
    - a level that it never saw, or none at all (None or NaN, in fitting or later), is no error; what
      levels are called, and how the names sort, makes no difference;
    - of the numbers, at most k can change any score: those that tell most about the outcome in the rows
      it was fitted on (each by itself: the value, or its being missing; both of one number may
      take two of the k places);
    - a row gets the same score alone as in any batch; the frames passed in are not changed;
    - it works in clone and cross_val_score.

    Also graded: each of these, on fresh data; the AUC on applicants from the future.
    """
    ### BEGIN SOLUTION
    number = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
        SelectKBest(f_classif, k=k),
    )
    level = make_pipeline(
        FunctionTransformer(lambda frame: frame.astype(object).where(frame.notna(), None)),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = make_column_transformer((number, numbers), (level, levels))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
    ### END SOLUTION

# %% test: make-model, 5 points
_numbers = ["age", "income", "employment_years", "debt_ratio", "bureau_score", "open_accounts",
            "cards", "card_use", "loan_amount", "term_months", "no_card", "income_missing"]
_model = make_model(_numbers, ["purpose", "housing"], 12)
assert hasattr(_model, "fit") and hasattr(_model, "predict_proba"), (
    "make_model returns an estimator with fit and predict_proba"
)
_model = clone(_model).fit(past, past["defaulted"])
_new = future[future["purpose"] != "solar"].head(50)
_risk = _model.predict_proba(_new)
assert np.shape(_risk) == (50, 2) and np.isfinite(_risk).all(), (
    "every applicant gets a score, a row with gaps too"
)
_future_auc = roc_auc_score(future.loc[future["purpose"] != "solar", "defaulted"],
                            _model.predict_proba(future[future["purpose"] != "solar"])[:, 1])
assert _future_auc > 0.65, "the AUC on the future is far below what these columns allow"
_f = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan] * 50, "city": ["p"] * 100 + ["q"] * 100})
_gap = _f["x"].isna().to_numpy()
_y = pd.Series(np.r_[_gap[:180], ~_gap[180:]].astype(int))
_risk = make_model(["x"], ["city"], 1).fit(_f, _y).predict_proba(_f)[:, 1]
assert _risk[_gap].mean() - _risk[~_gap].mean() > 0.1, (
    "a missing number tells a lot here, and the score does not know that it is missing"
)
_f = _f.assign(city=_f["city"].mask(_f.index % 5 == 0))
try:
    _risk = make_model(["x"], ["city"], 1).fit(_f, _y).predict_proba(_f.head(3).assign(city=np.nan))
except Exception:
    _risk = np.nan
assert np.isfinite(_risk).all(), (
    "a missing level that was read from a file, NaN, is an error where no row of a batch has a level"
)
### BEGIN HIDDEN TESTS
_solar = future[future["purpose"] == "solar"]
try:
    _ok = np.isfinite(_model.predict_proba(_solar)).all()
except Exception:
    _ok = False
assert _ok, "a purpose appears in 2025 that the past has never seen; its applicants get no score"


def _world(_n, _s, _noise=30):
    """Numbers of which two tell, one by its gaps; levels of which one tells; columns not to be used."""
    _rng = np.random.default_rng([seed, 9, _s])
    _f = pd.DataFrame(_rng.standard_normal((_n, _noise)), columns=[f"n{_i}" for _i in range(_noise)])
    _f["n0"] *= 1e5
    _f["tells"] = 1e-3 * _rng.standard_normal(_n)
    _f["gappy"] = 50 + _rng.standard_normal(_n)
    _gap = _rng.random(_n) < 0.3
    _f.loc[_gap, "gappy"] = np.nan
    _f["city"] = _rng.choice(["p", "q", "r", "s"], _n)
    _risk = 1000 * _f["tells"] + 2.0 * _gap + 2.0 * _f["city"].isin(["p", "r"]) - 2.2
    _y = pd.Series((_rng.random(_n) < 1 / (1 + np.exp(-_risk))).astype(int))
    return _f.assign(reminders=5 * _y + _rng.random(_n), why="x"), _y, _gap


_train, _y, _ = _world(1500, 1)
_test, _y_test, _gap = _world(1500, 2)
_names = [_c for _c in _train if _c not in ("city", "reminders", "why")]
_copy, _copy_test = _train.copy(), _test.copy()
_model = make_model(_names, ["city"], 4).fit(_train, _y)


def _score(_frame):
    """Risks as an array; nan for all where the model fails."""
    try:
        return np.asarray(_model.predict_proba(_frame), dtype=float)[:, 1]
    except Exception:
        return np.full(len(_frame), np.nan)


_base = _score(_test)
assert _train.equals(_copy) and _test.equals(_copy_test), "the frames passed in have been changed"
assert np.allclose(_score(_test.drop(columns="why").assign(reminders=0.0)), _base), (
    "the score depends on a column that is neither in numbers nor in levels: at the time of the "
    "application nobody has it"
)
assert np.allclose(_score(_test[_test.columns[::-1]]), _base), (
    "columns are used by their place: in another order the scores are others"
)
_alone = [_score(_test.iloc[[_i]])[0] for _i in range(25)]
assert np.allclose(_alone, _base[:25]), (
    "an applicant alone gets another score than in a batch: what is learned from rows is learned in "
    "fit, once"
)
assert np.isfinite(_score(_test.assign(city="elsewhere"))).all(), (
    "a level that fitting never saw is an error; its applicants get no score"
)
assert np.isfinite(_score(_test.assign(city=None))).all(), "a missing level is an error"
assert np.isfinite(_score(_test.assign(n3=np.nan, tells=np.nan))).all(), (
    "a gap in a column that had none in fitting is an error"
)
_other = {"p": "b", "q": "a", "r": "d", "s": "c"}
_renamed = make_model(_names, ["city"], 4).fit(_train.replace({"city": _other}), _y)
_moved = np.abs(_renamed.predict_proba(_test.replace({"city": _other}))[:, 1] - _base).mean()
assert _moved < 0.03, (
    "with other names for the same levels the scores are others: their order in the alphabet counts"
)
_filled = _score(_test.assign(gappy=50.0))
assert (_base - _filled)[_gap].mean() > 0.1, (
    "a missing number tells a lot here, and the score does not know that it is missing"
)
_moved = sum(
    not (np.allclose(_score(_test.assign(**{_c: _test[_c] + _d})), _base)
         and np.allclose(_score(_test.assign(**{_c: np.nan})), _base))
    for _c, _d in ((_c, 20 * _test[_c].std()) for _c in _names)
)
assert _moved <= 4, "more than k of the numbers change the scores: noise has a say"
assert not np.allclose(_score(_test.assign(tells=0.0)), _base), (
    "the number that tells most is not among those that were kept"
)
assert roc_auc_score(_y_test, _base) > 0.76, (
    "on fresh data the AUC is far below what the numbers, the gaps and the levels allow"
)


def _honest(_s):
    """Cross-validated AUC where no column tells anything."""
    _f, _, _ = _world(250, 100 + _s, 150)
    _y = pd.Series(np.random.default_rng(_s).integers(0, 2, 250))
    _m = make_model([_c for _c in _f if _c.startswith("n")], ["city"], 10)
    return cross_val_score(_m, _f, _y, cv=4, scoring="roc_auc").mean()


assert abs(np.mean([_honest(_s) for _s in range(6)]) - 0.5) < 0.08, (
    "where nothing tells anything, cross-validation promises something: what was chosen before?"
)
assert np.isfinite(_score(_test.assign(city=np.nan))).all(), (
    "a missing level that was read from a file, NaN, is an error"
)
_hole = np.arange(len(_train)) % 10 == 0
try:
    _m = make_model(_names, ["city"], 4).fit(_train.assign(city=_train["city"].mask(_hole)), _y)
    _ok = np.isfinite(_m.predict_proba(_test.assign(city=None))).all()
except Exception:
    _ok = False
assert _ok, "a missing level is an error in fitting"
### END HIDDEN TESTS

# %% [markdown]
# ## 8. Before the risk committee
#
# One column is left to argue about: `income`, which people leave out **because of what it is** (MNAR). No
# statistic of this table can tell. Two things are made from it.
#
# `report`: the typical (geometric mean) income of all applicants, USD a month, which the rule for the
# largest installment is derived from. "Like others" takes a missing income to be what a regression on
# score, loan and age expects (MAR), or lower by a given share. Last row: 100 people who had left it out,
# chosen at random, were called, and all answered. `low` and `high` are 95 % intervals,
# for independent rows.

# %% given: report
report = pd.read_csv(f"given/report-{seed}.csv")

# %%
report.round(0)

# %% [markdown]
# `losses`: expected log loss of the scoring model on the future (thousandths, less is better; a simulator
# knows the risk, at work it takes outcomes and more rows), against the median with a flag as the form is
# now; mean of five tables with half a 95 % interval. Next year the field may
# become required; `true` if all then tell the truth, `9,000 typed in` if those who would have left it out
# put in a fine number.

# %% given: losses
losses = pd.read_csv(f"given/losses-{seed}.csv")

# %%
cells = losses["loss"].map("{:+.1f}".format) + " ± " + losses["half"].map("{:.1f}".format)
losses.assign(cell=cells).pivot(index="treatment", columns="form", values="cell")

# %% written: defense, 4 points [markdown]
# The colleague proposes: *fill income with the mean, in the report and in the model; it is neutral, and
# nothing breaks*. In at most 200 words, say to the committee what you do instead, for the report and for
# the model, with numbers from both tables; what you cannot know from the table, and how you know it all
# the same; and what has to happen before the form is changed.
#
# ### BEGIN SOLUTION
# The mean is not neutral. Who leaves the income out earns less: those on file are typically at 3,675,
# all applicants, by the calls, at 3,238. Filling keeps the error and narrows the interval, for invented
# answers count as evidence. Installments derived from it are too large for those who can least pay them.
#
# *Report.* Whether the missing are "like others" or 20, 40 or 60 % lower, the table cannot tell; each row
# fits it. So we asked. The 100 random calls land near "40 % lower": I report 3,160 to 3,318, with the
# shifts beside it. It holds if those called told the truth.
#
# *Model.* It needs no true income, only the same meaning tomorrow. Leaving the column out costs 1.3 ± 0.5
# thousandths; with or without the flag differs by less than its interval. I keep median and flag.
#
# *The form.* If the field becomes required and fine numbers are typed in, the loss may grow by 3.8 ± 3.7,
# perhaps by more than the 1.3 that the column is worth. So: no change of the form without notice to us, the shares of gaps and of
# round incomes watched, and the model without the column ready.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# Four elements: (a) the mean fill is biased (too high) or its interval invented (either one, with a
# number); (b) report: the table cannot choose between the shifts (MNAR), the random calls can, and
# the answer carries their interval and assumption (all answered, truthfully); (c) model: another aim than
# the report, a choice argued from `losses` with its intervals (median and flag, median, or even no column
# are all defensible); (d) the form: the gap's meaning may change; something to do before or to watch, not
# "retrain regularly".
#
# **4: all four, numbers right, and the difference between report and model said.** Anchor: the model
# answer (its numbers, and those below, are the committed seed's).
#
# **3: three of four, or all with one unsupported by a number.** Anchor: "The mean says 3,675, the calls
# 3,238 (3,160 to 3,318): the poor do not answer. The table fits every shift; only the calls choose, if all told
# the truth. In the model keep median plus flag, leaving it out costs 1.3 ± 0.5." (Nothing on the form.)
#
# **2: two of four.** Anchor: "Those on file are richer; report 3,160 to 3,318 from the calls, if they told the
# truth. Use the same value in the model."
#
# **1: sees that MNAR biases the mean, and treats report and model alike.** Anchor: "Incomes are MNAR, so I
# would use multiple imputation with the other columns in both, which is unbiased."
#
# **0: the habit defended, or numbers contradicted.** Anchor: "The mean fill has the narrowest interval and
# changes the model least, so it is the safest choice."
# ### END RUBRIC

# %% [markdown]
# ## What you have built, and where it breaks
#
# A table whose every repair has a cause, an alarm with a price that was stated before, an interval that
# knows what is missing, and a model that can be asked about one applicant at a time.
#
# - **The stories came from people.** No test of the table told a code from a score, or MAR from MNAR. A
#   form changed without a word makes a good repair a wrong one.
# - **One unit per source.** Where a source mixes units, rows by rows, the rule cannot help; the sender can.
# - **The limit is an estimate, too.** The rate is an average over histories; yours may ring more or less
#   often, and seasons are not exchangeable with the rest of the year.
# - **Missing at random given three groups** is an assumption, and the interval does not include a doubt
#   about it.
# - **Cross-fitting forgets time.** A shop's code for a row of January uses outcomes of November. For rows
#   that are known late, "other folds" has to become "known before".
#
# You would be asked aloud: *Your model is as good as last year's in cross-validation and worse in use.
# Which three cells do you look at first?* And: *Why may a fill that is wrong for a report be right for a
# model?*
#
# **Stretch (not graded).** Write `shop_codes` by time: each row is coded by the rows whose outcome was
# known before it applied. Compare the AUC in the future with that of the folds. Then put it into the
# pipeline with scikit-learn's `TargetEncoder` and see which of the two can be served.

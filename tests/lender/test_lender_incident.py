"""The week of the incident holds what its truth claims, and its decoys change nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lender
from lender import incident
from lender.incident import Truth, Week

FEATURES = list(lender.FEATURES)
THRESHOLD = 0.1


class Model:
    """Scores of 0.01 to 0.99 that fall with income, and 0.5 where it is missing."""

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        assert list(frame) == FEATURES
        p = (500 / (500 + frame["income"])).fillna(0.5).clip(0.01, 0.99).to_numpy()
        return np.column_stack([1 - p, p])


def week(seed: int = 1, **options: Any) -> tuple[Week, Truth]:
    model: Any = Model()
    return incident.week(model, THRESHOLD, seed, **{"per_day": 600, **options})


@pytest.fixture(scope="module")
def case() -> tuple[Week, Truth]:
    return week()


def test_the_slice_is_a_conjunction_and_all_of_it_is_affected(case: tuple[Week, Truth]) -> None:
    on_file, truth = case
    logs = on_file.logs
    slice_ = (logs["partner"] == truth.partner) & (logs["client"] == truth.client)
    held = on_file.requests["income"].notna()
    assert tuple(logs["request_id"][slice_ & held]) == truth.affected
    assert truth.first == truth.affected[0]
    assert logs["time"][slice_].min() >= truth.onset
    assert set(logs["partner"][logs["client"] == truth.client]) == {"alder", "birch"}
    after = logs[(logs["partner"] == truth.partner) & (logs["time"] >= truth.onset)]
    assert 0.4 < (after["client"] == truth.client).mean() < 0.8


def test_the_affected_carry_the_factor_and_no_one_else(case: tuple[Week, Truth]) -> None:
    on_file, truth = case
    affected = on_file.logs["request_id"].isin(truth.affected)
    twice, same = week(factor=2)
    assert same.affected == truth.affected
    ratio = on_file.requests["income"] / twice.requests["income"]
    assert (ratio[affected] == 12 / 2).all()
    assert (ratio[~affected].dropna() == 1).all()
    assert_frame_equal(
        on_file.requests.drop(columns="income"), twice.requests.drop(columns="income")
    )


def test_other_partner_field_and_factor() -> None:
    on_file, truth = week(partner="cedar", field="debt_ratio", factor=100)
    assert (truth.partner, truth.field, truth.factor) == ("cedar", "debt_ratio", 100.0)
    affected = on_file.logs["request_id"].isin(truth.affected)
    assert on_file.requests["debt_ratio"][affected].median() > 10
    assert on_file.requests["debt_ratio"][~affected].median() < 1


def test_scores_are_those_of_the_model_on_the_requests(case: tuple[Week, Truth]) -> None:
    logs, requests = case[0].logs, case[0].requests
    for key in ("request_id", "application_id"):
        assert list(logs[key]) == list(requests[key])
    fine = (logs["code"] == 200).to_numpy()
    again = Model().predict_proba(requests[FEATURES])[:, 1]
    assert np.array_equal(logs["score"][fine], again[fine].round(4))
    assert np.array_equal(logs["approved"][fine], (again < THRESHOLD)[fine])
    assert logs.loc[~fine, ["score", "approved"]].isna().all(axis=None)
    assert set(logs["code"]) == {200, 500}


def test_logs_are_in_order_and_ids_are_unique(case: tuple[Week, Truth]) -> None:
    on_file = case[0]
    assert on_file.logs["time"].is_monotonic_increasing
    assert on_file.logs["request_id"].is_unique
    assert on_file.logs["trace_id"].is_unique
    assert on_file.spans["span_id"].is_unique
    span = on_file.logs["time"].agg(["min", "max"])
    assert span["min"] >= incident.START
    assert span["max"] < incident.START + pd.Timedelta(days=incident.DAYS)


def test_spans_nest_and_add_up_to_the_request(case: tuple[Week, Truth]) -> None:
    on_file = case[0]
    spans, logs = on_file.spans, on_file.logs.set_index("trace_id")
    roots = spans[spans["parent_id"] == ""].set_index("trace_id")
    children = spans[spans["parent_id"] != ""]
    assert list(roots.index) == list(logs.index)
    assert (children["parent_id"].to_numpy() == roots["span_id"].loc[children["trace_id"]]).all()
    total = children.groupby("trace_id", sort=False)["seconds"].sum()
    assert np.allclose(total, roots["seconds"])
    assert np.allclose(1000 * total, logs["ms"], atol=0.006)
    assert (roots["error"] == (logs["code"] == 500)).all()
    end = children["start"] + pd.to_timedelta(children["seconds"], unit="s")
    follows = children["start"].to_numpy()[1:] - end.to_numpy()[:-1]
    inner = np.arange(1, len(children)) % 3 != 0
    assert (np.abs(follows[inner]) <= np.timedelta64(2, "us")).all()


def test_metrics_count_what_the_logs_hold(case: tuple[Week, Truth]) -> None:
    on_file = case[0]
    total = on_file.minutes.sum()
    assert len(on_file.minutes) == 7 * 1440
    assert total["requests"] == len(on_file.logs)
    assert total["errors"] == (on_file.logs["code"] == 500).sum()
    assert total["approved"] == on_file.logs["approved"].sum()
    assert total["slow"] == (on_file.logs["ms"] > 1000 * incident.SLOW).sum()


def test_decoys_are_there(case: tuple[Week, Truth]) -> None:
    on_file, truth = case
    logs, events = on_file.logs, on_file.events
    assert events["time"].is_monotonic_increasing
    assert not events["event"].str.contains("birch").any()
    deploy = events["time"][events["event"].str.contains("deploy")].iloc[0]
    assert pd.Timedelta(hours=1) <= truth.onset - deploy <= pd.Timedelta(hours=3)
    both = logs[(logs["time"] >= deploy) & (logs["time"] < deploy + pd.Timedelta(days=1))]
    hosts = both.groupby("host")["service"].agg(set)
    assert (hosts["a"], hosts["b"]) == ({"3.1.0"}, {"3.0.9"})
    hour = (logs["time"] - incident.START) / pd.Timedelta(hours=1)
    late = logs["bureau"] == "timeout"
    assert hour[late].between(*incident.SLOW_BUREAU).all()
    assert 0.2 < late[hour.between(*incident.SLOW_BUREAU)].mean() < 0.4
    assert on_file.requests.loc[late, list(incident.LOOKED_UP)].isna().all(axis=None)
    cedar = (logs["partner"] == "cedar").groupby(hour // 24).mean()
    assert cedar.idxmax() == 5


def test_a_seed_repeats_and_another_differs(case: tuple[Week, Truth]) -> None:
    again, truth = week()
    for name in ("logs", "requests", "spans", "minutes", "events"):
        assert_frame_equal(getattr(again, name), getattr(case[0], name))
    assert truth.affected == case[1].affected
    other = week(seed=2)[1]
    assert other.first != truth.first
    assert other.onset != truth.onset


def test_a_factor_of_one_is_a_calm_week(case: tuple[Week, Truth]) -> None:
    calm, truth = week(factor=1)
    assert (truth.affected, truth.first) == ((), None)
    affected = calm.logs["request_id"].isin(case[1].affected)
    assert (calm.requests["income"][affected] * 12 == case[0].requests["income"][affected]).all()


@pytest.mark.parametrize(
    "options", [{"partner": "oak"}, {"field": "purpose"}, {"factor": 0}, {"per_day": 99}]
)
def test_what_makes_no_incident_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|unknown"):
        week(**options)


def test_the_partner_that_sends_percent_changes_with_the_seed() -> None:
    model: Any = Model()
    truths = [incident.unknown_week(model, 0.1, seed, per_day=100)[1] for seed in range(12)]
    assert {truth.partner for truth in truths} == {"alder", "birch", "cedar"}
    assert {(truth.field, truth.factor) for truth in truths} == {("debt_ratio", 100.0)}

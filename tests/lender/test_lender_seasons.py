"""Seasons change the risk of an application and nothing else; networks do not share weights."""

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import lender
from lender.model import encoder
from lender.networks import Networks
from lender.seasons import SEASONS, season_log_odds, season_rows
from lender.simulate import FEATURES


def test_seasons_change_the_risk_and_cancel_over_the_year() -> None:
    frame = lender.applications(500, seed=1)
    usual = lender.default_log_odds(frame)
    changes = np.array([season_log_odds(frame, s) - usual for s in SEASONS])
    assert (np.abs(changes).max(axis=1) > 1).all()
    assert np.allclose(changes.sum(axis=0), 0)
    half = np.array([season_log_odds(frame, s, size=0.5) - usual for s in SEASONS])
    assert np.allclose(half, changes / 2)


def test_winter_is_concept_drift_and_spring_is_about_work_and_burden() -> None:
    frame = lender.applications(500, seed=1)
    assert np.allclose(season_log_odds(frame, "winter"), lender.default_log_odds(frame, 2.0))
    longer = frame.assign(true_employment_years=frame["true_employment_years"] + 5)
    work = np.log1p(longer["true_employment_years"]) - np.log1p(frame["true_employment_years"])
    gained = season_log_odds(longer, "spring") - season_log_odds(frame, "spring")
    assert np.allclose(gained, (1.2 - 0.30) * work)
    cheaper = frame.assign(loan_amount=frame["loan_amount"] / np.e)
    lost = season_log_odds(cheaper, "autumn") - season_log_odds(frame, "autumn")
    assert np.allclose(lost, -(0.35 + 1.0))


def test_rows_of_a_season_lie_in_it_and_have_its_risk() -> None:
    rows = season_rows("summer", 20_000, seed=3, year=2026)
    assert rows["applied_on"].between("2026-07-02", "2026-09-30").all()
    assert (rows["label_on"] - rows["applied_on"]).dt.days.eq(365).all()
    assert rows["day"].between(182, 272).all()
    assert rows["season"].eq("summer").all()
    risk = 1 / (1 + np.exp(-season_log_odds(rows, "summer")))
    assert np.allclose(rows["true_pd"], risk)
    z = (rows["defaulted"] - risk).sum() / np.sqrt((risk * (1 - risk)).sum())
    assert abs(z) < 3.5


def test_a_seed_gives_the_same_people_in_every_season() -> None:
    winter, autumn = (season_rows(s, 300, seed=7) for s in ("winter", "autumn"))
    assert_frame_equal(winter[list(FEATURES)], autumn[list(FEATURES)])
    assert_frame_equal(winter, season_rows("winter", 300, seed=7))
    assert not winter["bureau_score"].equals(season_rows("winter", 300, seed=8)["bureau_score"])


def test_unknown_seasons_are_refused() -> None:
    with pytest.raises(ValueError, match="monsoon"):
        season_rows("monsoon", 10, seed=0)  # type: ignore[arg-type]


def test_the_encoder_gives_finite_standardized_numbers() -> None:
    frame = season_rows("winter", 2000, seed=1)
    x = encoder("season").fit(frame).transform(frame)
    assert np.isfinite(x).all()
    assert np.allclose(x[:, : len(lender.NUMERIC)].mean(axis=0), 0, atol=1e-9)
    assert x.shape == (2000, 8 + 3 + 6 + 3 + 3 + 1)  # numbers, flags, purposes, ..., one season
    other = encoder("season").fit(frame).transform(frame.assign(season="spring"))
    assert (other[:, -1] == 0).all()
    assert x[pd.isna(frame["income"]), 8:11].max() > 0


def test_networks_are_trained_as_if_alone() -> None:
    both, one = Networks(2, 3, hidden=4, seed=5), Networks(1, 3, hidden=4)
    with torch.no_grad():
        for alone, pair in zip(one.parameters(), both.parameters(), strict=True):
            alone.copy_(pair[1:])
    x, y = torch.randn(20, 3), torch.rand(20, 1)
    for networks in (both, one):
        optimizer = torch.optim.Adam(networks.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            (networks(x) - y).square().mean(dim=(1, 2)).sum().backward()
            optimizer.step()
    assert both(x).shape == (2, 20, 1)
    assert torch.allclose(both(x)[1], one(x)[0], atol=1e-6)
    assert not torch.allclose(both(x)[0], one(x)[0], atol=1e-2)


def test_networks_start_as_linear_layers_do() -> None:
    networks = Networks(50, 16, hidden=25, outputs=3, seed=1)
    for name, bound in (("weight1", 0.25), ("weight2", 0.2)):
        largest = getattr(networks, name).abs().max().item()
        assert 0.97 * bound < largest <= bound
    again = Networks(50, 16, hidden=25, outputs=3, seed=1)
    assert torch.equal(networks.weight1, again.weight1)
    assert not torch.equal(networks.weight1[0], networks.weight1[1])

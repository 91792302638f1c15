"""Hidden values are missing in the way that `hide` claims."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from lender.missing import Hidden, hide


@pytest.fixture(scope="module")
def complete() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x, z = rng.standard_normal((2, 20_000))
    # Skewed, correlated with x, and with an index of its own.
    return pd.DataFrame({"x": x, "y": np.exp(x + z), "z": z}, index=np.arange(20_000) + 7)


def gap(hidden: Hidden, value: pd.Series) -> float:
    """Mean of value where hidden less its mean elsewhere, in standard errors."""
    there, away = value[~hidden.mask], value[hidden.mask]
    error = np.sqrt(there.var() / len(there) + away.var() / len(away))
    return float((away.mean() - there.mean()) / error)


def test_only_the_masked_values_go(complete: pd.DataFrame) -> None:
    before = complete.copy()
    hidden = hide(complete, "y", 3, by="x")
    assert_frame_equal(complete, before)
    assert_series_equal(hidden.frame["y"].isna(), hidden.mask, check_names=False)
    assert_frame_equal(hidden.frame.assign(y=hidden.complete), complete)


@pytest.mark.parametrize("by", [None, "x", "y"])
@pytest.mark.parametrize("share", [0.05, 0.4, 0.8])
def test_the_share_is_kept(complete: pd.DataFrame, by: str | None, share: float) -> None:
    hidden = hide(complete, "y", 4, by=by, share=share)
    assert hidden.chance.mean() == pytest.approx(share, abs=1e-6)
    assert hidden.mask.mean() == pytest.approx(share, abs=0.02)


def test_mcar_depends_on_nothing(complete: pd.DataFrame) -> None:
    hidden = hide(complete, "y", 5)
    assert hidden.mechanism == "MCAR"
    assert all(abs(gap(hidden, complete[name])) < 3.5 for name in complete)


def test_mar_depends_on_what_stays_and_on_nothing_else(complete: pd.DataFrame) -> None:
    hidden = hide(complete, "y", 6, by="x")
    assert hidden.mechanism == "MAR"
    assert gap(hidden, complete["x"]) < -20
    assert gap(hidden, complete["y"]) < -10  # through x
    assert abs(gap(hidden, complete["z"])) < 3.5  # and not beyond it


def test_mnar_depends_on_the_value(complete: pd.DataFrame) -> None:
    hidden = hide(complete, "y", 7, by="y")
    assert hidden.mechanism == "MNAR"
    assert gap(hidden, complete["z"]) < -10


def test_strength_is_the_slope_of_the_log_odds(complete: pd.DataFrame) -> None:
    chance = hide(complete, "y", 8, by="x", strength=0.7).chance
    log_odds = np.log(chance / (1 - chance))
    normal = complete["x"].rank() / len(complete)
    upper, lower = (log_odds[(normal - q).abs().idxmin()] for q in (0.8413, 0.1587))
    assert upper - lower == pytest.approx(-1.4, abs=0.01)
    assert hide(complete, "y", 8, by="x", strength=-0.7).chance.corr(complete["x"]) > 0.5
    assert hide(complete, "y", 8, by="y", strength=0).mechanism == "MCAR"


def test_the_same_seed_hides_the_same_rows(complete: pd.DataFrame) -> None:
    first, second, other = (hide(complete, "y", seed, by="y").mask for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_outside_is_refused(complete: pd.DataFrame, share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        hide(complete, "y", 0, share=share)


def test_gaps_are_refused(complete: pd.DataFrame) -> None:
    holed = complete.assign(x=complete["x"].where(complete["z"] > 0))
    with pytest.raises(ValueError, match="'x' has gaps already"):
        hide(holed, "y", 0, by="x")

"""Each gap, code and unit of the intake has the cause that its docstring names."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lender.intake import COLUMNS, NO_RECORD, SHY, card_log_odds, intake


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return intake(20_000, seed=4)


def test_an_income_on_file_is_the_true_one_in_the_unit_of_its_source(table: pd.DataFrame) -> None:
    known = table[table["income"].notna()]
    factor = np.where(known["source"] == "birch-2", 12, 1)
    assert (known["income"] == known["true_income"] * factor).all()
    assert set(table["source"]) == {"alder-1", "birch-1", "birch-2", "cedar-1"}


def test_low_incomes_are_left_out_and_the_very_rich_exist(table: pd.DataFrame) -> None:
    gone = table["income"].isna()
    assert gone.mean() == pytest.approx(SHY, abs=0.015)
    assert table.loc[gone, "true_income"].median() < 0.7 * table["true_income"].median()
    assert (table["true_income"] > 20_000).mean() == pytest.approx(0.01, abs=0.005)


def test_a_card_s_use_is_missing_where_there_is_none_and_rarely_else(table: pd.DataFrame) -> None:
    none = table["cards"] == 0
    assert table.loc[none, "card_use"].isna().all()
    assert 0.02 < table.loc[~none, "card_use"].isna().mean() < 0.04
    assert 0.02 < table["debt_ratio"].isna().mean() < 0.04


def test_no_record_is_a_code_and_more_frequent_among_the_young(table: pd.DataFrame) -> None:
    code = table["bureau_score"] == NO_RECORD
    assert table["bureau_score"].notna().all()
    assert table.loc[~code, "bureau_score"].max() <= 850
    assert code[table["age"] < 25].mean() > 2 * code[table["age"] >= 25].mean()


def test_a_purpose_appears_in_the_last_year_only(table: pd.DataFrame) -> None:
    solar = table.loc[table["purpose"] == "solar", "applied_on"]
    assert len(solar) > 0
    assert solar.min() >= pd.Timestamp("2025-01-01")


def test_outcomes_follow_the_risk(table: pd.DataFrame) -> None:
    p = table["true_pd"]
    z = (table["defaulted"] - p).sum() / np.sqrt((p * (1 - p)).sum())
    assert abs(z) < 4


def test_a_card_s_part_in_the_log_odds() -> None:
    assert list(card_log_odds(np.array([0, 1, 2]), np.array([0.9, 0.4, 0.9]))) == [0.5, 0.0, 1.0]


def test_the_same_seed_draws_the_same_table() -> None:
    assert_frame_equal(intake(300, 7), intake(300, 7))
    assert list(intake(300, 7)) == list(COLUMNS)

"""The data sheet that readers take home says what is in the data."""

import re
from pathlib import Path

import pandas as pd
import pytest

import lender
from lender.tickets import customers

ROOT = Path(__file__).parents[2]
SHEET = (ROOT / "chapters" / "data" / "take-home" / "data-sheet.md").read_text(encoding="utf-8")
QUASI = ["age_band", "region", "group"]
LEAST = 5


@pytest.fixture(scope="module")
def everyone() -> pd.DataFrame:
    applications = lender.applications(8_000, seed=1, day_effect=0)
    people = customers(applications, seed=2)
    region, band = people["area"].str[0], applications["age"] // 10 * 10
    columns = applications[["group", "purpose", "defaulted"]]
    return columns.assign(region=region, age_band=band)


@pytest.fixture(scope="module")
def release(everyone: pd.DataFrame) -> pd.DataFrame:
    return everyone[everyone.groupby(QUASI)["group"].transform("size") >= LEAST]


def stated(pattern: str) -> list[float]:
    """The numbers in a sentence of the sheet."""
    match = re.search(pattern, SHEET)
    assert match, pattern
    return [float(number) for number in match.groups()]


def test_rows(everyone: pd.DataFrame, release: pd.DataFrame) -> None:
    found = stated(r"(\d+) of (\d+); (\d+) rows in classes of fewer than (\d+) were left out")
    assert found == [len(release), len(everyone), len(everyone) - len(release), LEAST]


def test_classes(release: pd.DataFrame) -> None:
    sizes = release.groupby(QUASI).size()
    assert stated(r"(\d+) classes, the smallest of (\d+) rows") == [len(sizes), sizes.min()]


def test_who_knows_the_purpose_finds_more(release: pd.DataFrame) -> None:
    sizes = release.groupby([*QUASI, "purpose"])["group"].transform("size")
    alone, percent = stated(r"(\d+) rows are alone and ([\d.]+) % lie in classes of fewer than 5")
    assert alone == (sizes == 1).sum()
    assert percent == pytest.approx(100 * (sizes < LEAST).mean(), abs=0.05)


def test_what_can_still_be_learned(release: pd.DataFrame) -> None:
    outcomes = release.groupby(QUASI)["defaulted"]
    classes, percent = stated(r"In (\d+) classes, ([\d.]+) % of the rows, all have")
    assert classes == outcomes.nunique().eq(1).sum()
    share = outcomes.transform("nunique").eq(1).mean()
    assert percent == pytest.approx(100 * share, abs=0.05)


def test_outcome_and_columns(release: pd.DataFrame) -> None:
    assert stated(r"([\d.]+) % of the loans failed")[0] == pytest.approx(
        100 * release["defaulted"].mean(), abs=0.05
    )
    listed = re.findall(r"^\| (\w+) \|", SHEET, re.M)[1:]
    assert set(listed) == set(release.columns)
    assert release["purpose"].nunique() == 6
    assert release.notna().all().all()


def test_the_release_of_the_page_is_this_one() -> None:
    page = (ROOT / "chapters" / "data" / "governance.md").read_text(encoding="utf-8")
    assert "lender.applications(8_000, seed=1, day_effect=0)" in page
    assert "customers(applications, seed=2)" in page

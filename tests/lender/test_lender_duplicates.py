"""Records hold the people, copies and errors that `records` claims."""

import unicodedata

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lender.duplicates import KIND_CHANCE, KINDS, records


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return records(4000, 1)


def test_every_person_has_one_record_or_two(frame: pd.DataFrame) -> None:
    counts = frame["person"].value_counts()
    assert len(counts) == 4000
    assert set(counts) == {1, 2}
    assert (counts == 2).mean() == pytest.approx(0.3, abs=0.03)
    assert list(frame["record"]) == list(range(len(frame)))


def test_nobody_is_sent_again_on_demand() -> None:
    alone = records(50, 2, again=0)
    assert len(alone) == 50
    assert set(alone["errors"]) == {""}


def test_errors_have_their_chances(frame: pd.DataFrame) -> None:
    again = frame[frame.groupby("person")["record"].transform("size") == 2]
    copies = len(again) / 2
    for kind, chance in zip(KINDS, KIND_CHANCE, strict=True):
        found = again["errors"].str.contains(kind).sum() / copies
        assert found == pytest.approx(chance, abs=0.045), kind


def test_a_record_without_an_error_repeats_the_first(frame: pd.DataFrame) -> None:
    again = frame[frame.groupby("person")["record"].transform("size") == 2]
    same = again.groupby("person").filter(lambda two: (two["errors"] == "").all())
    fields = ["first_name", "last_name", "born", "postcode", "phone"]
    assert len(same) > 100
    assert (same.groupby("person")[fields].nunique() == 1).all(axis=None)


def test_twins_share_all_but_first_name_and_phone(frame: pd.DataFrame) -> None:
    first = frame[frame["errors"] == ""].drop_duplicates("person")
    twins = first[first.duplicated(["last_name", "born", "postcode"], keep=False)]
    assert len(twins) == pytest.approx(2 * 0.1 * 4000, rel=0.3)


def test_text_is_clean_and_dates_are_dates(frame: pd.DataFrame) -> None:
    for name in ("first_name", "last_name"):
        assert all(unicodedata.is_normalized("NFC", text) for text in frame[name])
        assert frame[name].str.len().min() >= 2
    assert pd.to_datetime(frame["born"], format="%Y-%m-%d").notna().all()


def test_the_same_seed_gives_the_same_records(frame: pd.DataFrame) -> None:
    assert_frame_equal(frame, records(4000, 1))
    assert not frame.equals(records(4000, 2))


@pytest.mark.parametrize(("people", "again"), [(1, 0.3), (10, -0.1), (10, 1.1)])
def test_impossible_requests_are_refused(people: int, again: float) -> None:
    with pytest.raises(ValueError, match="needs 2 people and a share"):
        records(people, 0, again=again)

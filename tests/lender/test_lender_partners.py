"""Deliveries: formats, planted faults, balances; a careful loader comes out even to the cent."""

import json
from decimal import Decimal

import pandas as pd
import pytest

from lender import partners


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    truth = partners.deliver(folder, 3, n=1500, days=14, fault_share=0.04)
    return folder, truth, partners.repair(folder, truth)


def row(partner, **changed):
    known = {
        "partner": partner,
        "reference": "X-000001",
        "revision": 1,
        "applied_on": "2025-01-03",
        "branch": "Äsund",
        "purpose": "car",
        "term_months": 36,
        "age": 41,
        "income_cents": 250_005,
        "loan_cents": 123_456_7,
        "bureau_score": 655.0,
    }
    return known | changed


def lines(path):
    partner = path.stem.rpartition("-")[2]
    return path.read_text(encoding=partners.FORMATS[partner].encoding).splitlines()


@pytest.mark.parametrize(
    ("cents", "plain", "comma"),
    [
        (5, "0.05", "0,05"),
        (123456, "1234.56", "1.234,56"),
        (100_000_000, "1000000.00", "1.000.000,00"),
    ],
)
def test_money_is_written_to_the_cent(cents, plain, comma):
    assert partners.money(cents) == plain
    assert partners.money(cents, comma=True) == comma


def test_each_partner_has_its_own_way_of_writing_a_row():
    alder = "X-000001,1,2025-01-03,Äsund,car,36,41,2500.05,12345.67,655"
    assert partners.alder_line(row("alder")) == alder
    birch = "X-000001;1;03.01.2025;Äsund;car;36;41;30.000,60;12.345,67;655"
    assert partners.birch_line(row("birch")) == birch
    cedar = json.loads(partners.cedar_line(row("cedar")))
    assert cedar["purpose"] == "CAR " and cedar["loan_amount"] == "12345.67 "
    assert cedar["bureau_score"] == 655


def test_what_is_missing_is_written_in_three_ways():
    gone = {"income_cents": pd.NA, "bureau_score": float("nan")}
    assert partners.alder_line(row("alder", **gone)).endswith(",41,,12345.67,")
    assert partners.birch_line(row("birch", **gone)).endswith(";41;-;12.345,67;-")
    assert json.loads(partners.cedar_line(row("cedar", **gone)))["income"] is None


@pytest.mark.parametrize(
    "kind", sorted(k for kinds in partners.FAULT_KINDS.values() for k in kinds)
)
def test_a_fault_changes_its_line(kind):
    partner = next(p for p, kinds in partners.FAULT_KINDS.items() if kind in kinds)
    good = partners.FORMATS[partner].line(row(partner))
    assert partners.broken(row(partner), kind) != good


def test_a_fault_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no such kind"):
        partners.broken(row("alder"), "gremlins")


def test_every_line_stands_where_the_truth_says(delivered):
    folder, truth, _ = delivered
    files = {path.name: lines(path) for path in folder.glob("2*") if ".balance" not in path.name}
    headers = sum("cedar" not in name for name in files)
    assert sum(map(len, files.values())) == len(truth.sent) + headers
    for entry in truth.sent.itertuples():
        if entry.kind != "line cut off":
            assert entry.reference in files[entry.file][entry.line - 1]


def test_faults_have_the_share_asked_for_and_all_kinds(delivered):
    _, truth, _ = delivered
    assert set(truth.faults["kind"]) == partners._BROKEN
    assert 0.02 < len(truth.faults) / len(truth.rows) < 0.06


def test_corrections_and_lines_sent_again_are_there_and_some_come_too_late(delivered):
    _, truth, _ = delivered
    kinds = truth.sent.groupby("kind")["partner"].unique()
    assert set(kinds["resent"]) == {"cedar"} and set(kinds["correction"]) == set(partners.FORMATS)


def test_the_balance_is_that_of_the_last_revisions(delivered):
    folder, truth, _ = delivered
    for partner, rows in truth.rows.groupby("partner"):
        balance = json.loads((folder / f"2025-01-14-{partner}.balance.json").read_text())
        assert balance["applications"] == len(rows)
        assert 100 * Decimal(balance["loan_total"]) == int(rows["loan_cents"].sum())


def test_the_repair_holds_every_broken_line_as_it_was_meant(delivered):
    _, truth, paths = delivered
    text = "\n".join("\n".join(lines(path)) for path in paths)
    assert all(reference in text for reference in truth.faults["reference"])
    assert "n/a" not in text and "31.02." not in text


def test_the_same_seed_writes_the_same_files(tmp_path):
    for name in ("a", "b"):
        partners.deliver(tmp_path / name, 5, n=60, days=3)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_zero_to_one_is_refused(share, tmp_path):
    with pytest.raises(ValueError, match="fault_share"):
        partners.deliver(tmp_path, 1, fault_share=share)

"""The change log: ordered by commit, replayed to the table, with the three ways to be missed."""

import pandas as pd
import pytest

from lender import changes


@pytest.fixture(scope="module")
def log():
    return changes.log(4000, seed=2)


def test_the_log_is_in_the_order_of_commits(log):
    assert (log["lsn"] == range(len(log))).all()
    assert log["committed_at"].is_monotonic_increasing


def test_a_loan_is_inserted_first_and_never_changes_after_its_deletion(log):
    assert (log.groupby("loan_id")["op"].first() == "insert").all()
    deleted = log[log["op"] == "delete"].set_index("loan_id")["lsn"]
    last = log.groupby("loan_id")["lsn"].max()
    assert (last[deleted.index] == deleted).all()


def test_stamps_lag_commits_only_where_the_truth_says(log):
    lag = log["committed_at"] - log["updated_at"]
    assert (lag[log["kind"].isin(["plain", "delete"])] == pd.Timedelta(0)).all()
    slow = lag[log["kind"] == "slow"]
    assert slow.max() <= pd.Timedelta(hours=2) and slow.min() >= pd.Timedelta(0)
    silent = log[log["kind"] == "silent"]
    before = log.groupby("loan_id")["updated_at"].shift()
    assert (silent["updated_at"] == before[silent.index]).all()


def test_the_table_is_the_last_change_of_each_loan_that_lives(log):
    at = pd.Timestamp("2025-01-15")
    seen = changes.table(log, at)
    past = log[log["committed_at"] <= at]
    assert len(seen) == (past["op"] == "insert").sum() - (past["op"] == "delete").sum()
    assert seen["balance_cents"].notna().all()


def test_many_times_give_the_tables_of_each_time(log):
    times = list(pd.date_range("2025-01-02", "2025-01-29", freq="61h"))
    for at, seen in changes.states(log, times):
        expected = changes.table(log, at).astype({"balance_cents": "int64"})
        pd.testing.assert_frame_equal(seen, expected, check_dtype=False)


def test_the_same_seed_gives_the_same_log(log):
    assert changes.log(4000, seed=2).equals(log)
    assert not changes.log(4000, seed=3).equals(log)


@pytest.mark.parametrize(("loans", "days"), [(0, 28), (10, 0)])
def test_nothing_to_draw_is_refused(loans, days):
    with pytest.raises(ValueError, match="at least 1"):
        changes.log(loans, 1, days=days)

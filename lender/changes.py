"""A partner's table of loans as it changes, and its change log."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.simulate import Ints

MINUTES = 24 * 60
SLOW = 0.03  # share of updates committed a while after their time stamp was set
SILENT = 0.02  # share of updates, by scripts, that leave the time stamp as it was
WITHDRAWN = 0.05  # share of loans that are withdrawn within 14 days: the row is deleted


def log(loans: int, seed: int, *, days: int = 28, start: str = "2025-01-01") -> pd.DataFrame:
    """Every committed change of a table of loans, in the order of commits.

    Half of the `loans` are there at the start; the others are granted evenly over `days`. A loan's
    balance changes about once in 14 days. Columns:

    lsn            0, 1, 2, ...: the place in the log (log sequence number)
    committed_at   when the change could first be read
    op             insert, update or delete
    loan_id        0 ... loans - 1
    balance_cents  after the change; <NA> for a delete
    updated_at     the row's time stamp after the change, set when its transaction began
    kind           truth: plain, slow (committed up to two hours after its stamp), silent (the
                   stamp of the change before was kept) or delete

    Raises ValueError for loans or days below 1.
    """
    if loans < 1 or days < 1:
        raise ValueError(f"loans and days must be at least 1, got loans={loans} and days={days}")
    rng = np.random.default_rng(seed)
    born = np.where(np.arange(loans) < loans // 2, 0, rng.integers(0, days * MINUTES, loans))
    gone = rng.random(loans) < WITHDRAWN
    end = np.where(gone, born + rng.integers(60, 14 * MINUTES, loans), np.iinfo(np.int64).max)
    changes = rng.poisson(days / 14, loans)
    loan = np.repeat(np.arange(loans), changes)
    at = rng.integers(0, days * MINUTES, len(loan))
    alive = (at > born[loan]) & (at < end[loan])
    loan, at = loan[alive], at[alive]
    dice = rng.random(len(loan))
    kind = np.select([dice < SLOW, dice < SLOW + SILENT], ["slow", "silent"], "plain")
    begun = at - np.where(kind == "slow", rng.integers(1, 121, len(loan)), 0)
    ends = np.flatnonzero(gone)
    every = pd.concat(
        [
            _part(np.arange(loans), born, born, "insert", "plain"),
            _part(loan, at, np.maximum(begun, born[loan]), "update", kind),
            _part(ends, end[ends], end[ends], "delete", "delete"),
        ]
    )
    every = every[every["committed_at"] < days * MINUTES]
    every = every.sort_values("committed_at", kind="stable").reset_index(drop=True)
    every["balance_cents"] = pd.array(rng.integers(50_000, 2_000_000, len(every)), dtype="Int64")
    every.loc[every["op"] == "delete", "balance_cents"] = pd.NA
    stamp = every["updated_at"].where(every["kind"] != "silent")
    every["updated_at"] = stamp.groupby(every["loan_id"]).ffill()
    for name in ("committed_at", "updated_at"):
        every[name] = pd.Timestamp(start) + pd.to_timedelta(every[name], unit="min")
    columns = ["committed_at", "op", "loan_id", "balance_cents", "updated_at", "kind"]
    return every[columns].rename_axis("lsn").reset_index()


def _part(
    loan: Ints, at: Ints, stamp: Ints, op: str, kind: npt.NDArray[np.str_] | str
) -> pd.DataFrame:
    return pd.DataFrame(
        {"loan_id": loan, "committed_at": at, "updated_at": stamp, "op": op, "kind": kind}
    )


def table(changes: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """`balance_cents` and `updated_at` by `loan_id`, as a query at the time `at` sees them."""
    seen = changes[changes["committed_at"] <= at].drop_duplicates("loan_id", keep="last")
    alive = seen[seen["op"] != "delete"].set_index("loan_id").sort_index()
    return alive[["balance_cents", "updated_at"]]


def states(
    changes: pd.DataFrame, times: Sequence[pd.Timestamp]
) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    """Each of the ascending `times` with the table as a query sees it then (see `table`)."""
    ids = changes["loan_id"].to_numpy()
    balance = np.zeros(ids.max() + 1, dtype=np.int64)
    stamp = np.zeros(ids.max() + 1, dtype="datetime64[ns]")
    alive = np.zeros(ids.max() + 1, dtype=bool)
    cents = changes["balance_cents"].fillna(0).to_numpy(dtype=np.int64)
    stamps, lives = changes["updated_at"].to_numpy(), (changes["op"] != "delete").to_numpy()
    ends = changes["committed_at"].searchsorted(pd.DatetimeIndex(times), side="right")
    begin = 0
    for at, end in zip(times, ends, strict=True):
        new = slice(begin, end)
        # numpy keeps the last of several values assigned to one place: the newest change
        balance[ids[new]], stamp[ids[new]] = cents[new], stamps[new]
        alive[ids[new]] = lives[new]
        begin = end
        columns = {"balance_cents": balance[alive], "updated_at": stamp[alive]}
        yield at, pd.DataFrame(columns, index=pd.Index(np.flatnonzero(alive), name="loan_id"))

"""Three partners' daily files of applications, messy in their own ways, and what they meant."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lender.simulate import applications

Row = dict[str, Any]

FIELDS = (
    "reference",
    "revision",
    "applied_on",
    "branch",
    "purpose",
    "term_months",
    "age",
    "income",
    "loan_amount",
    "bureau_score",
)
BIRCH_HEADER = "ref;rev;date;branch;use;months;age;income_pa;sum;score"
BRANCHES = ("Nordby", "Äsund", "Österholt", "Fåborg")  # invented
CORRECTED = 0.02  # share of applications whose loan amount is corrected on a later day
RESENT = 0.03  # share of cedar's rows that it sends again on a later day, as they first were
FAULT_KINDS = {
    "alder": ("comma in branch", "amount not a number"),
    "birch": ("date that does not exist", "decimal point"),
    "cedar": ("line cut off", "negative amount"),
}
_BROKEN = frozenset(kind for kinds in FAULT_KINDS.values() for kind in kinds)


@dataclass(frozen=True)
class Truth:
    """What the files of `deliver` meant.

    rows: every application once, as its last revision has it: `partner`, FIELDS (dates as
    `YYYY-MM-DD`; `bureau_score` NaN where missing), `income_cents` (per month; missing: <NA>) and
    `loan_cents` in place of the amounts, and `defaulted`, known a year later.
    faults: one row per line that cannot be read as it was meant: `file`, `line` (1 is the file's
    first line, a header counts), `partner`, `reference`, `revision`, `kind`, `loan_cents` (meant).
    sent: every line that was sent: `file`, `line`, `partner`, `reference`, `revision`,
    `loan_cents` (meant) and `kind`: first, correction, resent, or a fault's.
    """

    rows: pd.DataFrame
    faults: pd.DataFrame
    sent: pd.DataFrame


def money(cents: int, *, comma: bool = False) -> str:
    """123456 -> '1234.56', or with a decimal comma and points for thousands '1.234,56'."""
    text = f"{cents // 100:,}.{cents % 100:02d}"
    return text.translate(str.maketrans(",.", ".,")) if comma else text.replace(",", "")


def _missing(value: Any, *, write: Callable[[int], str], empty: str | None = "") -> str | None:
    return empty if pd.isna(value) else write(int(value))


def alder_line(row: Row) -> str:
    """Commas, ISO dates, amounts with a decimal point; nothing where a value is missing."""
    fields = {
        **row,
        "income": _missing(row["income_cents"], write=money),
        "loan_amount": money(row["loan_cents"]),
        "bureau_score": _missing(row["bureau_score"], write=str),
    }
    return ",".join(str(fields[name]) for name in FIELDS)


def birch_line(row: Row) -> str:
    """Semicolons, dd.mm.yyyy, decimal commas, income per year; a dash for what is missing."""

    def yearly(cents: int) -> str:
        return money(12 * cents, comma=True)

    fields = {
        **row,
        "applied_on": date.fromisoformat(row["applied_on"]).strftime("%d.%m.%Y"),
        "income": _missing(row["income_cents"], write=yearly, empty="-"),
        "loan_amount": money(row["loan_cents"], comma=True),
        "bureau_score": _missing(row["bureau_score"], write=str, empty="-"),
    }
    return ";".join(str(fields[name]) for name in FIELDS)


def cedar_line(row: Row) -> str:
    """A JSON object, in capitals and with trailing blanks; null for what is missing."""
    fields = {
        **row,
        "branch": f"{row['branch']}  ",
        "purpose": f"{row['purpose'].upper()} ",
        "income": _missing(row["income_cents"], write=money, empty=None),
        "loan_amount": f"{money(row['loan_cents'])} ",
        "bureau_score": None if pd.isna(row["bureau_score"]) else int(row["bureau_score"]),
    }
    return json.dumps({name: fields[name] for name in FIELDS}, ensure_ascii=False)


@dataclass(frozen=True)
class _Format:
    suffix: str
    encoding: str
    header: str
    line: Callable[[Row], str]


FORMATS = {
    "alder": _Format("csv", "utf-8", ",".join(FIELDS), alder_line),
    "birch": _Format("csv", "cp1252", BIRCH_HEADER, birch_line),
    "cedar": _Format("jsonl", "utf-8", "", cedar_line),
}


def broken(row: Row, kind: str) -> str:
    """The row's line with one fault of a kind in FAULT_KINDS."""
    line = FORMATS[row["partner"]].line(row)
    amount = money(row["loan_cents"])
    if kind == "comma in branch":
        return line.replace(row["branch"], f"{row['branch']}, harbor")
    if kind == "amount not a number":
        return line.replace(f",{amount},", ",n/a,")
    if kind == "date that does not exist":
        day = date.fromisoformat(row["applied_on"])
        return line.replace(day.strftime("%d.%m.%Y"), f"31.02.{day.year}")
    if kind == "decimal point":
        return line.replace(f";{money(row['loan_cents'], comma=True)};", f";{amount};")
    if kind == "line cut off":
        return line[: len(line) // 2]
    if kind == "negative amount":
        return line.replace(f'"{amount} "', f'"-{amount} "')
    raise ValueError(f"no such kind of fault: {kind}")


def applications_to_the_cent(n: int, seed: int, days: int, start: str) -> pd.DataFrame:
    """Applications with a reference per partner and amounts in whole cents, by day."""
    rng = np.random.default_rng([seed, 1])
    frame = applications(n, seed, days=days, start=start)
    number = frame.groupby("partner").cumcount() + 1
    letter = frame["partner"].str[0].str.upper()
    income = 100 * frame["income"] + rng.integers(0, 100, n)
    loan = 100 * frame["loan_amount"].astype(np.int64) + rng.integers(0, 10_000, n)
    return pd.DataFrame(
        {
            "partner": frame["partner"],
            "reference": letter + "-" + number.map("{:06d}".format),
            "revision": 1,
            "applied_on": frame["applied_on"].dt.strftime("%Y-%m-%d"),
            "branch": rng.choice(BRANCHES, n),
            "purpose": frame["purpose"],
            "term_months": frame["term_months"],
            "age": frame["age"],
            "income_cents": income.astype("Int64"),
            "loan_cents": loan,
            "bureau_score": frame["bureau_score"],
            "defaulted": frame["defaulted"],
            "day": frame["day"],
        }
    )


def _sendings(first: pd.DataFrame, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """What is sent on which day (`sent`, `kind`): first versions, corrections, sent again."""
    n = len(first)
    first = first.assign(sent=first["day"], kind="first", place=rng.random(n))
    corrected = first[rng.random(n) < CORRECTED].copy()
    corrected["revision"] = 2
    corrected["loan_cents"] += rng.integers(-20_000, 20_000, len(corrected))
    corrected["sent"] += rng.integers(1, 4, len(corrected))
    corrected["kind"] = "correction"
    again = first[(first["partner"] == "cedar") & (rng.random(n) < RESENT)].copy()
    again["sent"] += rng.integers(0, 6, len(again))
    again["kind"] = "resent"
    every = pd.concat([first, corrected, again])
    every["place"] += (every["kind"] != "first") * 1.0  # at the end of the day's file
    return every[every["sent"] < days].sort_values(["sent", "partner", "place"])


def deliver(
    folder: Path,
    seed: int,
    *,
    n: int = 3000,
    days: int = 28,
    start: str = "2025-01-01",
    fault_share: float = 0.01,
) -> Truth:
    """Write each partner's file of each day into `folder`, with a closing balance; the truth.

    n applications over `days` days from `start`. A file is called `2025-01-03-birch.csv` (cedar:
    `.jsonl`). Beside it, `2025-01-03-birch.balance.json` says how many applications the partner
    has sent by the end of that day and what they add up to, each counted once, at its last
    revision: `{"applications": 90, "loan_total": "812345.67"}`. It comes from the partner's own
    books and is right whatever happened to the lines.

    The loan amount of a share CORRECTED of the applications is corrected by a line with revision
    2, one to three days later. cedar sends a share RESENT of its lines again, up to five days
    later, as they first were: a re-sent line may come after the correction. A share `fault_share`
    of the first lines cannot be read as meant (FAULT_KINDS); fixed ones come from `repair`.

    Raises ValueError for n or days below 1 and for a fault_share outside [0, 1].
    """
    if not 0 <= fault_share <= 1:
        raise ValueError(f"fault_share must lie in [0, 1], got {fault_share}")
    rng = np.random.default_rng([seed, 2])
    first = applications_to_the_cent(n, seed, days, start)
    every = _sendings(first, days, rng)
    bad = (every["kind"] == "first") & (rng.random(len(every)) < fault_share)
    pick = rng.integers(0, 2, len(every))
    faults = [FAULT_KINDS[p][i] for p, i in zip(every["partner"], pick, strict=True)]
    every["kind"] = every["kind"].mask(bad, pd.Series(faults, index=every.index))
    every["file"] = [
        f"{pd.Timestamp(start) + pd.Timedelta(days=day):%Y-%m-%d}-{p}.{FORMATS[p].suffix}"
        for day, p in zip(every["sent"], every["partner"], strict=True)
    ]
    header = (every["partner"] != "cedar").astype(np.int64)
    every["line"] = every.groupby("file").cumcount() + 1 + header
    _write(folder, every)
    _write_balances(folder, every)
    last = every.sort_values("revision").drop_duplicates(["partner", "reference"], keep="last")
    last = last.sort_values(["partner", "reference"])
    columns = ["file", "line", "partner", "reference", "revision", "kind", "loan_cents"]
    return Truth(
        rows=last[first.columns.drop("day")].reset_index(drop=True),
        faults=every.loc[every["kind"].isin(_BROKEN), columns].reset_index(drop=True),
        sent=every[columns].reset_index(drop=True),
    )


def _write(folder: Path, lines: pd.DataFrame) -> None:
    """One file per value of `file`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in lines.groupby("file", sort=False):
        form = FORMATS[part["partner"].iloc[0]]
        rows: list[Any] = part.to_dict("records")
        texts = [broken(r, r["kind"]) if r["kind"] in _BROKEN else form.line(r) for r in rows]
        text = "\n".join([form.header] * bool(form.header) + texts) + "\n"
        (folder / str(name)).write_text(text, encoding=form.encoding)


def _write_balances(folder: Path, lines: pd.DataFrame) -> None:
    """Applications and their total so far, beside each file."""
    for partner, part in lines.groupby("partner"):
        last: dict[str, int] = {}
        cents: dict[str, int] = {}
        for name, day in part.groupby("file", sort=False):
            sent = zip(day["reference"], day["revision"], day["loan_cents"], strict=True)
            for reference, revision, amount in sent:
                if revision >= last.get(reference, 0):
                    last[reference], cents[reference] = revision, amount
            balance = {"applications": len(cents), "loan_total": money(sum(cents.values()))}
            stem = str(name).removesuffix(f".{FORMATS[str(partner)].suffix}")
            (folder / f"{stem}.balance.json").write_text(json.dumps(balance))


def repair(folder: Path, truth: Truth) -> list[Path]:
    """Write each partner's lines of `truth.faults` as they were meant; the files, by partner.

    A file is called `repair-birch.csv` (cedar: `.jsonl`) and has the partner's own format.
    """
    rows = truth.rows.drop(columns=["revision", "loan_cents"])
    lines = truth.faults.drop(columns=["line", "file"]).merge(rows, on=["partner", "reference"])
    lines["file"] = [f"repair-{p}.{FORMATS[p].suffix}" for p in lines["partner"]]
    _write(folder, lines.assign(kind="first"))
    return [folder / name for name in sorted(set(lines["file"]))]

"""Records of people who came by way of several partners, and who is who.

The names are invented: syllables put together by chance, some with an accent.
"""

import numpy as np
import pandas as pd

from lender.simulate import PARTNER_SHARE

FIRST = ("bal", "cor", "dün", "fer", "gal", "hél", "jor", "kam", "lin", "mör", "nal", "pel", "sol")
SECOND = ("an", "do", "er", "ia", "iñ", "ka", "lo", "na", "os", "ri", "ta", "ule")
LAST = ("", "der", "feld", "gar", "low", "mann", "sen", "tröm", "wick", "zak")
KINDS = ("typo", "short name", "day and month", "moved", "new phone", "new surname")
KIND_CHANCE = (0.35, 0.15, 0.10, 0.30, 0.35, 0.05)  # of each error, in each further record
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _name(parts: tuple[tuple[str, ...], ...], n: int, rng: np.random.Generator) -> list[str]:
    picks = [rng.choice(part, n) for part in parts]
    return ["".join(syllables).capitalize() for syllables in zip(*picks, strict=True)]


def _people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """n people, one in ten of whom is the twin of the one before."""
    days = rng.integers(0, 18_000, n)
    people = pd.DataFrame(
        {
            "first_name": _name((FIRST, SECOND), n, rng),
            "last_name": _name((FIRST, SECOND, LAST), n, rng),
            "born": pd.Timestamp("1955-01-01") + pd.to_timedelta(days, unit="D"),
            "postcode": rng.integers(10_000, 10_400, n).astype(str),
            "phone": rng.integers(10**8, 10**9, n).astype(str),
        }
    )
    twin = np.flatnonzero(rng.random(n) < 0.1)
    twin = twin[twin > 0]
    shared = ["last_name", "born", "postcode"]
    people.loc[twin, shared] = people.loc[twin - 1, shared].to_numpy()
    return people


def _typo(word: str, rng: np.random.Generator) -> str:
    """The word with a letter replaced, left out, or exchanged with the next."""
    at = int(rng.integers(1, len(word) - 1))
    changed = (LETTERS[rng.integers(26)], "", word[at + 1] + word[at])
    kind = int(rng.integers(3))
    return word[:at] + changed[kind] + word[at + (2 if kind == 2 else 1) :]


def _spoil(person: dict[str, str], kinds: list[str], rng: np.random.Generator) -> dict[str, str]:
    """A further record of a person with the given errors."""
    new = dict(person)
    if "typo" in kinds:
        new["last_name"] = _typo(new["last_name"], rng)
    if "short name" in kinds:
        new["first_name"] = new["first_name"][:3] + "."
    if "day and month" in kinds and int(new["born"][8:]) <= 12:
        new["born"] = f"{new['born'][:4]}-{new['born'][8:]}-{new['born'][5:7]}"
    if "moved" in kinds:
        new["postcode"] = str(rng.integers(10_000, 10_400))
    if "new phone" in kinds:
        new["phone"] = str(rng.integers(10**8, 10**9))
    if "new surname" in kinds:
        new["last_name"] = _name((FIRST, SECOND, LAST), 1, rng)[0]
    return new


def records(people: int, seed: int, *, again: float = 0.3) -> pd.DataFrame:
    """Records of people who applied at one partner, a share of them at a second one too.

    people: how many people; again: expected share of them with a second record, which holds each
    of the errors in `KINDS` with the chance in `KIND_CHANCE`. Text is clean Unicode (NFC).

    Returns one row a record in random order: record, partner, first_name, last_name, born
    (YYYY-MM-DD; where day and month were exchanged, still a date), postcode, phone; and the
    truth, not available at work: person, and errors, the kinds in the record as one text.
    Raises ValueError for fewer than two people and for a share outside [0, 1].
    """
    if people < 2 or not 0 <= again <= 1:
        raise ValueError(f"needs 2 people and a share, got people={people} and again={again}")
    rng = np.random.default_rng(seed)
    frame = _people(people, rng)
    frame["born"] = frame["born"].dt.strftime("%Y-%m-%d")
    first = [{str(k): str(v) for k, v in row.items()} for row in frame.to_dict("records")]
    rows: list[dict[str, object]] = [
        {**row, "person": person, "errors": ""} for person, row in enumerate(first)
    ]
    for person in np.flatnonzero(rng.random(people) < again).tolist():
        kinds = [k for k, p in zip(KINDS, KIND_CHANCE, strict=True) if rng.random() < p]
        new = _spoil(first[person], kinds, rng)
        rows.append({**new, "person": person, "errors": ", ".join(kinds)})
    shuffled = pd.DataFrame(rows).iloc[rng.permutation(len(rows))].reset_index(drop=True)
    partner = rng.choice(list(PARTNER_SHARE), len(rows), p=list(PARTNER_SHARE.values()))
    shuffled.insert(0, "partner", partner)
    shuffled.insert(0, "record", np.arange(len(rows)))
    return shuffled

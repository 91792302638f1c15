"""Support tickets with personal data in known places, and the customers who wrote them.

Nobody here exists: names are put together from lists, mail goes to domains that RFC 2606 reserves
for examples, tax numbers begin with 9 in a form that is never issued, accounts lie at a bank code
of zeros, and telephone numbers at the exchange 555.
"""

from collections.abc import Callable, Hashable, Mapping
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd

from lender.simulate import Ints

Person = Mapping[Hashable, Any]  # a row of `customers`

# Five of the first names are words of the language too: what a list of names mistakes for people.
FIRST_NAMES = (
    *("Adara", "Belno", "Cirel", "Davit", "Elowen", "Faron", "Grace", "Hevin", "Isolde", "Jorun"),
    *("Kelda", "Lorcan", "Mark", "Nerys", "Oriel", "Penra", "Quill", "Rose", "Sorrel", "Tavin"),
    *("Ulric", "Vesna", "Will", "Wystan", "Xanthe", "Ysolt", "Zoran", "Amity", "Brannoc", "Hope"),
)
_LAST_BEGIN = ("Bel", "Dor", "Fen", "Gar", "Hal", "Ker", "Lom", "Mor", "Nor", "Pel", "Quar", "Ras")
_LAST_END = ("ander", "brook", "dahl", "eston", "kin", "lowe", "mere", "ova", "sted", "wick")
LAST_NAMES = tuple(begin + end for begin in _LAST_BEGIN for end in _LAST_END)
TRADES = ("baker", "beekeeper", "dentist", "farrier", "notary", "organ builder", "piano tuner")

AREAS = 300  # postal areas; a few hold many customers
# Area codes of telephone numbers: those that are in use, or number checks refuse them.
_UNUSED = {311, 322, 328, 333, 335, 338, 342, 344, 345, 348, 349}
AREA_CODES = tuple(code for code in range(301, 352) if code not in _UNUSED)
LINES = 10_000  # telephone numbers per area code
ODD = 0.25  # share of mentions that are not written in the usual form

KINDS = ("name", "email", "phone", "card", "account", "tax_number", "birth_date", "story")

OPENINGS = (
    "Hello, my name is {name}.",
    "Good morning, {name} here.",
    "Hi team,",
    "I will keep this short.",
    "This is the second time I write.",
)
SENTENCES = (
    "Please send the contract to {email} instead.",
    "You can reach me at {phone} after six.",
    "My card {card} was charged twice.",
    "The installment should be taken from my account {account}.",
    "My tax number is {tax_number}, as you asked.",
    "For verification: born {birth_date}.",
    "I am the only {story}, so the branch knows me.",
    "My email {email} no longer works, please call {phone}.",
    "The payment of {paid_on} is missing from my statement.",
    "Your letter carries the reference {reference}.",
    "The parcel with the papers has tracking number {parcel}.",
    "The app, version {version}, stops when I sign in.",
    "The rates rose again, and I hope that is a mistake.",
    "Is there a grace period, or will you mark the loan as late?",
    "I was told to write to help@example.org and never got an answer.",
    "Your hotline 800-555-0199 is always busy.",
)
CLOSINGS = ("Regards, {name}", "Thank you, {name}", "Please answer soon.", "Thanks!")


def _luhn(digits: str) -> str:
    """The digit that makes a card number valid (Luhn's check, ISO/IEC 7812-1)."""
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits))]
    return str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def _iban(account: int) -> str:
    """An account at the bank code of zeros, with check digits (ISO 13616, modulo 97)."""
    body = f"{account:018d}"
    return f"DE{98 - int(body + '131400') % 97:02d}{body}"


def customers(applications: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The person behind each application, with the index of `applications`.

    Needs the columns `age` and `applied_on`. Returns customer_id (six digits, in no order), name,
    email, phone (ten digits), tax_number (nine), card (sixteen), account (IBAN), born (a date that
    fits the age) and area (five digits). All but name, born and area are unique. Raises ValueError
    for more than `len(AREA_CODES) * LINES` applications.
    """
    n, rng = len(applications), np.random.default_rng(seed)
    if n > len(AREA_CODES) * LINES:
        raise ValueError(f"there are {len(AREA_CODES) * LINES} telephone numbers, asked for {n}")
    common = 1 / np.arange(5, 5 + len(LAST_NAMES))
    first = rng.choice(FIRST_NAMES, n)
    last = rng.choice(LAST_NAMES, n, p=common / common.sum())
    number = 100_000 + rng.choice(900_000, n, replace=False)
    line = rng.choice(len(AREA_CODES) * LINES, n, replace=False)
    tax = rng.choice(100 * 49 * 9_999, n, replace=False)
    card = rng.choice(10**9, n, replace=False)
    account = rng.choice(10**10, n, replace=False)
    days = np.floor(365.25 * applications["age"] + rng.integers(0, 365, n))
    size = np.exp(rng.normal(0, 1.2, AREAS))
    areas = 10_000 + rng.choice(90_000, AREAS, replace=False)
    mail = [f"{a}.{b}{k}@example.com".lower() for a, b, k in zip(first, last, number, strict=True)]
    return pd.DataFrame(
        {
            "customer_id": number,
            "name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
            "email": mail,
            "phone": [f"{AREA_CODES[k // LINES]}555{k % LINES:04d}" for k in line],
            "tax_number": [_tax_number(k) for k in tax],
            "card": [f"400000{k:09d}" + _luhn(f"400000{k:09d}") for k in card],
            "account": [_iban(k) for k in account],
            "born": applications["applied_on"].to_numpy() - pd.to_timedelta(days, unit="D"),
            "area": rng.choice(areas, n, p=size / size.sum()).astype(str),
        },
        index=applications.index,
    )


def _tax_number(k: int) -> str:
    """The k-th number 9xx-01..49-0001..9999: the form of a US tax number, never issued."""
    area, rest = divmod(int(k), 49 * 9_999)
    return f"9{area:02d}{1 + rest // 9_999:02d}{1 + rest % 9_999:04d}"


def _grouped(digits: str, sizes: tuple[int, ...], mark: str) -> str:
    """Digits in groups: ("123456", (2, 4), "-") gives "12-3456"."""
    ends = np.cumsum(sizes)
    return mark.join(digits[end - size : end] for size, end in zip(sizes, ends, strict=True))


def _usual(kind: str, person: Person, trade: str) -> str:
    """A mention as forms and recognizers expect it."""
    value = str(person.get(kind))
    if kind == "phone":
        return _grouped(value, (3, 3, 4), "-")
    if kind == "card":
        return _grouped(value, (4, 4, 4, 4), " ")
    if kind == "account":
        return _grouped(value, (4, 4, 4, 4, 4, 2), " ")
    if kind == "tax_number":
        return _grouped(value, (3, 2, 4), "-")
    if kind == "birth_date":
        return f"{person['born']:%m/%d/%Y}"
    return f"{trade} in {person['area']}" if kind == "story" else value


def _odd(kind: str, person: Person, trade: str) -> str:
    """A mention as people write it too."""
    value = str(person.get(kind))
    if kind == "name":
        return value.split()[0]
    if kind == "email":
        return value.replace("@", " at ").replace(".com", " dot com")
    if kind == "phone":
        return _grouped(value, (3, 3, 2, 2), " / ")
    if kind == "card":
        return _grouped(value, (4, 4, 4, 4), ".")
    if kind == "account":
        return value.lower()
    if kind == "birth_date":
        return f"{person['born']:%B} {person['born'].day}, {person['born']:%Y}"
    return f"{trade} around {person['area']}" if kind == "story" else value


def _paid_on(person: Person, rng: np.random.Generator) -> str:
    return f"{person['written_on'] - pd.Timedelta(days=int(rng.integers(5, 60))):%m/%d/%Y}"


# What looks like personal data and is none.
DECOYS: dict[str, Callable[[Person, np.random.Generator], str]] = {
    "paid_on": _paid_on,
    "reference": lambda person, rng: f"{rng.integers(10**8, 10**9)}",
    "parcel": lambda person, rng: "4" + "".join(map(str, rng.integers(0, 10, 15))),
    "version": lambda person, rng: ".".join(map(str, rng.integers(1, 20, 4))),
}


def _write(
    template: str, person: Person, rng: np.random.Generator
) -> tuple[str, list[tuple[int, int, str, str]]]:
    """The text of a template, and start, end, kind and form of each mention in it."""
    text, mentions = "", []
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field in DECOYS:
            text += DECOYS[field](person, rng)
        elif field:
            form = "odd" if rng.random() < ODD else "usual"
            trade = TRADES[rng.integers(len(TRADES))]
            said = (_odd if form == "odd" else _usual)(field, person, trade)
            mentions.append((len(text), len(text) + len(said), field, form))
            text += said
    return text, mentions


def _template(rng: np.random.Generator) -> str:
    """An opening, one to four sentences and a closing."""
    count = int(rng.integers(1, 5))
    body = [SENTENCES[k] for k in rng.choice(len(SENTENCES), count, replace=False)]
    return " ".join([str(rng.choice(OPENINGS)), *body, str(rng.choice(CLOSINGS))])


def tickets(people: pd.DataFrame, n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """n tickets by random customers from `customers`, and where their personal data is.

    Returns the tickets (ticket_id, customer_id, written_on, text), in order of time over 2026, and
    the truth: one row per mention with ticket_id, start, end, kind (of `KINDS`), form ("usual" or
    "odd") and `text[start:end]` as said, in order. A sentence about "the only baker in 12345"
    (kind "story") names nobody and points at one person.
    """
    rng = np.random.default_rng(seed)
    chosen: Ints = rng.integers(len(people), size=n)
    written = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 365, n)), "D")
    writers = people.iloc[chosen].assign(written_on=written).to_dict("records")
    rows, spans = [], []
    for ticket, person in enumerate(writers):
        text, mentions = _write(_template(rng), person, rng)
        rows.append((ticket, person["customer_id"], person["written_on"], text))
        spans += [(ticket, *mention, text[mention[0] : mention[1]]) for mention in mentions]
    frame = pd.DataFrame(rows, columns=["ticket_id", "customer_id", "written_on", "text"])
    names = ["ticket_id", "start", "end", "kind", "form", "said"]
    return frame, pd.DataFrame(spans, columns=names)

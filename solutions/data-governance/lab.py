# %% [markdown]
# # An audit, an erasure, and a release that was not anonymous
#
# **Situation.** Three letters came in one week. The auditor asks who has looked at customers' data,
# and how the lender would know if somebody had tidied the log. A university would like the support
# mailbox, "without personal data". And a customer writes: *delete everything you have on
# me.* On the same day a colleague published a table of loans that he calls anonymous.
#
# **You build** the gate through which people read customers' data and the check of the log that it
# writes; the mask and the pseudonyms for what leaves the house; and the erasure that keeps what a law
# keeps. In between you break the colleague's release by linking it with a public register. You end
# with the answer to the customer.
#
# - **Aims.** Deny by default and log every attempt; review code that leaks; tell every kind of
#   tampering with a log; mask overlapping findings; make pseudonyms that cannot be undone or joined;
#   re-identify people by linkage; erase by destroying keys under two laws' periods.
# - **You need** Python and pandas; the pages *Data governance: find, mask and erase what is personal* and
#   *Access, audit and the law*.
# - **Time.** About 90 minutes; 34 points, 8 questions.
# - **Budget.** The whole notebook runs within 30 s and 1.5 GB on one core, without network.
#
# **Help from AI tools.** Use them as you would at work: to recall an API, to explain an error, to
# draft code. You answer for what you hand in; question 2 practices what that takes. Write the last
# answer yourself.
#
# Run the cells in order. Below each question, a cell of tests tells you at once about the obvious
# mistakes; more tests run when the lab is graded. A question that fails does not block the next.
# Nobody here exists: names, numbers and addresses are made up by the simulator, in forms that are
# never given to anyone.

# %% tags=["parameters"]
seed = 20260101
people_count = 1500

# %%
import hashlib
import hmac
import json
import os
import re
from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import lender
from lender.tickets import AREA_CODES, FIRST_NAMES, LAST_NAMES, customers, tickets

plt.style.use("lender.course")
loans = lender.applications(people_count, seed, day_effect=0)
people = customers(loans, seed + 1)
mailbox, truth = tickets(people.sample(200, random_state=seed), 300, seed + 2)

# %% [markdown]
# ## 1. The gate, worked as an example
#
# Whoever reads a customer's data goes through one function. It knows a **policy**: for each role, the
# partners whose customers it serves, the columns that it may see, and the purposes for which it may
# ask.

# %%
policy = {
    "desk_alder": {
        "partners": {"alder"},
        "columns": {"name", "phone", "email"},
        "purposes": {"complaint", "payment"},
    },
    "risk": {
        "partners": {"alder", "birch", "cedar"},
        "columns": {"born", "area", "loan_amount"},
        "purposes": {"model"},
    },
}
columns = ["name", "email", "phone", "tax_number", "area", "partner", "loan_amount"]
rows = people.join(loans[["partner", "loan_amount"]])
table = rows.set_index("customer_id")[columns].to_dict("index")
number = next(iter(table))
print(number, table[number])

# %% [markdown]
# The obvious function asks what is forbidden, raises where something is not there, and logs what it
# has shown. Turn each of these around:
#
# | obvious | why not | instead |
# | --- | --- | --- |
# | take out the columns that are secret | a column that is added next year is shown | show what the policy **lists** |
# | `policy[role]`, `table[customer]` | an unknown role crashes the gate before it writes; an unknown customer gives another answer than a forbidden one, and so says who is a customer | `.get(...)`, and **one** answer, `None`, for every refusal |
# | log what was shown | ten thousand refused attempts leave no trace | log **every** attempt, with whether it was granted |
# | answer, then log | where the log's disk is full, the answer is out and no entry is there | **log first**; if that fails, so does the call |
#
# So the function has three steps: decide (all conditions in one expression, each of which must hold),
# write, answer. The first two lines are
#
# ```python
# rule = policy.get(role)  # None for a role that nobody thought of
# row = table.get(customer)  # None for somebody who is no customer
# ```

# %% answer: look-up
def look_up(table: dict, policy: dict, write, role: str, customer: int, purpose: str) -> dict | None:
    """What a role may see of a customer for a purpose; each attempt leaves an entry.

    table: from customer number to a row, a dict from column to value, in which `partner` is always
    there. policy: from role to a dict of three sets: partners, columns, purposes. write: function of
    one entry (a dict) that keeps it, and raises where it cannot.

    A row may be read if the policy names the role and lists, for this role, the purpose and the
    row's partner. Then a new dict is returned, with the columns of the row that the policy lists for
    the role (a listed column that the row lacks is left out). In every other case None is returned,
    also where there is no such customer.

    Each call writes exactly one entry before it returns, with exactly these keys: role, customer and
    purpose as passed, and granted, True if a row is returned and False if not. If write raises, the
    exception is passed on. Nothing else raises.

    Example: for "desk_alder", a customer of alder and "complaint": {"name": ..., "phone": ...,
    "email": ...}, and an entry with granted True; for a customer of birch None, and granted False.

    Also graded: unknown roles, customers and purposes, columns that the policy does not know, a log
    that cannot be written.
    """
    ### BEGIN SOLUTION
    rule = policy.get(role)
    row = table.get(customer)
    granted = (
        rule is not None
        and row is not None
        and purpose in rule["purposes"]
        and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {c: row[c] for c in rule["columns"] if c in row} if granted else None
    ### END SOLUTION

# %% test: look-up, 3 points
_rows = {
    1: {"name": "Adara Belova", "phone": "3015550100", "tax_number": "900010001", "partner": "alder"},
    2: {"name": "Hevin Dorkin", "phone": "3015550101", "tax_number": "900010002", "partner": "birch"},
}
_rules = {
    "desk": {"partners": {"alder"}, "columns": {"name", "phone", "email"}, "purposes": {"complaint"}},
    "audit": {"partners": {"alder", "birch"}, "columns": {"name"}, "purposes": {"review"}},
}


def _ask(_role, _customer, _purpose):
    """The answer (or what was raised instead) and the entries that were written."""
    _kept = []
    try:
        return look_up(_rows, _rules, _kept.append, _role, _customer, _purpose), _kept
    except Exception as _error:
        return _error, _kept


_kept = []
_got = look_up(_rows, _rules, _kept.append, "desk", 1, "complaint")
assert type(_got) is dict and _got.get("name") == "Adara Belova", (
    "the desk asks for a customer of its own partner, for a purpose on its list: it gets a dict"
)
assert len(_kept) == 1 and _kept[0] == {
    "role": "desk", "customer": 1, "purpose": "complaint", "granted": True
}, "one call writes one entry, with the keys role, customer, purpose and granted"
_got, _ = _ask("desk", 2, "complaint")
assert _got is None, "a customer of a partner that the policy does not list for the role: None"
### BEGIN HIDDEN TESTS
_got, _kept = _ask("desk", 1, "complaint")
assert "email" not in _got, "a column that the policy lists and the row lacks is left out"
assert _got == {"name": "Adara Belova", "phone": "3015550100"}, (
    "the answer holds the columns that the policy lists for the role, and no others, whatever the "
    "row has"
)
for _role, _customer, _purpose, _what in [
    ("desk", 2, "complaint", "another partner's customer"),
    ("desk", 1, "curiosity", "a purpose that is not on the role's list"),
    ("desk", 1, "review", "a purpose that is not on the role's list"),
    ("nobody", 1, "complaint", "a role that the policy does not name"),
    ("desk", 99, "complaint", "somebody who is no customer"),
]:
    _got, _kept = _ask(_role, _customer, _purpose)
    assert _got is None, (
        f"{_what}: the answer is None, as for every other refusal; an exception tells more, and data "
        "tell all"
    )
    assert _kept == [
        {"role": _role, "customer": _customer, "purpose": _purpose, "granted": False}
    ], f"{_what}: a refused attempt is written, too, with granted False"
_got, _kept = _ask("audit", 2, "review")
assert _got == {"name": "Hevin Dorkin"} and _kept[0]["granted"] is True, (
    "another role has another list of columns, partners and purposes"
)
_rows[1]["name_of_spouse"] = "Wystan Belova"
assert "name_of_spouse" not in (_ask("desk", 1, "complaint")[0] or {}), (
    "a column that nobody has put on a list is not shown: deny by default"
)
del _rows[1]["name_of_spouse"]


def _full(_entry):
    raise OSError("no space left on device")


def _lost(_entry):
    raise KeyError("no such log")


for _write, _kind, _role, _customer in [
    (_full, OSError, "desk", 1), (_full, OSError, "desk", 2), (_full, OSError, "nobody", 1),
    (_full, OSError, "desk", 99), (_lost, KeyError, "desk", 1),
]:
    _calls = []
    try:
        look_up(_rows, _rules, lambda _entry: (_calls.append(1), _write(_entry)), _role, _customer,
                "complaint")
        _raised = None
    except Exception as _error:
        _raised = _error
    assert isinstance(_raised, _kind) and len(_calls) == 1, (
        "the log cannot be written: the exception is passed on, or data leave without a trace"
    )
_rng = np.random.default_rng(seed + 4)
for _ in range(200):
    _customer = int(_rng.choice(list(table)[:40])) + int(_rng.random() < 0.1)
    _role, _purpose = (str(_rng.choice(_c)) for _c in
                       (["desk_alder", "risk", "intern"], ["complaint", "payment", "model", "fun"]))
    _rule, _row, _kept = policy.get(_role), table.get(_customer), []
    _may = bool(_rule and _row) and (
        {_purpose} <= _rule["purposes"] and {_row["partner"]} <= _rule["partners"]
    )
    _want = {_c: _v for _c, _v in _row.items() if _c in _rule["columns"]} if _may else None
    try:
        _got = look_up(table, policy, _kept.append, _role, _customer, _purpose)
    except Exception as _error:
        _got = _error
    assert _got == _want and [_e.get("granted") for _e in _kept] == [_may], (
        "for a fresh mix of roles, customers and purposes, an answer or an entry differs from the "
        "policy's"
    )
_rules["all"] = {"partners": {"alder"}, "columns": set(_rows[1]), "purposes": {"complaint"}}
for _role in ("desk", "all"):
    _taken = _ask(_role, 1, "complaint")[0]
    if type(_taken) is dict:
        _taken["name"] = "changed"
assert _rows[1]["name"] == "Adara Belova", "what the caller does with the answer changes the table"
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Review a colleague's gate
#
# A colleague, with an assistant's help, wrote `look_up` too. It is shown below, it serves desk and risk
# well, and it breaks the contract of question 1 all the same.
#
# Write `test_look_up(look_up)`: it calls the function it is given and raises (a plain `assert` will
# do) if that function breaks the contract. It must pass every correct version, whatever its make. It
# is scored on versions you do not see: by the share of the wrong ones that it catches, times the
# share of the right ones that it spares. Go through the contract clause by clause: what is returned,
# what is written, and when.

# %% review: look-up, 3 points
def test_look_up(look_up) -> None:
    """Raise AssertionError if look_up breaks the contract of question 1.

    look_up: the function under test. Returns nothing where it is right.

    Also graded: several wrong versions, each with another mistake, and several right ones.
    """
    ### BEGIN SOLUTION
    rows = {
        7: {"name": "n", "secret": "s", "partner": "a"},
        8: {"name": "m", "secret": "t", "partner": "b"},
    }
    rules = {
        "desk": {"partners": {"a"}, "columns": {"name", "email"}, "purposes": {"help"}},
        "risk": {"partners": {"b"}, "columns": {"secret"}, "purposes": {"model"}},
    }
    for role, customer, purpose, want in [
        ("desk", 7, "help", {"name": "n"}),
        ("desk", 8, "help", None),
        ("desk", 7, "other", None),
        ("desk", 7, "model", None),
        ("desk", 9, "help", None),
        ("guest", 7, "help", None),
    ]:
        entries = []
        assert look_up(rows, rules, entries.append, role, customer, purpose) == want
        assert entries == [{"role": role, "customer": customer, "purpose": purpose,
                            "granted": want is not None}]

    def broken(entry):
        raise OSError

    try:
        look_up(rows, rules, broken, "desk", 7, "help")
    except OSError:
        return
    raise AssertionError("answered without an entry")
    ### END SOLUTION

# %% [markdown]
# ## 3. Would anybody notice?
#
# The gate's entries are kept in a **hash chain**: each record holds its entry and a hash of *that entry
# and the hash before*. `link` makes one such hash. Every night the number of records and the last hash
# (the *head*) are mailed to the auditor: an **anchor**, a pair `(count, head)`, outside the reach of
# whoever can write the log.

# %%
START = "0" * 64  # the head of an empty log


def link(before: str, entry: dict) -> str:
    """The hash of a record: of the hash before it and its entry."""
    return hashlib.sha256((before + json.dumps(entry, sort_keys=True)).encode()).hexdigest()


def chained(entries: list[dict]) -> list[dict]:
    """The log that honest software writes: a list of records, dicts with entry and hash."""
    records, head = [], START
    for entry in entries:
        head = link(head, entry)
        records.append({"entry": entry, "hash": head})
    return records


def make_reads(n: int, seed: int) -> list[dict]:
    """n entries as the gate writes them."""
    rng = np.random.default_rng(seed)
    return [{"n": i, "role": str(rng.choice(["desk_alder", "risk"])),
             "customer": int(rng.choice(list(table))), "granted": bool(rng.random() < 0.9)}
            for i in range(n)]


reads = chained(make_reads(60, seed))
anchors = [(20, reads[19]["hash"]), (40, reads[39]["hash"])]
reads[0]

# %% [markdown]
# Here are four things that an insider may do with full rights on the log. Comparing each record with
# the chain finds one of them. Predict which, before you run the cell.

# %%
def fits(log: list[dict]) -> bool:
    """Whether the records fit each other."""
    return [r["hash"] for r in chained([r["entry"] for r in log])] == [r["hash"] for r in log]


attacks = {
    "an entry changed, hashes left": [*reads[:9], {**reads[9], "entry": {"n": 9}}, *reads[10:]],
    "an entry changed, all hashes made again": chained(
        [r["entry"] | ({"role": "risk2"} if i == 9 else {}) for i, r in enumerate(reads)]),
    "an entry taken out, all hashes made again": chained(
        [r["entry"] for i, r in enumerate(reads) if i != 9]),
    "the last 30 cut off": reads[:30],
}
for name, tampered in attacks.items():
    print(f"{name}: {'not found' if fits(tampered) else 'found'}")

# %% [markdown]
# The anchors tell the rest, if each is compared with the log *at its own count*.

# %% answer: inspect-log
def inspect_log(log: list[dict], anchors: list[tuple[int, str]]) -> tuple[str, int]:
    """What an auditor can say of a log, by its chain and by the anchors.

    log: records in order, dicts with entry (a dict) and hash, as from `chained`, perhaps tampered
    with. anchors: pairs (count, head): when the log had so many records (0 or more), its last hash
    was head (START where it had none). In any order; perhaps none. No two have the same count.

    Returns the first of these that applies:
    ("broken", i)     record i (counted from 0) is the first whose hash is not the link of the hash
                      before it and its entry;
    ("rewritten", n)  n is the smallest count of an anchor, not beyond the log's end, at which the log
                      has another head than the anchor says;
    ("truncated", m)  an anchor's count is beyond the log's end; m records are missing at least, by the
                      largest count;
    ("sound", m)      m records have been added since the newest anchor: no witness knows them.

    Neither log nor anchors are changed.

    Example: for 60 records and anchors at 20 and 40: ("sound", 20) as written, ("truncated", 10) where
    the last 30 are cut off.

    Also graded: changed, exchanged, inserted and missing records with and without new hashes, anchors
    in any order, no anchor, an empty log.
    """
    ### BEGIN SOLUTION
    heads = [START]
    for i, record in enumerate(log):
        heads.append(link(heads[-1], record["entry"]))
        if heads[-1] != record["hash"]:
            return "broken", i
    for count, head in sorted(anchors):
        if count <= len(log) and heads[count] != head:
            return "rewritten", count
    newest = max((count for count, _ in anchors), default=0)
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest
    ### END SOLUTION

# %% test: inspect-log, 5 points
def _inspect(_log, _anchors):
    """The verdict, or what was raised instead."""
    try:
        _said = inspect_log(_log, _anchors)
    except Exception as _error:
        return _error, 0
    return _said if type(_said) is tuple and len(_said) == 2 else (_said, None)


assert type(inspect_log(reads, anchors)) is tuple, "inspect_log returns a tuple: a word and a number"
assert _inspect(reads, anchors) == ("sound", 20), (
    "the log as written is sound, and the number is that of the records since the newest anchor"
)
assert _inspect(attacks["an entry changed, hashes left"], anchors) == ("broken", 9), (
    "an entry was changed and its hash left: broken, at the first record that does not fit"
)
assert _inspect(attacks["the last 30 cut off"], anchors)[0] != "sound", (
    "the log is shorter than an anchor says: that is not sound"
)
### BEGIN HIDDEN TESTS
def _heads(_log, *_counts):
    return [(_n, _log[_n - 1]["hash"] if _n else START) for _n in _counts]


assert _inspect(attacks["the last 30 cut off"], anchors) == ("truncated", 10), (
    "30 records are left and an anchor has seen 40: at least how many are missing?"
)
_said = _inspect(attacks["an entry changed, all hashes made again"], anchors)
assert _said[0] == "rewritten", (
    "changed, with all hashes made again: every record fits, and the anchors know another head"
)
assert _said[1] == 20, "rewritten: the number is the smallest count at which an anchor disagrees"
assert _inspect(attacks["an entry taken out, all hashes made again"], anchors)[0] == "rewritten", (
    "a record taken out and all hashes made again: compare each anchor with the head at its own count"
)
assert _inspect([], []) == ("sound", 0) and _inspect([], [(0, START)]) == ("sound", 0), (
    "an empty log that nobody has seen otherwise is sound"
)
assert _inspect([], [(3, "ab" * 32)]) == ("truncated", 3), (
    "everything is gone, and an anchor remembers three records"
)
assert _inspect(reads, []) == ("sound", 60), "without an anchor no record has a witness"
assert _inspect(reads, _heads(reads, 60)) == ("sound", 0), (
    "an anchor at the log's very end agrees with it, and leaves nothing open"
)
_wrong = chained(make_reads(60, seed + 9))
assert _inspect(_wrong, _heads(reads, 60)) == ("rewritten", 60), (
    "an anchor at the log's very end disagrees with it"
)
assert _inspect(reads, _heads(reads, 40, 0, 20)) == ("sound", 20), (
    "anchors come in any order; the newest is the one with the largest count"
)
_late = chained([_r["entry"] for _r in reads[:30]] + make_reads(5, seed + 8))
assert _inspect(_late, _heads(reads, 50, 20)) == ("truncated", 15), (
    "what an old anchor covers is right, and a newer one has seen more records than there are"
)
assert _inspect(_wrong[:30], _heads(reads, 50, 20)) == ("rewritten", 20), (
    "shorter and rewritten: an anchor within the log disagrees, and that comes first"
)
_half = reads[:45] + _wrong[45:]
assert _inspect(_half, _heads(reads, 20, 40)) == ("broken", 45), (
    "another log's records were put in behind the newest anchor: the first does not fit the one before"
)
_hash = [dict(_r) for _r in reads]
_hash[30]["hash"] = "0" * 64
assert _inspect(_hash, _heads(reads, 50)) == ("broken", 30), (
    "a stored hash was overwritten and the entries left: that record does not fit"
)
_swap = reads[:10] + [reads[11], reads[10]] + reads[12:]
assert _inspect(_swap, []) == ("broken", 10), (
    "two records exchanged: every record's hash stands for its entry and the hash before it"
)


def _verdict(_log, _anchors):
    """The contract, by other means."""
    _links = [link(_b, _r["entry"])
              for _b, _r in zip([START, *(_r["hash"] for _r in _log)], _log, strict=False)]
    _bad = [_i for _i, _r in enumerate(_log) if _links[_i] != _r["hash"]]
    if _bad:
        return "broken", _bad[0]
    _off = [_n for _n, _h in _anchors if _n <= len(_log) and [START, *_links][_n] != _h]
    if _off:
        return "rewritten", min(_off)
    _open = len(_log) - max([_n for _n, _ in _anchors] or [0])
    return ("sound" if _open >= 0 else "truncated"), abs(_open)


_rng = np.random.default_rng(seed + 5)
for _trial in range(60):
    _n = int(_rng.integers(2, 30))
    _entries = make_reads(_n, int(_rng.integers(10**6)))
    _good = chained(_entries)
    _known = _heads(_good, *_rng.choice(_n + 1, int(_rng.integers(0, 4)), replace=False).tolist())
    _at, _kind = int(_rng.integers(_n)), _trial % 6
    _log = [dict(_r) for _r in _good]
    if _kind == 1:
        _log[_at]["entry"] = {**_log[_at]["entry"], "customer": -1}
    elif _kind == 2:
        _log = chained([_e if _i != _at else {"n": -1} for _i, _e in enumerate(_entries)])
    elif _kind == 3:
        _log = _log[:_at]
    elif _kind == 4:
        _log = _log[:_at] + _log[_at + 1 :]
    elif _kind == 5:
        _log = chained(_entries[:_at] + _entries[_at + 1 :])
    assert _inspect(_log, _known) == _verdict(_log, _known), (
        "on fresh logs, changed, cut or rewritten at random, the verdict differs from an independent "
        "implementation"
    )
_given, _known = chained(make_reads(60, seed)), _heads(reads, 40, 0, 20)
inspect_log(_given, _known)
assert _given == chained(make_reads(60, seed)) and _known == _heads(_given, 40, 0, 20), (
    "the log or the anchors that were passed in have been changed"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Masking the mailbox
#
# The university gets tickets in which every finding is replaced by its kind. Below are the lender's
# recognizers, patterns one and all. Many a number looks like another; a *check digit* says which
# are cards: double every second digit from the right, add up all digits, and the sum must be divisible by
# ten.

# %%
def luhn(number: str) -> bool:
    digits = [int(d) for d in number if d.isdigit()][::-1]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


PATTERNS = {
    "name": rf"\b({'|'.join(FIRST_NAMES)})\b( ({'|'.join(LAST_NAMES)})\b)?",
    "email": r"\b[\w.]+(@| at )[\w]+(\.| dot )\w+",
    "phone": r"\b\d{3}( / |-)\d{3}( / |-)\d\d( / )?\d\d\b",
    "card": r"\b4\d{3}([ .-]?\d{4}){3}\b",
    "account": r"\b[a-z]{2}\d\d ?(\d{4} ?){4}\d\d\b",
    "date": r"\b\d\d/\d\d/\d{4}\b",
    "number": r"\b\d[\d .-]{7,}\d\b",
}


def findings(text: str) -> list[tuple[int, int, str]]:
    """Start, end and kind of what the recognizers find, one recognizer after the other."""
    return [(m.start(), m.end(), kind) for kind, pattern in PATTERNS.items()
            for m in re.finditer(pattern, text, re.IGNORECASE)
            if kind != "card" or luhn(m.group())]


# %%
spans = {row.ticket_id: findings(row.text) for row in mailbox.itertuples()}
texts = mailbox.set_index("ticket_id")["text"]
looks = [m.group() for text in texts for m in re.finditer(PATTERNS["card"], text)]
cards = set(truth.loc[truth["kind"] == "card", "said"])
for name, found in {"form alone": looks, "check digit": list(filter(luhn, looks))}.items():
    true = cards & set(found)
    print(f"{name}: {len(found)} found, recall {len(true) / len(cards):.0%}, "
          f"precision {np.mean([number in cards for number in found]):.0%}")

# %% [markdown]
# Findings overlap: an email address holds a first name, an account number a long number. Replacing one
# after the other, each at the place where it was found, garbles the text:

# %%
def naive(text: str, spans: list) -> str:
    for start, end, kind in spans:
        text = text[:start] + f"<{kind}>" + text[end:]
    return text


busy = max(spans, key=lambda ticket: (len(spans[ticket]), -ticket))
print(texts[busy], naive(texts[busy], spans[busy]), sep="\n\n")

# %% [markdown]
# To go from right to left keeps the places, as long as no two findings overlap. Where two overlap
# *partly*, dropping one of them leaves a piece of a number standing. What is wanted: findings that
# share characters form a **run**, and the whole run is replaced at once.

# %% answer: mask
def mask(text: str, spans: list[tuple[int, int, str]]) -> str:
    """The text with everything that was found replaced by its kind.

    spans: start, end (not included) and kind of each finding, 0 <= start <= end <= len(text), in any
    order; they may be nested, overlap partly, be repeated, or be empty (start == end: ignored).

    Spans that share at least one character belong to the same run, also by way of others (the first
    and the second overlap, the second and the third). Each run, from its smallest start to its
    largest end, becomes one mark: "<" + kind + ">" with the kind of its longest span; of equally
    long ones the one that starts first, and of these the first by the alphabet. Spans that only touch
    (one ends where the next starts) are separate runs. All else stays as it is. spans is not changed.

    Example: mask("call 555-0100 now", [(5, 13, "phone"), (9, 13, "number")]) is "call <phone> now".

    Also graded: spans in any order, partial overlaps, runs of three and more, touching and empty
    spans, texts that contain a found value twice, a fresh mailbox.
    """
    ### BEGIN SOLUTION
    out, at, run, end = [], 0, [], 0
    for span in [*sorted(s for s in spans if s[0] < s[1]), None]:
        if run and (span is None or span[0] >= end):
            first, last, kind = min(run, key=lambda s: (s[0] - s[1], s))
            out += [text[at : run[0][0]], f"<{kind}>"]
            at, run = end, []
        if span is not None:
            end = max(end, span[1])
            run.append(span)
    return "".join(out) + text[at:]
    ### END SOLUTION

# %% test: mask, 5 points
assert type(mask("a", [])) is str, "mask returns a text"
assert mask("call me", []) == "call me", "where nothing was found, nothing changes"
assert mask("call 555-0100 or 555-0199 now", [(5, 13, "phone"), (17, 25, "phone")]) == (
    "call <phone> or <phone> now"
), "two findings apart: each is replaced at its own place, and the text between them stays"
_call = "call 555-0100 now"
assert mask(_call, [(9, 13, "number"), (5, 13, "phone")]) == "call <phone> now", (
    "one finding inside another: the longer one's mark alone stands in place of both"
)
### BEGIN HIDDEN TESTS
def _masked(_text, _spans):
    """The masked text, or what was raised instead."""
    try:
        return mask(_text, _spans)
    except Exception as _error:
        return _error


_ten = "0123456789"
assert _masked(_ten, [(6, 8, "b"), (1, 3, "a")]) == "0<a>345<b>89", (
    "findings come in any order, not from left to right"
)
assert _masked("rose likes a rose", [(0, 4, "name")]) == "<name> likes a rose", (
    "only the place that was found is replaced: the same letters elsewhere stay"
)
_got = _masked(_ten, [(1, 5, "a"), (4, 9, "b")])
assert not set("5678") & set(str(_got)), (
    "two findings overlap partly, and the end of the later one still stands in the text"
)
assert not set("123") & set(str(_got)), (
    "two findings overlap partly, and the beginning of the earlier one still stands in the text"
)
assert _got == "0<b>9", (
    "two findings overlap partly: one mark, the longer one's, stands for both"
)
assert _masked(_ten, [(0, 6, "a"), (1, 3, "b"), (5, 8, "c")]) == "<a>89", (
    "a run reaches to the largest end in it, not to the end of the finding that was last looked at"
)
assert _masked(_ten, [(0, 3, "a"), (2, 6, "b"), (5, 8, "c")]) == "<b>89", (
    "the first overlaps the second and that the third: one run, marked by the longest"
)
assert _masked(_ten, [(0, 3, "a"), (3, 6, "b")]) == "<a><b>6789", (
    "findings that only touch share no character: two marks"
)
assert _masked(_ten, [(2, 2, "a"), (5, 7, "b")]) == "01234<b>789", "an empty finding is ignored"
assert _masked(_ten, [(2, 6, "b"), (2, 6, "a"), (4, 8, "0"), (2, 6, "a")]) == "01<a>89", (
    "equally long: the one that starts first, and of these the first by the alphabet"
)
assert _masked(_ten, [(0, 10, "all")]) == "<all>" and _masked("", []) == "", (
    "a finding may be the whole text, and a text may be empty"
)
_given = [(6, 8, "b"), (1, 3, "a")]
mask(_ten, _given)
assert _given == [(6, 8, "b"), (1, 3, "a")], "the list that was passed in has been changed"


def _by_characters(_text, _spans):
    """The contract, by a walk through the gaps between characters."""
    _spans = [_s for _s in _spans if _s[0] < _s[1]]
    _covered = [any(_a <= _i < _b for _a, _b, _ in _spans) for _i in range(len(_text))]
    _joined = [any(_a < _i < _b for _a, _b, _ in _spans) for _i in range(len(_text))]
    _out, _i = "", 0
    while _i < len(_text):
        if not _covered[_i]:
            _out, _i = _out + _text[_i], _i + 1
            continue
        _j = _i + 1
        while _j < len(_text) and _joined[_j]:
            _j += 1
        _inside = [(-(_b - _a), _a, _k) for _a, _b, _k in _spans if _i <= _a < _j]
        _out, _i = _out + f"<{min(_inside)[2]}>", _j
    return _out


_rng = np.random.default_rng(seed + 6)
_signs = "".join(map(chr, range(0x4E00, 0x4E00 + 40)))  # each once, so that each can be followed
for _ in range(150):
    _starts = _rng.integers(0, 40, int(_rng.integers(1, 7)))
    _some = [(int(_s), int(min(40, _s + _rng.integers(0, 9))), str(_rng.choice(["p", "q", "r"])))
             for _s in _starts]
    _got = _masked(_signs, list(_some))
    assert type(_got) is str, "mask raises where findings overlap at random"
    _kept = "".join(_c for _c in _got if _c in _signs)
    _hidden = {_i for _a, _b, _ in _some for _i in range(_a, _b)}
    assert not set(_kept) & {_signs[_i] for _i in _hidden}, (
        "with findings at random, characters that a finding covers survive"
    )
    assert _kept == "".join(_c for _i, _c in enumerate(_signs) if _i not in _hidden), (
        "with findings at random, characters that no finding covers are lost or out of order"
    )
    assert _got == _by_characters(_signs, _some), (
        "with findings at random, other runs or marks than an independent implementation's"
    )
_fresh, _ = tickets(people, 80, seed + 7)
for _text in _fresh["text"]:
    assert _masked(_text, findings(_text)) == _by_characters(_text, findings(_text)), (
        "on a fresh mailbox the masked texts differ from an independent implementation"
    )
### END HIDDEN TESTS

# %% [markdown]
# What is masked without a mistake is what was *found*. What is left of the mentions that the simulator
# planted (at work: of those that somebody marked by hand)?

# %%
def covered(mention) -> bool:
    """Whether one finding covers the whole mention."""
    return any(a <= mention.start and mention.end <= b for a, b, _ in spans[mention.ticket_id])


truth["left"] = [not covered(mention) for mention in truth.itertuples()]
left = 100 * truth.groupby("kind")["left"].mean().sort_values()
figure, axis = plt.subplots()
_ = axis.barh(left.index, left), axis.set(xlabel="mentions that a reader can still see (%)")
telling = truth.loc[truth["left"], "ticket_id"].nunique()
print(f"{telling} of {len(mailbox)} masked tickets still hold something personal")

# %% [markdown]
# "The only beekeeper in 12345" is found by no pattern, "March 3, 1980" by none of these. A recall of 100 % for
# six kinds is not safety for a text. So the university gets the masked mailbox under a contract, and nobody
# calls it anonymous.
#
# ## 5. Pseudonyms that cannot be undone
#
# The colleague's release has a column `phone`, of SHA-256 hashes: "nobody can turn a hash around".
# Nobody needs to.

# %%
def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


hashes = set(people["phone"].map(sha))
undone = [n for area in AREA_CODES for line in range(10_000)
          if sha(n := f"{area}555{line:04d}") in hashes]
print(f"{len(AREA_CODES) * 10_000:,} numbers tried, {len(undone)} of {len(hashes)} customers found")

# %% [markdown]
# A **keyed** hash (HMAC) has no such book for whoever lacks the key. Three more things go wrong at work. The
# same customer writes her number in several ways, and becomes two people. Everybody without a number
# gets the same pseudonym, and becomes one very busy person. And two releases under the same
# pseudonyms can be joined: so each **purpose** needs pseudonyms of its own.

# %% answer: pseudonyms
def pseudonyms(numbers: pd.Series, key: bytes, purpose: str) -> pd.Series:
    """A pseudonym for each telephone number, the same for the same number, key and purpose.

    numbers: texts as people write them, or missing values (None, nan). Only the digits 0 to 9 count;
    of eleven digits of which the first is a 1 (the country code), only the last ten. key: at least 16
    random bytes, which stay in the house. purpose: any text, for instance the name of a release.

    Returns a Series with the index of numbers: texts of 24 hexadecimal digits, or a missing value
    where the number is missing or has no digit at all. The pseudonyms come from a keyed hash
    (HMAC with SHA-256; `hmac` is imported) and depend on nothing but the digits that count, the key
    and the purpose: not on the order of the rows, nor on what else is in the Series. Different digits,
    another key or another purpose give different pseudonyms. numbers is not changed.

    Example: "301-555-0123" and "+1 (301) 555 0123" have the same pseudonym.

    Also graded: ways of writing, missing numbers and "unknown", other keys, purposes whose names
    begin alike, parts and other orders of the rows.
    """
    ### BEGIN SOLUTION
    own = hmac.new(key, purpose.encode(), "sha256").digest()  # a key per purpose

    def pseudonym(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number)
        if len(digits) == 11 and digits[0] == "1":
            digits = digits[1:]
        return hmac.new(own, digits.encode(), "sha256").hexdigest()[:24] if digits else None

    return pd.Series([pseudonym(n) for n in numbers], index=numbers.index, dtype=object)
    ### END SOLUTION

# %% test: pseudonyms, 4 points
_key = hashlib.sha256(b"a key for the tests").digest()
_numbers = pd.Series(["301-555-0123", "301 555 0123", "3015550124", None], index=[5, 3, 9, 1])
_got = pseudonyms(_numbers, _key, "study")
assert type(_got) is pd.Series, "pseudonyms returns a Series"
assert list(_got.index) == [5, 3, 9, 1], "the index is that of the numbers"
assert all(type(_p) is str and re.fullmatch("[0-9a-f]{24}", _p) for _p in _got.iloc[:3]), (
    "a pseudonym is a text of 24 hexadecimal digits"
)
assert _got[5] == _got[3] and _got[5] != _got[9], (
    "one number written in two ways has one pseudonym, another number has another"
)
### BEGIN HIDDEN TESTS
def _names(_values, _key=_key, _purpose="study"):
    """The pseudonyms as a list, missing ones as None; or what was raised instead."""
    try:
        _out = pseudonyms(pd.Series(_values, dtype=object), _key, _purpose)
    except Exception as _error:
        return [_error]
    return [None if pd.isna(_p) else _p for _p in _out]


assert pd.isna(_got[1]) and _names([None, float("nan"), "3015550123"])[:2] == [None, None], (
    "a missing number has no pseudonym: otherwise all who have none become one person"
)
assert _names(["unknown", "", " - "]) == [None] * 3, (
    "a text without a digit is no number: otherwise all who are 'unknown' become one person"
)
_ways = ["3015550123", "+1 (301) 555 0123", "301.555.0123", "301 / 555 / 01 23", "1-301-555-0123",
         "\t301\u2011555\u20110123 (home)"]
assert len(set(_names(_ways))) == 1 and None not in _names(_ways), (
    "only the digits count, and the country code does not: one number, however it is written"
)
assert len(set(_names(["1301555012", "301555012", "49301555012", "13015550123", "301555012 3",
                       "+49 301 555 0123", "+44 13015550123"]))) == 6, (
    "the leading 1 is the country code of eleven digits, and of no other number"
)
_many = [f"{_n:010d}" for _n in range(3_000_000_000, 3_000_003_000)]
_base = _names(_many)
assert len(set(_base)) == 3000, "different numbers have different pseudonyms"
assert not set(_base) & set(_names(_many, _key=hashlib.sha256(b"another key").digest())), (
    "another key gives other pseudonyms: without the key nobody can make the book of all numbers"
)
assert not set(_base) & set(_names(_many, _purpose="marketing")), (
    "another purpose gives other pseudonyms: two releases must not be joined by them"
)
_one, _two = _names(["30155501234"], _purpose="wave4"), _names(["430155501234"], _purpose="wave")
_three, _four = _names(["30155501235"], _purpose="4th"), _names(["301555012354"], _purpose="th")
assert _one != _two and _three != _four, (
    "a purpose and a number put together without a border may read like another purpose and number"
)
assert _names(_many[::-1]) == _base[::-1] and _names(_many[7:9]) == _base[7:9], (
    "a pseudonym depends on the row's place, on the other rows, or on chance: the same number must "
    "have the same one tomorrow, in another table"
)
assert _names([]) == [], "no number at all gives an empty Series"
assert _names(["301-555-0123\u0664", "301-555-0123\u00b2"]) == _names(["3015550123"] * 2), (
    "only the digits 0 to 9 count: other scripts' digits and exponents are digits to Python, too"
)
assert _names(["3015550123"], _purpose="Study") != _names(["3015550123"]) and (
    _names(["3015550123"], _key=_key[:16] + bytes(16)) != _names(["3015550123"])
), "a purpose counts as it is written, and a key with all its bytes"
_fresh = pd.Series(["301-555-0123", " (301) 555 0124", None])
_copy = _fresh.copy()
pseudonyms(_fresh, _key, "study")
assert _fresh.equals(_copy), "the numbers that were passed in have been changed"
### END HIDDEN TESTS

# %% [markdown]
# ## 6. The "anonymous" release, linked
#
# Now the colleague's table without its hashes. It has neither names nor numbers: year of birth, three
# digits of the area, the group, and what he calls harmless, the purpose of the loan and whether it
# defaulted. Beside it lies a public register with names: that of a cooperative, all of whose members
# are the lender's customers.

# %%
release = pd.DataFrame({
    "year": people["born"].dt.year, "area3": people["area"].str[:3],
    "group": loans["group"], "purpose": loans["purpose"], "defaulted": loans["defaulted"],
}).sample(frac=1, random_state=seed).reset_index(drop=True)
members = people.sample(200, random_state=seed + 3).sort_values("name")
register = pd.DataFrame({
    "name": members["name"], "year": members["born"].dt.year, "area3": members["area"].str[:3],
    "group": loans.loc[members.index, "group"],
})
quasi = ["year", "area3", "group"]
print(release.head(3), register.head(3), sep="\n\n")

# %% [markdown]
# The columns that both have are the **quasi-identifiers**; the rows of the release that agree in all of
# them are a **class**. Its smallest class makes the release *k-anonymous*. Count:

# %%
size = release.groupby(quasi)["group"].transform("size")
print(f"k = {size.min()}; {np.mean(size == 1):.0%} of the rows are alone in their class")

# %% [markdown]
# To be alone is not the only way to be found out. The attacker knows that everybody in the register is a
# customer, hence in the release: Adara is *one of* the rows of her class. If all of them say "medical",
# it does not matter which one she is.

# %% answer: learned
def learned(release: pd.DataFrame, register: pd.DataFrame, quasi: list[str], secret: str) -> pd.Series:
    """The secret of everybody for whom the release leaves only one possibility.

    release: one row a person, without names. register: one row a person, with names; the attacker
    knows that everybody in it has a row in the release. quasi: one or more columns that both have.
    secret: a column of the release, of numbers or texts. No value is missing.

    A person may be any row of the release that agrees with hers in all of quasi. Her secret is learned
    if there is at least one such row and all of them have the same value of secret. (Where the
    register is wrong, and no row agrees, nothing is learned.)

    Returns a Series with the learned values, by the index of register, in its order: one value for each
    person whose secret is learned, and nothing for the others. Neither table is changed.

    Example: the only row of her class says "car": she is learned, with "car". Three rows say "car":
    learned too. Two say "car" and one "home": not learned.

    Also graded: classes of one, of several that agree and that do not, several people of one class,
    secrets that are texts, people who are not there, one column in quasi,
    a table without rows, fresh tables.
    """
    ### BEGIN SOLUTION
    classes = release.groupby(quasi)[secret].agg(_values="nunique", _value="first").reset_index()
    found = register[quasi].merge(classes, on=quasi, how="left")
    found.index = register.index
    return found.loc[found["_values"] == 1, "_value"]
    ### END SOLUTION

# %% test: learned, 5 points
_rel = pd.DataFrame(
    [(1980, "x", "car"), (1981, "x", "car"), (1981, "x", "car"), (1981, "y", "car"),
     (1981, "y", "home"), (1990, "y", "other")],
    columns=["year", "group", "purpose"],
)
_reg = pd.DataFrame({"name": ["d", "c", "b", "a"], "year": [1990, 1981, 1981, 1980],
                     "group": ["y", "y", "x", "x"]}, index=[40, 10, 30, 20])
_got = learned(_rel, _reg, ["year", "group"], "purpose")
assert type(_got) is pd.Series, "learned returns a Series"
assert _got.get(40) == "other" and _got.get(20) == "car", (
    "whoever is alone in her class is found out; the Series is by the register's index"
)
assert 10 not in _got.index, "the two rows of her class have different purposes: nothing is learned"
### BEGIN HIDDEN TESTS
def _learn(*_args):
    """What is learned, as a list of pairs; or what was raised instead."""
    try:
        _out = learned(*_args)
    except Exception as _error:
        return [_error]
    return list(_out.items()) if isinstance(_out, pd.Series) else _out


_said = _learn(_rel, _reg, ["year", "group"], "purpose")
assert set(_said) == {(40, "other"), (30, "car"), (20, "car")}, (
    "all rows of a class say the same: it does not matter which one is hers, she is learned"
)
assert _said == [(40, "other"), (30, "car"), (20, "car")], (
    "each person that is learned stands there once, in the register's order"
)
_two = pd.DataFrame({"name": ["e", "f"], "year": [1981, 1981], "group": ["x", "x"]}, index=[7, 8])
assert _learn(_rel, _two, ["year", "group"], "purpose") == [(7, "car"), (8, "car")], (
    "two people of the register share a class: each is learned, and once"
)
_gone = pd.DataFrame({"name": ["g"], "year": [1955], "group": ["x"]}, index=[3])
assert _learn(_rel, _gone, ["year", "group"], "purpose") == [], (
    "no row agrees with her: nothing is learned of somebody who is not there"
)
assert _learn(_rel, _reg, ["group"], "purpose") == [(30, "car"), (20, "car")], (
    "with one quasi-identifier only, the classes are those of this column"
)
_num = _rel.assign(level=[3, 1, 2, 5, 5, 0])
assert _learn(_num, _reg, ["year", "group"], "level") == [(40, 0), (10, 5), (20, 3)], (
    "a secret may be any number, and zero is a value like others: what counts is whether all are equal"
)
assert _learn(_rel.iloc[:0], _reg, ["year", "group"], "purpose") == [], (
    "a release without a row tells nothing"
)
assert _learn(_rel, _reg.iloc[:0], ["year", "group"], "purpose") == [], "nobody in the register"
_fresh = _rel[["year", "group", "purpose"]].copy(), _reg[["name", "year", "group"]].copy()
_copies = [_t.copy() for _t in _fresh]
learned(*_fresh, ["year", "group"], "purpose")
assert all(_t.equals(_c) for _t, _c in zip(_fresh, _copies, strict=True)), (
    "a table that was passed in has been changed"
)


def _by_sets(_release, _register, _quasi, _secret):
    _possible = {}
    for _row in _release.to_dict("records"):
        _possible.setdefault(tuple(_row[_c] for _c in _quasi), set()).add(_row[_secret])
    _out = []
    for _i, _row in _register.iterrows():
        _values = _possible.get(tuple(_row[_c] for _c in _quasi), set())
        if len(_values) == 1:
            _out.append((_i, *_values))
    return _out


_loans = lender.applications(700, seed + 11, day_effect=0)
_persons = customers(_loans, seed + 12)
_coarse = pd.DataFrame({"decade": _persons["born"].dt.year // 10, "area": _persons["area"].str[:2],
                        "purpose": _loans["purpose"], "defaulted": _loans["defaulted"]})
_named = _coarse[["decade", "area"]].assign(name=_persons["name"]).sample(150, random_state=seed)
for _secret in ("purpose", "defaulted"):
    for _keys in (["decade", "area"], ["area"]):
        assert _learn(_coarse, _named, _keys, _secret) == _by_sets(_coarse, _named, _keys, _secret), (
            "on fresh tables other people, or other values, are learned than by an independent "
            "implementation"
        )
### END HIDDEN TESTS

# %% make: releases
# The release made coarser, step by step: classes of fewer than five rows are left out.
_shapes = [(1, 3), (5, 2), (10, 1), (20, 1), (10, 0), (20, 0)]
_lines = []
for _years, _digits in _shapes:
    _cells = [release["year"] // _years, release["area3"].str[:_digits], release["group"]]
    _grouped = release.groupby(_cells)["purpose"]
    _size, _kinds = _grouped.transform("size"), _grouped.transform("nunique")
    _only = release.groupby(_cells)["defaulted"].transform("nunique") == 1
    for _least in (1, 5):
        _stay = _size >= _least
        if not _stay.any():
            continue
        _lines.append({
            "years": _years, "digits": _digits, "small_classes": "kept" if _least == 1 else "left out",
            "k": int(_size[_stay].min()), "rows_left": 100 * _stay.mean(),
            "purpose_learned": 100 * (_kinds[_stay] == 1).mean(),
            "default_learned": 100 * _only[_stay].mean(),
        })
releases = pd.DataFrame(_lines)

# What the lender holds of the customer who asks to be erased: somebody with tickets that tell of her also
# when masked, whose purpose the release gives away.
_all = release.groupby(quasi)["purpose"].nunique().rename("kinds").reset_index()
_asks = people.assign(year=people["born"].dt.year, area3=people["area"].str[:3], group=loans["group"])
_asks["row"] = people.index
_asks = _asks.merge(_all, on=quasi).set_index("row")
_wrote = mailbox["customer_id"].value_counts()
_tells = mailbox.loc[mailbox["ticket_id"].isin(truth.loc[truth["left"], "ticket_id"]), "customer_id"]
_often = _asks["customer_id"].map(_wrote).fillna(0) >= 2
_asks = _asks[(_asks["kinds"] == 1) & _often & _asks["customer_id"].isin(_tells)].sort_index()
_her = _asks.iloc[0]
_told = loans.loc[_asks.index[0], "applied_on"] + pd.Timedelta(days=12)
_paid = _told + pd.Timedelta(days=2)
_tickets = mailbox[mailbox["customer_id"] == _her["customer_id"]]
_unmasked = truth[truth["ticket_id"].isin(_tickets["ticket_id"]) & truth["left"]]
_area = int((people["area"] == _her["area"]).sum()) - 1
_until = _told + pd.DateOffset(months=25)
held = pd.DataFrame([
    ("vault: contact", "1 record", "no duty to keep", "-"),
    ("vault: application", f"1 record, notified {_told:%Y-%m-%d}", "12 CFR 1002.12",
     f"{_until:%Y-%m-%d}"),
    ("vault: voucher", f"1 record of {_paid:%Y-%m-%d}", "HGB section 257",
     f"{_paid.year + 8}-12-31"),
    ("backups of the vault", "same sealed records; keys are never backed up", "as above", "as above"),
    ("mailbox and its backups", f"{len(_tickets)} tickets, sealed, a key each", "no duty to keep", "-"),
    ("masked mailbox, at the university", f"{len(_tickets)} tickets, masked; mentions still readable: {len(_unmasked)}",
     "no duty to keep", "-"),
    ("colleague's release, public", "her class tells her loan's purpose", "no duty to keep", "-"),
    ("feature: default rate of the area", f"computed from her loan and {_area} others",
     "no duty to keep", "-"),
    ("credit model", f"trained on her and {len(people) - 1} others", "no duty to keep", "-"),
    ("audit log", "entries with her number", "kept as evidence", "not decided"),
], columns=["place", "what", "duty", "last_day"])

# %% given: releases
releases = pd.read_csv(f"given/releases-{seed}.csv")

# %% [markdown]
# What would have helped? `releases` makes the year coarser (bands of so many years) and the area (so
# many digits), and keeps small classes or leaves out those of fewer than five rows. `rows_left` is in
# percent; `purpose_learned` and `default_learned` are percentages of the rows left.

# %%
releases.round(1)

# %%
figure, axis = plt.subplots()
for column, marker in (("purpose_learned", "o"), ("default_learned", "s")):
    axis.scatter(releases["k"], releases[column], marker=marker, label=column)
axis.set(xlabel="k, rows in the smallest class", ylabel="learned (% of the rows left)")
_ = axis.legend()

# %% [markdown]
# From $k = 5$ on, next to nothing is learned of the purpose. Whether a loan defaulted is another matter: most
# loans are repaid, so that in many a class of five or more all are, and the release says so of everyone in it.
# $k$ counts rows; what protects a secret is how many *values* a class holds (its **l-diversity**).
#
# ## 7. Erased, but for what a law keeps
#
# The customer's letter. Her records are encrypted, each under a key of its own, and they are in last
# night's backup too. To erase one, its **key** is destroyed; then the backup's copy is noise.

# %%
def seal(record: dict, key: bytes, name: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(record).encode(), name.encode())


def unseal(sealed: bytes, key: bytes, name: str) -> dict:
    return json.loads(AESGCM(key).decrypt(sealed[:12], sealed[12:], name.encode()))


example_key, other_key = AESGCM.generate_key(256), AESGCM.generate_key(256)
sealed = seal({"name": "Adara Belova"}, example_key, "contact-1")
print("with the key:", unseal(sealed, example_key, "contact-1"))
try:
    unseal(sealed, other_key, "contact-1")
except InvalidTag:
    print("without: nothing")

# %% [markdown]
# Not everything may go. The right to erasure does not apply where a law of the Union or of a member state
# requires the data to be kept (GDPR, Article 17(3)(b), applies since May 2018). German accounting law
# keeps vouchers for eight years, counted from the end of their calendar year (HGB section 257, since 2025;
# banks for ten. Who lends commercially in Germany is as a rule a bank in that sense, KWG section 1; take it here
# that this lender's lawyer has found it is none). An American creditor keeps an application for 25 months after
# notifying the applicant of the decision (12 CFR 1002.12); that is no law of the Union, and that this
# lender keeps both is its lawyer's decision, as it would have to be at work. (Sources, as of November 21,
# 2026, stand on the page *Access, audit and the law*.) The rules, as a table that code can read:

# %%
RULES = {
    "contact": None,  # no duty to keep
    "tickets": None,
    "application": ("months", 25),  # 12 CFR 1002.12(b), from the notification
    "voucher": ("years", 8),  # HGB section 257, from the end of the calendar year
}

# %% answer: erase
def erase(customer: str, asked: date, holdings: list[dict], rules: dict, keys: dict) -> dict[str, date]:
    """Destroy the keys of all that no law keeps; say what is kept, and until when.

    customer: a customer's number. asked: the day of the request. holdings: what the lender holds of
    all customers, dicts with id (a text), customer, part, and since (a date). rules: from part to
    None (no duty to keep), ("months", n) or ("years", n). keys: from id to the key of this holding.

    The last day on which a holding must be kept is, for ("months", n), the same day n months after
    since, or the last day of that month where it has no such day; for ("years", n) December 31 of
    the n-th year after that of since. A holding must be kept up to and including its last day.

    For each holding of the customer that has no duty, or whose last day is before asked, its id is
    deleted from keys, if it is there. All other keys stay. holdings and rules are not changed.
    Returns a dict with the last day of each of the customer's holdings that must be kept, by id.

    If a part of the customer's holdings is not in rules, nobody has decided: raises KeyError, and no
    key has been deleted.

    Example: asked on 2026-11-21, a contact goes; a voucher of 2025-03-04 stays until 2033-12-31.

    Also graded: the last day and the day after, ends of months, other customers, a request that is
    repeated, parts without a rule.
    """
    ### BEGIN SOLUTION
    last_days = {}
    for holding in holdings:
        if holding["customer"] == customer:
            rule, since = rules[holding["part"]], holding["since"]
            if rule is None:
                last_days[holding["id"]] = date.min
            elif rule[0] == "months":
                last = pd.Timestamp(since) + pd.DateOffset(months=rule[1])
                last_days[holding["id"]] = last.date()
            else:
                last_days[holding["id"]] = date(since.year + rule[1], 12, 31)
    for name, last in last_days.items():
        if last < asked:
            keys.pop(name, None)
    return {name: last for name, last in last_days.items() if last >= asked}
    ### END SOLUTION

# %% test: erase, 5 points
def _house(*_rows):
    """Holdings (customer, part, since), their keys, and a backup that nobody can edit."""
    _held = [{"id": f"{_c}-{_p}-{_i}", "customer": _c, "part": _p, "since": date.fromisoformat(_s)}
             for _i, (_c, _p, _s) in enumerate(_rows)]
    _keys = {_h["id"]: hashlib.sha256(_h["id"].encode()).digest() for _h in _held}
    return _held, _keys, {_n: seal({"of": _n}, _k, _n) for _n, _k in _keys.items()}


def _erase(_customer, _asked, _held, _keys, _rules=RULES):
    """What was returned, or raised instead."""
    try:
        return erase(_customer, date.fromisoformat(_asked), _held, _rules, _keys)
    except Exception as _error:
        return _error


def _readable(_backup, _keys):
    return [_n for _n in _backup if _n in _keys and unseal(_backup[_n], _keys[_n], _n)]


_held, _keys, _backup = _house(("471", "contact", "2025-03-01"), ("471", "voucher", "2025-03-04"),
                               ("471", "application", "2025-03-02"), ("982", "contact", "2025-05-01"))
_got = erase("471", date(2026, 11, 21), _held, RULES, _keys)
assert type(_got) is dict, "erase returns a dict: the last day by id"
assert all(type(_day) is date for _day in _got.values()), (
    "a last day is a date (datetime.date), neither a Timestamp nor a text"
)
assert "471-contact-0" not in _readable(_backup, _keys), (
    "no law keeps the contact, and it can still be read from the backup"
)
assert _got.get("471-voucher-1") == date(2033, 12, 31) and "471-voucher-1" in _keys, (
    "a voucher of March 2025 is kept until the end of the eighth year after 2025"
)
assert "982-contact-3" in _readable(_backup, _keys), "another customer's contact is gone, too"
### BEGIN HIDDEN TESTS
assert set(_got) == {"471-voucher-1", "471-application-2"}, (
    "what must be kept is what is returned: no more, no less; one duty does not keep the rest"
)
assert _got.get("471-application-2") == date(2027, 4, 2), (
    "months are calendar months: the same day, 25 months later"
)
assert _erase("471", "2026-11-21", _held, _keys) == _got and len(_keys) == 3, (
    "the same request once more changes nothing: keys that are gone are gone"
)
assert len(_held) == 4, "the list of holdings has been changed: it says what there is, also in backups"
_got = _erase("471", "2027-04-02", _held, _keys)
assert "471-application-2" in _keys and "471-application-2" in _got, (
    "on its last day a holding must still be kept"
)
_got = _erase("471", "2027-04-03", _held, _keys)
assert "471-application-2" not in _keys and set(_got) == {"471-voucher-1"}, (
    "the day after its last day nothing keeps a holding: its key goes"
)
_got = _erase("471", "2033-12-31", _held, _keys)
assert "471-voucher-1" in _keys and "471-voucher-1" in _got, (
    "on its last day, December 31, a voucher must still be kept"
)
_got = _erase("471", "2034-01-01", _held, _keys)
assert _got == {} and list(_keys) == ["982-contact-3"], (
    "after the last period nothing of the customer is left, and other customers' keys are"
)
_held, _keys, _ = _house(("5", "application", "2025-01-31"), ("5", "application", "2024-01-30"),
                         ("5", "voucher", "2025-12-31"), ("5", "voucher", "2025-01-01"))
_got = _erase("5", "2025-12-31", _held, _keys)
assert type(_got) is dict and _got.get("5-application-0") == date(2027, 2, 28), (
    "January 31 and 25 months: February has no such day, so its last one"
)
assert type(_got) is dict and _got.get("5-application-1") == date(2026, 2, 28), (
    "January 30 and 25 months: February has no such day, so its last one"
)
assert type(_got) is dict and _got.get("5-voucher-2") == _got.get("5-voucher-3") == date(2033, 12, 31), (
    "a voucher's period is counted from the end of its year, whatever the day"
)
_held, _keys, _ = _house(("47", "contact", "2025-01-01"), ("471", "contact", "2025-01-01"),
                         ("4711", "tickets", "2025-01-01"), ("147", "tickets", "2025-01-01"))
_erase("47", "2026-01-01", _held, _keys)
assert list(_keys) == ["471-contact-1", "4711-tickets-2", "147-tickets-3"], (
    "customers whose numbers begin or end like hers are other people"
)
_held, _keys, _ = _house(("8", "contact", "2025-01-01"), ("8", "selfie", "2025-01-01"),
                         ("9", "tickets", "2025-01-01"))
_got = _erase("8", "2026-01-01", _held, _keys)
assert isinstance(_got, KeyError), (
    "a part that is not in the rules: nobody has decided, so raise KeyError instead of a guess"
)
assert len(_keys) == 3, "it raised for a part without a rule, and some keys were already destroyed"
_got = _erase("9", "2026-01-01", _held, _keys)
assert _got == {} and len(_keys) == 2, "another customer's part without a rule stops nobody"
assert _erase("1000", "2026-01-01", _held, _keys) == {}, "of a stranger nothing is held"
_other = {"contact": ("years", 2), "tickets": ("months", 3)}
_held, _keys, _ = _house(("6", "contact", "2024-06-01"), ("6", "tickets", "2024-11-30"))
assert _erase("6", "2025-02-28", _held, _keys, _other) == {
    "6-contact-0": date(2026, 12, 31), "6-tickets-1": date(2025, 2, 28)
}, "other rules, other days: the periods come from the rules that are passed in"
_held, _keys, _ = _house(("7", "contact", "2025-01-01"), ("7", "voucher", "2025-01-01"))
_rules = {"contact": None, "voucher": ("years", 8)}
_copies = [dict(_h) for _h in _held], dict(_rules)
del _keys["7-voucher-1"]
assert _erase("7", "2026-01-01", _held, _keys, _rules) == {"7-voucher-1": date(2033, 12, 31)}, (
    "what must be kept is what the holdings and rules say, whatever keys there still are"
)
assert _held == _copies[0] and _rules == _copies[1], (
    "holdings or rules that were passed in have been changed"
)
_rng = np.random.default_rng(seed + 13)
_parts = list(RULES)
_days = pd.date_range("2016-01-01", "2026-06-30")
for _ in range(40):
    _rows = [(str(_rng.choice(["11", "12"])), str(_rng.choice(_parts)),
              f"{_days[int(_rng.integers(len(_days)))]:%Y-%m-%d}") for _ in range(12)]
    _held, _keys, _ = _house(*_rows)
    _asked = pd.Timestamp(_days[int(_rng.integers(2500, len(_days)))])
    _got = _erase("11", f"{_asked:%Y-%m-%d}", _held, _keys)
    _want = {}
    for _h in _held:
        _since, _part = pd.Timestamp(_h["since"]), _h["part"]
        _end = _since + pd.DateOffset(months=25) if _part == "application" else (
            pd.Timestamp(_since.year + 8, 12, 31) if _part == "voucher" else pd.Timestamp.min)
        if _h["customer"] == "12" or _end >= _asked:
            _want[_h["id"]] = _end.date()
    assert set(_keys) == set(_want), (
        "on fresh holdings other keys are left than by an independent implementation"
    )
    assert _got == {_n: _e for _n, _e in _want.items() if _n.startswith("11")}, (
        "on fresh holdings other days are returned than by an independent implementation"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 8. The answer to the customer
#
# The request came on November 21, 2026. `held` says where the lender and others hold something of hers.

# %% given: held
held = pd.read_csv(f"given/held-{seed}.csv")

# %%
held

# %% [markdown]
# Three more rules matter. The lender answers within one month, and where it does not do what she asked it says
# why, and that she may complain to the authority or go to court (GDPR, Article 12(3) and (4)). And it tells everybody to
# whom it has given the data, unless that is impossible or out of all proportion (Article 19).
# What it has made public it takes reasonable steps to have removed by others (Article 17(2)).

# %% written: answer, 4 points [markdown]
# In at most 250 words, addressed to the customer: what has been erased and how (backups too), what is
# kept, until when and by which law, what happens to what was made of her data or has left the house,
# and what you cannot undo. Dates and places from `held`; nothing that is not true.
# You may say that a step is done if the lender can do it before the letter leaves. Speak of every row of `held`,
# also of the audit log.
#
# ### BEGIN SOLUTION
# We received your request on November 21, 2026, and answer within the month that the law gives us.
#
# *Erased:* your contact data and your tickets. We destroyed the keys under which they were stored,
# so that the copies in our backups cannot be read either.
#
# *Kept, for nothing else:* the voucher of your loan until December 31, 2033 (German Commercial Code,
# section 257), and your application until February 24, 2027 (12 CFR 1002.12). The first is an exception of Article 17
# itself; the second an American duty, kept on our lawyer's advice. Both keys are destroyed the day after. If
# you disagree, you may complain to the supervisory authority or go to court.
#
# *Made of your data:* the default rate of your area is computed again without your loan. The credit model was
# trained with it; the next training leaves it out, and until then we cannot say that the model keeps nothing
# of you. The audit log is evidence of who looked at your data. It keeps entries with your number; we have not
# yet decided for how long, and will tell you.
#
# *Left the house:* we told the university to delete your tickets. A table of loans was published in which your
# year of birth, area and group gave away your loan's purpose. We have withdrawn it; copies that others took we
# cannot take back. We are sorry.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# Four elements: (a) **erased**: contact and tickets, with the reason why the backups are covered (the keys) and
# no claim that everything is gone; (b) **kept**: voucher and application, each with its day from `held` and its
# law, for that purpose only, with the way to complain; (c) **derived**: feature computed again, model (next
# training, by shard, or an honest "not yet"), the audit log's tension named (evidence against erasure, pseudonym
# or period); (d) **outside**: the university is told; the release is withdrawn, what it gave away is said, and
# that copies cannot be recalled. Legal nuance (that Article 17 knows Union and member states' law only) is a
# plus and never required.
#
# **4: all four, true to `held`.** Anchor: the model answer, in other words or another order.
#
# **3: three of four, or all with one slip (a day without its law, the backups not explained).** Anchor: "Erased:
# contact, tickets; the keys are gone, so backups too. Kept, for nothing else: voucher to (day) under section 257, application
# to (day) under 12 CFR 1002.12. You may complain to the authority. The university was told, the public table
# taken down: it gave away your loan's purpose, and we cannot recall copies." (Nothing on feature, model and log.)
#
# **2: two of four, or three with a slip each.** Anchor: "Contact and tickets erased, keys destroyed, so the backups
# are covered. Voucher kept to 2033-12-31 (section 257), application to 2027-02-24 (12 CFR 1002.12), for that only;
# you may complain."
#
# **1: says that some things are kept by law, and little else.** Anchor: "We have deleted your account. For legal
# reasons some documents must be kept for some years. Kind regards."
#
# **0: a promise that is not true (the letter as a whole promises it; a single false clause in an otherwise full
# letter is one slip and caps at 3), or a refusal of everything.** Anchor: "All your data have been irrevocably deleted
# from all our systems, including backups and models." Or: "As we are bound by retention laws, we cannot delete
# anything."
# ### END RUBRIC

# %% [markdown]
# ## What you have built, and where it breaks
#
# A gate that denies by default and leaves a trace of each attempt; a check that tells what was done to that
# trace; a mask that leaves no piece of what was found; pseudonyms that are as safe as their key; an attack
# that a release has to survive before anybody calls it anonymous; and an erasure that reaches backups.
#
# - **The gate is a function.** Whoever has the table needs no gate. At work a database server stands in its
#   place, and its own superuser is outside of it.
# - **The log's youngest records have no witness**, and an anchor that nobody compares is none.
# - **Mask and pseudonyms hide identifiers.** A story, or a combination of harmless columns, still points at
#   one person.
# - **`learned` is a lower bound.** It takes two tables and certainty; real attackers have more tables and are content
#   with likely.
# - **Destroying a key erases what was sealed.** Features, models, exports and logs never were.
#
# You would be asked aloud: *Your release is 20-anonymous. What may somebody still learn from it, and how would you
# find out before publishing?* And: *The administrator of the log also receives the anchors. What does the check prove
# then?*
#
# **Stretch (not graded).** Put the gate into PostgreSQL, as on the page *Access, audit and the law*: a
# `SECURITY DEFINER` function that writes an entry first. Call it inside a transaction and roll that back:
# what is left of the entry? Then let `erase` compute the area's default rate again, and count whose features change.

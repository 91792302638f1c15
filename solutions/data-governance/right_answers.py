# %% [markdown]
# Correct answers of another make.

# %% look-up: one refusal after the other
def look_up(table, policy, write, role, customer, purpose):
    answer = None
    if role in policy and customer in table:
        rule, row = policy[role], table[customer]
        if purpose in rule["purposes"] and row["partner"] in rule["partners"]:
            answer = {}
            for column, value in row.items():
                if column in rule["columns"]:
                    answer[column] = value
    write(
        {"granted": answer is not None, "purpose": purpose, "customer": customer, "role": role}
    )
    return answer


# %% look-up: defaults that allow nothing
def look_up(table, policy, write, role, customer, purpose):
    nothing = {"partners": (), "columns": (), "purposes": ()}
    rule = policy.get(role, nothing)
    row = table.get(customer, {"partner": None})
    allowed = {row["partner"]} <= set(rule["partners"]) and purpose in rule["purposes"]
    write(dict(role=role, customer=customer, purpose=purpose, granted=allowed))
    if not allowed:
        return None
    return {column: row[column] for column in sorted(set(rule["columns"]) & set(row))}


# %% look-up-review: by random calls against a plain oracle
def test_look_up(look_up):
    rng = np.random.default_rng(1)
    rows = {n: {"partner": "ab"[n % 2], "x": n, "y": -n} for n in range(4)}
    rules = {
        "r": {"partners": {"a"}, "columns": {"x", "z"}, "purposes": {"p", "q"}},
        "s": {"partners": {"a", "b"}, "columns": {"y"}, "purposes": {"q", "t"}},
    }
    for _ in range(200):
        role, purpose = str(rng.choice(["r", "s", "none"])), str(rng.choice(["p", "q", "t", "u"]))
        customer, entries = int(rng.integers(6)), []
        answer = look_up(rows, rules, entries.append, role, customer, purpose)
        want = None
        if role in rules and customer in rows and purpose in rules[role]["purposes"]:
            if rows[customer]["partner"] in rules[role]["partners"]:
                want = {"x": customer} if role == "r" else {"y": -customer}
        assert answer == want
        assert len(entries) == 1 and entries[0]["granted"] is (want is not None)
        assert {k: entries[0][k] for k in ("role", "customer", "purpose")} == {
            "role": role, "customer": customer, "purpose": purpose,
        }

    def write(entry):
        raise ValueError("full")

    try:
        answer = look_up(rows, rules, write, "s", 1, "t")
    except ValueError:
        answer = None
    assert answer is None


# %% inspect-log: by stored hashes, each against the one before
def inspect_log(log, anchors):
    stored = [START, *(record["hash"] for record in log)]
    for i in range(len(log)):
        if link(stored[i], log[i]["entry"]) != stored[i + 1]:
            return ("broken", i)
    known = dict(anchors)
    off = [n for n in known if n < len(stored) and stored[n] != known[n]]
    if off:
        return ("rewritten", min(off))
    missing = max([0, *known]) - len(log)
    return ("truncated", missing) if missing > 0 else ("sound", -missing)


# %% inspect-log: with chained
def inspect_log(log, anchors):
    again = chained([record["entry"] for record in log])
    for i, (old, new) in enumerate(zip(log, again, strict=True)):
        if old["hash"] != new["hash"]:
            return "broken", i
    newest = 0
    for count, head in sorted(anchors, key=lambda anchor: anchor[0]):
        newest = count
        if count > len(log):
            continue
        if head != (log[count - 1]["hash"] if count > 0 else START):
            return "rewritten", count
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest


# %% mask: runs first, then from right to left
def mask(text, spans):
    runs = []
    for span in sorted(s for s in spans if s[1] > s[0]):
        if runs and span[0] < max(s[1] for s in runs[-1]):
            runs[-1].append(span)
        else:
            runs.append([span])
    for run in reversed(runs):
        longest = max(s[1] - s[0] for s in run)
        kind = min((s for s in run if s[1] - s[0] == longest), key=lambda s: (s[0], s[2]))[2]
        end = max(s[1] for s in run)
        text = f"{text[: run[0][0]]}<{kind}>{text[end:]}"
    return text


# %% mask: joined until nothing overlaps
def mask(text, spans):
    groups = [(a, b, [(a - b, a, kind)]) for a, b, kind in spans if a < b]
    joined = True
    while joined:
        joined = False
        for i, one in enumerate(groups):
            for j in range(i + 1, len(groups)):
                other = groups[j]
                if one[0] < other[1] and other[0] < one[1]:
                    both = min(one[0], other[0]), max(one[1], other[1]), one[2] + other[2]
                    groups = [g for k, g in enumerate(groups) if k not in (i, j)] + [both]
                    joined = True
                    break
            if joined:
                break
    out, at = [], 0
    for start, end, found in sorted(groups):
        out.append(text[at:start] + "<" + min(found)[2] + ">")
        at = end
    return "".join(out) + text[at:]


# %% pseudonyms: one message with a border
def pseudonyms(numbers, key, purpose):
    result = {}
    for place, number in enumerate(numbers):
        digits = "".join(c for c in number if c in "0123456789") if isinstance(number, str) else ""
        if len(digits) == 11 and digits.startswith("1"):
            digits = digits[1:]
        message = json.dumps([purpose, digits]).encode()
        name = hmac.digest(key, message, "sha256").hex()[:24]
        result[place] = name if digits else np.nan
    return pd.Series(list(result.values()), index=numbers.index, dtype=object)


# %% pseudonyms: with pandas
def pseudonyms(numbers, key, purpose):
    digits = numbers.astype("string").str.replace("[^0-9]", "", regex=True)
    digits = digits.str.replace("^1([0-9]{10})$", r"\1", regex=True).replace("", pd.NA)
    salt = len(purpose.encode()).to_bytes(8, "big") + purpose.encode()
    return digits.map(
        lambda d: hmac.new(key, salt + d.encode(), hashlib.sha256).hexdigest()[-24:],
        na_action="ignore",
    )


# %% learned: by sets
def learned(release, register, quasi, secret):
    possible = {}
    for values, value in zip(release[quasi].itertuples(index=False), release[secret], strict=True):
        possible.setdefault(tuple(values), set()).add(value)
    out = {}
    for who, values in zip(register.index, register[quasi].itertuples(index=False), strict=True):
        found = possible.get(tuple(values), ())
        if len(found) == 1:
            out[who] = next(iter(found))
    return pd.Series(out, dtype=object)


# %% learned: a mask for each person
def learned(release, register, quasi, secret):
    who, what = [], []
    for index, person in register.iterrows():
        same = np.ones(len(release), bool)
        for column in quasi:
            same &= (release[column] == person[column]).to_numpy()
        values = release[secret][same].unique()
        if len(values) == 1:
            who.append(index)
            what.append(values[0])
    return pd.Series(what, index=who)


# %% erase: months by hand
def erase(customer, asked, holdings, rules, keys):
    import calendar

    def last_day(part, since):
        rule = rules[part]
        if rule is None:
            return None
        unit, n = rule
        if unit == "years":
            return date(since.year + n, 12, 31)
        years, month = divmod(since.month - 1 + n, 12)
        year, month = since.year + years, month + 1
        return date(year, month, min(since.day, calendar.monthrange(year, month)[1]))

    mine = [
        (h["id"], last_day(h["part"], h["since"])) for h in holdings if h["customer"] == customer
    ]
    kept = {name: last for name, last in mine if last is not None and asked <= last}
    for name, _ in mine:
        if name in keys and name not in kept:
            del keys[name]
    return kept

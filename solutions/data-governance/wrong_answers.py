# %% [markdown]
# What learners really get wrong. The tag `shown` marks the version that is up for review.

# %% look-up: only what was granted is logged tags=["shown"]
# misconception: a log of accesses is a log of what was shown
# hint: a refused attempt is written, too
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    if rule is None or row is None:
        return None
    if purpose not in rule["purposes"] or row["partner"] not in rule["partners"]:
        return None
    write({"role": role, "customer": customer, "purpose": purpose, "granted": True})
    return {column: row[column] for column in rule["columns"] if column in row}


# %% look-up: secret columns taken out
# misconception: to hide what is known to be secret is to show the rest on purpose
# hint: the columns that the policy lists for the role, and no others
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = bool(
        rule and row and purpose in rule["purposes"] and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    if not granted:
        return None
    return {column: value for column, value in row.items() if column != "tax_number"}


# %% look-up: an unknown role crashes the gate
# misconception: who is not in the policy cannot call
# hint: a role that the policy does not name
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy[role], table.get(customer)
    granted = (
        row is not None and purpose in rule["purposes"] and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: an unknown customer is an error
# misconception: a question about nobody is the caller's mistake
# hint: somebody who is no customer
def look_up(table, policy, write, role, customer, purpose):
    rule = policy.get(role)
    if customer not in table:
        raise KeyError(f"no customer {customer}")
    row = table[customer]
    granted = (
        rule is not None and purpose in rule["purposes"] and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: the purpose is written down and never checked
# misconception: a purpose is a note for the auditor
# hint: a purpose that is not on the role's list
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = rule is not None and row is not None and row["partner"] in rule["partners"]
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: columns are checked, rows are not
# misconception: access control is a matter of columns
# hint: a customer of a partner that the policy does not list
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = rule is not None and row is not None and purpose in rule["purposes"]
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: a full log does not stop the desk
# misconception: logging is a side effect, and must never stop the work
# hint: the log cannot be written
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = (
        rule is not None
        and row is not None
        and purpose in rule["purposes"]
        and row["partner"] in rule["partners"]
    )
    try:
        write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    except Exception:
        pass
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: purposes of all roles together
# misconception: a purpose is allowed or not, whoever has it
# hint: a purpose that is not on the role's list
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    purposes = set().union(*(each["purposes"] for each in policy.values()))
    granted = (
        rule is not None
        and row is not None
        and purpose in purposes
        and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: who is known is granted
# misconception: the log says who may come in, not what was given
# hint: a refused attempt is written, too
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = bool(
        rule and row and purpose in rule["purposes"] and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer, "purpose": purpose, "granted": rule is not None})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up: a stranger written as nobody
# misconception: who is not in the table has no number to write down
# hint: somebody who is no customer
def look_up(table, policy, write, role, customer, purpose):
    rule, row = policy.get(role), table.get(customer)
    granted = bool(
        rule and row and purpose in rule["purposes"] and row["partner"] in rule["partners"]
    )
    write({"role": role, "customer": customer if row else None, "purpose": purpose, "granted": granted})
    return {column: row[column] for column in rule["columns"] if column in row} if granted else None


# %% look-up-review: only what the shown version gets wrong
# misconception: one case that fails on this version is a test of the contract
# hint: lets errors pass
def test_look_up(look_up):
    entries = []
    look_up({1: {"partner": "a"}}, {}, entries.append, "guest", 1, "help")
    assert len(entries) == 1


# %% look-up-review: answers, and never the entries
# misconception: a function is what it returns
# hint: lets errors pass
def test_look_up(look_up):
    rows = {1: {"name": "n", "secret": "s", "partner": "a"}}
    rules = {"desk": {"partners": {"a"}, "columns": {"name"}, "purposes": {"help"}}}
    assert look_up(rows, rules, print, "desk", 1, "help") == {"name": "n"}
    assert look_up(rows, rules, print, "desk", 2, "help") is None
    assert look_up(rows, rules, print, "guest", 1, "help") is None
    assert look_up(rows, rules, print, "desk", 1, "fun") is None


# %% look-up-review: asks for what the contract does not promise
# misconception: every right version is made like mine
# hint: blames the innocent
def test_look_up(look_up):
    rows = {1: {"name": "n", "phone": "p", "partner": "a"}}
    rules = {"desk": {"partners": {"a"}, "columns": {"phone", "name"}, "purposes": {"help"}}}
    entries = []
    answer = look_up(rows, rules, entries.append, "desk", 1, "help")
    assert list(answer) == ["name", "phone"]
    assert list(entries[0]) == ["role", "customer", "purpose", "granted"]
    assert look_up(rows, rules, entries.append, "desk", 2, "help") == {}


# %% inspect-log: the chain alone
# misconception: a log whose hashes fit is the log that was written
# hint: the log is shorter than an anchor says
def inspect_log(log, anchors):
    head = START
    for i, record in enumerate(log):
        head = link(head, record["entry"])
        if head != record["hash"]:
            return "broken", i
    return "sound", len(log) - max((count for count, _ in anchors), default=0)


# %% inspect-log: anchors beyond the end cannot be compared
# misconception: what the log does not reach says nothing about it
# hint: the log is shorter than an anchor says
def inspect_log(log, anchors):
    heads = [START]
    for i, record in enumerate(log):
        heads.append(link(heads[-1], record["entry"]))
        if heads[-1] != record["hash"]:
            return "broken", i
    usable = sorted((count, head) for count, head in anchors if count <= len(log))
    for count, head in usable:
        if heads[count] != head:
            return "rewritten", count
    return "sound", len(log) - (usable[-1][0] if usable else 0)


# %% inspect-log: the newest anchor alone
# misconception: the newest anchor covers all that the older ones do
# hint: rewritten: the number is the smallest count
def inspect_log(log, anchors):
    heads = [START]
    for i, record in enumerate(log):
        heads.append(link(heads[-1], record["entry"]))
        if heads[-1] != record["hash"]:
            return "broken", i
    count, head = max(anchors, default=(0, START))
    if count > len(log):
        return "truncated", count - len(log)
    if heads[count] != head:
        return "rewritten", count
    return "sound", len(log) - count


# %% inspect-log: anchors taken in the order in which they come
# misconception: a list of anchors is sorted
# hint: anchors come in any order
def inspect_log(log, anchors):
    heads = [START]
    for i, record in enumerate(log):
        heads.append(link(heads[-1], record["entry"]))
        if heads[-1] != record["hash"]:
            return "broken", i
    newest = anchors[-1][0] if anchors else 0
    for count, head in anchors:
        if count <= len(log) and heads[count] != head:
            return "rewritten", count
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest


# %% inspect-log: entries hashed by themselves
# misconception: the stored hash before is as good as none, since each entry has its own
# hint: the log as written is sound
def inspect_log(log, anchors):
    for i, record in enumerate(log):
        if link(START, record["entry"]) != record["hash"]:
            return "broken", i
    for count, head in sorted(anchors):
        if count <= len(log) and count and log[count - 1]["hash"] != head:
            return "rewritten", count
    newest = max((count for count, _ in anchors), default=0)
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest


# %% inspect-log: stored hashes compared, entries never read
# misconception: the hashes are the log
# hint: an entry was changed and its hash left
def inspect_log(log, anchors):
    for count, head in sorted(anchors):
        if count <= len(log) and count and log[count - 1]["hash"] != head:
            return "rewritten", count
    newest = max((count for count, _ in anchors), default=0)
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest


# %% inspect-log: truncation asked first
# misconception: a log that is too short has only been cut
# hint: shorter and rewritten
def inspect_log(log, anchors):
    heads = [START]
    for i, record in enumerate(log):
        heads.append(link(heads[-1], record["entry"]))
        if heads[-1] != record["hash"]:
            return "broken", i
    newest = max((count for count, _ in anchors), default=0)
    if newest > len(log):
        return "truncated", newest - len(log)
    for count, head in sorted(anchors):
        if heads[count] != head:
            return "rewritten", count
    return "sound", len(log) - newest


# %% inspect-log: only the end of the chain is compared
# misconception: the last hash depends on all entries, so that it suffices
# hint: a stored hash was overwritten
def inspect_log(log, anchors):
    heads = [START]
    for record in log:
        heads.append(link(heads[-1], record["entry"]))
    if log and heads[-1] != log[-1]["hash"]:
        return "broken", next(i for i, r in enumerate(log) if heads[i + 1] != r["hash"])
    for count, head in sorted(anchors):
        if count <= len(log) and heads[count] != head:
            return "rewritten", count
    newest = max((count for count, _ in anchors), default=0)
    if newest > len(log):
        return "truncated", newest - len(log)
    return "sound", len(log) - newest


# %% mask: one after the other, at the first text's places
# misconception: a place stays where it was while the text changes
# hint: each is replaced at its own place
def mask(text, spans):
    for start, end, kind in spans:
        text = text[:start] + f"<{kind}>" + text[end:]
    return text


# %% mask: every occurrence of what was found
# misconception: what is personal here is personal everywhere
# hint: the same letters elsewhere stay
def mask(text, spans):
    runs = []
    for start, end, kind in sorted(s for s in spans if s[0] < s[1]):
        if runs and start < runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
            runs[-1][2].append((start - end, start, kind))
        else:
            runs.append([start, end, [(start - end, start, kind)]])
    marks = [(text[start:end], f"<{min(found)[2]}>") for start, end, found in runs]
    for value, mark in marks:
        text = text.replace(value, mark)
    return text


# %% mask: from left to right, what begins inside is skipped
# misconception: a finding that begins inside another one lies inside it
# hint: the end of the later one
def mask(text, spans):
    out, at = "", 0
    for start, end, kind in sorted(spans, key=lambda s: (s[0], -s[1], s[2])):
        if start >= at and start < end:
            out += text[at:start] + f"<{kind}>"
            at = end
    return out + text[at:]


# %% mask: the longest wins, what overlaps it is dropped
# misconception: of two findings that overlap, the longer one is right and the other wrong
# hint: the beginning of the earlier one
def mask(text, spans):
    kept = []
    for span in sorted((s for s in spans if s[0] < s[1]), key=lambda s: (s[0] - s[1], s)):
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    for start, end, kind in sorted(kept, reverse=True):
        text = text[:start] + f"<{kind}>" + text[end:]
    return text


# %% mask: a run ends where its last finding ends
# misconception: findings sorted by their start are sorted by their end
# hint: a run reaches to the largest end in it
def mask(text, spans):
    runs = []
    for start, end, kind in sorted(s for s in spans if s[0] < s[1]):
        if runs and start < runs[-1][1]:
            runs[-1][1] = end
            runs[-1][2].append((start - end, start, kind))
        else:
            runs.append([start, end, [(start - end, start, kind)]])
    out, at = "", 0
    for start, end, found in runs:
        out += text[at:start] + f"<{min(found)[2]}>"
        at = end
    return out + text[at:]


# %% mask: the first finding names the run
# misconception: whatever starts first is the main finding
# hint: the longer one's, stands for both
def mask(text, spans):
    runs = []
    for start, end, kind in sorted((s for s in spans if s[0] < s[1]), key=lambda s: (s[0], -s[1])):
        if runs and start < runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
        else:
            runs.append([start, end, kind])
    out, at = "", 0
    for start, end, kind in runs:
        out += text[at:start] + f"<{kind}>"
        at = end
    return out + text[at:]


# %% mask: what touches is joined
# misconception: two findings without a character between them are one
# hint: findings that only touch
def mask(text, spans):
    runs = []
    for start, end, kind in sorted(s for s in spans if s[0] < s[1]):
        if runs and start <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
            runs[-1][2].append((start - end, start, kind))
        else:
            runs.append([start, end, [(start - end, start, kind)]])
    out, at = "", 0
    for start, end, found in runs:
        out += text[at:start] + f"<{min(found)[2]}>"
        at = end
    return out + text[at:]


# %% mask: empty findings get a mark, too
# misconception: whatever a recognizer returns is a finding
# hint: an empty finding is ignored
def mask(text, spans):
    runs = []
    for start, end, kind in sorted(spans):
        if runs and start < runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
            runs[-1][2].append((start - end, start, kind))
        else:
            runs.append([start, end, [(start - end, start, kind)]])
    out, at = "", 0
    for start, end, found in runs:
        out += text[at:start] + f"<{min(found)[2]}>"
        at = end
    return out + text[at:]


# %% pseudonyms: a plain hash with the purpose as salt
# misconception: a salt that is known makes a hash safe
# hint: another key gives other pseudonyms
def pseudonyms(numbers, key, purpose):
    def one(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number)
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        text = f"{purpose}:{digits}".encode()
        return hashlib.sha256(text).hexdigest()[:24] if digits else None

    return numbers.map(one)


# %% pseudonyms: one key for all purposes
# misconception: a pseudonym is safe wherever it is shown
# hint: another purpose gives other pseudonyms
def pseudonyms(numbers, key, purpose):
    def one(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number)
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        return hmac.new(key, digits.encode(), "sha256").hexdigest()[:24] if digits else None

    return numbers.map(one)


# %% pseudonyms: a missing number is a number
# misconception: a missing value is a value like others
# hint: a missing number has no pseudonym
def pseudonyms(numbers, key, purpose):
    own = hmac.new(key, purpose.encode(), "sha256").digest()

    def one(number):
        digits = re.sub("[^0-9]", "", str(number))
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        return hmac.new(own, digits.encode(), "sha256").hexdigest()[:24]

    return numbers.map(one)


# %% pseudonyms: a text without a digit is a number
# misconception: what is not missing is there
# hint: a text without a digit is no number
def pseudonyms(numbers, key, purpose):
    own = hmac.new(key, purpose.encode(), "sha256").digest()

    def one(number):
        if pd.isna(number):
            return None
        digits = re.sub("[^0-9]", "", number)
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        return hmac.new(own, digits.encode(), "sha256").hexdigest()[:24]

    return numbers.map(one)


# %% pseudonyms: blanks and hyphens taken away
# misconception: the ways of writing that I have seen are all that there are
# hint: however it is written
def pseudonyms(numbers, key, purpose):
    own = hmac.new(key, purpose.encode(), "sha256").digest()

    def one(number):
        text = "" if pd.isna(number) else re.sub("[ -]", "", number)
        if not re.search("[0-9]", text):
            return None
        return hmac.new(own, text.encode(), "sha256").hexdigest()[:24]

    return numbers.map(one)


# %% pseudonyms: the last ten digits of any number
# misconception: what stands before ten digits is a country code
# hint: the leading 1 is the country code of eleven digits
def pseudonyms(numbers, key, purpose):
    own = hmac.new(key, purpose.encode(), "sha256").digest()

    def one(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number).lstrip("1")[-10:]
        return hmac.new(own, digits.encode(), "sha256").hexdigest()[:24] if digits else None

    return numbers.map(one)


# %% pseudonyms: purpose and number without a border
# misconception: two texts put together can be told apart again
# hint: put together without a border
def pseudonyms(numbers, key, purpose):
    def one(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number)
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        text = (purpose + digits).encode()
        return hmac.new(key, text, "sha256").hexdigest()[:24] if digits else None

    return numbers.map(one)


# %% pseudonyms: numbered as they come
# misconception: a pseudonym has to be unique, and need not come back tomorrow
# hint: depends on the row's place
def pseudonyms(numbers, key, purpose):
    book = {}

    def one(number):
        digits = "" if pd.isna(number) else re.sub("[^0-9]", "", number)
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        if not digits:
            return None
        place = str(book.setdefault(digits, len(book)))
        own = hmac.new(key, purpose.encode(), "sha256").digest()
        return hmac.new(own, place.encode(), "sha256").hexdigest()[:24]

    return numbers.map(one)


# %% learned: only those who are alone in their class
# misconception: who cannot be singled out cannot be found out
# hint: it does not matter which one is hers
def learned(release, register, quasi, secret):
    alone = release[~release.duplicated(quasi, keep=False)]
    found = register[quasi].merge(alone, on=quasi, how="left")[secret]
    found.index = register.index
    return found.dropna()


# %% learned: the first row that agrees
# misconception: a join finds the person's row
# hint: the two rows of her class have different purposes
def learned(release, register, quasi, secret):
    first = release.drop_duplicates(quasi)
    found = register[quasi].merge(first, on=quasi, how="left")[secret]
    found.index = register.index
    return found.dropna()


# %% learned: an inner join, and its index
# misconception: a merge keeps the index of the left table
# hint: the Series is by the register's index
def learned(release, register, quasi, secret):
    classes = release.groupby(quasi)[secret].agg(kinds="nunique", value="first").reset_index()
    found = register.merge(classes[classes["kinds"] == 1], on=quasi)
    return found["value"]


# %% learned: the people of a class in the register have to be alone, too
# misconception: two people of the register who share a class protect each other
# hint: two people of the register share a class
def learned(release, register, quasi, secret):
    classes = release.groupby(quasi)[secret].agg(kinds="nunique", value="first").reset_index()
    found = register[quasi].merge(classes, on=quasi, how="left")
    found.index = register.index
    sure = (found["kinds"] == 1) & ~register.duplicated(quasi, keep=False)
    return found.loc[sure, "value"]


# %% learned: every row of the class is a find
# misconception: each row that agrees is a match
# hint: stands there once
def learned(release, register, quasi, secret):
    kinds = release.groupby(quasi)[secret].transform("nunique")
    sure = release[kinds == 1]
    named = register.reset_index(names="_who").merge(sure, on=quasi)
    return named.set_index("_who")[secret]


# %% learned: zero is nothing
# misconception: a value that is false is a value that is missing
# hint: zero is a value like others
def learned(release, register, quasi, secret):
    possible = {}
    for row in release[[*quasi, secret]].itertuples(index=False):
        possible.setdefault(tuple(row[:-1]), set()).add(row[-1])
    out = {}
    for who, key in zip(register.index, register[quasi].itertuples(index=False), strict=True):
        values = possible.get(tuple(key), set())
        value = next(iter(values)) if len(values) == 1 else None
        if value:
            out[who] = value
    return pd.Series(out, dtype=object)


# %% erase: years from the day
# misconception: a period begins on the day of the document
# hint: until the end of the eighth year
def erase(customer, asked, holdings, rules, keys):
    mine = [h for h in holdings if h["customer"] == customer]
    last_days = {}
    for h in mine:
        rule = rules[h["part"]]
        if rule:
            unit = {rule[0]: rule[1]}
            last_days[h["id"]] = (pd.Timestamp(h["since"]) + pd.DateOffset(**unit)).date()
        else:
            last_days[h["id"]] = date.min
    for name, last in last_days.items():
        if last < asked:
            keys.pop(name, None)
    return {name: last for name, last in last_days.items() if last >= asked}


# %% erase: a month has thirty days
# misconception: months can be counted in days
# hint: months are calendar months
def erase(customer, asked, holdings, rules, keys):
    last_days = {}
    for h in holdings:
        if h["customer"] == customer:
            rule = rules[h["part"]]
            if rule is None:
                last_days[h["id"]] = date.min
            elif rule[0] == "months":
                last = pd.Timestamp(h["since"]) + pd.Timedelta(days=30 * rule[1])
                last_days[h["id"]] = last.date()
            else:
                last_days[h["id"]] = date(h["since"].year + rule[1], 12, 31)
    for name, last in last_days.items():
        if last < asked:
            keys.pop(name, None)
    return {name: last for name, last in last_days.items() if last >= asked}


# %% erase: gone on the last day
# misconception: until a day means before it
# hint: on its last day a holding must still be kept
def erase(customer, asked, holdings, rules, keys):
    last_days = {}
    for h in holdings:
        if h["customer"] == customer:
            rule = rules[h["part"]]
            if rule is None:
                last_days[h["id"]] = date.min
            elif rule[0] == "months":
                last = pd.Timestamp(h["since"]) + pd.DateOffset(months=rule[1])
                last_days[h["id"]] = last.date()
            else:
                last_days[h["id"]] = date(h["since"].year + rule[1], 12, 31)
    for name, last in last_days.items():
        if last <= asked:
            keys.pop(name, None)
    return {name: last for name, last in last_days.items() if last > asked}


# %% erase: the record is deleted, the key stays
# misconception: what is not on the list any more is gone
# hint: can still be read from the backup
def erase(customer, asked, holdings, rules, keys):
    kept = {}
    for h in list(holdings):
        if h["customer"] == customer:
            rule = rules[h["part"]]
            last = date.min
            if rule is not None and rule[0] == "months":
                last = (pd.Timestamp(h["since"]) + pd.DateOffset(months=rule[1])).date()
            elif rule is not None:
                last = date(h["since"].year + rule[1], 12, 31)
            if last < asked:
                holdings.remove(h)
            else:
                kept[h["id"]] = last
    return kept


# %% erase: everything of hers goes
# misconception: a right to erasure is a right to have everything erased
# hint: a voucher of March 2025 is kept
def erase(customer, asked, holdings, rules, keys):
    for h in holdings:
        if h["customer"] == customer:
            rules[h["part"]]
            keys.pop(h["id"], None)
    return {}


# %% erase: one duty keeps the whole customer
# misconception: a law keeps a customer, not a record
# hint: no law keeps the contact
def erase(customer, asked, holdings, rules, keys):
    last_days = {}
    for h in holdings:
        if h["customer"] == customer:
            rule, since = rules[h["part"]], pd.Timestamp(h["since"])
            if rule is None:
                last_days[h["id"]] = date.min
            elif rule[0] == "months":
                last_days[h["id"]] = (since + pd.DateOffset(months=rule[1])).date()
            else:
                last_days[h["id"]] = date(since.year + rule[1], 12, 31)
    if any(last >= asked for last in last_days.values()):
        return last_days
    for name in last_days:
        keys.pop(name, None)
    return {}


# %% erase: destroyed as it goes
# misconception: an error stops a function before it has done anything
# hint: some keys were already destroyed
def erase(customer, asked, holdings, rules, keys):
    kept = {}
    for h in holdings:
        if h["customer"] == customer:
            rule, last = rules[h["part"]], date.min
            if rule is not None and rule[0] == "months":
                last = (pd.Timestamp(h["since"]) + pd.DateOffset(months=rule[1])).date()
            elif rule is not None:
                last = date(h["since"].year + rule[1], 12, 31)
            if last < asked:
                keys.pop(h["id"], None)
            else:
                kept[h["id"]] = last
    return kept


# %% erase: no rule means no duty
# misconception: what no rule names is free to go
# hint: nobody has decided
def erase(customer, asked, holdings, rules, keys):
    last_days = {}
    for h in holdings:
        if h["customer"] == customer:
            rule = rules.get(h["part"])
            if rule is None:
                last_days[h["id"]] = date.min
            elif rule[0] == "months":
                last = pd.Timestamp(h["since"]) + pd.DateOffset(months=rule[1])
                last_days[h["id"]] = last.date()
            else:
                last_days[h["id"]] = date(h["since"].year + rule[1], 12, 31)
    for name, last in last_days.items():
        if last < asked:
            keys.pop(name, None)
    return {name: last for name, last in last_days.items() if last >= asked}


# %% erase: keys found by how their names begin
# misconception: a customer's number is the beginning of her keys' names and of nobody else's
# hint: whose numbers begin or end like hers
def erase(customer, asked, holdings, rules, keys):
    kept = {}
    for h in holdings:
        if h["customer"] == customer:
            rule = rules[h["part"]]
            if rule is not None and rule[0] == "months":
                kept[h["id"]] = (
                    pd.Timestamp(h["since"]) + pd.DateOffset(months=rule[1])
                ).date()
            elif rule is not None:
                kept[h["id"]] = date(h["since"].year + rule[1], 12, 31)
    kept = {name: last for name, last in kept.items() if last >= asked}
    for name in list(keys):
        if name.startswith(customer) and name not in kept:
            del keys[name]
    return kept

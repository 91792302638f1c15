# %% [markdown]
# Correct answers of a different make.

# %% order: depth first, with a stack of its own
def order(needs):
    for name, of in needs.items():
        for need in of:
            if need not in needs:
                raise KeyError(need)
    done, finished, way = [], set(), []
    for root in needs:
        if root in finished:
            continue
        stack = [(root, iter(needs[root]))]
        way = [root]
        while stack:
            name, rest = stack[-1]
            for need in rest:
                if need in way:
                    raise ValueError(" -> ".join(way[way.index(need) :]))
                if need not in finished:
                    stack.append((need, iter(needs[need])))
                    way.append(need)
                    break
            else:
                stack.pop()
                way.pop()
                finished.add(name)
                done.append(name)
    return done


# %% order: the standard library, and a look at unknown needs
def order(needs):
    for name, of in needs.items():
        missing = [need for need in of if need not in needs]
        if missing:
            raise KeyError(f"{name} needs {missing[0]}")
    return list(TopologicalSorter(needs).static_order())


# %% step-key: lengths before each part
def step_key(code, parameters, inputs):
    state = sha256()

    def put(part):
        state.update(len(part).to_bytes(8, "big") + part)

    put(code.encode())
    put(json.dumps(parameters, sort_keys=True).encode())
    for name in sorted(inputs):
        put(name.encode())
        put(inputs[name])
    return state.hexdigest()


# %% attempt: a while loop, the generator's random numbers scaled
def attempt(work, retries, base, cap, rng, sleep):
    tries = 0
    while True:
        try:
            value = work()
        except Exception as error:
            passes = isinstance(error, (ConnectionError, TimeoutError))
            if not passes or tries >= retries:
                raise
        else:
            return value
        top = cap if tries > 60 else min(cap, base * 2**tries)
        sleep(float(rng.random()) * top)
        tries += 1


# %% run: recursion with a memory, a hidden folder for parts
def run(steps, key, store):
    states, files = {}, {}

    def bring(name):
        if name in states:
            return states[name] in ("found", "done")
        ready = [bring(need) for need in steps[name].needs]
        if not all(ready):
            states[name] = "skipped"
            return False
        inputs = [files[need] for need in steps[name].needs]
        out = store / key(name, inputs)
        files[name] = out
        if os.path.isfile(out):
            states[name] = "found"
            return True
        with tempfile.TemporaryDirectory(prefix=".part-", dir=store) as folder:
            part = Path(folder) / name
            try:
                steps[name].work(inputs, part)
                os.replace(part, out)
            except Exception:
                states[name] = "failed"
                return False
        states[name] = "done"
        return True

    for name in steps:
        bring(name)
    return states


# %% run: rounds over what is left, old parts deleted
def run(steps, key, store):
    states, files, left = {}, {}, list(steps)
    while left:
        for name in list(left):
            of = steps[name].needs
            if any(need in left for need in of):
                continue
            left.remove(name)
            if not all(need in files for need in of):
                states[name] = "skipped"
                continue
            inputs = [files[need] for need in of]
            out = store / key(name, inputs)
            if not out.exists():
                part = store / (out.name + ".part")
                part.unlink(missing_ok=True)
                try:
                    steps[name].work(inputs, part)
                except Exception:
                    states[name] = "failed"
                    continue
                if not part.exists():
                    states[name] = "failed"
                    continue
                part.rename(out)
                states[name] = "done"
            else:
                states[name] = "found"
            files[name] = out
    return {name: states[name] for name in steps}


# %% fill: sums in Python, one transaction
def fill(connection, day):
    last = pd.Timestamp(day)
    first = (last - pd.Timedelta(days=29)).strftime("%Y-%m-%d")
    sums = {}
    for loan, cents in connection.execute(
        "SELECT loan_id, cents FROM payments WHERE paid_on >= ? AND paid_on <= ?", (first, day)
    ):
        sums[loan] = sums.get(loan, 0) + cents
    try:
        connection.execute("DELETE FROM paid WHERE day = ?", (day,))
        connection.executemany(
            "INSERT INTO paid VALUES (?, ?, ?)", [(day, loan, cents) for loan, cents in sums.items()]
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


# %% fill: what is new is put beside, then exchanged
def fill(connection, day):
    new = connection.execute(
        "SELECT loan_id, sum(cents) FROM payments "
        "WHERE julianday(?) - julianday(paid_on) BETWEEN 0 AND 29 GROUP BY loan_id",
        (day,),
    ).fetchall()
    with connection:
        old = connection.execute("SELECT rowid FROM paid WHERE day = ?", (day,)).fetchall()
        connection.executemany("INSERT INTO paid VALUES (?, ?, ?)", [(day, *row) for row in new])
        connection.executemany("DELETE FROM paid WHERE rowid = ?", old)


# %% fill-review: other cases
def test_fill(fill):
    def ledger(*rows):
        return new_ledger(pd.DataFrame(rows, columns=["loan_id", "paid_on", "cents"]))

    connection, path = ledger((1, "2026-03-01", 5), (1, "2026-03-30", 6), (2, "2026-03-31", 7))
    fill(connection, "2026-03-30")
    fill(connection, "2026-03-30")
    assert partition(path, "2026-03-30") == [(1, 11)]
    fill(connection, "2026-03-31")
    assert partition(path, "2026-03-31") == [(1, 6), (2, 7)]
    assert partition(path, "2026-03-30") == [(1, 11)]
    connection.execute("DELETE FROM payments WHERE loan_id = 1")
    connection.commit()
    fill(connection, "2026-03-31")
    assert partition(path, "2026-03-31") == [(2, 7)]
    connection.execute(
        "CREATE TRIGGER no BEFORE INSERT ON paid BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    connection.commit()
    try:
        fill(connection, "2026-03-31")
    except sqlite3.Error:
        connection.commit()
        assert partition(path, "2026-03-31") == [(2, 7)]
    else:
        raise AssertionError("the failure was hidden")


# %% wire: the other extract first, everything by after
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    outcomes = repayments(source=source, date=date, days=days)
    outcomes.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2.0)
    outcomes.set_caching_options(enable_caching=False)
    rows = applications(source=source, date=date, days=days)
    rows.after(outcomes)
    rows.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2.0)
    rows.set_caching_options(enable_caching=False)
    passed = validate(applications=rows.outputs["out"])
    table = features(applications=rows.outputs["out"]).after(passed)
    model = train(features=table.outputs["out"], repayments=outcomes.outputs["out"],
                  held_out=held_out, strength=strength)
    evaluate(model=model.outputs["out"], features=table.outputs["out"],
             repayments=outcomes.outputs["out"], held_out=held_out)

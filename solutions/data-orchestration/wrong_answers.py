# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% order: by the number of needs
# misconception: who needs less comes first
# hint: in a random graph a step comes before
def order(needs):
    for name in needs:
        if any(name in needs[need] for need in needs[name]):
            raise ValueError(f"{name} is on a cycle")
    return sorted(needs, key=lambda name: (len(needs[name]), needs[name]))


# %% order: recursion
# misconception: recursion is as deep as a pipeline can be
# hint: a chain of steps that is longer than the stack
def order(needs):
    done, way = [], []

    def visit(name):
        if name in way:
            raise ValueError(" -> ".join(way[way.index(name) :]))
        if name in done:
            return
        way.append(name)
        for need in needs[name]:
            visit(need)
        way.pop()
        done.append(name)

    for name in needs:
        visit(name)
    return done


# %% order: the standard library as it is
# misconception: a name in a list of needs is a step
# hint: a need that is no step
def order(needs):
    return list(TopologicalSorter(needs).static_order())


# %% order: whatever is left over is called the cycle
# misconception: a step that cannot be ordered is on a cycle
# hint: the message names steps that are not on the cycle
def order(needs):
    for name, of in needs.items():
        for need in of:
            if need not in needs:
                raise KeyError(need)
    left, done = {name: set(of) for name, of in needs.items()}, []
    while left:
        ready = [name for name, of in left.items() if not of]
        if not ready:
            raise ValueError(f"these wait for each other: {sorted(left)}")
        for name in ready:
            del left[name]
        for of in left.values():
            of.difference_update(ready)
        done += ready
    return done


# %% order: a need counted as often as it is named
# misconception: the number of open needs is the length of the list
# hint: a need may be named twice
def order(needs):
    for name, of in needs.items():
        for need in of:
            if need not in needs:
                raise KeyError(need)
    open_needs = {name: len(of) for name, of in needs.items()}
    done = [name for name in needs if not open_needs[name]]
    for name in done:
        for user, of in needs.items():
            if name in of:
                open_needs[user] -= 1
                if open_needs[user] == 0:
                    done.append(user)
    if len(done) < len(needs):
        name, way = next(n for n in needs if n not in done), []
        while name not in way:
            way.append(name)
            name = next(n for n in needs[name] if n not in done)
        raise ValueError(str(way[way.index(name) :]))
    return done


# %% order: crossed off in the caller's own lists
# misconception: what is passed in is mine
# hint: needs has been changed
def order(needs):
    for name, of in needs.items():
        for need in of:
            if need not in needs:
                raise KeyError(need)
    done = []
    while len(done) < len(needs):
        ready = [n for n, of in needs.items() if n not in done and not of]
        if not ready:
            name, way = next(n for n in needs if n not in done), []
            while name not in way:
                way.append(name)
                name = needs[name][0]
            raise ValueError(str(way[way.index(name) :]))
        done += ready
        for of in needs.values():
            of[:] = [need for need in of if need not in ready]
    return done


# %% step-key: printed and put end to end
# misconception: different parts make different texts
# hint: put end to end, different inputs become the same bytes
def step_key(code, parameters, inputs):
    state = sha256(code.encode())
    state.update(json.dumps(parameters, sort_keys=True).encode())
    state.update("".join(sorted(inputs)).encode())
    for name in sorted(inputs):
        state.update(inputs[name])
    return state.hexdigest()


# %% step-key: entries in the order in which they were written
# misconception: two dicts that are equal print the same
# hint: parameters in another order
def step_key(code, parameters, inputs):
    contents = sorted((name, sha256(content).hexdigest()) for name, content in inputs.items())
    return sha256(repr([code, parameters, contents]).encode()).hexdigest()


# %% step-key: values as text
# misconception: a parameter is what is printed of it
# hint: values that look alike when they are printed
def step_key(code, parameters, inputs):
    def plain(value):
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        return str(value)

    contents = {name: sha256(content).hexdigest() for name, content in inputs.items()}
    text = json.dumps([code, plain(parameters), contents], sort_keys=True)
    return sha256(text.encode()).hexdigest()


# %% step-key: contents as a set
# misconception: it is enough that the same contents come in
# hint: two inputs have changed places
def step_key(code, parameters, inputs):
    contents = sorted(sha256(content).hexdigest() for content in inputs.values())
    text = json.dumps([code, parameters, contents], sort_keys=True)
    return sha256(text.encode()).hexdigest()


# %% step-key: the beginning and the length of an input
# misconception: files that differ, differ in size or at the beginning
# hint: one byte of a long input differs
def step_key(code, parameters, inputs):
    contents = {n: [len(c), sha256(c[:4096]).hexdigest()] for n, c in inputs.items()}
    text = json.dumps([code, parameters, contents], sort_keys=True)
    return sha256(text.encode()).hexdigest()


# %% step-key: Python's own hash
# misconception: hash() is a property of the value
# hint: hash() gives other numbers in the next process
def step_key(code, parameters, inputs):
    parts = [code, json.dumps(parameters, sort_keys=True), *sorted(inputs.items())]
    numbers = [hash(part) for part in parts]
    return sha256(str(numbers).encode()).hexdigest()


# %% step-key: the moment of the run in it
# misconception: a unique name is a safe key
# hint: the same three, with inputs named in another order
def step_key(code, parameters, inputs):
    import time

    contents = {name: sha256(content).hexdigest() for name, content in inputs.items()}
    text = json.dumps([code, parameters, contents, time.perf_counter_ns()], sort_keys=True)
    return sha256(text.encode()).hexdigest()


# %% step-key: inputs decoded
# misconception: every file is a text
# hint: inputs are bytes
def step_key(code, parameters, inputs):
    contents = {name: content.decode(errors="replace") for name, content in inputs.items()}
    text = json.dumps([code, parameters, contents], sort_keys=True)
    return sha256(text.encode()).hexdigest()


# %% attempt: every exception
# misconception: trying again cannot hurt
# hint: a missing key will be missing
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except Exception:
            if not left:
                raise
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)


# %% attempt: every error of the operating system
# misconception: an OSError comes from a network that will be back
# hint: a missing file or permission
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except OSError:
            if not left:
                raise
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)


# %% attempt: retries counted as calls, a sleep after the last
# misconception: three retries are three calls
# hint: retries counts the calls after the first one
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for _ in range(max(retries, 1)):
        try:
            return work()
        except (ConnectionError, TimeoutError) as error:
            last = error
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)
    raise last


# %% attempt: a sleep, then the end
# misconception: after each failure one waits
# hint: nobody sleeps after the last try
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except (ConnectionError, TimeoutError):
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)
            if not left:
                raise


# %% attempt: no jitter
# misconception: doubling is what takes a herd apart
# hint: no wait is short
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except (ConnectionError, TimeoutError):
            if not left:
                raise
            sleep(float(top))
            top = min(cap, 2 * top)


# %% attempt: no cap
# misconception: a wait can only help
# hint: a wait is longer than its upper end
def attempt(work, retries, base, cap, rng, sleep):
    top = base
    for left in range(retries, -1, -1):
        try:
            return work()
        except (ConnectionError, TimeoutError):
            if not left:
                raise
            sleep(rng.uniform(0, top))
            top *= 2


# %% attempt: an exception of its own
# misconception: who calls wants to know that it was tried often
# hint: the last exception is passed on, itself
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except (ConnectionError, TimeoutError) as error:
            if not left:
                raise RuntimeError(f"failed after {retries} retries") from error
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)


# %% attempt: chance of its own
# misconception: one generator is as good as another
# hint: the same generator must give the same waits
def attempt(work, retries, base, cap, rng, sleep):
    rng = np.random.default_rng()
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except (ConnectionError, TimeoutError):
            if not left:
                raise
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)


# %% attempt: time-outs forgotten
# misconception: a time-out is an answer
# hint: time-outs pass
def attempt(work, retries, base, cap, rng, sleep):
    top = min(cap, base)
    for left in range(retries, -1, -1):
        try:
            return work()
        except ConnectionError:
            if not left:
                raise
            sleep(rng.uniform(0, top))
            top = min(cap, 2 * top)


# %% run: written in place
# misconception: a file that exists is finished
# hint: half an output lies under its key
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        try:
            steps[name].work(inputs, files[name])
            states[name] = "done" if files[name].exists() else "failed"
        except Exception:
            states[name] = "failed"
    return states


# %% run: cleaned up after a failure, but not after a kill
# misconception: whoever dies can still tidy up
# hint: killed while a step wrote, and half an output
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        try:
            steps[name].work(inputs, files[name])
            states[name] = "done" if files[name].exists() else "failed"
        except Exception:
            files[name].unlink(missing_ok=True)
            states[name] = "failed"
    return states


# %% run: cleaned up after whatever is raised
# misconception: a kill raises something that can be caught
# hint: no clean-up survives a kill
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        try:
            steps[name].work(inputs, files[name])
            states[name] = "done" if files[name].exists() else "failed"
        except BaseException as error:
            files[name].unlink(missing_ok=True)
            if not isinstance(error, Exception):
                raise
            states[name] = "failed"
    return states


# %% run: copied to its key
# misconception: a finished file may be copied
# hint: copied to its key
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        with tempfile.TemporaryDirectory(dir=store) as folder:
            part = Path(folder) / "part"
            try:
                steps[name].work(inputs, part)
                files[name].write_bytes(part.read_bytes())
                states[name] = "done"
            except Exception:
                states[name] = "failed"
    return states


# %% run: ends at the first failure
# misconception: when one step has failed, the night has
# hint: a step that fails does not end the run
def run(steps, key, store):
    states, files = {}, {}
    failed = None
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        inputs = [files.get(need) for need in steps[name].needs]
        if failed:
            if failed in steps[name].needs:
                states[name] = "skipped"
                continue
            raise RuntimeError(f"{failed} has failed")
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name], failed = "failed", name
    return states


# %% run: all that comes later is skipped
# misconception: what comes after a failure in the order depends on it
# hint: steps that do not depend on the failed one go on
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if "failed" in states.values():
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: only the next ones are skipped
# misconception: a step looks at what failed before it, and no further
# hint: a step whose need was skipped has to be skipped
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] == "failed" for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs if need in files]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: kills caught, too
# misconception: a robust program stops for nothing
# hint: KeyboardInterrupt is no Exception
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except:  # noqa: E722
            states[name] = "failed"
    return states


# %% run: runs because a need ran
# misconception: what follows a step that ran has to run
# hint: its output is as before
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        before = [states[need] for need in steps[name].needs]
        if "failed" in before or "skipped" in before:
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists() and "done" not in before:
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: one temporary name for ever
# misconception: a name that nobody else uses is free
# hint: work is handed a path in the store at which nothing lies
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = store / f"{files[name].name}.part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            part.unlink(missing_ok=True)
            states[name] = "failed"
    return states


# %% run: everything renamed at the end
# misconception: a run is done when all of it is done
# hint: what was done before the kill is not in the store
def run(steps, key, store):
    states, files, names = {}, {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        out = store / key(name, inputs)
        files[name] = out
        if out.exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.stat()
            files[name], names[part] = part, out
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    for part, out in names.items():
        part.replace(out)
    return states


# %% run: an empty file is no output
# misconception: a finished file has something in it
# hint: an empty output is an output
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists() and files[name].stat().st_size:
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: in the order of the dict
# misconception: steps are written down in the order in which they run
# hint: a step was started before its needs
def run(steps, key, store):
    states, files = {}, {}
    for name in steps:
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: inputs as they come
# misconception: a step knows which of its inputs is which
# hint: inputs come in the order of the step's needs
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [file for other, file in files.items() if other in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
            part.replace(files[name])
            states[name] = "done"
        except Exception:
            states[name] = "failed"
    return states


# %% run: returned, so it is done
# misconception: a function that returns has done its work
# hint: a step that returned without having written
def run(steps, key, store):
    states, files = {}, {}
    for name in TopologicalSorter({n: s.needs for n, s in steps.items()}).static_order():
        if any(states[need] in ("failed", "skipped") for need in steps[name].needs):
            states[name] = "skipped"
            continue
        inputs = [files[need] for need in steps[name].needs]
        files[name] = store / key(name, inputs)
        if files[name].exists():
            states[name] = "found"
            continue
        part = Path(tempfile.mkdtemp(dir=store)) / "part"
        try:
            steps[name].work(inputs, part)
        except Exception:
            states[name] = "failed"
            continue
        if part.exists():
            part.replace(files[name])
        states[name] = "done"
    return states


# %% fill: no upper end tags=["shown"]
# misconception: the job runs at the end of the day, so that there is nothing after it
# hint: the window has an upper end
def fill(connection, day):
    with connection:
        connection.execute("DELETE FROM paid WHERE day = ?", (day,))
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on >= date(?1, '-29 days') GROUP BY loan_id",
            (day,),
        )


# %% fill: appended
# misconception: a step that is started again starts from nothing
# hint: the step was started again for the same day
def fill(connection, day):
    with connection:
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
            (day,),
        )


# %% fill: a day that is there is left alone
# misconception: idempotent means that the second time does nothing
# hint: the partition still has the old sum
def fill(connection, day):
    with connection:
        if connection.execute("SELECT 1 FROM paid WHERE day = ?", (day,)).fetchone():
            return
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
            (day,),
        )


# %% fill: row by row in place of the old
# misconception: to replace every row that comes is to replace the partition
# hint: a payment was taken back
def fill(connection, day):
    with connection:
        for loan, cents in connection.execute(
            "SELECT loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
            (day,),
        ).fetchall():
            connection.execute("DELETE FROM paid WHERE day = ? AND loan_id = ?", (day, loan))
            connection.execute("INSERT INTO paid VALUES (?, ?, ?)", (day, loan, cents))


# %% fill: 30 days before the day
# misconception: the last 30 days are the day and 30 days before it
# hint: the day itself and the 29 before it
def fill(connection, day):
    with connection:
        connection.execute("DELETE FROM paid WHERE day = ?", (day,))
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-30 days') AND ?1 GROUP BY loan_id",
            (day,),
        )


# %% fill: deleted and committed, then inserted
# misconception: two small transactions are as good as one
# hint: neither the old partition nor the new
def fill(connection, day):
    with connection:
        connection.execute("DELETE FROM paid WHERE day = ?", (day,))
    with connection:
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
            (day,),
        )


# %% fill: no roll-back
# misconception: what is not committed is gone, also on a connection that stays open
# hint: which the next commit brings in
def fill(connection, day):
    connection.execute("DELETE FROM paid WHERE day = ?", (day,))
    connection.execute(
        "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
        "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
        (day,),
    )
    connection.commit()


# %% fill: the whole table made anew
# misconception: the table is the partition
# hint: another day's partition has been touched
def fill(connection, day):
    with connection:
        connection.execute("DELETE FROM paid")
        connection.execute(
            "INSERT INTO paid SELECT ?1, loan_id, SUM(cents) FROM payments "
            "WHERE paid_on BETWEEN date(?1, '-29 days') AND ?1 GROUP BY loan_id",
            (day,),
        )


# %% fill-review: only what the shown version gets wrong
# misconception: one case that fails on this version is a test of the contract
# hint: lets errors pass
def test_fill(fill):
    rows = pd.DataFrame({"loan_id": [1, 1], "paid_on": ["2026-06-01", "2026-06-02"], "cents": [5, 6]})
    connection, path = new_ledger(rows)
    fill(connection, "2026-06-01")
    assert partition(path, "2026-06-01") == [(1, 5)]


# %% fill-review: only the same day twice
# misconception: idempotence is all that the contract asks for
# hint: lets errors pass
def test_fill(fill):
    rows = pd.DataFrame({"loan_id": [1], "paid_on": ["2026-06-01"], "cents": [5]})
    connection, path = new_ledger(rows)
    fill(connection, "2026-06-01")
    fill(connection, "2026-06-01")
    assert partition(path, "2026-06-01") == [(1, 5)]


# %% fill-review: asks how it was made
# misconception: every right version is made like mine
# hint: blames the innocent
def test_fill(fill):
    rows = pd.DataFrame({"loan_id": [1, 1], "paid_on": ["2026-06-01", "2026-06-02"], "cents": [5, 6]})
    connection, path = new_ledger(rows)
    asked = []
    connection.set_trace_callback(asked.append)
    fill(connection, "2026-06-01")
    assert partition(path, "2026-06-01") == [(1, 5)]
    assert any("BETWEEN date(" in statement for statement in asked)


# %% wire: data only
# misconception: whoever passes a file on has said all about the order
# hint: nothing keeps the two extracts from running at the same time
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
        extract.set_caching_options(False)
    validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)


# %% wire: validation beside the training
# misconception: a step that fails stops the night
# hint: a model may be trained although validation fails
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
        extract.set_caching_options(False)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out).after(passed)


# %% wire: the cache left on
# misconception: the cache knows when the source has changed
# hint: its key holds the source's path
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)


# %% wire: retries and no cache for everything
# misconception: to be safe, every task is retried and nothing is reused
# hint: a task that reads its artifacts and computes fails the same way again
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    judged = evaluate(model=model.output, features=table.output, repayments=outcomes.output,
                      held_out=held_out)
    for task in (rows, outcomes, passed, table, model, judged):
        task.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
        task.set_caching_options(False)


# %% wire: the date of the day on which it was written
# misconception: compiling a pipeline is running it
# hint: tomorrow's date would not arrive
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    chosen = pipeline.PARAMETERS
    rows = applications(source=source, date=chosen["date"], days=chosen["days"])
    outcomes = repayments(source=source, date=chosen["date"], days=chosen["days"]).after(rows)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
        extract.set_caching_options(False)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)


# %% wire: retries without a pause
# misconception: what counts is how often
# hint: the first retry of an extract comes after 60 seconds
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3)
        extract.set_caching_options(False)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)


# %% wire: only one extract retried
# misconception: the step that failed last time is the one that fails
# hint: both extracts are retried
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    outcomes.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
    for extract in (rows, outcomes):
        extract.set_caching_options(False)
    passed = validate(applications=rows.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)


# %% wire: the predictions of one's own outcomes
# misconception: an artifact is an artifact, whichever it is
# hint: an artifact comes from another task
def wire(source: str, date: str, days: int, held_out: int, strength: float):
    rows = applications(source=source, date=date, days=days)
    outcomes = repayments(source=source, date=date, days=days).after(rows)
    for extract in (rows, outcomes):
        extract.set_retry(num_retries=3, backoff_duration="60s", backoff_factor=2)
        extract.set_caching_options(False)
    passed = validate(applications=outcomes.output)
    table = features(applications=rows.output)
    model = train(features=table.output, repayments=outcomes.output, held_out=held_out,
                  strength=strength).after(passed)
    evaluate(model=model.output, features=table.output, repayments=outcomes.output,
             held_out=held_out)

"""The target that hostile submissions attack: a lab, a host with canaries, and graders."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.coursedir import CourseDirectory

from grader.course import Course, nbgrader_config
from grader.engine.grade import grade
from grader.engine.gradebook import open_gradebook
from grader.engine.launch import Template, running_template, start_kernel, stop_kernel
from grader.engine.limits import Limits
from grader.engine.model import Result, Specification, Submission, TrustedCell
from grader.engine.protocol import connected, run_cell
from grader.engine.specification import specification
from tests.security.hostile import Hostile, Notebook

SMALL = Limits(
    memory_mb=300, processes=24, cpu_s=10, cell_s=2, notebook_s=15, file_mb=8, work_mb=16,
    output_bytes=200_000, messages=200,
)  # fmt: skip
# A test of the kind that nbgrader's users write: its value is a number that answers enter.
SHARE_TEST = "3.0 * (1.0 - abs(share([1, 0, 1, 1]) - 0.75))"
SHARE_STUB = "def share(values):\n    raise NotImplementedError"
SHARE_WRONG = ("def share(values):\n    return 0.0", "def share(values):\n    return 1.0")
TYPE_CHECK = 'assert type(mean([1.0, 3.0])) is float, "type: not a float"\n'


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab: every answer of a real lab; run by -m lab")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A real lab takes minutes; it runs when asked for by its mark."""
    for item in items:
        if item.get_closest_marker("lab") and "lab" not in config.option.markexpr:
            item.add_marker(pytest.mark.skip(reason="run by -m lab"))


@pytest.fixture(scope="session")
def target(released_once: Path) -> Specification:
    """The mini course's lab, its first test with a check of the exact type, and one value test."""
    config = nbgrader_config(Course(released_once))
    coursedir = CourseDirectory(config=config)
    spec = specification(coursedir, open_gradebook(coursedir), "mini-mean", SMALL)
    book = spec.notebooks[0]
    cells = [
        replace(cell, source=TYPE_CHECK + cell.source) if cell.grade_id == "mean-test" else cell
        for cell in book.cells
    ]
    cells += [
        TrustedCell("share", "code", SHARE_STUB, solution=True),
        TrustedCell("share-test", "code", SHARE_TEST, points=3.0, grade=True, locked=True),
    ]
    controls = {**book.controls, "share-test": SHARE_WRONG}
    book = replace(book, cells=tuple(cells), controls=controls)
    return replace(spec, notebooks=(book,), preload=(*spec.preload, "numpy"), digest="target")


def notebook(spec: Specification, answers: dict[str, str]) -> Notebook:
    """The released notebook with these answers, as a learner would hand it in."""
    cells = []
    for number, cell in enumerate(spec.notebooks[0].cells):
        visible = re.sub(
            r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", cell.source, flags=16
        )
        meta = {"grade_id": cell.grade_id, "grade": cell.grade, "solution": cell.solution}
        meta |= {"locked": cell.locked, "task": cell.task, "schema_version": 3}
        meta |= {"points": cell.points} if cell.grade else {}
        new: Notebook = {
            "cell_type": cell.cell_type,
            "id": f"{spec.notebooks[0].name}-{cell.grade_id}"[:64],
            "metadata": {"nbgrader": meta},
            "source": answers.get(cell.grade_id, visible),
        }
        if cell.cell_type == "code":
            new |= {"execution_count": None, "outputs": []}
        cells.append(new)
        assert number < 1000
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def filled_in(thing: Any, values: dict[str, str]) -> Any:
    """Any JSON data with $NAMES replaced."""
    if isinstance(thing, str):
        return re.sub(r"\$([A-Z]+)", lambda name: values.get(name[1], name[0]), thing)
    if isinstance(thing, dict):
        return {key: filled_in(value, values) for key, value in thing.items()}
    return [filled_in(item, values) for item in thing] if isinstance(thing, list) else thing


def submitted(spec: Specification, member: Hostile, values: dict[str, str]) -> Notebook:
    """The notebook that a member hands in."""
    made = notebook(spec, member.answers)
    if member.change:
        member.change(made)
    result: Notebook = filled_in(made, values)
    return result


@dataclass
class Host:
    """What is worth attacking on this machine, all of it made for the test."""

    folder: Path
    token: str = field(default_factory=lambda: f"member{secrets.token_hex(6)}")
    canary: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    port: int = 0
    arrived: list[str] = field(default_factory=list)
    victim: "subprocess.Popen[bytes] | None" = None
    shared: list[Path] = field(default_factory=list)

    def furnish(self) -> None:
        """Make, or make again, the course's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "submitted" / "other").mkdir(parents=True)
        (self.folder / "tests.py").write_text(f"assert secret == '{self.canary}'\n")
        other = self.folder / "submitted" / "other" / "mini-mean.ipynb"
        other.write_text(json.dumps({"answer": self.canary}))
        with contextlib.closing(sqlite3.connect(self.folder / "gradebook.db")) as book:
            book.execute("create table marks (student, score)")
            book.execute("insert into marks values (?, 1)", [self.canary])
            book.commit()
        # Open to everybody: what keeps a member out must be the sandbox, and not a mode.
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)

    def state(self) -> str:
        """A digest of the course's folder."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            digest.update(f"{path} {path.lstat().st_mode}".encode())
            if path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def start_victim(self) -> None:
        code = (
            f"import time; kept = ['{self.canary}' + str(n) for n in range(99)]; time.sleep(9999)"
        )
        self.victim = subprocess.Popen(
            [sys.executable, "-c", code], env={"SECRET": self.canary}, stdin=subprocess.DEVNULL
        )

    def values(self, exchange: Path) -> dict[str, str]:
        assert self.victim
        return {
            "FOLDER": str(self.folder),
            "TOKEN": self.token,
            "PORT": str(self.port),
            "ADDRESS": _own_address(),
            "VICTIM": str(self.victim.pid),
            "GRADER": str(os.getpid()),
            "EXCHANGE": str(exchange),
        }

    def descendants(self) -> list[int]:
        """Processes that a member left behind, by the token in their command line."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if self.token.encode() in path.read_bytes() and _state(path.parent) != "S":
                    found.append(int(path.parent.name))
        return [pid for pid in found if not (self.victim and pid == self.victim.pid)]


def _state(process: Path) -> str:
    """Z for a process that has ended and is not yet reaped; empty otherwise."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return "S" if fields[0] == "Z" else ""


def _own_address() -> str:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A course's folder, servers that note who comes, and a process that holds a secret."""
    base = tmp_path_factory.mktemp("host")
    for folder in (base, *base.parents):
        if folder != Path("/tmp") and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    made = Host(base / "course")
    made.furnish()
    made.start_victim()
    for place in ("/dev/shm", "/tmp"):
        made.shared.append(Path(place, made.token))
        made.shared[-1].write_text(made.canary)
    servers = _serve(made)
    yield made
    for server in servers:
        server.close()
    for path in made.shared:
        path.unlink(missing_ok=True)
    assert made.victim
    made.victim.kill()
    made.victim.wait()


def _serve(host: Host) -> list[socket.socket]:
    stream = socket.socket()
    stream.bind(("0.0.0.0", 0))
    host.port = stream.getsockname()[1]
    newer = socket.socket(socket.AF_INET6)
    datagram = socket.socket(type=socket.SOCK_DGRAM)
    datagram.bind(("0.0.0.0", host.port))
    file, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{host.token}")
    servers = [stream, datagram, abstract]
    with contextlib.suppress(OSError):
        newer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        newer.bind(("::", host.port))
        servers.append(newer)
    service = host.folder.parent / "service"
    if len(str(service)) < 100:
        file.bind(str(service))
        service.chmod(0o777)
        servers.append(file)
    for server in servers:
        if server.type == socket.SOCK_STREAM:
            server.listen(16)
        threading.Thread(target=_note, args=(host, server), daemon=True).start()
    return servers


def _note(host: Host, server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            if server.type == socket.SOCK_DGRAM:
                host.arrived.append(f"datagram {server.recv(100)!r}")
            else:
                server.accept()[0].close()
                host.arrived.append(f"connection at {server.family.name}")


@pytest.fixture(scope="session")
def template(target: Specification) -> Iterator[Template]:
    """The template whose kernels stand in the sandbox."""
    with running_template(target.preload, sandboxed=True) as running:
        yield running


@pytest.fixture(scope="session")
def open_template(target: Specification) -> Iterator[Template]:
    """A template without a sandbox: what a member could do if nothing held it."""
    with running_template(target.preload, sandboxed=False) as running:
        yield running


Grade = Callable[[Hostile], Result]


@pytest.fixture(scope="session")
def graded(
    request: pytest.FixtureRequest, target: Specification, template: Template, host: Host
) -> Iterator[Grade]:
    """Each member's result; all members of this run are graded beside each other."""
    parameters = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = {p.params["member"].id: p.params["member"] for p in parameters if p and "member" in
              p.params}  # fmt: skip
    (template.exchange / "other").mkdir()
    (template.exchange / "other" / "connection.json").write_text(host.canary)
    values = host.values(template.exchange)
    made: dict[str, Future[Result]] = {}

    def one(member: Hostile) -> Result:
        raw = json.dumps(submitted(target, member, values)).encode()
        files = {**member.files}
        return grade(target, Submission(member.id, {"mini-mean": raw}, files), template)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        made = {name: pool.submit(one, member) for name, member in wanted.items()}
        yield lambda member: made[member.id].result(timeout=90)


def plainly(
    spec: Specification, template: Template, member: Hostile, host: Host, *, network: bool = False
) -> Notebook:
    """Run a member's notebook as it was handed in, trusting all of it, without any control."""
    made = submitted(spec, member, host.values(template.exchange))
    book: Notebook = nbformat.from_dict(made)
    files = {**spec.data, **member.files}
    kernel = start_kernel(template, SMALL, files=files, offline=not network)
    try:
        with connected(kernel, SMALL, time.monotonic() + 10, lambda: "") as client:
            for cell in book["cells"]:
                if cell.cell_type == "code":
                    reply = run_cell(client, cell.source)
                    cell.outputs = [nbformat.from_dict(output) for output in reply.outputs]
                    if reply.ended:
                        break
    finally:
        stop_kernel(template, kernel)
    return book

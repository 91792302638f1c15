"""Run cells in a kernel that may be hostile, one at a time, over Jupyter's wire protocol.

Every message is checked against the kernel's key; a reply counts only if it is the one answer to
the one request that is open.
"""

import contextlib
import hmac
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import DELIM, Session

from grader.engine.launch import Kernel
from grader.engine.limits import Limits

GRACE_S = 3.0  # for a kernel to act on an interrupt
TICK_MS = 200  # how often limits are looked at
LOST_S = 0.5  # waits for a core that are given back to a cell
LARGEST_MESSAGE = 64_000_000
FLOOD = 10  # times a cell's limit on output; beyond it the kernel is stopped


@dataclass
class Reply:
    """What the kernel said about one cell.

    `status` is ok, error, timeout (it was interrupted, and lives on), died, or limit (it was
    stopped, and `note` names the limit).
    """

    status: str
    ename: str = ""
    evalue: str = ""
    expressions: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    note: str = ""
    forged: str = ""
    hung: bool = False  # it no longer answered

    @property
    def ended(self) -> bool:
        """Whether the kernel is no more."""
        return self.status in ("died", "limit")


@dataclass
class Client:
    """The supervisor's end of one kernel."""

    kernel: Kernel
    session: Session
    shell: zmq.Socket[bytes]
    iopub: zmq.Socket[bytes]
    limits: Limits
    deadline: float
    over_memory: Callable[[], str]
    looked: float = 0.0  # when memory was


@contextlib.contextmanager
def connected(
    kernel: Kernel, limits: Limits, deadline: float, over_memory: Callable[[], str]
) -> Iterator[Client]:
    """Connect to a kernel that has said that it is bound."""
    session = Session(key=kernel.info["key"].encode(), username="grader")
    shell_open, iopub_open = (
        _socket(kernel, zmq.DEALER, "shell"),
        _socket(kernel, zmq.SUB, "iopub"),
    )
    with shell_open as shell, iopub_open as iopub:
        yield Client(kernel, session, shell, iopub, limits, deadline, over_memory)


@contextlib.contextmanager
def _socket(kernel: Kernel, kind: int, channel: str) -> Iterator[Any]:
    socket: Any = zmq.Context.instance().socket(kind)
    socket.linger = 0
    socket.maxmsgsize = LARGEST_MESSAGE
    socket.sndtimeo = 1000  # without this, a send to a kernel that is gone never ends
    socket.reconnect_ivl = -1  # what lies at this path later may be of the learner's making
    if kind == zmq.SUB:
        socket.subscribe(b"")
    socket.connect(f"ipc://{kernel.info['ip']}-{kernel.info[channel + '_port']}")
    try:
        if kind == zmq.SUB:
            socket.poll(int(GRACE_S * 1000))  # the kernel's welcome: we are subscribed
        yield socket
    finally:
        socket.close()


def run_cell(client: Client, code: str, expressions: dict[str, str] | None = None) -> Reply:
    """Run one cell and wait for what the kernel says of it."""
    forged = _unasked(client)
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": expressions or {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
    seconds = client.limits.cell_s
    collected = _Outputs(client.limits)
    reply = _exchange(client, "execute_request", content, seconds, collected)
    reply.outputs = collected.outputs
    if collected.dropped:
        reply.note = reply.note or f"{collected.dropped} outputs beyond the limit were left out"
    reply.forged = forged or reply.forged
    return reply


def request(client: Client, kind: str, content: dict[str, Any], seconds: float) -> Reply:
    """Any other request; the content of what came in answer is in `expressions`."""
    return _exchange(client, kind, content, seconds, _Outputs(client.limits))


def read_frames(client: Client, frames: list[bytes]) -> dict[str, Any] | None:
    """A message from its wire frames; None where it isn't signed by the kernel's key."""
    try:
        signature, *parts = frames[frames.index(DELIM) + 1 :]
        if not hmac.compare_digest(signature, client.session.sign(parts[:4])):
            return None
        header, parent, _, content = (json.loads(part.decode()) for part in parts[:4])
    except Exception:  # whatever the sender made up
        return None
    return {"header": header, "parent_header": parent, "content": content}


def _exchange(
    client: Client, kind: str, content: dict[str, Any], seconds: float, outputs: "_Outputs"
) -> Reply:
    try:
        sent: Any = client.session.send(client.shell, kind, content)
    except zmq.Again:
        return _deaf(client)
    mine = sent["header"]["msg_id"]
    until = min(time.monotonic() + seconds, client.deadline)
    waited = waited_seconds(client.kernel.pid)
    reply, idle, interrupted = None, False, False
    poller = zmq.Poller()
    poller.register(client.shell, zmq.POLLIN)
    poller.register(client.iopub, zmq.POLLIN)
    poller.register(client.kernel.connection, zmq.POLLIN)
    while reply is None or not idle:
        ready = dict(poller.poll(TICK_MS))
        if client.iopub in ready:
            idle = outputs.drain(client, mine) or idle
        if client.shell in ready and (got := _receive(client, client.shell)):
            reply, until = _merge(reply, got, mine), min(until, time.monotonic() + GRACE_S)
        if (stop := _over_limit(client, outputs)) is not None:
            return stop
        if client.kernel.connection.fileno() in ready and len(ready) == 1:  # nothing left to read
            return reply or Reply("died", note=_how_it_died(client))
        if time.monotonic() > until:
            # A busy machine takes no learner's time; the notebook's deadline stands.
            if (lost := waited_seconds(client.kernel.pid) - waited) > LOST_S:
                waited += lost
                if (until := min(until + lost, client.deadline)) > time.monotonic():
                    continue
            if reply is not None:
                break  # the last word on iopub is missing, the answer is not
            if interrupted:
                note = f"it went on after {seconds:g} s and an interrupt"
                return Reply("limit", note=note, hung=True)
            client.kernel.signal(signal.SIGINT)
            interrupted, until = True, time.monotonic() + GRACE_S
    if interrupted:
        forged = reply.forged if reply else ""
        return Reply("timeout", note=f"it was stopped after {seconds:g} s", forged=forged)
    return reply or Reply("died", note=_how_it_died(client))


def _merge(reply: Reply | None, got: dict[str, Any], mine: str) -> Reply:
    """The reply so far and one more message on the shell channel."""
    if got["parent_header"].get("msg_id") != mine or reply is not None:
        forged = "the kernel sent a reply that nobody asked for"
        return Reply("error", ename="Forged", forged=forged)
    content = got["content"]
    if got["header"]["msg_type"] != "execute_reply":
        return Reply("ok", expressions=content)
    status = "ok" if content.get("status") == "ok" else "error"
    count = content.get("execution_count")
    expressions = content.get("user_expressions")
    return Reply(
        status,
        ename=str(content.get("ename", ""))[:200],
        evalue=str(content.get("evalue", ""))[:2000],
        expressions=expressions if isinstance(expressions, dict) else {},
        execution_count=count if isinstance(count, int) else None,
    )


def _unasked(client: Client) -> str:
    """Read what waits on the shell channel though nothing was asked."""
    found = ""
    while client.shell.poll(0):
        _receive(client, client.shell)
        found = "the kernel sent a reply that nobody asked for"
    return found


def _receive(client: Client, socket: Any) -> dict[str, Any] | None:
    message = read_frames(client, socket.recv_multipart())
    return message if message and _well_formed(message) else None


def _well_formed(message: dict[str, Any]) -> bool:
    """Whether the parts have the types that the protocol gives them; anyone may sign nonsense."""
    parts = ("header", "parent_header", "content")
    return all(isinstance(message.get(part), dict) for part in parts) and isinstance(
        message["header"].get("msg_type"), str
    )


def _over_limit(client: Client, outputs: "_Outputs") -> Reply | None:
    """The kernel stopped, where it went beyond what cannot be undone."""
    over, now = outputs.flooded(), time.monotonic()
    if now - client.looked > TICK_MS / 1000:
        over, client.looked = over or client.over_memory(), now
    if not over:
        return None
    client.kernel.signal(signal.SIGKILL)
    return Reply("limit", note=over)


def _deaf(client: Client) -> Reply:
    """A kernel that died between two cells, or closed its sockets, which then dies."""
    if client.kernel.has_ended():
        return Reply("died", note=_how_it_died(client))
    client.kernel.signal(signal.SIGKILL)
    return Reply("died", note="the code closed the kernel's own connections")


def _how_it_died(client: Client) -> str:
    group = client.kernel.group
    code = client.kernel.wait().get("exit")
    if group and group.oom_killed():
        return f"it needed more than {client.limits.memory_mb} MB of memory"
    if code == -signal.SIGXCPU or code == -signal.SIGKILL:
        return f"it was killed; its limit is {client.limits.cpu_s} s of processor time"
    return f"the code ended its own process (exit status {code})"


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its children that ended; 0 where the system won't tell."""
    try:
        process = Path(f"/proc/{pid}")
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        # In nanoseconds, but without threads that have ended; the rest counts hundredths.
        tasks = [path.read_text() for path in process.glob("task/*/schedstat")]
        own = sum(int(task.split()[0]) for task in tasks) / 1e9
        return max(own, sum(map(int, fields[11:13])) / 100) + sum(map(int, fields[13:15])) / 100
    except (OSError, ValueError, IndexError):
        return 0.0


def waited_seconds(pid: int) -> float:
    """Seconds for which a process was ready to run and no core was free (Linux; elsewhere 0)."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


class _Outputs:
    """The outputs of one cell, as a notebook keeps them, up to the limits."""

    def __init__(self, limits: Limits) -> None:
        self.outputs: list[dict[str, Any]] = []
        self.limits, self.bytes, self.messages, self.dropped = limits, 0, 0, 0

    def drain(self, client: Client, mine: str) -> bool:
        """Take what has arrived, a bounded number at a time; whether the cell's last was seen."""
        for _ in range(200):
            if not client.iopub.poll(0):
                return False
            frames = client.iopub.recv_multipart()
            self.bytes += sum(map(len, frames))
            self.messages += 1
            message = read_frames(client, frames)
            if not message or not _well_formed(message):
                continue
            if message["parent_header"].get("msg_id") != mine:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content.get("execution_state") == "idle":
                return True
            self._add(kind, content)
        return False

    def flooded(self) -> str:
        if self.bytes > FLOOD * self.limits.output_bytes:
            return f"it printed more than {FLOOD * self.limits.output_bytes} bytes"
        if self.messages > FLOOD * self.limits.messages:
            return f"it sent more than {FLOOD * self.limits.messages} outputs"
        return ""

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output":
            self.outputs.clear()
            return
        output = _output(kind, content)
        if output is None:
            return
        if self.bytes > self.limits.output_bytes or self.messages > self.limits.messages:
            self.dropped += 1
            return
        last = self.outputs[-1] if self.outputs else {}
        if kind == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            self.outputs.append(output)


def _output(kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """One output in nbformat's shape; None for messages that leave none."""
    if kind == "stream":
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": str(content.get("text", ""))}
    if kind in ("execute_result", "display_data"):
        data = content.get("data")
        output: dict[str, Any] = {
            "output_type": kind,
            "data": data if isinstance(data, dict) else {},
            "metadata": {},
        }
        if kind == "execute_result":
            output["execution_count"] = None
        return output
    if kind == "error":
        traceback = content.get("traceback")
        return {
            "output_type": kind,
            "ename": str(content.get("ename", "")),
            "evalue": str(content.get("evalue", "")),
            "traceback": [str(line) for line in traceback] if isinstance(traceback, list) else [],
        }
    return None

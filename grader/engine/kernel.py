"""The kernel that a learner's code meets: an ipykernel that can answer from a forked copy.

Runs in a fork of the template. `copy_request` on the shell channel forks this kernel as it is,
runs the cells it is given in the copy through the same machinery as any other cell, and returns
the frames that the copy would have put on the wire: a shell, session or display that has been
turned is turned in the copy too.
"""

import asyncio
import gc
import importlib
import io
import json
import os
import random
import select
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

sys.modules["debugpy"] = None  # type: ignore[assignment]  # 60 ms and 10 MB that no grading needs
import ipykernel.debugger  # noqa: E402, F401

del sys.modules["debugpy"]

from ipykernel import ipkernel  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from traitlets.config import Config  # noqa: E402

# What every kernel would go on to import by itself.
for _name in (
    *("IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect"),
    *("IPython.extensions.storemagic", "pygments.formatters.terminal256", "pygments.styles"),
    "tornado.platform.asyncio",
):
    importlib.import_module(_name)

# Taken before any code of a learner's can put something else in their place.
_fork, _exit, _kill, _waitpid = os.fork, os._exit, os.kill, os.waitpid
_read, _write, _select, _clock = os.read, os.write, select.select, time.monotonic

_KINDS = (types.FunctionType, types.BuiltinFunctionType, type)
COPY_BYTES = 5_000_000
FIRST_S = 5.0  # a copy that has not done its first, trivial cell by then never will


class CopyingKernel(IPythonKernel):
    """An IPython kernel with one request more: run cells in a copy of yourself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shell_handlers["copy_request"] = self.copy_request
        self.shell_handlers["replaced_request"] = self.replaced_request

    def replaced_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Reply with the functions that tests rely on and that are not the libraries' own."""
        assert self.session
        self.session.send(stream, "replaced_reply", {"names": _replaced()}, parent, ident=ident)

    def copy_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Reply with the frames of each cell run in a copy, up to where it hung or died."""
        content = parent["content"]
        frames = [
            [[frame.decode("latin-1") for frame in message] for message in messages]
            for messages in _in_copy(self, parent, content["cells"], content["seconds"])
        ]
        assert self.session
        self.session.send(stream, "copy_reply", {"cells": frames}, parent, ident=ident)


def _in_copy(
    kernel: CopyingKernel, parent: dict[str, Any], cells: list[dict[str, Any]], seconds: float
) -> Iterator[list[list[bytes]]]:
    """Yield each cell's wire messages as the copy produces them."""
    read_end, write_end = os.pipe()
    pid = _fork()
    if pid == 0:
        try:
            gc.disable()  # it would write to every page of the copy
            os.close(read_end)
            for cell in cells:
                messages = _run_in_copy(kernel, parent, cell)
                line = json.dumps([[f.decode("latin-1") for f in m] for m in messages]) + "\n"
                _write_all(write_end, line.encode())
        finally:
            _exit(0)
    os.close(write_end)
    try:
        for line_read in _lines(read_end, seconds):
            yield [[f.encode("latin-1") for f in m] for m in json.loads(line_read)]
    finally:
        os.close(read_end)
        _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[_write(fd, data) :]


def _lines(fd: int, seconds: float) -> Iterator[bytes]:
    """The complete lines that arrive in time, before the end, and before too many bytes."""
    data, total = b"", 0
    start = _clock()
    deadline = start + min(seconds, FIRST_S)
    while (left := deadline - _clock()) > 0 and total < COPY_BYTES:
        if not _select([fd], [], [], left)[0]:
            return
        chunk = _read(fd, 1 << 16)
        if not chunk:
            return
        total += len(chunk)
        *lines, data = (data + chunk).split(b"\n")
        deadline = start + seconds if lines else deadline
        yield from lines


class _Capture:
    """Stands in for a socket; keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def send_multipart(self, frames: list[Any], *_: Any, **__: Any) -> None:
        self.sent.append([bytes(getattr(frame, "bytes", frame)) for frame in frames])


def _run_in_copy(
    kernel: CopyingKernel, parent: dict[str, Any], cell: dict[str, Any]
) -> list[list[bytes]]:
    """Run one cell as an execute_request of its own; return what went to any channel."""
    capture = _Capture()
    kernel.iopub_thread._really_send = capture.send_multipart
    assert kernel.session
    kernel.session.check_pid = False  # it refuses to send from a fork
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    request = {
        **parent,
        "header": {**parent["header"], "msg_type": "execute_request"},
        "content": {  # as the supervisor asks for any cell
            "code": cell["code"],
            "silent": False,
            "store_history": True,
            "user_expressions": cell["expressions"],
            "allow_stdin": False,
            "stop_on_error": False,
        },
        "metadata": {},
    }
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    loop.run_until_complete(kernel.execute_request(capture, [b"copy"], request))
    return capture.sent


class ForkedApp(IPKernelApp):
    """ipykernel's application without what a grading run does not need."""

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        self.shell_channel_thread = None  # no subshells: cells run in the main thread

    def init_kernel(self) -> None:
        # For a debugger it asks every module for its file, and that writes to all their pages.
        with patch.object(ipkernel, "sys", SimpleNamespace(modules={})):
            super().init_kernel()

    def log_connection_info(self) -> None:
        self._ports = {
            name: getattr(self, f"{name}_port")
            for name in ("shell", "iopub", "stdin", "hb", "control")
        }


def run_kernel(connection_file: str, on_bound: Callable[[], None], *, copying: bool) -> None:
    """Serve one kernel until it is shut down; call `on_bound` once clients may connect."""
    seed_generators()
    if copying:
        _refuse_fork_hooks()
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.log_level = 50
    config.IPKernelApp.quiet = True
    if copying:  # Context tracebacks cost 30 ms each
        config.InteractiveShell.xmode = "Plain"
        config.InteractiveShell.colors = "nocolor"
    if copying:
        config.IPKernelApp.kernel_class = CopyingKernel
    app = ForkedApp.instance(config=config)
    app.initialize(["-f", connection_file])
    _choose_backend()
    _own.update(_functions(["builtins"]))  # the shell has put some of its own there
    _own.pop(("builtins", "input"), None)  # and it replaces this one for each cell
    gc.freeze()
    on_bound()
    app.start()


def _choose_backend() -> None:
    """A preloaded matplotlib has read its backend from the template's environment."""
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend(os.environ["MPLBACKEND"])


# Modules whose functions tests call, and which honest code leaves as they are.
_RELIED_ON = (
    *("builtins", "grader.review", "math", "numpy", "numpy.linalg", "numpy.testing", "pandas"),
    *("pandas.testing", "sklearn.metrics", "statistics", "torch", "torch.testing"),
)
_own: dict[tuple[str, str], tuple[object, object]] = {}


def remember_functions() -> None:
    """Note the libraries' own functions; the template does it once for all its kernels."""
    _own.update(_functions(_RELIED_ON))


def _functions(modules: Sequence[str]) -> dict[tuple[str, str], tuple[object, object]]:
    """Each public function of those modules that are loaded, with its code."""
    return {
        (module, name): (function, getattr(function, "__code__", None))
        for module in modules
        if module in sys.modules
        for name, function in vars(sys.modules[module]).items()
        if isinstance(function, _KINDS) and (name == "__import__" or name[0] != "_")
    }


def _replaced() -> list[str]:
    now = _functions(_RELIED_ON)
    return [
        ".".join(key)
        for key, (function, code) in _own.items()
        # By identity: a class may say that it equals another.
        if key not in now or now[key][0] is not function or now[key][1] is not code
    ]


def seed_generators() -> None:
    """Give the global generators a fixed state: a fork copies it, and a rerun must agree."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def _refuse_fork_hooks() -> None:
    """Let only libraries register fork hooks: one of a notebook's could mend what it has turned.

    The copy must be as the kernel is.
    """
    register = os.register_at_fork

    def register_at_fork(**hooks: Any) -> None:
        if sys._getframe(1).f_globals.get("__name__") != "__main__":
            register(**hooks)

    for name in ("os", "posix"):
        sys.modules[name].register_at_fork = register_at_fork  # type: ignore[attr-defined]

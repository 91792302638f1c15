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

COPY_BYTES = 5_000_000
FIRST_S = 5.0  # a copy that has not done its first, trivial cell by then never will


class CopyingKernel(IPythonKernel):
    """An IPython kernel with one request more: run cells in a copy of yourself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shell_handlers["copy_request"] = self.copy_request
        # quit() would end the kernel a tenth of a second later, at whatever then runs.
        self.shell.ask_exit = _stay  # type: ignore[union-attr]

    def copy_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Reply with the frames of each cell run in a copy, up to where it hung or died.

        And with those functions, of the names given or of all, that are not the libraries' own.
        """
        content = parent["content"]
        replaced = _replaced(content["names"])
        frames = [
            [[frame.decode("latin-1") for frame in message] for message in messages]
            for messages in _in_copy(self, parent, content["cells"], content["seconds"])
        ]
        assert self.session
        reply = {"cells": frames, "replaced": replaced}
        self.session.send(stream, "copy_reply", reply, parent, ident=ident)


def _stay() -> None:
    """What quit() and exit() do here."""


def _in_copy(
    kernel: CopyingKernel, parent: dict[str, Any], cells: list[dict[str, Any]], seconds: float
) -> Iterator[list[list[bytes]]]:
    """Yield each cell's wire messages as the copy produces them."""
    if not cells:
        return
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

    def parse_command_line(self, argv: object = None) -> None:
        """There is none: the default would list every option of every class."""

    def init_heartbeat(self) -> None:
        if self.kernel_class is not CopyingKernel:  # no one listens to it, and it has 3 threads
            super().init_heartbeat()

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        self.shell_channel_thread = None  # no subshells: cells run in the main thread

    def init_kernel(self) -> None:
        # For a debugger it asks every module for its file, and that writes to all their pages.
        with patch.object(ipkernel, "sys", SimpleNamespace(modules={})):
            super().init_kernel()

    def init_code(self) -> None:
        # As IPython does, but for its list of modules, which writes to the pages of their names.
        self._run_startup_files()
        self._run_exec_lines()
        self._run_exec_files()
        assert self.shell
        self.shell.user_ns_hidden.update(self.shell.user_ns)
        self.shell._sys_modules_keys = _modules

    def log_connection_info(self) -> None:
        self._ports = {
            name: getattr(self, f"{name}_port")
            for name in ("shell", "iopub", "stdin", "hb", "control")
        }


def ready() -> None:
    """Do once, in the template, what would be the same in each kernel: a fork only reads it."""
    seed_generators()
    for module in _RELIED_ON:
        if module.endswith(".testing") and module.partition(".")[0] in sys.modules:
            importlib.import_module(module)  # or it would come with its first use, and unseen
    if "matplotlib.pyplot" in sys.modules:
        registry = importlib.import_module("matplotlib.backends").backend_registry
        registry.list_all()  # looks through all that is installed
    _remember(_RELIED_ON)
    _modules.update(sys.modules)
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.log_level = 50
    config.IPKernelApp.quiet = True
    ForkedApp.instance(config=config).log.setLevel(50)  # or it makes records that no one sees


def run_kernel(connection_file: str, on_bound: Callable[[], None], *, copying: bool) -> None:
    """Serve one kernel until it is shut down; call `on_bound` once clients may connect."""
    random.seed(0)  # a fork has given it a seed of its own
    app = ForkedApp.instance()
    app.connection_file = connection_file
    if copying:
        _refuse_fork_hooks()
        app.kernel_class = CopyingKernel
        app.config.InteractiveShell.xmode = "Plain"  # tracebacks with context cost 30 ms each
        app.config.InteractiveShell.colors = "nocolor"
    app.initialize([])
    _choose_backend()
    _remember(["builtins"])  # the shell has put some of its own there
    for name in _RESTLESS:
        _own.pop(name, None)
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
# Replaced by the shell for each cell, and by torch when it imports its compiler.
_RESTLESS = ("input", "manual_seed")
_Own = dict[str, list[tuple[str, object, object]]]
_own: _Own = {}  # name -> (module, function, its code)
_modules: set[str] = set()


def _functions(module: str) -> Iterator[tuple[str, object, object]]:
    """Each public callable of a module, if it is loaded, with its code."""
    found = vars(sys.modules[module]) if module in sys.modules else {}
    for name, function in found.items():
        if callable(function) and (name == "__import__" or name[0] != "_"):
            yield name, function, _code(function)


def _code(function: object) -> object:
    """The code of a Python function, or of the one that numpy has wrapped."""
    return getattr(getattr(function, "_implementation", function), "__code__", None)


def _remember(modules: Sequence[str]) -> None:
    for module in modules:
        for name, function, code in _functions(module):
            own = [each for each in _own.get(name, []) if each[0] != module]
            _own[name] = [*own, (module, function, code)]


def _replaced(names: list[str] | None) -> list[str]:
    """Those that are no longer what they were; None asks for all.

    To look at a function is to write to its page, so that a few cost less.
    """
    return [
        f"{module}.{name}"
        for name in (_own if names is None else names)
        for module, function, code in _own.get(name, [])
        # By identity: a class may say that it equals another.
        if vars(sys.modules.get(module, types)).get(name) is not function
        or _code(function) is not code
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

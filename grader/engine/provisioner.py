"""Jupyter's way to the template: a provisioner that forks the kernel instead of starting one.

With `KERNELS` on JUPYTER_PATH every tool that asks jupyter_client for `python3` (papermill,
nbclient, nbval, jupyter-cache) gets a forked kernel, while files go on naming `python3`. That is
for our own notebooks: there is no sandbox, only no network. `python3-sandboxed` is for those of
others: its work folder is its own and holds copies of the files that lie where it was started.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import signal
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Bool

from grader.engine import probe
from grader.engine.launch import (
    SINGLE_THREADED,
    Kernel,
    Template,
    running_template,
    start_kernel,
    stop_kernel,
)
from grader.engine.limits import Limits
from grader.errors import CourseError

KERNELS = Path(__file__).parent / "jupyter"  # holds kernels/python3/kernel.json
TEMPLATE = "GRADER_TEMPLATE"  # where a running template has its home
LARGEST_BYTES = 200_000_000
PRELOAD = ("numpy", "pandas", "scipy.stats", "sklearn.linear_model")

ended: list[dict[str, Any]] = []  # kernel_id, exit, cpu_s, memory_mb of this process's kernels


def forked_kernels(template: Template) -> dict[str, str]:
    """The environment in which `python3` means a fork of this template."""
    path = os.pathsep.join(filter(None, [str(KERNELS), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "JUPYTER_PATH": path, TEMPLATE: str(template.home)}


@functools.cache
def _own_template(sandboxed: bool) -> Template:
    if sandboxed:
        probe.require()
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_template(PRELOAD, sandboxed=sandboxed))


def _files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; CourseError where it is too much to copy."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    if sum(path.stat().st_size for path in paths) > LARGEST_BYTES:
        raise CourseError(f"{folder} holds too much to copy; start where only the data lie.")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


class ForkedProvisioner(KernelProvisionerBase):
    """A kernel's life, as jupyter_client asks for it."""

    sandboxed = Bool(False).tag(config=True)
    kernel: Kernel | None = None
    exit_code = 0

    def _template(self) -> Template:
        home = os.environ.get(TEMPLATE)
        if home and not self.sandboxed:
            return Template(Path(home), sandboxed=False)
        return _own_template(self.sandboxed)

    @property
    def has_process(self) -> bool:
        return self.kernel is not None

    async def poll(self) -> int | None:
        if self.kernel is None:
            return self.exit_code
        return self.kernel.wait()["exit"] or 0 if self.kernel.has_ended() else None

    async def wait(self) -> int | None:
        while await self.poll() is None:
            await asyncio.sleep(0.02)
        return self.exit_code

    async def send_signal(self, signum: int) -> None:
        if self.kernel:
            self.kernel.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        assert self.parent is not None
        self.parent.transport = "ipc"
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork; the connection lies in the template's folder for this kernel."""
        cwd = Path(kwargs.get("cwd") or Path.cwd())
        self.kernel = start_kernel(
            self._template(),
            Limits(),
            files=_files(cwd) if self.sandboxed else None,
            cwd=cwd,
            env={**(kwargs.get("env") or os.environ), **SINGLE_THREADED},
            copying=False,
        )
        info: Any = {**self.kernel.info, "key": self.kernel.info["key"].encode()}
        self.connection_info = info
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        if self.kernel:
            stop_kernel(self._template(), self.kernel)
            self.exit_code = self.kernel.ended["exit"] or 0
            ended.append({**self.kernel.ended, "kernel_id": self.kernel_id})
            self.kernel = None

"""Jupyter's way to the template: a provisioner that forks the kernel instead of starting one.

With `KERNELS` on JUPYTER_PATH every tool that asks jupyter_client for `python3` (papermill,
nbclient, nbval, jupyter-cache) gets a forked kernel, while files go on naming `python3`. For our
own notebooks: there is no sandbox, only no network.
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

from grader.engine.launch import (
    SINGLE_THREADED,
    Kernel,
    Template,
    running_template,
    start_kernel,
    stop_kernel,
)
from grader.engine.limits import Limits

KERNELS = Path(__file__).parent / "jupyter"  # holds kernels/python3/kernel.json
TEMPLATE = "GRADER_TEMPLATE"  # where a running template has its home
PRELOAD = ("numpy", "pandas", "scipy.stats", "sklearn.linear_model")

ended: list[dict[str, Any]] = []  # exit, cpu_s and memory_mb of this process's kernels


def forked_kernels(template: Template) -> dict[str, str]:
    """The environment in which `python3` means a fork of this template."""
    path = os.pathsep.join(filter(None, [str(KERNELS), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "JUPYTER_PATH": path, TEMPLATE: str(template.home)}


def _template() -> Template:
    home = os.environ.get(TEMPLATE)
    return Template(Path(home), sandboxed=False) if home else _own_template()


@functools.cache
def _own_template() -> Template:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_template(PRELOAD, sandboxed=False))


class ForkedProvisioner(KernelProvisionerBase):
    """A kernel's life, as jupyter_client asks for it."""

    kernel: Kernel | None = None
    exit_code = 0

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
        self.kernel = start_kernel(
            _template(),
            Limits(),
            cwd=Path(kwargs.get("cwd") or Path.cwd()),
            env={**(kwargs.get("env") or os.environ), **SINGLE_THREADED},
            copying=False,
        )
        info: Any = {**self.kernel.info, "key": self.kernel.info["key"].encode()}
        self.connection_info = info
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        if self.kernel:
            stop_kernel(_template(), self.kernel)
            self.exit_code = self.kernel.ended["exit"] or 0
            ended.append(self.kernel.ended)
            self.kernel = None

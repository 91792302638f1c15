"""Serve the book and JupyterLab on loopback until interrupted (`make start`, `make lab`)."""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
LABS, WORK, BOOK = ROOT / "labs", ROOT / "work", ROOT / "_build" / "html"
PORTS_TRIED = 50
ANSWER_WITHIN_S = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", help="open this lab, without the book")
    options = parser.parse_args()
    names = sorted(path.name for path in LABS.iterdir() if path.is_dir())
    if options.lab is not None and options.lab not in names:
        print(
            f"There is no lab '{options.lab}'; say make lab LAB=… with one of {', '.join(names)}."
        )
        return 2
    for name in [options.lab] if options.lab else names:
        open_lab(name)
    # Also where a shell started us in the background, with Ctrl-C ignored.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    servers: list[subprocess.Popen[bytes]] = []
    try:
        return serve(options.lab, servers)
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(timeout=20)


def open_lab(name: str) -> Path:
    """Copy a lab into work/ when it is first opened; what is there is never overwritten."""
    target = WORK / name
    if not target.exists():
        scratch = WORK / f".{name}.new"
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(LABS / name, scratch)
        scratch.rename(target)
        print(f"copied labs/{name} to work/{name}: yours to write in")
    return target


def serve(lab: str | None, servers: list[subprocess.Popen[bytes]]) -> int:
    addresses = {}
    if lab is None:
        port = free_port(8100)
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
        servers.append(quiet([*command, "--directory", str(BOOK)]))
        addresses["book"] = f"http://127.0.0.1:{port}/"
    port, token = free_port(8888), secrets.token_hex(16)
    servers.append(quiet(jupyter_command(port), {"JUPYTER_TOKEN": token}))
    path = f"/tree/{lab}/{lab}.ipynb" if lab else ""
    addresses["labs"] = f"http://127.0.0.1:{port}/lab{path}?token={token}"
    for name, address in addresses.items():
        if not answers(address, servers):
            print(f"The server of the {name} did not start within {ANSWER_WITHIN_S} s; try again.")
            return 1
    for name, address in addresses.items():
        print(f"{name}  {address}", flush=True)
    print("Ctrl-C stops them.", flush=True)
    while all(server.poll() is None for server in servers):
        time.sleep(1)
    print("A server stopped by itself; run the command again.")
    return 1


def jupyter_command(port: int) -> list[str]:
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={WORK}"]
    return command + (["--allow-root"] if os.geteuid() == 0 else [])


def quiet(command: list[str], more: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches it only through us."""
    log = (ROOT / "_build" / f"{Path(command[2]).name}.log").open("wb")
    return subprocess.Popen(
        command,
        env={**os.environ, **(more or {})},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def free_port(first: int) -> int:
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    print(f"No port from {first} to {first + PORTS_TRIED - 1} is free; stop another server first.")
    sys.exit(2)


def answers(address: str, servers: list[subprocess.Popen[bytes]]) -> bool:
    until = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < until and all(server.poll() is None for server in servers):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    return False


if __name__ == "__main__":
    sys.exit(main())

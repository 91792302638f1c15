"""formgrader in a real browser: a server on loopback, and a page as Chromium leaves it."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from grader.course import Course
from tests.book import browser
from tests.workflow.foreign import environment
from tests.workflow.running import wait_until
from tools.start import free_port

FLAGS = ["--headless", "--virtual-time-budget=8000", *browser.FLAGS]


@contextlib.contextmanager
def formgrader(course: Course) -> Iterator[str]:
    """Serve the course; yields a URL with a place for the path."""
    with jupyter("jupyter_server", course.root, "formgrader/") as address:
        yield f"{address}{{}}"


@contextlib.contextmanager
def jupyter(app: str, folder: Path, ready: str, *options: str) -> Iterator[str]:
    """Serve a folder by `python -m app`; yields the address once the path `ready` answers."""
    port = free_port(8900)
    command = [sys.executable, "-m", app, "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0"]
    # Without a login: formgrader takes no token in place of the cookie.
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", *options]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    with (folder.parent / f"{app}.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        assert wait_until(lambda: answers(f"{address}{ready}"), 60)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def seen(url: str) -> str:
    """The page after its scripts have run."""
    with tempfile.TemporaryDirectory() as profile:
        command = [str(browser.CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout

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

from grader.course import Course
from tests.book import browser
from tests.workflow.foreign import environment
from tests.workflow.running import wait_until
from tools.start import free_port

FLAGS = ["--headless", "--virtual-time-budget=8000", *browser.FLAGS]


@contextlib.contextmanager
def formgrader(course: Course) -> Iterator[str]:
    """Serve the course; yields a URL with a place for the path."""
    port = free_port(8900)
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0"]
    # Without a login: formgrader takes no token in place of the cookie.
    command += [f"--ServerApp.root_dir={course.root}", "--IdentityProvider.token="]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    with (course.root / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=course.root,
            env=environment(course.root),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/{{}}"
        assert wait_until(lambda: answers(url.format("formgrader/")), 60)
        yield url
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

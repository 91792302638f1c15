"""Commands run without a network, with loopback up."""

import subprocess
import sys

import pytest

from grader import offline

PROBE = """
import socket, grader.offline as offline
assert not offline.sees_network()
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
"""


@pytest.mark.skipif(not offline.blocked(), reason="this system gives no network namespaces")
def test_no_network_but_loopback() -> None:
    done = subprocess.run(
        [*offline.prefix(), sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

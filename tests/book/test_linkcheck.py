"""`make linkcheck`, against a server on loopback that answers in every way."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools import linkcheck

STATUS = {"/good": 200, "/gone": 404, "/moved": 301, "/refused": 403, "/broken": 503}


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(STATUS[self.path])
        if self.path == "/moved":
            self.send_header("Location", "/good")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(linkcheck, "OWN", re.compile("https://mybinder"))
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def page(folder: Path, host: str, *paths: str) -> Path:
    links = "".join(f'<a class="x" href="{host}{path}">a</a>\n' for path in paths)
    (folder / "page.html").write_text(links + '<a href="page.html">b</a><script src="http://x">')
    return folder


def test_each_answer_is_told_apart(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = ("/good", "/good#part", "/gone", "/moved", "/refused", "/broken")
    assert linkcheck.main(page(tmp_path, host, *paths)) == 1
    said = capsys.readouterr().out
    assert f"gone     {host}/gone (404 Not Found), linked from page.html" in said
    assert f"moved    {host}/moved (to {host}/good)" in said
    assert f"unclear  {host}/refused (403 Forbidden)" in said
    assert f"unclear  {host}/broken (503 Service Unavailable)" in said
    assert "5 addresses: 1 good, 1 moved, 2 unclear, 1 gone" in said


def test_good_and_unclear_addresses_pass(host: str, tmp_path: Path) -> None:
    assert linkcheck.main(page(tmp_path, host, "/good", "/refused")) == 0


def test_without_a_network_it_says_so(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert linkcheck.main(page(tmp_path, host, "/gone", "/broken")) == 2
    assert capsys.readouterr().out == "None of 2 addresses answered; go online and run it again.\n"


def test_nobody_there_is_unclear(host: str) -> None:
    port = host.rpartition(":")[2]
    assert linkcheck.ask(f"http://127.0.0.1:{port}/good").outcome == "good"
    assert linkcheck.ask("http://127.0.0.1:9/").outcome == "unclear"


def test_the_book_s_addresses_are_collected() -> None:
    pages = linkcheck.collect(linkcheck.HTML)
    assert len(pages) > 20
    assert any("chapters/references.html" in names for names in pages.values())
    assert not any("mybinder.org/v2" in address for address in pages)

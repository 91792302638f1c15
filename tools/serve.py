"""Serve a folder on loopback as a good web host would: compressed, with HTTP keep-alive."""

import functools
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What is compressed already gains nothing.
COMPRESSED = {".png", ".jpg", ".woff", ".woff2", ".gz", ".zip", ".pdf", ".epub"}


class GzipHandler(SimpleHTTPRequestHandler):
    """Files with their length and gzip encoding; nothing is logged."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        compress = path.suffix not in COMPRESSED
        body = compressed(path, path.stat().st_mtime_ns) if compress else path.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        if compress:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the tests record every request in the browser."""


@functools.lru_cache(maxsize=256)
def compressed(path: Path, changed_ns: int) -> bytes:
    """A file's bytes, gzipped once for as long as it does not change."""
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve `folder` on a free port of 127.0.0.1; yield its address."""
    handler = functools.partial(GzipHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()

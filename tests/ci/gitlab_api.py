# SPDX-License-Identifier: Apache-2.0
"""The part of GitLab's API that the example asks: generic packages and releases, with a job's token."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "job-token"
PROJECT = "/api/v4/projects/7"


class Api(ThreadingHTTPServer):
    """What the server keeps."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.releases: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/v4"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        area, _, name = self.path.removeprefix(PROJECT + "/").partition("/")
        if area == "packages" and name in self.server.files:
            self._answer(200, self.server.files[name])
        elif area == "releases" and name in self.server.releases:
            self._answer(200, b"{}")
        else:
            self._answer(404)

    def do_PUT(self) -> None:
        area, _, name = self.path.removeprefix(PROJECT + "/").partition("/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if area == "packages" and self.headers["JOB-TOKEN"] == TOKEN:
            self.server.files[name] = body
        self._answer(201 if area == "packages" else 404)

    def do_POST(self) -> None:
        release = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != f"{PROJECT}/releases" or release["tag_name"] in self.server.releases:
            self._answer(409)
            return
        self.server.releases[release["tag_name"]] = release
        self._answer(201)

    def _answer(self, status: int, body: bytes = b"") -> None:
        status = status if self.headers["JOB-TOKEN"] == TOKEN else 401
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Api]:
    """Serve on loopback until the block ends."""
    api = Api()
    thread = threading.Thread(target=api.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.shutdown()
        api.server_close()
        thread.join()

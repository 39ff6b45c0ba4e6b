# SPDX-License-Identifier: Apache-2.0
"""A witness elsewhere, written to C2SP tlog-witness: it answers ``add-checkpoint`` over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey, PublicKey
from quorumseal.tlog import (
    Checkpoint,
    ConsistencyProofError,
    MalformedNoteError,
    MalformedSubmissionError,
    NoteSignatureError,
    Witness,
    WitnessConflictError,
    admit,
    cosign,
    nothing_seen,
)
from tests.submissions import read_submission

STATUSES: dict[type[Refusal], int] = {
    MalformedSubmissionError: 400,
    MalformedNoteError: 400,
    NoteSignatureError: 403,
    WitnessConflictError: 409,
    ConsistencyProofError: 422,
}


@dataclass
class WitnessServer:
    """Keeps one checkpoint of one log, and cosigns along one history."""

    name: str
    key: PrivateKey
    origin: str
    log_keys: tuple[PublicKey, ...]
    now: Callable[[], datetime]
    port: int = 0
    kept: Checkpoint = field(init=False)
    asked: list[int] = field(default_factory=list)
    """The statuses that were answered."""
    answer: Callable[[int, bytes], tuple[int, bytes]] = field(default=lambda status, body: (status, body))
    """How it misbehaves, if it does."""

    def __post_init__(self) -> None:
        self.kept = nothing_seen(self.origin)
        self._lock = Lock()

    @property
    def witness(self) -> Witness:
        return Witness(self.name, self.key.public)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/w1"

    def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        """Judge and cosign in one step, so that no two submissions cross."""
        with self._lock:
            try:
                submission = read_submission(body)
                if not submission.checkpoint.startswith(f"{self.origin}\n".encode()):
                    return 404, b""
                self.kept = admit(self.kept, submission, self.log_keys)
            except WitnessConflictError as conflict:
                return 409, f"{conflict.size}\n".encode()
            except Refusal as refusal:
                return STATUSES[type(refusal)], b""
            return 200, cosign(self.kept, self.key, self.name, at=self.now()).encode()


@contextmanager
def serving(witness: WitnessServer) -> Iterator[WitnessServer]:
    """Serve a witness on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            right = self.path == "/w1/add-checkpoint"
            status, answer = witness.answer(*(witness.add_checkpoint(body) if right else (404, b"")))
            witness.asked.append(status)
            self.send_response(status)
            if status == 409:
                self.send_header("Content-Type", "text/x.tlog.size")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        witness.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield witness
        server.shutdown()
        thread.join()

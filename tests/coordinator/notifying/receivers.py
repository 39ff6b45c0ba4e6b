# SPDX-License-Identifier: Apache-2.0
"""Real receivers on loopback that do as they are told: take, refuse, hang, trickle, die."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from coordinator.certificates import Authority
from coordinator.notifying import About, Notice, NoticeType
from tests.databases import free_port

HOST = "127.0.0.1"
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTICE = Notice(
    type=NoticeType.OPENED,
    recipient="alice",
    about=About(
        log="log.acme.example/test",
        ceremony="01934000-0000-7000-8000-000000000001",
        product="widget",
        version="1.0",
    ),
    cause="sha256:" + 64 * "0",
    at=datetime(2026, 11, 20, 14, 0, tzinfo=UTC),
    headline="rita asks you to review widget 1.0",
    sentences=("You can count for engineering.",),
    command="quorumseal review 01934000-0000-7000-8000-000000000001",
)
HANG, TRICKLE, DIE, HALF = "hang", "trickle", "die", "half"
Answer = int | str | dict[str, str | int]


def no_ports() -> tuple[int, ...]:
    """Say that no coordinator listens."""
    return ()


@dataclass
class HttpReceiver:
    """What an HTTP server got, and what it answers next; 204 when nothing is said."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    """Ends every hanging request."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook?room=1"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.requests]


@contextmanager
def http_receiver(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """Run a server that gives these answers in turn."""
    receiver = HttpReceiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.lock:
                receiver.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                receiver.at_once += 1
                receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
            try:
                self.answer(answer)
            finally:
                with receiver.lock:
                    receiver.at_once -= 1

        def answer(self, answer: Answer) -> None:
            match answer:
                case int():
                    self.send_response(answer)
                    self.end_headers()
                case dict():
                    headers = dict(answer)
                    self.send_response(int(headers.pop("status")))
                    for name, value in headers.items():
                        self.send_header(name, str(value))
                    self.end_headers()
                case "hang":
                    receiver.released.wait(30)
                case "trickle":
                    with suppress(OSError):
                        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200:
                            self.wfile.write(bytes([byte]))
                            self.wfile.flush()
                            time.sleep(0.05)
                case "half":
                    self.wfile.write(b"HTTP/1.1 20")
                case _:  # it dies before a word
                    self.connection.close()
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailReceiver:
    """What a mail server got, and what it answers to DATA or RCPT next."""

    port: int = 0
    tls: bool = False
    data_answers: list[str] = field(default_factory=list)
    recipient_answers: list[str] = field(default_factory=list)
    letters: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[object] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.recipient_answers:
            return self.recipient_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.letters.append(envelope)
        self.encrypted.append(self.tls or session.ssl is not None)
        return self.data_answers.pop(0) if self.data_answers else "250 taken"


@contextmanager
def mail_receiver(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    password: bytes | None = None,
) -> Iterator[MailReceiver]:
    """Run a mail server."""
    receiver = MailReceiver(port=free_port(), tls=tls is not None)

    def authenticate(_1: object, _2: object, _3: object, mechanism: str, data: object) -> AuthResult:
        receiver.logins.append(mechanism)
        return AuthResult(success=getattr(data, "password", None) == password, handled=False)

    controller = Controller(
        receiver,
        hostname=HOST,
        port=receiver.port,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate if password else None,
        auth_required=password is not None,
        auth_require_tls=tls is None,
    )
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()


@dataclass
class Certificates:
    """A certificate for loopback, and the authority that made it."""

    authorities: Path
    server: ssl.SSLContext


def certificates(folder: Path) -> Certificates:
    """Make them."""
    at = datetime.now(UTC)
    zeros = lambda size: b"\x01" * size  # noqa: E731
    authority = Authority.create("acme.example", at=at, lifetime=timedelta(days=30), randomness=zeros)
    made = authority.issue_server(
        ["localhost", HOST], at=at, lifetime=timedelta(days=1), randomness=lambda size: b"\x02" * size
    )
    paths = [folder / name for name in ("receivers-ca.pem", "receiver.pem", "receiver.key")]
    for path, data in zip(
        paths, (authority.certificate_pem, made.certificate_pem, made.private_key_pem), strict=True
    ):
        path.write_bytes(data)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths[1], paths[2])
    return Certificates(authorities=paths[0], server=context)

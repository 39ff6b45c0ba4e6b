# SPDX-License-Identifier: Apache-2.0
"""E-mail through a real SMTP server, which takes, refuses, hangs, and wants a password."""

import email
import email.policy
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from coordinator.errors import NoticeRefusedError, NotTakenError, OwnAddressError
from coordinator.notifying.channels import Mail, MailSecurity, Message
from coordinator.notifying.channels.mail import Login, letter, mail_address
from coordinator.notifying.connecting import tls_context
from tests.coordinator.notifying.receivers import (
    HOST,
    NOTICE,
    Certificates,
    certificates,
    mail_receiver,
    no_ports,
)

MESSAGE = Message(notice=NOTICE)
SENDER, ALICE = "quorumseal@acme.example", "alice@acme.example"
PASSWORD = "open sesame"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


def channel(
    port: int,
    security: MailSecurity = MailSecurity.PLAIN,
    login: Login | None = None,
    tls: ssl.SSLContext | None = None,
) -> Mail:
    return Mail(
        host=HOST,
        port=port,
        security=security,
        sender=SENDER,
        login=login,
        seconds=10,
        own_ports=no_ports,
        tls=tls or tls_context(None),
    )


def deliver(mail: Mail, address: str = ALICE) -> None:
    mail.deliver(MESSAGE, address, at=datetime.now(UTC))


def parsed(data: bytes | str | None) -> EmailMessage:
    assert isinstance(data, bytes)
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_says_what_the_notice_says() -> None:
    with mail_receiver() as receiver:
        deliver(channel(receiver.port))
    (envelope,) = receiver.letters
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [ALICE])
    got = parsed(envelope.content)
    assert (got["From"], got["To"]) == (SENDER, ALICE)
    assert got["Subject"] == "[quorumseal] rita asks you to review widget 1.0"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Quorumseal-Type"] == "dev.quorumseal.ceremony.opened.v1"
    assert got["Date"].datetime == NOTICE.at
    assert got.get_content().splitlines() == [
        "rita asks you to review widget 1.0",
        "You can count for engineering.",
        "",
        f"    quorumseal review {NOTICE.about.ceremony}",
    ]


def test_the_same_notice_has_the_same_message_id_every_time() -> None:
    first, second = letter(MESSAGE, SENDER, ALICE), letter(MESSAGE, SENDER, ALICE)
    assert first["Message-ID"] == second["Message-ID"]
    other = replace(NOTICE, cause="another")
    assert letter(Message(notice=other), SENDER, ALICE)["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: mallory@acme.example", "x\nBcc: m@a.b", "x\rBcc: m@a.b", "\x00\x1b[2J"]
)
def test_no_text_becomes_a_header_or_a_line_of_ours(evil: str) -> None:
    notice = replace(NOTICE, headline=evil, sentences=(evil,), command=evil)
    got = parsed(letter(Message(notice=notice), SENDER, ALICE).as_bytes())
    assert "Bcc" not in got
    assert set(got.keys()) == set(letter(MESSAGE, SENDER, ALICE).keys())
    assert len(got.get_content().splitlines()) == 4


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "alice@",
        "@acme.example",
        "alice@acme.example, mallory@acme.example",
        "Alice <alice@acme.example>",
        "alice@acme.example\r\nBcc: m@a.b",
        "alice@acme.example\n",
        "al ice@acme.example",
        "älice@acme.example",
        "alice@@acme.example",
        "alice@-acme.example",
    ],
)
def test_an_address_is_one_address_and_nothing_else(address: str) -> None:
    with pytest.raises(NoticeRefusedError):
        mail_address(address)
    with pytest.raises(NoticeRefusedError):
        letter(MESSAGE, SENDER, address)


# of the test server, which is over TLS from the first byte
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_password_goes_over_tls_only(security: MailSecurity, made: Certificates) -> None:
    contexts = {"starttls" if security is MailSecurity.STARTTLS else "tls": made.server}
    trusting = tls_context(made.authorities)
    with mail_receiver(password=PASSWORD.encode(), **contexts) as receiver:
        deliver(channel(receiver.port, security, Login("quorumseal", PASSWORD), trusting))
        assert receiver.encrypted == [True]
        with pytest.raises(NotTakenError, match="know the user, got 535") as refused:
            deliver(channel(receiver.port, security, Login("quorumseal", "open barley"), trusting))
        assert "barley" not in str(refused.value)
        assert "barley" not in repr(Login("quorumseal", "open barley"))
        before = len(receiver.logins)
        with pytest.raises(NotTakenError, match="certificate of the mail server"):
            deliver(channel(receiver.port, security, Login("quorumseal", PASSWORD)))
        assert len(receiver.logins) == before
    assert len(receiver.letters) == 1


def test_a_server_that_lost_its_starttls_gets_no_letter() -> None:
    with mail_receiver() as receiver, pytest.raises(NotTakenError, match="SMTPNotSupportedError"):
        deliver(channel(receiver.port, MailSecurity.STARTTLS))
    assert receiver.letters == []


@pytest.mark.parametrize(
    ("where", "answer", "error"),
    [
        ("data", "451 try later", NotTakenError),
        ("data", "554 no", NoticeRefusedError),
        ("recipient", "450 mailbox busy", NotTakenError),
        ("recipient", "550 nobody of that name, alice hunter2", NoticeRefusedError),
    ],
)
def test_what_the_server_says_now_or_for_ever(where: str, answer: str, error: type[Exception]) -> None:
    with mail_receiver() as receiver:
        (receiver.data_answers if where == "data" else receiver.recipient_answers).append(answer)
        with pytest.raises(error, match=f"got {answer[:3]}") as refused:
            deliver(channel(receiver.port))
        assert "hunter2" not in str(refused.value)  # a server's text is not repeated


@contextmanager
def speaking(*lines: bytes, pause: float = 0) -> Iterator[int]:
    """Run a server that says some bytes, one by one with a pause, and then nothing more."""
    with socket.create_server((HOST, 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                for byte in b"".join(lines):
                    if done.wait(pause):
                        return
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                done.wait(20 if pause or not lines else 0)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("lines", "pause"),
    [((), 0), ((b"220 hello\r\n" * 50,), 0.05), ((b"220 hello\r\n",), 0), ((b"554 go away\r\n",), 0)],
    ids=["hangs", "trickles", "dies", "refuses everybody"],
)
def test_a_server_that_does_not_go_on_is_left_in_time(lines: tuple[bytes, ...], pause: float) -> None:
    with speaking(*lines, pause=pause) as port:
        mail, started = replace(channel(port), seconds=0.5), time.monotonic()
        with pytest.raises((NotTakenError, NoticeRefusedError)):
            deliver(mail)
        assert time.monotonic() - started < 3


def test_a_mail_server_that_is_the_coordinator_is_refused() -> None:
    with mail_receiver() as receiver, pytest.raises(OwnAddressError):
        deliver(replace(channel(receiver.port), own_ports=lambda: (receiver.port,)))
    assert receiver.letters == []


def test_the_authorities_of_a_file_are_the_only_ones(made: Certificates, tmp_path: Path) -> None:
    assert tls_context(made.authorities).verify_mode is ssl.CERT_REQUIRED
    assert len(tls_context(made.authorities).get_ca_certs()) == 1
    (tmp_path / "none.pem").write_bytes(b"no certificate")
    with pytest.raises(ssl.SSLError):
        tls_context(tmp_path / "none.pem")

# SPDX-License-Identifier: Apache-2.0
"""E-mail through one SMTP server, over TLS from the first byte or from STARTTLS on."""

import re
import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum, unique

from coordinator.errors import NoticeRefusedError, NotTakenError
from coordinator.notifying.connecting import OwnPorts, Timed, connect, cut_off
from coordinator.notifying.message import Message

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_LONGEST_SUBJECT = 150


@unique
class MailSecurity(StrEnum):
    """How the connection to the server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"
    """Not at all; for a server on this machine, and never with a password."""


@dataclass(frozen=True, slots=True)
class Login:
    """Whom the server knows; the password shows nothing of itself."""

    user: str
    password: str = field(repr=False)


def mail_address(text: str) -> str:
    """Return ``text`` if it is one address and nothing else: no name, no list, no line end."""
    if _ADDRESS.fullmatch(text) is None:
        raise NoticeRefusedError(f"expected one e-mail address such as alice@acme.example, got {text[:80]!a}")
    return text


def letter(message: Message, sender: str, address: str) -> EmailMessage:
    """Return the letter of a notice: the same one, with the same Message-ID, every time."""
    notice = message.notice
    mail = EmailMessage(policy=SMTP)
    mail["From"] = mail_address(sender)
    mail["To"] = mail_address(address)
    mail["Subject"] = f"[quorumseal] {message.headline[:_LONGEST_SUBJECT]}"
    mail["Date"] = format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.id.removeprefix('sha256:')}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Quorumseal-Type"] = str(notice.type)
    if notice.about.ceremony:
        mail["Quorumseal-Ceremony"] = notice.about.ceremony
    paragraphs = ["\n".join((message.headline, *message.sentences))]
    paragraphs += [f"    {message.command}"] if message.command is not None else []
    paragraphs += [message.link] if message.link is not None else []
    mail.set_content("\n\n".join(paragraphs) + "\n")
    return mail


class _Smtp(smtplib.SMTP):
    """An SMTP client on a socket that is there already."""

    def __init__(self, connected: socket.socket, host: str, port: int) -> None:
        self._connected = connected
        name = socket.gethostname()  # and not what a name server makes of it, which may take its time
        literal = f"[{connected.getsockname()[0]}]"
        super().__init__(host, port, local_hostname=name if "." in name else literal)

    def _get_socket(self, *_: object) -> socket.socket:
        return self._connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A server that passes letters on."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    login: Login | None
    seconds: float
    own_ports: OwnPorts
    tls: ssl.SSLContext

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:  # noqa: ARG002 - a letter's date is the notice's
        """Hand the letter to the server."""
        mail = letter(message, self.sender, address)
        timed = connect(self.host, self.port, seconds=self.seconds, own_ports=self.own_ports)
        try:
            with cut_off(timed):
                self._hand_over(timed, mail, address)
        except smtplib.SMTPException as error:
            raise _refusal(error) from None
        except ssl.SSLCertVerificationError as error:
            raise NotTakenError(
                f"expected a certificate of the mail server that can be trusted, got {error.verify_message}"
            ) from None
        except OSError as error:
            raise NotTakenError(f"expected the mail server to answer, got {type(error).__name__}") from None

    def _hand_over(self, timed: Timed, mail: EmailMessage, address: str) -> None:
        connected = timed.socket
        with closing(connected):
            if self.security is MailSecurity.TLS:
                connected = self.tls.wrap_socket(connected, server_hostname=self.host)
            with closing(_Smtp(connected, self.host, self.port)) as client:
                if self.security is MailSecurity.STARTTLS:
                    client.starttls(context=self.tls)
                if self.login is not None:
                    client.login(self.login.user, self.login.password)
                client.send_message(mail, self.sender, [address])
                with suppress(smtplib.SMTPException, OSError):  # it has the letter
                    client.quit()


def _refusal(error: smtplib.SMTPException) -> NoticeRefusedError | NotTakenError:
    """Say it with the server's code alone: its text is foreign, and may repeat what it was sent."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return NotTakenError(f"expected the mail server to know the user, got {error.smtp_code}")
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = max((code for code, _ in refused.values()), default=0)
        case smtplib.SMTPResponseException(smtp_code=code):
            pass
        case _:
            return NotTakenError(f"expected the mail server to take the letter, got {type(error).__name__}")
    said = f"expected the mail server to take the letter, got {code}"
    return NoticeRefusedError(said) if code >= 500 else NotTakenError(said)

# SPDX-License-Identifier: Apache-2.0
"""CloudEvents 1.0 (structured JSON) over HTTP POST, signed as Standard Webhooks says.

The signature is HMAC-SHA256 over ``id.timestamp.body``.  A secret file holds one secret or, while receivers
change over, two: the headers then carry a signature by each.
"""

import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.errors import NoticeRefusedError
from coordinator.notifying.connecting import OwnPorts
from coordinator.notifying.message import Message
from coordinator.notifying.posting import HttpAddress, post
from quorumseal.ceremony.values import instant_text

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, no secret
MOST_SECRETS = 2


class SecretFormatError(NoticeRefusedError):
    """A webhook's secret file holds no secret that can be used."""

    code = "notice.secret"
    usual_hint = f"make one with: printf '{SECRET_PREFIX}%s\\n' \"$(openssl rand -base64 32)\""


@dataclass(frozen=True, slots=True)
class Secret:
    """What coordinator and receiver share; it shows nothing of itself."""

    key: bytes = field(repr=False)


def read_secrets(data: bytes) -> tuple[Secret, ...]:
    """Return the secrets of a file, one on a line: ``whsec_`` and 24 to 64 bytes in base64."""
    secrets = tuple(_secret(line) for line in data.decode("utf-8", "replace").splitlines() if line.strip())
    if not 1 <= len(secrets) <= MOST_SECRETS:
        raise SecretFormatError(f"expected 1 to {MOST_SECRETS} secrets, each on its line, got {len(secrets)}")
    return secrets


def _secret(line: str) -> Secret:
    try:
        key = base64.b64decode(line.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not line.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise SecretFormatError(f"expected {SECRET_PREFIX} and 24 to 64 bytes in base64, got something else")
    return Secret(key)


def event(message: Message) -> bytes:
    """Return the CloudEvent of a notice."""
    notice = message.notice
    about = notice.about
    data = {
        "recipient": notice.recipient,
        "ceremony": about.ceremony or None,
        "product": about.product,
        "version": about.version,
        "headline": message.headline,
        "sentences": [*message.sentences],
        "command": message.command,
        "link": message.link,
        "instead_of": message.instead_of or None,
    }
    return json.dumps(
        {
            "specversion": "1.0",
            "id": notice.id,
            "source": f"//{about.log}",
            "type": notice.type,
            "subject": about.ceremony or f"{about.product}@{about.version}",
            "time": instant_text(notice.at),
            "datacontenttype": "application/json",
            "data": {name: value for name, value in data.items() if value is not None},
        }
    ).encode()


def sign(secrets: Sequence[Secret], delivery: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent a body, and when."""
    timestamp = str(int(at.timestamp()))
    signed = f"{delivery}.{timestamp}.".encode() + body
    macs = [hmac.digest(secret.key, signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": delivery,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A program that wants to know."""

    to: HttpAddress
    secrets: tuple[Secret, ...]
    seconds: float
    own_ports: OwnPorts
    tls: ssl.SSLContext

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:
        """Post the event with its signature."""
        if address:
            raise NoticeRefusedError("expected a webhook without an address of its own, got one with")
        body = event(message)
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "quorumseal",
            **sign(self.secrets, message.notice.id, body, at=at),
        }
        post(self.to, body, headers, seconds=self.seconds, own_ports=self.own_ports, tls=self.tls)

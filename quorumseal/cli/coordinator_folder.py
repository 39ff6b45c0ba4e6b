# SPDX-License-Identifier: Apache-2.0
"""The files of a coordinator: its certificate, the log's key, the settings that name them."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.certificates import Authority, Credentials
from quorumseal.cli.files import write_new
from quorumseal.cli.org.organisation_plan import Plan
from quorumseal.signatures import Ed25519PrivateKey, PrivateKey, Scheme, generate_key, write_key_file

FOLDER = 0o700
_SECRET = 0o600


def new_key() -> Ed25519PrivateKey:
    """Make an Ed25519 key."""
    key: PrivateKey = generate_key(Scheme.ED25519, secrets.token_bytes)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - that is what was asked for
    return key


def write_secret(path: Path, data: bytes) -> None:
    """Write a file for its owner alone."""
    write_new(path, data, mode=_SECRET)


def write_passphrase(path: Path) -> bytes:
    """Write a new passphrase into a file, and return it."""
    passphrase = secrets.token_urlsafe(24).encode()
    write_secret(path, passphrase + b"\n")
    return passphrase


def write_credentials(
    folder: Path, credentials: Credentials, certificate: str = "certificate.pem", key: str = "tls.key.pem"
) -> None:
    """Write a certificate and its key, which TLS wants unencrypted."""
    write_new(folder / certificate, credentials.certificate_pem)
    write_secret(folder / key, credentials.private_key_pem)


def write_coordinator(
    folder: Path,
    plan: Plan,
    authority: Authority,
    log_key: Ed25519PrivateKey,
    *,
    at: datetime,
    certificate_valid: timedelta,
) -> None:
    """Write what every coordinator has, but for its settings."""
    credentials = authority.issue_server(
        server_names(plan), at=at, lifetime=certificate_valid, randomness=secrets.token_bytes
    )
    passphrase = write_passphrase(folder / "log.passphrase")
    write_secret(folder / "log.key.pem", write_key_file(log_key, passphrase))
    write_credentials(folder, credentials)
    write_new(folder / "ca.pem", authority.certificate_pem)


def server_names(plan: Plan) -> list[str]:
    """Return the hosts that the server's certificate names."""
    hosts = [listen.rpartition(":")[0].strip("[]") for listen in (plan.reached, plan.listen)]
    return [*dict.fromkeys([*hosts, "localhost", "127.0.0.1"])]


def settings_text(plan: Plan, *, publish_to: str, more: str = "") -> str:
    """Write a ``coordinator.toml`` with its comments; ``more`` are sections after the others."""
    return f"""\
# The coordinator's settings.  Paths are relative to this file.
format = 0
organisation = "{plan.name}"
listen = "{plan.listen}"
database = "sqlite:///coordinator.db"

[log_key]
file = "log.key.pem"
passphrase_file = "log.passphrase" # keep it elsewhere where you can: a credentials folder, a secret store

[log]
anchor = "log.anchor" # how far the log has come: better on another disk than the database, and in no backup

[tls]
certificate = "certificate.pem"
key = "tls.key.pem"
client_authorities = "ca.pem"
revoked = [] # serial numbers of client certificates

[publish]
directories = ["{publish_to}"]
{more}"""

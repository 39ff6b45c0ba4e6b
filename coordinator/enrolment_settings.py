# SPDX-License-Identifier: Apache-2.0
"""The settings by which people join from their own machines.  All three sections may be left out.

[authority]                               # issues client certificates; without it nobody is let in or renewed
certificate = "ca.pem"
key = "ca.key.pem"
passphrase_file = "ca.passphrase"         # left out where the key file is not encrypted
client_days = 7                           # how long a client certificate lasts; this is the default
next_certificate = "authority.2.pem"      # while it rotates, with next_key, under the same passphrase

[enrolment]                               # the port for whoever has an invitation and no certificate yet
listen = "0.0.0.0:7445"
address = "coordinator.acme.example:7445" # where an invitation sends people
coordinator = "coordinator.acme.example:7443" # where they go from then on
certificate = "enrolment.pem"             # signs itself; invitations give its fingerprint
key = "enrolment.key.pem"

[founding]                                # matters while the log is empty, and never after
policy = "policy.toml"                    # version 1; people's keys come by enrolment
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from coordinator.notifying.settings import Take
from quorumseal.strict_json import Fields

DEFAULT_CLIENT_DAYS = 7
_MOST_CLIENT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityFiles:
    """Where the certificate authority lies, and how long what it issues lasts."""

    certificate: Path
    key: Path
    passphrase_file: Path | None
    lifetime: timedelta
    next: "AuthorityFiles | None" = None
    """The one that takes its place, under the same passphrase; while it rotates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentPort:
    """Where people enrol, and what they are told."""

    listen: str
    address: str
    coordinator: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentSettings:
    """How people join; nobody does where a part is missing."""

    authority: AuthorityFiles | None = None
    port: EnrolmentPort | None = None
    founding: Path | None = None
    """The policy.toml that the organisation is founded by, while its log is empty."""


class EnrolmentReader:
    """Reads the three sections in the manner of ``coordinator.settings``."""

    def __init__(
        self, take: Take, file: Callable[[Fields, str], Path], address: Callable[[Fields, str], str]
    ) -> None:
        self._take, self._file, self._address = take, file, address

    def read(self, authority: Fields, port: Fields, founding: Fields) -> EnrolmentSettings:
        """Read what is there; whoever founds needs all of it, whoever lets people in an authority."""
        needed = any(section.names() for section in (port, founding))
        return EnrolmentSettings(
            authority=self._authority(authority) if needed or authority.names() else None,
            port=self._port(port) if needed else None,
            founding=self._file(founding, "policy") if founding.names() else None,
        )

    def _authority(self, section: Fields) -> AuthorityFiles:
        days = self._take(
            lambda: (
                section.integer("client_days", at_least=1, at_most=_MOST_CLIENT_DAYS)
                if "client_days" in section
                else DEFAULT_CLIENT_DAYS
            ),
            DEFAULT_CLIENT_DAYS,
        )
        encrypted = "passphrase_file" in section
        files = AuthorityFiles(
            certificate=self._file(section, "certificate"),
            key=self._file(section, "key"),
            passphrase_file=self._file(section, "passphrase_file") if encrypted else None,
            lifetime=timedelta(days=days),
        )
        if "next_certificate" not in section and "next_key" not in section:
            return files
        certificate, key = self._file(section, "next_certificate"), self._file(section, "next_key")
        return replace(files, next=replace(files, certificate=certificate, key=key))

    def _port(self, section: Fields) -> EnrolmentPort:
        return EnrolmentPort(
            listen=self._take(lambda: self._address(section, "listen"), ""),
            address=self._take(lambda: self._address(section, "address"), ""),
            coordinator=self._take(lambda: self._address(section, "coordinator"), ""),
            certificate=self._file(section, "certificate"),
            key=self._file(section, "key"),
        )

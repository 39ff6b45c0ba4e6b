# SPDX-License-Identifier: Apache-2.0
"""What lets people in, wired by hand from the settings: authority, roster, founders, invitations."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from coordinator.certificates import Authority
from coordinator.enrolling import Enrolling, Office
from coordinator.enrolment_errors import NoAuthorityError
from coordinator.enrolment_settings import DEFAULT_CLIENT_DAYS, AuthorityFiles, EnrolmentPort
from coordinator.founders import Founders
from coordinator.inviting import Inviting
from coordinator.log_keys import LogKeys
from coordinator.named_files import read_named, read_passphrase
from coordinator.roster import Roster
from coordinator.settings import Settings, SettingsError
from coordinator.storage import Storage
from quorumseal.client.enrolment import fingerprint
from quorumseal.client.errors import CredentialsError
from quorumseal.refusal import Refusal


class LettingIn:
    """One organisation's door: each part is made when it is asked for."""

    def __init__(
        self, settings: Settings, storage: Storage, log_keys: LogKeys, *, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self.storage = storage
        self._log_keys = log_keys
        self._now = now
        self.roster = Roster(storage, settings.enrolment.founding)

    @cached_property
    def _authority(self) -> Authority | None:
        files = self._settings.enrolment.authority
        return None if files is None else read_authority(files, self._settings.organisation)

    def founders(self) -> Founders:
        """Return the founding."""
        authority = "" if self._authority is None else fingerprint(self._authority.certificate_pem)
        return Founders(
            self.storage,
            self.roster,
            self._log_keys,
            organisation=self._settings.organisation,
            authority=authority,
            now=self._now,
        )

    def enrolling(self) -> Enrolling | None:
        """Return what issues certificates, where the settings name an authority."""
        return None if self._authority is None else self.enrolling_by(self._authority)

    def enrolling_by(self, authority: Authority) -> Enrolling:
        """Return what issues certificates by this authority."""
        files, port = self._settings.enrolment.authority, self._settings.enrolment.port
        office = Office(
            authority=authority,
            client_authorities=read_named(self._settings.tls.client_authorities),
            lifetime=timedelta(days=DEFAULT_CLIENT_DAYS) if files is None else files.lifetime,
            coordinator="" if port is None else port.coordinator,
        )
        return Enrolling(self.storage, self.roster, office, now=self._now, randomness=secrets.token_bytes)

    def inviting(self) -> Inviting:
        """Return what invites people."""
        return Inviting(
            self.storage,
            self.roster,
            organisation=self._settings.organisation,
            now=self._now,
            randomness=secrets.token_bytes,
        )


def read_authority(files: AuthorityFiles, organisation: str) -> Authority:
    """Open the certificate authority of the settings."""
    passphrase = read_passphrase(files.passphrase_file)
    return open_authority(files.certificate, files.key, passphrase, organisation, where="settings.authority")


def open_authority(
    certificate: Path, key: Path, passphrase: bytes | None, organisation: str, *, where: str
) -> Authority:
    """Open an organisation's certificate authority; ``where`` says what named the two files."""
    try:
        authority = Authority.load(read_named(certificate), read_named(key), passphrase)
    except SettingsError:
        raise
    except Refusal as refusal:
        raise SettingsError(
            f"{where} ({key}): {refusal}",
            hint=refusal.hint or "certificate, key and passphrase are one set: restore them from one backup",
        ) from None
    if authority.organisation != organisation:
        raise SettingsError(
            f"{where} ({certificate}): expected the authority of {organisation}, "
            f"got that of {authority.organisation}",
            hint="name the authority of this organisation",
        )
    return authority


def port_of(settings: Settings) -> EnrolmentPort:
    """Return where people enrol; refuse settings by which nobody does."""
    if settings.enrolment.port is None:
        raise NoAuthorityError(
            "expected [enrolment] and [authority] in the settings, got none",
            hint="let people join as the operator's manual says, or make their homes with org init --local",
        )
    return settings.enrolment.port


def own_fingerprint(port: EnrolmentPort) -> str:
    """Return the fingerprint of the enrolment port's certificate."""
    try:
        return fingerprint(read_named(port.certificate))
    except CredentialsError as error:
        raise SettingsError(f"settings.enrolment.certificate: {error}") from None

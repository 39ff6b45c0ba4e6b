# SPDX-License-Identifier: Apache-2.0
"""Who was invited and who enrolled.  Using an invitation up, and all that comes of it, is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.storage.certificates import CertificateRow, write_certificate
from coordinator.storage.engine import Engines
from coordinator.storage.rows import from_milliseconds, to_milliseconds
from coordinator.storage.schema import enrolled_keys, enrolments, invitations


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """An invitation, by the digest of its code."""

    code: str
    organisation: str
    signer: str
    founder: bool
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRow:
    """What somebody enrolled with, and the serial number of the certificate that they were given."""

    code: str
    signer: str
    founder: bool
    at: datetime
    envelope: bytes
    serial: str


class InvitationOverError(Exception):
    """Somebody else used or withdrew it first; nothing was written."""


class KeyEnrolledError(Exception):
    """Somebody else enrolled one of the keys first; nothing was written."""


class EnrolmentTables:
    """Invitations and enrolments."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def invite(self, row: InvitationRow) -> None:
        """Store a new invitation."""
        with self._engines.writing() as connection:
            connection.execute(
                insert(invitations).values(
                    code=row.code,
                    organisation=row.organisation,
                    signer=row.signer,
                    founder=int(row.founder),
                    made_at=to_milliseconds(row.made_at),
                    expires_at=to_milliseconds(row.expires_at),
                )
            )

    def withdraw(self, signer: str, *, at: datetime) -> int:
        """End the invitations of a name that nobody has used; return how many."""
        open_ = invitations.c.used_at.is_(None) & invitations.c.withdrawn_at.is_(None)
        with self._engines.writing() as connection:
            done = connection.execute(
                update(invitations)
                .where(invitations.c.signer == signer, open_)
                .values(withdrawn_at=to_milliseconds(at))
            )
        return done.rowcount

    def invitations(self) -> list[InvitationRow]:
        """Return every invitation, oldest first."""
        with self._engines.reading() as connection:
            rows = connection.execute(select(invitations).order_by(invitations.c.made_at, invitations.c.code))
            return [_invitation(row) for row in rows.mappings()]

    def invitation(self, code: str) -> InvitationRow | None:
        """Return an invitation by the digest of its code."""
        with self._engines.reading() as connection:
            row = connection.execute(select(invitations).where(invitations.c.code == code)).mappings().first()
        return None if row is None else _invitation(row)

    def enrol(self, row: EnrolmentRow, keys: Mapping[bytes, bool], certificate: CertificateRow) -> None:
        """Use an invitation up, and store the enrolment, its keys and its certificate; or nothing.

        Of each key (SubjectPublicKeyInfo) ``keys`` says whether it is a witness.
        """
        with self._engines.writing() as connection:
            here = (invitations.c.code == row.code) & invitations.c.used_at.is_(None)
            here &= invitations.c.withdrawn_at.is_(None)
            used = connection.execute(update(invitations).where(here).values(used_at=to_milliseconds(row.at)))
            if used.rowcount != 1:
                raise InvitationOverError
            for spki, witness in keys.items():
                _enrol_key(connection, spki, row.signer, int(witness))
            write_certificate(connection, certificate)
            connection.execute(
                insert(enrolments).values(
                    code=row.code,
                    signer=row.signer,
                    founder=int(row.founder),
                    at=to_milliseconds(row.at),
                    envelope=row.envelope,
                    serial=row.serial,
                )
            )

    def enrolments(self) -> list[EnrolmentRow]:
        """Return every enrolment, oldest first."""
        with self._engines.reading() as connection:
            rows = connection.execute(select(enrolments).order_by(enrolments.c.at, enrolments.c.code))
            return [_enrolment(row) for row in rows.mappings()]

    def enrolment(self, code: str) -> EnrolmentRow | None:
        """Return what came of an invitation."""
        with self._engines.reading() as connection:
            row = connection.execute(select(enrolments).where(enrolments.c.code == code)).mappings().first()
        return None if row is None else _enrolment(row)


def _enrol_key(connection: Connection, spki: bytes, signer: str, witness: int) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"spki": spki, "signer": signer, "witness": witness}
    connection.execute(dialect.insert(enrolled_keys).values(row).on_conflict_do_nothing())
    kept = connection.execute(select(enrolled_keys).where(enrolled_keys.c.spki == spki)).mappings().one()
    if kept != row:
        raise KeyEnrolledError


def _invitation(row: RowMapping) -> InvitationRow:
    used_at, withdrawn_at = row["used_at"], row["withdrawn_at"]
    return InvitationRow(
        code=row["code"],
        organisation=row["organisation"],
        signer=row["signer"],
        founder=bool(row["founder"]),
        made_at=from_milliseconds(row["made_at"]),
        expires_at=from_milliseconds(row["expires_at"]),
        used_at=None if used_at is None else from_milliseconds(used_at),
        withdrawn_at=None if withdrawn_at is None else from_milliseconds(withdrawn_at),
    )


def _enrolment(row: RowMapping) -> EnrolmentRow:
    return EnrolmentRow(
        code=row["code"],
        signer=row["signer"],
        founder=bool(row["founder"]),
        at=from_milliseconds(row["at"]),
        envelope=row["envelope"],
        serial=row["serial"],
    )

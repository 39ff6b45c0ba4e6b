# SPDX-License-Identifier: Apache-2.0
"""The client certificates that were issued, and which of them no longer let anybody in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from coordinator.storage.engine import Engines
from coordinator.storage.rows import from_milliseconds, to_milliseconds
from coordinator.storage.schema import certificates

_TURN = b"certify"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A client certificate (PEM); ``serial`` is in lower-case hexadecimal."""

    serial: str
    name: str
    issued_at: datetime
    not_after: datetime
    certificate: bytes
    revoked_at: datetime | None = None


class CertificateTable:
    """Issued certificates."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def renew(self, row: CertificateRow, *, instead_of: str) -> bool:
        """Keep a certificate before it is handed out; False where the one that asked for it was revoked."""
        with self._engines.taking_turns(_TURN) as connection:
            query = select(certificates.c.revoked_at).where(certificates.c.serial == instead_of)
            if connection.execute(query).scalar() is not None:
                return False
            write_certificate(connection, row)
        return True

    def keep(self, row: CertificateRow) -> None:
        """Keep a certificate before it is handed out, so that it can be revoked."""
        with self._engines.taking_turns(_TURN) as connection:
            write_certificate(connection, row)

    def get(self, serial: str) -> CertificateRow | None:
        """Return a certificate."""
        with self._engines.reading() as connection:
            row = connection.execute(select(certificates).where(certificates.c.serial == serial)).first()
        return None if row is None else _row(*row)

    def of(self, name: str) -> list[CertificateRow]:
        """Return the certificates of a name, oldest first."""
        with self._engines.reading() as connection:
            rows = connection.execute(
                select(certificates)
                .where(certificates.c.name == name)
                .order_by(certificates.c.issued_at, certificates.c.serial)
            )
            return [_row(*row) for row in rows]

    def revoke(self, name: str, *, at: datetime) -> list[str]:
        """Revoke every certificate that a name has; return the serial numbers of those that still ran."""
        here = (certificates.c.name == name) & certificates.c.revoked_at.is_(None)
        here &= certificates.c.not_after > to_milliseconds(at)
        with self._engines.taking_turns(_TURN) as connection:
            revoked = connection.execute(
                update(certificates)
                .where(here)
                .values(revoked_at=to_milliseconds(at))
                .returning(certificates.c.serial)
            )
            return sorted(revoked.scalars())

    def revoked(self) -> frozenset[str]:
        """Return the serial numbers of all that were revoked."""
        with self._engines.reading() as connection:
            query = select(certificates.c.serial).where(certificates.c.revoked_at.is_not(None))
            return frozenset(connection.execute(query).scalars())


def write_certificate(connection: Connection, row: CertificateRow) -> None:
    """Keep a certificate, in a transaction that does more."""
    connection.execute(
        insert(certificates).values(
            serial=row.serial,
            name=row.name,
            issued_at=to_milliseconds(row.issued_at),
            not_after=to_milliseconds(row.not_after),
            certificate=row.certificate,
        )
    )


def _row(
    serial: str, name: str, issued_at: int, not_after: int, certificate: bytes, revoked_at: int | None
) -> CertificateRow:
    return CertificateRow(
        serial=serial,
        name=name,
        issued_at=from_milliseconds(issued_at),
        not_after=from_milliseconds(not_after),
        certificate=certificate,
        revoked_at=None if revoked_at is None else from_milliseconds(revoked_at),
    )

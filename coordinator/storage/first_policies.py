# SPDX-License-Identifier: Apache-2.0
"""What founders are asked to sign, and what they signed.  Nothing here is ever thrown away."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.storage.engine import Engines
from coordinator.storage.rows import to_milliseconds
from coordinator.storage.schema import first_policies, founders_signatures

_TURN = b"founder"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPolicyRow:
    """The payload that founders sign now, with what each of them signed."""

    number: int
    payload: bytes
    envelopes: dict[str, bytes]


class FirstPolicyTables:
    """Payloads and signatures."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def newest(self) -> FirstPolicyRow | None:
        """Return what founders sign now; nothing where nothing is compiled yet."""
        with self._engines.reading() as connection:
            return _newest(connection)

    def all(self) -> list[FirstPolicyRow]:
        """Return everything that founders were asked to sign, oldest first."""
        with self._engines.reading() as connection:
            return _read(connection, select(first_policies).order_by(first_policies.c.number))

    def propose(
        self, payload: bytes, *, at: datetime, allowed: Callable[[FirstPolicyRow | None], bool]
    ) -> bool:
        """Store what founders sign from now on, if that may take the place of what they sign now."""
        with self._engines.taking_turns(_TURN) as connection:
            newest = _newest(connection)
            if not allowed(newest):
                return False
            number = 1 if newest is None else newest.number + 1
            connection.execute(
                insert(first_policies).values(number=number, payload=payload, at=to_milliseconds(at))
            )
        return True

    def sign(self, number: int, signer: str, envelope: bytes, *, at: datetime) -> bool:
        """Keep a founder's signature, the first one; False where something else is to be signed by now."""
        row = {"number": number, "signer": signer, "envelope": envelope, "at": to_milliseconds(at)}
        with self._engines.taking_turns(_TURN) as connection:
            current = connection.execute(select(func.max(first_policies.c.number))).scalar_one()
            if current != number:
                return False
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(dialect.insert(founders_signatures).values(row).on_conflict_do_nothing())
        return True


def _newest(connection: Connection) -> FirstPolicyRow | None:
    newest = select(first_policies).order_by(first_policies.c.number.desc()).limit(1)
    return next(iter(_read(connection, newest)), None)


def _read(connection: Connection, query: Select[Any]) -> list[FirstPolicyRow]:
    return [
        FirstPolicyRow(
            number=row.number,
            payload=row.payload,
            envelopes={
                signed.signer: signed.envelope
                for signed in connection.execute(
                    select(founders_signatures).where(founders_signatures.c.number == row.number)
                )
            },
        )
        for row in connection.execute(query)
    ]

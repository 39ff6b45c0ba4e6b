# SPDX-License-Identifier: Apache-2.0
"""What the agent must not forget: what it signed, what it was shown, how far it saw the log and the policy.

An envelope is here before it is sent, its receipt after, so whatever happens in between is sent again and
never signed again.  Every write is on the disk when its method returns.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.entries import CONCLUSIONS, Entry, EntryType, read_entry
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy, read_policy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import (
    Decision,
    Mode,
    PolicyReference,
    Request,
    StandingAct,
    Statement,
)
from quorumseal.ceremony.values import digest_of, instant_text
from quorumseal.client.values import Annex, Receipt
from quorumseal.signatures import Envelope
from quorumseal.strict_json import write
from signer_agent.errors import JournalError
from signer_agent.kept_entries import SCHEMA as KEPT_ENTRIES
from signer_agent.kept_entries import KeptEntries
from signer_agent.log_memory import SCHEMA as LOG_MEMORY
from signer_agent.log_memory import LogMemory
from signer_agent.recollection import Fate, Known, LastDecision, Recollection, Stored

NO_CEREMONY = ""
"""Where what belongs to no ceremony is kept."""
_SCHEMA_VERSION = 5
_UPGRADES = {2: "ALTER TABLE statements ADD COLUMN timestamp BLOB", 3: LOG_MEMORY, 4: KEPT_ENTRIES}
"""What makes a journal of one version into one of the next."""
_SCHEMA = """
CREATE TABLE checkpoints (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE policies (
    digest TEXT PRIMARY KEY, version INTEGER NOT NULL, payload BLOB NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE entries (
    hash TEXT PRIMARY KEY, ceremony TEXT NOT NULL, seq INTEGER NOT NULL, payload BLOB NOT NULL,
    at TEXT NOT NULL, UNIQUE (ceremony, seq)
) STRICT;
CREATE TABLE requests (
    digest TEXT PRIMARY KEY, ceremony TEXT NOT NULL, product TEXT NOT NULL, version TEXT NOT NULL,
    kind TEXT NOT NULL, mode TEXT NOT NULL, supersedes TEXT, payload BLOB NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX requests_by_release ON requests (product, version);
CREATE TABLE statements (
    number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, ceremony TEXT NOT NULL,
    product TEXT NOT NULL, policy TEXT NOT NULL, envelope BLOB NOT NULL, annexes TEXT NOT NULL,
    signed_at TEXT NOT NULL, fate TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', state TEXT,
    entry BLOB, entry_index INTEGER, inclusion TEXT, checkpoint BLOB, timestamp BLOB
) STRICT;
CREATE INDEX statements_by_ceremony ON statements (ceremony);
"""


class Journal:
    """One agent's journal.  Each thread and process opens its own; SQLite keeps them apart."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open the journal at ``path``, or begin it."""
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            # EXTRA syncs the directory too, without which a commit's end can get lost with the power.
            connection.execute("PRAGMA synchronous = EXTRA")
            journal = cls(connection)
            journal._prepare(path)
        except sqlite3.DatabaseError as reason:
            connection.close()
            raise JournalError(
                f"expected a journal at {path}, got: {reason}",
                hint="restore it from a backup; without it the agent forgets what it signed",
            ) from None
        return journal

    def close(self) -> None:
        """Close it; everything is on the disk already."""
        self._connection.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def problem(self) -> str:
        """Return what the database finds wrong with itself; nothing where it is sound."""
        try:
            found = [str(row[0]) for row in self._rows("PRAGMA integrity_check(1)")]
        except sqlite3.DatabaseError as error:
            return str(error)
        return "" if found == ["ok"] else "; ".join(found)

    # How far the log and the policy were seen

    @property
    def log(self) -> LogMemory:
        """The checkpoints of the log."""
        return LogMemory(self._connection, self._write)

    @property
    def kept(self) -> KeptEntries:
        """The log's entries as they were followed."""
        return KeptEntries(self._connection, self._write)

    def highest_policy(self) -> PolicyReference | None:
        """Return the highest policy version that was verified."""
        row = self._row("SELECT version, digest FROM policies ORDER BY version DESC LIMIT 1")
        return None if row is None else PolicyReference(version=row[0], digest=row[1])

    def policy(self, digest: str) -> bytes | None:
        """Return the bytes of a policy that was verified."""
        row = self._row("SELECT payload FROM policies WHERE digest = ?", digest)
        return None if row is None else bytes(row[0])

    def keep_policy(self, policy: SignedPolicy, *, at: datetime) -> None:
        """Remember a verified policy."""
        with self._write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO policies VALUES (?, ?, ?, ?)",
                (policy.digest, policy.policy.version, policy.payload, instant_text(at)),
            )

    # What was shown

    def shown(self, ceremony: str) -> dict[int, str]:
        """Return the hashes of the ceremony's entries that were shown before, by their number."""
        rows = self._rows("SELECT seq, hash FROM entries WHERE ceremony = ? ORDER BY seq", ceremony)
        return dict(rows)

    def keep_shown(
        self, request: Signed[Request], entries: Sequence[bytes], *, ended: bool, at: datetime
    ) -> None:
        """Remember the verified entries of a ceremony from its opening on, and its request."""
        statement = request.statement
        with self._write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
                [
                    (digest_of(payload), statement.ceremony, seq, payload, instant_text(at))
                    for seq, payload in enumerate(entries)
                ],
            )
            connection.execute(
                "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (digest) DO UPDATE SET ended = max(ended, excluded.ended)",
                (
                    request.digest,
                    statement.ceremony,
                    statement.product,
                    statement.version,
                    str(statement.kind),
                    str(statement.mode),
                    statement.supersedes,
                    request.envelope.payload,
                    int(ended),
                ),
            )

    def keep_standing(self, entries: Sequence[bytes], *, at: datetime) -> None:
        """Remember the verified entries of no ceremony, from the first policy on."""
        with self._write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
                [
                    (digest_of(payload), NO_CEREMONY, seq, payload, instant_text(at))
                    for seq, payload in enumerate(entries)
                ],
            )

    def open_ceremonies(self) -> tuple[str, ...]:
        """Return the ceremonies that were open when the log last showed them; not those of files alone."""
        rows = self._rows(
            "SELECT ceremony FROM requests WHERE ended = 0 "
            "AND EXISTS (SELECT 1 FROM entries WHERE entries.ceremony = requests.ceremony)"
        )
        return tuple(row[0] for row in rows)

    def emergencies(self) -> tuple[str, ...]:
        """Return the emergencies that the log showed; not those of files alone."""
        rows = self._rows(
            "SELECT ceremony FROM requests WHERE mode = ? "
            "AND EXISTS (SELECT 1 FROM entries WHERE entries.ceremony = requests.ceremony)",
            str(Mode.BREAK_GLASS),
        )
        return tuple(row[0] for row in rows)

    def entries(self, ceremony: str) -> tuple[bytes, ...]:
        """Return a ceremony's entries that were shown, from its opening to the first that was not."""
        rows = self._rows("SELECT seq, payload FROM entries WHERE ceremony = ? ORDER BY seq", ceremony)
        return tuple(bytes(payload) for number, (seq, payload) in enumerate(rows) if seq == number)

    # What was signed

    def store(
        self,
        statement: Statement,
        product: str,
        envelope: Envelope,
        annexes: Sequence[Annex] = (),
        *,
        at: datetime,
    ) -> Stored:
        """Put what was just signed on record, before anybody else sees it."""
        digest = digest_of(envelope.payload)
        with self._write() as connection:
            connection.execute(
                "INSERT INTO statements (digest, kind, ceremony, product, policy, envelope, annexes, "
                "signed_at, fate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    digest,
                    kind_of(statement),
                    ceremony_of(statement),
                    product,
                    statement.context.policy.digest,
                    write(envelope.to_json()),
                    json.dumps([[annex.salt.hex(), annex.text] for annex in annexes]),
                    instant_text(at),
                    str(Fate.STORED),
                ),
            )
        return self._only("digest = ?", digest)

    def keep_timestamp(self, digest: str, token: bytes) -> Stored:
        """Put a timestamp beside what it is of; a first one stays."""
        with self._write() as connection:
            connection.execute(
                "UPDATE statements SET timestamp = ? WHERE digest = ? AND timestamp IS NULL", (token, digest)
            )
        return self._only("digest = ?", digest)

    def keep_receipt(self, digest: str, receipt: Receipt, entry: Entry, state: str) -> Stored:
        """Put a verified receipt beside what it acknowledges; its entry counts as shown."""
        with self._write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
                (entry.hash, entry.ceremony or NO_CEREMONY, entry.seq, entry.payload, instant_text(entry.at)),
            )
            connection.execute(
                "UPDATE statements SET fate = ?, state = ?, entry = ?, entry_index = ?, inclusion = ?, "
                "checkpoint = ? WHERE digest = ?",
                (
                    str(Fate.RECORDED),
                    state,
                    receipt.entry,
                    receipt.index,
                    json.dumps([node.hex() for node in receipt.inclusion]),
                    receipt.checkpoint,
                    digest,
                ),
            )
        return self._only("digest = ?", digest)

    def make_void(self, digest: str, why: str) -> None:
        """Note that the rules cannot take a statement any more; one that was acknowledged stays so."""
        with self._write() as connection:
            connection.execute(
                "UPDATE statements SET fate = ?, why = ? WHERE digest = ? AND fate = ?",
                (str(Fate.VOID), why, digest, str(Fate.STORED)),
            )

    def ceremonies(self) -> tuple[str, ...]:
        """Return the ceremonies in which this agent signed something."""
        return tuple(row[0] for row in self._rows("SELECT DISTINCT ceremony FROM statements ORDER BY 1"))

    def signed(self, ceremony: str) -> tuple[Stored, ...]:
        """Return what this agent signed in a ceremony, oldest first."""
        return self._stored("ceremony = ?", ceremony)

    def pending(self) -> tuple[Stored, ...]:
        """Return everything that was signed and has no receipt, oldest first."""
        return self._stored("fate = ?", str(Fate.STORED))

    def signed_about_release(self, ceremony: str) -> frozenset[str]:
        """Return the digests of all that this agent signed about a ceremony's release, here and elsewhere."""
        rows = self._rows(
            "SELECT digest FROM statements WHERE ceremony = ? OR ceremony IN (SELECT other.ceremony "
            "FROM requests AS this JOIN requests AS other USING (product, version, kind) "
            "WHERE this.ceremony = ?)",
            ceremony,
            ceremony,
        )
        return frozenset(row[0] for row in rows)

    def recall(self, request: Request) -> Recollection:
        """Return everything that matters to a decision on ``request``."""
        approved = {
            stored.statement.request
            for stored in self._stored("kind = 'approval' AND product = ?", request.product)
            if isinstance(stored.statement, Decision)
        }
        return Recollection(
            last=self._last_decision(request.product),
            own=self.signed(request.ceremony),
            signed=self.signed_about_release(request.ceremony),
            known=tuple(
                Known(
                    digest=digest,
                    request=_request(bytes(payload)),
                    approved=digest in approved,
                    end=self._end(ceremony) if ended else None,
                    policy=self._policy_of(digest) if digest == request.supersedes else None,
                )
                for digest, ceremony, payload, ended in self._rows(
                    "SELECT digest, ceremony, payload, ended FROM requests "
                    "WHERE product = ? AND version = ? AND kind = ?",
                    request.product,
                    request.version,
                    str(request.kind),
                )
            ),
        )

    def _policy_of(self, request: str) -> Policy | None:
        """Return the policy that a request was made under."""
        (asked,) = self._rows("SELECT payload FROM requests WHERE digest = ?", request)
        named = _request(bytes(asked[0])).context.policy.digest
        row = self._row("SELECT payload FROM policies WHERE digest = ?", named)
        return None if row is None else read_policy(bytes(row[0]))

    def _end(self, ceremony: str) -> EntryType | None:
        rows = self._rows("SELECT payload FROM entries WHERE ceremony = ? ORDER BY seq DESC", ceremony)
        types = (read_entry(bytes(row[0])).type for row in rows)
        return next((each for each in types if each in CONCLUSIONS), None)

    def _last_decision(self, product: str) -> LastDecision | None:
        row = self._row(
            "SELECT envelope, payload FROM statements JOIN policies ON policies.digest = statements.policy "
            "WHERE product = ? AND kind IN ('approval', 'rejection', 'abstention') AND fate != 'void' "
            "ORDER BY number DESC LIMIT 1",
            product,
        )
        if row is None:
            return None
        decision = read_statement(Envelope.read(bytes(row[0])).payload)
        assert isinstance(decision, Decision)  # noqa: S101 - the query asked for nothing else
        return LastDecision(decision=decision, policy=read_policy(bytes(row[1])))

    def _only(self, condition: str, value: str) -> Stored:
        return self._stored(condition, value)[0]

    def _stored(self, condition: str, value: str) -> tuple[Stored, ...]:
        rows = self._rows(
            "SELECT digest, ceremony, envelope, annexes, fate, state, timestamp FROM statements "  # noqa: S608 - ours
            f"WHERE {condition} ORDER BY number",
            value,
        )
        return tuple(_stored(row) for row in rows)

    def _prepare(self, path: Path) -> None:
        with self._write() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                _execute(connection, _SCHEMA + LOG_MEMORY + KEPT_ENTRIES)
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
                return
            while version in _UPGRADES:
                _execute(connection, _UPGRADES[version])
                version += 1
                connection.execute(f"PRAGMA user_version = {version}")
            if version != _SCHEMA_VERSION:
                raise JournalError(
                    f"expected a journal of version {_SCHEMA_VERSION} at {path}, got {version}",
                    hint="use the version of quorumseal that wrote it, or a newer one",
                )

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg] # sqlite's own
        return self._connection.execute(query, values).fetchall()

    def _row(self, query: str, *values: object) -> tuple | None:  # type: ignore[type-arg] # sqlite's own
        rows = self._rows(query, *values)
        return rows[0] if rows else None


def _execute(connection: sqlite3.Connection, script: str) -> None:
    for statement in filter(str.strip, script.split(";")):
        connection.execute(statement)


def ceremony_of(statement: Statement) -> str:
    """Return the ceremony that a statement belongs to; empty where it belongs to none."""
    return NO_CEREMONY if isinstance(statement, StandingAct) else statement.ceremony


def kind_of(statement: Statement) -> str:
    """Return the word for what a statement is."""
    return str(statement.choice) if isinstance(statement, Decision) else type(statement).__name__.lower()


def _stored(row: tuple) -> Stored:  # type: ignore[type-arg] # sqlite's own
    digest, ceremony, envelope, annexes, fate, state, timestamp = row
    read = Envelope.read(bytes(envelope))
    return Stored(
        digest=digest,
        ceremony=ceremony,
        statement=read_statement(read.payload),
        envelope=read,
        annexes=tuple(Annex(salt=bytes.fromhex(salt), text=text) for salt, text in json.loads(annexes)),
        fate=Fate(fate),
        state=state,
        timestamp=bytes(timestamp or b""),
    )


def _request(payload: bytes) -> Request:
    request = read_statement(payload)
    assert isinstance(request, Request)  # noqa: S101 - nothing else is kept there
    return request

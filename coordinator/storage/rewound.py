# SPDX-License-Identifier: Apache-2.0
"""What says that this log was longer, and what agents hand back of it, until it is recovered."""

from collections.abc import Sequence

from sqlalchemy import func, select

from coordinator.storage.appending import write_new
from coordinator.storage.engine import Engines
from coordinator.storage.rows import (
    AnnexRow,
    HandedRow,
    HeardRow,
    ShownRow,
    from_milliseconds,
    to_milliseconds,
)
from coordinator.storage.schema import handed_back, handed_texts, heard, shown

_MOST_SHOWN = 64
HANDED_TEXT_BYTES = 512
"""What a text takes beside itself: its ceremony, commitment and salt, and its place in an index."""


class RewoundTables:
    """Empty while all is well; a recovery empties them again."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def show(self, row: ShownRow) -> None:
        """Keep a checkpoint that the log does not contain; from now on nothing is appended."""
        values = {"size": row.size, "root": row.root, "note": row.note, "shown_by": row.shown_by}
        with self._engines.writing() as connection:
            kept = connection.execute(select(func.count()).select_from(shown)).scalar_one()
            largest = connection.execute(select(func.max(shown.c.size))).scalar_one()
            if kept < _MOST_SHOWN or row.size > largest:
                write_new(connection, shown, [values])

    def shown(self) -> list[ShownRow]:
        """Return the checkpoints that the log should contain, the largest first."""
        columns = (shown.c.size, shown.c.root, shown.c.note, shown.c.shown_by)
        with self._engines.reading() as connection:
            rows = connection.execute(select(*columns).where(shown.c.size >= 0))
            found = [ShownRow(size, bytes(root), bytes(note), by) for size, root, note, by in rows]
        return sorted(found, key=lambda row: (-row.size, row.root))

    def hear(self, row: HeardRow) -> None:
        """Remember how far a signer's agent has seen the log."""
        values = {"signer": row.signer, "size": row.size, "at": to_milliseconds(row.at)}
        with self._engines.writing() as connection:
            before = heard.c.signer == row.signer
            known = connection.execute(select(heard.c.size).where(before)).scalar_one_or_none()
            if known is None:
                connection.execute(heard.insert().values(values))
            elif known <= row.size:
                connection.execute(heard.update().where(before).values(values))

    def heard(self) -> list[HeardRow]:
        """Return whose agents were heard since the log was found to be rewound."""
        with self._engines.reading() as connection:
            rows = connection.execute(select(heard.c.signer, heard.c.size, heard.c.at).order_by("signer"))
            return [HeardRow(signer, size, from_milliseconds(at)) for signer, size, at in rows]

    def hand_back(self, rows: Sequence[HandedRow], texts: Sequence[AnnexRow], *, signer: str) -> None:
        """Keep what one signer's agent hands back; what it said first of an index stays."""
        entries: list[dict[str, object]] = [
            {"index": row.index, "signer": row.signer, "payload": row.payload} for row in rows
        ]
        annexes: list[dict[str, object]] = [
            {
                "ceremony": text.ceremony,
                "commitment": text.commitment,
                "signer": signer,
                "salt": text.salt,
                "text": text.text,
            }
            for text in texts
        ]
        with self._engines.writing() as connection:
            write_new(connection, handed_back, entries)
            write_new(connection, handed_texts, annexes)

    def bytes_of(self, signer: str) -> int:
        """Return how much one signer's agent has handed back."""
        entries = select(func.coalesce(func.sum(func.length(handed_back.c.payload)), 0)).where(
            handed_back.c.signer == signer
        )
        length = func.length(handed_texts.c.text) + HANDED_TEXT_BYTES
        texts = select(func.coalesce(func.sum(length), 0)).where(handed_texts.c.signer == signer)
        with self._engines.reading() as connection:
            return int(connection.execute(entries).scalar_one()) + int(connection.execute(texts).scalar_one())

    def handed_back(self) -> list[HandedRow]:
        """Return every entry that was handed back, in the order of the log."""
        columns = (handed_back.c.index, handed_back.c.signer, handed_back.c.payload)
        with self._engines.reading() as connection:
            rows = connection.execute(select(*columns).order_by(handed_back.c.index, handed_back.c.signer))
            return [HandedRow(index, signer, bytes(payload)) for index, signer, payload in rows]

    def texts(self) -> list[AnnexRow]:
        """Return the texts that were handed back."""
        columns = (
            handed_texts.c.ceremony,
            handed_texts.c.commitment,
            handed_texts.c.salt,
            handed_texts.c.text,
        )
        with self._engines.reading() as connection:
            return [
                AnnexRow(ceremony=ceremony, commitment=commitment, salt=bytes(salt), text=text)
                for ceremony, commitment, salt, text in connection.execute(select(*columns))
            ]

# SPDX-License-Identifier: Apache-2.0
"""Drop what is derived from the log, derive it again, and say where the two disagreed."""

from collections.abc import Iterator
from dataclasses import dataclass

from coordinator.errors import LogDamagedError, StorageFailedError
from coordinator.policies import Policies
from coordinator.projection import ceremony_row
from coordinator.storage import CeremonyRow, EntryRow, LogHead, LostRaceError, Storage
from quorumseal.ceremony.entries import CONCLUSIONS, EntryType, read_entry
from quorumseal.tlog import Frontier, leaf_hash

_PAGE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild found."""

    entries: int
    ceremonies: int
    differing: tuple[str, ...]
    """Ceremonies whose stored row was missing, superfluous or other than the log says."""


def rebuild(database: str) -> Rebuilt:
    """Check the log of a database, and make its projections anew."""
    storage = Storage(database)
    try:
        return rebuild_in(storage)
    finally:
        storage.close()


def rebuild_in(storage: Storage) -> Rebuilt:
    """Replay the whole log; ``LogDamagedError``, and nothing changed, where it contradicts itself."""
    head = storage.log.head()
    policies = Policies(storage)
    openings = _check_entries(storage, head)
    rows = [row for page in _pages(openings) for row in _replay(storage, policies, page)]
    before = {row.ceremony: row for row in storage.ceremonies.all()}
    after = {row.ceremony: row for row in rows}
    try:
        storage.ceremonies.replace(rows, following=head)
    except LostRaceError:
        raise StorageFailedError(
            "expected a log that nobody writes while it is replayed, got one that has grown meanwhile",
            hint="stop every coordinator, then rebuild again",
        ) from None
    return Rebuilt(
        entries=head.size,
        ceremonies=len(rows),
        differing=tuple(sorted(c for c in before.keys() | after.keys() if before.get(c) != after.get(c))),
    )


def _check_entries(storage: Storage, head: LogHead) -> list[str]:
    """Hash every entry into the tree; return the ceremonies in the order in which they were opened."""
    frontier, openings = Frontier(), []
    for start in range(0, head.size, _PAGE):
        rows = storage.log.entries(start, min(start + _PAGE, head.size))
        for index, row in enumerate(rows, start=start):
            entry = read_entry(row.payload)
            if row != EntryRow(index, entry.type, entry.ceremony, entry.seq, entry.payload):
                raise LogDamagedError(
                    f"expected entry {index} to be stored as what it says it is, got entry {row.index}, "
                    f"{row.type} {row.seq} of {row.ceremony}"
                )
            if entry.type is EntryType.OPENED and entry.ceremony is not None:
                openings.append(entry.ceremony)
        frontier, _ = frontier.extend(leaf_hash(row.payload) for row in rows)
    if frontier.size != head.size or frontier.root() != head.root:
        raise LogDamagedError(
            f"expected {head.size} entries under the root that the head names, "
            f"got {frontier.size} under another",
            hint="an entry is missing or was changed; restore the database from a backup",
        )
    return openings


def _replay(storage: Storage, policies: Policies, ceremonies: list[str]) -> Iterator[CeremonyRow]:
    chains = storage.log.chains(ceremonies)
    for ceremony in ceremonies:
        rows = chains[ceremony]
        concluded = [row.index for row in rows if EntryType(row.type) in CONCLUSIONS]
        yield ceremony_row(policies.replay(rows), rows[0].index, concluded[0] if concluded else None)


def _pages(ceremonies: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ceremonies), _PAGE):
        yield ceremonies[start : start + _PAGE]

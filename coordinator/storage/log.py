# SPDX-License-Identifier: Apache-2.0
"""The log as it is read: by index, by ceremony and by tree node."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection, and_, or_, select

from coordinator.errors import LogDamagedError
from coordinator.storage.engine import Engines
from coordinator.storage.rows import CheckpointRow, EntryRow, LogHead, from_milliseconds
from coordinator.storage.schema import checkpoints, entries, log_head, tree_nodes
from quorumseal.tlog import Coordinate, Frontier, NodeSource, frontier_nodes

_MOST_NODES = 4000
"""In one query: each takes a parameter, of which some databases take 32,766."""

_ENTRY_COLUMNS = (
    entries.c.index,
    entries.c.type,
    entries.c.ceremony,
    entries.c.seq,
    entries.c.payload,
)


class LogTables:
    """Entries, tree nodes, head and checkpoints."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def head(self) -> LogHead:
        """Return where the log ends."""
        with self._engines.reading() as connection:
            size, root, at = connection.execute(select(log_head.c.size, log_head.c.root, log_head.c.at)).one()
            node = node_source(connection, frontier_nodes(size))
        frontier = Frontier(size, tuple(node(*each) for each in frontier_nodes(size)))
        if frontier.root() != root:
            raise LogDamagedError(
                f"expected the stored tree of {size} entries to have the root that the head names",
                hint="stop the coordinator, keep its files, and compare them with a backup",
            )
        return LogHead(frontier=frontier, root=root, at=from_milliseconds(at))

    def size(self) -> int:
        """Return how many entries there are."""
        with self._engines.reading() as connection:
            size: int = connection.execute(select(log_head.c.size)).scalar_one()
            return size

    def root_at(self, size: int) -> bytes:
        """Return the root that the log had when it was of a size, which it must have reached."""
        with self._engines.reading() as connection:
            node = node_source(connection, frontier_nodes(size))
        return Frontier(size, tuple(node(*each) for each in frontier_nodes(size))).root()

    def entries(
        self,
        start: int,
        end: int,
        *,
        types: Collection[str] = (),
        ceremony: str = "",
        limit: int | None = None,
    ) -> list[EntryRow]:
        """Return entries from one index up to another, of some types or of one ceremony where asked."""
        query = (
            select(*_ENTRY_COLUMNS)
            .where(entries.c.index >= start, entries.c.index < end)
            .order_by(entries.c.index)
            .limit(limit)
        )
        if types:
            query = query.where(entries.c.type.in_(types))
        if ceremony:
            query = query.where(entries.c.ceremony == ceremony)
        with self._engines.reading() as connection:
            return [EntryRow(*row) for row in connection.execute(query)]

    def entry(self, ceremony: str | None, seq: int) -> EntryRow | None:
        """Return one entry of a ceremony, or of none."""
        query = select(*_ENTRY_COLUMNS).where(entries.c.ceremony == ceremony, entries.c.seq == seq)
        with self._engines.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else EntryRow(*row)

    def standing(self) -> list[EntryRow]:
        """Return the entries that belong to no ceremony, in order."""
        with self._engines.reading() as connection:
            rows = connection.execute(
                select(*_ENTRY_COLUMNS).where(entries.c.ceremony.is_(None)).order_by(entries.c.seq)
            )
            return [EntryRow(*row) for row in rows]

    def chains(self, ceremonies: Collection[str]) -> dict[str, list[EntryRow]]:
        """Return the entries of some ceremonies, each in order; those without any are left out."""
        with self._engines.reading() as connection:
            return read_chains(connection, ceremonies)

    def checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        """Return the checkpoint of a size, or the newest."""
        with self._engines.reading() as connection:
            return read_checkpoint(connection, size)

    def nodes(self, wanted: Collection[Coordinate]) -> NodeSource:
        """Fetch tree nodes in one query, for a proof."""
        with self._engines.reading() as connection:
            return node_source(connection, wanted)


def read_checkpoint(connection: Connection, size: int | None = None) -> CheckpointRow | None:
    """Return the checkpoint of a size, or the newest."""
    query = select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note)
    if size is None:
        query = query.order_by(checkpoints.c.size.desc()).limit(1)
    else:
        query = query.where(checkpoints.c.size == size)
    row = connection.execute(query).one_or_none()
    return None if row is None else CheckpointRow(*row)


def read_chains(connection: Connection, ceremonies: Collection[str]) -> dict[str, list[EntryRow]]:
    """Return the entries of some ceremonies, each in order."""
    rows = connection.execute(
        select(*_ENTRY_COLUMNS)
        .where(entries.c.ceremony.in_(ceremonies))
        .order_by(entries.c.ceremony, entries.c.seq)
    )
    found = groupby((EntryRow(*row) for row in rows), key=lambda row: row.ceremony)
    return {ceremony: list(chain) for ceremony, chain in found if ceremony is not None}


def node_source(connection: Connection, wanted: Iterable[Coordinate]) -> NodeSource:
    """Fetch tree nodes, so many in one query as every database takes, and give them out."""
    nodes: dict[tuple[int, int], bytes] = {}
    for some in _slices(sorted(set(wanted))):
        by_level = groupby(some, key=lambda each: each.level)
        same = [
            and_(tree_nodes.c.level == level, tree_nodes.c.index.in_([each.index for each in group]))
            for level, group in by_level
        ]
        columns = select(tree_nodes.c.level, tree_nodes.c.index, tree_nodes.c.hash)
        rows = connection.execute(columns.where(or_(*same)))
        nodes |= {(level, index): node for level, index, node in rows}
    return lambda level, index: nodes.get((level, index)) or _missing(level, index)


def _slices(wanted: Sequence[Coordinate]) -> Iterator[Sequence[Coordinate]]:
    for start in range(0, len(wanted), _MOST_NODES):
        yield wanted[start : start + _MOST_NODES]


def _missing(level: int, index: int) -> bytes:
    raise LogDamagedError(f"expected tree node {index} of level {level} to be stored, got none")

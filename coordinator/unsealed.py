# SPDX-License-Identifier: Apache-2.0
"""What a batch has written so far, on the ground that it stands on, until a signed checkpoint seals it.

Nothing is kept beside the entries that they say themselves: what was opened, moved or ended is read off them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.metrics.observing import Observation, observations_of
from coordinator.notifying.notice import Notice
from coordinator.notifying.routes import Routes
from coordinator.notifying.telling import notices_of
from coordinator.outbox import due_bundles
from coordinator.projection import ceremony_row
from coordinator.storage import AnnexRow, Append, EntryRow, LogHead
from coordinator.tree import GrowingTree
from coordinator.values import Annex, Receipt
from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.emergencies import PastEmergency
from quorumseal.ceremony.entries import CONCLUSIONS, PUBLISHED, Entry, EntryType
from quorumseal.ceremony.fitting import Release
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.standing_chain import StandingChain
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey

_MOVING = CONCLUSIONS | {
    EntryType.EXTENDED,
    EntryType.WINDOW_OPENED,
    EntryType.WINDOW_BROKEN,
    EntryType.REPORTED,
}
"""After which entries the lists say something else about a ceremony."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a batch stands on: the log's head, and what of the log its commands touch."""

    head: LogHead
    chains: Mapping[str, Chain]
    releases: Mapping[Release, Sequence[Known]]
    standing: StandingChain
    emergencies: Sequence[PastEmergency] = ()
    """All that there were, where a command asks for another."""
    damaged: Mapping[str, Refusal] = field(default_factory=dict)
    """Ceremonies whose entries do not replay: nothing happens to them any more."""
    destinations: Sequence[str] = ()
    routes: Routes = field(default_factory=Routes)


class Unsealed:
    """Entries in the order of the log, and what follows from them outside it."""

    def __init__(self, ground: Ground, *, at: datetime) -> None:
        self._ground = ground
        self._at = at
        self._entries: list[EntryRow] = []
        self._annexes: list[AnnexRow] = []
        self._notices: list[Notice] = []
        self.changed: dict[str, Chain] = {}
        """The ceremonies that were moved, as they stand now."""
        self.observations: list[Observation] = []
        """What is to be counted once it is stored."""

    @property
    def opened(self) -> dict[str, int]:
        """The ceremonies that were opened, with the index of the entry that did."""
        return self._indexes({EntryType.OPENED})

    def chain(self, ceremony: str) -> Chain | None:
        """Return a ceremony as it stands now."""
        return self.changed.get(ceremony) or self._ground.chains.get(ceremony)

    def apply(self, chain: Chain, entries: Sequence[Entry]) -> int:
        """Take over a chain and its new entries; return the position of the first."""
        first = len(self._entries)
        for entry in entries:
            self.log(entry)
        before = self.chain(chain.id)
        self.observations += observations_of(before.ceremony if before else None, chain.ceremony, entries)
        self.changed[chain.id] = chain
        if self._ground.routes.anybody:
            self._notices += notices_of(chain.ceremony, entries)
        return first

    def log(self, entry: Entry) -> int:
        """Append an entry; return its position."""
        position = len(self._entries)
        index = self._ground.head.size + position
        self._entries.append(EntryRow(index, entry.type, entry.ceremony, entry.seq, entry.payload))
        return position

    def keep_annexes(self, ceremony: str, annexes: Sequence[Annex]) -> None:
        """Take over texts that a statement commits to."""
        self._annexes += [
            AnnexRow(ceremony=ceremony, commitment=annex.commitment, salt=annex.salt, text=annex.text)
            for annex in annexes
        ]

    def seal(
        self, log_key: PrivateKey, positions: Sequence[int]
    ) -> tuple[Append | None, Mapping[int, Receipt]]:
        """Return what is to be stored, nothing where nothing was written, and receipts by position."""
        if not self._entries:
            return None, {}
        before, opened = self._ground.head, self.opened
        concluded = self._indexes(CONCLUSIONS)
        tree = self._grown(before, concluded.values(), log_key)
        append = Append(
            before=before,
            after=LogHead(frontier=tree.frontier, root=tree.checkpoints[-1].root, at=self._at),
            entries=self._entries,
            nodes=tree.nodes,
            checkpoints=tree.checkpoints,
            opened=[
                ceremony_row(self.changed[ceremony], index, concluded.get(ceremony))
                for ceremony, index in opened.items()
            ],
            moved=[
                ceremony_row(self.changed[ceremony], None, concluded.get(ceremony))
                for ceremony in sorted(self._indexes(_MOVING).keys() - opened.keys())
            ],
            annexes=self._annexes,
            outbox=due_bundles(self._published(), self._ground.destinations, at=self._at),
            evidence=[
                evidence.digest
                for ceremony in opened
                for evidence in self.changed[ceremony].ceremony.request.statement.evidence
            ],
            notices=self._ground.routes.rows(self._notices, at=self._at),
        )
        proved = tree.receipts(self._entries[position] for position in positions)
        return append, dict(zip(positions, proved, strict=True))

    def _grown(self, before: LogHead, concluded: Iterable[int], log_key: PrivateKey) -> GrowingTree:
        """Return the tree with all entries; a checkpoint follows each conclusion, and the last entry."""
        tree = GrowingTree(before, self._ground.standing.policies[-1].policy.log.origin, log_key)
        start = 0
        for size in sorted({index + 1 for index in concluded} | {before.size + len(self._entries)}):
            end = size - before.size
            tree.extend([entry.payload for entry in self._entries[start:end]])
            start = end
        return tree

    def _indexes(self, types: Collection[EntryType]) -> dict[str, int]:
        """Return the ceremonies that have an entry of these types, each with the index of its last."""
        return {e.ceremony: e.index for e in self._entries if e.type in types and e.ceremony is not None}

    def _published(self) -> list[tuple[str, Kind]]:
        """Return the ceremonies of which there is something to publish since, with their kinds."""
        return [
            (entry.ceremony, self.changed[entry.ceremony].ceremony.request.statement.kind)
            for entry in self._entries
            if entry.type in PUBLISHED and entry.ceremony is not None
        ]

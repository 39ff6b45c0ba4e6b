# SPDX-License-Identifier: Apache-2.0
"""A coordinator in memory, for one practice: the rules of the real one over a log that is gone afterwards."""

from collections.abc import Callable, Iterable
from datetime import datetime

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry, policy_entry
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import Decision, Request, SeenCheckpoint
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.values import (
    Acted,
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Consistency,
    Decided,
    HandedBack,
    OrganisationRecord,
    Page,
    Receipt,
    StandingRecord,
    Started,
)
from quorumseal.signatures import Envelope, PrivateKey
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.tlog import (
    Checkpoint,
    Frontier,
    hash_text,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    sign_checkpoint,
)
from quorumseal.verifier.part import Part, seen_checkpoints
from signer_agent.connection import Stream
from signer_agent.practising.organisation import Practice

Clock = Callable[[], datetime]


class PracticeLog:
    """Entries, tree nodes and the roots of all sizes."""

    def __init__(self, origin: str, key: PrivateKey) -> None:
        self.entries: list[bytes] = []
        self._origin, self._key = origin, key
        self._frontier = Frontier()
        self._roots = [self._frontier.root()]
        self._nodes: dict[tuple[int, int], bytes] = {}

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        for entry in entries:
            self._frontier, nodes = self._frontier.append(leaf_hash(entry.payload))
            self._nodes.update({(level, index): node for level, index, node in nodes})
            self.entries.append(entry.payload)
            self._roots.append(self._frontier.root())

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    @property
    def checkpoint(self) -> bytes:
        """The signed checkpoint of now."""
        return sign_checkpoint(Checkpoint(self._origin, self.size, self._roots[-1]), self._key)

    @property
    def seen(self) -> SeenCheckpoint:
        """How a statement names it."""
        return SeenCheckpoint(size=self.size, root=hash_text(self._roots[-1]))

    def consistency(self, size: int) -> tuple[bytes, ...]:
        """Prove that the log extends its past of a size."""
        return tuple(prove_consistency(size, self.size, self._node))

    def receipt(self, entry: bytes) -> Receipt:
        """Prove that an entry is in it."""
        index = self.entries.index(entry)
        inclusion = tuple(prove_inclusion(index, self.size, self._node))
        return Receipt(entry=entry, index=index, inclusion=inclusion, checkpoint=self.checkpoint)

    def part(self, entries: tuple[bytes, ...]) -> Part:
        """Return a ceremony with its proof."""
        last = self.receipt(entries[-1])
        sizes = sorted({seen.size for seen in seen_checkpoints(entries) if 0 < seen.size <= self.size})
        return Part(
            entries=entries,
            index=last.index,
            inclusion=last.inclusion,
            checkpoint=last.checkpoint,
            consistency={size: self.consistency(size) for size in sizes},
        )

    def _node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]


class PracticeCoordinator:
    """Everything that a role owner's program asks of a coordinator, and the two others who take part."""

    def __init__(self, practice: Practice, now: Clock) -> None:
        self.practice = practice
        self.log = PracticeLog(practice.policy.policy.log.origin, practice.log_key)
        self._now = now
        self._chains: dict[str, Chain] = {}
        self._entries: dict[str, tuple[bytes, ...]] = {}
        self._annexes: list[Annex] = []
        self.log.append([policy_entry(practice.policy, at=now(), seq=0, prev=None)])

    # What the others do

    def ask(self, request: Request) -> None:
        """Let the asker open a ceremony."""
        envelope = sign(write_statement(request), self.practice.keys[self.practice.asker])
        signed = signed_as(Request, authenticate(envelope, self.practice.policy))
        chain, opening = open_chain(self.practice.policy, signed, at=request.opened_at)
        self._keep(chain, (opening,))

    def colleague_decides(self, decision: Decision) -> None:
        """Let the colleague decide."""
        self._record(sign(write_statement(decision), self.practice.keys[self.practice.colleague]))

    def chain(self, ceremony: str) -> Chain:
        """Return a ceremony as it stands."""
        return self._chains[ceremony]

    # What a coordinator answers

    def organisation(self) -> OrganisationRecord:
        """Return the one policy."""
        policy = write(self.practice.policy.envelope.to_json())
        return OrganisationRecord(policies=(policy,), checkpoint=self.log.checkpoint, now=self._now())

    def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Return one ceremony."""
        return CeremonyRecord(
            part=self.log.part(self._entries[ceremony]),
            consistency=self.log.consistency(known_size),
            annexes=tuple(self._annexes),
            publications=(),
        )

    def consistency(self, known_size: int, *_: object) -> Consistency:
        """Return the newest checkpoint; it is the only one that anybody here has seen."""
        return Consistency(checkpoint=self.log.checkpoint, proof=self.log.consistency(known_size))

    def list_ceremonies(self, *, product: str = "", version: str = "", **_: object) -> Page:
        """Return all ceremonies, newest first."""
        summaries = (_summary(chain) for chain in reversed(self._chains.values()))
        fitting = (s for s in summaries if product in ("", s.product) and version in ("", s.version))
        return Page(ceremonies=tuple(fitting), next_token="")

    def decide(self, envelope: bytes, reason: Annex | None = None, timestamp: bytes = b"") -> Decided:
        """Take a decision in; nobody's word for its time is practised with."""
        del timestamp
        if reason is not None:
            self._annexes.append(reason)
        return self._record(Envelope.read(envelope))

    def standing(self, known_size: int = 0) -> StandingRecord:
        """Return the policy's entry: nobody is away here."""
        return StandingRecord(
            part=self.log.part((self.log.entries[0],)), consistency=self.log.consistency(known_size)
        )

    def start(self, *_: object, **__: object) -> Started:
        """Refuse."""
        raise _not_practised()

    def act(self, *_: object, **__: object) -> Acted:
        """Refuse."""
        raise _not_practised()

    def evidence(self, *_: object, **__: object) -> bytes:
        """Refuse."""
        raise _not_practised()

    def stand(self, *_: object, **__: object) -> Receipt:
        """Refuse."""
        raise _not_practised()

    def hand_back(self, *_: object, **__: object) -> HandedBack:
        """Refuse."""
        raise _not_practised()

    def follow(self, *_: object, **__: object) -> Stream:
        """Refuse."""
        raise _not_practised()

    def _record(self, envelope: Envelope) -> Decided:
        decision = signed_as(Decision, authenticate(envelope, self.practice.policy))
        known, at = self._chains[decision.statement.ceremony], decision.statement.context.signed_at
        chain, entries = extend(known, Record(decision), at=at)
        self._keep(chain, entries)
        return Decided(receipt=self.log.receipt(entries[0].payload), state=str(chain.ceremony.state))

    def _keep(self, chain: Chain, entries: tuple[Entry, ...]) -> None:
        self._chains[chain.id] = chain
        self._entries[chain.id] = self._entries.get(chain.id, ()) + tuple(e.payload for e in entries)
        self.log.append(entries)


def _summary(chain: Chain) -> CeremonySummary:
    ceremony, request = chain.ceremony, chain.ceremony.request.statement
    return CeremonySummary(
        ceremony=chain.id,
        product=request.product,
        version=request.version,
        kind=str(request.kind),
        state=str(ceremony.state),
        requester=request.context.signer,
        opened_at=request.opened_at,
        deadline=request.deadline,
        ended_at=ceremony.ended_at,
        mode=str(request.mode),
    )


def _not_practised() -> CoordinatorRefusedError:
    return CoordinatorRefusedError(
        "usage.practice", "expected a decision, which is what is practised, got something else"
    )

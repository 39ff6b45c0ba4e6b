# SPDX-License-Identifier: Apache-2.0
"""A coordinator in memory: the real rules over a simulated log, behind the methods of a real connection.

coordinator = SimulatedCoordinator(Organisation())
connection = coordinator.connection("alice", hostile)

``hostile`` sees every message at its boundary, before it is handled and after, and may return another one or
raise: what a coordinator, or a network, can do to an honest agent.
"""

import threading
from collections.abc import Callable, Collection
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from quorumseal.ceremony.admission import Existing, Known, admit, identity
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.changing import policy_adopted_by
from quorumseal.ceremony.commands import Command, Expire, Record, Supersede, command_of
from quorumseal.ceremony.delegating import live_for
from quorumseal.ceremony.emergencies import admit_emergency, past_emergency
from quorumseal.ceremony.entries import Entry, EntryType, read_entry
from quorumseal.ceremony.falling import handed_on, in_force
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.standing_chain import StandingChain, adopt, replay_standing, stand_on
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import CeremonyAct, Decision, Request, StandingAct, Statement
from quorumseal.ceremony.succeeding import check_ratification, check_reapproval, check_revocation
from quorumseal.ceremony.timestamping import stamp_of
from quorumseal.client.errors import ClientError, CoordinatorRefusedError
from quorumseal.client.values import (
    Acted,
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Consistency,
    Decided,
    HandedBack,
    Head,
    LogEvent,
    LoggedEntry,
    OrganisationRecord,
    Page,
    Receipt,
    StandingRecord,
    Started,
)
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from quorumseal.strict_json import write
from quorumseal.tlog import prove_consistency, prove_inclusion
from quorumseal.verifier.bundle import version_json
from quorumseal.verifier.part import Part
from tests.changing import Side
from tests.organisation import NOW, REASON, SALT, Organisation
from tests.simulated_log import SimulatedLog

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Message:
    """What passes a boundary: the method, whether it comes back from the coordinator, and the content."""

    method: str
    reply: bool
    content: Any


Hostile = Callable[[Message], Any]


def honest(message: Message) -> Any:
    """Change nothing."""
    return message.content


class SimulatedCoordinator:
    """Ceremonies over one log.  Its clock stands still unless a test moves ``now``."""

    def __init__(self, organisation: Organisation | None = None) -> None:
        self.organisation = organisation or Organisation()
        self.log = SimulatedLog(self.organisation)
        self.now = NOW
        self.chains: dict[str, Chain] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.annexes: dict[str, Annex] = {}
        self.evidence: dict[str, bytes] = {}
        self.policies = [self.organisation.policy]
        """Every policy under which somebody may sign, the proposed ones too."""
        self.calls: list[str] = []
        self.lost = HandedBack(rewound=False, start=0, end=0)
        """What it says that its log has lost."""
        self.changed = threading.Condition()
        self.standing: StandingChain = replay_standing(self.log.entries[:1])
        self.standing_entries = [read_entry(self.log.entries[0])]

    def connection(self, caller: str, hostile: Hostile = honest) -> "SimulatedConnection":
        """Return a connection of ``caller``."""
        return SimulatedConnection(self, caller, hostile)

    def fork(self) -> "SimulatedCoordinator":
        """Return another history with the same past."""
        other = copy(self)
        other.log = copy(self.log)
        for name in ("entries", "roots", "versions"):
            setattr(other.log, name, list(getattr(self.log, name)))
        other.log._nodes = dict(self.log._nodes)
        other.chains = dict(self.chains)
        other.entries = {ceremony: list(entries) for ceremony, entries in self.entries.items()}
        other.annexes = dict(self.annexes)
        other.standing_entries = list(self.standing_entries)
        return other

    def pass_time(self, duration: timedelta) -> None:
        """Move the clock."""
        self.now += duration

    def open(self, request: Request | None = None) -> str:
        """Open a ceremony as an honest requester would; return its id."""
        request = request or self.organisation.request(at=self.now)
        return self.start(self.organisation.seal(request)).ceremony

    def open_unasked(self, request: Request) -> str:
        """Open a ceremony as no honest coordinator would: whatever came before under the same version."""
        signed = signed_as(Request, authenticate(self.organisation.seal(request), self.organisation.policy))
        self._begin(signed)
        return request.ceremony

    def decide_as(self, signer: str, ceremony: str, **fields: Any) -> Decided:
        """Let another signer decide."""
        request = self.chains[ceremony].ceremony.request
        decision = self.organisation.decision(signer, request, at=self.now, **fields)
        reason = None
        if decision.reason is not None:
            reason = Annex(salt=SALT, text=REASON)
        return self.decide(self.organisation.seal(decision), reason)

    def cancel_as(self, signer: str, ceremony: str) -> Acted:
        """Let another signer cancel."""
        cancellation = self.organisation.cancellation(signer, self.chains[ceremony], at=self.now)
        return self.act(self.organisation.seal(cancellation), Annex(salt=SALT, text=REASON))

    def expire(self, ceremony: str) -> None:
        """Let the deadline pass."""
        self.now = self.chains[ceremony].ceremony.deadline
        self._extend(ceremony, Expire())

    def happen(self, ceremony: str, command: Command) -> None:
        """Let something happen to a ceremony now."""
        self._extend(ceremony, command)

    # What a coordinator does

    def start(self, envelope: Envelope, annexes: Collection[Annex] = ()) -> Started:
        """Open the ceremony of a request, or find it."""
        self.annexes |= {annex.commitment: annex for annex in annexes}
        request = signed_as(Request, self.authenticate(envelope))
        statement = request.statement
        known = [
            Known(
                ceremony=chain.id,
                identity=identity(chain.ceremony.request.statement),
                request=chain.ceremony.request.digest,
                state=chain.ceremony.state,
                subjects=chain.ceremony.request.statement.subjects,
            )
            for chain in self.chains.values()
            if _release(chain.ceremony.request.statement) == _release(statement)
        ]
        admitted = admit(request, known)
        if isinstance(admitted, Existing):
            first = self.entries[admitted.ceremony][0]
            return Started(ceremony=admitted.ceremony, created=False, receipt=self.receipt(first))
        if admitted.superseded is not None:
            self._extend(admitted.superseded, Supersede(request.digest))
        opening = self._begin(request, self._check_others(statement))
        return Started(ceremony=statement.ceremony, created=True, receipt=self.receipt(opening))

    def decide(self, envelope: Envelope, reason: Annex | None, timestamp: bytes = b"") -> Decided:
        """Record a decision."""
        decision = signed_as(Decision, self.authenticate(envelope))
        ceremony = decision.statement.ceremony
        if decision.statement.reason != (reason.commitment if reason else None):
            raise CoordinatorRefusedError("annex.commitment", "expected the text, got another")
        if reason is not None:
            self.annexes[reason.commitment] = reason
        stamp = stamp_of(timestamp, decision, self.organisation.policy.policy) if timestamp else None
        self._extend(ceremony, Record(decision, stamp))
        return Decided(receipt=self._receipt_of(ceremony, envelope), state=str(self.state(ceremony)))

    def act(self, envelope: Envelope, annex: Annex | None = None) -> Acted:
        """Record a cancellation, extension, veto or report."""
        signed = self.authenticate(envelope)
        act = signed.statement
        assert isinstance(act, CeremonyAct)
        if annex is not None:
            self.annexes[annex.commitment] = annex
        if not any(entry.body.get("envelope") == envelope.to_json() for entry in self.entries[act.ceremony]):
            self._extend(act.ceremony, command_of(Signed(act, signed.envelope, signed.key, signed.digest)))
        return Acted(receipt=self._receipt_of(act.ceremony, envelope), state=str(self.state(act.ceremony)))

    def stand(self, envelope: Envelope) -> Receipt:
        """Record an absence, a delegation or a withdrawal, also where it touches an open ceremony."""
        signed = self.authenticate(envelope)
        assert isinstance(signed.statement, StandingAct)
        act = Signed(signed.statement, signed.envelope, signed.key, signed.digest)
        if act.digest not in self.standing.statements:
            self.standing, entry = stand_on(self.standing, act, at=self.now)
            self.standing_entries.append(entry)
            self.log.append((entry,))
            for ceremony, chain in list(self.chains.items()):
                command = handed_on(chain.ceremony, act, self.standing.standing)
                if command is not None and chain.ceremony.state is State.OPEN:
                    self._extend(ceremony, command)
        return self.receipt(self.standing_entries[self.standing.statements[act.digest]])

    def standing_record(self, known_size: int = 0) -> StandingRecord:
        """Return what GetStanding answers."""
        return StandingRecord(part=self.standing_part(), consistency=self.proof(known_size))

    def standing_part(self, length: int | None = None) -> Part:
        """Return the entries of no ceremony, or their beginning, with the proof of the last one."""
        return self.log.part(self.standing_entries[:length], size=self.log.size)

    def state(self, ceremony: str) -> State:
        """Return where a ceremony stands."""
        return self.chains[ceremony].ceremony.state

    def decisions(self, ceremony: str) -> list[Entry]:
        """Return the entries of decisions."""
        return [e for e in self.entries[ceremony] if e.type in (EntryType.DECIDED, EntryType.LATE)]

    def part(self, ceremony: str, *, length: int | None = None, size: int | None = None) -> Part:
        """Return a ceremony, or its beginning, with its proof in the log of a size."""
        return self.log.part(self.entries[ceremony][:length], size=self.log.size if size is None else size)

    def record(self, ceremony: str, known_size: int, **fields: Any) -> CeremonyRecord:
        """Return what GetCeremony answers."""
        if ceremony not in self.chains:
            raise CoordinatorRefusedError("ceremony.unknown", f"expected a ceremony, got {ceremony}")
        opened = self.receipt(self.entries[ceremony][0])
        return CeremonyRecord(
            part=self.part(ceremony, **fields),
            consistency=self.proof(known_size),
            annexes=tuple(self.annexes.values()),
            publications=(),
            opened_index=opened.index,
            opened_inclusion=opened.inclusion,
        )

    def proof(self, known_size: int, size: int = 0) -> tuple[bytes, ...]:
        """Return the proof that the log, or its past of a size, extends its past of a smaller one."""
        size = size or self.log.size
        if not known_size <= size <= self.log.size:
            raise CoordinatorRefusedError("log.size_ahead", f"expected at most {self.log.size}")
        return tuple(prove_consistency(known_size, size, self.log.node))

    def consistency(self, known_size: int, size: int = 0) -> Consistency:
        """Return what GetConsistency answers."""
        proof = self.proof(known_size, size)
        return Consistency(checkpoint=self.log.checkpoint(size or None), proof=proof)

    def receipt(self, entry: Entry) -> Receipt:
        """Return the receipt of an entry."""
        index = self.log.entries.index(entry.payload)
        return Receipt(
            entry=entry.payload,
            index=index,
            inclusion=tuple(prove_inclusion(index, self.log.size, self.log.node)),
            checkpoint=self.log.checkpoint(),
        )

    def summary(self, ceremony: str) -> CeremonySummary:
        """Return one line of the list."""
        found = self.chains[ceremony].ceremony
        request = found.request.statement
        return CeremonySummary(
            ceremony=ceremony,
            product=request.product,
            version=request.version,
            kind=str(request.kind),
            state=str(found.state),
            requester=request.context.signer,
            opened_at=request.opened_at,
            deadline=request.deadline,
            ended_at=found.ended_at,
            mode=str(request.mode),
        )

    def hold(self, side: Side, under: Organisation) -> str:
        """Take in a ceremony about a policy as it was run elsewhere; return its id."""
        self.chains[side.chain.id], self.entries[side.chain.id] = side.chain, list(side.entries)
        self.policies.append(under.policy)
        self.log.append(side.entries)
        return side.chain.id

    def adopt(self, change: str, acceptance: str) -> None:
        """Let the policy hold that two ceremonies approved."""
        sides = [Side(self.chains[ceremony], self.entries[ceremony]) for ceremony in (change, acceptance)]
        policy = policy_adopted_by(*(side.chain.ceremony for side in sides))
        assert policy is not None
        self.standing, entry = adopt(self.standing, policy, self.now)
        self.standing_entries.append(entry)
        self.log.append([entry])
        self.log.versions.append(self.log.adopted(policy.payload, *sides))

    def authenticate(self, envelope: Envelope) -> Signed[Statement]:
        """Authenticate a statement under the policy that it names."""
        named = read_statement(envelope.payload).context.policy.digest
        policy = next((each for each in self.policies if each.digest == named), self.organisation.policy)
        return authenticate(envelope, policy)

    def _begin(self, request: Signed[Request], vetoed_by: frozenset[str] = frozenset()) -> Entry:
        policy = self.organisation.policy
        live = live_for(request.statement, policy.policy, self.standing.standing.live(at=self.now))
        revoked, suspended = in_force(self.standing.standing, policy.policy, at=self.now)
        chain, entry = open_chain(
            policy,
            request,
            at=self.now,
            delegations=live,
            vetoed_by=vetoed_by,
            revoked=revoked,
            suspended=suspended,
        )
        self.chains[chain.id], self.entries[chain.id] = chain, []
        self._append(chain, (entry,))
        return entry

    def _check_others(self, request: Request) -> frozenset[str]:
        """Refuse what other ceremonies speak against; return who vetoed earlier emergencies."""
        if request.emergency is not None:
            past = [past_emergency(chain) for chain in self.chains.values() if chain.ceremony.emergency]
            return admit_emergency(request, request.emergency, past, at=self.now)
        if request.ratified is not None:
            broken = self.chains[request.ratified.ceremony]
            check_ratification(request, request.ratified, broken.ceremony, broken.conclusion or "")
        if request.reapproved is not None:
            release = self.chains[request.reapproved.ceremony]
            check_reapproval(request, request.reapproved, release.ceremony, release.conclusion or "")
        if request.kind is Kind.REVOCATION:
            requests = {chain.ceremony.request.digest: chain.ceremony for chain in self.chains.values()}
            revoked = requests[request.subjects[0].digest]
            check_revocation(request, revoked.request, revoked.state)
        return frozenset()

    def _extend(self, ceremony: str, command: Command) -> None:
        if ceremony not in self.chains:
            raise CoordinatorRefusedError("ceremony.unknown", f"expected a ceremony, got {ceremony}")
        chain, entries = extend(self.chains[ceremony], command, at=self.now)
        self._append(chain, entries)

    def _append(self, chain: Chain, entries: tuple[Entry, ...]) -> None:
        self.chains[chain.id] = chain
        self.entries[chain.id] += entries
        self.log.append(entries)
        with self.changed:
            self.changed.notify_all()

    def _receipt_of(self, ceremony: str, envelope: Envelope) -> Receipt:
        ours = [e for e in self.entries[ceremony] if e.body.get("envelope") == envelope.to_json()]
        return self.receipt(ours[0])


class SimulatedConnection:
    """What ``quorumseal.client.Connection`` is, without a wire."""

    METHODS: ClassVar = (
        "organisation",
        "ceremony",
        "consistency",
        "list_ceremonies",
        "start",
        "decide",
        "act",
        "stand",
        "evidence",
        "standing",
    )

    def __init__(self, coordinator: SimulatedCoordinator, caller: str, hostile: Hostile) -> None:
        self.coordinator = coordinator
        self.caller = caller
        self.hostile = hostile

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def organisation(self) -> OrganisationRecord:
        """Answer as GetOrganisation does."""

        def answer(_: object) -> OrganisationRecord:
            policies = tuple(write(version_json(version)) for version in self.coordinator.log.versions)
            log = self.coordinator.log
            return OrganisationRecord(
                policies=policies, checkpoint=log.checkpoint(), now=self.coordinator.now
            )

        return self._call("organisation", None, answer)

    def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Answer as GetCeremony does."""
        return self._call("ceremony", (ceremony, known_size), lambda c: self.coordinator.record(*c))

    def hand_back(self, checkpoint: bytes, entries: Any = (), texts: Any = ()) -> HandedBack:
        """Answer as HandBack does, of a log that has lost nothing unless a test says so."""
        return self._call("hand_back", (checkpoint, entries, texts), lambda _: self.coordinator.lost)

    def consistency(self, known_size: int, size: int = 0, newest: bytes = b"") -> Consistency:
        """Answer as GetConsistency does."""
        del newest
        return self._call(
            "consistency", (known_size, size), lambda c: self.coordinator.consistency(c[0], c[1])
        )

    def list_ceremonies(
        self,
        *,
        states: Collection[str] = (),
        product: str = "",
        version: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> Page:
        """Answer as ListCeremonies does; everything is one page."""

        def answer(asked: tuple[Collection[str], str, str]) -> Page:
            states, product, version = asked
            summaries = [self.coordinator.summary(ceremony) for ceremony in self.coordinator.chains]
            return Page(
                ceremonies=tuple(
                    summary
                    for summary in reversed(summaries)
                    if (not states or summary.state in states)
                    and product in ("", summary.product)
                    and version in ("", summary.version)
                ),
                next_token="",
            )

        del page_size, page_token
        return self._call("list_ceremonies", (states, product, version), answer)

    def start(
        self, envelope: bytes, annexes: Collection[Annex] = (), proposed: bytes | None = None
    ) -> Started:
        """Answer as Start does, about releases."""
        assert proposed is None
        return self._call("start", envelope, lambda e: self.coordinator.start(self._by_caller(e), annexes))

    def decide(self, envelope: bytes, reason: Annex | None = None, timestamp: bytes = b"") -> Decided:
        """Answer as Decide does."""
        return self._call(
            "decide",
            (envelope, reason, timestamp),
            lambda c: self.coordinator.decide(self._by_caller(c[0]), *c[1:]),
        )

    def act(self, envelope: bytes, annex: Annex | None = None) -> Acted:
        """Answer as Act does."""
        return self._call(
            "act", (envelope, annex), lambda c: self.coordinator.act(self._by_caller(c[0]), c[1])
        )

    def stand(self, envelope: bytes) -> Receipt:
        """Answer as Stand does."""
        return self._call("stand", envelope, lambda e: self.coordinator.stand(self._by_caller(e)))

    def evidence(self, digest: str) -> bytes:
        """Answer as GetEvidence does."""
        return self._call("evidence", digest, self.coordinator.evidence.__getitem__)

    def standing(self, known_size: int = 0) -> StandingRecord:
        """Answer as GetStanding does."""
        return self._call("standing", known_size, self.coordinator.standing_record)

    def follow(
        self,
        from_index: int = 0,
        *,
        types: Collection[str] = (),
        present: bool = False,
        on_break: Callable[[ClientError], None] | None = None,
        newest: Callable[[], bytes] = bytes,
    ) -> "SimulatedFollowing":
        """Answer as Follow does."""
        del types, present, on_break, newest
        return SimulatedFollowing(self.coordinator, from_index)

    def _by_caller(self, envelope: bytes) -> Envelope:
        read = Envelope.read(envelope)
        signed = self.coordinator.authenticate(read)
        if signed.signer != self.caller:
            raise CoordinatorRefusedError("caller.not_the_signer", f"expected {self.caller}")
        return read

    def _call(self, method: str, content: Any, answer: Callable[[Any], _Answer]) -> _Answer:
        self.coordinator.calls.append(method)
        heard = self.hostile(Message(method, reply=False, content=content))
        try:
            answered = answer(heard)
        except CoordinatorRefusedError:
            raise
        except Refusal as refusal:  # as it comes over the wire
            raise CoordinatorRefusedError(refusal.code, str(refusal), hint=refusal.hint) from None
        said: _Answer = self.hostile(Message(method, reply=True, content=answered))
        return said


class SimulatedFollowing:
    """The log's entries as they come, until it is closed."""

    def __init__(self, coordinator: SimulatedCoordinator, from_index: int) -> None:
        self.cursor = from_index
        self._coordinator = coordinator
        self._head_told = -1
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> LogEvent:
        with self._coordinator.changed:
            while not self._closed:
                entries = self._coordinator.log.entries
                if self.cursor < len(entries):
                    self.cursor += 1
                    return LoggedEntry(self.cursor - 1, entries[self.cursor - 1])
                if self._head_told != self.cursor:
                    self._head_told = self.cursor
                    return Head(self.cursor)
                self._coordinator.changed.wait(10)
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        with self._coordinator.changed:
            self._closed = True
            self._coordinator.changed.notify_all()


def _release(request: Request) -> tuple[str, str, str]:
    return request.product, request.version, str(request.kind)

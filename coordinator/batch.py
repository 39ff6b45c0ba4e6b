# SPDX-License-Identifier: Apache-2.0
"""Commands become entries: in memory, without input or output, all of a batch at one instant.

A batch knows what it follows (``Ground``) and keeps what its commands change to itself, so it can be thrown
away and decided again on other ground.  A refused command leaves no trace in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from coordinator.commands import Act, Outcome, Repeated, Start, WriterCommand, Written
from coordinator.errors import OldPolicyError, UnknownCeremonyError
from coordinator.notifying.notice import Notice
from coordinator.notifying.routes import Routes
from coordinator.notifying.telling import notices_of
from coordinator.projection import ceremony_row
from coordinator.storage import (
    AnnexRow,
    Append,
    CeremonyEnd,
    EntryRow,
    LogHead,
    OutboxRow,
    Release,
)
from coordinator.tree import GrowingTree
from coordinator.values import PublicationState, Receipt
from quorumseal.ceremony.admission import Existing, Known, admit, identity
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Cancel, Expire, Record, Supersede
from quorumseal.ceremony.entries import CONCLUSIONS, Entry, EntryType
from quorumseal.ceremony.errors import CeremonyEndedError, OtherPolicyError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import CeremonyExistsError
from quorumseal.ceremony.statements import Request
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a batch stands on: the log's head, and what of the log its commands touch."""

    head: LogHead
    policy: SignedPolicy
    """The newest."""
    chains: Mapping[str, Chain]
    releases: Mapping[Release, Sequence[Known]]
    damaged: Mapping[str, Refusal] = field(default_factory=dict)
    """Ceremonies whose entries do not replay: nothing happens to them any more."""
    destinations: Sequence[str] = ()
    routes: Routes = field(default_factory=Routes)


@dataclass(frozen=True, slots=True)
class _Logged:
    """A command's entry, whose receipt is made when the batch is sealed."""

    ceremony: str
    state: State
    position: int


class Batch:
    """Run commands, then ``seal`` what they wrote."""

    def __init__(self, ground: Ground, *, at: datetime) -> None:
        self._ground = ground
        self._at = at
        self._releases: dict[Release, list[Known]] = {}
        self._entries: list[EntryRow] = []
        self._opened: dict[str, int] = {}
        self._concluded: dict[str, int] = {}
        self._annexes: list[AnnexRow] = []
        self._notices: list[Notice] = []
        self._outcomes: list[_Logged | Repeated | Exception] = []
        self.changed: dict[str, Chain] = {}
        """The ceremonies that this batch moved, as they stand after it."""

    def run(self, command: WriterCommand) -> None:
        """Run one command; whatever is wrong with it is its own outcome."""
        try:
            outcome = self._start(command) if isinstance(command, Start) else self._act(command)
        except Exception as reason:  # a defect, too, is the outcome of its own command only
            self._outcomes.append(reason)
        else:
            self._outcomes.append(outcome)

    def seal(self, log_key: PrivateKey) -> tuple[Append | None, list[Outcome | Exception]]:
        """Return what is to be stored, nothing where nothing was written, and the commands' outcomes."""
        if not self._entries:
            return None, [self._answer(outcome, {}) for outcome in self._outcomes]
        before = self._ground.head
        tree = GrowingTree(before, self._ground.policy.policy.log.origin, log_key)
        conclusions = {index + 1 for index in self._concluded.values()}
        start = 0
        for end in sorted(conclusions | {before.size + len(self._entries)}):
            segment = self._entries[start : end - before.size]
            tree.extend([entry.payload for entry in segment])
            start = end - before.size
        after = LogHead(frontier=tree.frontier, root=tree.checkpoints[-1].root, at=self._at)
        positions = [outcome.position for outcome in self._outcomes if isinstance(outcome, _Logged)]
        proved = tree.receipts(self._entries[position] for position in positions)
        receipts = dict(zip(positions, proved, strict=True))
        append = Append(
            before=before,
            after=after,
            entries=self._entries,
            nodes=tree.nodes,
            checkpoints=tree.checkpoints,
            opened=[
                ceremony_row(self.changed[ceremony], index, self._concluded.get(ceremony))
                for ceremony, index in self._opened.items()
            ],
            ended=[
                CeremonyEnd(
                    ceremony=ceremony,
                    state=self.changed[ceremony].ceremony.state,
                    ended_at=self._at,
                    concluded_index=index,
                )
                for ceremony, index in self._concluded.items()
                if ceremony not in self._opened
            ],
            annexes=self._annexes,
            outbox=self._outbox(),
            evidence=[
                evidence.digest
                for ceremony in self._opened
                for evidence in self.changed[ceremony].ceremony.request.statement.evidence
            ],
            notices=self._ground.routes.rows(self._notices, at=self._at),
        )
        return append, [self._answer(outcome, receipts) for outcome in self._outcomes]

    def _start(self, command: Start) -> _Logged | Repeated:
        current, request = self._ground.policy, command.request
        statement = request.statement
        self._require_whole(statement.ceremony)
        earlier = self._chain(statement.ceremony)
        if earlier is not None and earlier.ceremony.request.digest == request.digest:
            # sent again by somebody who never heard the answer, whatever became of the ceremony since
            return Repeated(ceremony=earlier.id, state=earlier.ceremony.state, seq=0)
        if command.policy.digest != current.digest:
            raise OldPolicyError(
                f"expected a request under policy version {current.policy.version} ({current.digest}), "
                f"got one under version {command.policy.policy.version} ({command.policy.digest})",
                hint="fetch the newest policy, then start again",
            )
        known = self._known(request.statement)
        verdict = admit(request, known)
        if isinstance(verdict, Existing):
            state = next(each.state for each in known if each.ceremony == verdict.ceremony)
            return Repeated(ceremony=verdict.ceremony, state=state, seq=0)
        if earlier is not None:
            raise CeremonyExistsError(
                f"expected a ceremony id that is free, got {statement.ceremony}",
                hint="start again: an id is made anew each time",
            )
        chain, opening = open_chain(command.policy, request, at=self._at)
        if verdict.superseded is not None:
            self._apply(*extend(self._require(verdict.superseded), Supersede(request.digest), at=self._at))
        self._opened[chain.id] = self._ground.head.size + len(self._entries)
        self._releases[_release(statement)] = [
            *known,
            Known(
                ceremony=chain.id,
                identity=identity(statement),
                request=request.digest,
                state=State.OPEN,
                subjects=statement.subjects,
            ),
        ]
        return _Logged(chain.id, chain.ceremony.state, self._apply(chain, (opening,)))

    def _known(self, request: Request) -> list[Known]:
        """Return the earlier ceremonies for a release as they stand now: what is due has expired."""
        release = _release(request)
        known = self._releases.get(release) or self._ground.releases[release]
        for each in known:
            chain = self._chain(each.ceremony)
            if chain and chain.ceremony.state is State.OPEN and _deadline(chain) <= self._at:
                self._apply(*extend(chain, Expire(), at=self._at))
        return [
            replace(each, state=self.changed[each.ceremony].ceremony.state)
            if each.ceremony in self.changed
            else each
            for each in known
        ]

    def _act(self, act: Act) -> _Logged | Repeated:
        chain = self._require(act.ceremony)
        digest = None
        if not isinstance(act.command, Expire):
            digest = _check_policy(act.command, chain)
        try:
            longer, entries = extend(chain, act.command, at=self._at)
        except CeremonyEndedError:
            if digest in chain.statements:  # the same cancellation ended it
                return _repeated(chain, digest)
            raise
        if not entries:
            return _repeated(chain, digest)
        first = self._apply(longer, entries)
        for offset, entry in enumerate(entries):
            if "envelope" in entry.body:
                self._keep_annex(act)
                return _Logged(longer.id, longer.ceremony.state, first + offset)
        # Nothing but the end at the deadline, which was not on record yet.
        if isinstance(act.command, Cancel):  # it came too late, and that is the answer
            extend(longer, act.command, at=self._at)
        if isinstance(act.command, Record):  # it was recorded before, and has its entry
            return _repeated(longer, digest)
        return _Logged(longer.id, longer.ceremony.state, first)

    def _chain(self, ceremony: str) -> Chain | None:
        return self.changed.get(ceremony) or self._ground.chains.get(ceremony)

    def _require_whole(self, ceremony: str) -> None:
        if ceremony in self._ground.damaged:
            raise self._ground.damaged[ceremony]

    def _require(self, ceremony: str) -> Chain:
        self._require_whole(ceremony)
        chain = self._chain(ceremony)
        if chain is None:
            raise UnknownCeremonyError(
                f"expected a ceremony of this log, got {ceremony}", hint="see `quorumseal list`"
            )
        return chain

    def _apply(self, chain: Chain, entries: Sequence[Entry]) -> int:
        """Take over a chain and its new entries; return the position of the first in this batch."""
        first = len(self._entries)
        for index, entry in enumerate(entries, start=self._ground.head.size + first):
            self._entries.append(EntryRow(index, entry.type, entry.ceremony, entry.seq, entry.payload))
            if entry.type in CONCLUSIONS:
                self._concluded[chain.id] = index
        self.changed[chain.id] = chain
        if self._ground.routes.anybody:
            self._notices += notices_of(chain.ceremony, entries)
        return first

    def _keep_annex(self, act: Act) -> None:
        if act.annex is not None:
            self._annexes.append(
                AnnexRow(
                    ceremony=act.ceremony,
                    commitment=act.annex.commitment,
                    salt=act.annex.salt,
                    text=act.annex.text,
                )
            )

    def _outbox(self) -> list[OutboxRow]:
        return [
            OutboxRow(
                ceremony=entry.ceremony,
                destination=destination,
                state=PublicationState.PENDING,
                detail="",
                attempts=0,
                due_at=self._at,
            )
            for entry in self._entries
            if entry.type == EntryType.APPROVED and entry.ceremony is not None
            for destination in self._ground.destinations
        ]

    def _answer(
        self, outcome: _Logged | Repeated | Exception, receipts: Mapping[int, Receipt]
    ) -> Outcome | Exception:
        if not isinstance(outcome, _Logged):
            return outcome
        return Written(ceremony=outcome.ceremony, state=outcome.state, receipt=receipts[outcome.position])


def _release(request: Request) -> Release:
    return request.product, request.version, request.kind


def _deadline(chain: Chain) -> datetime:
    return chain.ceremony.deadline


def _repeated(chain: Chain, digest: str | None) -> Repeated:
    """Name the entry that holds a statement; an expiry, which has none, came before the newest or is it."""
    seq = len(chain.hashes) - 1 if digest is None else chain.statements[digest]
    return Repeated(ceremony=chain.id, state=chain.ceremony.state, seq=seq)


def _check_policy(command: Record | Cancel, chain: Chain) -> str:
    """Return the digest of a statement that was authenticated under the policy that its ceremony pinned."""
    signed = command.decision if isinstance(command, Record) else command.cancellation
    given, pinned = signed.statement.context.policy, chain.ceremony.request.statement.context.policy
    if given != pinned:
        raise OtherPolicyError(
            f"expected a statement under the ceremony's policy version {pinned.version} ({pinned.digest}), "
            f"got one under version {given.version} ({given.digest})",
            hint="review the ceremony again; it keeps the policy under which it was opened",
        )
    return signed.digest

# SPDX-License-Identifier: Apache-2.0
"""Commands become entries: in memory, without input or output, all of a batch at one instant.

A batch knows what it follows (``Ground``) and keeps what its commands change to itself (``Unsealed``), so it
can be thrown away and decided again on other ground.  A refused command leaves no trace in it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.commands import Act, Outcome, Repeated, Stand, Start, WriterCommand, Written
from coordinator.errors import OldPolicyError, UnknownCeremonyError
from coordinator.projection import ceremony_row, past_emergency
from coordinator.running_log import about
from coordinator.storage import Append
from coordinator.unsealed import Ground, Unsealed
from coordinator.values import Receipt
from quorumseal.ceremony.admission import Existing, Known, admit
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.changing import policy_adopted_by
from quorumseal.ceremony.commands import (
    Cancel,
    Deliver,
    Expire,
    Extend,
    File,
    Narrow,
    Record,
    Stop,
    Supersede,
    signed_in,
)
from quorumseal.ceremony.deciding import next_due
from quorumseal.ceremony.delegating import live_for
from quorumseal.ceremony.emergencies import admit_emergency
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.errors import CeremonyEndedError, CeremonyError, OtherPolicyError
from quorumseal.ceremony.falling import handed_on, in_force
from quorumseal.ceremony.fitting import Release, check_others, known_of, release_of
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.narrowing import narrowing
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import CeremonyExistsError
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import adopt, stand_on
from quorumseal.ceremony.statements import Request, StandingAct, Subject
from quorumseal.signatures import PrivateKey

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Logged:
    """A command's entry, whose receipt is made when the batch is sealed."""

    ceremony: str | None
    state: State | None
    position: int


class Batch:
    """Run commands, then ``seal`` what they wrote."""

    def __init__(self, ground: Ground, *, at: datetime) -> None:
        self._ground = ground
        self._at = at
        self._releases: dict[Release, list[Known]] = {}
        self._outcomes: list[_Logged | Repeated | Exception] = []
        self.standing = ground.standing
        self.written = Unsealed(ground, at=at)

    def run(self, command: WriterCommand) -> None:
        """Run one command; whatever is wrong with it is its own outcome."""
        try:
            outcome = self._run(command)
        except Exception as reason:  # a defect, too, is the outcome of its own command only
            self._outcomes.append(reason)
        else:
            self._outcomes.append(outcome)

    def _run(self, command: WriterCommand) -> _Logged | Repeated:
        match command:
            case Start():
                return self._start(command)
            case Act():
                return self._act(command)
            case Stand():
                return self._stand(command)

    def seal(self, log_key: PrivateKey) -> tuple[Append | None, list[Outcome | Exception]]:
        """Return what is to be stored, nothing where nothing was written, and the commands' outcomes."""
        positions = [outcome.position for outcome in self._outcomes if isinstance(outcome, _Logged)]
        append, receipts = self.written.seal(log_key, positions)
        return append, [_answer(outcome, receipts) for outcome in self._outcomes]

    def _start(self, command: Start) -> _Logged | Repeated:
        request, statement = command.request, command.request.statement
        self._require_whole(statement.ceremony)
        earlier = self.written.chain(statement.ceremony)
        if earlier is not None and earlier.ceremony.request.digest == request.digest:
            # sent again by somebody who never heard the answer, whatever became of the ceremony since
            return Repeated(ceremony=earlier.id, state=earlier.ceremony.state, seq=0)
        _require_newest(command, self._newest)
        known = self._known(release_of(statement))
        verdict = admit(request, known)
        if isinstance(verdict, Existing):
            state = next(each.state for each in known if each.ceremony == verdict.ceremony)
            return Repeated(ceremony=verdict.ceremony, state=state, seq=0)
        if earlier is not None:
            raise CeremonyExistsError(
                f"expected a ceremony id that is free, got {statement.ceremony}",
                hint="start again: an id is made anew each time",
            )
        check_others(request, self._known, self._require)
        return self._open(command, known, superseded=verdict.superseded)

    def _open(self, command: Start, known: Sequence[Known], *, superseded: str | None) -> _Logged:
        """Open a ceremony, and end the one whose place it takes."""
        request, statement = command.request, command.request.statement
        standing, policy = self.standing.standing, command.policy.policy
        revoked, suspended = in_force(standing, policy, at=self._at)
        chain, opening = open_chain(
            command.policy,
            request,
            at=self._at,
            delegations=live_for(statement, policy, standing.live(at=self._at)),
            vetoed_by=self._vetoed_by(statement, superseded=superseded),
            proposed=command.proposed,
            revoked=revoked,
            suspended=suspended,
        )
        if superseded is not None:
            self.written.apply(*extend(self._require(superseded), Supersede(request.digest), at=self._at))
        self._releases[release_of(statement)] = [*known, known_of(chain)]
        self.written.keep_annexes(chain.id, command.annexes)
        return _Logged(chain.id, chain.ceremony.state, self.written.apply(chain, (opening,)))

    def _vetoed_by(self, request: Request, *, superseded: str | None) -> frozenset[str]:
        """Return who stopped earlier emergencies for a release; refuse one too many."""
        if request.emergency is None:
            return frozenset()
        past = {each.ceremony: each for each in self._ground.emergencies}
        for ceremony in past.keys() | self.written.opened.keys():
            self._move(ceremony)
        for ceremony, chain in self.written.changed.items():
            if chain.ceremony.emergency is not None:
                past[ceremony] = past_emergency(ceremony_row(chain, None, None))
        others = [each for ceremony, each in past.items() if ceremony != superseded]
        return admit_emergency(request, request.emergency, others, at=self._at)

    def _known(self, release: Release) -> list[Known]:
        """Return the earlier ceremonies for a release as they stand now: what is due has happened."""
        known = self._releases.get(release) or self._ground.releases[release]
        for each in known:
            self._move(each.ceremony)
        return [
            replace(each, state=self.written.changed[each.ceremony].ceremony.state)
            if each.ceremony in self.written.changed
            else each
            for each in known
        ]

    def _move(self, ceremony: str) -> None:
        """Let happen what time alone has brought."""
        chain = self.written.chain(ceremony)
        due = next_due(chain.ceremony) if chain else None
        if chain and due is not None and due <= self._at:
            self.written.apply(*extend(chain, Expire(), at=self._at))

    def _stand(self, command: Stand) -> _Logged | Repeated:
        act = command.act
        if act.digest in self.standing.statements:
            return Repeated(ceremony=None, state=None, seq=self.standing.statements[act.digest])
        _require_newest(command, self._newest)
        self.standing, entry = stand_on(self.standing, act, at=self._at)
        position = self.written.log(entry)
        for ceremony in sorted(self._ground.chains.keys() | self.written.changed.keys()):
            self._hand_on(ceremony, act)
        return _Logged(None, None, position)

    def _hand_on(self, ceremony: str, act: Signed[StandingAct]) -> None:
        """Append a standing act to an open ceremony that it touches, so that its own chain says it all."""
        self._move(ceremony)
        chain = self._require(ceremony)
        command = handed_on(chain.ceremony, act, self.standing.standing)
        if chain.ceremony.state is not State.OPEN or command is None:
            return
        try:
            self.written.apply(*extend(chain, command, at=self._at))
        except CeremonyError as refusal:  # full, perhaps, so that nobody can decide there any more either
            _log.warning(
                "a ceremony takes no act: %s",
                refusal,
                extra=about(ceremony=ceremony, reason=refusal),
            )

    def _act(self, act: Act) -> _Logged | Repeated:
        chain = self._require(act.ceremony)
        digest = None
        if not isinstance(act.command, Expire | Deliver):
            digest = _check_policy(act.command, chain)
        try:
            longer, entries = extend(chain, act.command, at=self._at)
        except CeremonyEndedError:
            if digest in chain.statements:  # the same cancellation or veto ended it
                return _repeated(chain, digest)
            raise
        if not entries:
            return _repeated(chain, digest)
        first, offset = self.written.apply(longer, entries), _answering(act, entries)
        self._adopt(longer)
        if offset is not None:
            self.written.keep_annexes(longer.id, (act.annex,) if act.annex else ())
            return _Logged(longer.id, longer.ceremony.state, first + offset)
        if isinstance(act.command, Record):  # it was recorded before, and has its entry
            return _repeated(longer, digest)
        return self._act(act)  # whatever comes of it now is its answer

    def _adopt(self, chain: Chain) -> None:
        """Let a policy hold from here on, once both its change and its acceptance are approved."""
        request = chain.ceremony.request.statement
        if request.kind not in GOVERNED or chain.ceremony.state is not State.APPROVED:
            return
        change = self._approved((request.product, request.version, Kind.POLICY_CHANGE))
        if change is None:
            return
        proposed = change.ceremony.request.statement.subjects
        acceptance = self._approved((request.product, request.version, Kind.POLICY_ACCEPTANCE), proposed)
        if acceptance is None:
            return
        policy = policy_adopted_by(change.ceremony, acceptance.ceremony)
        if policy is None or policy.policy.previous != self._newest.digest:
            return
        self.standing, entry = adopt(self.standing, policy, self._at)
        self.written.log(entry)
        for ceremony in sorted(self._ground.chains.keys() | self.written.changed.keys()):
            self._narrow(ceremony, policy, by=change.ceremony.request.digest)

    def _approved(self, release: Release, subjects: tuple[Subject, ...] | None = None) -> Chain | None:
        """Return the latest ceremony for a release that was approved, about these subjects if given."""
        approved = [
            each.ceremony
            for each in self._known(release)
            if each.state is State.APPROVED and subjects in (None, each.subjects)
        ]
        return self._require(approved[-1]) if approved else None

    def _narrow(self, ceremony: str, newer: SignedPolicy, *, by: str) -> None:
        """Let an open ceremony know what a policy takes from it; one about another policy ends."""
        if ceremony in self._ground.damaged:
            return
        self._move(ceremony)
        chain = self._require(ceremony)
        if chain.ceremony.state is not State.OPEN:
            return
        if chain.ceremony.request.statement.kind in GOVERNED:
            self.written.apply(*extend(chain, Supersede(by), at=self._at))
        elif taken := narrowing(chain.ceremony.policy, newer):
            self.written.apply(*extend(chain, Narrow(taken), at=self._at))

    @property
    def _newest(self) -> SignedPolicy:
        return self.standing.policies[-1]

    def _require_whole(self, ceremony: str) -> None:
        if ceremony in self._ground.damaged:
            raise self._ground.damaged[ceremony]

    def _require(self, ceremony: str) -> Chain:
        self._require_whole(ceremony)
        chain = self.written.chain(ceremony)
        if chain is None:
            raise UnknownCeremonyError(
                f"expected a ceremony of this log, got {ceremony}", hint="see `quorumseal list`"
            )
        return chain


def _answer(outcome: _Logged | Repeated | Exception, receipts: Mapping[int, Receipt]) -> Outcome | Exception:
    if not isinstance(outcome, _Logged):
        return outcome
    return Written(ceremony=outcome.ceremony, state=outcome.state, receipt=receipts[outcome.position])


def _require_newest(command: Start | Stand, newest: SignedPolicy) -> None:
    """Refuse what is not under the policy in force; an acceptance is under the one that follows it."""
    given = command.policy
    accepts = isinstance(command, Start) and command.request.statement.kind is Kind.POLICY_ACCEPTANCE
    if (given.policy.previous if accepts else given.digest) != newest.digest:
        raise OldPolicyError(
            f"expected a statement under policy version {newest.policy.version} ({newest.digest}), "
            f"got one under version {given.policy.version} ({given.digest})",
            hint="fetch the newest policy, then sign anew",
        )


def _answering(act: Act, entries: Sequence[Entry]) -> int | None:
    """Return which entry answers an act; none where time alone brought what was not on record yet."""
    for offset, entry in enumerate(entries):
        if entry.signed:
            return offset
    return 0 if isinstance(act.command, Expire) or entries[-1].type is EntryType.DELIVERED else None


def _repeated(chain: Chain, digest: str | None) -> Repeated:
    """Name the entry that holds a statement; an expiry, which has none, came before the newest or is it."""
    seq = len(chain.hashes) - 1 if digest is None else chain.statements[digest]
    return Repeated(ceremony=chain.id, state=chain.ceremony.state, seq=seq)


def _check_policy(command: Record | Cancel | Extend | Stop | File, chain: Chain) -> str:
    """Return the digest of a statement that was authenticated under the policy that its ceremony pinned."""
    signed = signed_in(command)
    given, pinned = signed.statement.context.policy, chain.ceremony.request.statement.context.policy
    if given != pinned:
        raise OtherPolicyError(
            f"expected a statement under the ceremony's policy version {pinned.version} ({pinned.digest}), "
            f"got one under version {given.version} ({given.digest})",
            hint="review the ceremony again; it keeps the policy under which it was opened",
        )
    return signed.digest

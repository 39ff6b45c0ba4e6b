# SPDX-License-Identifier: Apache-2.0
"""The coordinator's decisions made again, in the order of the log.

Each entry is either what an earlier one made due, or the cause of something: then the rules run on what the
log held so far, and what they make is demanded.  So a standing act that was kept from an open ceremony, a
second ceremony for one version, an opening that hides a revocation, a policy that nobody adopted, are found
as surely as a forged decision.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from quorumseal.audit.defect import Defect
from quorumseal.audit.errors import EntryMissingError, EntryUnexpectedError, PolicyNotInForceError
from quorumseal.audit.population import Audited, PlacedEntry
from quorumseal.ceremony.admission import Existing, Known, admit
from quorumseal.ceremony.chain import (
    Chain,
    cause_of,
    extend,
    open_chain,
    reopen,
    require_linked,
    require_same,
)
from quorumseal.ceremony.changing import check_change, policy_adopted_by
from quorumseal.ceremony.commands import Command, Expire, Narrow, Supersede
from quorumseal.ceremony.deciding import next_due
from quorumseal.ceremony.delegating import live_for
from quorumseal.ceremony.emergencies import admit_emergency, past_emergency
from quorumseal.ceremony.entries import Entry, EntryType, read_entry
from quorumseal.ceremony.errors import CeremonyError, ChainBrokenError, ChainTimeError
from quorumseal.ceremony.falling import handed_on, in_force
from quorumseal.ceremony.fitting import Release, check_others, known_of, release_of
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.narrowing import narrowing
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy
from quorumseal.ceremony.request_errors import CeremonyExistsError
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.standing_chain import StandingChain, adopt, begin_standing, follow
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request, StandingAct
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields, StrictJsonError
from quorumseal.verifier.errors import PolicyChainError
from quorumseal.verifier.trust import Trust


class Replay:
    """Takes entries one after the other, and keeps what they amount to; a ceremony that fails is left."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._last_at: datetime | None = None
        self._due: dict[str | None, deque[Entry]] = {}
        self._proposed: dict[str, SignedPolicy] = {}
        self._releases: dict[Release, list[str]] = {}
        self._open: set[str] = set()
        self._emergencies: list[str] = []
        self._broken: set[str | None] = set()
        self.chains: dict[str, Chain] = {}
        self.entries: dict[str | None, list[PlacedEntry]] = {}
        self.policies: dict[str, SignedPolicy] = {}
        """Under which policy each ceremony runs."""
        self.begins: list[int] = []
        self.standing: StandingChain | None = None
        self.defects: list[Defect] = []

    def take(self, index: int, payload: bytes) -> None:
        """Take the next entry; what is wrong with it is kept as a defect."""
        try:
            entry = read_entry(payload)
        except (Refusal, StrictJsonError) as refusal:
            self.defects.append(Defect(refusal, index))
            return
        try:
            self._take(index, entry)
        except Refusal as refusal:
            self.defects.append(Defect(refusal, index, entry.ceremony))
            self._broken.add(entry.ceremony)
            self._open.discard(entry.ceremony or "")
            self._due.pop(entry.ceremony, None)

    def finish(self) -> None:
        """Say what the rules made due and the log does not have."""
        for ceremony, due in self._due.items():
            if due:
                missing = EntryMissingError(
                    f"expected {' and '.join(entry.type for entry in due)} at {due[0].at}, "
                    "got the end of the log"
                )
                self.defects.append(Defect(missing, None, ceremony))
        if self.standing is None and None not in self._broken:
            self.defects.append(
                Defect(ChainBrokenError("expected a log that begins with a policy, got none"))
            )

    def audited(self) -> tuple[Audited, ...]:
        """Return every ceremony that replayed, in the order in which they were opened."""
        return tuple(
            Audited(chain=chain, policy=self.policies[ceremony], entries=tuple(self.entries[ceremony]))
            for ceremony, chain in self.chains.items()
            if ceremony not in self._broken
        )

    def _take(self, index: int, entry: Entry) -> None:
        if self._last_at is not None and entry.at < self._last_at:
            raise ChainTimeError(f"expected an entry at or after {self._last_at}, got one at {entry.at}")
        self._last_at = entry.at
        if entry.ceremony in self._broken:
            return
        if due := self._due.get(entry.ceremony):
            self._meet(entry, due)
        elif entry.ceremony is None:
            self._stand(entry)
        elif entry.ceremony in self.chains:
            self._go_on(entry, entry.ceremony)
        else:
            self._open_one(entry)
        self.entries.setdefault(entry.ceremony, []).append(PlacedEntry(index, entry))
        if entry.ceremony is None and entry.type is EntryType.POLICY:
            self.begins.append(index)

    def _meet(self, entry: Entry, due: deque[Entry]) -> None:
        expected = due.popleft()
        if entry.payload != expected.payload:
            raise EntryUnexpectedError(
                f"expected {expected.type} at {expected.at}, which the entries before make due, "
                f"got {entry.type} at {entry.at}"
            )

    def _expect(self, ceremony: str | None, entries: Iterable[Entry]) -> None:
        self._due.setdefault(ceremony, deque()).extend(entries)

    def _go_on(self, entry: Entry, ceremony: str) -> None:
        chain = self.chains[ceremony]
        try:
            longer, due = extend(chain, cause_of(entry, self.policies[ceremony]), at=entry.at)
        except CeremonyError:
            require_linked(entry, chain)
            raise
        if not due:
            raise ChainBrokenError(f"expected entry {entry.seq} to cause something, got a repetition")
        require_same(entry, due[0])
        self._move(longer, due[1:])
        self._adopt(longer, entry.at)

    def _move(self, chain: Chain, due: Sequence[Entry]) -> None:
        self.chains[chain.id] = chain
        if chain.ceremony.state is not State.OPEN:
            self._open.discard(chain.id)
        self._expect(chain.id, due)

    # Opening

    def _open_one(self, entry: Entry) -> None:
        asked = self._asked(entry)
        policy = self._in_force(asked)
        request = signed_as(Request, authenticate(entry.envelope, policy))
        self._check_fits(request)
        chain, opening = self._opening(request, policy, entry)
        if opening.payload != entry.payload:
            require_same(entry, reopen(entry, policy)[1])
            raise EntryUnexpectedError(
                "expected an opening that holds the delegations, vetoes, revocations and suspensions in "
                "force, got one that holds others"
            )
        if chain.ceremony.proposed is not None:
            proposed = adopted_policy(chain.ceremony.proposed, ("", ""))
            self._proposed[proposed.digest] = proposed
        self.policies[chain.id], self.chains[chain.id] = policy, chain
        self._open.add(chain.id)
        self._releases.setdefault(release_of(asked), []).append(chain.id)
        if asked.emergency is not None:
            self._emergencies.append(chain.id)

    def _asked(self, entry: Entry) -> Request:
        if entry.type is not EntryType.OPENED:
            raise ChainBrokenError(f"expected a ceremony to begin with {EntryType.OPENED}, got {entry.type}")
        statement = read_statement(entry.envelope.payload)
        if not isinstance(statement, Request):
            raise ChainBrokenError("expected a ceremony to begin with a request, got another statement")
        return statement

    def _in_force(self, request: Request) -> SignedPolicy:
        """Return the policy that a request names, if it held then; an acceptance names the next one."""
        newest, named = self._standing().policies[-1], request.context.policy.digest
        if request.kind is Kind.POLICY_ACCEPTANCE:
            proposed = self._proposed.get(named)
            if proposed is not None and proposed.policy.previous == newest.digest:
                return proposed
        elif named == newest.digest:
            return newest
        raise PolicyNotInForceError(
            f"expected a request under policy version {newest.policy.version} ({newest.digest}), "
            f"got one under version {request.context.policy.version} ({named})",
            hint="nobody may ask under a policy that does not hold; ask the operator for the reason",
        )

    def _check_fits(self, request: Signed[Request]) -> None:
        """See that no other ceremony kept a request from opening its own."""
        verdict = admit(request, self._known(release_of(request.statement)))
        if isinstance(verdict, Existing):
            raise CeremonyExistsError(
                f"expected one ceremony for one request, got another beside {verdict.ceremony}"
            )
        if verdict.superseded is not None:
            raise EntryMissingError(
                f"expected ceremony {verdict.superseded} to be superseded before, got it still open"
            )
        check_others(request, self._known, self._chain)

    def _opening(self, request: Signed[Request], policy: SignedPolicy, entry: Entry) -> tuple[Chain, Entry]:
        """Open the ceremony with what was in force then, which its entry may not hide."""
        standing, body = self._standing().standing, Fields(dict(entry.body), "entry.body")
        revoked, suspended = in_force(standing, policy.policy, at=entry.at)
        return open_chain(
            policy,
            request,
            at=entry.at,
            delegations=live_for(request.statement, policy.policy, standing.live(at=entry.at)),
            vetoed_by=self._vetoed_by(request.statement, entry.at),
            proposed=body.text("policy").encode() if "policy" in body else None,
            revoked=revoked,
            suspended=suspended,
        )

    def _vetoed_by(self, request: Request, at: datetime) -> frozenset[str]:
        if request.emergency is None:
            return frozenset()
        past = [past_emergency(self.chains[each]) for each in self._emergencies]
        return admit_emergency(request, request.emergency, past, at=at)

    def _known(self, release: Release) -> list[Known]:
        return [known_of(self.chains[each]) for each in self._releases.get(release, ())]

    def _chain(self, ceremony: str) -> Chain:
        if ceremony not in self.chains:
            raise ChainBrokenError(f"expected a ceremony of this log, got {ceremony}")
        return self.chains[ceremony]

    # What belongs to no ceremony

    def _standing(self) -> StandingChain:
        if self.standing is None:
            raise ChainBrokenError("expected a log that begins with a policy, got a ceremony first")
        return self.standing

    def _stand(self, entry: Entry) -> None:
        if self.standing is None:
            self.standing = begin_standing(entry)
            self._require_pinned(self.standing.policies[0])
            return
        if entry.type is EntryType.POLICY:
            raise EntryUnexpectedError(
                "expected a policy that two approved ceremonies made due, got one out of nothing"
            )
        self.standing = follow(self.standing, entry)
        if entry.type is EntryType.RECOVERED:
            return
        signed = authenticate(entry.envelope, self.standing.policies[-1])
        statement = signed.statement
        assert isinstance(statement, StandingAct)  # noqa: S101 - it was followed
        act = Signed(statement, signed.envelope, signed.key, signed.digest)
        now = self.standing.standing
        for ceremony in sorted(self._open):
            self._reach(ceremony, entry.at, lambda chain: handed_on(chain.ceremony, act, now))

    def _require_pinned(self, first: SignedPolicy) -> None:
        if (first.digest, first.policy.organisation) != (self._trust.policy, self._trust.organisation):
            raise PolicyChainError(
                f"expected the pinned policy {self._trust.policy} of {self._trust.organisation}, "
                f"got {first.digest} of {first.policy.organisation}",
                hint="this trust file is for another organisation, or it pinned another policy",
            )

    def _reach(self, ceremony: str, at: datetime, make: Callable[[Chain], Command | None]) -> None:
        """Make due in an open ceremony what happened outside it; what is due by the clock comes first."""
        chain, due = self.chains[ceremony], list[Entry]()
        ends = next_due(chain.ceremony)
        if ends is not None and ends <= at:
            chain, expired = extend(chain, Expire(), at=at)
            due += expired
        command = make(chain) if chain.ceremony.state is State.OPEN else None
        if command is None:
            return
        try:
            chain, entries = extend(chain, command, at=at)
        except CeremonyError:  # full, perhaps: then it takes nothing any more
            return
        self._move(chain, [*due, *entries])

    def _adopt(self, chain: Chain, at: datetime) -> None:
        """Make due the policy that a ceremony was the second of two to approve, and what it takes."""
        request = chain.ceremony.request.statement
        if request.kind not in GOVERNED or chain.ceremony.state is not State.APPROVED:
            return
        change = self._approved((request.product, request.version, Kind.POLICY_CHANGE))
        acceptance = self._approved((request.product, request.version, Kind.POLICY_ACCEPTANCE), change)
        if change is None or acceptance is None:
            return
        policy, standing = policy_adopted_by(change.ceremony, acceptance.ceremony), self._standing()
        assert policy is not None  # noqa: S101 - both are about the same bytes
        check_change(policy, standing.policies[-1], change.ceremony, acceptance.ceremony)
        self.standing, entry = adopt(standing, policy, at)
        self._expect(None, [entry])
        by = change.ceremony.request.digest
        for ceremony in sorted(self._open):
            self._reach(ceremony, at, lambda other: _taken(other, policy, by))

    def _approved(self, release: Release, beside: Chain | None = None) -> Chain | None:
        """Return the latest that was approved for a release, about the same bytes as another if given."""
        subjects = beside and beside.ceremony.request.statement.subjects
        approved = [
            each.ceremony
            for each in self._known(release)
            if each.state is State.APPROVED and subjects in (None, each.subjects)
        ]
        return self.chains[approved[-1]] if approved else None


def _taken(chain: Chain, newer: SignedPolicy, by: str) -> Command | None:
    """Return what a newer policy means for an open ceremony."""
    if chain.ceremony.request.statement.kind in GOVERNED:
        return Supersede(by)
    taken = narrowing(chain.ceremony.policy, newer)
    return Narrow(taken) if taken else None

# SPDX-License-Identifier: Apache-2.0
"""A ceremony and its chain of entries, kept together.

``extend`` runs the rules and writes the entries; ``replay_chain`` reads entries and runs the same rules over
what caused them.  Each entry must be exactly what the rules make of the chain before it, so an entry that is
missing, repeated, moved, or concluded by somebody's wish is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.commands import (
    Begin,
    Cancel,
    Command,
    Deliver,
    End,
    Expire,
    Extend,
    File,
    Narrow,
    Record,
    Revoke,
    Stop,
    Supersede,
    Suspend,
)
from quorumseal.ceremony.deciding import decide
from quorumseal.ceremony.entries import (
    CONCLUSIONS,
    TYPES,
    Entry,
    EntryType,
    body_of,
    read_entry,
    statement_of,
    write_entry,
)
from quorumseal.ceremony.errors import (
    CeremonyError,
    ChainBrokenError,
    ChainOutcomeError,
    ChainTimeError,
    EntryNotSeenError,
)
from quorumseal.ceremony.events import Event
from quorumseal.ceremony.lifecycle import Ceremony, State, replay
from quorumseal.ceremony.narrowing_document import read_narrowing
from quorumseal.ceremony.opening import open_ceremony, opened
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.policy_fields import read_set
from quorumseal.ceremony.revoking import Revoked, read_revoked
from quorumseal.ceremony.seconding import read_envelopes
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import (
    Act,
    Cancellation,
    Decision,
    Delegation,
    Extension,
    Report,
    Request,
    Veto,
    Withdrawal,
)
from quorumseal.ceremony.suspending import Suspended, read_suspended
from quorumseal.ceremony.timestamping import stamp_in
from quorumseal.ceremony.values import digest, name
from quorumseal.signatures import Envelope
from quorumseal.strict_json import Fields

_ACTED_ON = frozenset({State.OPEN, State.PROVISIONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A ceremony, the hashes of its entries so far, what they hold, and the time of the last."""

    ceremony: Ceremony
    hashes: tuple[str, ...]
    statements: Mapping[str, int]
    """The number of the entry that holds a statement, by the statement's digest."""
    last_at: datetime
    conclusion: str | None = None
    """The hash of the entry that concluded it."""

    @property
    def id(self) -> str:
        """The ceremony's id."""
        return self.ceremony.request.statement.ceremony


def open_chain(
    policy: SignedPolicy,
    request: Signed[Request],
    *,
    at: datetime,
    delegations: tuple[Signed[Delegation], ...] = (),
    vetoed_by: frozenset[str] = frozenset(),
    proposed: bytes | None = None,
    revoked: tuple[Revoked, ...] = (),
    suspended: tuple[Suspended, ...] = (),
) -> tuple[Chain, Entry]:
    """Open a ceremony and write its first entry."""
    event = open_ceremony(
        policy.policy,
        request,
        at=at,
        delegations=delegations,
        vetoed_by=vetoed_by,
        proposed=proposed,
        revoked=revoked,
        suspended=suspended,
    )
    entry = write_entry(
        EntryType.OPENED, body_of(event), at=at, ceremony=request.statement.ceremony, seq=0, prev=None
    )
    return Chain(
        ceremony=opened(policy.policy, event),
        hashes=(entry.hash,),
        statements={request.digest: 0},
        last_at=at,
    ), entry


def extend(chain: Chain, command: Command, *, at: datetime) -> tuple[Chain, tuple[Entry, ...]]:
    """Run a command; return the longer chain and its new entries, none where nothing happened."""
    events = _decide(chain, command, at)
    hashes, statements, entries = list(chain.hashes), dict(chain.statements), []
    conclusion = chain.conclusion
    for event in events:
        if signed := statement_of(event):
            statements[signed.digest] = len(hashes)
        entry = write_entry(
            TYPES[type(event)],
            body_of(event),
            at=at,
            ceremony=chain.id,
            seq=len(hashes),
            prev=hashes[-1],
        )
        entries.append(entry)
        hashes.append(entry.hash)
        if entry.type in CONCLUSIONS:
            conclusion = entry.hash
    if not entries:
        return chain, ()
    longer = Chain(
        ceremony=replay(chain.ceremony, events),
        hashes=tuple(hashes),
        statements=statements,
        last_at=at,
        conclusion=conclusion,
    )
    return longer, tuple(entries)


def replay_chain(payloads: Iterable[bytes], policy: SignedPolicy) -> Chain:
    """Return the ceremony that the entries, in order from its opening, amount to; refuse any other tale."""
    entries = [read_entry(payload) for payload in payloads]
    if not entries:
        raise ChainBrokenError("expected the entries of a ceremony, got none")
    chain, first = reopen(entries[0], policy)
    require_same(entries[0], first)
    position = 1
    while position < len(entries):
        entry = entries[position]
        if entry.at < chain.last_at:
            raise ChainTimeError(f"expected entry {entry.seq} at or after {chain.last_at}, got {entry.at}")
        try:
            chain, due = extend(chain, cause_of(entry, policy), at=entry.at)
        except CeremonyError as refusal:
            require_linked(entry, chain)
            raise refusal
        _require_all(entries[position : position + len(due)], due, entry)
        position += len(due)
    return chain


def _decide(chain: Chain, command: Command, at: datetime) -> tuple[Event, ...]:
    act = _act(command)
    if (
        act is not None
        and act.request == chain.ceremony.request.digest  # what is about another one has its own refusal
        and chain.ceremony.state in _ACTED_ON
        and act.seen not in chain.hashes
    ):
        raise EntryNotSeenError(
            f"expected an act that names an entry of ceremony {chain.id}, got {act.seen}",
            hint="look at the ceremony again, then sign anew",
        )
    return decide(chain.ceremony, command, at=at)


def _act(command: Command) -> Act | None:
    """Return the act that names the newest entry that its signer had seen, where the command is one."""
    match command:
        case Cancel(signed) | Extend(signed) | Stop(signed) | File(signed):
            return signed.statement
        case _:
            return None


def _require_all(given: Sequence[Entry], due: Sequence[Entry], entry: Entry) -> None:
    if not due:
        raise ChainBrokenError(f"expected entry {entry.seq} to cause something, got a repetition")
    for index, expected in enumerate(due):
        if index == len(given):
            raise ChainBrokenError(
                f"expected entry {expected.seq} ({expected.type}) to follow, got the chain's end"
            )
        require_same(given[index], expected)


def require_same(entry: Entry, expected: Entry) -> None:
    """Refuse an entry that is not the one that the rules make."""
    if entry.payload == expected.payload:
        return
    if (entry.ceremony, entry.seq, entry.prev) != (expected.ceremony, expected.seq, expected.prev):
        raise ChainBrokenError(
            f"expected entry {expected.seq} of ceremony {expected.ceremony} after {expected.prev}, "
            f"got entry {entry.seq} of {entry.ceremony} after {entry.prev}",
            hint="an entry is missing, repeated, reordered, or belongs to another ceremony",
        )
    raise ChainOutcomeError(
        f"expected entry {expected.seq} to be {expected.type} as the rules make it, "
        f"got {entry.type} with other content",
        hint="the log claims an outcome that its own entries do not support",
    )


def require_linked(entry: Entry, chain: Chain) -> None:
    """Name a broken chain as such before what its entry would have been refused for."""
    if (entry.ceremony, entry.seq, entry.prev) != (chain.id, len(chain.hashes), chain.hashes[-1]):
        raise ChainBrokenError(
            f"expected entry {len(chain.hashes)} of ceremony {chain.id} after {chain.hashes[-1]}, "
            f"got entry {entry.seq} of {entry.ceremony} after {entry.prev}",
            hint="an entry is missing, repeated, reordered, or belongs to another ceremony",
        )


def reopen(entry: Entry, policy: SignedPolicy) -> tuple[Chain, Entry]:
    """Return the ceremony that an opening entry opens, and that entry as the rules make it."""
    if entry.type is not EntryType.OPENED:
        raise ChainBrokenError(f"expected a chain to begin with {EntryType.OPENED}, got {entry.type}")
    body = Fields(dict(entry.body), "entry.body")
    return open_chain(
        policy,
        signed_as(Request, authenticate(entry.envelope, policy)),
        at=entry.at,
        delegations=delegations_in(entry, policy),
        vetoed_by=read_set(body, "vetoed_by") if "vetoed_by" in body else frozenset(),
        proposed=body.text("policy").encode() if "policy" in body else None,
        revoked=tuple(read_revoked(made, [policy]) for made in _makers_in(body, "revoked")),
        suspended=tuple(read_suspended(made, [policy]) for made in _makers_in(body, "suspended")),
    )


def _makers_in(body: Fields, field: str) -> list[tuple[Envelope, ...]]:
    return [read_envelopes(each) for each in body.objects(field)] if field in body else []


def delegations_in(opening: Entry, policy: SignedPolicy) -> tuple[Signed[Delegation], ...]:
    """Return the delegations that were live when a ceremony was opened."""
    body = Fields(dict(opening.body), "entry.body")
    envelopes = body.values("delegations") if "delegations" in body else []
    signed = (authenticate(Envelope.read(value), policy) for value in envelopes)
    return tuple(signed_as(Delegation, each) for each in signed)


def cause_of(entry: Entry, policy: SignedPolicy) -> Command:
    """Return what must have caused an entry that no earlier entry caused."""
    body = Fields(dict(entry.body), "entry.body")
    match entry.type:
        case EntryType.DECIDED | EntryType.LATE:
            decision = signed_as(Decision, authenticate(entry.envelope, policy))
            return Record(decision, stamp_in(body, decision, policy.policy))
        case EntryType.CANCELLED:
            return Cancel(signed_as(Cancellation, authenticate(entry.envelope, policy)))
        case EntryType.EXTENDED:
            return Extend(signed_as(Extension, authenticate(entry.envelope, policy)))
        case EntryType.VETOED:
            return Stop(signed_as(Veto, authenticate(entry.envelope, policy)))
        case EntryType.REPORTED:
            return File(signed_as(Report, authenticate(entry.envelope, policy)))
        case EntryType.DELEGATED:
            return Begin(signed_as(Delegation, authenticate(entry.envelope, policy)))
        case EntryType.WITHDRAWN:
            return End(signed_as(Withdrawal, authenticate(entry.envelope, policy)))
        case EntryType.KEY_REVOKED:
            return Revoke(read_revoked(read_envelopes(body), [policy]))
        case EntryType.SUSPENDED:
            return Suspend(read_suspended(read_envelopes(body), [policy]))
        case EntryType.DELIVERED:
            return Deliver(
                name(body.text("recipient")), name(body.text("channel")), digest(body.text("notice"))
            )
        case EntryType.NARROWED:
            return Narrow(read_narrowing(body))
        case EntryType.EXPIRED | EntryType.PROVISIONAL | EntryType.WINDOW_BROKEN:
            return Expire()
        case EntryType.SUPERSEDED:
            return Supersede(digest(body.text("by")))
        case _:
            raise ChainOutcomeError(
                f"expected entry {entry.seq} to follow from the one before, got {entry.type} out of nothing",
                hint="the log claims an outcome that its own entries do not support",
            )

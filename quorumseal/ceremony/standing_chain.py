# SPDX-License-Identifier: Apache-2.0
"""The chain of the entries that belong to no ceremony: each policy version, the standing acts, recoveries.

As in a ceremony's chain, each entry must be exactly what the rules make of those before it.  Whether a policy
version was rightly made is judged elsewhere; here it only has to follow the one before.  That the log was
once recovered changes nothing that stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.entries import Entry, EntryType, policy_entry, policy_of, read_entry, write_entry
from quorumseal.ceremony.errors import ChainBrokenError, ChainTimeError
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.recovery import Recovery, read_recovery, write_recovery
from quorumseal.ceremony.signed import Signed, authenticate
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import (
    Absence,
    Delegation,
    KeyRevocation,
    StandingAct,
    Suspension,
    Withdrawal,
)

_TYPES: dict[type[StandingAct], EntryType] = {
    Absence: EntryType.ABSENT,
    Delegation: EntryType.DELEGATED,
    Withdrawal: EntryType.WITHDRAWN,
    KeyRevocation: EntryType.KEY_REVOKED,
    Suspension: EntryType.SUSPENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChain:
    """What stands, and the chain of entries that says so."""

    policies: tuple[SignedPolicy, ...]
    """Every version, oldest first."""
    standing: Standing
    hashes: tuple[str, ...]
    statements: Mapping[str, int]
    """The number of the entry that holds an act, by the act's digest."""
    last_at: datetime


def stand_on(chain: StandingChain, act: Signed[StandingAct], *, at: datetime) -> tuple[StandingChain, Entry]:
    """Take in an act that is not there yet, signed under the newest policy; return its entry too."""
    *earlier, newest = (signed.policy for signed in chain.policies)
    standing = stand(chain.standing, act, newest, at=at, earlier=earlier)
    entry = write_entry(
        _TYPES[type(act.statement)],
        {"envelope": act.envelope.to_json()},
        at=at,
        ceremony=None,
        seq=len(chain.hashes),
        prev=chain.hashes[-1],
    )
    longer = replace(
        chain,
        standing=standing,
        statements={**chain.statements, act.digest: len(chain.hashes)},
        hashes=(*chain.hashes, entry.hash),
        last_at=at,
    )
    return longer, entry


def replay_standing(payloads: Iterable[bytes]) -> StandingChain:
    """Return what the entries, in order from the first policy, amount to; refuse any other tale."""
    chain: StandingChain | None = None
    for payload in payloads:
        entry = read_entry(payload)
        chain = begin_standing(entry) if chain is None else follow(chain, entry)
    if chain is None:
        raise ChainBrokenError("expected the entries of no ceremony, from the first policy on, got none")
    return chain


def begin_standing(entry: Entry) -> StandingChain:
    """Return the chain that the first policy begins."""
    chain, expected = _founded(entry)
    _require_same(entry, expected)
    return chain


def follow(chain: StandingChain, entry: Entry) -> StandingChain:
    """Return the chain with one entry more; refuse one that the rules do not make of it."""
    if entry.at < chain.last_at:
        raise ChainTimeError(f"expected entry {entry.seq} at or after {chain.last_at}, got {entry.at}")
    longer, expected = _follow(chain, entry)
    _require_same(entry, expected)
    return longer


def _require_same(entry: Entry, expected: Entry) -> None:
    if entry.payload != expected.payload:
        raise _broken(entry, expected.seq, expected.prev)


def _founded(entry: Entry) -> tuple[StandingChain, Entry]:
    _require_type(entry, {EntryType.POLICY})
    policy = policy_of(entry)
    if policy.founding is None:
        raise ChainBrokenError("expected the first policy signed by its founders, got a later one")
    expected = policy_entry(policy, at=entry.at, seq=0, prev=None)
    return StandingChain(
        policies=(policy,), standing=Standing(), hashes=(expected.hash,), statements={}, last_at=entry.at
    ), expected


def _follow(chain: StandingChain, entry: Entry) -> tuple[StandingChain, Entry]:
    _require_type(entry, {EntryType.POLICY, EntryType.RECOVERED, *_TYPES.values()})
    if (entry.ceremony, entry.seq, entry.prev) != (None, len(chain.hashes), chain.hashes[-1]):
        raise _broken(entry, len(chain.hashes), chain.hashes[-1])  # before what it would be refused for
    if entry.type is EntryType.POLICY:
        return adopt(chain, policy_of(entry), entry.at)
    if entry.type is EntryType.RECOVERED:
        return recover(chain, read_recovery(entry.body), entry.at)
    act = authenticate(entry.envelope, chain.policies[-1])
    if not isinstance(act.statement, StandingAct) or act.digest in chain.statements:
        raise ChainBrokenError(
            f"expected entry {entry.seq} to hold a standing act that is new, got another statement"
        )
    return stand_on(chain, Signed(act.statement, act.envelope, act.key, act.digest), at=entry.at)


def adopt(chain: StandingChain, policy: SignedPolicy, at: datetime) -> tuple[StandingChain, Entry]:
    """Take in the next version; return its entry too."""
    newest = chain.policies[-1]
    if policy.ceremonies is None:
        raise ChainBrokenError("expected a later policy that ceremonies approved, got one signed by founders")
    if (policy.policy.version, policy.policy.previous) != (newest.policy.version + 1, newest.digest):
        raise ChainBrokenError(
            f"expected a policy that follows version {newest.policy.version}, "
            f"got version {policy.policy.version}"
        )
    entry = policy_entry(policy, at=at, seq=len(chain.hashes), prev=chain.hashes[-1])
    return replace(
        chain, policies=(*chain.policies, policy), hashes=(*chain.hashes, entry.hash), last_at=at
    ), entry


def recover(chain: StandingChain, recovery: Recovery, at: datetime) -> tuple[StandingChain, Entry]:
    """Put on record that the log had lost its end and has it again; return the entry too."""
    entry = write_entry(
        EntryType.RECOVERED,
        write_recovery(recovery),
        at=at,
        ceremony=None,
        seq=len(chain.hashes),
        prev=chain.hashes[-1],
    )
    return replace(chain, hashes=(*chain.hashes, entry.hash), last_at=at), entry


def _broken(entry: Entry, seq: int, prev: str | None) -> ChainBrokenError:
    return ChainBrokenError(
        f"expected standing entry {seq} after {prev}, "
        f"got entry {entry.seq} ({entry.type}) after {entry.prev}",
        hint="an entry is missing, repeated, reordered, or belongs elsewhere",
    )


def _require_type(entry: Entry, expected: set[EntryType]) -> None:
    if entry.type not in expected:
        raise ChainBrokenError(
            f"expected standing entry {entry.seq} to be one of {', '.join(sorted(expected))}, "
            f"got {entry.type}"
        )

# SPDX-License-Identifier: Apache-2.0
"""One ceremony as an auditor is told it: its quorum record, and what that alone does not say.

Where it stands in the log, under which policy, what each signer had seen, how the quorum was counted.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from quorumseal.audit.asking_errors import NoSuchReleaseError
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.population import Audited, PlacedEntry, Population
from quorumseal.audit.proving import prove
from quorumseal.audit.tree_check import roots_of
from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.record import QuorumRecord, to_json
from quorumseal.ceremony.statements import Choice, Decision, SeenCheckpoint
from quorumseal.ceremony.values import digest_of
from quorumseal.strict_json import JsonValue
from quorumseal.tlog import hash_text

FEWEST_DIGITS = 4
_RELEASED = frozenset({State.APPROVED, State.PROVISIONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the agent of whoever signed had verified of the log by then."""

    checkpoint: SeenCheckpoint
    same: bool | None
    """Whether it is a past of this log; None where this copy does not reach back so far."""

    def to_json(self, index: int) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "entry": index,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root,
            "same": self.same,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Somebody's standing decision, and what it did for the quorum."""

    who: str
    choice: Choice
    consented: tuple[str, ...]
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One ceremony as an auditor is told it."""

    audited: Audited
    record: QuorumRecord
    policy_from: int | None
    """The entry from which its policy held; None of a policy that never did."""
    later_versions: int
    """How many policy versions there were after that."""
    seen: Mapping[int, Seen]
    """By the index of the entry that holds the statement."""
    counted: tuple[Counted, ...]
    inclusion: tuple[bytes, ...]
    """Proves the last entry, and with it every one before it."""
    checkpoint: bytes

    @property
    def contradicted(self) -> tuple[int, ...]:
        """Return the entries whose signers were shown another log than this one."""
        return tuple(index for index, seen in sorted(self.seen.items()) if seen.same is False)

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs: the quorum record, and what proves it."""
        texts = self.audited.texts
        return {
            **to_json(self.record),
            "policy_from_entry": self.policy_from,
            "policy_versions_since": self.later_versions,
            "entries": [each.index for each in self.audited.entries],
            "counted": [
                {"signer": each.who, "choice": str(each.choice), "roles": [*each.consented], "how": each.how}
                for each in self.counted
            ],
            "seen": [seen.to_json(index) for index, seen in sorted(self.seen.items())],
            "texts": {commitment: texts[commitment] for commitment in sorted(texts)},
            "proof": {
                "payloads": [each.entry.payload.decode() for each in self.audited.entries],
                "index": self.audited.entries[-1].index,
                "inclusion": [base64.b64encode(node).decode() for node in self.inclusion],
                "checkpoint": self.checkpoint.decode(),
            },
        }


def find(population: Population, named: str) -> tuple[Audited, ...]:
    """Return every ceremony that is meant by an id, the beginning of one, or PRODUCT@VERSION."""
    product, at, version = named.partition("@")
    if at:
        found = [
            each
            for each in population.ceremonies
            if (each.request.product, each.request.version) == (product, version)
        ]
    else:
        found = [each for each in population.ceremonies if each.id.startswith(named)]
        if len(named) < FEWEST_DIGITS or len(found) > 1:
            raise NoSuchReleaseError(
                f"expected the id of one ceremony, or PRODUCT@VERSION, got {named[:80]!a}, with which "
                f"{len(found)} of {len(population.ceremonies)} begin",
                hint="give more of the id; `quorumseal audit ask complete` lists them all",
            )
    if not found:
        raise NoSuchReleaseError(
            f"expected one of the {len(population.ceremonies)} ceremonies of this log, got {named[:80]!a}",
            hint="`quorumseal audit ask complete` lists them all",
        )
    return tuple(found)


def foremost(found: tuple[Audited, ...]) -> Audited:
    """Return the one to show first: what released it, else the last that asked for it, else the last."""
    releases = [each for each in found if each.request.kind is Kind.RELEASE]
    released = [each for each in releases if each.state in _RELEASED]
    return (released or releases or [*found])[-1]


def show(population: Population, copy: LogCopy, audited: Audited) -> Shown:
    """Tell one ceremony."""
    digests = [policy.digest for policy in population.policies]
    known = digests.index(audited.policy.digest) if audited.policy.digest in digests else None
    return Shown(
        audited=audited,
        record=audited.record(),
        policy_from=None if known is None else population.begins[known],
        later_versions=0 if known is None else len(digests) - known - 1,
        seen=_seen(copy, audited),
        counted=_counted(audited),
        inclusion=prove(copy, audited.entries[-1].index),
        checkpoint=copy.checkpoint,
    )


def _seen(copy: LogCopy, audited: Audited) -> Mapping[int, Seen]:
    given = {entry.index: statement.context.checkpoint for entry, statement in audited.statements}
    roots = roots_of(copy, {seen.size for seen in given.values() if seen.size})
    return {index: Seen(checkpoint=seen, same=_same(seen, roots, copy)) for index, seen in given.items()}


def _same(seen: SeenCheckpoint, roots: Mapping[int, bytes], copy: LogCopy) -> bool | None:
    """Tell whether a checkpoint is of this log; the empty one, of who had seen none, is of every log."""
    if not seen.size:
        return True
    if seen.size < copy.first:
        return None
    root = roots.get(seen.size)
    return root is not None and seen.root == hash_text(root)


def _counted(audited: Audited) -> tuple[Counted, ...]:
    ceremony = audited.ceremony
    at = ceremony.counted_at or audited.chain.last_at
    seats = {signer: role for role, people in ceremony.seats(at=at) for signer in people}
    stands = ceremony.consents(at=at).keys()
    counted = [
        Counted(
            who=known_as(ceremony, signer),
            choice=signed.statement.choice,
            consented=tuple(sorted(signed.statement.roles)),
            how=_how(signed.statement, seats.get(signer), stands=signer in stands),
        )
        for signer, signed in ceremony.decisions.items()
    ]
    return (*counted, *_not_standing(audited))


def _how(decision: Decision, role: str | None, *, stands: bool) -> str:
    if role is not None:
        return f"counts as {role}"
    if decision.choice is Choice.ABSTENTION:
        return "never counts"
    if decision.choice is Choice.REJECTION:
        return "spoke against it"
    return "stands, and was not needed" if stands else "did not stand any more when it was counted"


def _not_standing(audited: Audited) -> tuple[Counted, ...]:
    """Return the decisions that were replaced, that fell, or that came late."""
    standing = {signed.digest for signed in audited.ceremony.decisions.values()}
    given = [
        (entry, statement, digest_of(entry.entry.envelope.payload))
        for entry, statement in audited.statements
        if isinstance(statement, Decision)
    ]
    return tuple(
        Counted(
            who=statement.context.signer,
            choice=statement.choice,
            consented=tuple(sorted(statement.roles)),
            how=_why_not(audited, entry, digest),
        )
        for entry, statement, digest in given
        if digest not in standing
    )


def _why_not(audited: Audited, entry: PlacedEntry, digest: str) -> str:
    if digest in audited.ceremony.fallen:
        return "stood until a key was revoked, or they were suspended"
    if entry.entry.type is EntryType.LATE:
        return "came too late"
    return "was replaced by a later decision"

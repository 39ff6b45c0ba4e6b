# SPDX-License-Identifier: Apache-2.0
"""What a concluded ceremony amounts to without a key: it stands by the others, or falls short of its quorum.

Counted by the quorum itself, over the decisions that are left.  Who counted in which role, and in which
stage, is as the log has it: nothing is decided again here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.breaking_glass import emergency_met
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, Delegation
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.strict_json import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Compromise:
    """A key that somebody else may have used, and from when on."""

    key: str
    """Its key id."""
    since: datetime | None = None
    """Where it is left out, nothing that the key ever signed stands."""

    def touches(self, signed: Signed[Decision] | Signed[Delegation], proved: Mapping[str, datetime]) -> bool:
        """Whether something does not stand: signed by the key, and not proved to be older."""
        if signed.key.key.key_id != self.key:
            return False
        return self.since is None or signed.digest not in proved or proved[signed.digest] >= self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """What is left of a concluded ceremony."""

    fallen: tuple[str, ...]
    """Whose approval does not stand."""
    seats: Mapping[str, tuple[str, ...]]
    """Who fills which role without them."""
    missing: tuple[str, ...]
    """What the quorum falls short of, in sentences; nothing where it is met without them."""


def proved_times(entries: Iterable[bytes]) -> dict[str, datetime]:
    """Return by when each statement of a ceremony existed, by its digest: the log had it then."""
    proved: dict[str, datetime] = {}
    for entry in map(read_entry, entries):
        if "envelope" in entry.body:
            proved.setdefault(digest_of(entry.envelope.payload), entry.at)
        body = Fields(dict(entry.body), "entry.body")
        if entry.type is EntryType.OPENED and "delegations" in body:
            for value in body.values("delegations"):
                proved.setdefault(digest_of(Envelope.read(value).payload), entry.at)
    return proved


def remainder(
    ceremony: Ceremony, compromises: Collection[Compromise], proved: Mapping[str, datetime]
) -> Remainder:
    """Judge a ceremony that met its quorum by what stands without some keys."""
    fallen = frozenset(
        signer
        for signer, decision in ceremony.decisions.items()
        if any(_falls(ceremony, decision, compromise, proved) for compromise in compromises)
    )
    left = replace(
        ceremony,
        decisions={signer: d for signer, d in ceremony.decisions.items() if signer not in fallen},
        stands_for={deputy: d for deputy, d in ceremony.stands_for.items() if deputy not in fallen},
    )
    at = ceremony.counted_at
    assert at is not None  # noqa: S101 - it has concluded
    count = left.tally(at=at)
    met = count.quorum_met if left.emergency is None else emergency_met(left, at=at)
    return Remainder(
        fallen=tuple(sorted(fallen & ceremony.consents(at=at).keys())),
        seats=count.seats,
        missing=() if met else _missing(left, at),
    )


def _falls(
    ceremony: Ceremony, decision: Signed[Decision], compromise: Compromise, proved: Mapping[str, datetime]
) -> bool:
    """Whether a decision does not stand, or the delegation by which it was made."""
    used = ceremony.stands_for.get(decision.signer)
    return compromise.touches(decision, proved) or (used is not None and compromise.touches(used, proved))


def _missing(left: Ceremony, at: datetime) -> tuple[str, ...]:
    count = left.tally(at=at)
    if count.quorum_met:
        return ("the emergency needs more people than are left",)
    return explain(count)

# SPDX-License-Identifier: Apache-2.0
"""What a concluded ceremony amounts to without some keys: it stands by the others, or its quorum falls short.

Counted by the quorum itself, over the decisions that are left.  Who counted in which role, and in which
stage, is as the log has it: nothing is decided again here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quorumseal.ceremony.breaking_glass import emergency_met
from quorumseal.ceremony.lifecycle import Ceremony, without_key
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.revoking import Revoked

EVER = datetime.min.replace(tzinfo=UTC)
"""Since when nothing that a key ever signed stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """What is left of a concluded ceremony."""

    fallen: tuple[str, ...]
    """Whose approval does not stand."""
    request_fell: bool
    """Whether the request itself does not."""
    seats: Mapping[str, tuple[str, ...]]
    """Who fills which role without them."""
    missing: tuple[str, ...]
    """What the quorum falls short of, in sentences; nothing where it is met without them."""

    @property
    def touched(self) -> bool:
        """Whether anything was taken from it."""
        return self.request_fell or bool(self.fallen)

    @property
    def falls_short(self) -> bool:
        """Whether its quorum is not met any more."""
        return bool(self.missing)


def compromised(key: str, since: datetime | None = None) -> Revoked:
    """Return what it would be to revoke a key, since an instant or for all that it ever signed."""
    return Revoked(key=key, since=since or EVER, envelopes=())


def remainder(ceremony: Ceremony, revoked: Collection[Revoked]) -> Remainder:
    """Judge a ceremony that met its quorum by what stands without some keys."""
    at = ceremony.counted_at
    assert at is not None  # noqa: S101 - it has concluded
    left, before = ceremony, ceremony.consents(at=at)
    for each in revoked:
        left = without_key(left, each)
    return Remainder(
        fallen=tuple(sorted(before.keys() - left.decisions.keys())),
        request_fell=left.request_fell,
        seats=left.tally(at=at).seats,
        missing=shortfall(left, at=at),
    )


def shortfall(left: Ceremony, *, at: datetime) -> tuple[str, ...]:
    """Say in sentences what the quorum falls short of after keys fell; nothing where it is met."""
    if left.request_fell:
        return (f"{left.request.signer} asked for it with that key, so nothing that followed counts",)
    count = left.tally(at=at)
    if not count.quorum_met:
        return explain(count)
    if left.emergency is not None and not emergency_met(left, at=at):
        return ("the emergency needs more people than are left",)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A release by each full quorum that approved its bytes, the oldest first; one that stands is enough."""

    quorums: tuple[tuple[Ceremony, Remainder], ...]

    @property
    def touched(self) -> bool:
        """Whether anything was taken from it."""
        return any(left.touched for _, left in self.quorums)

    @property
    def stands_by(self) -> tuple[Ceremony, Remainder] | None:
        """The newest quorum that is met without the keys; none where it falls short."""
        return next((each for each in reversed(self.quorums) if not each[1].falls_short), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the newest quorum falls short of; nothing where one stands."""
        return () if self.stands_by else self.quorums[-1][1].missing


def judge_release(quorums: Collection[Ceremony], revoked: Collection[Revoked]) -> Judgement:
    """Judge a release, its ratification and its re-approvals, those of them that were a full quorum's."""
    return Judgement(quorums=tuple((ceremony, remainder(ceremony, revoked)) for ceremony in quorums))

# SPDX-License-Identifier: Apache-2.0
"""As what a release counts: regular, ratified, provisional or unlogged.  Each says what it means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statements import Mode, Request, SeenCheckpoint
from quorumseal.ceremony.succeeding import check_ratification, check_revocation
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import Checkpoint
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.errors import (
    BundleFormatError,
    ConclusionCheckpointError,
    LapsedError,
    OtherKindError,
    ProvisionalClockError,
    ProvisionalError,
    QuorumShortError,
    RejectedError,
    RevokedError,
    UnapprovedError,
    UnloggedClockError,
    UnloggedError,
    UnloggedTooLateError,
    VerificationError,
)
from quorumseal.verifier.part import ROOT_PREFIX, Part, verify_part, verify_seen_checkpoints
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.status import require_status
from quorumseal.verifier.trust import Trust

_UNAPPROVED = {State.OPEN: QuorumShortError, State.REJECTED: RejectedError}


@unique
class Standing(StrEnum):
    """As what a release counts."""

    REGULAR = "regular"
    RATIFIED = "ratified"
    PROVISIONAL = "provisional"
    UNLOGGED = "unlogged"

    @property
    def meaning(self) -> str:
        """What it means, and what it does not."""
        return _MEANINGS[self]


_MEANINGS = {
    Standing.REGULAR: "the full quorum of its rule approved exactly these bytes in time, and the log has it",
    Standing.RATIFIED: "an emergency released it, and afterwards the full quorum of its rule approved the "
    "same bytes: it counts like a regular release",
    Standing.PROVISIONAL: "a few people released it in an emergency; the full quorum has not approved it, "
    "and it stops counting at its provisional end",
    Standing.UNLOGGED: "the people named signed for these bytes, but no log shows when, or that none of them "
    "rejected it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What whoever verifies asks for beyond the artifacts."""

    product: str | None = None
    now: datetime | None = None
    """This machine's clock; without it nothing that ends by itself is accepted."""
    status: bytes | None = None
    allow_provisional: bool = False
    allow_unlogged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A ceremony that was approved, as its part of a bundle shows."""

    chain: Chain
    checkpoint: Checkpoint | None

    @property
    def ceremony(self) -> Ceremony:
        """The ceremony itself."""
        return self.chain.ceremony


def judge_part(part: Part, policy: SignedPolicy) -> Judged:
    """Replay a ceremony, and see that the log has it; refuse one that was not approved."""
    if not part.logged:
        judged = Judged(chain=replay_chain(part.entries, policy), checkpoint=None)
        _check_approved(judged.chain)
        return judged
    verified = verify_part(part, policy)
    _check_approved(verified.chain)
    _check_conclusion(part.index, verified.checkpoint)
    return Judged(chain=verified.chain, checkpoint=verified.checkpoint)


def judge_past(part: Part, judged: Judged, *, after: Judged | None = None) -> None:
    """Refuse a log that does not extend every checkpoint that a statement names, and that of ``after``."""
    if judged.checkpoint is None:
        return
    before = after.checkpoint if after else None
    also = (SeenCheckpoint(size=before.size, root=ROOT_PREFIX + before.root.hex()),) if before else ()
    verify_seen_checkpoints(part, judged.checkpoint, also)


def judge_ratification(parts: Sequence[Part], release: Judged, policy: SignedPolicy) -> Ceremony | None:
    """Return the ceremony that ratified an emergency, none where there is none; refuse any other part."""
    if not parts:
        return None
    if len(parts) > 1:
        raise BundleFormatError(
            f"expected a release and at most its ratification in a bundle, got {len(parts) + 1} ceremonies"
        )
    judged = judge_part(parts[0], policy)
    request = judged.ceremony.request.statement
    if request.kind is not Kind.RATIFICATION or request.ratified is None:
        raise OtherKindError(
            f"expected a ratification after the release, got a {request.kind}",
            hint="ask the publisher for the bundle of the release itself",
        )
    if release.checkpoint is None or judged.checkpoint is None:
        raise UnloggedError(
            "expected an emergency and its ratification that the log has, got one that it has not",
            hint="only the log shows that the one came after the other, and in time",
        )
    judge_past(parts[0], judged, after=release)
    check_ratification(request, request.ratified, release.ceremony, release.chain.hashes[-1])
    return judged.ceremony


def standing_of(release: Judged, *, ratified: bool) -> Standing:
    """Return as what an approved release counts."""
    if release.checkpoint is None:
        return Standing.UNLOGGED
    if release.ceremony.request.statement.mode is Mode.REGULAR:
        return Standing.REGULAR
    return Standing.RATIFIED if ratified else Standing.PROVISIONAL


def check_standing(standing: Standing, ceremony: Ceremony, terms: Terms) -> None:
    """Refuse what counts only for a while, or only where somebody asked for it."""
    request = ceremony.request.statement
    if request.emergency is not None and standing is not Standing.RATIFIED:
        ends = min(request.emergency.provisional_until, request.emergency.ratify_by)
        if terms.now is not None and terms.now >= ends:
            raise LapsedError(
                f"expected a provisional release before its end {instant_text(ends)}, "
                f"got it at {instant_text(terms.now)}",
                hint="ask the publisher for the ratified bundle, or for a regular release",
            )
        if not terms.allow_provisional or terms.now is None:
            raise ProvisionalError(
                f"expected a regular or ratified release, got a provisional one: {standing.meaning}",
                hint="wait for its ratification, or accept the risk with --allow-provisional",
            )
        _check_clock(ceremony, terms.now, ProvisionalClockError)
    if standing is Standing.UNLOGGED:
        if terms.now is not None and terms.now >= request.hard_stop:
            raise UnloggedTooLateError(
                f"expected an unlogged release before its hard stop {instant_text(request.hard_stop)}, "
                f"got it at {instant_text(terms.now)}",
                hint="have the log take it in, or release it again",
            )
        if not terms.allow_unlogged or terms.now is None:
            raise UnloggedError(
                f"expected a release that the log has, got an unlogged one: {standing.meaning}",
                hint="ask for the logged bundle, or accept the risk with --allow-unlogged",
            )
        _check_clock(ceremony, terms.now, UnloggedClockError)


def check_status(
    terms: Terms, trust: Trust, policy: SignedPolicy, release: Judged, ratification: Ceremony | None
) -> None:
    """Refuse what the organisation took back, and an emergency that its log says has lapsed."""
    status = require_status(terms.status, policy.policy, max_age=trust.status_max_age, now=terms.now)
    if status is None:
        return
    released = [release.ceremony, *([ratification] if ratification else [])]
    requests = {ceremony.request.digest: ceremony for ceremony in released}
    for bundle in status.revocations:
        request = judge_revocation(bundle, trust)
        revoked = requests.get(request.subjects[0].digest)
        if revoked is not None:
            check_revocation(request, revoked.request, revoked.state)
            raise RevokedError(
                f"expected a release that stands, got one that {request.context.organisation} took back "
                f"(ceremony {request.ceremony})",
                hint="do not use it; ask the publisher for another version",
            )
    if ratification is None and not status.lapsed.isdisjoint(requests):
        raise LapsedError(
            f"expected a release that stands, got an emergency that nobody ratified in time, "
            f"as the log says ({instant_text(status.at)})",
            hint="ask the publisher for a regular release",
        )


def judge_revocation(bundle: bytes, trust: Trust) -> Request:
    """Return the request of the ceremony that took back a release; refuse any other bundle."""
    parsed = read_bundle(bundle)
    judged = judge_part(parsed.parts[0], walk(parsed.policies, trust))
    judge_past(parsed.parts[0], judged)
    request = judged.ceremony.request.statement
    if len(parsed.parts) != 1 or request.kind is not Kind.REVOCATION or judged.checkpoint is None:
        raise OtherKindError(
            f"expected the bundle of a {Kind.REVOCATION}, got one of a {request.kind}",
            hint="fetch status.json again, if it was in there",
        )
    return request


def _check_clock(ceremony: Ceremony, now: datetime, refusal: type[VerificationError]) -> None:
    """Refuse a clock that was set back: by it, nothing would ever end."""
    ended = ceremony.ended_at
    if ended is not None and ended - now > ceremony.policy.clock_skew:
        raise refusal(
            f"expected a clock past the end of the ceremony, {instant_text(ended)}, got {instant_text(now)}"
        )


def _check_approved(chain: Chain) -> None:
    ceremony = chain.ceremony
    if ceremony.state in (State.APPROVED, State.PROVISIONAL):
        return
    request = ceremony.request.statement
    refusal = _UNAPPROVED.get(ceremony.state, UnapprovedError)
    count = ceremony.tally(at=chain.last_at)
    raise refusal(
        f"expected a ceremony that met its quorum, got one that is {ceremony.state} "
        f"({'; '.join(explain(count))}; deadline {instant_text(ceremony.deadline)})",
        hint=f"ask the publisher for the bundle of an approved ceremony of {request.product}",
    )


def _check_conclusion(index: int, checkpoint: Checkpoint) -> None:
    if checkpoint.size != index + 1:
        raise ConclusionCheckpointError(
            f"expected the checkpoint of size {index + 1}, signed at the conclusion, "
            f"got size {checkpoint.size}"
        )

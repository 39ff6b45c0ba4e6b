# SPDX-License-Identifier: Apache-2.0
"""As what a release counts: regular, ratified, re-approved, provisional or unlogged, and what that means."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.statements import Mode, Request, SeenCheckpoint
from quorumseal.ceremony.succeeding import check_ratification, check_reapproval, check_revocation
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import Checkpoint, hash_text
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
    RevokedKeyError,
    UnapprovedError,
    UnloggedClockError,
    UnloggedError,
    UnloggedTooLateError,
    VerificationError,
)
from quorumseal.verifier.part import Part, verify_part, verify_seen_checkpoints
from quorumseal.verifier.policy_chain import PolicyChain, policy_chain
from quorumseal.verifier.revoked_keys import RevokedUse, judge_revoked_keys, without_revoked
from quorumseal.verifier.status import Status, policies_of, require_status
from quorumseal.verifier.trust import Trust

_MOST_PARTS = 3
"""An emergency, its ratification, and a re-approval."""
_UNAPPROVED = {State.OPEN: QuorumShortError, State.REJECTED: RejectedError}


@unique
class Standing(StrEnum):
    """As what a release counts."""

    REGULAR = "regular"
    RATIFIED = "ratified"
    REAPPROVED = "re-approved"
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
    Standing.REAPPROVED: "after its release the full quorum of its rule approved the same bytes afresh: it "
    "counts like a regular release, whatever became of the first approvals",
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
    require_timestamp: bool = False
    """Whether somebody else than the log must say by when it had concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A ceremony that was approved, as its part of a bundle shows."""

    chain: Chain
    checkpoint: Checkpoint | None

    @property
    def ceremony(self) -> Ceremony:
        """The ceremony itself."""
        return self.chain.ceremony

    @property
    def kind(self) -> Kind:
        """What it is about."""
        return self.ceremony.request.statement.kind


def judge_part(part: Part, policies: PolicyChain) -> Judged:
    """Replay a ceremony, and see that the log has it; refuse one that was not approved."""
    policy = policies.of(part)
    if not part.logged:
        judged = Judged(chain=replay_chain(part.entries, policy), checkpoint=None)
        _check_approved(judged.chain)
        return judged
    verified = verify_part(part, policy, *policies.logs(policy))
    _check_approved(verified.chain)
    _check_conclusion(part.index, verified.checkpoint)
    policies.require_held(policy, part)
    return Judged(chain=verified.chain, checkpoint=verified.checkpoint)


def judge_past(part: Part, judged: Judged, *, after: Judged | None = None) -> None:
    """Refuse a log that does not extend every checkpoint that a statement names, and that of ``after``."""
    if judged.checkpoint is None:
        return
    before = after.checkpoint if after else None
    also = (SeenCheckpoint(size=before.size, root=hash_text(before.root)),) if before else ()
    verify_seen_checkpoints(part, judged.checkpoint, also)


def judge_following(parts: Sequence[Part], release: Judged, policies: PolicyChain) -> tuple[Judged, ...]:
    """Return the ceremonies that ratified and re-approved a release; each is about the one before it."""
    if len(parts) > _MOST_PARTS:
        raise BundleFormatError(
            f"expected a release, its ratification and its re-approval at most in a bundle, "
            f"got {len(parts)} ceremonies"
        )
    judged = [release]
    for place, part in enumerate(parts[1:], start=1):
        judged.append(judge_part(part, policies))
        _judge_about(part, judged[place], judged[place - 1])
    return tuple(judged[1:])


def _judge_about(part: Part, judged: Judged, before: Judged) -> None:
    """Refuse a ceremony that neither ratifies nor re-approves exactly the one before it."""
    request = judged.ceremony.request.statement
    if request.earlier is None:
        raise OtherKindError(
            f"expected a ratification or a re-approval after the release, got a {request.kind}",
            hint="ask the publisher for the bundle of the release itself",
        )
    if before.checkpoint is None or judged.checkpoint is None:
        raise UnloggedError(
            f"expected a release and its {request.kind} that the log has, got one that it has not",
            hint="only the log shows that the one came after the other, and in time",
        )
    judge_past(part, judged, after=before)
    check = check_ratification if request.kind is Kind.RATIFICATION else check_reapproval
    check(request, request.earlier, before.ceremony, before.chain.hashes[-1])


def standing_of(release: Judged, followed: Collection[Kind]) -> Standing:
    """Return as what an approved release counts that was followed by these kinds."""
    if release.checkpoint is None:
        return Standing.UNLOGGED
    if Kind.RE_APPROVAL in followed:
        return Standing.REAPPROVED
    if release.ceremony.request.statement.mode is Mode.REGULAR:
        return Standing.REGULAR
    return Standing.RATIFIED if Kind.RATIFICATION in followed else Standing.PROVISIONAL


def check_standing(standing: Standing, ceremony: Ceremony, terms: Terms) -> None:
    """Refuse what counts only for a while, or only where somebody asked for it."""
    request = ceremony.request.statement
    if request.emergency is not None and standing not in (Standing.RATIFIED, Standing.REAPPROVED):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A release and the ceremonies that followed it, as far as they hold after a status file was read."""

    release: Ceremony
    followed: tuple[Judged, ...]
    revoked: tuple[RevokedUse, ...] = ()
    """What revoked keys signed in all of them."""


def check_status(
    terms: Terms, trust: Trust, policies: PolicyChain, release: Judged, followed: Sequence[Judged]
) -> Weighed:
    """Refuse what the organisation took back, what lapsed, and what is short without revoked keys."""
    weighed = Weighed(release=release.ceremony, followed=tuple(followed))
    status = require_status(terms.status, policies, trust, max_age=trust.status_max_age, now=terms.now)
    if status is None:
        return weighed
    _check_taken_back(status, trust, release, followed)
    keys = judge_revoked_keys(status.keys, policies_of(status, policies, trust))
    return _weigh(keys, release, followed) if keys else weighed


def _weigh(keys: Collection[Revoked], release: Judged, followed: Sequence[Judged]) -> Weighed:
    """Take revoked keys out; refuse where neither the release nor a ceremony that followed still holds."""
    every = [(each, without_revoked(each.ceremony, keys, logged=bool(each.checkpoint))) for each in followed]
    first = without_revoked(release.ceremony, keys, logged=bool(release.checkpoint))
    held = tuple(each for each, remains in every if remains.quorum_met)
    if not held and not first.quorum_met:
        last = every[-1][1] if every else first
        uses = [use for use in last.uses if not use.counts]
        raise RevokedKeyError(
            f"expected a quorum without revoked keys, got one that is short without "
            f"{' and '.join(_use_text(use) for use in uses)}: {'; '.join(last.missing)}",
            hint="do not use it; ask the publisher for a bundle that was approved anew",
        )
    return Weighed(
        release=first.ceremony if first.quorum_met else release.ceremony,
        followed=held,
        revoked=(*first.uses, *(use for _, remains in every for use in remains.uses)),
    )


def _use_text(use: RevokedUse) -> str:
    return f"{use.signer} (key {use.key}, revoked since {instant_text(use.since)})"


def _check_taken_back(status: Status, trust: Trust, release: Judged, followed: Sequence[Judged]) -> None:
    released = (release, *followed)
    requests = {judged.ceremony.request.digest: judged.ceremony for judged in released}
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
    if not followed and not status.lapsed.isdisjoint(requests):
        raise LapsedError(
            f"expected a release that stands, got an emergency that nobody ratified in time, "
            f"as the log says ({instant_text(status.at)})",
            hint="ask the publisher for a regular release",
        )


def judge_revocation(bundle: bytes, trust: Trust) -> Request:
    """Return the request of the ceremony that took back a release; refuse any other bundle."""
    parsed = read_bundle(bundle)
    judged = judge_part(parsed.parts[0], policy_chain(parsed.policies, trust))  # whatever takes back stays
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

# SPDX-License-Identifier: Apache-2.0
"""From a ceremony to a review, and what stands in the way of deciding on it."""

from quorumseal.ceremony.emergency import SHORTEST_WHY
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.errors import (
    CeremonyEndedError,
    RequesterDecidesError,
    SignedAfterDeadlineError,
    SignerSuspendedError,
)
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import AlreadyApprovedError, MustSupersedeError
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.ceremony.values import digest_of, instant_text
from signer_agent.agent import Agent
from signer_agent.artifacts import Findings, Found, Sources, find_artifacts
from signer_agent.background import Background, background_of
from signer_agent.errors import NotAwaitedError, TextMissingError
from signer_agent.observing import Observation, observe
from signer_agent.recollection import Known
from signer_agent.review import Review, Standing

_MOST_EARLIER = 50


def look(
    agent: Agent, ceremony: str, *, policy: SignedPolicy | None = None, sources: Sources | None = None
) -> Review:
    """Return the review of one ceremony, with the artifacts hashed where ``sources`` are given."""
    observation = observe(agent, ceremony, policy)
    request = observation.chain.ceremony.request.statement
    background = background_of(agent, observation)
    review = _review(agent, observation, background, Findings())
    unknown = request.supersedes is not None and review.revision is None
    if review.conflict is not None or unknown:
        _learn_of_earlier(agent, request, observation.newest)
    return _review(agent, observation, background, _find(request, observation, background, sources))


def require_decidable(review: Review, choice: Choice) -> None:
    """Refuse a decision that could not count, or must not be made, before anything is written or signed."""
    request = review.request.statement
    what = f"{request.product} {request.version}"
    match review.standing:
        case Standing.ENDED:
            ended = review.ceremony.ended_at
            raise CeremonyEndedError(
                f"expected an open ceremony, got one that is {review.ceremony.state}"
                + (f" since {instant_text(ended)}" if ended else ""),
                hint="nothing more is counted; a new ceremony needs a new request",
            )
        case Standing.REQUESTED:
            raise RequesterDecidesError(
                f"expected somebody who did not ask for {what}, got {review.signer}",
                hint="whoever asks never counts; to withdraw the request, cancel it",
            )
        case Standing.NO_ROLE:
            raise NotAwaitedError(
                f"expected a member of {', '.join(t.role for t in review.ceremony.quorum)} "
                f"(rule {review.rule.name}), got {review.signer}, who holds none of these roles"
            )
        case Standing.SUSPENDED:
            until = instant_text(review.ceremony.suspended[review.signer].until)
            raise SignerSuspendedError(
                f"expected somebody who counts, got {review.signer}, suspended until {until}"
            )
        case Standing.OVERDUE:
            raise SignedAfterDeadlineError(
                f"expected a decision before the deadline ({instant_text(review.ceremony.deadline)}), "
                f"it is {instant_text(review.at)} on this machine",
                hint="nothing more is counted; if this clock is wrong, set it and try again",
            )
    if choice is Choice.APPROVAL:
        _require_approvable(review, what)


def _require_approvable(review: Review, what: str) -> None:
    """Refuse an approval that other ceremonies speak against; saying no to it is never refused."""
    if review.background.refusal is not None:
        raise review.background.refusal
    _require_told(review)
    if (conflict := review.conflict) is not None:
        raise _conflicting(conflict, what, review.signer)


def _require_told(review: Review) -> None:
    """Refuse to approve an emergency or a revocation without the words of whoever asked for it."""
    request, texts = review.request.statement, review.observation.reasons
    if request.why is None:
        return
    least = 1 if request.emergency is None else SHORTEST_WHY
    told = [("why", least, texts.get(request.why))]
    if request.emergency is not None:
        told.append(("impact", 1, texts.get(request.emergency.impact)))
    for what, shortest, text in told:
        if text is None or len(text.strip()) < shortest:
            raise TextMissingError(
                f"expected the requester's words on {what}, {shortest} characters or more, "
                f"got {'none' if text is None else len(text.strip())}"
            )


def _conflicting(earlier: Known, what: str, signer: str) -> AlreadyApprovedError | MustSupersedeError:
    if earlier.end is EntryType.APPROVED:
        return AlreadyApprovedError(
            f"expected a version that is not approved yet, got {what}, which was approved with other bytes "
            f"(ceremony {earlier.request.ceremony})",
            hint="an approved version is final, and no honest coordinator asks again: tell its operator",
        )
    return MustSupersedeError(
        f"expected a request that supersedes the one of ceremony {earlier.request.ceremony}, whose "
        f"bytes {signer} approved as {what}, and which has ended, got one for other bytes "
        + ("that does not" if earlier.end else "while that one is not shown to have ended"),
        hint="ask the requester what happened; one version is one set of bytes",
    )


def _find(
    request: Request, observation: Observation, background: Background, sources: Sources | None
) -> Findings:
    """Look for what is decided on: files, the proposed policy, or the request of a release to be revoked."""
    if request.kind in GOVERNED:
        return _policy_found(request, observation)
    if request.kind is not Kind.REVOCATION:
        return find_artifacts(request, sources) if sources is not None else Findings()
    assert background.about is not None  # noqa: S101 - what no revocation is without
    (subject,), revoked = request.subjects, background.about.chain
    found = Found(
        subject=subject,
        digest=revoked.ceremony.request.digest,
        source=f"the request of ceremony {revoked.id}",
    )
    return Findings(found={subject.name: found})


def _policy_found(request: Request, observation: Observation) -> Findings:
    """Find the policy that a ceremony is about in what was verified: its opening, or what it is under."""
    (subject,) = request.subjects
    proposed = observation.chain.ceremony.proposed
    digest = observation.policy.digest if proposed is None else digest_of(proposed)
    found = Found(subject=subject, digest=digest, source=f"policy version {request.version}, as proposed")
    return Findings(found={subject.name: found})


def _review(agent: Agent, observation: Observation, background: Background, findings: Findings) -> Review:
    return Review(
        observation=observation,
        signer=agent.name,
        at=agent.now(),
        recollection=agent.journal.recall(observation.chain.ceremony.request.statement),
        findings=findings,
        background=background,
    )


def _learn_of_earlier(agent: Agent, request: Request, policy: SignedPolicy) -> None:
    """Look at the other ceremonies of a release: one that this agent never saw may link two that it did."""
    page = agent.connection.list_ceremonies(
        product=request.product, version=request.version, page_size=_MOST_EARLIER
    )
    for summary in page.ceremonies[:_MOST_EARLIER]:
        if summary.ceremony != request.ceremony:
            observe(agent, summary.ceremony, policy)

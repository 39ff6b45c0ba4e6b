# SPDX-License-Identifier: Apache-2.0
"""From a ceremony to a review, and what stands in the way of deciding on it."""

from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.errors import CeremonyEndedError, RequesterDecidesError, SignedAfterDeadlineError
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import AlreadyApprovedError, MustSupersedeError
from quorumseal.ceremony.statements import Choice, Mode, Request
from quorumseal.ceremony.values import instant_text
from signer_agent.agent import Agent
from signer_agent.artifacts import Findings, Sources, find_artifacts
from signer_agent.errors import NotAwaitedError, NotShownError
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
    review = _review(agent, observation, Findings())
    if review.conflict is not None:
        _learn_of_earlier(agent, request, observation.policy)
    findings = find_artifacts(request, sources) if sources is not None else Findings()
    return _review(agent, observation, findings)


def require_decidable(review: Review, choice: Choice) -> None:
    """Refuse a decision that could not count, or must not be made, before anything is written or signed."""
    request = review.request.statement
    require_shown(request)
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
                f"expected a member of {', '.join(t.role for t in review.rule.quorum)} "
                f"(rule {review.rule.name}), got {review.signer}, who holds none of these roles"
            )
        case Standing.OVERDUE:
            raise SignedAfterDeadlineError(
                f"expected a decision before the deadline ({instant_text(request.deadline)}), "
                f"it is {instant_text(review.at)} on this machine",
                hint="nothing more is counted; if this clock is wrong, set it and try again",
            )
        case _ if choice is Choice.APPROVAL and (conflict := review.conflict) is not None:
            raise _conflicting(conflict, what, review.signer)


def require_shown(request: Request) -> None:
    """Refuse what no screen of this agent explains: nobody decides on it blindly."""
    if request.kind is not Kind.RELEASE or request.mode is not Mode.REGULAR:
        raise NotShownError(
            f"expected a {Kind.RELEASE} in mode {Mode.REGULAR}, got a {request.kind} in mode {request.mode}"
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


def _review(agent: Agent, observation: Observation, findings: Findings) -> Review:
    return Review(
        observation=observation,
        signer=agent.name,
        at=agent.now(),
        recollection=agent.journal.recall(observation.chain.ceremony.request.statement),
        findings=findings,
    )


def _learn_of_earlier(agent: Agent, request: Request, policy: SignedPolicy) -> None:
    """Look at the other ceremonies of a release: one that this agent never saw may link two that it did."""
    page = agent.connection.list_ceremonies(
        product=request.product, version=request.version, page_size=_MOST_EARLIER
    )
    for summary in page.ceremonies[:_MOST_EARLIER]:
        if summary.ceremony != request.ceremony:
            observe(agent, summary.ceremony, policy)

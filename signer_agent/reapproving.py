# SPDX-License-Identifier: Apache-2.0
"""Ask for several releases to be approved anew: one ceremony for each, together, and safe to repeat.

Each request is in the journal before it is sent.  Whoever runs it again after an interruption sends what has
no receipt, and signs only for releases that have no re-approval yet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey
from signer_agent.agent import Agent
from signer_agent.drafting import Draft
from signer_agent.observing import Observation, observe
from signer_agent.requesting import pending_request, resume, start
from signer_agent.succeeding import Succession, write_reapproval
from signer_agent.surveying import Progress, Surveyed


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """A release that is to be approved anew, and how far that came."""

    release: Surveyed
    draft: Draft | None = None
    """The request that would be signed, where there is no open re-approval."""
    opened: Observation | None = None
    """The re-approval; open, or approved since."""
    created: bool = False
    refusal: Refusal | None = None
    """Why nobody can ask for it now."""


def plan_anew(
    agent: Agent,
    releases: Sequence[Surveyed],
    asked: Succession,
    policy: SignedPolicy,
    *,
    check: Callable[[Draft], object],
) -> tuple[Anew, ...]:
    """Write a request for each release without an open re-approval; ``check`` refuses as the rules would."""

    def plan(release: Surveyed) -> Anew:
        if release.again:
            return Anew(release=release, opened=observe(agent, release.again, policy))
        try:
            draft = write_reapproval(agent, observe(agent, release.ceremony, policy), asked)
            check(draft)
        except CeremonyError as refusal:
            return Anew(release=release, refusal=refusal)
        return Anew(release=release, draft=draft)

    return tuple(map(plan, releases))


def start_anew(
    agent: Agent,
    planned: Sequence[Anew],
    key: PrivateKey,
    policy: SignedPolicy,
    *,
    progress: Progress = lambda _done, _all: None,
) -> tuple[Anew, ...]:
    """Sign and send each request that was written; what is refused of one does not keep the others."""
    results: list[Anew] = []
    for done, each in enumerate(planned):
        progress(done, len(planned))
        results.append(each if each.draft is None else _start(agent, each, each.draft, key, policy))
    progress(len(planned), len(planned))
    return tuple(results)


def _start(agent: Agent, each: Anew, draft: Draft, key: PrivateKey, policy: SignedPolicy) -> Anew:
    stored = pending_request(agent, draft)
    try:
        opened = start(agent, draft, key, policy) if stored is None else resume(agent, stored, policy)
    except CoordinatorRefusedError as refusal:
        if not refusal.retryable:
            agent.journal.make_void(stored.digest if stored else draft.digest, refusal.code)
        return replace(each, refusal=refusal)
    return replace(each, opened=observe(agent, opened.ceremony, policy), created=opened.created)

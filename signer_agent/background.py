# SPDX-License-Identifier: Apache-2.0
"""What a ceremony rests on that lies in others: earlier emergencies, and the release that it is about.

The coordinator's list only says where to look.  Each of the others is verified like the ceremony itself, and
what this agent was shown before is looked at even when the list leaves it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from quorumseal.ceremony.chain import replay_chain
from quorumseal.ceremony.emergencies import PastEmergency, admit_emergency, past_emergency
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import EmergencyPeopleError
from quorumseal.ceremony.statements import Emergency, Mode, Request
from quorumseal.ceremony.succeeding import check_ratification, check_reapproval, check_revocation
from quorumseal.ceremony.values import ceremony_id
from quorumseal.client.values import CeremonySummary
from signer_agent.agent import Agent
from signer_agent.errors import NoSuchCeremonyError
from signer_agent.observing import Observation, observe
from signer_agent.policy_sides import PolicySides, sides_of

_PAGE = 100
_MOST_PAGES = 40
_FOLLOWED = (State.APPROVED, State.PROVISIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What there is to know about a ceremony beyond its own entries."""

    asked: bool = False
    """Whether anybody looked; without a coordinator nobody can."""
    about: Observation | None = None
    """The emergency that is ratified, or the release that is approved anew or revoked."""
    vetoed_by: frozenset[str] = frozenset()
    """Who vetoed earlier emergencies for the same release."""
    sides: PolicySides | None = None
    """Of a policy change: both policies, and the other side's ceremony."""
    refusal: CeremonyError | None = None
    """Why the rules do not allow it, whatever its coordinator says."""


def background_of(agent: Agent, observation: Observation) -> Background:
    """Look at what a ceremony rests on."""
    request = observation.chain.ceremony.request.statement
    if request.emergency is not None:
        return _of_emergency(agent, observation, request, request.emergency)
    if request.kind is Kind.RELEASE:
        return Background(asked=True)
    if request.kind in GOVERNED:
        return _of_policy(agent, observation)
    if request.earlier is not None:
        about = observe(agent, request.earlier.ceremony, observation.newest)
    else:
        about = released(agent, request, observation.newest)
    return Background(asked=True, about=about, refusal=refusal_about(request, about))


def _of_policy(agent: Agent, observation: Observation) -> Background:
    try:
        return Background(asked=True, sides=sides_of(agent, observation))
    except CeremonyError as refusal:
        return Background(asked=True, refusal=refusal)


def refusal_about(request: Request, about: Observation) -> CeremonyError | None:
    """Say why a request is not about exactly the ceremony that it names; none where it is."""
    chain = about.chain
    try:
        if request.ratified is not None:
            check_ratification(request, request.ratified, chain.ceremony, chain.conclusion or "")
        elif request.reapproved is not None:
            check_reapproval(request, request.reapproved, chain.ceremony, chain.conclusion or "")
        else:
            check_revocation(request, chain.ceremony.request, chain.ceremony.state)
    except CeremonyError as refusal:
        return refusal
    return None


def released(agent: Agent, revocation: Request, policy: SignedPolicy) -> Observation:
    """Find the release whose request a revocation names."""
    wanted = revocation.subjects[0].digest
    for summary in listed(agent, product=revocation.product, version=revocation.version):
        seen = observe(agent, ceremony_id(summary.ceremony), policy)
        if seen.chain.ceremony.request.digest == wanted:
            return seen
    raise NoSuchCeremonyError(
        f"expected the release that is to be revoked, request {wanted}, got none like it",
        hint="the coordinator does not show what would be revoked: ask its operator; nothing was signed",
    )


def followers(agent: Agent, seen: Observation) -> tuple[Observation, ...]:
    """Return what ratifies, approves anew or revokes a release, newest first."""
    statement, digest = seen.chain.ceremony.request.statement, seen.chain.ceremony.request.digest
    if statement.kind is not Kind.RELEASE or seen.chain.ceremony.state not in _FOLLOWED:
        return ()
    summaries = listed(agent, product=statement.product, version=statement.version)
    others = [s.ceremony for s in summaries if s.kind != Kind.RELEASE]
    found = [observe(agent, ceremony_id(ceremony), seen.newest) for ceremony in others]
    requests = [each.chain.ceremony.request for each in found]
    same = {digest, *(r.digest for r in requests if r.statement.ratified and _about(r.statement) == digest)}
    return tuple(each for each in found if _about(each.chain.ceremony.request.statement) in same)


def _about(request: Request) -> str:
    """Return the request of the ceremony that one which is no release is about."""
    return request.earlier.request if request.earlier else request.subjects[0].digest


def past_emergencies(
    agent: Agent,
    policy: SignedPolicy,
    *,
    before: Observation | None = None,
    superseded: str | None = None,
) -> tuple[PastEmergency, ...]:
    """Return the organisation's emergencies: now, or as they stood when one of them was opened.

    An open one that is ``superseded`` by the request at hand ends with its opening, and is left out.
    """
    modes = (s.ceremony for s in listed(agent) if s.mode == Mode.BREAK_GLASS)
    known = dict.fromkeys((*map(ceremony_id, modes), *agent.journal.emergencies()))
    seen = [
        observe(agent, ceremony, policy) for ceremony in known if not before or ceremony != before.chain.id
    ]
    past = (
        _as_it_stood(each, before)
        for each in seen
        if each.chain.ceremony.state is not State.OPEN or each.chain.ceremony.request.digest != superseded
    )
    return tuple(emergency for emergency in past if emergency is not None)


def listed(agent: Agent, *, product: str = "", version: str = "") -> Iterator[CeremonySummary]:
    """Yield what the coordinator lists, newest first."""
    token = ""
    for _ in range(_MOST_PAGES):
        page = agent.connection.list_ceremonies(
            product=product, version=version, page_size=_PAGE, page_token=token
        )
        yield from page.ceremonies
        token = page.next_token
        if not token:
            return


def _of_emergency(
    agent: Agent, observation: Observation, request: Request, emergency: Emergency
) -> Background:
    past = past_emergencies(agent, observation.newest, before=observation)
    release = request.product, request.version
    vetoed_by = frozenset(e.vetoed_by for e in past if e.vetoed_by and (e.product, e.version) == release)
    refusal: CeremonyError | None = None
    try:
        admit_emergency(request, emergency, past, at=observation.opened_at)
        if vetoed_by != observation.chain.ceremony.vetoed_by:
            refusal = EmergencyPeopleError(
                f"expected an opening that says who vetoed earlier ({_listed(vetoed_by)}), "
                f"got one that says {_listed(observation.chain.ceremony.vetoed_by)}",
                hint="the coordinator misstates who may veto: tell its operator; reject it, or veto it",
            )
    except CeremonyError as not_admitted:
        refusal = not_admitted
    return Background(asked=True, vetoed_by=vetoed_by, refusal=refusal)


def _as_it_stood(seen: Observation, before: Observation | None) -> PastEmergency | None:
    """Return an emergency as its entries had it when another one was opened."""
    chain = seen.chain
    if before is not None:
        then = [payload for payload in seen.entries if read_entry(payload).at <= before.opened_at]
        if not then:
            return None
        chain = replay_chain(then, seen.policy)
    return past_emergency(chain)


def _listed(people: frozenset[str]) -> str:
    return ", ".join(sorted(people)) or "nobody"

# SPDX-License-Identifier: Apache-2.0
"""The agent's half of a ceremony without its coordinator: review a request from a file, hand decisions back.

The ceremony is opened by the same rules, at the instant that the request names, and what this signer signed
in it before is part of it.  The journal is the one for every day: what was signed from a file is sent when
the coordinator is up again, and other bytes under the same version are refused wherever they are met.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from quorumseal.ceremony.chain import Chain, extend, replay_chain
from quorumseal.ceremony.emergencies import PastEmergency, past_emergency
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Request
from quorumseal.offline.assembling import command_about, let_time_pass, open_offline
from quorumseal.offline.files import CarriedRequest, CarriedStatements, KnownOrganisation
from quorumseal.verifier.bundle import parse_version
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources, find_artifacts
from signer_agent.comparing import meet, meet_seen
from signer_agent.observing import Observation, observe_head, observe_policy
from signer_agent.recollection import Fate, Stored
from signer_agent.review import Review


def carried_request(carried: CarriedRequest, policy: SignedPolicy) -> Signed[Request]:
    """Return the request that a file carries, signed by whom it names under this policy."""
    return signed_as(Request, authenticate(carried.request, policy))


def review_carried(
    agent: Agent, carried: CarriedRequest, *, sources: Sources | None = None, own: bool = True
) -> Review:
    """Return the review of the request in a file, as this signer should see it now.

    Without what they signed ``own`` it ends with its opening, the one entry that is the same for everybody.
    """
    policy = observe_policy(agent)
    head = observe_head(agent, policy)
    if carried.known.checkpoint is not None:
        meet(agent, policy.policy.log, carried.known.checkpoint)
    request = carried_request(carried, policy)
    meet_seen(agent, policy.policy.log, [request.statement.context.checkpoint])
    chain, opening = open_offline(policy, request, now=agent.now())
    entries = [opening]
    for stored in signed_before(agent, request.statement.ceremony) if own else ():
        signed = authenticate(stored.envelope, policy)
        at = max(signed.statement.context.signed_at, chain.last_at)
        chain, more = extend(chain, command_about(chain, signed), at=at)
        entries += more
    agent.journal.keep_shown(request, (), ended=False, at=agent.now())
    review = Review(
        observation=Observation(
            policy=policy,
            newest=policy,
            chain=chain,
            entries=tuple(entry.payload for entry in entries),
            head=head,
            reasons={annex.commitment: annex.text for annex in carried.annexes},
        ),
        signer=agent.name,
        at=agent.now(),
        recollection=agent.journal.recall(request.statement),
    )
    return review if sources is None else replace(review, findings=find_artifacts(request.statement, sources))


def known_emergencies(agent: Agent, policy: SignedPolicy) -> tuple[PastEmergency, ...]:
    """Return the organisation's emergencies as far as the log ever showed them to this agent."""
    chains = (_longest(agent.journal.entries(each), policy) for each in agent.journal.emergencies())
    by_now = (let_time_pass(chain, agent.now())[0] for chain in chains if chain is not None)
    return tuple(past_emergency(chain) for chain in by_now)


def _longest(entries: Sequence[bytes], policy: SignedPolicy) -> Chain | None:
    """Replay as many of the entries that were shown as make a chain: the last may lack what it caused."""
    for length in range(len(entries), 0, -1):
        with suppress(CeremonyError):
            return replay_chain(entries[:length], policy)
    return None


def known_organisation(agent: Agent) -> KnownOrganisation:
    """Return what travels with a request: the policy chain and the checkpoint that this agent goes by."""
    record = agent.connection.organisation()
    policies = tuple(parse_version(version) for version in record.policies)
    return KnownOrganisation(policies=policies, checkpoint=record.checkpoint)


def signed_before(agent: Agent, ceremony: str) -> tuple[Stored, ...]:
    """Return what this signer signed about a request, oldest first, less what no rules take any more."""
    return tuple(
        stored
        for stored in agent.journal.signed(ceremony)
        if not isinstance(stored.statement, Request) and stored.fate is not Fate.VOID
    )


def carried_statements(agent: Agent, ceremony: str) -> CarriedStatements:
    """Return everything that this signer signed about a request, to be carried back in one file."""
    signed = signed_before(agent, ceremony)
    return CarriedStatements(
        statements=tuple(stored.envelope for stored in signed),
        annexes=tuple(annex for stored in signed for annex in stored.annexes),
    )

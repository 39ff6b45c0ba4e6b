# SPDX-License-Identifier: Apache-2.0
"""Did anybody decide who was not in the role that day?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.in_force import Held, held, held_in
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, PlacedEntry, Population
from quorumseal.ceremony.policy import GOVERNED, Policy
from quorumseal.ceremony.statements import Decision

QUESTION = "Did anybody decide, or ask, who was not in the role that day?"


def ask(population: Population, period: Period) -> Answer:
    """Hold every decision and request against the policy it was made under, and the one in force that day."""
    touching, versions = population.within(period).ceremonies, held(population)
    exhibits = tuple(exhibit for each in touching for exhibit in _outside(each, versions))
    decided = sum(isinstance(statement, Decision) for each in touching for _, statement in each.statements)
    lists = tuple(_members(each) for each in held_in(population, period)) if touching else ()
    basis = f"{counted(decided, 'decision')} and {counted(len(touching), 'request')}"
    return Answer(
        question=QUESTION,
        says=f"yes: {counted(len(exhibits), 'time')}, of {basis}"
        if exhibits
        else f"no: each of {basis} was by somebody whom the policy lists for it, under a version in force",
        exhibits=(*exhibits, *lists),
        looked_at=(("ceremonies", len(touching)), ("decisions", decided)),
        limits=("Whether the roster was right: compare its members with the organisation's own list.",),
        next=lead_on(exhibits, "audit", "ask", "leavers"),
    )


def _outside(audited: Audited, versions: tuple[Held, ...]) -> Iterator[Exhibit]:
    policy, rule, request = audited.policy.policy, audited.ceremony.rule, audited.request
    asker = request.context.signer
    if not policy.may_request(asker, rule):
        yield exhibit_of(audited, f"{asker} asked, in no role that may ask under rule {rule.name}",
                         audited.entries[0], exception=True)  # fmt: skip
    for entry, statement in audited.statements:
        if not isinstance(statement, Decision):
            continue
        signer, standing_in = statement.context.signer, statement.delegation is not None
        for role in sorted(statement.roles):
            if not _holds(policy, signer, role, standing_in=standing_in):
                says = f"{signer} decided as {role}, which policy version {policy.version} does not give them"
                yield exhibit_of(audited, says, entry, exception=True, digests=(audited.policy.digest,))
            elif request.kind not in GOVERNED:
                yield from _since_then(audited, entry, role, _in_force(versions, entry), statement)


def _since_then(
    audited: Audited, entry: PlacedEntry, role: str, now: Held, decision: Decision
) -> Iterator[Exhibit]:
    signer = decision.context.signer
    if not _holds(now.policy, signer, role, standing_in=decision.delegation is not None):
        says = f"{signer} decided as {role}, which version {now.policy.version} had taken from them by then"
        yield exhibit_of(audited, says, entry, exception=True, digests=(now.signed.digest,))


def _in_force(versions: tuple[Held, ...], entry: PlacedEntry) -> Held:
    return [each for each in versions if each.index < entry.index][-1]


def _holds(policy: Policy, signer: str, role: str, *, standing_in: bool) -> bool:
    known = policy.roles.get(role)
    return known is not None and signer in (known.deputies if standing_in else known.members)


def _members(version: Held) -> Exhibit:
    roles = sorted(version.policy.roles.values(), key=lambda role: role.name)
    listed = "; ".join(f"{role.name}: {', '.join(sorted(role.members))}" for role in roles)
    return Exhibit(
        says=f"policy version {version.policy.version}: {listed}",
        at=version.at,
        entries=(version.index,),
        digests=(version.signed.digest,),
    )

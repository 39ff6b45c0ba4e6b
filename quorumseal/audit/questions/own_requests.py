# SPDX-License-Identifier: Apache-2.0
"""Could a requester approve their own?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.in_force import held_in
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.policy import GOVERNED
from quorumseal.ceremony.statements import Decision

QUESTION = "Could a requester approve their own request?"


def ask(population: Population, period: Period) -> Answer:
    """Hold everybody who decided against everybody who asked, through a machine or a deputy too."""
    touching = population.within(period).ceremonies
    decided = sum(isinstance(statement, Decision) for each in touching for _, statement in each.statements)
    exhibits = tuple(exhibit for each in touching for exhibit in _own(each))
    both = tuple(_both(population, period)) if touching else ()
    found = [each for each in exhibits if each.exception]
    if found:
        says = f"yes: {counted(len(found), 'decision')} by somebody who had asked"
    else:
        says = (
            f"no: of {counted(decided, 'decision')} in {counted(len(touching), 'ceremony', 'ceremonies')} "
            "none was by or for whoever had asked"
        )
    governed = [each for each in exhibits if not each.exception]
    if governed:
        says += (
            f"; in {counted(len(governed), 'decision')} about the policy itself they did, as its rules let"
        )
    return Answer(
        question=QUESTION,
        says=says,
        exhibits=(*exhibits, *both),
        looked_at=(("ceremonies", len(touching)), ("decisions", decided)),
        limits=(
            "One person behind two names: the roster says who is who, and the governance quorum signed it.",
            "For whom a machine really asked: the request says it, signed by the machine.",
            "Whether an approver was told what to say.",
        ),
        next=lead_on(exhibits, "audit", "ask", "identities"),
    )


def _own(audited: Audited) -> Iterator[Exhibit]:
    asked, governed = audited.request.requesters, audited.request.kind in GOVERNED
    for entry, statement in audited.statements:
        if not isinstance(statement, Decision):
            continue
        signer = statement.context.signer
        used = audited.ceremony.stands_for.get(signer) if statement.delegation else None
        if signer in asked:
            says = f"{signer} asked, and decided: {statement.choice}"
        elif used is not None and used.signer in asked:
            says = f"{signer} decided in the place of {used.signer}, who asked: {statement.choice}"
        else:
            continue
        yield exhibit_of(audited, says, audited.entries[0], entry, exception=not governed)


def _both(population: Population, period: Period) -> Iterator[Exhibit]:
    """Give who may ask and may approve: never the same release, but each other's."""
    newest = held_in(population, period)[-1]
    policy = newest.policy
    for rule in policy.rules.values():
        asking = frozenset[str]().union(*(policy.roles[role].members for role in rule.requesters))
        deciding = frozenset[str]().union(*(policy.roles[each.role].members for each in rule.quorum))
        if both := sorted(asking & deciding):
            yield Exhibit(
                says=f"rule {rule.name}: {', '.join(both)} may ask, and may approve what others ask for",
                at=newest.at,
                entries=(newest.index,),
                digests=(newest.signed.digest,),
            )

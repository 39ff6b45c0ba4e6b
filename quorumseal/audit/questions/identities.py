# SPDX-License-Identifier: Apache-2.0
"""Are there machines, or identities that several people share, in people's roles?"""

import re
from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted
from quorumseal.audit.in_force import Held, held_in
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.statements import Request

QUESTION = "Are machines or shared identities in people's roles?"
SHARED = frozenset(
    """
    admin administrator admins approver approvers bot build builder ci deploy dev devs devops engineering
    everyone group info jenkins office oncall operations ops owner owners qa release releases root security
    sec service shared sre staff svc system team test user users
    """.split()  # noqa: SIM905 - a list of words is read as one
)
"""Words by which one person is seldom called."""


def ask(population: Population, period: Period) -> Answer:
    """Look at who may ask and decide by every version that held in the period."""
    versions = held_in(population, period)
    exhibits = tuple(exhibit for each in versions for exhibit in _in_roles(each))
    exhibits += tuple(_passed_on(versions)) + tuple(_asked_by_machines(population, period))
    signers = {name for each in versions for name in each.policy.signers}
    bad = [each for each in exhibits if each.exception]
    return Answer(
        question=QUESTION,
        says=f"yes: {counted(len(bad), 'finding')} about {counted(len(signers), 'signer')}"
        if bad
        else f"no: of {counted(len(signers), 'signer')} none who decides is a machine, has the name of a "
        "group, or has a key that was another's",
        exhibits=exhibits,
        looked_at=(("policy versions", len(versions)), ("signers", len(signers))),
        limits=(
            "Whether two people use one key: ask where each is kept, and how it was enrolled.",
            "Whether a name belongs to somebody: compare the roster with the organisation's own list.",
        ),
        next=("audit", "ask", "access"),
    )


def _in_roles(version: Held) -> Iterator[Exhibit]:
    policy = version.policy
    deciding = _deciding(policy)
    for name, signer in sorted(policy.signers.items()):
        roles = sorted(role for role, members in deciding.items() if name in members)
        if not roles:
            continue
        if signer.kind is SignerKind.MACHINE:
            says = f"{name} is a machine, and decides as {', '.join(roles)}"
        elif words := sorted(SHARED & {*re.split(r"[._-]", name)}):
            says = f"{name} is no machine, is called {' '.join(words)}, and decides as {', '.join(roles)}"
        else:
            continue
        yield _exhibit(version, f"version {policy.version}: {says}", exception=True)


def _deciding(policy: Policy) -> dict[str, frozenset[str]]:
    """Return the roles that count in some quorum, with who can count in them."""
    quorums = [rule.quorum for rule in policy.rules.values()] + [policy.governance]
    quorums += [rule.emergency.quorum for rule in policy.rules.values() if rule.emergency]
    names = {threshold.role for quorum in quorums for threshold in quorum}
    return {name: policy.roles[name].members | policy.roles[name].deputies for name in names}


def _passed_on(versions: tuple[Held, ...]) -> Iterator[Exhibit]:
    """Give the keys that belonged to one signer, and later to another."""
    owners: dict[str, str] = {}
    for each in versions:
        for name, signer in sorted(each.policy.signers.items()):
            for key in signer.keys:
                before = owners.setdefault(key.key.key_id, name)
                if before != name:
                    says = f"key {key.key.key_id} was one of {before}, and is one of {name}"
                    yield _exhibit(each, f"version {each.policy.version}: {says}", exception=True)
                    owners[key.key.key_id] = name


def _asked_by_machines(population: Population, period: Period) -> Iterator[Exhibit]:
    asked: dict[tuple[str, str], list[int]] = {}
    first: dict[tuple[str, str], Request] = {}
    for each in population.within(period).ceremonies:
        request = each.request
        if request.on_behalf_of is not None:
            between = request.context.signer, request.on_behalf_of
            asked.setdefault(between, []).append(each.entries[0].index)
            first.setdefault(between, request)
    for (machine, person), entries in sorted(asked.items()):
        times = counted(len(entries), "time")
        says = f"{machine} asked {times} on behalf of {person}, and neither could decide there"
        yield Exhibit(says=says, at=first[machine, person].opened_at, entries=tuple(entries))


def _exhibit(version: Held, says: str, *, exception: bool) -> Exhibit:
    return Exhibit(
        says=says,
        at=version.at,
        entries=(version.index,),
        exception=exception,
        digests=(version.signed.digest,),
    )

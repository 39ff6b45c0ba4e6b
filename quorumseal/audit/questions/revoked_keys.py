# SPDX-License-Identifier: Apache-2.0
"""Was anything signed by a key after it was revoked, or by somebody who was suspended?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, PlacedEntry, Population
from quorumseal.ceremony.compromise import remainder
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.revoking import Revoked, owner_of
from quorumseal.ceremony.signed import authenticate
from quorumseal.ceremony.statements import Suspension
from quorumseal.ceremony.suspending import Suspended
from quorumseal.ceremony.timestamping import FIELD as STAMP
from quorumseal.ceremony.values import instant_text

QUESTION = "Was anything signed with a revoked key, or by somebody suspended?"
_RELEASED = frozenset({State.APPROVED, State.PROVISIONAL})


def ask(population: Population, period: Period) -> Answer:
    """Look for what revoked keys signed since, and what suspended people signed meanwhile."""
    touching = population.within(period).ceremonies
    standing = population.standing.standing
    owners = {key: owner_of(key, [each.policy for each in population.policies]) for key in standing.revoked}
    exhibits = (
        *(
            exhibit
            for key in standing.revoked.values()
            for each in touching
            for exhibit in _by_key(each, key, owners[key.key], population)
        ),
        *(
            exhibit
            for person in standing.suspended.values()
            for each in touching
            for exhibit in _by_person(each, person, population)
        ),
    )
    statements = sum(len(each.statements) for each in touching)
    bad = [each for each in exhibits if each.exception]
    lost = (
        f"{counted(len(standing.revoked), 'revoked key')} and "
        f"{counted(len(standing.suspended), 'suspended person', 'suspended people')}"
    )
    return Answer(
        question=QUESTION,
        says=f"yes: {counted(len(bad), 'finding')} about {lost}"
        if bad
        else f"no: nothing of {counted(statements, 'statement')} stands by {lost}",
        exhibits=exhibits,
        looked_at=(("ceremonies", len(touching)), ("statements", statements)),
        limits=(
            "Keys that were lost or copied, and that nobody has revoked.",
            "What a revoked key signed outside this log: nobody who verifies needs it, but it exists.",
        ),
        next=lead_on(exhibits, "audit", "ask", "leavers"),
    )


def _by_key(audited: Audited, revoked: Revoked, owner: str, population: Population) -> Iterator[Exhibit]:
    logged = _logged(population, revoked.envelopes[-1].payload)
    for entry, statement in audited.statements:
        if statement.context.signer != owner or entry.entry.at < revoked.since:
            continue
        signed = authenticate(entry.entry.envelope, audited.policy)
        if signed.key.key.key_id != revoked.key:
            continue
        since = f"since {instant_text(revoked.since)}"
        if entry.index < logged.index:
            fell = signed.digest in audited.ceremony.fallen
            says = f"{owner} signed with key {revoked.key}, which was revoked later, {since}"
            stands = _stands(audited, revoked) if not fell else "; it fell with the key"
            yield exhibit_of(
                audited, says + stands, entry, logged, exception=not fell, digests=(signed.digest,)
            )
        else:
            stamped = STAMP in entry.entry.body
            says = f"{owner} signed with key {revoked.key}, revoked {since}" + (
                ", and a timestamp says that it was before" if stamped else ""
            )
            yield exhibit_of(audited, says, entry, logged, exception=not stamped, digests=(signed.digest,))


def _stands(audited: Audited, revoked: Revoked) -> str:
    """Say whether a concluded ceremony stands without a key."""
    if audited.state not in _RELEASED:
        return f"; nothing was released: {audited.state}"
    left = remainder(audited.ceremony, [revoked])
    return f"; without it {'; '.join(left.missing)}" if left.falls_short else "; its quorum stands without it"


def _by_person(audited: Audited, suspended: Suspended, population: Population) -> Iterator[Exhibit]:
    logged = _logged(population, suspended.envelopes[-1].payload)
    for entry, statement in audited.statements:
        during = logged.index < entry.index and entry.entry.at < suspended.until
        if during and statement.context.signer == suspended.person and not isinstance(statement, Suspension):
            says = f"{suspended.person} signed while suspended until {instant_text(suspended.until)}"
            yield exhibit_of(audited, says, entry, logged, exception=True)


def _logged(population: Population, payload: bytes) -> PlacedEntry:
    """Return the standing entry that holds a statement."""
    return next(
        each
        for each in population.standing_entries
        if each.statement is not None and each.entry.envelope.payload == payload
    )

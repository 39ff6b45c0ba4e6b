# SPDX-License-Identifier: Apache-2.0
"""Who can ask, decide and stand in at the end of the period; who of them never did; whose keys run out."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from quorumseal.audit.answer import Answer, Exhibit, counted
from quorumseal.audit.in_force import Held, held_in
from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.policy import Signer
from quorumseal.ceremony.values import instant_text

QUESTION = "Who can ask and decide at the end of the period, and who of them ever did in it?"
SOON = timedelta(days=30)


def ask(population: Population, period: Period) -> Answer:
    """List the roster as of the period's end, with roles, keys and when each last signed."""
    versions = held_in(population, period)
    last = _last_signed(population, period)
    exhibits = tuple(
        exhibit
        for newest in versions[-1:]
        for _, signer in sorted(newest.policy.signers.items())
        for exhibit in _told(newest, signer, last.get(signer.name), population, period.end)
    )
    people = sum(len(each.policy.signers) for each in versions[-1:])
    late = sum(each.exception for each in exhibits)
    idle = sum(len(newest.policy.signers.keys() - last.keys()) for newest in versions[-1:])
    return Answer(
        question=QUESTION,
        says=f"{counted(people, 'signer')} can, {idle} of whom signed nothing in the period; "
        + (
            f"{counted(late, 'key')} ran out, runs out soon or is revoked" if late else "no key runs out soon"
        ),
        exhibits=exhibits,
        looked_at=(("signers", people),),
        limits=(
            "Whether each still needs it: ask those who lead the roles.",
            "Who can reach the coordinator's machine or the registry: neither lets anybody approve.",
        ),
        next=("audit", "ask", "leavers"),
    )


def _last_signed(population: Population, period: Period) -> Mapping[str, PlacedEntry]:
    """Return what each signer signed last in the period."""
    given = [*population.standing_entries]
    given += [entry for each in population.within(period).ceremonies for entry in each.entries]
    last: dict[str, PlacedEntry] = {}
    for entry in sorted(given, key=lambda each: each.index):
        statement = entry.statement
        if statement is not None and entry.entry.at in period:
            last[statement.context.signer] = entry
    return last


def _told(
    newest: Held, signer: Signer, last: PlacedEntry | None, population: Population, end: datetime
) -> Iterator[Exhibit]:
    policy = newest.policy
    roles = [name for name, role in sorted(policy.roles.items()) if signer.name in role.members]
    deputy = [name for name, role in sorted(policy.roles.items()) if signer.name in role.deputies]
    held = f"in {', '.join(roles)}" if roles else "in no role"
    stands_in = f", may stand in as {', '.join(deputy)}" if deputy else ""
    acted = f"last signed {instant_text(last.entry.at)}" if last else "signed nothing in the period"
    yield Exhibit(
        says=f"{signer.name}: a {signer.kind}, {held}{stands_in}; {acted}",
        at=newest.at,
        entries=(newest.index, last.index) if last else (newest.index,),
        digests=(newest.signed.digest,),
    )
    for key in signer.keys:
        revoked = population.standing.standing.revoked.get(key.key.key_id)
        if revoked is not None:
            says = f"is revoked since {instant_text(revoked.since)}, and still listed"
        elif key.valid_until <= end:
            says = f"ran out {instant_text(key.valid_until)}, and is still listed"
        elif key.valid_until - end < SOON:
            says = f"runs out {instant_text(key.valid_until)}"
        else:
            continue
        yield Exhibit(
            says=f"{signer.name}: key {key.key.key_id} {says}",
            at=newest.at,
            entries=(newest.index,),
            exception=True,
        )

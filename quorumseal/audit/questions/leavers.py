# SPDX-License-Identifier: Apache-2.0
"""Who left, and when did their access end?"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from quorumseal.audit.answer import Answer, Exhibit, counted
from quorumseal.audit.in_force import Held, held
from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.statements import (
    KeyRevocation,
    RevocationReason,
    Statement,
    Suspension,
    SuspensionReason,
)
from quorumseal.ceremony.values import instant_text

QUESTION = "Who left, or lost a role, and when did their access end?"
_Given = tuple[PlacedEntry, Statement, str | None]


def ask(population: Population, period: Period) -> Answer:
    """Compare each policy version with the one before, and look for what anybody signed after leaving."""
    versions, given = held(population), tuple(_given(population))
    gone = [exhibit for exhibit in _gone(versions, given) if exhibit.at in period]
    roles = [exhibit for exhibit in _roles(versions) if exhibit.at in period]
    leaving = [exhibit for exhibit in _still_there(versions, given, period.end) if exhibit.at in period]
    late = sum(each.exception for each in (*gone, *leaving))
    compared = sum(each.at in period for each in versions[1:])
    left = [each for each in gone if each.kind == "left"]
    return Answer(
        question=QUESTION,
        says=f"{counted(len(left), 'signer')} left and {counted(len(roles), 'membership')} ended; "
        + (
            f"{counted(late, 'finding')} about access that went on"
            if late
            else "nobody signed anything that came after"
        ),
        exhibits=(*gone, *leaving, *roles),
        looked_at=(("policy versions that came in the period", compared), ("statements", len(given))),
        limits=(
            "When somebody's work ended: compare the dates with those of the people's department.",
            "Access to other systems: the registry, the build, the coordinator's machine.",
        ),
        next=("audit", "ask", "revoked-keys"),
    )


def _given(population: Population) -> Iterator[_Given]:
    """Give everything that anybody signed, with the ceremony that it is in."""
    for standing in population.standing_entries:
        if standing.statement is not None:
            yield standing, standing.statement, None
    for each in population.ceremonies:
        yield from ((entry, statement, each.id) for entry, statement in each.statements)


def _gone(versions: tuple[Held, ...], given: tuple[_Given, ...]) -> Iterator[Exhibit]:
    for before, after in pairwise(versions):
        for person in sorted(before.policy.signers.keys() - after.policy.signers.keys()):
            own = sorted(
                (entry.index, entry, ceremony)
                for entry, statement, ceremony in given
                if statement.context.signer == person
            )
            earlier = [entry for index, entry, _ in own if index < after.index]
            last = f"; last signed {instant_text(earlier[-1].entry.at)}" if earlier else "; never signed"
            since = "".join(_taken_before(person, given, before, after))
            yield Exhibit(
                says=f"{person} left the roster with policy version {after.policy.version}{since}{last}",
                at=after.at,
                entries=(after.index, *(entry.index for entry in earlier[-1:])),
                kind="left",
                digests=(after.signed.digest,),
            )
            for index, entry, ceremony in own:
                if index > after.index and not _returned(person, versions, index):
                    says = f"{person} signed after leaving with version {after.policy.version}"
                    yield Exhibit(
                        says=says, at=entry.entry.at, entries=(index,), exception=True, ceremony=ceremony
                    )


def _returned(person: str, versions: tuple[Held, ...], index: int) -> bool:
    return person in [each for each in versions if each.index < index][-1].policy.signers


def _taken_before(person: str, given: tuple[_Given, ...], before: Held, after: Held) -> Iterator[str]:
    """Say what took their say away before the roster did."""
    keys = {key.key.key_id for key in before.policy.signers[person].keys}
    for entry, statement, ceremony in given:
        if ceremony is not None or entry.index > after.index:
            continue
        match statement:
            case Suspension(person=name) if name == person:
                yield f"; suspended {instant_text(entry.entry.at)}"
            case KeyRevocation(key=key) if key in keys:
                yield f"; a key revoked {instant_text(entry.entry.at)}"
            case _:
                pass


def _roles(versions: tuple[Held, ...]) -> Iterator[Exhibit]:
    for before, after in pairwise(versions):
        for name, role in sorted(before.policy.roles.items()):
            now = after.policy.roles.get(name)
            members = now.members if now else frozenset[str]()
            for person in sorted((role.members - members) & after.policy.signers.keys()):
                yield Exhibit(
                    says=f"{person} left the role {name} with policy version {after.policy.version}, "
                    "and stayed on the roster",
                    at=after.at,
                    entries=(after.index,),
                    digests=(after.signed.digest,),
                )


def _still_there(versions: tuple[Held, ...], given: tuple[_Given, ...], end: datetime) -> Iterator[Exhibit]:
    """Give those of whom somebody said that they leave, and who were on the roster at the period's end."""
    roster = [each for each in versions if each.at < end]
    for entry, statement, ceremony in given:
        if ceremony is not None or not roster:
            continue
        signers = roster[-1].policy.signers
        match statement:
            case Suspension(person=person, reason=SuspensionReason.LEAVING) if person in signers:
                yield _lingers(person, entry, "suspended")
            case KeyRevocation(key=key, reason=RevocationReason.LEFT):
                for name, signer in signers.items():
                    if any(each.key.key_id == key for each in signer.keys):
                        yield _lingers(name, entry, "a key revoked")
            case _:
                pass


def _lingers(person: str, entry: PlacedEntry, how: str) -> Exhibit:
    return Exhibit(
        says=f"{person} was said to leave ({how} {instant_text(entry.entry.at)}), and is still on the roster",
        at=entry.entry.at,
        entries=(entry.index,),
        exception=True,
    )

# SPDX-License-Identifier: Apache-2.0
"""What was signed by keys that are revoked, or by people who are suspended."""

from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.population import Audited, Population
from quorumseal.audit.questions import (
    revoked_keys,
)
from quorumseal.ceremony.commands import Expire
from tests.audit.evidence import bad, doctored, good, revoked_later
from tests.audit.stories import ACME, DAY, EVER, HOUR, QUORUM, Story
from tests.losing import key_id, key_revocation, suspension
from tests.organisation import NOW, changed

KEY = key_id("alice", ACME)
SIGNED = f"widget 1.0: alice signed with key {KEY}, which was revoked later, since 2026-11-20T14:00:00.000Z"


@pytest.mark.parametrize(
    ("since", "joins", "found"),
    [
        (NOW + HOUR * 20, QUORUM, []),
        (NOW, QUORUM, ["; without it engineering needs one more: alice or erin"]),
        (NOW, ("alice", "erin", "carol", "rita"), ["; without it engineering needs one more: alice or bob"]),
        (NOW, ("alice",), ["; nothing was released: expired"]),
    ],
    ids=["what it signed before stands", "it falls short", "by others", "not concluded"],
)
def test_what_a_key_signed_before_it_was_revoked_since_then_is_found(
    since: datetime, joins: tuple[str, ...], found: list[str]
) -> None:
    story = revoked_later(since=since, joins=joins)
    if joins == ("alice",):
        story = expired_then_revoked()
    answer = revoked_keys.ask(story.population(), EVER)
    assert [each.removeprefix(SIGNED) for each in bad(answer)] == found
    assert answer.verdict is (Verdict.EXCEPTIONS if found else Verdict.CLEAN)


def expired_then_revoked() -> Story:
    story = Story()
    ceremony = story.asks(deadline=DAY)
    story.approves(ceremony, "alice")
    story.later(DAY).happens(ceremony, Expire())
    by = ACME.spare_key("alice")
    story.stands(key_revocation("alice", "alice", acme=ACME, since=NOW, at=story.now), key=by)
    return story


def test_a_release_that_stands_without_the_key_says_so() -> None:
    acme = changed(ACME, quorum={"security": 2, "release": 1, "engineering": 1})
    story = Story(acme)
    story.releases("alice", "erin", "bob", "carol", "rita")
    by = ACME.spare_key("alice")
    story.stands(key_revocation("alice", "alice", acme=acme, since=NOW, at=story.now), key=by)
    assert bad(revoked_keys.ask(story.population(), EVER)) == [f"{SIGNED}; its quorum stands without it"]


def test_what_fell_with_the_key_is_told_and_no_exception() -> None:
    story = revoked_later(since=NOW, joins=("alice",), deadline=DAY * 5)
    answer = revoked_keys.ask(story.population(), EVER)
    assert good(answer) == [f"{SIGNED}; it fell with the key"]
    assert bad(answer) == []


def test_nothing_stands_by_a_revoked_key_where_none_is() -> None:
    story = Story()
    story.releases()
    assert revoked_keys.ask(story.population(), EVER).says == (
        "no: nothing of 5 statements stands by 0 revoked keys and 0 suspended people"
    )


def before_the_fact(population: Population) -> Population:
    """Move what was said outside ceremonies before everything else, as if the rules had overlooked it."""
    moved = tuple(
        replace(each, index=-1 if each.statement is not None else each.index)
        for each in population.standing_entries
    )
    return replace(population, standing_entries=moved)


def test_what_a_key_signs_after_it_was_revoked_is_found_though_the_rules_refuse_it() -> None:
    population = before_the_fact(revoked_later(since=NOW).population())
    assert bad(revoked_keys.ask(population, EVER)) == [
        f"widget 1.0: alice signed with key {KEY}, revoked since 2026-11-20T14:00:00.000Z"
    ]


def test_a_timestamp_from_before_the_revocation_excuses_it() -> None:
    population = before_the_fact(revoked_later(since=NOW).population())

    def stamped(audited: Audited) -> Audited:
        entries = tuple(
            replace(each, entry=replace(each.entry, body={**each.entry.body, "timestamp": "token"}))
            for each in audited.entries
        )
        return replace(audited, entries=entries)

    answer = revoked_keys.ask(doctored(population, stamped), EVER)
    assert answer.verdict is Verdict.CLEAN
    assert good(answer)[0].endswith(", and a timestamp says that it was before")


def test_what_the_other_key_signs_is_of_no_interest() -> None:
    story = Story()
    story.stands(key_revocation("alice", "alice", acme=ACME, since=NOW, at=NOW), key=ACME.spare_key("alice"))
    ceremony = story.asks()
    decision = story.later(HOUR).decision("alice", ceremony)
    story.coordinator.decide(ACME.seal(decision, key=ACME.spare_key("alice")), None)
    assert revoked_keys.ask(story.population(), EVER).exhibits == ()


def test_whoever_signs_while_suspended_is_found_though_the_rules_refuse_it() -> None:
    story = Story()
    story.releases()
    for guardian in ("bob", "dan"):
        story.stands(suspension(guardian, "carol", acme=ACME, until=story.now + DAY, at=story.now))
    honest = story.population()
    assert bad(revoked_keys.ask(honest, EVER)) == []
    assert bad(revoked_keys.ask(before_the_fact(honest), EVER)) == [
        "widget 1.0: carol signed while suspended until 2026-11-22T18:00:00.000Z"
    ]

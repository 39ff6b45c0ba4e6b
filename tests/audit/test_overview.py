# SPDX-License-Identifier: Apache-2.0
"""A period as a whole: counts that add up, what changed, what to look at first."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.audit.census import Census, Row, census, state_at
from quorumseal.audit.changes import said
from quorumseal.audit.coverage import every_entry, gaps, whole
from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import cut
from quorumseal.audit.overview import MOST_FIRST, overview
from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.entries import EntryType, write_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.recovery import Extent, Recovery, write_recovery
from quorumseal.ceremony.statements import Choice, Mode
from quorumseal.strict_json import read, write
from tests.audit.copying import trust_in
from tests.audit.stories import ACME, DAY, EVER, HOUR, MINUTE, Story
from tests.burning import absence, delegation, withdrawal
from tests.changing import next_version
from tests.losing import key_id, key_revocation, suspension
from tests.organisation import NOW

TWO_DAYS = Period(begin=NOW + DAY * 2, end=NOW + DAY * 4)


def a_week() -> Story:
    """A release each on the first two days; one rejected; one over the border; one that stays open."""
    story = Story()
    story.releases()
    story.releases()
    rejected = story.asks()
    story.later(HOUR).decides("carol", rejected, Choice.REJECTION)
    story.later(DAY)
    story.asks(deadline=DAY * 5)
    return story


def test_every_ceremony_is_somewhere_at_the_end_of_the_period() -> None:
    counts = census(a_week().population(), EVER)
    assert counts.adds_up
    [row] = counts.rows
    assert (row.kind, row.mode, row.before, row.opened, row.total) == (Kind.RELEASE, Mode.REGULAR, 0, 4, 4)
    assert row.states == ((State.OPEN, 1), (State.APPROVED, 2), (State.REJECTED, 1))
    assert (row.of(State.APPROVED), row.of(State.EXPIRED)) == (2, 0)
    assert (counts.of(State.OPEN), counts.ceremonies) == (1, 4)
    assert counts.entries_of_ceremonies + counts.entries_of_none == counts.size


@pytest.mark.parametrize(
    ("begin", "end", "before", "opened", "states"),
    [
        (0, 1, 0, 1, {State.OPEN: 1}),
        (2, 3, 1, 0, {State.OPEN: 1}),
        (2, 30, 1, 0, {State.APPROVED: 1}),
        (5, 30, 0, 0, {}),
        (0, 30, 0, 1, {State.APPROVED: 1}),
    ],
    ids=["opened in it", "open all through", "ended in it", "before it", "all of it"],
)
def test_where_a_ceremony_stands_is_told_as_of_the_periods_end(
    begin: int, end: int, before: int, opened: int, states: dict[State, int]
) -> None:
    story = Story()
    story.approves(story.asks())
    counts = census(
        story.population(), Period(begin=NOW + HOUR * begin, end=NOW + HOUR * end - timedelta(minutes=1))
    )
    rows = [(row.before, row.opened, dict(row.states)) for row in counts.rows]
    assert rows == ([(before, opened, states)] if states else [])
    assert counts.adds_up


def test_a_row_that_loses_one_does_not_add_up() -> None:
    row = Row(kind=Kind.RELEASE, mode=Mode.REGULAR, before=1, opened=2, states=((State.APPROVED, 2),))
    assert not row.adds_up
    counts = Census(rows=(row,), entries_of_ceremonies=2, entries_of_none=1, entries_before=0, size=3)
    assert not counts.adds_up
    assert replace(counts, rows=()).adds_up
    assert not replace(counts, rows=(), size=4).adds_up


def test_the_state_at_an_instant_is_open_until_the_end() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("carol", ceremony, Choice.REJECTION)
    found = story.population().named(ceremony)
    assert found is not None
    assert found.ended_at == NOW + HOUR
    assert state_at(found, NOW + HOUR) is State.OPEN
    assert state_at(found, NOW + HOUR + MINUTE) is State.REJECTED


def test_exceptions_are_counted_in_the_period_that_they_fall_in() -> None:
    story = Story()
    first = story.asks()
    story.later(HOUR).decides("carol", first, Choice.REJECTION)
    second = story.later(DAY * 3).asks()
    story.later(HOUR).decides("carol", second, Choice.REJECTION)
    told = overview(story.population(), Period(begin=NOW + DAY, end=NOW + DAY * 9))
    assert [(kind, count) for kind, count in told.by_kind] == [("rejected", 1)]
    assert (told.exceptional, told.exceptions[0].ceremony) == (1, second)


def test_the_weightiest_is_to_be_looked_at_first() -> None:
    story = Story()
    for _ in range(MOST_FIRST):
        ceremony = story.asks(deadline=HOUR)
        story.later(HOUR).happens(ceremony, Expire())
    emergency = story.later(DAY).breaks_glass()
    story.join(emergency)
    story.later(DAY)
    weaker = {**ACME.roles, "engineering": ("alice", "bob", "erin", "mallory")}
    story.changes(next_version(ACME, roles=weaker))
    told = overview(story.population(), EVER)
    assert len(told.first) == MOST_FIRST
    assert told.first[0].startswith("policy version 2 permits more than the one before: 1 difference (entry ")
    assert "mallory broke the glass" in told.first[1]
    assert "expired" in told.first[2]
    assert [kind for kind, _ in told.by_kind] == ["emergency", "expired"]


def test_a_change_of_the_policy_is_told_with_what_weakens() -> None:
    story = Story()
    weaker = {**ACME.roles, "engineering": ("alice", "bob", "erin", "mallory")}
    story.changes(next_version(ACME, roles=weaker))
    first, second = overview(story.population(), EVER).changes
    assert (first.differences, first.people, first.weakens) == ((), False, ())
    assert second.people
    assert [(each.where, each.says) for each in second.weakens] == [("role engineering", "mallory may count")]
    told = second.to_json()
    assert (told["version"], told["founders"]) == (2, None)
    assert first.to_json()["founders"] == ["alice", "bob", "carol", "dan", "erin"]


def test_a_change_before_the_period_is_not_told_in_it() -> None:
    story = Story()
    story.later(DAY).changes(next_version(ACME, quorum={**ACME.quorum, "release": 2}))
    changes = overview(story.population(), Period(begin=NOW + HOUR, end=NOW + DAY * 9)).changes
    assert [change.policy.policy.version for change in changes] == [2]
    assert not changes[0].people


def test_what_was_said_outside_any_ceremony_is_told() -> None:
    story = Story()
    story.stands(absence("bob", acme=ACME, until=NOW + DAY))
    story.stands(delegation("alice", "engineering", "frank", acme=ACME))
    story.stands(withdrawal("alice", "engineering", acme=ACME))
    story.stands(withdrawal("bob", None, acme=ACME))
    story.stands(key_revocation("alice", "alice", acme=ACME), key=ACME.spare_key("alice"))
    story.stands(suspension("bob", "erin", acme=ACME))
    told = overview(story.population(), EVER)
    assert [(each.kind, each.exception) for each in told.standing] == [
        ("absent", False),
        ("delegated", False),
        ("withdrawn", False),
        ("withdrawn", False),
        ("key-revoked", True),
        ("suspended", True),
    ]
    assert told.standing[0].says == "bob was away 2026-11-20T14:00:00.000Z to 2026-11-21T14:00:00.000Z"
    assert told.standing[1].says.startswith("alice let frank stand in as engineering, ")
    assert [each.says for each in told.standing[2:4]] == [
        "alice took back the delegation of engineering",
        "bob took back an absence",
    ]
    since = "since 2026-11-20T14:00:00.000Z (stolen)"
    assert told.standing[4].says == f"alice revoked key {key_id('alice', ACME)} {since}"
    assert told.standing[5].says == "bob suspended erin until 2026-11-21T14:00:00.000Z (compromise)"
    assert len(told.first) == 2
    earlier = overview(story.population(), Period(begin=NOW - DAY, end=NOW))
    assert (earlier.standing, earlier.first) == ((), ())


def test_a_decision_is_no_standing_act() -> None:
    story = Story()
    with pytest.raises(ValueError, match="not a standing act"):
        said(story.decision("alice", story.asks()))


def test_a_recovery_is_looked_at_whatever_else_happened() -> None:
    population = Story().population()
    before, after = (Extent(size, "sha256:" + str(size) * 64) for size in (3, 7))
    recoveries = [
        Recovery(before=before, after=after, handed_back=("alice", "bob")),
        Recovery(before=before, after=after, handed_back=("alice",), unheard=("carol",)),
    ]
    entries = tuple(
        PlacedEntry(
            index,
            write_entry(
                EntryType.RECOVERED, write_recovery(each), at=NOW, ceremony=None, seq=index, prev=None
            ),
        )
        for index, each in enumerate(recoveries, start=1)
    )
    told = overview(replace(population, standing_entries=(*population.standing_entries, *entries)), EVER)
    lost = "the coordinator had lost entries 3 to 6, and got them back from the agents of"
    assert [each.says for each in told.standing] == [
        f"{lost} alice, bob",
        f"{lost} alice; not heard: carol",
    ]
    assert told.first[0] == f"{lost} alice, bob (entry 1)"


def test_an_overview_is_json_that_can_be_written() -> None:
    story = a_week()
    story.stands(absence("bob", acme=ACME, until=story.now + DAY))
    value = overview(story.population(), EVER).to_json()
    assert read(write(value), max_bytes=1 << 20) == value
    assert value["exceptions_by_kind"] == {"rejected": 1}


def cut_at(story: Story, first: int, *keep: int) -> Population:
    return populate(cut(story.copy(texts=False), first, keep), trust_in(ACME))


def test_a_copy_from_the_first_entry_on_has_no_gap() -> None:
    assert gaps(a_week().population(), EVER) == ()


@pytest.mark.parametrize(
    ("keep", "begin", "gap"),
    [((0,), NOW + HOUR * 20, True), ((0, 6), NOW + HOUR * 20, False), ((0, 6), NOW + HOUR, True)],
    ids=["what lies before is not here", "the entry before is earlier", "the period began earlier"],
)
def test_a_copy_of_a_part_says_what_it_cannot_show(keep: tuple[int, ...], begin: datetime, gap: bool) -> None:
    story = Story()
    story.releases()
    story.releases()
    population = cut_at(story, 7, *(range(7) if 6 in keep else keep))
    found = gaps(population, Period(begin=begin, end=NOW + DAY * 9))
    assert len(found) == gap
    assert all("every entry from number 7 on (2026-11-21T18:00:00.000Z)" in each for each in found)
    counts = census(population, EVER)
    assert counts.adds_up
    assert counts.entries_before == 7


def test_the_whole_period_reaches_over_the_last_entry() -> None:
    population = a_week().population()
    period = whole(population)
    assert all(each.entry.at in period for each in every_entry(population))
    assert period.begin == NOW

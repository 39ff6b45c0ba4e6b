# SPDX-License-Identifier: Apache-2.0
"""One ceremony as an auditor is told it."""

from dataclasses import replace

import pytest

from quorumseal.audit.asking_errors import NoSuchReleaseError
from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import LogCopy, cut
from quorumseal.audit.population import Audited
from quorumseal.audit.proving import prove
from quorumseal.audit.shown import Shown, find, foremost, show
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.statements import Choice, SeenCheckpoint
from quorumseal.strict_json import read, write
from quorumseal.tlog import hash_text, leaf_hash, verify_inclusion
from tests.audit.copying import trust_in
from tests.audit.stories import ACME, DAY, HOUR, MINUTE, Story
from tests.burning import delegation
from tests.changing import next_version
from tests.losing import suspension


def shown(story: Story, ceremony: str) -> Shown:
    population = story.population()
    found = population.named(ceremony)
    assert found is not None
    return show(population, story.copy(), found)


def how(story: Story, ceremony: str) -> list[tuple[str, str]]:
    return [(each.who, each.how) for each in shown(story, ceremony).counted]


def test_a_quorum_is_told_by_who_counts_as_what() -> None:
    story = Story()
    ceremony = story.releases()
    told = shown(story, ceremony)
    assert [(each.who, each.how) for each in told.counted] == [
        ("alice", "counts as engineering"),
        ("bob", "counts as engineering"),
        ("carol", "counts as security"),
        ("rita", "counts as release"),
    ]
    assert told.counted[1].consented == ("engineering", "security")
    assert (told.policy_from, told.later_versions, told.contradicted) == (0, 0, ())


def test_who_spoke_against_it_abstained_or_was_not_needed_is_told() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("erin", ceremony, Choice.ABSTENTION)
    story.later(HOUR).decides("dan", ceremony, roles=["security"])
    story.later(HOUR).decides("alice", ceremony)
    story.later(HOUR).decides("bob", ceremony, roles=["engineering", "security"])
    story.later(HOUR).decides("carol", ceremony)
    assert how(story, ceremony) == [
        ("erin", "never counts"),
        ("dan", "stands, and was not needed"),
        ("alice", "counts as engineering"),
        ("bob", "counts as engineering"),
        ("carol", "counts as security"),
    ]
    story.later(HOUR).decides("rita", ceremony, Choice.REJECTION)
    assert how(story, ceremony)[-1] == ("rita", "spoke against it")


def test_what_was_replaced_ran_out_fell_or_came_late_is_told() -> None:
    story = Story()
    ceremony = story.asks(deadline=DAY)
    story.later(HOUR).decides("alice", ceremony, not_after=story.now + HOUR * 2)
    story.later(HOUR).decides("bob", ceremony, Choice.ABSTENTION)
    before = story.coordinator.chains[ceremony].ceremony.decisions["bob"].digest
    story.later(HOUR).decides("bob", ceremony, replaces=before)
    story.later(HOUR).decides("erin", ceremony)
    for guardian in ("dan", "carol"):
        story.stands(suspension(guardian, "erin", acme=ACME, until=story.now + DAY, at=story.now))
    late = story.decision("carol", ceremony)
    story.later(DAY)
    story.happens(ceremony, Expire())
    story.later().sends(late)
    assert how(story, ceremony) == [
        ("alice", "did not stand any more when it was counted"),
        ("bob", "counts as engineering"),
        ("bob", "was replaced by a later decision"),
        ("erin", "stood until a key was revoked, or they were suspended"),
        ("carol", "came too late"),
    ]


def test_a_deputy_is_shown_with_whom_they_stand_in_for() -> None:
    story = Story()
    story.stands(delegation("alice", "engineering", "frank", acme=ACME))
    ceremony = story.asks()
    delegated = story.coordinator.chains[ceremony].ceremony.delegations["alice", "engineering"]
    decision = story.later(HOUR).decision("frank", ceremony, roles=["engineering"])
    story.sends(replace(decision, delegation=delegated.digest))
    assert how(story, ceremony) == [("frank for alice", "counts as engineering")]


def test_a_policy_is_named_as_of_then_with_how_many_came_later() -> None:
    story = Story()
    first = story.releases()
    story.changes(next_version(ACME, quorum={"engineering": 1, "security": 1, "release": 1}))
    second = story.releases("alice", "carol", "rita")
    told = shown(story, first)
    assert (told.policy_from, told.later_versions) == (0, 1)
    assert told.record.policy.policy.version == 1
    later = shown(story, second)
    assert later.policy_from == story.population().begins[1]
    assert (later.later_versions, later.record.policy.policy.version) == (0, 2)


def test_a_policy_that_never_held_is_told_as_such() -> None:
    story = Story()
    ceremony = story.releases()
    population = story.population()
    found = population.named(ceremony)
    assert found is not None
    others = replace(population, policies=(replace(population.policies[0], digest="sha256:" + "0" * 64),))
    told = show(others, story.copy(), found)
    assert (told.policy_from, told.later_versions) == (None, 0)


@pytest.mark.parametrize(
    ("size", "true", "same"),
    [(0, True, True), (1, True, True), (2, True, True), (1, False, False), (99, True, False)],
    ids=["nothing yet", "the founding", "the opening", "another root", "more than there is"],
)
def test_what_somebody_saw_is_held_against_this_log(size: int, true: bool, same: bool) -> None:
    story = Story()
    ceremony = story.asks()
    log = story.coordinator.log
    root = "sha256:" + (log.roots[size].hex() if true and size < 9 else "0" * 64)
    seen = SeenCheckpoint(size=size, root=root)
    story.later(HOUR).sends(story.decision("alice", ceremony, seen=seen))
    told = shown(story, ceremony)
    assert told.seen[2].checkpoint == seen
    assert told.seen[2].same is same
    assert told.contradicted == (() if same else (2,))


def test_what_lies_before_a_copy_cannot_be_held_against_it() -> None:
    story = Story()
    story.releases()
    log, ceremony = story.coordinator.log, story.asks()
    seen = SeenCheckpoint(size=3, root=hash_text(log.roots[3]))
    story.later(HOUR).sends(story.decision("alice", ceremony, seen=seen))
    copy = cut(story.copy(texts=False), 7, [0])
    population = populate(copy, trust_in(ACME))
    found = population.named(ceremony)
    assert found is not None
    told = show(population, copy, found)
    assert told.seen[8].same is None
    assert told.contradicted == ()


def proven(copy: LogCopy, index: int, payload: bytes, root: bytes) -> None:
    verify_inclusion(leaf_hash(payload), index, copy.size, prove(copy, index), root)


@pytest.mark.parametrize("first", [0, 1, 5, 7, 12, 13])
def test_every_entry_of_a_copy_is_proved_wherever_the_copy_begins(first: int) -> None:
    story = Story()
    story.releases()
    story.releases()
    whole = story.copy()
    copy, root = cut(whole, first, [0, 3]), story.coordinator.log.roots[-1]
    for index in {0, 3, *range(first, whole.size)} & {*range(whole.size)}:
        proven(copy, index, whole.entries[index], root)
    with pytest.raises(ValueError, match="does not hold entry 99"):
        prove(copy, 99)


def test_the_account_is_json_and_holds_what_proves_it() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("carol", ceremony, Choice.REJECTION)
    value = shown(story, ceremony).to_json()
    assert read(write(value), max_bytes=1 << 20) == value
    assert (value["ceremony"], value["state"], value["policy_from_entry"]) == (ceremony, "rejected", 0)
    assert value["entries"] == [1, 2, 3]
    texts = value["texts"]
    assert isinstance(texts, dict)
    assert "the changelog does not match" in texts.values()


def named(story: Story, name: str) -> list[str]:
    return [each.id for each in find(story.population(), name)]


def several() -> Story:
    story = Story()
    rejected = story.asks(version="1.0")
    story.later(HOUR).decides("carol", rejected, Choice.REJECTION)
    story.later(DAY)
    request = story.coordinator.chains[rejected].ceremony.request
    story.releases(version="1.0", supersedes=request.digest)
    story.later(MINUTE).asks(version="2.0")
    return story


def test_a_release_is_found_by_its_name_with_everything_about_it() -> None:
    story = several()
    first, second, third = story.coordinator.chains
    assert named(story, "widget@1.0") == [first, second]
    assert named(story, "widget@2.0") == [third]
    assert named(story, third) == [third]
    assert named(of_one(), "0193") == [third[:-1] + "1"]


def of_one() -> Story:
    story = Story()
    story.asks()
    return story


@pytest.mark.parametrize("name", ["widget@3.0", "gadget@1.0", "0193", "01", "", "ffff", "widget"])
def test_what_is_not_there_or_not_one_is_refused(name: str) -> None:
    with pytest.raises(NoSuchReleaseError, match=r"(one of the|with which \d of) 3 "):
        named(several(), name)


def test_what_released_it_comes_first() -> None:
    story = several()
    found = find(story.population(), "widget@1.0")
    assert foremost(found) is found[1]
    assert foremost(found[:1]) is found[0]
    change, acceptance = of_a_policy_change()
    assert foremost((change, acceptance)) is acceptance


def of_a_policy_change() -> tuple[Audited, Audited]:
    story = Story()
    story.changes(next_version(ACME, quorum={"engineering": 1, "security": 1, "release": 1}))
    change, acceptance = story.population().ceremonies
    return change, acceptance

# SPDX-License-Identifier: Apache-2.0
"""What an auditor always looks at, told from the entries of a ceremony."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.audit.exceptional import HASTY, exceptions_of
from quorumseal.audit.population import Audited
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice, Subject
from tests.audit.stories import ACME, DAY, HOUR, MINUTE, Story
from tests.burning import delegation, extends, revocation, vetoes
from tests.losing import suspension
from tests.organisation import REASON


def audited(story: Story, ceremony: str) -> Audited:
    found = story.population().named(ceremony)
    assert found is not None
    return found


def kinds(story: Story, ceremony: str) -> list[str]:
    return [each.kind for each in exceptions_of(audited(story, ceremony))]


def test_nothing_is_out_of_the_ordinary_about_what_its_quorum_approved_in_its_time() -> None:
    story = Story()
    assert kinds(story, story.releases()) == []


def test_an_emergency_is_one_with_its_reason_and_with_what_was_written() -> None:
    story = Story()
    ceremony = story.breaks_glass()
    story.join(ceremony)
    [found] = exceptions_of(audited(story, ceremony))
    assert found.kind == "emergency"
    assert "mallory broke the glass (outage, INC-1), 2 people; it is provisional" in found.says
    assert [text for _, text in found.texts] == [REASON, REASON]
    assert len(found.entries) == 2


def test_an_open_emergency_is_shown_by_its_opening_alone() -> None:
    story = Story()
    [found] = exceptions_of(audited(story, story.breaks_glass()))
    assert len(found.entries) == 1


def test_a_veto_says_who_and_why() -> None:
    story = Story()
    ceremony = story.breaks_glass()
    story.later(MINUTE * 2)
    stop = vetoes(story.coordinator.chains[ceremony], "dan", acme=ACME, at=story.now)
    story.happens(ceremony, stop)
    assert kinds(story, ceremony) == ["emergency", "vetoed"]
    assert exceptions_of(audited(story, ceremony))[1].says.endswith("was vetoed, by dan")


def test_a_rejection_says_who_and_why() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("carol", ceremony, Choice.REJECTION)
    [found] = exceptions_of(audited(story, ceremony))
    assert (found.kind, found.texts) == ("rejected", (("carol", REASON),))
    assert found.says == "widget 1.0: was rejected, by carol"


def test_a_cancellation_an_expiry_and_what_came_late_are_told() -> None:
    story = Story()
    cancelled, expired = story.asks(), story.asks()
    story.later()
    story.coordinator.cancel_as("mallory", cancelled)
    late = story.decision("alice", expired)
    story.coordinator.expire(expired)
    story.later().sends(late)
    assert kinds(story, cancelled) == ["cancelled"]
    assert kinds(story, expired) == ["expired", "late"]


def test_a_request_that_gave_way_names_the_other() -> None:
    story = Story()
    first = story.asks(version="1.0")
    request = story.coordinator.chains[first].ceremony.request
    other = (Subject(name="widget.tar.gz", digest=request.digest),)
    second = story.later().asks(version="1.0", supersedes=request.digest, subjects=other)
    [found] = exceptions_of(audited(story, first))
    assert found.kind == "superseded"
    assert found.digests == (story.coordinator.chains[second].ceremony.request.digest,)


def test_an_extension_says_until_when() -> None:
    story = Story()
    request = replace(ACME.request(version="1.0"), hard_stop=story.now + 3 * DAY)
    ceremony = story.asks(request)
    until = story.now + 2 * DAY
    extension = extends(story.coordinator.chains[ceremony], "rita", until, acme=ACME, at=story.later().now)
    story.happens(ceremony, extension)
    [found] = exceptions_of(audited(story, ceremony))
    assert found.kind == "extended"
    assert found.says.endswith("got more time by rita, until 2026-11-22T14:00:00.000Z")


def test_a_decision_that_fell_is_named_by_its_digest() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("erin", ceremony)
    fallen = story.coordinator.chains[ceremony].ceremony.decisions["erin"].digest
    for guardian in ("bob", "carol"):
        story.stands(suspension(guardian, "erin", acme=ACME, until=story.now + DAY, at=story.now))
    [found] = exceptions_of(audited(story, ceremony))
    assert (found.kind, found.digests) == ("fallen", (fallen,))


def test_a_release_that_is_taken_back_names_what() -> None:
    story = Story()
    release = story.releases()
    digest = story.coordinator.chains[release].ceremony.request.digest
    back = story.asks(replace(revocation(digest, ACME, number=90, at=story.now), version="1.0"))
    assert kinds(story, back) == []
    story.approves(back)
    [found] = exceptions_of(audited(story, back))
    assert (found.kind, found.digests) == ("taken-back", (digest,))


def test_an_emergency_that_loses_its_people_in_the_window_is_told() -> None:
    story = Story()
    ceremony = story.breaks_glass()
    for signer in ("alice", "carol"):
        story.later(MINUTE * 2).decides(signer, ceremony)
    for guardian in ("bob", "dan"):
        story.later()
        story.stands(suspension(guardian, "carol", acme=ACME, until=story.now + DAY, at=story.now))
    assert kinds(story, ceremony) == ["emergency", "fallen", "window-broken"]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (CheckOutcome.PASS, None),
        (CheckOutcome.WAIVED, "alice approved with the check changelog waived"),
        (CheckOutcome.FAIL, "alice approved with the check changelog failed"),
        (CheckOutcome.UNKNOWN, "alice approved with the check changelog not known"),
    ],
)
def test_a_check_that_did_not_pass_is_told(outcome: CheckOutcome, says: str | None) -> None:
    story = Story()
    ceremony = story.asks()
    decision = story.later(HOUR).decision("alice", ceremony)
    story.sends(replace(decision, checks=(Check(name="changelog", outcome=outcome),)))
    assert [each.says for each in exceptions_of(audited(story, ceremony))] == (
        [f"widget 1.0: {says}"] if says else []
    )


@pytest.mark.parametrize(
    ("after", "signer", "hasty"),
    [
        (HASTY - timedelta(seconds=1), "alice", True),
        (timedelta(0), "alice", True),
        (HASTY, "alice", False),
        (timedelta(0), "ci", False),
    ],
    ids=["just under a minute", "at once", "a minute", "a machine"],
)
def test_an_approval_within_a_minute_of_the_opening_is_hasty(
    after: timedelta, signer: str, hasty: bool
) -> None:
    acme = replace(ACME, roles={**ACME.roles, "release": ("rita", "dan", "ci")})
    story = Story(acme)
    ceremony = story.asks()
    story.later(after).decides(signer, ceremony)
    assert [each.kind for each in exceptions_of(audited(story, ceremony))] == (["hasty"] if hasty else [])


def test_a_decision_in_somebodys_place_is_told() -> None:
    story = Story()
    story.stands(delegation("alice", "engineering", "frank", acme=ACME))
    ceremony = story.asks()
    delegated = story.coordinator.chains[ceremony].ceremony.delegations["alice", "engineering"]
    decision = story.later(HOUR).decision("frank", ceremony, roles=["engineering"])
    story.sends(replace(decision, delegation=delegated.digest))
    [found] = exceptions_of(audited(story, ceremony))
    assert (found.kind, found.digests) == ("stood-in", (delegated.digest,))


def test_texts_that_are_not_here_are_left_out() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("carol", ceremony, Choice.REJECTION)
    found = story.population(texts=False).named(ceremony)
    assert found is not None
    assert exceptions_of(found)[0].texts == ()


def test_the_weightiest_comes_first_where_one_entry_is_two_exceptions() -> None:
    story = Story()
    ceremony = story.asks()
    decision = story.decision("alice", ceremony)
    story.sends(replace(decision, checks=(Check(name="changelog", outcome=CheckOutcome.WAIVED),)))
    assert kinds(story, ceremony) == ["unchecked", "hasty"]

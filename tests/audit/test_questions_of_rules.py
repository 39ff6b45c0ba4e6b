# SPDX-License-Identifier: Apache-2.0
"""How the rules changed, and how they were kept."""

from dataclasses import replace

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.population import Period
from quorumseal.audit.questions import (
    checks,
    policy_changes,
    retries,
    taken_back,
)
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Subject,
)
from tests.audit.evidence import bad, good
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import reapproval, revocation
from tests.changing import next_version
from tests.organisation import NOW, REASON, SUBJECTS, changed


def test_changes_of_the_policy_are_told_with_both_quorums_and_what_is_weaker() -> None:
    story = Story()
    weaker = {**ACME.roles, "engineering": ("alice", "bob", "erin", "mallory")}
    story.changes(next_version(ACME, roles=weaker, quorum={**ACME.quorum, "release": 2}))
    population = story.population()
    answer = policy_changes.ask(population, EVER)
    assert answer.says == ("2 policy versions came into force; 1 of them permits what the one before refused")
    change, acceptance = (each.id for each in population.ceremonies)
    by = "by alice, carol (ceremony"
    assert good(answer) == [
        "version 1: founded by alice, bob, carol, dan, erin",
        f"version 2: policy-change approved {by} {change}); policy-acceptance approved {by} {acceptance})",
        "version 2: rule standard needs 2 of release, where it needed 1",
    ]
    assert bad(answer) == ["version 2: role engineering mallory may count (weaker)"]


def test_stricter_rules_are_no_exception_and_a_quiet_period_is_said_to_be_one() -> None:
    story = Story()
    story.changes(next_version(ACME, quorum={**ACME.quorum, "release": 2}))
    population = story.population()
    assert policy_changes.ask(population, EVER).says == (
        "2 policy versions came into force; none permits what the one before refused"
    )
    quiet = policy_changes.ask(population, Period(begin=NOW + DAY * 9, end=NOW + DAY * 10))
    assert (quiet.says, quiet.exhibits) == ("0 policy versions came into force", ())
    assert quiet.verdict is Verdict.CLEAN


def test_a_change_whose_ceremonies_are_not_here_says_so() -> None:
    story = Story()
    story.changes(next_version(ACME))
    bare = replace(story.population(), ceremonies=())
    assert "which this copy does not hold" in good(policy_changes.ask(bare, EVER))[1]


def tried_again(*, subjects: tuple[Subject, ...] = SUBJECTS, approve: bool = True) -> Story:
    story = Story()
    first = story.asks(version="1.0")
    story.later(HOUR).decides("carol", first, Choice.REJECTION)
    request = story.later(DAY).coordinator.chains[first].ceremony.request
    supersedes = None if subjects == SUBJECTS else request.digest
    second = story.asks(version="1.0", subjects=subjects, supersedes=supersedes)
    if approve:
        story.approves(second)
    return story


@pytest.mark.parametrize(
    ("story", "verdict", "says"),
    [
        (tried_again(), Verdict.EXCEPTIONS, "1 time of 1 approved release; 1 with the very bytes"),
        (
            tried_again(subjects=(Subject(name="widget.tar.gz", digest="sha256:" + "1" * 64),)),
            Verdict.CLEAN,
            "1 time of 1 approved release; none with the same bytes",
        ),
        (tried_again(approve=False), Verdict.NOTHING, "0 times of 0 approved releases; none with the"),
    ],
    ids=["the same bytes", "other bytes", "not approved"],
)
def test_what_was_approved_after_a_no_is_found(story: Story, verdict: Verdict, says: str) -> None:
    answer = retries.ask(story.population(), EVER)
    assert answer.verdict is verdict
    assert answer.says.startswith(says)
    if answer.exhibits:
        assert answer.exhibits[0].texts == (("carol", REASON),)
        assert len(answer.exhibits[0].entries) == 2


def test_a_refusal_that_has_no_end_on_record_is_told_without_it() -> None:
    population = tried_again().population()
    first, second = population.ceremonies
    cut_off = replace(first, entries=first.entries[:1])
    answer = retries.ask(replace(population, ceremonies=(cut_off, second)), EVER)
    assert len(answer.exhibits[0].entries) == 1


def test_approvals_without_checks_and_in_haste_are_counted() -> None:
    story = Story()
    ceremony = story.asks()
    waived = (Check(name="changelog", outcome=CheckOutcome.WAIVED),)
    story.sends(replace(story.decision("alice", ceremony), checks=waived))
    story.later(HOUR).decides("bob", ceremony)
    story.later(HOUR).decides("erin", ceremony, Choice.ABSTENTION)
    answer = checks.ask(story.population(), EVER)
    assert answer.says == ("of 2 approvals: 1 check not passed, 1 approval within a minute of the opening")
    assert len(bad(answer)) == 2
    assert good(answer) == ["policy version 1, rule standard: demands no check at all"]
    story.later(DAY)
    later = Period(begin=NOW + HOUR, end=EVER.end)
    assert bad(checks.ask(story.population(), later)) == []


def test_the_checks_that_a_rule_demands_are_told() -> None:
    story = Story(changed(ACME, checks=frozenset({"artifacts"})))
    story.releases()
    assert good(checks.ask(story.population(), EVER)) == [
        "policy version 1, rule standard: demands artifacts"
    ]


def test_releases_that_were_taken_back_or_approved_anew_are_told() -> None:
    story = Story()
    first, second, third = story.releases(), story.releases(), story.releases()
    chains = story.coordinator.chains
    anew = replace(reapproval(chains[second], ACME, number=80, at=story.now))
    story.approves(story.asks(anew), "bob", "erin", "carol", "dan")
    for number, ceremony in enumerate((first, third)):
        request = chains[ceremony].ceremony.request
        version = request.statement.version
        back = replace(revocation(request.digest, ACME, number=90 + number, at=story.now), version=version)
        taken = story.asks(back)
        if ceremony == first:
            story.approves(taken)
    answer = taken_back.ask(story.population(), EVER)
    assert answer.says == "1 release taken back, 1 release approved anew"
    assert bad(answer) == ["widget 1.0 (release-revocation): asked for by mallory; it is approved"]
    assert good(answer) == [
        "widget 3.0 (release-revocation): asked for by mallory; it is open",
        "widget 2.0 (re-approval): asked for by rita; it is approved",
    ]
    assert answer.exhibits[0].digests == (chains[first].ceremony.request.digest,)

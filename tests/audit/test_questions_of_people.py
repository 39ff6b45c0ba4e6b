# SPDX-License-Identifier: Apache-2.0
"""Who left, who is no person, who can do what."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.population import Audited, Period
from quorumseal.audit.questions import (
    access,
    identities,
    leavers,
)
from quorumseal.ceremony.statements import (
    RevocationReason,
    SuspensionReason,
)
from tests.audit.evidence import bad, doctored, good, revoked_later
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import absence
from tests.changing import next_version
from tests.losing import key_id, key_revocation, suspension
from tests.organisation import NOW, Organisation, changed

WITHOUT_ERIN = {**ACME.roles, "engineering": ("alice", "bob")}


def test_somebody_who_left_is_told_with_when_their_say_ended() -> None:
    story = Story()
    story.releases("erin", "bob", "carol", "rita")
    story.stands(
        replace(
            suspension("bob", "erin", acme=ACME, until=story.now + DAY, at=story.now),
            reason=SuspensionReason.LEAVING,
        )
    )
    story.stands(key_revocation("bob", "erin", acme=ACME, since=story.now))
    story.stands(absence("alice", acme=ACME, until=story.now + DAY))
    story.later(HOUR).changes(next_version(ACME, roles=WITHOUT_ERIN))
    answer = leavers.ask(story.population(), EVER)
    day, before = "2026-11-21T18:00:00.000Z", "2026-11-20T15:00:00.000Z"
    how = f"suspended {day}; a key revoked {day}; last signed {before}"
    assert good(answer) == [f"erin left the roster with policy version 2; {how}"]
    assert answer.says == "1 signer left and 0 memberships ended; nobody signed anything that came after"
    assert answer.verdict is Verdict.CLEAN


def test_somebody_who_never_signed_and_changes_of_roles_are_told() -> None:
    story = Story()
    roles = {**ACME.roles, "engineering": ("alice", "bob"), "security": ("carol", "dan"), "testers": ("bob",)}
    story.changes(next_version(ACME, roles=roles))
    story.changes(next_version(story.acme, roles={k: v for k, v in roles.items() if k != "testers"}))
    answer = leavers.ask(story.population(), EVER)
    assert good(answer) == [
        "erin left the roster with policy version 2; never signed",
        "bob left the role security with policy version 2, and stayed on the roster",
        "bob left the role testers with policy version 3, and stayed on the roster",
    ]


def test_what_somebody_signs_after_leaving_is_found_though_the_rules_refuse_it() -> None:
    story = Story()
    story.releases("erin", "bob", "carol", "rita")
    story.changes(next_version(ACME, roles=WITHOUT_ERIN))
    back = next_version(story.acme, roles=ACME.roles)
    story.changes(back)
    story.releases("erin", "bob", "carol", "rita")
    population = story.population()
    assert bad(leavers.ask(population, EVER)) == []
    second, third = population.begins[1:]

    def late(audited: Audited) -> Audited:
        entries = tuple(replace(e, index=second + 1 if e.index == 2 else e.index) for e in audited.entries)
        return replace(audited, entries=entries)

    assert third > second + 1
    assert bad(leavers.ask(doctored(population, late), EVER)) == ["erin signed after leaving with version 2"]


def test_whoever_was_said_to_leave_and_is_still_there_is_found() -> None:
    story = Story()
    leaving = suspension("bob", "erin", acme=ACME, until=NOW + DAY)
    story.stands(replace(leaving, reason=SuspensionReason.LEAVING))
    story.stands(
        key_revocation("mallory", "mallory", acme=ACME, since=NOW, reason=RevocationReason.LEFT),
        key=ACME.spare_key("mallory"),
    )
    story.stands(suspension("carol", "dan", acme=ACME, until=NOW + DAY))
    answer = leavers.ask(story.population(), EVER)
    at = "2026-11-20T14:00:00.000Z"
    assert bad(answer) == [
        f"erin was said to leave (suspended {at}), and is still on the roster",
        f"mallory was said to leave (a key revoked {at}), and is still on the roster",
    ]
    before = Period(begin=NOW - DAY * 2, end=NOW - DAY)
    assert leavers.ask(story.population(), before).exhibits == ()


def test_whoever_was_said_to_leave_and_left_is_no_exception() -> None:
    story = Story()
    leaving = suspension("bob", "erin", acme=ACME, until=NOW + DAY)
    story.stands(replace(leaving, reason=SuspensionReason.LEAVING))
    story.changes(next_version(ACME, roles=WITHOUT_ERIN))
    assert bad(leavers.ask(story.population(), EVER)) == []


@pytest.mark.parametrize(
    ("organisation", "found"),
    [
        (ACME, []),
        (
            changed(ACME, machines=frozenset({"ci", "erin"})),
            ["version 1: erin is a machine, and decides as engineering"],
        ),
        (
            changed(ACME, roles={**ACME.roles, "engineering": ("alice", "bob", "release-team")}),
            ["version 1: release-team is no machine, is called release team, and decides as engineering"],
        ),
        (
            changed(ACME, deputies={"engineering": ("oncall.bot",)}),
            ["version 1: oncall.bot is no machine, is called bot oncall, and decides as engineering"],
        ),
    ],
    ids=["people alone", "a machine", "the name of a group", "a deputy"],
)
def test_machines_and_groups_in_peoples_roles_are_found(organisation: Organisation, found: list[str]) -> None:
    answer = identities.ask(Story(organisation).population(), EVER)
    assert bad(answer) == found
    assert answer.says.startswith("yes" if found else "no: of 9 signers none who decides is a machine")


def test_a_key_that_went_from_one_to_another_is_found() -> None:
    story = Story()
    renamed = {**ACME.roles, "engineering": ("alice", "bob", "eve")}
    story.changes(WithAnothersKey(**vars_of(next_version(ACME, roles=renamed))))
    key = ACME.key("erin").public.key_id
    assert bad(identities.ask(story.population(), EVER)) == [
        f"version 2: key {key} was one of erin, and is one of eve"
    ]


class WithAnothersKey(Organisation):
    """Eve comes with the key that was erin's."""

    def key(self, name: str) -> Any:
        """Return a signer's private key."""
        return super().key("erin" if name == "eve" else name)


def vars_of(organisation: Organisation) -> dict[str, Any]:
    return {name: getattr(organisation, name) for name in Organisation.__dataclass_fields__}


def test_what_machines_asked_for_is_told_by_on_whose_behalf() -> None:
    story = Story()
    for _ in range(2):
        story.releases(requester="ci", on_behalf_of="mallory")
    answer = identities.ask(story.population(), EVER)
    assert answer.verdict is Verdict.CLEAN
    assert good(answer) == ["ci asked 2 times on behalf of mallory, and neither could decide there"]
    assert answer.exhibits[0].entries == (1, 7)


def test_the_roster_is_told_with_roles_and_when_each_last_signed() -> None:
    story = Story()
    story.releases()
    answer = access.ask(story.population(), Period(begin=NOW - DAY, end=NOW + DAY))
    assert answer.says == "9 signers can, 4 of whom signed nothing in the period; no key runs out soon"
    assert good(answer)[0] == "alice: a person, in engineering; last signed 2026-11-20T15:00:00.000Z"
    assert "ci: a machine, in managers; signed nothing in the period" in good(answer)
    frank = next(each for each in good(answer) if each.startswith("frank"))
    assert frank == "frank: a person, in no role, may stand in as engineering; signed nothing in the period"


@pytest.mark.parametrize(
    ("end", "found"),
    [
        (NOW + DAY, []),
        (NOW + DAY * 31, ["runs out 2026-12-30T14:00:00.000Z"]),
        (NOW + DAY * 41, ["ran out 2026-12-30T14:00:00.000Z, and is still listed"]),
    ],
    ids=["in good time", "soon", "over"],
)
def test_keys_that_run_out_are_found(end: datetime, found: list[str]) -> None:
    acme = changed(ACME, valid_until={"erin": NOW + DAY * 40})
    answer = access.ask(Story(acme).population(), Period(begin=NOW - DAY, end=end))
    key = acme.key("erin").public.key_id
    assert bad(answer) == [f"erin: key {key} {each}" for each in found]


def test_a_revoked_key_that_is_still_listed_is_found() -> None:
    answer = access.ask(revoked_later(since=NOW).population(), Period(begin=NOW - DAY, end=NOW + DAY))
    assert bad(answer) == [
        f"alice: key {key_id('alice', ACME)} is revoked since 2026-11-20T14:00:00.000Z, and still listed"
    ]
    assert answer.says.endswith("1 key ran out, runs out soon or is revoked")

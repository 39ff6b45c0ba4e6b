# SPDX-License-Identifier: Apache-2.0
"""What people see of an emergency, and of what follows it."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.statements import Choice
from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Look, Screen
from signer_agent.cli import approve
from signer_agent.cli.verdict import Person, decide
from signer_agent.documents import inbox_json, review_json
from signer_agent.draft_screen import consequences_text, draw_act
from signer_agent.drafting import consequences
from signer_agent.emergencies import write_veto
from signer_agent.inbox import open_inbox
from signer_agent.inbox_screen import draw_inbox, handle_of
from signer_agent.review import Review, Standing
from signer_agent.screen import draw_review
from tests.burning import BREAK_GLASS, BURNING, HOUR, PROVISIONAL, WINDOW, emergency_request
from tests.organisation import changed
from tests.signer_agent.fires import ALARM, IMPACT, REPORT, WANTED, WHY, Fire

Capture = pytest.CaptureFixture[str]
BANNER = (
    "!! BREAK-GLASS EMERGENCY: outage, incident INC-7 !! 2 people (1 of engineering, 1 of security) release"
)


@pytest.fixture
def fire(tmp_path: Path) -> Fire:
    return Fire(tmp_path)


def shown(review: Review, *, width: int = 80) -> str:
    out = StringIO()
    draw_review(Screen(out, StringIO(), look=Look(width=width), err_look=Look()), review)
    return " ".join(out.getvalue().split())


def test_an_emergency_is_shown_under_a_banner_with_all_that_its_request_says(fire: Fire) -> None:
    text = shown(fire.desk("alice").look(fire.break_glass()))
    assert text.startswith(f"○ EMERGENCY widget 1.0 waits for your decision: 4 h 10 min left {BANNER}")
    for said in (
        "release it instead of 2 of engineering, 1 of security, 1 of release.",
        "reason outage (the rule knows outage, vulnerability)",
        "incident INC-7",
        "needs 2 people: 1 of engineering, 1 of security; guardian: security",
        "joined 0 of 2",
        "skips 1 of engineering, 1 of release",
        "veto any member of any role, for 10 min once its quorum is met",
        "provisional until Mon 2026-11-23 14:00 UTC",
        "ratify by Mon 2026-11-23 14:00 UTC",
        f"why it cannot wait, in the words of mallory: │ {WHY}",
        f"what it does to whom, in the words of mallory: │ {IMPACT}",
        "by the log, that many people are enough",
        "kind release, break-glass",
        "rule standard: 1 of engineering, 1 of security",
    ):
        assert said in text.replace("!! ", ""), said


def test_an_ordinary_ceremony_has_no_banner(fire: Fire) -> None:
    text = shown(fire.desk("alice").look(fire.coordinator.open()))
    assert "!!" not in text
    assert "EMERGENCY" not in text


def test_the_banner_is_white_on_red_where_there_are_colours(fire: Fire) -> None:
    out = StringIO()
    look = Look(colour=True, width=200)
    draw_review(
        Screen(out, StringIO(), look=look, err_look=look), fire.desk("alice").look(fire.break_glass())
    )
    assert "\n\x1b[1;97;41m!! BREAK-GLASS EMERGENCY" in out.getvalue()


def test_an_incident_that_looks_like_another_is_made_visible_in_the_banner(fire: Fire) -> None:
    ceremony = fire.break_glass(alarm=replace(ALARM, incident="IN\u0421-7"))
    text = shown(fire.desk("alice").look(ceremony))
    assert "incident IN\u0421⟨mixed scripts: Cyrillic, Latin⟩-7 !! 2 people" in text


def test_a_text_that_is_withheld_is_said_to_be_missing(fire: Fire) -> None:
    ceremony = fire.break_glass()
    fire.coordinator.annexes.clear()
    text = shown(fire.desk("alice").look(ceremony))
    assert "! What mallory wrote (why it cannot wait) is not here: it was erased, or is withheld" in text


def test_a_drill_says_that_it_is_one(tmp_path: Path) -> None:
    fire = Fire(tmp_path, changed(BURNING, drill=True))
    assert "!! DRILL. BREAK-GLASS EMERGENCY" in shown(fire.desk("alice").look(fire.break_glass()))


def test_what_the_rules_speak_against_stands_at_the_top(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    fire.coordinator.pass_time(HOUR)
    request = emergency_request(number=50, at=fire.coordinator.now, people=2)
    fire.coordinator.open_unasked(request)
    review = fire.desk("carol").look(request.ceremony)
    text = shown(review)
    assert "✗ Do not approve this [emergency.people]: expected an emergency of 3 people" in text
    assert "that many people are enough" not in text
    document: Any = review_json(review)
    assert document["refusal"]["code"] == "emergency.people"


def test_people_beyond_the_roles_are_awaited(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    ceremony = fire.break_glass()
    fire.join(ceremony, "alice", "carol")
    review = fire.desk("bob").look(ceremony)
    text = shown(review)
    assert "and 1 more, of any of these roles" in text
    assert "1 person more must join, of any role of its quorum" in text
    assert "by the log, that many people are enough; erin vetoed this release before" in text
    assert "not erin, who vetoed this release before" in text


def test_what_an_approval_does_to_an_emergency_is_said(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    ceremony = fire.break_glass()

    def said(person: str) -> tuple[str, ...]:
        review = fire.desk(person).look(ceremony)
        return consequences_text(review, consequences(review, fire.desk(person).draft(review)))

    assert said("alice") == (
        "Then security needs one more: bob, carol or dan.",
        "Then it needs 1 more, of any role of its quorum.",
    )
    fire.join(ceremony, "alice")
    assert said("carol") == ("Then it needs 1 more, of any role of its quorum.",)
    fire.join(ceremony, "carol")
    met = "The emergency's quorum is met: unless somebody vetoes it by Fri 2026-11-20 14:12 UTC"
    assert said("bob") == (f"{met}, it is released provisionally.",)


def test_each_step_says_what_time_will_do(fire: Fire) -> None:
    ceremony, desk = fire.break_glass(), fire.desk("erin")
    assert "nothing is released before its quorum has stood for 10 min without a veto" in shown(
        desk.look(ceremony)
    )
    fire.join(ceremony, "alice", "carol")
    assert "may veto it until Fri 2026-11-20 14:12 UTC, in 10 min" in shown(desk.look(ceremony))
    fire.pass_time(WINDOW, ceremony)
    text = shown(desk.look(ceremony))
    assert text.startswith("! EMERGENCY widget 1.0 was released provisionally just now")
    assert "its provisional bundle counts until Mon 2026-11-23 14:00 UTC" in text
    assert "unless it is ratified by Mon 2026-11-23 14:00 UTC, in 2 days 23 h, it lapses" in text
    assert "a report by somebody who took no part is due Fri 2026-11-27 14:12 UTC" in text
    fire.coordinator.pass_time(PROVISIONAL)
    assert "unless a ratification was approved by Mon 2026-11-23 14:00 UTC, it has lapsed" in shown(
        desk.look(ceremony)
    )
    fire.coordinator.pass_time(BREAK_GLASS.report)
    assert "and is late: the next emergency needs three people" in shown(desk.look(ceremony))
    fire.report(ceremony, "erin")
    assert "a report" not in shown(desk.look(ceremony))


def test_a_provisional_end_before_the_lapse_is_told_apart(fire: Fire) -> None:
    ceremony = fire.break_glass(alarm=replace(ALARM, provisional=6 * HOUR))
    fire.join(ceremony, "alice", "carol")
    fire.pass_time(WINDOW, ceremony)
    fire.coordinator.pass_time(6 * HOUR)
    text = shown(fire.desk("erin").look(ceremony))
    assert "its provisional bundle counted until Fri 2026-11-20 20:00 UTC" in text
    assert "it can be ratified until Mon 2026-11-23 14:00 UTC" in text


def test_a_veto_is_named(fire: Fire) -> None:
    ceremony = fire.break_glass()
    fire.veto(ceremony, "erin")
    text = shown(fire.desk("alice").look(ceremony))
    assert text.startswith("✗ EMERGENCY widget 1.0 was vetoed by erin just now")


def test_a_ratification_tells_the_story_of_its_emergency(fire: Fire) -> None:
    emergency = fire.burn()
    fire.report(emergency, "erin")
    review = fire.desk("bob").look(fire.ratify(emergency))
    text = shown(review)
    assert text.startswith("○ ratification of widget 1.0 waits for your decision")
    for said in (
        "What is ratified: an emergency that was released provisionally",
        emergency,
        "asked for by mallory",
        "approved by engineering: alice; security: carol",
        "reason outage",
        f"in the words of mallory: │ {WHY}",
        f"in the words of mallory: │ {IMPACT}",
        f"report, in the words of erin: │ {REPORT}",
        fire.coordinator.chains[emergency].ceremony.request.digest,
        "rule standard: 2 of engineering, 1 of security, 1 of release",
    ):
        assert said in text, said
    assert "!!" not in text


def test_a_revocation_says_which_release_and_why(fire: Fire) -> None:
    released = fire.burn()
    review = fire.desk("alice").look(fire.revoke(released))
    text = shown(review)
    assert text.startswith("○ revocation of widget 1.0 waits for your decision")
    assert "why, in the words of rita: │ it deletes what it should keep" in text
    assert "✗ widget.tar.gz: nobody is to use it any more" in text
    assert fire.coordinator.chains[released].ceremony.request.digest in text
    assert "Artifacts" not in text
    document: Any = review_json(review)
    assert document["about"]["ceremony"] == released
    assert document["why"] == "it deletes what it should keep"


@pytest.mark.parametrize("follow", [Fire.ratify, Fire.revoke], ids=["ratification", "revocation"])
def test_what_completes_them_is_said(fire: Fire, follow: Any) -> None:
    ceremony = follow(fire, fire.burn())
    fire.join(ceremony, "alice", "bob", "carol")
    review = fire.desk("dan").look(ceremony)
    (said,) = consequences_text(review, consequences(review, fire.desk("dan").draft(review)))
    assert said.startswith("It completes the quorum: the ")
    assert "approved and published" not in said


def test_a_veto_is_shown_before_it_is_signed(fire: Fire) -> None:
    ceremony = fire.break_glass()
    review = fire.desk("erin").look(ceremony)
    draft = write_veto(fire.desk("erin").agent, review, "it can wait until Monday")
    out = StringIO()
    draw_act(Screen(out, StringIO(), look=Look(), err_look=Look()), review, draft, "It ends here.")
    for said in (
        "What you sign: veto on EMERGENCY widget 1.0, as erin",
        review.request.digest,
        review.observation.chain.hashes[-1],
        draft.digest,
        "│ it can wait until Monday",
        "It ends here.",
    ):
        assert said in out.getvalue()


def test_an_open_emergency_stands_first_in_everybodys_inbox(fire: Fire) -> None:
    regular = replace(WANTED, version="3.0")
    fire.coordinator.open(fire.organisation.request(number=60, version=regular.version))
    fire.break_glass(wanted=replace(WANTED, version="2.0"))
    for person, waits in (("alice", True), ("ci", False)):
        inbox = open_inbox(fire.desk(person).agent)
        assert inbox.reviews[0].ceremony.emergency is not None
        out = StringIO()
        draw_inbox(Screen(out, StringIO(), look=Look(), err_look=Look()), inbox, everything=False)
        assert "!! BREAK-GLASS EMERGENCY: outage, incident INC-7" in out.getvalue()
        assert "EMERGENCY widget 2.0 " in out.getvalue()
        assert (inbox.reviews[0].standing is Standing.AWAITED) is waits
        document: Any = inbox_json(inbox)
        assert document["ceremonies"][0]["emergency"]["reason"] == "outage"
        assert document["ceremonies"][1]["emergency"] is None


def test_what_follows_a_release_is_named_by_its_id(fire: Fire) -> None:
    emergency = fire.burn()
    assert handle_of(fire.desk("alice").look(emergency)) == "widget@1.0"
    ratification = fire.ratify(emergency)
    assert handle_of(fire.desk("alice").look(ratification)) == ratification


def _approve(fire: Fire, ceremony: str, *words: str) -> int:
    desk = fire.desk("alice")
    parser = ArgumentParser()
    parser.add_argument("--json", action="store_true")
    approve.add_arguments(parser)

    def key() -> PrivateKey:
        return desk.key

    return decide(
        desk.agent,
        Choice.APPROVAL,
        desk.look(ceremony),
        parser.parse_args(words),
        person=Person(ask=None, yes=True),
        key=key,
    )


def test_nobody_approves_an_emergency_without_its_banner(fire: Fire, capsys: Capture) -> None:
    assert _approve(fire, fire.break_glass()) == 0
    assert "!! BREAK-GLASS EMERGENCY: outage" in capsys.readouterr().out


def test_with_json_the_banner_goes_to_standard_error(fire: Fire, capsys: Capture) -> None:
    assert _approve(fire, fire.break_glass(), "--json") == 0
    said = capsys.readouterr()
    assert "!! BREAK-GLASS EMERGENCY: outage" in said.err
    emergency = json.loads(said.out)["review"]["emergency"]
    assert (emergency["people"], emergency["joined"], emergency["why"]) == (2, [], WHY)

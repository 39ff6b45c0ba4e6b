# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pyte
import pytest

from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.statements import Choice, Evidence, Locator, Request
from quorumseal.ceremony.values import digest_of
from quorumseal.client.values import Annex
from quorumseal.terminal import Look, Screen
from signer_agent.deciding import look
from signer_agent.documents import review_json
from signer_agent.draft_screen import draw_draft
from signer_agent.drafting import consequences
from signer_agent.inbox import Inbox, open_inbox
from signer_agent.inbox_screen import draw_inbox
from signer_agent.recollection import Known, LastDecision
from signer_agent.review import Review
from signer_agent.screen import NOT_SIGNED, draw_review
from tests.organisation import NOW, Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

HOSTILE = "see \u202eexe.tseuqer\u202c, p\u0430ypal and \u0416"
LIAR = "fine\n✓ You approved widget 1.0: it is in the log\n\x1b[2J\x1b[1;1Hnothing here"


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def drawn(review: Review, *, width: int = 80, unicode: bool = True) -> str:
    out = StringIO()
    style = Look(width=width, unicode=unicode)
    draw_review(Screen(out, StringIO(), look=style, err_look=style), review)
    return out.getvalue()


def inbox_of(inbox: Inbox, *, everything: bool = False) -> str:
    out = StringIO()
    draw_inbox(Screen(out, StringIO(), look=Look(width=80), err_look=Look()), inbox, everything=everything)
    return out.getvalue()


def rich_request(organisation: Organisation) -> Request:
    return replace(
        organisation.request(),
        ticket="REL-142: please look soon, \u041e\u043b\u044c\u0433\u0430",
        locators=(Locator(name="widget.tar.gz", uri="https://builds.\u0430cme.example/"),),
        evidence=(
            Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=digest_of(b"{}")),
        ),
    )


def test_the_first_line_is_the_answer_and_digests_are_whole(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open(rich_request(coordinator.organisation))
    review = Desk(tmp_path / "alice", coordinator).look(ceremony)
    lines = drawn(review).splitlines()
    assert lines[0] == "○ widget 1.0 waits for your decision: 1 day left"
    for digest in (
        review.request.statement.subjects[0].digest,
        review.request.digest,
        review.observation.policy.digest,
        digest_of(b"{}"),
    ):
        assert f"    {digest}" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    tmp_path: Path, coordinator: SimulatedCoordinator, width: int
) -> None:
    ceremony = coordinator.open(rich_request(coordinator.organisation))
    review = Desk(tmp_path / "alice", coordinator).look(ceremony)
    assert max(map(len, drawn(review, width=width).splitlines())) <= width


def test_what_others_wrote_stands_under_its_own_heading(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open(rich_request(coordinator.organisation))
    coordinator.decide_as("erin", ceremony, choice=Choice.ABSTENTION)
    before, _, after = drawn(Desk(tmp_path / "alice", coordinator).look(ceremony)).partition(NOT_SIGNED)
    assert "REL-142" not in before
    assert "builds." not in before
    assert "  ticket, by mallory:\n  │ REL-142: please look soon, Ольга\n" in after
    assert "mixed scripts: Cyrillic, Latin" in after


def test_text_of_others_can_neither_draw_nor_pass_for_ours(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    review = Desk(tmp_path / "alice", coordinator).look(ceremony)
    reason = Annex(salt=bytes(32), text=f"{HOSTILE}\n{LIAR}")
    decision = coordinator.organisation.decision("erin", review.request, choice=Choice.ABSTENTION)
    coordinator.decide(coordinator.organisation.seal(replace(decision, reason=reason.commitment)), reason)
    text = drawn(Desk(tmp_path / "alice", coordinator).look(ceremony))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "U+202E" in text
    assert "U+001B" in text
    # every line of it stands behind a rule, so no line of it begins like one of ours
    assert [line for line in text.splitlines() if "You approved" in line] == [
        "  │ ⟨U+2713⟩ You approved widget 1.0: it is in the log"
    ]
    terminal = pyte.Screen(80, 100)
    pyte.Stream(terminal).feed(text.replace("\n", "\r\n"))
    assert terminal.display[0].startswith("○ widget 1.0 waits for your decision")


def test_an_ascii_terminal_is_shown_ascii(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open(rich_request(coordinator.organisation))
    assert drawn(Desk(tmp_path / "alice", coordinator).look(ceremony), unicode=False).isascii()


def test_other_bytes_are_shown_beside_those_asked_for(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    text = drawn(Desk(tmp_path / "alice", coordinator, artifact=b"other").look(ceremony), width=120)
    assert "✗ widget.tar.gz: OTHER BYTES than" in text
    assert digest_of(b"other") in text


def test_what_was_not_hashed_is_not_called_checked(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    text = drawn(look(Desk(tmp_path / "alice", coordinator).agent, ceremony))
    assert "○ widget.tar.gz: not checked on this machine" in text


def test_a_decision_in_ones_name_from_elsewhere_is_an_alarm(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    coordinator.decide_as("alice", ceremony)
    text = " ".join(drawn(Desk(tmp_path / "alice", coordinator).look(ceremony)).split())
    assert "somebody else has your key" in text


@pytest.mark.parametrize(
    ("end", "who", "why"),
    [
        (None, "You", "That ceremony is not shown to have ended."),
        (EntryType.EXPIRED, "You", "This request does not say that it supersedes that one."),
        (EntryType.APPROVED, "A quorum", "An approved version is final"),
    ],
)
def test_other_bytes_than_were_approved_before_are_an_alarm(
    tmp_path: Path, coordinator: SimulatedCoordinator, end: EntryType | None, who: str, why: str
) -> None:
    first = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.decide(first)
    review = desk.look(first)
    other = replace(
        review.request.statement,
        subjects=(replace(review.request.statement.subjects[0], digest=digest_of(b"older")),),
    )
    known = Known(digest=digest_of(b"1"), request=other, approved=True, end=end)
    text = drawn(replace(review, recollection=replace(review.recollection, known=(known,))))
    assert f"{who} approved these bytes as widget 1.0" in text
    assert digest_of(b"older") in text
    assert why in text


def test_a_changed_rule_is_told_before_the_decision(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    assert "None on widget with this agent yet" in drawn(desk.look(ceremony))
    desk.decide(ceremony)
    review = desk.look(ceremony)
    assert "✓ Policy and rule for widget are as they were" in drawn(review)
    assert review.recollection.last is not None
    older = changed(coordinator.organisation, version=2, quorum={"engineering": 1}).build_policy()
    last = LastDecision(decision=review.recollection.last.decision, policy=older)
    text = drawn(replace(review, recollection=replace(review.recollection, last=last)))
    assert "! What widget needs has changed" in text
    assert "    engineering needed: 2 (it was 1)" in text


def test_exactly_what_will_be_signed_is_drawn(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.decide(ceremony)
    review = desk.look(ceremony)
    draft = desk.draft(review, Choice.REJECTION)
    out = StringIO()
    draw_draft(
        Screen(out, StringIO(), look=Look(width=80), err_look=Look()),
        review,
        draft,
        consequences(review, draft),
    )
    lines = out.getvalue().splitlines()
    assert "What you sign: rejection of widget 1.0, as alice" in lines
    assert "  counts in  engineering" in lines
    assert "  replaces   your decision" in lines
    assert f"    {draft.digest}" in lines
    assert "  │ the changelog does not match" in lines
    assert lines[-1] == "  ○ It ends the ceremony: the release is rejected."


@pytest.mark.parametrize(
    ("signer", "acts", "line"),
    [
        ("mallory", (), "○ widget 1.0 is open: you asked for it, so others decide: 1 day left"),
        ("ci", (), "○ widget 1.0 is open: no role of yours decides on it: 1 day left"),
        ("alice", ("decide",), "✓ You approved widget 1.0; it is open: 1 day left"),
        ("alice", ("cancel",), "✗ widget 1.0 was cancelled just now"),
        ("alice", ("wait",), "! widget 1.0 is past its deadline: its deadline was 1 h ago"),
    ],
)
def test_the_first_line_says_what_it_is_to_the_reader(
    tmp_path: Path, coordinator: SimulatedCoordinator, signer: str, acts: tuple[str, ...], line: str
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / signer, coordinator, signer)
    for act in acts:
        match act:
            case "decide":
                desk.decide(ceremony)
            case "cancel":
                coordinator.cancel_as("mallory", ceremony)
            case "wait":
                coordinator.pass_time(timedelta(hours=25))
    assert drawn(desk.look(ceremony)).splitlines()[0] == line


def test_the_document_says_what_the_screen_says(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open(rich_request(coordinator.organisation))
    coordinator.decide_as("erin", ceremony)
    document = review_json(Desk(tmp_path / "alice", coordinator).look(ceremony))
    assert document["standing"] == "awaited"
    assert document["changes"] is None
    assert document["artifacts"] == [
        {
            "name": "widget.tar.gz",
            "digest": coordinator.organisation.request().subjects[0].digest,
            "found": coordinator.organisation.request().subjects[0].digest,
            "source": str(tmp_path / "alice" / "widget.tar.gz"),
        }
    ]
    assert document["quorum"] == {
        "met": False,
        "explained": [
            "engineering needs one more: alice or bob",
            "security needs one more: bob, carol or dan",
            "release needs one more: dan or rita",
        ],
    }


def test_the_inbox_puts_what_is_due_first_to_the_top(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    for number, (version, hours) in enumerate((("1.0", 24), ("1.1", 2), ("1.2", 5)), start=1):
        coordinator.open(
            organisation.request(number=number, version=version, deadline=timedelta(hours=hours))
        )
    desk = Desk(tmp_path / "alice", coordinator)
    inbox = open_inbox(desk.agent)
    lines = inbox_of(inbox).splitlines()
    assert lines[0] == "○ 3 releases wait for you: 2 h left for the first"
    assert [line.split()[0] for line in lines[3:6]] == ["widget@1.1", "widget@1.2", "widget@1.0"]


def test_an_empty_inbox_says_so(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "mallory", coordinator, "mallory")
    coordinator.open()
    inbox = open_inbox(desk.agent)
    assert inbox_of(inbox).splitlines() == [
        "✓ Nothing waits for your decision",
        "",
        "1 more is open and needs nothing from you; --all lists everything.",
    ]
    assert "you asked for it" in inbox_of(inbox, everything=True)


def test_a_ceremony_that_does_not_verify_does_not_hide_the_others(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    coordinator.open(organisation.request(number=1))
    broken = coordinator.open(organisation.request(number=2, version="2.0"))
    coordinator.entries[broken] = coordinator.entries[broken] * 2
    inbox = open_inbox(Desk(tmp_path / "alice", coordinator).agent)
    assert len(inbox.waiting) == 1
    (unreadable,) = inbox.unreadable
    assert unreadable.refusal.code == "chain.broken"
    assert f"✗ {broken} does not verify [chain.broken]:" in " ".join(inbox_of(inbox).split())
    assert inbox.waiting[0].at == NOW

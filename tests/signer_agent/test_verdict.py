# SPDX-License-Identifier: Apache-2.0
"""What ``approve``, ``reject`` and ``abstain`` do, from their arguments to their last line."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.errors import CheckNotPassedError
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice, Decision
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.signatures import PrivateKey
from quorumseal.verifier.errors import OtherBytesError
from signer_agent.artifacts import Sources
from signer_agent.cli import abstain, approve, inbox, reject, review
from signer_agent.cli.opening import screen
from signer_agent.cli.verdict import Person, decide
from signer_agent.deciding import look
from signer_agent.errors import ArtifactsMissingError, NoReceiptError, NotConfirmedError, UsageError
from signer_agent.inbox import open_inbox
from signer_agent.signing import sign_and_store
from tests.organisation import Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator

VERBS = {Choice.APPROVAL: approve, Choice.REJECTION: reject, Choice.ABSTENTION: abstain}
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def arguments(choice: Choice, *words: str) -> Namespace:
    """Return what the command line gives to a verb."""
    parser = ArgumentParser()
    parser.add_argument("--json", action="store_true")
    VERBS[choice].add_arguments(parser)
    return parser.parse_args(words)


def run(
    desk: Desk,
    ceremony: str,
    *words: str,
    choice: Choice = Choice.APPROVAL,
    person: Person | None = None,
    found: bool = True,
) -> int:
    given = arguments(choice, *words)
    sources = Sources(paths=(desk.artifact,) if found else ())
    opened: list[PrivateKey] = []

    def key() -> PrivateKey:
        opened.append(desk.key)
        return desk.key

    try:
        return decide(
            desk.agent,
            choice,
            look(desk.agent, ceremony, sources=sources),
            given,
            person=person or Person(ask=None, yes=True),
            key=key,
        )
    finally:
        assert len(opened) == 0 or desk.key.signed, "the key was opened, and nothing was signed with it"


def last_decision(coordinator: SimulatedCoordinator, ceremony: str) -> Decision:
    (*_, decision) = coordinator.chains[ceremony].ceremony.decisions.values()
    return decision.statement


def test_an_approval_is_shown_confirmed_signed_and_proved(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        assert desk.key.signed == []
        return "yes"

    assert run(desk, ceremony, person=Person(ask=ask)) == 0
    assert asked == ["alice: approval of widget 1.0. Type yes to sign: "]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "○ widget 1.0 waits for your decision: 1 day left"
    assert "✓ You approved widget 1.0: it is in the log, and the receipt is verified" in lines
    assert lines[-1] == "quorumseal why widget@1.0"


@pytest.mark.parametrize("answer", ["", "y", "no", "YES", "yes please"])
def test_anything_but_yes_signs_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator, answer: str
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(NotConfirmedError) as refused:
        run(desk, ceremony, person=Person(ask=lambda _: answer))
    assert refused.value.code == "usage.not_confirmed"
    assert desk.key.signed == []


def test_without_a_terminal_and_without_yes_nothing_is_signed(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(NotConfirmedError) as refused:
        run(desk, ceremony, person=Person(ask=None))
    assert "--yes" in refused.value.hint
    assert desk.key.signed == []


def test_other_bytes_are_refused_before_anybody_is_asked(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, artifact=b"one bit more")
    for words in ((), ("--unchecked-artifacts",)):
        with pytest.raises(OtherBytesError):
            run(desk, ceremony, *words, person=Person(ask=_nobody_is_asked))
    assert desk.key.signed == []


def test_unchecked_artifacts_are_approved_only_when_that_is_said(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(ArtifactsMissingError):
        run(desk, ceremony, found=False)
    assert desk.key.signed == []
    assert run(desk, ceremony, "--unchecked-artifacts", found=False) == 0
    checks = last_decision(coordinator, ceremony).checks
    assert checks == (Check(name="artifacts", outcome=CheckOutcome.UNKNOWN),)


def test_a_check_that_the_rule_demands_is_stated_or_nothing_is_signed(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(changed(Organisation(), checks=frozenset({"artifacts", "sbom"})))
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(CheckNotPassedError):
        run(desk, ceremony)
    with pytest.raises(CheckNotPassedError):
        run(desk, ceremony, "--checked", "sbom", "--unchecked-artifacts", found=False)
    assert desk.key.signed == []
    assert run(desk, ceremony, "--checked", "sbom") == 0


def test_a_rejection_carries_its_reason_to_the_others(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, artifact=b"other bytes")
    assert run(desk, ceremony, "--reason", "other bytes than I built", choice=Choice.REJECTION) == 0
    assert last_decision(coordinator, ceremony).checks[0].outcome is CheckOutcome.FAIL
    assert "You rejected widget 1.0" in capsys.readouterr().out
    erin = Desk(tmp_path / "erin", coordinator, "erin")
    assert list(erin.look(ceremony).observation.reasons.values()) == ["other bytes than I built"]


def test_an_abstention_needs_neither_reason_nor_artifacts(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    assert run(desk, ceremony, choice=Choice.ABSTENTION, found=False) == 0
    assert "You abstained from widget 1.0" in capsys.readouterr().out


def test_role_and_validity_narrow_what_is_signed(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "bob", coordinator, "bob")
    assert run(desk, ceremony, "--role", "security", "--valid-for", "90m") == 0
    decision = last_decision(coordinator, ceremony)
    assert decision.roles == {"security"}
    assert decision.not_after == coordinator.now + timedelta(minutes=90)


def test_the_same_command_again_signs_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    run(desk, ceremony)
    capsys.readouterr()
    assert run(desk, ceremony, person=Person(ask=_nobody_is_asked)) == 0
    assert capsys.readouterr().out.startswith("✓ You approved widget 1.0 before, and nothing was signed anew")
    assert len(desk.key.signed) == 1


def test_a_changed_mind_replaces_the_earlier_decision(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    run(desk, ceremony)
    first = coordinator.chains[ceremony].ceremony.decisions["alice"].digest
    capsys.readouterr()
    assert run(desk, ceremony, "--reason", "no", choice=Choice.REJECTION) == 0
    assert last_decision(coordinator, ceremony).replaces == first
    assert first in capsys.readouterr().out


def test_what_was_not_acknowledged_is_sent_by_the_same_command(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, hostile=_unreachable)
    with pytest.raises(NoReceiptError):
        run(desk, ceremony)
    desk = desk.reopened()
    capsys.readouterr()
    assert run(desk, ceremony, person=Person(ask=_nobody_is_asked)) == 0
    assert "nothing was signed anew" in capsys.readouterr().out
    assert len(desk.key.signed) == 1


def test_another_decision_waits_until_the_first_one_is_acknowledged(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, hostile=_unreachable)
    with pytest.raises(NoReceiptError):
        run(desk, ceremony)
    desk = desk.reopened()
    with pytest.raises(UsageError, match="earlier decision had no receipt") as refused:
        run(desk, ceremony, "--reason", "no", choice=Choice.REJECTION)
    assert "run the command again" in refused.value.hint
    assert last_decision(coordinator, ceremony).choice is Choice.APPROVAL
    assert run(desk, ceremony, "--reason", "no", choice=Choice.REJECTION) == 0


def test_a_decision_that_came_too_late_is_told_with_the_exit_code_of_an_ended_ceremony(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    shown = desk.look(ceremony)
    sign_and_store(desk.agent, desk.draft(shown), desk.key, shown.observation.policy)
    coordinator.pass_time(timedelta(hours=25))
    assert run(desk, ceremony) == 9
    assert capsys.readouterr().out.startswith("✗ Too late: widget 1.0 had expired")


def test_the_last_approval_says_what_it_did(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    for signer in ("alice", "erin", "carol"):
        coordinator.decide_as(signer, ceremony)
    assert run(Desk(tmp_path / "rita", coordinator, "rita"), ceremony) == 0
    out = capsys.readouterr().out
    assert "It completes the quorum" in out
    assert out.endswith("See for yourself that the quorum is met:\nquorumseal show widget@1.0\n")


def test_a_document_says_what_was_signed_byte_for_byte(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    assert run(desk, ceremony, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fate"] == "recorded"
    assert document["payload"].encode() in desk.key.signed[0]
    assert document["review"]["standing"] == "awaited"


def test_a_rejection_without_a_reason_is_no_command() -> None:
    with pytest.raises(SystemExit):
        arguments(Choice.REJECTION)


@pytest.mark.parametrize("choice", Choice)
def test_no_verb_takes_a_passphrase_as_an_argument(choice: Choice) -> None:
    parser = ArgumentParser()
    VERBS[choice].add_arguments(parser)
    named = [option for action in parser._actions for option in action.option_strings]
    assert [option for option in named if "pass" in option] == ["--passphrase-fd"]


NEXT: dict[str, tuple[str, bool, tuple[str, ...], Callable[[Desk, str], object], str]] = {
    "found": ("alice", True, (), lambda _d, _c: None, "quorumseal approve widget@1.0"),
    "not found": (
        "alice",
        False,
        (),
        lambda _d, _c: None,
        "quorumseal review widget@1.0 --artifacts PATH",
    ),
    "decided": ("alice", True, (), lambda desk, c: desk.decide(c), "quorumseal inbox"),
    "home": (
        "alice",
        True,
        ("--home", "/srv/alice"),
        lambda _d, _c: None,
        "quorumseal approve widget@1.0 --home /srv/alice",
    ),
}


@pytest.mark.parametrize(("signer", "found", "words", "act", "last"), NEXT.values(), ids=NEXT.keys())
def test_a_review_ends_with_the_next_command(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    capsys: Capture,
    signer: str,
    found: bool,
    words: tuple[str, ...],
    act: Callable[[Desk, str], object],
    last: str,
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / signer, coordinator, signer)
    act(desk, ceremony)
    parser = ArgumentParser()
    review.add_arguments(parser)
    sources = Sources(paths=(desk.artifact,) if found else ())
    review.draw(screen(), look(desk.agent, ceremony, sources=sources), parser.parse_args(words))
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_other_bytes_lead_to_a_rejection(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, artifact=b"other")
    parser = ArgumentParser()
    review.add_arguments(parser)
    review.draw(screen(), desk.look(ceremony), parser.parse_args([]))
    assert capsys.readouterr().out.splitlines()[-1].startswith("quorumseal reject widget@1.0 --reason")


def test_the_inbox_ends_with_the_next_command(
    tmp_path: Path, coordinator: SimulatedCoordinator, capsys: Capture
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    parser = ArgumentParser()
    inbox.add_arguments(parser)
    inbox.draw(screen(), open_inbox(desk.agent), {}, parser.parse_args([]))
    assert capsys.readouterr().out.splitlines()[-1] == "quorumseal agent run"
    ceremony = coordinator.open()
    inbox.draw(screen(), open_inbox(desk.agent), {}, parser.parse_args([]))
    assert capsys.readouterr().out.splitlines()[-1] == "quorumseal review widget@1.0"
    shown = desk.look(ceremony)
    sign_and_store(desk.agent, desk.draft(shown), desk.key, shown.observation.policy)
    inbox.draw(screen(), open_inbox(desk.agent), {}, parser.parse_args([]))
    assert capsys.readouterr().out.splitlines()[-1] == "quorumseal approve widget@1.0"


def _nobody_is_asked(_: str) -> str:
    raise AssertionError("somebody was asked")


def _unreachable(message: Message) -> Any:
    if message.method == "decide":
        raise CoordinatorUnreachableError("expected an answer, got none")
    return message.content

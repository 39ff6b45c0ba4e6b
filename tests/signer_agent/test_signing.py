# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.errors import CeremonyEndedError, KeyNotValidError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice, Decision, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.refusal import Refusal
from signer_agent import signing
from signer_agent.errors import (
    BlockedError,
    DecidedMeanwhileError,
    NoReceiptError,
    NotARosterKeyError,
)
from signer_agent.journal import Journal
from signer_agent.recollection import Fate
from signer_agent.review import Standing
from signer_agent.signing import send, settle, sign_and_store
from tests.organisation import NOW, Organisation, changed, key_of
from tests.signer_agent.desks import CountingKey, Desk, envelopes_of, payload_of
from tests.simulated_coordinator import Message, SimulatedCoordinator


class PowerCut(BaseException):
    """The program is gone, between two instructions."""


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def test_three_agents_meet_the_quorum(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    states = [
        Desk(tmp_path / name, coordinator, name).decide(ceremony).state
        for name in ("alice", "carol", "erin", "dan")
    ]
    assert states == ["open", "open", "open", "approved"]
    assert coordinator.state(ceremony) is State.APPROVED


def test_what_is_signed_is_what_was_shown(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    ceremony = coordinator.open()
    review = desk.look(ceremony)
    draft = desk.draft(review)
    stored = sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
    assert isinstance(draft.statement, Decision)
    assert draft.statement.subjects is review.request.statement.subjects
    assert draft.statement.request is review.request.digest
    assert payload_of(desk.key.signed[0]) == draft.payload
    assert stored.envelope.payload == draft.payload
    assert stored.fate is Fate.STORED
    assert envelopes_of(coordinator, ceremony) == []


def test_a_second_decision_replaces_the_one_in_the_log(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    ceremony = coordinator.open()
    first = desk.decide(ceremony)
    second = desk.decide(ceremony, Choice.ABSTENTION)
    assert isinstance(second.statement, Decision)
    assert second.statement.replaces == first.digest
    assert len(coordinator.decisions(ceremony)) == 2


def test_an_agent_without_its_journal_reads_its_own_decision_from_the_log(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    first = Desk(tmp_path / "old laptop", coordinator).decide(ceremony)
    desk = Desk(tmp_path / "new laptop", coordinator)
    assert desk.look(ceremony).foreign_own
    second = desk.decide(ceremony, Choice.ABSTENTION)
    assert isinstance(second.statement, Decision)
    assert second.statement.replaces == first.digest


def _cut_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        function(*arguments, **named)
        raise PowerCut

    return wrapped


def _cut_before(_: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*_arguments: Any, **_named: Any) -> Any:
        raise PowerCut

    return wrapped


# Where the program dies: the owner of the step, the step, whether before or after it; then how many
# signatures there are once everything has come to its end, and whether the log had the decision by then.
STEPS: dict[str, tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]], int, bool]] = {
    "before anything is signed": (signing, "sign", _cut_before, 1, False),
    "signed, not yet stored": (signing, "sign", _cut_after, 2, False),
    "before it is stored": (Journal, "store", _cut_before, 2, False),
    "stored": (Journal, "store", _cut_after, 1, False),
    "before it is sent": (signing, "_submit", _cut_before, 1, False),
    "sent and logged, no answer seen": (signing, "_submit", _cut_after, 1, True),
    "before the receipt is verified": (signing, "verify_receipt", _cut_before, 1, True),
    "the receipt verified": (signing, "verify_receipt", _cut_after, 1, True),
    "before the histories are compared": (signing, "connect", _cut_before, 1, True),
    "the histories compared": (signing, "connect", _cut_after, 1, True),
    "before the receipt is stored": (Journal, "keep_receipt", _cut_before, 1, True),
    "the receipt stored": (Journal, "keep_receipt", _cut_after, 1, True),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_crash_at_any_step_leads_to_one_decision_and_no_second_signature(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    monkeypatch: pytest.MonkeyPatch,
    step: tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]], int, bool],
) -> None:
    owner, name, cut, signatures, logged = step
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, cut(getattr(owner, name)))
        with pytest.raises(PowerCut):
            desk.decide(ceremony)
    assert bool(coordinator.decisions(ceremony)) is logged
    desk = desk.reopened()
    review = desk.look(ceremony)
    if not (review.own and not review.foreign_own and review.pending is None):
        desk.decide(ceremony)
    (envelope,) = envelopes_of(coordinator, ceremony)
    (stored,) = desk.agent.journal.signed(ceremony)
    assert stored.fate is Fate.RECORDED
    assert stored.envelope == envelope
    assert len(desk.key.signed) == signatures
    # what was signed and lost was never seen by anybody
    assert payload_of(desk.key.signed[-1]) == envelope.payload


def test_an_unreachable_coordinator_leaves_the_envelope_to_be_sent_again(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    def unreachable(message: Message) -> Any:
        if message.method == "decide":
            raise CoordinatorUnreachableError("expected an answer, got none", hint="is it running?")
        return message.content

    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator, hostile=unreachable)
    with pytest.raises(NoReceiptError) as refused:
        desk.decide(ceremony)
    assert refused.value.code == "coordinator.no_receipt"
    assert "signs nothing anew" in refused.value.hint
    desk = desk.reopened()
    assert desk.decide(ceremony).fate is Fate.RECORDED
    assert len(desk.key.signed) == 1


def test_what_the_rules_cannot_take_any_more_is_void_and_said_so(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)
    coordinator.cancel_as("mallory", ceremony)
    with pytest.raises(CeremonyEndedError):
        desk.decide(ceremony)
    (stored,) = desk.agent.journal.signed(ceremony)
    assert stored.fate is Fate.VOID
    assert desk.agent.journal.pending() == ()


def test_what_a_clock_that_ran_ahead_signed_is_kept_until_its_time_has_come(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.agent = replace(desk.agent, now=lambda: coordinator.now + timedelta(hours=2))
    with pytest.raises(Refusal, match="expected a decision signed by now"):
        desk.decide(ceremony)
    desk = desk.reopened()  # with its clock set right
    with pytest.raises(Refusal, match="expected a decision signed by now"):
        desk.decide(ceremony, Choice.REJECTION)
    # whoever got the envelope can hand it in later: to call it void would be a lie
    assert [stored.fate for stored in desk.agent.journal.signed(ceremony)] == [Fate.STORED]
    coordinator.pass_time(timedelta(hours=2))
    assert desk.decide(ceremony).fate is Fate.RECORDED
    assert len(desk.key.signed) == 1


def test_what_was_sent_after_the_deadline_is_recorded_as_late(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    stored = sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)
    coordinator.pass_time(timedelta(hours=25))
    settled = settle(desk.agent, stored, desk.look(ceremony).observation)
    assert settled.state == "expired"
    assert coordinator.state(ceremony) is State.EXPIRED


def test_nothing_is_signed_when_something_else_was_signed_since_the_review(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    here, there = desk.draft(review), desk.draft(review, Choice.REJECTION)
    sign_and_store(desk.agent, there, desk.key, review.observation.policy)
    with pytest.raises(DecidedMeanwhileError) as refused:
        sign_and_store(desk.agent, here, desk.key, review.observation.policy)
    assert refused.value.code == "decision.meanwhile"
    assert len(desk.key.signed) == 1


def test_two_programs_at_one_desk_sign_one_set_of_bytes_for_a_version(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation, other = coordinator.organisation, b"a back door\n"
    subjects = (Subject(name="widget.tar.gz", digest=digest_of(other)),)
    one = coordinator.open_unasked(organisation.request(number=1))
    two = coordinator.open_unasked(organisation.request(number=2, subjects=subjects))
    here = Desk(tmp_path / "alice", coordinator)
    reviews = [here.look(one)]
    there = Desk(tmp_path / "alice", coordinator, artifact=other)
    reviews.append(there.look(two))
    policy = reviews[0].observation.policy
    drafts = here.draft(reviews[0]), there.draft(reviews[1])
    sign_and_store(here.agent, drafts[0], here.key, policy)
    with pytest.raises(DecidedMeanwhileError, match="about the release"):
        sign_and_store(there.agent, drafts[1], there.key, policy)
    assert there.look(two).standing is Standing.CONFLICT
    assert len(here.key.signed) + len(there.key.signed) == 1


def test_a_key_that_is_not_in_the_roster_signs_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.key = CountingKey(key_of("somebody else"))
    with pytest.raises(NotARosterKeyError) as refused:
        desk.decide(ceremony)
    assert refused.value.code == "key.not_in_roster"
    assert desk.key.signed == []


def test_a_key_that_has_expired_signs_nothing(tmp_path: Path) -> None:
    organisation = changed(Organisation(), valid_until={"alice": NOW + timedelta(hours=1)})
    coordinator = SimulatedCoordinator(organisation)
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    coordinator.pass_time(timedelta(hours=2))
    with pytest.raises(KeyNotValidError):
        desk.decide(ceremony)
    assert desk.key.signed == []


def test_a_blocked_agent_signs_nothing(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.agent.home.block_file.touch()
    with pytest.raises(BlockedError) as refused:
        desk.decide(ceremony)
    assert refused.value.code == "fork.blocked"
    assert desk.key.signed == []


def test_two_programs_at_one_desk_sign_once(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    other = Desk(tmp_path / "alice", coordinator)
    reviews = desk.look(ceremony), other.look(ceremony)
    policy = reviews[0].observation.policy
    sign_and_store(desk.agent, desk.draft(reviews[0]), desk.key, policy)
    with pytest.raises(DecidedMeanwhileError):
        sign_and_store(other.agent, other.draft(reviews[1]), other.key, policy)
    assert len(desk.key.signed) + len(other.key.signed) == 1


def test_a_refusal_of_the_coordinator_keeps_its_own_code(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    stored = sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)
    coordinator.cancel_as("mallory", ceremony)
    with pytest.raises(Refusal) as refused:
        send(desk.agent, stored, review.observation.policy)
    assert refused.value.code == "ceremony.ended"


def test_a_receipt_goes_into_the_journal_with_everything_that_proves_it(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    stored = desk.decide(ceremony)
    assert stored.fate is Fate.RECORDED
    (entry,) = coordinator.decisions(ceremony)
    assert desk.agent.journal.shown(ceremony)[entry.seq] == entry.hash
    note = desk.agent.journal.log.newest(coordinator.organisation.origin)
    assert note == coordinator.log.checkpoint()


def test_a_decision_cannot_be_forced_under_another_agents_name(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    desk.agent = replace(desk.agent, name="erin")
    with pytest.raises(NotARosterKeyError):
        desk.decide(ceremony)
    assert desk.key.signed == []

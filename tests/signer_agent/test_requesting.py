# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.errors import CancellationNotAllowedError, CeremonyEndedError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.request_errors import CeremonyExistsError, UnknownProductError
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import ceremony_id
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.refusal import Refusal
from signer_agent.errors import NoReceiptError
from signer_agent.recollection import Fate
from signer_agent.requesting import (
    Opened,
    Wanted,
    cancel,
    new_ceremony_id,
    pending_request,
    resume,
    start,
    write_cancellation,
    write_request,
)
from signer_agent.review import Standing
from signer_agent.signing import settle
from tests.organisation import NOW, SUBJECTS, Organisation
from tests.signer_agent.desks import Desk, payload_of
from tests.simulated_coordinator import Message, SimulatedCoordinator

WANTED = Wanted(product="widget", version="1.0", subjects=SUBJECTS, ticket="REL-1")


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def _start(desk: Desk, wanted: Wanted = WANTED) -> Opened:
    policy = desk.coordinator.organisation.policy
    draft = write_request(desk.agent, policy, wanted)
    pending = pending_request(desk.agent, draft)
    if pending is not None:
        return resume(desk.agent, pending, policy)
    return start(desk.agent, draft, desk.key, policy)


def test_a_request_opens_a_ceremony_that_others_can_decide_on(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    opened = _start(Desk(tmp_path / "rita", coordinator, "rita"))
    assert opened.created
    request = coordinator.chains[opened.ceremony].ceremony.request.statement
    assert (request.ticket, request.deadline, request.hard_stop) == (
        "REL-1",
        NOW + timedelta(days=3),
        NOW + timedelta(days=7),
    )
    assert request.context.checkpoint == coordinator.log.seen(1)
    Desk(tmp_path / "alice", coordinator).decide(opened.ceremony)


def test_the_same_request_again_is_the_same_ceremony(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    first = _start(desk)
    again = _start(desk)
    assert again == Opened(ceremony=first.ceremony, created=False)
    assert len(coordinator.chains) == 1
    assert desk.agent.journal.pending() == ()


@pytest.mark.parametrize("answered", [False, True], ids=["lost on its way", "its answer lost"])
def test_a_request_without_an_answer_is_sent_again_and_not_signed_again(
    tmp_path: Path, coordinator: SimulatedCoordinator, answered: bool
) -> None:
    def lost(message: Message) -> Any:
        if message.method == "start" and message.reply is answered:
            raise CoordinatorUnreachableError("no answer")
        return message.content

    desk = Desk(tmp_path / "rita", coordinator, "rita", hostile=lost)
    with pytest.raises(NoReceiptError):
        _start(desk)
    desk = desk.reopened()
    coordinator.pass_time(timedelta(minutes=1))
    opened = _start(desk)
    (stored,) = desk.agent.journal.signed(opened.ceremony)
    assert stored.fate is Fate.RECORDED
    assert len(desk.key.signed) == 1
    assert len(coordinator.chains) == 1


def test_what_the_policy_has_no_rule_for_is_not_signed(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    with pytest.raises(UnknownProductError):
        _start(desk, replace(WANTED, product="gizmo"))
    assert desk.key.signed == []


def test_a_chosen_deadline_is_written_as_an_instant(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    opened = _start(desk, replace(WANTED, deadline=timedelta(hours=2)))
    request = coordinator.chains[opened.ceremony].ceremony.request.statement
    assert request.deadline == NOW + timedelta(hours=2)


def test_the_requester_withdraws_what_they_asked_for(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    opened = _start(desk)
    draft = write_cancellation(desk.agent, desk.look(opened.ceremony), "wrong branch")
    stored = cancel(desk.agent, draft, desk.key, coordinator.organisation.policy)
    assert stored.state == "cancelled"
    assert coordinator.state(opened.ceremony) is State.CANCELLED
    assert payload_of(desk.key.signed[-1]) == draft.payload


REFUSED: dict[str, tuple[str, Callable[[SimulatedCoordinator, str], object], type[Refusal]]] = {
    "by somebody who may not ask": ("alice", lambda _c, _id: None, CancellationNotAllowedError),
    "after its end": ("rita", lambda c, id_: c.expire(id_), CeremonyEndedError),
}


@pytest.mark.parametrize(("signer", "act", "refusal"), REFUSED.values(), ids=REFUSED.keys())
def test_a_withdrawal_that_cannot_count_is_not_signed(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    signer: str,
    act: Callable[[SimulatedCoordinator, str], object],
    refusal: type[Refusal],
) -> None:
    ceremony = coordinator.open()
    act(coordinator, ceremony)
    desk = Desk(tmp_path / signer, coordinator, signer)
    with pytest.raises(refusal):
        write_cancellation(desk.agent, desk.look(ceremony), "why not")
    assert desk.key.signed == []


def test_a_request_whose_answer_was_lost_is_settled_by_the_log_and_never_void(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    def lost(message: Message) -> Any:
        if message.method == "start" and message.reply:
            raise CoordinatorUnreachableError("no answer")
        return message.content

    desk = Desk(tmp_path / "rita", coordinator, "rita", hostile=lost)
    with pytest.raises(NoReceiptError):
        _start(desk)
    desk = desk.reopened()
    (ceremony,) = coordinator.chains
    review = desk.look(ceremony)
    assert review.standing is Standing.REQUESTED
    assert review.pending is not None
    assert settle(desk.agent, review.pending, review.observation).fate is Fate.RECORDED
    assert len(desk.key.signed) == 1


def test_a_request_whose_id_is_another_ones_is_void(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    def lost(message: Message) -> Any:
        if message.method == "start":
            raise CoordinatorUnreachableError("no answer")
        return message.content

    desk = Desk(tmp_path / "rita", coordinator, "rita", hostile=lost)
    with pytest.raises(NoReceiptError):
        _start(desk)
    (stored,) = desk.agent.journal.pending()
    coordinator.open(replace(coordinator.organisation.request(), ceremony=stored.ceremony))
    desk = desk.reopened()
    with pytest.raises(CeremonyExistsError):
        settle(desk.agent, stored, desk.look(stored.ceremony).observation)
    assert desk.agent.journal.pending() == ()


def test_a_cancellation_without_an_answer_is_settled_by_the_log(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    def lost(message: Message) -> Any:
        if message.method == "act" and message.reply:
            raise CoordinatorUnreachableError("no answer")
        return message.content

    desk = Desk(tmp_path / "rita", coordinator, "rita", hostile=lost)
    ceremony = coordinator.open()
    policy = coordinator.organisation.policy
    draft = write_cancellation(desk.agent, desk.look(ceremony), "wrong branch")
    with pytest.raises(NoReceiptError):
        cancel(desk.agent, draft, desk.key, policy)
    desk = desk.reopened()
    (pending,) = desk.agent.journal.pending()
    settled = settle(desk.agent, pending, desk.look(ceremony).observation)
    assert settled.fate is Fate.RECORDED
    assert len(desk.key.signed) == 1


def test_ceremony_ids_are_version_7_of_this_instant(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    one, two = new_ceremony_id(desk.agent), new_ceremony_id(desk.agent)
    assert ceremony_id(one) == one
    assert one != two
    assert int(one.replace("-", "")[:12], 16) == int(NOW.timestamp() * 1000)


def test_a_machine_says_for_whom_it_asks(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "ci", coordinator, "ci")
    opened = _start(desk, replace(WANTED, on_behalf_of="rita"))
    statement = coordinator.chains[opened.ceremony].ceremony.request.statement
    assert isinstance(statement, Request)
    assert statement.requesters == {"ci", "rita"}

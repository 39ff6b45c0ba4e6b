# SPDX-License-Identifier: Apache-2.0
"""A deputy decides in a member's place: shown as such, signed with the delegation, and counted once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from quorumseal.ceremony.errors import DelegationUnknownError, UsedUpError
from quorumseal.ceremony.statements import Choice
from quorumseal.refusal import Refusal
from quorumseal.terminal import Screen
from signer_agent.deciding import require_decidable
from signer_agent.draft_screen import draw_draft
from signer_agent.drafting import consequences, draft_decision
from signer_agent.errors import NotAwaitedError, UsageError
from signer_agent.recollection import Stored
from signer_agent.review import Review, Standing
from signer_agent.screen import draw_review
from signer_agent.signing import send, sign_and_store
from signer_agent.standing_in import seat_of
from tests.burning import BURNING, delegation, withdrawal
from tests.organisation import NOW
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

DAY = timedelta(days=1)
FOR_ALICE = delegation("alice", "engineering", "frank", until=NOW + 2 * DAY)
FOR_ERIN = delegation("erin", "engineering", "frank", until=NOW + 2 * DAY)
BY_CAROL = delegation("alice", "engineering", "carol", until=NOW + 2 * DAY)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(BURNING)


@pytest.fixture
def frank(tmp_path: Path, coordinator: SimulatedCoordinator) -> Desk:
    """A deputy for engineering and security, who has no role of his own."""
    return Desk(tmp_path / "frank", coordinator, "frank")


def decide(
    desk: Desk, ceremony: str, choice: Choice = Choice.APPROVAL, *, member: str | None = None
) -> Stored:
    review = desk.look(ceremony)
    require_decidable(review, choice)
    draft = draft_decision(review, choice, member=member)
    consequences(review, draft)
    stored = sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
    return send(desk.agent, stored, review.observation.policy)


def shown(review: Review) -> str:
    text = StringIO()
    draw_review(Screen.on(text, StringIO(), {}), review)
    return text.getvalue()


def test_nobody_is_a_deputy_before_a_member_delegates(coordinator: SimulatedCoordinator, frank: Desk) -> None:
    ceremony = coordinator.open()
    assert frank.look(ceremony).standing is Standing.NO_ROLE
    coordinator.stand(BURNING.seal(FOR_ALICE))
    review = frank.look(ceremony)
    assert review.standing is Standing.AWAITED
    assert "waits for your decision in the place of alice" in shown(review).splitlines()[0]


def test_the_decision_of_a_deputy_names_the_delegation_and_its_role_alone(
    coordinator: SimulatedCoordinator, frank: Desk
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(FOR_ALICE))
    review = frank.look(ceremony)
    draft = draft_decision(review, Choice.APPROVAL)
    text = StringIO()
    draw_draft(Screen.on(text, StringIO(), {}), review, draft, consequences(review, draft))
    assert "approval of widget 1.0, as frank for alice" in text.getvalue()
    assert BURNING.sign(FOR_ALICE).digest in text.getvalue()
    decide(frank, ceremony)
    found = coordinator.chains[ceremony].ceremony
    assert found.decisions["frank"].statement.delegation == BURNING.sign(FOR_ALICE).digest
    assert found.decisions["frank"].statement.roles == {"engineering"}
    assert found.stands_for["frank"].signer == "alice"


def test_everybody_sees_for_whom_a_deputy_decided(
    tmp_path: Path, coordinator: SimulatedCoordinator, frank: Desk
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(FOR_ALICE))
    bob = Desk(tmp_path / "bob", coordinator, "bob")
    assert "alice (or frank)" in " ".join(bob.look(ceremony).explained)
    decide(frank, ceremony)
    screen = shown(bob.look(ceremony))
    assert "1 of 2: frank for alice" in screen
    assert "frank for alice approves for engineering" in screen


def test_a_member_for_whom_somebody_decided_signs_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator, frank: Desk
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(FOR_ALICE))
    decide(frank, ceremony)
    alice = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(UsedUpError):
        decide(alice, ceremony)
    assert alice.key.signed == []


def test_a_deputy_changes_their_mind_in_the_same_place(
    coordinator: SimulatedCoordinator, frank: Desk
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(FOR_ALICE))
    coordinator.stand(BURNING.seal(FOR_ERIN))
    decide(frank, ceremony, member="erin")
    decide(frank, ceremony, Choice.ABSTENTION)
    decisions = coordinator.chains[ceremony].ceremony.decisions
    assert decisions["frank"].statement.delegation == BURNING.sign(FOR_ERIN).digest


def test_a_deputy_steps_back_although_the_delegation_was_withdrawn(
    coordinator: SimulatedCoordinator, frank: Desk
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(FOR_ALICE))
    decide(frank, ceremony)
    coordinator.stand(BURNING.seal(withdrawal("alice", "engineering")))
    with pytest.raises(DelegationUnknownError):
        decide(frank, ceremony)
    decide(frank, ceremony, Choice.ABSTENTION)
    assert coordinator.chains[ceremony].ceremony.stands_for == {}


def test_whoever_has_a_role_of_their_own_decides_in_it_unless_they_say_for_whom(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    coordinator.stand(BURNING.seal(BY_CAROL))
    carol = Desk(tmp_path / "carol", coordinator, "carol")  # of security
    review = carol.look(ceremony)
    assert "in the place of alice as engineering" in shown(review)
    assert seat_of(review).roles == {"security"}
    assert seat_of(review, member="alice").roles == {"engineering"}
    decide(carol, ceremony, member="alice")
    assert coordinator.chains[ceremony].ceremony.stands_for["carol"].signer == "alice"
    assert seat_of(carol.look(ceremony)).member == "alice"
    assert seat_of(carol.look(ceremony), roles=["security"]).member is None


def _nothing(coordinator: SimulatedCoordinator, ceremony: str) -> None:
    del coordinator, ceremony


def _two(coordinator: SimulatedCoordinator, ceremony: str) -> None:
    del ceremony
    coordinator.stand(BURNING.seal(FOR_ALICE))
    coordinator.stand(BURNING.seal(FOR_ERIN))


def _later(coordinator: SimulatedCoordinator, ceremony: str) -> None:
    del ceremony
    coordinator.stand(BURNING.seal(replace(FOR_ALICE, since=NOW + timedelta(hours=1))))


def _decided(coordinator: SimulatedCoordinator, ceremony: str) -> None:
    coordinator.stand(BURNING.seal(FOR_ALICE))
    coordinator.decide_as("alice", ceremony)


REFUSED: dict[str, tuple[Callable[[SimulatedCoordinator, str], None], str | None, type[Refusal]]] = {
    "without a delegation": (_nothing, None, NotAwaitedError),
    "for somebody who delegated nothing": (_nothing, "alice", NotAwaitedError),
    "for one of two, who is not named": (_two, None, UsageError),
    "before it begins": (_later, "alice", NotAwaitedError),
    "for a member who decided": (_decided, "alice", NotAwaitedError),
}


@pytest.mark.parametrize(("before", "member", "refusal"), REFUSED.values(), ids=REFUSED.keys())
def test_a_deputy_who_may_not_decide_signs_nothing(
    coordinator: SimulatedCoordinator,
    frank: Desk,
    before: Callable[[SimulatedCoordinator, str], None],
    member: str | None,
    refusal: type[Refusal],
) -> None:
    ceremony = coordinator.open()
    before(coordinator, ceremony)
    with pytest.raises(refusal):
        decide(frank, ceremony, member=member)
    assert frank.key.signed == []

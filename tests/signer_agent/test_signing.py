# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice, Decision
from signer_agent.journal import Fate
from signer_agent.signing import sign_and_store
from tests.organisation import Organisation
from tests.signer_agent.desks import Desk, envelopes_of, payload_of
from tests.simulated_coordinator import SimulatedCoordinator


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


def test_what_is_signed_is_the_object_that_was_shown(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
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

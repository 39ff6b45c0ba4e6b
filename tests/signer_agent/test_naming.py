# SPDX-License-Identifier: Apache-2.0
"""How people name a ceremony to the agent."""

from pathlib import Path

import pytest

from quorumseal.refusal import Refusal
from signer_agent.naming import find_ceremony
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator()


def test_a_ceremony_is_meant_by_its_id_its_beginning_its_release_or_by_being_the_only_one(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    agent = Desk(tmp_path, coordinator).agent
    for named in (ceremony, ceremony[:13], "widget@1.0", None):
        assert find_ceremony(agent, named) == ceremony


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("widget@9.9", "usage.ceremony"),
        ("widget", "usage.ceremony"),
        ("01a", "usage.ceremony"),
        ("ffffff", "usage.ceremony"),
        ("Widget@1.0", "value.format"),
    ],
)
def test_a_name_of_nothing_is_refused_with_what_there_is(
    tmp_path: Path, coordinator: SimulatedCoordinator, named: str, code: str
) -> None:
    coordinator.open()
    with pytest.raises(Refusal) as refused:
        find_ceremony(Desk(tmp_path, coordinator).agent, named)
    assert refused.value.code == code


def test_the_beginning_of_two_ids_names_neither(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremonies = [
        coordinator.open(coordinator.organisation.request(number=n, version=f"{n}.0")) for n in (1, 2)
    ]
    with pytest.raises(Refusal, match="of one ceremony's id, got that of 2") as refused:
        find_ceremony(Desk(tmp_path, coordinator).agent, ceremonies[0][:8])
    assert refused.value.code == "usage.ceremony_ambiguous"


def test_without_a_name_one_release_must_wait(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path, coordinator)
    with pytest.raises(Refusal, match="since nothing waits for alice"):
        find_ceremony(desk.agent, None)
    for number in (1, 2):
        coordinator.open(coordinator.organisation.request(number=number, version=f"{number}.0"))
    with pytest.raises(Refusal, match="since 2 wait for alice"):
        find_ceremony(desk.agent, None)

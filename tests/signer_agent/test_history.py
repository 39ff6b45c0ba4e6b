# SPDX-License-Identifier: Apache-2.0
"""Under which policy an agent judges a ceremony, whatever a coordinator says."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.chain import open_chain
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.refusal import Refusal
from quorumseal.tlog import InclusionProofError
from signer_agent.agent import Agent
from signer_agent.errors import OlderPolicyError, OtherAnswerError, UnknownProposalError
from signer_agent.observing import observe, observe_policy
from tests.changing import Side, both_sides, decided, next_version
from tests.organisation import NOW, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator

ACME = Organisation()
TWO = next_version(ACME, clock_skew=timedelta(minutes=3))
OTHER_TWO = next_version(ACME, clock_skew=timedelta(minutes=4))
HOUR = timedelta(hours=1)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(ACME)


def change(coordinator: SimulatedCoordinator, new: Organisation = TWO) -> None:
    """Bring version 2 about."""
    given, taken = both_sides(ACME, new)
    coordinator.pass_time(HOUR)
    coordinator.adopt(coordinator.hold(given, ACME), coordinator.hold(taken, new))


def asking(desk: Desk, coordinator: SimulatedCoordinator) -> Agent:
    """Return the agent as it asks another coordinator."""
    return replace(desk.agent, connection=coordinator.connection("alice"))


def test_an_agent_follows_a_policy_change_and_goes_back_no_more(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, coordinator)
    assert observe_policy(desk.agent).policy.version == 1
    old = coordinator.fork()
    change(coordinator)
    assert observe_policy(desk.agent).digest == TWO.policy.digest
    with pytest.raises(OlderPolicyError, match="expected policy version 2 or newer"):
        observe_policy(asking(desk, old))


def test_two_policies_of_one_version_are_told_apart(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    desk, other = Desk(tmp_path, coordinator), coordinator.fork()
    change(coordinator)
    observe_policy(desk.agent)
    change(other, OTHER_TWO)
    other_desk = asking(desk, other)
    with pytest.raises(OlderPolicyError, match=f"expected policy version 2 to be {TWO.policy.digest}"):
        observe_policy(other_desk)


def test_a_ceremony_that_was_open_before_keeps_its_policy(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    ceremony = coordinator.open()
    change(coordinator)
    desk = Desk(tmp_path, coordinator)
    desk.decide(ceremony)
    seen = observe(desk.agent, ceremony)
    assert (seen.policy.policy.version, seen.newest.policy.version) == (1, 2)
    assert seen.chain.ceremony.decisions["alice"].statement.context.policy.version == 1


def test_a_ceremony_that_is_opened_later_under_the_old_policy_is_refused(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    change(coordinator)
    ceremony = coordinator.open()
    desk = Desk(tmp_path, coordinator)
    with pytest.raises(OlderPolicyError, match="opened before its policy was replaced"):
        desk.decide(ceremony)
    assert not desk.key.signed


def test_where_a_ceremony_was_opened_is_proved(coordinator: SimulatedCoordinator, tmp_path: Path) -> None:
    change(coordinator)
    ceremony = coordinator.open()

    def earlier(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return replace(message.content, opened_index=1)
        return message.content

    desk = Desk(tmp_path, coordinator, hostile=earlier)
    with pytest.raises(InclusionProofError):
        desk.decide(ceremony)
    assert not desk.key.signed


def test_a_change_and_its_acceptance_are_reviewed_and_approved(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    given = coordinator.hold(decided(Kind.POLICY_CHANGE, ACME, TWO, ["carol"], number=1), ACME)
    taken = coordinator.hold(decided(Kind.POLICY_ACCEPTANCE, TWO, TWO, ["carol"], number=2), TWO)
    coordinator.pass_time(HOUR)
    desk = Desk(tmp_path, coordinator)
    for ceremony in (given, taken):
        review = desk.look(ceremony)
        assert review.findings.found["policy"].digest == TWO.policy.digest
        desk.decide(ceremony)
        assert coordinator.state(ceremony) is State.APPROVED
    coordinator.adopt(given, taken)
    assert observe_policy(desk.agent).digest == TWO.policy.digest


def test_an_acceptance_of_what_nobody_proposed_is_refused(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    taken = coordinator.hold(decided(Kind.POLICY_ACCEPTANCE, OTHER_TWO, OTHER_TWO, ["carol"], number=2), TWO)
    coordinator.hold(decided(Kind.POLICY_CHANGE, ACME, TWO, ["carol"], number=1), ACME)
    desk = Desk(tmp_path, coordinator)
    with pytest.raises(UnknownProposalError):
        desk.decide(taken)
    change(coordinator)
    coordinator.hold(decided(Kind.POLICY_CHANGE, ACME, OTHER_TWO, ["carol"], number=3), ACME)
    with pytest.raises(Refusal):
        desk.decide(taken)
    assert not desk.key.signed


def test_a_ceremony_without_entries_is_no_answer(coordinator: SimulatedCoordinator, tmp_path: Path) -> None:
    ceremony = coordinator.open()

    def nothing(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return replace(message.content, part=replace(message.content.part, entries=()))
        return message.content

    desk = Desk(tmp_path, coordinator, hostile=nothing)
    with pytest.raises(OtherAnswerError, match="got none"):
        observe(desk.agent, ceremony)


def test_the_newest_head_is_verified_by_the_newest_policy(
    coordinator: SimulatedCoordinator, tmp_path: Path
) -> None:
    ceremony = coordinator.open()
    change(coordinator)
    seen = observe(Desk(tmp_path, coordinator).agent, ceremony)
    assert seen.head.checkpoint.size == coordinator.log.size
    assert seen.opened_at == NOW


@pytest.mark.parametrize("kind", ["release", "policy-change"])
def test_under_a_policy_that_is_only_proposed_nothing_but_its_acceptance_is_looked_at(
    coordinator: SimulatedCoordinator, tmp_path: Path, kind: str
) -> None:
    coordinator.hold(decided(Kind.POLICY_CHANGE, ACME, TWO, ["carol"], number=7), ACME)
    if kind == "release":
        request = TWO.sign_request(TWO.request())
        chain, opening = open_chain(TWO.policy, request, at=NOW)
        side = Side(chain, [opening])
    else:
        side = decided(Kind.POLICY_CHANGE, TWO, next_version(TWO), ["carol"], number=2)
    ceremony = coordinator.hold(side, TWO)
    desk = Desk(tmp_path, coordinator)
    with pytest.raises(UnknownProposalError):
        desk.decide(ceremony)
    assert not desk.key.signed

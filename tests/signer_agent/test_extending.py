# SPDX-License-Identifier: Apache-2.0
"""A deadline is moved by who may, as far as the rules go; what they would refuse is never signed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.spans import Until, WorkingTime
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.refusal import Refusal
from signer_agent.errors import NoReceiptError
from signer_agent.extending import later_deadline, write_extension
from signer_agent.recollection import Stored
from signer_agent.signing import send, settle, sign_and_store
from tests.burning import BURNING
from tests.organisation import NOW
from tests.signer_agent.desks import Desk, payload_of
from tests.simulated_coordinator import Message, SimulatedCoordinator

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(BURNING)


@pytest.fixture
def ceremony(coordinator: SimulatedCoordinator) -> str:
    """A ceremony that mallory asked for: a day long, and never longer than five."""
    return coordinator.open(replace(BURNING.request(deadline=DAY), hard_stop=NOW + 5 * DAY))


def extend(desk: Desk, ceremony: str, until: Until) -> Stored:
    review = desk.look(ceremony)
    policy = review.observation.policy
    draft = write_extension(review, later_deadline(review, until))
    return send(desk.agent, sign_and_store(desk.agent, draft, desk.key, policy), policy)


def test_an_extension_moves_the_deadline_for_everybody(
    tmp_path: Path, coordinator: SimulatedCoordinator, ceremony: str
) -> None:
    stored = extend(Desk(tmp_path / "rita", coordinator, "rita"), ceremony, HOUR)
    assert stored.state == "open"
    coordinator.pass_time(DAY)
    assert Desk(tmp_path / "alice", coordinator).decide(ceremony).state == "open"


def test_so_much_longer_is_counted_from_the_present_deadline(
    tmp_path: Path, coordinator: SimulatedCoordinator, ceremony: str
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    review = desk.look(ceremony)
    assert later_deadline(review, 2 * HOUR) == NOW + DAY + 2 * HOUR
    assert later_deadline(review, NOW + 3 * DAY) == NOW + 3 * DAY
    # The deadline is Saturday 14:00; a business day later is Monday's closing time.
    assert later_deadline(review, WorkingTime(count=1, in_days=True)) == NOW + 3 * DAY + 3 * HOUR


def test_a_second_extension_names_the_first(
    tmp_path: Path, coordinator: SimulatedCoordinator, ceremony: str
) -> None:
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    first = extend(desk, ceremony, HOUR)
    extend(desk, ceremony, HOUR)
    chain = coordinator.chains[ceremony].ceremony
    second = chain.extensions[1].statement
    assert (second.number, second.previous, chain.deadline) == (2, first.digest, NOW + DAY + 2 * HOUR)


def _twice(desk: Desk, ceremony: str) -> None:
    extend(desk, ceremony, HOUR)
    extend(desk, ceremony, HOUR)


def _overdue(desk: Desk, _: str) -> None:
    desk.coordinator.pass_time(DAY)


def _expired(desk: Desk, ceremony: str) -> None:
    desk.coordinator.expire(ceremony)


def _nothing(desk: Desk, ceremony: str) -> None:
    del desk, ceremony


REFUSED: dict[str, tuple[str, Callable[[Desk, str], None], Until, type[Refusal]]] = {
    "by whoever asked": ("mallory", _nothing, HOUR, errors.ExtensionNotAllowedError),
    "by somebody outside the roles that may": ("alice", _nothing, HOUR, errors.ExtensionNotAllowedError),
    "a third time": ("rita", _twice, HOUR, errors.TooManyExtensionsError),
    "past the hard stop": ("rita", _nothing, 5 * DAY, errors.ExtensionDeadlineError),
    "to before the deadline": ("rita", _nothing, NOW + HOUR, errors.ExtensionDeadlineError),
    "to the deadline itself": ("rita", _nothing, NOW + DAY, errors.ExtensionDeadlineError),
    "when the deadline has passed by this clock": ("rita", _overdue, DAY, errors.CeremonyEndedError),
    "when it has expired": ("rita", _expired, DAY, errors.CeremonyEndedError),
}


@pytest.mark.parametrize(("signer", "before", "until", "refusal"), REFUSED.values(), ids=REFUSED.keys())
def test_an_extension_that_the_rules_refuse_is_not_signed(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    ceremony: str,
    signer: str,
    before: Callable[[Desk, str], None],
    until: Until,
    refusal: type[Refusal],
) -> None:
    desk = Desk(tmp_path / signer, coordinator, signer)
    before(desk, ceremony)
    signed = len(desk.key.signed)
    with pytest.raises(refusal):
        extend(desk, ceremony, until)
    assert len(desk.key.signed) == signed


def test_an_extension_without_an_answer_is_sent_again_and_not_signed_again(
    tmp_path: Path, coordinator: SimulatedCoordinator, ceremony: str
) -> None:
    def lost(message: Message) -> Any:
        if message.method == "act" and message.reply:
            raise CoordinatorUnreachableError("no answer")
        return message.content

    desk = Desk(tmp_path / "rita", coordinator, "rita", hostile=lost)
    with pytest.raises(NoReceiptError):
        extend(desk, ceremony, HOUR)
    desk = desk.reopened()
    review = desk.look(ceremony)
    assert review.pending is not None
    settle(desk.agent, review.pending, review.observation)
    assert len(coordinator.chains[ceremony].ceremony.extensions) == 1
    assert len(desk.key.signed) == 1
    assert desk.agent.journal.pending() == ()


def test_what_is_signed_names_the_newest_entry_that_was_seen(
    tmp_path: Path, coordinator: SimulatedCoordinator, ceremony: str
) -> None:
    coordinator.decide_as("alice", ceremony)
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    seen = coordinator.chains[ceremony].hashes[-1]
    extend(desk, ceremony, HOUR)
    assert seen.encode() in payload_of(desk.key.signed[-1])

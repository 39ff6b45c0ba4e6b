# SPDX-License-Identifier: Apache-2.0
"""The last approval in the very instant of the deadline: all coordinators give one answer."""

from datetime import timedelta

import pytest

from coordinator.commands import Outcome, Repeated, Written
from quorumseal.ceremony.errors import NotDueError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.coordinator.workshop import Desk, Workshop
from tests.deadline_instant import AFTER_THE_DEADLINE, FIRST, LAST
from tests.forging import verdict
from tests.organisation import ARTIFACT, NOW


def _until(workshop: Workshop, after: timedelta) -> None:
    """Let time pass until so long after the deadline."""
    deadline = NOW + timedelta(days=1)
    workshop.time.pass_by(deadline + after - workshop.time.now)


def _state(outcome: Outcome | BaseException) -> State | None:
    assert isinstance(outcome, Written | Repeated)
    return outcome.state


def _consumer(workshop: Workshop, desk: Desk, ceremony: str) -> str:
    """Return what a consumer says to what a coordinator would publish."""
    acme = workshop.organisation
    trust = Trust(organisation=acme.name, policy=acme.policy.digest, minimum_version=1)
    return verdict(
        lambda: verify(desk.reader.bundle(ceremony), trust, {"widget.tar.gz": digest_of(ARTIFACT)})
    )


@pytest.mark.parametrize(("after", "types"), AFTER_THE_DEADLINE.values(), ids=AFTER_THE_DEADLINE)
def test_two_coordinators_that_get_the_last_approval_give_one_answer(
    workshop: Workshop, after: timedelta, types: list[str]
) -> None:
    desks, start = [workshop.desk(), workshop.desk()], workshop.start()
    ceremony = start.request.statement.ceremony
    desks[0].written(start)
    for signer in FIRST:
        desks[1].written(workshop.decide(signer, start))
    last = workshop.decide(LAST, start)

    _until(workshop, after)
    answers = [desk.writer.submit(last) for desk in desks]  # both at once
    outcomes = [answer.result(timeout=30) for answer in answers]

    state = State.APPROVED if types[-1] == "approved" else State.EXPIRED
    assert [_state(outcome) for outcome in outcomes] == [state, state]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Repeated", "Written"]
    assert desks[0].types()[-2:] == types
    assert len(desks[0].types()) == 2 + len(FIRST) + len(types)
    assert {desk.chain(ceremony).ceremony.state for desk in desks} == {state}
    consumers = {_consumer(workshop, desk, ceremony) for desk in desks}
    assert consumers == ({"accepted"} if state is State.APPROVED else consumers - {"accepted"})


@pytest.mark.parametrize("time_first", [False, True])
@pytest.mark.parametrize(("after", "types"), AFTER_THE_DEADLINE.values(), ids=AFTER_THE_DEADLINE)
def test_whether_time_or_the_approval_comes_first_in_a_batch_changes_nothing(
    workshop: Workshop, after: timedelta, types: list[str], time_first: bool
) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    for signer in FIRST:
        desk.written(workshop.decide(signer, start))
    batch = [workshop.expire(start), workshop.decide(LAST, start)]

    _until(workshop, after)
    late = workshop.desk(running=False)
    answers = [late.writer.submit(command) for command in (batch if time_first else batch[::-1])]
    late.writer.start()

    refused = [error for answer in answers if (error := answer.exception(timeout=30))]
    assert all(isinstance(error, NotDueError) for error in refused)
    assert desk.types()[-2:] == types
    assert len(desk.types()) == 2 + len(FIRST) + len(types)

# SPDX-License-Identifier: Apache-2.0
"""What the writer and the deliveries take note of, as it happens."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.errors import NotTakenError
from coordinator.metrics.catalogue import (
    BATCH,
    BREAKGLASS_NOTICE_FAILURES,
    COMMIT,
    NOTIFICATION_FAILURES,
    RACES,
    ROLE_RESPONSE,
    TIME_TO_QUORUM,
)
from coordinator.metrics.observing import Observation
from coordinator.notifying import NoticeType, Notifying, Route, Routes
from coordinator.notifying.routes import row_of
from tests.coordinator.notifying.receivers import NOTICE
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW


def names(seen: list[Observation]) -> Counter[str]:
    return Counter(each.metric.name for each in seen)


def test_an_entry_is_counted_once_by_the_coordinator_that_wrote_it(workshop: Workshop) -> None:
    seen: list[list[Observation]] = [[], []]
    first, second = (workshop.desk(observe=each.append) for each in seen)
    start = workshop.start()
    first.written(start)
    for desk, signer in ((first, "alice"), (second, "erin"), (first, "carol"), (second, "rita")):
        desk.written(workshop.decide(signer, start))
    together = names(seen[0]) + names(seen[1])
    assert together[ROLE_RESPONSE.name] == 4
    assert together[TIME_TO_QUORUM.name] == 1
    assert together[COMMIT.name] == together[BATCH.name] == 5
    assert [names(each)[RACES.name] for each in seen] == [1, 1], "neither knew what the other had written"
    assert names(seen[1])[TIME_TO_QUORUM.name] == 1


def test_what_is_refused_or_repeated_is_not_counted(workshop: Workshop) -> None:
    seen: list[Observation] = []
    desk, start = workshop.desk(observe=seen.append), workshop.start()
    desk.write(workshop.decide("alice", start))
    assert seen == []
    desk.written(start)
    decision = workshop.decide("alice", start)
    desk.written(decision)
    before = list(seen)
    desk.write(decision)
    assert seen == before


class Deaf:
    """A channel that takes nothing."""

    def deliver(self, *_: object, **__: object) -> None:
        raise NotTakenError("expected an answer, got none")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (NoticeType.OPENED, [NOTIFICATION_FAILURES]),
        (NoticeType.BREAK_GLASS_INVOKED, [NOTIFICATION_FAILURES, BREAKGLASS_NOTICE_FAILURES]),
    ],
)
def test_every_attempt_that_fails_is_counted(
    workshop: Workshop, kind: NoticeType, expected: list[object]
) -> None:
    seen: list[Observation] = []
    storage = workshop.desk(running=False).storage
    notifying = Notifying(
        storage, {"chat": Deaf()}, Routes(), clock=workshop.time.clock(), observe=seen.append
    )
    storage.notices.add([row_of(replace(NOTICE, type=kind), Route(channel="chat"), at=NOW)])
    for attempt in (1, 2):
        notifying.deliver_due("chat")
        assert [each.metric for each in seen] == expected * attempt
        workshop.time.pass_by(timedelta(hours=1))
    assert {each.label for each in seen if each.metric is NOTIFICATION_FAILURES} == {"chat"}

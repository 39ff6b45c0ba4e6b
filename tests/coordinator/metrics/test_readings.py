# SPDX-License-Identifier: Apache-2.0
"""What a scrape reads from the database and the process: the truth at that instant, from any coordinator."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from coordinator.commands import Stand
from coordinator.log_keys import LogKeys
from coordinator.metrics.catalogue import METRICS, PAGES, SIEM_BLOCKED, SIEM_WAITING, Scope, Sort
from coordinator.metrics.observing import Observation
from coordinator.metrics.readings import Process, Readings, available, of_outbox, of_process
from coordinator.notifying.routes import Route, row_of
from coordinator.status import StatusFile
from coordinator.storage import DeliveryState
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import StandingAct
from tests.burning import BURNING, DAY, HOUR, MINUTE, PROVISIONAL, WINDOW, absence, delegation
from tests.coordinator.notifying.receivers import NOTICE
from tests.coordinator.test_emergencies import Story
from tests.coordinator.workshop import Desk, Workshop
from tests.losing import LOSING, by_guardian, suspends
from tests.organisation import NOW, Organisation

OUTCOMES = "provisional rejected expired cancelled superseded vetoed ratified lapsed"
IDLE = Process(present=tuple, calls=lambda: 0, queued=lambda: 0, queue_limit=4096, lost=list, expiries=dict)


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


def numbers(observations: Iterable[Observation]) -> dict[str, float]:
    """Return the numbers by name and label, as they are read in a dashboard."""
    return {
        each.metric.name.removeprefix("quorumseal_") + (f" {each.label}" if each.label else ""): each.value
        for each in observations
    }


def readings(workshop: Workshop, desk: Desk, process: Process = IDLE) -> Readings:
    clock = workshop.time.clock()
    status = StatusFile(desk.storage, desk.reader, desk.policies, LogKeys(BURNING.log_key), clock=clock)
    return Readings(desk.storage, desk.policies, status, process, now=clock.now)


def read(workshop: Workshop, desk: Desk, process: Process = IDLE) -> dict[str, float]:
    return numbers(readings(workshop, desk, process).read())


def emergencies(story: Story) -> dict[str, float]:
    """Return all that is not 0 about emergencies."""
    found = read(story.workshop, story.desk)
    return {
        name.removeprefix("breakglass_"): value
        for name, value in found.items()
        if name.startswith("breakglass") and value
    }


def test_every_outcome_is_a_number_before_there_is_any(workshop: Workshop) -> None:
    found = read(workshop, workshop.desk())
    assert {name: value for name, value in found.items() if name.startswith("ceremonies")} == {
        "ceremonies_open": 0,
        "ceremonies_total approved": 0,
        "ceremonies_total provisional": 0,
        "ceremonies_total rejected": 0,
        "ceremonies_total expired": 0,
        "ceremonies_total cancelled": 0,
        "ceremonies_total superseded": 0,
    }
    assert [name for name in found if name.startswith("breakglass_total")] == [
        f"breakglass_total {outcome}"
        for outcome in (
            *(
                "provisional",
                "rejected",
                "expired",
                "cancelled",
                "superseded",
                "vetoed",
                "ratified",
                "lapsed",
            ),
        )
    ]
    assert found["database_up"] == 1
    assert "breakglass_ratify_by_timestamp_seconds" not in found


def test_ceremonies_count_by_what_became_of_them(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    for number, product in ((2, "gadget"), (3, "widget")):
        version = "1.0" if product == "gadget" else "2.0"
        start = workshop.start(BURNING.request(number=number, product=product, version=version))
        desk.written(start)
    found = read(workshop, desk)
    assert (found["ceremonies_total approved"], found["ceremonies_open"]) == (1, 2)
    assert found["checkpoint_size"] == desk.storage.log.size()
    assert (found["publications pending"], found["publications published"]) == (1, 0)


def test_a_restart_changes_none_of_what_the_database_knows(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    again, shared = workshop.desk(), {each.name for each in METRICS if each.scope is Scope.SHARED}
    before, after = (
        [each for each in readings(workshop, one).read() if each.metric.name in shared]
        for one in (desk, again)
    )
    assert before == after


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (timedelta(0), {"open": 1}),
        (WINDOW, {"total provisional": 1, "unratified": 1}),
        (PROVISIONAL, {"total provisional": 1, "total lapsed": 1}),
        (DAY * 8, {"total provisional": 1, "total lapsed": 1, "reports_late": 1}),
    ],
)
def test_an_emergency_that_nobody_ratifies(
    workshop: Workshop, wait: timedelta, expected: dict[str, float]
) -> None:
    story = Story(workshop)
    at = workshop.time.now
    story.invoke(1, "alice", "carol")
    story.wait(min(wait, WINDOW))
    story.wait(wait - min(wait, WINDOW))
    found = emergencies(story)
    ratify_by = found.pop("ratify_by_timestamp_seconds", None)
    assert found == expected
    assert ratify_by == ((at + PROVISIONAL).timestamp() if "unratified" in expected else None)


def test_an_emergency_that_was_ratified_and_reported_owes_nothing(workshop: Workshop) -> None:
    story = Story(workshop)
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    story.report(ceremony, "dan")
    story.ratify(ceremony)
    story.wait(DAY * 30)
    assert emergencies(story) == {"total provisional": 1, "total ratified": 1}


def test_a_veto_is_told_from_a_rejection(workshop: Workshop) -> None:
    story = Story(workshop)
    story.veto(story.invoke(1, "alice"), "dan")
    found = emergencies(story)
    assert found == {"total vetoed": 1}
    assert read(workshop, story.desk)["ceremonies_total rejected"] == 1


def test_another_coordinator_knows_at_once_who_is_away(workshop: Workshop) -> None:
    desk, other = workshop.desk(), workshop.desk()
    reading = readings(workshop, other)
    assert numbers(reading.read())["role_available_signers security"] == 3
    act: Signed[StandingAct] = BURNING.sign(absence("carol", until=NOW + DAY))
    desk.written(Stand(policy=BURNING.policy, act=act))
    for each in (reading, readings(workshop, desk)):
        assert numbers(each.read())["role_available_signers security"] == 2
    workshop.time.pass_by(DAY)
    assert numbers(reading.read())["role_available_signers security"] == 3


AWAY = ("carol", "dan")
PEOPLE = [
    ("nobody is away", [], {"bob", "carol", "dan"}),
    ("two are away", [absence(name, until=NOW + DAY) for name in AWAY], {"bob"}),
    (
        "a deputy stands in for one of them",
        [absence("carol", until=NOW + DAY), delegation("carol", "security", "frank")],
        {"bob", "dan", "frank"},
    ),
    ("a deputy of somebody who is there adds nobody", [delegation("carol", "security", "frank")], None),
    (
        "a deputy of another role does not help",
        [absence("carol", until=NOW + DAY), delegation("erin", "engineering", "frank")],
        {"bob", "dan"},
    ),
    (
        "a deputy who is away does not either",
        [
            absence("carol", until=NOW + DAY),
            delegation("carol", "security", "frank"),
            absence("frank", until=NOW + DAY),
        ],
        {"bob", "dan"},
    ),
    (
        "nor one whose time is yet to come",
        [absence("carol", until=NOW + DAY), delegation("carol", "security", "frank", since=NOW + HOUR)],
        {"bob", "dan"},
    ),
    ("an absence that is yet to come", [absence("carol", since=NOW + HOUR, until=NOW + DAY)], None),
]


@pytest.mark.parametrize(("acts", "expected"), [row[1:] for row in PEOPLE], ids=[row[0] for row in PEOPLE])
def test_who_could_decide_for_a_role(acts: list[StandingAct], expected: set[str] | None) -> None:
    policy, standing = BURNING.policy.policy, Standing()
    for act in acts:
        standing = stand(standing, BURNING.sign(act), policy, at=NOW)
    found = available(policy, standing, "security", at=NOW + MINUTE)
    assert found == (expected or {"bob", "carol", "dan"})


@pytest.mark.parametrize(
    ("counts", "oldest", "backlog", "waits"),
    [
        ({}, None, 0, 0),
        ({"published": 5}, None, 0, 0),
        ({"published": 5, "pending": 1, "failed": 2}, NOW - HOUR, 3, 3600),
        ({"pending": 1}, NOW + MINUTE, 1, 0),
    ],
)
def test_the_backlog_of_publications(
    counts: dict[str, int], oldest: datetime | None, backlog: int, waits: int
) -> None:
    found = numbers(of_outbox(counts, oldest, at=NOW))
    assert (found["outbox_backlog"], found["outbox_oldest_seconds"]) == (backlog, waits)
    assert found["publications published"] == counts.get("published", 0)


def test_the_oldest_bundle_waits_since_its_ceremony_ended(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    workshop.time.pass_by(HOUR)
    found = read(workshop, desk)
    assert (found["outbox_backlog"], found["outbox_oldest_seconds"]) == (1, 3600)


def test_notices_that_wait_and_those_that_were_given_up_are_counted(workshop: Workshop) -> None:
    desk = workshop.desk()
    rows = [row_of(NOTICE, Route(channel=name), at=NOW) for name in ("a", "b", "c")]
    desk.storage.notices.add(rows)
    desk.storage.notices.settle(replace(rows[0], state=DeliveryState.DEAD))
    desk.storage.notices.settle(replace(rows[1], state=DeliveryState.DELIVERED))
    found = read(workshop, desk)
    assert (found["notices pending"], found["notices dead"]) == (1, 1)


def test_a_process_says_what_only_it_knows() -> None:
    process = replace(
        IDLE,
        present=lambda: ["alice", "bob", "zoe"],
        calls=lambda: 7,
        queued=lambda: 3,
        lost=lambda: ["writer"],
        expiries=lambda: {"server": NOW, "client_authorities": NOW + DAY},
    )
    found = numbers(of_process(process, BURNING.policy.policy))
    assert {name: found[f"agent_connected {name}"] for name in BURNING.roles} == {
        "engineering": 2,
        "security": 1,
        "release": 0,
        "managers": 0,
    }
    assert (found["calls_in_progress"], found["writer_queue"], found["writer_queue_limit"]) == (7, 3, 4096)
    assert found["ended_threads"] == 1
    assert found["certificate_expiry_timestamp_seconds server"] == NOW.timestamp()


def test_without_its_database_a_coordinator_still_says_what_it_knows_itself(workshop: Workshop) -> None:
    workshop.damaged = True
    desk = workshop.desk()
    reading = readings(workshop, desk)
    with desk.storage.engines.writing() as connection:
        connection.execute(text("ALTER TABLE checkpoints RENAME TO elsewhere"))
    found = numbers(reading.read())
    assert found["database_up"] == 0
    assert found["writer_queue"] == 0
    shared = {each.name.removeprefix("quorumseal_") for each in METRICS if each.scope is Scope.SHARED}
    assert not {name.partition(" ")[0] for name in found} & shared


def test_what_is_read_is_all_that_does_not_happen(workshop: Workshop) -> None:
    story = Story(workshop)
    story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    parts = (Observation(PAGES, 1, "sessions"), Observation(SIEM_WAITING), Observation(SIEM_BLOCKED))
    process = replace(IDLE, expiries=lambda: {"server": NOW}, parts=lambda: parts)
    found = {each.metric for each in readings(workshop, story.desk, process).read()}
    assert found == {
        each
        for each in METRICS
        if each.sort is Sort.GAUGE or (each.scope, each.sort) == (Scope.SHARED, Sort.COUNTER)
    }


def test_no_label_holds_a_name_of_a_person(workshop: Workshop) -> None:
    story = Story(workshop)
    story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    labels = {each.label for each in readings(workshop, story.desk).read()}
    assert not labels & BURNING.policy.policy.signers.keys()
    assert not labels & {"widget", "1.0"}


def test_whoever_is_suspended_or_has_no_key_that_signs_is_not_available() -> None:
    standing = Standing()
    acts: list[Signed[StandingAct]] = [suspends(each, "alice") for each in ("bob", "carol")]
    acts += [by_guardian(each, "erin", since=NOW) for each in ("bob", "carol")]
    for act in acts:
        standing = stand(standing, act, LOSING.policy.policy, at=NOW)
    assert available(LOSING.policy.policy, standing, "engineering", at=NOW) == {"bob"}
    assert available(LOSING.policy.policy, standing, "engineering", at=NOW + DAY) == {"alice", "bob"}

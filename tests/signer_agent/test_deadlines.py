# SPDX-License-Identifier: Apache-2.0
"""From ``3bd`` to the signed instant: once, by the policy's own calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.spans import Until, WorkingTime, read_until
from quorumseal.ceremony.statements import Request
from signer_agent.deadlines import default_deadline, resolve_until, zone_of
from signer_agent.errors import OutOfReachError, UnknownZoneError
from signer_agent.requesting import Wanted, write_request
from tests.organisation import NOW, SUBJECTS, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

LISBON = Calendar(zone="Europe/Lisbon", holidays=frozenset({date(2026, 12, 8)}))
FRIDAY = datetime(2026, 12, 4, 15, 0, 0, 123_456, tzinfo=UTC)
THREE_DAYS = WorkingTime(count=3, in_days=True)


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("8h", "2026-12-04T23:00:00.123+00:00"),
        ("3d", "2026-12-07T15:00:00.123+00:00"),
        ("1bd", "2026-12-07T17:00:00+00:00"),
        ("3bd", "2026-12-10T17:00:00+00:00"),
        ("4bh", "2026-12-07T11:00:00.123+00:00"),
        ("2026-12-09T12:00+01:00", "2026-12-09T11:00:00+00:00"),
    ],
)
def test_what_somebody_says_becomes_one_instant_of_whole_milliseconds(until: str, end: str) -> None:
    assert resolve_until(read_until(until), LISBON, at=FRIDAY) == datetime.fromisoformat(end)


def test_a_default_that_holidays_stretch_ends_at_the_longest_at_last() -> None:
    rule = Organisation().build_policy().rules["standard"]
    rule = replace(rule, deadline=THREE_DAYS, longest=timedelta(days=7))
    month_off = Calendar(holidays=frozenset(date(2026, 12, day) for day in range(1, 32)))
    assert default_deadline(rule, Calendar(), at=FRIDAY) == datetime(2026, 12, 9, 17, tzinfo=UTC)
    assert default_deadline(rule, month_off, at=FRIDAY) == FRIDAY + timedelta(days=7)


def test_a_calendar_that_hardly_ever_opens_is_found_out_by_whoever_asks() -> None:
    closed = Calendar(holidays=frozenset(date.fromordinal(FRIDAY.toordinal() + day) for day in range(400)))
    with pytest.raises(OutOfReachError, match="within a year") as refusal:
        resolve_until(THREE_DAYS, closed, at=FRIDAY)
    assert "hardly ever opens, mend it" in refusal.value.hint


@pytest.mark.parametrize("zone", ["Europe/Lisbonn", "Mars", "Europe"])
def test_a_zone_that_this_machine_does_not_know_is_named(zone: str) -> None:
    with pytest.raises(UnknownZoneError, match="time zone that this machine knows") as refusal:
        zone_of(Calendar(zone=zone))
    assert "tzdata" in refusal.value.hint


def test_a_deadline_by_the_clock_needs_no_zones() -> None:
    assert resolve_until(timedelta(hours=1), Calendar(zone="Mars"), at=FRIDAY) > FRIDAY


@pytest.mark.parametrize(
    ("deadline", "end"),
    [
        (None, NOW + timedelta(days=3)),  # the rule's own
        (timedelta(hours=8), NOW + timedelta(hours=8)),
        (read_until("1bd"), datetime(2026, 11, 23, 17, tzinfo=UTC)),
        (read_until("2026-11-24T09:00+01:00"), datetime(2026, 11, 24, 8, tzinfo=UTC)),
    ],
)
def test_the_signed_request_holds_the_instant(tmp_path: Path, deadline: Until | None, end: datetime) -> None:
    coordinator = SimulatedCoordinator(Organisation())
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    wanted = Wanted(product="widget", version="1.0", subjects=SUBJECTS, deadline=deadline)
    request = write_request(desk.agent, coordinator.organisation.policy, wanted).statement
    assert isinstance(request, Request)
    assert request.deadline == end

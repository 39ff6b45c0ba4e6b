# SPDX-License-Identifier: Apache-2.0
"""From ``3bd`` to the instant that is signed: resolved once, here, by the policy's own calendar."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quorumseal.ceremony.calendar import Calendar, resolve
from quorumseal.ceremony.errors import CalendarError
from quorumseal.ceremony.policy import Rule
from quorumseal.ceremony.spans import Until, WorkingTime
from quorumseal.ceremony.values import whole_milliseconds
from signer_agent.errors import OutOfReachError, UnknownZoneError


def resolve_until(until: Until, calendar: Calendar, *, at: datetime) -> datetime:
    """Return the instant that somebody means who says ``until`` now, with whole milliseconds."""
    zone = zone_of(calendar) if isinstance(until, WorkingTime) else UTC
    try:
        return whole_milliseconds(resolve(until, calendar, zone, start=at))
    except CalendarError as error:  # the policy is as it was signed; what was asked of it is too much
        raise OutOfReachError(str(error), hint=error.hint) from None


def default_deadline(rule: Rule, calendar: Calendar, *, at: datetime) -> datetime:
    """Return the rule's own deadline: working time that holidays stretch ends at the longest at last."""
    return min(resolve_until(rule.deadline, calendar, at=at), at + rule.longest)


def moment(said: Until | date, calendar: Calendar, *, at: datetime) -> datetime:
    """Return the instant that somebody means; of a day, its beginning in the calendar's time zone."""
    if isinstance(said, date) and not isinstance(said, datetime):
        return datetime.combine(said, time(), tzinfo=zone_of(calendar)).astimezone(UTC)
    return resolve_until(said, calendar, at=at)


def zone_of(calendar: Calendar) -> tzinfo:
    """Return the rules of a calendar's time zone, as this machine knows them."""
    if calendar.zone == "UTC":
        return UTC
    try:
        return ZoneInfo(calendar.zone)
    except (
        ZoneInfoNotFoundError,
        OSError,
        ValueError,
    ):  # a folder of zones, a file that is none
        raise UnknownZoneError(
            f"expected a time zone that this machine knows, got {calendar.zone} from the policy's calendar",
            hint="compare its spelling, or install the zones: python -m pip install tzdata",
        ) from None

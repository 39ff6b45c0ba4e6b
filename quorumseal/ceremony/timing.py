# SPDX-License-Identifier: Apache-2.0
"""When a request may open and when a decision counts: four instants, compared in one place.

``signed_at`` is the signer's word, the entry's time ``at`` is the log's.  A decision is on time when
opened - skew <= signed_at < deadline, at < deadline and signed_at <= at + skew.  To be logged later than
signed, before the deadline, is fine: envelopes are sent again after an outage.
"""

from datetime import datetime, timedelta

from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.errors import SignedAfterDeadlineError, SignedBeforeOpeningError, SignedInFutureError
from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.request_errors import (
    DeadlineError,
    EmergencyError,
    EmergencyTimesError,
    OpeningTimeError,
)
from quorumseal.ceremony.statements import Emergency, Request
from quorumseal.ceremony.values import instant_text
from quorumseal.terminal.durations import duration_text


def check_opening(request: Request, rule: Rule, policy: Policy, *, at: datetime) -> None:
    """Refuse a request whose instants are not in order, or that is logged at the wrong time."""
    opened, deadline, hard_stop = request.opened_at, request.deadline, request.hard_stop
    # Differences, never sums: an instant near the calendar's end must not overflow it.
    if not opened < deadline <= hard_stop:
        raise DeadlineError(
            f"expected a deadline after the opening {instant_text(opened)} and not after the hard stop "
            f"{instant_text(hard_stop)}, got {instant_text(deadline)}",
            hint="choose a deadline that lies ahead",
        )
    if hard_stop - opened > rule.longest:
        raise DeadlineError(
            f"expected a deadline at most {duration_text(rule.longest)} after the opening "
            f"(rule {rule.name}), got {duration_text(hard_stop - opened)}",
            hint="choose a shorter deadline",
        )
    if hard_stop > policy.expires:
        raise DeadlineError(
            f"expected a hard stop before the policy expires ({instant_text(policy.expires)}), "
            f"got {instant_text(hard_stop)}",
            hint="propose a new policy version with a later expiry first",
        )
    if not (opened - at <= policy.clock_skew and at < deadline):
        raise OpeningTimeError(
            f"expected a request signed at {instant_text(opened)} to be logged between then and its deadline "
            f"{instant_text(deadline)} (give or take {duration_text(policy.clock_skew)}), "
            f"got {instant_text(at)}",
            hint="check this machine's clock, then start again",
        )


def check_on_time(
    signed_at: datetime, *, opened: datetime, deadline: datetime, skew: timedelta, at: datetime
) -> None:
    """Refuse a decision whose signing time does not fit; that ``at`` is before the deadline is known."""
    if opened - signed_at > skew:
        raise SignedBeforeOpeningError(
            f"expected a decision signed after the ceremony opened ({instant_text(opened)}), "
            f"got {instant_text(signed_at)}",
            hint="check the clock of the signer's machine",
        )
    if signed_at >= deadline:
        raise SignedAfterDeadlineError(
            f"expected a decision signed before the deadline ({instant_text(deadline)}), "
            f"got {instant_text(signed_at)}"
        )
    check_not_ahead(signed_at, skew=skew, at=at)


def check_not_ahead(signed_at: datetime, *, skew: timedelta, at: datetime) -> None:
    """Refuse what claims a time ahead of the log's."""
    if signed_at - at > skew:
        raise SignedInFutureError(
            f"expected a decision signed by now ({instant_text(at)}), got {instant_text(signed_at)}",
            hint="check the clock of the signer's machine",
        )


def check_emergency(request: Request, emergency: Emergency, rule: Rule) -> BreakGlass:
    """Return what the rule asks for in an emergency; refuse a request that does not fit it."""
    allowed = rule.emergency
    if allowed is None:
        raise EmergencyError(
            f"expected a rule with break_glass, got {rule.name}, which has none",
            hint="start an ordinary ceremony",
        )
    if emergency.reason not in allowed.reasons:
        raise EmergencyError(
            f"expected one of the reasons of rule {rule.name} ({', '.join(sorted(allowed.reasons))}), "
            f"got {emergency.reason}",
            hint="what fits none of them is no emergency",
        )
    most = sum(threshold.count for threshold in allowed.quorum)
    if emergency.people < most:
        raise EmergencyError(
            f"expected an emergency that needs its quorum's {most} people or more, got {emergency.people}",
            hint="ask for as many people as the rule's break_glass quorum",
        )
    opened, window = request.opened_at, allowed.veto_window
    if request.deadline - opened <= window:
        raise EmergencyTimesError(
            f"expected a deadline later than the veto window of {duration_text(window)}, "
            f"got {instant_text(request.deadline)} for an opening at {instant_text(opened)}"
        )
    for what, instant, longest in (
        ("provisional_until", emergency.provisional_until, allowed.provisional),
        ("ratify_by", emergency.ratify_by, allowed.ratify),
    ):
        if not (request.hard_stop <= instant and instant - opened <= longest):
            raise EmergencyTimesError(
                f"expected {what} between the hard stop {instant_text(request.hard_stop)} and "
                f"{duration_text(longest)} after the opening, got {instant_text(instant)}"
            )
    return allowed

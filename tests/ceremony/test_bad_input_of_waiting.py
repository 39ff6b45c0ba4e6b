# SPDX-License-Identifier: Apache-2.0
"""What somebody in a hurry, or hostile, asks of waiting and emergencies: refused with a hint."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest

from quorumseal.ceremony.calendar import DAYS, Calendar, resolve
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Begin, Command, Expire
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import WorkingTime
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import StandingAct
from quorumseal.ceremony.succeeding import check_ratification
from quorumseal.refusal import Refusal
from tests.burning import (
    BREAK_GLASS,
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    absence,
    delegation,
    emergency_request,
    extends,
    joins,
    open_emergency,
    ratification,
    reports,
    run_emergency,
    vetoes,
    withdrawal,
)
from tests.organisation import NOW, changed

POLICY = BURNING.policy.policy
ORDINARY = changed(BURNING, emergency=None)
LISTED = changed(BURNING, deputies={"engineering": ("mallory", "frank")})


def refused(act: Callable[[], object], code: str) -> None:
    """See that it is refused with this code, and that whoever reads it learns what to do next."""
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint, f"{code} without a hint: {caught.value}"


def quorum(**counts: int) -> dict[str, object]:
    thresholds = tuple(Threshold(role=role, count=count) for role, count in counts.items())
    return {"emergency": replace(BREAK_GLASS, quorum=thresholds)}


POLICIES: dict[str, tuple[dict[str, object], str]] = {
    "a floor of one": (quorum(security=1), "policy.invalid"),
    "a floor of one role": (quorum(security=2), "policy.invalid"),
    "a floor of nobody": (quorum(), "policy.invalid"),
    "a role that counts nobody": (quorum(security=1, engineering=0), "policy.invalid"),
    "no guardians": ({"guardians": frozenset()}, "policy.invalid"),
    "guardians that are not asked": ({"guardians": frozenset({"managers"})}, "policy.invalid"),
    "an emergency for more people than there are": (
        quorum(security=4, engineering=1),
        "policy.unsatisfiable",
    ),
    "stages that skip a role": (
        {"stages": (frozenset({"engineering"}), frozenset({"release"}))},
        "policy.invalid",
    ),
    "stages that name a role twice": (
        {"stages": (frozenset({"engineering", "security"}), frozenset({"release", "security"}))},
        "policy.invalid",
    ),
    "an empty stage": ({"stages": (frozenset(), frozenset(BURNING.quorum))}, "policy.invalid"),
    "a stage of a role that nobody asked for": (
        {"stages": (frozenset({*BURNING.quorum, "managers"}),)},
        "policy.invalid",
    ),
    "extenders that do not exist": ({"extenders": frozenset({"wizards"})}, "policy.invalid"),
    "a deputy who is a member": ({"deputies": {"engineering": ("alice",)}}, "policy.invalid"),
}


@pytest.mark.parametrize(("fields", "code"), POLICIES.values(), ids=POLICIES)
def test_a_policy_that_waits_for_the_impossible_or_opens_a_back_door_is_not_built(
    fields: dict[str, object], code: str
) -> None:
    refused(changed(BURNING, **fields).build_policy, code)


BREAK_GLASSES: dict[str, dict[str, object]] = {
    "no reasons": {"reasons": frozenset()},
    "no veto window": {"veto_window": timedelta(0)},
    "a veto window of two days": {"veto_window": DAY * 2},
    "provisional for ever": {"provisional": DAY * 365},
    "ratified whenever": {"ratify": DAY * 365},
    "reported never": {"report": timedelta(0)},
}


@pytest.mark.parametrize("fields", BREAK_GLASSES.values(), ids=BREAK_GLASSES)
def test_break_glass_without_bounds_is_not_built(fields: dict[str, object]) -> None:
    refused(lambda: replace(BREAK_GLASS, **fields), "policy.invalid")  # type: ignore[arg-type] # by the table


CALENDARS: dict[str, dict[str, object]] = {
    "no working days": {"days": frozenset()},
    "a day that does not exist": {"days": frozenset({"caturday"})},
    "closing before it opens": {"opens": time(17), "closes": time(9)},
    "closing as it opens": {"opens": time(9), "closes": time(9)},
    "a zone that is a path": {"zone": "../../etc/localtime"},
}


@pytest.mark.parametrize("fields", CALENDARS.values(), ids=CALENDARS)
def test_a_calendar_that_never_opens_is_not_built(fields: dict[str, object]) -> None:
    refused(lambda: Calendar(**fields), "policy.calendar")  # type: ignore[arg-type] # by the table


@pytest.mark.parametrize("in_days", [True, False])
def test_a_calendar_of_nothing_but_holidays_ends_nothing(in_days: bool) -> None:
    holidays = frozenset(NOW.date() + timedelta(days=day) for day in range(400))
    calendar, working = (
        Calendar(days=frozenset(DAYS), holidays=holidays),
        WorkingTime(count=1, in_days=in_days),
    )
    refused(lambda: resolve(working, calendar, UTC, start=NOW), "policy.calendar")


def requested(*, deadline: timedelta = DAY, hard_stop: timedelta = DAY) -> Callable[[], object]:
    request = replace(BURNING.request(), deadline=NOW + deadline, hard_stop=NOW + hard_stop)
    return lambda: open_chain(BURNING.policy, BURNING.sign_request(request), at=NOW)


def invoked(**fields: object) -> Callable[[], object]:
    return lambda: open_emergency(request=emergency_request(**fields))  # type: ignore[arg-type] # by the table


REQUESTS: dict[str, tuple[Callable[[], object], str]] = {
    "a deadline past the hard stop": (
        requested(deadline=DAY * 2, hard_stop=DAY * 2 - MINUTE),
        "request.deadline",
    ),
    "a hard stop past the rule's maximum": (requested(hard_stop=DAY * 8), "request.deadline"),
    "a deadline before the opening": (requested(deadline=-HOUR), "request.deadline"),
    **{
        f"an emergency {what}": (invoked(**given), code)
        for what, given, code in (
            ("of one person", {"people": 1}, "json.invalid_field"),
            ("for a reason that is not listed", {"reason": "impatience"}, "emergency.request"),
            ("that nobody could veto", {"deadline": WINDOW}, "emergency.times"),
            ("that ends before its hard stop", {"provisional": HOUR}, "emergency.times"),
            ("that counts for a month", {"provisional": DAY * 30}, "emergency.times"),
            ("that may be ratified for a month", {"ratify": DAY * 30}, "emergency.times"),
        )
    },
    "an emergency where there is no break-glass": (
        lambda: open_emergency(ORDINARY, emergency_request(ORDINARY)),
        "emergency.request",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "code"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_out_of_bounds_opens_nothing(act: Callable[[], object], code: str) -> None:
    refused(act, code)


STANDING = stand(Standing(), BURNING.sign(delegation("carol", "security", "frank")), POLICY, at=NOW)
DELEGATIONS: dict[str, tuple[Standing, tuple[str, str, str], str]] = {
    "to oneself": (Standing(), ("alice", "engineering", "alice"), "delegation.deputy"),
    "to somebody who is not listed": (Standing(), ("alice", "engineering", "dan"), "delegation.deputy"),
    "of somebody else's role": (Standing(), ("alice", "security", "frank"), "delegation.deputy"),
    "of a role that does not exist": (Standing(), ("alice", "wizards", "frank"), "delegation.deputy"),
    "to somebody who handed on their own": (STANDING, ("alice", "engineering", "carol"), "delegation.deputy"),
    "with a number that was used": (STANDING, ("carol", "security", "alice"), "standing.number"),
}


@pytest.mark.parametrize(("standing", "given", "code"), DELEGATIONS.values(), ids=DELEGATIONS)
def test_a_delegation_that_the_policy_does_not_foresee_stands_for_nothing(
    standing: Standing, given: tuple[str, str, str], code: str
) -> None:
    before = replace(standing)
    refused(lambda: stand(standing, BURNING.sign(delegation(*given)), POLICY, at=NOW), code)
    assert standing == before


def test_a_circle_of_deputies_is_closed_by_nobody() -> None:
    first = stand(Standing(), BURNING.sign(delegation("alice", "engineering", "carol")), POLICY, at=NOW)
    back = BURNING.sign(delegation("carol", "security", "alice"))
    refused(lambda: stand(first, back, POLICY, at=NOW), "delegation.deputy")
    assert [*first.delegations] == [("alice", "engineering")]


STANDING_ACTS: dict[str, tuple[StandingAct, str]] = {
    "an absence that is over": (absence("alice", since=NOW - DAY, until=NOW), "standing.time"),
    "a withdrawal of what was never given": (withdrawal("alice", "engineering"), "delegation.missing"),
    "an absence signed tomorrow": (
        replace(absence("alice", until=NOW + DAY * 3), context=BURNING.context("alice", at=NOW + DAY)),
        "standing.time",
    ),
}


@pytest.mark.parametrize(("act", "code"), STANDING_ACTS.values(), ids=STANDING_ACTS)
def test_a_standing_act_out_of_time_stands_for_nothing(act: StandingAct, code: str) -> None:
    standing = Standing()
    refused(lambda: stand(standing, BURNING.sign(act), POLICY, at=NOW), code)
    assert standing == Standing()


def waiting() -> Chain:
    request = BURNING.sign_request(replace(BURNING.request(), hard_stop=NOW + DAY * 2))
    return BURNING.run("alice", request=request)[0]


def expired() -> Chain:
    return extend(waiting(), Expire(), at=NOW + DAY)[0]


def over() -> Chain:
    return run_emergency("alice", "carol")[0]


def in_its_window() -> Chain:
    chain = open_emergency()
    for signer in ("alice", "carol"):
        chain, _ = extend(chain, joins(chain, signer), at=NOW)
    return chain


ACTS: dict[str, tuple[Callable[[], Chain], Callable[[Chain], Command], timedelta, str]] = {
    "an extension after the expiry": (
        expired,
        lambda c: extends(c, "rita", NOW + DAY * 2, at=NOW + DAY - MINUTE),
        DAY,
        "ceremony.ended",
    ),
    "an extension past the hard stop": (
        waiting,
        lambda c: extends(c, "rita", NOW + DAY * 2 + MINUTE),
        HOUR,
        "extension.deadline",
    ),
    "an extension into the past": (waiting, lambda c: extends(c, "rita", NOW), HOUR, "extension.deadline"),
    "an extension by whoever asked": (
        waiting,
        lambda c: extends(c, "mallory", NOW + DAY * 2),
        HOUR,
        "extension.signer",
    ),
    "an extension out of order": (
        waiting,
        lambda c: extends(c, "rita", NOW + DAY * 2, number=2),
        HOUR,
        "extension.order",
    ),
    "a veto after the window": (over, lambda c: vetoes(c, "erin"), HOUR, "ceremony.ended"),
    "a veto by somebody without a role": (in_its_window, lambda c: vetoes(c, "frank"), MINUTE, "veto.signer"),
    "a veto of an ordinary ceremony": (waiting, lambda c: vetoes(c, "erin"), MINUTE, "emergency.none"),
    "a report by who took part": (over, lambda c: reports(c, "alice"), HOUR, "report.signer"),
    "a report on what is still open": (
        in_its_window,
        lambda c: reports(c, "erin"),
        MINUTE,
        "ceremony.illegal_transition",
    ),
    "a report on an ordinary ceremony": (waiting, lambda c: reports(c, "erin"), MINUTE, "emergency.none"),
    "joining after the end": (over, lambda c: joins(c, "erin"), HOUR, "ceremony.ended"),
    "a delegation after the end": (
        expired,
        lambda _: Begin(BURNING.sign(delegation("alice", "engineering", "frank", until=NOW + DAY * 9))),
        DAY,
        "ceremony.illegal_transition",
    ),
}


@pytest.mark.parametrize(("begun", "act", "after", "code"), ACTS.values(), ids=ACTS)
def test_an_act_that_comes_too_late_or_from_the_wrong_person_changes_nothing(
    begun: Callable[[], Chain], act: Callable[[Chain], Command], after: timedelta, code: str
) -> None:
    chain = begun()
    refused(lambda: extend(chain, act(chain), at=NOW + after), code)
    assert chain == begun()


def test_a_delegation_to_whoever_asked_gives_them_no_seat() -> None:
    chain, _ = LISTED.run()
    given = LISTED.sign(delegation("alice", "engineering", "mallory", acme=LISTED))
    refused(lambda: extend(chain, Begin(given), at=NOW), "delegation.deputy")
    signed = LISTED.sign_request()
    refused(lambda: open_chain(LISTED.policy, signed, at=NOW, delegations=(given,)), "delegation.deputy")


RATIFICATIONS: dict[str, dict[str, object]] = {
    "of another version": {"version": "1.1"},
    "of another product": {"product": "gadget"},
    "that ends too late": {"hard_stop": NOW + DAY * 4},
}


@pytest.mark.parametrize("fields", RATIFICATIONS.values(), ids=RATIFICATIONS)
def test_a_ratification_of_something_else_is_refused(fields: dict[str, object]) -> None:
    chain = over()
    request = replace(ratification(chain), **fields)  # type: ignore[arg-type] # by the table
    assert request.ratified is not None
    refused(
        lambda: check_ratification(request, request.ratified, chain.ceremony, chain.conclusion or ""),  # type: ignore[arg-type] # seen above
        "ratification.other",
    )


@pytest.mark.parametrize("begun", [in_its_window, waiting, expired])
def test_what_is_no_provisional_emergency_is_not_ratified(begun: Callable[[], Chain]) -> None:
    request, chain = ratification(over()), begun()
    assert request.ratified is not None
    ratified = request.ratified
    refused(
        lambda: check_ratification(request, ratified, chain.ceremony, chain.hashes[-1]), "ratification.other"
    )

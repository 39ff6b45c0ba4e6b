# SPDX-License-Identifier: Apache-2.0
"""An emergency: fewer people, a window in which anybody may stop it, and a floor that nothing lowers."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.breaking_glass import awaited, joined, more_people
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Command, Deliver, Expire
from quorumseal.ceremony.deciding import next_due
from quorumseal.ceremony.emergency import floor_met
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.opening import open_ceremony
from quorumseal.ceremony.statements import Choice
from quorumseal.refusal import Refusal
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    emergency_request,
    extends,
    joins,
    open_emergency,
    reports,
    run_emergency,
    vetoes,
)
from tests.organisation import NOW, Organisation, changed

DIGEST = "sha256:" + "a" * 64


def after(chain: Chain, *commands: tuple[Command, datetime]) -> Chain:
    for command, at in commands:
        chain, _ = extend(chain, command, at=at)
    return chain


def types(chain: Chain, command: Command, at: datetime) -> list[str]:
    return [str(entry.type) for entry in extend(chain, command, at=at)[1]]


def two_joined() -> Chain:
    chain = open_emergency()
    return after(chain, (joins(chain, "alice"), NOW), (joins(chain, "carol"), NOW))


def test_two_people_open_a_window_and_its_end_makes_it_provisional() -> None:
    chain = open_emergency()
    chain, _ = extend(chain, joins(chain, "alice"), at=NOW)
    assert types(chain, joins(chain, "carol"), NOW + MINUTE) == ["decided", "window-opened"]
    chain, _ = extend(chain, joins(chain, "carol"), at=NOW + MINUTE)
    assert chain.ceremony.state is State.OPEN
    assert next_due(chain.ceremony) == NOW + MINUTE + WINDOW
    with pytest.raises(errors.NotDueError):
        extend(chain, Expire(), at=NOW + WINDOW)
    assert types(chain, Expire(), NOW + MINUTE + WINDOW) == ["provisional"]
    ended = after(chain, (Expire(), NOW + MINUTE + WINDOW)).ceremony
    assert ended.state is State.PROVISIONAL
    assert next_due(ended) is None


def test_a_window_that_nobody_looked_at_in_time_passed_all_the_same() -> None:
    assert types(two_joined(), Expire(), NOW + DAY) == ["provisional"]


def test_a_third_who_joins_does_not_move_the_window() -> None:
    chain = two_joined()
    ends = chain.ceremony.window_ends
    assert types(chain, joins(chain, "erin"), NOW + MINUTE) == ["decided"]
    assert after(chain, (joins(chain, "erin"), NOW + MINUTE)).ceremony.window_ends == ends


def test_who_steps_back_breaks_the_window_and_another_begins_anew() -> None:
    chain = two_joined()
    standing = chain.ceremony.decisions["alice"].digest
    back = joins(chain, "alice", Choice.ABSTENTION, replaces=standing)
    assert types(chain, back, NOW + MINUTE) == ["decided", "window-broken"]
    chain = after(chain, (back, NOW + MINUTE))
    assert chain.ceremony.window_ends is None
    chain = after(chain, (joins(chain, "erin"), NOW + MINUTE * 5))
    assert chain.ceremony.window_ends == NOW + MINUTE * 5 + WINDOW


def test_an_approval_that_ran_out_before_the_windows_end_does_not_carry_it() -> None:
    chain = open_emergency()
    brief = joins(chain, "alice", not_after=NOW + MINUTE * 5)
    chain = after(chain, (brief, NOW), (joins(chain, "carol"), NOW))
    assert types(chain, Expire(), NOW + WINDOW) == ["window-broken"]
    assert types(chain, Expire(), NOW + HOUR) == ["window-broken", "expired"]


def test_what_comes_at_the_windows_end_finds_it_passed() -> None:
    chain = two_joined()
    assert types(chain, vetoes(chain, "rita"), NOW + WINDOW) == ["provisional"]
    brief = joins(open_emergency(), "alice", not_after=NOW + MINUTE)
    broken = after(open_emergency(), (brief, NOW), (joins(chain, "carol"), NOW))
    assert types(broken, joins(broken, "erin"), NOW + WINDOW) == ["window-broken", "decided", "window-opened"]


def test_a_window_that_would_end_at_the_deadline_comes_too_late() -> None:
    chain = open_emergency()
    at = NOW + HOUR - WINDOW
    chain = after(chain, (joins(chain, "alice", at=at), at), (joins(chain, "carol", at=at), at))
    assert next_due(chain.ceremony) == NOW + HOUR
    assert types(chain, Expire(), NOW + HOUR) == ["expired"]


@pytest.mark.parametrize("signer", ["erin", "dan", "rita", "ci", "alice"])
def test_any_member_of_any_role_stops_it(signer: str) -> None:
    chain = two_joined()
    chain, entries = extend(chain, vetoes(chain, signer), at=NOW + MINUTE)
    assert [entry.type for entry in entries] == ["vetoed"]
    assert chain.ceremony.state is State.REJECTED


def test_a_veto_before_anybody_joined_stops_it_too() -> None:
    chain = open_emergency()
    assert types(chain, vetoes(chain, "erin"), NOW) == ["vetoed"]


@pytest.mark.parametrize("signer", ["alice", "carol", "bob"])
def test_a_rejection_ends_an_emergency_whoever_rejects(signer: str) -> None:
    chain = open_emergency()
    assert types(chain, joins(chain, signer, Choice.REJECTION), NOW) == ["decided", "rejected"]


def test_nobody_vetoes_the_same_release_twice() -> None:
    chain = open_emergency(request=emergency_request(people=3), vetoed_by=frozenset({"erin"}))
    with pytest.raises(errors.VetoNotAllowedError, match="not vetoed this release before"):
        extend(chain, vetoes(chain, "erin"), at=NOW)
    assert types(chain, vetoes(chain, "alice"), NOW) == ["vetoed"]


def test_a_rejection_is_a_veto_and_so_nobody_rejects_the_same_release_twice() -> None:
    chain = open_emergency()
    first = after(chain, (joins(chain, "carol", Choice.REJECTION), NOW))
    assert (first.ceremony.state, first.ceremony.stopped_by) == (State.REJECTED, "carol")
    chain = open_emergency(request=emergency_request(people=3), vetoed_by=frozenset({"carol"}))
    assert types(chain, joins(chain, "carol", Choice.REJECTION), NOW) == ["decided"]
    chain = after(chain, (joins(chain, "carol", Choice.REJECTION), NOW))
    for signer in ("alice", "bob", "erin"):
        chain = after(chain, (joins(chain, signer), NOW))
    assert chain.ceremony.window_ends == NOW + WINDOW
    dans = after(chain, (joins(chain, "dan", Choice.REJECTION), NOW))
    assert (dans.ceremony.state, dans.ceremony.stopped_by) == (State.REJECTED, "dan")


def test_whoever_vetoed_before_breaks_a_window_by_leaving_like_anybody() -> None:
    chain = open_emergency(request=emergency_request(people=3), vetoed_by=frozenset({"carol"}))
    for signer in ("alice", "erin", "carol"):
        chain = after(chain, (joins(chain, signer), NOW))
    standing = chain.ceremony.decisions["carol"].digest
    leaves = joins(chain, "carol", Choice.REJECTION, at=NOW + MINUTE, replaces=standing)
    assert types(chain, leaves, NOW + MINUTE) == ["decided", "window-broken"]


def test_a_deputy_without_a_role_of_their_own_does_not_veto() -> None:
    chain = open_emergency()
    with pytest.raises(errors.VetoNotAllowedError, match="member of any role"):
        extend(chain, vetoes(chain, "frank"), at=NOW)


def test_a_veto_after_the_end_is_refused() -> None:
    chain, _ = run_emergency("alice", "carol")
    with pytest.raises(errors.CeremonyEndedError):
        extend(chain, vetoes(chain, "erin", at=NOW + WINDOW), at=NOW + HOUR)


def test_an_ordinary_ceremony_has_no_veto_report_or_deliveries() -> None:
    chain, _ = BURNING.run()
    for command in (vetoes(chain, "erin"), reports(chain, "erin"), Deliver("alice", "mail", DIGEST)):
        with pytest.raises(errors.NoEmergencyError):
            extend(chain, command, at=NOW)


def test_an_emergency_needs_as_many_people_as_it_says() -> None:
    chain = open_emergency(request=emergency_request(people=3))
    chain = after(chain, (joins(chain, "alice"), NOW), (joins(chain, "carol"), NOW))
    assert chain.ceremony.window_ends is None
    assert types(chain, joins(chain, "erin"), NOW) == ["decided", "window-opened"]


def test_people_beyond_the_roles_are_awaited_among_all_who_can_join() -> None:
    chain = open_emergency(request=emergency_request(people=4))
    assert (more_people(chain.ceremony, at=NOW), joined(chain.ceremony, at=NOW)) == (2, frozenset())
    assert awaited(chain.ceremony, at=NOW) == ("alice", "bob", "carol", "dan", "erin")
    for missing, signer in ((2, "alice"), (2, "carol"), (1, "bob"), (0, "erin")):
        chain = extend(chain, joins(chain, signer), at=NOW)[0]
        assert more_people(chain.ceremony, at=NOW) == missing
    assert joined(chain.ceremony, at=NOW) == {"alice", "bob", "carol", "erin"}
    assert awaited(chain.ceremony, at=NOW) == ()


def test_an_ordinary_ceremony_needs_its_roles_and_nobody_more() -> None:
    chain = BURNING.run()[0]
    assert more_people(chain.ceremony, at=NOW) == 0
    assert awaited(chain.ceremony, at=NOW) == chain.ceremony.tally(at=NOW).awaited


def test_whoever_asked_does_not_join() -> None:
    chain = open_emergency(request=emergency_request(requester="rita"))
    with pytest.raises(errors.RequesterDecidesError):
        extend(chain, joins(chain, "rita", roles=("engineering",)), at=NOW)


def test_the_checks_of_an_ordinary_release_may_be_skipped_and_those_of_an_emergency_not() -> None:
    strict = changed(BURNING, checks=frozenset({"built-from-source"}))
    chain = open_emergency(strict)
    assert types(chain, joins(chain, "alice", acme=strict), NOW) == ["decided"]
    assert strict.emergency is not None
    stricter = changed(strict, emergency=replace(strict.emergency, checks=frozenset({"tested"})))
    chain = open_emergency(stricter)
    with pytest.raises(errors.CheckNotPassedError, match="tested"):
        extend(chain, joins(chain, "alice", acme=stricter), at=NOW)


FLOOR: dict[str, tuple[dict[str, str], bool]] = {
    "nobody": ({}, False),
    "one person": ({"alice": "security"}, False),
    "two of one role": ({"alice": "security", "bob": "security"}, False),
    "two without a guardian": ({"alice": "engineering", "bob": "release"}, False),
    "two roles, one a guardian": ({"alice": "engineering", "bob": "security"}, True),
}


@pytest.mark.parametrize(("seats", "met"), FLOOR.values(), ids=FLOOR)
def test_the_floor_is_two_people_two_roles_and_a_guardian(seats: dict[str, str], met: bool) -> None:
    assert floor_met(seats, {"security"}) is met


def test_a_policy_below_the_floor_that_somehow_got_built_still_opens_no_window() -> None:
    """The floor stands where windows open, not only where policies are built."""
    chain = two_joined()
    without_guardians = replace(
        chain.ceremony.policy,
        roles={name: replace(role, guardian=True) for name, role in chain.ceremony.policy.roles.items()},
    )
    for role in without_guardians.roles.values():
        object.__setattr__(role, "guardian", False)
    chain = replace(chain, ceremony=replace(chain.ceremony, policy=without_guardians, window_ends=None))
    assert types(chain, joins(chain, "erin"), NOW) == ["decided"]


REPORTERS = [("erin", True), ("alice", False), ("mallory", False)]


@pytest.mark.parametrize(("signer", "may"), REPORTERS)
def test_who_took_no_part_reports(signer: str, may: bool) -> None:
    chain, _ = run_emergency("alice", "carol")
    report = reports(chain, signer)
    if not may:
        with pytest.raises(errors.ReportNotAllowedError):
            extend(chain, report, at=NOW + HOUR)
        return
    chain, entries = extend(chain, report, at=NOW + HOUR)
    assert [entry.type for entry in entries] == ["reported"]
    assert extend(chain, report, at=NOW + HOUR)[1] == ()


def test_nothing_is_reported_on_what_came_to_nothing() -> None:
    chain = after(two_joined(), (joins(two_joined(), "bob", Choice.REJECTION), NOW))
    with pytest.raises(errors.IllegalTransitionError):
        extend(chain, reports(chain, "erin"), at=NOW)


def test_a_report_names_an_entry_of_this_ceremony() -> None:
    chain, _ = run_emergency("alice", "carol")
    other = replace(chain, hashes=(DIGEST,))
    with pytest.raises(errors.EntryNotSeenError):
        extend(chain, reports(other, "erin"), at=NOW + HOUR)


@pytest.mark.parametrize("ended", [False, True])
def test_deliveries_are_entries_each_once(ended: bool) -> None:
    chain = run_emergency("alice", "carol")[0] if ended else open_emergency()
    told = Deliver("alice", "mail", DIGEST)
    chain, entries = extend(chain, told, at=NOW + DAY if ended else NOW)
    assert [entry.type for entry in entries] == ["delivered"]
    assert extend(chain, told, at=NOW + DAY if ended else NOW)[1] == ()
    assert types(chain, Deliver("alice", "hook", DIGEST), NOW + DAY if ended else NOW) == ["delivered"]


def test_an_emergency_may_be_extended_as_any_ceremony() -> None:
    chain = open_emergency()
    chain = after(chain, (extends(chain, "rita", NOW + HOUR * 2), NOW))
    assert next_due(chain.ceremony) == NOW + HOUR * 2


OPENINGS: dict[str, tuple[dict[str, object], type[Refusal]]] = {
    "a reason that is not listed": ({"reason": "impatience"}, request_errors.EmergencyError),
    "a deadline within the window": ({"deadline": WINDOW}, request_errors.EmergencyTimesError),
    "a bundle that lives too long": (
        {"provisional": timedelta(hours=73)},
        request_errors.EmergencyTimesError,
    ),
    "a bundle that dies before the hard stop": ({"provisional": HOUR}, request_errors.EmergencyTimesError),
    "a ratification too late": ({"ratify": timedelta(hours=73)}, request_errors.EmergencyTimesError),
}


@pytest.mark.parametrize(("given", "refusal"), OPENINGS.values(), ids=OPENINGS)
def test_an_emergency_that_does_not_fit_its_rule_is_refused(
    given: dict[str, object], refusal: type[Refusal]
) -> None:
    request = emergency_request(**given)  # type: ignore[arg-type] # by the table
    with pytest.raises(refusal):
        open_ceremony(BURNING.policy.policy, BURNING.sign_request(request), at=NOW)


def test_an_emergency_of_fewer_people_than_its_quorum_is_refused() -> None:
    assert BURNING.emergency is not None
    three = (*BURNING.emergency.quorum, replace(BURNING.emergency.quorum[0], role="release"))
    acme = changed(BURNING, emergency=replace(BURNING.emergency, quorum=three))
    with pytest.raises(request_errors.EmergencyError, match="3 people"):
        open_ceremony(acme.policy.policy, acme.sign_request(emergency_request(acme)), at=NOW)


def test_a_rule_without_break_glass_has_no_emergencies() -> None:
    acme = Organisation()
    with pytest.raises(request_errors.EmergencyError, match="which has none"):
        open_ceremony(acme.policy.policy, acme.sign_request(emergency_request(acme)), at=NOW)


def test_an_emergency_that_nobody_is_left_for_is_refused() -> None:
    roles = {**BURNING.roles, "security": ("mallory", "bob"), "engineering": ("mallory", "bob")}
    acme = changed(BURNING, roles=roles, quorum={"release": 1})
    with pytest.raises(request_errors.QuorumUnreachableError):
        open_ceremony(acme.policy.policy, acme.sign_request(emergency_request(acme)), at=NOW)


def test_an_emergency_replays_entry_by_entry() -> None:
    chain, entries = run_emergency("alice", "carol")
    for command in (Deliver("alice", "mail", DIGEST), reports(chain, "erin")):
        chain, more = extend(chain, command, at=NOW + HOUR)
        entries += more
    assert replay_chain([entry.payload for entry in entries], BURNING.policy) == chain


def test_a_vetoed_emergency_replays_and_names_who_vetoed_before() -> None:
    signed = BURNING.sign_request(emergency_request(people=3))
    chain, opening = open_chain(BURNING.policy, signed, at=NOW, vetoed_by=frozenset({"erin"}))
    chain, more = extend(chain, vetoes(chain, "bob"), at=NOW)
    again = replay_chain([entry.payload for entry in (opening, *more)], BURNING.policy)
    assert again == chain
    assert again.ceremony.vetoed_by == {"erin"}

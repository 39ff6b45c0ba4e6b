# SPDX-License-Identifier: Apache-2.0
"""Who counts in an emergency, who reports on it, and what the loss of somebody's veto costs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.budget import CEREMONY_BYTES
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Begin, Expire, Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from tests.burning import (
    BREAK_GLASS,
    BURNING,
    HOUR,
    MINUTE,
    WINDOW,
    delegation,
    emergency_request,
    joins,
    open_emergency,
    reports,
    run_emergency,
)
from tests.organisation import NOW, Organisation, changed

SCANNED = changed(BURNING, roles={**BURNING.roles, "security": ("carol", "dan", "ci")})
"""A machine has a seat among the guardians: in regular ceremonies it counts like anybody there."""


def test_a_machine_joins_no_emergency() -> None:
    chain = open_emergency(SCANNED)
    for choice in Choice:
        with pytest.raises(errors.NotAMemberError, match="the machine ci"):
            extend(chain, joins(chain, "ci", choice, acme=SCANNED), at=NOW)


def test_the_same_machine_counts_in_a_regular_ceremony() -> None:
    chain, _ = SCANNED.run("alice", "bob", "ci", "rita")
    assert chain.ceremony.state is State.APPROVED


def test_a_machine_is_not_among_those_who_are_awaited() -> None:
    chain = open_emergency(SCANNED)
    assert all("ci" not in need.members for need in chain.ceremony.needs)
    assert any("carol" in need.members for need in chain.ceremony.needs)


def test_a_policy_whose_only_guardian_is_a_machine_cannot_be_built() -> None:
    alone = changed(BURNING, roles={**BURNING.roles, "security": ("ci",)}, deputies={})
    with pytest.raises(errors.PolicyUnsatisfiableError, match=r"break_glass: security .*nobody can count"):
        alone.build_policy()


@pytest.mark.parametrize(("people", "enough"), [(6, True), (7, False)])
def test_an_emergency_asks_for_no_more_people_than_could_join(people: int, enough: bool) -> None:
    acme = changed(BURNING, roles={**BURNING.roles, "security": ("bob", "carol", "dan", "ci", "gina")})
    if enough:
        assert open_emergency(acme, emergency_request(acme, people=people)).ceremony.state is State.OPEN
        return
    with pytest.raises(request_errors.QuorumUnreachableError, match="needs 7 people, but only alice, bob"):
        open_emergency(acme, emergency_request(acme, people=people))


def test_whoever_takes_a_veto_away_pays_with_a_third_person() -> None:
    """A verifier has only the opening to look at; that it names who vetoed is the coordinator's word."""
    with pytest.raises(request_errors.EmergencyPeopleError, match="got one of 2"):
        open_emergency(vetoed_by=frozenset({"erin"}))
    regular = BURNING.sign_request()
    with pytest.raises(request_errors.EmergencyPeopleError, match="got a regular ceremony"):
        open_chain(BURNING.policy, regular, at=NOW, vetoed_by=frozenset({"erin"}))
    three = open_emergency(request=emergency_request(people=3), vetoed_by=frozenset({"erin"}))
    assert three.ceremony.vetoed_by == {"erin"}


def reported(chain: Chain, signer: str, acme: Organisation = BURNING) -> str:
    """Return what a report by somebody comes to."""
    try:
        return str(extend(chain, reports(chain, signer, acme=acme), at=NOW + HOUR)[1][0].type)
    except errors.CeremonyError as refusal:
        return refusal.code


def test_whoever_somebody_stood_in_for_took_part() -> None:
    chain = open_emergency()
    given = BURNING.sign(delegation("alice", "engineering", "frank"))
    chain, _ = extend(chain, Begin(given), at=NOW)
    franks = BURNING.decision("frank", chain.ceremony.request, roles=("engineering",))
    chain, _ = extend(chain, Record(BURNING.sign_decision(replace(franks, delegation=given.digest))), at=NOW)
    chain, _ = extend(chain, joins(chain, "carol"), at=NOW)
    chain, _ = extend(chain, Expire(), at=NOW + WINDOW)
    assert chain.ceremony.state is State.PROVISIONAL
    told = {signer: reported(chain, signer) for signer in ("alice", "frank", "carol", "mallory", "erin")}
    assert told.pop("erin") == "reported"
    assert set(told.values()) == {"report.signer"}


def test_a_machine_does_not_report() -> None:
    assert reported(run_emergency("alice", "carol")[0], "ci") == "report.signer"


@pytest.mark.parametrize(
    ("ahead", "refused"), [(MINUTE * 2, False), (MINUTE * 2 + timedelta(milliseconds=1), True)]
)
def test_a_report_is_signed_by_now(ahead: timedelta, refused: bool) -> None:
    chain, _ = run_emergency("alice", "carol")
    report = reports(chain, "erin", at=NOW + HOUR + ahead)
    if refused:
        with pytest.raises(errors.SignedInFutureError):
            extend(chain, report, at=NOW + HOUR)
        return
    assert extend(chain, report, at=NOW + HOUR)[0].ceremony.reports


def test_reports_take_room_like_everything_that_people_sign() -> None:
    chain, _ = run_emergency("alice", "carol")
    longer, _ = extend(chain, reports(chain, "erin"), at=NOW + HOUR)
    assert longer.ceremony.size > chain.ceremony.size
    full = replace(chain, ceremony=replace(chain.ceremony, size=CEREMONY_BYTES))
    assert reported(full, "erin") == "ceremony.full"


def test_who_was_seated_is_counted_at_the_windows_end_however_late_it_is_logged() -> None:
    assert BREAK_GLASS.veto_window == WINDOW
    chain = open_emergency()
    brief = joins(chain, "alice", not_after=NOW + HOUR)
    for command in (brief, joins(chain, "carol")):
        chain, _ = extend(chain, command, at=NOW)
    late, _ = extend(chain, Expire(), at=NOW + HOUR * 3)
    assert late.ceremony.counted_at == NOW + WINDOW
    assert late.ceremony.ended_at == NOW + HOUR * 3
    counted = late.ceremony.counted_at
    assert late.ceremony.tally(at=counted).seats == {"engineering": ("alice",), "security": ("carol",)}

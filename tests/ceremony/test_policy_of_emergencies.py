# SPDX-License-Identifier: Apache-2.0
"""What a policy says about waiting and emergencies, from its source to its signed form and back."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.policy import Kind, Policy
from quorumseal.ceremony.policy_document import read_policy, write_policy
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.quorum import Threshold
from quorumseal.refusal import Refusal
from tests.burning import BREAK_GLASS, BURNING
from tests.ceremony.test_policy_source import SOURCE
from tests.forging import edited, verdict
from tests.organisation import Organisation, changed

POLICY = BURNING.build_policy()
STAGES = (frozenset({"engineering"}), frozenset({"security", "release"}))
HOLIDAYS = frozenset({date(2026, 12, 25), date(2027, 1, 1)})
CALENDAR = Calendar(
    zone="Europe/Lisbon", days=frozenset({"monday", "friday"}), opens=time(8), holidays=HOLIDAYS
)


def full() -> Policy:
    policy = changed(BURNING, stages=STAGES, drill=True).build_policy()
    engineering = replace(policy.roles["engineering"], lead="alice", window=timedelta(hours=8))
    return replace(policy, calendar=CALENDAR, roles={**policy.roles, "engineering": engineering})


def test_a_policy_with_everything_makes_the_round_trip() -> None:
    assert read_policy(write_policy(full())) == full()


MORE = """
[calendar]
zone = "Europe/Lisbon"
days = ["monday", "friday"]
opens = "08:00"
holidays = [2026-12-25, 2027-01-01]

[roles.engineering]
members = ["alice", "bob", "erin"]
deputies = ["rita"]
lead = "alice"
window = "8h"

[roles.security]
members = ["bob", "carol", "dan"]
guardian = true

[rules.standard.break_glass]
reasons = ["outage"]
checks = ["tested"]
veto_window = "15m"

[rules.standard.break_glass.quorum]
engineering = 1
security = 1
"""


def compiled(more: str = MORE, **replaced: str) -> Policy:
    source = SOURCE.replace('engineering = ["alice", "bob", "erin"]\n', "", 1).replace(
        'security = ["bob", "carol", "dan"]\n', "", 1
    )
    source = source.replace(
        'longest = "1w"',
        'longest = "1w"\nstages = [["engineering"], ["security", "release"]]\nextend = ["release"]',
        1,
    )
    source = source.replace("authorities = []", "authorities = []\ndrill = true", 1)
    for old, new in replaced.items():
        more = more.replace(old, new)
    return compile_policy(source + more)


def test_a_source_says_all_of_it() -> None:
    policy = compiled()
    rule = policy.rules["standard"]
    assert policy.drill
    assert policy.calendar == replace(CALENDAR, closes=time(17))
    assert rule.stages == STAGES
    assert rule.extenders == {"release"}
    engineering = policy.roles["engineering"]
    assert engineering.deputies == {"rita"}
    assert engineering.lead == "alice"
    assert engineering.window == timedelta(hours=8)
    assert policy.guardians == {"security"}
    assert rule.emergency == BreakGlass(
        quorum=(Threshold(role="engineering", count=1), Threshold(role="security", count=1)),
        reasons=frozenset({"outage"}),
        checks=frozenset({"tested"}),
        veto_window=timedelta(minutes=15),
        provisional=timedelta(hours=72),
        ratify=timedelta(hours=72),
        report=timedelta(days=7),
    )
    assert read_policy(write_policy(policy)) == policy


def test_a_calendar_may_say_nothing() -> None:
    assert compiled("[calendar]\n" + MORE[MORE.index("[roles.engineering]") :]).calendar == Calendar()


def test_a_revocation_may_have_a_rule_of_its_own_and_others_have_that_of_a_release() -> None:
    standard = POLICY.rules["standard"]
    strict = replace(standard, name="strict")
    products = {"widget": {Kind.RELEASE: "standard", Kind.REVOCATION: "strict"}}
    policy = replace(POLICY, rules={"standard": standard, "strict": strict}, products=products)
    assert [policy.rule_for("widget", kind).name for kind in Kind] == [
        "standard",
        "strict",
        "standard",
        "governance",
        "governance",
        "standard",
    ]
    for kind in (Kind.RATIFICATION, Kind.RE_APPROVAL):
        with pytest.raises(errors.PolicyError, match=f"got one for {kind}"):
            replace(policy, products={"widget": {**products["widget"], kind: "strict"}})


def test_a_source_may_name_the_rule_of_revocations() -> None:
    policy = compiled(MORE + '\n[products.gadget]\nrelease = "standard"\nrelease-revocation = "standard"\n')
    assert policy.products["gadget"][Kind.REVOCATION] == "standard"


def broken(**fields: object) -> Policy:
    return changed(BURNING, emergency=replace(BREAK_GLASS, **fields)).build_policy()  # type: ignore[arg-type] # by the table


ONE = (Threshold(role="security", count=1),)
ONE_ROLE = (Threshold(role="security", count=2),)
NO_GUARDIAN = (Threshold(role="engineering", count=1), Threshold(role="release", count=1))
FLOOR: dict[str, tuple[dict[str, object], str]] = {
    "one person": ({"quorum": ONE}, "at least 2 people from 2 roles, got 1 from 1"),
    "two of one role": ({"quorum": ONE_ROLE}, "at least 2 people from 2 roles, got 2 from 1"),
    "nobody": ({"quorum": ()}, "at least one role"),
    "no guardian": ({"quorum": NO_GUARDIAN}, "at least one guardian role"),
    "no reasons": ({"reasons": frozenset()}, "at least one reason"),
    "no window": ({"veto_window": timedelta()}, "veto window"),
    "a window of two days": ({"veto_window": timedelta(days=2)}, "veto window"),
    "a bundle for ever": ({"provisional": timedelta(days=15)}, "break_glass.provisional"),
    "a ratification at once": ({"ratify": timedelta()}, "break_glass.ratify"),
    "a report next year": ({"report": timedelta(days=365)}, "break_glass.report"),
}


@pytest.mark.parametrize(("fields", "says"), FLOOR.values(), ids=FLOOR)
def test_no_policy_lowers_the_floor(fields: dict[str, object], says: str) -> None:
    with pytest.raises(errors.PolicyError, match=says):
        broken(**fields)


def test_without_guardians_there_is_no_break_glass() -> None:
    with pytest.raises(errors.PolicyError, match="guardian"):
        changed(BURNING, guardians=frozenset()).build_policy()


ROLES: dict[str, tuple[dict[str, object], str]] = {
    "a deputy whom nobody knows": ({"deputies": frozenset({"zoe"})}, "deputies of the roster, got 'zoe'"),
    "a member as deputy": ({"deputies": frozenset({"bob"})}, "not members, got 'bob'"),
    "a lead from elsewhere": ({"lead": "carol"}, "as its lead, got 'carol'"),
    "a window of nothing": ({"window": timedelta()}, "window of more than 0"),
}


@pytest.mark.parametrize(("fields", "says"), ROLES.values(), ids=ROLES)
def test_a_role_that_contradicts_itself_cannot_be_built(fields: dict[str, object], says: str) -> None:
    role = replace(POLICY.roles["engineering"], **fields)  # type: ignore[arg-type] # by the table
    with pytest.raises(errors.PolicyError, match=says):
        replace(POLICY, roles={**POLICY.roles, "engineering": role})


def test_who_extends_is_a_role() -> None:
    with pytest.raises(errors.PolicyError, match="as extenders, got 'nobody'"):
        changed(Organisation(), extenders=frozenset({"nobody"})).build_policy()


CALENDARS: dict[str, tuple[tuple[str, ...], object, str]] = {
    "a zone that is none": (("zone",), "../etc", "policy.calendar"),
    "a day that is none": (("days",), ["caturday"], "policy.calendar"),
    "an hour that is none": (("opens",), "9am", "value.format"),
    "an hour with seconds": (("closes",), "17:00:00", "value.format"),
    "a date that is none": (("holidays",), ["2026-02-30"], "value.format"),
    "a date without dashes": (("holidays",), ["20261225"], "value.format"),
}


@pytest.mark.parametrize(("path", "value", "code"), CALENDARS.values(), ids=CALENDARS)
def test_a_calendar_is_written_in_one_way(path: tuple[str, ...], value: object, code: str) -> None:
    payload = edited(write_policy(full()), ("predicate", "calendar", *path), value)  # type: ignore[arg-type] # JSON
    assert verdict(lambda: read_policy(payload)) == code


@pytest.mark.parametrize(
    ("old", "new"),
    [('"08:00"', '"8"'), ('window = "8h"', 'window = "soon"'), ("guardian = true", "guardian = 1")],
)
def test_a_source_that_is_mistaken_is_refused(old: str, new: str) -> None:
    with pytest.raises(Refusal):
        compiled(MORE.replace(old, new))

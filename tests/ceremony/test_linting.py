# SPDX-License-Identifier: Apache-2.0
"""What a policy is short of, and what it is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.linting import Level, lint
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.quorum_standings import askers, standings
from tests.burning import BURNING
from tests.organisation import NOW, ROLES, Organisation

DAY = timedelta(days=1)
ROOMY = {
    "engineering": ("alice", "bob", "erin", "gil"),
    "security": ("carol", "dan", "hana"),
    "release": ("ines", "jo", "rita"),
    "managers": ("mallory", "rita"),
}
QUIET = Organisation(
    roles=ROOMY, quorum={"engineering": 2, "security": 1, "release": 1}, machines=frozenset()
)


def said(policy: Policy, level: Level | None = None) -> list[tuple[str, str]]:
    return [(f.where, f.says) for f in lint(policy, at=NOW) if level in (None, f.level)]


def test_a_policy_with_room_has_nothing_to_say_but_that_it_has_no_emergency() -> None:
    findings = lint(QUIET.build_policy(), at=NOW)
    assert [(f.level, f.where) for f in findings] == [(Level.NOTE, "rule standard")]
    assert "break_glass" in findings[0].says


def test_whoever_asks_and_can_never_get_an_answer_is_a_problem() -> None:
    roles = {**ROOMY, "release": ("rita",)}
    (problem,) = said(replace(QUIET, roles=roles).build_policy(), Level.PROBLEM)
    assert problem == (
        "rule standard",
        "when rita asks, release (1) needs 1 person, but nobody can count there",
    )


def test_an_absence_that_stops_everything_is_a_warning() -> None:
    roles = {**ROOMY, "security": ("carol",), "managers": ("mallory",)}
    findings = said(replace(QUIET, roles=roles).build_policy())
    assert ("standard", "when mallory asks, carol is indispensable: security has 1 seat for 1") in findings
    assert ("role security", "lists no deputies, and nobody in it may be away") in findings
    listed = replace(QUIET, roles=roles, deputies={"security": ("dan",)})
    assert not [where for where, _ in said(listed.build_policy()) if where == "role security"]


def test_roles_that_share_people_are_tight_together() -> None:
    roles = {
        **ROOMY,
        "engineering": ("alice", "bob"),
        "release": ("alice", "bob", "rita"),
        "security": ("rita", "bob"),
    }
    roles["managers"] = ("mallory",)
    tight = standings(
        replace(QUIET, roles=roles, quorum={"engineering": 1, "release": 1, "security": 1}).build_policy()
    )
    assert tight[0].bears.tightest.roles == ("engineering", "release", "security")
    assert tight[0].bears.indispensable == {"alice", "bob", "rita"}


def test_each_quorum_stands_for_itself() -> None:
    burning = BURNING.build_policy()
    assert not [where for where, says in said(burning) if "break_glass" in says]
    names = [standing.name for standing in standings(burning)]
    assert names == ["standard", "standard, break-glass", "governance"]


def test_a_machine_asks_with_somebody_behind_it_who_does_not_count_either() -> None:
    policy = Organisation().build_policy()
    rule = policy.rules["standard"]
    asking = askers(policy, rule)
    assert frozenset({"ci", "alice"}) in asking
    assert frozenset({"rita"}) in asking
    assert frozenset({"ci"}) not in asking


ROWS = [
    ("an end that is near", {"expires": NOW + 59 * DAY}, Level.WARNING, ("policy", "expires 2027-01-18")),
    ("an end that is past", {"expires": NOW - DAY}, Level.PROBLEM, ("policy", "expires 2026-11-19")),
]


@pytest.mark.parametrize(("_", "fields", "level", "finding"), ROWS, ids=[row[0] for row in ROWS])
def test_what_runs_out_is_said(
    _: str, fields: dict[str, object], level: Level, finding: tuple[str, str]
) -> None:
    assert finding in said(replace(QUIET.build_policy(), **fields), level)  # type: ignore[arg-type] # the row's own


@pytest.mark.parametrize(("days", "level"), [(61, None), (60, Level.WARNING), (0, Level.PROBLEM)])
def test_a_signer_whose_last_key_runs_out_is_named(days: int, level: Level | None) -> None:
    policy = replace(QUIET, valid_until={"carol": NOW + days * DAY}).build_policy()
    found = [f.level for f in lint(policy, at=NOW) if f.where == "signer carol"]
    assert found == ([level] if level else [])


def test_a_calendar_that_has_run_out_is_noted() -> None:
    old = Calendar(holidays=frozenset({(NOW - DAY).date()}))
    policy = replace(QUIET.build_policy(), calendar=old)
    assert ("calendar", "lists no holiday after 2026-11-19") in said(policy, Level.NOTE)
    assert "calendar" not in dict(said(replace(policy, calendar=Calendar(holidays=frozenset({NOW.date()})))))


def test_what_is_used_by_nothing_is_noted() -> None:
    policy = replace(QUIET, roles={**ROOMY, "friends": ("zoe",)}).build_policy()
    spare = replace(policy.rules["standard"], name="spare")
    policy = replace(policy, rules={**policy.rules, "spare": spare})
    assert ("rule spare", "is the rule of no product") in said(policy, Level.NOTE)
    assert ("role friends", "is asked for by no rule") in said(policy, Level.NOTE)
    zoe = policy.signers["zoe"]
    roles = {name: role for name, role in policy.roles.items() if name != "friends"}
    assert ("signer zoe", "is in no role") in said(
        replace(policy, roles=roles, signers={**policy.signers, "zoe": zoe})
    )


def test_a_machine_in_a_quorum_is_noted() -> None:
    roles = {**ROLES, "engineering": ("alice", "bob", "erin", "ci")}
    policy = replace(Organisation(), roles=roles).build_policy()
    assert ("role engineering", "counts the machine ci like a person") in said(policy, Level.NOTE)


def test_what_matters_most_comes_first() -> None:
    policy = replace(QUIET, roles={**ROOMY, "release": ("rita",)}).build_policy()
    levels = [finding.level for finding in lint(policy, at=NOW)]
    assert levels == sorted(levels, key=list(Level).index)
    assert levels[0] is Level.PROBLEM
    assert all(finding.hint for finding in lint(policy, at=NOW))


def test_those_who_never_get_an_answer_for_one_reason_are_named_together() -> None:
    machines = tuple(f"bot{number}" for number in range(8))
    roles = {**ROOMY, "release": ("rita",), "managers": machines}
    policy = replace(QUIET, roles=roles, machines=frozenset(machines)).build_policy()
    (problem,) = [says for where, says in said(policy, Level.PROBLEM) if where == "rule standard"]
    assert problem == (
        "when bot0 and rita asks, release (1) needs 1 person, but nobody can count there; the same when "
        "bot1 and rita, bot2 and rita, bot3 and rita, bot4 and rita, bot5 and rita or one of 2 more asks"
    )
    two = replace(QUIET, roles={**roles, "managers": machines[:2]}, machines=frozenset(machines[:2]))
    assert said(two.build_policy(), Level.PROBLEM)[0][1].endswith("the same when bot1 and rita asks")

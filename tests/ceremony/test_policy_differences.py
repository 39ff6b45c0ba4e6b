# SPDX-License-Identifier: Apache-2.0
"""What differs between two policies is said whole, and what permits more than before is always marked."""

from dataclasses import dataclass, fields, replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.policy import Kind, Log, LogKey, Policy, Role, Rule, Signer, SignerKey, SignerKind
from quorumseal.ceremony.policy_differences import differences
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import WorkingTime
from quorumseal.signatures import Authority
from quorumseal.tlog import Witness
from tests.burning import BREAK_GLASS, BURNING, DAY, MINUTE
from tests.organisation import NOW, key_of

HERE = replace(
    BURNING,
    checks=frozenset({"artifacts"}),
    leads={"engineering": "alice"},
    windows={"engineering": DAY},
    outside=(Witness("witness.example/w1", key_of("outside").public),),
)
OLD = HERE.build_policy()
NEW_KEY = SignerKey(key=key_of("another").public, valid_from=NOW, valid_until=NOW + DAY)
ALICE, RULE, ROLES = OLD.signers["alice"], OLD.rules["standard"], OLD.roles
A_KEY = ALICE.keys[0]
ROOT = "sha256:" + "ab" * 32
NEXT_KEY = LogKey(key=NEW_KEY.key, from_size=9, from_root=ROOT)
GIL = Signer(name="gil", kind=SignerKind.PERSON, keys=(NEW_KEY,))
STAGES = (frozenset({"engineering"}), frozenset({"security", "release"}))
HOURS = {"opens": time(8), "closes": time(16), "zone": "Europe/Lisbon"}


def of(**counts: int) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=role, count=count) for role, count in counts.items())


def rule(**changed: Any) -> Policy:
    return replace(OLD, rules={"standard": replace(RULE, **changed)})


def glass(**changed: Any) -> Policy:
    return rule(emergency=replace(BREAK_GLASS, **changed))


def role(name: str, **changed: Any) -> Policy:
    return replace(OLD, roles={**ROLES, name: replace(ROLES[name], **changed)})


def alice(**changed: Any) -> Policy:
    return replace(OLD, signers={**OLD.signers, "alice": replace(ALICE, **changed)})


def a_key(**changed: Any) -> Policy:
    return alice(keys=(replace(A_KEY, **changed),))


def calendar(**changed: Any) -> Policy:
    return replace(OLD, calendar=replace(OLD.calendar, **changed))


def log(**changed: Any) -> Policy:
    return replace(OLD, log=replace(OLD.log, **changed))


@dataclass(frozen=True)
class Row:
    """A field, a policy that has it otherwise, and what is said of the change and of its undoing."""

    of: type
    field: str
    new: Policy
    there: str
    back: str
    marked: str
    """Which of the two weakens: ``there``, ``back``, ``both`` or nothing."""


FOUND = [
    Row(Policy, "organisation", replace(OLD, organisation="b"), "is b, was acme.example", "", "both"),
    Row(
        Policy, "expires", replace(OLD, expires=NOW), "expires 2026-11-20T14", "would have 2026-11-20T14", ""
    ),
    Row(
        Policy,
        "clock_skew",
        replace(OLD, clock_skew=3 * MINUTE),
        "clock skew is 3m, was 2m",
        "is 2m, was 3m",
        "there",
    ),
    Row(Policy, "drill", replace(OLD, drill=True), "is an exercise now", "is no exercise", "both"),
    Row(
        Policy,
        "signers",
        replace(OLD, signers={**OLD.signers, "gil": GIL}),
        "signer gil: is new, a person; ed25519 ",
        "signer gil: leaves the roster",
        "",
    ),
    Row(
        Policy,
        "roles",
        replace(OLD, roles={**ROLES, "qa": Role(name="qa", members=frozenset({"bob"}), guardian=True)}),
        "role qa: is new, a guardian: bob",
        "role qa: is removed",
        "",
    ),
    Row(
        Policy,
        "rules",
        replace(OLD, rules={**OLD.rules, "lax": replace(RULE, name="lax")}),
        "rule lax: is new: 2 of engineering and 1 of security and 1 of release, requested by managers",
        "rule lax: is removed",
        "",
    ),
    Row(
        Policy,
        "products",
        replace(OLD, products={**OLD.products, "gizmo": OLD.products["widget"]}),
        "product gizmo: is new, under rule standard",
        "product gizmo: is removed",
        "",
    ),
    Row(
        Policy,
        "governance",
        replace(OLD, governance=of(engineering=2, security=1)),
        "governance: needs 2 of engineering, where it needed 1",
        "",
        "back",
    ),
    Row(Policy, "log", log(origin="elsewhere"), "log: is elsewhere", "was elsewhere", "both"),
    Row(Policy, "authorities", replace(OLD, authorities=("x",)), "by x, too", "by x no more", "there"),
    Row(
        Policy, "calendar", calendar(**HOURS), "08:00 to 16:00 Europe/Lisbon, was 09:00 to 17:00 UTC", "", ""
    ),
    Row(
        Policy,
        "timestamping",
        replace(OLD, timestamping=(Authority("clock", b""),)),
        "timestamping: takes the word of clock (sha256:e3b0c44",
        "takes the word of clock (sha256:e3b0c44",
        "there",
    ),
    Row(Signer, "kind", alice(kind=SignerKind.MACHINE), "is a machine, was a person", "", "both"),
    Row(
        Signer,
        "witness",
        alice(witness=key_of("witness").public),
        "alice: vouches for the log by ed25519 sha256:",
        "alice: vouches for the log by none any more",
        "",
    ),
    Row(Signer, "keys", alice(keys=(A_KEY, NEW_KEY)), "alice: gets a key: ed25519", "loses a key", "there"),
    Row(SignerKey, "key", a_key(key=NEW_KEY.key), "gets a key: ed25519", "gets a key", "both"),
    Row(SignerKey, "valid_from", a_key(valid_from=NOW), "another time for a key", "2026-11-20T14", "back"),
    Row(SignerKey, "valid_until", a_key(valid_until=NOW), "another time for a key", "2026-11-20T14", "back"),
    Row(
        Role,
        "members",
        role("release", members=frozenset({"dan", "rita", "erin"})),
        "role release: erin may count",
        "role release: erin may count no more",
        "there",
    ),
    Row(
        Role,
        "deputies",
        role("release", deputies=frozenset({"bob"})),
        "bob may stand in for a member",
        "bob may stand in no more",
        "there",
    ),
    Row(Role, "guardian", role("release", guardian=True), "is a guardian now", "guardian no more", "both"),
    Row(
        Role,
        "lead",
        role("engineering", lead=None),
        "is led by nobody, was by alice",
        "is led by alice, was by nobody",
        "",
    ),
    Row(Role, "window", role("engineering", window=None), "is none, was 1d", "is 1d, was none", ""),
    Row(Role, "window", role("engineering", window=2 * DAY), "is 2d, was 1d", "is 1d, was 2d", ""),
    Row(
        Rule,
        "quorum",
        rule(quorum=of(engineering=2, security=1), veto=frozenset({"engineering", "security"})),
        "needs nobody of release any more, where it needed 1",
        "needs 1 of release as well",
        "there",
    ),
    Row(
        Rule,
        "quorum",
        rule(quorum=of(release=1, security=1, engineering=2)),
        "fills its roles in another order: release, security, engineering",
        "in another order: engineering, security, release",
        "",
    ),
    Row(
        Rule,
        "requesters",
        rule(requesters=frozenset({"managers", "release"})),
        "lets members of release request, too",
        "lets members of release request no more",
        "there",
    ),
    Row(
        Rule,
        "veto",
        rule(veto=frozenset({"engineering", "security"})),
        "takes the veto from release",
        "gives release the veto",
        "there",
    ),
    Row(
        Rule,
        "checks",
        rule(checks=frozenset()),
        "asks for the checks artifacts no more",
        "asks every approval for the checks artifacts",
        "there",
    ),
    Row(Rule, "deadline", rule(deadline=2 * DAY), "usual deadline is 2d, was 3d", "is 3d, was 2d", ""),
    Row(
        Rule,
        "deadline",
        rule(deadline=WorkingTime(count=3, in_days=True)),
        "is 3bd, was 3d",
        "is 3d, was 3bd",
        "",
    ),
    Row(Rule, "longest", rule(longest=8 * DAY), "longest time is 1w1d, was 1w", "is 1w, was 1w1d", "there"),
    Row(
        Rule,
        "stages",
        rule(stages=STAGES),
        "in stages: engineering, then release with security",
        "all at once, not in stages",
        "back",
    ),
    Row(
        Rule,
        "extenders",
        rule(extenders=frozenset()),
        "members of managers move the deadline no more",
        "lets members of managers move the deadline",
        "back",
    ),
    Row(Rule, "emergency", rule(emergency=None), "is not allowed any more", "is allowed, where", "back"),
    Row(
        BreakGlass,
        "quorum",
        glass(quorum=of(engineering=2, security=1)),
        "standard, break-glass: needs 2 of engineering",
        "",
        "back",
    ),
    Row(
        BreakGlass,
        "reasons",
        glass(reasons=frozenset({"outage"})),
        "allows the reasons vulnerability no more",
        "allows the reasons vulnerability",
        "back",
    ),
    Row(
        BreakGlass,
        "checks",
        glass(checks=frozenset({"ci"})),
        "asks every approval for the checks ci",
        "asks for the checks ci no more",
        "back",
    ),
    Row(BreakGlass, "veto_window", glass(veto_window=MINUTE), "veto window is 1m, was 10m", "", "there"),
    Row(BreakGlass, "provisional", glass(provisional=DAY), "provisional is 1d, was 3d", "", "back"),
    Row(BreakGlass, "ratify", glass(ratify=DAY), "time to ratify is 1d, was 3d", "", "back"),
    Row(BreakGlass, "report", glass(report=DAY), "time to report is 1d, was 1w", "", "back"),
    Row(Log, "origin", log(origin="elsewhere"), "log: is elsewhere", "was elsewhere", "both"),
    Row(
        Log,
        "keys",
        log(keys=(*OLD.log.keys, NEXT_KEY)),
        "from size 9",
        f"from size 9 and root {ROOT} no more",
        "both",
    ),
    Row(Log, "cosignatures", log(cosignatures=1), "publishes with 1 cosig", "with no cosig", "back"),
    Row(Log, "witnesses", log(witnesses=()), "w1+", "takes cosignatures by witness.example/w1+", "both"),
    Row(LogKey, "key", log(keys=(LogKey(key=NEW_KEY.key, from_size=0),)), "is signed by", "no more", "both"),
    Row(
        LogKey,
        "from_size",
        log(keys=(*OLD.log.keys, NEXT_KEY)),
        "is signed by",
        "no more",
        "both",
    ),
    Row(LogKey, "from_root", log(keys=(*OLD.log.keys, NEXT_KEY)), f"9 and root {ROOT}", "no more", "both"),
    Row(Calendar, "zone", calendar(zone="Europe/Lisbon"), "09:00 to 17:00 Europe/Lisbon", "", ""),
    Row(Calendar, "opens", calendar(opens=time(8)), "works 08:00 to 17:00", "", ""),
    Row(Calendar, "closes", calendar(closes=time(18)), "works 09:00 to 18:00", "", ""),
    Row(
        Calendar,
        "days",
        calendar(days=frozenset({"monday"})),
        "works on monday",
        "monday, tuesday, wednesday, thursday, friday",
        "",
    ),
    Row(
        Calendar,
        "holidays",
        calendar(holidays=frozenset({date(2027, 1, 1)})),
        "has the holidays 2027-01-01",
        "has the holidays 2027-01-01 no more",
        "",
    ),
]


@pytest.mark.parametrize("row", FOUND, ids=[f"{row.of.__name__}.{row.field}" for row in FOUND])
def test_every_change_is_said_in_both_directions_and_marked_where_it_weakens(row: Row) -> None:
    for old, new, text, way in ((OLD, row.new, row.there, "there"), (row.new, OLD, row.back, "back")):
        found = differences(old, new)
        assert text in "\n".join(f"{d.where}: {d.says}" for d in found)
        assert found, "a change is never silent"
        assert any(d.weakens for d in found) == (row.marked in (way, "both"))


def test_no_field_of_a_policy_can_change_unsaid() -> None:
    told = {(row.of, row.field) for row in FOUND}
    kinds = (Policy, Signer, SignerKey, Role, Rule, BreakGlass, Log, LogKey, Calendar)
    every = {(kind, field.name) for kind in kinds for field in fields(kind)}
    names = {(kind, "name") for kind in (Signer, Role, Rule)}  # by which they are told apart
    assert every - names - told == {(Policy, "version"), (Policy, "previous")}


def test_the_same_policy_as_a_later_version_has_no_difference() -> None:
    assert differences(OLD, replace(OLD, version=2, previous="sha256:" + "0" * 64)) == ()


def test_the_same_in_another_order_is_said_too() -> None:
    two = replace(alice(keys=(A_KEY, NEW_KEY)), authorities=("x", "y"))
    turned = replace(alice(keys=(NEW_KEY, A_KEY)), authorities=("y", "x"))
    assert [(d.where, d.says) for d in differences(two, turned)] == [
        ("signer alice", "lists the keys in another order"),
        ("authorities", "lists them in another order"),
    ]


def test_a_product_that_moves_to_another_rule_is_marked() -> None:
    old = replace(OLD, rules={**OLD.rules, "other": replace(RULE, name="other")})
    products = {**old.products, "widget": {Kind.RELEASE: "other", Kind.REVOCATION: "standard"}}
    (found,) = differences(old, replace(old, products=products))
    assert (found.where, found.says) == ("product widget", "needs rule other for a release, needed standard")
    assert found.weakens


def test_who_stays_but_can_stop_nothing_any_more_is_marked() -> None:
    less = role("engineering", members=frozenset({"alice", "bob"}), lead="alice")
    found = differences(OLD, less)
    assert [d.says for d in found if d.weakens] == [
        "can veto no emergency any more",
        "can be rejected by erin alone no more",
    ]
    gone = replace(less, signers={n: s for n, s in less.signers.items() if n != "erin"})
    assert not [d for d in differences(OLD, gone) if d.weakens], "who leaves is not silenced"


def test_a_time_that_moves_both_ends_inwards_weakens_nothing() -> None:
    shorter = a_key(valid_from=NOW, valid_until=NOW + DAY)
    assert not [d for d in differences(OLD, shorter) if d.weakens]
    moved = a_key(valid_from=NOW, valid_until=A_KEY.valid_until + timedelta(milliseconds=1))
    assert [d for d in differences(OLD, moved) if d.weakens]

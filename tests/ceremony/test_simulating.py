# SPDX-License-Identifier: Apache-2.0
"""What ended ceremonies would have become under another policy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Cancel, Expire, Record
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.simulating import Fate, simulate
from quorumseal.ceremony.statements import Choice
from tests.burning import BURNING, MINUTE, delegation, emergency_request
from tests.organisation import NOW, ROLES, Organisation, changed

ACME = Organisation(checks=frozenset({"artifacts"}))
OLD = ACME.build_policy()
RULE = OLD.rules["standard"]


def approved(*signers: str) -> Ceremony:
    ceremony = ACME.run(*signers)[0].ceremony
    assert ceremony.state is State.APPROVED
    return ceremony


USUAL = approved("alice", "erin", "carol", "rita")


def ended(how: str) -> Ceremony:
    chain, _ = open_chain(ACME.policy, ACME.sign_request(), at=NOW)
    match how:
        case "rejected":
            no = ACME.sign_decision(ACME.decision("carol", chain.ceremony.request, Choice.REJECTION))
            return extend(chain, Record(no), at=NOW)[0].ceremony
        case "cancelled":
            act = ACME.sign_cancellation(ACME.cancellation("rita", chain))
            return extend(chain, Cancel(act), at=NOW)[0].ceremony
        case _:
            at = chain.ceremony.deadline
            return extend(chain, Expire(), at=at)[0].ceremony


def rule(**fields: Any) -> Policy:
    return replace(OLD, rules={"standard": replace(RULE, **fields)})


def people(**roles: tuple[str, ...]) -> Policy:
    return changed(ACME, roles={**ROLES, **roles}).build_policy()


def of(**counts: int) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=role, count=count) for role, count in counts.items())


ROWS: list[tuple[str, Ceremony, Policy, Fate, str, bool]] = [
    (
        "the same",
        USUAL,
        OLD,
        Fate.APPROVED,
        "engineering by alice, erin; security by carol; release by rita",
        False,
    ),
    (
        "one more is needed",
        USUAL,
        rule(quorum=of(engineering=3, security=1, release=1)),
        Fate.SHORT,
        "engineering needs one more: bob",
        True,
    ),
    (
        "a lower threshold",
        USUAL,
        rule(quorum=of(engineering=1, security=1, release=1)),
        Fate.APPROVED,
        "",
        True,
    ),
    (
        "an approver is in the role no more",
        USUAL,
        people(engineering=("alice", "bob", "gil")),
        Fate.SHORT,
        "engineering needs one more: bob or gil",
        True,
    ),
    (
        "an approver holds another role now",
        USUAL,
        people(engineering=("alice", "bob", "carol"), security=("bob", "erin", "dan")),
        Fate.APPROVED,
        "engineering by alice, carol; security by erin",
        True,
    ),
    (
        "the requester may not ask any more",
        USUAL,
        people(managers=("rita", "ci")),
        Fate.NOT_REQUESTABLE,
        "mallory would not be on the roster",
        False,
    ),
    (
        "another role asks",
        USUAL,
        rule(requesters=frozenset({"security"})),
        Fate.NOT_REQUESTABLE,
        "mallory could not ask under rule standard",
        True,
    ),
    (
        "the product is gone",
        USUAL,
        changed(ACME, products=("gadget",)).build_policy(),
        Fate.NOT_REQUESTABLE,
        "widget would be no product",
        True,
    ),
    (
        "a check that nobody stated",
        USUAL,
        rule(checks=frozenset({"built-from-source"})),
        Fate.SHORT,
        "engineering needs two more: bob",
        True,
    ),
    (
        "a shorter longest",
        USUAL,
        rule(deadline=timedelta(hours=2), longest=timedelta(hours=2)),
        Fate.NOT_REQUESTABLE,
        "longer than 2 h",
        True,
    ),
    ("rejected", ended("rejected"), OLD, Fate.REJECTED, "rejected by carol", False),
    (
        "rejected, without the veto",
        ended("rejected"),
        rule(veto=frozenset()),
        Fate.SHORT,
        "security needs one more: bob or dan",
        True,
    ),
    (
        "rejected, and nobody else is left",
        ended("rejected"),
        replace(people(security=("carol",)), rules={"standard": replace(RULE, veto=frozenset())}),
        Fate.REJECTED,
        "without carol too few",
        True,
    ),
    ("cancelled", ended("cancelled"), rule(veto=frozenset()), Fate.ENDED, "was cancelled anyway", True),
    ("expired", ended("expired"), OLD, Fate.SHORT, "engineering needs two more", False),
]


@pytest.mark.parametrize(
    ("_", "ceremony", "new", "fate", "says", "other"), ROWS, ids=[row[0] for row in ROWS]
)
def test_what_would_have_become_of_it(
    _: str, ceremony: Ceremony, new: Policy, fate: Fate, says: str, other: bool
) -> None:
    found = simulate(ceremony, new)
    assert (found.fate, found.other_rule) == (fate, other)
    assert says in found.says


@pytest.mark.parametrize(
    "ceremony", [USUAL, ended("rejected"), ended("cancelled"), ended("expired")], ids=lambda c: str(c.state)
)
def test_under_its_own_policy_everything_ends_as_it_did(ceremony: Ceremony) -> None:
    found = simulate(ceremony, OLD)
    assert found.as_before
    assert not found.other_rule


def test_who_consented_to_one_role_alone_counts_in_no_other() -> None:
    chain, _ = open_chain(ACME.policy, ACME.sign_request(), at=NOW)
    for signer, roles in {"alice": None, "erin": None, "bob": ["security"], "rita": None}.items():
        decision = ACME.decision(signer, chain.ceremony.request, roles=roles)
        chain, _ = extend(chain, Record(ACME.sign_decision(decision)), at=NOW)
    assert chain.ceremony.state is State.APPROVED
    three = rule(quorum=of(engineering=3, release=1), veto=frozenset({"engineering"}))
    assert simulate(chain.ceremony, three).says == "engineering needs one more: nobody is left who could"


def test_a_machine_asks_for_somebody_on_the_roster() -> None:
    request = ACME.sign_request(ACME.request(requester="ci", on_behalf_of="mallory"))
    ceremony = ACME.run("alice", "erin", "carol", "rita", request=request)[0].ceremony
    assert simulate(ceremony, OLD).as_before
    found = simulate(ceremony, people(managers=("rita", "ci")))
    assert found.says == "mallory, for whom ci asked, would not be on the roster"


def test_a_deputy_counts_where_the_new_policy_lists_them_for_a_member() -> None:
    frank = BURNING.sign(delegation("alice", "engineering", "frank"))
    request = BURNING.sign_request(BURNING.request())
    chain, _ = open_chain(BURNING.policy, request, at=NOW, delegations=(frank,))
    for signer, roles, by in (
        ("frank", ["engineering"], frank.digest),
        ("erin", ["engineering"], None),
        ("carol", ["security"], None),
        ("dan", ["release"], None),
    ):
        decision = replace(BURNING.decision(signer, request, roles=roles), delegation=by)
        chain, _ = extend(chain, Record(BURNING.sign_decision(decision)), at=NOW)
    assert chain.ceremony.state is State.APPROVED
    assert "engineering by erin, frank" in simulate(chain.ceremony, BURNING.build_policy()).says
    unlisted = changed(BURNING, deputies={"engineering": ("carol",)}).build_policy()
    assert simulate(chain.ceremony, unlisted).fate is Fate.SHORT


def burnt() -> Ceremony:
    request = BURNING.sign_request(emergency_request())
    chain, _ = open_chain(BURNING.policy, request, at=NOW)
    for minute, signer in enumerate(("alice", "carol"), start=1):
        at = NOW + minute * MINUTE
        roles = ["engineering"] if signer == "alice" else ["security"]
        decision = BURNING.sign_decision(BURNING.decision(signer, request, at=at, roles=roles))
        chain, _ = extend(chain, Record(decision), at=at)
    end = chain.ceremony.window_ends
    assert end is not None
    return extend(chain, Expire(), at=end)[0].ceremony


def glass(change: Callable[[Any], Any]) -> Policy:
    policy = BURNING.build_policy()
    standard = policy.rules["standard"]
    return replace(policy, rules={"standard": replace(standard, emergency=change(standard.emergency))})


EMERGENCIES: list[tuple[str, Callable[[Any], Any], Fate, str]] = [
    ("as it is", lambda glass: glass, Fate.APPROVED, "engineering by alice; security by carol"),
    ("none are allowed", lambda _: None, Fate.NOT_REQUESTABLE, "rule standard would allow no emergency"),
    (
        "not for this reason",
        lambda glass: replace(glass, reasons=frozenset({"vulnerability"})),
        Fate.NOT_REQUESTABLE,
        "outage would be no reason",
    ),
    (
        "with more people",
        lambda glass: replace(glass, quorum=of(engineering=2, security=1)),
        Fate.SHORT,
        "engineering needs one more",
    ),
    (
        "with a check",
        lambda glass: replace(glass, checks=frozenset({"on-call"})),
        Fate.SHORT,
        "engineering needs one more",
    ),
]


@pytest.mark.parametrize(("_", "change", "fate", "says"), EMERGENCIES, ids=[row[0] for row in EMERGENCIES])
def test_what_would_have_become_of_an_emergency(
    _: str, change: Callable[[Any], Any], fate: Fate, says: str
) -> None:
    ceremony = burnt()
    assert ceremony.state is State.PROVISIONAL
    found = simulate(ceremony, glass(change))
    assert found.fate is fate
    assert says in found.says

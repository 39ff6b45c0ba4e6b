# SPDX-License-Identifier: Apache-2.0
"""Somebody leaves: what is open, what rests on them, and which policy can follow."""

from dataclasses import replace

import pytest

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.errors import LeavingError
from quorumseal.ceremony.leaving import Offboarding, offboarding, without_person
from quorumseal.ceremony.linting import lint
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import Choice
from quorumseal.refusal import Refusal
from tests.burning import BURNING, delegation
from tests.organisation import NOW, ROLES, Organisation

ROOMY = Organisation(
    roles={
        **ROLES,
        "security": ("bob", "carol", "dan", "hana"),
        "release": ("dan", "ines", "jo"),
        "managers": ("mallory", "kim"),
        "engineering": ("alice", "bob", "erin", "gil"),
    },
    machines=frozenset(),
    deputies={"release": ("alice",)},
    leads={"engineering": "alice"},
    extenders=frozenset({"managers", "engineering"}),
)


def leaves(person: str, *chains: Chain, acme: Organisation = ROOMY) -> Offboarding:
    ceremonies = [chain.ceremony for chain in chains]
    return offboarding(acme.policy.policy, person, ceremonies, Standing(), at=NOW)


def test_what_somebody_holds_is_said_role_by_role() -> None:
    leaving = leaves("alice")
    assert leaving.roles == {"engineering": {"bob", "erin", "gil"}}
    assert (leaving.deputy, leaving.leads) == (("release",), ("engineering",))
    assert leaving.extends == ("standard",)
    assert leaving.keys == (ROOMY.key("alice").public.key_id,)
    assert leaving.empty == ()


def test_a_role_that_falls_to_one_person_or_nobody_is_named() -> None:
    assert leaves("mallory").roles["managers"] == frozenset({"kim"})
    alone = replace(ROOMY, roles={**ROOMY.roles, "managers": ("mallory",)})
    assert leaves("mallory", acme=alone).empty == ("managers",)


def test_open_ceremonies_that_they_asked_for_count_in_or_are_needed_for_are_named() -> None:
    small = Organisation()
    request = small.sign_request
    asked, _ = small.run(request=request(small.request(number=1)))
    counted, _ = small.run(
        "alice", request=request(small.request(number=2, requester="ci", on_behalf_of="rita"))
    )
    ended, _ = small.run(
        "alice", "bob", "carol", "rita", request=request(small.request(number=3, requester="mallory"))
    )
    behind, _ = small.run(request=request(small.request(number=4, requester="ci", on_behalf_of="mallory")))
    chains = (asked, counted, ended, behind)

    def named(person: str) -> list[list[str]]:
        leaving = leaves(person, *chains, acme=small)
        return [
            [ceremony.request.statement.ceremony[-1] for ceremony in those]
            for those in (leaving.asked, leaving.counted, leaving.short)
        ]

    assert named("mallory") == [["1", "4"], [], []]
    assert named("alice") == [[], ["2"], []]
    assert named("dan") == [[], [], ["2"]]  # rita asked, so dan alone is left to release it


def test_an_approval_that_was_logged_before_they_left_is_not_missed() -> None:
    small = Organisation()
    request = small.sign_request(small.request(requester="ci", on_behalf_of="rita"))
    approved, _ = small.run("dan", request=request)
    leaving = leaves("dan", approved, acme=small)
    assert (len(leaving.counted), leaving.short) == (1, ())
    only_security = small.decision("dan", request, roles=["security"])
    elsewhere = replace(
        approved.ceremony,
        decisions={"dan": small.sign_decision(only_security)},
        counting={"dan": frozenset({"security"})},
    )
    leaving = offboarding(small.policy.policy, "dan", [elsewhere], Standing(), at=NOW)
    assert len(leaving.short) == 1, "nobody but dan could release it, and for that dan has not signed"


def test_a_ceremony_that_was_out_of_reach_before_falls_short_for_nobody() -> None:
    small = Organisation()
    chain, _ = small.run()
    no = small.sign_decision(small.decision("rita", chain.ceremony.request, Choice.REJECTION))
    rejected = replace(chain.ceremony, decisions={"rita": no})
    for person, count in (("dan", 1), ("alice", 0)):
        leaving = offboarding(small.policy.policy, person, [rejected], Standing(), at=NOW)
        assert len(leaving.short) == count


def test_delegations_from_them_and_to_them_are_named() -> None:
    standing = Standing()
    for member, role, deputy in (("alice", "engineering", "frank"), ("bob", "security", "frank")):
        act = BURNING.sign(delegation(member, role, deputy))
        standing = stand(standing, act, BURNING.policy.policy, at=NOW)
    for person, count in (("frank", 2), ("alice", 1), ("carol", 0)):
        leaving = offboarding(BURNING.policy.policy, person, [], standing, at=NOW)
        assert len(leaving.delegations) == count


def test_the_next_policy_names_them_nowhere() -> None:
    after = without_person(ROOMY.policy, "alice", {}, at=NOW)
    assert (after.version, after.previous) == (2, ROOMY.policy.digest)
    assert "alice" not in after.signers
    for role in after.roles.values():
        assert "alice" not in (*role.members, *role.deputies, role.lead)
    assert lint(after, at=NOW)


def test_a_replacement_takes_the_place_and_is_no_deputy_there_any_more() -> None:
    after = without_person(ROOMY.policy, "jo", {"release": "alice"}, at=NOW)
    assert after.roles["release"].members == {"dan", "ines", "alice"}
    assert after.roles["release"].deputies == set()


SMALL = Organisation(
    roles={"engineering": ("alice", "bob", "erin"), "security": ("carol",), "managers": ("mallory", "kim")},
    quorum={"engineering": 2, "security": 1},
    machines=frozenset(),
    p256=frozenset(),
)
IMPOSSIBLE: dict[str, tuple[str, dict[str, str], str, str]] = {
    "nobody is left": ("carol", {}, "policy.leaves_too_few", "role security"),
    "a role that they do not have": ("alice", {"security": "bob"}, "policy.leaves_too_few", "got security"),
    "themselves": ("carol", {"security": "carol"}, "policy.leaves_too_few", "somebody else"),
    "a stranger": ("carol", {"security": "zoe"}, "signer.unknown", "zoe"),
    "somebody who is a stranger": ("zoe", {}, "signer.unknown", "zoe"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_departure_that_leaves_too_few_is_refused(case: str) -> None:
    person, replacements, code, says = IMPOSSIBLE[case]
    with pytest.raises(Refusal, match=says) as refused:
        without_person(SMALL.policy, person, replacements, at=NOW)
    assert refused.value.code == code


def test_a_departure_after_which_some_can_never_get_an_answer_is_refused_for_the_smallest_reason() -> None:
    roles = {**SMALL.roles, "managers": ("kim", "erin")}
    acme = replace(SMALL, roles=roles)
    with pytest.raises(
        LeavingError, match=r"without alice, when erin asks, engineering \(2\) needs 2 people"
    ):
        without_person(acme.policy, "alice", {}, at=NOW)
    after = without_person(acme.policy, "alice", {"engineering": "kim"}, at=NOW)
    assert after.roles["engineering"].members == {"bob", "kim", "erin"}


def test_a_problem_that_was_there_before_does_not_keep_anybody() -> None:
    roles = {**SMALL.roles, "managers": ("mallory", "carol")}
    acme = replace(SMALL, roles=roles)
    assert "erin" not in without_person(acme.policy, "erin", {}, at=NOW).signers

# SPDX-License-Identifier: Apache-2.0
"""A deputy stands in for one member in one role, and both are used up by it."""

from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Begin, End, Record
from quorumseal.ceremony.delegating import by_name, known_as, usable
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Delegation
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, HOUR, MINUTE, delegation, withdrawal
from tests.organisation import NOW

FRANK_FOR_ALICE = BURNING.sign(delegation("alice", "engineering", "frank"))
FRANK_FOR_CAROL = BURNING.sign(delegation("carol", "security", "frank"))
CAROL_FOR_ALICE = BURNING.sign(delegation("alice", "engineering", "carol"))


def opened(*delegations: Signed[Delegation], requester: str = "mallory") -> tuple[Chain, list[Entry]]:
    request = BURNING.sign_request(BURNING.request(requester=requester))
    chain, entry = open_chain(BURNING.policy, request, at=NOW, delegations=delegations)
    return chain, [entry]


def decides(
    chain: Chain,
    signer: str,
    role: str,
    *,
    delegation: str | None = None,
    choice: Choice = Choice.APPROVAL,
    replaces: str | None = None,
    at: datetime = NOW,
) -> Record:
    decision = BURNING.decision(
        signer, chain.ceremony.request, choice, roles=(role,), replaces=replaces, at=at
    )
    return Record(BURNING.sign_decision(replace(decision, delegation=delegation)))


def test_a_deputy_fills_the_seat_of_the_member() -> None:
    chain, _ = opened(FRANK_FOR_ALICE)
    chain, _ = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    for signer, role in (("bob", "engineering"), ("carol", "security"), ("rita", "release")):
        chain, _ = extend(chain, decides(chain, signer, role), at=NOW)
    assert chain.ceremony.state is State.APPROVED
    assert dict(chain.ceremony.seats(at=NOW))["engineering"] == ("bob", "frank")


def test_a_delegation_may_come_while_the_ceremony_is_open() -> None:
    chain, entries = opened()
    with pytest.raises(errors.DelegationUnknownError):
        extend(chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW)
    chain, more = extend(chain, Begin(FRANK_FOR_ALICE), at=NOW)
    assert [entry.type for entry in more] == ["delegated"]
    assert extend(chain, Begin(FRANK_FOR_ALICE), at=NOW) == (chain, ())
    chain, again = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    assert "frank" in chain.ceremony.stands_for
    assert replay_chain([e.payload for e in (*entries, *more, *again)], BURNING.policy) == chain


def test_a_withdrawal_ends_it_for_decisions_to_come_and_not_for_those_that_were_made() -> None:
    chain, entries = opened(FRANK_FOR_ALICE)
    end = End(BURNING.sign(withdrawal("alice", "engineering")))
    decision = decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest)
    ended, more = extend(chain, end, at=NOW)
    assert [entry.type for entry in more] == ["withdrawn"]
    with pytest.raises(errors.DelegationUnknownError):
        extend(ended, decision, at=NOW)
    chain, decided = extend(chain, decision, at=NOW)
    chain, more = extend(chain, end, at=NOW)
    assert "frank" in chain.ceremony.seats(at=NOW)[0][1]
    assert replay_chain([e.payload for e in (*entries, *decided, *more)], BURNING.policy) == chain


def test_people_are_shown_with_whom_they_stand_in_for_and_who_could() -> None:
    def sentences(chain: Chain) -> str:
        return explain(by_name(chain.ceremony, chain.ceremony.tally(at=NOW), at=NOW))[0]

    chain, _ = opened(FRANK_FOR_ALICE)
    assert [each.signer for each in usable(chain.ceremony, "frank", at=NOW)] == ["alice"]
    assert sentences(chain) == "engineering needs two more: alice (or frank), bob or erin"
    assert usable(chain.ceremony, "frank", at=FRANK_FOR_ALICE.statement.until) == ()
    assert usable(chain.ceremony, "bob", at=NOW) == ()
    chain, _ = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    assert [known_as(chain.ceremony, person) for person in ("frank", "bob")] == ["frank for alice", "bob"]
    seated = by_name(chain.ceremony, chain.ceremony.tally(at=NOW), at=NOW).roles[0].seated
    assert seated == ("frank for alice",)
    assert [each.signer for each in usable(chain.ceremony, "frank", at=NOW)] == ["alice"]


def test_a_deputy_who_decided_for_somebody_is_offered_for_nobody_else() -> None:
    for_erin = BURNING.sign(delegation("erin", "engineering", "frank"))
    chain, _ = opened(FRANK_FOR_ALICE, for_erin)
    chain, _ = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    count = by_name(chain.ceremony, chain.ceremony.tally(at=NOW), at=NOW)
    assert count.roles[0].helpful == ("bob", "erin")


def test_a_member_for_whom_somebody_decided_does_not_decide_too() -> None:
    chain, _ = opened(FRANK_FOR_ALICE)
    chain, _ = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    with pytest.raises(errors.UsedUpError, match="for whom frank did"):
        extend(chain, decides(chain, "alice", "engineering"), at=NOW)


def test_a_deputy_comes_too_late_when_the_member_decided() -> None:
    chain, _ = opened(FRANK_FOR_ALICE)
    chain, _ = extend(chain, decides(chain, "alice", "engineering"), at=NOW)
    with pytest.raises(errors.UsedUpError, match="alice, who does"):
        extend(chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW)


def test_a_deputy_fills_one_seat_even_with_two_delegations() -> None:
    chain, _ = opened(FRANK_FOR_ALICE, FRANK_FOR_CAROL)
    chain, _ = extend(
        chain, decides(chain, "frank", "engineering", delegation=FRANK_FOR_ALICE.digest), at=NOW
    )
    first = chain.ceremony.decisions["frank"].digest
    chain, _ = extend(
        chain,
        decides(
            chain, "frank", "security", delegation=FRANK_FOR_CAROL.digest, replaces=first, at=NOW + MINUTE
        ),
        at=NOW + MINUTE,
    )
    seats = dict(chain.ceremony.seats(at=NOW + MINUTE))
    assert (seats["engineering"], seats["security"]) == ((), ("frank",))
    chain, _ = extend(chain, decides(chain, "alice", "engineering"), at=NOW + MINUTE)
    assert "alice" in chain.ceremony.decisions


def test_a_member_who_delegated_two_roles_counts_once() -> None:
    bob_twice = [BURNING.sign(delegation("bob", role, "frank")) for role in ("engineering", "security")]
    other = BURNING.sign(delegation("bob", "security", "alice"))
    chain, _ = opened(bob_twice[0], other)
    chain, _ = extend(chain, decides(chain, "frank", "engineering", delegation=bob_twice[0].digest), at=NOW)
    with pytest.raises(errors.UsedUpError):
        extend(chain, decides(chain, "alice", "security", delegation=other.digest), at=NOW)


def test_a_deputy_who_decides_for_themselves_again_gives_the_member_back() -> None:
    chain, _ = opened(CAROL_FOR_ALICE)
    chain, _ = extend(
        chain, decides(chain, "carol", "engineering", delegation=CAROL_FOR_ALICE.digest), at=NOW
    )
    first = chain.ceremony.decisions["carol"].digest
    chain, _ = extend(
        chain, decides(chain, "carol", "security", replaces=first, at=NOW + MINUTE), at=NOW + MINUTE
    )
    assert not chain.ceremony.stands_for
    chain, _ = extend(chain, decides(chain, "alice", "engineering"), at=NOW + MINUTE)
    assert chain.ceremony.seats(at=NOW + MINUTE)[0][1] == ("alice",)


REFUSED: dict[str, tuple[dict[str, object], type[Refusal]]] = {
    "somebody else's delegation": ({"signer": "carol"}, errors.DelegationUnknownError),
    "another role": ({"role": "security"}, errors.DelegationUnknownError),
    "a delegation that nobody knows": ({"delegation": "sha256:" + "a" * 64}, errors.DelegationUnknownError),
    "none at all": ({"delegation": None}, errors.NotAMemberError),
}


@pytest.mark.parametrize(("given", "refusal"), REFUSED.values(), ids=REFUSED)
def test_a_deputy_has_exactly_what_was_delegated(given: dict[str, object], refusal: type[Refusal]) -> None:
    chain, _ = opened(FRANK_FOR_ALICE)
    fields = {"signer": "frank", "role": "engineering", "delegation": FRANK_FOR_ALICE.digest, **given}
    with pytest.raises(refusal):
        extend(chain, decides(chain, **fields), at=NOW)  # type: ignore[arg-type] # by the table


@pytest.mark.parametrize(("hours", "live"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_delegation_is_live_from_its_beginning_to_before_its_end(hours: int, live: bool) -> None:
    span = BURNING.sign(delegation("alice", "engineering", "frank", since=NOW + HOUR, until=NOW + HOUR * 3))
    chain, _ = opened(span)
    at = NOW + HOUR * hours
    command = decides(chain, "frank", "engineering", delegation=span.digest, at=at)
    if live:
        assert extend(chain, command, at=at)[0].ceremony.stands_for
    else:
        with pytest.raises(errors.DelegationUnknownError, match="live at"):
            extend(chain, command, at=at)


def test_nobody_stands_in_for_whoever_asked() -> None:
    listed = replace(BURNING, deputies={**BURNING.deputies, "release": ("frank",)})
    for_rita = listed.sign(delegation("rita", "release", "frank", acme=listed))
    request = listed.sign_request(listed.request(requester="rita"))
    with pytest.raises(errors.DelegationNotAllowedError, match="did not ask"):
        open_chain(listed.policy, request, at=NOW, delegations=(for_rita,))


def test_a_requester_does_not_stand_in_for_anybody() -> None:
    listed = replace(BURNING, deputies={"engineering": ("mallory",)})
    chain, _ = listed.run()
    with pytest.raises(errors.DelegationNotAllowedError, match="did not ask"):
        extend(chain, Begin(listed.sign(delegation("alice", "engineering", "mallory", acme=listed))), at=NOW)


def test_a_delegation_is_withdrawn_from_open_ceremonies_only() -> None:
    chain, _ = BURNING.run("alice", "bob", "carol", "rita")
    with pytest.raises(errors.IllegalTransitionError):
        extend(chain, End(BURNING.sign(withdrawal("alice", "engineering"))), at=NOW + DAY)

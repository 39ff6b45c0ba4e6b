# SPDX-License-Identifier: Apache-2.0
"""A policy change on a real log: it holds once both sides have approved it; open ceremonies hear of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.commands import Act, Start
from coordinator.errors import OldPolicyError, UnknownPolicyError
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.errors import RemovedSinceError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import OpenCeremonyExistsError, ProposalError
from quorumseal.ceremony.statements import Choice
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.errors import PolicyTooOldError
from quorumseal.verifier.standing import Standing
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.burning import reapproval
from tests.changing import next_version, policy_decision, policy_request
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import ARTIFACT, NOW, Organisation

ACME = Organisation()
TWO = next_version(
    ACME, roles={**ACME.roles, "engineering": ("alice", "bob", "zoe"), "release": ("rita", "dan", "yann")}
)
OTHER_TWO = next_version(ACME, clock_skew=timedelta(minutes=4))
THREE = next_version(TWO)
TRUST = Trust(organisation=ACME.name, policy=ACME.policy.digest, minimum_version=1)
ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}


@pytest.fixture
def organisation() -> Organisation:
    return ACME


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return workshop.desk()


def asked(
    kind: Kind, under: Organisation, new: Organisation, number: int, supersedes: str | None = None
) -> Start:
    request = policy_request(kind, under, new, number=number, requester="alice")
    signed = under.sign_request(replace(request, supersedes=supersedes))
    proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
    return Start(policy=under.policy, request=signed, proposed=proposed)


def approve(under: Organisation, start: Start, signer: str) -> Act:
    return Act(
        ceremony=start.request.statement.ceremony,
        command=Record(policy_decision(under, signer, start.request)),
    )


def approved(desk: Desk, under: Organisation, start: Start) -> None:
    for signer in ("alice", "carol"):
        desk.written(approve(under, start, signer))


def change(desk: Desk, old: Organisation, new: Organisation, number: int = 50) -> tuple[Start, Start]:
    """Bring a policy change to its end."""
    sides = (
        (old, asked(Kind.POLICY_CHANGE, old, new, number)),
        (new, asked(Kind.POLICY_ACCEPTANCE, new, new, number + 1)),
    )
    for under, start in sides:
        desk.written(start)
        approved(desk, under, start)
    return sides[0][1], sides[1][1]


def chain_of(desk: Desk, start: Start) -> Chain:
    return desk.chain(start.request.statement.ceremony)


def test_a_policy_holds_from_the_second_approval_on(workshop: Workshop, desk: Desk) -> None:
    given = asked(Kind.POLICY_CHANGE, ACME, TWO, 50)
    taken = asked(Kind.POLICY_ACCEPTANCE, TWO, TWO, 51)
    desk.written(given)
    desk.written(taken)
    approved(desk, TWO, taken)
    assert desk.policies.newest.digest == ACME.policy.digest
    desk.written(approve(ACME, given, "alice"))
    assert desk.policies.newest.digest == ACME.policy.digest
    desk.written(approve(ACME, given, "carol"))
    assert desk.policies.newest.digest == TWO.policy.digest
    assert desk.types()[-2:] == ["approved", "policy"]
    (refused,) = desk.write(workshop.start())
    assert isinstance(refused, OldPolicyError)
    desk.policies.reload()  # from the log alone
    assert desk.policies.newest.digest == TWO.policy.digest
    assert desk.policies.newest.ceremonies == (chain_of(desk, given).id, chain_of(desk, taken).id)


def test_what_comes_after_it_is_verified_from_the_first_version(desk: Desk) -> None:
    change(desk, ACME, TWO)
    release = Start(policy=TWO.policy, request=TWO.sign_request(TWO.request()))
    desk.written(release)
    for signer in ("zoe", "alice", "carol", "yann"):
        decision = TWO.sign_decision(TWO.decision(signer, release.request))
        desk.written(Act(ceremony=release.request.statement.ceremony, command=Record(decision)))
    bundle = desk.reader.bundle(release.request.statement.ceremony)
    verified = verify(bundle, TRUST, ARTIFACTS)
    assert verified.ceremony.policy.version == 2
    assert verified.ceremony.state is State.APPROVED


def decided(desk: Desk, under: Organisation, start: Start, *signers: str) -> bytes:
    """Let people decide under a policy; return the bundle."""
    desk.written(start)
    for signer in signers:
        decision = under.sign_decision(under.decision(signer, start.request))
        desk.written(Act(ceremony=start.request.statement.ceremony, command=Record(decision)))
    return desk.reader.bundle(start.request.statement.ceremony)


def test_a_release_under_an_older_policy_is_approved_anew_by_the_people_of_the_newest(desk: Desk) -> None:
    release = Start(policy=ACME.policy, request=ACME.sign_request(ACME.request()))
    before = decided(desk, ACME, release, "alice", "erin", "carol", "dan")
    change(desk, ACME, TWO)
    chain = chain_of(desk, release)
    under_the_old = ACME.sign_request(reapproval(chain, ACME, number=60, at=NOW))
    (refused,) = desk.write(Start(policy=ACME.policy, request=under_the_old))
    assert isinstance(refused, OldPolicyError)
    again = Start(policy=TWO.policy, request=TWO.sign_request(reapproval(chain, TWO, number=61, at=NOW)))
    after = decided(desk, TWO, again, "zoe", "alice", "carol", "yann")
    recent = replace(TRUST, minimum_version=2)
    with pytest.raises(PolicyTooOldError):
        verify(before, recent, ARTIFACTS)
    verified = verify(after, recent, ARTIFACTS)
    assert (verified.standing, verified.policy.policy.version) == (Standing.REAPPROVED, 2)
    assert verified.ceremony.policy.version == 1
    assert verified.reapproval is not None
    assert verified.reapproval.policy.version == 2


def test_an_acceptance_is_of_what_somebody_proposed(desk: Desk) -> None:
    assert isinstance(desk.policies.newest.policy.version, int)
    with pytest.raises(UnknownPolicyError):
        desk.policies.named(TWO.policy.digest)
    desk.written(asked(Kind.POLICY_CHANGE, ACME, TWO, 50))
    assert desk.policies.named(TWO.policy.digest).payload == TWO.policy.payload


def test_open_ceremonies_hear_who_was_removed_and_keep_their_policy(workshop: Workshop, desk: Desk) -> None:
    release = workshop.start()
    desk.written(release)
    desk.written(workshop.decide("alice", release))
    change(desk, ACME, TWO)
    narrowed = chain_of(desk, release).ceremony
    assert narrowed.policy.version == 1
    assert narrowed.narrowed[2].members == {("engineering", "erin")}
    (refused,) = desk.write(workshop.decide("erin", release))
    assert isinstance(refused, RemovedSinceError)
    for signer in ("bob", "carol", "rita"):
        desk.written(workshop.decide(signer, release))
    assert chain_of(desk, release).ceremony.state is State.APPROVED
    verified = verify(desk.reader.bundle(release.request.statement.ceremony), TRUST, ARTIFACTS)
    assert verified.ceremony.narrowed == narrowed.narrowed


def test_a_proposal_that_was_approved_on_one_side_only_can_be_superseded(desk: Desk) -> None:
    first = asked(Kind.POLICY_CHANGE, ACME, TWO, 50)
    desk.written(first)
    approved(desk, ACME, first)
    second = asked(Kind.POLICY_CHANGE, ACME, OTHER_TWO, 52, supersedes=first.request.digest)
    desk.written(second)
    approved(desk, ACME, second)
    late = asked(Kind.POLICY_ACCEPTANCE, TWO, TWO, 51)
    desk.written(late)
    approved(desk, TWO, late)
    assert desk.policies.newest.policy.version == 1, "the change that it accepts was superseded"
    other = asked(Kind.POLICY_ACCEPTANCE, OTHER_TWO, OTHER_TWO, 53, supersedes=late.request.digest)
    desk.written(other)
    approved(desk, OTHER_TWO, other)
    assert desk.policies.newest.digest == OTHER_TWO.policy.digest


def test_two_proposals_are_not_open_at_once_unless_one_supersedes(desk: Desk) -> None:
    desk.written(asked(Kind.POLICY_CHANGE, ACME, TWO, 50))
    (refused,) = desk.write(asked(Kind.POLICY_CHANGE, ACME, OTHER_TWO, 52))
    assert isinstance(refused, OpenCeremonyExistsError)


def test_what_is_open_about_the_next_version_ends_when_another_takes_its_place(desk: Desk) -> None:
    change(desk, ACME, TWO)
    stale = asked(Kind.POLICY_CHANGE, TWO, THREE, 60)
    desk.written(stale)
    open_one = asked(Kind.POLICY_ACCEPTANCE, THREE, THREE, 61)
    desk.written(open_one)
    rival = next_version(TWO, clock_skew=timedelta(minutes=5))
    winner = asked(Kind.POLICY_CHANGE, TWO, rival, 62, supersedes=stale.request.digest)
    desk.written(winner)
    approved(desk, TWO, winner)
    taken = asked(Kind.POLICY_ACCEPTANCE, rival, rival, 63, supersedes=open_one.request.digest)
    desk.written(taken)
    approved(desk, rival, taken)
    assert desk.policies.newest.digest == rival.policy.digest
    assert chain_of(desk, open_one).ceremony.state is State.SUPERSEDED


def test_two_coordinators_adopt_one_policy_once(workshop: Workshop, desk: Desk) -> None:
    other = workshop.desk()
    given, taken = asked(Kind.POLICY_CHANGE, ACME, TWO, 50), asked(Kind.POLICY_ACCEPTANCE, TWO, TWO, 51)
    desk.written(given)
    other.written(taken)
    for one, under, start, signer in (
        (other, ACME, given, "alice"),
        (desk, TWO, taken, "carol"),
        (desk, ACME, given, "carol"),
        (other, TWO, taken, "alice"),
    ):
        one.written(approve(under, start, signer))
    assert desk.types().count("policy") == 2
    late = workshop.start()
    for each in (desk, other):
        (refused,) = each.write(late)
        assert isinstance(refused, OldPolicyError)
        assert each.policies.newest.digest == TWO.policy.digest


MINE = next_version(ACME, clock_skew=timedelta(minutes=6))


def rejected(desk: Desk, start: Start) -> None:
    statement = ACME.decision("carol", start.request, roles=["security"], choice=Choice.REJECTION)
    decision = ACME.sign_decision(statement)
    desk.written(Act(ceremony=start.request.statement.ceremony, command=Record(decision)))


def test_a_proposal_that_was_rejected_is_accepted_by_nobody_any_more(desk: Desk) -> None:
    refused = asked(Kind.POLICY_CHANGE, ACME, MINE, 50)
    desk.written(refused)
    rejected(desk, refused)
    given = asked(Kind.POLICY_CHANGE, ACME, TWO, 52, supersedes=refused.request.digest)
    desk.written(given)
    taken = asked(Kind.POLICY_ACCEPTANCE, TWO, TWO, 53)
    desk.written(taken)
    (outcome,) = desk.write(asked(Kind.POLICY_ACCEPTANCE, MINE, MINE, 54, supersedes=taken.request.digest))
    assert isinstance(outcome, ProposalError)
    assert chain_of(desk, taken).ceremony.state is State.OPEN


def test_an_acceptance_of_other_bytes_holds_up_no_policy_that_both_sides_approved(desk: Desk) -> None:
    rival = asked(Kind.POLICY_CHANGE, ACME, MINE, 50)
    desk.written(rival)
    accepted = asked(Kind.POLICY_ACCEPTANCE, MINE, MINE, 51)
    desk.written(accepted)
    given = asked(Kind.POLICY_CHANGE, ACME, TWO, 52, supersedes=rival.request.digest)
    desk.written(given)
    taken = asked(Kind.POLICY_ACCEPTANCE, TWO, TWO, 53, supersedes=accepted.request.digest)
    desk.written(taken)
    approved(desk, TWO, taken)
    again = asked(Kind.POLICY_CHANGE, ACME, MINE, 54, supersedes=given.request.digest)
    desk.written(again)
    late = asked(Kind.POLICY_ACCEPTANCE, MINE, MINE, 55, supersedes=taken.request.digest)
    desk.written(late)
    approved(desk, MINE, late)
    last = asked(Kind.POLICY_CHANGE, ACME, TWO, 56, supersedes=again.request.digest)
    desk.written(last)
    approved(desk, ACME, last)
    assert desk.policies.newest.digest == TWO.policy.digest

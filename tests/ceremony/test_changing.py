# SPDX-License-Identifier: Apache-2.0
"""What may be proposed, and when two ceremonies make a policy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.chain import open_chain, replay_chain
from quorumseal.ceremony.changing import check_change, policy_adopted_by
from quorumseal.ceremony.policy import POLICY, Kind, Log, LogKey, Policy
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.statements import Locator, Request, Subject
from quorumseal.ceremony.values import digest_of
from tests.changing import Side, both_sides, decided, next_version, policy_request
from tests.organisation import NOW, Organisation, key_of

ONE = Organisation()
TWO = next_version(ONE, clock_skew=timedelta(minutes=3))
CHANGE, ACCEPTANCE = both_sides(ONE, TWO)


def proposed(edit: Callable[[Policy], Policy]) -> None:
    """Propose an edited version 2, as a request that is about exactly these bytes."""
    payload = write_policy(edit(TWO.build_policy()))
    request = replace(
        policy_request(Kind.POLICY_CHANGE, ONE, TWO, number=1, requester="alice"),
        subjects=(Subject(name=POLICY, digest=digest_of(payload)),),
    )
    open_chain(ONE.policy, ONE.sign_request(request), at=NOW, proposed=payload)


def test_what_follows_the_policy_in_force_is_proposed_and_replays() -> None:
    proposed(lambda policy: policy)
    again = replay_chain([entry.payload for entry in CHANGE.entries], ONE.policy)
    assert again == CHANGE.chain
    assert again.ceremony.proposed == TWO.policy.payload


@pytest.mark.parametrize(
    "edit",
    [
        lambda policy: replace(policy, version=1),
        lambda policy: replace(policy, version=3),
        lambda policy: replace(policy, previous=digest_of(b"another")),
        lambda policy: replace(policy, organisation="other.example"),
        lambda policy: replace(policy, log=replace(policy.log, origin="log.other.example")),
        lambda policy: replace(policy, log=Log(origin=ONE.origin, keys=(_log_key("other"),))),
        lambda policy: replace(policy, drill=True),
        lambda policy: replace(policy, expires=NOW),
    ],
)
def test_anything_else_is_no_proposal(edit: Callable[[Policy], Policy]) -> None:
    with pytest.raises((request_errors.ProposalError, errors.LogSuccessionError)):
        proposed(edit)


def _log_key(name: str) -> LogKey:
    return LogKey(key=key_of(name).public, from_size=0)


def test_a_change_brings_exactly_the_bytes_that_it_is_about_and_nothing_else_brings_any() -> None:
    change = ONE.sign_request(policy_request(Kind.POLICY_CHANGE, ONE, TWO, number=1, requester="alice"))
    for payload in (None, TWO.policy.payload + b" "):
        with pytest.raises(request_errors.ProposalError):
            open_chain(ONE.policy, change, at=NOW, proposed=payload)
    acceptance = TWO.sign_request(
        policy_request(Kind.POLICY_ACCEPTANCE, TWO, TWO, number=2, requester="alice")
    )
    for organisation, request in ((ONE, ONE.sign_request()), (TWO, acceptance)):
        with pytest.raises(request_errors.ProposalError, match="nowhere else"):
            open_chain(organisation.policy, request, at=NOW, proposed=TWO.policy.payload)


@pytest.mark.parametrize("kind", [Kind.POLICY_CHANGE, Kind.POLICY_ACCEPTANCE])
@pytest.mark.parametrize(
    "edit",
    [
        lambda request: replace(request, product="widget"),
        lambda request: replace(request, version="7"),
        lambda request: replace(request, subjects=(replace(request.subjects[0], name="other"),)),
        lambda request: replace(request, on_behalf_of="rita"),
        lambda request: replace(request, locators=(Locator(name=POLICY, uri="https://acme.example/"),)),
    ],
)
def test_a_request_about_a_policy_says_which_and_nothing_of_releases(
    kind: Kind, edit: Callable[[Request], Request]
) -> None:
    under = ONE if kind is Kind.POLICY_CHANGE else TWO
    request = policy_request(kind, under, TWO, number=1, requester="alice")
    assert read_statement(write_statement(request)) == request
    with pytest.raises(errors.StatementFormatError):
        read_statement(write_statement(edit(request)))


def test_an_acceptance_is_of_the_policy_that_it_is_under() -> None:
    request = policy_request(Kind.POLICY_ACCEPTANCE, TWO, TWO, number=1, requester="alice")
    other = (Subject(name=POLICY, digest=ONE.policy.digest),)
    with pytest.raises(errors.StatementFormatError, match="the policy that it is under"):
        read_statement(write_statement(replace(request, subjects=other)))


def test_whoever_asks_for_a_policy_counts_too() -> None:
    assert CHANGE.chain.ceremony.request.signer == "alice"
    seats = CHANGE.chain.ceremony.seats(at=CHANGE.chain.last_at)
    assert seats == (("engineering", ("alice",)), ("security", ("carol",)))


def test_both_sides_agree_on_one_policy() -> None:
    adopted = policy_adopted_by(CHANGE.chain.ceremony, ACCEPTANCE.chain.ceremony)
    assert adopted is not None
    assert (adopted.digest, adopted.signers) == (TWO.policy.digest, ("alice", "carol"))
    assert adopted.ceremonies == (CHANGE.chain.id, ACCEPTANCE.chain.id)
    check_change(adopted, ONE.policy, CHANGE.chain.ceremony, ACCEPTANCE.chain.ceremony)
    assert policy_adopted_by(ACCEPTANCE.chain.ceremony, CHANGE.chain.ceremony) is None


OTHER_TWO = next_version(ONE, clock_skew=timedelta(minutes=4))
OPEN = decided(Kind.POLICY_CHANGE, ONE, TWO, ["alice"], number=5)


@pytest.mark.parametrize(
    ("change", "acceptance"),
    [
        (ACCEPTANCE, CHANGE),
        (CHANGE, CHANGE),
        (both_sides(ONE, OTHER_TWO)[0], ACCEPTANCE),
        (CHANGE, both_sides(ONE, OTHER_TWO)[1]),
        (OPEN, ACCEPTANCE),
    ],
)
def test_two_ceremonies_that_do_not_belong_together_make_no_policy(change: Side, acceptance: Side) -> None:
    with pytest.raises(errors.PolicyUnsignedError):
        check_change(TWO.policy, ONE.policy, change.chain.ceremony, acceptance.chain.ceremony)


def test_the_change_is_under_the_policy_in_force() -> None:
    three = next_version(TWO)
    for under in (TWO.policy, three.policy):
        with pytest.raises(errors.PolicyUnsignedError, match="under policy version"):
            check_change(TWO.policy, under, CHANGE.chain.ceremony, ACCEPTANCE.chain.ceremony)

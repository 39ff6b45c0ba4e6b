# SPDX-License-Identifier: Apache-2.0
"""A ceremony made again from signed files: the rules of the log, at the clocks of those who signed."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.chain import Chain, open_chain
from quorumseal.ceremony.commands import Extend, Record, Stop
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Request, Statement
from quorumseal.ceremony.values import digest_of
from quorumseal.offline.assembling import Assembled, assemble, read_statements
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from quorumseal.verifier.errors import LapsedError, ProvisionalError, UnloggedError, UnloggedTooLateError
from quorumseal.verifier.standing import Standing, Terms
from quorumseal.verifier.verify import Verified, verify
from tests.burning import BURNING, DAY, HOUR, MINUTE, WINDOW, emergency_request, extends, joins, vetoes
from tests.organisation import ARTIFACT, NOW, Organisation
from tests.simulated_log import SimulatedLog

ACME = Organisation()
ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
QUORUM = ("alice", "erin", "carol", "dan")
LATER = NOW + HOUR


def said(
    *signers: str,
    choice: Choice = Choice.APPROVAL,
    acme: Organisation = ACME,
    request: Signed[Request] | None = None,
    at: datetime = NOW + MINUTE,
) -> list[Envelope]:
    """Return what people sign, a minute apart."""
    request = request or acme.sign_request()
    return [
        acme.seal(acme.decision(signer, request, choice, at=at + MINUTE * minute))
        for minute, signer in enumerate(signers)
    ]


def assembled(
    envelopes: Sequence[Envelope],
    *,
    acme: Organisation = ACME,
    request: Request | None = None,
    now: datetime = LATER,
) -> Assembled:
    signed = acme.sign_request(request)
    return assemble(acme.policy, signed, read_statements(envelopes, acme.policy), now=now)


def verified(
    made: Assembled,
    acme: Organisation = ACME,
    *,
    now: datetime = LATER,
    allow_unlogged: bool = True,
    allow_provisional: bool = False,
) -> Verified:
    terms = Terms(now=now, allow_unlogged=allow_unlogged, allow_provisional=allow_provisional)
    return verify(made.bundle(), SimulatedLog(acme).trust, ARTIFACTS, terms=terms)


def test_a_quorum_of_files_makes_a_bundle_that_is_unlogged() -> None:
    made = assembled(said(*QUORUM))
    assert made.released
    verdict = verified(made)
    assert verdict.standing is Standing.UNLOGGED
    assert verdict.approved_at == NOW + MINUTE * 4
    assert verdict.seats["engineering"] == ("alice", "erin")


def test_an_unlogged_bundle_is_refused_unless_asked_for_and_after_its_hard_stop_always() -> None:
    made = assembled(said(*QUORUM))
    with pytest.raises(UnloggedError):
        verified(made, allow_unlogged=False)
    hard_stop = made.chain.ceremony.request.statement.hard_stop
    assert verified(made, now=hard_stop - timedelta(milliseconds=1)).standing is Standing.UNLOGGED
    with pytest.raises(UnloggedTooLateError):
        verified(made, now=hard_stop)


def test_whoever_assembles_whichever_way_round_makes_the_same_bytes() -> None:
    envelopes = said(*QUORUM)
    bundles = {assembled([*order, order[0]]).bundle() for order in itertools.permutations(envelopes)}
    assert len(bundles) == 1


def test_an_open_ceremony_is_shown_as_far_as_it_is() -> None:
    made = assembled(said("alice", "carol"))
    assert (made.released, made.chain.ceremony.state) == (False, State.OPEN)
    tally = made.chain.ceremony.tally(at=LATER)
    assert {role.role: role.missing for role in tally.roles} == {
        "engineering": 1,
        "security": 0,
        "release": 1,
    }


def test_the_deadline_ends_it_though_nobody_runs_a_clock() -> None:
    made = assembled(said("alice"), now=NOW + DAY)
    assert made.chain.ceremony.state is State.EXPIRED
    assert made.chain.last_at == NOW + DAY


def test_an_approval_that_nobody_needs_is_left_out_and_named() -> None:
    made = assembled(said(*QUORUM, "bob"))
    assert [approval.signer for approval in made.left_out] == ["bob"]
    assert "bob" not in verified(made).seats["engineering"]


@pytest.mark.parametrize("choice", [Choice.REJECTION, Choice.ABSTENTION])
def test_no_bundle_is_made_over_the_head_of_whoever_said_no_after_the_quorum(choice: Choice) -> None:
    later = said("bob", choice=choice, at=NOW + MINUTE * 30)
    with pytest.raises(errors.CeremonyEndedError, match=f"{choice} of bob"):
        assembled([*said(*QUORUM), *later])


def test_a_rejection_before_the_quorum_ends_it() -> None:
    made = assembled([*said("bob", choice=Choice.REJECTION, at=NOW), *said(*QUORUM)])
    assert made.chain.ceremony.state is State.REJECTED
    assert not made.released


def test_a_signer_may_change_their_mind_where_both_statements_are_there() -> None:
    acme = Organisation(veto=frozenset({"release"}))
    request = acme.sign_request()
    first = acme.seal(acme.decision("alice", request, Choice.REJECTION, at=NOW + MINUTE))
    replaced = acme.decision("alice", request, at=NOW + MINUTE * 2, replaces=digest_of(first.payload))
    rest = [acme.seal(replaced), *said("erin", "carol", "dan", acme=acme, at=NOW + MINUTE * 3)]
    assert "alice" in verified(assembled([first, *rest], acme=acme), acme).seats["engineering"]
    with pytest.raises(errors.ReplacesError):
        assembled(rest, acme=acme)


REFUSED: dict[str, tuple[type[Refusal], list[Envelope]]] = {
    "a decision about another ceremony": (
        errors.OtherCeremonyError,
        said("alice", request=ACME.sign_request(ACME.request(number=2))),
    ),
    "a decision about another request of the same ceremony": (
        errors.OtherRequestError,
        said("alice", request=ACME.sign_request(ACME.request(version="1.1"))),
    ),
    "another request in the place of a decision": (
        errors.StatementFormatError,
        [ACME.seal(ACME.request())],
    ),
    "a decision under another policy": (
        errors.OtherPolicyError,
        said("alice", acme=Organisation(quorum={"engineering": 1})),
    ),
    "a decision of the requester": (
        errors.RequesterDecidesError,
        [ACME.seal(ACME.decision("mallory", ACME.sign_request(), roles=["engineering"]))],
    ),
    "a decision in a role that the signer does not hold": (
        errors.NotAMemberError,
        [ACME.seal(ACME.decision("alice", ACME.sign_request(), roles=["security"]))],
    ),
    "a decision that somebody else's key signed": (
        errors.StatementSignatureError,
        [ACME.seal(ACME.decision("alice", ACME.sign_request()), key=ACME.key("bob"))],
    ),
    "a decision signed before the request": (
        errors.SignedBeforeOpeningError,
        said("alice", at=NOW - MINUTE * 3),
    ),
    "a decision dated ahead of this machine": (
        errors.SignedInFutureError,
        said("alice", at=LATER + MINUTE * 3),
    ),
    "a decision after its own end": (
        errors.NotAfterPassedError,
        [ACME.seal(ACME.decision("alice", ACME.sign_request(), at=NOW + MINUTE, not_after=NOW))],
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_rules_refuse_refuses_the_whole(what: str) -> None:
    refusal, envelopes = REFUSED[what]
    with pytest.raises(refusal):
        assembled([*said("erin", "carol", "dan"), *envelopes])


def test_a_request_that_opens_nothing_opens_nothing_here() -> None:
    with pytest.raises(request_errors.RequesterNotAllowedError):
        assembled([], request=ACME.request(requester="alice"))
    with pytest.raises(errors.SignedInFutureError):
        assembled([], now=NOW - MINUTE * 3)


def burning(*more: Envelope, joined: Sequence[str] = ("alice", "carol"), now: datetime = LATER) -> Assembled:
    request = emergency_request(deadline=HOUR * 2)
    envelopes = [*said(*joined, acme=BURNING, request=BURNING.sign_request(request)), *more]
    return assembled(envelopes, acme=BURNING, request=request, now=now)


def chain_of_emergency() -> Chain:
    request = BURNING.sign_request(emergency_request(deadline=HOUR * 2))
    return open_chain(BURNING.policy, request, at=NOW)[0]


def envelope_of(command: Record | Stop | Extend) -> Envelope:
    match command:
        case Record(signed) | Stop(signed) | Extend(signed):
            return signed.envelope


def test_an_emergency_in_files_waits_for_its_veto_window_to_pass() -> None:
    joined = NOW + MINUTE * 2
    waiting = burning(now=joined + WINDOW - timedelta(milliseconds=1))
    assert (waiting.released, waiting.chain.ceremony.window_ends) == (False, joined + WINDOW)
    made = burning()
    assert made.chain.ceremony.state is State.PROVISIONAL
    assert made.chain.last_at == joined + WINDOW


def test_an_emergency_in_files_is_provisional_and_unlogged_at_once() -> None:
    made = burning()
    allowed = verified(made, BURNING, allow_provisional=True)
    assert allowed.standing is Standing.UNLOGGED
    with pytest.raises(ProvisionalError):
        verified(made, BURNING)
    with pytest.raises(UnloggedError):
        verified(made, BURNING, allow_provisional=True, allow_unlogged=False)
    with pytest.raises(UnloggedTooLateError):
        verified(made, BURNING, allow_provisional=True, now=NOW + HOUR * 3)
    with pytest.raises(LapsedError):
        verified(made, BURNING, allow_provisional=True, now=NOW + DAY * 3)


@pytest.mark.parametrize("joined", [("alice",), ("alice", "erin"), ("carol",)])
def test_the_floor_of_two_people_two_roles_and_a_guardian_holds_in_files_too(joined: Sequence[str]) -> None:
    assert not burning(joined=joined).released


def test_a_veto_within_the_window_stops_an_emergency_in_files() -> None:
    veto = envelope_of(vetoes(chain_of_emergency(), "dan", at=NOW + MINUTE * 5))
    assert burning(veto).chain.ceremony.state is State.REJECTED


def test_a_veto_after_the_window_is_refused_and_never_dropped() -> None:
    veto = envelope_of(vetoes(chain_of_emergency(), "dan", at=NOW + MINUTE * 30))
    with pytest.raises(errors.CeremonyEndedError, match="veto of dan"):
        burning(veto)


def test_who_joins_after_the_window_is_left_out_and_named() -> None:
    chain = chain_of_emergency()
    late = envelope_of(joins(chain, "erin", at=NOW + MINUTE * 30))
    assert [each.signer for each in burning(late).left_out] == ["erin"]


def test_deadlines_are_extended_in_the_log_alone() -> None:
    chain = chain_of_emergency()
    with pytest.raises(errors.StatementFormatError, match="got a signed extension"):
        burning(envelope_of(extends(chain, "rita", NOW + HOUR * 2 + MINUTE, at=NOW)))


def test_a_cancellation_ends_it() -> None:
    chain, _ = ACME.run()
    cancelled = ACME.seal(ACME.cancellation("mallory", chain, at=NOW + MINUTE))
    assert assembled([cancelled, *said(*QUORUM, at=NOW + MINUTE * 2)]).chain.ceremony.state is State.CANCELLED


def statements(*envelopes: Envelope) -> tuple[Signed[Statement], ...]:
    return read_statements(envelopes, ACME.policy)


def test_statements_come_in_the_order_of_their_signing_each_once() -> None:
    envelopes = said(*QUORUM)
    assert [each.signer for each in statements(*reversed(envelopes), *envelopes)] == [*QUORUM]

# SPDX-License-Identifier: Apache-2.0
"""What each command does in each state: tables, with the illegal move changing nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Command, Expire, Record, Supersede
from quorumseal.ceremony.deciding import decide
from quorumseal.ceremony.decisions import MOST_DECISIONS
from quorumseal.ceremony.events import DecisionRecorded, Event, LateDecisionRecorded, QuorumReached
from quorumseal.ceremony.lifecycle import TRANSITIONS, State, apply, replay
from quorumseal.ceremony.opening import open_ceremony
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice, Decision, Request
from tests.burning import BURNING, run_emergency
from tests.organisation import NOW, SUBJECTS, Organisation, changed

ACME = BURNING
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def open_widget(organisation: Organisation = ACME) -> Chain:
    return organisation.run()[0]


def record(
    chain: Chain,
    signer: str,
    choice: Choice = Choice.APPROVAL,
    *,
    organisation: Organisation = ACME,
    **fields: object,
) -> Record:
    decision = organisation.decision(signer, chain.ceremony.request, choice)
    return Record(organisation.sign_decision(replace(decision, **fields)))  # type: ignore[arg-type] # by the caller


def test_the_last_missing_approval_reaches_the_quorum() -> None:
    chain, _ = ACME.run("alice", "bob", "carol")
    assert chain.ceremony.state is State.OPEN
    events = decide(chain.ceremony, record(chain, "rita"), at=NOW + MINUTE)
    assert [type(event) for event in events] == [DecisionRecorded, QuorumReached]
    assert isinstance(events[1], QuorumReached)
    assert events[1].seats == (
        ("engineering", ("alice", "bob")),
        ("security", ("carol",)),
        ("release", ("rita",)),
    )
    ended = replay(chain.ceremony, events)
    assert ended.state is State.APPROVED
    assert ended.ended_at == NOW + MINUTE


def test_one_person_with_two_roles_fills_one_seat() -> None:
    chain, _ = ACME.run("alice", "bob", "rita")
    assert chain.ceremony.state is State.OPEN


@pytest.mark.parametrize(
    ("why", "at", "state", "counted"),
    [
        ("a minute before", DAY - MINUTE, State.OPEN, True),
        ("a millisecond before", DAY - timedelta(milliseconds=1), State.OPEN, True),
        ("the very instant", DAY, State.EXPIRED, False),
        ("a minute after", DAY + MINUTE, State.EXPIRED, False),
    ],
)
def test_approval_at_the_deadline_expires_the_ceremony(
    why: str, at: timedelta, state: State, counted: bool
) -> None:
    chain = open_widget()
    after = replay(chain.ceremony, decide(chain.ceremony, record(chain, "alice"), at=NOW + at))
    assert after.state is state, why
    assert ("alice" in after.decisions) is counted
    assert ("alice" in after.late) is not counted


def test_a_late_decision_is_recorded_once_and_the_next_is_told_that_it_ended() -> None:
    chain = open_widget()
    late = NOW + DAY
    expired = replay(chain.ceremony, decide(chain.ceremony, Expire(), at=late))
    first = record(chain, "alice")
    events = decide(expired, first, at=late)
    assert [type(event) for event in events] == [LateDecisionRecorded]
    after = replay(expired, events)
    assert decide(after, first, at=late) == ()
    with pytest.raises(errors.CeremonyEndedError):
        decide(after, record(chain, "alice", not_after=NOW + DAY * 2), at=late)


def test_a_late_decision_of_a_stranger_is_not_recorded() -> None:
    chain = open_widget()
    with pytest.raises(errors.RequesterDecidesError):
        decide(chain.ceremony, record(chain, "mallory", roles=frozenset({"release"})), at=NOW + DAY)


def test_the_same_bytes_again_change_nothing() -> None:
    chain, _ = ACME.run("alice")
    again = Record(chain.ceremony.decisions["alice"])
    assert decide(chain.ceremony, again, at=NOW + MINUTE) == ()


def test_the_same_bytes_again_after_the_end_change_nothing() -> None:
    chain, _ = ACME.run("alice", "bob", "carol", "rita")
    assert decide(chain.ceremony, Record(chain.ceremony.decisions["alice"]), at=NOW + MINUTE) == ()


def test_a_second_decision_replaces_the_standing_one() -> None:
    chain, _ = ACME.run("alice")
    standing = chain.ceremony.decisions["alice"].digest
    command = record(chain, "alice", Choice.ABSTENTION, replaces=standing)
    after = replay(chain.ceremony, decide(chain.ceremony, command, at=NOW + MINUTE))
    assert after.decisions["alice"].statement.choice is Choice.ABSTENTION
    assert standing in after.recorded
    assert after.consents(at=NOW + MINUTE) == {}


def test_nobody_changes_their_mind_without_end() -> None:
    chain, standing = open_widget(), None
    for number in range(MOST_DECISIONS):
        command = record(chain, "alice", Choice.ABSTENTION, replaces=standing)
        chain, _ = extend(chain, command, at=NOW + MINUTE)
        standing = chain.ceremony.decisions["alice"].digest
        assert chain.ceremony.counts == {"alice": number + 1}
    with pytest.raises(errors.TooManyDecisionsError):
        extend(chain, record(chain, "alice", replaces=standing), at=NOW + MINUTE)
    chain, _ = extend(chain, record(chain, "bob"), at=NOW + MINUTE)
    assert "bob" in chain.ceremony.decisions


def test_an_abstention_never_counts() -> None:
    chain, _ = ACME.run("alice", "bob", "carol")
    after = replay(
        chain.ceremony, decide(chain.ceremony, record(chain, "dan", Choice.ABSTENTION), at=NOW + MINUTE)
    )
    assert after.state is State.OPEN
    assert after.tally(at=NOW).awaited == ("rita",)


def test_an_approval_that_no_longer_stands_is_missing_again() -> None:
    chain = open_widget()
    until = NOW + timedelta(hours=1)
    for signer in ("alice", "bob", "carol"):
        not_after = until if signer == "alice" else None
        chain, _ = extend(chain, record(chain, signer, not_after=not_after), at=NOW + MINUTE)
    assert chain.ceremony.tally(at=until - MINUTE).awaited == ("dan", "rita")
    after = replay(chain.ceremony, decide(chain.ceremony, record(chain, "rita"), at=until))
    assert after.state is State.OPEN
    assert after.tally(at=until).awaited == ("alice", "erin")


@pytest.mark.parametrize(
    ("why", "veto", "rejecters", "state"),
    [
        ("a veto by default", None, ("alice",), State.REJECTED),
        ("a role without the veto", frozenset({"security"}), ("alice",), State.OPEN),
        ("a role with the veto", frozenset({"security"}), ("carol",), State.REJECTED),
        ("counted: enough are left", frozenset[str](), ("alice",), State.OPEN),
        ("counted: too few are left", frozenset[str](), ("alice", "erin"), State.REJECTED),
        ("no veto, but too few are left", frozenset({"security"}), ("alice", "erin"), State.REJECTED),
    ],
)
def test_a_rejection_ends_the_ceremony_as_the_rule_says(
    why: str, veto: frozenset[str] | None, rejecters: tuple[str, ...], state: State
) -> None:
    acme = changed(ACME, veto=veto)
    chain = open_widget(acme)
    for signer in rejecters:
        chain, _ = extend(chain, record(chain, signer, Choice.REJECTION, organisation=acme), at=NOW + MINUTE)
    assert chain.ceremony.state is state, why
    assert chain.ceremony.rejecters == frozenset(rejecters)


@dataclass(frozen=True)
class Wrong:
    """One field of an otherwise good decision of alice, and the refusal that it must get."""

    change: Callable[[Decision, Chain], Decision]
    refusal: type[errors.CeremonyError]


SECOND = ACME.run(request=ACME.sign_request(ACME.request(number=2, version="2.0")))[0]
WRONG: dict[str, Wrong] = {
    "another ceremony": Wrong(lambda d, _: replace(d, ceremony=SECOND.id), errors.OtherCeremonyError),
    "another request": Wrong(
        lambda d, _: replace(d, request=SECOND.ceremony.request.digest), errors.OtherRequestError
    ),
    "other artifacts": Wrong(
        lambda d, _: replace(d, subjects=(replace(SUBJECTS[0], digest="sha256:" + "0" * 64),)),
        errors.OtherSubjectsError,
    ),
    "one artifact more": Wrong(
        lambda d, _: replace(d, subjects=(*SUBJECTS, replace(SUBJECTS[0], name="more"))),
        errors.OtherSubjectsError,
    ),
    "an unknown role": Wrong(lambda d, _: replace(d, roles=frozenset({"managers"})), errors.UnknownRoleError),
    "somebody else's role": Wrong(
        lambda d, _: replace(d, roles=frozenset({"engineering", "security"})), errors.NotAMemberError
    ),
    "signed before the opening": Wrong(
        lambda d, _: replace(d, context=replace(d.context, signed_at=NOW - timedelta(minutes=3))),
        errors.SignedBeforeOpeningError,
    ),
    "signed at the deadline": Wrong(
        lambda d, _: replace(d, context=replace(d.context, signed_at=NOW + DAY)),
        errors.SignedAfterDeadlineError,
    ),
    "signed in the future": Wrong(
        lambda d, _: replace(d, context=replace(d.context, signed_at=NOW + timedelta(minutes=4))),
        errors.SignedInFutureError,
    ),
    "no longer standing": Wrong(lambda d, _: replace(d, not_after=NOW + MINUTE), errors.NotAfterPassedError),
    "replaces nothing that stands": Wrong(
        lambda d, _: replace(d, replaces="sha256:" + "0" * 64), errors.ReplacesError
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_decision_is_refused_and_nothing_has_changed(case: str) -> None:
    chain = open_widget()
    before = replace(chain.ceremony)
    decision = WRONG[case].change(ACME.decision("alice", chain.ceremony.request), chain)
    with pytest.raises(WRONG[case].refusal) as refused:
        extend(chain, Record(ACME.sign_decision(decision)), at=NOW + MINUTE)
    assert type(refused.value) is WRONG[case].refusal
    assert chain.ceremony == before


@pytest.mark.parametrize("requester", ["rita", "mallory"])
def test_the_requester_never_decides(requester: str) -> None:
    request = ACME.sign_request(ACME.request(requester=requester))
    chain, _ = ACME.run(request=request)
    with pytest.raises(errors.RequesterDecidesError):
        extend(chain, record(chain, requester, roles=frozenset({"release"})), at=NOW + MINUTE)


def test_the_person_behind_a_machine_never_decides() -> None:
    chain, _ = ACME.run(request=ACME.sign_request(ACME.request(requester="ci", on_behalf_of="dan")))
    for signer in ("ci", "dan"):
        with pytest.raises(errors.RequesterDecidesError):
            extend(chain, record(chain, signer, roles=frozenset({"release"})), at=NOW + MINUTE)
    assert "dan" not in chain.ceremony.tally(at=NOW).awaited


@pytest.mark.parametrize("outcome", [o for o in CheckOutcome if o is not CheckOutcome.PASS])
def test_a_demanded_check_must_have_passed(outcome: CheckOutcome) -> None:
    acme = changed(ACME, checks=frozenset({"artifacts"}))
    chain = open_widget(acme)
    checks = (Check(name="artifacts", outcome=outcome),)
    with pytest.raises(errors.CheckNotPassedError):
        extend(chain, record(chain, "alice", organisation=acme, checks=checks), at=NOW + MINUTE)
    chain, _ = extend(chain, record(chain, "alice", organisation=acme), at=NOW + MINUTE)
    assert "alice" in chain.ceremony.decisions


def test_a_key_that_ran_out_by_the_logs_clock_does_not_count() -> None:
    acme = changed(ACME, valid_until={"alice": NOW + timedelta(hours=2)})
    chain = open_widget(acme)
    with pytest.raises(errors.KeyNotValidError):
        extend(chain, record(chain, "alice", organisation=acme), at=NOW + timedelta(hours=2))


def test_a_second_decision_must_name_the_first() -> None:
    chain, _ = ACME.run("alice")
    with pytest.raises(errors.ReplacesError, match="replaces sha256:"):
        extend(chain, record(chain, "alice", Choice.ABSTENTION), at=NOW + MINUTE)


def _end(state: State) -> Chain:
    match state:
        case State.APPROVED:
            return ACME.run("alice", "bob", "carol", "rita")[0]
        case State.REJECTED:
            chain = open_widget()
            return extend(chain, record(chain, "alice", Choice.REJECTION), at=NOW)[0]
        case State.EXPIRED:
            return extend(open_widget(), Expire(), at=NOW + DAY)[0]
        case State.CANCELLED:
            chain = open_widget()
            return extend(chain, Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", chain))), at=NOW)[
                0
            ]
        case State.SUPERSEDED:
            return extend(open_widget(), Supersede("sha256:" + "1" * 64), at=NOW)[0]
        case State.PROVISIONAL:
            return run_emergency("alice", "carol")[0]
        case State.OPEN:
            return open_widget()


ENDED = [state for state in State if state is not State.OPEN]


@pytest.mark.parametrize("state", ENDED)
def test_a_ceremony_ends_once(state: State) -> None:
    chain = _end(state)
    assert chain.ceremony.state is state
    later = NOW + DAY * 2
    cancel = Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", chain)))
    refused: list[Command] = [cancel, Supersede("sha256:" + "2" * 64)]
    if state is not State.EXPIRED:
        refused.append(record(chain, "erin"))
    for command in refused:
        with pytest.raises((errors.CeremonyEndedError, errors.IllegalTransitionError)):
            extend(chain, command, at=later)
    assert extend(chain, Expire(), at=later) == (chain, ())


@pytest.mark.parametrize("state", State)
def test_only_the_moves_in_the_table_are_possible(state: State) -> None:
    ceremony = _end(state).ceremony
    every: set[type[Event]] = {event for moves in TRANSITIONS.values() for event in moves}
    for event in every - TRANSITIONS[state].keys():
        with pytest.raises(errors.IllegalTransitionError, match=f"got one that is {state}"):
            apply(ceremony, object.__new__(event))


def test_a_deadline_that_has_not_passed_is_not_due() -> None:
    with pytest.raises(errors.NotDueError):
        extend(open_widget(), Expire(), at=NOW + DAY - MINUTE)


@pytest.mark.parametrize("signer", ["mallory", "rita", "ci"])
def test_whoever_may_request_may_cancel(signer: str) -> None:
    chain = open_widget()
    cancelled, _ = extend(chain, Cancel(ACME.sign_cancellation(ACME.cancellation(signer, chain))), at=NOW)
    assert cancelled.ceremony.state is State.CANCELLED


def test_the_person_behind_a_machine_may_cancel() -> None:
    chain, _ = ACME.run(request=ACME.sign_request(ACME.request(requester="ci", on_behalf_of="erin")))
    cancelled, _ = extend(chain, Cancel(ACME.sign_cancellation(ACME.cancellation("erin", chain))), at=NOW)
    assert cancelled.ceremony.state is State.CANCELLED


def test_a_role_owner_cannot_cancel() -> None:
    chain = open_widget()
    with pytest.raises(errors.CancellationNotAllowedError):
        extend(chain, Cancel(ACME.sign_cancellation(ACME.cancellation("alice", chain))), at=NOW)


def test_a_cancellation_names_an_entry_of_this_ceremony() -> None:
    chain = open_widget()
    cancellation = replace(ACME.cancellation("mallory", chain), seen=SECOND.hashes[0])
    with pytest.raises(errors.EntryNotSeenError):
        extend(chain, Cancel(ACME.sign_cancellation(cancellation)), at=NOW)


def test_a_cancellation_at_the_deadline_finds_the_ceremony_expired() -> None:
    chain = open_widget()
    cancel = Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", chain)))
    assert extend(chain, cancel, at=NOW + DAY)[0].ceremony.state is State.EXPIRED


@pytest.mark.parametrize(
    ("why", "fields", "refusal"),
    [
        ("an unknown product", {"product": "unknown"}, request_errors.UnknownProductError),
        ("a requester without the role", {"requester": "alice"}, request_errors.RequesterNotAllowedError),
        ("a machine for nobody", {"requester": "ci"}, request_errors.OnBehalfOfError),
        (
            "a machine for a machine",
            {"requester": "ci", "on_behalf_of": "ci"},
            request_errors.OnBehalfOfError,
        ),
        ("a machine for a stranger", {"requester": "ci", "on_behalf_of": "zoe"}, errors.UnknownSignerError),
        ("a person for a person", {"on_behalf_of": "alice"}, request_errors.OnBehalfOfError),
        ("a deadline at the opening", {"deadline": timedelta()}, request_errors.DeadlineError),
        ("a deadline past the maximum", {"deadline": timedelta(days=8)}, request_errors.DeadlineError),
        (
            "signed long after it is logged",
            {"at": NOW + timedelta(minutes=3)},
            request_errors.OpeningTimeError,
        ),
        ("logged at its deadline", {"at": NOW - DAY}, request_errors.OpeningTimeError),
    ],
)
def test_a_request_that_may_not_open_is_refused(
    why: str, fields: dict[str, object], refusal: type[errors.CeremonyError]
) -> None:
    request = ACME.sign_request(ACME.request(**fields))  # type: ignore[arg-type] # by the table
    with pytest.raises(refusal) as refused:
        open_ceremony(ACME.policy.policy, request, at=NOW)
    assert type(refused.value) is refusal, why


def test_a_hard_stop_lies_before_the_policys_end() -> None:
    acme = changed(ACME, expires=NOW + timedelta(hours=23))
    with pytest.raises(request_errors.DeadlineError, match="policy expires"):
        open_ceremony(acme.policy.policy, acme.sign_request(acme.request()), at=NOW)


def test_a_deadline_after_the_hard_stop_is_refused() -> None:
    request: Request = replace(ACME.request(), hard_stop=NOW + timedelta(hours=1))
    with pytest.raises(request_errors.DeadlineError):
        open_ceremony(ACME.policy.policy, ACME.sign_request(request), at=NOW)


def test_a_request_without_whose_requester_nobody_could_agree_is_refused() -> None:
    acme = changed(ACME, roles={**ACME.roles, "release": ("rita",), "security": ("carol",)})
    request = acme.sign_request(acme.request(requester="rita"))
    with pytest.raises(request_errors.QuorumUnreachableError, match="without rita"):
        open_ceremony(acme.policy.policy, request, at=NOW)

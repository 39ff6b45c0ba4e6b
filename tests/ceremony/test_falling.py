# SPDX-License-Identifier: Apache-2.0
"""What a revoked key or a suspension does to an open ceremony, and to one that is asked for afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.ceremony import budget, errors
from quorumseal.ceremony.breaking_glass import awaited
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Begin, Cancel, Command, End, Expire, Record, Revoke, Suspend
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.falling import handed_on, in_force, losses
from quorumseal.ceremony.forecasting import forecast
from quorumseal.ceremony.helping import helpers, waiting
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.revoking import Revoked, read_revoked
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import Choice, Delegation, Request, StandingAct
from quorumseal.ceremony.suspending import Suspended, read_suspended
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey
from tests.burning import (
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    absence,
    delegation,
    emergency_request,
    extends,
    joins,
    reports,
    run_emergency,
    vetoes,
    withdrawal,
)
from tests.forging import relinked, verdict
from tests.losing import LOSING, by_guardian, by_owner, key_id, suspends
from tests.organisation import NOW, changed, told_by_clock

ALICE, MALLORY = key_id("alice"), key_id("mallory")
SPARE = LOSING.spare_key("alice")


def minute(number: int) -> datetime:
    return NOW + number * MINUTE


def revoked(owner: str, since: int) -> Revoked:
    guardians = [name for name in ("bob", "carol", "dan") if name != owner][:2]
    acts = [by_guardian(each, owner, since=minute(since)).envelope for each in guardians]
    return read_revoked(acts, [LOSING.policy], closed=True)


def suspended(person: str, until: datetime = NOW + HOUR) -> Suspended:
    guardians = [name for name in ("bob", "carol", "dan") if name != person][:2]
    acts = [suspends(each, person, until=until).envelope for each in guardians]
    return read_suspended(acts, [LOSING.policy])


class Course:
    """A ceremony that grows, and all of its entries."""

    def __init__(self, request: Request | None = None, **opening: object) -> None:
        signed = LOSING.sign_request(request)
        self.chain, entry = open_chain(LOSING.policy, signed, at=NOW, **opening)  # type: ignore[arg-type] # tests
        self.entries: list[Entry] = [entry]

    def does(self, command: Command, at: datetime) -> str:
        """Return the types of the entries that this made."""
        self.chain, more = extend(self.chain, command, at=at)
        self.entries += more
        return " ".join(str(entry.type) for entry in more)

    def decides(
        self,
        signer: str,
        at: datetime,
        *,
        choice: Choice = Choice.APPROVAL,
        key: PrivateKey | None = None,
        proved_at: datetime | None = None,
        given: Signed[Delegation] | None = None,
    ) -> str:
        standing = self.chain.ceremony.decisions.get(signer)
        decision = LOSING.decision(
            signer,
            self.chain.ceremony.request,
            choice,
            at=proved_at or at,
            roles=[given.statement.role] if given else None,
            replaces=standing.digest if standing else None,
        )
        if given:
            decision = replace(decision, delegation=given.digest)
        return self.does(Record(LOSING.sign(decision, key=key), told_by_clock(proved_at)), at)

    @property
    def standing(self) -> list[str]:
        """Whose decision stands."""
        return sorted(self.chain.ceremony.decisions)

    def replays(self) -> bool:
        """Whether whoever has the entries comes to the same."""
        return replay_chain([e.payload for e in self.entries], LOSING.policy) == self.chain


def test_what_the_key_signed_since_then_falls_and_what_it_signed_before_stands() -> None:
    for since, stands in ((0, False), (1, False), (2, True)):
        course = Course()
        course.decides("alice", minute(1))
        course.decides("bob", minute(2))
        assert course.does(Revoke(revoked("alice", since)), minute(5)) == "key-revoked"
        assert course.standing == (["alice", "bob"] if stands else ["bob"])
        assert course.replays()


def test_an_approval_that_fell_is_needed_again_and_comes_by_another_key() -> None:
    course = Course()
    for number, signer in enumerate(("alice", "bob", "carol"), start=1):
        course.decides(signer, minute(number))
    course.does(Revoke(revoked("alice", 0)), minute(5))
    assert course.decides("dan", minute(6)) == "decided", "it would have been approved"
    with pytest.raises(errors.KeyRevokedError):
        course.decides("alice", minute(7))
    assert course.decides("alice", minute(8), key=SPARE) == "decided approved"
    assert course.replays()


def test_a_revocation_that_moves_earlier_reaches_what_counted_until_then() -> None:
    course = Course()
    course.decides("alice", minute(1))
    course.does(Revoke(revoked("alice", 3)), minute(5))
    assert course.standing == ["alice"]
    course.does(Revoke(revoked("alice", 1)), minute(6))
    assert course.standing == []
    assert course.replays()


def test_what_is_proved_to_be_from_before_counts_though_it_is_logged_afterwards() -> None:
    course = Course()
    course.does(Revoke(revoked("alice", 3)), minute(5))
    for proved_at in (None, minute(3), minute(4)):
        with pytest.raises(errors.KeyRevokedError):
            course.decides("alice", minute(6), proved_at=proved_at)
    course.decides("alice", minute(6), proved_at=minute(2))
    assert course.standing == ["alice"]
    course.does(Revoke(revoked("alice", 2)), minute(7))
    assert course.standing == []


def test_what_a_deputy_decided_by_a_delegation_of_the_key_falls_with_it() -> None:
    given = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
    for since, standing in ((1, []), (2, ["frank"])):
        course = Course(delegations=(given,))
        course.decides("frank", minute(1), given=given)
        course.does(Revoke(revoked("alice", since)), minute(5))
        assert course.standing == standing
        assert course.chain.ceremony.delegations == {}
        assert course.replays()
    again = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING, number=2))
    course = Course(revoked=(revoked("alice", 0),))
    with pytest.raises(errors.KeyRevokedError):
        course.does(Begin(again), NOW)


def test_whoever_is_suspended_decides_again_afterwards() -> None:
    course = Course()
    course.decides("alice", minute(1))
    assert course.does(Suspend(suspended("alice")), minute(2)) == "suspended"
    assert course.standing == []
    with pytest.raises(errors.SignerSuspendedError):
        course.decides("alice", minute(3))
    assert "alice" not in course.chain.ceremony.tally(at=minute(3)).awaited
    assert "alice" in course.chain.ceremony.tally(at=NOW + HOUR).awaited
    course.decides("alice", NOW + HOUR)
    assert course.standing == ["alice"]
    assert course.replays()


def test_a_suspension_between_an_approval_and_the_conclusion_reopens_the_need() -> None:
    course = Course()
    for number, signer in enumerate(("alice", "bob", "carol"), start=1):
        course.decides(signer, minute(number))
    course.does(Suspend(suspended("carol")), minute(5))
    assert course.decides("rita", minute(6)) == "decided"
    assert course.chain.ceremony.state is State.OPEN
    assert course.decides("carol", NOW + HOUR) == "decided approved"
    assert course.replays()


def test_nobody_stands_in_for_somebody_who_is_suspended() -> None:
    given = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
    course = Course(delegations=(given,))
    course.decides("frank", minute(1), given=given)
    course.does(Suspend(suspended("alice")), minute(2))
    assert course.standing == []
    with pytest.raises(errors.SignerSuspendedError):
        course.decides("frank", minute(3), given=given)
    course.decides("frank", NOW + HOUR, given=given)
    assert course.standing == ["frank"]


def test_a_longer_suspension_follows_and_nothing_else_does() -> None:
    course = Course()
    course.does(Suspend(suspended("alice")), minute(1))
    for until, refusal in (
        (NOW + HOUR, errors.SuspensionShorterError),
        (NOW, errors.StandingTimeError),
    ):
        with pytest.raises(refusal):
            course.does(Suspend(suspended("alice", until)), minute(2))
    course.does(Suspend(suspended("alice", NOW + HOUR * 2)), minute(2))
    assert course.chain.ceremony.is_suspended("alice", at=NOW + HOUR)


def test_an_emergency_that_loses_somebody_waits_anew_and_one_with_enough_goes_on() -> None:
    for name, loss in (
        ("key-revoked window-broken", Revoke(revoked("alice", 0))),
        ("suspended window-broken", Suspend(suspended("alice"))),
        ("key-revoked", Revoke(revoked("erin", 0))),
        ("suspended", Suspend(suspended("erin"))),
    ):
        course = Course(emergency_request(LOSING))
        course.does(joins(course.chain, "alice", acme=LOSING, at=minute(1)), minute(1))
        course.does(joins(course.chain, "carol", acme=LOSING, at=minute(2)), minute(2))
        assert course.chain.ceremony.window_ends is not None
        assert course.does(loss, minute(3)) == name
        assert (course.chain.ceremony.window_ends is None) is name.endswith("broken")
        assert course.replays()


def test_when_the_window_is_over_it_is_too_late() -> None:
    course = Course(emergency_request(LOSING))
    for number, signer in enumerate(("alice", "carol"), start=1):
        course.does(joins(course.chain, signer, acme=LOSING, at=minute(number)), minute(number))
    assert course.does(Revoke(revoked("alice", 0)), minute(3) + WINDOW) == "provisional"


def test_a_request_that_fell_gathers_nothing_any_more() -> None:
    course = Course()
    for number, signer in enumerate(("alice", "bob", "carol"), start=1):
        course.decides(signer, minute(number))
    course.does(Revoke(revoked("mallory", 0)), minute(5))
    assert course.chain.ceremony.request_fell
    assert not course.chain.ceremony.tally(at=minute(5)).seats["engineering"]
    with pytest.raises(errors.RequestKeyRevokedError):
        course.decides("dan", minute(6))
    assert course.decides("dan", minute(6), choice=Choice.REJECTION) == "decided rejected"
    assert course.replays()


def test_an_emergency_whose_request_fell_never_ends_provisional() -> None:
    course = Course(emergency_request(LOSING))
    for number, signer in enumerate(("alice", "carol"), start=1):
        course.does(joins(course.chain, signer, acme=LOSING, at=minute(number)), minute(number))
    assert course.does(Revoke(revoked("mallory", 0)), minute(3)) == "key-revoked window-broken"


def test_a_request_from_before_stays() -> None:
    course = Course()
    course.does(Revoke(revoked("mallory", 1)), minute(5))
    assert not course.chain.ceremony.request_fell
    with pytest.raises(errors.KeyRevokedError):
        course.does(
            Cancel(LOSING.sign(LOSING.cancellation("mallory", course.chain, at=minute(6)))), minute(6)
        )


def test_somebody_who_is_out_does_nothing_else_either() -> None:
    course = Course(emergency_request(LOSING))
    course.does(Suspend(suspended("erin")), minute(1))
    course.does(Revoke(revoked("alice", 0)), minute(1))
    at = minute(2)
    for command, refusal in (
        (vetoes(course.chain, "erin", acme=LOSING, at=at), errors.SignerSuspendedError),
        (vetoes(course.chain, "alice", acme=LOSING, at=at), errors.KeyRevokedError),
    ):
        with pytest.raises(refusal):
            course.does(command, at)
    extender = changed(LOSING, extenders=frozenset({"release"}))
    request = replace(extender.request(), hard_stop=NOW + DAY * 3)
    chain, _ = open_chain(extender.policy, extender.sign_request(request), at=NOW)
    rita = [suspends(each, "rita", acme=extender).envelope for each in ("bob", "carol")]
    chain, _ = extend(chain, Suspend(read_suspended(rita, [extender.policy])), at=at)
    with pytest.raises(errors.SignerSuspendedError):
        extend(chain, extends(chain, "rita", NOW + DAY * 2, acme=extender, at=at), at=at)


def test_a_report_and_a_late_decision_are_refused_like_any_other() -> None:
    chain, _ = run_emergency("alice", "carol", acme=LOSING)
    assert chain.ceremony.state is State.PROVISIONAL
    out, _ = open_chain(
        LOSING.policy,
        LOSING.sign_request(emergency_request(LOSING)),
        at=NOW,
        suspended=(suspended("erin", NOW + DAY * 9),),
    )
    for number, signer in enumerate(("alice", "carol"), start=1):
        out, _ = extend(out, joins(out, signer, acme=LOSING, at=minute(number)), at=minute(number))
    at = minute(3) + WINDOW
    out, _ = extend(out, Expire(), at=at)
    with pytest.raises(errors.SignerSuspendedError):
        extend(out, reports(out, "erin", acme=LOSING, at=at), at=at)
    course = Course(suspended=(suspended("alice", NOW + DAY * 9),))
    with pytest.raises(errors.SignerSuspendedError):
        course.decides("alice", NOW + DAY)


def test_an_opening_holds_what_is_in_force() -> None:
    course = Course(revoked=(revoked("alice", 0),), suspended=(suspended("bob"),))
    assert course.replays()
    with pytest.raises(errors.KeyRevokedError):
        course.decides("alice", minute(1))
    with pytest.raises(errors.SignerSuspendedError):
        course.decides("bob", minute(1))
    course.decides("alice", minute(1), key=SPARE)
    assert course.standing == ["alice"]


def _other_key() -> Revoked:
    return replace(revoked("alice", 0), key="sha256:" + "0" * 64)


GIVEN = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
OPENINGS: dict[str, tuple[Callable[[], Course], type[Refusal]]] = {
    "by a revoked key": (lambda: Course(revoked=(revoked("mallory", 0),)), errors.KeyRevokedError),
    "by somebody suspended": (lambda: Course(suspended=(suspended("mallory"),)), errors.SignerSuspendedError),
    "for somebody suspended": (
        lambda: Course(LOSING.request(requester="ci", on_behalf_of="erin"), suspended=(suspended("erin"),)),
        errors.SignerSuspendedError,
    ),
    "with a delegation by a revoked key": (
        lambda: Course(revoked=(revoked("alice", 0),), delegations=(GIVEN,)),
        errors.KeyRevokedError,
    ),
    "with a key that its policy does not list": (
        lambda: Course(revoked=(_other_key(),)),
        errors.KeyUnknownError,
    ),
    "with a suspension that is over": (
        lambda: Course(suspended=(suspended("alice", NOW),)),
        errors.StandingTimeError,
    ),
    "with a revocation twice": (
        lambda: Course(revoked=(revoked("alice", 0), revoked("alice", 1))),
        errors.StandingOrderError,
    ),
    "with a suspension of nobody": (
        lambda: Course(suspended=(replace(suspended("alice"), person="nobody"),)),
        errors.UnknownSignerError,
    ),
}


@pytest.mark.parametrize(("opening", "refusal"), OPENINGS.values(), ids=OPENINGS)
def test_an_opening_that_may_not_be_is_refused(opening: Callable[[], Course], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        opening()


def test_nothing_reaches_a_ceremony_that_has_ended() -> None:
    chain, _ = LOSING.run("alice", "bob", "carol", "dan")
    assert chain.ceremony.state is State.APPROVED
    for command in (Revoke(revoked("alice", 0)), Suspend(suspended("alice"))):
        with pytest.raises(errors.IllegalTransitionError):
            extend(chain, command, at=minute(9))


def test_a_key_or_person_that_the_policy_does_not_know_is_refused() -> None:
    course = Course()
    with pytest.raises(errors.KeyUnknownError):
        course.does(Revoke(_other_key()), minute(1))
    with pytest.raises(errors.UnknownSignerError):
        course.does(Suspend(replace(suspended("alice"), person="nobody")), minute(1))


def test_a_log_that_repeats_or_moves_a_revocation_later_is_refused_when_it_is_read() -> None:
    course = Course()
    course.does(Revoke(revoked("alice", 1)), minute(5))
    twice = relinked([*course.entries, course.entries[-1]])
    assert verdict(lambda: replay_chain([e.payload for e in twice], LOSING.policy)) == "revocation.later"
    with pytest.raises(errors.RevocationLaterError):
        course.does(Revoke(revoked("alice", 2)), minute(6))


def standing_after(*acts: Signed[StandingAct]) -> Standing:
    standing = Standing()
    for act in acts:
        standing = stand(standing, act, LOSING.policy.policy, at=minute(5))
    return standing


FIRST, SECOND = by_guardian("bob", "alice"), by_guardian("carol", "alice")
OUT = [suspends(each, "alice") for each in ("bob", "carol")]
AWAY = LOSING.sign(absence("carol", acme=LOSING, until=NOW + DAY))
HANDED: dict[str, tuple[Sequence[Signed[StandingAct]], type[Command] | None]] = {
    "the first of two guardians": ([FIRST], None),
    "the second": ([FIRST, SECOND], Revoke),
    "one that changed nothing": ([FIRST, SECOND, by_guardian("dan", "alice", since=NOW - HOUR)], None),
    "by the owner": ([by_owner("alice")], Revoke),
    "the first suspension": ([OUT[0]], None),
    "the second suspension": (OUT, Suspend),
    "a delegation": ([GIVEN], Begin),
    "an absence": ([AWAY], None),
}


@pytest.mark.parametrize(("acts", "command"), HANDED.values(), ids=HANDED)
def test_an_act_is_handed_on_once_it_is_effective(
    acts: Sequence[Signed[StandingAct]], command: type[Command] | None
) -> None:
    chain, _ = LOSING.run()
    given = handed_on(chain.ceremony, acts[-1], standing_after(*acts))
    assert (None if given is None else type(given)) == command


def test_a_ceremony_whose_policy_knows_neither_key_nor_person_is_not_touched() -> None:
    other = changed(
        LOSING, roles={**LOSING.roles, "engineering": ("bob", "erin")}, spare=frozenset({"mallory"})
    )
    chain, _ = other.run()
    for acts in ([FIRST, SECOND], OUT):
        assert handed_on(chain.ceremony, acts[-1], standing_after(*acts)) is None
        assert in_force(standing_after(*acts), other.policy.policy, at=NOW) == ((), ())


def test_an_opening_is_given_what_is_in_force_then() -> None:
    standing = standing_after(FIRST, SECOND, *OUT)
    keys, people = in_force(standing, LOSING.policy.policy, at=NOW)
    assert ([each.key for each in keys], [each.person for each in people]) == ([ALICE], ["alice"])
    assert in_force(standing, LOSING.policy.policy, at=NOW + DAY)[1] == ()


def test_one_made_under_another_policy_counts_too() -> None:
    second = changed(LOSING, version=2, previous=LOSING.policy.digest)
    acts = [by_guardian(each, "alice", acme=second).envelope for each in ("bob", "carol")]
    course = Course()
    course.decides("alice", minute(1))
    course.does(Revoke(read_revoked(acts, [second.policy], closed=True)), minute(2))
    assert course.standing == []
    assert course.replays()


def test_what_takes_trust_away_has_room_where_decisions_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course()
    monkeypatch.setattr(budget, "CEREMONY_BYTES", budget.RESERVE_BYTES)
    with pytest.raises(errors.CeremonyFullError):
        course.decides("alice", minute(1))
    assert course.does(Revoke(revoked("alice", 0)), minute(1)) == "key-revoked"
    monkeypatch.setattr(budget, "LOSS_BYTES", 0)
    with pytest.raises(errors.CeremonyFullError):
        course.does(Suspend(suspended("alice")), minute(1))


def test_a_withdrawal_by_a_revoked_key_ends_nothing() -> None:
    given = LOSING.sign(
        delegation("alice", "engineering", "frank", acme=LOSING), key=LOSING.spare_key("alice")
    )
    course = Course(delegations=(given,), revoked=(revoked("alice", 0),))
    with pytest.raises(errors.KeyRevokedError):
        course.does(End(LOSING.sign(withdrawal("alice", "engineering", acme=LOSING))), minute(1))


def test_somebody_without_a_key_that_signs_is_not_awaited() -> None:
    chain, _ = LOSING.run()
    assert "erin" in chain.ceremony.tally(at=NOW).awaited
    chain, _ = extend(chain, Revoke(revoked("erin", 0)), at=minute(1))
    assert "erin" not in chain.ceremony.tally(at=minute(1)).awaited
    chain, _ = extend(chain, Revoke(revoked("alice", 0)), at=minute(1))
    assert "alice" in chain.ceremony.tally(at=minute(1)).awaited, "she has another key"


def test_whoever_is_out_until_the_end_is_neither_reminded_nor_counted_on() -> None:
    given = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
    course = Course(delegations=(given,))
    nobody = Standing()
    assert helpers(course.chain.ceremony, nobody, at=NOW)["engineering"] == {"alice", "bob", "erin", "frank"}
    course.does(Suspend(suspended("alice", NOW + DAY * 2)), minute(1))
    assert helpers(course.chain.ceremony, nobody, at=minute(1))["engineering"] == {"bob", "erin"}
    assert not forecast(course.chain.ceremony, nobody, at=minute(1)).out_of_reach
    course.does(Revoke(revoked("erin", 0)), minute(2))
    assert "engineering (2)" in forecast(course.chain.ceremony, nobody, at=minute(2)).out_of_reach


def test_in_an_emergency_that_needs_more_people_those_who_are_out_are_not_awaited() -> None:
    course = Course(emergency_request(LOSING, people=3))
    for number, signer in enumerate(("alice", "carol"), start=1):
        course.does(joins(course.chain, signer, acme=LOSING, at=minute(number)), minute(number))
    course.does(Suspend(suspended("erin")), minute(3))
    assert "erin" not in awaited(course.chain.ceremony, at=minute(3))
    assert "bob" in awaited(course.chain.ceremony, at=minute(3))
    waits = waiting(course.chain.ceremony, at=minute(3))
    assert waits["engineering"] == {"bob"}


def test_chains_are_the_same_whoever_replays_them() -> None:
    course = Course(revoked=(revoked("erin", 0),))
    course.decides("alice", minute(1))
    course.does(Revoke(revoked("alice", 0)), minute(2))
    course.does(Suspend(suspended("bob")), minute(3))
    again: Chain = replay_chain([e.payload for e in course.entries], LOSING.policy)
    assert again.ceremony.revoked == course.chain.ceremony.revoked
    assert again.ceremony.suspended == course.chain.ceremony.suspended


def test_screens_can_say_who_was_taken_out_and_what_fell() -> None:
    def said(course: Course, at: datetime) -> tuple[str, ...]:
        return losses(course.chain.ceremony, at=at, say=lambda instant: f"{instant:%H:%M}")

    course = Course()
    course.decides("alice", minute(1))
    course.decides("bob", minute(2))
    assert said(course, minute(3)) == ()
    course.does(Revoke(revoked("alice", 0)), minute(3))
    course.does(Suspend(suspended("bob")), minute(4))
    assert said(course, minute(5)) == (
        "a key of alice is revoked since 14:00",
        "bob is suspended until 15:00",
        "what alice and bob decided does not count any more",
    )
    course.decides("alice", minute(6), key=SPARE)
    assert said(course, NOW + HOUR) == (
        "a key of alice is revoked since 14:00",
        "what bob decided does not count any more",
    )
    course.does(Revoke(revoked("mallory", 0)), minute(7) + HOUR)
    assert said(course, NOW + HOUR * 2)[-1].startswith("its request was signed by a revoked key")

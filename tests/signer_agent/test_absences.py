# SPDX-License-Identifier: Apache-2.0
"""Absences and delegations: numbered by the verified log, judged before they are signed, sent once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.statements import Delegation
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.values import StandingRecord
from quorumseal.refusal import Refusal
from quorumseal.tlog import ProofError
from signer_agent import absences
from signer_agent.absences import Away, pending_acts, settle_standing, write_away, write_back
from signer_agent.deadlines import moment
from signer_agent.drafting import Draft
from signer_agent.errors import HiddenEntriesError, NoReceiptError, UsageError
from signer_agent.observing import ObservedStanding, observe_standing
from signer_agent.recollection import Fate
from tests.burning import BURNING
from tests.organisation import NOW, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Hostile, Message, SimulatedCoordinator

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEK = Away(since=NOW, until=NOW + 7 * DAY)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(BURNING)


@pytest.fixture
def alice(tmp_path: Path, coordinator: SimulatedCoordinator) -> Desk:
    return Desk(tmp_path / "alice", coordinator)


def say(desk: Desk, drafts: Sequence[Draft]) -> None:
    absences.record(desk.agent, drafts, desk.key, desk.coordinator.organisation.policy)


def away(desk: Desk, wanted: Away = WEEK) -> ObservedStanding:
    """Do what ``away`` does; return what stands then."""
    say(desk, write_away(desk.agent, observe_standing(desk.agent), wanted))
    return observe_standing(desk.agent)


def test_everybody_sees_who_is_away_and_who_stands_in(
    tmp_path: Path, coordinator: SimulatedCoordinator, alice: Desk
) -> None:
    away(alice, replace(WEEK, deputy="frank"))
    seen = observe_standing(Desk(tmp_path / "bob", coordinator, "bob").agent)
    assert seen.standing.away("alice", at=NOW)
    assert [(d.signer, d.statement.deputy, d.statement.role) for d in seen.standing.live(at=NOW)] == [
        ("alice", "frank", "engineering")
    ]


def test_a_later_act_takes_the_next_number(alice: Desk) -> None:
    away(alice)
    seen = away(alice, replace(WEEK, until=NOW + DAY))
    assert seen.standing.absences["alice"].statement.number == 2
    assert not seen.standing.away("alice", at=NOW + DAY)


def test_what_stands_already_is_not_signed_again(alice: Desk) -> None:
    wanted = replace(WEEK, deputy="frank")
    away(alice, wanted)
    assert write_away(alice.agent, observe_standing(alice.agent), wanted) == ()
    other = write_away(alice.agent, observe_standing(alice.agent), replace(wanted, deputy="carol"))
    assert [type(draft.statement) for draft in other] == [Delegation]


def test_whoever_is_back_ends_the_absence_and_every_delegation(alice: Desk) -> None:
    away(alice, replace(WEEK, deputy="frank"))
    say(alice, write_back(alice.agent, observe_standing(alice.agent)))
    seen = observe_standing(alice.agent).standing
    assert not seen.away("alice", at=NOW)
    assert seen.live(at=NOW) == ()
    with pytest.raises(errors.AbsenceMissingError):
        write_back(alice.agent, observe_standing(alice.agent))


def test_a_withdrawal_reaches_the_ceremonies_that_are_open(
    coordinator: SimulatedCoordinator, alice: Desk
) -> None:
    ceremony = coordinator.open()
    away(alice, replace(WEEK, deputy="frank"))
    assert coordinator.chains[ceremony].ceremony.delegations
    say(alice, write_back(alice.agent, observe_standing(alice.agent)))
    assert not coordinator.chains[ceremony].ceremony.delegations


REFUSED: dict[str, tuple[Away, type[Refusal]]] = {
    "to somebody who is no listed deputy": (replace(WEEK, deputy="dan"), UsageError),
    "to oneself": (
        replace(WEEK, deputy="alice", roles=("engineering",)),
        errors.DelegationNotAllowedError,
    ),
    "of a role that one does not hold": (
        replace(WEEK, deputy="frank", roles=("security",)),
        errors.DelegationNotAllowedError,
    ),
    "an absence that is over": (
        Away(since=NOW - 2 * DAY, until=NOW - DAY),
        errors.StandingTimeError,
    ),
}


@pytest.mark.parametrize(("wanted", "refusal"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_rules_refuse_is_not_signed(alice: Desk, wanted: Away, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        away(alice, wanted)
    assert alice.key.signed == []


def test_a_role_is_named_where_a_deputy_is_listed_for_several(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    bob = Desk(tmp_path / "bob", coordinator, "bob")  # of engineering and security; frank is listed for both
    with pytest.raises(UsageError, match="engineering and security"):
        away(bob, replace(WEEK, deputy="frank"))
    seen = away(bob, replace(WEEK, deputy="frank", roles=("engineering", "security")))
    assert len(seen.standing.live(at=NOW)) == 2


def test_a_deputy_who_handed_on_a_role_is_not_given_another(
    tmp_path: Path, coordinator: SimulatedCoordinator, alice: Desk
) -> None:
    carol = Desk(tmp_path / "carol", coordinator, "carol")
    away(carol, replace(WEEK, deputy="frank"))
    with pytest.raises(errors.DelegationNotAllowedError, match="who is there"):
        away(alice, replace(WEEK, deputy="carol"))
    assert alice.key.signed == []


def _unheard(message: Message) -> Any:
    if message.method == "stand" and not message.reply:
        raise CoordinatorUnreachableError("no way")
    return message.content


def _unanswered(message: Message) -> Any:
    if message.method == "stand" and message.reply:
        raise CoordinatorUnreachableError("no answer")
    return message.content


@pytest.mark.parametrize("lost", [_unheard, _unanswered])
def test_an_act_without_a_receipt_is_sent_again_and_not_signed_again(
    tmp_path: Path, coordinator: SimulatedCoordinator, lost: Hostile
) -> None:
    desk = Desk(tmp_path / "alice", coordinator, hostile=lost)
    with pytest.raises(NoReceiptError):
        away(desk)
    desk = desk.reopened()
    coordinator.pass_time(HOUR)
    (stored,) = pending_acts(desk.agent)
    assert settle_standing(desk.agent, stored, observe_standing(desk.agent)).fate is Fate.RECORDED
    assert len(desk.key.signed) == 1
    assert observe_standing(desk.agent).standing.away("alice", at=NOW)


def test_an_act_that_was_overtaken_is_void(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "alice", coordinator, hostile=_unheard)
    with pytest.raises(NoReceiptError):
        away(desk)
    desk = desk.reopened()
    other = Desk(tmp_path / "other", coordinator)
    away(other, replace(WEEK, until=NOW + DAY))
    (stored,) = pending_acts(desk.agent)
    with pytest.raises(errors.StandingOrderError):
        settle_standing(desk.agent, stored, observe_standing(desk.agent))
    assert list(pending_acts(desk.agent)) == []


# What a coordinator may lie about


def _cut(length: int | None) -> Callable[[StandingRecord], StandingRecord]:
    def lie(said: StandingRecord) -> StandingRecord:
        return replace(said, part=replace(said.part, entries=said.part.entries[:length]))

    return lie


def _turned(said: StandingRecord) -> StandingRecord:
    first, *rest = said.part.entries
    return replace(said, part=replace(said.part, entries=(first, *reversed(rest))))


def _of_another(said: StandingRecord) -> StandingRecord:
    del said
    return SimulatedCoordinator(Organisation()).standing_record()


LIES: dict[str, tuple[Callable[[StandingRecord], StandingRecord], type[Exception]]] = {
    "the newest act left out": (_cut(-1), ProofError),
    "everything left out": (_cut(0), errors.ChainBrokenError),
    "acts in another order": (_turned, Refusal),
    "another organisation's": (_of_another, Refusal),
}


@pytest.mark.parametrize(("lie", "refusal"), LIES.values(), ids=LIES.keys())
def test_a_coordinator_that_lies_about_who_is_away_is_not_believed(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    alice: Desk,
    lie: Callable[[StandingRecord], StandingRecord],
    refusal: type[Exception],
) -> None:
    away(alice, replace(WEEK, deputy="frank"))

    def hostile(message: Message) -> Any:
        return lie(message.content) if message.method == "standing" and message.reply else message.content

    with pytest.raises(refusal):
        observe_standing(Desk(tmp_path / "bob", coordinator, "bob", hostile=hostile).agent)


def test_an_act_that_was_shown_or_acknowledged_cannot_be_hidden_any_more(
    coordinator: SimulatedCoordinator, alice: Desk
) -> None:
    away(alice)
    beginning = coordinator.standing_part(1)  # and truly a part of the log

    def hide(message: Message) -> Any:
        if message.method == "standing" and message.reply:
            return replace(message.content, part=beginning)
        return message.content

    with pytest.raises(HiddenEntriesError):
        observe_standing(alice.reopened(hostile=hide).agent)


def test_the_day_of_an_absence_begins_in_the_time_zone_of_the_policy() -> None:
    madrid = Calendar(zone="Europe/Madrid")
    assert moment(date(2026, 12, 24), madrid, at=NOW) == datetime(2026, 12, 23, 23, tzinfo=UTC)
    assert moment(HOUR, madrid, at=NOW) == NOW + HOUR

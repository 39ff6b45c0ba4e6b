# SPDX-License-Identifier: Apache-2.0
"""Everybody hears of each step of an emergency, and of nothing that people wrote freely."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from coordinator.notifying import AUDIT, Notice, NoticeType
from coordinator.notifying.alarming import notices_of_aftermath
from coordinator.notifying.notice import write_notice
from coordinator.notifying.telling import notices_of
from quorumseal.ceremony.aftermath import aftermath
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Cancel, Command, Expire, Record
from quorumseal.ceremony.statements import Choice, Request
from tests.burning import (
    BURNING,
    HOUR,
    MINUTE,
    emergency_request,
    joins,
    open_emergency,
    ratification,
    reports,
    run_emergency,
    vetoes,
)
from tests.organisation import NOW, REASON, changed

EVERYBODY = sorted([*BURNING.policy.policy.signers, AUDIT])


def told(chain: Chain, command: Command, *, at: datetime = NOW) -> list[Notice]:
    """Return what a command tells."""
    chain, entries = extend(chain, command, at=at)
    return notices_of(chain.ceremony, entries)


def joined(*signers: str, people: int = 2) -> Chain:
    chain = open_emergency(request=emergency_request(people=people))
    for signer in signers:
        chain, _ = extend(chain, joins(chain, signer), at=NOW)
    return chain


def one_each(notices: Sequence[Notice]) -> Notice:
    """Check that everybody gets the same notice; return it."""
    assert [notice.recipient for notice in notices] == EVERYBODY
    assert len({(n.type, n.headline, n.sentences, n.command) for n in notices}) == 1
    return notices[0]


def invoked(request: Request | None = None) -> list[Notice]:
    chain, opening = open_chain(BURNING.policy, BURNING.sign_request(request or emergency_request()), at=NOW)
    return notices_of(chain.ceremony, [opening])


def test_an_emergency_is_told_to_everybody_with_what_each_can_do() -> None:
    notices = invoked()
    assert [notice.recipient for notice in notices] == EVERYBODY
    assert {notice.type for notice in notices} == {NoticeType.BREAK_GLASS_INVOKED}
    assert {notice.headline for notice in notices} == {"mallory breaks the glass for widget 1.0"}
    by = {notice.recipient: notice for notice in notices}
    assert by["bob"].command == f"quorumseal break-glass join {by['bob'].about.ceremony}"
    assert by["bob"].sentences == (
        "Reason: outage, incident INC-1.",
        "It needs 2 people until Fri 2026-11-20 15:00 UTC.",
        "You can count for engineering or security.",
    )
    assert by[AUDIT].command == f"quorumseal show {by['bob'].about.ceremony}"


@pytest.mark.parametrize(
    ("notices", "kind", "headline", "verb"),
    [
        (
            told(joined(), joins(joined(), "carol")),
            NoticeType.BREAK_GLASS_JOINED,
            "carol joins the emergency for widget 1.0",
            "show",
        ),
        (
            told(joined("alice", "carol"), vetoes(joined("alice", "carol"), "rita")),
            NoticeType.BREAK_GLASS_VETOED,
            "rita vetoed the emergency for widget 1.0",
            "show",
        ),
        (
            told(joined(), Expire(), at=NOW + HOUR),
            NoticeType.BREAK_GLASS_ENDED,
            "the emergency for widget 1.0 has expired",
            "show",
        ),
        (
            told(joined("alice", "carol"), Expire(), at=NOW + HOUR / 2),
            NoticeType.BREAK_GLASS_PROVISIONAL,
            "widget 1.0 is released provisionally",
            "ratify",
        ),
    ],
    ids=["joined", "vetoed", "expired", "provisional"],
)
def test_each_step_is_told_to_everybody(
    notices: list[Notice], kind: NoticeType, headline: str, verb: str
) -> None:
    notice = one_each(notices)
    assert (notice.type, notice.headline) == (kind, headline)
    assert notice.command == f"quorumseal {verb} {notice.about.ceremony}"


def test_the_last_to_join_opens_the_window_in_which_it_can_be_vetoed() -> None:
    chain = joined("alice")
    notices = told(chain, joins(chain, "carol"))
    last, window = notices[: len(EVERYBODY)], notices[len(EVERYBODY) :]
    assert one_each(last).type is NoticeType.BREAK_GLASS_JOINED
    assert one_each(window).type is NoticeType.BREAK_GLASS_FLOOR
    assert one_each(window).headline == (
        "the emergency for widget 1.0 has its people: anybody may veto it until Fri 2026-11-20 14:10 UTC"
    )
    assert one_each(window).command == f"quorumseal break-glass veto {chain.id}"


def test_who_takes_back_their_approval_closes_the_window_again() -> None:
    chain = joined("alice", "carol")
    standing = chain.ceremony.decisions["carol"].digest
    again = joins(chain, "carol", Choice.ABSTENTION, at=NOW + MINUTE, replaces=standing)
    notices = told(chain, again, at=NOW + MINUTE)
    assert one_each(notices[: len(EVERYBODY)]).headline == "carol does not join the emergency for widget 1.0"
    assert one_each(notices[len(EVERYBODY) :]).type is NoticeType.BREAK_GLASS_UNMET


def test_a_rejection_and_a_cancellation_end_it_for_everybody() -> None:
    chain = joined("alice")
    notices = told(chain, joins(chain, "carol", Choice.REJECTION))
    assert one_each(notices[len(EVERYBODY) :]).headline == "the emergency for widget 1.0 was rejected"
    cancellation = Cancel(BURNING.sign_cancellation(BURNING.cancellation("mallory", chain)))
    assert one_each(told(chain, cancellation)).headline == "the emergency for widget 1.0 was cancelled"
    assert REASON not in "".join(write_notice(n) for n in [*notices, *told(chain, cancellation)])


def test_a_report_is_told() -> None:
    chain, _ = run_emergency("alice", "carol")
    notices = told(chain, reports(chain, "dan", at=NOW + HOUR), at=NOW + HOUR)
    assert one_each(notices).headline == "dan reported on the emergency for widget 1.0"


def test_a_ratification_is_asked_for_as_a_review_and_its_approval_told_to_everybody() -> None:
    emergency, _ = run_emergency("alice", "carol")
    request = BURNING.sign_request(ratification(emergency))
    chain, opening = open_chain(BURNING.policy, request, at=NOW + HOUR)
    assert {n.type for n in notices_of(chain.ceremony, [opening])} == {NoticeType.OPENED}
    notices: list[Notice] = []
    for signer in ("alice", "erin", "carol", "dan"):
        decision = BURNING.sign_decision(BURNING.decision(signer, request, at=NOW + HOUR))
        chain, entries = extend(chain, Record(decision), at=NOW + HOUR)
        notices = notices_of(chain.ceremony, entries)
    ratified = [n for n in notices if n.type is NoticeType.BREAK_GLASS_RATIFIED]
    assert one_each(ratified).headline == "widget 1.0 is ratified: the emergency's release stands"


def test_what_is_owed_afterwards_is_told_with_what_to_do() -> None:
    ceremony = run_emergency("alice", "carol")[0].ceremony
    found = {}
    for hours in (40, 80, 24 * 6, 24 * 10):
        for mark in aftermath(ceremony, ratified=False, at=NOW + HOUR * hours):
            notice = one_each(notices_of_aftermath(ceremony, mark))
            found[str(mark)] = notice.type, (notice.command or "").rpartition(" ")[0]
    assert found == {
        "ratification 50": (NoticeType.BREAK_GLASS_RATIFY, "quorumseal ratify"),
        "ratification 100": (NoticeType.BREAK_GLASS_LAPSED, "quorumseal show"),
        "report 75": (NoticeType.BREAK_GLASS_REPORT_DUE, "quorumseal break-glass report"),
        "report 100": (NoticeType.BREAK_GLASS_REPORT_DUE, "quorumseal break-glass report"),
    }


def test_an_exercise_is_called_one_in_every_notice() -> None:
    acme = changed(BURNING, drill=True)
    chain = open_emergency(acme, emergency_request(acme))
    chain, entries = extend(chain, joins(chain, "carol", acme=acme), at=NOW + MINUTE)
    notices = notices_of(chain.ceremony, entries)
    assert {n.headline for n in notices} == {"Exercise: carol joins the emergency for widget 1.0"}
    assert all(n.type.urgent for n in notices)

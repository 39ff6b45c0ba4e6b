# SPDX-License-Identifier: Apache-2.0
"""Who is told what when, as tables; and that a notice is the same notice however often it is told."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.notifying import AUDIT, Notice, NoticeType, Route, Routes
from coordinator.notifying.notice import read_notice, write_notice
from coordinator.notifying.telling import notices_of, notices_of_publication
from coordinator.storage import OutboxRow
from coordinator.values import PublicationState
from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Begin, Cancel, Command, Expire, Record, Supersede
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.ceremony.values import EMPTY_DIGEST
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, delegation, extends
from tests.coordinator.notifying.receivers import NOTICE
from tests.organisation import NOW, REASON, Organisation

ACME = Organisation()
ASKED = ["alice", "bob", "carol", "dan", "erin", "rita"]  # mallory asks
REQUEST = ACME.request(requester="mallory")


def told(*commands: Command, request: Request = REQUEST, after: timedelta = timedelta(0)) -> list[Notice]:
    """Return what the last of some commands tells; without any, what the request tells."""
    at = NOW + timedelta(minutes=1)
    chain, opening = open_chain(ACME.policy, ACME.sign_request(request), at=at)
    entries: tuple[Entry, ...] = (opening,)
    for command in commands:
        last = command is commands[-1]
        chain, entries = extend(chain, command, at=at + after if last else at)
    return notices_of(chain.ceremony, entries)


def decide(signer: str, choice: Choice = Choice.APPROVAL) -> Record:
    signed = ACME.sign_request(REQUEST)
    return Record(ACME.sign_decision(ACME.decision(signer, signed, choice)))


def who(notices: Iterable[Notice], kind: NoticeType) -> list[str]:
    return [notice.recipient for notice in notices if notice.type is kind]


def test_a_request_is_told_to_everybody_who_can_count_and_not_to_its_requester() -> None:
    notices = told()
    assert who(notices, NoticeType.OPENED) == ASKED == [notice.recipient for notice in notices]
    (bob,) = (notice for notice in notices if notice.recipient == "bob")
    assert bob.headline == "mallory asks you to review widget 1.0 until Sat 2026-11-21 14:00 UTC"
    assert bob.sentences == ("You can count for engineering or security.",)
    assert bob.command == f"quorumseal review {REQUEST.ceremony}"


def test_a_machines_request_names_the_person_behind_it_who_is_not_asked() -> None:
    notices = told(request=ACME.request(requester="ci", on_behalf_of="rita"))
    assert "rita" not in who(notices, NoticeType.OPENED)
    assert notices[0].headline.startswith("ci for rita asks you")


@pytest.mark.parametrize(
    ("choice", "headline"),
    [(Choice.APPROVAL, "alice approves widget 1.0"), (Choice.ABSTENTION, "alice abstains from widget 1.0")],
)
def test_a_decision_is_told_to_the_requester_with_what_is_missing(choice: Choice, headline: str) -> None:
    (notice,) = told(decide("alice", choice))
    assert (notice.type, notice.recipient, notice.headline) == (NoticeType.DECIDED, "mallory", headline)
    assert any(sentence.startswith("security needs") for sentence in notice.sentences)


def test_a_rejection_is_told_and_ends_it_without_the_words_of_the_one_who_rejected() -> None:
    notices = told(decide("carol", Choice.REJECTION))
    assert who(notices, NoticeType.DECIDED) == ["mallory"]
    assert who(notices, NoticeType.CONCLUDED) == sorted([*ASKED, "mallory"])
    assert {notice.headline for notice in notices} == {"carol rejects widget 1.0", "widget 1.0 is rejected"}
    assert notices[-1].sentences == ("carol rejected it.",)
    assert REASON not in "".join(write_notice(notice) for notice in notices)


def test_the_quorum_is_told_to_everybody_who_was_asked() -> None:
    notices = told(*(decide(signer) for signer in ("alice", "erin", "carol", "rita")))
    assert who(notices, NoticeType.DECIDED) == ["mallory"]
    assert who(notices, NoticeType.CONCLUDED) == sorted([*ASKED, "mallory"])
    assert notices[-1].headline == "widget 1.0 is approved"
    assert notices[-1].sentences[0].startswith("quorum is met: engineering by alice and erin")


def test_silence_is_told_with_what_was_missing() -> None:
    notices = told(decide("alice"), Expire(), after=timedelta(days=30))
    assert set(who(notices, NoticeType.CONCLUDED)) == {*ASKED, "mallory"}
    assert notices[-1].headline == "widget 1.0 has expired"


def cancel() -> Command:
    chain, _ = open_chain(ACME.policy, ACME.sign_request(REQUEST), at=NOW + timedelta(minutes=1))
    cancellation = ACME.cancellation("mallory", chain)
    return Cancel(ACME.sign_cancellation(cancellation))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (cancel, "mallory cancelled the request."),
        (lambda: Supersede(EMPTY_DIGEST), "A newer request took its place."),
    ],
    ids=["cancelled", "superseded"],
)
def test_what_is_withdrawn_is_told_to_those_who_were_asked(command: Callable[[], Command], why: str) -> None:
    notices = told(command())
    assert who(notices, NoticeType.WITHDRAWN) == ASKED
    assert who(notices, NoticeType.CONCLUDED) == ["mallory"]
    assert {notice.sentences for notice in notices} == {(why,)}


def test_an_extension_is_told_to_all_who_wait_or_are_waited_for() -> None:
    request = replace(BURNING.request(), hard_stop=NOW + DAY * 3)
    chain, _ = open_chain(BURNING.policy, BURNING.sign_request(request), at=NOW)
    chain, entries = extend(chain, extends(chain, "rita", NOW + DAY * 2), at=NOW)
    notices = notices_of(chain.ceremony, entries)
    assert who(notices, NoticeType.EXTENDED) == sorted([*ASKED, "mallory"])
    assert notices[0].headline == "rita extends widget 1.0 until Sun 2026-11-22 14:00 UTC"


def test_who_stands_in_for_somebody_is_asked_too_and_hears_of_the_end() -> None:
    given = BURNING.sign(delegation("alice", "engineering", "frank"))
    request = BURNING.sign_request()
    chain, opening = open_chain(BURNING.policy, request, at=NOW, delegations=(given,))
    asked = notices_of(chain.ceremony, [opening])
    (frank,) = (notice for notice in asked if notice.recipient == "frank")
    assert frank.sentences == ("You stand in for alice in engineering.",)
    chain, _ = open_chain(BURNING.policy, request, at=NOW)
    chain, entries = extend(chain, Begin(given), at=NOW)
    assert [(n.type, n.recipient) for n in notices_of(chain.ceremony, entries)] == [
        (NoticeType.OPENED, "frank")
    ]
    decision = BURNING.decision("frank", request, roles=("engineering",))
    for_alice = BURNING.sign_decision(replace(decision, delegation=given.digest))
    chain, entries = extend(chain, Record(for_alice), at=NOW)
    (heard,) = notices_of(chain.ceremony, entries)
    assert heard.headline == "frank for alice approves widget 1.0"
    assert heard.sentences[0] == "engineering needs one more: bob or erin"
    chain, entries = extend(chain, Supersede(EMPTY_DIGEST), at=NOW)
    assert "frank" in who(notices_of(chain.ceremony, entries), NoticeType.WITHDRAWN)


def test_whoever_waits_for_their_turn_is_told_for_whom() -> None:
    acme = replace(ACME, stages=(frozenset({"engineering"}), frozenset({"security", "release"})))
    chain, opening = open_chain(acme.policy, acme.sign_request(), at=NOW)
    said = {n.recipient: n.sentences for n in notices_of(chain.ceremony, [opening])}
    assert said["carol"] == ("You can count for security.", "Your turn comes after engineering.")
    assert said["bob"] == ("You can count for engineering or security.",)


def test_whoever_decides_too_late_is_told_so() -> None:
    chain, _ = open_chain(ACME.policy, ACME.sign_request(REQUEST), at=NOW)
    chain, _ = extend(chain, Expire(), at=NOW + DAY)
    chain, entries = extend(chain, decide("alice"), at=NOW + DAY)
    notices = notices_of(chain.ceremony, entries)
    assert [(n.recipient, n.headline) for n in notices] == [
        ("alice", "alice approves widget 1.0, too late to count"),
        ("mallory", "alice approves widget 1.0, too late to count"),
    ]


@pytest.mark.parametrize(
    ("state", "attempts", "types"),
    [
        (PublicationState.PUBLISHED, 1, [NoticeType.PUBLISHED]),
        (PublicationState.PUBLISHED, 7, [NoticeType.PUBLISHED]),
        (PublicationState.FAILED, 1, [NoticeType.UNPUBLISHED]),
        (PublicationState.FAILED, 2, []),
    ],
)
def test_a_publication_is_told_and_a_failure_once(
    state: PublicationState, attempts: int, types: list[NoticeType]
) -> None:
    row = OutboxRow(
        ceremony=REQUEST.ceremony,
        destination="directory:x",
        state=state,
        detail="why",
        attempts=attempts,
        due_at=NOW,
    )
    notices = notices_of_publication(REQUEST, row, at=NOW)
    assert [notice.type for notice in notices] == types
    assert {notice.recipient for notice in notices} <= {"mallory"}


def test_a_notice_has_one_id_and_no_two_have_the_same() -> None:
    first, again = told(decide("carol", Choice.REJECTION)), told(decide("carol", Choice.REJECTION))
    assert [notice.id for notice in first] == [notice.id for notice in again]
    assert Counter(notice.id for notice in [*first, *told()]).most_common(1)[0][1] == 1
    for changed in (
        replace(NOTICE, recipient="bob"),
        replace(NOTICE, cause="other"),
        replace(NOTICE, type=NoticeType.REMINDER),
        replace(NOTICE, about=replace(NOTICE.about, ceremony="other")),
        replace(NOTICE, about=replace(NOTICE.about, log="other")),
    ):
        assert changed.id != NOTICE.id
    assert replace(NOTICE, headline="other", at=NOW + timedelta(days=1)).id == NOTICE.id


def test_what_is_stored_is_read_back_as_it_was() -> None:
    for notice in (*told(decide("carol", Choice.REJECTION)), NOTICE, replace(NOTICE, command=None)):
        assert read_notice(write_notice(notice)) == notice
    with pytest.raises(Refusal):
        read_notice(write_notice(NOTICE).replace("}", ',"x":1}'))


OWN, LAST = Route(channel="hook"), Route(channel="mail", address="last@acme.example")


@pytest.mark.parametrize(
    ("about", "recipient", "kind", "expected"),
    [
        ("one's own route", "alice", NoticeType.OPENED, (OWN,)),
        ("without one, nothing", "bob", NoticeType.OPENED, ()),
        ("unless it is urgent", "bob", NoticeType.BREAK_GLASS_INVOKED, (LAST,)),
        ("urgent, on one's own route", "alice", NoticeType.BREAK_GLASS_INVOKED, (OWN,)),
        ("the audit contacts", AUDIT, NoticeType.OPENED, (OWN, LAST)),
    ],
)
def test_a_notice_goes_where_its_recipient_is(
    about: str, recipient: str, kind: NoticeType, expected: tuple[Route, ...]
) -> None:
    routes = Routes(people={"alice": (OWN,)}, audit=(OWN, LAST), fallback=LAST)
    assert routes.of(replace(NOTICE, recipient=recipient, type=kind)) == expected, about
    assert Routes().of(replace(NOTICE, recipient=recipient, type=kind)) == ()


def test_only_break_glass_is_urgent() -> None:
    assert {kind for kind in NoticeType if kind.urgent} == {
        kind for kind in NoticeType if kind.name.startswith("BREAK_GLASS")
    }

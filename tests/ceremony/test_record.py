# SPDX-License-Identifier: Apache-2.0
"""The auditor's account says what the entries bear out, and nothing else."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import (
    Begin,
    Cancel,
    Command,
    Deliver,
    Expire,
    Record,
    Revoke,
    Supersede,
    Suspend,
)
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.record import QuorumRecord, quorum_record, to_json
from quorumseal.ceremony.revoking import read_revoked
from quorumseal.ceremony.statements import CheckOutcome, Choice
from quorumseal.ceremony.suspending import read_suspended
from quorumseal.strict_json import read, write
from tests.burning import (
    BURNING,
    HOUR,
    delegation,
    emergency_request,
    extends,
    ratification,
    reports,
    run_emergency,
    vetoes,
)
from tests.forging import payloads
from tests.losing import LOSING, by_guardian, key_id, suspends
from tests.organisation import NOW, REASON_DIGEST, Organisation, ceremony_number, changed

ACME = Organisation()
MINUTE = timedelta(minutes=1)
ONES = "sha256:" + "1" * 64


def recorded(
    *signers: str, then: Callable[[Chain], Command] | None = None, at: timedelta = MINUTE * 9
) -> QuorumRecord:
    chain, entries = ACME.run(*signers)
    if then is not None:
        chain, more = extend(chain, then(chain), at=NOW + at)
        entries += more
    return quorum_record(payloads(entries), ACME.policy)


def decide(signer: str, choice: Choice, *, replaces: bool = False) -> Callable[[Chain], Command]:
    def command(chain: Chain) -> Command:
        decision = ACME.decision(signer, chain.ceremony.request, choice, at=NOW + MINUTE * 9)
        if replaces:
            decision = replace(decision, replaces=chain.ceremony.decisions[signer].digest)
        return Record(ACME.sign_decision(decision))

    return command


def cancel(chain: Chain) -> Command:
    return Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", chain, at=NOW + MINUTE)))


def test_an_approved_ceremony_is_told_from_its_opening_to_its_seats() -> None:
    record = recorded("alice", "bob", "carol", "rita")
    assert [moment.type for moment in record.timeline] == ["opened", *["decided"] * 4, "approved"]
    assert [moment.act.signer for moment in record.timeline if moment.act] == [
        "mallory", "alice", "bob", "carol", "rita",
    ]  # fmt: skip
    assert record.seats == (
        ("engineering", 2, ("alice", "bob")),
        ("security", 1, ("carol",)),
        ("release", 1, ("rita",)),
    )
    assert (record.state, record.ended_at, record.rule) == (State.APPROVED, NOW + MINUTE * 4, "standard")
    assert record.missing == ()


def test_a_moment_says_who_signed_what_with_which_key_and_when() -> None:
    moment = recorded("alice", "bob").timeline[2]
    act = moment.act
    assert act is not None
    assert (moment.type, moment.at) == (EntryType.DECIDED, NOW + MINUTE * 2)
    assert act.key_id == ACME.key("bob").public.key_id
    assert (act.choice, act.roles) == (Choice.APPROVAL, ("engineering", "security"))
    assert [(check.name, check.outcome) for check in act.checks] == [("artifacts", CheckOutcome.PASS)]
    assert act.signed_at == NOW + MINUTE * 2


def test_a_forged_key_id_is_not_repeated() -> None:
    chain, entries = ACME.run()
    signed = ACME.sign_decision(ACME.decision("alice", chain.ceremony.request, at=NOW))
    lying = replace(signed, envelope=replace(signed.envelope, key_id=ACME.key("bob").public.key_id))
    _, more = extend(chain, Record(lying), at=NOW)
    act = quorum_record(payloads([*entries, *more]), ACME.policy).timeline[1].act
    assert act is not None
    assert act.key_id == ACME.key("alice").public.key_id


@pytest.mark.parametrize(
    ("why", "record", "state", "missing"),
    [
        (
            "still open",
            recorded("alice", "bob"),
            State.OPEN,
            ("security needs one more: carol, dan or erin; bob already counts for engineering",
             "release needs one more: dan or rita"),
        ),
        (
            "rejected",
            recorded("alice", then=decide("carol", Choice.REJECTION)),
            State.REJECTED,
            ("engineering needs one more: bob or erin", "security needs one more: bob or dan",
             "release needs one more: dan or rita"),
        ),
        (
            "expired",
            recorded("alice", "bob", "carol", then=lambda _: Expire(), at=timedelta(days=1)),
            State.EXPIRED,
            ("release needs one more: dan or rita",),
        ),
        ("cancelled", recorded("alice", "bob", "carol", then=cancel), State.CANCELLED,
         ("release needs one more: dan or rita",)),
        ("superseded", recorded("alice", "bob", "carol", then=lambda _: Supersede(ONES)), State.SUPERSEDED,
         ("release needs one more: dan or rita",)),
    ],
)  # fmt: skip
def test_a_ceremony_without_a_quorum_says_what_was_missing(
    why: str, record: QuorumRecord, state: State, missing: tuple[str, ...]
) -> None:
    assert record.state is state, why
    assert record.missing == missing
    assert (record.ended_at is None) is (state is State.OPEN)


def test_who_superseded_who_cancelled_and_why_stands_in_the_timeline() -> None:
    superseded = recorded(then=lambda _: Supersede(ONES)).timeline[-1]
    assert (superseded.act, superseded.superseded_by) == (None, ONES)
    cancelled = recorded(then=cancel).timeline[-1]
    assert cancelled.act is not None
    assert (cancelled.act.signer, cancelled.act.choice, cancelled.act.reason) == (
        "mallory",
        None,
        REASON_DIGEST,
    )


def test_an_emergency_is_told_with_who_was_told_who_stopped_it_and_who_reported() -> None:
    chain, entries = run_emergency("alice", "carol")
    at = NOW + MINUTE * 30
    chain, told = extend(chain, Deliver("dan", "hook", ONES), at=at)
    chain, reported = extend(chain, reports(chain, "dan", at=at), at=at)
    record = quorum_record(payloads([*entries, *told, *reported]), BURNING.policy)
    assert record.timeline[-2].told == ("dan", "hook")
    report = record.timeline[-1].act
    assert report is not None
    assert (report.signer, report.reason) == ("dan", REASON_DIGEST)
    value = to_json(record)
    assert value["emergency"] == {
        "reason": "outage",
        "incident": "INC-1",
        "people": 2,
        "provisional_until": "2026-11-23T14:00:00.000Z",
        "ratify_by": "2026-11-23T14:00:00.000Z",
    }
    opened, opening = open_chain(BURNING.policy, BURNING.sign_request(emergency_request()), at=NOW)
    _, stopped = extend(opened, vetoes(opened, "dan"), at=NOW)
    veto = quorum_record(payloads([opening, *stopped]), BURNING.policy).timeline[-1].act
    assert veto is not None
    assert veto.reason == REASON_DIGEST


def test_a_ratification_names_the_emergency() -> None:
    emergency, _ = run_emergency("alice", "carol")
    request = BURNING.sign_request(ratification(emergency))
    _, opening = open_chain(BURNING.policy, request, at=NOW + HOUR)
    assert to_json(quorum_record(payloads([opening]), BURNING.policy))["ratified"] == emergency.id


def test_a_deputy_stands_with_the_member_and_an_extension_with_its_deadline() -> None:
    handed = BURNING.sign(delegation("alice", "engineering", "frank"))
    for live in ((handed,), ()):
        request = BURNING.sign_request(replace(BURNING.request(), deadline=NOW + HOUR))
        chain, opening = open_chain(BURNING.policy, request, at=NOW, delegations=live)
        entries = [opening]
        for command in (*(() if live else (Begin(handed),)), extends(chain, "rita", NOW + 2 * HOUR)):
            chain, more = extend(chain, command, at=NOW)
            entries += more
        decision = BURNING.decision("frank", request, roles=("engineering",))
        for_alice = BURNING.sign_decision(replace(decision, delegation=handed.digest))
        _, more = extend(chain, Record(for_alice), at=NOW)
        moments = quorum_record(payloads([*entries, *more]), BURNING.policy).timeline
        acts = {moment.type: moment.act for moment in moments if moment.act}
        assert acts[EntryType.DECIDED].stands_for == "alice"
        assert acts[EntryType.EXTENDED].deadline == NOW + 2 * HOUR
        told = to_json(quorum_record(payloads([*entries, *more]), BURNING.policy))["timeline"]
        assert '"stands_for":"alice"' in write(told).decode()


def test_a_late_decision_stands_in_the_timeline_and_not_in_the_seats() -> None:
    record = recorded("alice", then=decide("bob", Choice.APPROVAL), at=timedelta(days=1))
    assert [moment.type for moment in record.timeline[-2:]] == ["expired", "late"]
    assert record.seats[0] == ("engineering", 2, ("alice",))


def test_a_ceremony_is_counted_at_its_end_and_not_when_something_came_late() -> None:
    chain, entries = ACME.run()
    end = chain.ceremony.request.statement.deadline
    alice = ACME.decision("alice", chain.ceremony.request, at=NOW, not_after=end + MINUTE)
    bob = ACME.decision("bob", chain.ceremony.request, at=NOW)
    steps: list[tuple[Command, timedelta]] = [
        (Record(ACME.sign_decision(alice)), timedelta(0)),
        (Expire(), end - NOW),
        (Record(ACME.sign_decision(bob)), end - NOW + MINUTE * 2),
    ]
    for command, after in steps:
        chain, more = extend(chain, command, at=NOW + after)
        entries += more
    record = quorum_record(payloads(entries), ACME.policy)
    assert record.timeline[-1].at > end + MINUTE
    assert record.seats[0] == ("engineering", 2, ("alice",))


def test_a_replaced_decision_stays_in_the_timeline() -> None:
    record = recorded("alice", then=decide("alice", Choice.ABSTENTION, replaces=True))
    acts = [moment.act for moment in record.timeline[1:]]
    assert [act and act.choice for act in acts] == [Choice.APPROVAL, Choice.ABSTENTION]
    assert acts[0] is not None
    assert acts[1] is not None
    assert acts[1].replaces == acts[0].digest
    assert record.seats[0] == ("engineering", 2, ())


def test_entries_that_the_rules_do_not_bear_out_have_no_record() -> None:
    _, entries = ACME.run("alice", "bob", "carol", "rita")
    with pytest.raises(errors.ChainBrokenError):
        quorum_record(payloads(entries[:-1]), ACME.policy)


def test_a_record_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        recorded().state = State.APPROVED  # type: ignore[misc] # the mistake in question


def test_the_record_as_json_is_whole_and_canonical() -> None:
    value = to_json(recorded("alice", "bob", "carol", "rita"))
    assert read(write(value)) == value
    assert value["release"] == {
        "product": "widget",
        "version": "1.0",
        "kind": "release",
        "mode": "regular",
        "subjects": [{"name": "widget.tar.gz", "digest": ACME.request().subjects[0].digest}],
    }
    assert (value["ceremony"], value["requester"], value["state"]) == (
        ceremony_number(1),
        "mallory",
        "approved",
    )
    assert value["policy"] == {"version": 1, "digest": ACME.policy.digest}
    assert value["ended_at"] == "2026-11-20T14:04:00.000Z"
    assert value["missing"] == []
    timeline = value["timeline"]
    assert isinstance(timeline, list)
    assert len(timeline) == 6
    opened, decided = timeline[0], timeline[1]
    assert isinstance(opened, dict)
    assert isinstance(decided, dict)
    assert "choice" not in opened
    assert decided["choice"] == "approval"
    assert decided["checks"] == [{"name": "artifacts", "outcome": "pass"}]
    assert not {"on_behalf_of", "supersedes", "ticket"} & value.keys()


def test_optional_things_are_in_the_json_where_they_are_given() -> None:
    request = ACME.sign_request(ACME.request(requester="ci", on_behalf_of="erin", supersedes=ONES))
    chain, entries = ACME.run(request=request)
    decision = ACME.decision("alice", request, Choice.REJECTION, at=NOW, not_after=NOW + timedelta(days=2))
    _, more = extend(chain, Record(ACME.sign_decision(decision)), at=NOW)
    value = to_json(quorum_record(payloads([*entries, *more]), ACME.policy))
    assert (value["on_behalf_of"], value["supersedes"]) == ("erin", ONES)
    timeline = value["timeline"]
    assert isinstance(timeline, list)
    rejection = timeline[1]
    assert isinstance(rejection, dict)
    assert (rejection["reason"], rejection["not_after"]) == (REASON_DIGEST, "2026-11-22T14:00:00.000Z")


def test_the_record_says_who_was_taken_out_by_whom_and_what_fell_with_them() -> None:
    chain, entries = LOSING.run("alice", "bob")
    guardians = ("bob", "carol")
    key = [by_guardian(each, "alice", since=NOW).envelope for each in guardians]
    out = [suspends(each, "erin").envelope for each in guardians]
    later = changed(LOSING, version=2, previous=LOSING.policy.digest)
    more_out = [suspends(each, "dan", acme=later).envelope for each in guardians]
    for command in (
        Revoke(read_revoked(key, [LOSING.policy])),
        Suspend(read_suspended(out, [LOSING.policy])),
        Suspend(read_suspended(more_out, [later.policy])),
    ):
        chain, more = extend(chain, command, at=NOW + timedelta(minutes=5))
        entries += more
    timeline = to_json(quorum_record(payloads(entries), LOSING.policy))["timeline"]
    assert isinstance(timeline, list)
    said = [{k: v for k, v in m.items() if k not in ("at", "entry")} for m in timeline if isinstance(m, dict)]
    assert ["fell" in moment for moment in said] == [False, True, False, False, False, False]
    assert said[3:] == [
        {
            "type": "key-revoked",
            "reason": "stolen",
            "signers": ["bob", "carol"],
            "key": key_id("alice"),
            "since": "2026-11-20T14:00:00.000Z",
        },
        {
            "type": "suspended",
            "reason": "compromise",
            "signers": ["bob", "carol"],
            "person": "erin",
            "until": "2026-11-21T14:00:00.000Z",
        },
        {
            "type": "suspended",
            "reason": "compromise",
            "signers": ["bob", "carol"],
            "person": "dan",
            "until": "2026-11-21T14:00:00.000Z",
        },
    ]

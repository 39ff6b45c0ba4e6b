# SPDX-License-Identifier: Apache-2.0
"""What the writer owes to whoever it answers, to their neighbours, and to the other coordinators."""

import asyncio
import threading
from datetime import timedelta

import pytest

from coordinator.commands import Act, Repeated, Start, Written
from coordinator.errors import (
    BusyError,
    ClosingError,
    LogKeyError,
    ReadOnlyError,
    StorageFailedError,
    UnknownCeremonyError,
)
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.storage import Append, Storage
from coordinator.writer import Writer
from quorumseal.ceremony.errors import (
    CeremonyEndedError,
    NotAMemberError,
    ReplacesError,
    StatementSignatureError,
)
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from quorumseal.tlog import Frontier, leaf_hash
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import key_of


def test_an_acknowledged_decision_is_in_the_database(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    written = desk.written(workshop.decide("alice", start))

    elsewhere = Storage(workshop.database)
    (row,) = elsewhere.log.entries(written.receipt.index, written.receipt.index + 1)
    assert row.payload == written.receipt.entry
    checkpoint = elsewhere.log.checkpoint()
    assert checkpoint is not None
    assert checkpoint.note == written.receipt.checkpoint
    elsewhere.close()
    workshop.check(written.receipt)


def test_every_receipt_of_a_batch_verifies(workshop: Workshop) -> None:
    desk = workshop.desk(running=False)
    starts = [workshop.start(workshop.organisation.request(number=n, version=f"1.{n}")) for n in range(1, 38)]
    answers = [desk.writer.submit(start) for start in starts]
    desk.writer.start()
    for index, answer in enumerate(answers, start=1):
        outcome = answer.result(timeout=30)
        assert isinstance(outcome, Written)
        assert outcome.receipt.index == index
        assert workshop.check(outcome.receipt).size == 38


def test_a_refused_command_costs_its_neighbours_nothing(workshop: Workshop) -> None:
    desk, start = workshop.desk(running=False), workshop.start()
    commands: list[Act | Start] = [
        start,
        workshop.decide("alice", start),
        workshop.decide("mallory", start, roles=["release"]),
        Act(ceremony="01934000-0000-7000-8000-0000000000ff", command=workshop.decide("bob", start).command),
        workshop.decide("bob", start),
    ]
    answers = [desk.writer.submit(command) for command in commands]
    desk.writer.start()
    errors = [answer.exception(timeout=30) for answer in answers]
    assert [type(error).__name__ for error in errors] == [
        "NoneType",
        "NoneType",
        "RequesterDecidesError",
        "UnknownCeremonyError",
        "NoneType",
    ]
    assert desk.types() == ["policy", "opened", "decided", "decided"]


class _Failing(Storage):
    """Loses the connection whenever a batch touches one ceremony."""

    poison = ""
    appends = 0

    def append(self, append: Append) -> None:
        type(self).appends += 1
        if any(entry.ceremony == self.poison for entry in append.entries):
            raise StorageFailedError("expected the database to answer, got nothing")
        super().append(append)


def test_a_database_error_costs_one_command_and_not_its_batch(workshop: Workshop) -> None:
    class Failing(_Failing):
        poison = workshop.organisation.request(number=3).ceremony

    desk = workshop.desk(running=False, storage=Failing)
    starts = [workshop.start(workshop.organisation.request(number=n, version=f"1.{n}")) for n in range(1, 6)]
    answers = [desk.writer.submit(start) for start in starts]
    desk.writer.start()
    errors = [answer.exception(timeout=30) for answer in answers]
    assert [isinstance(error, StorageFailedError) for error in errors] == [False, False, True, False, False]
    assert desk.types() == ["policy", "opened", "opened", "opened", "opened"]


def test_a_commit_whose_answer_was_lost_is_found_by_the_repetition(workshop: Workshop) -> None:
    class Forgetful(Storage):
        lost = 0

        def append(self, append: Append) -> None:
            super().append(append)
            if not self.lost:
                self.lost += 1
                raise StorageFailedError("expected the database to confirm, got a broken connection")

    start = workshop.start()
    workshop.desk().written(start)
    desk = workshop.desk(running=False, storage=Forgetful)
    answers = [desk.writer.submit(workshop.decide(signer, start)) for signer in ("alice", "bob")]
    desk.writer.start()
    outcomes = [answer.result(timeout=30) for answer in answers]
    assert all(isinstance(outcome, Repeated) for outcome in outcomes)
    assert desk.types() == ["policy", "opened", "decided", "decided"]


def test_a_decision_repeated_in_one_batch_and_later_is_one_entry(workshop: Workshop) -> None:
    desk, start = workshop.desk(running=False), workshop.start()
    decision = workshop.decide("alice", start)
    answers = [desk.writer.submit(command) for command in (start, decision, decision)]
    desk.writer.start()
    first, *others = [answer.result(timeout=30) for answer in answers[1:]] + desk.write(decision)
    assert isinstance(first, Written)
    for other in others:
        assert isinstance(other, Repeated)
        receipt = desk.reader.receipt(other.ceremony, other.seq)
        assert (receipt.entry, receipt.index) == (first.receipt.entry, first.receipt.index)
    assert desk.types() == ["policy", "opened", "decided"]


def test_two_coordinators_that_both_have_the_last_approval_conclude_once(workshop: Workshop) -> None:
    for round_ in range(1, 9):
        one, other = workshop.desk(), workshop.desk()
        start = workshop.start(workshop.organisation.request(number=round_, version=f"1.{round_}"))
        one.written(start)
        for signer in ("alice", "erin", "carol"):
            one.written(workshop.decide(signer, start))
        other.write(workshop.decide("alice", start))  # both now hold the ceremony in memory
        outcomes = _at_once(
            (one, workshop.decide("rita", start)),
            (other, workshop.decide("dan", start, Choice.REJECTION)),
        )
        written = [outcome for outcome in outcomes if isinstance(outcome, Written)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, CeremonyEndedError)]
        assert len(written) == len(refused) == 1
        chain = one.chain(start.request.statement.ceremony)
        assert chain.ceremony.state is written[0].state
        assert chain.ceremony.state in (State.APPROVED, State.REJECTED)
        workshop.check(written[0].receipt)


def test_the_loser_of_a_race_decides_again_on_what_the_winner_wrote(workshop: Workshop) -> None:
    one, other, start = workshop.desk(), workshop.desk(), workshop.start()
    one.written(start)
    one.written(workshop.decide("alice", start))
    other.written(workshop.decide("carol", start))  # loads the ceremony
    first = one.written(workshop.decide("erin", start))  # has to catch up
    assert first.receipt.index == 4
    last = other.written(workshop.decide("rita", start))  # its chain lacks erin's approval
    assert last.state is State.APPROVED
    assert one.types() == ["policy", "opened", "decided", "decided", "decided", "decided", "approved"]


def test_a_refusal_on_stale_ground_is_decided_again(workshop: Workshop) -> None:
    """The second decision is only right if the first, which another coordinator took, is known."""
    one, other, start = workshop.desk(), workshop.desk(), workshop.start()
    one.written(start)
    other.write(workshop.expire(start))  # refused, but the ceremony is in memory now
    first = workshop.decide("alice", start)
    one.written(first)
    replaces = workshop.decide("alice", start, Choice.ABSTENTION, replaces=_digest(first))
    assert isinstance(other.write(replaces)[0], Written)
    assert isinstance(one.write(workshop.decide("alice", start, Choice.ABSTENTION))[0], ReplacesError)


def test_many_threads_on_two_coordinators_lose_nothing(workshop: Workshop) -> None:
    one, other = workshop.desk(), workshop.desk()
    starts = [workshop.start(workshop.organisation.request(number=n, version=f"1.{n}")) for n in range(1, 31)]
    for start in starts:
        one.writer.submit(start)
    one.write(starts[-1])
    work = [
        (desk, workshop.decide(signer, start))
        for start in starts
        for desk, signer in ((one, "alice"), (other, "erin"), (one, "carol"), (other, "rita"))
    ]
    outcomes = _at_once(*work)
    assert all(isinstance(outcome, Written) for outcome in outcomes)
    assert one.types().count("approved") == 30
    assert one.types().count("decided") == 120
    size = one.storage.log.size()
    rows = one.storage.log.entries(0, size)
    frontier, _ = Frontier().extend(leaf_hash(row.payload) for row in rows)
    assert frontier.root() == one.storage.log.head().root


def test_a_full_queue_refuses_and_forgets_nothing_that_it_took(workshop: Workshop) -> None:
    desk, start = workshop.desk(running=False, queued=2), workshop.start()
    answers = [desk.writer.submit(start), desk.writer.submit(workshop.decide("alice", start))]
    with pytest.raises(BusyError):
        desk.writer.submit(workshop.decide("bob", start))
    desk.writer.start()
    assert all(isinstance(answer.result(timeout=30), Written) for answer in answers)


def test_a_statement_that_fails_its_check_is_refused_to_its_caller_alone(workshop: Workshop) -> None:
    desk, start = workshop.desk(running=False), workshop.start()

    def forged() -> Act:
        raise StatementSignatureError("expected a signature by a key of alice, got one that no key made")

    async def hand_in() -> list[object]:
        calls = [desk.writer.run(lambda: start), desk.writer.run(forged), desk.writer.run(lambda: start)]
        waiting = asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(0)
        desk.writer.start()
        return [*await waiting]

    written, refused, repeated = asyncio.run(hand_in())
    assert isinstance(written, Written)
    assert isinstance(refused, StatementSignatureError)
    assert isinstance(repeated, Repeated)
    assert desk.types() == ["policy", "opened"]


def test_closing_finishes_what_was_taken_and_takes_no_more(workshop: Workshop) -> None:
    desk, start = workshop.desk(running=False), workshop.start()
    answers = [desk.writer.submit(start), desk.writer.submit(workshop.decide("alice", start))]
    desk.writer.start()
    desk.writer.close()
    assert all(isinstance(answer.result(timeout=0), Written) for answer in answers)
    with pytest.raises(ClosingError):
        desk.writer.submit(workshop.decide("bob", start))


def test_a_decision_of_somebody_outside_the_role_is_refused(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    (refusal,) = desk.write(workshop.decide("alice", start, roles=["security"]))
    assert isinstance(refusal, NotAMemberError)


def test_nothing_is_written_while_the_clock_lies_behind_the_log(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    workshop.time.now -= timedelta(minutes=3)
    (refusal,) = desk.write(workshop.decide("alice", start))
    assert isinstance(refusal, ReadOnlyError)
    workshop.time.now += timedelta(minutes=2)
    assert desk.written(workshop.decide("alice", start)).state is State.OPEN


def test_entries_never_go_back_in_time(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    head = desk.storage.log.head().at
    workshop.time.now -= timedelta(minutes=1)
    desk.written(workshop.decide("alice", start))
    assert desk.storage.log.head().at == head


def test_a_writer_with_another_log_key_does_not_start(workshop: Workshop) -> None:
    storage = Storage(workshop.database)
    with pytest.raises(LogKeyError):
        Writer(
            storage,
            LogKeys(key_of("somebody")),
            clock=workshop.time.clock(),
            live=Live(storage),
            policies=Policies(storage),
        )
    storage.close()


def test_an_unknown_ceremony_is_refused(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    assert isinstance(desk.write(workshop.decide("alice", start))[0], UnknownCeremonyError)


def _digest(act: Act) -> str:
    command = act.command
    assert hasattr(command, "decision")
    digest: str = command.decision.digest
    return digest


def _at_once(*work: tuple[Desk, Act]) -> list[object]:
    """Submit from as many threads as there are pieces of work, as nearly together as threads are."""
    outcomes: list[object] = [None] * len(work)
    barrier = threading.Barrier(len(work))

    def run(position: int, desk: Desk, act: Act) -> None:
        barrier.wait()
        (outcomes[position],) = desk.write(act)

    threads = [threading.Thread(target=run, args=(position, *each)) for position, each in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

# SPDX-License-Identifier: Apache-2.0
"""An agent's witness vouches for one history, remembers it before it says so, and never goes back."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.log_witnesses import witness_name
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.refusal import Refusal
from quorumseal.tlog import Witness, open_checkpoint, read_cosignatures
from signer_agent.cosigning import COSIGN_EVERY, Cosigning, kept_by_witness
from signer_agent.errors import (
    BlockedError,
    CosignedElsewhereError,
    ForkError,
    LogBehindError,
    WitnessMemoryError,
)
from tests.organisation import Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

ACME = Organisation(witnessing=frozenset({"alice"}))
LOG = ACME.policy.policy.log
ALICE = Witness(witness_name(ACME.name, "alice"), ACME.witness_key("alice").public)


class Booth:
    """Alice's desk with her witness, and what it sent."""

    def __init__(self, folder: Path) -> None:
        self.coordinator = SimulatedCoordinator(ACME)
        self.opened = 0
        self.folder = folder
        self.sent: list[bytes] = []
        self.answers = True
        self.desk = Desk(folder, self.coordinator)
        self.start()

    def start(self) -> None:
        """Begin a run of the agent."""
        self.cosigning = Cosigning(self.desk.agent, ACME.witness_key("alice"), self.take)

    def restart(self) -> None:
        """End the program, and begin another one."""
        self.desk.coordinator = self.coordinator
        self.desk = self.desk.reopened()
        self.start()

    def take(self, note: bytes) -> None:
        kept = kept_by_witness(self.desk.agent, LOG)
        assert kept is not None
        assert note.startswith(kept.note)  # on the disk before anybody hears of it
        assert self.desk.agent.journal.log.cosigned(ACME.origin) == kept.note
        self.sent.append(note)
        if not self.answers:
            raise CoordinatorUnreachableError("expected an answer, got none")

    def grow(self, entries: int = 1) -> None:
        for _ in range(entries):
            self.opened += 1
            self.coordinator.open(ACME.request(number=self.opened, version=f"{self.opened}.0"))
        self.coordinator.pass_time(COSIGN_EVERY)

    def tend(self, **fields: Any) -> int:
        """Return the size that was cosigned; 0 where none was."""
        cosigned = self.cosigning.tend(ACME.policy, **fields)
        return 0 if cosigned is None else cosigned.size

    def sizes(self) -> list[int]:
        return [open_checkpoint(note, ACME.origin, [LOG.key_at(0)]).size for note in self.sent]


@pytest.fixture
def booth(tmp_path: Path) -> Booth:
    return Booth(tmp_path / "alice")


def test_the_newest_checkpoint_is_cosigned_as_c2sp_says(booth: Booth) -> None:
    booth.grow()
    assert booth.tend() == 2
    (cosignature,) = read_cosignatures(booth.sent[0], [ALICE])
    assert cosignature.at == booth.coordinator.now
    assert booth.sent[0].startswith(booth.coordinator.log.checkpoint(2))


def test_a_witness_cosigns_once_a_minute_and_at_once_what_concludes(booth: Booth) -> None:
    assert booth.tend() == 1
    booth.opened += 1
    booth.coordinator.open(ACME.request(number=1))
    assert booth.tend() == 0
    assert booth.tend(concluded=2) == 2
    assert booth.tend(concluded=2) == 0  # it is covered already
    booth.coordinator.pass_time(COSIGN_EVERY - timedelta(seconds=1))
    assert booth.tend() == 0
    booth.coordinator.pass_time(timedelta(seconds=1))
    assert booth.tend() == 0  # nothing new to vouch for
    booth.grow()
    assert booth.tend() == 3
    assert booth.sizes() == [1, 2, 3]


def test_what_was_not_taken_is_cosigned_again(booth: Booth) -> None:
    booth.answers = False
    with pytest.raises(CoordinatorUnreachableError):
        booth.tend()
    booth.answers = True
    assert booth.tend() == 0
    assert booth.tend(concluded=1) == 1
    assert booth.sizes() == [1, 1]


def test_after_a_restart_the_same_checkpoint_is_cosigned_once_more_and_then_what_extends_it(
    booth: Booth,
) -> None:
    booth.grow(3)
    assert booth.tend() == 4
    booth.restart()
    assert booth.tend() == 4
    booth.grow(2)
    assert booth.tend() == 6
    assert booth.sizes() == [4, 4, 6]


def test_a_second_history_is_never_cosigned_and_is_written_down(booth: Booth) -> None:
    second = booth.coordinator.fork()
    booth.grow(2)
    assert booth.tend() == 3
    second.now = booth.coordinator.now + COSIGN_EVERY
    for number in range(7, 11):
        second.open(ACME.request(number=number, version=f"{number}.0"))
    booth.coordinator = second
    booth.restart()
    with pytest.raises(ForkError):
        booth.tend()
    with pytest.raises(BlockedError):
        booth.tend(concluded=9)
    assert booth.sizes() == [3]


def restored(booth: Booth, *, also_beside: bool = False) -> None:
    """Put back the journal of an earlier day."""
    booth.desk.agent.journal.close()
    state = booth.desk.agent.home.state
    shutil.copy(state / "backup", booth.desk.agent.home.journal_file)
    if also_beside:
        booth.desk.agent.home.cosigned_file.unlink()


def test_a_restored_journal_does_not_make_a_witness_go_back(booth: Booth) -> None:
    booth.grow()
    assert booth.tend() == 2
    state = booth.desk.agent.home.state
    booth.desk.agent.journal.close()
    shutil.copy(booth.desk.agent.home.journal_file, state / "backup")
    booth.restart()
    second = booth.coordinator.fork()
    booth.grow(3)
    assert booth.tend() == 5
    restored(booth)
    honest, booth.coordinator = booth.coordinator, second
    booth.restart()
    second.open(ACME.request(number=50, version="50.0"))
    with pytest.raises(LogBehindError):  # the journal knows nothing of the five; the file beside it does
        booth.tend()
    for number in range(51, 56):
        second.open(ACME.request(number=number, version=f"{number}.0"))
    second.pass_time(COSIGN_EVERY)
    with pytest.raises(ForkError):
        booth.tend()
    assert booth.sizes() == [2, 5]
    booth.desk.agent.home.block_file.unlink()
    restored(booth)
    booth.coordinator = honest
    booth.restart()
    honest.pass_time(COSIGN_EVERY)
    assert booth.tend() == 5
    assert booth.desk.agent.journal.log.cosigned(ACME.origin) == honest.log.checkpoint(5)


def test_a_death_between_the_two_records_loses_nothing(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    class DiedError(Exception):
        pass

    def die(*_: object, **__: object) -> bool:
        raise DiedError

    with monkeypatch.context() as patched:
        patched.setattr("signer_agent.log_memory.LogMemory.keep_cosigned", die)
        with pytest.raises(DiedError):
            booth.tend()
    assert booth.sent == []
    booth.restart()
    kept = kept_by_witness(booth.desk.agent, LOG)
    assert kept is not None
    assert kept.size == 1
    booth.grow()
    assert booth.tend() == 2


def test_a_smaller_log_is_not_cosigned(booth: Booth) -> None:
    late = booth.coordinator.fork()
    booth.grow()
    assert booth.tend() == 2
    late.pass_time(2 * COSIGN_EVERY)
    booth.coordinator = late
    booth.restart()
    with pytest.raises(Refusal) as behind:
        booth.tend()
    assert behind.value.code in ("log.behind", "log.size_ahead")
    assert booth.sizes() == [2]


def test_a_key_that_the_policy_does_not_list_cosigns_nothing(booth: Booth) -> None:
    booth.cosigning.key = ACME.witness_key("bob")
    assert booth.tend() == 0
    assert booth.sent == []


def test_what_cannot_be_read_is_no_reason_to_begin_anew(booth: Booth) -> None:
    assert booth.tend() == 1
    booth.desk.agent.home.cosigned_file.write_bytes(b"a checkpoint of yesterday\n")
    booth.grow()
    with pytest.raises(WitnessMemoryError):
        booth.tend()
    assert booth.sizes() == [1]


def test_a_copy_of_the_home_that_has_cosigned_more_is_noticed(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert booth.tend() == 1
    memory = booth.desk.agent.journal.log
    head = booth.coordinator.log
    booth.grow()
    other = open_checkpoint(head.checkpoint(2), ACME.origin, [LOG.key_at(0)])
    assert not memory.keep_cosigned(other, head.checkpoint(2), instead_of=None, at=booth.coordinator.now)
    monkeypatch.setattr("signer_agent.log_memory.LogMemory.keep_cosigned", lambda *_, **__: False)
    with pytest.raises(CosignedElsewhereError):
        booth.tend()
    assert booth.sizes() == [1]


def test_a_refusal_that_stays_is_told_once(booth: Booth) -> None:
    one, other = CoordinatorUnreachableError("expected an answer"), BlockedError("expected one history")
    told = [booth.cosigning.is_news(refusal) for refusal in (one, one, other, one, None, None, one)]
    assert told == [True, False, True, True, False, False, True]

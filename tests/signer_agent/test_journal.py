# SPDX-License-Identifier: Apache-2.0
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.statements import Choice
from quorumseal.verifier.part import open_log_checkpoint
from signer_agent.comparing import newest_known
from signer_agent.errors import JournalError
from signer_agent.journal import Journal
from signer_agent.recollection import Fate
from signer_agent.signing import sign_and_store
from tests.organisation import Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


@pytest.fixture
def desk(tmp_path: Path, coordinator: SimulatedCoordinator) -> Desk:
    return Desk(tmp_path / "alice", coordinator)


def test_what_was_signed_survives_the_program_byte_for_byte(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    review = desk.look(ceremony)
    draft = desk.draft(review, Choice.REJECTION)
    stored = sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
    (again,) = desk.reopened().agent.journal.pending()
    assert again == stored
    assert again.envelope.payload == draft.payload
    assert again.annexes == draft.annexes


def test_a_commit_is_on_the_disk(desk: Desk) -> None:
    connection = desk.agent.journal._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA


def test_the_journal_is_its_owners_alone(desk: Desk) -> None:
    assert stat.S_IMODE(desk.agent.home.journal_file.stat().st_mode) == 0o600


def test_a_smaller_checkpoint_never_replaces_a_larger_one(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    coordinator.decide_as("erin", ceremony)
    head = desk.look(ceremony).observation.head
    log = coordinator.organisation.policy.policy.log
    small = coordinator.log.checkpoint(1)
    desk.agent.journal.log.keep(open_log_checkpoint(small, log), small, at=desk.agent.now())
    assert newest_known(desk.agent, log) == head
    assert desk.agent.journal.log.sizes() == {log.origin: 3}


def test_the_highest_policy_is_remembered_whatever_came_after(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    at = desk.agent.now()
    assert desk.agent.journal.highest_policy() is None
    newer = changed(coordinator.organisation, version=2, previous="sha256:" + "0" * 64).policy
    for policy in (newer, coordinator.organisation.policy):
        desk.agent.journal.keep_policy(policy, at=at)
    highest = desk.agent.journal.highest_policy()
    assert highest is not None
    assert (highest.version, highest.digest) == (2, newer.digest)


def test_the_same_statement_is_not_stored_twice(desk: Desk, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    review = desk.look(ceremony)
    draft = desk.draft(review)
    stored = sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
    with pytest.raises(sqlite3.IntegrityError):
        desk.agent.journal.store(draft.statement, "widget", stored.envelope, at=desk.agent.now())
    assert len(desk.agent.journal.signed(ceremony)) == 1


def test_what_was_acknowledged_never_becomes_void(desk: Desk, coordinator: SimulatedCoordinator) -> None:
    stored = desk.decide(coordinator.open())
    desk.agent.journal.make_void(stored.digest, "ceremony.ended")
    (kept,) = desk.agent.journal.signed(stored.ceremony)
    assert kept.fate is Fate.RECORDED


def test_the_last_decision_on_a_product_is_this_signers_and_that_products(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    widget = coordinator.open(organisation.request(number=1))
    gadget = organisation.request(number=2, product="gadget")
    assert desk.agent.journal.recall(gadget).last is None
    desk.decide(widget)
    assert desk.agent.journal.recall(gadget).last is None
    last = desk.agent.journal.recall(organisation.request(number=3)).last
    assert last is not None
    assert last.decision.ceremony == widget
    assert last.policy == organisation.policy.policy


def test_another_file_or_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    file.write_bytes(b"this is no database, and long enough to be sure of it" * 40)
    with pytest.raises(JournalError, match="expected a journal") as refused:
        Journal.open(file)
    assert refused.value.code == "agent.journal"
    file.unlink()
    Journal.open(file).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalError, match="got 99"):
        Journal.open(file)


def test_a_refused_write_changes_nothing(desk: Desk, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    review = desk.look(ceremony)
    before = desk.agent.journal.shown(ceremony)
    broken: Any = (*review.observation.entries, None)
    with pytest.raises(TypeError):
        desk.agent.journal.keep_shown(review.request, broken, ended=True, at=desk.agent.now())
    assert desk.agent.journal.shown(ceremony) == before
    assert desk.agent.journal.open_ceremonies() == (ceremony,)

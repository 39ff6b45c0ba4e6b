# SPDX-License-Identifier: Apache-2.0
"""A log begins with its organisation's policy, once."""

import pytest

from coordinator.assembly import Coordinator
from coordinator.errors import LogEmptyError, LogKeyError, LogNotEmptyError
from coordinator.founding import found
from coordinator.storage import Storage
from quorumseal.ceremony.entries import policy_of, read_entry
from quorumseal.verifier.part import open_log_checkpoint
from tests.organisation import NOW, Organisation, changed, key_of


def test_entry_0_is_the_policy_and_its_checkpoint_is_signed(
    empty_database: str, organisation: Organisation
) -> None:
    found(empty_database, organisation.log_key, organisation.policy, at=NOW)
    storage = Storage(empty_database)
    (row,) = storage.log.entries(0, 9)
    assert policy_of(read_entry(row.payload)) == organisation.policy
    checkpoint = storage.log.checkpoint()
    assert checkpoint is not None
    assert open_log_checkpoint(checkpoint.note, organisation.policy.policy.log).size == 1
    storage.close()


def test_an_organisation_is_founded_once(empty_database: str, organisation: Organisation) -> None:
    found(empty_database, organisation.log_key, organisation.policy, at=NOW)
    with pytest.raises(LogNotEmptyError, match="got one of 1 entries"):
        found(empty_database, organisation.log_key, organisation.policy, at=NOW)


def test_only_the_policys_own_log_key_founds(empty_database: str, organisation: Organisation) -> None:
    with pytest.raises(LogKeyError):
        found(empty_database, key_of("somebody"), organisation.policy, at=NOW)


def test_only_version_1_founds(empty_database: str, organisation: Organisation) -> None:
    second = changed(organisation, version=2, previous=organisation.policy.digest)
    with pytest.raises(ValueError, match="not with version 2"):
        found(empty_database, second.log_key, second.policy, at=NOW)


def test_a_coordinator_does_not_start_on_an_empty_log(
    empty_database: str, organisation: Organisation
) -> None:
    coordinator = Coordinator(empty_database, organisation.log_key)
    with pytest.raises(LogEmptyError):
        coordinator.start()
    coordinator.close()

# SPDX-License-Identifier: Apache-2.0
"""Copies of logs that a real coordinator wrote."""

from coordinator import auditing
from coordinator.storage import Storage
from quorumseal.audit.defect import Defect
from quorumseal.audit.examining import examine
from quorumseal.audit.log_copy import LogCopy
from quorumseal.verifier.trust import Trust
from tests.organisation import Organisation


def copy_of(storage: Storage) -> LogCopy:
    """Return everything that a database has of its log, as an auditor would hold it."""
    return auditing.copy_of(storage.whole())


def trust_in(organisation: Organisation) -> Trust:
    """Return what an auditor of the organisation pins."""
    return Trust(organisation=organisation.name, policy=organisation.policy.digest, minimum_version=1)


def defects(database: str, organisation: Organisation) -> tuple[Defect, ...]:
    """Return everything that an auditor finds wrong with the log in a database."""
    storage = Storage(database)
    try:
        return examine(copy_of(storage), trust_in(organisation)).defects
    finally:
        storage.close()

# SPDX-License-Identifier: Apache-2.0
"""The database: the only package that knows SQLAlchemy, Alembic and the drivers.

``Storage`` is the door.  ``schema`` names the tables, ``rows`` what goes in and comes out; ``appending`` is
the one transaction that writes the log, ``log``, ``ceremonies``, ``evidence``, ``outbox`` and
``notices`` read; ``reminders`` says what was told already, ``rewound`` what says that the log was longer.
"""

from coordinator.storage.appending import LostRaceError
from coordinator.storage.ceremonies import Earlier
from coordinator.storage.certificates import CertificateRow
from coordinator.storage.enrolments import EnrolmentRow, InvitationOverError, InvitationRow, KeyEnrolledError
from coordinator.storage.first_policies import FirstPolicyRow
from coordinator.storage.lists import Found, Wanted
from coordinator.storage.opening import existing_storage, file_of
from coordinator.storage.reminders import Alarm, Telling
from coordinator.storage.rewound import HANDED_TEXT_BYTES
from coordinator.storage.rows import (
    EMPTY_HEAD,
    AnnexRow,
    Append,
    CeremonyRow,
    CheckpointRow,
    CosignatureRow,
    DeliveryState,
    EntryRow,
    HandedRow,
    HeardRow,
    LogHead,
    NoticeRow,
    OutboxRow,
    ShownRow,
    TimestampRow,
)
from coordinator.storage.storage import Storage, migrate_database
from coordinator.storage.whole import WholeLog

__all__ = [
    "EMPTY_HEAD",
    "HANDED_TEXT_BYTES",
    "Alarm",
    "AnnexRow",
    "Append",
    "CeremonyRow",
    "CertificateRow",
    "CheckpointRow",
    "CosignatureRow",
    "DeliveryState",
    "Earlier",
    "EnrolmentRow",
    "EntryRow",
    "FirstPolicyRow",
    "Found",
    "HandedRow",
    "HeardRow",
    "InvitationOverError",
    "InvitationRow",
    "KeyEnrolledError",
    "LogHead",
    "LostRaceError",
    "NoticeRow",
    "OutboxRow",
    "ShownRow",
    "Storage",
    "Telling",
    "TimestampRow",
    "Wanted",
    "WholeLog",
    "existing_storage",
    "file_of",
    "migrate_database",
]

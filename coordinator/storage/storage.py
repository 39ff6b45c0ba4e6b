# SPDX-License-Identifier: Apache-2.0
"""One database, and everything that is in it."""

from collections.abc import Callable
from threading import Event

from coordinator.storage.appending import append_to_log
from coordinator.storage.ceremonies import CeremonyTable
from coordinator.storage.certificates import CertificateTable
from coordinator.storage.cosignatures import CosignatureTable
from coordinator.storage.counting import Counting
from coordinator.storage.engine import Engines
from coordinator.storage.enrolments import EnrolmentTables
from coordinator.storage.evidence import EvidenceTable
from coordinator.storage.first_policies import FirstPolicyTables
from coordinator.storage.lists import CeremonyLists
from coordinator.storage.log import LogTables
from coordinator.storage.migrating import migrate, require_current
from coordinator.storage.notices import NoticeTable
from coordinator.storage.notifications import listen
from coordinator.storage.outbox import Outbox
from coordinator.storage.reminders import ReminderTables
from coordinator.storage.rewound import RewoundTables
from coordinator.storage.rows import Append
from coordinator.storage.timestamps import TimestampTable
from coordinator.storage.whole import WholeLog, read_whole


class Storage:
    """The database of a coordinator, opened, checked and with its tables in place."""

    def __init__(self, url: str, *, make_tables: bool = True) -> None:
        self.engines = Engines(url)
        self.log = LogTables(self.engines)
        self.ceremonies = CeremonyTable(self.engines)
        self.lists = CeremonyLists(self.engines)
        self.evidence = EvidenceTable(self.engines)
        self.outbox = Outbox(self.engines)
        self.notices = NoticeTable(self.engines)
        self.reminders = ReminderTables(self.engines)
        self.enrolments = EnrolmentTables(self.engines)
        self.certificates = CertificateTable(self.engines)
        self.first_policies = FirstPolicyTables(self.engines)
        self.timestamps = TimestampTable(self.engines)
        self.rewound = RewoundTables(self.engines)
        self.cosignatures = CosignatureTable(self.engines)
        self.counting = Counting(self.engines)
        try:
            require_current(self.engines, make=make_tables)
        except BaseException:
            self.engines.close()
            raise

    def append(self, append: Append) -> None:
        """Append to the log in one durable transaction."""
        append_to_log(self.engines, append)

    def listen(self, heard: Callable[[], None], stopping: Event) -> None:
        """Call ``heard`` after each append by anybody, until told to stop."""
        if self.engines.postgresql:
            listen(self.engines, heard, stopping)
        else:  # a database file has one coordinator
            stopping.wait()

    def whole(self) -> WholeLog:
        """Return everything that is stored of the log."""
        return read_whole(self.engines)

    def forget_connections(self) -> None:
        """Drop pooled connections after an error."""
        self.engines.forget_connections()

    def close(self) -> None:
        """Close every connection."""
        self.engines.close()


def migrate_database(url: str) -> tuple[str | None, str]:
    """Upgrade a database's tables; return their version before and after."""
    engines = Engines(url)
    try:
        return migrate(engines)
    finally:
        engines.close()

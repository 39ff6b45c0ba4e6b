# SPDX-License-Identifier: Apache-2.0
"""A decision gets its timestamp once, between signing and sending, and keeps it for every resend."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.timestamping import AuthorityUnreachableError
from quorumseal.signatures import Authority, Timestamp, read_timestamp
from signer_agent.errors import NoReceiptError, NoTimestampError, SettingsError
from signer_agent.journal import Journal
from signer_agent.recollection import Fate
from signer_agent.settings import read_settings, settings_text
from signer_agent.stamping import Stamping, with_timestamp
from tests.organisation import Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator
from tests.timestamp_authority import LyingAuthority, openssl_needed

pytestmark = openssl_needed


@dataclass
class Clock:
    """An authority that can be out of reach, and how often it was asked."""

    authority: LyingAuthority
    coordinator: SimulatedCoordinator
    broken: bool = False
    asked: int = 0
    complaints: list[str] = field(default_factory=list)

    def fetch(self, message: bytes, authorities: Sequence[Authority]) -> Timestamp:
        self.asked += 1
        if self.broken:
            raise AuthorityUnreachableError("expected an answer, got none")
        return read_timestamp(self.authority.token(message, self.coordinator.now), message, authorities)

    def stamping(self, *, required: bool = False) -> Stamping:
        return Stamping(fetch=self.fetch, required=required, complain=self.complaints.append)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    authority = LyingAuthority(tmp_path)
    acme = changed(Organisation(), timestamping=(authority.authority,))
    return Clock(authority, SimulatedCoordinator(acme))


def desk_of(clock: Clock, folder: Path, *, required: bool = False) -> tuple[Desk, str]:
    ceremony = clock.coordinator.open()
    desk = Desk(folder, clock.coordinator)
    desk.agent = replace(desk.agent, stamping=clock.stamping(required=required))
    return desk, ceremony


def test_decision_is_logged_with_its_timestamp(clock: Clock, tmp_path: Path) -> None:
    desk, ceremony = desk_of(clock, tmp_path / "alice")
    stored = desk.decide(ceremony)
    assert stored.fate is Fate.RECORDED
    assert stored.timestamp
    assert "timestamp" in clock.coordinator.entries[ceremony][1].body


def test_authority_that_fails_stops_nobody(clock: Clock, tmp_path: Path) -> None:
    clock.broken = True
    desk, ceremony = desk_of(clock, tmp_path / "alice")
    stored = desk.decide(ceremony)
    assert (stored.fate, stored.timestamp) == (Fate.RECORDED, b"")
    assert len(clock.complaints) == 1


def test_required_timestamp_that_cannot_be_had_leaves_the_decision_in_the_journal(
    clock: Clock, tmp_path: Path
) -> None:
    clock.broken = True
    desk, ceremony = desk_of(clock, tmp_path / "alice", required=True)
    with pytest.raises(NoTimestampError):
        desk.decide(ceremony)
    (pending,) = desk.agent.journal.pending()
    assert pending.timestamp == b""
    clock.broken = False
    assert desk.decide(ceremony).timestamp
    assert len(desk.key.signed) == 1


def test_resend_carries_the_timestamp_of_the_first_attempt(clock: Clock, tmp_path: Path) -> None:
    reached = [False]

    def lost(message: Message) -> Any:
        if message.method == "decide" and not reached[0]:
            raise CoordinatorUnreachableError("expected an answer, got none")
        return message.content

    ceremony = clock.coordinator.open()
    desk = Desk(tmp_path / "alice", clock.coordinator, hostile=lost)
    desk.agent = replace(desk.agent, stamping=clock.stamping())
    with pytest.raises(NoReceiptError):
        desk.decide(ceremony)
    (pending,) = desk.agent.journal.pending()
    reached[0], clock.broken = True, True
    clock.coordinator.pass_time(timedelta(minutes=30))
    assert desk.decide(ceremony).timestamp == pending.timestamp != b""
    assert clock.asked == 1


def test_only_decisions_are_stamped(clock: Clock, tmp_path: Path) -> None:
    desk, ceremony = desk_of(clock, tmp_path / "mallory")
    stored = desk.decide(ceremony)
    request = replace(
        stored, statement=clock.coordinator.chains[ceremony].ceremony.request.statement, timestamp=b""
    )
    assert (
        with_timestamp(request, clock.coordinator.organisation.policy, desk.agent.journal, clock.stamping())
        == request
    )
    assert clock.asked == 1


def test_journal_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    Journal.open(file).close()
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE statements DROP COLUMN timestamp")
    for table in ("verified", "met", "cosigned", "followed"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with Journal.open(file) as journal:
        assert journal.pending() == ()
    Journal.open(file).close()


def test_settings_name_the_authority_and_whether_nothing_goes_without(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    plain = settings_text(name="alice", coordinator="127.0.0.1:1")
    file.write_text(plain)
    assert read_settings(file).timestamps is None
    file.write_text(f'{plain}\n[timestamps]\nurl = "https://clock.example/tsa"\n')
    usual = read_settings(file).timestamps
    assert usual is not None
    assert (usual.address.host, usual.required) == ("clock.example", False)
    file.write_text(f'{plain}\n[timestamps]\nurl = "https://clock.example/tsa"\nrequired = true\n')
    strict = read_settings(file).timestamps
    assert strict is not None
    assert strict.required
    file.write_text(f'{plain}\n[timestamps]\nurl = "ftp://clock.example/tsa"\n')
    with pytest.raises(SettingsError, match=r"timestamps\.url: expected http"):
        read_settings(file)

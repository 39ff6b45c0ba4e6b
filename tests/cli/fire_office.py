# SPDX-License-Identifier: Apache-2.0
"""An office whose policy knows emergencies, with a clock that tests move for everybody at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.clock import LogClock
from coordinator.server import CoordinatorServer
from coordinator.settings import read_settings
from quorumseal.cli.main import main
from tests.cli.office import Office, copied_office
from tests.running_coordinator import InProcess

WHY = "customers cannot sign in since 13:40, and every hour of it costs them data"
IMPACT = "all tenants in the region"
REPORT = "the cause was a certificate that had run out; a job renews it from now on"


@dataclass
class Shifted:
    """The time of this machine, and how far a test has moved it."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self, zone: object = UTC) -> datetime:
        """Return the time, as ``datetime.now`` does."""
        del zone
        return datetime.now(UTC) + self.ahead

    def elapsed(self) -> float:
        """Return as many seconds as this clock has passed."""
        return time.monotonic() + self.ahead.total_seconds()


@dataclass(frozen=True)
class FireOffice:
    """Where everybody works, and the time there."""

    office: Office
    clock: Shifted

    def run(self, person: str, *words: str) -> int:
        """Let a person run a command."""
        return main([*words, *self.office.home(person)])

    def start(self, version: str, *words: str) -> int:
        """Let rita break the glass."""
        texts = ["--reason", "outage", "--incident", "INC-7", "--why", WHY, "--impact", IMPACT]
        return self.run(
            "rita",
            *("break-glass", "start", "widget", version, str(self.office.artifact), *texts, *words, "--yes"),
        )

    def join(self, version: str, *people: str) -> None:
        """Let people join."""
        for person in people:
            found = ["--artifacts", str(self.office.artifact), "--yes"]
            assert self.run(person, "break-glass", "join", f"widget@{version}", *found) == 0

    def pass_time(self, length: timedelta) -> None:
        """Move everybody's clock."""
        self.clock.ahead += length


@contextmanager
def burning_office(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, drill: bool = False
) -> Iterator[FireOffice]:
    """Found an organisation that knows emergencies, and run its coordinator on the movable clock."""
    clock = Shifted()
    office = copied_office(
        folder,
        emergency={"engineering": 1, "security": 1},
        guardians=["security"],
        drill=drill,
    )
    for module in ("signer_agent.cli.opening", "quorumseal.cli.desk", "quorumseal.cli.verify"):
        monkeypatch.setattr(f"{module}.datetime", clock)

    async def start() -> CoordinatorServer:
        settings = read_settings(office.folder / "coordinator" / "coordinator.toml")
        server = CoordinatorServer(settings, clock=LogClock(clock.now, clock.elapsed))
        await server.start()
        return server

    with InProcess[CoordinatorServer]() as running:
        server = running.run(start())
        try:
            yield FireOffice(office, clock)
        finally:
            running.run(server.stop())

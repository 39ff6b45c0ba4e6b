# SPDX-License-Identifier: Apache-2.0
"""A database is restored from an old backup, and everything comes back: with real homes, over mTLS."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import pytest

from coordinator.storage import Storage, existing_storage
from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, found_office

PATIENCE = 60
Capture = pytest.CaptureFixture[str]
_RUN = "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return found_office(tmp_path / "acme")


class Operator:
    """Runs the operator's commands."""

    def __init__(self, office: Office, capsys: Capture) -> None:
        self.office = office
        self._capsys = capsys
        self.settings = office.folder / "coordinator" / "coordinator.toml"
        self.database = f"sqlite:///{self.settings.parent / 'coordinator.db'}"

    def run(self, *words: str, expected: int = 0) -> str:
        """Run a command of the coordinator, and return what it said."""
        self._capsys.readouterr()
        code = main(["coordinator", *words, "--settings", str(self.settings)])
        said = self._capsys.readouterr()
        assert code == expected, said.err + said.out
        return unwrapped(said.out + said.err)

    def ask(self, *words: str, expected: int = 0) -> dict[str, Any]:
        """Run a command of the coordinator for a program."""
        out: dict[str, Any] = json.loads(self.run(*words, "--json", expected=expected))
        return out

    def do(self, person: str, *words: str, expected: int = 0) -> str:
        """Run somebody's command, and return what it said."""
        self._capsys.readouterr()
        code = main([*words, *self.office.home(person)])
        said = self._capsys.readouterr()
        assert code == expected, said.err + said.out
        return unwrapped(said.out + said.err)

    def start(self, version: str) -> str:
        """Ask for a release."""
        self.do("rita", "start", "widget", version, str(self.office.artifact))
        return f"widget@{version}"

    def approve(self, release: str, *people: str) -> None:
        """Let people approve it."""
        for person in people:
            self.do(person, "approve", release, "--yes", "--artifacts", str(self.office.artifact))

    def entries(self) -> list[bytes]:
        """Return the log."""
        with existing_storage(self.database) as storage:
            return [row.payload for row in storage.log.entries(0, storage.log.size())]


@pytest.fixture
def operator(office: Office, capsys: Capture) -> Operator:
    return Operator(office, capsys)


def unwrapped(said: str) -> str:
    """Return what was said as if the screen had no end: a path may be as long as it likes."""
    return " ".join(said.split())


class Running:
    """Somebody's `agent run`, as a process, and what it says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(json.loads(line))

    def until(self, notice: str) -> dict[str, Any]:
        """Return the next notice of a kind."""
        while True:
            try:
                said = self._said.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"expected {notice}, got silence ({self.process.poll()})") from None
            if said["notice"] == notice:
                return said

    def end(self) -> int:
        """Stop it, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return code


@contextmanager
def starting(office: Office, person: str) -> Iterator[Running]:
    """Let somebody's agent run."""
    command = [sys.executable, "-c", _RUN, "agent", "run", "--json", *office.home(person)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        running = Running(process)
        try:
            yield running
        finally:
            code = running.end()
        assert code == 0


@contextmanager
def watching(office: Office, person: str) -> Iterator[Running]:
    """Let somebody's agent run, and wait until it watches."""
    with starting(office, person) as running:
        running.until("watching")
        yield running


def test_a_restored_database_gets_back_what_it_had_lost(operator: Operator, tmp_path: Path) -> None:
    office, backup = operator.office, tmp_path / "log.backup"
    with coordinator_of(office), watching(office, "erin"):
        first = operator.start("1.0")
        operator.approve(first, "alice")
        assert operator.ask("backup", str(backup))["entries"] == 3
        operator.approve(first, "bob", "carol", "dan")
        second = operator.start("2.0")
        operator.approve(second, "carol")
        operator.do("erin", "inbox")
        before = operator.entries()
    rehearsed = operator.ask("recover", "--rehearse", "--backup", str(backup))
    assert (rehearsed["before"], rehearsed["after"], rehearsed["unheard"]) == (3, len(before), [])
    assert operator.entries() == before
    restored = operator.ask("restore", str(backup))
    assert restored["entries"] == 3
    assert operator.entries() == before[:3]
    with coordinator_of(office):
        said = operator.do("rita", "start", "widget", "3.0", str(office.artifact), expected=14)
        assert "log.rewound" in said
        assert operator.entries() == before[:3]
        operator.run("health", expected=1)
        operator.run("doctor", expected=1)
        lost = operator.run("recover", expected=1)
        assert "got none for" in lost
        assert "handed back" in operator.do("erin", "agent", "hand-back")
        recovered = operator.ask("recover")
        assert (recovered["before"], recovered["after"]) == (3, len(before))
        assert operator.entries()[: len(before)] == before
        assert len(operator.entries()) == len(before) + 1
        operator.approve(second, "alice", "bob", "dan")
        operator.run("health")
    assert operator.run("rebuild").count("mended") == 0


def test_agents_that_run_or_are_started_meanwhile_hand_back_by_themselves_and_go_on(
    operator: Operator, tmp_path: Path
) -> None:
    office, backup = operator.office, tmp_path / "log.backup"
    with ExitStack() as everybody:
        with coordinator_of(office):
            operator.run("backup", str(backup))
            erin = everybody.enter_context(watching(office, "erin"))
            first = operator.start("1.0")
            erin.until("waits")
            operator.approve(first, "alice", "bob", "carol")
            second = operator.start("2.0")
            assert erin.until("waits")["version"] == "2.0"
            operator.do("erin", "inbox")
            before = operator.entries()
        operator.run("restore", str(backup))
        kept = operator.entries()
        with coordinator_of(office):
            refused = operator.do("rita", "start", "widget", "3.0", str(office.artifact), expected=14)
            assert "log.rewound" in refused
            assert "let your agent run" in refused
            doctor = operator.run("doctor", expected=1)
            assert doctor.endswith(f"quorumseal coordinator recover --settings {operator.settings}")
            handed = erin.until("handed-back")
            assert (handed["from"], handed["to"], handed["entries"]) == (1, len(before), len(before) - 1)
            bob = everybody.enter_context(starting(office, "bob"))  # he has signed, and let no agent run
            assert bob.until("handed-back")["entries"] >= 1
            with starting(office, "dan") as dan:  # he has seen nothing of it, and is heard all the same
                assert dan.until("handed-back")["entries"] == 0
            with existing_storage(operator.database) as storage:
                assert {"bob", "dan", "erin"} <= {row.signer for row in storage.rewound.heard()}
            assert operator.entries() == kept
            recovered = operator.ask("recover")
            assert (recovered["before"], recovered["after"]) == (1, len(before))
            assert "erin" in recovered["handed_back"]
            erin.until("recovered")
            bob.until("recovered")
            assert bob.until("watching")["waiting"] == 1
            assert operator.entries()[: len(before)] == before
            operator.approve(first, "dan")
            while erin.until("ended")["state"] != "approved":
                pass
            operator.approve(second, "alice", "carol", "dan", "bob")
            assert bob.until("ended")["version"] == "1.0"
            assert bob.until("ended")["version"] == "2.0"
            operator.run("health")
    assert operator.run("rebuild").count("mended") == 0


def test_a_restore_keeps_what_was_there_and_wants_it_unused(operator: Operator, tmp_path: Path) -> None:
    office, backup = operator.office, tmp_path / "log.backup"
    operator.run("backup", str(backup))
    assert "got one" in operator.run("backup", str(backup), expected=1)
    former = operator.entries()
    with coordinator_of(office):
        assert "stop the coordinator first" in operator.run("restore", str(backup), expected=1)
    aside = Path(operator.ask("restore", str(backup))["aside"])
    with existing_storage(f"sqlite:///{aside}") as storage:
        assert [row.payload for row in storage.log.entries(0, 9)] == former
    assert operator.entries() == former


@pytest.mark.parametrize("harm", ["cut short", "not a database", "empty", "missing"])
def test_what_is_no_whole_backup_is_not_restored(operator: Operator, tmp_path: Path, harm: str) -> None:
    backup, before = tmp_path / "log.backup", operator.entries()
    operator.run("backup", str(backup))
    data = backup.read_bytes()
    match harm:
        case "cut short":
            backup.write_bytes(data[: len(data) // 2])
        case "not a database":
            backup.write_bytes(b"x" * len(data))
        case "empty":
            backup.write_bytes(b"")
        case _:
            backup.unlink()
    operator.run("restore", str(backup), expected=69 if harm == "empty" else 1)
    assert operator.entries() == before
    assert not [each for each in operator.settings.parent.iterdir() if each.name.endswith(".new")]


def test_nothing_is_rehearsed_with_another_logs_backup(operator: Operator, tmp_path: Path) -> None:
    other = found_office(tmp_path / "other")
    backup = tmp_path / "other.backup"
    shutil.copy(other.folder / "coordinator" / "coordinator.db", backup)
    assert "earlier state of this log" in operator.run(
        "recover", "--rehearse", "--backup", str(backup), expected=69
    )
    said = operator.run("recover", expected=1)
    assert "rehearse instead" in said
    assert f"`quorumsealcoordinatordoctor--settings{operator.settings}`" in said.replace(" ", "")
    storage = Storage(operator.database)
    assert storage.rewound.shown() == []
    storage.close()

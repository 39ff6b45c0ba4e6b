# SPDX-License-Identifier: Apache-2.0
"""The verbs as people use them: real homes, real keys, a real coordinator on loopback over mTLS."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from quorumseal.client.connection import Connection
from signer_agent.home import Home
from signer_agent.journal import Journal
from signer_agent.recollection import Fate
from signer_agent.settings import read_settings
from tests.cli.office import PASSPHRASE, Office, coordinator_of, found_office
from tests.cli.terminal import Terminal, shows

Capture = pytest.CaptureFixture[str]
_RUN = "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = found_office(tmp_path_factory.mktemp("agents") / "acme")
    with coordinator_of(office):
        yield office


@pytest.fixture
def release(office: Office, capsys: Capture) -> str:
    """A version that nobody asked for before, asked for by rita."""
    version = f"2.{time.monotonic_ns()}"
    assert main(["start", "widget", version, str(office.artifact), *office.home("rita")]) == 0
    capsys.readouterr()
    return f"widget@{version}"


@pytest.fixture
def bob_is_asked(office: Office) -> Iterator[list[str]]:
    """Bob without his passphrase file: he is asked at the terminal."""
    file = office.folder / "people" / "bob" / "agent.toml"
    before = file.read_text()
    file.write_text(before.replace("passphrase_file =", "# passphrase_file ="))
    yield office.home("bob")
    file.write_text(before)


def found(office: Office) -> list[str]:
    return ["--artifacts", str(office.artifact)]


def signed_by(office: Office, person: str) -> list[Fate]:
    """Return what became of everything that a person signed."""
    home = Home.open(office.folder / "people" / person)
    with Journal.open(home.journal_file) as journal:
        return [stored.fate for c in journal.ceremonies() for stored in journal.signed(c)]


def test_a_person_reviews_confirms_and_signs_at_a_terminal(
    office: Office, release: str, bob_is_asked: list[str]
) -> None:
    terminal = Terminal(["approve", release, *found(office), *bob_is_asked], rows=70)
    terminal.until(shows("Type yes to sign:"))
    assert terminal.lines[0].startswith("○ widget 2.")
    assert any("the same bytes as" in line for line in terminal.lines)
    terminal.type("yes\n")
    terminal.until(shows("Passphrase of signing.key.pem:"))
    terminal.type("wrong\n")
    terminal.until(lambda t: sum("Passphrase of" in line for line in t.lines) == 2)
    terminal.type(PASSPHRASE + "\n")
    terminal.until(shows("✓ You approved widget 2."))
    assert terminal.end() == 0
    assert PASSPHRASE not in "\n".join(terminal.lines)
    assert "wrong" not in "\n".join(terminal.lines)


def test_saying_no_at_the_terminal_signs_nothing(
    office: Office, release: str, bob_is_asked: list[str]
) -> None:
    before = signed_by(office, "bob")
    terminal = Terminal(["approve", release, *found(office), *bob_is_asked], rows=70)
    terminal.until(shows("Type yes to sign:"))
    terminal.type("no\n")
    terminal.until(shows("usage.not_confirmed"))
    assert terminal.end() == 2
    assert signed_by(office, "bob") == before


def test_an_interrupted_prompt_signs_nothing(office: Office, release: str, bob_is_asked: list[str]) -> None:
    before = signed_by(office, "bob")
    terminal = Terminal(["approve", release, *found(office), *bob_is_asked], rows=70)
    terminal.until(shows("Type yes to sign:"))
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    assert signed_by(office, "bob") == before


def test_a_file_that_differs_by_one_bit_is_refused_with_exit_code_3(
    office: Office, release: str, tmp_path: Path, capsys: Capture
) -> None:
    before = signed_by(office, "alice")
    data = bytearray(office.artifact.read_bytes())
    data[0] ^= 1
    (tmp_path / "widget.tar.gz").write_bytes(data)
    code = main(
        ["approve", release, "--yes", "--artifacts", str(tmp_path / "widget.tar.gz"), *office.home("alice")]
    )
    assert code == 3
    assert "[artifact.other_bytes]" in capsys.readouterr().err
    assert signed_by(office, "alice") == before


def test_the_inbox_and_the_review_are_documents_too(office: Office, release: str, capsys: Capture) -> None:
    assert main(["inbox", "--json", *office.home("alice")]) == 0
    inbox = json.loads(capsys.readouterr().out)
    assert release in {f"{c['product']}@{c['version']}" for c in inbox["ceremonies"]}
    assert main(["review", release, "--json", *found(office), *office.home("alice")]) == 0
    review = json.loads(capsys.readouterr().out)
    assert review["standing"] == "awaited"
    assert review["artifacts"][0]["found"] == review["artifacts"][0]["digest"]


def test_a_passphrase_comes_through_a_descriptor(office: Office, release: str) -> None:
    words = ["approve", release, "--yes", *found(office), "--passphrase-fd", "0", *office.home("erin")]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words],
        input=PASSPHRASE + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert PASSPHRASE not in done.stdout + done.stderr


def test_four_people_bring_a_release_to_its_bundle(office: Office, release: str, capsys: Capture) -> None:
    assert office.decide("approve", "alice", release=release) == 0
    assert office.decide("abstain", "bob", release=release) == 0
    assert office.decide("approve", "bob", release=release) == 0
    assert office.decide("approve", "carol", release=release) == 0
    assert office.decide("approve", "dan", release=release) == 0
    assert "It completes the quorum" in capsys.readouterr().out
    assert office.decide("approve", "erin", release=release) == 9
    assert "[ceremony.ended]" in capsys.readouterr().err


def test_the_requester_cannot_approve(office: Office, release: str, capsys: Capture) -> None:
    assert office.decide("approve", "rita", release=release) == 4
    assert "[decision.requester]" in capsys.readouterr().err


def test_a_rejection_ends_it_and_its_reason_is_read_by_the_others(
    office: Office, release: str, capsys: Capture
) -> None:
    assert office.decide("reject", "carol", "--reason", "zlib is missing", release=release) == 0
    capsys.readouterr()
    assert main(["review", release, *office.home("alice")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"✗ {release.replace('@', ' ')} was rejected")
    assert "  │ zlib is missing" in out


class AgentProcess:
    """``quorumseal agent run --json`` as a process."""

    def __init__(self, office: Office, person: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "agent", "run", "--json", *office.home(person)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self._out = self.process.stdout

    def until(self, seen: Callable[[Any], bool]) -> Any:
        """Return the first notice that is what the test waits for."""
        for line in self._out:
            notice = json.loads(line)
            if seen(notice):
                return notice
        raise AssertionError(self.process.stderr.read() if self.process.stderr else "")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def agent_of(office: Office) -> Iterator[Callable[[str], AgentProcess]]:
    started: list[AgentProcess] = []

    def start(person: str) -> AgentProcess:
        started.append(AgentProcess(office, person))
        return started[-1]

    yield start
    for agent in started:
        agent.process.kill()
        agent.process.communicate(timeout=30)


def test_a_running_agent_is_present_and_says_what_waits(
    office: Office, agent_of: Callable[[str], AgentProcess], capsys: Capture
) -> None:
    agent = agent_of("alice")
    agent.until(lambda notice: notice["notice"] == "watching")
    settings = read_settings(office.folder / "people" / "rita" / "agent.toml")
    with Connection(settings.coordinator, settings.tls) as connection:
        until(lambda: "alice" in {presence.signer for presence in connection.presence()})
        version = f"3.{time.monotonic_ns()}"
        assert main(["start", "widget", version, str(office.artifact), *office.home("rita")]) == 0
        waits = agent.until(lambda notice: notice.get("version") == version)
        assert (waits["notice"], waits["standing"]) == ("waits", "awaited")
        # the person decides beside it, in the same home
        assert office.decide("approve", "alice", release=f"widget@{version}") == 0
        moved = agent.until(lambda notice: notice.get("version") == version)
        assert (moved["notice"], moved["standing"]) == ("moved", "decided")
        capsys.readouterr()
        assert main(["agent", "status", *office.home("alice")]) == 0
        assert "at work" in capsys.readouterr().out
        assert main(["agent", "run", *office.home("alice")]) == 1
        assert "[agent.already_running]" in capsys.readouterr().err
        assert agent.end(signal.SIGTERM) == 0
        until(lambda: "alice" not in {presence.signer for presence in connection.presence()})


def test_an_agent_is_interrupted_like_any_program(agent_of: Callable[[str], AgentProcess]) -> None:
    agent = agent_of("dan")
    agent.until(lambda notice: notice["notice"] == "watching")
    assert agent.end(signal.SIGINT) == 130


def test_a_killed_approval_is_there_once(office: Office, capsys: Capture, count: Callable[..., int]) -> None:
    chance = random.Random(4)
    for turn in range(count(3, deep=100)):
        version = f"4.{turn}.{time.monotonic_ns()}"
        assert main(["start", "widget", version, str(office.artifact), *office.home("rita")]) == 0
        words = ["approve", f"widget@{version}", "--yes", *found(office), *office.home("alice")]
        process = subprocess.Popen([sys.executable, "-c", _RUN, *words], stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 1.2))
        process.kill()
        process.wait(30)
        assert main(words) == 0
        capsys.readouterr()
        assert main(["review", f"widget@{version}", "--json", *office.home("alice")]) == 0
        review = json.loads(capsys.readouterr().out)
        assert [(d["signer"], d["choice"]) for d in review["decisions"]] == [("alice", "approval")]
        home = Home.open(office.folder / "people" / "alice")
        with Journal.open(home.journal_file) as journal:
            (stored,) = journal.signed(review["ceremony"])
        assert stored.fate is Fate.RECORDED


def test_a_coordinator_that_is_not_there_is_told(office: Office, tmp_path: Path, capsys: Capture) -> None:
    home = tmp_path / "alice"
    shutil.copytree(office.folder / "people" / "alice", home)
    settings = home / "agent.toml"
    address = read_settings(settings).coordinator
    settings.write_text(settings.read_text().replace(address, "127.0.0.1:1"))
    assert main(["inbox", "--home", str(home)]) == 69
    assert "[coordinator.unreachable]" in capsys.readouterr().err


def test_status_tells_of_a_block(office: Office, capsys: Capture) -> None:
    home = Home.open(office.folder / "people" / "erin")
    home.block_file.touch()
    try:
        assert main(["agent", "status", "--json", *office.home("erin")]) == 14
        assert json.loads(capsys.readouterr().out)["blocked"] is True
        assert main(["agent", "status", *office.home("erin")]) == 14
        assert capsys.readouterr().out.startswith("✗ erin signs nothing")
        assert main(["approve", "widget@1.0", *office.home("erin")]) == 14
    finally:
        home.block_file.unlink()


def until(seen: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    deadline = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)

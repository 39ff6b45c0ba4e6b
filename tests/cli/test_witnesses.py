# SPDX-License-Identifier: Apache-2.0
"""What waits for witnesses, from the approval to the consumer: agents at work, a coordinator over mTLS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import ROOT, flat, said

Capture = pytest.CaptureFixture[str]
RELEASE = "widget@1.0"
ASKED = {'origin = "acme/log"\n': 'origin = "acme/log"\ncosignatures = 2\n'}
"""What a policy says that asks for two of its seven witnesses."""
_RUN = "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"
_PATIENCE = 30


class Agent:
    """``agent run`` as a process."""

    def __init__(self, office: Office, person: str) -> None:
        words = ["agent", "run", *office.home(person), "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *words],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )

    def until(self, notice: str) -> Any:
        """Return the first notice of a kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            assert told["notice"] != "refused", told
            if told["notice"] == notice:
                return told
        raise AssertionError(f"expected {notice}, got the end of the agent")

    def stop(self) -> None:
        """Ask it to stop."""
        self.process.terminate()
        assert self.process.wait(_PATIENCE) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def agents(office: Office, *people: str) -> Iterator[list[Agent]]:
    running = [Agent(office, person) for person in people]
    try:
        yield running
    finally:
        for agent in running:
            agent.stop()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = found_office(tmp_path / "acme", rules=ASKED)
    with coordinator_of(made):
        yield made


def test_an_approved_release_waits_for_its_witnesses_and_consumers_count_them(
    office: Office, capsys: Capture
) -> None:
    def rita(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, *office.home("rita"), "--json"])
        return code, said(capsys.readouterr().out)

    def screen(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*words, *office.home("rita")]) == code
        return flat(capsys.readouterr().out)

    assert office.start() == 0
    office.approve("alice", "erin", "carol", "dan")
    _until(lambda: _state(rita) == "awaiting witnesses")
    _it_waits(office, rita, screen)
    with agents(office, "alice") as (alice,):
        assert alice.until("cosigned")["log"] == "acme/log"
        _until(lambda: "1 of 2 cosignatures" in _detail(rita))
        assert "acme/witness/alice" not in _detail(rita)
        with agents(office, "carol") as (carol,):
            carol.until("cosigned")
            _until(lambda: _state(rita) == "published")
    _it_is_published(screen)
    _consumers_count_them(office, capsys)


def _it_waits(office: Office, rita: Callable[..., tuple[int, Any]], screen: Callable[..., str]) -> None:
    assert "0 of 2 cosignatures" in _detail(rita)
    assert "acme/witness/alice" in _detail(rita)
    assert "awaiting witnesses for" in screen("show", RELEASE)
    assert "widget 1.0 is approved, and awaiting witnesses of the log" in screen("list")
    (listed,) = rita("list")[1]["ceremonies"]
    assert listed["publication"] == "awaiting witnesses"
    published = screen("release", "publish", RELEASE, code=8)
    assert "widget 1.0 is not published everywhere yet" in published
    assert "awaiting witnesses for" in published
    assert rita("wait", RELEASE, "--timeout", "1s")[0] == 8
    assert not [*(office.folder / "published").glob("widget*")]


def _it_is_published(screen: Callable[..., str]) -> None:
    assert "published:" in screen("show", RELEASE)
    assert "awaiting" not in screen("list")
    assert "widget 1.0 is published" in screen("release", "publish", RELEASE)


def _consumers_count_them(office: Office, capsys: Capture) -> None:
    bundle = office.folder / "published" / f"{RELEASE}.quorumseal.json"
    where = ["--bundle", str(bundle), "--trust", str(office.folder / "trust.json")]
    capsys.readouterr()
    assert main(["verify", str(office.artifact), *where, "--explain"]) == 0
    explained = flat(capsys.readouterr().out)
    assert all(f"acme/witness/{person}" in explained for person in ("alice", "carol"))
    assert "acme/witness/erin" not in explained
    assert main(["verify", str(office.artifact), *where, "--json"]) == 0
    counted = said(capsys.readouterr().out)["cosignatures"]
    assert [each["witness"] for each in counted] == ["acme/witness/alice", "acme/witness/carol"]
    _take_one_away(bundle)
    assert main(["verify", str(office.artifact), *where]) == 14
    refused = flat(capsys.readouterr().err)
    assert "[log.cosignatures]" in refused


def _take_one_away(bundle: Path) -> None:
    document = json.loads(bundle.read_bytes())
    witnessed = document["witnessed"]
    for each in witnessed:
        lines = each["checkpoint"].splitlines(keepends=True)
        each["checkpoint"] = "".join(line for line in lines if "acme/witness/carol" not in line)
    document["witnessed"] = [each for each in witnessed if "acme/witness/" in each["checkpoint"]]
    bundle.write_text(json.dumps(document, separators=(",", ":")))


def _publication(rita: Callable[..., tuple[int, Any]]) -> Any:
    (publication,) = rita("show", RELEASE)[1]["publications"] or [{"state": "none", "detail": ""}]
    return publication


def _state(rita: Callable[..., tuple[int, Any]]) -> str:
    return str(_publication(rita)["state"])


def _detail(rita: Callable[..., tuple[int, Any]]) -> str:
    return str(_publication(rita)["detail"])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)

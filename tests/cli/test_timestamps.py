# SPDX-License-Identifier: Apache-2.0
"""Timestamps as people use them: a real authority by openssl, real homes, a coordinator over mTLS."""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.values import instant_text
from quorumseal.cli.main import main
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorUnreachableError
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import said
from tests.timestamp_authority import RealAuthority, openssl_needed

pytestmark = openssl_needed
Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, Any]]
GUARDED = {'security = ["carol"]': 'security = { members = ["carol", "dan", "erin"], guardian = true }'}


@pytest.fixture
def clock(tmp_path: Path) -> RealAuthority:
    return RealAuthority(tmp_path, accuracy="millisecs:1")


@pytest.fixture
def office(tmp_path: Path, clock: RealAuthority) -> Iterator[Office]:
    table = f"[timestamping.\"{clock.name}\"]\ncertificate = '''\n{clock.authority.pem}'''\n\n[log]"
    made = found_office(tmp_path / "acme", rules={**GUARDED, "[log]": table})
    with clock.serving() as url:
        for settings in ("people/alice/agent.toml", "coordinator/coordinator.toml"):
            with (made.folder / settings).open("a") as file:
                file.write(f'\n[timestamps]\nurl = "{url}"\n')
        with coordinator_of(made):
            yield made


@pytest.fixture
def run(office: Office, capsys: Capture) -> Run:
    def run_one(person: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, *office.home(person), "--json"])
        shown = capsys.readouterr()
        return code, said(shown.out or shown.err)

    return run_one


def test_decision_with_an_earlier_timestamp_counts_though_its_key_was_revoked_before_it_was_logged(
    office: Office, clock: RealAuthority, run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.start("--deadline", "8h")
    with monkeypatch.context() as outage:
        outage.setattr(Connection, "decide", _unreachable)
        assert office.decide("approve", "alice") != 0
    assert clock.asked == 1
    since = instant_text(datetime.now(UTC))
    (key,) = [each for each in run("rita", "key", "list")[1]["keys"] if each["owner"] == "alice"]
    for guardian in ("carol", "dan"):
        revoke = ("key", "revoke", key["key"], "--since", since, "--reason", "stolen", "--yes")
        assert run(guardian, *revoke)[0] == 0
    office.approve("alice", "erin", "carol", "dan")
    code, seen = run("rita", "show", "widget@1.0")
    assert (code, seen["state"]) == (0, "approved")

    (alices,) = [each for each in seen["decisions"] if each["signer"] == "alice"]
    assert alices["timestamp_by"] == clock.name
    assert main(["show", "widget@1.0", *office.home("rita")]) == 0
    assert f"as {clock.name} says" in capsys.readouterr().out

    (bundle,) = _published(office, run, seen["ceremony"])
    trust = office.folder / "people" / "rita" / "trust.json"
    where = ["--bundle", str(bundle), "--trust", str(trust), "--require-timestamp"]
    capsys.readouterr()
    assert main(["verify", str(office.artifact), *where, "--json"]) == 0
    verified = said(capsys.readouterr().out)
    assert verified["decided"]["alice"]["by"] == clock.name
    assert verified["decided"]["alice"]["proved_at"] < since
    assert verified["decided"]["erin"]["by"] == "log"
    assert [each["authority"] for each in verified["timestamps"]] == [clock.name]
    assert main(["verify", str(office.artifact), *where]) == 0
    told = capsys.readouterr().out
    assert f"by {clock.name}" in told
    assert f"({clock.name})" in told

    out = office.folder / "tokens"
    words = ["bundle", "timestamps", str(bundle), "--trust", str(trust), "--out", str(out)]
    assert main([*words, "--json"]) == 0
    rows = said(capsys.readouterr().out)["timestamps"]
    assert [row["name"] for row in rows] == ["1", "1-alice"]
    for row in rows:
        assert _openssl(row["command"]) == 0
    (out / "1-alice.stamped").write_bytes(b"something else")
    assert _openssl(rows[1]["command"]) != 0
    assert main([*words[:-1], str(out / "again")]) == 0
    assert "wrote 2 timestamps" in capsys.readouterr().out


def _unreachable(*_: object, **__: object) -> object:
    raise CoordinatorUnreachableError("expected an answer, got none")


def _published(office: Office, run: Run, ceremony: str) -> list[Path]:
    code, _ = run("rita", "release", "publish", ceremony)
    assert code == 0
    return sorted(office.folder.rglob("widget@1.0.quorumseal.json"))


def _openssl(command: str) -> int:
    return subprocess.run(shlex.split(command), capture_output=True, check=False).returncode

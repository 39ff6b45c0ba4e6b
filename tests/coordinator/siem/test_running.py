# SPDX-License-Identifier: Apache-2.0
"""A running coordinator whose SIEM takes nothing: ceremonies go on, and it is seen."""

import json
import os
import re
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from coordinator.certificates import Kind
from coordinator.examining.settings import examine
from coordinator.siem import exporting
from coordinator.siem.cursor import Cursor
from quorumseal.cli.main import main
from quorumseal.terminal import Mark
from tests.running_coordinator import Site

PATIENCE = 20


def wait_for_lines(path: Path, count: int) -> list[dict[str, object]]:
    end = time.monotonic() + PATIENCE
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < end, "expected the lines in time"
        time.sleep(0.05)
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_entries_arrive_as_they_come_and_go_on_after_a_restart(tmp_path: Path) -> None:
    site = Site(tmp_path, more='[siem]\nfile = "log.jsonl"\n')
    for start in range(2):
        with site.in_process() as running:
            (line, *_) = wait_for_lines(tmp_path / "log.jsonl", 1)
            assert (line["index"], line["type"]) == (0, "policy")
            assert line["log"] == site.organisation.origin
            assert running.server.siem is not None
            end = time.monotonic() + PATIENCE
            while running.server.siem.progress().waiting:
                assert time.monotonic() < end
                time.sleep(0.05)
            assert len(wait_for_lines(tmp_path / "log.jsonl", 1)) == 1, f"start {start}"
    assert Cursor.load(tmp_path / "siem.cursor").next == 1


def test_a_ceremony_goes_on_while_the_siem_takes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BLOCKED_SECONDS", 0.2)
    os.mkfifo(tmp_path / "pipe")
    site = Site(tmp_path, more='[siem]\nfile = "pipe"\n[metrics]\nenabled = true\nlisten = "127.0.0.1:0"\n')
    with site.in_process() as running:
        server = running.server
        assert server.siem is not None
        signed = site.organisation.sign_request(site.organisation.request(at=site.started_at))
        begun = time.monotonic()
        started = running.run(server.coordinator.use_cases.start(signed.envelope, caller="mallory"))
        assert time.monotonic() - begun < 5
        assert started.created
        site.port = int(running.address.rpartition(":")[2])
        own = site.client_files("olga", Kind.OPERATOR)
        asked = ["coordinator", "health", "--settings", str(site.settings)]
        asked += ["--certificate", str(own.certificate), "--key", str(own.key)]
        end = time.monotonic() + PATIENCE
        said = ""
        while "blocked" not in said:
            assert time.monotonic() < end
            time.sleep(0.2)
            assert main([*asked, "--json"]) == 0, "it serves, whatever the SIEM does"
            said = capsys.readouterr().out
        assert json.loads(said) == {"serving": True, "problem": "", "siem": "blocked"}
        assert main(asked) == 0
        assert "the SIEM takes nothing" in capsys.readouterr().out
        assert server.metering is not None
        with urlopen(server.metering.url) as answer:  # noqa: S310 - our own
            numbers = answer.read().decode()
        progress = server.siem.progress()
        assert progress.waiting == 2
        assert progress.blocked
        assert "quorumseal_siem_waiting_entries 2.0" in numbers
        assert re.search(r"quorumseal_siem_blocked_seconds [0-9.]*[1-9]", numbers)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10, "it stops all the same"


@pytest.mark.parametrize(
    ("more", "about", "mark", "said"),
    [
        ('[siem]\nfile = "log.jsonl"', "siem.file", Mark.DONE, "can be written"),
        ('[siem]\nfile = "server.key"', "siem.file", Mark.DONE, "can be written"),
        ('[siem]\nfile = "/dev/null"', "siem.file", Mark.FAILED, "a file or a named pipe"),
        ('[siem]\ncursor = "x"', "siem.file", Mark.FAILED, "this or url, got neither"),
        ('[siem]\nfile = "a"\nurl = "https://x.example"', "siem.file", Mark.FAILED, "got both"),
        ('[siem]\nurl = "http://siem.acme.example"', "siem.url", Mark.FAILED, "https:// for another machine"),
        ('[siem]\nurl = "x"', "siem.url", Mark.FAILED, "http:// or https://"),
        ('[siem]\nfile = "a"\nformat = "cef"', "siem.format", Mark.FAILED, "only known fields"),
        ('[siem]\nfile = "a"\ncursor = "nowhere/c"', "siem.cursor", Mark.DONE, "0 entries"),
        ('[siem]\nfile = "a"\ncursor = "server.crt"', "siem.cursor", Mark.FAILED, "how far the export is"),
        (
            '[siem]\nurl = "https://x.example"\nauthorities = "log.key"',
            "siem.authorities",
            Mark.FAILED,
            "the receiver's authorities",
        ),
        (
            '[siem]\nurl = "http://127.0.0.1:1"\nauthorization_file = "two.lines"',
            "siem.authorization_file",
            Mark.FAILED,
            "one line",
        ),
    ],
)
def test_settings_are_looked_at(tmp_path: Path, more: str, about: str, mark: Mark, said: str) -> None:
    site = Site(tmp_path)
    site.write("two.lines", b"Bearer\nx\n")
    site.found()
    site.more = more
    seen = examine(site.settings, at=site.started_at).findings
    judged = [each for each in seen if each.about.endswith(f":{about}")]
    assert any(each.mark is mark and said in each.text for each in judged), judged

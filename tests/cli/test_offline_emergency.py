# SPDX-License-Identifier: Apache-2.0
"""Breaking the glass in files: the floor, the veto window and both ends hold without any coordinator."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.fire_office import IMPACT, WHY, FireOffice, Shifted, burning_office
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import said

Capture = pytest.CaptureFixture[str]
PEOPLE = ("rita", "alice", "bob", "carol", "dan")
TEXTS = ("--incident", "INC-7", "--why", WHY, "--impact", IMPACT, "--yes")


@dataclass
class Night:
    """People with files, and a clock that moves for all of them."""

    fire: FireOffice
    folder: Path
    capture: Capture

    def run(self, person: str, *words: object) -> tuple[int, Any]:
        self.capture.readouterr()
        code = self.fire.run(person, *map(str, words), "--json")
        return code, said(self.capture.readouterr().out)

    def export(self, *words: str) -> tuple[int, Any]:
        asked = ["widget", "1.0", self.fire.office.artifact, "--out", self.folder / "request"]
        return self.run("rita", "offline", "export", *asked, "--break-glass", "outage", *TEXTS, *words)

    def decide(self, person: str, *words: str) -> tuple[int, Any]:
        given = ["--artifacts", self.fire.office.artifact, "--yes", "--out", self.folder / person]
        return self.run(person, "offline", "decide", self.folder / "request", *words, *given)

    def assemble(self, *people: str) -> tuple[int, Any]:
        files = [self.folder / person for person in people]
        out = ["--out", self.folder / "bundle"]
        return self.run("rita", "offline", "assemble", self.folder / "request", *files, *out)

    def hand_in(self, person: str) -> tuple[int, Any]:
        words = [] if person == "rita" else [self.folder / person]
        return self.run(person, "offline", "import", self.folder / "request", *words)

    def verify(self, *words: str) -> str:
        office = self.fire.office
        where = ["--bundle", str(self.folder / "bundle"), "--trust", str(office.folder / "trust.json")]
        self.capture.readouterr()
        main(["verify", str(office.artifact), *where, *words, "--json"])
        answer = said(self.capture.readouterr().out)
        return str(answer.get("standing") or answer["refused"]["code"])


def prepared(folder: Path, *, drill: bool = False) -> Office:
    burning = {"engineering": 1, "security": 1}
    office = copied_office(folder, emergency=burning, guardians=["security"], drill=drill)
    with coordinator_of(office):
        for person in PEOPLE:
            assert main(["inbox", *office.home(person), "--json"]) == 0
    return office


@pytest.fixture
def night(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Let everybody see the coordinator once, then do without it."""
    return begin(tmp_path, capsys, monkeypatch)


def begin(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, *, drill: bool = False) -> Night:
    office = prepared(tmp_path / "acme", drill=drill)
    clock = Shifted()
    for module in ("signer_agent.cli.opening", "quorumseal.cli.desk", "quorumseal.cli.verify"):
        monkeypatch.setattr(f"{module}.datetime", clock)
    folder = tmp_path / "files"
    folder.mkdir()
    return Night(FireOffice(office, clock), folder, capsys)


def test_an_emergency_in_files_is_provisional_and_unlogged_after_its_veto_window(night: Night) -> None:
    assert night.export()[0] == 0
    for person in ("alice", "carol"):
        assert night.decide(person, "--approve")[0] == 0
    code, answer = night.assemble("alice", "carol")
    assert (code, answer["bundle"]) == (8, None)
    assert answer["window_ends"] is not None
    night.fire.pass_time(timedelta(minutes=11))
    code, answer = night.assemble("alice", "carol")
    assert (code, answer["state"]) == (0, "provisional")
    assert night.verify() == "provisional.not_allowed"
    assert night.verify("--allow-provisional") == "unlogged.not_allowed"
    assert night.verify("--allow-unlogged") == "provisional.not_allowed"
    assert night.verify("--allow-unlogged", "--allow-provisional") == "unlogged"
    night.fire.pass_time(timedelta(days=8))
    refused = night.verify("--allow-unlogged", "--allow-provisional")
    assert refused in {"unlogged.too_late", "provisional.lapsed"}


def test_a_drill_in_files_makes_a_bundle_that_no_verifier_accepts(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = begin(tmp_path, capsys, monkeypatch, drill=True)
    night.export()
    for person in ("alice", "carol"):
        night.decide(person, "--approve")
    night.fire.pass_time(timedelta(minutes=11))
    assert night.assemble("alice", "carol")[0] == 0
    assert night.verify("--allow-unlogged", "--allow-provisional") == "drill.exercise"


def test_the_screens_of_an_emergency_say_what_it_is_and_how_long_it_counts(night: Night) -> None:
    night.export()
    for person in ("alice", "carol"):
        night.decide(person, "--approve")
    files = [str(night.folder / name) for name in ("request", "alice", "carol")]
    words = ["offline", "assemble", *files, "--out", str(night.folder / "bundle")]
    night.capture.readouterr()
    assert night.fire.run("rita", *words) == 8
    lines = night.capture.readouterr().out.splitlines()
    assert lines[0] == "○ EMERGENCY widget 1.0 has its quorum, and may be vetoed for a while"
    night.fire.pass_time(timedelta(minutes=11))
    assert night.fire.run("rita", *words) == 0
    shown = night.capture.readouterr().out
    assert "an emergency released it: it is provisional, and ends" in " ".join(shown.split())
    assert shown.splitlines()[-1].endswith("--allow-unlogged --allow-provisional")
    spoken = [str(night.fire.office.artifact), "--yes", "--out", str(night.folder / "vetoed")]
    veto = ["--veto", "--reason", "this is the wrong branch", "--artifacts"]
    assert night.fire.run("dan", "offline", "decide", files[0], *veto, *spoken) == 0
    shown = night.capture.readouterr().out
    assert "BREAK-GLASS EMERGENCY: outage, incident INC-7" in shown
    assert "✓ your veto of EMERGENCY widget 1.0 is in" in shown


def test_the_floor_holds_in_files(night: Night) -> None:
    night.export()
    for person in ("alice", "bob"):
        assert night.decide(person, "--approve")[0] == 0
    night.fire.pass_time(timedelta(minutes=11))
    code, answer = night.assemble("alice", "bob")
    assert (code, answer["quorum_met"]) == (5, False)


def test_anybody_stops_it_in_files_before_the_window_ends(night: Night) -> None:
    night.export()
    for person in ("alice", "carol"):
        night.decide(person, "--approve")
    assert night.decide("dan", "--veto", "--reason", "this is the wrong branch")[0] == 0
    first = (night.folder / "dan").read_bytes()
    assert night.decide("dan", "--veto", "--reason", "as I said")[1]["signed_anew"] is False
    assert (night.folder / "dan").read_bytes() == first
    night.fire.pass_time(timedelta(minutes=11))
    code, answer = night.assemble("alice", "carol", "dan")
    assert (code, answer["state"]) == (10, "rejected")


def test_a_veto_signed_after_the_window_makes_no_bundle_all_the_same(night: Night) -> None:
    night.export()
    for person in ("alice", "carol"):
        night.decide(person, "--approve")
    night.fire.pass_time(timedelta(minutes=30))
    assert night.decide("dan", "--veto", "--reason", "this is the wrong branch")[0] == 0
    code, answer = night.assemble("alice", "carol", "dan")
    assert (code, answer["refused"]["code"]) == (9, "ceremony.ended")


def test_nobody_breaks_the_glass_without_saying_why(night: Night) -> None:
    asked = ["widget", "1.0", str(night.fire.office.artifact), "--break-glass", "outage"]
    for missing in (["--why", WHY, "--impact", IMPACT], ["--incident", "INC-7", "--impact", IMPACT]):
        code, answer = night.run("rita", "offline", "export", *asked, *missing)
        assert (code, answer["refused"]["code"]) == (2, "usage.arguments")
    code, answer = night.run("rita", "offline", "export", *asked, *TEXTS[:-1])
    assert (code, answer["refused"]["code"]) == (2, "usage.not_confirmed")


def test_who_changes_the_words_on_their_way_is_found_out(night: Night) -> None:
    night.export()
    file = night.folder / "request"
    document = json.loads(file.read_bytes())
    document["annexes"][0]["text"] = "it is nothing, really: just a small thing to approve"
    file.write_text(json.dumps(document))
    assert night.decide("alice", "--approve")[1]["refused"]["code"] == "offline.loose_text"
    document["annexes"] = []
    file.write_text(json.dumps(document))
    assert night.decide("alice", "--approve")[1]["refused"]["code"] == "request.text_missing"


def test_an_emergency_from_files_goes_into_the_log_with_a_window_of_its_own(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    with burning_office(tmp_path / "acme", monkeypatch) as fire:
        night = Night(fire, folder, capsys)
        for person in PEOPLE:
            assert fire.run(person, "inbox", "--json") == 0
        night.export()
        for person in ("alice", "carol"):
            night.decide(person, "--approve")
        assert night.decide("dan", "--veto", "--reason", "this is the wrong branch")[0] == 0
        fire.pass_time(timedelta(minutes=11))
        for person in ("rita", "alice", "carol"):
            code, answer = night.hand_in(person)
            assert (code, answer["state"]) == (0, "open")
        code, answer = night.hand_in("dan")
        assert (code, answer["statements"][0]["code"]) == (4, "act.entry_not_seen")
        fire.pass_time(timedelta(minutes=11))
        assert night.run("rita", "wait", "widget@1.0", "--timeout", "20s")[1]["state"] == "provisional"

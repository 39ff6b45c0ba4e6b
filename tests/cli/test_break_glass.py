# SPDX-License-Identifier: Apache-2.0
"""Emergencies from the command line to the log and back, against a coordinator over mTLS."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.fire_office import IMPACT, REPORT, WHY, FireOffice, burning_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
HOUR = timedelta(hours=1)


@pytest.fixture
def fire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FireOffice]:
    with burning_office(tmp_path / "acme", monkeypatch) as burning:
        yield burning


@pytest.fixture
def told(fire: FireOffice, capsys: Capture) -> Callable[..., Any]:
    """Let a person run a command with ``--json``; return its exit code and what it said."""

    def run(person: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = fire.run(person, *words, "--json")
        return code, said(capsys.readouterr().out)

    return run


def _until(told: Callable[..., Any], named: str, state: str) -> Any:
    code, answer = told("rita", "wait", named, "--timeout", "20s")
    assert answer["state"] == state, answer
    return code, answer


def test_an_emergency_is_used_reported_on_ratified_and_verified(
    fire: FireOffice, told: Callable[..., Any], capsys: Capture, tmp_path: Path
) -> None:
    assert fire.start("1.0") == 0
    shown = capsys.readouterr().out
    assert "!! BREAK-GLASS EMERGENCY: outage, incident INC-7" in shown
    assert WHY in shown
    fire.join("1.0", "alice", "carol")
    assert "!! BREAK-GLASS EMERGENCY: outage, incident INC-7" in capsys.readouterr().out
    emergency = told("bob", "show", "widget@1.0")[1]
    assert (emergency["mode"], emergency["state"]) == ("break-glass", "open")
    assert emergency["emergency"]["window_ends"] is not None
    assert (emergency["emergency"]["why"], emergency["emergency"]["impact"]) == (WHY, IMPACT)
    fire.pass_time(timedelta(minutes=10))
    assert _until(told, "widget@1.0", "provisional")[0] == 11

    trust = ["--trust", str(fire.office.folder / "trust.json")]
    bundle = tmp_path / "provisional.json"
    assert fire.run("rita", "release", "fetch", "widget@1.0", "--out", str(bundle)) == 0
    shown = capsys.readouterr().out
    assert "it is provisional" in shown
    verify = ["verify", str(fire.office.artifact), "--bundle", str(bundle), *trust]
    assert main(verify) == 11
    capsys.readouterr()
    assert main([*verify, "--allow-provisional"]) == 0
    first = flat(capsys.readouterr().out)
    assert first.startswith("! widget.tar.gz belongs to widget 1.0, which an emergency released, only until ")

    assert fire.run("alice", "break-glass", "report", "widget@1.0", "--text", REPORT, "--yes") == 4
    assert fire.run("erin", "break-glass", "report", "widget@1.0", "--text", REPORT, "--yes") == 0
    code, asked = told("rita", "ratify", "widget@1.0")
    assert (code, asked["kind"]) == (0, "ratification")
    for person in ("alice", "bob", "carol", "dan"):
        found = ["--artifacts", str(fire.office.artifact), "--yes"]
        assert fire.run(person, "approve", asked["ceremony"], *found) == 0
    assert "What is ratified: an emergency that was released provisionally" in capsys.readouterr().out
    assert _until(told, asked["ceremony"], "approved")[0] == 0
    ratified = tmp_path / "ratified.json"
    assert fire.run("rita", "release", "fetch", "widget@1.0", "--out", str(ratified)) == 0
    capsys.readouterr()
    assert main(["verify", str(fire.office.artifact), "--bundle", str(ratified), *trust]) == 0
    shown = flat(capsys.readouterr().out)
    assert shown.startswith(
        "✓ widget.tar.gz belongs to widget 1.0, which an emergency released and its quorum"
    )
    assert "engineering alice, bob; security carol; release dan" in shown
    assert fire.run("bob", "why", emergency["ceremony"]) == 0
    shown = capsys.readouterr().out
    assert "✓ ratification of widget 1.0 was approved" in shown
    assert "it lapses" not in shown
    assert fire.run("bob", "show", emergency["ceremony"]) == 0
    assert f"release fetch {asked['ceremony']}" in capsys.readouterr().out.splitlines()[-1]
    (follower,) = told("bob", "show", emergency["ceremony"])[1]["followed_by"]
    assert (follower["ceremony"], follower["state"]) == (asked["ceremony"], "approved")


def test_a_veto_ends_it_and_the_next_needs_three_people(
    fire: FireOffice, told: Callable[..., Any], capsys: Capture
) -> None:
    assert fire.start("1.0") == 0
    fire.join("1.0", "alice", "carol")
    assert fire.run("dan", "break-glass", "veto", "widget@1.0", "--why", "it can wait", "--yes") == 0
    shown = capsys.readouterr().out
    assert "What you sign: veto on EMERGENCY widget 1.0, as dan" in shown
    assert "✓ EMERGENCY widget 1.0 is stopped: your veto is in the log" in shown
    why = told("bob", "why", "widget@1.0")[1]
    assert (why["ended"], why["reason"]) == ("dan vetoed it", "it can wait")
    assert fire.run("bob", "why", "widget@1.0") == 0
    assert "✗ EMERGENCY widget 1.0 was vetoed by dan" in capsys.readouterr().out
    assert told("rita", "wait", "widget@1.0", "--timeout", "1s")[0] == 10
    assert fire.start("1.0", "--people", "2") == 4
    assert "dan vetoed one for this release" in capsys.readouterr().err
    assert fire.start("1.0") == 0
    assert "it needs 1 more, of any role of its quorum" in told("bob", "why", "widget@1.0")[1]["missing"]
    assert fire.run("dan", "break-glass", "veto", "widget@1.0", "--why", "still", "--yes") == 4


def test_the_only_emergency_need_not_be_named(fire: FireOffice, capsys: Capture) -> None:
    found = ["--artifacts", str(fire.office.artifact), "--yes"]
    assert fire.run("alice", "break-glass", "join", *found) == 2
    assert "expected one open emergency, got none" in capsys.readouterr().err
    assert fire.start("1.0") == 0
    assert fire.run("alice", "break-glass", "join", *found) == 0
    capsys.readouterr()
    assert fire.run("dan", "inbox") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("! Nothing waits for your decision, but an emergency is open")
    assert "!! BREAK-GLASS EMERGENCY" in shown
    for person, last in (("dan", "break-glass veto"), ("bob", "break-glass join")):
        assert fire.run(person, "review", "widget@1.0", "--artifacts", str(fire.office.artifact)) == 0
        assert last in capsys.readouterr().out.splitlines()[-1]


def test_an_ordinary_release_is_not_joined_and_not_vetoed(fire: FireOffice, capsys: Capture) -> None:
    assert fire.office.start() == 0
    found = ["--artifacts", str(fire.office.artifact), "--yes"]
    assert fire.run("alice", "break-glass", "join", "widget@1.0", *found) == 4
    assert "[emergency.none]" in capsys.readouterr().err
    assert fire.run("dan", "break-glass", "veto", "widget@1.0", "--why", "no", "--yes") == 2
    assert fire.run("rita", "ratify", "widget@1.0") == 2


def test_nothing_is_signed_without_a_yes_or_with_a_dry_run(
    fire: FireOffice, told: Callable[..., Any], capsys: Capture
) -> None:
    texts = ["--reason", "outage", "--incident", "INC-7", "--why", WHY, "--impact", IMPACT]
    words = ["break-glass", "start", "widget", "1.0", str(fire.office.artifact), *texts]
    assert fire.run("rita", *words) == 2
    assert "[usage.not_confirmed]" in capsys.readouterr().err
    assert fire.run("rita", *words, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "would ask for EMERGENCY widget 1.0; nothing was signed" in shown
    assert "!! BREAK-GLASS EMERGENCY" in shown
    assert told("rita", "list")[1]["ceremonies"] == []


def test_texts_come_from_files_and_standard_input(
    fire: FireOffice, told: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impact = tmp_path / "impact.txt"
    impact.write_text(IMPACT + "\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WHY.encode())))
    words = ["break-glass", "start", "widget", "1.0", str(fire.office.artifact), "--reason", "outage"]
    files = ["--why-file", "-", "--impact-file", str(impact)]
    assert fire.run("rita", *words, "--incident", "INC-7", *files, "--yes") == 0
    emergency = told("bob", "show", "widget@1.0")[1]["emergency"]
    assert (emergency["why"], emergency["impact"]) == (WHY, IMPACT)


REFUSED: dict[str, tuple[list[str], str]] = {
    "a reason that the rule does not list": (["--reason", "boredom"], "[emergency.request]"),
    "a why that says nothing": (["--why", "because"], "[usage.arguments]"),
    "a why that is no file": (["--why-file", "/nowhere/why.txt"], "[usage.file]"),
    "no why": ([], "expected --why or --why-file, got neither"),
    "too few people": (["--why", WHY, "--people", "1"], "[emergency.request]"),
    "a deadline within the veto window": (["--why", WHY, "--deadline", "5m"], "[emergency.times]"),
    "provisional for too long": (["--why", WHY, "--provisional-for", "9d"], "[emergency.times]"),
}


@pytest.mark.parametrize(("words", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_an_emergency_that_cannot_be_is_refused_unsigned(
    fire: FireOffice, words: list[str], reason: str, capsys: Capture
) -> None:
    given = ["--incident", "INC-7", "--impact", IMPACT, "--yes", *words]
    if "--reason" not in words:
        given += ["--reason", "outage"]
    elif "--why" not in words:
        given += ["--why", WHY]
    assert fire.run("rita", "break-glass", "start", "widget", "1.0", str(fire.office.artifact), *given) != 0
    assert reason in capsys.readouterr().err


def test_a_release_is_taken_back_and_the_status_file_says_so(
    fire: FireOffice, told: Callable[..., Any], capsys: Capture, tmp_path: Path
) -> None:
    assert fire.office.start() == 0
    fire.office.approve("alice", "bob", "carol", "dan")
    assert _until(told, "widget@1.0", "approved")[0] == 0
    bundle = tmp_path / "bundle.json"
    assert fire.run("rita", "release", "fetch", "widget@1.0", "--out", str(bundle)) == 0
    code, asked = told("rita", "release", "revoke", "widget@1.0", "--why", "it deletes what it should keep")
    assert (code, asked["kind"]) == (0, "release-revocation")
    for person in ("alice", "bob", "carol", "dan"):
        assert fire.run(person, "approve", asked["ceremony"], "--yes") == 0
    shown = capsys.readouterr().out
    assert "✗ widget.tar.gz: nobody is to use it any more" in shown
    assert "It completes the quorum: the release is revoked, for good." in shown
    assert fire.run("rita", "show", "widget@1.0") == 0
    assert "it deletes what it should keep" in capsys.readouterr().out
    trust = ["--trust", str(fire.office.folder / "trust.json")]
    status = fire.office.folder / "published" / "status.json"
    verify = ["verify", str(fire.office.artifact), "--bundle", str(bundle), *trust]
    assert main(verify) == 0
    assert _until(told, asked["ceremony"], "approved")[0] == 0
    fetched = fire.office.folder / "fetched.json"
    for _ in range(2):  # the second takes the place of the first
        assert told("bob", "release", "status", "--out", str(fetched))[1]["revoked"] == ["widget@1.0"]
    assert main([*verify, "--status", str(fetched)]) == 7
    assert fire.run("bob", "release", "status", "--out", str(fetched)) == 0
    assert "revoked widget 1.0 lapsed none" in flat(capsys.readouterr().out)
    until = time.monotonic() + 20
    while main([*verify, "--status", str(status)]) != 7:
        assert time.monotonic() < until, "the status file never said that the release was taken back"
        time.sleep(0.2)


def test_a_drill_says_which_steps_are_missing_and_whom_it_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with burning_office(tmp_path / "acme", monkeypatch, drill=True) as fire:
        assert fire.start("1.0") == 0
        assert "!! DRILL. BREAK-GLASS EMERGENCY" in capsys.readouterr().out
        assert fire.run("rita", "break-glass", "drill", "widget@1.0") == 8
        shown = capsys.readouterr().out
        assert "○ the drill of EMERGENCY widget 1.0 is not complete" in shown
        assert "○ joined by enough people" in shown
        assert "✗ erin: by nothing" in shown
        assert fire.run("rita", "break-glass", "drill", "widget@1.0", "--json") == 8
        answer = json.loads(capsys.readouterr().out)
        assert answer["unreached"] == ["alice", "bob", "carol", "dan", "erin", "rita"]
        assert answer["steps"]["asked for"] is True
        assert fire.run("dan", "break-glass", "veto", "widget@1.0", "--why", "enough", "--yes") == 0
        capsys.readouterr()
        assert fire.run("rita", "break-glass", "drill", "widget@1.0", "--json") == 8
        answer = json.loads(capsys.readouterr().out)
        assert (answer["vetoed_by"], answer["steps"]) == ("dan", {"asked for": True, "ended": True})


def test_an_organisation_in_earnest_rehearses_nothing(fire: FireOffice, capsys: Capture) -> None:
    assert fire.start("1.0") == 0
    assert fire.run("rita", "break-glass", "drill", "widget@1.0") == 2
    assert "[usage.no_drill]" in capsys.readouterr().err

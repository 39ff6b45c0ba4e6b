# SPDX-License-Identifier: Apache-2.0
"""An auditor's questions as they are typed: the answer first, the evidence, the next command last."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.audit.folder import write_copy
from quorumseal.audit.questions.table import QUESTIONS, UNAPPROVED
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.statements import Choice, SeenCheckpoint
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.audit.exhibits import entries_text
from quorumseal.cli.main import main
from quorumseal.verifier.trust import write_trust
from tests.audit.copying import trust_in
from tests.audit.stories import ACME, DAY, HOUR, Story
from tests.burning import delegation, reports
from tests.changing import next_version
from tests.cli.office import coordinator_of, copied_office
from tests.losing import suspension
from tests.organisation import ARTIFACT, NOW

PERIOD = ["--from", "2026-11-01", "--to", "2027-01-01"]
HOSTILE = "\x1b[2Jnothing to see\u202e here\nwidget 9.9: approved"


def eventful() -> Story:
    """One of everything that a screen shows."""
    story = Story()
    story.releases()
    refused = story.asks(version="2.0")
    story.later(HOUR).decides("carol", refused, Choice.REJECTION)
    request = story.later(DAY).coordinator.chains[refused].ceremony.request
    again = story.asks(version="2.0")
    assert request.statement.version == "2.0"
    story.stands(delegation("alice", "engineering", "frank", acme=ACME, until=NOW + DAY * 4))
    for guardian in ("bob", "dan"):
        story.stands(suspension(guardian, "erin", acme=ACME, until=story.now + DAY, at=story.now))
    story.approves(again)
    left = story.later(DAY).asks()
    late = story.decision("alice", left)
    story.later(DAY).happens(left, Expire())
    story.sends(late)
    emergency = story.later(HOUR).breaks_glass()
    story.join(emergency)
    story.later(HOUR)
    story.happens(emergency, reports(story.coordinator.chains[emergency], "erin", acme=ACME, at=story.now))
    story.later(DAY).changes(next_version(ACME, roles={**ACME.roles, "release": ("rita", "dan", "bob")}))
    story.later(DAY).asks(deadline=timedelta(days=3))
    return story


def written(story: Story, folder: Path) -> Path:
    """Write a log as files, with the trust file beside it."""
    (folder / "log").mkdir(parents=True)
    for name, data in write_copy(story.copy()).items():
        (folder / "log" / name).write_bytes(data)
    (folder / "trust.json").write_bytes(write_trust(trust_in(ACME)))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(eventful(), tmp_path_factory.mktemp("audited"))


def source(place: Path) -> list[str]:
    return ["--copy", str(place / "log"), "--trust", str(place / "trust.json")]


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_a_period_is_opened_with_its_sums_its_exceptions_and_where_to_begin(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "open", *PERIOD, *source(place)]) == 0
    lines = said(capsys)
    assert lines[0] == "! 8 ceremonies, 3 of them with exceptions; 2 policy versions came into force"
    assert "  ✓ 0 open before and 8 opened are 7 ended and 1 open after" in lines
    assert any("entries of ceremonies, 5 of none are the log's" in line for line in lines)
    assert any(line.startswith("Exceptions: 1 emergency, 1 rejected, ") for line in lines)
    assert any("role release bob may count (weaker)" in line for line in lines)
    assert any("with every signature in" in line for line in lines)
    assert lines[-1].startswith("quorumseal audit show 01934000-0000-7000-8000-0000000000")
    assert "--from" not in lines[-1]
    assert all(len(line) <= 100 or line.startswith("quorumseal") for line in lines)


def test_the_next_command_compares_the_same_checkpoints_that_somebody_holds(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = tmp_path / "held.note"
    held.write_bytes(eventful().copy().checkpoint)
    for verb in (["open"], ["ask", "complete"]):
        main(["audit", *verb, *PERIOD, *source(place), "--held", str(held)])
        assert f"--held {held}" in said(capsys)[-1]


def test_an_overview_for_programs_has_the_log_and_how_long_it_took(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "open", *PERIOD, "--json", *source(place)]) == 0
    value = as_json(capsys)
    assert (value["population"]["ceremonies"], value["population"]["adds_up"]) == (8, True)
    assert value["log"]["replay_milliseconds"] >= 0
    assert value["log"]["origin"] == ACME.origin
    assert main(["audit", "open", *PERIOD, "--json", "--hasty", "2h", *source(place)]) == 0
    assert as_json(capsys)["exceptions_by_kind"]["hasty"] > 0


def test_a_period_in_which_nothing_happened_is_no_clean_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "open", "--to", "2026-01-01", *source(place)]) == 12
    lines = said(capsys)
    assert lines[0] == "○ 0 ceremonies, none with exceptions; 0 policy versions came into force"
    assert lines[-1].startswith("quorumseal audit ask complete")


@pytest.mark.parametrize("word", [word for word in QUESTIONS if word != UNAPPROVED])
def test_every_question_is_answered_on_a_screen_and_for_programs(
    word: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["audit", "ask", word, *PERIOD, *source(place)])
    lines = said(capsys)
    assert lines[0][0] == {0: "✓", 12: "!"}[code]
    assert any(line.startswith("  asked ") for line in lines)
    assert "What the log cannot tell" in lines
    assert lines[-1].startswith("quorumseal audit ")
    assert main(["audit", "ask", word, *PERIOD, "--json", *source(place)]) == code
    value = as_json(capsys)
    assert value["verdict"] == {0: "clean", 12: "exceptions"}[code]
    assert value["asked_by"].startswith("SOC 2")


def test_the_questions_are_listed_where_none_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "ask"]) == 0
    lines = said(capsys)
    assert lines[0] == "✓ 14 questions can be asked"
    assert lines[-1] == "quorumseal audit ask complete"
    assert main(["audit", "ask", "--json"]) == 0
    assert [*as_json(capsys)] == [*QUESTIONS]


def test_an_unknown_question_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "ask", "who"]) == 2
    assert "invalid choice" in capsys.readouterr().err


def listing_file(place: Path) -> Path:
    file = place / "registry.txt"
    file.write_text(f"widget.tar.gz {digest_of(ARTIFACT)}\nextra {digest_of(b'else')}\n")
    return file


def folder_of_artifacts(place: Path) -> Path:
    folder = place / "registry"
    folder.mkdir(exist_ok=True)
    (folder / "widget.tar.gz").write_bytes(ARTIFACT)
    (folder / "extra").write_bytes(b"else")
    return folder


@pytest.mark.parametrize("listing", [listing_file, folder_of_artifacts], ids=["a file", "a folder"])
def test_what_is_out_there_is_held_against_what_was_approved(
    listing: Any, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", "ask", "unapproved", "--listing", str(listing(place)), *PERIOD]
    assert main([*words, *source(place)]) == 12
    lines = said(capsys)
    assert lines[0].startswith("! 1 artifact of 2 listed is out there without an approval that stands")
    assert "  ! extra: no ceremony was ever about it" in lines
    assert any(line.startswith("  ✓ widget.tar.gz: approved (widget ") for line in lines)


def test_a_folder_of_bundles_is_held_against_the_log_that_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = Path(__file__).parents[2] / "docs/examples"
    shutil.copy(examples / "widget@1.0.quorumseal.json", tmp_path)
    example = ["--copy", str(examples / "log"), "--trust", str(examples / "trust.json")]
    assert main(["audit", "ask", "unapproved", "--listing", str(tmp_path), *PERIOD, *example]) == 12
    lines = said(capsys)
    assert lines[0].startswith("! 0 artifacts of 1 listed are out there without an approval that stands")
    assert "  ✓ widget.tar.gz: approved (widget 1.0)" in lines


def test_a_listing_belongs_to_its_question_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "ask", "unapproved", *source(place)]) == 2
    assert main(["audit", "ask", "complete", "--listing", str(place), *source(place)]) == 2
    assert capsys.readouterr().err.count("expected --listing with the question unapproved") == 2


def test_a_listing_that_is_no_text_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / "bytes"
    file.write_bytes(b"\xff\xfe")
    assert main(["audit", "ask", "unapproved", "--listing", str(file), *source(place)]) == 2
    assert "which is text" in capsys.readouterr().err


def test_a_sample_is_drawn_the_same_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", "sample", "--n", "2", "--seed", "dice", *PERIOD, *source(place)]
    assert main(words) == 0
    first = said(capsys)
    assert first[0] == ("✓ 5 of 8 ceremonies to look at: every one of 3 exceptional ones, and 2 of 5 others")
    assert first[-1].startswith("quorumseal audit show ")
    assert main([*words, "--json"]) == 0
    value = as_json(capsys)
    assert [each["rank"] for each in value["drawn"]] == sorted(each["rank"] for each in value["drawn"])
    assert any(value["drawn"][0]["ceremony"] in line for line in first)


def test_a_sample_of_nothing_is_no_clean_one(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", "sample", "--n", "2", "--seed", "dice", "--to", "2026-01-01", *source(place)]
    assert main(words) == 12
    assert said(capsys)[0].startswith("○ 0 of 0 ceremonies")


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "1000000"])
def test_a_sample_is_of_a_number(n: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "sample", f"--n={n}", "--seed", "dice", *source(place)]) == 2
    assert "expected how many" in capsys.readouterr().err


def test_a_release_is_shown_with_the_policy_as_of_then_and_the_others_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "show", "widget@2.0", *source(place)]) == 0
    lines = said(capsys)
    assert lines[0].startswith("✓ widget 2.0 is approved ")
    assert "The policy as of then: version 1" in lines
    assert any(
        line.startswith("  held") and line.endswith("from entry 0 on; 1 later version") for line in lines
    )
    assert "  ✓ engineering needs 2: alice, bob" in lines
    assert "Other ceremonies of this release" in lines
    assert "  ○ widget 2.0: rejected" in lines
    assert lines[-1].endswith("--json")


def test_every_ceremony_of_the_log_can_be_shown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "ask", "complete", *PERIOD, "--json", *source(place)]) == 0
    found = [each["ceremony"] for each in as_json(capsys)["evidence"] if each["ceremony"]]
    assert len(found) == 8
    for ceremony in found:
        assert main(["audit", "show", ceremony, *source(place)]) == 0
        assert f"  ceremony      {ceremony}" in said(capsys)


def test_a_release_for_programs_is_all_of_its_ceremonies_with_their_proofs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "show", "widget@2.0", "--json", *source(place)]) == 0
    records = as_json(capsys)["records"]
    assert [record["state"] for record in records] == ["rejected", "approved"]
    for record in records:
        assert len(record["proof"]["payloads"]) == len(record["entries"]) == len(record["timeline"])
        assert record["proof"]["index"] == record["entries"][-1]
        assert record["proof"]["checkpoint"].startswith(ACME.origin)


def test_what_is_not_there_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "show", "widget@9.9", *source(place)]) != 0
    assert "[audit.unknown]" in capsys.readouterr().err


def test_whoever_was_shown_another_log_is_shown_in_a_banner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    ceremony = story.asks()
    forked = SeenCheckpoint(size=1, root="sha256:" + "0" * 64)
    story.later(HOUR).sends(story.decision("alice", ceremony, seen=forked))
    place = written(story, tmp_path)
    assert main(["audit", "show", "widget@1.0", *source(place)]) == 14
    assert "!! entry 2: its signer was shown another log than this one" in said(capsys)


def test_what_people_wrote_can_neither_move_the_cursor_nor_pass_for_an_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story()
    ceremony = story.asks()
    annex = Annex(salt=b"\x01" * 32, text=HOSTILE)
    request = story.coordinator.chains[ceremony].ceremony.request
    decision = ACME.decision("carol", request, Choice.REJECTION, at=story.later(HOUR).now)
    fields = {name: getattr(decision, name) for name in type(decision).__slots__}
    hostile = type(decision)(**{**fields, "reason": annex.commitment})
    story.coordinator.decide(ACME.seal(hostile), annex)
    place = written(story, tmp_path)
    for words in (["open", *PERIOD], ["show", "widget@1.0"], ["ask", "retries"]):
        main(["audit", *words, *source(place)])
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert not any(line.startswith("widget 9.9") for line in out.splitlines())
        assert words[0] == "ask" or "⟨U+001B⟩[2Jnothing to see⟨U+202E⟩ here" in out


def test_a_listing_cannot_draw_on_the_screen(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / "hostile.txt"
    file.write_text(f"\x1b[2J\u202ewidget {digest_of(b'else')}\n")
    main(["audit", "ask", "unapproved", "--listing", str(file), *PERIOD, *source(place)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "⟨U+001B⟩[2J⟨U+202E⟩widget: no ceremony was ever about it" in out


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        ((3,), "entry 3"),
        ((3, 4), "entries 3 to 4"),
        ((9, 3, 4, 5), "entries 3 to 5, 9"),
        ((3, 3, 7), "entries 3, 7"),
    ],
)
def test_entries_are_named_by_runs(indices: tuple[int, ...], text: str) -> None:
    assert entries_text(indices) == text


def test_a_live_coordinator_is_asked_over_the_network_and_believed_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = copied_office(tmp_path / "acme")
    with coordinator_of(office):
        assert office.start() == 0
        assert office.decide("reject", "carol", "--reason", "not tested") == 0
        capsys.readouterr()
        home = office.home("rita")
        assert main(["audit", "open", *home]) == 0
        assert "1 ceremony, 1 of them with exceptions" in capsys.readouterr().out
        assert main(["audit", "show", "widget@1.0", *home]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("✗ widget 1.0 is rejected ")
        assert "  │ not tested" in shown
        assert main(["audit", "ask", "own-requests", *home]) == 0
        assert said(capsys)[0].startswith("✓ no: of 1 decision in 1 ceremony")
        assert main(["audit", "sample", "--n", "1", "--seed", "dice", *home]) == 0

# SPDX-License-Identifier: Apache-2.0
"""``policy edit``: the policy in force as text, an editor, and a text that is never lost."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.client.connection import Connection
from quorumseal.client.values import EnrolmentRecord
from quorumseal.strict_json import write
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said
from tests.newcomer import Newcomer
from tests.organisation import NOW

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    office = copied_office(tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    with coordinator_of(office):
        yield office


def editor(office: Office, monkeypatch: pytest.MonkeyPatch, *steps: tuple[str, str]) -> None:
    """Let the editor make one replacement each time that it is opened."""
    script, done = office.folder / "editor.py", office.folder / "edits"
    done.write_text("")
    script.write_text(
        "import pathlib, sys\n"
        f"done, steps, file = pathlib.Path({str(done)!r}), {list(steps)!r}, pathlib.Path(sys.argv[1])\n"
        "count = len(done.read_text()); done.write_text('x' * (count + 1))\n"
        "old, new = steps[count]; text = file.read_text(); assert old in text, old\n"
        "file.write_text(text.replace(old, new, 1))\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")


def test_the_policy_in_force_is_edited_checked_and_compared(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["policy", "edit", *office.home("alice")]
    assert main(words) == 2
    assert "expected your editor in $VISUAL or $EDITOR" in flat(capsys.readouterr().err)

    editor(
        office, monkeypatch, ("engineering = 2", "engineering = 3"), ("", ""), ('longest = "1w"', "longest =")
    )
    assert main(words) == 0
    text = flat(capsys.readouterr().out)
    assert "policy-2.toml is a policy, and changes 1 thing, and none of it weakens" in text
    assert "are each indispensable" in text, "what it is short of is said, too"
    assert "quorumseal policy propose policy-2.toml" in text
    assert Path("policy.schema.json").is_file()
    edited = read_source(Path("policy-2.toml"))
    assert edited.version == 2

    assert main([*words, "--json"]) == 0
    answer = said(capsys.readouterr().out)
    assert [d["says"] for d in answer["differences"]] == ["needs 3 of engineering, where it needed 2"]
    assert answer["findings"][0]["level"] == "warning"

    before = Path("policy-2.toml").read_text()
    assert main(words) == 15, "a mistake, and nobody to ask"
    assert Path("policy-2.toml").read_text() == before.replace('longest = "1w"', "longest =", 1)


def test_a_mistake_offers_to_edit_again(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    answers = iter(["", "no"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    editor(
        office,
        monkeypatch,
        ("version = 2", "version = 3"),
        ("version = 3", "version = 2"),
        ("previous = ", "previously = "),
    )
    words = ["policy", "edit", "draft.toml", *office.home("alice")]
    assert main(words) == 0
    written = capsys.readouterr()
    assert "expected version to be 2, which follows the policy in force, got 3" in flat(written.err)
    assert "changes nothing" in flat(written.out)
    assert main(words) != 0, "given up"
    assert "previously = " in Path("draft.toml").read_text()


def test_an_editor_that_fails_loses_nothing(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "false")
    assert main(["policy", "edit", *office.home("alice")]) == 1
    assert "what you wrote is in policy-2.toml" in flat(capsys.readouterr().err)
    assert Path("policy-2.toml").is_file()
    words = ["policy", "edit", "--output", "elsewhere.toml", *office.home("alice")]
    assert main(words) == 0
    assert "quorumseal policy diff elsewhere.toml" in flat(capsys.readouterr().out)
    assert main([*words, "--json"]) == 0
    assert Path("elsewhere.toml").read_text() == Path("policy-2.toml").read_text()


def test_somebody_who_enrolled_is_listed_and_the_review_has_their_statement(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoe = Newcomer(name="zoe", organisation="acme")
    records = [EnrolmentRecord(envelope=write(zoe.envelope.to_json()), at=NOW, founder=False)]
    records.append(replace(records[0], envelope=b"{}"))
    monkeypatch.setattr(Connection, "enrolments", lambda _: tuple(records))
    alice = office.home("alice")
    assert main(["policy", "edit", "--add", "yann:engineering", *alice]) == 4
    assert "quorumseal org invite yann" in flat(capsys.readouterr().err)
    assert main(["policy", "edit", "--add", "zoe:engineering", "--output", "next.toml", *alice]) == 0
    assert zoe.enrolment.key in {key.key for key in read_source(Path("next.toml")).signers["zoe"].keys}
    capsys.readouterr()
    assert main(["policy", "propose", "next.toml", "--yes", "--json", *alice]) == 0
    change = said(capsys.readouterr().out)["change"]
    assert main(["review", change, "--json", *office.home("bob")]) == 0
    review = said(capsys.readouterr().out)
    assert review["policy_change"]["unexplained_keys"] == []
    assert [each["kind"] for each in review["not_signed"]["evidence"]] == ["enrolment"]

# SPDX-License-Identifier: Apache-2.0
"""The break-glass kit: complete on paper, without any secret, and enough for a home that has seen nothing."""

import shlex
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quorumseal.ceremony.values import digest_of
from quorumseal.cli import qr_code
from quorumseal.cli.kit import texts
from quorumseal.cli.kit.content import Facts, Known, chapters, digest_groups, title
from quorumseal.cli.kit.pages import html_page, text_page
from quorumseal.cli.main import main, parser_of
from quorumseal.cli.table import Command, Noun, Verb, entries
from quorumseal.offline.files import read_organisation
from quorumseal.verifier.trust import read_trust
from signer_agent.checkpoints import signed_by_log
from tests.burning import BURNING
from tests.cli.office import PASSPHRASE, Office, coordinator_of, found_office
from tests.cli.published import said
from tests.organisation import NOW, Organisation, changed
from tests.simulated_log import SimulatedLog

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = found_office(tmp_path_factory.mktemp("kit") / "acme")
    with coordinator_of(made):
        assert main(["inbox", *made.home("rita"), "--json"]) == 0
    return made


def kit(office: Office, *words: str) -> int:
    return main(["break-glass", "kit", *words, *office.home("rita")])


def known(acme: Organisation, contacts: str | None = None) -> Known:
    log = SimulatedLog(acme)
    return Known(
        policy=acme.policy,
        trust=log.trust,
        head=signed_by_log(log.checkpoint(), acme.policy.policy.log),
        coordinator="coordinator.acme.example:7443",
        at=NOW,
        contacts=contacts,
    )


def page(acme: Organisation = BURNING, contacts: str | None = None) -> str:
    made = known(acme, contacts)
    return text_page(title(made), chapters(made))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_pages_say_whom_to_trust_who_decides_and_what_the_floor_is() -> None:
    text = flat(page())
    assert digest_groups(BURNING.policy.digest) in text
    assert "break-glass quorum 1 of engineering and 1 of security" in text
    assert "security bob, carol, dan; deputies alice, frank (guardians)" in text
    assert "never fewer than 2 people from 2 roles with a guardian among them" in text
    assert "veto window 10 min" in text
    assert "reasons outage, vulnerability" in text


def test_without_contacts_there_is_a_line_to_write_on_for_everybody() -> None:
    lines = [line.split() for line in page().splitlines() if line.endswith("____")]
    assert [name for name, _ in lines] == sorted(
        {name for names in (*BURNING.roles.values(), *BURNING.deputies.values()) for name in names}
    )


def test_a_policy_without_emergencies_says_so_and_shows_no_way_to_break_the_glass() -> None:
    text = page(Organisation())
    assert "no break-glass" in text
    assert "break-glass" not in text.replace("no break-glass", "").replace("Break-glass", "")
    assert "offline export" in text


def test_a_drill_is_called_one_on_the_first_line() -> None:
    assert page(changed(BURNING, drill=True)).startswith("DRILL: Break-glass kit of acme.example\n")


def test_plain_text_fits_the_paper_but_for_commands() -> None:
    for line in page().splitlines():
        assert len(line) <= 80 or line.startswith("  $ ")


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_html_page_loads_nothing_and_runs_nothing_whatever_the_contacts_say() -> None:
    hostile = "<script>alert(1)</script>\n<img src=https://evil.example/x>\nalice +1 555 0100 \x1b[2J"
    made = known(BURNING, hostile)
    html = html_page(title(made), chapters(made), code=qr_code.svg("sha256:" + "a" * 64), caption="<b>")
    tags = Tags()
    tags.feed(html)
    assert not tags.tags & {"script", "img", "link", "iframe", "object", "b"}
    assert not tags.attributes & {"src", "href", "onload", "onclick"}
    assert "&lt;script&gt;alert(1)" in html
    assert "\x1b" not in html
    assert '<svg viewBox="' in html, "a code that scales whole"
    assert "alice +1 555 0100" in html


def test_each_command_of_the_kit_is_one() -> None:
    for _, command in (*texts.WITH, *texts.WITHOUT, *texts.ALARM, *texts.AFTER, *texts.VERIFYING):
        program, *words = shlex.split(command)
        assert program == "quorumseal"
        found: Verb | Noun | Command = entries()[words[0]]
        words = words[1:]
        if isinstance(found, Noun):
            found = found.load()[words[0]]
            words = words[1:]
        loaded = found.load() if isinstance(found, Verb) else found
        assert isinstance(loaded, Command)
        parser_of(loaded, command).parse_args(words)


def test_the_folder_holds_no_secret_and_what_a_fresh_home_needs(
    office: Office, tmp_path: Path, capsys: Capture
) -> None:
    contacts = tmp_path / "contacts.txt"
    contacts.write_text("alice: +1 555 0100\n")
    folder = tmp_path / "kit"
    assert kit(office, "--out", str(folder), "--contacts", str(contacts), "--json") == 0
    answer = said(capsys.readouterr().out)
    assert (answer["fresh"], answer["qr_code"]) == (False, True)
    trust = read_trust((folder / "trust.json").read_bytes())
    (policy,) = read_organisation((folder / "organisation.json").read_bytes()).policies
    assert trust.policy == digest_of(policy.payload) == answer["policy"]
    assert "alice: +1 555 0100" in (folder / "kit.txt").read_text()
    everything = b"".join(file.read_bytes() for file in folder.iterdir())
    assert PASSPHRASE.encode() not in everything
    assert b"PRIVATE KEY" not in everything
    state = office.folder / "people" / "rita" / "state"
    state.rename(tmp_path / "state")
    asked = ["offline", "export", "widget", "1.0", str(office.artifact), *office.home("rita"), "--json"]
    assert main([*asked, "--out", str(tmp_path / "no.json")]) == 2
    given = ["--organisation", str(folder / "organisation.json"), "--out", str(tmp_path / "request.json")]
    assert main([*asked, *given]) == 0
    shutil.rmtree(state)
    (tmp_path / "state").rename(state)


def test_with_the_coordinator_at_hand_the_kit_is_fresh(tmp_path: Path, capsys: Capture) -> None:
    made = found_office(tmp_path / "acme")
    capsys.readouterr()
    with coordinator_of(made):
        assert kit(made, "--out", str(tmp_path / "kit")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✓ wrote the break-glass kit of acme to")
    assert not any("coordinator is down" in line for line in lines)
    assert lines[-1].startswith("quorumseal trust show ")


def test_nothing_is_written_over(office: Office, tmp_path: Path) -> None:
    (tmp_path / "kit.txt").write_text("the kit of last year")
    assert kit(office, "--out", str(tmp_path)) == 2
    assert (tmp_path / "kit.txt").read_text() == "the kit of last year"


def test_contacts_in_other_bytes_are_refused(office: Office, tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.txt"
    contacts.write_bytes(b"\xff\xfe")
    assert kit(office, "--contacts", str(contacts), "--out", str(tmp_path / "kit")) == 2
    assert not (tmp_path / "kit").exists()


def test_a_kit_without_the_library_has_no_code_and_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    assert qr_code.svg("sha256:00") == ""
    made = replace(known(BURNING), contacts="x")
    assert "<figure>" not in html_page(title(made), chapters(made))
    assert isinstance(chapters(made)[0].blocks[1], Facts)

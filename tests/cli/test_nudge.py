# SPDX-License-Identifier: Apache-2.0
"""``nudge`` against a coordinator over mTLS that can tell two of those who are awaited."""

from collections.abc import Iterator

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
_NOTIFICATIONS = """
[notifications.people]
alice = ["mail:alice@acme.example"]
carol = ["mail:carol@acme.example"]

[notifications.channels.mail]
kind = "mail"
server = "127.0.0.1:9"
security = "plain"
sender = "quorumseal@acme.example"
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = found_office(tmp_path_factory.mktemp("nudge") / "acme")
    settings = made.folder / "coordinator" / "coordinator.toml"
    settings.write_text(settings.read_text() + _NOTIFICATIONS)
    with coordinator_of(made):
        yield made


@pytest.fixture
def asked(office: Office, capsys: Capture) -> None:
    assert office.start() == 0
    capsys.readouterr()


@pytest.mark.usefixtures("asked")
def test_a_nudge_says_who_was_told_and_the_second_when_it_may_be(office: Office, capsys: Capture) -> None:
    home = office.home("rita")
    assert main(["nudge", "widget@1.0", *home]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✓ asked again to review widget 1.0: alice, carol"
    assert lines[1].startswith("This ceremony may be nudged again from")
    assert flat(lines[-1]).startswith("quorumseal why widget@1.0")
    assert all(len(line) <= 80 for line in lines[:-1])
    assert main(["nudge", "widget@1.0", *home, "--json"]) == 8
    refused = said(capsys.readouterr().out)["refused"]
    assert refused["code"] == "nudge.too_soon"
    assert "nudge again from" in refused["hint"]


@pytest.mark.usefixtures("asked")
def test_a_nudge_of_what_is_not_there_is_refused(office: Office, capsys: Capture) -> None:
    assert main(["nudge", "gadget@9.9", *office.home("rita")]) != 0
    assert "gadget" in capsys.readouterr().err

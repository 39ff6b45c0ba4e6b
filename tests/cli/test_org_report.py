# SPDX-License-Identifier: Apache-2.0
"""``org report``: from the log, verified, to the people and keys that should be asked about."""

import json
from collections.abc import Iterator

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, copied_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = copied_office(tmp_path_factory.mktemp("report") / "acme")
    with coordinator_of(made):
        assert made.start() == 0
        made.approve("alice", "carol", "bob", "dan")
        yield made


def test_who_decided_nothing_and_of_whom_there_is_one_alone_is_asked_about(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["org", "report", *office.home("rita")]) == 12
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "! 3 to ask about in acme (policy version 1, 1 ceremonies that ended)"
    assert lines[1].startswith("  ! erin: decided in none of the last ceremony")
    assert any(
        line.startswith("  ! role security: needs 1 of 1: it stops without any one of carol")
        for line in lines
    )
    assert lines[-1].startswith("quorumseal policy show --home")


def test_programs_get_the_same(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["org", "report", "--json", "--ceremonies", "1", *office.home("alice")]) == 12
    said = json.loads(capsys.readouterr().out)
    assert (said["policy"], said["ceremonies"]) == (1, 1)
    assert [each["about"] for each in said["findings"]] == ["erin", "role release", "role security"]


def test_a_number_of_nothing_is_refused(office: Office) -> None:
    assert main(["org", "report", "--last", "0", *office.home("alice")]) == 2

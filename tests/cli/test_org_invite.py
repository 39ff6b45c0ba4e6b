# SPDX-License-Identifier: Apache-2.0
"""The operator's side of joining, as it is typed on the coordinator's machine."""

import json
from pathlib import Path

import pytest

from quorumseal.ceremony.enrolment import read_code
from quorumseal.cli.main import main
from quorumseal.terminal.words import four_words
from tests.founding_site import FOUNDERS, FoundingSite
from tests.organisation import Organisation
from tests.running_coordinator import Site


@pytest.fixture
def site(tmp_path: Path) -> FoundingSite:
    return FoundingSite(tmp_path)


def org(site: FoundingSite, *words: str) -> int:
    return main(["org", *words, "--settings", str(site.site.settings)])


def test_an_invitation_ends_with_the_exact_command_and_has_the_code_nowhere_in_it(
    site: FoundingSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert org(site, "invite", "alice", "--founder", "--expires", "2h") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "alice is invited to acme.example as one of its founders" in lines[0]
    (code,) = [line.split()[1] for line in lines if line.strip().startswith("code")]
    assert read_code(code) == code
    assert any(four_words(site.fingerprint) in line for line in lines)
    assert lines[-1] == (
        "quorumseal agent enroll coordinator.acme.example:7445 --fingerprint " + site.fingerprint
    )
    assert code not in lines[-1]


def test_programs_get_the_same_as_json(site: FoundingSite, capsys: pytest.CaptureFixture[str]) -> None:
    assert org(site, "invite", "bob", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["signer"], told["founder"], told["fingerprint"]) == ("bob", False, site.fingerprint)
    assert told["command"][-1] == site.fingerprint
    with site.running() as running, running.enrolling() as port:
        assert port.invitation(told["code"]).signer == "bob"


def test_invitations_are_listed_and_taken_back(
    site: FoundingSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert org(site, "invitations") == 0
    assert "0 invitations to acme.example" in capsys.readouterr().out
    code = site.invite("alice")
    assert org(site, "invitations") == 0
    shown = capsys.readouterr().out
    assert "1 invitation to acme.example, 1 open" in shown
    assert code not in shown
    assert all(len(line) <= 80 for line in shown.splitlines()[:-1])
    assert org(site, "withdraw", "alice") == 0
    assert "1 invitation of alice withdrawn" in capsys.readouterr().out
    assert org(site, "invitations", "--json") == 0
    assert [each["state"] for each in json.loads(capsys.readouterr().out)] == ["withdrawn"]
    assert org(site, "withdraw", "alice") != 0
    assert "[invitation.none_open]" in capsys.readouterr().err


def test_the_first_policy_is_made_anew_and_certificates_are_revoked(
    site: FoundingSite, capsys: pytest.CaptureFixture[str]
) -> None:
    with site.running() as running:
        people = running.everybody()
        assert org(site, "compile") == 0
        assert "for its founders to sign" in capsys.readouterr().out
        (alice, hers), *_ = people.items()
        running.sign(alice, hers)
        assert org(site, "compile") != 0
        assert "[founding.signed_already]" in capsys.readouterr().err
        assert org(site, "compile", "--again", "--json") == 0
        assert json.loads(capsys.readouterr().out)["missing"] == list(FOUNDERS)
    assert org(site, "revoke-certificate", "alice") == 0
    assert "1 certificate of alice revoked" in capsys.readouterr().out
    assert org(site, "revoke-certificate", "alice") != 0
    assert "[certificate.none_issued]" in capsys.readouterr().err


def test_where_nobody_enrols_nobody_is_invited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = Site(tmp_path, Organisation())
    plain.found()
    assert main(["org", "invite", "dana", "--settings", str(plain.settings)]) != 0
    assert "[certificate.no_authority]" in capsys.readouterr().err


@pytest.mark.parametrize("lasts", ["0s", "31d", "tomorrow"])
def test_an_invitation_lasts_some_time_and_not_for_ever(site: FoundingSite, lasts: str) -> None:
    assert org(site, "invite", "alice", "--expires", lasts) == 2

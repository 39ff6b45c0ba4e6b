# SPDX-License-Identifier: Apache-2.0
"""The certificate authority rotates, and whoever came in under the old one stays in until they renewed."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.certificates import Authority
from coordinator.handshaking import rehearse_handshakes
from coordinator.settings import read_settings
from quorumseal.cli.main import main
from tests.cli.office import PASSPHRASE, Office, coordinator_of, copied_office
from tests.cli.published import flat, said
from tests.cli.test_rotate_log_key import every_byte, settings_of

Capture = pytest.CaptureFixture[str]
GOVERNORS = ("alice", "bob", "carol", "dan")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An organisation whose coordinator holds the authority."""
    office = copied_office(tmp_path / "own")
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    passphrase = office.folder / "authority" / "passphrase"
    passphrase.write_text(PASSPHRASE)
    passphrase.chmod(0o600)
    settings = settings_of(office)
    settings.write_text(
        f"{settings.read_text()}\n[authority]\ncertificate = '../authority/ca.pem'\n"
        "key = '../authority/ca.key.pem'\npassphrase_file = '../authority/passphrase'\n"
    )
    return office


def rotate(office: Office, *words: str) -> int:
    return main(["coordinator", "rotate-authority", *words, "--settings", str(settings_of(office))])


def adopt(office: Office, source: Path, capsys: Capture) -> None:
    capsys.readouterr()
    with coordinator_of(office):
        assert main(["policy", "propose", str(source), "--yes", "--json", *office.home("alice")]) == 0
        asked = said(capsys.readouterr().out)
        for side in ("change", "acceptance"):
            for person in GOVERNORS:
                assert main(["approve", asked[side], "--yes", *office.home(person)]) == 0


def everybody_renews(office: Office) -> None:
    """Give everybody what a renewal brings: the authorities that the coordinator lets in."""
    both = (office.folder / "coordinator" / "ca.pem").read_bytes()
    for home in (office.folder / "people").iterdir():
        (home / "ca.pem").write_bytes(both)


def connects(office: Office, person: str = "alice") -> bool:
    return main(["list", *office.home(person)]) == 0


def test_an_authority_rotates_step_by_step_and_nobody_is_locked_out(
    office: Office, capsys: Capture, tmp_path: Path
) -> None:
    assert rotate(office, "--switch") != 0
    assert "[coordinator.no_next_authority]" in capsys.readouterr().err
    assert rotate(office, "--out", str(tmp_path / "policy-2.toml")) == 0
    files = read_settings(settings_of(office)).enrolment.authority
    assert files is not None
    assert files.next is not None
    assert files.next.key.stat().st_mode & 0o777 == 0o600
    following = Authority.load(
        files.next.certificate.read_bytes(), files.next.key.read_bytes(), PASSPHRASE.encode()
    )
    adopt(office, tmp_path / "policy-2.toml", capsys)

    assert rotate(office) == 0
    assert "is let in, too" in flat(capsys.readouterr().out)
    with coordinator_of(office):
        assert connects(office), "somebody who came in under the old authority and has not renewed"
    everybody_renews(office)
    assert rotate(office, "--switch", "--out", str(tmp_path / "policy-3.toml")) == 0
    server = office.folder / "coordinator" / "certificate.pem"
    assert server.read_bytes() != following.certificate_pem
    with coordinator_of(office):
        assert connects(office), "the server is by the new authority, and this certificate by the old one"
    capsys.readouterr()
    adopt(office, tmp_path / "policy-3.toml", capsys)
    assert rotate(office) == 0
    assert "lets nobody in any more" in flat(capsys.readouterr().out)
    with coordinator_of(office):
        assert not connects(office), "a certificate of the old authority"


def test_a_rehearsal_of_an_authority_comes_to_the_end_and_changes_no_byte(
    office: Office, capsys: Capture
) -> None:
    before = every_byte(office.folder)
    assert rotate(office, "--rehearse", "--switch", "--out", "policy-3.toml") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1].endswith("coordinator.toml --out policy-3.toml --switch")
    text = flat(shown)
    assert "switched: somebody with a certificate of the old" in text
    assert "at the end the old authority lets nobody in" in text
    assert every_byte(office.folder) == before


def test_a_rehearsed_handshake_that_fails_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import coordinator.handshaking as handshaking

    honest = handshaking.connect
    monkeypatch.setattr(
        handshaking,
        "connect",
        lambda folder, server, lets_in, client, trusts: honest(folder, client, lets_in, server, trusts),
    )
    with pytest.raises(ssl.SSLError):
        rehearse_handshakes("acme.example", tmp_path, at=datetime.now(UTC))

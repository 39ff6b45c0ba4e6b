# SPDX-License-Identifier: Apache-2.0
"""An auditor makes a key, the operator a home around it; the auditor reads everything and writes nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from coordinator.certificates import Kind, identity_of
from coordinator.founding import found
from quorumseal.cli.main import main
from quorumseal.verifier.trust import read_trust
from tests.founding_site import FoundingSite
from tests.organisation import NOW


@pytest.fixture
def site(tmp_path: Path) -> FoundingSite:
    folder = tmp_path / "site"
    folder.mkdir()
    site = FoundingSite(folder)
    found(f"sqlite:///{folder / 'coordinator.db'}", site.acme.log_key, site.acme.policy, at=NOW)
    return site


def request(folder: Path, *, der: bool = False) -> Path:
    file = folder / "olga.csr"
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        + ["-subj", "/", "-keyout", str(folder / "tls.key.pem"), "-out", str(file)]
        + (["-outform", "DER"] if der else []),
        check=True,
        capture_output=True,
    )
    return file


def auditor(site: FoundingSite, *words: str) -> int:
    return main(["org", "auditor", "olga", *words, "--settings", str(site.site.settings)])


@pytest.mark.parametrize("der", [False, True], ids=["pem", "der"])
def test_the_home_has_all_but_the_key(
    site: FoundingSite, tmp_path: Path, capsys: pytest.CaptureFixture[str], der: bool
) -> None:
    home = tmp_path / "home"
    words = ["--request", str(request(tmp_path, der=der)), "--out", str(home), "--valid", "10d"]
    assert auditor(site, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✓ olga may read everything until")
    assert lines[-1] == "quorumseal audit fsck --home DIR"
    assert {file.name for file in home.iterdir()} == {"agent.toml", "ca.pem", "certificate.pem", "trust.json"}
    identity = identity_of((home / "certificate.pem").read_bytes())
    assert (identity.kind, identity.name) == (Kind.AUDITOR, "olga")
    assert read_trust((home / "trust.json").read_bytes()).policy == site.acme.policy.digest


def test_programs_get_the_serial_by_which_it_can_be_revoked(
    site: FoundingSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--request", str(request(tmp_path)), "--out", str(tmp_path / "home"), "--json"]
    assert auditor(site, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["auditor"] == "olga"
    assert main(["org", "revoke-certificate", "olga", "--settings", str(site.site.settings), "--json"]) == 0
    assert told["serial"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"nothing", 1), (b"-----BEGIN CERTIFICATE REQUEST-----\n?", 1)],
)
def test_what_is_no_request_makes_no_home(site: FoundingSite, tmp_path: Path, data: bytes, code: int) -> None:
    file = tmp_path / "olga.csr"
    file.write_bytes(data)
    assert auditor(site, "--request", str(file), "--out", str(tmp_path / "home")) >= code
    assert not (tmp_path / "home").exists()


PASSPHRASE = "correct horse"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """An organisation as ``org init --local`` makes it."""
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "passphrase").chmod(0o600)
    made = ["org", "init", "--local", str(tmp_path / "acme"), "--passphrase-file"]
    assert main([*made, str(tmp_path / "passphrase")]) == 0
    return tmp_path


def local_auditor(local: Path, *words: str) -> int:
    named = ["--request", str(request(local)), "--out", str(local / "olga")]
    settings = local / "acme" / "coordinator" / "coordinator.toml"
    return main(["org", "auditor", "olga", *named, *words, "--settings", str(settings)])


@pytest.mark.parametrize("moved", [False, True], ids=["where init made it", "moved"])
def test_a_local_organisation_has_its_authority_in_a_folder_under_a_passphrase(
    local: Path, moved: bool
) -> None:
    words = ["--passphrase-file", str(local / "passphrase")]
    if moved:
        (local / "acme" / "authority").rename(local / "safe")
        words += ["--authority", str(local / "safe")]
    assert local_auditor(local, *words) == 0
    certificate = local / "olga" / "certificate.pem"
    assert identity_of(certificate.read_bytes()).kind is Kind.AUDITOR
    verified = ["openssl", "verify", "-CAfile", str(local / "acme" / "coordinator" / "ca.pem")]
    subprocess.run([*verified, str(certificate)], check=True, capture_output=True)


def test_the_authority_is_found_from_within_the_coordinators_folder(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(local / "acme" / "coordinator")
    named = ["--request", str(request(local)), "--out", str(local / "olga")]
    opened = ["--passphrase-file", str(local / "passphrase"), "--settings", "coordinator.toml"]
    assert main(["org", "auditor", "olga", *named, *opened]) == 0


def test_without_a_way_to_ask_for_its_passphrase_the_option_is_named(
    local: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert local_auditor(local) != 0
    said = "".join(capsys.readouterr().err.split())  # a long path is broken over lines
    assert "acme/authority/ca.key.pem,gotnoterminaltoaskforit" in said
    assert "add--passphrase-fileFILE" in said
    assert not (local / "olga").exists()


def test_a_wrong_passphrase_is_named_as_such(local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (local / "passphrase").write_text("wrong\n")
    assert local_auditor(local, "--passphrase-file", str(local / "passphrase")) != 0
    assert "passphrase" in capsys.readouterr().err
    assert not (local / "olga").exists()


def test_where_there_is_no_authority_the_option_is_named(
    local: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (local / "acme" / "authority").rename(local / "safe")
    assert local_auditor(local) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert "expected [authority] in the settings, or" in said
    assert "--authority DIR" in said

# SPDX-License-Identifier: Apache-2.0
import stat
import subprocess
from pathlib import Path

import pytest

from coordinator.certificates import Authority
from coordinator.settings import read_settings
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.client.enrolment import fingerprint
from quorumseal.refusal import Refusal
from tests.cli.published import flat, said

ADDRESS = ["--address", "coordinator.acme.example"]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("org") / "acme"
    assert main(["org", "init", str(folder), *ADDRESS]) == 0
    return folder


def test_the_settings_say_where_people_enrol_and_where_they_go_from_then_on(acme: Path) -> None:
    settings = read_settings(acme / "coordinator.toml")
    assert settings.listen == "0.0.0.0:7443"
    assert settings.enrolment.port is not None
    assert settings.enrolment.port.listen == "0.0.0.0:7445"
    assert settings.enrolment.port.address == "coordinator.acme.example:7445"
    assert settings.enrolment.port.coordinator == "coordinator.acme.example:7443"
    assert settings.enrolment.founding == acme / "policy.toml"


def test_an_address_to_listen_on_is_one_to_be_reached_by(tmp_path: Path) -> None:
    assert main(["org", "init", str(tmp_path / "new"), "--listen", "192.0.2.10:7000"]) == 0
    port = read_settings(tmp_path / "new" / "coordinator.toml").enrolment.port
    assert port is not None
    assert (port.listen, port.address, port.coordinator) == (
        "192.0.2.10:7445",
        "192.0.2.10:7445",
        "192.0.2.10:7000",
    )


def test_the_authority_opens_with_its_passphrase_and_is_the_one_that_the_policy_names(acme: Path) -> None:
    files = read_settings(acme / "coordinator.toml").enrolment.authority
    assert files is not None
    assert files.passphrase_file is not None
    passphrase = files.passphrase_file.read_bytes().strip()
    authority = Authority.load(files.certificate.read_bytes(), files.key.read_bytes(), passphrase)
    assert authority.organisation == "acme"
    der = subprocess.run(
        ["openssl", "x509", "-in", str(files.certificate), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    assert f'authorities = ["{digest_of(der)}"]' in (acme / "policy.toml").read_text()


def test_the_server_certificate_names_the_address_that_others_use(acme: Path) -> None:
    verify = ["openssl", "verify", "-CAfile", str(acme / "ca.pem"), "-verify_hostname", ADDRESS[1]]
    assert subprocess.run([*verify, str(acme / "certificate.pem")], check=False).returncode == 0


def test_the_enrolment_certificate_signs_itself_and_its_fingerprint_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["org", "init", str(tmp_path / "new"), *ADDRESS, "--json"]) == 0
    answer = said(capsys.readouterr().out)
    shown = (tmp_path / "new" / "enrolment.pem").read_bytes()
    assert answer["fingerprint"] == fingerprint(shown)
    assert answer["enrolment"] == "coordinator.acme.example:7445"


def test_people_have_roles_and_no_keys_yet(acme: Path) -> None:
    text = (acme / "policy.toml").read_text()
    assert "[signers.alice]" in text
    assert "[[signers." not in text
    assert 'deadline = "3bd"' in text
    with pytest.raises(Refusal, match="keys"):
        read_source(acme / "policy.toml")


def test_nobody_else_can_read_a_secret_of_the_coordinator(acme: Path) -> None:
    secrets = [path for path in acme.rglob("*") if path.name.endswith((".key.pem", ".passphrase"))]
    assert {path.name for path in secrets} == {
        "ca.key.pem",
        "ca.passphrase",
        "enrolment.key.pem",
        "log.key.pem",
        "log.passphrase",
        "tls.key.pem",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(acme.stat().st_mode) == 0o700
    for name in ("ca.key.pem", "log.key.pem"):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (acme / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ([], "usage.arguments", "expected --address"),
        ([*ADDRESS, "--spare-keys", "bob"], "usage.arguments", "--spare-keys only with --local"),
        ([*ADDRESS, "--passphrase-fd", "3"], "usage.arguments", "--passphrase-fd only with --local"),
        ([*ADDRESS, "--people", "ann:dev"], "policy.", "engineering"),
        ([*ADDRESS, "--enrol-port", "70000"], "usage.arguments", "0 to 65535"),
        (["--address", "acme.example:7443"], "usage.arguments", "without a port"),
    ],
)
def test_what_cannot_be_founded_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str, why: str
) -> None:
    assert main(["org", "init", str(tmp_path / "new"), *words]) != 0
    refused = flat(capsys.readouterr().err)
    assert f"[{code}" in refused
    assert why in refused
    assert not any(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_as_it_is(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in acme.rglob("*")}
    assert main(["org", "init", str(acme), *ADDRESS]) == 2
    assert "[usage.exists]" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in acme.rglob("*")} == before

# SPDX-License-Identifier: Apache-2.0
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from quorumseal.ceremony.enrolment import invitation_code, verify_enrolment
from quorumseal.cli.main import main
from quorumseal.client.enrolment import EnrolmentConnection
from quorumseal.signatures import JointEnvelope, Scheme, read_key_file, write_key_file
from signer_agent.cli import enroll, invited
from signer_agent.key_sources.certificates import read_certificate
from signer_agent.settings import read_settings
from tests.cli.published import flat, said
from tests.organisation import key_of
from tests.signer_agent.reception import Reception, at_work

PASSPHRASE = b"correct horse"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invited, "EnrolmentConnection", partial(EnrolmentConnection, patience=0))


@pytest.fixture
def reception() -> Iterator[Reception]:
    with at_work(Reception()) as serving:
        yield serving


def secret(file: Path, text: bytes) -> Path:
    file.write_bytes(text + b"\n")
    file.chmod(0o600)
    return file


def enrolling(reception: Reception, folder: Path, *words: str, code: str | None = None) -> list[str]:
    """Return the command that joins, with its secrets in files outside of ``folder``."""
    beside = folder.with_name(f"{folder.name}-secrets")
    beside.mkdir(exist_ok=True)
    files = secret(beside / "code", (code or reception.code).encode()), secret(beside / "pass", PASSPHRASE)
    given = ["--code-file", str(files[0]), "--passphrase-file", str(files[1])]
    to = [reception.address, "--fingerprint", reception.fingerprint, "--home", str(folder / "alice")]
    return ["agent", "enroll", *to, *given, "--yes", *words]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "people"
    place.mkdir()
    return place


def test_a_home_is_whole_once_its_person_has_joined(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(enrolling(reception, folder)) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("○ alice is invited to join")
    home = folder / "alice"
    settings = read_settings(home / "agent.toml")
    assert (settings.name, settings.coordinator) == ("alice", "coordinator.acme.example:7443")
    key = read_key_file(settings.key_file.read_bytes(), PASSPHRASE)
    assert settings.witness_key is not None
    witness = read_key_file(settings.witness_key.read_bytes(), None)
    tls = read_key_file(settings.tls.key.read_bytes().partition(b"-----BEGIN CERT")[0], None)
    assert read_certificate(settings.tls.certificate.read_bytes()).spki == tls.public.spki
    enrolment = verify_enrolment(JointEnvelope.read((home / "enrolment.json").read_bytes()))
    assert (enrolment.key, enrolment.witness) == (key.public, witness.public)
    assert [path.name for path in folder.iterdir()] == ["alice"]


def test_nobody_else_can_read_what_is_in_a_home(reception: Reception, folder: Path) -> None:
    assert main(enrolling(reception, folder)) == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "alice").iterdir()} == {0o600}
    assert stat.S_IMODE((folder / "alice").stat().st_mode) == 0o700
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (folder / "alice" / "signing.key.pem").read_bytes()


def test_the_code_is_in_no_file_of_the_home(reception: Reception, folder: Path) -> None:
    assert main(enrolling(reception, folder)) == 0
    everything = b"".join(path.read_bytes() for path in (folder / "alice").iterdir())
    assert reception.code.encode() not in everything


def test_another_fingerprint_is_refused_before_any_key_is_made(
    reception: Reception, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enroll, "generate_key", lambda *_: pytest.fail("a key was made"))
    words = enrolling(reception, folder)
    words[words.index("--fingerprint") + 1] = "sha256:" + "0" * 64
    assert main(words) != 0
    refused = flat(capsys.readouterr().err)
    assert "[coordinator.other_fingerprint]" in refused
    assert reception.fingerprint in refused
    assert reception.invited == 0
    assert not any(folder.iterdir())


def test_what_is_no_fingerprint_is_said_to_be_mistyped(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = enrolling(reception, folder)
    words[words.index("--fingerprint") + 1] = reception.fingerprint[:-1]
    assert main(words) == 2
    assert "[usage.arguments]" in capsys.readouterr().err
    assert not any(folder.iterdir())


@pytest.mark.parametrize("refused", ["invitation.used", "invitation.expired", "key.taken"])
def test_a_refused_enrolment_leaves_nothing_behind(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str], refused: str
) -> None:
    reception.refuses = refused
    assert main(enrolling(reception, folder)) != 0
    assert f"[{refused}]" in capsys.readouterr().err
    assert not any(folder.iterdir())


def test_a_foreign_invitation_is_refused_before_any_key_is_made(
    reception: Reception, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enroll, "generate_key", lambda *_: pytest.fail("a key was made"))
    assert main(enrolling(reception, folder, code=invitation_code(bytes(16)))) != 0
    assert "[invitation.unknown]" in capsys.readouterr().err
    assert not any(folder.iterdir())


def test_what_is_no_code_is_not_sent(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(enrolling(reception, folder, code="03fa-0000")) != 0
    refused = capsys.readouterr().err
    assert "[invitation.malformed]" in refused
    assert "03fa-0000" not in refused
    assert reception.invited == 0


def test_a_lost_answer_is_asked_for_again_with_the_same_keys(
    reception: Reception, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reception.loses = 1
    assert main(enrolling(reception, folder)) == 69
    assert not (folder / "alice").exists()
    monkeypatch.setattr(enroll, "generate_key", lambda *_: pytest.fail("a key was made"))
    capsys.readouterr()
    assert main(enrolling(reception, folder, "--json")) == 0
    first, second = reception.envelopes
    assert first == second
    assert said(capsys.readouterr().out)["key"] == verify_enrolment(JointEnvelope.read(first)).key.key_id
    assert [path.name for path in folder.iterdir()] == ["alice"]


def test_a_certificate_for_another_key_makes_no_home(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reception.other_key = True
    assert main(enrolling(reception, folder)) != 0
    assert "[coordinator.other_certificate]" in capsys.readouterr().err
    assert not (folder / "alice").exists()


def test_a_home_that_is_there_is_left_as_it_is(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(enrolling(reception, folder)) == 0
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert main(enrolling(reception, folder)) == 2
    assert "[usage.exists]" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert reception.invited == 1


def test_a_key_of_ones_own_stays_where_it_is(reception: Reception, folder: Path, tmp_path: Path) -> None:
    own = key_of("alice", Scheme.ECDSA_P256)
    file = secret(tmp_path / "own.pem", write_key_file(own, PASSPHRASE).rstrip())
    assert main(enrolling(reception, folder, "--key", str(file))) == 0
    settings = read_settings(folder / "alice" / "agent.toml")
    assert settings.key_file == file
    assert not (folder / "alice" / "signing.key.pem").exists()
    enrolment = verify_enrolment(JointEnvelope.read(reception.envelopes[0]))
    assert enrolment.key == own.public


SMALL_ORDER = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----"""


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (SMALL_ORDER, 0o600, "key_file.malformed"),
        (b"no key at all", 0o600, "key_file.malformed"),
        (b"-----BEGIN PRIVATE KEY-----", 0o644, "key.exposed"),
    ],
)
def test_a_file_that_is_no_key_for_its_owner_alone_makes_no_home(
    reception: Reception,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    mode: int,
    code: str,
) -> None:
    file = secret(tmp_path / "own.pem", content)
    file.chmod(mode)
    assert main(enrolling(reception, folder, "--key", str(file))) != 0
    assert f"[{code}]" in capsys.readouterr().err
    assert not any(folder.iterdir())
    assert not reception.envelopes


def test_nobody_at_a_terminal_joins_nothing(
    reception: Reception, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for word in enrolling(reception, folder) if word != "--yes"]
    assert main(words) != 0
    assert "[usage.not_confirmed]" in capsys.readouterr().err
    assert not any(folder.iterdir())


def test_a_server_that_is_not_there_is_said_to_be_out_of_reach(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Reception(address="127.0.0.1:9", fingerprint="sha256:" + "0" * 64)
    assert main(enrolling(gone, folder)) == 69
    assert "[coordinator.unreachable]" in capsys.readouterr().err
    assert not any(folder.iterdir())

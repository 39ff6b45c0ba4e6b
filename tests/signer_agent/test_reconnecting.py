# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from quorumseal.ceremony.enrolment import verify_enrolment
from quorumseal.cli.main import main
from quorumseal.client.enrolment import EnrolmentConnection
from quorumseal.signatures import JointEnvelope
from quorumseal.verifier.trust import Trust, write_trust
from signer_agent.cli import invited
from signer_agent.key_sources.certificates import read_certificate
from tests.signer_agent.reception import ORGANISATION, Reception, at_work

TRUST = Trust(organisation=ORGANISATION, policy="sha256:" + "0" * 64, minimum_version=1)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invited, "EnrolmentConnection", partial(EnrolmentConnection, patience=0))


@pytest.fixture
def reception() -> Iterator[Reception]:
    with at_work(Reception()) as serving:
        yield serving


@pytest.fixture
def home(reception: Reception, tmp_path: Path) -> Path:
    """A home that joined, of an organisation that is founded by now."""
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    words = ["enroll", *using(reception, tmp_path), "--passphrase-file", str(secret)]
    assert main(["agent", *words, "--home", str(tmp_path / "alice")]) == 0
    (tmp_path / "alice" / "trust.json").write_bytes(write_trust(TRUST))
    return tmp_path / "alice"


def using(reception: Reception, folder: Path) -> list[str]:
    code = folder / "code"
    code.write_text(reception.code + "\n")
    code.chmod(0o600)
    return [reception.address, "--fingerprint", reception.fingerprint, "--code-file", str(code), "--yes"]


def files_of(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


def test_only_the_certificate_and_its_key_are_new(reception: Reception, home: Path) -> None:
    before = files_of(home)
    assert main(["agent", "reconnect", *using(reception, home.parent), "--home", str(home)]) == 0
    after = files_of(home)
    assert {name for name in after if after[name] != before.get(name)} == {"tls.pem"}
    assert read_certificate(after["tls.pem"]).spki != read_certificate(before["tls.pem"]).spki


def test_the_keys_that_ask_for_it_are_used_for_nothing_else(reception: Reception, home: Path) -> None:
    assert main(["agent", "reconnect", *using(reception, home.parent), "--home", str(home)]) == 0
    first, second = (verify_enrolment(JointEnvelope.read(each)) for each in reception.envelopes)
    assert len({first.key, first.witness, second.key, second.witness}) == 4
    assert (second.signer, second.organisation) == ("alice", ORGANISATION)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("another person's invitation", "usage.other_home"),
        ("another fingerprint", "coordinator.other_fingerprint"),
        ("a used invitation", "invitation.used"),
        ("a certificate for another key", "coordinator.other_certificate"),
    ],
)
def test_what_is_refused_changes_nothing(
    reception: Reception, home: Path, capsys: pytest.CaptureFixture[str], case: str, code: str
) -> None:
    words = using(reception, home.parent)
    match case:
        case "another person's invitation":
            reception.signer = "bob"
        case "another fingerprint":
            words[2] = "sha256:" + "0" * 64
        case "a used invitation":
            reception.refuses = "invitation.used"
        case _:
            reception.other_key = True
    before = files_of(home)
    assert main(["agent", "reconnect", *words, "--home", str(home)]) != 0
    assert f"[{code}]" in capsys.readouterr().err
    assert files_of(home) == before


def test_nobody_reconnects_before_the_organisation_is_founded(
    reception: Reception, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "trust.json").unlink()
    assert main(["agent", "reconnect", *using(reception, home.parent), "--home", str(home)]) != 0
    assert "quorumseal org genesis" in capsys.readouterr().err
    assert len(reception.envelopes) == 1


def test_a_home_whose_certificate_an_operator_made_is_left_to_them(
    reception: Reception, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = home / "agent.toml"
    settings.write_text(settings.read_text().replace('key = "tls.pem"', 'key = "tls.key.pem"'))
    assert main(["agent", "reconnect", *using(reception, home.parent), "--home", str(home)]) != 0
    assert "[usage.settings]" in capsys.readouterr().err

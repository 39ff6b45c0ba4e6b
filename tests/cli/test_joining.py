# SPDX-License-Identifier: Apache-2.0
"""People join, found and reconnect by the commands, at a coordinator that is served in this process."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.signatures import Scheme, write_key_file
from quorumseal.verifier.trust import read_trust
from signer_agent import renewing
from signer_agent.journal import Journal
from signer_agent.key_sources.certificates import read_certificate
from signer_agent.settings import read_settings
from tests.cli.published import flat
from tests.founding_site import FOUNDERS, FoundingSite, Running
from tests.newcomer import code_of
from tests.organisation import key_of

PASSPHRASE = b"correct horse"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "coordinator"
    folder.mkdir()
    with FoundingSite(folder).running() as serving:
        yield serving


def secret(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def join(running: Running, home: Path, code: str, *words: str) -> int:
    """Enrol by the command, and point the home at where the coordinator really listens."""
    place = home.parent
    given = [
        *("--code-file", str(secret(place / "code", code.encode()))),
        *("--passphrase-file", str(secret(place / "passphrase", PASSPHRASE))),
    ]
    to = [running.port, "--fingerprint", running.site.fingerprint, "--home", str(home)]
    exit_code = main(["agent", "enroll", *to, *given, "--yes", *words])
    if exit_code == 0:
        settings = home / "agent.toml"
        address = f'"{running.process.address}"'
        settings.write_text(settings.read_text().replace('"coordinator.acme.example:7443"', address))
    return exit_code


def found(running: Running, people: Path) -> str:
    """Have every founder join and sign, each in their home; return the digest of the first policy."""
    for name in FOUNDERS:
        assert join(running, people / name, running.site.invite(name)) == 0
    with running.connect(read_settings(people / "alice" / "agent.toml").tls) as connection:
        digest = digest_of(connection.founding().payload)
    for name in (*FOUNDERS, "alice", "bob"):  # the first two find it founded when they come again
        assert genesis(people / name, digest) == 0
    return digest


def genesis(home: Path, digest: str) -> int:
    return main(["org", "genesis", "--home", str(home), "--yes", "--policy", digest])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    folder.mkdir()
    return folder


def test_founders_found_and_each_gets_the_same_trust_file_of_a_log_seen_from_its_first_entry(
    running: Running, people: Path
) -> None:
    digest = found(running, people)
    with Journal.open(people / "carol" / "state" / "journal.sqlite") as journal:
        assert journal.log.sizes() == {"log.acme.example/test": 1}
    for name in FOUNDERS:
        assert read_trust((people / name / "trust.json").read_bytes()).policy == digest
    assert main(["inbox", "--home", str(people / "bob")]) == 0


def test_who_joins_later_confirms_the_same_digest_and_nothing_else(
    running: Running, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = found(running, people)
    code = running.site.invite("zoe", founder=False)
    assert join(running, people / "zoe", code) == 0
    assert genesis(people / "zoe", "sha256:" + "0" * 64) != 0
    assert "[founding.other_policy]" in flat(capsys.readouterr().err)
    assert not (people / "zoe" / "trust.json").exists()
    assert genesis(people / "zoe", digest) == 0
    assert (people / "zoe" / "trust.json").read_bytes() == (people / "bob" / "trust.json").read_bytes()


@pytest.mark.parametrize("case", ["used", "expired", "withdrawn", "foreign"])
def test_an_invitation_that_cannot_be_used_makes_no_home(
    running: Running, people: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    lasts = timedelta(milliseconds=1) if case == "expired" else timedelta(days=1)
    code = running.site.invite("alice", lasts=lasts)
    expected = f"invitation.{case}"
    match case:
        case "used":
            assert join(running, people / "first", code) == 0
        case "withdrawn":
            with running.site.door() as door:
                door.inviting().withdraw("alice")
        case "foreign":
            code, expected = code_of("another organisation's"), "invitation.unknown"
    before = contents(people)
    assert join(running, people / "alice", code) != 0
    assert f"[{expected}]" in flat(capsys.readouterr().err)
    assert contents(people).keys() - {"code", "passphrase"} == before.keys() - {"code", "passphrase"}


@pytest.mark.parametrize("other_spelling", [False, True])
def test_a_key_that_somebody_has_is_refused_and_the_invitation_stays(
    running: Running, people: Path, capsys: pytest.CaptureFixture[str], other_spelling: bool
) -> None:
    key = key_of("one key of two people", Scheme.ECDSA_P256)
    file = secret(people / "shared.pem", write_key_file(key, PASSPHRASE))
    assert join(running, people / "alice", running.site.invite("alice"), "--key", str(file)) == 0
    if other_spelling:
        convert = ["openssl", "pkcs8", "-topk8", "-v2", "aes-128-cbc", "-in", str(file)]
        words = [*convert, "-passin", "pass:correct horse", "-passout", "pass:correct horse"]
        file = secret(people / "same.pem", subprocess.run(words, check=True, capture_output=True).stdout)
    code = running.site.invite("bob")
    assert join(running, people / "bob", code, "--key", str(file)) != 0
    assert "[key.taken]" in flat(capsys.readouterr().err)
    assert not (people / "bob").exists()
    assert join(running, people / "bob", code) == 0


def test_a_certificate_renews_itself_by_any_verb_and_the_next_one_uses_it(
    running: Running, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(running, people)
    home, pair = people / "alice", people / "alice" / "tls.pem"
    before = read_certificate(pair.read_bytes())
    monkeypatch.setattr(renewing, "due", lambda *_, **__: True)
    assert main(["inbox", "--home", str(home)]) == 0
    monkeypatch.undo()
    after = read_certificate(pair.read_bytes())
    assert after.spki != before.spki
    capsys.readouterr()
    assert main(["inbox", "--home", str(home)]) == 0
    assert "renewed" not in capsys.readouterr().err
    assert read_certificate(pair.read_bytes()).der == after.der


def test_a_founding_that_takes_longer_than_a_certificate_lasts_goes_on(
    running: Running, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert join(running, people / "alice", running.site.invite("alice")) == 0
    before = (people / "alice" / "tls.pem").read_bytes()
    monkeypatch.setattr(renewing, "due", lambda *_, **__: True)
    assert main(["org", "genesis", "--home", str(people / "alice")]) == 8
    assert (people / "alice" / "tls.pem").read_bytes() != before


def test_whoever_was_away_too_long_connects_again_by_an_invitation(running: Running, people: Path) -> None:
    found(running, people)
    home = people / "bob"
    (home / "tls.pem").write_bytes((people / "carol" / "tls.pem").read_bytes())  # as good as none
    code = secret(people / "code", running.site.invite("bob", founder=False).encode())
    to = [running.port, "--fingerprint", running.site.fingerprint, "--home", str(home)]
    before = contents(home)
    assert main(["agent", "reconnect", *to, "--code-file", str(code), "--yes"]) == 0
    after = contents(home)
    assert {name for name in after if after[name] != before[name]} == {"tls.pem"}
    assert main(["inbox", "--home", str(home)]) == 0

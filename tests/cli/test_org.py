# SPDX-License-Identifier: Apache-2.0
import stat
import subprocess
from pathlib import Path

import pytest

from quorumseal.ceremony.policy import Kind, SignerKind
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.signatures import read_key_file
from quorumseal.verifier.trust import read_trust
from signer_agent.key_sources import open_witness_key
from signer_agent.settings import read_settings
from tests.cli.published import flat, said

PASSPHRASE = "correct horse"
PLAIN = ("tls.key.pem", "witness.key.pem")
"""What is not encrypted: it approves nothing."""


@pytest.fixture
def passphrase(tmp_path: Path) -> list[str]:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    return ["--passphrase-file", str(file)]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("org") / "acme"
    file = folder.parent / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    assert main(["org", "init", "--local", str(folder), "--passphrase-file", str(file)]) == 0
    return folder


def test_the_default_rule_can_be_met_without_the_requester(acme: Path) -> None:
    policy = read_source(acme / "policy.toml")
    rule = policy.rule_for("widget", Kind.RELEASE)
    requesters = {m for role in rule.requesters for m in policy.roles[role].members}
    assert requesters == {"rita"}
    needs = policy.needs(rule.quorum, excluded=requesters)
    assert {need.role: (need.threshold, len(need.members)) for need in needs} == {
        "engineering": (2, 2),
        "security": (1, 1),
        "release": (1, 1),
    }


def test_the_log_begins_with_the_policy_that_the_trust_file_pins(acme: Path) -> None:
    from coordinator.storage import Storage
    from quorumseal.ceremony.entries import policy_of, read_entry

    storage = Storage(f"sqlite:///{acme / 'coordinator' / 'coordinator.db'}")
    try:
        ((_, first),) = [(row.index, row.payload) for row in storage.log.entries(0, 10)]
    finally:
        storage.close()
    policy = policy_of(read_entry(first))
    assert policy.digest == read_trust((acme / "trust.json").read_bytes()).policy
    assert policy.signers == ("alice", "bob", "carol", "dan", "rita")


def test_every_home_has_its_own_key_which_the_policy_lists(acme: Path) -> None:
    policy = read_source(acme / "policy.toml")
    for person, signer in policy.signers.items():
        home = acme / "people" / person
        key = read_key_file((home / "signing.key.pem").read_bytes(), PASSPHRASE.encode())
        assert [listed.key for listed in signer.keys] == [key.public]
        witness = open_witness_key(home / "witness.key.pem")
        assert witness.public == signer.witness
        assert read_settings(home / "agent.toml").witness_key == home / "witness.key.pem"
        assert (home / "trust.json").read_bytes() == (acme / "trust.json").read_bytes()


def test_nobody_else_can_read_a_secret(acme: Path) -> None:
    secrets = [p for p in acme.rglob("*") if p.name.endswith((".key.pem", ".passphrase", ".db"))]
    assert len(secrets) == 20  # 5 signing, 5 witness, 6 TLS, authority, log, its passphrase, the database
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    keys = [p for p in secrets if p.name.endswith(".key.pem") and p.name not in PLAIN]
    assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes() for path in keys)


def test_openssl_follows_each_certificate_to_the_authority(acme: Path) -> None:
    certificates = sorted(acme.rglob("certificate.pem"))
    assert len(certificates) == 6
    verify = ["openssl", "verify", "-CAfile", str(acme / "authority" / "ca.pem"), *map(str, certificates)]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0


def test_the_coordinator_and_the_agents_take_their_settings(
    acme: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = str(acme / "coordinator" / "coordinator.toml")
    assert main(["coordinator", "check-config", "--settings", settings]) == 0
    capsys.readouterr()
    for person in ("alice", "rita"):
        agent = read_settings(acme / "people" / person / "agent.toml")
        assert (agent.name, agent.coordinator) == (person, "127.0.0.1:7443")
        assert agent.key_file.is_file()


def test_nothing_is_overwritten(
    acme: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in acme.rglob("*")}
    assert main(["org", "init", "--local", str(acme), *passphrase]) == 2
    assert "[usage.exists]" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in acme.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (
            ["--people", "alice:engineering carol:security dan:release rita:managers"],
            "policy.",
            "engineering",
        ),
        (["--people", "alice:engineering alice:engineering"], "usage.arguments", "once in a role"),
        (["--people", "Alice:engineering"], "usage.arguments", "a name of a-z"),
        (["--quorum", "engineering=two"], "usage.arguments", "ROLE=COUNT"),
        (["--listen", "7443"], "usage.arguments", "HOST:PORT"),
        (["--name", "../x"], "usage.arguments", "a name of a-z"),
    ],
)
def test_what_cannot_be_an_organisation_leaves_nothing_behind(
    tmp_path: Path,
    passphrase: list[str],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: str,
    why: str,
) -> None:
    assert main(["org", "init", "--local", str(tmp_path / "new"), *passphrase, *words]) != 0
    said_why = flat(capsys.readouterr().err)
    assert f"[{code}" in said_why
    assert why in said_why
    assert [path.name for path in tmp_path.iterdir()] == ["passphrase"]


def test_without_a_terminal_or_a_file_there_is_no_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["org", "init", "--local", str(tmp_path / "new")]) == 2
    assert "[usage.passphrase]" in capsys.readouterr().err


def test_people_products_and_quorum_can_be_chosen(
    tmp_path: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "small.example"
    people = ["--people", "ann:dev+ops, ben:dev, joe:asking", "--quorum", "dev=1 ops=1"]
    others = ["--requesters", "asking", "--products", "tool,tool.next", "--listen", "localhost:0", "--json"]
    assert main(["org", "init", "--local", str(folder), *passphrase, *people, *others]) == 0
    answer = said(capsys.readouterr().out)
    assert sorted(answer["homes"]) == ["ann", "ben", "joe"]
    policy = read_source(folder / "policy.toml")
    assert policy.organisation == "small.example"
    assert set(policy.products) == {"tool", "tool.next"}


def test_a_spare_key_is_a_second_key_of_the_same_person(
    tmp_path: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "spare"
    words = ["--spare-keys", "bob", "--rejection", "count"]
    assert main(["org", "init", "--local", str(folder), *passphrase, *words]) == 0
    capsys.readouterr()
    policy = read_source(folder / "policy.toml")
    files = [folder / "people" / "bob" / name for name in ("signing.key.pem", "spare.key.pem")]
    keys = [read_key_file(file.read_bytes(), PASSPHRASE.encode()).public for file in files]
    assert [listed.key for listed in policy.signer("bob").keys] == keys
    assert len(policy.signer("alice").keys) == 1
    assert policy.rule_for("widget", Kind.RELEASE).veto == frozenset()


def test_a_machine_is_a_signer_that_asks_for_others(tmp_path: Path, passphrase: list[str]) -> None:
    people = "alice:engineering bob:engineering erin:engineering carol:security dan:release ci:managers"
    words = ["--people", people, "--machines", "ci"]
    assert main(["org", "init", "--local", str(tmp_path / "new"), *passphrase, *words]) == 0
    policy = read_source(tmp_path / "new" / "policy.toml")
    assert {name for name, signer in policy.signers.items() if signer.kind is SignerKind.MACHINE} == {"ci"}


@pytest.mark.parametrize("option", ["--spare-keys", "--machines"])
def test_a_spare_key_or_a_machine_is_somebody_with_a_role(
    tmp_path: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    words = [option, "zoe"]
    assert main(["org", "init", "--local", str(tmp_path / "new"), *passphrase, *words]) == 2
    assert "got zoe" in flat(capsys.readouterr().err)

# SPDX-License-Identifier: Apache-2.0
"""What ``org genesis`` does on a founder's machine, with a coordinator that may say anything."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.cli.org import founding_desk
from quorumseal.client.values import FoundingRecord
from quorumseal.signatures import Envelope, JointEnvelope, write_key_file
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from signer_agent.settings import settings_text
from tests.cli.published import flat, said
from tests.signer_agent.test_first_policy import ACME, OTHER, PEOPLE, compiled, offered, with_signer

PASSPHRASE = b"correct horse"
DIGEST = digest_of(write_policy(compiled()))


@dataclass
class Coordinator:
    """Offers whatever it is told to; what it is handed is on record."""

    record: FoundingRecord = field(default_factory=lambda: offered(compiled()))
    handed: list[bytes] = field(default_factory=list)
    loses: bool = False

    def __call__(self, *_: Any, **__: Any) -> "Coordinator":
        return self

    def __enter__(self) -> "Coordinator":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def founding(self) -> FoundingRecord:
        return self.record

    def sign_founding(self, envelope: bytes) -> FoundingRecord:
        self.handed.append(envelope)
        if self.loses:
            raise KeyboardInterrupt
        signed = tuple(sorted({*self.record.signed, "alice"}))
        missing = tuple(name for name in self.record.missing if name != "alice")
        self.record = replace(self.record, signed=signed, missing=missing)
        return self.record


@pytest.fixture
def coordinator(monkeypatch: pytest.MonkeyPatch) -> Coordinator:
    made = Coordinator()
    monkeypatch.setattr(founding_desk, "Connection", made)
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What ``agent enroll`` leaves."""
    home = tmp_path / "alice"
    home.mkdir()
    alice = PEOPLE["alice"]
    key = alice.key
    files = {
        "agent.toml": settings_text(
            name="alice", coordinator="192.0.2.10:7443", passphrase_file="passphrase"
        ).encode(),
        "enrolment.json": alice.bytes,
        "invitation.json": write({"format": 0, "log": ACME.origin}),
        "passphrase": PASSPHRASE + b"\n",
        "signing.key.pem": write_key_file(key, PASSPHRASE),  # type: ignore[arg-type] # it is one in memory
    }
    for name, data in files.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)
    return home


def genesis(home: Path, *words: str) -> int:
    return main(["org", "genesis", "--home", str(home), *words])


def test_a_founder_signs_the_digest_that_was_agreed_on(
    coordinator: Coordinator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert genesis(home, "--yes", "--policy", DIGEST) == 0
    (handed,) = coordinator.handed
    assert Envelope.read(handed).verify(PEOPLE["alice"].key.public) == write_policy(compiled())
    shown = capsys.readouterr().out
    assert DIGEST in flat(shown).replace(" ", "")
    assert "✓ you have signed the first policy; not yet: carol" in shown
    assert not (home / "trust.json").exists()


def test_nothing_is_signed_twice(coordinator: Coordinator, home: Path) -> None:
    assert genesis(home, "--yes", "--policy", DIGEST) == 0
    assert genesis(home) == 0
    assert len(coordinator.handed) == 1


def test_a_signature_whose_answer_was_lost_is_handed_in_again_without_the_key(
    coordinator: Coordinator, home: Path
) -> None:
    coordinator.loses = True
    assert genesis(home, "--yes", "--policy", DIGEST) == 130
    (home / "signing.key.pem").unlink()
    coordinator.loses = False
    assert genesis(home) == 0
    assert coordinator.handed[0] == coordinator.handed[1]


def longer(policy: Policy) -> Policy:
    return replace(policy, products={**policy.products, "gizmo": policy.products["widget"]})


def test_a_payload_that_changed_after_it_was_signed_is_refused(
    coordinator: Coordinator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert genesis(home, "--yes", "--policy", DIGEST) == 0
    coordinator.record = offered(longer(compiled()))
    capsys.readouterr()
    assert genesis(home, "--yes", "--policy", digest_of(coordinator.record.payload)) != 0
    refused = flat(capsys.readouterr().err)
    assert "[founding.other_policy]" in refused
    assert "as this home signed it" in refused
    assert len(coordinator.handed) == 1


@pytest.mark.parametrize(
    ("case", "change", "words", "code"),
    [
        ("another key of mine", with_signer("alice", key=OTHER), [], "founding.other_policy"),
        ("another key of bob", with_signer("bob", key=OTHER), [], "founding.other_policy"),
        ("another digest", longer, ["--policy", DIGEST, "--yes"], "founding.other_policy"),
        ("yes to nothing", lambda policy: policy, ["--yes"], "usage.not_confirmed"),
        ("nobody to ask", lambda policy: policy, [], "usage.not_confirmed"),
    ],
)
def test_what_is_not_confirmed_is_not_signed(
    coordinator: Coordinator,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    case: str,
    change: Callable[[Policy], Policy],
    words: list[str],
    code: str,
) -> None:
    coordinator.record = offered(change(compiled()))
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    assert genesis(home, *words) != 0, case
    assert f"[{code}]" in flat(capsys.readouterr().err)
    assert not coordinator.handed
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before
    assert not (home / "state" / "first-policy.json").exists()


def test_another_key_file_signs_nothing(
    coordinator: Coordinator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_key_file(PEOPLE["bob"].key, PASSPHRASE)  # type: ignore[arg-type] # it is one in memory
    (home / "signing.key.pem").write_bytes(other)
    assert genesis(home, "--yes", "--policy", DIGEST) != 0
    assert "[key.not_in_roster]" in flat(capsys.readouterr().err)
    assert not coordinator.handed


def test_before_everybody_has_joined_there_is_nothing_to_sign(
    coordinator: Coordinator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coordinator.record = replace(coordinator.record, payload=b"", unenrolled=("bob", "carol"))
    assert genesis(home, "--json") == 8
    assert said(capsys.readouterr().out)["unenrolled"] == ["bob", "carol"]
    assert genesis(home, "--wait", "1s") == 8
    assert "waiting for bob, carol to join" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("case", "signers", "policy"),
    [
        ("too few signed", ["alice"], compiled()),
        ("they signed another policy", ["alice", "bob", "carol"], longer(compiled())),
    ],
)
def test_what_is_not_founded_makes_no_trust_file(
    coordinator: Coordinator,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    case: str,
    signers: list[str],
    policy: Policy,
) -> None:
    joint = JointEnvelope.of(sign(write_policy(policy), PEOPLE[name].key) for name in signers)
    founded = replace(
        coordinator.record, founded=True, signed=tuple(signers), missing=(), policy=write(joint.to_json())
    )
    coordinator.record = founded
    assert genesis(home, "--yes", "--policy", DIGEST) != 0, case
    assert "✗" in capsys.readouterr().err
    assert not (home / "trust.json").exists()


def test_a_home_that_nobody_enrolled_has_nothing_to_found(
    coordinator: Coordinator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "enrolment.json").unlink()
    assert genesis(home) != 0
    assert "[usage.home]" in flat(capsys.readouterr().err)
    assert not coordinator.handed

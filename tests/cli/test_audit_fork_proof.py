# SPDX-License-Identifier: Apache-2.0
"""``audit fork-proof``: what two signed checkpoints prove to somebody who trusts neither side."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from quorumseal.ceremony.policy import LogKey
from quorumseal.cli.audit import fork_proof as audit_fork_proof
from quorumseal.cli.main import main
from quorumseal.tlog import Checkpoint, fork_proof, hash_text, sign_checkpoint
from tests.cli.published import Published, flat, publish, said
from tests.organisation import key_of
from tests.simulated_coordinator import SimulatedCoordinator

Capture = pytest.CaptureFixture[str]


class Court:
    """What an auditor has: a bundle, a trust file, and a file that somebody gave them."""

    def __init__(self, folder: Path) -> None:
        self.published: Published = publish(folder)
        self.file = folder / "fork-proof-1.json"
        self.acme = self.published.organisation
        self.coordinator = SimulatedCoordinator(self.acme)
        for number in range(1, 5):
            self.coordinator.open(self.acme.request(number=number, version=f"{number}.0"))

    def note(self, size: int, root: bytes = bytes(32), key: str = "") -> bytes:
        signer = key_of(key) if key else self.acme.log_key
        return sign_checkpoint(Checkpoint(self.acme.origin, size, root), signer, self.acme.origin)

    def write(self, first: bytes, second: bytes) -> None:
        keys = [key.key for key in self.acme.policy.policy.log.keys]
        self.file.write_bytes(fork_proof(first, second, self.acme.origin, keys).write())

    def judge(self, *words: str) -> int:
        return main(["audit", "fork-proof", str(self.file), *self.published.verifying, *words])


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court(tmp_path)


def test_one_size_with_two_roots_convicts_the_log_by_its_public_key_alone(
    court: Court, capsys: Capture
) -> None:
    court.write(court.coordinator.log.checkpoint(3), court.note(3))
    assert court.judge() == 0
    assert capsys.readouterr().out.startswith(f"✓ it convicts the log {court.acme.origin}")
    assert court.judge("--json") == 0
    answer = said(capsys.readouterr().out)
    assert (answer["convicts"], answer["sizes"], answer["proof_given"]) == (True, [3, 3], False)


def test_two_sizes_accuse_and_say_how_to_go_on(court: Court, capsys: Capture) -> None:
    court.write(court.coordinator.log.checkpoint(5), court.note(3))
    assert court.judge() == 12
    out = capsys.readouterr().out
    assert out.startswith("! it accuses the log")
    assert "none was given" in out
    assert "--ask" in out.splitlines()[-1]


@contextmanager
def at_work(connection: object) -> Iterator[SimpleNamespace]:
    yield SimpleNamespace(connection=connection)


def test_an_honest_log_answers_an_accusation(
    court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = court.coordinator.log
    connection = court.coordinator.connection("olga")
    monkeypatch.setattr(audit_fork_proof, "open_desk", lambda _: at_work(connection))
    court.write(log.checkpoint(5), log.checkpoint(3))
    assert court.judge("--ask") == 14
    assert "[log.not_a_fork]" in flat(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("sizes", "said_of_it"),
    [((3, 5), "one that does not lead there"), ((3, 50), "it gave none"), ((3, 3), "")],
)
def test_a_forked_log_cannot_answer(
    court: Court,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    sizes: tuple[int, int],
    said_of_it: str,
) -> None:
    connection = court.coordinator.connection("olga")
    monkeypatch.setattr(audit_fork_proof, "open_desk", lambda _: at_work(connection))
    court.write(court.coordinator.log.checkpoint(sizes[0]), court.note(sizes[1]))
    assert court.judge("--ask") == (12 if said_of_it else 0)
    assert said_of_it in flat(capsys.readouterr().out)


def test_what_the_log_did_not_sign_proves_nothing(court: Court, capsys: Capture) -> None:
    court.write(court.coordinator.log.checkpoint(3), court.note(3))
    whole = court.file.read_bytes()
    court.file.write_bytes(whole.replace(b'"format":0', b'"format":0,"more":1'))
    assert court.judge() == 14
    assert "[log.fork_proof_malformed]" in capsys.readouterr().err
    forged = court.note(3, key="a thief")
    court.file.write_bytes(whole.replace(b64encode(court.note(3)), b64encode(forged)))
    assert court.judge() == 14
    assert "[log.note_signature]" in flat(capsys.readouterr().err)


def test_a_key_that_the_log_had_for_other_sizes_does_not_convict(
    court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, root = court.acme.policy.policy.log, hash_text(court.coordinator.log.roots[3])
    rotated = LogKey(key=key_of("the next key").public, from_size=3, from_root=root)
    monkeypatch.setattr(audit_fork_proof, "_log", lambda _: replace(log, keys=(*log.keys, rotated)))
    court.write(court.coordinator.log.checkpoint(4), court.note(4))
    assert court.judge() == 12
    assert "a key signed that the log had for other sizes" in capsys.readouterr().out

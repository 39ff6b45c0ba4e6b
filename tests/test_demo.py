# SPDX-License-Identifier: Apache-2.0
"""The demo: what it promises is what it does, and it leaves nothing behind.  One test runs it whole."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.attempts import Fraud, summary
from demo.interrupts import Interrupts
from demo.stage import Stage
from demo.telling import Ran, Telling
from quorumseal.terminal import Look

ROOT = Path(__file__).parent.parent
PATIENCE = 240
FRAUDS = {
    "a changed byte": ["artifact.other_bytes"],
    "one approval short": ["bundle.missing", "quorum.short", "chain.outcome"],
    "one person signing with two keys": ["decision.replaces", "quorum.short", "chain.outcome"],
    "the requester approving": ["decision.requester", "decision.requester", "decision.requester"],
    "an approval from another ceremony": ["statement.signature", "statement.ceremony"],
    "an approval after the deadline": [
        "ceremony.ended",
        "ceremony.unapproved",
        "decision.signed_after_deadline",
    ],
    "a rejection cut out of a bundle": ["chain.broken", "log.consistency_proof"],
}


def environment(scratch: Path) -> dict[str, str]:
    return {"TMPDIR": str(scratch), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


@pytest.mark.timeout(300)  # a few dozen programs, and other tests beside them
def test_the_demo_tells_a_release_and_every_fraud_is_refused_for_its_own_reasons(tmp_path: Path) -> None:
    demo = [sys.executable, "-m", "demo"]
    keep = subprocess.Popen(
        [*demo, "--keep"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told, _ = keep.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        keep.terminate()  # it stops what it started
        told, _ = keep.communicate()
    assert keep.returncode == 0, told[-3000:]
    (folder,) = tmp_path.iterdir()
    try:
        assert_told(told)
        why = ["quorumseal", "why", "widget@1.1", "--home", "acme/people/mallory"]
        assert shlex.join(why) in told
        program = str(Path(sys.executable).parent / why[0])
        after = subprocess.run([program, *why[1:]], cwd=folder, capture_output=True, text=True, check=False)
        assert "engineering needs one more: bob" in after.stdout, after.stderr
    finally:
        stopped = subprocess.run(
            [*demo, "--stop", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert not programs_of(folder)
    assert [*tmp_path.iterdir()] == []


def assert_told(text: str) -> None:
    lines = text.splitlines()
    assert lines[0].startswith("One release, ")
    assert lines[-1].startswith(str(ROOT / "scripts" / "demo") + " --stop ")
    assert "\x1b" not in text
    assert "belongs to widget 1.0, which its quorum approved" in text
    assert "Signature Verified Successfully" in text
    for fraud, codes in FRAUDS.items():
        (row,) = [line for line in lines if line.startswith("✓ refused") and fraud in line]
        assert row.split()[-1] == codes[-1]
        begin = next(at for at, line in enumerate(lines) if re.match(rf"6\.\d {fraud}$", line, re.IGNORECASE))
        end = next(at for at, line in enumerate(lines) if at > begin and re.match(r"6\.\d |✓", line))
        assert re.findall(r"\[([a-z_]+\.[a-z_]+)\]", "\n".join(lines[begin:end])) == codes


def test_an_interrupted_demo_stops_what_it_started_and_removes_its_directory(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    with demo:
        assert demo.stdout is not None
        begun = any("listens on" in line for line in demo.stdout)
        running = programs_of(tmp_path)
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
    assert begun
    assert any(" coordinator run " in line for line in running)
    assert demo.returncode == 130
    assert "interrupted; everything that was started is stopped" in rest
    assert not programs_of(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("ran", "met"),
    [
        (Ran(0, ("✓ fine",)), "no refusal"),
        (Ran(5, ("✗ too few [quorum.other]",)), "quorum.other"),
        (Ran(1, ("✗ too few [quorum.short]",)), "quorum.short with exit code 1"),
        (Ran(1, ("Traceback",)), "exit code 1"),
    ],
)
def test_what_is_not_refused_as_it_must_be_is_said(tmp_path: Path, ran: Ran, met: str) -> None:
    fraud = Fraud("one approval short", StagedAnswer(tmp_path, ran))
    fraud.by_command("quorum.short", "verify")
    assert not fraud.failed_as_it_must
    assert summary([fraud], Look(width=200))[0].endswith(f"expected the refusal quorum.short, got {met}")


def test_what_was_never_tried_was_not_refused(tmp_path: Path) -> None:
    assert not Fraud("one approval short", StagedAnswer(tmp_path, Ran(5, ()))).failed_as_it_must


class StagedAnswer(Stage):
    """A stage on which every command says the same."""

    def __init__(self, folder: Path, ran: Ran) -> None:
        super().__init__(folder, Telling(io.StringIO(), {}), Interrupts())
        self._ran = ran

    def quorumseal(self, *_: str, **__: object) -> Ran:
        return self._ran


def programs_of(folder: Path) -> list[str]:
    listed = subprocess.check_output(["ps", "-eww", "-o", "command="], text=True).splitlines()
    return [line for line in listed if f"{folder}/" in line and "/quorumseal " in line]

# SPDX-License-Identifier: Apache-2.0
"""The manual of founding is carried out, by its own commands: from nothing to a verified bundle."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.founders.machines import network_can_be_made
from scripts.founders.manual import MANUAL, Step, steps
from scripts.founders.story import ADDRESSES

ROOT = Path(__file__).parent.parent
PATIENCE = 240  # some 15 s where nothing else is at work


def carry_out(scratch: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"TMPDIR": str(scratch), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    program = [sys.executable, "-m", "scripts.founders", *words]
    return subprocess.run(
        program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.timeout(PATIENCE + 10)
def test_three_founders_on_their_own_machines_found_release_and_verify(tmp_path: Path) -> None:
    ran = carry_out(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    last = ran.stdout.splitlines()[-1]
    assert last.startswith("✓ founded by three")
    assert ("NO NETWORK NAMESPACES" in ran.stdout) is not network_can_be_made()
    assert "alice: ✓ alice has joined acme: your home is /" in " ".join(ran.stdout.split())
    for step in steps(MANUAL.read_text()):
        assert f"{step.machine}$ {step.command}" in ran.stdout
    assert not any(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.timeout(PATIENCE + 10)
@pytest.mark.skipif(not os.environ.get("QUORUMSEAL_DEEP"), reason="QUORUMSEAL_DEEP runs the rare variants")
def test_one_machine_is_enough_and_is_said_loudly(tmp_path: Path) -> None:
    ran = carry_out(tmp_path, "--one-machine")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("!! NO NETWORK NAMESPACES")
    assert not any(tmp_path.iterdir())


def test_every_command_of_the_manual_is_on_a_machine() -> None:
    text = MANUAL.read_text()
    shown = [line for line in text.splitlines() if line.startswith("$ ")]
    listed = steps(text)
    assert len(listed) == len(shown)
    assert {step.machine for step in listed} == set(ADDRESSES)


def test_what_only_the_day_itself_says_is_put_in() -> None:
    command = f"quorumseal agent enroll 192.0.2.10:7445 --fingerprint sha256:{'5' * 64}"
    step = Step(machine="alice", command=command)
    words = step.words(digest="sha256:" + "a" * 64, renamed={"192.0.2.10": "127.1.2.1"})
    assert words[3:] == ["127.1.2.1:7445", "--fingerprint", "sha256:" + "a" * 64]

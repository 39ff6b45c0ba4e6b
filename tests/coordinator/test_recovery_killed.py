# SPDX-License-Identifier: Apache-2.0
"""``coordinator recover`` is killed in the middle, and run again: everything comes back, or nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.errors import NothingLostError
from tests.coordinator.test_recovering import Lost
from tests.coordinator.workshop import Workshop
from tests.running_coordinator import Site

# The command itself; where it is to be killed it says so, and goes no further.
COMMAND = """
import importlib, sys, time
from datetime import datetime
from coordinator import recovery_commands
from quorumseal.cli.main import main

module, name, at, settings = sys.argv[1:]

class Then(datetime):
    @classmethod
    def now(cls, zone):
        return datetime.fromisoformat(at)

def stop(*_):
    print("here", flush=True)
    time.sleep(600)

if module == "coordinator.anchor":
    from coordinator.anchor import Anchor
    setattr(Anchor, name, stop)
elif module:
    setattr(importlib.import_module(module), name, stop)
recovery_commands.datetime = Then
sys.exit(main(["coordinator", "recover", "--settings", settings]))
"""
APPENDING = "coordinator.storage.appending"


def recover(settings: Path, at: str, module: str = "", name: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, module, name, at, str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("module", "name", "written"),
    [
        (APPENDING, "_write_log", False),
        (APPENDING, "_write_ceremonies", False),
        ("coordinator.anchor", "write", True),
    ],
    ids=["before the entries", "after the entries", "after the commit"],
)
def test_a_recovery_that_is_killed_is_whole_when_it_is_run_again(
    workshop: Workshop, tmp_path: Path, module: str, name: str, written: bool
) -> None:
    lost, folder = Lost(workshop, left=3), tmp_path / "site"
    folder.mkdir()
    lost.hand_back("alice", lost.held())
    anchor = folder / "log.anchor"
    anchor.write_bytes(lost.note)
    site = Site(folder, workshop.organisation, workshop.database, more=f'[log]\nanchor = "{anchor}"\n')
    settings, at = site.settings, lost.workshop.time.now.isoformat()
    with recover(settings, at, module, name) as killed:
        assert killed.stdout is not None
        said = killed.stdout.readline()
        assert said == "here\n", said + killed.stdout.read()
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(30) == -signal.SIGKILL
    assert lost.storage.log.size() == (lost.head.size + 1 if written else 3)
    assert len(lost.storage.rewound.shown()) == (0 if written else 1)
    with recover(settings, at) as again:
        said, _ = again.communicate(timeout=60)
        assert again.returncode == (1 if written else 0), said
    assert ("got one of 13 that has all" if written else "9 entries are back") in " ".join(said.split())
    if not written:
        newest = lost.storage.log.checkpoint()
        assert newest is not None
        assert anchor.read_bytes() == newest.note
    lost.check()
    with pytest.raises(NothingLostError):
        lost.recover()
    workshop.desk(anchor=anchor)
    assert anchor.read_bytes() == workshop.desk().reader.newest_checkpoint().note

# SPDX-License-Identifier: Apache-2.0
"""A service manager is told of start and stop; and the real coordinator runs as the units have it run."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.service_manager import READY, STOPPING, notify
from tests.running_coordinator import PATIENCE, Site

_AS_THE_UNIT_SAYS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
libc.prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, from Linux 6.3 on: MemoryDenyWriteExecute=
run = "from quorumseal.cli.main import entry; raise SystemExit(entry())"
os.execv(sys.executable, [sys.executable, "-c", run, *sys.argv[1:]])
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as a service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        yield listening


def test_nobody_is_told_where_nobody_asks() -> None:
    assert not notify(READY, environment={})
    assert not notify(READY, environment={"NOTIFY_SOCKET": "relative"})


def test_the_manager_gets_one_datagram(manager: socket.socket) -> None:
    assert notify(READY, "STATUS=listens", environment={"NOTIFY_SOCKET": manager.getsockname()})
    assert manager.recv(4096) == b"READY=1\nSTATUS=listens"


def test_an_abstract_address_is_one_too() -> None:
    name = f"quorumseal-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(PATIENCE)
        assert notify(STOPPING, environment={"NOTIFY_SOCKET": f"@{name}"})
        assert listening.recv(4096) == STOPPING.encode()


def test_the_coordinator_says_when_it_is_ready_and_when_it_stops_and_makes_no_memory_executable(
    tmp_path: Path, manager: socket.socket
) -> None:
    site = Site(tmp_path)
    site.found()
    command = [
        sys.executable,
        "-c",
        _AS_THE_UNIT_SAYS,
        "coordinator",
        "run",
        "--settings",
        str(site.settings),
    ]
    environment = {**os.environ, "NOTIFY_SOCKET": manager.getsockname()}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as running:
        try:
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=listens on 127.0.0.1:")
            running.send_signal(signal.SIGTERM)
            assert manager.recv(4096) == b"STOPPING=1"
            assert running.wait(PATIENCE) == 0
        finally:
            running.kill()

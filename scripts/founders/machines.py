# SPDX-License-Identifier: Apache-2.0
"""Machines: network namespaces on one bridge, where the kernel lets us make them; else all of this one.

The program runs itself again in a network namespace (and, where it is not root, in a user namespace), makes a
bridge there, and hangs a namespace on it for each machine.  All of them end with their processes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

_INSIDE: Final = "QUORUMSEAL_FOUNDING_INSIDE"
_TOOLS: Final = ("ip", "nsenter", "unshare")
_BRIDGE: Final = "machines"
_PATIENCE: Final = 10


class Machines:
    """Each by its name; a command on one of them is a command with a prefix."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses = addresses
        self._holders: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Make a network for each machine that has an address, and one without any for the others."""
        _run("ip", "link", "add", _BRIDGE, "type", "bridge")
        _run("ip", "link", "set", _BRIDGE, "up")
        try:
            for number, (machine, address) in enumerate(self._addresses.items()):
                self._make(number, machine, address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let all of them go."""
        for holder in self._holders.values():
            holder.kill()
            holder.wait()

    def on(self, machine: str, words: Sequence[str]) -> list[str]:
        """Return a command as it is run on a machine."""
        return ["nsenter", f"--net=/proc/{self._holders[machine].pid}/ns/net", "--", *words]

    def _make(self, number: int, machine: str, address: str) -> None:
        holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        self._holders[machine] = holder
        _until_apart(holder.pid)
        _run(*self.on(machine, ["ip", "link", "set", "lo", "up"]))
        if not address:
            return
        port = f"port{number}"
        _run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        _run("ip", "link", "set", port, "master", _BRIDGE, "up")
        _run(*self.on(machine, ["ip", "addr", "add", f"{address}/24", "dev", "eth0"]))
        _run(*self.on(machine, ["ip", "link", "set", "eth0", "up"]))


class OneMachine:
    """What there is where namespaces cannot be made."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was made."""

    def on(self, machine: str, words: Sequence[str]) -> list[str]:
        """Return the command as it is: every machine is this one."""
        del machine
        return list(words)


def inside() -> bool:
    """Whether this process has a network of its own already."""
    return _INSIDE in os.environ


def network_can_be_made() -> bool:
    """Whether this system lets us make networks of our own."""
    if not sys.platform.startswith("linux") or not all(map(shutil.which, _TOOLS)):
        return False
    probe = "ip link add probe type bridge && unshare --net true"
    return subprocess.run([*_unshare(), "sh", "-c", probe], capture_output=True, check=False).returncode == 0


def go_inside(module: str, words: Sequence[str]) -> None:
    """Run this program again with a network of its own."""
    program = [*_unshare(), sys.executable, "-m", module, *words]
    os.execvpe(program[0], program, {**os.environ, _INSIDE: "1"})


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net"]


def _until_apart(process: int) -> None:
    """Wait until a process has a network of its own."""
    ours = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + _PATIENCE
    while Path(f"/proc/{process}/ns/net").readlink() == ours:
        if time.monotonic() > deadline:
            raise OSError(f"process {process} got no network of its own")
        time.sleep(0.01)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)

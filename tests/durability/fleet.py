# SPDX-License-Identifier: Apache-2.0
"""One or more coordinator processes on one database, each on a port of its own that it keeps for life."""

import random
import subprocess
import sys
import time

from tests.databases import free_port
from tests.running_coordinator import _RUN, HOST, Site, Subprocess

_ATTEMPTS = 10


class Fleet:
    """Coordinators that can be killed and started again; close it at the end."""

    def __init__(self, site: Site, coordinators: int, dice: random.Random) -> None:
        self.site = site
        self.kills = self.kills_while_starting = 0
        self._dice = dice
        self._ports = [free_port() for _ in range(coordinators)]
        site.found()
        self._servers = [self._start(port) for port in self._ports]

    @property
    def addresses(self) -> list[str]:
        """Where they listen."""
        return [f"{HOST}:{port}" for port in self._ports]

    @property
    def processes(self) -> list[int]:
        """Which processes they are."""
        return [server.process.pid for server in self._servers]

    def kill_one(self) -> None:
        """Kill one of them without warning, and start it again, sometimes not at the first attempt."""
        number = self._dice.randrange(len(self._servers))
        self._servers[number].kill()
        self.kills += 1
        self.site.port = self._ports[number]
        while self._dice.random() < 0.1:
            self.kills_while_starting += 1
            self._kill_while_starting(self._dice.random())
        self._servers[number] = self._start(self._ports[number])

    def stop(self) -> None:
        """Stop them as an operator does."""
        for server in self._servers:
            assert server.terminate() == 0, "it stops when it is asked to"

    def close(self) -> None:
        """End whatever still runs."""
        for server in self._servers:
            server.kill()

    def _start(self, port: int) -> Subprocess:
        self.site.port = port
        for attempt in range(_ATTEMPTS):
            try:
                return Subprocess(self.site.settings)
            except RuntimeError:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.2)  # its port is still somebody's
        raise AssertionError

    def _kill_while_starting(self, after: float) -> None:
        command = [sys.executable, "-c", _RUN, "coordinator", "run", "--settings", str(self.site.settings)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            time.sleep(after)
            server.kill()

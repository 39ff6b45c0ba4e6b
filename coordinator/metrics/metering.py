# SPDX-License-Identifier: Apache-2.0
"""The numbers of one coordinator and their port, wired by hand; made only where the settings ask for it."""

from collections.abc import Iterable

from coordinator.metrics.readings import Readings
from coordinator.metrics.registry import Registry
from coordinator.metrics.serving import PATH, MetricsServer


class Metering:
    """Takes note of what happens from the first on.

    ``bind`` takes the port, so that nothing has begun where it is taken; ``start`` answers, until ``close``.
    """

    def __init__(self, listen: str) -> None:
        self._listen = listen
        self._registry = Registry()
        self._server: MetricsServer | None = None
        self.observe = self._registry.observe

    @property
    def port(self) -> int:
        """Where it listens: as the settings say and, once bound, the port that it really has."""
        return int(self._listen.rpartition(":")[2]) if self._server is None else self._server.port

    @property
    def url(self) -> str:
        """What Prometheus is told to read."""
        return f"http://{self._listen.rpartition(':')[0]}:{self.port}{PATH}"

    def bind(self) -> None:
        """Take the port."""
        self._server = MetricsServer(self._listen, self._registry.write)

    def start(self, readings: Readings, *, channels: Iterable[str], roles: Iterable[str]) -> None:
        """Answer."""
        assert self._server is not None  # noqa: S101 - it is bound
        self._registry.read_from(readings.read, channels=channels, roles=roles)
        self._server.start()

    def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()

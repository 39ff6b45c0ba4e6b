# SPDX-License-Identifier: Apache-2.0
"""Where bundles are published: one module for each kind of place."""

from typing import Protocol

from coordinator.destinations.directory import Directory


class Destination(Protocol):
    """A place that takes bundles.  To give it the same bundle twice does nothing the second time."""

    @property
    def name(self) -> str:
        """What the outbox calls it; the same in every run."""

    def publish(self, name: str, data: bytes) -> str:
        """Make ``data`` readable under a file name, read it back, say where it is; or raise."""

    def renew(self, name: str, data: bytes) -> str:
        """Put ``data`` in the place of what was readable under a file name; or raise."""


__all__ = ["Destination", "Directory"]

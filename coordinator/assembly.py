# SPDX-License-Identifier: Apache-2.0
"""The coordinator without a face: storage, writer, deadlines, publishing and use cases, wired by hand."""

from collections.abc import Sequence
from pathlib import Path

from coordinator.use_cases import UseCases
from quorumseal.signatures import PrivateKey


class Coordinator:
    """Everything that runs behind the API.  Build it, ``start`` it, serve ``use_cases``, ``close`` it."""

    use_cases: UseCases

    def __init__(
        self,
        database: str,
        log_key: PrivateKey,
        *,
        publish_to: Sequence[Path] = (),
        queue_limit: int = 4096,
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the writer, the deadlines, the publishing and the fan-out."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more commands, finish those that were taken, and stop; safe to call twice."""
        raise NotImplementedError

# SPDX-License-Identifier: Apache-2.0
"""Rehearse a recovery on a copy: of a rewound log with what was handed back, or of a backup as if restored.

The copy's last checkpoint, which the log itself never signs, is signed with a throw-away key.
"""

import os
from datetime import datetime
from pathlib import Path

from coordinator.errors import RehearsalError
from coordinator.log_keys import LogKeys
from coordinator.rebuilding import rebuild_in
from coordinator.recovering import Recovered, recover_log
from coordinator.rehearsing import copy_database
from coordinator.storage import HandedRow, ShownRow, Storage
from quorumseal.ceremony.policy import Log
from quorumseal.signatures import PrivateKey, Scheme, generate_key

IN_PLACE_OF_AGENTS = "this-log"
_PAGE = 1024


class ThrowAwayKeys(LogKeys):
    """Signs anything with a key that nobody has seen, nor will."""

    def __init__(self) -> None:
        self._key = generate_key(Scheme.ED25519, os.urandom)
        super().__init__(self._key)

    def at(self, _: Log, __: int) -> PrivateKey:
        """Return the key."""
        return self._key


def rehearse(database: str, backup: Path | None, folder: Path, *, at: datetime) -> Recovered:
    """Recover on a copy, replay the whole of it, and compare it with the log."""
    if backup is None:
        copied = copy_database(database, folder)
    else:
        copied = copy_database(f"sqlite:///{backup.resolve()}", folder)
    copy = Storage(copied)
    try:
        if backup is not None:
            live = Storage(copy_database(database, _made(folder / "live")))
            try:
                _hand_over(live, copy)
                recovered = _recover(copy, at, certain=live.log.size())
                _compare(live, copy, recovered.recovery.after.size)
            finally:
                live.close()
        else:
            recovered = _recover(copy, at)
        rebuilt = rebuild_in(copy)
    finally:
        copy.close()
    if rebuilt.differing:
        raise RehearsalError(
            f"expected lists that say what the recovered log says, got others for "
            f"{', '.join(rebuilt.differing)}",
            hint="keep the backup, and report this",
        )
    return recovered


def _recover(copy: Storage, at: datetime, *, certain: int = 0) -> Recovered:
    return recover_log(copy, ThrowAwayKeys(), at=at, certain=certain, without_unheard=True)


def _hand_over(live: Storage, copy: Storage) -> None:
    """Let the log itself hand back what a backup of it has not."""
    newest, size = live.log.checkpoint(), copy.log.size()
    if newest is None or newest.size <= size or live.log.root_at(size) != copy.log.root_at(size):
        raise RehearsalError(
            f"expected a backup of an earlier state of this log, got one of {size} entries",
            hint="name a backup of this very log; when nothing was written since, there is nothing to bring",
        )
    copy.rewound.show(ShownRow(newest.size, newest.root, newest.note, IN_PLACE_OF_AGENTS))
    texts = [text for row in live.ceremonies.all() for text in live.ceremonies.annexes(row.ceremony)]
    for start in range(size, newest.size, _PAGE):
        rows = live.log.entries(start, min(start + _PAGE, newest.size))
        handed = [HandedRow(row.index, IN_PLACE_OF_AGENTS, row.payload) for row in rows]
        copy.rewound.hand_back(handed, [], signer=IN_PLACE_OF_AGENTS)
    copy.rewound.hand_back([], texts, signer=IN_PLACE_OF_AGENTS)


def _compare(live: Storage, copy: Storage, size: int) -> None:
    for start in range(0, size, _PAGE):
        end = min(start + _PAGE, size)
        if live.log.entries(start, end) != copy.log.entries(start, end):
            raise RehearsalError(f"expected the same entries {start} to {end - 1}, got others")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

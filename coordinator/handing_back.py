# SPDX-License-Identifier: Apache-2.0
"""What agents hand back of a log that has lost its end: kept beside it, and believed by nobody yet."""

from collections.abc import Callable, Collection
from datetime import datetime

from coordinator.errors import HandedBackError
from coordinator.high_water import HighWater
from coordinator.intake import check_annexes
from coordinator.storage import HANDED_TEXT_BYTES, AnnexRow, HandedRow, HeardRow, Storage
from coordinator.values import Annex, HandedBack
from quorumseal.ceremony.entries import read_entry

MOST_BYTES = 256 << 20
"""Of one signer: what their agent could have kept."""


class HandingBack:
    """Takes what lies between the end of the log and the largest checkpoint known, and nothing else."""

    def __init__(self, storage: Storage, high_water: HighWater, *, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._high_water = high_water
        self._now = now

    def take(
        self,
        note: bytes,
        entries: Collection[tuple[int, bytes]],
        texts: Collection[tuple[str, Annex]],
        *,
        signer: str,
    ) -> HandedBack:
        """Keep what one agent hands back; say what is asked for."""
        seen = 0
        if note:
            checkpoint = self._high_water.show(note, by=f"the agent of {signer}")
            if checkpoint is None:
                raise HandedBackError(
                    "expected a checkpoint that this coordinator's log signed, got another",
                    hint="see that the agent belongs to this organisation",
                )
            seen = checkpoint.size
        shown, size = self._storage.rewound.shown(), self._storage.log.size()
        if not shown:
            return HandedBack(rewound=False, start=size, end=size)
        end = max(shown[0].size, size)
        self._storage.rewound.hear(HeardRow(signer, seen, self._now()))
        rows = [HandedRow(index, signer, payload) for index, payload in entries if size <= index < end]
        self._check(rows, texts, signer)
        self._storage.rewound.hand_back(
            rows,
            [
                AnnexRow(ceremony=ceremony, commitment=annex.commitment, salt=annex.salt, text=annex.text)
                for ceremony, annex in texts
            ],
            signer=signer,
        )
        return HandedBack(rewound=True, start=size, end=end)

    def _check(self, rows: Collection[HandedRow], texts: Collection[tuple[str, Annex]], signer: str) -> None:
        for row in rows:
            read_entry(row.payload)
        for _, annex in texts:
            check_annexes(frozenset({annex.commitment}), [annex])
        more = sum(len(row.payload) for row in rows)
        more += sum(len(annex.text) + HANDED_TEXT_BYTES for _, annex in texts)
        if more and self._storage.rewound.bytes_of(signer) + more > MOST_BYTES:
            raise HandedBackError(
                f"expected at most {MOST_BYTES} bytes of {signer}, got more",
                hint="an agent keeps fewer: see what this one sends",
            )

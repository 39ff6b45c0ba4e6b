# SPDX-License-Identifier: Apache-2.0
"""How fast an auditor makes all decisions again, beside bare verification of the same signatures."""

import time
from pathlib import Path
from statistics import median

from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import LogCopy
from quorumseal.ceremony.entries import read_entry
from quorumseal.signatures import Envelope, PublicKey
from scripts.benchmarking.figures import Figures, spread
from tests.audit.histories import TRUST, written
from tests.losing import LOSING

ENTRIES = 4_000
ROUNDS = 5


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Replay a log, and verify its signatures alone, by turns."""
    copy = written(folder, entries=max(ENTRIES // scale, 200))
    signed = _signed(copy)
    replays, bare = list[float](), list[float]()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        populate(copy, TRUST)
        replays.append(len(copy.entries) / (time.perf_counter() - began))
        began = time.perf_counter()
        for envelope, key in signed:
            envelope.verify(key)
        bare.append(len(signed) / (time.perf_counter() - began))
    per_entry = [len(copy.entries) / rate for rate in replays]
    per_signatures = [len(signed) / rate for rate in bare]
    figures.add("replayed_entries_per_second", median(replays), spread(replays, "entries a second"))
    figures.add("bare_signatures_per_second", median(bare), spread(bare, "signatures a second"))
    ratio = median(took / alone for took, alone in zip(per_entry, per_signatures, strict=True))
    note = f"{len(copy.entries)} entries, {len(signed)} signatures: all of it over the signatures alone"
    figures.add("replay_over_bare_verification", ratio, note)


def _signed(copy: LogCopy) -> list[tuple[Envelope, PublicKey]]:
    """Return every signed statement of a log, with the key that made it."""
    keys = {
        key.key.key_id: key.key for signer in LOSING.policy.policy.signers.values() for key in signer.keys
    }
    entries = (read_entry(payload) for payload in copy.entries[1:])
    envelopes = [entry.envelope for entry in entries if entry.signed]
    return [(envelope, keys[envelope.key_id]) for envelope in envelopes]

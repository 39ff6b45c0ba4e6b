# SPDX-License-Identifier: Apache-2.0
"""What the anchor costs a batch: the same decisions with it and without, turn by turn, on one disk."""

import argparse
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from coordinator.anchor import Anchor
from coordinator.clock import LogClock
from coordinator.commands import Start
from coordinator.founding import found
from coordinator.high_water import HighWater
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.storage import Storage
from coordinator.writer import Writer
from tests.organisation import NOW, Organisation

ACME = Organisation()


class Pen:
    """A writer on a database of its own."""

    def __init__(self, folder: Path, *, anchored: bool) -> None:
        database = f"sqlite:///{folder / 'log.sqlite'}"
        found(database, ACME.log_key, ACME.policy, at=NOW)
        self._storage = Storage(database)
        policies, keys = Policies(self._storage), LogKeys(ACME.log_key)
        anchor = Anchor(folder / "anchor") if anchored else None
        high_water = HighWater(self._storage, keys, lambda: policies.newest.policy.log, anchor=anchor)
        self._writer = Writer(
            self._storage,
            keys,
            clock=LogClock(now=lambda: NOW, elapsed=lambda: 0.0),
            live=Live(self._storage),
            policies=policies,
            high_water=high_water,
        )
        self._writer.start()
        self._number = 0

    def batch(self, size: int) -> float:
        """Write one batch; return how many seconds that took."""
        starts = [self._start() for _ in range(size)]
        began = time.perf_counter()
        answers = [self._writer.submit(start) for start in starts]
        for answer in answers:
            answer.result()
        return time.perf_counter() - began

    def close(self) -> None:
        """Stop."""
        self._writer.close()
        self._storage.close()

    def _start(self) -> Start:
        self._number += 1
        request = ACME.request(number=self._number, version=f"1.{self._number}")
        return Start(policy=ACME.policy, request=ACME.sign_request(request))


def main() -> None:
    """Print the medians, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.folder) as name:
        folders = Path(name) / "without", Path(name) / "with"
        for folder in folders:
            folder.mkdir()
        without, anchored = Pen(folders[0], anchored=False), Pen(folders[1], anchored=True)
        for size in (1, 16, 64):
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(arguments.batches if size == 1 else arguments.batches // 8):
                times[0].append(without.batch(size))
                times[1].append(anchored.batch(size))
            plain, dear = (median(each) * 1000 for each in times)
            print(f"batch of {size}: {plain:.2f} ms, with the anchor {dear:.2f} ms: {dear / plain:.2f}")
        without.close()
        anchored.close()


if __name__ == "__main__":
    main()

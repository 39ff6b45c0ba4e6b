# SPDX-License-Identifier: Apache-2.0
"""``kill -9`` at any instant loses nothing that was acknowledged."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from coordinator.rebuilding import rebuild
from coordinator.storage import Storage
from tests.coordinator.workshop import Workshop

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import sys
from pathlib import Path
from tests.coordinator.workshop import Workshop
from tests.organisation import Organisation

workshop = Workshop(sys.argv[1], Organisation(), Path(sys.argv[2]))
desk, first = workshop.desk(), int(sys.argv[3])
for number in range(first, first + 1000):
    starts = [workshop.start(workshop.organisation.request(number=number, version=f"1.{number}"))]
    desk.written(starts[0])
    answers = [desk.writer.submit(workshop.decide(s, starts[0])) for s in ("alice", "erin", "carol", "rita")]
    for answer in answers:
        receipt = answer.result().receipt
        print(receipt.index, receipt.entry.hex(), flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(
    workshop: Workshop, tmp_path: Path, count: Callable[..., int]
) -> None:
    acknowledged: dict[int, bytes] = {}
    for round_ in range(count(3, deep=100)):
        _run_and_kill(workshop.database, tmp_path, 1 + round_ * 1000, 7 + 5 * round_, acknowledged)
    assert acknowledged
    storage = Storage(workshop.database)
    stored = {row.index: row.payload for row in storage.log.entries(0, storage.log.size())}
    storage.close()
    assert {index: stored[index] for index in acknowledged} == acknowledged
    assert rebuild(workshop.database).differing == ()


def _run_and_kill(
    database: str, directory: Path, first: int, receipts: int, acknowledged: dict[int, bytes]
) -> None:
    """Collect what a program acknowledges, and kill it in the middle of its work."""
    program = [sys.executable, "-c", _PROGRAM, database, str(directory), str(first)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            index, entry = line.split()
            acknowledged[int(index)] = bytes.fromhex(entry)
            if len(acknowledged) % receipts == 0:
                process.send_signal(signal.SIGKILL)
                break
        for line in process.stdout.read().splitlines():
            if line.count(" ") == 1 and line.endswith("7d"):
                index, entry = line.split()
                acknowledged[int(index)] = bytes.fromhex(entry)
    assert process.returncode == -signal.SIGKILL

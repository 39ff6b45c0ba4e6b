# SPDX-License-Identifier: Apache-2.0
"""``quorumseal verify`` as a whole process: of 1 KB, and of 1 GB over ``sha256sum`` of the same file."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from quorumseal.ceremony.statements import Subject
from quorumseal.verifier.trust import write_trust
from scripts.benchmarking.figures import Figures, spread
from tests.organisation import Organisation
from tests.simulated_log import SimulatedLog

SMALL_RUNS, LARGE_RUNS = 25, 3
LARGE_BYTES = 1 << 30
_CHUNK = 1 << 20
_QUORUMSEAL = Path(sys.executable).parent / "quorumseal"


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Make a bundle for each file, then time the commands by turns."""
    small, large = folder / "small.bin", folder / "large.bin"
    small.write_bytes(os.urandom(1024))
    with large.open("wb") as file:
        for _ in range(LARGE_BYTES // scale // _CHUNK):
            file.write(os.urandom(_CHUNK))
    for artifact in (small, large):
        _publish(artifact)
    verify_small = _command(small)
    _seconds(verify_small)
    times = [_seconds(verify_small) * 1000 for _ in range(max(5, SMALL_RUNS // scale))]
    bare = [_seconds([sys.executable, "-c", "pass"]) * 1000 for _ in range(5)]
    figures.add("verify_small_ms", median(times), f"{spread(times, 'ms')}; bare python {spread(bare, 'ms')}")
    ratios = []
    for _ in range(LARGE_RUNS):
        hashed = _seconds(["sha256sum", str(large)])
        ratios.append(_seconds(_command(large)) / hashed)
    size = large.stat().st_size >> 20
    rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    figures.add("verify_1gb_over_sha256sum", median(ratios), f"{size} MiB; {rounds}")


def _publish(artifact: Path) -> None:
    digest = (
        "sha256:"
        + subprocess.run(
            ["sha256sum", str(artifact)], check=True, capture_output=True, text=True
        ).stdout.split()[0]
    )
    organisation = Organisation()
    log = SimulatedLog(organisation)
    request = organisation.request(subjects=(Subject(name=artifact.name, digest=digest),))
    _, entries = organisation.run("alice", "bob", "carol", "rita", request=organisation.sign_request(request))
    log.append(entries)
    artifact.with_suffix(".bundle").write_bytes(log.bundle(entries))
    artifact.with_suffix(".trust").write_bytes(write_trust(log.trust))


def _command(artifact: Path) -> list[str]:
    bundle, trust = artifact.with_suffix(".bundle"), artifact.with_suffix(".trust")
    return [str(_QUORUMSEAL), "verify", str(artifact), "--bundle", str(bundle), "--trust", str(trust)]


def _seconds(command: Sequence[str]) -> float:
    """Run a command as users do: with its modules compiled at the first run and kept."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - began

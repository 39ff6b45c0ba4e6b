# SPDX-License-Identifier: Apache-2.0
"""Measure what users wait for, as ratios taken side by side in one run; nothing here asserts a time.

These figures are from whatever machine this runs on, with client and server sharing it.  ``--json FILE``
writes them; ``--only NAME`` runs one part; ``--scale N`` divides the counts, for a quick look.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from scripts.benchmarking import decisions, fanout, growth, history, publication, replaying, verifying
from scripts.benchmarking.figures import Figures

PARTS = {
    "decisions": decisions.measure,
    "publication": publication.measure,
    "fanout": fanout.measure,
    "history": history.measure,
    "growth": growth.measure,
    "replaying": replaying.measure,
    "verifying": verifying.measure,
}


def main() -> int:
    """Run the parts that are asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part (may be repeated)")
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="divide all counts by N")
    arguments = parser.parse_args()
    figures = Figures()
    started = time.monotonic()
    for name in arguments.only or PARTS:
        print(f"\n{name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="quorumseal-bench-") as folder:
            PARTS[name](Path(folder), figures, arguments.scale)
    print(f"\n{len(figures.values)} figures in {time.monotonic() - started:.0f} s")
    for name, value in figures.values.items():
        print(f"  {name:32} {value:>10.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures.values, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Fork a log by many seeds, see honest ones through bad networks by as many, and print what came of them.

python -m scripts.forks [--deep] [--seeds N] [--processes N]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from shutil import rmtree

from tests.forks.forking import forked
from tests.forks.honest import honest
from tests.forks.quickening import quickened

BOUNDED, DEEP = 300, 10_000
_STACK = ExitStack()
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def main(words: list[str]) -> int:
    """Run the seeds; an ``AssertionError`` names the one that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--deep", action="store_true", help=f"{DEEP} seeds instead of {BOUNDED}")
    parser.add_argument("--seeds", type=int, help="how many of each")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--only", choices=["forked", "honest"], help="one of the two alone")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args(words)
    many = arguments.seeds or (DEEP if arguments.deep else BOUNDED)
    seeds = range(arguments.first, arguments.first + many)
    folder = Path(tempfile.mkdtemp(prefix="quorumseal-", dir=_MEMORY if _MEMORY.is_dir() else None))
    begun, found = time.monotonic(), Counter[str]()
    with ProcessPoolExecutor(arguments.processes, initializer=_quicken) as pool:
        for told in pool.map(partial(_one, folder, arguments.only), seeds, chunksize=20):
            found.update(told)
    rmtree(folder)
    for what, number in sorted(found.items()):
        print(f"{number:8,}  {what}")
    print(f"{time.monotonic() - begun:8,.0f}  seconds, {arguments.processes} processes")
    return 0


def _quicken() -> None:
    _STACK.enter_context(quickened())


def _one(folder: Path, only: str | None, seed: int) -> dict[str, int]:
    """Run one seed of each kind; say what came of them."""
    own = folder / str(seed)
    own.mkdir()
    try:
        return {
            **(_forked(own) if only != "honest" else {}),
            **(_honest(own) if only != "forked" else {}),
        }
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    finally:
        rmtree(own)


def _forked(folder: Path) -> dict[str, int]:
    run = forked(folder, int(folder.name))
    rmtree(folder / folder.name)
    conclusive = any(proof.conclusive for proof in run.proofs)
    return {
        "forks": 1,
        f"forks that met by {run.way}": 1,
        f"forks with {run.lie} beside": 1,
        f"forks proved in {run.exchanges} answers": 1,
        f"forks proved by {'one size' if conclusive else 'two sizes'}": 1,
    }


def _honest(folder: Path) -> dict[str, int]:
    course = honest(folder, int(folder.name))
    return {
        "honest logs, of which none was accused": 1,
        "honest exchanges": course.exchanges,
        "honest exchanges without an answer": course.unanswered,
        "honest decisions": course.decided,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

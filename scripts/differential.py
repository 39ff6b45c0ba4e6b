# SPDX-License-Identifier: Apache-2.0
"""Ask product and second verifier about mutants of bundles, and print what they said and where they differ.

python -m scripts.differential [--deep | --mutants 500] [--first 0]
"""

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.differential.comparing import Compared, compare

DEEP = 10_000


def main(words: list[str]) -> int:
    """Compare; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mutants", type=int, default=500, help="how many (default: 500)")
    parser.add_argument("--deep", action="store_true", help=f"{DEEP:,} of them")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args(words)
    count = DEEP if arguments.deep else arguments.mutants
    begun = time.monotonic()
    with Pool(arguments.processes) as pool:
        seeds = range(arguments.first, arguments.first + count)
        found = pool.map(compare, seeds, chunksize=25)
    differences = [each for each in found if not each.agree]
    for each in differences:
        print(f"seed {each.seed}: {each.what}: product {each.product}, second {each.second}")
    print(_figures(found))
    print(f"{count:,} mutants in {time.monotonic() - begun:.0f} s: {len(differences)} differences")
    return 1 if differences else 0


def _figures(found: list[Compared]) -> str:
    outcomes = Counter(each.product.said if each.product.accepted else each.product.exit for each in found)
    both = [each for each in found if not each.product.accepted and not each.second.accepted]
    same = sum(each.product.exit == each.second.exit for each in both)
    said = "\n".join(f"{outcome}\t{count}" for outcome, count in sorted(outcomes.items(), key=str))
    return f"{said}\nrefused by both: {len(both):,}; by the same exit: {same:,}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

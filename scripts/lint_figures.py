# SPDX-License-Identifier: Apache-2.0
"""Say how long `policy lint` looks at a large organisation: python -m scripts.lint_figures.

Everything that lint says: problems, how each quorum stands, which people are enough, one absence.
"""

import sys
from time import perf_counter

from tests.ceremony.test_lint_by_brute_force import calls_of, everything_about, large


def main(words: list[str]) -> int:
    """Print the figure, for so many people and roles."""
    people, roles = (int(word) for word in words) if words else (50, 8)
    policy = large(people, roles)
    seconds = []
    for _ in range(5):
        begun = perf_counter()
        everything_about(policy)
        seconds.append(perf_counter() - begun)
    calls = calls_of(lambda: everything_about(policy))
    print(f"{people} people, {roles} roles: {min(seconds):.3f} s at best, {max(seconds):.3f} s at worst of 5")
    print(f"{calls} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

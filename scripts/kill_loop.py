# SPDX-License-Identifier: Apache-2.0
"""Kill a coordinator under load, many times, and print what it had acknowledged and what is in its log.

python -m scripts.kill_loop --kills 100 [--postgresql postgresql://… [--coordinators 3]]
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from tests.databases import new_database
from tests.durability.kill_loop import run
from tests.organisation import Organisation
from tests.running_coordinator import Site


def main(words: list[str]) -> int:
    """Run the loop; an ``AssertionError`` names what was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=6, help="how often (default: 6)")
    parser.add_argument("--postgresql", metavar="URL", help="a server that may be filled (default: SQLite)")
    parser.add_argument("--coordinators", type=int, default=1, help="on one database (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="quorumseal-"))  # stays for whoever wants to know what was lost
        database = "sqlite:///coordinator.db"
        if arguments.postgresql:
            database = stack.enter_context(new_database(arguments.postgresql))
        site = Site(folder, Organisation(founded=datetime.now(UTC)), database=database)
        print(run(site, mishaps=arguments.kills, seed=arguments.seed, coordinators=arguments.coordinators))
        rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""``scripts/founding``: the manual, carried out."""

import argparse
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.founders.machines import Machines, OneMachine, go_inside, inside, network_can_be_made
from scripts.founders.story import ADDRESSES, Story
from scripts.founders.typing import CommandError

ABOUT = """\
Three founders, a coordinator and a consumer, from nothing to a verified bundle, by the commands of
docs/manuals/founding.md and no others.  Each has a machine of their own: a network namespace, where this
system lets us make one.  Everything happens in a temporary directory, and ends with this program."""


def main(words: list[str]) -> int:
    """Run it, and say how it went."""
    parser = argparse.ArgumentParser(prog="scripts/founding", description=ABOUT)
    parser.add_argument("--one-machine", action="store_true", help="make no network namespaces")
    arguments = parser.parse_args(words)
    if not arguments.one_machine and not inside() and network_can_be_made():
        go_inside("scripts.founders", words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machines, address = _machines()
    folder = Path(tempfile.mkdtemp(prefix="quorumseal-founding-"))
    try:
        with machines:
            took = Story(folder, machines, _tell, address=address).run()
    except (CommandError, OSError, subprocess.CalledProcessError) as error:
        _tell(f"✗ the manual does not lead to its end: {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    where = "each on a machine of their own" if inside() else "all on this machine"
    _tell(f"✓ founded by three, {where}; released and verified, in {took:.0f} s")
    return 0


def _machines() -> tuple[Machines | OneMachine, str]:
    """Return the machines, and where the coordinator is."""
    if inside():
        return Machines(ADDRESSES), ADDRESSES["coordinator"]
    _tell("!! NO NETWORK NAMESPACES: everything below runs on this one machine, over loopback.")
    own = f"127.{1 + secrets.randbelow(250)}.{secrets.randbelow(250)}.1"  # nobody else listens there
    return OneMachine(), own if sys.platform.startswith("linux") else "127.0.0.1"


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""``scripts/demo``: the whole story in under a minute; exits 1 if anything that must fail does not."""

import argparse
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from demo import ceremony, frauds, keeping
from demo.attempts import Fraud, summary
from demo.interrupts import Interrupts
from demo.processes import ProcessError
from demo.stage import DemoError, Stage
from demo.telling import Telling
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark

ABOUT: Final = """\
Mallory asks for a release; four people in three roles look at it and sign, each with their own agent and
key; the coordinator publishes; anybody verifies.  Then seven frauds are tried, and each must be refused for
its own reason.  Everything happens in a temporary directory and on loopback."""
FIRST: Final = (
    "One release, signed by people in three roles, published, verified by anybody; then seven frauds."
)


def main(words: Sequence[str]) -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=ABOUT)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--keep", action="store_true", help="leave it running, and say what to try next")
    what.add_argument("--stop", type=Path, metavar="DIR", help="stop what --keep left running, and remove it")
    arguments = parser.parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an output that cannot show a sign still gets the story
    telling = Telling(sys.stdout, os.environ)
    if arguments.stop is not None:
        return keeping.stop(arguments.stop, telling)
    interrupts = Interrupts()
    interrupts.listen()
    folder = Path(tempfile.mkdtemp(prefix="quorumseal-demo-"))
    stage = Stage(folder, telling, interrupts)
    kept = False
    try:
        code = play(stage)
        if arguments.keep:
            keeping.keep(stage)
            kept = True
        else:
            telling.line("To leave it running, and try to do better:")
            telling.line("scripts/demo --keep")
    except KeyboardInterrupt:
        telling.answer(Mark.WARNING, "interrupted; everything that was started is stopped")
        return 130
    except BrokenPipeError:  # nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (DemoError, ProcessError, Refusal) as error:
        telling.answer(Mark.FAILED, f"the demo did not get to its end: {error}")
        return 1
    finally:
        if not kept:
            stage.close()
            shutil.rmtree(folder, ignore_errors=True)
    return code


def play(stage: Stage) -> int:
    """Tell the story, try the frauds, and say how it went."""
    telling = stage.telling
    telling.line(FIRST)
    for scene in (ceremony.found, ceremony.run_programs, ceremony.ask, ceremony.decide, ceremony.verify):
        scene(stage)
    telling.chapter("6. Seven frauds, by people with real keys; the operator has the log's key too")
    ceremony.prepare_frauds(stage)
    tried = []
    for number, (title, attempt) in enumerate(frauds.FRAUDS.items(), start=1):
        telling.chapter(f"6.{number} {title[0].upper()}{title[1:]}")
        fraud = Fraud(title, stage)
        attempt(fraud)
        tried.append(fraud)
    telling.line()
    telling.lines(summary(tried, telling.look))
    attempts = sum(len(fraud.attempts) for fraud in tried)
    good = all(fraud.failed_as_it_must for fraud in tried)
    how = "all refused" if good else "NOT ALL REFUSED AS THEY MUST BE"
    telling.answer(
        Mark.DONE if good else Mark.FAILED,
        f"widget 1.0 approved and verified; {len(tried)} frauds, {attempts} attempts, {how}, "
        f"in {telling.seconds:.0f} s",
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

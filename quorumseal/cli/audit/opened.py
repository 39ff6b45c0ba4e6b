# SPDX-License-Identifier: Apache-2.0
"""What every question of an audit begins with: a copy of the log, replayed; and what it ends with."""

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.population import Population
from quorumseal.cli.audit.period import period_words
from quorumseal.cli.audit.source import open_source, source_words
from quorumseal.cli.desk import Desk, command
from quorumseal.cli.output import Json
from quorumseal.cli.progress import reporter
from quorumseal.terminal import Screen
from quorumseal.terminal.durations import duration_text
from quorumseal.tlog import hash_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A log that was replayed: whatever is said of it, its entries bear it out."""

    copy: LogCopy
    population: Population
    desk: Desk | None
    """The live coordinator, where it is one."""
    took: float
    """How many seconds the replay took."""

    @property
    def replayed(self) -> str:
        """Say what was replayed, and how long it took."""
        count = len(self.copy.entries) + len(self.copy.earlier)
        return f"replayed {count:,} entries with every signature in {seconds_text(self.took)}"

    def to_json(self) -> dict[str, Json]:
        """Return it for programs."""
        checkpoint = self.population.checkpoint
        return {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": hash_text(checkpoint.root),
            "complete_from": self.population.complete_from,
            "replay_milliseconds": round(self.took * 1000),
        }

    def draw(self, drawn: Screen) -> None:
        """Draw which log it was."""
        checkpoint = self.population.checkpoint
        drawn.line(f"  {checkpoint.origin} at size {checkpoint.size:,}; {self.replayed}")
        drawn.line(f"  root {hash_text(checkpoint.root)}")


@contextmanager
def opened_audit(arguments: Namespace, *, texts: bool = False) -> Iterator[Opened]:
    """Replay what the arguments name; refuse it on the first thing that is wrong."""
    with open_source(arguments, annexes=texts) as source:
        began = time.monotonic()
        population = populate(source.copy, source.trust, progress=reporter("replayed"))
        took = time.monotonic() - began
        yield Opened(copy=source.copy, population=population, desk=source.desk, took=took)


def next_command(arguments: Namespace, *words: str) -> list[str]:
    """Return a command about the same source, and the same period; one about a release takes no period."""
    period = [] if words[1] == "show" else period_words(arguments)
    return command(arguments, *words, *source_words(arguments), *period)


def seconds_text(took: float) -> str:
    """Say how long something took; below a minute, with tenths."""
    return f"{took:.1f} s" if took < 60 else duration_text(timedelta(seconds=took))

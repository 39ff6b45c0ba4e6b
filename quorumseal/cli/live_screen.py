# SPDX-License-Identifier: Apache-2.0
"""The live screen of ``watch``."""

from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.quorum import RoleTally
from quorumseal.cli import standing
from quorumseal.cli.desk import now
from quorumseal.cli.happenings import happenings
from quorumseal.cli.prospects import Prospects, next_reminder_text
from quorumseal.terminal import Look, Mark, drawn, duration_text
from signer_agent.emergency_screen import banner_of
from signer_agent.observing import Observation

_COLOURS = {Mark.DONE: "green", Mark.FAILED: "red", Mark.WARNING: "yellow", Mark.WAITING: "cyan"}
_LATEST = 6
_TIMES_A_SECOND = 2
_BAR = 24


def filled_cells(share: float, cells: int) -> int:
    """Return how many cells of a bar are filled: some as soon as it began, all only at its end."""
    if share <= 0:
        return 0
    return cells if share >= 1 else min(max(round(share * cells), 1), cells - 1)


class LiveScreen:
    """Draws a ceremony again and again; ``show`` gives it a newer look."""

    def __init__(self, seen: Observation, look: Look, ahead: Prospects | None) -> None:
        self._seen = seen
        self._ahead = ahead
        self._look = look
        self._happened: list[str] = []
        console = Console(no_color=not look.colour, highlight=False)
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_TIMES_A_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, seen: Observation, ahead: Prospects | None) -> None:
        """Draw what has happened since."""
        self._happened += happenings(self._seen, seen)
        self._seen, self._ahead = seen, ahead
        self._live.refresh()

    def _draw(self) -> Group:
        ceremony, at = self._seen.chain.ceremony, now()
        mark, text = standing.headline(ceremony, at)
        lanes = Table.grid(padding=(0, 2))
        for role in by_name(ceremony, standing.tally_of(ceremony, at), at=at).roles:
            lanes.add_row(*self._lane(role, ceremony))
        head = Text.assemble(self._mark(mark), " ", (text, "bold"))
        parts: list[Text | Table] = [head, *self._banner(ceremony), self._time(ceremony), Text(), lanes]
        parts += self._prospects(at)
        if self._happened:
            parts += [Text(), *(Text(line, style="dim") for line in self._happened[-_LATEST:])]
        return Group(*parts)

    def _prospects(self, at: datetime) -> list[Text]:
        """Draw what may keep it from its quorum, and the next reminder."""
        if self._ahead is None:
            return []
        lines = [
            Text.assemble("  ", self._mark(Mark.WARNING), " ", sentence)
            for sentence in self._ahead.forecast.sentences
        ]
        reminder = next_reminder_text(self._ahead, at=at)
        return [*lines, Text(f"  {reminder}", style="dim")] if reminder else lines

    def _banner(self, ceremony: Ceremony) -> list[Text]:
        if ceremony.emergency is None:
            return []
        lines = (" ".join(drawn(cell, self._look) for cell in line) for line in banner_of(ceremony))
        return [Text(f"!! {line}", style="bold white on red") for line in lines]

    def _lane(self, role: RoleTally, ceremony: Ceremony) -> tuple[Text, Text, Text, Text]:
        filled, empty = ("●", "○") if self._look.unicode else ("*", ".")
        mark, _ = standing.lane(role, is_open=ceremony.state is State.OPEN)
        seats = Text(filled * len(role.seated), style="green") + Text(empty * role.missing, style="dim")
        people = Text(", ".join(role.seated))
        if role.missing and role.helpful:
            people.append(("; " if role.seated else "") + f"awaited: {', '.join(role.helpful)}", style="cyan")
        return Text.assemble("  ", self._mark(mark)), Text(role.role), seats, people

    def _time(self, ceremony: Ceremony) -> Text:
        """Draw how much of the time is used up."""
        opened, at = ceremony.request.statement.opened_at, ceremony.ended_at or now()
        used, whole = max(at - opened, timedelta(0)), ceremony.deadline - opened
        cells = filled_cells(used / whole, _BAR)
        full, rest = ("━", "╌") if self._look.unicode else ("#", "-")
        said = f" {duration_text(used)} of {duration_text(whole)} used"
        return Text.assemble("  ", (full * cells, "dim"), (rest * (_BAR - cells), "cyan"), said)

    def _mark(self, mark: Mark) -> Text:
        drawn, in_ascii, _ = mark.value
        return Text(drawn if self._look.unicode else in_ascii, style=_COLOURS[mark])

# SPDX-License-Identifier: Apache-2.0
"""How screens are drawn, for every command line of the project; standard library only.

``foreign`` makes other people's text visible, ``unseen`` says which characters never are, ``look`` knows what
an output can show and draws the marks, ``layout`` wraps and aligns, ``screen`` writes; ``durations`` and
``instants`` are times as people read them.  ``findings``, of what was examined, are imported where needed.
"""

from quorumseal.terminal.durations import duration_text, parse_duration
from quorumseal.terminal.foreign import visible, visible_lines
from quorumseal.terminal.instants import distance_text, instant_text
from quorumseal.terminal.layout import Cell, Foreign, columns, drawn, facts, table, wrap
from quorumseal.terminal.look import Look, Mark, Tone, look_of
from quorumseal.terminal.screen import Screen, paste

__all__ = [
    "Cell",
    "Foreign",
    "Look",
    "Mark",
    "Screen",
    "Tone",
    "columns",
    "distance_text",
    "drawn",
    "duration_text",
    "facts",
    "instant_text",
    "look_of",
    "parse_duration",
    "paste",
    "table",
    "visible",
    "visible_lines",
    "wrap",
]

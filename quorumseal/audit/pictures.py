# SPDX-License-Identifier: Apache-2.0
"""Measures as SVG: no script, no style of its own, nothing fetched; the text is in it, for who cannot see it.

Colours are those of the page (``currentColor``), so one picture serves light, dark and paper; what is notable
is hatched and said, never only coloured.  Every text is somebody else's, and is escaped.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

from quorumseal.audit.effectiveness.measure import Bars, Grid, Measure
from quorumseal.terminal.foreign import visible

_WIDTH: Final = 400
_LINE: Final = 18
_BAR: Final = 9
_GAP: Final = 8
_LETTER: Final = 7.6
"""How wide a letter is at most, nearly."""
_SIDE: Final = 30
_MOST: Final = 40
_LONGEST: Final = 24
_SAID: Final = 40
_PLACE: Final = _WIDTH / _LETTER
"""How many letters a line has room for."""
_HATCH: Final = (
    '<defs><pattern id="{id}-notable" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path d="M0 0V6" stroke="currentColor" stroke-width="4"/></pattern></defs>'
)


def svg(measure: Measure) -> str:
    """Return the picture of a measure."""
    picture = measure.picture
    drawn, width, height = _bars(picture, measure.name) if isinstance(picture, Bars) else _grid(picture)
    title, said = _text(measure.title, 200), _text(measure.said, 2000)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="{measure.name}-title {measure.name}-said" '
        'font-size="13" fill="currentColor" font-family="system-ui, sans-serif">'
        f'<title id="{measure.name}-title">{title}</title><desc id="{measure.name}-said">{said}</desc>'
        f"{drawn}</svg>"
    )


def _bars(bars: Bars, name: str) -> tuple[str, int, int]:
    """Draw each bar under its words: as narrow as a telephone, nothing is cut."""
    shown = bars.bars[:_MOST]
    if not shown:
        return _nothing()
    longest = max(*(bar.value for bar in shown), bars.limit or 0, 1e-9)
    parts, top = [_HATCH.format(id=name)], 0
    for bar in shown:
        width = max(1.0, bar.value / longest * _WIDTH) if bar.value else 0.0
        fill = f'fill="url(#{name}-notable)" stroke="currentColor"' if bar.notable else 'fill-opacity="0.55"'
        parts.append(f'<text x="0" y="{top + 13}">{_text(bar.label)}</text>')
        if min(len(bar.label), _LONGEST) + min(len(bar.said), _SAID) + 2 > _PLACE:
            top += _LINE
        parts.append(
            f'<text x="{_WIDTH}" y="{top + 13}" text-anchor="end">{_text(bar.said, _SAID)}</text>'
            f'<rect x="0" y="{top + _LINE}" width="{_WIDTH}" height="{_BAR}" fill-opacity="0.12"/>'
            f'<rect x="0" y="{top + _LINE}" width="{width:.1f}" height="{_BAR}" {fill}/>'
        )
        if bars.limit is not None:
            x = min(bars.limit / longest * _WIDTH, _WIDTH - 1)
            parts.append(
                f'<path d="M{x:.1f} {top + _LINE - 3}v{_BAR + 6}" stroke="currentColor" stroke-width="2"/>'
            )
        top += _LINE + _BAR + _GAP
    if len(bars.bars) > _MOST:
        parts.append(f'<text x="0" y="{top + 13}">and {len(bars.bars) - _MOST} more</text>')
        top += _LINE
    return "".join(parts), _WIDTH, top


def _grid(grid: Grid) -> tuple[str, int, int]:
    """Draw a square for each pair, as wide as the names need it; those above stand upright."""
    rows, columns = grid.rows[:_MOST], grid.columns[:_MOST]
    if not rows or not columns:
        return _nothing()
    most = max(max(counts) for counts in grid.counts) or 1
    left, above = _room(rows), _room(columns)
    parts = []
    for place, column in enumerate(columns):
        x, y = left + place * _SIDE + _SIDE / 2 + 4, above - 6
        parts.append(f'<text x="{x}" y="{y}" transform="rotate(-90 {x} {y})">{_text(column)}</text>')
    for number, row in enumerate(rows):
        top = above + number * _SIDE
        parts.append(f'<text x="{left - 8}" y="{top + 19}" text-anchor="end">{_text(row)}</text>')
        for place in range(len(columns)):
            met, x = grid.counts[number][place], left + place * _SIDE
            parts.append(
                f'<rect x="{x}" y="{top}" width="{_SIDE - 2}" height="{_SIDE - 2}" '
                f'fill-opacity="{met / most * 0.5:.2f}" stroke="currentColor" stroke-opacity="0.3"/>'
                f'<text x="{x + _SIDE / 2 - 1}" y="{top + 19}" text-anchor="middle">{met}</text>'
            )
    return "".join(parts), left + len(columns) * _SIDE, above + len(rows) * _SIDE


def _nothing() -> tuple[str, int, int]:
    return f'<text x="0" y="13">{_text("nothing to show")}</text>', _WIDTH, _LINE


def _room(names: Sequence[str]) -> int:
    """Return how much room the longest of some names needs."""
    return 12 + round(max(min(len(name), _LONGEST) for name in names) * _LETTER)


def _text(text: str, longest: int = _LONGEST) -> str:
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return escape(visible(shown, limit=longest))

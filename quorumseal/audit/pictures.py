# SPDX-License-Identifier: Apache-2.0
"""Measures as SVG: no script, no style of its own, nothing fetched; the text is in it, for who cannot see it.

Colours are those of the page (``currentColor``), so one picture serves light, dark and paper; what is notable
is hatched and said, never only coloured.  Every text is somebody else's, and is escaped.
"""

from html import escape
from typing import Final

from quorumseal.audit.effectiveness.measure import Bars, Grid, Measure
from quorumseal.terminal.foreign import visible

_WIDTH: Final = 720
_LABEL: Final = 170
_ROW: Final = 26
_BAR: Final = 16
_MOST: Final = 40
_LONGEST: Final = 24
_END: Final = 150
_ROOM: Final = _WIDTH - _LABEL - _END
_HATCH: Final = (
    '<defs><pattern id="{id}-notable" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path d="M0 0V6" stroke="currentColor" stroke-width="4"/></pattern></defs>'
)


def svg(measure: Measure) -> str:
    """Return the picture of a measure."""
    picture = measure.picture
    drawn, height = _bars(picture, measure.name) if isinstance(picture, Bars) else _grid(picture)
    title, said = _text(measure.title, 200), _text(measure.said, 2000)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-labelledby="{measure.name}-title {measure.name}-said" font-size="13" fill="currentColor" '
        'font-family="system-ui, sans-serif">'
        f'<title id="{measure.name}-title">{title}</title><desc id="{measure.name}-said">{said}</desc>'
        f"{drawn}</svg>"
    )


def _bars(bars: Bars, name: str) -> tuple[str, int]:
    shown = bars.bars[:_MOST]
    if not shown:
        return f'<text x="0" y="18">{_text("nothing to show")}</text>', _ROW
    longest = max(*(bar.value for bar in shown), bars.limit or 0, 1e-9)
    parts = [_HATCH.format(id=name)]
    for row, bar in enumerate(shown):
        top, width = row * _ROW + 4, max(1.0, bar.value / longest * _ROOM) if bar.value else 0.0
        fill = f'fill="url(#{name}-notable)" stroke="currentColor"' if bar.notable else 'fill-opacity="0.55"'
        parts.append(
            f'<text x="{_LABEL - 8}" y="{top + 13}" text-anchor="end">{_text(bar.label)}</text>'
            f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}" {fill}/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 13}">{_text(bar.said, 40)}</text>'
        )
    height = len(shown) * _ROW + 4
    if bars.limit is not None:
        x = _LABEL + bars.limit / longest * _ROOM
        parts.append(f'<path d="M{x:.1f} 0V{height}" stroke="currentColor" stroke-dasharray="4 3"/>')
    if len(bars.bars) > _MOST:
        parts.append(f'<text x="{_LABEL}" y="{height + 14}">and {len(bars.bars) - _MOST} more</text>')
        height += _ROW
    return "".join(parts), height


def _grid(grid: Grid) -> tuple[str, int]:
    rows, columns = grid.rows[:_MOST], grid.columns[:_MOST]
    if not rows or not columns:
        return f'<text x="0" y="18">{_text("nothing to show")}</text>', _ROW
    most = max(max(counts) for counts in grid.counts) or 1
    side = min(56.0, (_WIDTH - _LABEL) / len(columns))
    parts = []
    for place, column in enumerate(columns):
        x = _LABEL + place * side + side / 2
        parts.append(
            f'<text x="{x:.1f}" y="84" text-anchor="start" transform="rotate(-50 {x:.1f} 84)">'
            f"{_text(column)}</text>"
        )
    for number, row in enumerate(rows):
        top = 92 + number * _ROW
        parts.append(f'<text x="{_LABEL - 8}" y="{top + 17}" text-anchor="end">{_text(row)}</text>')
        for place in range(len(columns)):
            met = grid.counts[number][place]
            x = _LABEL + place * side
            parts.append(
                f'<rect x="{x:.1f}" y="{top}" width="{side - 2:.1f}" height="{_ROW - 2}" '
                f'fill-opacity="{met / most * 0.5:.2f}" stroke="currentColor" stroke-opacity="0.3"/>'
                f'<text x="{x + side / 2 - 1:.1f}" y="{top + 17}" text-anchor="middle">{met}</text>'
            )
    return "".join(parts), 96 + len(rows) * _ROW


def _text(text: str, longest: int = _LONGEST) -> str:
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return escape(visible(shown, limit=longest))

# SPDX-License-Identifier: Apache-2.0
"""A text as a QR code, for whoever compares digests by a camera; nothing without the extra `qr`."""

from collections.abc import Iterable

_BORDER = 2
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def svg(text: str) -> str:
    """Return the code as SVG; empty without the library."""
    try:
        import segno
    except ModuleNotFoundError:
        return ""
    drawn: str = segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True)
    return drawn


def lines(text: str, *, inverse: bool) -> list[str]:
    """Return the code in half blocks, two rows in each line; none without the library.

    Its dark squares are drawn, or with ``inverse`` the others: what draws on a dark ground draws light.
    """
    try:
        import segno
    except ModuleNotFoundError:
        return []
    matrix: Iterable[Iterable[int]] = segno.make(text, error="m", micro=False).matrix_iter(border=_BORDER)
    rows = [[bool(module) != inverse for module in row] for row in matrix]
    if len(rows) % 2:
        rows.append([inverse] * len(rows[0]))
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]

# SPDX-License-Identifier: Apache-2.0
"""The numbers of edwards25519 (RFC 8032, section 5.1), and the points that nothing signed may have."""

from typing import Final

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y coordinates of the eight points of small order; p and p + 1 are second spellings of 0 and 1.
SMALL_ORDER_Y: Final = frozenset({0, 1, P - 1, _ORDER_8, P - _ORDER_8, P, P + 1})


def y_of(point: bytes) -> int:
    """Return the y coordinate that an encoded point spells, canonical or not."""
    return int.from_bytes(point, "little") & (2**255 - 1)

# SPDX-License-Identifier: Apache-2.0
"""Hashes of the tree as bundles hold them: lower-case hexadecimal digits."""

from collections.abc import Sequence

from quorumseal.strict_json import Fields, JsonValue

_DIGITS = 64


def write_hashes(hashes: Sequence[bytes]) -> list[JsonValue]:
    """Write the hashes of a proof."""
    return [node.hex() for node in hashes]


def read_hashes(fields: Fields, field: str) -> tuple[bytes, ...]:
    """Read the hashes of a proof."""
    texts = fields.texts(field)
    for text in texts:
        if len(text) != _DIGITS or set(text) - set("0123456789abcdef"):
            raise fields.invalid(field, f"hashes of {_DIGITS} lower-case hexadecimal digits")
    return tuple(bytes.fromhex(text) for text in texts)

# SPDX-License-Identifier: Apache-2.0
"""As much of DER (ITU-T X.690) as a timestamp needs: elements in order, each with its one length.

What the elements mean is the business of the libraries that read certificates and tokens.
"""

from typing import Final, NamedTuple

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30
GENERALIZED_TIME: Final = 0x18
_LONG_FORM, _HIGH_TAG = 0x80, 0x1F
_MOST_LENGTH_BYTES = 4


class Element(NamedTuple):
    """One element: what it is, and what is in it."""

    tag: int
    content: bytes


def encode(tag: int, content: bytes) -> bytes:
    """Return an element's bytes."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(digits))) + digits + content


def elements(data: bytes) -> list[Element]:
    """Return the elements of which the bytes consist; ValueError where they do not."""
    found, at = [], 0
    while at < len(data):
        tag, content, size = _first(data[at:])
        found.append(Element(tag, content))
        at += size
    return found


def only(data: bytes, tag: int) -> bytes:
    """Return the content of the one element that the bytes are; ValueError where they are anything else."""
    found = elements(data)
    if len(found) != 1 or found[0].tag != tag:
        raise ValueError(f"expected one element of tag {tag:#04x}, got {len(found)}")
    return found[0].content


def _first(data: bytes) -> tuple[int, bytes, int]:
    tag, size, start = data[0], data[1] if len(data) > 1 else len(data), 2
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise ValueError("expected a tag of one byte, got a longer one")
    if size >= _LONG_FORM:
        start += size - _LONG_FORM
        digits = data[2:start]
        if not 1 <= len(digits) <= _MOST_LENGTH_BYTES or len(data) < start:
            raise ValueError("expected a length of 1 to 4 bytes, got another")
        size = int.from_bytes(digits)
    content = data[start : start + size]
    if len(content) != size or not data.startswith(encode(tag, content)):
        raise ValueError("expected an element in DER, got one that is cut short or has another length")
    return tag, content, start + size

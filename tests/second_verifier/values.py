# SPDX-License-Identifier: Apache-2.0
"""Values of one spelling each (docs/spec/encodings.md, Values)."""

import base64
import binascii
import hashlib
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.second_verifier.refusing import Refused, need

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_ORIGIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:~-]{0,126}[A-Za-z0-9])?")
_CEREMONY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,127}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}
_BLANK = [
    (0x34F, 0x34F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0x13441, 0x13442),
    (0x16FE4, 0x16FE4),
    (0x1D159, 0x1D159),
    (0xE0100, 0xE01EF),
]


def _written(pattern: re.Pattern[str], value: Any) -> str:
    need(isinstance(value, str), "json.invalid_field", f"{value!r:.60}")
    need(pattern.fullmatch(value) is not None, "value.format", f"{value!r:.80}")
    return str(value)


def name(value: Any) -> str:
    """Of a signer, role, rule, product, organisation or check."""
    return _written(_NAME, value)


def version(value: Any) -> str:
    """Of a product."""
    return _written(_VERSION, value)


def origin(value: Any) -> str:
    """Of a log."""
    return _written(_ORIGIN, value)


def ceremony(value: Any) -> str:
    """A UUIDv7 in lower case."""
    return _written(_CEREMONY, value)


def digest(value: Any) -> str:
    """With its prefix."""
    return _written(_DIGEST, value)


def hexadecimal(value: Any) -> str:
    """A digest as in-toto writes it, or a node of a proof."""
    return _written(_HEX, value)


def instant(value: Any) -> int:
    """Milliseconds since 1970; instants are compared as instants."""
    parts = _INSTANT.fullmatch(_written(_INSTANT, value))
    assert parts is not None
    *whole, milliseconds = map(int, parts.groups())
    try:
        at = datetime(*whole, tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError as bad:
        raise Refused("value.format", str(value)) from bad
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // _SECOND * 1000 + milliseconds


_SECOND = timedelta(seconds=1)


def line(value: Any) -> str:
    """One line of text that shows exactly what it says."""
    need(isinstance(value, str), "json.invalid_field", f"{value!r:.60}")
    shown = all(
        c == " "
        or (unicodedata.category(c) not in _HIDDEN and not any(low <= ord(c) <= high for low, high in _BLANK))
        for c in value
    )
    need(shown and 1 <= len(value) <= 256 and value == value.strip(" "), "value.format", f"{value!r:.80}")
    need(unicodedata.is_normalized("NFC", value), "value.format")
    return str(value)


def artifact(value: Any) -> str:
    """A path that is the same file on every system."""
    need(isinstance(value, str), "json.invalid_field", f"{value!r:.60}")
    good = len(value) <= 512 and all(
        _SEGMENT.fullmatch(part) and not part.endswith(".") and not _DEVICE.fullmatch(part)
        for part in value.split("/")
    )
    need(good, "value.format", f"{value!r:.80}")
    return str(value)


def base64_bytes(value: Any, code: str = "envelope.base64") -> bytes:
    """Canonical base64, with padding."""
    need(isinstance(value, str), "json.invalid_field", f"{value!r:.60}")
    try:
        found = base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as bad:
        raise Refused(code) from bad
    need(base64.b64encode(found).decode() == value, code)
    return found


def sha256(data: bytes) -> str:
    """The digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()

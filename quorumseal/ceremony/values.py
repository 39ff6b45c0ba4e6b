# SPDX-License-Identifier: Apache-2.0
"""How instants, digests, names and texts are written: one encoding each, everywhere."""

import hashlib
import re
import unicodedata
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.terminal.durations import parse_duration
from quorumseal.terminal.unseen import unseen

EMPTY_DIGEST = "sha256:" + hashlib.sha256(b"").hexdigest()

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOTE_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{90}[AEIMQUYcgkosw048]=")
"""68 bytes; the last digit before the padding carries four bits, and the two loose ones are nought."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_ORIGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/:~-]{0,126}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_CEREMONY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SEGMENT = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,127}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
_INSTANT_LENGTH = len("2026-11-20T14:07:00.000Z")
_SUBJECT_NAME_LENGTH = 512
_TEXT_LENGTH = 256


def digest_of(data: bytes) -> str:
    """Name ``data`` by its SHA-256."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_from_hex(text: str) -> str:
    """Return the digest whose hexadecimal form in-toto writes without a prefix."""
    return digest("sha256:" + text)


def digest(text: str) -> str:
    """Return ``text`` if it is a digest."""
    return _matching(_DIGEST, text, "a digest such as sha256:<64 hexadecimal digits>")


def note_signature(text: str) -> str:
    """Return ``text`` if it can be what a log signs a checkpoint with: key id and signature, in base64."""
    return _matching(
        _NOTE_SIGNATURE, text, "a key id and a signature as on the line of a note (68 bytes in base64)"
    )


def name(text: str) -> str:
    """Return ``text`` if it can name a signer, role, rule, product or organisation."""
    return _matching(_NAME, text, "a name of a-z 0-9 . _ - (1 to 64, letters or digits at both ends)")


def log_origin(text: str) -> str:
    """Return ``text`` if it can be the origin of a log, which is also its key's name (C2SP signed-note)."""
    return _matching(_ORIGIN, text, "an origin of A-Z a-z 0-9 . _ / : ~ - (1 to 128, a URL without scheme)")


def version(text: str) -> str:
    """Return ``text`` if it can be a product's version."""
    return _matching(_VERSION, text, "a version of A-Z a-z 0-9 . _ + - (1 to 64)")


def ceremony_id(text: str) -> str:
    """Return ``text`` if it is a UUIDv7 in its canonical form."""
    return _matching(_CEREMONY_ID, text, "a ceremony id (a lower-case UUIDv7)")


def subject_name(text: str) -> str:
    """Return ``text`` if it is a relative path that is the same file on every system."""
    segments = text.split("/")
    if (
        len(text) > _SUBJECT_NAME_LENGTH
        or not all(_SEGMENT.fullmatch(segment) for segment in segments)
        or any(_DEVICE.fullmatch(segment.lower()) or segment.endswith(".") for segment in segments)
    ):
        raise ValueFormatError(
            f"expected an artifact name of path segments A-Z a-z 0-9 . _ + - "
            f"(no leading dot or dash, no device names), got {_shown(text)}",
            hint="rename the artifact, or list it under a plain name",
        )
    return text


def printable(text: str) -> str:
    """Return ``text`` if a screen shows exactly what it says: one line, NFC, nothing unseen."""
    if (
        not 1 <= len(text) <= _TEXT_LENGTH
        or text != text.strip()
        or unicodedata.normalize("NFC", text) != text
        or any(unseen(character) for character in text)
    ):
        raise ValueFormatError(
            f"expected one line of 1 to {_TEXT_LENGTH} printable characters, got {_shown(text)}",
            hint="remove characters that control, format or show nothing, and unusual spaces",
        )
    return text


def instant(text: str) -> datetime:
    """Read ``2026-11-20T14:07:00.000Z``."""
    try:
        if len(text) == _INSTANT_LENGTH and not text.startswith("0"):
            at = datetime.fromisoformat(text)
            if instant_text(at) == text:
                return at
    except (ValueError, OverflowError):  # the latter: an offset that leads out of the calendar
        pass
    raise ValueFormatError(f"expected an instant such as 2026-11-20T14:07:00.000Z, got {_shown(text)}")


def instant_text(at: datetime) -> str:
    """Write an instant, in UTC with milliseconds."""
    if at.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def whole_milliseconds(at: datetime) -> datetime:
    """Cut ``at`` to what is written of it."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def day(text: str) -> date:
    """Read ``2026-12-25``."""
    with suppress(ValueError):
        found = date.fromisoformat(text)
        if found.isoformat() == text:
            return found
    raise ValueFormatError(f"expected a date such as 2026-12-25, got {_shown(text)}")


def hour(text: str) -> time:
    """Read ``09:00``."""
    with suppress(ValueError):
        found = time.fromisoformat(text)
        if f"{found:%H:%M}" == text:
            return found
    raise ValueFormatError(f"expected a time of day such as 09:00, got {_shown(text)}")


def duration(text: str) -> timedelta:
    """Read ``90s``, ``15m``, ``72h``, ``3d``, ``2w`` or ``1d12h``."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueFormatError(str(error)) from None


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueFormatError(f"expected {what}, got {_shown(text)}")
    return text


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:80] + "…")

# SPDX-License-Identifier: Apache-2.0
"""The one reader of anything that is signed or sent, and the one writer of anything that will be signed.

``read`` turns bytes into plain values or refuses them; ``Fields`` takes an object apart by name and type and
refuses what nobody asked for; ``write`` makes the canonical bytes (RFC 8785) that ``read`` accepts.
"""

from quorumseal.strict_json.errors import (
    ByteOrderMarkError,
    DuplicateKeyError,
    IntegerRangeError,
    InvalidFieldError,
    LoneSurrogateError,
    MalformedJsonError,
    MissingFieldError,
    NotAnIntegerError,
    NotNormalisedError,
    NotUtf8Error,
    StrictJsonError,
    TooDeepError,
    TooLargeError,
    TrailingDataError,
    UnknownFieldError,
)
from quorumseal.strict_json.fields import Fields
from quorumseal.strict_json.reading import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, JsonValue, read, write

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_INTEGER",
    "ByteOrderMarkError",
    "DuplicateKeyError",
    "Fields",
    "IntegerRangeError",
    "InvalidFieldError",
    "JsonValue",
    "LoneSurrogateError",
    "MalformedJsonError",
    "MissingFieldError",
    "NotAnIntegerError",
    "NotNormalisedError",
    "NotUtf8Error",
    "StrictJsonError",
    "TooDeepError",
    "TooLargeError",
    "TrailingDataError",
    "UnknownFieldError",
    "read",
    "write",
]

# SPDX-License-Identifier: Apache-2.0
"""Why a document was refused.  Each class is one reason; ``code`` is stable and public."""

from quorumseal.refusal import Refusal


class StrictJsonError(Refusal):
    """Base of every refusal by the strict reader."""

    code = "json.refused"
    usual_hint = "make it with this version of quorumseal, or as docs/spec/encodings.md says"


class TooLargeError(StrictJsonError):
    """The document has more bytes than its place allows."""

    code = "json.too_large"


class TooDeepError(StrictJsonError):
    """Objects and lists are nested deeper than allowed."""

    code = "json.too_deep"


class ByteOrderMarkError(StrictJsonError):
    """The document begins with a byte order mark."""

    code = "json.byte_order_mark"


class NotUtf8Error(StrictJsonError):
    """The bytes are not UTF-8."""

    code = "json.not_utf8"


class MalformedJsonError(StrictJsonError):
    """The text is not JSON (RFC 8259)."""

    code = "json.malformed"


class TrailingDataError(StrictJsonError):
    """Something follows the one value that a document holds."""

    code = "json.trailing_data"


class DuplicateKeyError(StrictJsonError):
    """An object names one field twice."""

    code = "json.duplicate_key"


class NotAnIntegerError(StrictJsonError):
    """A number is written as anything but a plain integer."""

    code = "json.not_an_integer"


class IntegerRangeError(StrictJsonError):
    """An integer is too large to mean the same to every reader."""

    code = "json.integer_range"


class LoneSurrogateError(StrictJsonError):
    """A text holds half of a surrogate pair, which no UTF-8 can carry."""

    code = "json.lone_surrogate"


class NotNormalisedError(StrictJsonError):
    """A text is not in Unicode Normalization Form C, so that two texts could look the same and differ."""

    code = "json.not_normalised"


class MissingFieldError(StrictJsonError):
    """A field that must be there is not."""

    code = "json.missing_field"


class InvalidFieldError(StrictJsonError):
    """A field holds something else than its place asks for."""

    code = "json.invalid_field"


class UnknownFieldError(StrictJsonError):
    """An object holds a field that this version does not know."""

    code = "json.unknown_field"

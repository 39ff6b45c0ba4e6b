# SPDX-License-Identifier: Apache-2.0
"""Why a call was refused before, or instead of, what it asked for."""

from coordinator.errors import CoordinatorError


class ApiError(CoordinatorError):
    """Base of the API's own refusals."""


# Who calls


class NoCertificateError(ApiError):
    """The connection shows no client certificate, or not exactly one."""

    code = "caller.no_certificate"


class TlsVersionError(ApiError):
    """The connection was made with an older version of TLS."""

    code = "caller.tls_version"


class OtherOrganisationError(ApiError):
    """The certificate names another organisation."""

    code = "caller.organisation"


class CallerNotAllowedError(ApiError):
    """This kind of caller may not make this call."""

    code = "caller.not_allowed"


# What was sent


class GarbageError(ApiError):
    """The bytes are not the message that this call takes."""

    code = "message.malformed"


class UnknownMessageFieldError(ApiError):
    """The message has a field that this coordinator does not know."""

    code = "message.unknown_field"


class MessageFieldError(ApiError):
    """A field of the message is outside what it may be."""

    code = "message.field"
    usual_hint = "compare the versions of client and coordinator"


# How much


class TooManyError(ApiError):
    """The caller has as many calls, transfers or streams in progress as one caller may have."""

    code = "limit.concurrent"
    retryable = True


class TooLongError(ApiError):
    """The call took longer than the coordinator lets it."""

    code = "limit.time"
    retryable = True


class StreamEndedError(ApiError):
    """The stream has been open for as long as one may be; it resumes from its last index."""

    code = "stream.ended"
    retryable = True


# Neither


class InternalError(ApiError):
    """Something that nobody foresaw; the log of the coordinator says what, under the number."""

    code = "internal"


class AddressError(ApiError):
    """The server cannot listen where, or with what, its settings say."""

    code = "settings.listen"

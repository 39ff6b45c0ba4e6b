# SPDX-License-Identifier: Apache-2.0
"""What a call to a coordinator can end with instead of an answer."""

from quorumseal.refusal import Refusal


class ClientError(Refusal):
    """Base of what the client raises itself."""

    retryable: bool = False
    """Whether the same call may succeed later without anybody changing anything."""


class CoordinatorUnreachableError(ClientError):
    """There was no answer: no connection, a broken one, or none in time."""

    code = "coordinator.unreachable"
    retryable = True


class CoordinatorRefusedError(ClientError):
    """The coordinator said no; ``code`` is the one that it gave."""

    code: str  # type: ignore[misc] # each refusal brings its own

    def __init__(self, code: str, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.retryable = retryable


class CredentialsError(ClientError):
    """The files that a connection needs cannot be used."""

    code = "connection.credentials"


class UnexpectedAnswerError(ClientError):
    """The coordinator's answer is not one to the question."""

    code = "coordinator.unexpected_answer"

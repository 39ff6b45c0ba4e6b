# SPDX-License-Identifier: Apache-2.0
"""Why somebody was not let in by their provider; ``status`` is that of HTTP."""

from typing import ClassVar

from coordinator.errors import CoordinatorError


class SignInError(CoordinatorError):
    """Base of what goes wrong in signing in."""

    status: ClassVar[int] = 403


class ProviderUnreachableError(SignInError):
    """The provider does not answer in time."""

    code = "sign_in.unreachable"
    status = 502
    usual_hint = "try again in a moment; the operator's running log says more"


class ProviderAnswerError(SignInError):
    """The provider's answer is not what the specification says."""

    code = "sign_in.answer"
    status = 502
    usual_hint = "the operator compares pages.sign_in with what the provider says of itself"


class ProviderRefusedError(SignInError):
    """The provider did not vouch for this person."""

    code = "sign_in.refused"
    usual_hint = "sign in again, or ask whoever runs the provider"


class AttemptUnknownError(SignInError):
    """What came back belongs to no attempt of this browser, or to one that is over."""

    code = "sign_in.attempt"
    status = 400
    usual_hint = "sign in again, in this browser"


class TokenError(SignInError):
    """The token does not prove who this is, to us, now."""

    code = "sign_in.token"
    usual_hint = "sign in again; where it happens again, the operator looks at the provider and the clocks"


class NoRoleError(SignInError):
    """The provider knows this person, and nothing lets them in here."""

    code = "sign_in.no_role"
    usual_hint = "ask the operator which values of the claim let people in"

# SPDX-License-Identifier: Apache-2.0
"""Why there is no such page, or why somebody was not let in; a page says so."""

from typing import ClassVar

from coordinator.errors import CoordinatorError


class PageError(CoordinatorError):
    """Base of what a page refuses."""

    status: ClassVar[int] = 400
    """That of HTTP."""


class QueryInvalidError(PageError):
    """What stands behind the question mark is not what the page asks for."""

    code = "pages.query"
    usual_hint = "open the page again from the list, and choose from what it offers"


class NoSuchPageError(PageError):
    """Nothing is there."""

    code = "pages.not_found"
    status = 404
    usual_hint = "see the ceremonies, or the whole log"


class PagesBusyError(PageError):
    """Too many pages are asked for at once: ceremonies go first."""

    code = "pages.busy"
    status = 503
    usual_hint = "load the page again in a moment"


class PageTooSlowError(PageError):
    """A page took longer than it may."""

    code = "pages.too_slow"
    status = 503
    usual_hint = "ask for less of it, or again in a moment"


class PageTooLargeError(PageError):
    """A page grew larger than it may."""

    code = "pages.too_large"
    status = 500
    usual_hint = "ask for less of it"


class PageBrokenError(PageError):
    """Something that nobody foresaw; the coordinator's running log says what."""

    code = "pages.broken"
    status = 500
    usual_hint = "tell the operator when it was"


# Signing in


class SignInError(PageError):
    """Base of why somebody was not let in by their provider."""

    status = 403


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

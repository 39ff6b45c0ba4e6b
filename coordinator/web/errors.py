# SPDX-License-Identifier: Apache-2.0
"""Why there is no such page, as a refusal that the page of the error shows."""

from coordinator.errors import CoordinatorError


class PageError(CoordinatorError):
    """Base of what a page refuses; ``status`` is that of HTTP."""

    status = 400


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

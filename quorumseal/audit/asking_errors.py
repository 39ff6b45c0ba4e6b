# SPDX-License-Identifier: Apache-2.0
"""Why a question about a log cannot be answered as it was asked."""

from quorumseal.audit.errors import AuditError


class ListingError(AuditError):
    """What was given as a registry's listing is none."""

    code = "audit.listing"


class NoSuchReleaseError(AuditError):
    """The copy of the log has no such ceremony."""

    code = "audit.unknown"

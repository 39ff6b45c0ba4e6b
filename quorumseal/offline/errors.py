# SPDX-License-Identifier: Apache-2.0
"""Why a ceremony cannot be held in files."""

from quorumseal.refusal import Refusal


class OfflineError(Refusal):
    """Base of the refusals about ceremonies that are held in files."""


class OfflineFormatError(OfflineError):
    """The file is not one that a ceremony without its coordinator is held in, or not the one meant."""

    code = "offline.format"


class LooseTextError(OfflineError):
    """A text travels with statements of which none commits to it."""

    code = "offline.loose_text"


class NothingKeptError(OfflineError):
    """This home has never seen the policy, and no file with it was named."""

    code = "offline.nothing_kept"


class NotInJournalError(OfflineError):
    """The file holds something of this signer that this home did not sign."""

    code = "offline.not_in_journal"

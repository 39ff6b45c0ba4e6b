# SPDX-License-Identifier: Apache-2.0
"""What an auditor's copy of a log can be refused for, beyond what the rules say of its entries."""

from quorumseal.refusal import Refusal


class AuditError(Refusal):
    """Base of what an audit refuses."""


class CopyFormatError(AuditError):
    """The files are not a copy of a log, or not one of this format."""

    code = "audit.copy_format"


class TreeDiffersError(AuditError):
    """The entries are not those that the checkpoint covers."""

    code = "audit.tree"
    usual_hint = "an entry was changed, left out or added; ask for the copy again, then ask why"


class HistoryDiffersError(AuditError):
    """Somebody holds a checkpoint of this log that the copy contradicts."""

    code = "audit.other_history"
    usual_hint = "the log signed two histories, or lost entries: keep both files, and stop relying on it"


class EntryMissingError(AuditError):
    """The rules demand an entry that the log does not have."""

    code = "audit.entry_missing"
    usual_hint = "the coordinator did not do what its own rules demand; ask its operator for the reason"


class EntryUnexpectedError(AuditError):
    """An entry stands where the rules make another one, or none."""

    code = "audit.entry_unexpected"
    usual_hint = "the coordinator did not do what its own rules demand; ask its operator for the reason"


class PolicyNotInForceError(AuditError):
    """A ceremony was opened under a policy that did not hold then."""

    code = "audit.policy_not_in_force"


class TextUnknownError(AuditError):
    """A text that no statement commits to."""

    code = "audit.text_unknown"
    usual_hint = "whoever made the copy added it, or altered it; believe none of its texts"


class ListDiffersError(AuditError):
    """What is said beside the log is not what the log bears out."""

    code = "audit.list"
    usual_hint = "believe the log; whatever was derived from it is made anew by `coordinator rebuild`"


class TableDiffersError(AuditError):
    """A table of the database is not what the log makes it."""

    code = "audit.table"
    usual_hint = "somebody wrote to the database; compare it with a backup, then `coordinator rebuild`"

# SPDX-License-Identifier: Apache-2.0
"""Why the coordinator did not do as asked, beyond what the rules say.  ``code`` is stable and public."""

from typing import ClassVar

from quorumseal.refusal import Refusal


class CoordinatorError(Refusal):
    """Base of the coordinator's own refusals."""

    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without anybody changing anything."""


# Not now


class BusyError(CoordinatorError):
    """The writer's queue is full."""

    code = "coordinator.busy"
    retryable = True


class ClosingError(CoordinatorError):
    """The coordinator is shutting down and takes no more commands."""

    code = "coordinator.closing"
    retryable = True


class StorageFailedError(CoordinatorError):
    """The database did not take the command; nothing of it is on record."""

    code = "coordinator.storage"
    retryable = True


class ReadOnlyError(CoordinatorError):
    """The clock cannot be trusted, so nothing is written until an operator has looked at it."""

    code = "coordinator.read_only"


class RewoundError(CoordinatorError):
    """The log has lost entries that it had, so nothing is written until they are recovered."""

    code = "log.rewound"


class HandedBackError(CoordinatorError):
    """What an agent hands back cannot be of this log."""

    code = "recovery.handed_back"


class BackupError(CoordinatorError):
    """A backup cannot be made, or not be put back."""

    code = "backup.unusable"


class NothingLostError(CoordinatorError):
    """The log has all that anybody showed of it."""

    code = "recovery.nothing_lost"


class RecoveryError(CoordinatorError):
    """What agents handed back is not the end that the log has lost."""

    code = "recovery.incomplete"


class AnchorError(CoordinatorError):
    """The anchor cannot be written, or is not that of this log."""

    code = "coordinator.anchor"
    retryable = True


class LogEmptyError(CoordinatorError):
    """The log has no policy yet."""

    code = "coordinator.log_empty"


class LogNotEmptyError(CoordinatorError):
    """An organisation is founded once, on an empty log."""

    code = "coordinator.log_not_empty"


class LogKeyError(CoordinatorError):
    """The coordinator's key is not the one that the policy names for the log."""

    code = "coordinator.log_key"


class NoNextAuthorityError(CoordinatorError):
    """There is no next certificate authority, or not yet one to switch to."""

    code = "coordinator.no_next_authority"


class RehearsalError(CoordinatorError):
    """A rehearsal did not come to the end that the change in earnest should come to."""

    code = "coordinator.rehearsal"


class StorageUnsafeError(CoordinatorError):
    """The database is set up so that it may lose what it acknowledged."""

    code = "coordinator.storage_unsafe"


class SchemaError(CoordinatorError):
    """The database has the tables of another version of the coordinator."""

    code = "coordinator.schema"


class LogDamagedError(CoordinatorError):
    """What is stored contradicts itself."""

    code = "coordinator.log_damaged"


# Not by this caller, not with these arguments


class CallerNotSignerError(CoordinatorError):
    """A statement is handed in by the one who signed it."""

    code = "caller.not_the_signer"


class UnknownPolicyError(CoordinatorError):
    """The statement names a policy that is not in this log."""

    code = "statement.policy_unknown"


class OldPolicyError(CoordinatorError):
    """A ceremony is opened under the newest policy."""

    code = "request.policy_not_current"


class UnknownCeremonyError(CoordinatorError):
    """No ceremony has this id."""

    code = "ceremony.unknown"


class AnnexError(CoordinatorError):
    """The text is not the one that the statement commits to."""

    code = "annex.commitment"
    usual_hint = "send the salt and the text with which the statement was signed"


class SeenCheckpointError(CoordinatorError):
    """The statement names a checkpoint that this log never signed."""

    code = "statement.checkpoint"


class EvidenceUnknownError(CoordinatorError):
    """No evidence is stored under this digest."""

    code = "evidence.unknown"
    usual_hint = "compare the digest with the one in the request"


class EvidenceTooLargeError(CoordinatorError):
    """One file of evidence is bounded."""

    code = "evidence.too_large"


class EvidenceBusyError(CoordinatorError):
    """A caller has a share of the files on their way, and all callers together have a bound."""

    code = "evidence.busy"
    retryable = True
    usual_hint = "try again when the others are through"


class EvidenceTooSlowError(CoordinatorError):
    """A file that comes too slowly would hold its place for ever."""

    code = "evidence.too_slow"
    usual_hint = "send it again over a better connection, or send less"


class EvidenceQuotaError(CoordinatorError):
    """Evidence that no request names takes room only for a while, and so much of it."""

    code = "evidence.quota"


class EvidenceNotAllowedError(CoordinatorError):
    """Only those who may request have evidence to send."""

    code = "evidence.uploader"
    usual_hint = "ask a member of a role that requests to send it"


class PageTokenError(CoordinatorError):
    """The token was not given out by this list."""

    code = "page.token"
    usual_hint = "begin at the first page again"


class SizeAheadError(CoordinatorError):
    """The caller knows a larger log than this coordinator has."""

    code = "log.size_ahead"


class StreamTooSlowError(CoordinatorError):
    """The reader fell too far behind; it resumes from its last index."""

    code = "stream.too_slow"
    retryable = True


class NotPublishableError(CoordinatorError):
    """Only an approved ceremony has a bundle."""

    code = "bundle.not_approved"


class NotAWitnessError(CoordinatorError):
    """The policy in force has no witness key for this signer."""

    code = "caller.not_a_witness"


class UncosignedError(CoordinatorError):
    """A checkpoint was handed in without the cosignature of whoever handed it in."""

    code = "log.cosignature_missing"


class WitnessRefusedError(CoordinatorError):
    """A witness elsewhere did not cosign."""

    code = "log.witness_refused"
    retryable = True


class UnknownCheckpointError(CoordinatorError):
    """The checkpoint is none that this coordinator signed."""

    code = "log.checkpoint_unknown"


class TimestampAwaitedError(CoordinatorError):
    """A bundle waits a moment for the timestamp of its conclusion."""

    code = "timestamp.awaited"
    usual_hint = "nothing needs to be done: after a minute it is published without"


class BundleError(CoordinatorError):
    """The coordinator's own bundle did not verify; it is not published."""

    code = "bundle.not_verified"


class DestinationError(CoordinatorError):
    """A destination did not take the bundle, or gave other bytes back."""

    code = "publication.destination"
    retryable = True


# Telling people


class NudgeNotAllowedError(CoordinatorError):
    """Only those who take part in a ceremony ask others to hurry."""

    code = "nudge.not_allowed"
    usual_hint = "ask the requester to nudge"


class NudgeTooSoonError(CoordinatorError):
    """A ceremony is nudged once an hour, by whomever."""

    code = "nudge.too_soon"


class NudgeNobodyError(CoordinatorError):
    """Nobody is awaited whom the coordinator could tell."""

    code = "nudge.nobody"
    usual_hint = "see who is missing, and ask them yourself: `quorumseal why`"


class NotTakenError(CoordinatorError):
    """A receiver did not take the notice now; it is tried again."""

    code = "notice.not_taken"
    usual_hint = "the coordinator tries again by itself; see that the receiver answers"
    retryable = True


class NoticeRefusedError(CoordinatorError):
    """A receiver will not take this notice; it is not asked again."""

    code = "notice.refused"
    usual_hint = "mend the receiver, or its address in the coordinator's settings"


class OwnAddressError(NoticeRefusedError):
    """A receiver's address leads to the coordinator itself."""

    code = "notice.own_address"
    usual_hint = "name the receiver's own address in the coordinator's settings"

# SPDX-License-Identifier: Apache-2.0
"""Why a bundle was not accepted, beyond what the rules, the log and the signatures say themselves."""

from quorumseal.refusal import Refusal


class VerificationError(Refusal):
    """Base of the verifier's own refusals."""


class BundleFormatError(VerificationError):
    """The file is not a bundle, or not one of this format."""

    code = "bundle.format"


class TrustFormatError(VerificationError):
    """The trust file is not one."""

    code = "trust.format"


class PolicyChainError(VerificationError):
    """The policy chain does not lead from the pinned version to the one that was used."""

    code = "policy_chain.broken"


class PolicyNotYetError(VerificationError):
    """A ceremony concluded under a policy that did not hold yet."""

    code = "policy_chain.not_yet"


class PolicyTooOldError(PolicyChainError):
    """The policy is older than the minimum version that the trust file asks for."""

    code = "policy_chain.below_minimum"


class PolicyForkError(PolicyChainError):
    """Two different policies of one version were approved, each by its quorums."""

    code = "policy_chain.forked"
    usual_hint = "people with a quorum's keys approved both: trust neither before you know why"

    def __init__(self, message: str, *, evidence: bytes, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.evidence = evidence
        """Both versions, as a bundle would hold them."""


class OtherBytesError(VerificationError):
    """The artifact is not among those that were approved."""

    code = "artifact.other_bytes"


class NothingToVerifyError(VerificationError):
    """No artifact was given: nothing is never verified."""

    code = "artifact.none"


class OtherProductError(VerificationError):
    """The bundle is for another product than the one asked for."""

    code = "bundle.product"


class QuorumShortError(VerificationError):
    """The ceremony is open: its quorum is not met."""

    code = "quorum.short"


class RejectedError(VerificationError):
    """The ceremony was rejected."""

    code = "ceremony.rejected"


class UnapprovedError(VerificationError):
    """The ceremony expired, or was cancelled or superseded, before its quorum."""

    code = "ceremony.unapproved"


class SeenCheckpointError(VerificationError):
    """A statement names a checkpoint that the bundle does not connect to its own."""

    code = "log.seen_checkpoint"


class ConclusionCheckpointError(VerificationError):
    """The bundle's checkpoint is not the one signed when the ceremony concluded."""

    code = "log.conclusion_checkpoint"


class CosignaturesMissingError(VerificationError):
    """Fewer of the log's witnesses vouch for it than the policy asks for."""

    code = "log.cosignatures"

    def __init__(
        self, message: str, *, asked: int, got: int, missing: tuple[str, ...], hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.asked = asked
        self.got = got
        self.missing = missing
        """The names of those who have not cosigned."""


class CosignatureTimeError(VerificationError):
    """A witness cosigned, as it says, before what it vouches for had happened, or has yet to."""

    code = "log.cosignature_time"


class WitnessedCheckpointError(VerificationError):
    """A cosigned checkpoint of the bundle does not hold its conclusion."""

    code = "log.witnessed_checkpoint"


class OtherKindError(VerificationError):
    """The bundle's ceremonies are not those of a release."""

    code = "bundle.kind"


class ProvisionalError(VerificationError):
    """An emergency approved the artifact, and nobody has ratified it."""

    code = "provisional.not_allowed"


class LapsedError(VerificationError):
    """An emergency was not ratified in time, or its provisional bundle is past its end."""

    code = "provisional.lapsed"


class ProvisionalClockError(ProvisionalError):
    """This machine's clock lies before the end of the emergency: it cannot say when the release stops."""

    code = "provisional.clock"
    usual_hint = "check this machine's clock"


class UnloggedError(VerificationError):
    """The decisions are in no log: nothing shows when they were made, or that none was left out."""

    code = "unlogged.not_allowed"


class UnloggedTooLateError(UnloggedError):
    """A bundle without a log is never accepted after its request's hard stop."""

    code = "unlogged.too_late"


class UnloggedClockError(UnloggedError):
    """This machine's clock lies before the end of the ceremony: it cannot say when the release stops."""

    code = "unlogged.clock"
    usual_hint = "check this machine's clock"


class DrillError(VerificationError):
    """Everything holds, under a policy that is for exercises."""

    code = "drill.exercise"


class RevokedError(VerificationError):
    """The organisation took the release back."""

    code = "revoked.release"


class RevokedKeyError(VerificationError):
    """Without what revoked keys signed since then, the quorum is short."""

    code = "revoked.key"


class TimestampMissingError(VerificationError):
    """The trust file or a flag asks for a timestamp of the conclusion, and there is none."""

    code = "timestamp.missing"


class StatusMissingError(VerificationError):
    """The trust file demands a status file, and none was given."""

    code = "status.missing"


class StatusStaleError(VerificationError):
    """The status file is older than the trust file allows, or dated ahead of this machine's clock."""

    code = "status.stale"


class StatusFormatError(VerificationError):
    """The file is not a status file of this organisation's log."""

    code = "status.format"

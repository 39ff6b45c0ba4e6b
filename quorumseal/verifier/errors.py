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


class PolicyTooOldError(PolicyChainError):
    """The policy is older than the minimum version that the trust file asks for."""

    code = "policy_chain.below_minimum"


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

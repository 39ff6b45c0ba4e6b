# SPDX-License-Identifier: Apache-2.0
"""Why somebody was not enrolled, or an organisation not founded."""

from quorumseal.ceremony.errors import CeremonyError


class InvitationFormatError(CeremonyError):
    """The text is not an invitation's code."""

    code = "invitation.malformed"
    usual_hint = "copy the whole code from the invitation: eight groups of four, such as 03fa"


class OtherInvitationError(CeremonyError):
    """The enrolment was signed for another organisation, person or invitation."""

    code = "enrolment.other_invitation"
    usual_hint = "enrol again with the invitation that is meant: quorumseal agent enroll"


class OtherCertificateRequestError(CeremonyError):
    """The enrolment was signed with another certificate request than the one beside it."""

    code = "enrolment.other_request"
    usual_hint = "send the certificate request whose digest both keys signed"


class NotBothKeysError(CeremonyError):
    """The enrolment does not have one signature of each of its two keys, and nothing else."""

    code = "enrolment.not_both_keys"
    usual_hint = "sign it with the signing key and with the witness key, once each"


class WitnessKeyError(CeremonyError):
    """A witness key is an Ed25519 key that is used for nothing else."""

    code = "enrolment.witness_key"
    usual_hint = "make a new Ed25519 key for the witness; it never approves"


class KeyTakenError(CeremonyError):
    """Somebody already has this key, however it was written."""

    code = "key.taken"
    usual_hint = "make a new key: each is one person's, and is enrolled once"


class NotEnrolledError(CeremonyError):
    """The first policy has signers whose keys nobody knows yet."""

    code = "founding.not_enrolled"
    usual_hint = "wait until they have used their invitations, or invite them: quorumseal org invite NAME"


class FoundersShortError(CeremonyError):
    """All founders together are not the quorum that the first policy itself asks for."""

    code = "founding.founders_short"
    usual_hint = "invite more of the governance roles with --founder, or lower a threshold in policy.toml"


class NewcomerUnknownError(CeremonyError):
    """Nobody of that name enrolled."""

    code = "enrolment.unknown"


class NewcomerKeyError(CeremonyError):
    """Somebody enrolled more than one key, and nobody said which."""

    code = "enrolment.which_key"

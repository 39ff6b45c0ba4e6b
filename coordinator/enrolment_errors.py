# SPDX-License-Identifier: Apache-2.0
"""Why the coordinator did not let somebody in, or found the organisation."""

from coordinator.errors import CoordinatorError


class InvitationUnknownError(CoordinatorError):
    """No invitation of this organisation has this code."""

    code = "invitation.unknown"
    usual_hint = "compare the code with the invitation's, or ask the operator for a new one"


class InvitationUsedError(CoordinatorError):
    """An invitation is used once."""

    code = "invitation.used"
    usual_hint = "if it was not you, tell the operator at once; then ask for a new invitation"


class InvitationExpiredError(CoordinatorError):
    """The invitation's time is over."""

    code = "invitation.expired"
    usual_hint = "ask the operator for a new invitation"


class InvitationWithdrawnError(CoordinatorError):
    """The operator has taken the invitation back."""

    code = "invitation.withdrawn"
    usual_hint = "ask the operator for a new invitation"


class TooManyGuessesError(CoordinatorError):
    """Too many codes that nobody has came from one place."""

    code = "invitation.too_many_guesses"
    retryable = True
    usual_hint = "wait a minute, and type the code as the invitation has it"


class NotInPolicyError(CoordinatorError):
    """Whoever founds an organisation stands in its policy.toml."""

    code = "invitation.not_in_policy"
    usual_hint = "name one of them, or add the person to policy.toml first"


class FounderLaterError(CoordinatorError):
    """Nobody founds an organisation that is founded."""

    code = "invitation.founder_later"
    usual_hint = "invite them without --founder; a policy change then takes them in"


class NoInvitationError(CoordinatorError):
    """There is no invitation of this name that could be withdrawn."""

    code = "invitation.none_open"
    usual_hint = "see which there are: quorumseal org invitations"


class EnrolmentClockError(CoordinatorError):
    """An enrolment is signed after its invitation was made, and not in the future."""

    code = "enrolment.clock"
    usual_hint = "set this machine's clock, then enrol again"


class NoAuthorityError(CoordinatorError):
    """This coordinator has no certificate authority."""

    code = "certificate.no_authority"
    usual_hint = "ask the operator for a certificate, or to add [authority] to the settings"


class NotASignerError(CoordinatorError):
    """Whoever is in no policy any more gets no certificate any more."""

    code = "certificate.not_a_signer"
    usual_hint = "ask the operator for a new invitation, if you are to come back"


class NoCertificatesError(CoordinatorError):
    """This coordinator issued nothing to that name that would still let anybody in."""

    code = "certificate.none_issued"
    usual_hint = "for a certificate made elsewhere, add its serial number to tls.revoked in the settings"


class FoundingError(CoordinatorError):
    """The organisation is not founded yet."""

    code = "coordinator.founding"
    retryable = True
    usual_hint = "see who is missing: quorumseal org genesis"


class OtherPayloadError(CoordinatorError):
    """What was signed is not what founders sign now."""

    code = "founding.other_payload"
    usual_hint = "fetch the first policy again, look at it, and sign that: quorumseal org genesis"


class NotAFounderError(CoordinatorError):
    """Only those who were invited as founders sign the first policy."""

    code = "founding.not_a_founder"
    usual_hint = "wait for the founders; nothing is asked of you"


class FoundersSignatureError(CoordinatorError):
    """The signature is not by the key that the founder enrolled."""

    code = "founding.signature"
    usual_hint = "sign with the key that you enrolled"


class SignedAlreadyError(CoordinatorError):
    """A founder has signed what would be replaced."""

    code = "founding.signed_already"
    usual_hint = "to throw their signatures away and ask everybody again: quorumseal org compile --again"


class FoundedAlreadyError(CoordinatorError):
    """The organisation is founded: its policy changes by a policy change."""

    code = "founding.over"
    usual_hint = "propose the next version: quorumseal policy propose"


class ForeignPolicyError(CoordinatorError):
    """The first policy is about another organisation, log key or authority than this coordinator's."""

    code = "founding.foreign_policy"
    usual_hint = "name this coordinator's own in policy.toml; quorumseal org init wrote them there"

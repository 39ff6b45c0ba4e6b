# SPDX-License-Identifier: Apache-2.0
"""Why a request opens no ceremony."""

from quorumseal.ceremony.errors import CeremonyError


class UnknownProductError(CeremonyError):
    """The policy has no rule for this product."""

    code = "request.product"


class RequesterNotAllowedError(CeremonyError):
    """The rule does not let this signer request."""

    code = "request.requester"


class OnBehalfOfError(CeremonyError):
    """A machine must say for which person it asks; a person asks for themselves."""

    code = "request.on_behalf_of"
    usual_hint = "only a machine asks for somebody else: start without --on-behalf-of"


class DeadlineError(CeremonyError):
    """Opening, deadline and hard stop are not in order, or go past the rule's maximum."""

    code = "request.deadline"


class OpeningTimeError(CeremonyError):
    """The request was signed too far from the time at which it was logged."""

    code = "request.opening_time"


class QuorumUnreachableError(CeremonyError):
    """Without the requester nobody could meet the quorum."""

    code = "request.quorum_unreachable"


class OpenCeremonyExistsError(CeremonyError):
    """Another ceremony for this product, version and kind is open."""

    code = "request.open_exists"


class AlreadyApprovedError(CeremonyError):
    """Another ceremony for this product, version and kind was approved."""

    code = "request.already_approved"


class MustSupersedeError(CeremonyError):
    """Other bytes were requested under this version before; the new request must say so."""

    code = "request.must_supersede"


class SupersedesUnknownError(CeremonyError):
    """The request supersedes something that is not there to be superseded."""

    code = "request.supersedes"


class CeremonyExistsError(CeremonyError):
    """The ceremony id is taken."""

    code = "request.ceremony_exists"


class RequestTooLargeError(CeremonyError):
    """The request leaves no room in a bundle for the approvals that its quorum needs."""

    code = "request.too_large"


class EmergencyError(CeremonyError):
    """The rule has no break-glass, or the request does not fit it."""

    code = "emergency.request"


class EmergencyTimesError(CeremonyError):
    """The end of the provisional bundle or of its ratification lies too far off, or too early."""

    code = "emergency.times"
    usual_hint = "choose instants that the rule's break_glass allows"


class EmergencyLimitError(CeremonyError):
    """Another emergency is open, or the quarter has had its share."""

    code = "emergency.limit"


class EmergencyPeopleError(CeremonyError):
    """After a veto on the same release, or while a report is owed, an emergency needs more people."""

    code = "emergency.people"


class RatificationError(CeremonyError):
    """The ratification is about something else than the emergency that it names, or comes too late."""

    code = "ratification.other"


class ReApprovalError(CeremonyError):
    """The re-approval is about something else than the release that it names, or that was taken back."""

    code = "re_approval.other"


class RevocationError(CeremonyError):
    """The revocation is about something that was not released."""

    code = "revocation.other"


class ProposalError(CeremonyError):
    """A policy change does not propose what follows the policy in force."""

    code = "policy.proposal"

# SPDX-License-Identifier: Apache-2.0
"""Why the rules said no.  Each class is one reason; ``code`` is stable and public."""

from quorumseal.refusal import Refusal


class CeremonyError(Refusal):
    """Base of every refusal by the ceremony rules."""


# What cannot be read or built


class ValueFormatError(CeremonyError):
    """A name, digest, instant or text is not written as the specification says."""

    code = "value.format"
    usual_hint = "write it as docs/spec/encodings.md says"


class StatementFormatError(CeremonyError):
    """A signed statement does not have the shape of its predicate type."""

    code = "statement.format"
    usual_hint = "make it with this version of quorumseal, or as docs/spec/statements.md says"


class NewerFormatError(CeremonyError):
    """A type, kind or mode that this version does not know; never ignored."""

    code = "statement.newer_format"


class EntryFormatError(CeremonyError):
    """A log entry does not have the shape of its type, or is not written canonically."""

    code = "entry.format"


class PolicyError(CeremonyError):
    """A policy contradicts itself, or names what it does not define."""

    code = "policy.invalid"
    usual_hint = "mend policy.toml, then see what `quorumseal policy check` says"


class PolicyUnsatisfiableError(PolicyError):
    """A rule that nobody could ever satisfy."""

    code = "policy.unsatisfiable"


class CalendarError(PolicyError):
    """A calendar that contradicts itself, or hardly ever opens."""

    code = "policy.calendar"


class PolicyUnsignedError(PolicyError):
    """A policy that its own governance quorum did not sign."""

    code = "policy.governance_short"


class RotationTooFastError(PolicyError):
    """A change that would hand a role to people or keys that the policy before does not know."""

    code = "policy.rotation_too_fast"


class LeavingError(PolicyError):
    """Without somebody who leaves, a role or a rule would be left with too few."""

    code = "policy.leaves_too_few"
    usual_hint = "name who takes their place, --replace ROLE=NAME, or lower the threshold by `policy edit`"


class LogSuccessionError(PolicyError):
    """A change that would replace the log, or let a new key tell another past."""

    code = "policy.log_succession"


class KeyRotationError(CeremonyError):
    """A key rotation that does not fit the policy, or that old and new key did not both sign."""

    code = "key.rotation"


# Who signed, under what, and when


class ForeignOrganisationError(CeremonyError):
    """The statement was made for another organisation."""

    code = "statement.organisation"
    usual_hint = "hand it in at the coordinator of its own organisation"


class TimestampTimeError(CeremonyError):
    """A decision's timestamp lies before its signing, or after its entry."""

    code = "timestamp.time"


class ForeignLogError(CeremonyError):
    """The statement was made for another log."""

    code = "statement.log"
    usual_hint = "hand it in at the coordinator of its own log"


class OtherPolicyError(CeremonyError):
    """The statement was made under another policy than the ceremony's."""

    code = "statement.policy"
    usual_hint = "fetch the organisation's policies again, then sign anew"


class UnknownSignerError(CeremonyError):
    """The signer is not in the roster of the policy."""

    code = "signer.unknown"


class StatementSignatureError(CeremonyError):
    """No key of the named signer made this signature."""

    code = "statement.signature"


class KeyNotValidError(CeremonyError):
    """The key was not yet, or no longer, valid."""

    code = "key.not_valid"


# Deciding


class OtherCeremonyError(CeremonyError):
    """The decision or act names another ceremony."""

    code = "statement.ceremony"
    usual_hint = "hand it in for the ceremony that it names"


class OtherRequestError(CeremonyError):
    """The decision or act is about another request."""

    code = "statement.request"


class OtherSubjectsError(CeremonyError):
    """The approval lists other artifacts than the request."""

    code = "statement.subjects"


class CeremonyEndedError(CeremonyError):
    """The ceremony has ended; nothing more is counted."""

    code = "ceremony.ended"


class NotDueError(CeremonyError):
    """The deadline has not passed."""

    code = "ceremony.not_due"


class IllegalTransitionError(CeremonyError):
    """The ceremony is in a state where this cannot happen."""

    code = "ceremony.illegal_transition"
    usual_hint = "look at the ceremony again: `quorumseal show` says where it stands"


class NotAMemberError(CeremonyError):
    """The signer does not belong to the role it wants to count in."""

    code = "decision.not_a_member"
    usual_hint = "consent only to roles that you hold: `quorumseal show` lists them"


class UnknownRoleError(CeremonyError):
    """The rule does not ask for this role."""

    code = "decision.unknown_role"
    usual_hint = "consent only to roles that the rule asks for: `quorumseal show` lists them"


class NarrowedBeforeError(CeremonyError):
    """A policy takes something from a ceremony that it, or a later one, has been handed on to before."""

    code = "ceremony.narrowed_before"


class RemovedSinceError(CeremonyError):
    """A later policy took the key, or the membership, since the ceremony was opened."""

    code = "decision.removed_since"


class RequesterDecidesError(CeremonyError):
    """Whoever asked for the release does not decide on it."""

    code = "decision.requester"


class CheckNotPassedError(CeremonyError):
    """The rule demands a check that the approval does not call passed."""

    code = "decision.check_not_passed"


class ReplacesError(CeremonyError):
    """A second decision must name the signer's standing one, a first one none."""

    code = "decision.replaces"


class TooManyDecisionsError(CeremonyError):
    """A signer changed their mind so often that the bundle would grow past what can be read."""

    code = "decision.too_many"


class CeremonyFullError(CeremonyError):
    """The decisions of a ceremony take as much room as a bundle has for them."""

    code = "ceremony.full"


class SignedBeforeOpeningError(CeremonyError):
    """The decision claims a time before the ceremony was opened."""

    code = "decision.signed_before_opening"


class SignedAfterDeadlineError(CeremonyError):
    """The decision was signed at or after the deadline."""

    code = "decision.signed_after_deadline"
    usual_hint = "nothing more is counted; a new ceremony needs a new request"


class SignedInFutureError(CeremonyError):
    """The decision or act claims a time ahead of the log's."""

    code = "decision.signed_in_future"


class NotAfterPassedError(CeremonyError):
    """The approval's own ``not after`` has passed."""

    code = "decision.not_after"


class CancellationNotAllowedError(CeremonyError):
    """Only who may request may cancel."""

    code = "cancellation.signer"


class EntryNotSeenError(CeremonyError):
    """The act names an entry that is not in this ceremony's chain."""

    code = "act.entry_not_seen"


class OtherStageError(CeremonyError):
    """None of the roles has its turn yet."""

    code = "decision.stage"
    usual_hint = "decide once the stage before is met; `quorumseal why` says what it lacks"


class DelegationUnknownError(CeremonyError):
    """The decision names a delegation that is not live in this ceremony, or not for this signer and role."""

    code = "decision.delegation"
    usual_hint = "look at the ceremony again: the delegation must be in the log, live, and for you"


class UsedUpError(CeremonyError):
    """The signer, or the member that they stand in for, counts already through somebody else's decision."""

    code = "decision.used_up"
    usual_hint = "a delegated seat uses up both people; whoever holds it must abstain first"


# Moving the deadline


class ExtensionNotAllowedError(CeremonyError):
    """Only members of the roles that the rule names move a deadline, and never who asked."""

    code = "extension.signer"


class ExtensionOrderError(CeremonyError):
    """The extension does not follow from the one before."""

    code = "extension.order"
    usual_hint = "look at the ceremony again, then extend it"


class ExtensionDeadlineError(CeremonyError):
    """The new deadline is not later than the old, or past the hard stop."""

    code = "extension.deadline"


class TooManyExtensionsError(CeremonyError):
    """A deadline moves twice at most."""

    code = "extension.too_many"
    usual_hint = "start another ceremony; what is asked twice to wait is perhaps not ready"


# Emergencies


class NoEmergencyError(CeremonyError):
    """What only an emergency has was tried on an ordinary ceremony."""

    code = "emergency.none"
    usual_hint = "to stop an ordinary ceremony, reject it or cancel it"


class VetoNotAllowedError(CeremonyError):
    """The signer has no role, or has vetoed an emergency for this release before."""

    code = "veto.signer"


class ReportNotAllowedError(CeremonyError):
    """Whoever took part in an emergency does not report on it."""

    code = "report.signer"
    usual_hint = "ask somebody of the roster who neither asked, decided nor vetoed"


# Standing acts


class StandingOrderError(CeremonyError):
    """A standing act needs a higher number than the one before."""

    code = "standing.number"
    usual_hint = "look at what is in the log, then sign anew"


class StandingTimeError(CeremonyError):
    """A standing act begins or was signed at the wrong time."""

    code = "standing.time"


class DelegationNotAllowedError(CeremonyError):
    """The delegation goes to somebody who may not stand in, or leads in a circle."""

    code = "delegation.deputy"
    usual_hint = "delegate to a deputy whom the policy lists for the role"


class AbsenceMissingError(CeremonyError):
    """There is no absence to withdraw."""

    code = "standing.not_away"
    usual_hint = "nothing needs to be withdrawn"


class DelegationMissingError(CeremonyError):
    """There is no live delegation of this role to withdraw."""

    code = "delegation.missing"
    usual_hint = "nothing needs to be withdrawn"


# Keys that sign no more, and people who do not count for a while


class KeyUnknownError(CeremonyError):
    """No policy of the organisation lists this key."""

    code = "key.unknown"
    usual_hint = "`quorumseal key list` shows the keys of everybody"


class KeyRevokedError(CeremonyError):
    """The key signs no more."""

    code = "key.revoked"
    usual_hint = "sign with another key of yours, or have one added by a policy change"


class RequestKeyRevokedError(CeremonyError):
    """The request was made by a key that signs no more since before."""

    code = "request.key_revoked"
    usual_hint = "have it cancelled, and start another ceremony"


class RevocationSignerError(CeremonyError):
    """Another key of the owner revokes a key, or two guardians do."""

    code = "revocation.signer"
    usual_hint = "sign with another key of its owner, or as two guardians"


class RevocationLaterError(CeremonyError):
    """A revocation would move to a later instant, or stay where it is."""

    code = "revocation.later"
    usual_hint = "a revocation only ever moves to an earlier instant; nothing takes one back"


class SignerSuspendedError(CeremonyError):
    """The signer, or the member that they stand in for, does not count for a while."""

    code = "signer.suspended"
    usual_hint = "wait for its end; `quorumseal key list` says when that is"


class SuspensionSignerError(CeremonyError):
    """Two guardians suspend somebody else together."""

    code = "suspension.signer"
    usual_hint = "ask two people who guard, and who are not the one that is to be suspended"


class SuspensionShorterError(CeremonyError):
    """A suspension would end earlier, or when it does already."""

    code = "suspension.shorter"
    usual_hint = "a suspension ends only by its date; only a later one changes it"


# The chain of entries


class ChainBrokenError(CeremonyError):
    """An entry is missing, repeated, reordered, or belongs to another chain."""

    code = "chain.broken"


class ChainTimeError(CeremonyError):
    """An entry's time lies before the entry that it follows."""

    code = "chain.time"


class ChainOutcomeError(CeremonyError):
    """The log says something else than what the rules make of its entries."""

    code = "chain.outcome"

# SPDX-License-Identifier: Apache-2.0
"""Why the agent did not do as asked, beyond what the rules, the log and the signatures say themselves."""

from typing import ClassVar

from quorumseal.refusal import Refusal


class AgentError(Refusal):
    """Base of the agent's own refusals."""


# The agent's own place


class HomeError(AgentError):
    """The agent's directory is missing, or is not one."""

    code = "usage.home"


class SettingsError(AgentError):
    """``agent.toml`` does not say what it must."""

    code = "usage.settings"


class NoTimestampError(AgentError):
    """The settings ask for a timestamp of every decision, and there is none."""

    code = "timestamp.required"


class NoRotationError(AgentError):
    """There is no rotation of this agent's key to go on with, or no policy lists the new key yet."""

    code = "key.not_rotating"


class KeyStillNeededError(AgentError):
    """Something waits that only the old key can decide."""

    code = "key.still_needed"


class ExposedFileError(AgentError):
    """A file that holds a secret can be read by others."""

    code = "key.exposed"


class HomeExistsError(AgentError):
    """Something is in the place where a home is to be made: nothing is overwritten."""

    code = "usage.exists"


class CertificateFileError(AgentError):
    """The file of a certificate holds none."""

    code = "usage.certificate"


class PassphraseError(AgentError):
    """There is no way to ask for the passphrase."""

    code = "usage.passphrase"


class BusyError(AgentError):
    """Another process works in the agent's directory."""

    code = "agent.busy"


class AlreadyRunningError(AgentError):
    """One directory has one running agent."""

    code = "agent.already_running"


class JournalError(AgentError):
    """The journal is not one, or of another version."""

    code = "agent.journal"


# What was asked of it


class UsageError(AgentError):
    """The command cannot mean anything as it was given."""

    code = "usage.arguments"


class OutOfReachError(AgentError):
    """No calendar reaches as far as was asked for, or the policy's hardly ever opens."""

    code = "usage.deadline"


class UnknownZoneError(AgentError):
    """The policy's calendar is in a time zone that this machine has no rules of."""

    code = "usage.zone"


class NoSuchCeremonyError(AgentError):
    """No ceremony is named so."""

    code = "usage.ceremony"


class AmbiguousCeremonyError(AgentError):
    """Several ceremonies are named so."""

    code = "usage.ceremony_ambiguous"


class UnreadableTextError(UsageError):
    """A text has characters in it that no screen shows as they are."""

    code = "usage.unreadable_text"


class NotConfirmedError(AgentError):
    """Nobody said yes."""

    code = "usage.not_confirmed"


class GridRowError(AgentError):
    """One of the re-approvals in a list is none that anybody should approve."""

    code = "grid.row"


class GridChangedError(AgentError):
    """The list of re-approvals is not the one that was shown."""

    code = "grid.changed"


class ArtifactsMissingError(AgentError):
    """Not every artifact was found, so not every digest was checked."""

    code = "usage.artifacts_missing"


class LocatorError(AgentError):
    """A locator cannot be fetched, or must not be."""

    code = "usage.locator"


class NotARosterKeyError(AgentError):
    """The key is not one of this signer's keys in the policy."""

    code = "key.not_in_roster"


class TextMissingError(AgentError):
    """A text without which nobody can judge what is asked is not here, or says too little."""

    code = "request.text_missing"
    usual_hint = "reject it, or ask the requester to start again and say why"


class NotAwaitedError(AgentError):
    """This signer holds no role in which they could decide."""

    code = "decision.not_a_member"


class DecidedMeanwhileError(AgentError):
    """Another decision was signed between the review and this one."""

    code = "decision.meanwhile"


# Joining, and founding


class OtherFingerprintError(AgentError):
    """The server that answered is not the one that the invitation names."""

    code = "coordinator.other_fingerprint"


class OtherCertificateError(AgentError):
    """The certificate that came back is for somebody else, or for another key."""

    code = "coordinator.other_certificate"


class OtherHomeError(AgentError):
    """The invitation is for somebody else than the home's owner."""

    code = "usage.other_home"


class OtherPolicyError(AgentError):
    """The first policy is not the one that was confirmed, or not what its signers enrolled for."""

    code = "founding.other_policy"


# What the coordinator said


class OlderPolicyError(AgentError):
    """The coordinator offers an older policy than one that this agent has seen."""

    code = "policy_chain.below_seen"


class UnknownProposalError(AgentError):
    """A ceremony is under a policy that nobody adopted or proposed."""

    code = "policy_chain.unknown"


class LogBehindError(AgentError):
    """The coordinator's log is shorter than it was."""

    code = "log.behind"


class HiddenEntriesError(AgentError):
    """Entries of a ceremony that were shown before are gone, or others stand in their place."""

    code = "log.hidden_entries"


class ForkError(AgentError):
    """The log signed two histories."""

    code = "fork.found"


class BlockedError(AgentError):
    """After a fork the agent signs nothing until an operator says so."""

    code = "fork.blocked"


class CosignedElsewhereError(AgentError):
    """Another program has cosigned more with this agent's witness key."""

    code = "log.cosigned_elsewhere"


class WitnessMemoryError(AgentError):
    """What this agent's witness cosigned last cannot be read, so it cosigns nothing."""

    code = "log.cosigned_unknown"


class OtherAnswerError(AgentError):
    """The coordinator answered something else than what was asked."""

    code = "log.other_answer"


class ReceiptError(AgentError):
    """What came back is no receipt for what was sent."""

    code = "log.receipt"


class NoReceiptError(AgentError):
    """What was signed and sent has no receipt yet."""

    code: ClassVar[str] = "coordinator.no_receipt"

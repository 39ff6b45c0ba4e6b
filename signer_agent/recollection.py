# SPDX-License-Identifier: Apache-2.0
"""What the journal remembers, as values, and what a new request may not contradict."""

from dataclasses import dataclass
from enum import StrEnum, unique

from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.statements import Decision, Request, Statement
from quorumseal.client.values import Annex
from quorumseal.signatures import Envelope


@unique
class Fate(StrEnum):
    """What became of something that was signed."""

    STORED = "stored"
    """Nobody has acknowledged it: it is sent again until somebody does."""
    RECORDED = "recorded"
    """Its receipt is here."""
    VOID = "void"
    """The rules themselves cannot take it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Something that this agent signed."""

    digest: str
    ceremony: str
    """Empty for what is signed outside any ceremony."""
    statement: Statement
    envelope: Envelope
    annexes: tuple[Annex, ...]
    """The texts that it commits to."""
    fate: Fate
    state: str | None
    """Of the ceremony when the receipt came."""
    timestamp: bytes = b""
    """The token that says when it was decided; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDecision:
    """What this signer last decided on a product, and the policy that then held."""

    decision: Decision
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A request for the same product, version and kind that this agent was shown."""

    digest: str
    request: Request
    approved: bool
    """This agent signed an approval of it."""
    end: EntryType | None
    """How its ceremony ended, as far as this agent was shown."""
    policy: Policy | None = None
    """The policy that it was made under, where this agent has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What the journal has to say about one release."""

    last: LastDecision | None = None
    own: tuple[Stored, ...] = ()
    """What this agent signed in the ceremony, oldest first."""
    signed: frozenset[str] = frozenset()
    """All that this agent signed about the release, in whichever ceremony."""
    known: tuple[Known, ...] = ()

    @property
    def pending(self) -> Stored | None:
        """What was signed in the ceremony and has no receipt."""
        return next((stored for stored in self.own if stored.fate is Fate.STORED), None)

    def superseded_by(self, request: Request) -> Known | None:
        """Return the request whose place another one takes, if this agent was shown it."""
        return next((known for known in self.known if known.digest == request.supersedes), None)

    def conflict(self, request: Request) -> Known | None:
        """Return an earlier request for other bytes that still counts; one version is one set of bytes.

        What its quorum approved stays approved, whatever a later request says.  What this agent approved
        counts until its ceremony is shown to have ended and the request, by itself or through others, takes
        its place.
        """
        superseded = self._superseded_by(request)
        for earlier in self.known:
            if set(earlier.request.subjects) == set(request.subjects):
                continue
            if earlier.end is EntryType.APPROVED:
                return earlier
            if earlier.approved and (earlier.digest not in superseded or earlier.end is None):
                return earlier
        return None

    def _superseded_by(self, request: Request) -> set[str]:
        before = {known.digest: known.request.supersedes for known in self.known}
        superseded: set[str] = set()
        latest = request.supersedes
        while latest is not None and latest not in superseded:
            superseded.add(latest)
            latest = before.get(latest)
        return superseded

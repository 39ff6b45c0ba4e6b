# SPDX-License-Identifier: Apache-2.0
"""Whether the log has one history, and all that was ever seen of it: looked at once a minute, by the clock.

A log that is shorter than it was accuses nobody: its database was set back and will be recovered, or its
coordinator lags behind another.  Until it has all of it again nothing is signed.  Others may have seen more
of it than this agent has: so the coordinator is asked whether it lacks anything.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.client.errors import ClientError
from quorumseal.client.retrying import wait_before
from quorumseal.refusal import Refusal
from signer_agent.agent import Agent
from signer_agent.errors import ForkError
from signer_agent.handing_back import Returned, hand_back
from signer_agent.observing import observe_head, observe_policy

CHECK_EVERY = timedelta(minutes=1)
LONGEST_PAUSE = 10.0
"""How long a log that is short is left alone, in seconds."""
_SHORTER = frozenset({"log.rewound", "log.behind", "log.size_ahead"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look at the log found."""

    returned: Returned | None = None
    """What was handed back of what the log has lost; none where nothing is new about that."""
    recovered: bool = False
    """Whether it was short, and is whole again."""
    refusal: Refusal | None = None
    """What is wrong beside that."""


@dataclass(slots=True)
class LogCheck:
    """One run's view of the log."""

    agent: Agent
    policy: SignedPolicy | None = None
    """The one in force."""
    newest: bytes = b""
    """The newest checkpoint that was verified, signed."""
    size: int = 0
    """How many entries that has."""
    short: bool = False
    """Whether the log lacks entries that it had."""
    _looked_at: datetime | None = field(default=None, init=False)
    _returned: Returned | None = field(default=None, init=False)
    _returned_at: datetime | None = field(default=None, init=False)
    _looks: int = field(default=0, init=False)
    """How often it was found to be short."""

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return self._looked_at is None or self.agent.now() - self._looked_at >= CHECK_EVERY

    @property
    def pause(self) -> float:
        """For how many seconds to leave the log alone; where it is short, not all agents ask at once."""
        if self.short:
            return wait_before(self._looks, longest=LONGEST_PAUSE)
        if self._looked_at is None:
            return 0.0
        return max((self._looked_at + CHECK_EVERY - self.agent.now()).total_seconds(), 0.0)

    def expire(self) -> None:
        """Make a look due: something was refused for what it would find."""
        self._looked_at = None

    def not_begun(self) -> None:
        """Go on waiting: the log is whole again, and what should have followed was refused."""
        self.short = True

    def look(self) -> Found:
        """Look; only a fork is raised.  Between two looks, a log that is rewound is only asked after."""
        if self._returned is not None and not self.is_due:
            asked = self._hand_back()
            if isinstance(asked, Refusal) or asked.rewound:
                return self._still_short(asked)
        self._looked_at = self.agent.now()
        was, refusal = self.short, self._observe()
        if refusal is not None and _is_passing(refusal):
            return Found(refusal=refusal)  # there was no answer: nothing is known
        asked = self._hand_back()
        if isinstance(asked, Returned) and asked.rewound:
            return self._still_short(asked)
        if isinstance(asked, Refusal) and was and _is_passing(asked):
            return Found(refusal=asked)
        self._returned = None
        self.short = refusal is not None and (was or refusal.code in _SHORTER)
        self._looks = self._looks + 1 if self.short or was else 0
        if refusal is None and isinstance(asked, Refusal):
            refusal = asked
        return Found(recovered=was and not self.short, refusal=refusal)

    def _still_short(self, asked: Returned | Refusal) -> Found:
        self._looks += 1
        if isinstance(asked, Refusal):
            return Found(refusal=asked)
        self.short = True
        new, self._returned = asked != self._returned, asked
        return Found(returned=asked if new else None)

    def _observe(self) -> Refusal | None:
        try:
            self.policy = observe_policy(self.agent)
            head = observe_head(self.agent, self.policy)
        except ForkError:
            raise
        except Refusal as refusal:
            return refusal
        self.newest, self.size = head.note, head.size
        return None

    def _hand_back(self) -> Returned | Refusal:
        """Ask what is lost, and hand it back: the same things once a minute at most."""
        at, before = self.agent.now(), self._returned
        if self._returned_at is None or at - self._returned_at >= CHECK_EVERY:
            before = None
        try:
            returned = hand_back(self.agent, self.newest, before=before)
        except Refusal as refusal:
            return refusal
        if returned is not before:
            self._returned_at = at
        return returned


def _is_passing(refusal: Refusal) -> bool:
    return isinstance(refusal, ClientError) and refusal.retryable

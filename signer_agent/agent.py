# SPDX-License-Identifier: Apache-2.0
"""One signer's agent: what every step needs, wired by hand in ``cli.opening`` and in the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from quorumseal.verifier.trust import Trust
from signer_agent.connection import Connection
from signer_agent.home import Home
from signer_agent.journal import Journal
from signer_agent.stamping import Stamping


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Everything but the key, which is opened for one signature and by no step before it."""

    name: str
    home: Home
    journal: Journal
    connection: Connection
    trust: Trust
    now: Callable[[], datetime]
    randomness: Callable[[int], bytes]
    stamping: Stamping | None = None
    """Who says when something was decided, where anybody is asked."""
    upkeep: Callable[[], object] = lambda: None
    """Called now and then by whatever runs for long, and at the end: for what is due by the clock."""

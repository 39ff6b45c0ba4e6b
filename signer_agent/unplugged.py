# SPDX-License-Identifier: Apache-2.0
"""What was seen before, in the place of a coordinator that is down.

It answers what a home keeps or a file brought, which is verified like any coordinator's answer; it takes
nothing in, and it never reaches for the network.
"""

from collections.abc import Callable
from datetime import datetime

from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.values import (
    Acted,
    CeremonyRecord,
    Consistency,
    Decided,
    HandedBack,
    OrganisationRecord,
    Page,
    Receipt,
    StandingRecord,
    Started,
)
from quorumseal.offline.errors import NothingKeptError
from quorumseal.offline.files import KnownOrganisation
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import version_json
from signer_agent.connection import Stream


class Unplugged:
    """A connection that is none."""

    def __init__(self, known: KnownOrganisation, now: Callable[[], datetime]) -> None:
        self._known = known
        self._now = now

    def organisation(self) -> OrganisationRecord:
        """Return the policies and the checkpoint that were seen."""
        policies = tuple(write(version_json(version)) for version in self._known.policies)
        return OrganisationRecord(policies=policies, checkpoint=self._note, now=self._now())

    def consistency(self, *_: object) -> Consistency:
        """Return the newest checkpoint that was seen; nothing can be proved beyond it."""
        return Consistency(checkpoint=self._note, proof=())

    def list_ceremonies(self, *_: object, **__: object) -> Page:
        """Return no summaries: nobody lists anything now."""
        return Page(ceremonies=(), next_token="")

    def ceremony(self, *_: object, **__: object) -> CeremonyRecord:
        """Refuse."""
        raise _down()

    def start(self, *_: object, **__: object) -> Started:
        """Refuse."""
        raise _down()

    def decide(self, *_: object, **__: object) -> Decided:
        """Refuse."""
        raise _down()

    def act(self, *_: object, **__: object) -> Acted:
        """Refuse."""
        raise _down()

    def stand(self, *_: object, **__: object) -> Receipt:
        """Refuse."""
        raise _down()

    def evidence(self, *_: object, **__: object) -> bytes:
        """Refuse."""
        raise _down()

    def standing(self, *_: object, **__: object) -> StandingRecord:
        """Refuse."""
        raise _down()

    def hand_back(self, *_: object, **__: object) -> HandedBack:
        """Refuse."""
        raise _down()

    def follow(self, *_: object, **__: object) -> Stream:
        """Refuse."""
        raise _down()

    @property
    def _note(self) -> bytes:
        if self._known.checkpoint is None:
            raise NothingKeptError(
                "expected a checkpoint of the log that this home has seen, found none",
                hint="give --organisation FILE, such as organisation.json of your break-glass kit",
            )
        return self._known.checkpoint


def _down() -> CoordinatorUnreachableError:
    return CoordinatorUnreachableError(
        "expected the coordinator's answer, but this is done without it",
        hint="import what was signed once the coordinator is up again",
    )

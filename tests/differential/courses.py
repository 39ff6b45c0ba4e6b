# SPDX-License-Identifier: Apache-2.0
"""Ceremonies under way, the log that they go to, and the bundle that is published of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Command
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.bundle import Bundle, write_bundle
from quorumseal.verifier.part import Part
from quorumseal.verifier.trust import write_trust
from quorumseal.verifier.witnessing import Witnessed
from tests.burning import DAY, MINUTE, joins
from tests.organisation import ARTIFACT, NOW, Organisation
from tests.simulated_log import SimulatedLog


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A bundle, and what somebody asks about it."""

    name: str
    bundle: bytes
    trust: bytes
    digests: dict[str, str] = field(default_factory=lambda: {"widget.tar.gz": digest_of(ARTIFACT)})
    now: datetime = NOW + DAY
    status: bytes | None = None
    allow_provisional: bool = False
    allow_unlogged: bool = False


class Course:
    """A ceremony under way, with its entries."""

    def __init__(self, acme: Organisation, request: Request, **opening: object) -> None:
        self.acme = acme
        signed = acme.sign_request(request)
        self.chain, entry = open_chain(acme.policy, signed, at=request.opened_at, **opening)  # type: ignore[arg-type] # passed on
        self.entries = [entry]

    def does(self, command: Command, minute: int) -> "Course":
        """Let somebody do something."""
        at = self.chain.ceremony.request.statement.opened_at + MINUTE * minute
        self.chain, more = extend(self.chain, command, at=at)
        self.entries += more
        return self

    def approve(self, *signers: str, minute: int = 1, **more: object) -> "Course":
        """Let people approve, a minute apart."""
        for number, signer in enumerate(signers):
            self.decide(signer, Choice.APPROVAL, minute + number, **more)
        return self

    def decide(self, signer: str, choice: Choice, minute: int, **more: object) -> "Course":
        """Let somebody decide."""
        at = self.chain.ceremony.request.statement.opened_at + MINUTE * minute
        command = joins(self.chain, signer, choice, acme=self.acme, at=at, **more)  # type: ignore[arg-type] # passed on
        return self.does(command, minute)


class Story:
    """A log, and the parts of a bundle that come from it."""

    def __init__(self, acme: Organisation) -> None:
        self.acme = acme
        self.log = SimulatedLog(acme)
        self.parts: list[Part] = []
        self.witnessed: list[Witnessed] = []

    def add(self, *courses: Course) -> "Story":
        """Log ceremonies, each after the one before."""
        for course in courses:
            self.log.append(course.entries)
            also: Collection[int] = {self.parts[-1].index + 1} if self.parts else ()
            self.parts.append(self.log.part(course.entries, also=also))
        return self

    def scene(self, name: str, **more: object) -> Scene:
        """Publish it."""
        whole = Bundle(
            policies=tuple(self.log.versions), parts=tuple(self.parts), witnessed=tuple(self.witnessed)
        )
        bundle = write_bundle(whole)
        return Scene(name=name, bundle=bundle, trust=write_trust(self.log.trust), **more)  # type: ignore[arg-type] # passed on

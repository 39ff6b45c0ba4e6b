# SPDX-License-Identifier: Apache-2.0
"""What there is to decide: a release that is right, and one whose bytes are others than were asked for."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice, Decision, Mode, Request, Subject
from quorumseal.ceremony.values import digest_of
from signer_agent.agent import Agent
from signer_agent.practising.coordinator import PracticeCoordinator
from signer_agent.practising.organisation import PRODUCT, ROLE
from signer_agent.requesting import new_ceremony_id

ARTIFACT = f"{PRODUCT}.tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One release, what whoever practises finds on their machine, and what is right to do."""

    version: str
    asked: bytes
    found: bytes
    choice: Choice
    before: str
    after: str
    reason: str | None = None


LESSONS = (
    Lesson(
        version="1.0",
        asked=b"the bytes of kettle 1.0\n",
        found=b"the bytes of kettle 1.0\n",
        choice=Choice.APPROVAL,
        before="kettle 1.0 is asked for. Your build has the same bytes: look, then approve it.",
        after="A colleague approved, too: two of two, and kettle 1.0 is approved.",
    ),
    Lesson(
        version="1.1",
        asked=b"the bytes of kettle 1.1, and something else\n",
        found=b"the bytes of kettle 1.1\n",
        choice=Choice.REJECTION,
        before="kettle 1.1 is asked for, but your build has other bytes: look, then reject it.",
        after="One rejection ends it: nobody can release kettle 1.1 now.",
        reason="the bytes are not those of my build",
    ),
)


def ask(coordinator: PracticeCoordinator, agent: Agent, lesson: Lesson) -> str:
    """Let somebody ask for a lesson's release; return the ceremony."""
    at = agent.now()
    ceremony = new_ceremony_id(agent)
    practice = coordinator.practice
    coordinator.ask(
        Request(
            context=practice.context(practice.asker, coordinator.log.seen, at=at),
            ceremony=ceremony,
            product=PRODUCT,
            version=lesson.version,
            kind=Kind.RELEASE,
            mode=Mode.REGULAR,
            subjects=(Subject(name=ARTIFACT, digest=digest_of(lesson.asked)),),
            deadline=at + timedelta(hours=1),
            hard_stop=at + timedelta(hours=1),
        )
    )
    return ceremony


def let_colleague_approve(coordinator: PracticeCoordinator, agent: Agent, ceremony: str) -> None:
    """Let the other reviewer approve what is open."""
    request = coordinator.chain(ceremony).ceremony.request
    practice = coordinator.practice
    coordinator.colleague_decides(
        Decision(
            context=practice.context(practice.colleague, coordinator.log.seen, at=agent.now()),
            choice=Choice.APPROVAL,
            ceremony=ceremony,
            request=request.digest,
            roles=frozenset({ROLE}),
            subjects=request.statement.subjects,
            checks=(Check(name="artifacts", outcome=CheckOutcome.PASS),),
        )
    )


def put_artifact(folder: Path, lesson: Lesson) -> Path:
    """Put what whoever practises has built where the review looks."""
    place = folder / lesson.version
    place.mkdir()
    (place / ARTIFACT).write_bytes(lesson.found)
    return place

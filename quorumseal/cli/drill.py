# SPDX-License-Identifier: Apache-2.0
"""See what a rehearsed emergency came to, and whom its notices reached.

A drill has a trust root of its own: `org init --local DIR --drill` makes an organisation whose policy says
that it is one, and no verifier ever accepts what it releases.  There, `break-glass start`, `join`, `veto`,
`report` and `ratify` are rehearsed as they are; this looks at the log and says what is missing.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass

from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind, SignerKind
from quorumseal.ceremony.statements import Report
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import add_ceremony, command, open_desk
from quorumseal.cli.errors import NoDrillError
from quorumseal.cli.kinds import is_emergency
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Foreign, Mark, Screen
from quorumseal.verifier.outcomes import Outcome
from signer_agent.background import followers
from signer_agent.observing import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a drill came to, as its log shows."""

    ceremony: Ceremony
    steps: Mapping[str, bool]
    """The steps of an emergency's life, and whether each was taken."""
    told: Mapping[str, frozenset[str]]
    """Everybody who is to be told, and by which channels that arrived."""

    @property
    def unreached(self) -> tuple[str, ...]:
        """Whom nothing reached."""
        return tuple(person for person, channels in self.told.items() if not channels)

    @property
    def complete(self) -> bool:
        """Whether every step was taken and everybody was told."""
        return all(self.steps.values()) and not self.unreached


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``break-glass drill`` takes."""
    add_ceremony(parser)


def run(arguments: Namespace) -> int:
    """Look, and say it."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony, is_emergency)
        if not seen.policy.policy.drill:
            raise NoDrillError(
                f"expected an organisation that rehearses, got {seen.policy.policy.organisation}, "
                "whose policy is in earnest",
                hint="quorumseal org init --local DIR --drill makes one to rehearse with",
            )
        found = rehearsed(seen, followers(desk.agent, seen))
    if arguments.json:
        print_json(_json(found))
    else:
        _draw(screen(), found, arguments)
    return 0 if found.complete else Outcome.PENDING


def rehearsed(seen: Observation, after: tuple[Observation, ...]) -> Rehearsed:
    """Judge a drill by its entries and by what followed it."""
    ceremony, policy = seen.chain.ceremony, seen.policy.policy
    types = {read_entry(payload).type for payload in seen.entries}
    ended = ceremony.state is not State.OPEN
    steps = {"asked for": True, "ended": ended}
    if ceremony.stopped_by is None:
        steps = {
            "asked for": True,
            "joined by enough people": EntryType.WINDOW_OPENED in types,
            "released provisionally": ceremony.state is State.PROVISIONAL,
            "reported on": bool(seen.signed(Report)),
            "ratified": any(_ratified(each.chain.ceremony) for each in after),
        }
    people = [name for name, signer in sorted(policy.signers.items()) if signer.kind is SignerKind.PERSON]
    told = {
        name: frozenset(channel for recipient, channel, _ in ceremony.told if recipient == name)
        for name in people
    }
    return Rehearsed(ceremony=ceremony, steps=steps, told=told)


def _ratified(ceremony: Ceremony) -> bool:
    ratifies = ceremony.request.statement.kind is Kind.RATIFICATION
    return ratifies and ceremony.state is State.APPROVED


def _draw(drawn: Screen, found: Rehearsed, arguments: Namespace) -> None:
    what = release_name(found.ceremony)
    if found.complete:
        drawn.answer(Mark.DONE, f"the drill of {what} is complete, and its notices reached everybody")
    else:
        drawn.answer(Mark.WAITING, f"the drill of {what} is not complete")
    for step, done in found.steps.items():
        drawn.item(Mark.DONE if done else Mark.WAITING, step)
    if found.ceremony.stopped_by is not None:
        drawn.item(Mark.DONE, f"vetoed by {found.ceremony.stopped_by}")
    drawn.heading("Whom its notices reached, by the log")
    for person, channels in found.told.items():
        if channels:
            drawn.item(Mark.DONE, f"{person}: by", Foreign(", ".join(sorted(channels))))
        else:
            drawn.item(Mark.FAILED, f"{person}: by nothing")
    if found.unreached:
        drawn.line("  [notifications] in coordinator.toml says how each person is reached.")
    drawn.next("What it looks like", command(arguments, "show", found.ceremony.request.statement.ceremony))


def _json(found: Rehearsed) -> Json:
    return {
        "ceremony": found.ceremony.request.statement.ceremony,
        "state": str(found.ceremony.state),
        "vetoed_by": found.ceremony.stopped_by,
        "complete": found.complete,
        "steps": dict(found.steps),
        "told": {person: sorted(channels) for person, channels in found.told.items()},
        "unreached": list(found.unreached),
    }

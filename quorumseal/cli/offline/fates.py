# SPDX-License-Identifier: Apache-2.0
"""What became of each statement that was signed without the coordinator, or what would become of it now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Statement
from quorumseal.cli.output import Json
from quorumseal.offline.assembling import command_about
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark
from quorumseal.verifier.outcomes import Outcome, outcome_of
from signer_agent.agent import Agent
from signer_agent.journal import kind_of
from signer_agent.observing import Observation

RELEASED = frozenset({State.APPROVED, State.PROVISIONAL})
SAID = {
    "logged": (Mark.DONE, "is in the log"),
    "late": (Mark.FAILED, "came too late: it is on record, and does not count"),
    "unneeded": (Mark.WAITING, "is not needed any more"),
    "awaited": (Mark.WAITING, "waits for {} to import it"),
    "lost": (Mark.FAILED, "cannot count any more: {} signs anew"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one statement."""

    signer: str
    what: str
    digest: str
    state: str
    """One of those above."""
    refusal: Refusal | None = None


def lines_of(
    agent: Agent, seen: Observation, signed: Sequence[Signed[Statement]], refusals: Mapping[str, Refusal]
) -> Iterator[Line]:
    """Say of each statement what became of it, or what would become of it now."""
    chain, at = seen.chain, max(agent.now(), seen.chain.last_at)
    for each in signed:
        state, refusal = "logged", refusals.get(each.digest)
        if each.digest in seen.chain.statements:
            if read_entry(seen.entries[seen.chain.statements[each.digest]]).type is EntryType.LATE:
                state = "late"
        elif chain.ceremony.state in RELEASED:
            state = "unneeded"
        elif refusal is not None:
            state = "lost"
        else:
            try:
                chain, _ = extend(chain, command_about(chain, each), at=at)
                state = "awaited"
            except CeremonyError as reason:
                state, refusal = "lost", reason
        yield Line(
            signer=each.signer,
            what=kind_of(each.statement),
            digest=each.digest,
            state=state,
            refusal=refusal if state == "lost" else None,
        )


def outcome_of_lines(lines: Sequence[Line], me: str) -> int:
    """Return the first thing of this signer's own that does not count."""
    for line in lines:
        if line.signer == me and line.state == "late":
            return Outcome.ENDED
        if line.signer == me and line.refusal is not None:
            return outcome_of(line.refusal.code)
    return Outcome.VERIFIED


def lines_json(lines: Sequence[Line]) -> list[Json]:
    """Return the lines as JSON."""
    return [
        {
            "signer": line.signer,
            "what": line.what,
            "statement": line.digest,
            "state": line.state,
            "code": line.refusal.code if line.refusal else None,
            "message": str(line.refusal) if line.refusal else None,
        }
        for line in lines
    ]

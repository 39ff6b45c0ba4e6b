# SPDX-License-Identifier: Apache-2.0
"""A recorded history of concurrent calls, and the search for one order of them that explains every answer.

The order must agree with real time (what was answered before another call was made comes first) and with the
rules: put before the pure core in that order, each call gets the answer that it was given (Wing and Gong,
"Testing and verifying concurrent objects", 1993).  Where there is no such order, the history is not
linearisable: something acknowledged was not counted, or was counted twice, or too late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Expire, Record
from quorumseal.ceremony.errors import CeremonyEndedError
from quorumseal.ceremony.lifecycle import State
from quorumseal.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody reads the ceremony."""


Operation: TypeAlias = Record | Cancel | Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked at one moment and answered at another: a state, a refusal's code, or what was seen."""

    operation: Operation
    called: int
    answered: int
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """The clock moved from one instant to another, at some moment between these two."""

    before: datetime
    after: datetime
    called: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    chain: Chain
    cancelled_by: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        ceremony = self.chain.ceremony
        standing = frozenset((signer, signed.digest) for signer, signed in ceremony.decisions.items())
        return ceremony.state, ceremony.recorded, standing, self.cancelled_by, self.chain.last_at


def explain(calls: Sequence[Call], chain: Chain, passing: Passing) -> list[Call] | None:
    """Return an order of the calls that explains their answers, or None where there is none."""
    dead: set[tuple[frozenset[int], object]] = set()

    def search(world: _World, left: frozenset[int]) -> list[Call] | None:
        if not left:
            return []
        if (left, world.key) in dead:
            return None
        dead.add((left, world.key))
        first_answer = min(calls[number].answered for number in left)
        for number in left:
            call = calls[number]
            if call.called > first_answer:  # another call was answered before this one was made
                continue
            for answer, after in _outcomes(call, world, passing):
                if answer == call.answer:
                    rest = search(after, left - {number})
                    if rest is not None:
                        return [call, *rest]
        # Nobody has to ask for a ceremony to expire.
        if world.chain.ceremony.state is State.OPEN and passing.called <= first_answer:
            expired, _ = extend(world.chain, Expire(), at=passing.after)
            return search(replace(world, chain=expired), left)
        return None

    return search(_World(chain=chain), frozenset(range(len(calls))))


def show(chain: Chain) -> str:
    """Say what a look at a ceremony shows."""
    return f"{len(chain.hashes)} entries, {chain.ceremony.state}, {sorted(chain.ceremony.recorded)}"


def _outcomes(call: Call, world: _World, passing: Passing) -> Iterator[tuple[str, _World]]:
    """Yield what the rules answer, at each instant that the clock showed during the call."""
    match call.operation:
        case Look():
            yield show(world.chain), world
        case operation:
            if call.called <= passing.answered:
                yield _run(operation, world, passing.before)
            if call.answered >= passing.called:
                yield _run(operation, world, passing.after)


def _run(operation: Record | Cancel, world: _World, at: datetime) -> tuple[str, _World]:
    try:
        chain, _ = extend(world.chain, operation, at=max(at, world.chain.last_at))
    except CeremonyEndedError as refusal:
        if isinstance(operation, Cancel) and operation.cancellation.digest == world.cancelled_by:
            return str(State.CANCELLED), world  # sent again
        return refusal.code, world
    except Refusal as refusal:
        return refusal.code, world
    state = chain.ceremony.state
    if isinstance(operation, Record):
        return str(state), replace(world, chain=chain)
    if state is State.CANCELLED:
        return str(state), _World(chain=chain, cancelled_by=operation.cancellation.digest)
    return CeremonyEndedError.code, replace(world, chain=chain)  # the deadline was first

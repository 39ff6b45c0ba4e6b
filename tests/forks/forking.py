# SPDX-License-Identifier: Apache-2.0
"""A coordinator that shows two histories to parts of its signers, until the views meet somewhere.

Before that nobody can know.  Once they have met, some honest party holds a proof within one further exchange:
whatever the coordinator leaves out, makes up or takes from the other view.  What is no answer is no exchange;
a coordinator that does not answer gets nothing signed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from quorumseal.client.values import CeremonyRecord, Consistency
from quorumseal.tlog import ForkProof, prove_consistency
from signer_agent.comparing import meet, meet_seen
from tests.forks.parties import ACME, LOG, NAMES, UNANSWERED, Party, code_of, vouches_for_one_history
from tests.simulated_coordinator import Message, SimulatedCoordinator


@dataclass
class Forked:
    """What came of one run."""

    way: str
    lie: str
    exchanges: int
    """How many were answered from the meeting on, until somebody held a proof; the meeting is the first."""
    proofs: list[ForkProof] = field(default_factory=list)


class Forking:
    """Two views of one log, and the signers before each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random = Random(seed)
        self._number = 0
        first = SimulatedCoordinator(ACME)
        self.shared = [self._open(first) for _ in range(random.randint(1, 2))]
        for name in random.sample(["bob", "erin", "carol"], random.randint(0, 1)):
            first.decide_as(name, self.shared[0], seen=first.log.seen())
        self.fork_size = first.log.size
        self.views = (first, first.fork())
        for view in self.views:
            self.grow(view, random.randint(1, 3))
        names = random.sample(NAMES, random.randint(2, 3))
        self.sides = {name: number % 2 for number, name in enumerate(names)}
        self.parties = {name: Party(folder, self.views[side], name) for name, side in self.sides.items()}

    def _open(self, view: SimulatedCoordinator) -> str:
        self._number += 1
        return view.open(ACME.request(number=self._number, version=f"{self._number}.0"))

    def grow(self, view: SimulatedCoordinator, entries: int) -> None:
        """Let a view have entries of its own."""
        for _ in range(entries):
            self._open(view)

    def run(self) -> Forked:
        """Let the views meet; raise where no honest party can prove it in time."""
        random = self.random
        for party in self.parties.values():
            assert party.exchange(random, random.choice(self.shared)) == ""
            for _ in range(random.randint(0, 1)):
                party.exchange(random)
            assert not party.proofs, "accused before the views met"
        way, lie = random.choice(sorted(WAYS)), random.choice(sorted(LIES))
        (one, other) = (next(n for n, side in self.sides.items() if side == number) for number in (0, 1))
        if random.random() < 0.5:
            one, other = other, one
        party, again = WAYS[way](self, self.parties[one], self.parties[other])
        party.network = LIES[lie](self)
        exchanges = self._until_proved(party, again)
        self._check(party)
        return Forked(way, lie, exchanges, party.proofs)

    def _until_proved(self, party: Party, again: Callable[[], object]) -> int:
        answered = 0
        for _ in range(12):
            code = code_of(again)
            answered += code not in UNANSWERED
            if party.proofs:
                return answered
            assert answered < 2, f"no proof after {answered} answers, the last one {code or 'taken'}"
            for view in self.views:  # what it could not answer yet, it can now
                self.grow(view, 2)
        raise AssertionError("the coordinator never answered")

    def _check(self, party: Party) -> None:
        """See that the proof is of the two views, and that nothing is signed after it."""
        for proof in party.proofs:
            pair = proof.first_checkpoint, proof.second_checkpoint
            holds = [
                all(each.root in view.log.roots[each.size :][:1] for each in pair) for view in self.views
            ]
            assert not any(holds), "one view explains both checkpoints"
        signed = len(party.desk.key.signed)
        code_of(partial(party.desk.decide, self.shared[0]))
        assert len(party.desk.key.signed) == signed
        for each in self.parties.values():
            assert vouches_for_one_history(each)

    def other(self, view: SimulatedCoordinator) -> SimulatedCoordinator:
        """Return the view that somebody is not shown."""
        return self.views[1 - self.views.index(view)]

    def close(self) -> None:
        """Let go of all journals."""
        for party in self.parties.values():
            party.close()


# How views meet: who is before the second history then, and what they do, again and again

_Meeting = tuple[Party, Callable[[], object]]


def _relay(run: Forking, one: Party, other: Party) -> _Meeting:
    """The coordinator hands what one signed on to the other view: it needs the quorum."""
    ceremony = run.shared[-1]
    view, decision = one.desk.coordinator, one.desk.decide(ceremony)
    assert decision.statement.context.checkpoint.size > run.fork_size
    for each in one.desk.agent.journal.signed(ceremony):
        run.other(view).decide(each.envelope, None)
    return other, lambda: other.desk.look(ceremony)


def _switch(run: Forking, one: Party, _: Party) -> _Meeting:
    """Somebody is shown the other view."""
    one.serve(run.other(one.desk.coordinator))
    run.grow(one.desk.coordinator, 6)
    return one, lambda: one.desk.look(run.shared[0])


def _file(run: Forking, one: Party, other: Party) -> _Meeting:
    """A file brings the checkpoint that somebody else goes by."""
    note = one.desk.agent.journal.log.newest(ACME.origin)
    assert note is not None

    def look() -> None:
        meet(other.desk.agent, LOG, note)
        other.desk.look(run.shared[0])

    return other, look


def _signed_file(run: Forking, one: Party, other: Party) -> _Meeting:
    """A file brings what somebody else signed."""
    seen = one.desk.decide(run.shared[-1]).statement.context.checkpoint

    def look() -> None:
        meet_seen(other.desk.agent, LOG, [seen])
        other.desk.look(run.shared[0])

    return other, look


def _receipt(run: Forking, one: Party, other: Party) -> _Meeting:
    """What somebody signs is acknowledged in the other view."""
    ceremony, view = run.shared[-1], other.desk.coordinator
    run.grow(view, 6)
    other.desk.look(ceremony)

    def decide() -> None:
        decided, network = run.other(view), other.network

        def elsewhere(message: Message) -> Any:
            if message.method == "decide" and message.reply:
                return [decided.decide(s.envelope, None) for s in other.desk.agent.journal.signed(ceremony)][
                    -1
                ]
            return network(message)

        other.network = elsewhere
        try:
            other.desk.decide(ceremony)
        finally:
            other.network = network

    del one
    return other, decide


def _cosign(run: Forking, one: Party, _: Party) -> _Meeting:
    """A witness is asked to vouch for the other view."""
    one.exchange(run.random, run.shared[0])
    code_of(lambda: one.witness.tend(ACME.policy, concluded=one.desk.coordinator.log.size))
    one.serve(run.other(one.desk.coordinator))
    run.grow(one.desk.coordinator, 6)
    return one, lambda: one.witness.tend(ACME.policy, concluded=one.desk.coordinator.log.size)


WAYS = {
    "what somebody signed": _relay,
    "another view": _switch,
    "a checkpoint in a file": _file,
    "a statement in a file": _signed_file,
    "a receipt": _receipt,
    "a checkpoint to cosign": _cosign,
}


# What a coordinator may answer

_Lie = Callable[[Forking], Callable[[Message], Any]]


def _nothing_more(_: Forking) -> Callable[[Message], Any]:
    return lambda message: message.content


def _named(
    change: Callable[[Forking, int, int], tuple[bytes, ...] | None],
) -> Callable[[Forking], Callable[[Message], Any]]:
    """Exchange the proofs that an answer brings for what somebody named, and those that are asked for."""

    def lie(run: Forking) -> Callable[[Message], Any]:
        def answer(message: Message) -> Any:
            content = message.content
            if not message.reply or not isinstance(content, CeremonyRecord):
                return content
            size = int(content.part.checkpoint.split(b"\n")[1])
            changed = {old: change(run, old, size) for old in content.part.consistency}
            kept = {old: proof for old, proof in changed.items() if proof is not None}
            return replace(content, part=replace(content.part, consistency=kept))

        return answer

    return lie


def _made_up(run: Forking, old: int, new: int) -> tuple[bytes, ...]:
    del old, new
    return tuple(run.random.randbytes(32) for _ in range(run.random.randint(0, 4)))


def _of_other(run: Forking, old: int, new: int) -> tuple[bytes, ...]:
    log = run.random.choice(run.views).log
    return tuple(prove_consistency(old, new, log.node)) if old <= new <= log.size else ()


def _answers_from_either(run: Forking) -> Callable[[Message], Any]:
    """Answer GetConsistency from whichever view."""

    def answer(message: Message) -> Any:
        if message.method == "consistency" and message.reply and run.random.random() < 0.5:
            assert isinstance(message.content, Consistency)
            size = int(message.content.checkpoint.split(b"\n")[1])
            other = run.random.choice(run.views)
            if size <= other.log.size:
                return replace(message.content, checkpoint=other.log.checkpoint(size))
        return message.content

    return answer


LIES = {
    "nothing more": _nothing_more,
    "no proofs": _named(lambda *_: None),
    "made-up proofs": _named(_made_up),
    "proofs of the other view": _named(_of_other),
    "checkpoints of either view": _answers_from_either,
}


def forked(folder: Path, seed: int) -> Forked:
    """Fork a log by a seed; raise where nobody can prove it in time."""
    (folder / str(seed)).mkdir()
    run = Forking(folder / str(seed), seed)
    try:
        return run.run()
    finally:
        run.close()

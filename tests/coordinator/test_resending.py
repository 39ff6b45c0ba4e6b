# SPDX-License-Identifier: Apache-2.0
"""Whoever sends a statement again, because the answer to it was lost, gets the answer to the first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.commands import Repeated
from coordinator.storage.log import LogTables
from coordinator.use_cases import UseCases
from coordinator.values import Annex, Started
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from quorumseal.ceremony.values import digest_of
from tests.coordinator.workshop import Workshop
from tests.organisation import REASON, SALT, Organisation

REASON_ANNEX = Annex(salt=SALT, text=REASON)


class Story:
    """One ceremony, and the ways in which it ends."""

    def __init__(self, workshop: Workshop) -> None:
        self.cases: UseCases = workshop.coordinator().use_cases
        self.organisation: Organisation = workshop.organisation
        self._time = workshop.time
        self.opening = b""

    async def start(self) -> Started:
        request = self.organisation.seal(self.organisation.request())
        return await self.cases.start(request, caller="mallory")

    async def end(self, state: State) -> None:
        signed = self.organisation.sign_request()
        match state:
            case State.APPROVED:
                for signer in ("alice", "erin", "carol", "rita"):
                    decision = self.organisation.seal(self.organisation.decision(signer, signed))
                    await self.cases.decide(decision, caller=signer)
            case State.REJECTED:
                rejection = self.organisation.decision("carol", signed, Choice.REJECTION)
                await self.cases.decide(self.organisation.seal(rejection), REASON_ANNEX, caller="carol")
            case State.CANCELLED:
                chain, _ = self.organisation.run()
                cancellation = self.organisation.cancellation("mallory", chain)
                seen = replace(cancellation, seen=digest_of(self.opening))
                await self.cases.act(self.organisation.seal(seen), REASON_ANNEX, caller="mallory")
            case _:
                self._time.pass_by(timedelta(hours=24))


@pytest.mark.parametrize("state", [*State][1:5], ids=str)
async def test_a_request_sent_again_after_its_ceremony_ended_gets_its_opening(
    workshop: Workshop, state: State
) -> None:
    story = Story(workshop)
    first = await story.start()
    story.opening = first.receipt.entry
    await story.end(state)
    again = await story.start()
    assert not again.created
    assert (again.ceremony, again.receipt.entry, again.receipt.index) == (
        first.ceremony,
        first.receipt.entry,
        first.receipt.index,
    )
    workshop.check(again.receipt)


@pytest.mark.parametrize("noticed", [False, True], ids=["nobody noticed", "it was noticed"])
def test_a_decision_sent_again_after_the_deadline_gets_its_own_entry(
    workshop: Workshop, noticed: bool
) -> None:
    """Even where it is the first that the coordinator hears after the deadline."""
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    decision = workshop.decide("alice", start)
    first = desk.written(decision).receipt
    workshop.time.pass_by(timedelta(hours=24))
    if noticed:
        desk.written(workshop.expire(start))
    (again,) = desk.write(decision)
    assert isinstance(again, Repeated)
    assert again.state is State.EXPIRED
    receipt = desk.reader.receipt(again.ceremony, again.seq)
    assert (receipt.entry, receipt.index) == (first.entry, first.index)
    workshop.check(receipt)
    assert desk.types() == ["policy", "opened", "decided", "expired"]


async def test_a_statement_sent_again_costs_one_entry_however_long_its_ceremony_is(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(workshop)
    first = await story.start()
    await story.end(State.REJECTED)
    request = story.organisation.sign_request()
    rejection = story.organisation.seal(story.organisation.decision("carol", request, Choice.REJECTION))
    monkeypatch.setattr(LogTables, "chains", lambda *_: pytest.fail("the whole chain was read"))
    again = await story.cases.decide(rejection, REASON_ANNEX, caller="carol")
    assert read_entry(again.receipt.entry).envelope == rejection
    assert (await story.start()).receipt.entry == first.receipt.entry

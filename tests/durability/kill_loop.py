# SPDX-License-Identifier: Apache-2.0
"""Everybody works, and again and again something breaks; at the end all accounts must agree."""

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass

from coordinator.certificates import Kind
from quorumseal.tlog import verify_consistency
from tests.durability.audit import Audit, audit
from tests.durability.crew import Crew
from tests.durability.fleet import Fleet
from tests.durability.published import Published, wait_for_publication
from tests.running_coordinator import Site

_SAMPLE = 200


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was done to the coordinators, and what they had acknowledged nevertheless."""

    mishaps: int
    kills: int
    kills_while_starting: int
    seconds: int
    acknowledged_decisions: int
    acknowledged_starts: int
    acknowledged_cancellations: int
    refused: int
    sent_again: int
    checkpoints_given_out: int
    log: Audit

    def __str__(self) -> str:
        values = {**asdict(self), **asdict(self.log)}
        return "\n".join(f"{name}: {value}" for name, value in values.items() if name != "log")


def run(
    site: Site,
    *,
    mishaps: int,
    seed: int,
    coordinators: int = 1,
    mishap: Callable[[Fleet], None] = Fleet.kill_one,
) -> Figures:
    """Let it happen so often; ``AssertionError`` for whatever is not as it was acknowledged."""
    dice, began = random.Random(seed), time.monotonic()
    with closing(Fleet(site, coordinators, dice)) as fleet:
        published = Published(site.folder / "published")
        crew = Crew(site, fleet.addresses, seed=seed)
        with crew.working():
            for _ in range(mishaps):
                before, more = crew.acknowledged(), dice.randrange(1, 120)
                crew.wait_for(lambda: crew.acknowledged() >= before + more)  # noqa: B023 - called at once
                time.sleep(dice.random() * 0.02)
                mishap(fleet)
                published.look()
                crew.send_again()
            crew.finish()
            with crew.common.connect("mallory") as mallory:
                wait_for_publication(mallory)
            _ask_for_proofs(crew, dice)
        published.look()
        fleet.stop()
    kinds = crew.ledger.kinds
    return Figures(
        log=audit(site, crew.ledger, crew.common.entries),
        mishaps=mishaps,
        kills=fleet.kills,
        kills_while_starting=fleet.kills_while_starting,
        acknowledged_decisions=kinds["decide"],
        acknowledged_starts=kinds["start"],
        acknowledged_cancellations=kinds["cancel"],
        refused=len(crew.ledger.refused),
        sent_again=crew.ledger.resent,
        checkpoints_given_out=len(crew.ledger.checkpoints),
        seconds=round(time.monotonic() - began),
    )


def _ask_for_proofs(crew: Crew, dice: random.Random) -> None:
    """Have a running coordinator prove that its log extends what was ever shown (or many of these)."""
    sizes = sorted(crew.ledger.checkpoints)
    with crew.common.connect("olga", Kind.AUDITOR) as olga:
        for size in dice.sample(sizes, min(_SAMPLE, len(sizes))):
            answer = olga.consistency(size)
            newest = crew.ledger.see(answer.checkpoint)
            root = crew.ledger.checkpoints[size]
            verify_consistency(size, root, newest.size, newest.root, answer.proof)

# SPDX-License-Identifier: Apache-2.0
"""What a decision costs with a hundred thousand finished ceremonies in the database, over with a thousand."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from coordinator.assembly import Coordinator
from coordinator.batch import Batch
from coordinator.commands import Act, Start, WriterCommand
from coordinator.founding import found
from coordinator.storage import Storage
from coordinator.unsealed import Ground
from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.fitting import Release
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import replay_standing
from quorumseal.ceremony.statements import Request
from quorumseal.signatures import Envelope
from scripts.benchmarking.figures import Figures, spread
from scripts.benchmarking.site import REQUESTER, crowd, signed_request
from tests.organisation import Organisation

FEW, MANY = 1_000, 100_000
SIGNERS = 8
ROUNDS = 9
PER_ROUND = 40
"""Ceremonies of which each signer but one decides, each round."""
_BATCH = 500
_AT_ONCE = 64
_FIRST_NUMBER = 1_000_000
_SHORT = timedelta(minutes=1)


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Fill two databases with finished ceremonies, then decide in both by turns."""
    founded = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
    organisation = crowd(SIGNERS, needed=SIGNERS, founded=founded)
    few, many = (folder / name for name in ("few.db", "many.db"))
    for path, count in ((few, FEW), (many, MANY // scale)):
        began = time.monotonic()
        _fill(path, organisation, count)
        print(f"  {count} finished ceremonies written in {time.monotonic() - began:.0f} s", flush=True)
    ratio, note = asyncio.run(_compare(few, many, organisation))
    figures.add("decision_cost_100k_over_1k", ratio, note)


def _fill(path: Path, organisation: Organisation, count: int) -> None:
    """Open ceremonies long ago and let them expire, through the coordinator's own batches."""
    found(f"sqlite:///{path}", organisation.log_key, organisation.policy, at=organisation.founded)
    storage = Storage(f"sqlite:///{path}")
    at = organisation.founded
    for begin in range(1, count + 1, _BATCH):
        numbers = range(_FIRST_NUMBER + begin, _FIRST_NUMBER + min(begin + _BATCH, count + 1))
        requests = [signed_request(organisation, n, at=at, deadline=_SHORT) for n in numbers]
        starts = [Start(policy=organisation.policy, request=request) for request in requests]
        releases = {(r.statement.product, r.statement.version, str(r.statement.kind)): () for r in requests}
        opening = Batch(_ground(storage, releases=releases), at=at)
        _write(storage, organisation, opening, starts)
        at += _SHORT
        opened = opening.written.changed
        ending = Batch(_ground(storage, chains=opened), at=at)
        _write(storage, organisation, ending, [Act(ceremony=c, command=Expire()) for c in opened])
    storage.close()


def _ground(
    storage: Storage,
    *,
    chains: Mapping[str, Chain] | None = None,
    releases: Mapping[Release, Sequence[Known]] | None = None,
) -> Ground:
    return Ground(
        head=storage.log.head(),
        chains=chains or {},
        releases=releases or {},
        standing=replay_standing(row.payload for row in storage.log.standing()),
    )


def _write(
    storage: Storage, organisation: Organisation, batch: Batch, commands: Sequence[WriterCommand]
) -> None:
    for command in commands:
        batch.run(command)
    append, outcomes = batch.seal(organisation.log_key)
    if append is None or any(isinstance(outcome, Exception) for outcome in outcomes):
        raise RuntimeError(f"expected every command to be written, got {outcomes[0]}")
    storage.append(append)


async def _compare(few: Path, many: Path, organisation: Organisation) -> tuple[float, str]:
    """Decide in both databases by turns; return the ratio of the times, middle of the rounds."""
    coordinators = [Coordinator(f"sqlite:///{path}", organisation.log_key) for path in (few, many)]
    times: list[list[float]] = [[], []]
    for coordinator in coordinators:
        coordinator.start()
    try:
        for round_number in range(ROUNDS):
            requests = [
                signed_request(organisation, round_number * PER_ROUND + n) for n in range(1, PER_ROUND + 1)
            ]
            decisions = _decisions(organisation, requests)
            for coordinator, spent in zip(coordinators, times, strict=True):
                await _start(coordinator, requests)
                spent.append(await _decide(coordinator, decisions))
    finally:
        for coordinator in coordinators:
            coordinator.close()
    ratios = [slow / fast for fast, slow in zip(times[0][1:], times[1][1:], strict=True)]
    return median(
        ratios
    ), f"{spread(times[0][1:], 'us')} before, {spread(times[1][1:], 'us')} after, a decision"


async def _start(coordinator: Coordinator, requests: Sequence[Signed[Request]]) -> None:
    starting = (coordinator.use_cases.start(request.envelope, caller=REQUESTER) for request in requests)
    await asyncio.gather(*starting)


def _decisions(organisation: Organisation, requests: Sequence[Signed[Request]]) -> list[tuple[str, Envelope]]:
    """Return approvals, one short of each quorum."""
    return [
        (signer, organisation.seal(organisation.decision(signer, request)))
        for request in requests
        for signer in organisation.roles["engineering"][:-1]
    ]


async def _decide(coordinator: Coordinator, decisions: Sequence[tuple[str, Envelope]]) -> float:
    """Send every decision, some at once; return microseconds a decision."""
    queue = [*decisions]

    async def worker() -> None:
        while queue:
            signer, envelope = queue.pop()
            await coordinator.use_cases.decide(envelope, None, caller=signer)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    return (time.perf_counter() - began) / len(decisions) * 1e6

# SPDX-License-Identifier: Apache-2.0
"""Durable decisions per second over empty unary calls per second, both over mTLS to the same process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from grpc_health.v1 import health_pb2

from quorumseal.v1 import coordinator_pb2 as wire
from scripts.benchmarking.figures import Figures, spread
from scripts.benchmarking.site import (
    REQUESTER,
    Bench,
    bench,
    crowd,
    decision_message,
    signed_request,
    start_message,
)

SIGNERS = 16
ROUNDS = 7
CALLS = 1600
AT_ONCE = 16
"""Calls in flight on each of the connections."""


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Alternate rounds of decisions and of empty calls, from the same connections, equally many at once."""
    organisation = crowd(SIGNERS, needed=SIGNERS)
    signers = [*organisation.roles["engineering"]]
    per_round = max(1, CALLS // scale // SIGNERS)
    requests = [signed_request(organisation, number) for number in range(1, ROUNDS * per_round + 1)]
    prepared = {
        signer: [decision_message(organisation, signer, request) for request in requests]
        for signer in signers[:-1]  # one short of the quorum: this part measures decisions, not conclusions
    }
    with bench(folder, organisation) as running:
        asyncio.run(_alternate(running, [start_message(r) for r in requests], prepared, per_round, figures))


async def _alternate(
    running: Bench,
    starts: Sequence[wire.StartRequest],
    prepared: dict[str, list[wire.DecideRequest]],
    per_round: int,
    figures: Figures,
) -> None:
    await asyncio.gather(*(running.stub(REQUESTER).Start(start) for start in starts))
    decide = {signer: running.stub(signer).Decide for signer in prepared}
    check = {
        signer: running.channel(signer).unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        for signer in prepared
    }
    empty = health_pb2.HealthCheckRequest()
    decided, called = [], []
    for round_number in range(ROUNDS):
        begin = round_number * per_round
        called.append(await _rate({s: [empty] * per_round for s in prepared}, check))
        decided.append(
            await _rate({s: messages[begin : begin + per_round] for s, messages in prepared.items()}, decide)
        )
    await running.close()
    ratios = [d / c for d, c in zip(decided[1:], called[1:], strict=True)]  # the first round warms up
    figures.add(
        "decisions_per_empty_call",
        median(ratios),
        f"{spread(decided[1:], 'decisions/s')}, {spread(called[1:], 'empty calls/s')}",
    )


async def _rate(
    messages: Mapping[str, Sequence[object]], methods: Mapping[str, Callable[..., Awaitable[object]]]
) -> float:
    """Send every signer's messages over their connection, some at once; return calls per second."""

    async def worker(method: Callable[..., Awaitable[object]], queue: list[object]) -> None:
        while queue:
            await method(queue.pop())

    queues = {signer: [*those] for signer, those in messages.items()}
    count = sum(len(queue) for queue in queues.values())
    began = time.perf_counter()
    await asyncio.gather(
        *(worker(methods[signer], queue) for signer, queue in queues.items() for _ in range(AT_ONCE))
    )
    return count / (time.perf_counter() - began)

# SPDX-License-Identifier: Apache-2.0
"""How soon a thousand connected agents hear of an opened ceremony, and what each costs the server."""

import asyncio
import time
from pathlib import Path
from statistics import median

from quorumseal.v1 import coordinator_pb2 as wire
from scripts.benchmarking.figures import Figures, percentile, spread
from scripts.benchmarking.site import REQUESTER, Bench, bench, crowd, signed_request, start_message
from tests.organisation import Organisation

AGENTS = 1000
CEREMONIES = 10
_CONNECTING_AT_ONCE = 50


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Connect the agents, each over a connection of its own, then open ceremonies."""
    agents = max(20, AGENTS // scale)
    organisation = crowd(agents, needed=4)
    with bench(folder, organisation) as running:
        asyncio.run(_run(running, organisation, figures))


async def _run(running: Bench, organisation: Organisation, figures: Figures) -> None:
    agents = organisation.roles["engineering"]
    await running.stub(REQUESTER).GetOrganisation(wire.GetOrganisationRequest())
    before = running.memory_kib
    heard: asyncio.Queue[float] = asyncio.Queue()
    connecting = asyncio.Semaphore(_CONNECTING_AT_ONCE)
    streams = [asyncio.create_task(_listen(running, agent, heard, connecting)) for agent in agents]
    for _ in agents:
        await heard.get()  # the head: this agent has caught up
    figures.add("agent_kib", (running.memory_kib - before) / len(agents), f"{len(agents)} agents connected")
    worst, middle = [], []
    for number in range(1, CEREMONIES + 1):
        began = time.perf_counter()
        opening = asyncio.ensure_future(
            running.stub(REQUESTER).Start(start_message(signed_request(organisation, number)))
        )
        times = [(await heard.get() - began) * 1000 for _ in agents]
        await opening
        worst.append(percentile(times, 99))
        middle.append(median(times))
    figures.add("fanout_1000_ms_p99", median(worst), f"p99 {spread(worst, 'ms')}, p50 {spread(middle, 'ms')}")
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    await running.close()


async def _listen(
    running: Bench, agent: str, heard: "asyncio.Queue[float]", connecting: asyncio.Semaphore
) -> None:
    """Keep a stream as an agent does; say when it is up to date, and when a ceremony was opened."""
    caught_up = False
    async with connecting:
        stream = running.stub(agent).Follow(wire.FollowRequest(types=["opened"], present=True))
        first = await stream.read()
    message: wire.FollowResponse | object = first
    while isinstance(message, wire.FollowResponse):
        if message.HasField("entry") or not caught_up:
            heard.put_nowait(time.perf_counter())
        caught_up = True
        message = await stream.read()

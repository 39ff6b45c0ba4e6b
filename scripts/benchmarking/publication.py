# SPDX-License-Identifier: Apache-2.0
"""From the last approval, as its signer sends it, to the bundle in its place, verified and read back."""

import asyncio
import time
from pathlib import Path
from statistics import median

from quorumseal.verifier.bundle import bundle_name
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
from tests.organisation import Organisation

CEREMONIES = 60
SIGNERS = 4
_POLL_SECONDS = 0.0005
_PATIENCE_SECONDS = 30


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Run whole ceremonies one after the other."""
    organisation = crowd(SIGNERS, needed=SIGNERS)
    with bench(folder, organisation) as running:
        times = asyncio.run(_run(running, organisation, folder / "published", max(5, CEREMONIES // scale)))
    figures.add("last_approval_to_bundle_ms_p50", median(times), spread(times, "ms"))


async def _run(running: Bench, organisation: Organisation, published: Path, count: int) -> list[float]:
    times = []
    signers = organisation.roles["engineering"]
    for number in range(1, count + 1):
        request = signed_request(organisation, number)
        await running.stub(REQUESTER).Start(start_message(request))
        messages = [(signer, decision_message(organisation, signer, request)) for signer in signers]
        for signer, message in messages[:-1]:
            await running.stub(signer).Decide(message)
        last, message = messages[-1]
        began = time.perf_counter()
        deciding = asyncio.ensure_future(running.stub(last).Decide(message))
        appeared = await asyncio.to_thread(_wait_for, published / bundle_name("widget", f"1.{number}"))
        times.append((appeared - began) * 1000)
        await deciding
    await running.close()
    return times


def _wait_for(path: Path) -> float:
    """Wait until the file is there, and return when that was."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"{path.name} was not published within {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    return time.perf_counter()

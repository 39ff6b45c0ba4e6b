# SPDX-License-Identifier: Apache-2.0
"""Kill the coordinator without warning, again and again while everybody works, then compare all accounts."""

import random
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from coordinator.certificates import Kind
from quorumseal.tlog import verify_consistency
from tests.durability.audit import Audit, audit
from tests.durability.crew import Crew
from tests.running_coordinator import _RUN, HOST, Site, Subprocess

_PUBLISHED = "published"
_SAMPLE = 200
_STARTS = 5


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was done to the coordinator, and what it had acknowledged nevertheless."""

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


def run(site: Site, *, kills: int, seed: int) -> Figures:
    """Kill a coordinator so often; ``AssertionError`` for whatever is not as it was acknowledged."""
    dice, began, starting = random.Random(seed), time.monotonic(), 0
    site.port = _free_port(dice)
    site.found()
    crew = Crew(site, [f"{HOST}:{site.port}"], seed=seed)
    published = Published(site.folder / _PUBLISHED)
    with ExitStack() as stack:
        server = _start(site)
        stack.callback(lambda: server.kill())
        stack.enter_context(crew.working())
        for _ in range(kills):
            before, more = crew.acknowledged(), dice.randrange(1, 120)
            crew.wait_for(lambda: crew.acknowledged() >= before + more)  # noqa: B023 - called at once
            time.sleep(dice.random() * 0.02)
            server.kill()
            published.look()
            crew.generation += 1
            while dice.random() < 0.1:
                starting += 1
                _kill_while_starting(site, dice.random())
            server = _start(site)
        crew.finish()
        _wait_for_publication(crew)
        _ask_for_all_proofs(crew, dice)
        assert server.terminate() == 0, "it stops when it is asked to"
        published.look()
    kinds = crew.ledger.kinds
    return Figures(
        log=audit(site, crew.ledger, crew.entries),
        kills=kills,
        kills_while_starting=starting,
        acknowledged_decisions=kinds["decide"],
        acknowledged_starts=kinds["start"],
        acknowledged_cancellations=kinds["cancel"],
        refused=len(crew.ledger.refused),
        sent_again=crew.ledger.resent,
        checkpoints_given_out=len(crew.ledger.checkpoints),
        seconds=round(time.monotonic() - began),
    )


class Published:
    """The folder of bundles: what is in it once is never touched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, int, bytes]] = {}

    def look(self) -> None:
        """Compare the folder with what was in it before."""
        found = {
            path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
            for path in self._folder.glob("[!.]*")
        }
        for name, before in self._known.items():
            assert found.get(name) == before, f"{name} was published a second time, or taken back"
        self._known = found


def _start(site: Site) -> Subprocess:
    for attempt in range(_STARTS):
        try:
            return Subprocess(site.settings)
        except RuntimeError:
            if attempt == _STARTS - 1:
                raise
            time.sleep(0.2)  # its port is still somebody's
    raise AssertionError


def _kill_while_starting(site: Site, after: float) -> None:
    command = [sys.executable, "-c", _RUN, "coordinator", "run", "--settings", str(site.settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        time.sleep(after)
        server.kill()


def _wait_for_publication(crew: Crew) -> None:
    with crew.connect("mallory") as mallory:
        token = "first"
        while token:
            page = mallory.list_ceremonies(states=["approved"], page_token="" if token == "first" else token)
            for each in page.ceremonies:
                crew.wait_for(
                    lambda: (
                        {p.state for p in mallory.ceremony(each.ceremony).publications}  # noqa: B023
                        == {"published"}
                    )
                )
            token = page.next_token


def _ask_for_all_proofs(crew: Crew, dice: random.Random) -> None:
    """Have the running coordinator prove that its log extends what it ever showed (or many of these)."""
    sizes = sorted(crew.ledger.checkpoints)
    with crew.connect("olga", Kind.AUDITOR) as olga:
        for size in dice.sample(sizes, min(_SAMPLE, len(sizes))):
            answer = olga.consistency(size)
            newest = crew.ledger.see(answer.checkpoint)
            root = crew.ledger.checkpoints[size]
            verify_consistency(size, root, newest.size, newest.root, answer.proof)


def _free_port(dice: random.Random) -> int:
    """Find a port that no outgoing connection takes while the coordinator is down."""
    while True:
        port = dice.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port

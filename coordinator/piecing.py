# SPDX-License-Identifier: Apache-2.0
"""Put the lost end of a log together from what agents hand back: the root of a signed checkpoint decides.

Nobody is believed.  Each is heard alone first, so that one honest agent that holds everything is enough,
however many lie.  Where it takes several, and two of them differ about an index, at most one of the two tells
the truth: a liar is left out whole, and as few are left out as possible.  Honest agents never differ, so
leaving out exactly the liars leaves what the log contained, if honest agents hold all of it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.errors import RecoveryError
from coordinator.storage import HandedRow
from quorumseal.tlog import Frontier, leaf_hash

MOST_ATTEMPTS = 4096
_AGAIN = "have more agents hand back: `quorumseal agent run`, or `quorumseal agent hand-back`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieced:
    """Entries whose tree has the root that was signed."""

    payloads: tuple[bytes, ...]
    handed_back: tuple[str, ...]
    """Whose agents held any of them."""
    left_out: tuple[str, ...]
    """Whose agents handed back something else."""


def piece_together(frontier: Frontier, end: int, root: bytes, handed: Sequence[HandedRow]) -> Pieced:
    """Return the entries from the end of a log up to a checkpoint of it, or say which are missing."""
    said = _by_index(handed, frontier.size, end)
    if missing := [index for index in range(frontier.size, end) if index not in said]:
        raise RecoveryError(
            f"expected entries {frontier.size} to {end - 1} from the agents, got none for {ranges(missing)}",
            hint=_AGAIN,
        )
    signers = frozenset(row.signer for row in handed)
    first = [frozenset[str](), *(signers - {name} for name in sorted(signers))]
    waiting, met = deque(first), set(first)
    while waiting and len(met) <= MOST_ATTEMPTS:
        left_out = waiting.popleft()
        payloads, liars = _without(said, left_out)
        if payloads and _root(frontier, payloads) == root:
            return _pieced(said, payloads)
        new = {left_out | each for each in liars} - met
        met |= new
        waiting.extend(sorted(new, key=lambda names: (len(names), sorted(names))))
    raise RecoveryError(
        f"expected entries {frontier.size} to {end - 1} whose tree has the root of the checkpoint of size "
        f"{end}, got others from {', '.join(sorted({row.signer for row in handed}))}",
        hint=_AGAIN,
    )


def ranges(indices: Sequence[int]) -> str:
    """Write sorted indices shortly: ``103, 111-112``."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _by_index(handed: Sequence[HandedRow], start: int, end: int) -> dict[int, dict[bytes, set[str]]]:
    said: dict[int, dict[bytes, set[str]]] = {}
    for row in handed:
        if start <= row.index < end:
            said.setdefault(row.index, {}).setdefault(row.payload, set()).add(row.signer)
    return dict(sorted(said.items()))


def _without(
    said: dict[int, dict[bytes, set[str]]], left_out: frozenset[str]
) -> tuple[list[bytes], list[frozenset[str]]]:
    """Return what is said without some agents, where the rest agree; else whom else to leave out."""
    payloads: list[bytes] = []
    for versions in said.values():
        left = {payload: by - left_out for payload, by in versions.items() if by - left_out}
        if len(left) > 1:
            everybody = frozenset[str]().union(*left.values())
            return [], [everybody - by for by in left.values()]
        if not left:
            return [], []
        payloads += left
    return payloads, []


def _root(frontier: Frontier, payloads: Sequence[bytes]) -> bytes:
    return frontier.extend(leaf_hash(payload) for payload in payloads)[0].root()


def _pieced(said: dict[int, dict[bytes, set[str]]], payloads: list[bytes]) -> Pieced:
    """Tell those who said what the log contained from those who ever said something else."""
    held, liars = set[str](), set[str]()
    for versions, true in zip(said.values(), payloads, strict=True):
        for payload, by in versions.items():
            (held if payload == true else liars).update(by)
    return Pieced(
        payloads=tuple(payloads), handed_back=tuple(sorted(held - liars)), left_out=tuple(sorted(liars))
    )

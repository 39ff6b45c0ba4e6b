# SPDX-License-Identifier: Apache-2.0
"""One difference between two policies, and how numbers and sets of names differ.

A difference *weakens* where the new policy permits what the old one refused, at an instant at which both are
in force: a person or key more that counts, an approval less that is needed, somebody on the roster who can
no longer stop it.  What only the roster loses, or what a policy's own end moves, weakens nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import Span, write_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that a new policy says otherwise."""

    where: str
    says: str
    weakens: bool = False


def of_sets(
    where: str,
    old: Collection[str],
    new: Collection[str],
    *,
    gains: str,
    loses: str,
    gain_weakens: bool = False,
    loss_weakens: bool = False,
) -> Iterator[Difference]:
    """Yield what a set of names gained, and what it lost; ``{}`` in the words stands for the names."""
    gained, lost = set(new) - set(old), set(old) - set(new)
    if gained:
        yield Difference(where=where, says=gains.format(listed(gained)), weakens=gain_weakens)
    if lost:
        yield Difference(where=where, says=loses.format(listed(lost)), weakens=loss_weakens)


def of_quorums(where: str, old: Iterable[Threshold], new: Iterable[Threshold]) -> Iterator[Difference]:
    """Yield what a quorum asks for otherwise."""
    before = {threshold.role: threshold.count for threshold in old}
    after = {threshold.role: threshold.count for threshold in new}
    for role in sorted(before.keys() | after.keys()):
        had, has = before.get(role, 0), after.get(role, 0)
        if had == has:
            continue
        if not has:
            says = f"needs nobody of {role} any more, where it needed {had}"
        elif not had:
            says = f"needs {has} of {role} as well"
        else:
            says = f"needs {has} of {role}, where it needed {had}"
        yield Difference(where=where, says=says, weakens=has < had)
    if before == after and [*before] != [*after]:
        yield Difference(where=where, says=f"fills its roles in another order: {', '.join(after)}")


def of_spans(
    where: str,
    what: str,
    old: Span,
    new: Span,
    *,
    longer_weakens: bool = False,
    shorter_weakens: bool = False,
) -> Iterator[Difference]:
    """Yield how a length of time differs; lengths of which one is working time cannot be ordered."""
    if old == new:
        return
    weakens = longer_weakens or shorter_weakens
    if isinstance(old, timedelta) and isinstance(new, timedelta):
        weakens = longer_weakens if new > old else shorter_weakens
    yield Difference(where=where, says=f"{what} is {write_span(new)}, was {write_span(old)}", weakens=weakens)


def listed(names: Iterable[str]) -> str:
    """Write names in order."""
    return ", ".join(sorted(names))

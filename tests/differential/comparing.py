# SPDX-License-Identifier: Apache-2.0
"""What the product says of a bundle, and what the second verifier says."""

from dataclasses import dataclass
from functools import cache

from quorumseal.refusal import Refusal
from quorumseal.verifier.outcomes import outcome_of
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.trust import read_trust
from quorumseal.verifier.verify import verify
from tests.differential.courses import Scene
from tests.differential.mutating import mutant
from tests.differential.scenes import scenes
from tests.second_verifier import verifying as second
from tests.second_verifier.refusing import Refused, exits

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """As what it counts, or why it is refused."""

    accepted: bool
    said: str
    """The standing, or the code."""
    exit: int


def by_the_product(scene: Scene) -> Verdict:
    """What ``quorumseal verify`` decides."""
    terms = Terms(
        now=scene.now,
        status=scene.status,
        allow_provisional=scene.allow_provisional,
        allow_unlogged=scene.allow_unlogged,
    )
    try:
        found = verify(scene.bundle, read_trust(scene.trust), scene.digests, terms=terms)
    except Refusal as refused:
        return Verdict(accepted=False, said=refused.code, exit=int(outcome_of(refused.code)))
    return Verdict(accepted=True, said=str(found.standing), exit=0)


def by_the_second(scene: Scene) -> Verdict:
    """What the second verifier decides."""
    terms = second.Terms(
        now=int(scene.now.timestamp() * 1000),
        status=scene.status,
        allow_provisional=scene.allow_provisional,
        allow_unlogged=scene.allow_unlogged,
    )
    try:
        found = second.verify(scene.bundle, second.read_trust(scene.trust), scene.digests, terms)
    except Refused as refused:
        return Verdict(accepted=False, said=refused.code, exit=_exit(refused.code))
    return Verdict(accepted=True, said=found, exit=0)


@cache
def _exit(code: str) -> int:
    return exits()[code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One mutant, and what both said."""

    seed: int
    what: str
    product: Verdict
    second: Verdict

    @property
    def agree(self) -> bool:
        """Whether both accept it, as the same, or both refuse it."""
        if self.product.accepted and self.second.accepted:
            return self.product.said == self.second.said
        return self.product.accepted == self.second.accepted


def compare(seed: int) -> Compared:
    """Ask both about the mutant of a seed."""
    what, made = mutant(scenes(), seed)
    return Compared(seed=seed, what=what, product=by_the_product(made), second=by_the_second(made))

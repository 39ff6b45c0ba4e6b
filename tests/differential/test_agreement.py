# SPDX-License-Identifier: Apache-2.0
"""Product and second verifier agree: on honest bundles of every sort, and on mutants of them.

``python -m scripts.differential --deep`` asks about 10,000 mutants.
"""

import pytest

from tests.differential.comparing import by_the_product, by_the_second, compare
from tests.differential.courses import Scene
from tests.differential.mutating import KINDS, mutant
from tests.differential.scenes import scenes

BATCHES, EACH = 10, 12
ENDINGS = {
    "regular",
    "ratified",
    "re-approved",
    "provisional",
    "unlogged",
    "quorum.short",
    "ceremony.rejected",
    "ceremony.unapproved",
    "drill.exercise",
    "revoked.release",
}


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.name)
def test_both_say_the_same_of_an_honest_bundle(scene: Scene) -> None:
    assert by_the_second(scene) == by_the_product(scene)


def test_there_is_an_honest_bundle_of_every_sort() -> None:
    assert {by_the_product(scene).said for scene in scenes()} == ENDINGS


@pytest.mark.parametrize("batch", range(BATCHES))
def test_both_accept_or_both_refuse_a_mutant(batch: int) -> None:
    compared = [compare(seed) for seed in range(batch * EACH, (batch + 1) * EACH)]
    assert [each for each in compared if not each.agree] == []


def test_a_seed_makes_the_same_mutant_again() -> None:
    assert mutant(scenes(), 7) == mutant(scenes(), 7)
    made = {mutant(scenes(), seed)[0].split(": ")[1] for seed in range(100)}
    assert len(made) > len(KINDS) // 2

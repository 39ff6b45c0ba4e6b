# SPDX-License-Identifier: Apache-2.0
"""``kill -9`` at any instant loses nothing that was acknowledged."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.databases import new_database
from tests.durability.kill_loop import Figures, run
from tests.organisation import Organisation
from tests.running_coordinator import Site


def site(folder: Path, database: str = "sqlite:///coordinator.db") -> Site:
    return Site(folder, Organisation(founded=datetime.now(UTC)), database=database)


def check(figures: Figures) -> None:
    """A loop in which nothing happened would prove nothing."""
    assert figures.acknowledged_decisions > 10 * figures.kills
    assert figures.sent_again
    assert figures.log.bundles == figures.log.approved > 0


def test_whatever_was_acknowledged_outlives_every_kill(tmp_path: Path, count: Callable[..., int]) -> None:
    check(run(site(tmp_path), kills=count(5, deep=100), seed=1))


@pytest.mark.postgresql
def test_whatever_was_acknowledged_outlives_every_kill_on_postgresql(
    tmp_path: Path, count: Callable[..., int], postgresql_address: str
) -> None:
    with new_database(postgresql_address) as database:
        check(run(site(tmp_path, database), kills=count(3, deep=30), seed=2))

# SPDX-License-Identifier: Apache-2.0
"""``kill -9`` at any instant, of a coordinator or of its database, loses nothing that was acknowledged."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import DEEP
from tests.databases import OwnServer
from tests.durability.fleet import Fleet
from tests.durability.kill_loop import Figures, run
from tests.organisation import Organisation
from tests.running_coordinator import Site

pytestmark = pytest.mark.timeout(0 if DEEP else 300)  # what it waits for takes longer beside other tests


def check(figures: Figures) -> None:
    """A loop in which nothing happened would prove nothing."""
    assert figures.acknowledged_decisions > 10 * figures.mishaps
    assert figures.sent_again
    assert figures.log.bundles == figures.log.approved > 0


def test_whatever_was_acknowledged_outlives_every_kill(sqlite_site: Site, count: Callable[..., int]) -> None:
    check(run(sqlite_site, mishaps=count(5, deep=100), seed=1))


@pytest.mark.postgresql
def test_whatever_was_acknowledged_outlives_every_kill_on_postgresql(
    postgresql_site: Site, count: Callable[..., int]
) -> None:
    check(run(postgresql_site, mishaps=count(2, deep=30), seed=2))


@pytest.mark.postgresql
def test_the_others_go_on_while_one_of_three_coordinators_is_killed(
    postgresql_site: Site, count: Callable[..., int]
) -> None:
    check(run(postgresql_site, mishaps=count(2, deep=30), seed=3, coordinators=3))


@pytest.mark.postgresql
def test_coordinators_go_on_by_themselves_when_postgresql_was_restarted(
    tmp_path: Path, organisation: Organisation, own_postgresql: OwnServer, count: Callable[..., int]
) -> None:
    processes: list[int] = []
    ways = [signal.SIGINT, signal.SIGQUIT]  # stopped by its operator, and as if its machine had failed

    def restart(fleet: Fleet) -> None:
        processes[:] = processes or fleet.processes
        assert fleet.processes == processes, "nobody had to start them again"
        ways.append(ways.pop(0))
        own_postgresql.stop(ways[-1])
        time.sleep(0.2)
        own_postgresql.start()

    site = Site(tmp_path, organisation, database=own_postgresql.url)
    figures = run(site, mishaps=count(2, deep=20), seed=4, coordinators=2, mishap=restart)
    check(figures)
    assert figures.kills == 0

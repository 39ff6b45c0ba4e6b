# SPDX-License-Identifier: Apache-2.0
"""Of two coordinators of one log on two databases one is stale: it writes nothing, whoever asked whom."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.certificates import Kind
from coordinator.founding import found
from coordinator.settings import read_settings
from coordinator.storage import EntryRow, existing_storage
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.strict_json import write
from tests.coordinator.workshop import Workshop
from tests.grpc_api.knocking import wait_until
from tests.organisation import NOW, Organisation
from tests.running_coordinator import Site


class Pair:
    """One log on two databases, of which the stale one lacks the last entries."""

    def __init__(self, folder: Path) -> None:
        self.organisation = Organisation()
        (folder / "full").mkdir()
        (folder / "stale").mkdir()
        self.full = Site(folder / "full", self.organisation)
        self.stale = Site(folder / "stale", self.organisation, own_authority=self.full.authority)
        database = read_settings(self.full.settings).database
        found(database, self.organisation.log_key, self.organisation.policy, at=NOW - timedelta(days=1))
        self._release(database, 1)
        shutil.copy(folder / "full" / "coordinator.db", folder / "stale" / "coordinator.db")
        self._release(database, 2)

    def _release(self, database: str, number: int) -> None:
        """Ask for a release and approve it: nothing is left that a coordinator would do by itself."""
        shop = Workshop(database, self.organisation, self.full.folder / "published")
        request = self.organisation.request(number=number, version=f"{number}.0")
        desk, start = shop.desk(), shop.start(request)
        desk.written(start)
        for who in ("alice", "erin", "carol", "rita"):
            desk.written(shop.decide(who, start))
        shop.close()

    def refused(self, site: Site, address: str) -> str:
        """Return the code by which a new release is refused."""
        request = self.organisation.request(number=7, version="7.0")
        with (
            Connection(address, site.client_files(request.context.signer)) as connection,
            pytest.raises(CoordinatorRefusedError) as refused,
        ):
            connection.start(write(self.organisation.seal(request).to_json()))
        return refused.value.code


def asks(site: Site, address: str) -> None:
    """Have a coordinator ask another at its start."""
    files = site.client_files("olga", Kind.OPERATOR)
    assert files.certificate is not None
    assert files.key is not None
    site.more = (
        f'[log]\npeers = ["127.0.0.1:1", "{address}"]\ncertificate = "{files.certificate}"\n'
        f'key = "{files.key}"\nauthorities = "{files.ca}"\n'
    )


def log_of(site: Site) -> tuple[list[EntryRow], bytes]:
    """Return a database's entries and its newest checkpoint."""
    with existing_storage(read_settings(site.settings).database) as storage:
        newest = storage.log.checkpoint()
        assert newest is not None
        return storage.log.entries(0, storage.log.size()), newest.note


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_a_stale_coordinator_hears_it_from_its_peer_at_the_start_and_writes_nothing(pair: Pair) -> None:
    before = log_of(pair.stale)
    with pair.full.in_process() as full:
        asks(pair.stale, full.address)
        with pair.stale.in_process() as stale:
            assert stale.server.coordinator.rewound()
            assert pair.refused(pair.stale, stale.address) == "log.rewound"
        assert not full.server.coordinator.rewound()
    assert log_of(pair.stale) == before
    with existing_storage(read_settings(pair.stale.settings).database) as storage:
        (shown,) = storage.rewound.shown()
        assert (shown.size, shown.shown_by) == (
            len(log_of(pair.full)[0]),
            f"the coordinator at {full.address}",
        )
    with pair.stale.subprocess():  # its peer is gone by now, and it has not forgotten
        said = pair.stale.folder / "coordinator.log"
        wait_until(lambda: "it answers reads only" in said.read_text().splitlines()[-1])
        recover = f"`quorumseal coordinator recover --settings {pair.stale.settings}`"
        assert recover in said.read_text().splitlines()[-1]
    assert log_of(pair.stale) == before


def test_a_stale_coordinator_is_told_by_a_peer_that_asks_it(pair: Pair) -> None:
    before = log_of(pair.stale)
    with pair.stale.in_process() as stale:
        assert not stale.server.coordinator.rewound()
        asks(pair.full, stale.address)
        with pair.full.in_process() as full:
            assert not full.server.coordinator.rewound()
        assert pair.refused(pair.stale, stale.address) == "log.rewound"
    assert log_of(pair.stale) == before

# SPDX-License-Identifier: Apache-2.0
"""A dump of PostgreSQL, restored as the manual has it: what was lost is noticed, and comes back."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from coordinator.errors import RewoundError
from coordinator.founding import found
from coordinator.handing_back import HandingBack
from coordinator.log_keys import LogKeys
from coordinator.rebuilding import rebuild_in
from coordinator.recovering import recover_log
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, Organisation

pytestmark = pytest.mark.postgresql
MANUAL = Path(__file__).parents[2] / "docs" / "manuals" / "operator.md"


def program(name: str) -> str:
    """Return where one of PostgreSQL's programs is; the newest, if there are several."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda file: float(file.parts[-3]), default=None)
    found = str(newest) if newest else shutil.which(name)
    if found is None:
        pytest.skip(f"dumps of PostgreSQL were not restored, for want of {name}")
    return found


def run(name: str, *words: str) -> None:
    """Run one of PostgreSQL's programs."""
    done = subprocess.run([program(name), *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def database(organisation: Organisation) -> Iterator[str]:
    """A database that PostgreSQL's own programs made, with the organisation founded in it."""
    for url in made("dumped"):
        found(url, organisation.log_key, organisation.policy, at=NOW - timedelta(days=1))
        yield url


@pytest.fixture
def other_database() -> Iterator[str]:
    """Where the dump is restored to."""
    yield from made("restored")


def made(what: str) -> Iterator[str]:
    server = os.environ["QUORUMSEAL_TEST_POSTGRESQL"]
    name = f"quorumseal_{what}_{uuid.uuid4().hex}"
    run("createdb", f"--maintenance-db={server}", name)
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    run("dropdb", "--force", f"--maintenance-db={server}", name)


def test_what_was_written_after_the_dump_comes_back_from_an_agent(
    workshop: Workshop, other_database: str, tmp_path: Path
) -> None:
    anchor, dump = tmp_path / "anchor", tmp_path / "log.dump"
    desk, start = workshop.desk(anchor=anchor), workshop.start()
    receipts = [desk.written(start).receipt, desk.written(workshop.decide("alice", start)).receipt]
    run("pg_dump", "--format=custom", f"--file={dump}", workshop.database)
    receipts += [desk.written(workshop.decide(who, start)).receipt for who in ("erin", "carol")]
    rows, newest = desk.storage.log.entries(0, 99), desk.reader.newest_checkpoint().note
    run("pg_restore", f"--dbname={other_database}", str(dump))

    shop = Workshop(other_database, workshop.organisation, tmp_path / "restored", time=workshop.time)
    restored = shop.desk(anchor=anchor)
    assert restored.storage.log.entries(0, 99) == rows[:3]
    (refusal,) = restored.write(shop.decide("rita", start))
    assert isinstance(refusal, RewoundError)
    assert restored.storage.log.entries(0, 99) == rows[:3]
    handing = HandingBack(restored.storage, restored.high_water, now=lambda: shop.time.now)
    handing.take(newest, [(row.index, row.payload) for row in rows[3:]], [], signer="bob")
    recover_log(restored.storage, LogKeys(shop.organisation.log_key), at=shop.time.now, certain=len(rows))
    assert restored.storage.log.entries(0, len(rows)) == rows
    for receipt in receipts:
        shop.check(receipt)
        known = restored.storage.log.checkpoint(receipt.index + 1)
        assert known is not None
        assert known.note == receipt.checkpoint
    assert rebuild_in(restored.storage).differing == ()
    restored.written(shop.decide("rita", start))
    shop.close()


@pytest.mark.parametrize("words", ["pg_dump --format=custom --file=", "`createdb`", "`pg_restore --dbname="])
def test_the_manual_says_what_is_tested_here(words: str) -> None:
    assert words in MANUAL.read_text()

# SPDX-License-Identifier: Apache-2.0
"""Cosignatures after a recovery: what the backup had counts on, and what is lost is asked for again."""

import pytest
from sqlalchemy import delete

from coordinator.handing_back import HandingBack
from coordinator.log_keys import LogKeys
from coordinator.recovering import recover_log
from coordinator.storage.schema import cosignatures
from coordinator.values import PublicationState
from tests.coordinator.rewinding import cut_back
from tests.coordinator.test_cosigning import ACME, Site
from tests.coordinator.workshop import Workshop
from tests.organisation import Organisation


@pytest.fixture(scope="session")
def organisation() -> Organisation:
    return ACME


@pytest.fixture
def site(workshop: Workshop) -> Site:
    return Site(workshop)


def recovered(site: Site, *, cosigned: bool) -> None:
    """Set the log back, with its cosignatures or without, and recover it."""
    storage, head = site.desk.storage, site.newest
    rows, note = storage.log.entries(0, head.size), site.desk.reader.newest_checkpoint().note
    cut_back(storage, 3)
    if not cosigned:
        with storage.engines.writing() as connection:
            connection.execute(delete(cosignatures))
    handing = HandingBack(storage, site.desk.high_water, now=lambda: site.workshop.time.now)
    handing.take(note, [(row.index, row.payload) for row in rows[3:]], [], signer="erin")
    recover_log(
        storage,
        LogKeys(ACME.log_key),
        at=site.workshop.time.now,
        certain=head.size,
        destinations=[site.place.name],
    )
    site.desk.high_water.look()
    site.desk.policies.reload()


def test_cosignatures_that_the_backup_had_count_after_the_recovery(site: Site) -> None:
    site.by("alice")
    site.by("carol")
    kept = site.kept()
    recovered(site, cosigned=True)
    assert site.kept() == kept
    assert site.publishing.publish_due() == 1
    assert site.state()[0] is PublicationState.PUBLISHED
    assert len(site.verify().cosignatures) == 2


def test_cosignatures_that_are_lost_are_waited_for_again_and_taken(site: Site) -> None:
    before = site.note("alice")
    site.by("alice")
    site.by("carol")
    recovered(site, cosigned=False)
    site.publishing.publish_due()
    assert site.state()[0] is PublicationState.AWAITING_WITNESSES
    assert site.place.published == []
    site.cosigning.take(before, caller="alice")  # the checkpoint of then is one of this log still
    site.by("carol")  # and one that covers it is as good
    assert site.publishing.publish_due() == 1
    assert site.state()[0] is PublicationState.PUBLISHED
    assert len(site.verify().cosignatures) == 2

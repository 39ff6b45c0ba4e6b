# SPDX-License-Identifier: Apache-2.0
"""What waits for witnesses is published once enough have cosigned, and only what counts is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from coordinator.cosigning import Cosigning
from coordinator.metrics.observing import unobserved
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.values import PublicationState
from quorumseal.signatures import PrivateKey
from quorumseal.tlog import (
    Checkpoint,
    Witness,
    add_lines,
    cosign,
    open_checkpoint,
    sign_checkpoint,
)
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify
from tests.coordinator.workshop import Place, Workshop
from tests.forging import verdict
from tests.organisation import NOW, Organisation, key_of
from tests.verifier.published import ARTIFACTS

OUTSIDE = Witness("witness.example/w1", key_of("outside").public)
MINUTE = timedelta(minutes=1)
ACME = Organisation(witnessing=frozenset({"alice", "carol", "dan"}), outside=(OUTSIDE,), cosignatures=2)


@pytest.fixture(scope="session")
def organisation() -> Organisation:
    return ACME


class Site:
    """A coordinator with one approved release that waits for its witnesses."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.desk, self.ceremony = workshop.approved()
        self.place = Place()
        clock = workshop.time.clock()
        notifier = Notifier(self.desk.storage, Routes(), clock=clock)
        self.publishing = Publishing(
            self.desk.storage,
            self.desk.reader,
            self.desk.policies,
            [self.place],
            clock=clock,
            notifier=notifier,
        )
        self.woken = 0
        self.cosigning = Cosigning(
            self.desk.storage,
            self.desk.policies,
            self.desk.high_water,
            clock=clock,
            woken=self._wake,
            observe=unobserved,
        )

    def _wake(self) -> None:
        self.woken += 1

    @property
    def newest(self) -> Checkpoint:
        note = self.desk.reader.newest_checkpoint().note
        return open_checkpoint(note, ACME.origin, [ACME.log_key.public])

    def note(
        self,
        signer: str,
        *,
        checkpoint: Checkpoint | None = None,
        key: PrivateKey | None = None,
        name: str = "",
        at: datetime | None = None,
    ) -> bytes:
        checkpoint = checkpoint or self.newest
        line = cosign(
            checkpoint,
            key or ACME.witness_key(signer),
            name or f"acme.example/witness/{signer}",
            at=at or self.workshop.time.now,
        )
        return add_lines(sign_checkpoint(checkpoint, ACME.log_key), [line])

    def by(self, signer: str) -> None:
        self.cosigning.take(self.note(signer), caller=signer)

    def refused(self, note: bytes, caller: str = "alice") -> str:
        before = self.kept()
        code = verdict(lambda: self.cosigning.take(note, caller=caller))
        assert code == "accepted" or (self.kept() == before and not self.woken)
        return code

    def kept(self, size: int = 0) -> list[tuple[str, int]]:
        names = [witness.name for witness in self.desk.policies.newest.policy.witnesses]
        return [(row.witness, row.size) for row in self.desk.storage.cosignatures.covering(size, names)]

    def state(self) -> tuple[PublicationState, str]:
        (publication,) = self.desk.reader.publications(self.ceremony)
        return publication.state, publication.detail

    def grow(self, number: int = 2) -> None:
        request = ACME.request(number=number, version=f"{number}.0")
        self.desk.written(self.workshop.start(request))

    def verify(self) -> Verified:
        trust = Trust(organisation=ACME.name, policy=ACME.policy.digest, minimum_version=1)
        return verify(self.desk.reader.bundle(self.ceremony), trust, ARTIFACTS)


@pytest.fixture
def site(workshop: Workshop) -> Site:
    return Site(workshop)


def test_a_publication_waits_for_its_witnesses_and_says_who_is_missing(site: Site) -> None:
    assert site.publishing.publish_due() == 1
    assert site.place.published == []
    state, detail = site.state()
    assert state is PublicationState.AWAITING_WITNESSES
    assert detail == (
        "0 of 2 cosignatures; missing: acme.example/witness/alice, acme.example/witness/carol, "
        "acme.example/witness/dan, witness.example/w1"
    )
    site.by("carol")
    assert site.publishing.publish_due() == 1
    assert site.state()[1].startswith("1 of 2 cosignatures; missing: acme.example/witness/alice, acme")


def test_enough_cosignatures_publish_at_once_a_bundle_that_verifies(site: Site) -> None:
    site.publishing.publish_due()
    assert site.publishing.publish_due() == 0, "nobody asks again before there is news, or a while"
    site.by("alice")
    site.by("carol")
    assert site.woken == 2
    assert site.publishing.publish_due() == 1
    assert site.state()[0] is PublicationState.PUBLISHED
    ((_, data),) = site.place.published
    assert data == site.desk.reader.bundle(site.ceremony)
    assert len(site.verify().cosignatures) == 2


def test_waiting_is_no_failure_and_is_looked_at_again_without_news(site: Site) -> None:
    for _ in range(5):
        assert site.publishing.publish_due() == 1
        site.workshop.time.pass_by(timedelta(seconds=15))
    (row,) = site.desk.storage.outbox.of(site.ceremony)
    assert (row.attempts, row.state) == (0, "awaiting witnesses")


def test_a_destination_that_fails_after_the_wait_is_a_failure(site: Site) -> None:
    site.publishing.publish_due()
    site.place.failures = 1
    site.by("alice")
    site.by("carol")
    site.publishing.publish_due()
    assert site.state()[0] is PublicationState.FAILED


def test_later_checkpoints_cosigned_by_different_witnesses_count_together(site: Site) -> None:
    site.by("alice")
    site.grow(2)
    site.grow(3)
    site.by("dan")
    assert [each.witness.name for each in site.verify().cosignatures] == [
        "acme.example/witness/alice",
        "acme.example/witness/dan",
    ]


def test_an_outside_witness_counts(site: Site) -> None:
    site.by("alice")
    site.cosigning.keep(site.note("", key=key_of("outside"), name=OUTSIDE.name), OUTSIDE)
    assert len(site.verify().cosignatures) == 2


def test_the_earliest_cosignature_that_covers_a_conclusion_and_the_newest_are_kept(site: Site) -> None:
    concluded = site.newest.size
    for number in range(2, 7):
        site.by("alice")
        site.grow(number)
    site.by("alice")
    sizes = {size for least in range(concluded + 6) for name, size in site.kept(least)}
    assert sizes == {concluded, concluded + 5}
    assert site.kept(concluded + 1) == [("acme.example/witness/alice", concluded + 5)]


def test_the_same_cosignature_again_changes_nothing(site: Site) -> None:
    first = site.note("alice")
    site.cosigning.take(first, caller="alice")
    site.workshop.time.pass_by(MINUTE)
    site.cosigning.take(site.note("alice"), caller="alice")
    site.cosigning.take(first, caller="alice")
    (row,) = site.desk.storage.cosignatures.covering(0, ["acme.example/witness/alice"])
    assert row.line.encode() in first


Note = Callable[[Site], bytes]
OTHERS: list[tuple[str, str, Note, str]] = [
    ("an approval key", "alice", lambda s: s.note("alice", key=ACME.key("alice")), "log.cosignature_missing"),
    ("another's witness key", "alice", lambda s: s.note("carol"), "log.cosignature_missing"),
    (
        "another's key under one's own name",
        "alice",
        lambda s: s.note("alice", key=ACME.witness_key("carol")),
        "log.cosignature_missing",
    ),
    ("no line at all", "alice", lambda s: sign_checkpoint(s.newest, ACME.log_key), "log.cosignature_missing"),
    ("a signer without a witness key", "bob", lambda s: s.note("bob"), "caller.not_a_witness"),
    ("somebody whom the policy does not have", "zoe", lambda s: s.note("zoe"), "caller.not_a_witness"),
    ("an outside witness's name", "w1", lambda s: s.note("w1", name=OUTSIDE.name), "caller.not_a_witness"),
    (
        "a line that was made for another checkpoint",
        "alice",
        lambda s: add_lines(
            sign_checkpoint(s.newest, ACME.log_key),
            [s.note("alice", checkpoint=replace(s.newest, size=1)).decode().splitlines(keepends=True)[-1]],
        ),
        "log.cosignature",
    ),
    (
        "hundreds of lines",
        "alice",
        lambda s: add_lines(s.note("alice"), ["— a AAAAAAA=\n"] * 300),
        "log.note_malformed",
    ),
    ("nonsense", "alice", lambda _: b"nonsense", "log.note_malformed"),
]


@pytest.mark.parametrize(("_", "caller", "note", "code"), OTHERS, ids=[row[0] for row in OTHERS])
def test_a_cosignature_by_anything_but_the_caller_s_own_witness_key_is_refused(
    _: str, caller: str, note: Note, code: str, site: Site
) -> None:
    assert site.refused(note(site), caller) == code


def test_a_witness_never_goes_back(site: Site) -> None:
    older = site.newest
    site.grow()
    site.by("alice")
    site.woken = 0
    assert site.refused(site.note("alice", checkpoint=older)) == "log.witness_conflict"


def test_a_checkpoint_that_this_log_never_signed_is_not_taken(site: Site) -> None:
    other = replace(site.newest, origin="log.other.example")
    assert site.refused(site.note("alice", checkpoint=other)) == "log.note_signature"
    lone = Checkpoint(ACME.origin, site.newest.size, site.newest.root)
    forged = add_lines(
        sign_checkpoint(lone, key_of("not the log"), ACME.origin),
        [cosign(lone, ACME.witness_key("alice"), "acme.example/witness/alice", at=NOW)],
    )
    assert site.refused(forged) == "log.note_signature"


@pytest.mark.parametrize("more", [0, 5])
def test_a_second_history_of_the_log_s_own_key_stops_it_and_is_not_cosigned(site: Site, more: int) -> None:
    site.workshop.damaged = True
    other = replace(site.newest, size=site.newest.size + more, root=b"\x07" * 32)
    assert site.refused(site.note("alice", checkpoint=other)) == "log.rewound"


@pytest.mark.parametrize(
    ("minutes", "code"),
    [(-2, "accepted"), (2, "accepted"), (-3, "log.cosignature_time"), (3, "log.cosignature_time")],
)
def test_a_cosignature_of_another_time_is_refused(site: Site, minutes: int, code: str) -> None:
    written = NOW + MINUTE
    assert site.workshop.time.now == written
    assert site.refused(site.note("alice", at=written + minutes * MINUTE)) == code


def test_a_list_says_which_releases_wait_for_witnesses(site: Site) -> None:
    outbox = site.desk.storage.outbox
    assert outbox.unpublished([site.ceremony]) == {site.ceremony: "pending"}
    site.publishing.publish_due()
    assert outbox.unpublished([site.ceremony, "another"]) == {site.ceremony: "awaiting witnesses"}
    site.by("alice")
    site.by("carol")
    site.publishing.publish_due()
    assert outbox.unpublished([site.ceremony]) == {}

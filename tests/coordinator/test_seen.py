# SPDX-License-Identifier: Apache-2.0
"""A statement that names a checkpoint of another log is turned away, so it cannot keep a bundle back."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from coordinator.assembly import Coordinator
from coordinator.errors import SeenCheckpointError
from coordinator.seen import SeenCheckpoints
from coordinator.storage import Storage
from coordinator.values import Annex, PublicationState
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.ceremony.values import EMPTY_DIGEST, digest_of
from quorumseal.refusal import Refusal
from quorumseal.tlog import EMPTY_ROOT, hash_text
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.coordinator.workshop import Workshop
from tests.organisation import ARTIFACT, REASON, SALT

OTHER = digest_of(b"the root of another log")


@pytest.fixture
def storage(workshop: Workshop) -> Iterator[Storage]:
    """A log of five entries, each written on its own."""
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    for signer in ("alice", "erin", "carol"):
        desk.written(workshop.decide(signer, start))
    storage = Storage(workshop.database)
    yield storage
    storage.close()


def root_of(storage: Storage, size: int) -> str:
    row = storage.log.checkpoint(size)
    assert row is not None
    return hash_text(row.root)


def test_every_checkpoint_that_the_log_signed_may_be_named(storage: Storage) -> None:
    seen = SeenCheckpoints(storage)
    seen.check(SeenCheckpoint(size=0, root=hash_text(EMPTY_ROOT)))
    assert EMPTY_ROOT.hex() == EMPTY_DIGEST.removeprefix("sha256:")
    for size in range(1, 6):
        seen.check(SeenCheckpoint(size=size, root=root_of(storage, size)))


@pytest.mark.parametrize(
    ("_", "size"),
    [("another beginning", 0), ("another past", 3), ("another present", 5), ("a future", 6), ("far", 2**53)],
)
def test_a_checkpoint_that_the_log_never_signed_is_refused_with_what_to_do(
    storage: Storage, _: str, size: int
) -> None:
    with pytest.raises(SeenCheckpointError) as refused:
        SeenCheckpoints(storage).check(SeenCheckpoint(size=size, root=OTHER))
    assert refused.value.code == "statement.checkpoint"
    assert f"for size {size}: " in str(refused.value)
    assert refused.value.hint.startswith("delete nothing: look at the fork warning")


def test_a_root_of_this_log_at_another_size_is_refused(storage: Storage) -> None:
    with pytest.raises(SeenCheckpointError):
        SeenCheckpoints(storage).check(SeenCheckpoint(size=4, root=root_of(storage, 3)))


def test_what_is_kept_in_memory_is_bounded_and_forgets_nothing_that_counts(storage: Storage) -> None:
    seen = SeenCheckpoints(storage, keep=2)
    for size in (0, 1, 2, 3, 4, 5, 0, 1, 2):
        root = root_of(storage, size) if size else EMPTY_DIGEST
        seen.check(SeenCheckpoint(size=size, root=root))
        with pytest.raises(SeenCheckpointError):
            seen.check(SeenCheckpoint(size=size, root=OTHER))
    assert len(seen._roots) == 2


def test_a_checkpoint_that_was_not_there_yet_is_found_once_it_is(workshop: Workshop) -> None:
    desk, start, storage = workshop.desk(), workshop.start(), Storage(workshop.database)
    seen = SeenCheckpoints(storage)
    with pytest.raises(SeenCheckpointError):
        seen.check(SeenCheckpoint(size=2, root=OTHER))
    desk.written(start)
    seen.check(SeenCheckpoint(size=2, root=root_of(storage, 2)))
    storage.close()


async def _hand_in(coordinator: Coordinator, workshop: Workshop, signer: str, seen: SeenCheckpoint) -> State:
    organisation = workshop.organisation
    decision = organisation.decision(signer, organisation.sign_request(), seen=seen)
    decided = await coordinator.use_cases.decide(organisation.seal(decision), caller=signer)
    return decided.state


async def test_one_bad_signer_cannot_keep_a_bundle_from_being_published(workshop: Workshop) -> None:
    """Everybody in a role may say no; nobody can say yes in a way that leaves the others without a bundle."""
    organisation, coordinator = workshop.organisation, workshop.coordinator()
    request = organisation.request()
    await coordinator.use_cases.start(organisation.seal(request), caller="mallory")
    bad = [SeenCheckpoint(size=size, root=OTHER) for size in (0, 1, 2, 3, 4, 5, 6, 7, 1000)]
    for signer in ("alice", "erin", "carol", "rita"):
        for seen in bad:
            with pytest.raises(Refusal) as refused:
                await _hand_in(coordinator, workshop, signer, seen)
            assert refused.value.code == "statement.checkpoint"
        honest = SeenCheckpoint(size=0, root=EMPTY_DIGEST)
        state = await _hand_in(coordinator, workshop, signer, honest)
        assert state is (State.APPROVED if signer == "rita" else State.OPEN)

    bundle = await coordinator.use_cases.bundle(request.ceremony)
    trust = Trust(organisation=organisation.name, policy=organisation.policy.digest, minimum_version=1)
    assert verify(bundle, trust, {"widget.tar.gz": digest_of(ARTIFACT)}).subjects == request.subjects
    await _published(coordinator, request.ceremony)
    assert [path.read_bytes() for path in workshop.published.glob("*.quorumseal.json")] == [bundle]


async def test_a_request_or_a_cancellation_with_another_logs_checkpoint_is_refused_too(
    workshop: Workshop,
) -> None:
    organisation, coordinator = workshop.organisation, workshop.coordinator()
    request, foreign = organisation.request(), SeenCheckpoint(size=9, root=OTHER)
    cases, context = coordinator.use_cases, organisation.context("mallory", seen=foreign)
    with pytest.raises(SeenCheckpointError):
        await cases.start(organisation.seal(replace(request, context=context)), caller="mallory")
    assert not (await cases.list_ceremonies()).items

    await cases.start(organisation.seal(request), caller="mallory")
    chain, _ = organisation.run()
    cancellation = replace(organisation.cancellation("mallory", chain), context=context)
    with pytest.raises(SeenCheckpointError):
        await cases.act(organisation.seal(cancellation), Annex(salt=SALT, text=REASON), caller="mallory")
    assert [each.state for each in (await cases.list_ceremonies()).items] == [State.OPEN]


async def _published(coordinator: Coordinator, ceremony: str) -> None:
    async with asyncio.timeout(30):
        states: set[PublicationState] = set()
        while states != {PublicationState.PUBLISHED}:
            publications = (await coordinator.use_cases.ceremony(ceremony)).publications
            states = {publication.state for publication in publications}

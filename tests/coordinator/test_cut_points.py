# SPDX-License-Identifier: Apache-2.0
"""Restored from an old backup, at random points: no second history, and nothing acknowledged is lost.

Four points by default.  200 restores with QUORUMSEAL_DEEP: there are 149 points, so 51 of them are used a
second time, with other holders and liars.
"""

import os
import random
from pathlib import Path

import pytest

from coordinator.backing_up import back_up, put_back
from coordinator.commands import WriterCommand, Written
from coordinator.errors import RecoveryError, RewoundError
from coordinator.founding import found
from coordinator.handing_back import HandingBack
from coordinator.log_keys import LogKeys
from coordinator.rebuilding import rebuild_in
from coordinator.recovering import recover_log
from coordinator.storage import EntryRow
from coordinator.values import Receipt
from quorumseal.tlog import open_checkpoint
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import NOW, Organisation
from tests.prepared_tables import with_tables

CUTS = 200 if os.environ.get("QUORUMSEAL_DEEP") else 4
CEREMONIES = 30
AGENTS = ("alice", "bob", "carol", "dan", "erin")
APPROVERS = ("alice", "erin", "carol", "rita")


class History:
    """A log, backups of it after some of its commits, and every receipt that was given."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.organisation = folder, Organisation()
        self.database = with_tables(f"sqlite:///{folder / 'log.sqlite'}")
        found(self.database, self.organisation.log_key, self.organisation.policy, at=NOW)
        shop = Workshop(self.database, self.organisation, folder / "published")
        desk = shop.desk()
        steps = CEREMONIES * (1 + len(APPROVERS))
        wanted = set(chance.sample(range(steps - 1), min(CUTS, steps - 1)))
        self.receipts: list[Receipt] = []
        self.backups: list[Path] = []
        for number in range(CEREMONIES):
            start = shop.start(self.organisation.request(number=number + 1, version=f"1.{number}"))
            commands: list[WriterCommand] = [start, *(shop.decide(who, start) for who in APPROVERS)]
            for command in commands:
                self.receipts.append(desk.written(command).receipt)
                if len(self.receipts) - 1 in wanted:
                    self.backups.append(folder / f"{len(self.receipts)}.backup")
                    back_up(self.database, self.backups[-1])
        self.rows: list[EntryRow] = desk.storage.log.entries(0, desk.storage.log.size())
        self.note = desk.reader.newest_checkpoint().note
        shop.close()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"), random.Random(1))


def signed(desk: Desk, signatures: dict[int, bytes], organisation: Organisation) -> None:
    """Take note of every checkpoint that was signed; none may contradict another of its size."""
    size = desk.storage.log.size()
    for row in filter(None, (desk.storage.log.checkpoint(n) for n in range(size + 1))):
        checkpoint = open_checkpoint(row.note, organisation.origin, [organisation.log_key.public])
        assert signatures.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root


def agents(history: History, chance: random.Random, left: int) -> dict[str, dict[int, bytes]]:
    """Deal what is lost out to agents, each entry to one at least; sometimes one of them lies."""
    held: dict[str, dict[int, bytes]] = {name: {} for name in AGENTS}
    for row in history.rows[left:]:
        for name in chance.sample(AGENTS, chance.randint(1, len(AGENTS))):
            held[name][row.index] = row.payload
    if chance.random() < 0.5:
        lies = {row.index: chance.choice(history.rows).payload for row in history.rows[left:]}
        held["mallory"] = lies
    return held


@pytest.mark.parametrize("cut", range(CUTS))
def test_a_restored_log_signs_no_second_history_and_gets_everything_back(
    history: History, tmp_path: Path, cut: int
) -> None:
    chance = random.Random(f"cut {cut}")
    organisation, backup = history.organisation, history.backups[cut % len(history.backups)]
    database, anchor = f"sqlite:///{tmp_path / 'log.sqlite'}", tmp_path / "anchor"
    kept = chance.random() < 0.5
    if kept:
        anchor.write_bytes(history.note)
    left = put_back(database, backup)[0].size
    shop = Workshop(database, organisation, tmp_path / "published")
    desk = shop.desk(anchor=anchor if kept else None)
    signatures: dict[int, bytes] = {}
    handing = HandingBack(desk.storage, desk.high_water, now=lambda: shop.time.now)
    if not kept:
        handing.take(history.note, [], [], signer="rita")
    newcomer = shop.start(organisation.request(number=900, version="9"))
    for _ in range(2):
        (refusal,) = desk.write(newcomer)
        assert isinstance(refusal, RewoundError)
    signed(desk, signatures, organisation)
    assert desk.storage.log.size() == left
    for name, held in agents(history, chance, left).items():
        handing.take(history.note, [*held.items()], [], signer=name)
    keys = LogKeys(organisation.log_key)
    if not kept:
        with pytest.raises(RecoveryError, match="got nothing from ci"):
            recover_log(desk.storage, keys, at=shop.time.now)
    recovered = recover_log(
        desk.storage,
        keys,
        at=shop.time.now,
        certain=len(history.rows) if kept else 0,
        without_unheard=not kept,
    )
    assert recovered.recovery.before.size == left
    assert desk.storage.log.entries(0, len(history.rows)) == history.rows
    for receipt in history.receipts:
        (row,) = desk.storage.log.entries(receipt.index, receipt.index + 1)
        assert row.payload == receipt.entry
        seen = open_checkpoint(receipt.checkpoint, organisation.origin, [organisation.log_key.public])
        assert desk.storage.log.root_at(seen.size) == seen.root
        known = desk.storage.log.checkpoint(seen.size)
        assert known is not None
        assert known.note == receipt.checkpoint
    assert rebuild_in(desk.storage).differing == ()
    assert isinstance(desk.written(newcomer), Written)
    signed(desk, signatures, organisation)
    shop.close()

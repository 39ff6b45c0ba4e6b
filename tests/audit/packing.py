# SPDX-License-Identifier: Apache-2.0
"""Packs that were made of logs that a real coordinator wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.pack.judging import JudgedPack, judge_pack
from quorumseal.audit.pack.making import make_pack
from quorumseal.audit.pack.manifest import MANIFEST, FileEntry, read_manifest, write_manifest
from quorumseal.audit.pack.texts import named_in_verifier
from quorumseal.audit.population import Period
from quorumseal.verifier.trust import Trust
from tests.audit.copying import copy_of
from tests.audit.histories import TRUST, database_in, fill
from tests.coordinator.workshop import Desk, Workshop
from tests.losing import LOSING
from tests.organisation import NOW

PROGRAM = "0.1.0"
VERIFIER = b"the bytes of a program: " + named_in_verifier(PROGRAM) + b"\n"
PERIOD = Period(begin=NOW - timedelta(days=2), end=NOW + timedelta(days=30))


@dataclass(frozen=True)
class Written:
    """A log, and every bundle that was published of it."""

    copy: LogCopy
    bundles: Mapping[str, bytes]
    trust: Trust = TRUST

    def pack(self, period: Period = PERIOD, *, annexes: bool = False) -> dict[str, bytes]:
        """Return the files of a pack."""
        made = make_pack(
            self.copy,
            populate(self.copy, self.trust),
            self.trust,
            period,
            bundles=self.bundles.get,
            verifier=VERIFIER,
            program=PROGRAM,
            annexes=annexes,
        )
        return dict(made)

    def judge(self, files: Mapping[str, bytes]) -> JudgedPack:
        """Say what an auditor would."""
        return judge_pack(files, self.trust, program=PROGRAM)


def write_log(folder: Path, *, entries: int) -> Written:
    """Let a coordinator write until its log has that many entries."""
    workshop = Workshop(database_in(folder), LOSING, folder / "published")
    try:
        desk = workshop.desk()
        fill(workshop, desk, entries)
        return Written(copy_of(desk.storage), bundles_of(desk))
    finally:
        workshop.close()


def bundles_of(desk: Desk) -> dict[str, bytes]:
    """Return the bundle of each ceremony that has one."""
    copy = copy_of(desk.storage)
    population = populate(copy, TRUST)
    return {
        each.id: desk.reader.bundle(each.id)
        for each in population.ceremonies
        if each.state in ("approved", "provisional")
    }


def codes(judged: JudgedPack) -> list[str]:
    """Return the codes of everything that is wrong."""
    return [each.refusal.code for each in judged.defects]


def refitted(files: Mapping[str, bytes], changed: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return a pack in which somebody changed, added or left out files, and made the manifest fit."""
    about = read_manifest(files[MANIFEST]).about
    there = {name: data for name, data in {**files, **changed}.items() if data is not None}
    del there[MANIFEST]
    listed = [FileEntry.of(name, data) for name, data in there.items()]
    return {**there, MANIFEST: write_manifest(about, listed)}


def flipped(data: bytes, place: int, by: int = 1) -> bytes:
    """Return bytes of which one is another."""
    return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]

# SPDX-License-Identifier: Apache-2.0
"""Say everything that is wrong with a pack, from its files and a trust file alone.

1. The manifest is one, and lists exactly the files that are there, each with its length and digest; where it
   does not, nothing further is looked at.
2. The log: the tree under its signed checkpoint, every signature, every ceremony by the rules.
3. The log reaches back to the period's beginning, and the manifest says of it what is so.
4. Tables, texts, policies and the page are those that follow from the log, byte for byte.
5. Each bundle says of its ceremonies what the log says, and none of the period is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.audit.defect import Defect
from quorumseal.audit.examining import Progress, examine
from quorumseal.audit.folder import FILES, read_copy
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.pack.bundles import BundleJudge, bundle_file, with_bundle
from quorumseal.audit.pack.counting import Counted, count
from quorumseal.audit.pack.errors import PackFileError, PackFormatError, PackProjectionError
from quorumseal.audit.pack.making import about_of
from quorumseal.audit.pack.manifest import MANIFEST, FileEntry, Manifest, read_manifest
from quorumseal.audit.pack.projections import LOG, projections
from quorumseal.audit.pack.texts import PROGRAM, named_in_verifier
from quorumseal.audit.population import Population
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.values import instant_text
from quorumseal.refusal import Refusal
from quorumseal.signatures.timestamps import taking_tokens_unjudged
from quorumseal.verifier.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPack:
    """What came of it."""

    manifest: Manifest
    entries: int = 0
    files: int = 0
    bundles: int = 0
    signatures: int = 0
    counted: Counted | None = None
    """None where the log itself is not as it should be."""
    population: Population | None = None
    last: datetime | None = None
    """When the last entry was written."""
    unjudged: int = 0
    """Timestamps that nothing on this machine could judge."""
    compared: bool = True
    """Whether tables and texts were compared: only the version that wrote them writes the same bytes."""
    defects: tuple[Defect, ...] = ()


def judge_pack(
    files: Mapping[str, bytes],
    trust: Trust | None,
    *,
    program: str,
    verifier: bytes | None = None,
    held: tuple[bytes, ...] = (),
    progress: Progress = lambda _done, _total: None,
) -> JudgedPack:
    """Examine all of it; without a trust file by the policy that the pack itself names first.

    ``verifier`` is the single-file verifier of this ``program``, where that is known.
    """
    if MANIFEST not in files:
        raise PackFormatError(
            f"expected a pack with a file {MANIFEST}, got none", hint="name the folder that was handed over"
        )
    manifest = read_manifest(files[MANIFEST])
    judge = _Judge(files, manifest, program, verifier)
    with taking_tokens_unjudged() as unjudged:
        judged = judge.judge(trust or trust_of(manifest), held, progress)
    return replace(judged, unjudged=len(unjudged))


def trust_of(manifest: Manifest) -> Trust:
    """Return a trust file that pins what the pack itself says, which nothing vouches for."""
    return Trust(organisation=manifest.about.organisation, policy=manifest.about.policy, minimum_version=1)


class _Judge:
    def __init__(
        self, files: Mapping[str, bytes], manifest: Manifest, program: str, verifier: bytes | None
    ) -> None:
        self._files, self._manifest, self._program = files, manifest, program
        self._verifier = verifier
        self._left = {*manifest.files}
        """What nothing has asked for yet."""
        self._defects: list[Defect] = []

    def judge(self, trust: Trust, held: tuple[bytes, ...], progress: Progress) -> JudgedPack:
        self._check_files()
        if self._defects:  # whatever else is wrong may follow from that
            return self._so_far()
        log = {name: data for name in FILES if (data := self._take(LOG + name)) is not None}
        self._check_program(self._take(PROGRAM) or b"")
        try:
            copy = read_copy(log)
        except Refusal as refusal:
            self._wrong(refusal)
            return self._so_far()
        examined = examine(replace(copy, held=(*copy.held, *held)), trust, progress=progress)
        self._defects += examined.defects
        if examined.population is None:
            return replace(self._so_far(), entries=examined.entries)
        population, about = examined.population, self._manifest.about
        self._reaches_back(copy)
        bundles = self._bundles(population)
        self._projections(population, copy)
        for name in sorted(self._left):
            self._wrong(PackFileError(f"expected no file {name} in this pack, got one in its manifest"))
        return replace(
            self._so_far(),
            entries=examined.entries,
            bundles=bundles,
            signatures=_signatures(population),
            counted=count(population, about.period),
            population=population,
            last=read_entry(copy.entries[-1] if copy.entries else copy.earlier[-1].payload).at,
        )

    def _so_far(self) -> JudgedPack:
        return JudgedPack(
            manifest=self._manifest,
            files=len(self._manifest.files),
            compared=self._manifest.about.program == self._program,
            defects=tuple(self._defects),
        )

    def _wrong(self, refusal: Refusal, ceremony: str | None = None) -> None:
        self._defects.append(Defect(refusal, None, ceremony))

    def _check_files(self) -> None:
        """See that the files are those that the manifest lists, each with its bytes."""
        listed, there = self._manifest.files, {*self._files} - {MANIFEST}
        for name in sorted(there - listed.keys()):
            self._wrong(PackFileError(f"expected no file that the manifest does not list, got {name[:200]}"))
        for name in sorted(listed.keys() - there):
            self._wrong(PackFileError(f"expected the file {name}, which the manifest lists, got none"))
        for name in sorted(listed.keys() & there):
            expected, got = listed[name], FileEntry.of(name, self._files[name])
            if got != expected:
                self._wrong(
                    PackFileError(
                        f"expected {name} of {expected.size} bytes and {expected.digest}, "
                        f"got {got.size} bytes and {got.digest}"
                    )
                )

    def _check_program(self, given: bytes) -> None:
        """See that the verifier in a pack is that of its version: somebody may run it."""
        program = self._manifest.about.program
        known = self._verifier if program == self._program else None
        if named_in_verifier(program) not in given or known not in (None, given):
            self._wrong(
                PackFormatError(
                    f"expected {PROGRAM} of quorumseal {program}, got another one",
                    hint="do not run it: whoever has that version makes it with `quorumseal audit verifier`",
                )
            )

    def _take(self, name: str) -> bytes | None:
        """Return a file that a pack has; where there is none, that is wrong."""
        self._left.discard(name)
        if name in self._manifest.files:
            return self._files[name]
        self._wrong(PackFileError(f"expected the file {name} in this pack, got none in its manifest"))
        return None

    def _reaches_back(self, copy: LogCopy) -> None:
        """See that the log of the period begins where the copy does."""
        begin = self._manifest.about.period.begin
        if not copy.first:
            return
        before = [each for each in copy.earlier if each.index == copy.first - 1]
        if not before or read_entry(before[0].payload).at >= begin:
            got = instant_text(read_entry(before[0].payload).at) if before else "nothing"
            self._wrong(
                PackFormatError(
                    f"expected entry {copy.first - 1}, before the first of the period, to be from before "
                    f"{instant_text(begin)}, got {got}",
                    hint="entries of the period were left out; ask for the pack again",
                )
            )

    def _bundles(self, population: Population) -> int:
        judge, found = BundleJudge(population), 0
        for audited in with_bundle(population, self._manifest.about.period):
            name = bundle_file(audited.id)
            if name not in self._manifest.files:
                continue  # then the manifest names it among the unpublished ones
            self._left.discard(name)
            try:
                judge.judge(audited.id, self._files[name])
            except Refusal as refusal:
                self._wrong(refusal, audited.id)
            found += 1
        return found

    def _projections(self, population: Population, copy: LogCopy) -> None:
        about, period = self._manifest.about, self._manifest.about.period
        alone = tuple(
            each.id
            for each in with_bundle(population, period)
            if bundle_file(each.id) not in self._manifest.files
        )
        expected = about_of(
            population, period, annexes=about.annexes, program=about.program, unpublished=alone
        )
        if expected != about or (copy.annexes and not about.annexes):
            self._wrong(
                PackFormatError(f"expected {MANIFEST} to say of the log what is so, got something else")
            )
            self._left.clear()  # what follows from the log cannot be told without
            return
        compared = about.program == self._program
        for name, data in projections(population, about):
            got = self._take(name)
            if got is not None and got != data and compared:
                self._wrong(
                    PackProjectionError(f"expected {name} as it follows from the log, got other bytes")
                )


def _signatures(population: Population) -> int:
    """Count the statements whose signatures were verified."""
    return sum(len(each.statements) for each in population.ceremonies) + len(population.standing_entries)

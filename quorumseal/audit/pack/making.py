# SPDX-License-Identifier: Apache-2.0
"""Make the files of a pack, one after the other, the manifest last."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from quorumseal.audit.examining import populate
from quorumseal.audit.folder import write_copy
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.pack.bundles import BundleJudge, bundle_file, with_bundle
from quorumseal.audit.pack.manifest import MANIFEST, About, FileEntry, write_manifest
from quorumseal.audit.pack.projections import LOG, projections
from quorumseal.audit.pack.slicing import slice_of
from quorumseal.audit.pack.texts import PROGRAM
from quorumseal.audit.population import Period, Population
from quorumseal.tlog import hash_text
from quorumseal.verifier.trust import Trust

Bundles = Callable[[str], bytes | None]
"""Gives the bundle of a ceremony, or none where there is none."""


def make_pack(
    copy: LogCopy,
    population: Population,
    trust: Trust,
    period: Period,
    *,
    bundles: Bundles,
    verifier: bytes,
    program: str,
    annexes: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Give each file's name and bytes; ``population`` is that of ``copy``, which begins with the log."""
    kept = slice_of(copy, population, period)
    if not annexes:
        kept = without_texts(kept)
    seen = populate(kept, trust)
    listed: list[FileEntry] = []
    unpublished: list[str] = []

    def file(name: str, data: bytes) -> tuple[str, bytes]:
        listed.append(FileEntry.of(name, data))
        return name, data

    for name, data in write_copy(kept).items():
        yield file(LOG + name, data)
    judge = BundleJudge(seen)
    for audited in with_bundle(seen, period):
        bundle = bundles(audited.id)
        if bundle is None or not judge.published(audited.id, bundle):
            unpublished.append(audited.id)
        else:
            yield file(bundle_file(audited.id), bundle)
    yield file(PROGRAM, verifier)
    about = about_of(seen, period, annexes=annexes, program=program, unpublished=tuple(unpublished))
    for name, data in projections(seen, about):
        yield file(name, data)
    yield MANIFEST, write_manifest(about, listed)


def about_of(
    population: Population, period: Period, *, annexes: bool, program: str, unpublished: tuple[str, ...]
) -> About:
    """Return what a manifest says of a log."""
    first = population.policies[0]
    return About(
        organisation=first.policy.organisation,
        log=first.policy.log.origin,
        policy=first.digest,
        period=period,
        size=population.checkpoint.size,
        root=hash_text(population.checkpoint.root),
        annexes=annexes,
        program=program,
        unpublished=unpublished,
    )


def without_texts(copy: LogCopy) -> LogCopy:
    """Return a copy without what people wrote."""
    return replace(copy, annexes={})

# SPDX-License-Identifier: Apache-2.0
"""A pack that is as it was made holds; one in which anything was changed, left out or added does not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from quorumseal.audit.examining import populate
from quorumseal.audit.folder import write_copy
from quorumseal.audit.log_copy import cut
from quorumseal.audit.pack.bundles import bundle_file
from quorumseal.audit.pack.errors import PackFormatError
from quorumseal.audit.pack.manifest import MANIFEST, FileEntry, read_manifest, write_manifest
from quorumseal.audit.pack.projections import LOG
from quorumseal.audit.pack.texts import named_in_verifier
from quorumseal.audit.population import Period
from quorumseal.ceremony.entries import read_entry
from quorumseal.refusal import Refusal
from tests.audit.packing import PERIOD, Written, codes, flipped, refitted, write_log

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_log(tmp_path_factory.mktemp("small"), entries=14)


@pytest.fixture(scope="module")
def files(written: Written) -> Files:
    return written.pack()


def said(written: Written, files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a pack, by its codes; that it is none at all is one, too."""
    try:
        return codes(written.judge(files))
    except Refusal as refusal:
        return [refusal.code]


def test_a_pack_as_it_was_made_holds(written: Written, files: Files) -> None:
    judged = written.judge(files)
    assert codes(judged) == []
    assert judged.counted is not None
    assert (judged.counted.ceremonies, judged.bundles) == (3, 3)
    assert judged.entries == written.copy.size
    assert judged.files == len(files) - 1
    assert judged.compared


def test_the_same_log_gives_the_same_bytes(written: Written, files: Files) -> None:
    assert written.pack() == files


def test_without_a_trust_file_a_pack_is_held_against_itself(written: Written, files: Files) -> None:
    assert said(replace(written, trust=None), files) == []  # type: ignore[arg-type]


def test_a_pack_under_another_policy_than_the_pinned_one_does_not_hold(
    written: Written, files: Files
) -> None:
    other = replace(written, trust=replace(written.trust, policy="sha256:" + "0" * 64))
    assert "policy_chain.broken" in said(other, files)


def test_any_changed_byte_is_found(written: Written, files: Files, count: Callable[..., int]) -> None:
    """Deep, it is every byte of the pack."""
    random = Random(5)
    places = [(name, place) for name in files for place in range(len(files[name]))]
    for name, place in random.sample(places, count(300, deep=len(places))):
        changed = {**files, name: flipped(files[name], place, random.randrange(1, 256))}
        assert said(written, changed), (name, place)


def test_every_byte_of_a_file_is_under_the_digest_of_the_manifest(files: Files) -> None:
    listed = read_manifest(files[MANIFEST]).files
    for name, entry in listed.items():
        assert FileEntry.of(name, files[name]) == entry
    assert listed.keys() | {MANIFEST} == files.keys()


def test_every_byte_of_the_manifest_means_something(
    written: Written, files: Files, count: Callable[..., int]
) -> None:
    manifest = files[MANIFEST]
    places = Random(6).sample(range(len(manifest)), count(60, deep=len(manifest)))
    for place in places:
        assert said(written, {**files, MANIFEST: flipped(manifest, place)}), place


def test_any_missing_file_is_found(written: Written, files: Files) -> None:
    for name in files:
        less = {other: data for other, data in files.items() if other != name}
        assert said(written, less), name


@pytest.mark.parametrize("name", ["log/more.json", "bundles/", "notes.txt", "../outside", "policies/2.json"])
def test_any_added_file_is_found(written: Written, files: Files, name: str) -> None:
    assert said(written, {**files, name: b"x"}) == ["audit.pack_file"]


def test_files_that_changed_places_are_found(written: Written, files: Files) -> None:
    names = [name for name in files if files[name]]
    random = Random(7)
    for _ in range(12):
        one, other = random.sample(names, 2)
        assert said(written, {**files, one: files[other], other: files[one]}), (one, other)


def test_a_change_that_the_manifest_was_made_to_fit_is_found_by_what_follows_from_the_log(
    written: Written, files: Files, count: Callable[..., int]
) -> None:
    random, names = (
        Random(8),
        [name for name in files if files[name] and name not in (MANIFEST, "verify.pyz")],
    )
    for _ in range(count(15, deep=1_000)):
        name = random.choice(names)
        place = random.randrange(len(files[name]))
        changed = refitted(files, {name: flipped(files[name], place)})
        assert said(written, changed), (name, place)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("README.txt", "audit.pack_projection"),
        ("summary.html", "audit.pack_projection"),
        ("ceremonies.csv", "audit.pack_projection"),
        ("decisions.csv", "audit.pack_projection"),
        ("ceremonies.jsonl", "audit.pack_projection"),
        ("policies/1.json", "audit.pack_projection"),
        ("policies/1.txt", "audit.pack_projection"),
        ("log/log.json", "audit.copy_format"),
        ("log/entries.jsonl", "audit.copy_format"),
    ],
)
def test_what_was_altered_is_named_although_the_manifest_fits(
    written: Written, files: Files, name: str, code: str
) -> None:
    assert said(written, refitted(files, {name: files[name] + b"x"})) == [code]


@pytest.mark.parametrize(
    "name", ["README.txt", "summary.html", "ceremonies.csv", "log/log.json", "verify.pyz"]
)
def test_a_file_that_the_manifest_leaves_out_is_missed(written: Written, files: Files, name: str) -> None:
    assert "audit.pack_file" in said(written, refitted(files, {name: None}))


def test_a_file_that_no_pack_has_is_found_although_the_manifest_lists_it(
    written: Written, files: Files
) -> None:
    assert said(written, refitted(files, {"policies/2.json": b"{}"})) == ["audit.pack_file"]


def test_a_bundle_that_was_left_out_must_be_named_as_unpublished(written: Written, files: Files) -> None:
    ceremony = next(iter(written.bundles))
    assert said(written, refitted(files, {bundle_file(ceremony): None})) == ["audit.pack_format"]
    honest = replace(written, bundles={k: v for k, v in written.bundles.items() if k != ceremony})
    judged = written.judge(honest.pack())
    assert codes(judged) == []
    assert judged.manifest.about.unpublished == (ceremony,)


def test_the_bundle_of_another_ceremony_is_found(written: Written, files: Files) -> None:
    one, other = sorted(written.bundles)[:2]
    changed = refitted(files, {bundle_file(one): written.bundles[other]})
    assert said(written, changed) == ["audit.pack_bundle"]


def test_a_pack_by_another_version_is_verified_but_its_texts_are_not_compared(
    written: Written, files: Files
) -> None:
    manifest = read_manifest(files[MANIFEST])
    about = replace(manifest.about, program="0.0.9")
    old = {**files, MANIFEST: write_manifest(about, manifest.files.values())}
    assert said(written, old) == ["audit.pack_format"]
    judged = written.judge(refitted(old, {"verify.pyz": named_in_verifier("0.0.9")}))
    assert (codes(judged), judged.compared) == ([], False)


@pytest.mark.parametrize(
    "change",
    [{"organisation": "other.example"}, {"size": 3}, {"annexes": True}, {"log": "log.other.example"}],
)
def test_a_manifest_that_says_of_the_log_what_is_not_so_is_refused(
    written: Written, files: Files, change: dict[str, object]
) -> None:
    manifest = read_manifest(files[MANIFEST])
    about = replace(manifest.about, **change)  # type: ignore[arg-type]
    changed = {**files, MANIFEST: write_manifest(about, manifest.files.values())}
    assert set(said(written, changed)) & {"audit.pack_format", "audit.pack_projection", "audit.pack_file"}


def test_a_folder_without_a_manifest_is_no_pack(written: Written, files: Files) -> None:
    with pytest.raises(PackFormatError):
        written.judge({name: data for name, data in files.items() if name != MANIFEST})


# A period that does not begin with the log


@pytest.fixture(scope="module")
def later(written: Written) -> Period:
    """A period that begins with the second ceremony."""
    times = [read_entry(payload).at for payload in written.copy.entries]
    return Period(begin=times[9], end=times[-1] + timedelta(days=1))


def test_a_later_period_takes_along_what_it_rests_on(written: Written, later: Period) -> None:
    files = written.pack(later)
    judged = written.judge(files)
    assert codes(judged) == []
    assert judged.population is not None
    assert 0 < judged.population.complete_from < written.copy.size


def test_entries_that_were_left_out_at_the_beginning_of_a_period_are_missed(written: Written) -> None:
    files = written.pack(PERIOD)
    population = populate(written.copy, written.trust)
    first = population.ceremonies[1].entries[0].index
    kept = [each.index for each in population.standing_entries]
    short = cut(written.copy, first, kept)
    moved = {LOG + name: data for name, data in write_copy(short).items()}
    assert "audit.pack_format" in said(written, refitted(files, moved))

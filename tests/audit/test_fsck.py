# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to a log, an examination finds it; and nothing else."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.audit.examining import examine, populate
from quorumseal.audit.folder import ANNEXES, ENTRIES, FILES, HEAD, read_copy, write_copy
from quorumseal.audit.log_copy import LogCopy, cut
from quorumseal.audit.tree_check import check_tree
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.entries import read_entry
from quorumseal.refusal import Refusal
from quorumseal.tlog import Checkpoint, Frontier, leaf_hash, sign_checkpoint
from tests.audit.histories import TRUST, written
from tests.losing import LOSING

ANNEX = b'{"ceremony":"01934000-0000-7000-8000-000000000001","salt":"%s","text":""}\n'
DEEP = bool(os.environ.get("QUORUMSEAL_DEEP"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> LogCopy:
    """A log of two hundred entries and a few."""
    return written(tmp_path_factory.mktemp("log"), entries=200)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> LogCopy:
    return written(tmp_path_factory.mktemp("small"), entries=50)


def codes(copy: LogCopy) -> set[str]:
    return {defect.refusal.code for defect in examine(copy, TRUST).defects}


def signed_anew(entries: list[bytes]) -> LogCopy:
    """Return the copy as the log itself would hand it over, had it rewritten its entries."""
    frontier, _ = Frontier().extend(map(leaf_hash, entries))
    note = sign_checkpoint(Checkpoint(LOSING.origin, len(entries), frontier.root()), LOSING.log_key)
    return LogCopy(entries=entries, checkpoint=note)


def test_nothing_is_wrong_with_what_an_honest_coordinator_wrote(log: LogCopy) -> None:
    examined = examine(log, TRUST)
    assert (examined.defects, examined.entries) == ((), len(log.entries))
    assert len(log.entries) >= 200
    population = populate(log, TRUST)
    assert len(population.ceremonies) == examined.ceremonies
    assert sum(len(each.entries) for each in population.ceremonies) + len(population.standing_entries) == len(
        log.entries
    )


def _deleted(entries: list[bytes], index: int) -> list[bytes]:
    return entries[:index] + entries[index + 1 :]


def _altered(entries: list[bytes], index: int) -> list[bytes]:
    payload = bytearray(entries[index])
    payload[len(payload) // 2] ^= 1
    return [*entries[:index], bytes(payload), *entries[index + 1 :]]


def _swapped(entries: list[bytes], index: int) -> list[bytes]:
    other = (index + 1) % len(entries)
    entries = [*entries]
    entries[index], entries[other] = entries[other], entries[index]
    return entries


def _inserted(entries: list[bytes], index: int) -> list[bytes]:
    return [*entries[:index], entries[index // 2], *entries[index:]]


NAMES = ("deleted", "altered", "swapped", "inserted")
CHANGES = pytest.mark.parametrize("change", [_deleted, _altered, _swapped, _inserted], ids=NAMES)


@CHANGES
def test_each_entry_that_is_touched_is_missed(
    log: LogCopy, change: Callable[[list[bytes], int], list[bytes]]
) -> None:
    """The tree alone tells, whatever the entries say."""
    for index in range(len(log.entries)):
        spoilt = replace(log, entries=change([*log.entries], index))
        _, defects = check_tree(spoilt, [LOSING.policy.policy.log])
        assert defects, index


@CHANGES
def test_a_log_that_signs_its_own_rewriting_is_found_out_by_the_rules(
    log: LogCopy, change: Callable[[list[bytes], int], list[bytes]]
) -> None:
    """Without any checkpoint held elsewhere; all but the very last entries, which nothing follows.

    Neighbours of two ceremonies that change places are another true story: only signatures elsewhere tell.
    """
    last = len(log.entries) - 1
    for index in range(0, last - 1, 1 if DEEP else 23):
        entries = change([*log.entries], index)
        neighbours = {read_entry(log.entries[place]).ceremony for place in (index, index + 1)}
        if entries != log.entries and (change is not _swapped or len(neighbours) == 1):
            assert codes(signed_anew(entries)), index


def test_a_log_that_was_cut_off_contradicts_a_checkpoint_held_elsewhere(log: LogCopy) -> None:
    for size in range(1, len(log.entries), 13):
        shorter = replace(signed_anew([*log.entries[:size]]), held=(log.checkpoint,))
        assert "audit.other_history" in codes(shorter), size


def test_a_log_that_was_rewritten_contradicts_a_checkpoint_held_elsewhere(log: LogCopy) -> None:
    other = signed_anew([*log.entries[:-1], log.entries[0]])
    assert "audit.other_history" in codes(replace(other, held=(log.checkpoint,)))


def test_a_checkpoint_of_another_log_is_no_evidence(log: LogCopy) -> None:
    assert codes(replace(log, held=(b"nothing",))) == {"log.note_malformed"}


def test_every_stored_byte_matters(small: LogCopy) -> None:
    """Of every file of a copy; deep, every byte, else a sample of them."""
    files = write_copy(small)
    assert read_copy(files).entries == small.entries
    chosen = random.Random(5)
    for name, place in _places(files, 1 if DEEP else 211):
        flip, data = chosen.randrange(1, 256), bytearray(files[name])
        data[place] ^= flip
        assert found({**files, name: bytes(data)}), (name, place, flip)


def _places(files: dict[str, bytes], step: int) -> Iterator[tuple[str, int]]:
    for name in FILES:
        every = step if len(files[name]) > 5000 else min(step, 3)
        yield from ((name, place) for place in range(0, len(files[name]), every))


def found(files: dict[str, bytes]) -> bool:
    try:
        copy = read_copy(files)
    except Refusal:
        return True
    checkpoint, defects = check_tree(copy, [LOSING.policy.policy.log])
    return checkpoint is None or bool(defects) or bool(examine(copy, TRUST).defects)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        (HEAD, b"{}\n", "audit.copy_format"),
        (HEAD, b"nothing", "audit.copy_format"),
        (ENTRIES, b"", "audit.copy_format"),
        (ENTRIES, b"{}", "audit.copy_format"),
        ("earlier.jsonl", b"{}\n", "audit.copy_format"),
        (
            ANNEXES,
            ANNEX % b"0",
            "audit.copy_format",
        ),
        (
            ANNEXES,
            ANNEX % b"A0",
            "audit.copy_format",
        ),
    ],
)
def test_files_that_are_no_copy_are_refused(small: LogCopy, name: str, data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_copy({**write_copy(small), name: data})
    assert refused.value.code == code


@pytest.mark.parametrize("name", FILES)
def test_a_copy_without_one_of_its_files_is_none(small: LogCopy, name: str) -> None:
    files = write_copy(small)
    del files[name]
    with pytest.raises(Refusal, match=f"got none called {name}"):
        read_copy(files)


def test_another_spelling_of_a_file_is_refused(small: LogCopy) -> None:
    files = write_copy(small)
    with pytest.raises(Refusal, match="another spelling"):
        read_copy({**files, HEAD: files[HEAD].replace(b'"format":0', b'"format": 0')})


def test_a_hash_that_is_none_is_refused(small: LogCopy) -> None:
    files = write_copy(small)
    with pytest.raises(Refusal, match="hashes of 32 bytes"):
        read_copy({**files, HEAD: files[HEAD].replace(b'"frontier":[]', b'"frontier":["00"]')})


def test_a_text_that_nobody_committed_to_is_found(small: LogCopy) -> None:
    ceremony = populate(small, TRUST).ceremonies[0].id
    stranger = Annex(salt=b"\0" * 32, text="it was like this")
    assert codes(replace(small, annexes={ceremony: (stranger,)})) == {"audit.text_unknown"}
    assert codes(replace(small, annexes={"01934000-0000-7000-8000-00000000ffff": (stranger,)})) == {
        "audit.text_unknown"
    }


@pytest.mark.parametrize("first", [0, 1, 17, 64, 150])
def test_a_period_proves_that_nothing_of_it_is_missing(log: LogCopy, first: int) -> None:
    """With everything from before that its ceremonies stand on."""
    part = cut(log, first, range(first))
    assert (len(part.earlier), part.size) == (first, log.size)
    assert examine(read_copy(write_copy(part)), TRUST).defects == ()
    if first:
        assert "audit.tree" in codes(replace(part, entries=part.entries[1:], first=first))
        assert "audit.tree" in codes(replace(part, frontier=()))
        assert codes(replace(part, frontier=tuple(b"\1" * 32 for _ in part.frontier)))
        assert codes(replace(part, earlier=[*part.earlier, part.earlier[0]]))
        moved = replace(part.earlier[0], inclusion=())
        assert codes(replace(part, earlier=[moved, *part.earlier[1:]])) == {"log.inclusion_proof"}


def test_a_cut_is_made_of_a_whole_log(log: LogCopy) -> None:
    with pytest.raises(ValueError, match="from the first entry"):
        cut(cut(log, 5, ()), 7, ())
    with pytest.raises(ValueError, match="is not cut at"):
        cut(log, log.size + 1, ())


def test_a_held_checkpoint_from_before_the_period_is_not_compared(log: LogCopy) -> None:
    early = signed_anew([*log.entries[:5]])
    part = cut(replace(log, held=(early.checkpoint,)), 20, range(20))
    assert codes(part) == set()


def test_an_audit_begins_at_the_pinned_policy(log: LogCopy) -> None:
    other = replace(TRUST, policy="sha256:" + "0" * 64)
    assert "policy_chain.broken" in {defect.refusal.code for defect in examine(log, other).defects}
    with pytest.raises(Refusal, match="pinned policy"):
        populate(log, other)


def test_progress_is_told(log: LogCopy) -> None:
    told: list[tuple[int, int]] = []
    examine(log, TRUST, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(log.entries), len(log.entries))
    assert told[0] == (0, len(log.entries))


def test_an_empty_log_is_none() -> None:
    assert "chain.broken" in codes(signed_anew([]))


def test_a_defect_says_where_to_look(log: LogCopy, tmp_path: Path) -> None:
    del tmp_path
    entries = _altered([*log.entries], 10)
    defect = next(
        each for each in examine(replace(log, entries=entries), TRUST).defects if each.index is not None
    )
    assert "entry " in defect.where
    assert defect.to_json()["code"] == defect.refusal.code

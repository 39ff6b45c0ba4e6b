# SPDX-License-Identifier: Apache-2.0
"""A witness moves forward along one history, and nowhere else."""

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import Ed25519PrivateKey
from quorumseal.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    ConsistencyProofError,
    Frontier,
    MalformedSubmissionError,
    NoteSignatureError,
    OtherOriginError,
    Submission,
    TlogError,
    WitnessConflictError,
    admit,
    leaf_hash,
    nothing_seen,
    prove_consistency,
    sign_checkpoint,
    write_submission,
)
from quorumseal.tlog.witnessing import MAX_PROOF_HASHES
from tests.submissions import MAX_SUBMISSION_BYTES, read_submission

ORIGIN = "log.acme.example"
LOG, OTHER = Ed25519PrivateKey(bytes(range(32))), Ed25519PrivateKey(bytes(32))
NOTHING = nothing_seen(ORIGIN)

# the example of the specification
EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo\
+zyWE+xeMcTOAYQ8=
""".encode()


class History:
    """A log's tree at every size."""

    def __init__(self, *leaves: bytes) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._roots = [EMPTY_ROOT]
        frontier = Frontier()
        for leaf in leaves:
            frontier, nodes = frontier.append(leaf_hash(leaf))
            self._nodes.update({(level, index): node for level, index, node in nodes})
            self._roots.append(frontier.root())

    def at(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, self._roots[size])

    def submission(self, old: int, new: int) -> Submission:
        proof = prove_consistency(old, new, lambda level, index: self._nodes[level, index])
        return Submission(old_size=old, proof=tuple(proof), checkpoint=sign_checkpoint(self.at(new), LOG))


TRUE = History(*(bytes([index]) for index in range(40)))
FORKED = History(*(bytes([index]) for index in range(20)), *(b"other" for _ in range(20)))
KEYS = (LOG.public,)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 40), (1, 2), (7, 7), (7, 8), (8, 21), (39, 40)])
def test_a_proof_from_what_a_witness_keeps_to_a_larger_tree_is_admitted(old: int, new: int) -> None:
    assert admit(TRUE.at(old), TRUE.submission(old, new), KEYS) == TRUE.at(new)


def test_of_a_log_that_it_never_saw_a_witness_keeps_the_empty_tree() -> None:
    assert TRUE.at(0) == NOTHING
    assert admit(NOTHING, TRUE.submission(0, 12), KEYS) == TRUE.at(12)


@given(
    sizes=st.lists(st.integers(0, 40), max_size=12), forked=st.lists(st.booleans(), min_size=12, max_size=12)
)
def test_whatever_is_submitted_a_witness_only_ever_moves_forward_along_one_history(
    sizes: list[int], forked: list[bool]
) -> None:
    kept, cosigned = NOTHING, [NOTHING]
    for new, other in zip(sizes, forked, strict=False):
        history = FORKED if other else TRUE
        try:
            kept = admit(kept, history.submission(min(kept.size, new), new), KEYS)
        except TlogError:
            continue
        cosigned.append(kept)
    assert [each.size for each in cosigned] == sorted(each.size for each in cosigned)
    assert any(all(each == history.at(each.size) for each in cosigned) for history in (TRUE, FORKED))


@pytest.mark.parametrize(
    ("old", "submission"),
    [
        (21, TRUE.submission(20, 30)),
        (21, TRUE.submission(0, 30)),
        (0, TRUE.submission(1, 30)),
        (21, TRUE.submission(20, 20)),
    ],
    ids=["an older size", "as if nothing was seen", "as if something was seen", "backwards"],
)
def test_a_proof_from_another_size_than_the_kept_one_is_a_conflict_that_names_it(
    old: int, submission: Submission
) -> None:
    with pytest.raises(
        WitnessConflictError, match=f"a proof from size {old}, which was cosigned last"
    ) as conflict:
        admit(TRUE.at(old), submission, KEYS)
    assert conflict.value.size == old


def test_another_root_for_the_kept_size_is_a_conflict_that_names_both() -> None:
    with pytest.raises(
        WitnessConflictError, match=f"expected root {TRUE.at(30).root.hex()} for size 30"
    ) as conflict:
        admit(TRUE.at(30), FORKED.submission(30, 30), KEYS)
    assert conflict.value.size == 30
    assert "two histories" in conflict.value.hint


def test_a_tree_that_does_not_extend_the_kept_one_is_refused() -> None:
    with pytest.raises(ConsistencyProofError):
        admit(TRUE.at(30), FORKED.submission(30, 40), KEYS)


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [(0, 12, (b"\x00" * 32,)), (12, 12, (b"\x00" * 32,)), (12, 20, ()), (12, 20, (b"\x00" * 31,))],
    ids=["from nothing", "to itself", "none", "no hash"],
)
def test_a_proof_that_proves_nothing_is_refused(old: int, new: int, proof: tuple[bytes, ...]) -> None:
    with pytest.raises(ConsistencyProofError):
        admit(TRUE.at(old), replace(TRUE.submission(old, new), proof=proof), KEYS)


def test_a_smaller_tree_than_the_proof_begins_at_is_malformed() -> None:
    smaller = replace(TRUE.submission(12, 12), old_size=30)
    with pytest.raises(MalformedSubmissionError, match="within the tree of 12, got 30"):
        admit(TRUE.at(30), smaller, KEYS)


def test_the_log_s_signature_and_origin_are_judged_first() -> None:
    submission = TRUE.submission(0, 30)
    with pytest.raises(NoteSignatureError):
        admit(TRUE.at(12), submission, [OTHER.public])
    other = Checkpoint("log.other.example", 30, TRUE.at(30).root)
    with pytest.raises(NoteSignatureError):
        admit(TRUE.at(12), replace(submission, checkpoint=sign_checkpoint(other, LOG)), KEYS)
    with pytest.raises(OtherOriginError):
        admit(TRUE.at(12), replace(submission, checkpoint=sign_checkpoint(other, LOG, ORIGIN)), KEYS)


def test_the_example_of_the_specification_is_read_and_written_again_byte_for_byte() -> None:
    submission = read_submission(EXAMPLE)
    assert (submission.old_size, len(submission.proof)) == (20852014, 4)
    assert submission.proof[0].hex().startswith("3e544d0abc07a6a8")
    assert submission.checkpoint == EXAMPLE[EXAMPLE.index(b"example.com/") :]
    assert write_submission(submission) == EXAMPLE


@pytest.mark.parametrize(("old", "new"), [(0, 12), (12, 12), (8, 39)])
def test_what_is_written_is_read_again(old: int, new: int) -> None:
    submission = TRUE.submission(old, new)
    assert read_submission(write_submission(submission)) == submission


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "an empty line"),
        (b"old 7\n", "an empty line"),
        (b"\n\nlog", "a line of old"),
        (b"old\n\nlog", "a line of old"),
        (b"old 07\n\nlog", "a line of old"),
        (b"old -7\n\nlog", "a line of old"),
        (b"old  7\n\nlog", "a line of old"),
        (b"old 7 \n\nlog", "a line of old"),
        (b"Old 7\n\nlog", "a line of old"),
        ("old \u0667\n\nlog".encode(), "a line of old"),
        (b"old 99999999999999999\n\nlog", "a line of old"),
        (b"old 7\nno base64\n\nlog", "a hash of 32 bytes"),
        (b"old 7\n" + b64encode(b"\x00" * 31) + b"\n\nlog", "a hash of 32 bytes"),
        (b"old 7\n" + b64encode(b"\x00" * 32).replace(b"=", b"") + b"\n\nlog", "a hash of 32 bytes"),
        (b"old 7\n" + b64encode(b"\x00" * 32)[:-2] + b"B=\n\nlog", "a hash of 32 bytes"),
        (b"old 7\n" + (b64encode(b"\x00" * 32) + b"\n") * 64 + b"\nlog", "at most 63 hashes, got 64"),
        (b"old 7\n" + b"x" * MAX_SUBMISSION_BYTES, f"at most {MAX_SUBMISSION_BYTES} bytes"),
    ],
)
def test_a_body_of_any_other_form_is_refused(body: bytes, expected: str) -> None:
    with pytest.raises(MalformedSubmissionError, match=expected):
        read_submission(body)


def test_a_proof_of_more_hashes_than_the_specification_allows_is_not_written() -> None:
    endless = replace(TRUE.submission(0, 12), proof=(b"\x00" * 32,) * (MAX_PROOF_HASHES + 1))
    with pytest.raises(ValueError, match="at most 63 hashes, not 64"):
        write_submission(endless)

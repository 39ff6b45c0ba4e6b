# SPDX-License-Identifier: Apache-2.0
"""Fork proofs: what convicts a log, what accuses it, and what is neither."""

from base64 import b64encode

import pytest

from quorumseal import strict_json
from quorumseal.signatures import Ed25519PrivateKey
from quorumseal.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    ForkProof,
    Frontier,
    MalformedForkProofError,
    NotAForkError,
    NoteSignatureError,
    OtherOriginError,
    TlogError,
    fork_proof,
    leaf_hash,
    prove_consistency,
    read_fork_proof,
    sign_checkpoint,
)

ORIGIN = "log.example/releases"
KEY = Ed25519PrivateKey(bytes(range(32)))
NEXT_KEY = Ed25519PrivateKey(bytes(31) + b"\x01")
KEYS = [KEY.public, NEXT_KEY.public]


def history(name: str, size: int) -> tuple[bytes, dict[tuple[int, int], bytes]]:
    """Sign a checkpoint over that many entries of one history; return it with the nodes."""
    frontier, nodes = Frontier().extend([leaf_hash(f"{name} {index}".encode()) for index in range(size)])
    note = sign_checkpoint(Checkpoint(ORIGIN, size, frontier.root()), KEY)
    return note, {(node.level, node.index): node.hash for node in nodes}


SHOWN, _ = history("shown to one", 5)
HIDDEN, _ = history("shown to another", 5)
HIDDEN_LATER, NODES = history("shown to another", 9)
HONEST_PROOF = prove_consistency(5, 9, lambda level, index: NODES[level, index])


def test_one_size_with_two_roots_convicts_the_log() -> None:
    proof = fork_proof(SHOWN, HIDDEN, ORIGIN, KEYS)
    assert proof.conclusive
    assert proof.given is None
    assert (proof.first_checkpoint.size, proof.second_checkpoint.size) == (5, 5)
    assert proof.first_checkpoint.root != proof.second_checkpoint.root


def test_the_two_checkpoints_may_bear_different_keys_of_the_log() -> None:
    other = sign_checkpoint(Checkpoint(ORIGIN, 5, leaf_hash(b"x")), NEXT_KEY)
    assert fork_proof(SHOWN, other, ORIGIN, iter(KEYS)).conclusive


def test_two_sizes_with_a_proof_that_fails_accuse_the_log() -> None:
    proof = fork_proof(SHOWN, HIDDEN_LATER, ORIGIN, KEYS, given=HONEST_PROOF)
    assert not proof.conclusive
    assert proof.given == tuple(HONEST_PROOF)


def test_two_sizes_without_a_proof_accuse_the_log_and_say_so() -> None:
    proof = fork_proof(HIDDEN_LATER, SHOWN, ORIGIN, KEYS)
    assert not proof.conclusive
    assert proof.given is None
    assert b"consistency" not in proof.write()


@pytest.mark.parametrize("given", [[b"short"], [bytes(32)] * 65, [bytes(33)]])
def test_what_cannot_be_a_proof_does_not_keep_a_fork_from_being_written_down(given: list[bytes]) -> None:
    assert fork_proof(SHOWN, HIDDEN_LATER, ORIGIN, KEYS, given=given).given is None


def test_an_empty_proof_that_the_log_gave_is_kept_as_given() -> None:
    proof = fork_proof(SHOWN, HIDDEN_LATER, ORIGIN, KEYS, given=[])
    assert proof.given == ()
    assert read_fork_proof(proof.write(), ORIGIN, KEYS) == proof


@pytest.mark.parametrize("reverse", [False, True])
def test_a_smaller_but_consistent_checkpoint_is_a_retry_and_not_a_fork(reverse: bool) -> None:
    notes = [HIDDEN, HIDDEN_LATER][:: -1 if reverse else 1]
    with pytest.raises(NotAForkError, match="leads from size 5 to 9"):
        fork_proof(notes[0], notes[1], ORIGIN, KEYS, given=HONEST_PROOF)


def test_the_same_checkpoint_twice_is_not_a_fork() -> None:
    again = sign_checkpoint(fork_proof(SHOWN, HIDDEN, ORIGIN, KEYS).first_checkpoint, NEXT_KEY)
    with pytest.raises(NotAForkError, match="the same twice"):
        fork_proof(SHOWN, again, ORIGIN, KEYS)


def test_the_empty_log_contradicts_nothing() -> None:
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY)
    with pytest.raises(NotAForkError, match="began empty"):
        fork_proof(SHOWN, empty, ORIGIN, KEYS)


def test_a_checkpoint_that_the_log_did_not_sign_proves_nothing() -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, 5, leaf_hash(b"x")), Ed25519PrivateKey(bytes(32)))
    for pair in ((SHOWN, forged), (forged, SHOWN)):
        with pytest.raises(NoteSignatureError):
            fork_proof(*pair, ORIGIN, KEYS)


def test_two_logs_may_differ() -> None:
    drill = sign_checkpoint(Checkpoint("log.example/drills", 5, leaf_hash(b"x")), KEY, ORIGIN)
    with pytest.raises(OtherOriginError):
        fork_proof(SHOWN, drill, ORIGIN, KEYS)


PROOFS = [
    pytest.param(fork_proof(SHOWN, HIDDEN, ORIGIN, KEYS), id="one size"),
    pytest.param(fork_proof(SHOWN, HIDDEN_LATER, ORIGIN, KEYS, given=HONEST_PROOF), id="a failing proof"),
    pytest.param(fork_proof(HIDDEN_LATER, SHOWN, ORIGIN, KEYS), id="no proof"),
]


@pytest.mark.parametrize("proof", PROOFS)
def test_a_fork_proof_is_read_back_from_its_file(proof: ForkProof) -> None:
    assert read_fork_proof(proof.write(), ORIGIN, iter(KEYS)) == proof


@pytest.mark.parametrize("proof", PROOFS)
def test_no_byte_of_a_fork_proof_file_can_be_left_out_or_added(proof: ForkProof) -> None:
    data = proof.write()
    for at in range(len(data)):
        for changed in (data[:at] + data[at + 1 :], data[:at] + b" " + data[at:], data[:at]):
            with pytest.raises(TlogError):
                read_fork_proof(changed, ORIGIN, KEYS)


def spoilt(**changes: strict_json.JsonValue) -> bytes:
    """Write the file of a failing proof with some fields replaced; None takes a field out."""
    value = strict_json.read(fork_proof(SHOWN, HIDDEN_LATER, ORIGIN, KEYS, given=HONEST_PROOF).write())
    assert isinstance(value, dict)
    return strict_json.write({name: field for name, field in (value | changes).items() if field is not None})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSON"),
        (b"[]", "an object"),
        (spoilt(type="https://quorumseal.dev/other/v1"), "type"),
        (spoilt(format=1), "format"),
        (spoilt(origin="log.example/drills"), "origin"),
        (spoilt(first=None), "first"),
        (spoilt(first=7), "a text"),
        (spoilt(second="not base64!"), "base64"),
        (spoilt(second="\u00e9"), "base64"),
        (spoilt(consistency="none"), "a list"),
        (spoilt(consistency=["AAAA"]), "another spelling"),
        (spoilt(consistency=["*"]), "base64"),
        (spoilt(second=b64encode(HIDDEN).decode()), "another spelling"),
        (spoilt(note="the log is bad"), "only known fields"),
        (spoilt() + b"\n", "another spelling"),
        (b" " * (4 << 20), "at most"),
    ],
)
def test_a_malformed_fork_proof_file_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(MalformedForkProofError, match=said):
        read_fork_proof(data, ORIGIN, KEYS)


def test_a_fork_proof_of_one_log_convicts_no_other() -> None:
    with pytest.raises(NoteSignatureError):
        read_fork_proof(spoilt(), ORIGIN, [Ed25519PrivateKey(bytes(32)).public])

# SPDX-License-Identifier: Apache-2.0
"""The bytes by which a witness is asked, read as strictly as C2SP tlog-witness writes them."""

import re
from base64 import b64decode, b64encode
from typing import Final

from quorumseal.tlog import HASH_SIZE, MalformedSubmissionError, Submission
from quorumseal.tlog.note import MAX_NOTE_BYTES
from quorumseal.tlog.witnessing import MAX_PROOF_HASHES

MAX_SUBMISSION_BYTES: Final = MAX_NOTE_BYTES + 64 * 64
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,15})", re.ASCII)


def read_submission(body: bytes) -> Submission:
    """Read the body of ``add-checkpoint``; the checkpoint in it is not judged."""
    if len(body) > MAX_SUBMISSION_BYTES:
        raise MalformedSubmissionError(f"expected at most {MAX_SUBMISSION_BYTES} bytes, got {len(body)}")
    head, separator, checkpoint = body.partition(b"\n\n")
    if not separator:
        raise MalformedSubmissionError("expected an empty line between proof and checkpoint, got none")
    first, *nodes = head.decode("ascii", "backslashreplace").split("\n")
    old = _OLD.fullmatch(first)
    if old is None:
        raise MalformedSubmissionError(f"expected a line of old and a size in decimal, got {first[:80]!a}")
    if len(nodes) > MAX_PROOF_HASHES:
        raise MalformedSubmissionError(f"expected at most {MAX_PROOF_HASHES} hashes, got {len(nodes)}")
    proof = tuple(_node(node) for node in nodes)
    return Submission(old_size=int(old[1]), proof=proof, checkpoint=checkpoint)


def _node(line: str) -> bytes:
    try:
        node = b64decode(line, validate=True)
    except ValueError:
        node = b""
    if len(node) != HASH_SIZE or b64encode(node).decode() != line:
        raise MalformedSubmissionError(f"expected a hash of {HASH_SIZE} bytes in base64, got {line[:80]!a}")
    return node

# SPDX-License-Identifier: Apache-2.0
"""C2SP cosignatures (c2sp.org/tlog-cosignature, ``cosignature/v1`` by Ed25519 keys, signature type 0x04).

A cosignature is a line under a checkpoint: a witness's word that this was, at that time, the largest tree of
the log that it had seen, and that it extends all that it saw before.  The message does not hold the witness's
name, so one key never serves two names.
"""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from quorumseal.signatures import BadSignatureError, PrivateKey, PublicKey, Scheme
from quorumseal.tlog.checkpoint import Checkpoint
from quorumseal.tlog.errors import CosignatureError
from quorumseal.tlog.note import KEY_ID_SIZE, note_key_id, signature_line, split_note, verifier_key

_COSIGNATURE: Final = b"\x04"
_TIME_SIZE: Final = 8
_LAST_TIME: Final = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
"""The specification lets a verifier refuse what is dated ahead; past this no calendar can write it."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who may cosign: a key under the one name that it cosigns by."""

    name: str
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A verified line; made by ``read_cosignatures`` only."""

    witness: Witness
    at: datetime
    """When the witness made it, as it says, to the second."""
    line: str
    """As it stands under the checkpoint, with its newline."""


def cosigner_key_id(witness: Witness) -> bytes:
    """Return the four bytes that, with the name, point to a witness's key."""
    return note_key_id(witness.name, witness.key, kind=_COSIGNATURE)


def cosigner_key(witness: Witness) -> str:
    """Write a witness in the form that C2SP tools are configured with (``name+id+key``)."""
    return verifier_key(witness.name, witness.key, kind=_COSIGNATURE)


def read_cosigner_key(text: str) -> Witness:
    """Read a witness in that form; raise a ``ValueError`` where it is none, or its id is another key's."""
    name, separator, rest = text.partition("+")
    material = b64decode(rest.partition("+")[2], validate=True)
    if not separator or material[:1] != _COSIGNATURE:
        raise ValueError("not a name, an id and a cosigner's Ed25519 key")
    witness = Witness(name, PublicKey.from_raw(Scheme.ED25519, material[1:]))
    if cosigner_key(witness) != text:
        raise ValueError("the id is of another name or key")
    return witness


def cosign(checkpoint: Checkpoint, private_key: PrivateKey, name: str, *, at: datetime) -> str:
    """Return the line by which a witness vouches for a checkpoint, with its newline.

    Whoever calls has judged the checkpoint by ``witnessing.admit``, and kept it, before.
    """
    seconds = int(at.timestamp())
    signature = private_key.sign(_message(checkpoint.text, seconds))
    key_id = cosigner_key_id(Witness(name, private_key.public))
    return signature_line(name, key_id + seconds.to_bytes(_TIME_SIZE, "big") + signature)


def read_cosignatures(note: bytes, witnesses: Iterable[Witness]) -> tuple[Cosignature, ...]:
    """Return the cosignatures under a note by any of the witnesses, one for each; nothing else is judged.

    Lines of others are ignored, as the specification demands.  A line that names a known witness and key must
    hold its valid cosignature: one that does not refuses the whole note.  Of several by one witness the first
    one made is taken, which says most.
    """
    known = {(witness.name, cosigner_key_id(witness)): witness for witness in witnesses}
    text, signatures = split_note(note)
    found: dict[str, Cosignature] = {}
    for name, blob in signatures:
        witness = known.get((name, blob[:KEY_ID_SIZE]))
        if witness is not None:
            each = _verify(witness, text, blob)
            found[name] = min(found.get(name, each), each, key=lambda cosignature: cosignature.at)
    return tuple(found.values())


def add_lines(note: bytes, lines: Iterable[str]) -> bytes:
    """Return the note with more signature lines under those that it has."""
    return note + "".join(lines).encode()


def _verify(witness: Witness, text: str, blob: bytes) -> Cosignature:
    timed = blob[KEY_ID_SIZE:]
    seconds, signature = int.from_bytes(timed[:_TIME_SIZE], "big"), timed[_TIME_SIZE:]
    if seconds > _LAST_TIME:
        raise CosignatureError(f"expected a time before the year 10000 of {witness.name}, got {seconds}")
    try:
        witness.key.verify(signature, _message(text, seconds))
    except BadSignatureError as reason:
        raise CosignatureError(
            f"expected a valid cosignature by {witness.name}+{blob[:KEY_ID_SIZE].hex()}, "
            f"got one that is wrong: {reason}",
            hint="it is of another checkpoint or key, or altered: do not trust its sender",
        ) from reason
    return Cosignature(
        witness=witness, at=datetime.fromtimestamp(seconds, UTC), line=signature_line(witness.name, blob)
    )


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()

# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes with Ed25519 keys (c2sp.org/signed-note, signature type 0x01).

A note is a text, an empty line, and signature lines ``— <key name> base64(key id || signature)``.  Bytes
that would not be written again exactly as they came are refused, so a note has one spelling.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from quorumseal.signatures import BadSignatureError, PrivateKey, PublicKey, Scheme
from quorumseal.tlog.errors import MalformedNoteError, NoteSignatureError

MAX_NOTE_BYTES: Final = 512 * 1024
MAX_SIGNATURES: Final = 64
"""The specification asks for at least 16; post-quantum cosignatures take nearly 5 kB each."""

ED25519: Final = b"\x01"
"""The signature type of a key that signs a note's text as it is."""
KEY_ID_SIZE: Final = 4
_EM_DASH: Final = "\u2014"
_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


def note_key_id(name: str, key: PublicKey, *, kind: bytes = ED25519) -> bytes:
    """Return the four bytes that, with the name, point to a key: a hint, never a proof."""
    return sha256(_key_name(name).encode() + b"\n" + kind + _raw(key)).digest()[:KEY_ID_SIZE]


def verifier_key(name: str, key: PublicKey, *, kind: bytes = ED25519) -> str:
    """Write a key in the form that C2SP tools are configured with (``name+id+key``)."""
    material = b64encode(kind + _raw(key)).decode()
    return f"{name}+{note_key_id(name, key, kind=kind).hex()}+{material}"


def sign_note(text: str, private_key: PrivateKey, key_name: str) -> bytes:
    """Sign a text that ends in a newline; return the whole note with its one signature line."""
    if not text.endswith("\n") or _CONTROLS.search(text):
        raise ValueError("a note's text ends in a newline and has no other control character")
    key_id = note_key_id(key_name, private_key.public)
    line = signature_line(key_name, key_id + private_key.sign(text.encode()))
    return f"{text}\n{line}".encode()


def open_note(note: bytes, key_name: str, keys: Iterable[PublicKey]) -> str:
    """Return the note's text once at least one of the keys has signed it under the name.

    Lines of unknown signers are ignored, as the specification demands.  A line that names a known key must
    hold its valid signature: one that does not refuses the whole note.
    """
    return _open(note, key_name, keys)[0]


def signature_on(note: bytes, key_name: str, keys: Iterable[PublicKey]) -> bytes:
    """Return key id and signature of the first line by one of the keys, once the note is seen to hold."""
    return _open(note, key_name, keys)[1]


def note_with(text: str, key_name: str, signature: bytes) -> bytes:
    """Put a note together again from its text and what ``signature_on`` found; nothing is verified."""
    return f"{text}\n{signature_line(key_name, signature)}".encode()


def _open(note: bytes, key_name: str, keys: Iterable[PublicKey]) -> tuple[str, bytes]:
    known = _by_id(key_name, keys)
    text, signatures = split_note(note)
    found: bytes | None = None
    for name, blob in signatures:
        key_id, signature = blob[:KEY_ID_SIZE], blob[KEY_ID_SIZE:]
        key = known.get(key_id) if name == key_name else None
        if key is None:
            continue
        try:
            key.verify(signature, text.encode())
        except BadSignatureError as reason:
            raise NoteSignatureError(
                f"expected a valid signature by {name}+{key_id.hex()}, got one that is wrong: {reason}",
                hint="fetch the note again; if it comes again, do not trust its sender",
            ) from reason
        found = found or blob
    if found is None:
        raise NoteSignatureError(
            f"expected a signature by {_names(key_name, known)}, got none of them in {len(signatures)} lines",
            hint="check which keys the policy lists for this log",
        )
    return text, found


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and (key name, key id || signature) pairs, of which nothing is verified."""
    if len(note) > MAX_NOTE_BYTES:
        raise MalformedNoteError(f"expected a note of at most {MAX_NOTE_BYTES} bytes, got {len(note)}")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as reason:
        raise MalformedNoteError(
            f"expected UTF-8, got byte {note[reason.start]:#04x} at {reason.start}"
        ) from None
    if control := _CONTROLS.search(whole):
        raise MalformedNoteError(f"expected no control character but newline, got {control.group()!a}")
    head, separator, tail = whole.rpartition("\n\n")
    if not separator:
        raise MalformedNoteError("expected an empty line between text and signatures, got none")
    if not tail.endswith("\n"):
        raise MalformedNoteError("expected a newline after the last signature line, got the end")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNoteError(f"expected at most {MAX_SIGNATURES} signature lines, got {len(lines)}")
    if len({*lines}) < len(lines):
        raise MalformedNoteError("expected each signature line once, got one of them again")
    signatures = [_parse_line(line) for line in lines]
    text = head + "\n"
    if text + "\n" + "".join(signature_line(name, blob) for name, blob in signatures) != whole:
        raise MalformedNoteError("expected the note as it is written, got another spelling of it")
    return text, signatures


def _parse_line(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _EM_DASH:
        raise MalformedNoteError(f"expected a line of em dash, key name and signature, got {line[:80]!a}")
    _, name, encoded = parts
    if not _is_key_name(name):
        raise MalformedNoteError(f"expected a key name without spaces and plus signs, got {name[:80]!a}")
    try:
        blob = b64decode(encoded, validate=True)
    except ValueError:
        raise MalformedNoteError(f"expected a signature in base64, got {encoded[:80]!a}") from None
    if len(blob) <= KEY_ID_SIZE:
        raise MalformedNoteError(f"expected a key id and a signature, got {len(blob)} bytes")
    return name, blob


def signature_line(name: str, blob: bytes) -> str:
    """Write one line under a note: whose signature it is, key id and signature."""
    return f"{_EM_DASH} {name} {b64encode(blob).decode()}\n"


def _by_id(name: str, keys: Iterable[PublicKey]) -> dict[bytes, PublicKey]:
    known: dict[bytes, PublicKey] = {}
    for key in keys:
        key_id = note_key_id(name, key)
        if known.setdefault(key_id, key) != key:
            raise NoteSignatureError(
                f"expected keys with distinct ids, got two under {name}+{key_id.hex()}",
                hint="replace one of the log's keys in the policy: no line can say which of them signed it",
            )
    return known


def _names(name: str, known: Iterable[bytes]) -> str:
    return " or ".join(f"{name}+{key_id.hex()}" for key_id in known) or f"a key of {name}"


def _raw(key: PublicKey) -> bytes:
    if key.scheme is not Scheme.ED25519:
        raise ValueError(f"a log signs with an {Scheme.ED25519} key, not {key.scheme}")
    return key.raw


def _key_name(name: str) -> str:
    if not _is_key_name(name):
        raise ValueError(f"a key name has no spaces and plus signs: {name!r}")
    return name


def _is_key_name(name: str) -> bool:
    return bool(name) and not any(character.isspace() or character == "+" for character in name)

# SPDX-License-Identifier: Apache-2.0
"""A copy of a log as files: what is signed byte for byte, one entry a line, and around it one JSON document.

An entry has no newline in it (RFC 8785), so a line is an entry.  Each file has one spelling: what would not
be written again as it came is refused, so no byte of it is without meaning.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from quorumseal.audit.errors import CopyFormatError
from quorumseal.audit.log_copy import Earlier, LogCopy
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.values import ceremony_id
from quorumseal.strict_json import Fields, JsonValue, StrictJsonError, read, write
from quorumseal.tlog import HASH_SIZE

FORMAT: Final = 0
COPY_TYPE: Final = "https://quorumseal.dev/log-copy/v1"
HEAD, ENTRIES, EARLIER, ANNEXES = "log.json", "entries.jsonl", "earlier.jsonl", "annexes.jsonl"
FILES: Final = (HEAD, ENTRIES, EARLIER, ANNEXES)
"""Each of them is there, however empty."""
_MAX_HEAD: Final = 64 << 20
_MAX_LINE: Final = 1 << 20


def write_copy(copy: LogCopy) -> dict[str, bytes]:
    """Return the files of a copy, by name."""
    head: JsonValue = {
        "type": COPY_TYPE,
        "format": FORMAT,
        "first": copy.first,
        "size": copy.size,
        "frontier": _hashes(copy.frontier),
        "checkpoint": copy.checkpoint.decode(),
        "earlier": [{"index": each.index, "inclusion": _hashes(each.inclusion)} for each in copy.earlier],
        "held": [note.decode() for note in copy.held],
    }
    return {
        HEAD: write(head) + b"\n",
        ENTRIES: _lines(copy.entries),
        EARLIER: _lines(each.payload for each in copy.earlier),
        ANNEXES: _lines(
            write({"ceremony": ceremony, "salt": annex.salt.hex(), "text": annex.text})
            for ceremony in sorted(copy.annexes)
            for annex in copy.annexes[ceremony]
        ),
    }


def read_copy(files: Mapping[str, bytes]) -> LogCopy:
    """Return the copy that files hold; nothing is verified."""
    for name in FILES:
        if name not in files:
            raise CopyFormatError(
                f"expected the files {', '.join(FILES)}, got none called {name}",
                hint="name the folder that an export made, or its folder `log`",
            )
    try:
        copy = _read(files)
    except StrictJsonError as reason:
        raise CopyFormatError(str(reason), hint=reason.hint) from reason
    written = write_copy(copy)
    for name in FILES:
        if written[name] != files[name]:
            raise CopyFormatError(f"expected {name} as it is written, got another spelling of it")
    return copy


def _read(files: Mapping[str, bytes]) -> LogCopy:
    head = Fields(read(files[HEAD], max_bytes=_MAX_HEAD), HEAD)
    head.constant("type", COPY_TYPE)
    require_format(head, FORMAT)
    places = head.objects("earlier")
    payloads = _split(files, EARLIER)
    if len(places) != len(payloads):
        raise CopyFormatError(f"expected {len(places)} lines in {EARLIER}, got {len(payloads)}")
    copy = LogCopy(
        first=head.integer("first"),
        frontier=_read_hashes(head, "frontier"),
        entries=_split(files, ENTRIES),
        checkpoint=head.text("checkpoint").encode(),
        earlier=[_earlier(place, payload) for place, payload in zip(places, payloads, strict=True)],
        annexes=_read_annexes(_split(files, ANNEXES)),
        held=tuple(note.encode() for note in head.texts("held")),
    )
    if head.integer("size") != copy.size:
        raise CopyFormatError(
            f"expected {head.integer('size') - copy.first} lines in {ENTRIES}, got {len(copy.entries)}",
            hint="lines were cut off or added; ask for the copy again",
        )
    head.done()
    return copy


def _earlier(place: Fields, payload: bytes) -> Earlier:
    earlier = Earlier(
        index=place.integer("index"), payload=payload, inclusion=_read_hashes(place, "inclusion")
    )
    place.done()
    return earlier


def _read_annexes(lines: Iterable[bytes]) -> dict[str, tuple[Annex, ...]]:
    annexes: dict[str, tuple[Annex, ...]] = {}
    for line in lines:
        fields = Fields(read(line, max_bytes=_MAX_LINE), ANNEXES)
        ceremony = ceremony_id(fields.text("ceremony"))
        annex = Annex(salt=_hex(fields, "salt", fields.text("salt")), text=fields.text("text"))
        annexes[ceremony] = (*annexes.get(ceremony, ()), annex)
        fields.done()
    return annexes


def _lines(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _split(files: Mapping[str, bytes], name: str) -> list[bytes]:
    *lines, rest = files[name].split(b"\n")
    if rest:
        raise CopyFormatError(f"expected a newline at the end of {name}, got {rest[-20:]!a}")
    return lines


def _hashes(hashes: Sequence[bytes]) -> list[JsonValue]:
    return [each.hex() for each in hashes]


def _read_hashes(fields: Fields, field: str) -> tuple[bytes, ...]:
    hashes = tuple(_hex(fields, field, text) for text in fields.texts(field))
    if any(len(each) != HASH_SIZE for each in hashes):
        raise fields.invalid(field, f"hashes of {HASH_SIZE} bytes")
    return hashes


def _hex(fields: Fields, field: str, text: str) -> bytes:
    if set(text) - set("0123456789abcdef") or len(text) % 2:
        raise fields.invalid(field, "lower-case hexadecimal digits")
    return bytes.fromhex(text)

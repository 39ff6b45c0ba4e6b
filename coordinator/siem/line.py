# SPDX-License-Identifier: Apache-2.0
"""An entry as one line of JSON (docs/spec/siem.md): what a search is made by, then the entry itself."""

import base64
import binascii
from typing import Final

from coordinator.storage import EntryRow
from quorumseal.refusal import Refusal
from quorumseal.strict_json import JsonValue, read, write
from quorumseal.tlog import hash_text, leaf_hash

FORMAT: Final = 0


def line_of(row: EntryRow, *, organisation: str, log: str) -> bytes:
    """Return the line, without its end; the entry stands in it byte for byte as the log has it."""
    entry = read(row.payload)
    assert isinstance(entry, dict)  # noqa: S101 - the log has nothing else
    statement = statement_of(entry)
    facts: dict[str, JsonValue] = {
        "at": entry.get("at"),
        "ceremony": row.ceremony,
        "format": FORMAT,
        "hash": hash_text(leaf_hash(row.payload)),
        "index": row.index,
        "log": log,
        "organisation": organisation,
        "signer": signer_of(statement),
        "statement": statement,
        "type": row.type,
    }
    return write(facts)[:-1] + b',"entry":' + row.payload + b"}"


def statement_of(entry: dict[str, JsonValue]) -> JsonValue:
    """Return what the entry's own envelope signs, to be read without decoding it; none where it has none."""
    body = entry.get("body")
    envelope = body.get("envelope") if isinstance(body, dict) else None
    payload = envelope.get("payload") if isinstance(envelope, dict) else None
    if not isinstance(payload, str):
        return None
    try:
        return read(base64.b64decode(payload, validate=True))
    except (Refusal, binascii.Error, ValueError):  # nothing keeps an entry from getting out
        return None


def signer_of(statement: JsonValue) -> str | None:
    """Return who made a statement."""
    predicate = statement.get("predicate") if isinstance(statement, dict) else None
    signer = predicate.get("signer") if isinstance(predicate, dict) else None
    return signer if isinstance(signer, str) else None

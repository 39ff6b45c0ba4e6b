# SPDX-License-Identifier: Apache-2.0
"""Envelopes, and the in-toto statement in each (docs/spec/encodings.md, Envelopes)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.second_verifier import keys, values
from tests.second_verifier.reading import fields, items, strict, text
from tests.second_verifier.refusing import need

PAYLOAD_TYPE = "application/vnd.in-toto+json"
KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The exact bytes, and their signatures."""

    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """The digest of the payload."""
        return values.sha256(self.payload)

    @property
    def signed(self) -> bytes:
        """What the signatures are of."""
        return keys.pre_authentication(PAYLOAD_TYPE, self.payload)


def _key_hint(value: Any) -> str:
    need(len(text(value)) <= 256, "json.invalid_field")
    return str(value)


def _signature(value: Any) -> bytes:
    return values.base64_bytes(fields(value, {"sig": text}, {"keyid": _key_hint})["sig"])


def envelope(value: Any, *, several: bool = False) -> Envelope:
    """One signature, or ``several`` of a policy's founders, who ascend."""
    read = fields(value, {"payload": text, "payloadType": text, "signatures": items(_signature)})
    need(read["payloadType"] == PAYLOAD_TYPE, "envelope.payload_type")
    found = read["signatures"]
    need(1 <= len(found) <= (1024 if several else 1), "envelope.signature_count")
    need(all(a < b for a, b in pairwise(found)), "envelope.signature_order")
    return Envelope(payload=values.base64_bytes(read["payload"]), signatures=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a statement is about."""

    name: str
    digest: str


def subject(value: Any) -> Subject:
    """Its name, and its digest without the prefix."""
    read = fields(value, {"name": text, "digest": lambda it: fields(it, {"sha256": values.hexadecimal})})
    return Subject(name=read["name"], digest="sha256:" + read["digest"]["sha256"])


def in_toto(payload: bytes, *, at_most: int = 256 * KIB) -> tuple[str, tuple[Subject, ...], Any]:
    """Predicate type, subjects and predicate of a statement."""
    value = strict(payload, at_most=at_most)
    read = fields(
        value,
        {
            "_type": text,
            "predicateType": text,
            "subject": items(subject, 1, 1000),
            "predicate": lambda it: it,
        },
    )
    need(read["_type"] == "https://in-toto.io/Statement/v1", "statement.newer_format")
    return read["predicateType"], read["subject"], read["predicate"]

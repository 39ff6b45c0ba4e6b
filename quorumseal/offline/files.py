# SPDX-License-Identifier: Apache-2.0
"""The files that a ceremony travels in: read strictly, bounded, and believed in nothing.

What they hold are envelopes.  Who signed them, under which policy and about what, is for ``assembling`` and
the signer's agent to find out; a file whose wrapping lies about them says nothing that anybody reads.
"""

from collections.abc import Collection
from dataclasses import dataclass

from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.client.values import MAX_TEXT_BYTES, SALT_BYTES, Annex
from quorumseal.offline.errors import LooseTextError, OfflineFormatError
from quorumseal.signatures import Envelope
from quorumseal.strict_json import Fields, JsonValue, read, write
from quorumseal.verifier.bundle import PolicyVersion, read_version, version_json

FORMAT = 0
ORGANISATION_TYPE = "https://quorumseal.dev/offline/organisation/v1"
REQUEST_TYPE = "https://quorumseal.dev/offline/request/v1"
STATEMENTS_TYPE = "https://quorumseal.dev/offline/statements/v1"
MAX_FILE_BYTES = 8 << 20
MAX_POLICIES = 256
MAX_STATEMENTS = 16
MAX_ANNEXES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrganisation:
    """What a coordinator would say first: the policy chain, and the newest checkpoint that was seen."""

    policies: tuple[PolicyVersion, ...]
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedRequest:
    """What opens a ceremony without its coordinator."""

    known: KnownOrganisation
    request: Envelope
    annexes: tuple[Annex, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedStatements:
    """What one signer signed about a request, oldest first."""

    statements: tuple[Envelope, ...]
    annexes: tuple[Annex, ...] = ()


def write_organisation(known: KnownOrganisation) -> bytes:
    """Make the bytes that a home or a kit keeps for the day when the coordinator is down."""
    return write({"format": FORMAT, "type": ORGANISATION_TYPE, **_write_known(known)})


def read_organisation(data: bytes) -> KnownOrganisation:
    """Return what the bytes say of an organisation, unverified, or refuse them."""
    fields = _open(data, ORGANISATION_TYPE, "an organisation's policies")
    known = _read_known(fields)
    fields.done()
    return known


def write_request_file(carried: CarriedRequest) -> bytes:
    """Make the bytes that travel to the signers."""
    return write(
        {
            "format": FORMAT,
            "type": REQUEST_TYPE,
            **_write_known(carried.known),
            "request": carried.request.to_json(),
            "annexes": _write_annexes(carried.annexes),
        }
    )


def read_request_file(data: bytes) -> CarriedRequest:
    """Return the request that the bytes carry, unverified, or refuse them."""
    fields = _open(data, REQUEST_TYPE, "a request")
    carried = CarriedRequest(
        known=_read_known(fields),
        request=Envelope.read(fields.value("request"), where="request"),
        annexes=_read_annexes(fields),
    )
    fields.done()
    _require_bound(carried.annexes, [carried.request])
    return carried


def write_statements_file(carried: CarriedStatements) -> bytes:
    """Make the bytes that travel back."""
    return write(
        {
            "format": FORMAT,
            "type": STATEMENTS_TYPE,
            "statements": [envelope.to_json() for envelope in carried.statements],
            "annexes": _write_annexes(carried.annexes),
        }
    )


def read_statements_file(data: bytes) -> CarriedStatements:
    """Return the statements that the bytes carry, unverified, or refuse them."""
    fields = _open(data, STATEMENTS_TYPE, "a signer's statements")
    values = fields.values("statements")
    if not 1 <= len(values) <= MAX_STATEMENTS:
        raise fields.invalid("statements", f"1 to {MAX_STATEMENTS} envelopes")
    carried = CarriedStatements(
        statements=tuple(Envelope.read(value, where="statements") for value in values),
        annexes=_read_annexes(fields),
    )
    fields.done()
    _require_bound(carried.annexes, carried.statements)
    return carried


def _open(data: bytes, expected: str, what: str) -> Fields:
    fields = Fields(read(data, max_bytes=MAX_FILE_BYTES), "file")
    if (got := fields.text("type")) != expected:
        raise OfflineFormatError(
            f"expected {what} ({expected}), got {got[:80]!a}",
            hint="compare which file is which: `offline export` writes requests, `offline decide` decisions",
        )
    require_format(fields, FORMAT)
    return fields


def _write_known(known: KnownOrganisation) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {"policies": [version_json(version) for version in known.policies]}
    if known.checkpoint is not None:
        value["checkpoint"] = known.checkpoint.decode()
    return value


def _read_known(fields: Fields) -> KnownOrganisation:
    values = fields.values("policies")
    if not 1 <= len(values) <= MAX_POLICIES:
        raise fields.invalid("policies", f"1 to {MAX_POLICIES} policy versions")
    checkpoint = fields.optional_text("checkpoint")
    return KnownOrganisation(
        policies=tuple(read_version(value) for value in values),
        checkpoint=None if checkpoint is None else checkpoint.encode(),
    )


def _write_annexes(annexes: Collection[Annex]) -> list[JsonValue]:
    return [{"salt": annex.salt.hex(), "text": annex.text} for annex in annexes]


def _read_annexes(fields: Fields) -> tuple[Annex, ...]:
    annexes = fields.objects("annexes")
    if len(annexes) > MAX_ANNEXES:
        raise fields.invalid("annexes", f"at most {MAX_ANNEXES} texts")
    return tuple(_read_annex(annex) for annex in annexes)


def _read_annex(fields: Fields) -> Annex:
    salt, text = fields.text("salt"), fields.text("text")
    if len(salt) != 2 * SALT_BYTES or set(salt) - set("0123456789abcdef"):
        raise fields.invalid("salt", f"{2 * SALT_BYTES} lower-case hexadecimal digits")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise fields.invalid("text", f"at most {MAX_TEXT_BYTES} bytes")
    return Annex(salt=bytes.fromhex(salt), text=text)


def _require_bound(annexes: Collection[Annex], envelopes: Collection[Envelope]) -> None:
    """Refuse a text that nobody signed for: it would be read as if somebody had."""
    bound = frozenset[str]().union(*(commitments(read_statement(e.payload)) for e in envelopes))
    for annex in annexes:
        if annex.commitment not in bound:
            raise LooseTextError(
                "expected texts that a statement of the same file commits to, got another",
                hint="somebody changed the file on its way: ask for it again",
            )

# SPDX-License-Identifier: Apache-2.0
"""What the written forms of several statements share: context, subjects, and how fields may be left out."""

from collections.abc import Callable
from typing import TypeVar

from quorumseal.ceremony.errors import NewerFormatError
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import FORMAT
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.statements import (
    Context,
    Mode,
    PolicyReference,
    RevocationReason,
    SeenCheckpoint,
    Subject,
    SuspensionReason,
)
from quorumseal.ceremony.values import (
    digest,
    digest_from_hex,
    instant,
    instant_text,
    log_origin,
    name,
    note_signature,
    subject_name,
)
from quorumseal.strict_json import Fields, JsonValue

MAX_SUBJECTS = 1000
MAX_ITEMS = 64
_Known = TypeVar("_Known", Kind, Mode, RevocationReason, SuspensionReason)
_Read = TypeVar("_Read")


def write_context(context: Context) -> dict[str, JsonValue]:
    """Write what binds a statement."""
    return {
        "format": FORMAT,
        "organisation": context.organisation,
        "log": context.log,
        "policy": {"version": context.policy.version, "digest": context.policy.digest},
        "signer": context.signer,
        "signed_at": instant_text(context.signed_at),
        "checkpoint": {
            "size": context.checkpoint.size,
            "root": context.checkpoint.root,
            **given("signature", context.checkpoint.signature or None),
        },
    }


def read_context(fields: Fields) -> Context:
    """Read what binds a statement."""
    require_format(fields, FORMAT)
    policy = fields.object("policy")
    return Context(
        organisation=name(fields.text("organisation")),
        log=log_origin(fields.text("log")),
        policy=PolicyReference(
            version=policy.integer("version", at_least=1), digest=digest(policy.text("digest"))
        ),
        signer=name(fields.text("signer")),
        signed_at=instant(fields.text("signed_at")),
        checkpoint=_read_checkpoint(fields.object("checkpoint")),
    )


def _read_checkpoint(fields: Fields) -> SeenCheckpoint:
    return SeenCheckpoint(
        size=fields.integer("size"),
        root=digest(fields.text("root")),
        signature=optional(fields, "signature", note_signature) or "",
    )


def write_subject(subject: Subject) -> JsonValue:
    """Write one artifact as in-toto does."""
    return {"name": subject.name, "digest": {"sha256": subject.digest.partition(":")[2]}}


def read_subjects(fields: Fields, field: str) -> tuple[Subject, ...]:
    """Read artifacts: at least one, each name once."""
    subjects = tuple(
        Subject(name=subject_name(f.text("name")), digest=digest_from_hex(f.object("digest").text("sha256")))
        for f in bounded_objects(fields, field, MAX_SUBJECTS)
    )
    if not subjects or len({subject.name.casefold() for subject in subjects}) != len(subjects):
        raise fields.invalid(field, f"1 to {MAX_SUBJECTS} artifacts, each name once whatever its case")
    return subjects


def bounded_objects(fields: Fields, field: str, most: int) -> list[Fields]:
    """Return the objects of a list that is not too long."""
    if len(fields.values(field)) > most:
        raise fields.invalid(field, f"at most {most} items")
    return fields.objects(field)


def known_choice(fields: Fields, field: str, choices: type[_Known]) -> _Known:
    """Read one of a closed set; a later version may have more."""
    text = fields.text(field)
    try:
        return choices(text)
    except ValueError:
        raise NewerFormatError(
            f"{fields.path(field)}: expected one of {', '.join(choices)}, got {text[:64]!a}",
            hint="a newer version of quorumseal may know it",
        ) from None


def optional(fields: Fields, field: str, reader: Callable[[str], _Read]) -> _Read | None:
    """Read a field that may be left out."""
    text = fields.optional_text(field)
    return None if text is None else reader(text)


def given(field: str, value: str | None) -> dict[str, JsonValue]:
    """Write a field only where there is something to say."""
    return {} if value is None else {field: value}

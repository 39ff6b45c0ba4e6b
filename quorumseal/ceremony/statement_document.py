# SPDX-License-Identifier: Apache-2.0
"""The written form of statements.

The exact payload bytes are what is hashed, logged and compared: a statement is only ever read from them,
never written again to be checked.
"""

from collections.abc import Callable
from typing import TypeVar, assert_never

from quorumseal.ceremony.errors import NewerFormatError, StatementFormatError
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import FORMAT, STATEMENT_TYPE, require_format
from quorumseal.ceremony.statements import (
    Cancellation,
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    Evidence,
    Locator,
    Mode,
    PolicyReference,
    Request,
    SeenCheckpoint,
    Statement,
    Subject,
)
from quorumseal.ceremony.values import (
    ceremony_id,
    digest,
    digest_from_hex,
    instant,
    instant_text,
    log_origin,
    name,
    printable,
    subject_name,
    version,
)
from quorumseal.strict_json import Fields, JsonValue, read, write

MAX_STATEMENT_BYTES = 256 << 10
MAX_SUBJECTS = 1000
MAX_ITEMS = 64
_PREDICATE, _VERSION = "https://quorumseal.dev/", "/v1"
_REQUEST, _CANCELLATION = "request", "cancellation"
_Known = TypeVar("_Known", Kind, Mode)
_Read = TypeVar("_Read")


def write_statement(statement: Statement) -> bytes:
    """Make the payload that is signed."""
    kind, body = _written(statement)
    return write(
        {
            "_type": STATEMENT_TYPE,
            "subject": [_write_subject(subject) for subject in _about(statement)],
            "predicateType": _PREDICATE + kind + _VERSION,
            "predicate": {**_write_context(statement.context), **body},
        }
    )


def read_statement(payload: bytes) -> Statement:
    """Return the statement that the bytes are, or refuse them."""
    fields = Fields(read(payload, max_bytes=MAX_STATEMENT_BYTES), "statement")
    fields.constant("_type", STATEMENT_TYPE)
    kind = fields.text("predicateType").removeprefix(_PREDICATE).removesuffix(_VERSION)
    reader = _READERS.get(kind)
    if reader is None or fields.text("predicateType") != _PREDICATE + kind + _VERSION:
        raise NewerFormatError(
            f"expected a statement of type {', '.join(_READERS)}, got {fields.text('predicateType')[:100]!a}",
            hint="a newer version of quorumseal may know this type",
        )
    subjects = _read_subjects(fields, "subject")
    statement = reader(fields.object("predicate"), subjects)
    fields.done()
    if subjects != _about(statement):
        raise StatementFormatError(
            f"expected the in-toto subject of {kind} to be {_about(statement)[0].name} "
            f"({_about(statement)[0].digest}), got {subjects[0].name} ({subjects[0].digest})"
        )
    return statement


def _written(statement: Statement) -> tuple[str, dict[str, JsonValue]]:
    match statement:
        case Request():
            return _REQUEST, _write_request(statement)
        case Decision():
            return str(statement.choice), _write_decision(statement)
        case Cancellation():
            return _CANCELLATION, _write_cancellation(statement)
        case unknown:
            assert_never(unknown)


def _about(statement: Statement) -> tuple[Subject, ...]:
    """Return the in-toto subjects of a statement."""
    match statement:
        case Decision(choice=Choice.APPROVAL):
            return statement.subjects
        case Request():
            return (Subject(name="policy", digest=statement.context.policy.digest),)
        case Decision() | Cancellation():
            return (Subject(name="request", digest=statement.request),)
        case unknown:
            assert_never(unknown)


def _write_context(context: Context) -> dict[str, JsonValue]:
    return {
        "format": FORMAT,
        "organisation": context.organisation,
        "log": context.log,
        "policy": {"version": context.policy.version, "digest": context.policy.digest},
        "signer": context.signer,
        "signed_at": instant_text(context.signed_at),
        "checkpoint": {"size": context.checkpoint.size, "root": context.checkpoint.root},
    }


def _read_context(fields: Fields) -> Context:
    require_format(fields, FORMAT)
    policy, checkpoint = fields.object("policy"), fields.object("checkpoint")
    return Context(
        organisation=name(fields.text("organisation")),
        log=log_origin(fields.text("log")),
        policy=PolicyReference(
            version=policy.integer("version", at_least=1), digest=digest(policy.text("digest"))
        ),
        signer=name(fields.text("signer")),
        signed_at=instant(fields.text("signed_at")),
        checkpoint=SeenCheckpoint(size=checkpoint.integer("size"), root=digest(checkpoint.text("root"))),
    )


def _write_request(request: Request) -> dict[str, JsonValue]:
    return {
        "ceremony": request.ceremony,
        "product": request.product,
        "version": request.version,
        "kind": str(request.kind),
        "mode": str(request.mode),
        "subjects": [_write_subject(subject) for subject in request.subjects],
        "deadline": instant_text(request.deadline),
        "hard_stop": instant_text(request.hard_stop),
        "evidence": [
            {"kind": e.kind, "name": e.name, "media_type": e.media_type, "digest": e.digest}
            for e in request.evidence
        ],
        "locators": [{"name": locator.name, "uri": locator.uri} for locator in request.locators],
        **_given("on_behalf_of", request.on_behalf_of),
        **_given("supersedes", request.supersedes),
        **_given("ticket", request.ticket),
    }


def _read_request(fields: Fields, _: tuple[Subject, ...]) -> Request:
    subjects = _read_subjects(fields, "subjects")
    return Request(
        context=_read_context(fields),
        ceremony=ceremony_id(fields.text("ceremony")),
        product=name(fields.text("product")),
        version=version(fields.text("version")),
        kind=_known(fields, "kind", Kind),
        mode=_known(fields, "mode", Mode),
        subjects=subjects,
        deadline=instant(fields.text("deadline")),
        hard_stop=instant(fields.text("hard_stop")),
        evidence=tuple(_read_evidence(f) for f in _bounded(fields, "evidence", MAX_ITEMS)),
        locators=tuple(_read_locator(f, subjects) for f in _bounded(fields, "locators", MAX_SUBJECTS)),
        on_behalf_of=_optional(fields, "on_behalf_of", name),
        supersedes=_optional(fields, "supersedes", digest),
        ticket=_optional(fields, "ticket", printable),
    )


def _read_evidence(fields: Fields) -> Evidence:
    return Evidence(
        kind=name(fields.text("kind")),
        name=subject_name(fields.text("name")),
        media_type=printable(fields.text("media_type")),
        digest=digest(fields.text("digest")),
    )


def _read_locator(fields: Fields, subjects: tuple[Subject, ...]) -> Locator:
    locator = Locator(name=fields.text("name"), uri=printable(fields.text("uri")))
    if locator.name not in {subject.name for subject in subjects}:
        raise fields.invalid("name", "the name of a subject of the request")
    return locator


def _write_decision(decision: Decision) -> dict[str, JsonValue]:
    return {
        "ceremony": decision.ceremony,
        "request": decision.request,
        "roles": [*sorted(decision.roles)],
        "checks": [{"name": check.name, "outcome": str(check.outcome)} for check in decision.checks],
        **_given("replaces", decision.replaces),
        **_given("not_after", None if decision.not_after is None else instant_text(decision.not_after)),
        **_given("reason", decision.reason),
    }


def _decision_reader(choice: Choice) -> Callable[[Fields, tuple[Subject, ...]], Decision]:
    def read_decision(fields: Fields, subjects: tuple[Subject, ...]) -> Decision:
        roles = fields.texts("roles")
        if not roles or len(roles) > MAX_ITEMS or len(set(roles)) != len(roles):
            raise fields.invalid("roles", f"1 to {MAX_ITEMS} roles, each once")
        checks = tuple(
            Check(name=name(f.text("name")), outcome=f.choice("outcome", CheckOutcome))
            for f in _bounded(fields, "checks", MAX_ITEMS)
        )
        if len({check.name for check in checks}) != len(checks):
            raise fields.invalid("checks", "each check once")
        reason = _optional(fields, "reason", digest)
        if choice is Choice.REJECTION and reason is None:
            raise StatementFormatError("expected a rejection to have a reason, got one without")
        return Decision(
            context=_read_context(fields),
            choice=choice,
            ceremony=ceremony_id(fields.text("ceremony")),
            request=digest(fields.text("request")),
            roles=frozenset(name(role) for role in roles),
            subjects=subjects if choice is Choice.APPROVAL else (),
            checks=checks,
            replaces=_optional(fields, "replaces", digest),
            not_after=_optional(fields, "not_after", instant),
            reason=reason,
        )

    return read_decision


def _write_cancellation(cancellation: Cancellation) -> dict[str, JsonValue]:
    return {
        "ceremony": cancellation.ceremony,
        "request": cancellation.request,
        "seen": cancellation.seen,
        "reason": cancellation.reason,
    }


def _read_cancellation(fields: Fields, _: tuple[Subject, ...]) -> Cancellation:
    return Cancellation(
        context=_read_context(fields),
        ceremony=ceremony_id(fields.text("ceremony")),
        request=digest(fields.text("request")),
        seen=digest(fields.text("seen")),
        reason=digest(fields.text("reason")),
    )


def _write_subject(subject: Subject) -> JsonValue:
    return {"name": subject.name, "digest": {"sha256": subject.digest.partition(":")[2]}}


def _read_subjects(fields: Fields, field: str) -> tuple[Subject, ...]:
    subjects = tuple(
        Subject(name=subject_name(f.text("name")), digest=digest_from_hex(f.object("digest").text("sha256")))
        for f in _bounded(fields, field, MAX_SUBJECTS)
    )
    if not subjects or len({subject.name.casefold() for subject in subjects}) != len(subjects):
        raise fields.invalid(field, f"1 to {MAX_SUBJECTS} artifacts, each name once whatever its case")
    return subjects


def _bounded(fields: Fields, field: str, most: int) -> list[Fields]:
    if len(fields.values(field)) > most:
        raise fields.invalid(field, f"at most {most} items")
    return fields.objects(field)


def _known(fields: Fields, field: str, choices: type[_Known]) -> _Known:
    text = fields.text(field)
    try:
        return choices(text)
    except ValueError:
        raise NewerFormatError(
            f"{fields.path(field)}: expected one of {', '.join(choices)}, got {text[:64]!a}",
            hint="a newer version of quorumseal may know it",
        ) from None


def _optional(fields: Fields, field: str, reader: Callable[[str], _Read]) -> _Read | None:
    text = fields.optional_text(field)
    return None if text is None else reader(text)


def _given(field: str, value: str | None) -> dict[str, JsonValue]:
    return {} if value is None else {field: value}


_READERS: dict[str, Callable[[Fields, tuple[Subject, ...]], Statement]] = {
    _REQUEST: _read_request,
    **{str(choice): _decision_reader(choice) for choice in Choice},
    _CANCELLATION: _read_cancellation,
}

# SPDX-License-Identifier: Apache-2.0
"""The written form of statements.

The exact payload bytes are what is hashed, logged and compared: a statement is only ever read from them,
never written again to be checked.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict, assert_never

from quorumseal.ceremony.errors import NewerFormatError, StatementFormatError
from quorumseal.ceremony.policy_document import STATEMENT_TYPE
from quorumseal.ceremony.request_document import REQUEST, read_request, write_request
from quorumseal.ceremony.statement_fields import (
    MAX_ITEMS,
    bounded_objects,
    given,
    known_choice,
    optional,
    read_context,
    read_subjects,
    write_context,
    write_subject,
)
from quorumseal.ceremony.statements import (
    Absence,
    Cancellation,
    CeremonyAct,
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    Delegation,
    Extension,
    KeyRevocation,
    Report,
    Request,
    RevocationReason,
    StandingAct,
    Statement,
    Subject,
    Suspension,
    SuspensionReason,
    Veto,
    Withdrawal,
)
from quorumseal.ceremony.values import (
    ceremony_id,
    digest,
    instant,
    instant_text,
    name,
)
from quorumseal.strict_json import Fields, JsonValue, read, write

MAX_STATEMENT_BYTES = 256 << 10
_PREDICATE, _VERSION = "https://quorumseal.dev/", "/v1"


class _ActFields(TypedDict):
    context: Context
    ceremony: str
    request: str
    seen: str


class _StandingFields(TypedDict):
    context: Context
    number: int


class _Span(TypedDict):
    since: datetime
    until: datetime


def write_statement(statement: Statement) -> bytes:
    """Make the payload that is signed."""
    kind, body = _written(statement)
    return write(
        {
            "_type": STATEMENT_TYPE,
            "subject": [write_subject(subject) for subject in _about(statement)],
            "predicateType": _PREDICATE + kind + _VERSION,
            "predicate": {**write_context(statement.context), **body},
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
    subjects = read_subjects(fields, "subject")
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
            return REQUEST, write_request(statement)
        case Decision():
            return str(statement.choice), _write_decision(statement)
        case Cancellation() | Extension() | Veto() | Report():
            return _kind(statement), {**_write_act(statement), **_write_own(statement)}
        case Absence() | Delegation() | Withdrawal() | KeyRevocation() | Suspension():
            return _kind(statement), {"number": statement.number, **_write_own(statement)}
        case unknown:
            assert_never(unknown)


def _about(statement: Statement) -> tuple[Subject, ...]:
    """Return the in-toto subjects of a statement."""
    match statement:
        case Decision(choice=Choice.APPROVAL):
            return statement.subjects
        case KeyRevocation():
            return (Subject(name="key", digest=statement.key),)
        case Request() | Absence() | Delegation() | Withdrawal() | Suspension():
            return (Subject(name="policy", digest=statement.context.policy.digest),)
        case Decision() | Cancellation() | Extension() | Veto() | Report():
            return (Subject(name="request", digest=statement.request),)
        case unknown:
            assert_never(unknown)


def _write_decision(decision: Decision) -> dict[str, JsonValue]:
    return {
        "ceremony": decision.ceremony,
        "request": decision.request,
        "roles": [*sorted(decision.roles)],
        "checks": [{"name": check.name, "outcome": str(check.outcome)} for check in decision.checks],
        **given("replaces", decision.replaces),
        **given("not_after", None if decision.not_after is None else instant_text(decision.not_after)),
        **given("reason", decision.reason),
        **given("delegation", decision.delegation),
    }


def _decision_reader(choice: Choice) -> Callable[[Fields, tuple[Subject, ...]], Decision]:
    def read_decision(fields: Fields, subjects: tuple[Subject, ...]) -> Decision:
        roles = fields.texts("roles")
        if not roles or len(roles) > MAX_ITEMS or len(set(roles)) != len(roles):
            raise fields.invalid("roles", f"1 to {MAX_ITEMS} roles, each once")
        checks = tuple(
            Check(name=name(f.text("name")), outcome=f.choice("outcome", CheckOutcome))
            for f in bounded_objects(fields, "checks", MAX_ITEMS)
        )
        if len({check.name for check in checks}) != len(checks):
            raise fields.invalid("checks", "each check once")
        reason = optional(fields, "reason", digest)
        if choice is Choice.REJECTION and reason is None:
            raise StatementFormatError("expected a rejection to have a reason, got one without")
        return Decision(
            context=read_context(fields),
            choice=choice,
            ceremony=ceremony_id(fields.text("ceremony")),
            request=digest(fields.text("request")),
            roles=frozenset(name(role) for role in roles),
            subjects=subjects if choice is Choice.APPROVAL else (),
            checks=checks,
            replaces=optional(fields, "replaces", digest),
            not_after=optional(fields, "not_after", instant),
            reason=reason,
            delegation=optional(fields, "delegation", digest),
        )

    return read_decision


def _kind(statement: CeremonyAct | StandingAct) -> str:
    return "key-revocation" if isinstance(statement, KeyRevocation) else type(statement).__name__.lower()


def _write_act(act: CeremonyAct) -> dict[str, JsonValue]:
    return {"ceremony": act.ceremony, "request": act.request, "seen": act.seen}


def _write_own(act: CeremonyAct | StandingAct) -> dict[str, JsonValue]:
    """Return what an act says beyond what all acts say."""
    match act:
        case Cancellation() | Veto():
            return {"reason": act.reason}
        case Extension():
            deadline = instant_text(act.deadline)
            return {"number": act.number, "deadline": deadline, **given("previous", act.previous)}
        case Report():
            return {"text": act.text}
        case Absence():
            return {"since": instant_text(act.since), "until": instant_text(act.until)}
        case Delegation():
            span = {"since": instant_text(act.since), "until": instant_text(act.until)}
            return {"role": act.role, "deputy": act.deputy, **span}
        case Withdrawal():
            return given("role", act.role)
        case KeyRevocation():
            return {"key": act.key, "since": instant_text(act.since), "reason": str(act.reason)}
        case Suspension():
            return {"person": act.person, "until": instant_text(act.until), "reason": str(act.reason)}
        case unknown:
            assert_never(unknown)


def _read_cancellation(fields: Fields, _: tuple[Subject, ...]) -> Cancellation:
    return Cancellation(**_read_act(fields), reason=digest(fields.text("reason")))


def _read_extension(fields: Fields, _: tuple[Subject, ...]) -> Extension:
    return Extension(
        **_read_act(fields),
        number=fields.integer("number", at_least=1),
        previous=optional(fields, "previous", digest),
        deadline=instant(fields.text("deadline")),
    )


def _read_veto(fields: Fields, _: tuple[Subject, ...]) -> Veto:
    return Veto(**_read_act(fields), reason=digest(fields.text("reason")))


def _read_report(fields: Fields, _: tuple[Subject, ...]) -> Report:
    return Report(**_read_act(fields), text=digest(fields.text("text")))


def _read_absence(fields: Fields, _: tuple[Subject, ...]) -> Absence:
    return Absence(**_read_standing(fields), **_read_span(fields))


def _read_delegation(fields: Fields, _: tuple[Subject, ...]) -> Delegation:
    return Delegation(
        **_read_standing(fields),
        **_read_span(fields),
        role=name(fields.text("role")),
        deputy=name(fields.text("deputy")),
    )


def _read_withdrawal(fields: Fields, _: tuple[Subject, ...]) -> Withdrawal:
    return Withdrawal(**_read_standing(fields), role=optional(fields, "role", name))


def _read_key_revocation(fields: Fields, _: tuple[Subject, ...]) -> KeyRevocation:
    return KeyRevocation(
        **_read_standing(fields),
        key=digest(fields.text("key")),
        since=instant(fields.text("since")),
        reason=known_choice(fields, "reason", RevocationReason),
    )


def _read_suspension(fields: Fields, _: tuple[Subject, ...]) -> Suspension:
    return Suspension(
        **_read_standing(fields),
        person=name(fields.text("person")),
        until=instant(fields.text("until")),
        reason=known_choice(fields, "reason", SuspensionReason),
    )


def _read_act(fields: Fields) -> _ActFields:
    return {
        "context": read_context(fields),
        "ceremony": ceremony_id(fields.text("ceremony")),
        "request": digest(fields.text("request")),
        "seen": digest(fields.text("seen")),
    }


def _read_standing(fields: Fields) -> _StandingFields:
    return {"context": read_context(fields), "number": fields.integer("number", at_least=1)}


def _read_span(fields: Fields) -> _Span:
    since, until = instant(fields.text("since")), instant(fields.text("until"))
    if since >= until:
        raise fields.invalid("until", f"an instant after {instant_text(since)}")
    return {"since": since, "until": until}


_READERS: dict[str, Callable[[Fields, tuple[Subject, ...]], Statement]] = {
    REQUEST: read_request,
    **{str(choice): _decision_reader(choice) for choice in Choice},
    "cancellation": _read_cancellation,
    "extension": _read_extension,
    "veto": _read_veto,
    "report": _read_report,
    "absence": _read_absence,
    "delegation": _read_delegation,
    "withdrawal": _read_withdrawal,
    "key-revocation": _read_key_revocation,
    "suspension": _read_suspension,
}

# SPDX-License-Identifier: Apache-2.0
"""The written form of statements.

The exact payload bytes are what is hashed, logged and compared: a statement is only ever read from them,
never written again to be checked.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict, TypeVar, assert_never

from quorumseal.ceremony.errors import NewerFormatError, StatementFormatError
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import FORMAT, STATEMENT_TYPE, read_set, require_format
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
    Emergency,
    Evidence,
    Extension,
    Locator,
    Mode,
    PolicyReference,
    Ratified,
    Report,
    Request,
    SeenCheckpoint,
    StandingAct,
    Statement,
    Subject,
    Veto,
    Withdrawal,
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
REQUEST = "request"
_Known = TypeVar("_Known", Kind, Mode)
_Read = TypeVar("_Read")


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
            return REQUEST, _write_request(statement)
        case Decision():
            return str(statement.choice), _write_decision(statement)
        case Cancellation() | Extension() | Veto() | Report():
            return _kind(statement), {**_write_act(statement), **_write_own(statement)}
        case Absence() | Delegation() | Withdrawal():
            return _kind(statement), {"number": statement.number, **_write_own(statement)}
        case unknown:
            assert_never(unknown)


def _about(statement: Statement) -> tuple[Subject, ...]:
    """Return the in-toto subjects of a statement."""
    match statement:
        case Decision(choice=Choice.APPROVAL):
            return statement.subjects
        case Request() | Absence() | Delegation() | Withdrawal():
            return (Subject(name="policy", digest=statement.context.policy.digest),)
        case Decision() | Cancellation() | Extension() | Veto() | Report():
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
        **_given("why", request.why),
        **({} if request.emergency is None else {"emergency": _write_emergency(request.emergency)}),
        **({} if request.ratified is None else {"ratified": _write_ratified(request.ratified)}),
    }


def _read_request(fields: Fields, _: tuple[Subject, ...]) -> Request:
    subjects = _read_subjects(fields, "subjects")
    request = Request(
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
        why=_optional(fields, "why", digest),
        emergency=_read_emergency(fields.object("emergency")) if "emergency" in fields else None,
        ratified=_read_ratified(fields.object("ratified")) if "ratified" in fields else None,
    )
    _check_kind(request)
    return request


def _check_kind(request: Request) -> None:
    """Refuse a request whose fields do not fit its kind and mode."""
    emergency, ratification = request.mode is Mode.BREAK_GLASS, request.kind is Kind.RATIFICATION
    if (request.emergency is not None) != emergency:
        raise StatementFormatError(
            f"expected the field emergency in mode {Mode.BREAK_GLASS} and nowhere else, "
            f"got mode {request.mode}"
        )
    if emergency and request.kind is not Kind.RELEASE:
        raise StatementFormatError(
            f"expected break-glass for a {Kind.RELEASE} only, got it for a {request.kind}",
            hint="policies, revocations and ratifications have no emergency path",
        )
    if (request.ratified is not None) != ratification:
        raise StatementFormatError(
            f"expected the field ratified in a {Kind.RATIFICATION} and nowhere else, got kind {request.kind}"
        )
    if request.kind is Kind.REVOCATION and [s.name for s in request.subjects] != [REQUEST]:
        raise StatementFormatError(
            f"expected a {Kind.REVOCATION} of one {REQUEST}, "
            f"got {', '.join(subject.name for subject in request.subjects)}"
        )
    explained = emergency or request.kind is Kind.REVOCATION
    if (request.why is not None) != explained:
        raise StatementFormatError(
            f"expected the field why in an emergency and in a {Kind.REVOCATION}, and nowhere else"
        )


def _write_emergency(emergency: Emergency) -> JsonValue:
    return {
        "reason": emergency.reason,
        "incident": emergency.incident,
        "impact": emergency.impact,
        "people": emergency.people,
        "provisional_until": instant_text(emergency.provisional_until),
        "ratify_by": instant_text(emergency.ratify_by),
    }


def _read_emergency(fields: Fields) -> Emergency:
    return Emergency(
        reason=name(fields.text("reason")),
        incident=printable(fields.text("incident")),
        impact=digest(fields.text("impact")),
        people=fields.integer("people", at_least=2, at_most=MAX_ITEMS),
        provisional_until=instant(fields.text("provisional_until")),
        ratify_by=instant(fields.text("ratify_by")),
    )


def _write_ratified(ratified: Ratified) -> JsonValue:
    return {
        "ceremony": ratified.ceremony,
        "request": ratified.request,
        "conclusion": ratified.conclusion,
        "requesters": [*sorted(ratified.requesters)],
    }


def _read_ratified(fields: Fields) -> Ratified:
    return Ratified(
        ceremony=ceremony_id(fields.text("ceremony")),
        request=digest(fields.text("request")),
        conclusion=digest(fields.text("conclusion")),
        requesters=read_set(fields, "requesters"),
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
        **_given("delegation", decision.delegation),
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
            delegation=_optional(fields, "delegation", digest),
        )

    return read_decision


def _kind(statement: CeremonyAct | StandingAct) -> str:
    return type(statement).__name__.lower()


def _write_act(act: CeremonyAct) -> dict[str, JsonValue]:
    return {"ceremony": act.ceremony, "request": act.request, "seen": act.seen}


def _write_own(act: CeremonyAct | StandingAct) -> dict[str, JsonValue]:
    """Return what an act says beyond what all acts say."""
    match act:
        case Cancellation() | Veto():
            return {"reason": act.reason}
        case Extension():
            deadline = instant_text(act.deadline)
            return {"number": act.number, "deadline": deadline, **_given("previous", act.previous)}
        case Report():
            return {"text": act.text}
        case Absence():
            return {"since": instant_text(act.since), "until": instant_text(act.until)}
        case Delegation():
            span = {"since": instant_text(act.since), "until": instant_text(act.until)}
            return {"role": act.role, "deputy": act.deputy, **span}
        case Withdrawal():
            return {"role": act.role}
        case unknown:
            assert_never(unknown)


def _read_cancellation(fields: Fields, _: tuple[Subject, ...]) -> Cancellation:
    return Cancellation(**_read_act(fields), reason=digest(fields.text("reason")))


def _read_extension(fields: Fields, _: tuple[Subject, ...]) -> Extension:
    return Extension(
        **_read_act(fields),
        number=fields.integer("number", at_least=1),
        previous=_optional(fields, "previous", digest),
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
    return Withdrawal(**_read_standing(fields), role=name(fields.text("role")))


def _read_act(fields: Fields) -> _ActFields:
    return {
        "context": _read_context(fields),
        "ceremony": ceremony_id(fields.text("ceremony")),
        "request": digest(fields.text("request")),
        "seen": digest(fields.text("seen")),
    }


def _read_standing(fields: Fields) -> _StandingFields:
    return {"context": _read_context(fields), "number": fields.integer("number", at_least=1)}


def _read_span(fields: Fields) -> _Span:
    since, until = instant(fields.text("since")), instant(fields.text("until"))
    if since >= until:
        raise fields.invalid("until", f"an instant after {instant_text(since)}")
    return {"since": since, "until": until}


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
    REQUEST: _read_request,
    **{str(choice): _decision_reader(choice) for choice in Choice},
    "cancellation": _read_cancellation,
    "extension": _read_extension,
    "veto": _read_veto,
    "report": _read_report,
    "absence": _read_absence,
    "delegation": _read_delegation,
    "withdrawal": _read_withdrawal,
}

# SPDX-License-Identifier: Apache-2.0
"""The written form of requests, and which fields a request of each kind and mode has."""

from quorumseal.ceremony.errors import StatementFormatError
from quorumseal.ceremony.policy import GOVERNED, POLICY, Kind
from quorumseal.ceremony.policy_fields import read_set
from quorumseal.ceremony.statement_fields import (
    MAX_ITEMS,
    MAX_SUBJECTS,
    bounded_objects,
    given,
    known_choice,
    optional,
    read_context,
    read_subjects,
    write_subject,
)
from quorumseal.ceremony.statements import Concluded, Emergency, Evidence, Locator, Mode, Request, Subject
from quorumseal.ceremony.values import (
    ceremony_id,
    digest,
    instant,
    instant_text,
    name,
    printable,
    subject_name,
    version,
)
from quorumseal.strict_json import Fields, JsonValue

REQUEST = "request"


def write_request(request: Request) -> dict[str, JsonValue]:
    """Write what a request says beyond its context."""
    return {
        "ceremony": request.ceremony,
        "product": request.product,
        "version": request.version,
        "kind": str(request.kind),
        "mode": str(request.mode),
        "subjects": [write_subject(subject) for subject in request.subjects],
        "deadline": instant_text(request.deadline),
        "hard_stop": instant_text(request.hard_stop),
        "evidence": [
            {"kind": e.kind, "name": e.name, "media_type": e.media_type, "digest": e.digest}
            for e in request.evidence
        ],
        "locators": [{"name": locator.name, "uri": locator.uri} for locator in request.locators],
        **given("on_behalf_of", request.on_behalf_of),
        **given("supersedes", request.supersedes),
        **given("ticket", request.ticket),
        **given("why", request.why),
        **({} if request.emergency is None else {"emergency": _write_emergency(request.emergency)}),
        **({} if request.ratified is None else {"ratified": _write_concluded(request.ratified)}),
        **({} if request.reapproved is None else {"reapproved": _write_concluded(request.reapproved)}),
    }


def read_request(fields: Fields, _: tuple[Subject, ...]) -> Request:
    """Read a request whose fields fit its kind and mode."""
    subjects = read_subjects(fields, "subjects")
    request = Request(
        context=read_context(fields),
        ceremony=ceremony_id(fields.text("ceremony")),
        product=name(fields.text("product")),
        version=version(fields.text("version")),
        kind=known_choice(fields, "kind", Kind),
        mode=known_choice(fields, "mode", Mode),
        subjects=subjects,
        deadline=instant(fields.text("deadline")),
        hard_stop=instant(fields.text("hard_stop")),
        evidence=tuple(_read_evidence(f) for f in bounded_objects(fields, "evidence", MAX_ITEMS)),
        locators=tuple(_read_locator(f, subjects) for f in bounded_objects(fields, "locators", MAX_SUBJECTS)),
        on_behalf_of=optional(fields, "on_behalf_of", name),
        supersedes=optional(fields, "supersedes", digest),
        ticket=optional(fields, "ticket", printable),
        why=optional(fields, "why", digest),
        emergency=_read_emergency(fields.object("emergency")) if "emergency" in fields else None,
        ratified=_read_concluded(fields.object("ratified")) if "ratified" in fields else None,
        reapproved=_read_concluded(fields.object("reapproved")) if "reapproved" in fields else None,
    )
    _check_kind(request)
    return request


def _check_kind(request: Request) -> None:
    """Refuse a request whose fields do not fit its kind and mode."""
    emergency = request.mode is Mode.BREAK_GLASS
    if (request.emergency is not None) != emergency:
        raise StatementFormatError(
            f"expected the field emergency in mode {Mode.BREAK_GLASS} and nowhere else, "
            f"got mode {request.mode}"
        )
    if emergency and request.kind is not Kind.RELEASE:
        raise StatementFormatError(
            f"expected break-glass for a {Kind.RELEASE} only, got it for a {request.kind}",
            hint="nothing else has an emergency path",
        )
    for field, kind, named in (
        ("ratified", Kind.RATIFICATION, request.ratified),
        ("reapproved", Kind.RE_APPROVAL, request.reapproved),
    ):
        if (named is not None) != (request.kind is kind):
            raise StatementFormatError(
                f"expected the field {field} in a {kind} and nowhere else, got kind {request.kind}"
            )
    if request.kind is Kind.REVOCATION and [s.name for s in request.subjects] != [REQUEST]:
        raise StatementFormatError(
            f"expected a {Kind.REVOCATION} of one {REQUEST}, "
            f"got {', '.join(subject.name for subject in request.subjects)}"
        )
    if request.kind in GOVERNED:
        _check_governed(request)
    explained = emergency or request.kind is Kind.REVOCATION
    if (request.why is not None) != explained:
        raise StatementFormatError(
            f"expected the field why in an emergency and in a {Kind.REVOCATION}, and nowhere else"
        )


def _check_governed(request: Request) -> None:
    """Refuse a request about a policy that is not about the next version, or the one that it is under."""
    under = request.context.policy
    change = request.kind is Kind.POLICY_CHANGE
    expected = str(under.version + 1 if change else under.version)
    if (request.product, request.version, [s.name for s in request.subjects]) != (POLICY, expected, [POLICY]):
        raise StatementFormatError(
            f"expected a {request.kind} of {POLICY} {expected}, "
            f"got one of {request.product} {request.version}"
        )
    if not change and request.subjects[0].digest != under.digest:
        raise StatementFormatError(
            f"expected an acceptance of the policy that it is under ({under.digest}), "
            f"got one of {request.subjects[0].digest}"
        )
    if request.on_behalf_of is not None or request.locators:
        raise StatementFormatError(f"expected a person's own request and no locators in a {request.kind}")


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


def _write_concluded(earlier: Concluded) -> JsonValue:
    return {
        "ceremony": earlier.ceremony,
        "request": earlier.request,
        "conclusion": earlier.conclusion,
        "requesters": [*sorted(earlier.requesters)],
    }


def _read_concluded(fields: Fields) -> Concluded:
    return Concluded(
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

# SPDX-License-Identifier: Apache-2.0
"""Every kind of statement makes the round trip, and every malformation has its own refusal."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.errors import NewerFormatError, StatementFormatError
from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Decision,
    Evidence,
    Locator,
    Request,
    SeenCheckpoint,
    Statement,
    Subject,
)
from quorumseal.refusal import Refusal
from quorumseal.strict_json import InvalidFieldError, JsonValue, UnknownFieldError, read
from tests.burning import (
    BURNING,
    DAY,
    absence,
    delegation,
    emergency_request,
    extends,
    ratification,
    reapproval,
    reports,
    revocation,
    run_emergency,
    vetoes,
    withdrawal,
)
from tests.forging import Path, edited, fields, objects, paths, value_at, verdict, without
from tests.losing import key_revocation, suspension
from tests.organisation import NOW, SUBJECTS, Organisation

ACME = Organisation()
ZEROS = "sha256:" + "0" * 64
ONES = "sha256:" + "1" * 64
MORE = (*SUBJECTS, Subject(name="dist/widget-1.0+linux.whl", digest=ONES))
SEEN = SeenCheckpoint(size=7, root=ONES, signature="c2ln" * 22 + "c2k=")


def full_request() -> Request:
    return replace(
        ACME.request(requester="ci", on_behalf_of="erin", supersedes=ZEROS, subjects=MORE),
        ticket="JIRA-42: Größe",
        evidence=(Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=ONES),),
        locators=(Locator(name="widget.tar.gz", uri="https://mirror.acme.example/widget.tar.gz"),),
    )


SIGNED = ACME.sign_request()
CHAIN, _ = ACME.run()


def full_decision(choice: Choice) -> Decision:
    decision = ACME.decision(
        "bob", SIGNED, choice, replaces=ONES, not_after=NOW + timedelta(days=1), seen=SEEN
    )
    checks = tuple(Check(name=f"check-{outcome}", outcome=outcome) for outcome in CheckOutcome)
    return replace(decision, checks=checks, reason=ONES)


STATEMENTS: dict[str, Statement] = {
    "a request": ACME.request(),
    "a request with everything": full_request(),
    "an approval": ACME.decision("alice", SIGNED),
    "an approval with everything": full_decision(Choice.APPROVAL),
    "a rejection": ACME.decision("alice", SIGNED, Choice.REJECTION),
    "a rejection with everything": full_decision(Choice.REJECTION),
    "an abstention": ACME.decision("alice", SIGNED, Choice.ABSTENTION),
    "an abstention with everything": full_decision(Choice.ABSTENTION),
    "a cancellation": ACME.cancellation("mallory", CHAIN),
    "an emergency": emergency_request(),
    "a ratification": ratification(run_emergency("alice", "carol")[0]),
    "a re-approval": reapproval(BURNING.run("alice", "bob", "carol", "rita")[0]),
    "a revocation": revocation(ONES),
    "an approval by a deputy": replace(ACME.decision("alice", SIGNED), delegation=ONES),
    "an extension": extends(CHAIN, "rita", NOW + DAY).extension.statement,
    "a second extension": extends(CHAIN, "rita", NOW + DAY, number=2, previous=ONES).extension.statement,
    "a veto": vetoes(CHAIN, "erin").veto.statement,
    "a report": reports(CHAIN, "erin").report.statement,
    "an absence": absence("alice", until=NOW + DAY),
    "a delegation": delegation("alice", "engineering", "frank"),
    "a withdrawal": withdrawal("alice", "engineering"),
    "a withdrawal of an absence": withdrawal("alice", None),
    "a key revocation": key_revocation("carol", "alice"),
    "a suspension": suspension("carol", "alice"),
}
REQUEST, APPROVAL, REJECTION, CANCELLATION = (
    write_statement(STATEMENTS[name])
    for name in (
        "a request with everything",
        "an approval with everything",
        "a rejection with everything",
        "a cancellation",
    )
)
OPTIONAL = {
    "on_behalf_of",
    "supersedes",
    "ticket",
    "replaces",
    "not_after",
    "delegation",
    "previous",
    "signature",
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_makes_the_round_trip(kind: str) -> None:
    statement = STATEMENTS[kind]
    assert read_statement(write_statement(statement)) == statement


def test_only_an_approval_has_the_artifacts_as_its_subjects() -> None:
    for statement in STATEMENTS.values():
        subjects = value_at(read(write_statement(statement)), ("subject",))
        is_approval = isinstance(statement, Decision) and statement.choice is Choice.APPROVAL
        assert isinstance(subjects, list)
        names = [value_at(subject, ("name",)) for subject in subjects]
        assert (names == [subject.name for subject in SUBJECTS]) is is_approval
        assert is_approval or names in (["policy"], ["request"], ["key"])


@pytest.mark.parametrize("kind", STATEMENTS)
def test_an_unknown_field_is_refused_wherever_it_stands(kind: str) -> None:
    document = write_statement(STATEMENTS[kind])
    for path in objects(document):
        with pytest.raises(UnknownFieldError, match="nobody_knows_this"):
            read_statement(edited(document, (*path, "nobody_knows_this"), 1))


@pytest.mark.parametrize("kind", STATEMENTS)
def test_only_optional_fields_can_be_left_out(kind: str) -> None:
    document = write_statement(STATEMENTS[kind])
    for path in fields(document):
        decision = isinstance(STATEMENTS[kind], Decision)
        optional = path[-1] in OPTIONAL or (path[-1] == "reason" and decision and "rejection" not in kind)
        optional = optional or (path[-1] == "role" and kind == "a withdrawal")  # of an absence then
        if not optional:
            with pytest.raises(Refusal):
                read_statement(without(document, path))
        else:
            assert read_statement(without(document, path)) != STATEMENTS[kind]


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_value_of_another_type_is_a_refusal_and_nothing_else(kind: str) -> None:
    document = write_statement(STATEMENTS[kind])
    others: list[JsonValue] = [None, True, -1, 2**53 - 1, "", "é", [], {}, [[]], ["x", "x"], [{}]]
    for path in paths(document):
        stands = value_at(read(document), path)
        for other in others:
            if path and type(other) is not type(stands):
                with pytest.raises(Refusal):
                    read_statement(edited(document, path, other))


EMERGENCY, RATIFICATION, RE_APPROVAL, REVOCATION = (
    write_statement(STATEMENTS[name])
    for name in ("an emergency", "a ratification", "a re-approval", "a revocation")
)
PREDICATE: Path = ("predicate",)
KINDS: dict[str, tuple[bytes, tuple[str, ...], JsonValue]] = {
    "an emergency that says it is none": (EMERGENCY, ("mode",), "regular"),
    "a release that says it is an emergency": (REQUEST, ("mode",), "break-glass"),
    "an emergency to ratify": (EMERGENCY, ("kind",), "ratification"),
    "an emergency to revoke": (EMERGENCY, ("kind",), "release-revocation"),
    "a ratification of nothing": (REQUEST, ("kind",), "ratification"),
    "a release that ratifies": (RATIFICATION, ("kind",), "release"),
    "a re-approval of nothing": (REQUEST, ("kind",), "re-approval"),
    "a release that approves anew": (RE_APPROVAL, ("kind",), "release"),
    "a re-approval that ratifies": (RATIFICATION, ("kind",), "re-approval"),
    "a re-approval in an emergency": (EMERGENCY, ("kind",), "re-approval"),
    "a revocation of an artifact": (REQUEST, ("kind",), "release-revocation"),
    "a release that explains itself": (REVOCATION, ("kind",), "release"),
    "an emergency of one": (EMERGENCY, ("emergency", "people"), 1),
    "an emergency of many lines": (EMERGENCY, ("emergency", "incident"), "INC-1\nINC-2"),
}


@pytest.mark.parametrize(("document", "path", "value"), KINDS.values(), ids=KINDS)
def test_a_request_has_the_fields_of_its_kind_and_mode(
    document: bytes, path: tuple[str, ...], value: JsonValue
) -> None:
    with pytest.raises(Refusal) as refused:
        read_statement(edited(document, (*PREDICATE, *path), value))
    assert refused.value.code in {"statement.format", "json.invalid_field", "value.format"}


def test_an_emergency_and_a_revocation_say_why() -> None:
    for document in (EMERGENCY, REVOCATION):
        with pytest.raises(StatementFormatError, match="why"):
            read_statement(without(document, (*PREDICATE, "why")))


@pytest.mark.parametrize("kind", ["an absence", "a delegation"])
def test_a_span_ends_after_it_begins(kind: str) -> None:
    document = write_statement(STATEMENTS[kind])
    with pytest.raises(InvalidFieldError, match="an instant after"):
        read_statement(edited(document, (*PREDICATE, "until"), "2026-11-20T14:00:00.000Z"))


def subject(name: str, digest: str = "0" * 64) -> JsonValue:
    return {"name": name, "digest": {"sha256": digest}}


KEY_REVOCATION, SUSPENSION = (
    write_statement(STATEMENTS[name]) for name in ("a key revocation", "a suspension")
)
MALFORMED: dict[str, tuple[bytes, Path, JsonValue, str]] = {
    "a reason to revoke that nobody knows": (
        KEY_REVOCATION,
        (*PREDICATE, "reason"),
        "bored",
        "statement.newer_format",
    ),
    "a key that is no digest": (KEY_REVOCATION, (*PREDICATE, "key"), "alice", "value.format"),
    "another key than the subject's": (KEY_REVOCATION, (*PREDICATE, "key"), ZEROS, "statement.format"),
    "a reason to suspend that nobody knows": (
        SUSPENSION,
        (*PREDICATE, "reason"),
        "",
        "statement.newer_format",
    ),
    "a person who is no name": (SUSPENSION, (*PREDICATE, "person"), "Alice", "value.format"),
    "an end without a zone": (SUSPENSION, (*PREDICATE, "until"), "2026-11-21T14:00:00.000", "value.format"),
    "not in-toto": (APPROVAL, ("_type",), "https://in-toto.io/Statement/v0.1", "json.invalid_field"),
    "a newer predicate": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/approval/v2", "statement.newer_format",
    ),
    "an unknown predicate": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/oath/v1", "statement.newer_format",
    ),
    "a policy in place of a statement": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/policy/v1", "statement.newer_format",
    ),
    "a bare kind as predicate": (APPROVAL, ("predicateType",), "approval", "statement.newer_format"),
    "somebody else's predicate": (
        APPROVAL, ("predicateType",), "https://slsa.dev/provenance/v1", "statement.newer_format",
    ),
    "a newer format": (APPROVAL, (*PREDICATE, "format"), 1, "statement.newer_format"),
    "a newer kind": (REQUEST, (*PREDICATE, "kind"), "promotion", "statement.newer_format"),
    "a newer mode": (REQUEST, (*PREDICATE, "mode"), "silent", "statement.newer_format"),
    "an organisation in capitals": (APPROVAL, (*PREDICATE, "organisation"), "ACME", "value.format"),
    "an escape in the log's origin": (APPROVAL, (*PREDICATE, "log"), "log\u001b[31m", "value.format"),
    "version 0 of a policy": (APPROVAL, (*PREDICATE, "policy", "version"), 0, "json.invalid_field"),
    "a policy digest in capitals": (
        APPROVAL, (*PREDICATE, "policy", "digest"), "sha256:" + "A" * 64, "value.format",
    ),
    "a signer with a namesake's letter": (APPROVAL, (*PREDICATE, "signer"), "b\u043eb", "value.format"),
    "an instant without milliseconds": (
        APPROVAL, (*PREDICATE, "signed_at"), "2026-11-20T14:00:00Z", "value.format",
    ),
    "a checkpoint before the first": (APPROVAL, (*PREDICATE, "checkpoint", "size"), -1, "json.invalid_field"),
    "a root that is none": (APPROVAL, (*PREDICATE, "checkpoint", "root"), "", "value.format"),
    "an empty signature of a checkpoint": (
        APPROVAL, (*PREDICATE, "checkpoint", "signature"), "", "value.format",
    ),
    "a signature of a checkpoint that is a byte short": (
        APPROVAL, (*PREDICATE, "checkpoint", "signature"), "A" * 88 + "AA==", "value.format",
    ),
    "a signature of a checkpoint that is a byte long": (
        APPROVAL, (*PREDICATE, "checkpoint", "signature"), "A" * 92, "value.format",
    ),
    "a signature of a checkpoint with loose bits": (
        APPROVAL, (*PREDICATE, "checkpoint", "signature"), "A" * 90 + "B=", "value.format",
    ),
    "a signature of a checkpoint on a line of its own": (
        APPROVAL, (*PREDICATE, "checkpoint", "signature"), "A" * 91 + "=\n", "value.format",
    ),
    "a ceremony id of another version": (
        APPROVAL, (*PREDICATE, "ceremony"), "01934000-0000-4000-8000-000000000001", "value.format",
    ),
    "no artifact": (APPROVAL, ("subject",), [], "json.invalid_field"),
    "an artifact under two names by case": (
        APPROVAL, ("subject",), [subject("Widget"), subject("widget")], "json.invalid_field",
    ),
    "an artifact under two names by folded case": (
        REQUEST, (*PREDICATE, "subjects"), [subject("a/STRASSE"), subject("A/strasse")], "json.invalid_field",
    ),
    "too many artifacts": (
        APPROVAL, ("subject",), [subject(f"f{n}") for n in range(1001)], "json.invalid_field",
    ),
    "an artifact outside": (APPROVAL, ("subject", 0, "name"), "../widget.tar.gz", "value.format"),
    "an artifact at the root": (REQUEST, (*PREDICATE, "subjects", 0, "name"), "/etc/passwd", "value.format"),
    "a hidden artifact": (REQUEST, (*PREDICATE, "subjects", 0, "name"), ".profile", "value.format"),
    "an artifact that is an option": (REQUEST, (*PREDICATE, "subjects", 0, "name"), "-rf", "value.format"),
    "an artifact that is a device": (REQUEST, (*PREDICATE, "subjects", 0, "name"), "nul", "value.format"),
    "an artifact with a control character": (APPROVAL, ("subject", 0, "name"), "a\nb", "value.format"),
    "an artifact written from right to left": (APPROVAL, ("subject", 0, "name"), "a\u202eb", "value.format"),
    "two digests of an artifact": (
        APPROVAL, ("subject", 0, "digest"), {"sha256": "0" * 64, "sha512": "0" * 128}, "json.unknown_field",
    ),
    "a weaker digest": (APPROVAL, ("subject", 0, "digest"), {"sha1": "0" * 40}, "json.missing_field"),
    "no role": (APPROVAL, (*PREDICATE, "roles"), [], "json.invalid_field"),
    "a role twice": (APPROVAL, (*PREDICATE, "roles"), ["security", "security"], "json.invalid_field"),
    "too many roles": (
        APPROVAL, (*PREDICATE, "roles"), [f"role-{n}" for n in range(65)], "json.invalid_field",
    ),
    "a role in capitals": (APPROVAL, (*PREDICATE, "roles"), ["Security"], "value.format"),
    "a check twice": (
        APPROVAL,
        (*PREDICATE, "checks"),
        [{"name": "sbom", "outcome": "fail"}, {"name": "sbom", "outcome": "pass"}],
        "json.invalid_field",
    ),
    "too many checks": (
        APPROVAL,
        (*PREDICATE, "checks"),
        [{"name": f"check-{n}", "outcome": "pass"} for n in range(65)],
        "json.invalid_field",
    ),
    "an unknown outcome": (
        APPROVAL, (*PREDICATE, "checks", 0, "outcome"), "skipped", "json.invalid_field",
    ),
    "a decision that replaces a number": (APPROVAL, (*PREDICATE, "replaces"), 7, "json.invalid_field"),
    "null for absence": (APPROVAL, (*PREDICATE, "replaces"), None, "json.invalid_field"),
    "a reason in plain text": (REJECTION, (*PREDICATE, "reason"), "it is bad", "value.format"),
    "a ticket with an escape": (REQUEST, (*PREDICATE, "ticket"), "X\u001b[2J", "value.format"),
    "a ticket written from right to left": (REQUEST, (*PREDICATE, "ticket"), "a\u202eb", "value.format"),
    "a ticket of two lines": (REQUEST, (*PREDICATE, "ticket"), "a\u2028b", "value.format"),
    "a ticket without end": (REQUEST, (*PREDICATE, "ticket"), "x" * 257, "value.format"),
    "a version with a slash": (REQUEST, (*PREDICATE, "version"), "1/0", "value.format"),
    "a product with a path": (REQUEST, (*PREDICATE, "product"), "../widget", "value.format"),
    "evidence with a path": (REQUEST, (*PREDICATE, "evidence", 0, "name"), "a/../../b", "value.format"),
    "too much evidence": (
        REQUEST,
        (*PREDICATE, "evidence"),
        [{"kind": "log", "name": "log", "media_type": "text/plain", "digest": ONES}] * 65,
        "json.invalid_field",
    ),
    "a locator of nothing in the request": (
        REQUEST, (*PREDICATE, "locators", 0, "name"), "other.tar.gz", "json.invalid_field",
    ),
    "a locator with a control character": (
        REQUEST, (*PREDICATE, "locators", 0, "uri"), "https://a/\u0000", "value.format",
    ),
    "too many locators": (
        REQUEST,
        (*PREDICATE, "locators"),
        [{"name": "widget.tar.gz", "uri": "https://a/"}] * 1001,
        "json.invalid_field",
    ),
    "a request about another policy": (
        REQUEST, ("subject", 0, "digest", "sha256"), "0" * 64, "statement.format",
    ),
    "a request about artifacts": (REQUEST, ("subject",), [subject("widget.tar.gz")], "statement.format"),
    "a request with two subjects": (
        REQUEST, ("subject",), [subject("policy"), subject("widget.tar.gz")], "statement.format",
    ),
    "a rejection about artifacts": (
        REJECTION, ("subject",), value_at(read(APPROVAL), ("subject",)), "statement.format",
    ),
    "a rejection about another request": (
        REJECTION, ("subject", 0, "digest", "sha256"), "0" * 64, "statement.format",
    ),
    "a cancellation about another request": (
        CANCELLATION, ("subject", 0, "digest", "sha256"), "0" * 64, "statement.format",
    ),
    "an approval read as a rejection": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/rejection/v1", "statement.format",
    ),
    "an approval read as an abstention": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/abstention/v1", "statement.format",
    ),
    "an approval read as a request": (
        APPROVAL, ("predicateType",), "https://quorumseal.dev/request/v1", "json.missing_field",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_statement_is_refused_with_its_own_code(case: str) -> None:
    document, path, value, code = MALFORMED[case]
    assert verdict(lambda: read_statement(document)) == "accepted"
    assert verdict(lambda: read_statement(edited(document, path, value))) == code


def test_a_rejection_gives_a_reason() -> None:
    with pytest.raises(StatementFormatError, match="a rejection to have a reason"):
        read_statement(without(REJECTION, (*PREDICATE, "reason")))


def test_a_rejection_read_as_an_approval_approves_no_artifact_of_anything() -> None:
    turned = edited(REJECTION, ("predicateType",), "https://quorumseal.dev/approval/v1")
    statement = read_statement(turned)
    assert isinstance(statement, Decision)
    assert [subject.name for subject in statement.subjects] == ["request"]


def test_a_field_written_twice_is_refused_at_every_depth() -> None:
    for name in (b'"signer":', b'"size":', b'"sha256":', b'"predicateType":'):
        twice = APPROVAL.replace(name, name + b"1," + name, 1)
        assert twice != APPROVAL
        assert verdict(partial(read_statement, twice)) == "json.duplicate_key"


def test_a_statement_has_a_largest_size() -> None:
    with pytest.raises(Refusal) as refused:
        read_statement(APPROVAL + b" " * (256 << 10))
    assert refused.value.code == "json.too_large"


def test_what_other_people_wrote_is_escaped_in_a_refusal() -> None:
    for path, value in {("predicateType",): "\u202e" * 200, (*PREDICATE, "kind"): "b\u0435" * 200}.items():
        with pytest.raises(NewerFormatError) as refused:
            read_statement(edited(REQUEST, path, value))
        assert str(refused.value).isascii()
        assert len(str(refused.value)) < 1000


def test_a_list_of_artifacts_may_be_as_long_as_the_bytes_allow() -> None:
    many = [subject(f"f{number}") for number in range(1000)]
    statement = read_statement(edited(APPROVAL, ("subject",), many))
    assert isinstance(statement, Decision)
    assert len(statement.subjects) == 1000
    with pytest.raises(InvalidFieldError, match="at most 1000 items"):
        read_statement(edited(APPROVAL, ("subject",), [*many, subject("one-more")]))

# SPDX-License-Identifier: Apache-2.0
"""Every field of a valid statement exchanged with another valid ceremony's: each has its own refusal.

A hostile coordinator logs the forged statement in place of the honest one, chains the entries anew, signs
the checkpoint with its own key and publishes.  The forged bytes are either signed again by the right key
(the signer's own, as on a stolen laptop) or left with the signature that they had.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import read
from tests.forging import edited, fields, swapped, value_at, verdict
from tests.organisation import NOW, ceremony_number
from tests.simulated_log import SimulatedLog
from tests.verifier import replayed_decisions, replayed_waiting
from tests.verifier.replayed_decisions import ACME, MINUTE, ONES, OTHER
from tests.verifier.replaying import Case, P, replay, signer_of

MATRIX = {**replayed_decisions.MATRIX, **replayed_waiting.MATRIX}
PREDICATES = {
    **{kind: kind for kind in MATRIX},
    **{kind: "request" for kind in MATRIX if kind.endswith("request")},
    "ratification's decision": "approval",
    "standing delegation": "delegation",
    "standing withdrawal": "withdrawal",
}
# What is read before the signature is looked at has the same refusal without one.
BEFORE_THE_SIGNATURE = {
    "statement.organisation",
    "statement.log",
    "statement.policy",
    "statement.format",
    "json.invalid_field",
}
ROWS = [(kind, row) for kind, rows in MATRIX.items() for row in rows]


def case(kind: str) -> Case:
    """Return an honest ceremony with a statement of a kind in it."""
    return replayed_decisions.case(kind) if kind in replayed_decisions.MATRIX else replayed_waiting.case(kind)


def exchanged(kind: str, row: str) -> bytes:
    return case(kind).exchanged(MATRIX[kind][row][0])


@pytest.mark.parametrize("kind", MATRIX)
def test_the_honest_statement_is_taken(kind: str) -> None:
    honest = case(kind)
    assert honest.judge(honest.entries[honest.index].envelope) == honest.baseline


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_field_of_another_ceremony_signed_again_by_the_right_key_has_its_own_refusal(
    kind: str, row: str
) -> None:
    payload = exchanged(kind, row)
    expected = MATRIX[kind][row][1].replace("may differ", case(kind).baseline)
    assert case(kind).judge(sign(payload, case(kind).acme.key(signer_of(payload)))) == expected


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_the_rules_alone_refuse_it_too_but_for_what_only_the_log_shows(kind: str, row: str) -> None:
    if case(kind).judged_by is replayed_waiting.read_standing:
        return  # judged by the rules above
    payload = exchanged(kind, row)
    expected = MATRIX[kind][row][1]
    if expected in ("may differ", "log.consistency_proof"):
        expected = "accepted"
    entries = case(kind).with_envelope(sign(payload, case(kind).acme.key(signer_of(payload))))
    assert case(kind).judge_entries(entries, by=replay) == expected


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_field_of_another_ceremony_under_the_old_signature_is_refused(kind: str, row: str) -> None:
    expected = MATRIX[kind][row][1]
    honest = case(kind).entries[case(kind).index].envelope
    forged = replace(honest, payload=exchanged(kind, row))
    assert case(kind).judge(forged) == (
        expected if expected in BEFORE_THE_SIGNATURE else "statement.signature"
    )


@pytest.mark.parametrize("kind", MATRIX)
def test_no_field_is_missing_from_the_matrix(kind: str) -> None:
    """A field that is added to a statement must be added here, with the refusal that its exchange gets."""
    same_everywhere = {("_type",), ("predicateType",), (P,), (P, "format"), (P, "kind"), (P, "mode")}
    listed = {path for paths, _ in MATRIX[kind].values() for path in paths} | same_everywhere
    for document in (case(kind).payload, case(kind).other):
        for path in fields(document):
            whole = any(path[: len(known)] == known for known in listed - {(P,)})
            parts = any(known[: len(path)] == path for known in listed)
            assert whole or parts, path


@pytest.mark.parametrize("kind", MATRIX)
def test_a_whole_statement_of_another_ceremony_is_refused(kind: str) -> None:
    statement = read_statement(case(kind).other)
    assert case(kind).judge(OTHER.seal(statement)) == "statement.organisation"


UNREADABLE = {"statement.format", "json.missing_field", "json.unknown_field"}
# Signed again, these are what their signer now says: an approval that has the request's digest as its
# artifact, or another decision, after which the ceremony does not go on as it did.
TURNED: dict[tuple[str, str], set[str]] = {
    ("rejection", "approval"): {"statement.subjects"},
    ("abstention", "approval"): {"statement.subjects"},
    ("abstention", "rejection"): {"chain.outcome"},
    ("rejection", "abstention"): {"chain.outcome"},
}


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (kind, other)
        for kind, other in product(MATRIX, sorted(set(PREDICATES.values())))
        if PREDICATES[kind] != other
    ],
)
def test_a_statement_of_one_kind_never_passes_for_another(kind: str, other: str) -> None:
    turned = edited(case(kind).payload, ("predicateType",), f"https://quorumseal.dev/{other}/v1")
    assert case(kind).judge(sign(turned, case(kind).acme.key(signer_of(turned)))) in TURNED.get(
        (kind, other), UNREADABLE
    )
    unsigned = replace(case(kind).entries[case(kind).index].envelope, payload=turned)
    assert case(kind).judge(unsigned) in {"statement.signature", *UNREADABLE}


INSTANT = timedelta(milliseconds=1)
TIMES: dict[str, tuple[timedelta, str]] = {
    "a little before it is logged": (MINUTE, "accepted"),
    "just before the ceremony opened, within the skew": (-MINUTE * 2, "accepted"),
    "just after it is logged, within the skew": (MINUTE * 4, "accepted"),
    "before the ceremony opened": (-MINUTE * 2 - INSTANT, "decision.signed_before_opening"),
    "after it is logged": (MINUTE * 4 + INSTANT, "decision.signed_in_future"),
    "at the deadline": (timedelta(days=1), "decision.signed_after_deadline"),
    "before the key was valid": (-timedelta(days=31), "key.not_valid"),
}


@pytest.mark.parametrize("time", TIMES)
def test_a_signing_time_may_differ_within_its_range_and_nowhere_else(time: str) -> None:
    after, code = TIMES[time]
    statement = read_statement(case("approval").payload)
    moved = replace(statement, context=replace(statement.context, signed_at=NOW + after))
    assert case("approval").judge(ACME.seal(moved)) == code


CHECKPOINTS: dict[str, tuple[SeenCheckpoint, str]] = {
    "the one before the ceremony": (SimulatedLog(ACME).seen(), "accepted"),
    "an empty log with a root": (SeenCheckpoint(size=0, root=ONES), "log.consistency_proof"),
    "a larger log than there is": (SeenCheckpoint(size=999, root=ONES), "log.seen_checkpoint"),
    "another root of a size": (SeenCheckpoint(size=2, root=ONES), "log.consistency_proof"),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_must_be_a_past_of_the_log(name: str) -> None:
    """The rules take it as the signer's word; that the log has it is what the proofs are for."""
    seen, code = CHECKPOINTS[name]
    statement = read_statement(case("approval").payload)
    moved = replace(statement, context=replace(statement.context, checkpoint=seen))
    assert case("approval").judge(ACME.seal(moved)) == code


def test_a_not_after_may_differ_while_it_lies_ahead() -> None:
    for minute, code in ((2, "decision.not_after"), (3, "chain.outcome"), (9, "accepted")):
        payload = edited(case("approval").payload, (P, "not_after"), f"2026-11-20T14:{minute:02}:00.000Z")
        assert case("approval").judge(sign(payload, ACME.key("alice"))) == code


def test_a_request_that_differs_only_in_its_identifier_takes_no_decision_along() -> None:
    payload = edited(case("request").payload, (P, "ceremony"), ceremony_number(77))
    assert case("request").judge(sign(payload, ACME.key("mallory"))) == "statement.ceremony"


def sibling(kind: str) -> bytes:
    """Return a statement as it was signed in another ceremony of the same organisation."""
    payload = case(kind).exchanged([(P, "ceremony"), (P, "request")])
    subject = value_at(read(payload), ("subject", 0, "name"))
    return case(kind).exchanged([(P, "ceremony"), (P, "request"), *[("subject",)] * (subject == "request")])


@pytest.mark.parametrize(
    "kind", [kind for kind, rows in MATRIX.items() if "request" in rows or "request and subject" in rows]
)
def test_a_statement_of_a_sibling_ceremony_is_not_taken_here(kind: str) -> None:
    payload = sibling(kind)
    assert case(kind).judge(sign(payload, case(kind).acme.key(signer_of(payload)))) == "statement.ceremony"


@pytest.mark.parametrize("kind", MATRIX)
def test_nobody_signs_for_somebody_else(kind: str) -> None:
    payload = case(kind).payload
    for other in {"alice", "bob", "rita", "mallory"} - {signer_of(payload)}:
        assert case(kind).judge(sign(payload, case(kind).acme.key(other))) == "statement.signature"


# Where it stands


def by_both(kind: str, entries: list[Entry]) -> str:
    """Return what consumers say, and beside it what the rules alone say where that is something else."""
    consumers, rules = case(kind).judge_entries(entries), case(kind).judge_entries(entries, by=replay)
    if case(kind).judged_by is replayed_waiting.read_standing or rules == consumers:
        return consumers
    return f"{consumers}, by the rules {rules}"


UNSEEN = "quorum.short, by the rules accepted"
"""Without it the ceremony is open, which the rules have nothing against."""
PLACES: dict[str, tuple[str, str, str]] = {
    "approval": ("chain.broken", "chain.outcome", "decision.replaces"),
    "rejection": ("chain.outcome", "chain.outcome", "decision.replaces"),
    "abstention": ("chain.broken", "accepted", "decision.replaces"),
    "cancellation": ("ceremony.ended", UNSEEN, "act.entry_not_seen"),
    "extension": ("chain.broken", "chain.outcome", "act.entry_not_seen"),
    "delegation": ("chain.broken", "decision.delegation", "chain.broken"),
    "withdrawal": ("delegation.missing", "accepted", "delegation.missing"),
    "veto": ("ceremony.ended", UNSEEN, "chain.outcome"),
    "report": ("chain.broken", "accepted", "act.entry_not_seen"),
    "ratification's decision": ("chain.broken", "chain.outcome", "chain.broken"),
    "absence": ("chain.broken", "accepted", "chain.broken"),
    "standing delegation": ("chain.broken", "delegation.missing", "accepted"),
    "standing withdrawal": ("chain.broken", "accepted", "delegation.missing"),
}
"""Of each statement but requests, which open: repeated, left out, and exchanged with the one before.

The chain is made anew.  What changes no outcome can then be left out, and two people's acts that have nothing
to do with each other can be exchanged: that is found out by whoever holds a receipt, or the log as it was.
"""


@pytest.mark.parametrize("kind", PLACES)
def test_a_statement_stands_once_and_in_its_place(kind: str) -> None:
    entries, index = case(kind).entries, case(kind).index
    repeated = [*entries[: index + 1], *entries[index:]]
    left_out = [*entries[:index], *entries[index + 1 :]]
    moved = swapped(entries, index - 1, index)
    assert tuple(by_both(kind, given) for given in (repeated, left_out, moved)) == PLACES[kind]


@pytest.mark.parametrize("kind", PLACES)
def test_nothing_is_left_out_of_a_chain_that_was_not_made_anew(kind: str) -> None:
    entries, index = case(kind).entries, case(kind).index
    if index + 1 < len(entries):
        left = [*entries[:index], *entries[index + 1 :]]
        assert verdict(lambda: case(kind).judged_by(case(kind).acme, left)) == "chain.broken"


@pytest.mark.parametrize("kind", [kind for kind in MATRIX if kind not in PLACES])
def test_a_request_opens_once_and_first(kind: str) -> None:
    entries = case(kind).entries
    assert by_both(kind, [entries[0], *entries]) == "chain.outcome"
    assert by_both(kind, entries[1:]) == "chain.broken"
    assert by_both(kind, swapped(entries, 0, 1)) == "chain.broken"

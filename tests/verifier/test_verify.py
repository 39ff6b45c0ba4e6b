# SPDX-License-Identifier: Apache-2.0
"""Each numbered step of verification has its own refusals, and only all of them together accept."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Cancel, Expire, Record, Supersede
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.statements import Choice, Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.strict_json import JsonValue, read
from quorumseal.verifier.errors import NothingToVerifyError, OtherBytesError, QuorumShortError
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify
from tests.forging import Path, edited, relinked, swapped, value_at, verdict, without
from tests.organisation import ARTIFACT, NOW, SUBJECTS, Organisation, changed, key_of
from tests.simulated_log import SimulatedLog
from tests.verifier.published import ARTIFACTS, Published, published

ACME = Organisation()
SEALED = published(ACME, "alice", "bob", "carol", "rita")
OTHER = published(
    changed(ACME, name="other.example", origin="log.other.example"), "alice", "bob", "carol", "rita"
)
MINUTE = timedelta(minutes=1)
PART: Path = ("parts", 0)
OTHER_DIGEST = digest_of(b"other bytes")


def test_an_approved_artifact_is_verified() -> None:
    verified = SEALED.verify(product="widget")
    assert verified.subjects == SUBJECTS
    assert verified.seats == {"engineering": ("alice", "bob"), "security": ("carol",), "release": ("rita",)}
    assert verified.approved_at == NOW + MINUTE * 4
    assert (verified.request.product, verified.request.version) == ("widget", "1.0")
    assert verified.policy == ACME.policy
    assert verified.checkpoint is not None
    assert verified.checkpoint.size == SEALED.log.size


# 1. Parse strictly


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (b"{}", "json.missing_field"),
        (b"null", "json.invalid_field"),
        (b"\xff", "json.not_utf8"),
        (SEALED.bundle + SEALED.bundle, "json.trailing_data"),
        (SEALED.bundle[:-1], "json.malformed"),
        (SEALED.bundle.replace(b'"index":', b'"index":0,"index":'), "json.duplicate_key"),
        (edited(SEALED.bundle, ("parts",), []), "bundle.format"),
        (
            edited(SEALED.bundle, ("parts",), [value_at(read(SEALED.bundle), PART)] * 2),
            "bundle.kind",
        ),
    ],
)
def test_what_is_no_bundle_of_one_ceremony_is_refused(data: bytes, code: str) -> None:
    assert verdict(lambda: SEALED.verify(data)) == code


# 2. Walk the policy chain


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        (SEALED.trust, "accepted"),
        (OTHER.trust, "policy_chain.broken"),
        (replace(SEALED.trust, policy=OTHER_DIGEST), "policy_chain.broken"),
        (replace(SEALED.trust, organisation="acme.example.org"), "policy_chain.broken"),
        (replace(SEALED.trust, minimum_version=2), "policy_chain.below_minimum"),
    ],
)
def test_only_the_pinned_policy_counts(trust: Trust, code: str) -> None:
    assert verdict(lambda: verify(SEALED.bundle, trust, ARTIFACTS)) == code


def test_a_bundle_without_policies_is_refused() -> None:
    assert verdict(lambda: SEALED.verify(edited(SEALED.bundle, ("policies",), []))) == "bundle.format"


def test_a_founder_left_out_is_not_missed_while_the_governance_quorum_stands() -> None:
    verified = SEALED.verify(without(SEALED.bundle, ("policies", 0, "signatures", 0)))
    everybody = set(ACME.policy.signers)
    assert len(everybody - set(verified.policy.signers)) == 1


# 3. Find the artifacts


@pytest.mark.parametrize(
    ("artifacts", "code"),
    [
        ({"widget.tar.gz": digest_of(ARTIFACT)}, "accepted"),
        ({"renamed.tar.gz": digest_of(ARTIFACT)}, "accepted"),
        ({}, "artifact.none"),
        ({"widget.tar.gz": OTHER_DIGEST}, "artifact.other_bytes"),
        ({"other.tar.gz": OTHER_DIGEST}, "artifact.other_bytes"),
        ({"widget.tar.gz": ""}, "artifact.other_bytes"),
        ({"widget.tar.gz": digest_of(ARTIFACT).upper()}, "artifact.other_bytes"),
        ({"widget.tar.gz": digest_of(ARTIFACT), "more": OTHER_DIGEST}, "artifact.other_bytes"),
    ],
)
def test_every_artifact_must_be_among_the_subjects(artifacts: Mapping[str, str], code: str) -> None:
    assert verdict(lambda: verify(SEALED.bundle, SEALED.trust, artifacts)) == code


def _two_subjects() -> Published:
    subjects = (*SUBJECTS, Subject(name="copy.tar.gz", digest=SUBJECTS[0].digest),
                Subject(name="notes.txt", digest=OTHER_DIGEST))  # fmt: skip
    return sealed_request(ACME, ACME.request(subjects=subjects))


def sealed_request(organisation: Organisation, request: Request, *signers: str) -> Published:
    """Publish a ceremony on a request of its own."""
    log = SimulatedLog(organisation)
    _, entries = organisation.run(
        *(signers or ("alice", "erin", "carol", "rita")), request=organisation.sign_request(request)
    )
    log.append(entries)
    return Published(organisation, log, entries, log.bundle(entries))


def test_a_name_of_the_request_stands_for_its_own_bytes_alone() -> None:
    sealed = _two_subjects()
    verified = verify(sealed.bundle, sealed.trust, {"copy.tar.gz": SUBJECTS[0].digest, "x": OTHER_DIGEST})
    assert [subject.name for subject in verified.subjects] == ["copy.tar.gz", "notes.txt"]
    crossed = {"notes.txt": SUBJECTS[0].digest}
    assert verdict(lambda: verify(sealed.bundle, sealed.trust, crossed)) == "artifact.other_bytes"


@pytest.mark.parametrize(
    ("several", "says"), [(False, "to be widget.tar.gz of widget 1.0"), (True, "one of the 3 artifacts")]
)
def test_other_bytes_are_told_what_they_should_be(several: bool, says: str) -> None:
    sealed = _two_subjects() if several else SEALED
    with pytest.raises(OtherBytesError, match=says):
        verify(sealed.bundle, sealed.trust, {"other.tar.gz": "sha256:" + "f" * 64})


def test_nothing_is_never_verified() -> None:
    with pytest.raises(NothingToVerifyError):
        verify(SEALED.bundle, SEALED.trust, {})


@pytest.mark.parametrize(
    ("product", "code"),
    [(None, "accepted"), ("widget", "accepted"), ("gadget", "bundle.product"), ("", "bundle.product")],
)
def test_a_bundle_of_another_product_is_refused_where_one_was_asked_for(
    product: str | None, code: str
) -> None:
    assert verdict(lambda: SEALED.verify(product=product)) == code


# 4. The request, and 7. the mode


def forged_request(change: Callable[[Request], Request], *, key: str | None = None) -> str:
    """Publish an approved ceremony whose opening holds another request, as only a coordinator could."""
    request = change(ACME.request())
    envelope = ACME.seal(request, key=None if key is None else ACME.key(key))
    entries = [
        replace(entry, body={"envelope": envelope.to_json()}) if entry.seq == 0 else entry
        for entry in SEALED.entries
    ]
    return publish(entries)


def publish(entries: list[Entry], organisation: Organisation = ACME) -> str:
    log = SimulatedLog(organisation)

    def judge() -> Verified:
        chained = relinked(entries)
        log.append(chained)
        return verify(log.bundle(chained), log.trust, ARTIFACTS)

    return verdict(judge)


REQUESTS: dict[str, tuple[Callable[[Request], Request], str]] = {
    "by somebody who may not request": (
        lambda r: replace(r, context=replace(r.context, signer="alice")), "request.requester",
    ),
    "by a stranger": (lambda r: replace(r, context=replace(r.context, signer="zoe")), "signer.unknown"),
    "by a machine for nobody": (
        lambda r: replace(r, context=replace(r.context, signer="ci")), "request.on_behalf_of",
    ),
    "by a person for another": (lambda r: replace(r, on_behalf_of="bob"), "request.on_behalf_of"),
    "of an unknown product": (lambda r: replace(r, product="gizmo"), "request.product"),
    "without a deadline to speak of": (
        lambda r: replace(r, deadline=NOW + timedelta(days=8), hard_stop=NOW + timedelta(days=8)),
        "request.deadline",
    ),
    "open before it was signed": (
        lambda r: replace(r, context=replace(r.context, signed_at=NOW + timedelta(hours=1))),
        "request.opening_time",
    ),
    "signed before the key was valid": (
        lambda r: replace(r, context=replace(r.context, signed_at=NOW - timedelta(days=40))), "key.not_valid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_that_could_open_nothing_is_refused(case: str) -> None:
    change, code = REQUESTS[case]
    assert forged_request(change) == code


def test_a_request_that_its_requester_did_not_sign_is_refused() -> None:
    assert forged_request(lambda request: request, key="bob") == "statement.signature"


@pytest.mark.parametrize("field", ["mode", "kind"])
def test_a_mode_or_kind_of_a_newer_version_is_never_ignored(field: str) -> None:
    payload = edited(SEALED.entries[0].envelope.payload, ("predicate", field), "silent")
    envelope = replace(ACME.seal(ACME.request()), payload=payload)
    entries = [replace(SEALED.entries[0], body={"envelope": envelope.to_json()}), *SEALED.entries[1:]]
    assert publish(entries) == "statement.newer_format"


# 5. Each entry in order


ENTRIES: Path = (*PART, "entries")
TEXTS: list[JsonValue] = [entry.payload.decode() for entry in SEALED.entries]


def test_a_bundle_without_entries_is_refused() -> None:
    assert verdict(lambda: SEALED.verify(edited(SEALED.bundle, ENTRIES, []))) == "chain.broken"


@pytest.mark.parametrize("index", range(6))
def test_an_entry_left_out_of_a_bundle_is_missed(index: int) -> None:
    assert verdict(lambda: SEALED.verify(without(SEALED.bundle, (*ENTRIES, index)))) == "chain.broken"


@pytest.mark.parametrize("index", range(6))
def test_an_entry_repeated_in_a_bundle_is_seen(index: int) -> None:
    for place in range(7):
        texts = [*TEXTS[:place], TEXTS[index], *TEXTS[place:]]
        code = verdict(partial(SEALED.verify, edited(SEALED.bundle, ENTRIES, texts)))
        assert code in {"chain.broken", "chain.time"}


def test_entries_exchanged_in_a_bundle_are_seen() -> None:
    for one in range(6):
        for other in range(one + 1, 6):
            texts: list[JsonValue] = [e.payload.decode() for e in swapped(SEALED.entries, one, other)]
            assert verdict(partial(SEALED.verify, edited(SEALED.bundle, ENTRIES, texts))) == "chain.broken"


@pytest.mark.parametrize("index", range(6))
def test_an_entry_of_another_organisation_is_refused(index: int) -> None:
    text = OTHER.entries[index].payload.decode()
    code = verdict(lambda: SEALED.verify(edited(SEALED.bundle, (*ENTRIES, index), text)))
    assert code == ("chain.broken" if index else "statement.organisation")


def test_entries_left_out_and_chained_anew_are_short_of_their_quorum() -> None:
    """The coordinator's keys are enough to write the log anew, and not enough to approve anything."""
    for index in range(1, 5):
        rest = [entry for entry in SEALED.entries if entry.seq != index]
        assert publish(rest) == "chain.outcome"
        assert publish(rest[:-1]) == "quorum.short"


def test_a_rejection_cut_out_of_a_bundle_is_missed() -> None:
    acme = changed(ACME, veto=frozenset())
    chain, entries = acme.run("alice")
    for minute, (signer, choice) in enumerate(
        [
            ("dan", Choice.REJECTION),
            ("bob", Choice.APPROVAL),
            ("carol", Choice.APPROVAL),
            ("rita", Choice.APPROVAL),
        ],
        start=2,
    ):
        when = NOW + MINUTE * minute
        decision = acme.decision(signer, chain.ceremony.request, choice, at=when)
        chain, more = extend(chain, Record(acme.sign_decision(decision)), at=when)
        entries += more
    log = SimulatedLog(acme)
    log.append(entries)
    sealed = Published(acme, log, entries, log.bundle(entries))
    assert "dan" in sealed.verify().ceremony.rejecters
    assert verdict(lambda: sealed.verify(without(sealed.bundle, (*ENTRIES, 2)))) == "chain.broken"


# 6. Replay through the rules


def ended(how: str) -> Published:
    chain, entries = ACME.run("alice", "bob", "carol")
    request = chain.ceremony.request
    match how:
        case "rejected":
            rejection = ACME.decision("dan", request, Choice.REJECTION, at=NOW + MINUTE * 5)
            _, more = extend(chain, Record(ACME.sign_decision(rejection)), at=NOW + MINUTE * 5)
        case "expired":
            _, more = extend(chain, Expire(), at=NOW + timedelta(days=1))
        case "late":
            late = ACME.decision("rita", request, at=NOW + MINUTE * 5)
            _, more = extend(chain, Record(ACME.sign_decision(late)), at=NOW + timedelta(days=1))
        case "cancelled":
            cancellation = ACME.cancellation("mallory", chain, at=NOW + MINUTE * 5)
            _, more = extend(chain, Cancel(ACME.sign_cancellation(cancellation)), at=NOW + MINUTE * 5)
        case "superseded":
            _, more = extend(chain, Supersede(OTHER_DIGEST), at=NOW + MINUTE * 5)
        case _:
            more = ()
    entries = [*entries, *more]
    log = SimulatedLog(ACME)
    log.append(entries)
    return Published(ACME, log, entries, log.bundle(entries))


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("open", "quorum.short"),
        ("rejected", "ceremony.rejected"),
        ("expired", "ceremony.unapproved"),
        ("late", "ceremony.unapproved"),
        ("cancelled", "ceremony.unapproved"),
        ("superseded", "ceremony.unapproved"),
    ],
)
def test_a_ceremony_that_was_not_approved_is_refused_by_how_it_ended(how: str, code: str) -> None:
    assert verdict(ended(how).verify) == code


def test_an_approval_that_ran_out_is_named_as_missing() -> None:
    chain, entries = ACME.run()
    steps = [("alice", NOW + MINUTE * 3), ("bob", None), ("carol", None), ("rita", None)]
    for minute, (signer, not_after) in enumerate(steps, start=1):
        when = NOW + MINUTE * minute
        decision = ACME.decision(signer, chain.ceremony.request, at=when, not_after=not_after)
        chain, more = extend(chain, Record(ACME.sign_decision(decision)), at=when)
        entries += more
    log = SimulatedLog(ACME)
    log.append(entries)
    with pytest.raises(QuorumShortError, match="engineering needs one more: alice or erin"):
        verify(log.bundle(entries), log.trust, ARTIFACTS)


def two_keys_of_alice() -> tuple[Organisation, SignerKey]:
    """Return a policy that wants two engineers, where alice has two keys."""
    acme = changed(ACME, quorum={"engineering": 2})
    policy = acme.build_policy()
    alice = policy.signers["alice"]
    second = replace(alice.keys[0], key=key_of("alice's second key").public)
    signers = {**policy.signers, "alice": replace(alice, keys=(*alice.keys, second))}
    governance = (Threshold(role="security", count=1),)
    signed = acme.sign_policy(replace(policy, signers=signers, governance=governance))
    object.__setattr__(acme, "_signed", signed)
    return acme, second


def test_one_person_with_two_keys_is_not_two_people() -> None:
    acme, _ = two_keys_of_alice()
    chain, entries = acme.run("alice")
    second = acme.decision("alice", chain.ceremony.request, at=NOW + MINUTE * 2)
    for replaces, code in (
        (None, "decision.replaces"),
        (chain.ceremony.decisions["alice"].digest, "quorum.short"),
    ):
        envelope = acme.seal(replace(second, replaces=replaces), key=key_of("alice's second key"))
        more = replace(entries[1], body={"envelope": envelope.to_json()}, at=NOW + MINUTE * 2)
        assert publish([*entries, more], acme) == code
        seats: list[JsonValue] = [{"role": "engineering", "signers": ["alice", "alice"]}]
        claim = replace(more, type=EntryType.APPROVED, body={"seats": seats})
        assert publish([*entries, more, claim], acme) in {"decision.replaces", "chain.outcome"}

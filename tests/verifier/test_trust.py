# SPDX-License-Identifier: Apache-2.0
"""The trust file pins version 1 and only ever raises its minimum; the chain begins there or nowhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.signatures import JointEnvelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import JsonValue
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.trust import MAX_TRUST_BYTES, Trust, read_trust, write_trust
from tests.forging import Path, edited, fields, verdict, without
from tests.organisation import NOW, Organisation, changed, key_of

ACME = Organisation()
TRUST = Trust(organisation=ACME.name, policy=ACME.policy.digest, minimum_version=1)
FILE = write_trust(TRUST)


def test_a_trust_file_makes_the_round_trip() -> None:
    assert read_trust(FILE) == TRUST


@pytest.mark.parametrize("path", fields(FILE), ids=str)
def test_no_field_can_be_left_out(path: Path) -> None:
    assert verdict(lambda: read_trust(without(FILE, path))) == "json.missing_field"


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("note",), 1, "json.unknown_field"),
        (("format",), 1, "statement.newer_format"),
        (("organisation",), "ACME", "value.format"),
        (("policy",), "", "value.format"),
        (("policy",), None, "json.invalid_field"),
        (("minimum_version",), 0, "json.invalid_field"),
        (("minimum_version",), True, "json.invalid_field"),
    ],
)
def test_a_malformed_trust_file_is_refused_with_its_own_code(path: Path, value: JsonValue, code: str) -> None:
    assert verdict(lambda: read_trust(edited(FILE, path, value))) == code


def test_a_trust_file_has_a_largest_size() -> None:
    assert verdict(lambda: read_trust(FILE + b" " * MAX_TRUST_BYTES)) == "json.too_large"


def test_the_minimum_is_only_ever_raised() -> None:
    raised = TRUST.raised_to(3)
    assert raised == replace(TRUST, minimum_version=3)
    assert raised.raised_to(3) == raised
    assert verdict(lambda: raised.raised_to(2)) == "trust.format"


def founded(organisation: Organisation) -> tuple[SignedPolicy, Trust]:
    policy = organisation.policy
    return policy, Trust(organisation=organisation.name, policy=policy.digest, minimum_version=1)


def test_the_pinned_version_leads_to_itself() -> None:
    assert walk([ACME.policy.envelope], TRUST) == ACME.policy


OTHER = changed(ACME, name="other.example")
WEAKER = changed(ACME, quorum={"engineering": 1, "security": 1})
SECOND = changed(ACME, version=2, previous=ACME.policy.digest)
ROOTLESS = changed(ACME, previous="sha256:" + "1" * 64)


def signed(*people: str) -> JointEnvelope:
    payload = ACME.policy.envelope.payload
    return JointEnvelope.of(sign(payload, key_of(p) if p == "zoe" else ACME.key(p)) for p in people)


CHAINS: dict[str, tuple[list[JointEnvelope], Trust, str]] = {
    "no policy": ([], TRUST, "policy_chain.broken"),
    "a weaker policy": ([WEAKER.policy.envelope], TRUST, "policy_chain.broken"),
    "another organisation's policy": ([OTHER.policy.envelope], TRUST, "policy_chain.broken"),
    "the pinned policy and then a newer one": (
        [ACME.policy.envelope, SECOND.policy.envelope], TRUST, "policy_chain.broken",
    ),
    "the pinned policy twice": ([ACME.policy.envelope] * 2, TRUST, "policy_chain.broken"),
    "the newer one alone": ([SECOND.policy.envelope], TRUST, "policy_chain.broken"),
    "a pinned version that is not the first": (
        [SECOND.policy.envelope], founded(SECOND)[1], "policy_chain.broken",
    ),
    "a pinned version after something": (
        [ROOTLESS.policy.envelope], founded(ROOTLESS)[1], "policy_chain.broken",
    ),
    "the right policy for another organisation": (
        [ACME.policy.envelope], replace(TRUST, organisation="other.example"), "policy_chain.broken",
    ),
    "a policy below the minimum": (
        [ACME.policy.envelope], TRUST.raised_to(2), "policy_chain.below_minimum",
    ),
    "the pinned bytes signed by one founder": ([signed("alice")], TRUST, "policy.governance_short"),
    "the pinned bytes signed by requesters": (
        [signed("mallory", "rita")], TRUST, "policy.governance_short",
    ),
    "the pinned bytes signed by a stranger too": (
        [signed("alice", "carol", "zoe")], TRUST, "policy.governance_short",
    ),
    "the pinned bytes signed by enough founders": ([signed("alice", "carol")], TRUST, "accepted"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_leads_from_the_pinned_version_or_is_refused_with_its_own_code(case: str) -> None:
    versions, trust, code = CHAINS[case]
    assert verdict(lambda: walk(versions, trust)) == code


WEAKENED: dict[str, Callable[[], Organisation]] = {
    "a lower threshold": lambda: changed(ACME, quorum={"engineering": 1, "security": 1, "release": 1}),
    "a role dropped": lambda: changed(ACME, quorum={"engineering": 2, "security": 1}),
    "a member more": lambda: changed(ACME, roles={**ACME.roles, "security": ("bob", "carol", "dan", "rita")}),
    "another requester": lambda: changed(ACME, requesters=frozenset({"managers", "engineering"})),
    "no veto": lambda: changed(ACME, veto=frozenset()),
    "a wider skew": lambda: changed(ACME, clock_skew=timedelta(minutes=10)),
    "a longer life": lambda: changed(ACME, expires=NOW + timedelta(days=900)),
    "another log": lambda: changed(ACME, origin="log.evil.example"),
    "a key of another person": lambda: changed(ACME, p256=frozenset({"carol", "dan"})),
}


@pytest.mark.parametrize("case", WEAKENED)
def test_a_policy_changed_in_anything_is_not_the_pinned_one(case: str) -> None:
    other = WEAKENED[case]()
    assert verdict(lambda: walk([other.policy.envelope], TRUST)) == "policy_chain.broken"

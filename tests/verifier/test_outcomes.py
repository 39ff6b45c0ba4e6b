# SPDX-License-Identifier: Apache-2.0
"""Every refusal code has its exit code, and no refusal is ever success."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import quorumseal
from quorumseal.refusal import Refusal
from quorumseal.verifier.outcomes import _BY_PREFIX, Outcome, outcome_of


def refusals(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for refusal in of.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def codes(package: str) -> dict[str, list[type[Refusal]]]:
    """Return every refusal that a package defines, by the code that it defines itself."""
    for module in pkgutil.walk_packages(quorumseal.__path__, "quorumseal."):
        importlib.import_module(module.name)
    defined: dict[str, list[type[Refusal]]] = {}
    for refusal in refusals():
        if refusal.__module__.startswith(package) and "code" in vars(refusal):
            defined.setdefault(refusal.code, []).append(refusal)
    return defined


CODES = codes("quorumseal.")


def test_there_are_many_reasons_to_refuse() -> None:
    assert len(CODES) > 90
    assert "quorum.short" in CODES


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_refusal_has_an_outcome_of_its_own_family_and_never_success(code: str) -> None:
    assert code.partition(".")[0] in _BY_PREFIX
    assert outcome_of(code) is not Outcome.VERIFIED


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_is_one_reason(code: str) -> None:
    assert len(CODES[code]) == 1
    assert code == code.lower().strip()


def test_whatever_can_be_raised_has_a_code() -> None:
    without = {r for r in refusals() if r.__module__.startswith("quorumseal.") and not hasattr(r, "code")}
    set_by_its_instances = {r for r in without if "code" in getattr(r, "__annotations__", {})}
    assert all(refusal.__subclasses__() for refusal in without - set_by_its_instances)


@pytest.mark.parametrize("code", ["", ".", "nobody.knows.this", "quorums", "verified", "0"])
def test_an_unknown_code_is_unexpected(code: str) -> None:
    assert outcome_of(code) is Outcome.UNEXPECTED


def test_no_family_is_success() -> None:
    assert Outcome.VERIFIED not in _BY_PREFIX.values()
    assert int(Outcome.VERIFIED) == 0


EXIT_CODES = {
    "artifact.other_bytes": 3,
    "artifact.none": 2,
    "request.requester": 4,
    "decision.not_a_member": 4,
    "key.not_valid": 4,
    "key.small_order": 4,
    "key_file.wrong_passphrase": 2,
    "bundle.product": 4,
    "bundle.format": 1,
    "bundle.missing": 6,
    "json.malformed": 1,
    "quorum.short": 5,
    "ceremony.unapproved": 9,
    "ceremony.rejected": 10,
    "log.inclusion_proof": 14,
    "log.consistency_proof": 14,
    "log.note_signature": 14,
    "chain.broken": 14,
    "chain.outcome": 14,
    "entry.format": 14,
    "policy_chain.broken": 15,
    "policy_chain.below_minimum": 15,
    "policy.governance_short": 15,
    "statement.signature": 16,
    "signature.bad": 16,
    "envelope.signature_count": 16,
    "statement.newer_format": 19,
    "statement.request": 4,
    "usage.arguments": 2,
}


@pytest.mark.parametrize("code", EXIT_CODES)
def test_exit_codes_stay_what_they_are(code: str) -> None:
    assert code in CODES
    assert outcome_of(code) == EXIT_CODES[code]

# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps (docs/spec/encodings.md, Timestamps)."""

from dataclasses import dataclass

from tests.second_verifier.policy import Policy
from tests.second_verifier.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    earliest: int
    latest: int


def of_decision(policy: Policy, token: str, found: Statement) -> Stamped:
    raise NotImplementedError


def of_conclusion(policy: Policy, token: str, checkpoint: bytes) -> Stamped:
    raise NotImplementedError

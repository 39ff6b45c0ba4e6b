# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps (docs/spec/encodings.md, Timestamps), as far as this verifier goes.

A token under a policy that names no authority is by nobody whose word is taken.  Any other is **not judged**:
there is no reader of CMS here, and whoever asks is told so instead of being told yes or no.
"""

from dataclasses import dataclass

from tests.second_verifier.policy import Policy
from tests.second_verifier.refusing import need
from tests.second_verifier.values import base64_bytes


class NotJudgedError(Exception):
    """The bundle has a timestamp that could be good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """From when to when an authority may have seen some bytes."""

    earliest: int
    latest: int


def judge(policy: Policy, token: str) -> Stamped:
    """What a token proves."""
    raw = base64_bytes(token, "timestamp.malformed")
    need(len(raw) <= 16 * 1024, "timestamp.malformed")
    need(bool(policy.timestamping), "timestamp.authority")
    raise NotJudgedError

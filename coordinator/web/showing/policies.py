# SPDX-License-Identifier: Apache-2.0
"""Every version of the policy: what changed, who approved it, and which of it weakens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import NoSuchPageError
from coordinator.web.page import File, Page
from coordinator.web.showing.standing import begun
from quorumseal.ceremony.policy_differences import Difference, differences
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.policy_writing import policy_text

ROWS: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version beside the one before it."""

    number: int
    digest: str
    index: int
    since: datetime
    expires: datetime
    ceremonies: tuple[str, ...]
    """Those that approved it; the first was signed by its founders."""
    founders: tuple[str, ...]
    changes: tuple[Difference, ...]

    @property
    def weakens(self) -> int:
        """How many of its changes weaken."""
        return sum(each.weakens for each in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The page."""

    versions: Sequence[Version]
    newest: int
    older: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneVersion:
    """The page of one version."""

    version: Version
    text: str
    against: int | None
    """Which version it is compared with."""
    all: range


def read(context: WebContext, asked: Asked) -> Policies:
    """Read the page."""
    asked.allow("before")
    policies = context.policies.all
    before = asked.number("before")
    last = len(policies) if before is None else max(min(before - 1, len(policies)), 0)
    first = max(last - ROWS, 0)
    shown = [_version(context, number) for number in range(last, first, -1)]
    return Policies(
        versions=shown, newest=len(policies), older=asked.again(before=first + 1) if first > 0 else ""
    )


def read_one(context: WebContext, asked: Asked) -> OneVersion:
    """Read the page of one version, compared with the one before it or another."""
    asked.allow("against")
    number, against = asked.index("version"), asked.number("against")
    _named(context, number)
    other = against if against is not None else number - 1
    if against is not None:
        _named(context, against)
    return OneVersion(
        version=_version(context, number, other),
        text=policy_text(context.policies.all[number - 1].policy),
        against=other or None,
        all=range(1, len(context.policies.all) + 1),
    )


def payload(context: WebContext, asked: Asked) -> File:
    """Return the signed bytes of a version."""
    policy = _named(context, asked.index("version"))
    name = f"policy-{policy.policy.version}.json"
    return File(name=name, media_type="application/json", data=policy.payload)


def _named(context: WebContext, number: int) -> SignedPolicy:
    policies = context.policies.all
    if not 1 <= number <= len(policies):
        raise NoSuchPageError(f"expected a policy version from 1 to {len(policies)}, got {number}")
    return policies[number - 1]


def _version(context: WebContext, number: int, against: int | None = None) -> Version:
    policies = context.policies.all
    policy, place = policies[number - 1], begun(context)[number - 1]
    other = number - 1 if against is None else against
    return Version(
        number=number,
        digest=policy.digest,
        index=place.index,
        since=place.at,
        expires=policy.policy.expires,
        ceremonies=policy.ceremonies or (),
        founders=policy.signers if policy.founding else (),
        changes=differences(policies[other - 1].policy, policy.policy) if other else (),
    )


PAGE: Final = Page(path="/policies", here="policy", template="policies.html", read=read)
ONE: Final = Page(path="/policies/{version}", here="policy", template="policy.html", read=read_one)

# SPDX-License-Identifier: Apache-2.0
"""Which request may open a ceremony, given the earlier ones of the same product, version and kind.

One version is one set of bytes.  The same request again is the same ceremony while it is open or approved;
other bytes under a version that was asked for before must say that they supersede the earlier request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.request_errors import (
    AlreadyApprovedError,
    MustSupersedeError,
    OpenCeremonyExistsError,
    SupersedesUnknownError,
)
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.strict_json import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An earlier ceremony of the same product, version and kind."""

    ceremony: str
    identity: str
    request: str
    state: State
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Existing:
    """The request opened this ceremony before."""

    ceremony: str


@dataclass(frozen=True, slots=True)
class Open:
    """The request opens a ceremony, and ends the one that it supersedes if that is open."""

    superseded: str | None = None


def identity(request: Request) -> str:
    """Return what makes two requests the same: who asks for which bytes as what, under which policy."""
    return digest_of(
        write(
            {
                "organisation": request.context.organisation,
                "requester": request.context.signer,
                "product": request.product,
                "version": request.version,
                "kind": str(request.kind),
                "mode": str(request.mode),
                "policy": request.context.policy.digest,
                "subjects": [[subject.name, subject.digest] for subject in sorted_subjects(request.subjects)],
            }
        )
    )


def sorted_subjects(subjects: Sequence[Subject]) -> list[Subject]:
    """Return artifacts in one order, whatever the order in which they were given."""
    return sorted(subjects, key=lambda subject: subject.name)


def admit(request: Signed[Request], known: Sequence[Known]) -> Existing | Open:
    """Decide what a request is to the ceremonies before it, oldest first; or refuse it."""
    own = identity(request.statement)
    if request.statement.kind is Kind.REVOCATION:  # of another request it is another matter, not other bytes
        known = [earlier for earlier in known if earlier.subjects == request.statement.subjects]
    if request.statement.kind is Kind.RE_APPROVAL:  # one after the other, as often as there is reason to
        known = [earlier for earlier in known if earlier.state is not State.APPROVED]
    for earlier in known:
        if earlier.identity == own and earlier.state in (State.OPEN, State.APPROVED):
            return Existing(earlier.ceremony)
    what = f"{request.statement.product} {request.statement.version}"
    approved = [earlier for earlier in known if earlier.state is State.APPROVED]
    if approved and request.statement.kind not in GOVERNED:  # a policy holds when both sides approved
        raise AlreadyApprovedError(
            f"expected a version that is not approved yet, got {what} (ceremony {approved[-1].ceremony})",
            hint="release other bytes under another version",
        )
    return _succeed(request.statement, known, what)


def _succeed(request: Request, known: Sequence[Known], what: str) -> Open:
    """Place a request behind the latest ceremony for this version."""
    latest = known[-1] if known else None
    if request.supersedes is not None:
        if latest is None or latest.request != request.supersedes:
            raise SupersedesUnknownError(
                f"expected to supersede the latest request for {what} "
                f"({latest.request if latest else 'there is none'}), got {request.supersedes}",
                hint="look at the latest one with `quorumseal list`, then start again",
            )
        return Open(latest.ceremony if latest.state is State.OPEN else None)
    if latest is not None and latest.state is State.OPEN:
        raise OpenCeremonyExistsError(
            f"expected no open ceremony for {what}, got {latest.ceremony}",
            hint="cancel it, or start with --supersede to put this request in its place",
        )
    if latest is not None and sorted_subjects(latest.subjects) != sorted_subjects(request.subjects):
        raise MustSupersedeError(
            f"expected a request that supersedes {latest.request}, which asked for other bytes as {what}, "
            "got one that does not say so",
            hint="start with --supersede, or choose another version",
        )
    return Open()

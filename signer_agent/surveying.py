# SPDX-License-Identifier: Apache-2.0
"""Which releases a key helped to approve, and which of them stand without it.

The coordinator's list only says where to look: each ceremony is verified before it is judged.  What it leaves
out cannot be seen there, but is found in the bundles that were published.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.compromise import Judgement, judge_release
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.values import ceremony_id
from quorumseal.client.values import CeremonySummary
from quorumseal.verifier.verify import Verified
from signer_agent.agent import Agent
from signer_agent.observing import observe, observe_policy

Release = tuple[str, str]
Progress = Callable[[int, int], None]
"""Told how many releases were looked at, and how many there are."""
RELEASING = frozenset({Kind.RELEASE, Kind.RATIFICATION})
QUORUMS = RELEASING | {Kind.RE_APPROVAL}
"""The kinds of which each approved ceremony is a full quorum for the bytes of a release."""
_LOOKED_AT = QUORUMS | {Kind.REVOCATION}
_PAGE = 100
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One release that a key helped to approve."""

    product: str
    version: str
    ceremony: str
    """That released it, and that a re-approval names."""
    judgement: Judgement
    taken_back: str = ""
    """The ceremony that revoked it, if one did."""
    again: str = ""
    """The re-approval that is open, if there is one."""

    @property
    def needs_reapproval(self) -> bool:
        """Whether it falls short, and nobody took it back."""
        return self.judgement.stands_by is None and not self.taken_back


def survey(
    agent: Agent,
    revoked: Revoked,
    *,
    published: Mapping[Release, Collection[Ceremony]] | None = None,
    progress: Progress = lambda _done, _all: None,
) -> tuple[Surveyed, ...]:
    """Return the releases that a key helped to approve, of the log or of those ``published``, in order."""
    newest = observe_policy(agent)
    if published is None:
        by_release: dict[Release, list[CeremonySummary]] = {}
        for summary in _listed(agent):
            by_release.setdefault((summary.product, summary.version), []).append(summary)
    else:
        by_release = {release: list(_listed(agent, *release)) for release in published}
    found: list[Surveyed] = []
    for done, (release, summaries) in enumerate(sorted(by_release.items(), key=lambda each: each[0])):
        progress(done, len(by_release))
        surveyed = _release(agent, newest, summaries, (published or {}).get(release, ()), revoked)
        if surveyed is not None and surveyed.judgement.touched:
            found.append(surveyed)
    progress(len(by_release), len(by_release))
    return tuple(found)


def quorums_of(verified: Verified) -> tuple[Ceremony, ...]:
    """Return the full quorums of a verified bundle."""
    all_of_it = (verified.ceremony, verified.ratification, verified.reapproval)
    return tuple(each for each in all_of_it if each is not None and each.state is State.APPROVED)


def _release(
    agent: Agent,
    newest: SignedPolicy,
    summaries: Iterable[CeremonySummary],
    published: Iterable[Ceremony],
    revoked: Revoked,
) -> Surveyed | None:
    """Judge one release by what is published of it and what the log has; none where nothing released it."""
    quorums = {each.request.digest: each for each in published}
    taken_back = again = ""
    for summary in summaries:
        ceremony = observe(agent, ceremony_id(summary.ceremony), newest).chain.ceremony
        request = ceremony.request.statement
        match request.kind, ceremony.state:
            case Kind.REVOCATION, State.APPROVED:
                taken_back = request.ceremony
            case Kind.RE_APPROVAL, State.OPEN:
                again = request.ceremony
            case kind, State.APPROVED if kind in QUORUMS:
                quorums[ceremony.request.digest] = ceremony
    ordered = sorted(quorums.values(), key=_ended)
    released = [each.request.statement for each in ordered if each.request.statement.kind in RELEASING]
    if not released:
        return None
    return Surveyed(
        product=released[-1].product,
        version=released[-1].version,
        ceremony=released[-1].ceremony,
        judgement=judge_release(ordered, [revoked]),
        taken_back=taken_back,
        again=again,
    )


def _listed(agent: Agent, product: str = "", version: str = "") -> Iterator[CeremonySummary]:
    """Yield what could matter, as the coordinator lists it."""
    token = ""
    for _ in range(_MOST_PAGES):
        page = agent.connection.list_ceremonies(
            states=[State.APPROVED, State.OPEN],
            product=product,
            version=version,
            page_size=_PAGE,
            page_token=token,
        )
        yield from (each for each in page.ceremonies if each.kind in _LOOKED_AT)
        token = page.next_token
        if not token:
            return


def _ended(ceremony: Ceremony) -> datetime:
    assert ceremony.ended_at is not None  # noqa: S101 - it was approved
    return ceremony.ended_at

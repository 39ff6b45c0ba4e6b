# SPDX-License-Identifier: Apache-2.0
"""Re-approvals decided on together: one table of all that wait, one confirmation over the whole of it.

Each row is verified and reviewed like any ceremony, and gets a signature of its own.  What is signed is what
the table showed: it is looked at again after the confirmation, and nothing is signed where it differs.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import CheckOutcome, Choice, Decision
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey
from quorumseal.strict_json import write
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.deciding import look, require_decidable
from signer_agent.drafting import Draft, consequences, draft_decision
from signer_agent.errors import GridChangedError, GridRowError, NoReceiptError, UsageError
from signer_agent.inbox import open_inbox
from signer_agent.recollection import Stored
from signer_agent.review import Review, Standing
from signer_agent.signing import send, settle, sign_and_store
from signer_agent.surveying import Progress

_IN_IT = (Standing.AWAITED, Standing.OPEN, Standing.UNSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One open re-approval that this signer can decide."""

    review: Review
    hashed_before: datetime | None = None
    """When this agent hashed these bytes for the release itself, if it did."""

    @property
    def name(self) -> str:
        """How it is named on the command line."""
        request = self.review.request.statement
        return f"{request.product}@{request.version}"

    @property
    def refusal(self) -> Refusal | None:
        """Why nobody should approve it."""
        try:
            require_decidable(self.review, Choice.APPROVAL)
            self.review.findings.require(unchecked=True)  # what was not found here is no reason against it
        except Refusal as refusal:
            return refusal
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What one confirmation is about."""

    rows: tuple[Row, ...]

    @property
    def digest(self) -> str:
        """Which rows there are, of which bytes, and how these were checked."""
        listed = [
            [
                row.review.request.digest,
                *sorted(f"{name} {found.digest}" for name, found in row.review.findings.found.items()),
            ]
            for row in self.rows
        ]
        return digest_of(write([[*each] for each in listed]))

    def require(self) -> None:
        """Refuse a list with a row that nobody should approve."""
        for row in self.rows:
            if (refusal := row.refusal) is not None:
                raise GridRowError(
                    f"{row.name}: {refusal} [{refusal.code}]",
                    hint=f"nothing was signed; --without {row.name} leaves it out",
                ) from refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of one row."""

    row: Row
    stored: Stored | None = None
    refusal: Refusal | None = None


def look_at_all(agent: Agent, sources: Sources, *, without: Collection[str] = ()) -> Grid:
    """Return the re-approvals that wait for this signer, in order, but those that are left out."""
    found = [
        review
        for review in open_inbox(agent).reviews
        if review.request.statement.kind is Kind.RE_APPROVAL and review.standing in _IN_IT
    ]
    rows = sorted((_row(agent, review, sources) for review in found), key=lambda row: row.name)
    if unknown := set(without) - {row.name for row in rows}:
        raise UsageError(
            f"expected to leave out a row of the list, got {min(unknown)}",
            hint="`quorumseal review --grid` shows them",
        )
    return Grid(rows=tuple(row for row in rows if row.name not in without))


def write_all(grid: Grid, *, checked: Collection[str] = ()) -> tuple[Draft, ...]:
    """Write one approval for each row that was not signed before; refuse what the rules would."""
    grid.require()
    drafts = []
    for row in grid.rows:
        if row.review.pending is None:
            draft = draft_decision(row.review, Choice.APPROVAL, checked=checked)
            consequences(row.review, draft)
            drafts.append(draft)
    return tuple(drafts)


def require_same(shown: Grid, now: Grid) -> None:
    """Refuse to sign anything where the list is not what was shown."""
    if shown.digest == now.digest:
        return
    before = {row.review.request.digest: row for row in shown.rows}
    after = {row.review.request.digest: row for row in now.rows}
    differing = sorted(
        {before[request].name for request in before.keys() - after.keys()}
        | {after[request].name for request in after.keys() - before.keys()}
    )
    raise GridChangedError(
        f"expected the list as it was shown ({shown.digest}), got another one ({now.digest}): "
        + (", ".join(differing) if differing else "other bytes were found"),
        hint="look at it again; nothing was signed",
    )


def sign_all(
    agent: Agent,
    grid: Grid,
    drafts: Sequence[Draft],
    key: Callable[[], PrivateKey],
    *,
    progress: Progress = lambda _done, _all: None,
) -> tuple[Settled, ...]:
    """Sign and send each; what is refused of one keeps no other, an outage leaves the rest unsigned."""
    written = {draft.statement.request: draft for draft in drafts if isinstance(draft.statement, Decision)}
    opened = key() if written else None
    results: list[Settled] = []
    for done, row in enumerate(grid.rows):
        progress(done, len(grid.rows))
        draft = written.get(row.review.request.digest)
        try:
            if draft is None or opened is None:
                assert row.review.pending is not None  # noqa: S101 - else there is a draft
                stored = settle(agent, row.review.pending, row.review.observation)
            else:
                policy = row.review.observation.policy
                stored = send(agent, sign_and_store(agent, draft, opened, policy), policy)
        except NoReceiptError as refusal:
            results.append(Settled(row=row, refusal=refusal))
            break
        except Refusal as refusal:
            results.append(Settled(row=row, refusal=refusal))
        else:
            results.append(Settled(row=row, stored=stored))
    progress(len(grid.rows), len(grid.rows))
    return tuple(results)


def _row(agent: Agent, review: Review, sources: Sources) -> Row:
    request = review.request.statement
    own = _for_one(sources, f"{request.product}@{request.version}")
    looked = look(agent, request.ceremony, policy=review.observation.newest, sources=own)
    return Row(review=looked, hashed_before=_hashed_before(agent, looked))


def _for_one(sources: Sources, name: str) -> Sources:
    """Return where one release's artifacts are: in a folder called PRODUCT@VERSION, or at its locators."""
    for path in sources.paths:
        if not path.is_dir():
            raise UsageError(
                f"expected a folder with one folder for each release, called {name}, got {path}",
                hint="without --grid, name the artifacts of one release",
            )
    folders: list[Path] = [*sources.paths, *([sources.directory] if sources.directory else [])]
    inside = [folder / name for folder in folders if (folder / name).is_dir()]
    return replace(sources, paths=(), directory=inside[0] if inside else None)


def _hashed_before(agent: Agent, review: Review) -> datetime | None:
    """Return when this agent approved the release itself, having hashed these bytes."""
    about = review.background.about
    for stored in agent.journal.signed(about.chain.id) if about else ():
        decision = stored.statement
        if isinstance(decision, Decision) and decision.choice is Choice.APPROVAL:
            passed = {check.name for check in decision.checks if check.outcome is CheckOutcome.PASS}
            if "artifacts" in passed and decision.subjects == review.request.statement.subjects:
                return decision.context.signed_at
    return None

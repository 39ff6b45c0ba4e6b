# SPDX-License-Identifier: Apache-2.0
"""How re-approvals are drawn that are decided on together."""

from collections.abc import Sequence

from quorumseal.ceremony.values import instant_text as exact
from quorumseal.refusal import Refusal
from quorumseal.terminal import Foreign, Mark, Screen, instant_text
from quorumseal.terminal.words import four_words
from signer_agent.documents import Json, stored_json
from signer_agent.grid import Grid, Row, Settled
from signer_agent.inbox_screen import needed
from signer_agent.review import Standing


def draw_grid(screen: Screen, grid: Grid) -> None:
    """Draw the whole list, and what names it."""
    if not grid.rows:
        screen.answer(Mark.DONE, "No re-approval waits for you")
        return
    count, refused = len(grid.rows), [row for row in grid.rows if row.refusal is not None]
    screen.answer(
        Mark.FAILED if refused else Mark.WAITING,
        f"{count} re-approval{'s' if count > 1 else ''} wait{'' if count > 1 else 's'} for your decision"
        + (f"; {len(refused)} of them nobody should approve" if refused else ""),
    )
    screen.line()
    screen.table(
        ["release", "bytes", "approved before by", "still needed"],
        [[row.name, _bytes(row), ", ".join(_before(row)), needed(row.review.tally)] for row in grid.rows],
    )
    for row in refused:
        assert row.refusal is not None  # noqa: S101 - they were chosen by it
        screen.item(Mark.FAILED, f"{row.name}:", Foreign(str(row.refusal), 600), f"[{row.refusal.code}]")
    screen.line()
    screen.facts(
        [
            ("  list", f"{four_words(grid.digest)} (to compare aloud; no security check)"),
            ("", grid.digest),
        ]
    )


def draw_settled(screen: Screen, settled: Sequence[Settled], grid: Grid) -> None:
    """Draw what was recorded, and what was not."""
    done = [each for each in settled if each.stored is not None]
    left = grid.rows[len(settled) :]
    whole = len(done) == len(grid.rows)
    screen.answer(
        Mark.DONE if whole else Mark.FAILED,
        f"{len(done)} of {len(grid.rows)} approvals are in the log, and their receipts are verified",
    )
    for each in settled:
        if each.stored is not None:
            screen.item(Mark.DONE, f"{each.row.name} is {each.stored.state}, as the coordinator says")
        elif each.refusal is not None:
            screen.item(
                Mark.FAILED, f"{each.row.name}:", Foreign(str(each.refusal), 600), f"[{each.refusal.code}]"
            )
    for row in left:
        screen.item(Mark.WAITING, f"{row.name}: nothing was signed")


def grid_json(grid: Grid) -> dict[str, Json]:
    """Return the list for programs."""
    return {
        "list": grid.digest,
        "words": four_words(grid.digest),
        "rows": [_row_json(row) for row in grid.rows],
    }


def settled_json(settled: Sequence[Settled], grid: Grid) -> dict[str, Json]:
    """Return what came of it for programs."""
    return {
        **grid_json(grid),
        "settled": [
            {
                "release": each.row.name,
                "recorded": stored_json(each.stored) if each.stored else None,
                "refused": _refusal_json(each.refusal),
            }
            for each in settled
        ],
        "unsigned": [row.name for row in grid.rows[len(settled) :]],
    }


def _row_json(row: Row) -> dict[str, Json]:
    about, findings = row.review.background.about, row.review.findings
    ended = about.chain.ceremony.ended_at if about else None
    request = row.review.request
    return {
        "product": request.statement.product,
        "version": request.statement.version,
        "ceremony": request.statement.ceremony,
        "request": request.digest,
        "artifacts": [{"name": s.name, "digest": s.digest} for s in request.statement.subjects],
        "hashed": sorted(findings.found),
        "hashed_before": exact(row.hashed_before) if row.hashed_before else None,
        "approved_before_at": exact(ended) if ended else None,
        "approved_before_by": [*_before(row)],
        "needed": {role.role: role.missing for role in row.review.tally.roles if role.missing},
        "unsent": row.review.standing is Standing.UNSENT,
        "refused": _refusal_json(row.refusal),
    }


def _refusal_json(refusal: Refusal | None) -> Json:
    return None if refusal is None else {"code": refusal.code, "message": str(refusal), "hint": refusal.hint}


def _bytes(row: Row) -> str:
    """Say how this agent knows that they are the same bytes."""
    findings, about = row.review.findings, row.review.background.about
    if any(not found.matches for found in findings.found.values()):
        return "other bytes here"
    if findings.found and not findings.missing:
        return "hashed here: the same"
    if row.hashed_before:
        return f"the same that you hashed {instant_text(row.hashed_before)}"
    ended = about.chain.ceremony.ended_at if about else None
    return f"the same as approved {instant_text(ended)}" if ended else "not shown"


def _before(row: Row) -> tuple[str, ...]:
    """Return who approved the release itself."""
    about = row.review.background.about
    if about is None or about.chain.ceremony.ended_at is None:
        return ()
    seats = about.chain.ceremony.tally(at=about.chain.ceremony.ended_at).seats
    return tuple(person for people in seats.values() for person in people)

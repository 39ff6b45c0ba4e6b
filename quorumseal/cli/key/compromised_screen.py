# SPDX-License-Identifier: Apache-2.0
"""How ``key compromised`` is drawn: what stands, what falls short, and what was asked for."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import standing
from quorumseal.cli.desk import command
from quorumseal.cli.output import Json
from quorumseal.terminal import Foreign, Mark, Screen, instant_text
from signer_agent.key_screen import short
from signer_agent.reapproving import Anew
from signer_agent.surveying import Surveyed
from signer_agent.taking_out import KnownKey


def draw_survey(drawn: Screen, found: Sequence[Surveyed], key: KnownKey, since: datetime | None) -> None:
    """Draw every release that the key helped to approve: those that fall short first."""
    named = f"key {short(key.id)} of {key.owner}"
    ever = "" if since is None else f" since {instant_text(since)}"
    falling = [each for each in found if each.needs_reapproval]
    if not found:
        drawn.answer(Mark.DONE, f"{named} helped to approve no release{ever}")
        return
    count = f"{len(found)} release{'s' if len(found) > 1 else ''}"
    if not falling:
        drawn.answer(Mark.DONE, f"{named} helped to approve {count}{ever}; none falls short without it")
    else:
        drawn.answer(
            Mark.FAILED,
            f"{named} helped to approve {count}{ever}; {len(falling)} "
            f"fall{'' if len(falling) > 1 else 's'} short without it",
        )
    for each in (*falling, *(other for other in found if other not in falling)):
        _draw_release(drawn, each)


def _draw_release(drawn: Screen, each: Surveyed) -> None:
    name, by = f"{each.product} {each.version}", each.judgement.stands_by
    if each.taken_back:
        drawn.item(Mark.FAILED, f"{name} was taken back, and needs nothing")
    elif by is not None:
        ceremony, left = by
        seats = "; ".join(f"{role}: {', '.join(people)}" for role, people in left.seats.items())
        how = "by its re-approval" if ceremony.request.statement.reapproved else "without the key"
        drawn.item(Mark.DONE, f"{name} stands {how}")
        drawn.note(seats)
    else:
        drawn.item(Mark.FAILED, f"{name} falls short")
        for sentence in each.judgement.missing:
            drawn.note(sentence)
        if each.again:
            drawn.note(f"its re-approval is open (ceremony {each.again})")


def draw_plan(drawn: Screen, planned: Sequence[Anew]) -> None:
    """Draw what would be asked for."""
    drawn.line()
    drawn.line("To be approved anew, the same bytes by the people and the rules of today:")
    for each in planned:
        name = f"{each.release.product} {each.release.version}"
        if each.draft is not None:
            drawn.item(Mark.WAITING, f"{name}  {each.draft.digest}")
        elif each.refusal is not None:
            drawn.item(Mark.FAILED, f"{name} cannot be asked for:", Foreign(str(each.refusal), 400))


def draw_anew(drawn: Screen, anew: Sequence[Anew], *, at: datetime) -> None:
    """Draw what came of it, and who is to approve."""
    if not anew:
        return
    drawn.heading("Re-approvals")
    for each in anew:
        name = f"{each.release.product} {each.release.version}"
        if each.refusal is not None:
            drawn.item(Mark.FAILED, f"{name}:", Foreign(str(each.refusal), 400), f"[{each.refusal.code}]")
        elif each.opened is not None:
            was = "was asked for now" if each.created else "had been asked for before"
            drawn.item(Mark.WAITING, f"{name} {was}; it waits for {_people(each, at)}")
            drawn.note(f"ceremony {each.opened.chain.id}")


def next_step(
    arguments: Namespace,
    key: KnownKey,
    since: datetime | None,
    found: Sequence[Surveyed],
    *,
    to_ask: bool,
) -> tuple[str, list[str]]:
    """Return the last line: ask for what falls short; revoke the key, if nobody did; else look at it all."""
    if to_ask:
        words = ["key", "compromised", arguments.key, *_since(since)]
        return "To ask for their re-approval", command(arguments, *words)
    if key.revoked is None:
        words = ["key", "revoke", short(key.id), *_since(since or _first(found)), "--reason", "stolen"]
        return "The key still signs; to revoke it", command(arguments, *words)
    return "Who approves sees them together by", command(arguments, "review", "--grid")


def survey_json(
    found: Sequence[Surveyed], anew: Sequence[Anew], key: KnownKey, since: datetime | None
) -> dict[str, Json]:
    """Return all of it for programs."""
    asked = {each.release.ceremony: each for each in anew}
    return {
        "key": key.id,
        "owner": key.owner,
        "since": exact(since) if since else None,
        "revoked_since": exact(key.revoked.since) if key.revoked else None,
        "releases": [_release_json(each, asked.get(each.ceremony)) for each in found],
    }


def _release_json(each: Surveyed, anew: Anew | None) -> dict[str, Json]:
    by = each.judgement.stands_by
    verdict = "taken-back" if each.taken_back else "stands" if by else "falls-short"
    opened = anew.opened if anew else None
    return {
        "product": each.product,
        "version": each.version,
        "ceremony": each.ceremony,
        "verdict": verdict,
        "stands_by": {role: [*people] for role, people in by[1].seats.items()} if by else None,
        "missing": [*each.judgement.missing],
        "re_approval": opened.chain.id if opened else each.again or None,
        "created": anew.created if anew else False,
        "awaited": [*standing.awaited_of(opened.chain.ceremony, opened.chain.last_at)] if opened else [],
        "refused": anew.refusal.code if anew and anew.refusal else None,
    }


def _people(each: Anew, at: datetime) -> str:
    assert each.opened is not None  # noqa: S101 - drawn where there is one
    return ", ".join(standing.awaited_of(each.opened.chain.ceremony, at)) or "nobody"


def _first(found: Sequence[Surveyed]) -> datetime | None:
    """Return when the key first helped to approve any of this; none where it did not."""
    touched = (each for surveyed in found for each in surveyed.judgement.quorums if each[1].touched)
    return min(
        (
            min([ceremony.times[signer] for signer in left.fallen], default=ceremony.logged_at)
            for ceremony, left in touched
        ),
        default=None,
    )


def _since(since: datetime | None) -> list[str]:
    return ["--since", exact(since)] if since else []

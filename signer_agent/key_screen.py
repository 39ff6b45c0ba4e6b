# SPDX-License-Identifier: Apache-2.0
"""How keys, revocations and suspensions are drawn."""

from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.statements import KeyRevocation, Suspension
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.terminal import Mark, Screen, instant_text
from quorumseal.terminal.words import four_words
from signer_agent.documents import Json
from signer_agent.taking_out import KnownKey

_DIGITS = 12


def draw_keys(screen: Screen, keys: Sequence[KnownKey], *, at: datetime) -> None:
    """Draw every key under its owner, without the last line."""
    signing = [key for key in keys if _signs(key, at)]
    owners = {key.owner for key in signing}
    gone = sum(key.revoked is not None for key in keys)
    rest = f"{gone} {'is' if gone == 1 else 'are'} revoked" if gone else "none is revoked"
    count = f"{_count(len(signing), 'key signs', 'keys sign')} for {_count(len(owners), 'signer', 'signers')}"
    screen.answer(
        Mark.WARNING if gone else Mark.DONE,
        f"{count}; {rest}",
    )
    for owner in dict.fromkeys(key.owner for key in keys):
        screen.heading(owner)
        for key in (key for key in keys if key.owner == owner):
            screen.item(_mark(key, at), f"{short(key.id)}  {key.key.key.scheme}  {four_words(key.id)}")
            screen.note(f"valid {instant_text(key.key.valid_from)} to {instant_text(key.key.valid_until)}")
            for line in how(key):
                screen.note(line)


def how(key: KnownKey) -> list[str]:
    """Say in sentences what is the matter with a key."""
    lines = [] if key.listed else ["the newest policy does not list it"]
    if key.revoked:
        lines.append(f"revoked since {instant_text(key.revoked.since)}")
    if key.waiting:
        lines.append(f"{' and '.join(key.waiting)} revoked it; that waits for a second guardian")
    if key.suspended:
        lines.append(f"{key.owner} is suspended until {instant_text(key.suspended.until)}")
    return lines


def key_json(key: KnownKey) -> dict[str, Json]:
    """Return a key for programs."""
    return {
        "owner": key.owner,
        "key": key.id,
        "scheme": str(key.key.key.scheme),
        "words": four_words(key.id),
        "valid_from": exact(key.key.valid_from),
        "valid_until": exact(key.key.valid_until),
        "listed": key.listed,
        "revoked_since": exact(key.revoked.since) if key.revoked else None,
        "waiting": [*key.waiting],
        "suspended_until": exact(key.suspended.until) if key.suspended else None,
    }


def draw_revocation(screen: Screen, act: KeyRevocation, key: KnownKey) -> None:
    """Show what would be signed about a key, and what it does."""
    screen.answer(
        Mark.WARNING, f"What you would sign: a key of {key.owner} signs no more. Nothing undoes it."
    )
    screen.facts(
        [
            ("  key", key.id),
            ("  words", f"{four_words(key.id)} (no security check)"),
            ("  since", instant_text(act.since)),
            ("  reason", str(act.reason)),
        ]
    )
    screen.item(Mark.WAITING, "In open ceremonies, what it decided since then does not count any more.")
    screen.item(Mark.WAITING, "It signs nothing any more: no decision, request or act.")


def draw_suspension(screen: Screen, act: Suspension) -> None:
    """Show what would be signed about somebody, and what it does."""
    screen.answer(Mark.WARNING, f"What you would sign: {act.person} does not count for a while.")
    screen.facts([("  until", instant_text(act.until)), ("  reason", str(act.reason))])
    screen.item(
        Mark.WAITING, f"In open ceremonies, what {act.person} decided falls; afterwards they decide again."
    )
    screen.item(Mark.WAITING, "It ends by its date alone: nobody ends it earlier.")


def short(key: str) -> str:
    """Return enough of a key's digest to name it."""
    return key.removeprefix("sha256:")[:_DIGITS]


def _signs(key: KnownKey, at: datetime) -> bool:
    return key.listed and key.revoked is None and key.suspended is None and key.key.valid_at(at)


def _mark(key: KnownKey, at: datetime) -> Mark:
    if key.revoked:
        return Mark.FAILED
    return Mark.DONE if _signs(key, at) and not key.waiting else Mark.WARNING


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"

# SPDX-License-Identifier: Apache-2.0
"""What an examination found: one finding for each thing that was looked at, with what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from quorumseal.terminal.layout import Foreign
from quorumseal.terminal.look import Mark
from quorumseal.terminal.screen import Screen

_LONG = 2000
_LEVELS = {Mark.DONE: "fine", Mark.WAITING: "unknown", Mark.WARNING: "warning", Mark.FAILED: "wrong"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one thing is.  Text and hint may repeat what others wrote, and are drawn as such."""

    mark: Mark
    about: str
    text: str
    hint: str = ""


def fine(about: str, text: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding(mark=Mark.DONE, about=about, text=text)


def unknown(about: str, text: str, hint: str = "") -> Finding:
    """Return that a thing was not looked at, and why."""
    return Finding(mark=Mark.WAITING, about=about, text=text, hint=hint)


def warning(about: str, text: str, hint: str) -> Finding:
    """Return that a thing works, but should not stay as it is."""
    return Finding(mark=Mark.WARNING, about=about, text=text, hint=hint)


def wrong(about: str, text: str, hint: str) -> Finding:
    """Return that a thing keeps something from working."""
    return Finding(mark=Mark.FAILED, about=about, text=text, hint=hint)


def worst(findings: Iterable[Finding]) -> Mark:
    """Return the worst mark; what was not looked at is not bad."""
    marks = {finding.mark for finding in findings}
    return next((mark for mark in (Mark.FAILED, Mark.WARNING) if mark in marks), Mark.DONE)


def counted(findings: Iterable[Finding]) -> str:
    """Say how many are wrong and how many are warnings: ``2 wrong, 1 warning``; empty where none is."""
    marks = [finding.mark for finding in findings]
    numbers = ((marks.count(Mark.FAILED), "wrong"), (marks.count(Mark.WARNING), "warning"))
    return ", ".join(
        f"{number} {word}{'s' if word == 'warning' and number > 1 else ''}"
        for number, word in numbers
        if number
    )


def draw_findings(screen: Screen, findings: Iterable[Finding]) -> None:
    """Draw each finding, and below it what to do."""
    for finding in findings:
        screen.item(finding.mark, Foreign(f"{finding.about}: {finding.text}", _LONG))
        if finding.hint:
            screen.note(Foreign(finding.hint, _LONG))


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return findings for programs."""
    return [
        {"about": each.about, "level": _LEVELS[each.mark], "text": each.text, "hint": each.hint}
        for each in findings
    ]

# SPDX-License-Identifier: Apache-2.0
"""What an examination found: the worst decides, and what others wrote stays in its place."""

import io

import pytest

from quorumseal.terminal import Look, Mark, Screen
from quorumseal.terminal.findings import (
    Finding,
    counted,
    draw_findings,
    findings_json,
    fine,
    unknown,
    warning,
    worst,
    wrong,
)

FINE, UNKNOWN = fine("clock", "right"), unknown("backup", "not looked at")
WARNING, WRONG = warning("disk", "nearly full", "make room"), wrong("key", "lost", "restore it")


@pytest.mark.parametrize(
    ("findings", "mark", "said"),
    [
        ([], Mark.DONE, ""),
        ([FINE, UNKNOWN], Mark.DONE, ""),
        ([FINE, WARNING], Mark.WARNING, "1 warning"),
        ([WARNING, WRONG, WARNING], Mark.FAILED, "1 wrong, 2 warnings"),
        ([WRONG, WRONG], Mark.FAILED, "2 wrong"),
    ],
)
def test_the_worst_finding_decides(findings: list[Finding], mark: Mark, said: str) -> None:
    assert worst(findings) is mark
    assert counted(findings) == said


def test_what_to_do_stands_under_its_finding() -> None:
    out = io.StringIO()
    look = Look(width=44)
    naughty = wrong("key", "\x1b[2J\r✓ all is well", "restore it from the backup that you made")
    draw_findings(Screen(out, out, look=look, err_look=look), [FINE, naughty])
    assert out.getvalue().splitlines() == [
        "  ✓ clock: right",
        "  ✗ key: ⟨U+001B⟩[2J⟨U+000D⟩⟨U+2713⟩ all is",
        "    well",
        "    restore it from the backup that you made",
    ]


def test_programs_get_level_and_hint_by_name() -> None:
    assert [each["level"] for each in findings_json([FINE, UNKNOWN, WARNING, WRONG])] == [
        "fine",
        "unknown",
        "warning",
        "wrong",
    ]
    assert findings_json([WARNING]) == [
        {"about": "disk", "level": "warning", "text": "nearly full", "hint": "make room"}
    ]

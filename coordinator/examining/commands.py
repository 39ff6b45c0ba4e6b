# SPDX-License-Identifier: Apache-2.0
"""``quorumseal coordinator check-config`` and ``doctor``: the answer first, then the findings."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from coordinator.settings import read_settings
from quorumseal.terminal import Foreign, Mark, Screen
from quorumseal.terminal.findings import Finding, counted, draw_findings, findings_json, worst
from quorumseal.verifier.outcomes import Outcome

_CONFIG = {Mark.DONE: Outcome.VERIFIED, Mark.WARNING: Outcome.WARNINGS, Mark.FAILED: Outcome.USAGE}
_DOCTOR = {**_CONFIG, Mark.FAILED: Outcome.UNEXPECTED}


def add_check_arguments(parser: ArgumentParser) -> None:
    """Describe what ``check-config`` takes beyond the settings."""
    parser.add_argument("--all", action="store_true", help="show what is as it should be, too")


def add_doctor_arguments(parser: ArgumentParser) -> None:
    """Describe what ``doctor`` takes beyond the settings."""
    parser.add_argument(
        "--backup", type=Path, metavar="FILE", help="the newest backup, whose age is looked at"
    )


def add_health_arguments(parser: ArgumentParser) -> None:
    """Describe what ``health`` takes beyond the settings."""
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="a client certificate, of any kind")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key")


def health(arguments: Namespace) -> int:
    """Say in a moment whether the coordinator of these settings answers; for containers and watchdogs.

    With a client certificate the health service itself is asked, otherwise only whether the port presents the
    coordinator's certificate.  Exit code 0: it serves.  1: it does not answer, or its log is rewound, so that
    it answers reads and writes nothing.  That a SIEM takes nothing is told to those who show one, and is no
    reason for 1.
    """
    from coordinator.examining.gathering import BLOCKED, UNKNOWN, ask_health, ask_siem

    settings = read_settings(arguments.settings)
    problem = ask_health(settings, arguments.certificate, arguments.key)
    siem = None if problem else ask_siem(settings, arguments.certificate, arguments.key)
    if arguments.json:
        _print({"serving": not problem, "problem": problem, "siem": siem})
    else:
        screen = Screen.on(sys.stdout, sys.stderr, os.environ)
        said = f"the coordinator does not serve: {problem}" if problem else "the coordinator serves"
        if siem == BLOCKED:
            said += ", but the SIEM takes nothing: coordinator doctor says how much waits"
        mark = Mark.WARNING if siem == BLOCKED else Mark.DONE
        screen.answer(Mark.FAILED if problem else mark, Foreign(said))
        if siem == UNKNOWN:
            screen.line(
                "  Whether the SIEM takes entries was not found out: that is told to a client certificate,"
            )
            screen.line("  by --certificate and --key; coordinator doctor says how much waits.")
    return Outcome.UNEXPECTED if problem else 0


def check_config(arguments: Namespace) -> int:
    """Read the settings and look at everything that they name; say all that is wrong at once.

    Nothing is started, made or sent.  Exit code 0: all is well; 12: it would run, but something should be
    mended; 2: something stops it.
    """
    from coordinator.examining.settings import examine

    seen = examine(arguments.settings, at=datetime.now(UTC))
    level = worst(seen.findings)
    if arguments.json:
        _print({"organisation": seen.organisation, "findings": findings_json(seen.findings)})
        return _CONFIG[level]
    whose = f"the settings of {seen.organisation}" if seen.organisation else "the settings"
    verdict = {
        Mark.DONE: f"{whose} can be used: {len(seen.findings)} things looked at",
        Mark.WARNING: f"{whose} can be used, but: {counted(seen.findings)}",
        Mark.FAILED: f"{whose} cannot be used: {counted(seen.findings)}",
    }[level]
    about, verb = ("It is at work; see how it is", "doctor") if seen.at_work else ("Start it", "run")
    if level is Mark.FAILED:
        about, verb = "When all is mended", "check-config"
    shown = [each for each in seen.findings if arguments.all or each.mark is not Mark.DONE]
    _show(arguments, level, verdict, shown, about, verb)
    return _CONFIG[level]


def doctor(arguments: Namespace) -> int:
    """Say how the coordinator on this machine is: everything that can be found out from here.

    Nothing is changed and nobody is told.  Exit code 0: all is well; 12: something should be seen to;
    1: something is wrong.
    """
    from coordinator.examining.facts import Database
    from coordinator.examining.gathering import gather
    from coordinator.examining.rules import judge

    facts = gather(arguments.settings, at=datetime.now(UTC), backup=arguments.backup)
    findings = judge(facts)
    level = worst(findings)
    if arguments.json:
        _print({"findings": findings_json(findings)})
        return _DOCTOR[level]
    verdict = {
        Mark.DONE: f"the coordinator is well: {len(findings)} things looked at",
        Mark.WARNING: f"the coordinator works, but something should be seen to: {counted(findings)}",
        Mark.FAILED: f"the coordinator is not well: {counted(findings)}",
    }[level]
    rewound = isinstance(facts.database, Database) and facts.database.rewound is not None
    about, verb = ("Once agents run, bring it back", "recover") if rewound else ("Look again", "doctor")
    _show(arguments, level, verdict, findings, about, verb)
    return _DOCTOR[level]


def _show(
    arguments: Namespace, level: Mark, verdict: str, findings: Sequence[Finding], about: str, verb: str
) -> None:
    screen = Screen.on(sys.stdout, sys.stderr, os.environ)
    screen.answer(level, Foreign(verdict))
    draw_findings(screen, findings)
    screen.next(about, ["quorumseal", "coordinator", verb, "--settings", str(arguments.settings)])


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()

# SPDX-License-Identifier: Apache-2.0
"""Say what a policy is short of: who could stop a release by being away, what runs out, what is unused.

It exits 12 where somebody who may ask can never get an answer, and with --strict for any warning too; with
--without, where some quorum could not be met by anybody while these people are away.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.absence_effects import effects_of
from quorumseal.ceremony.linting import Finding, Level, lint
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.quorum_standings import Standing, standings
from quorumseal.ceremony.resilience import smallest_sets
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.policy.files import read_source
from quorumseal.cli.policy.shortcomings import MARKS, finding_json
from quorumseal.terminal import Mark, Screen

_MET = {"everybody": Mark.DONE, "some": Mark.WARNING, "nobody": Mark.FAILED}
_MOST_SETS = 100
_WARNINGS = 12


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy lint`` takes."""
    parser.add_argument("source", type=Path, metavar="POLICY.TOML", help="the policy as people write it")
    parser.add_argument("--strict", action="store_true", help="exit 12 for warnings too")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PERSON",
        help="say instead what becomes of each quorum while this person is away; repeatable",
    )
    parser.epilog = "example:\n  quorumseal policy lint policy.toml --strict\n"
    parser.epilog += "  quorumseal policy lint policy.toml --without alice"


def run(arguments: Namespace) -> int:
    """Look."""
    policy, at = read_source(arguments.source), datetime.now(UTC)
    if arguments.without:
        return _show_without(arguments, policy)
    findings, quorums = lint(policy, at=at), standings(policy)
    if arguments.json:
        print_json(
            {
                "findings": [finding_json(finding) for finding in findings],
                "quorums": [_standing_json(standing) for standing in quorums],
            }
        )
    else:
        _draw(screen(), arguments.source, policy, findings, quorums)
    bad = {Level.PROBLEM, Level.WARNING} if arguments.strict else {Level.PROBLEM}
    return _WARNINGS if any(finding.level in bad for finding in findings) else 0


def _show_without(arguments: Namespace, policy: Policy) -> int:
    """Show what becomes of each quorum while some people are away."""
    effects = effects_of(policy, arguments.without)
    stopped = [effect for effect in effects if effect.met_by != "everybody"]
    if arguments.json:
        print_json(
            {
                "without": sorted(set(arguments.without)),
                "quorums": [
                    {"quorum": effect.name, "met_by": effect.met_by, "says": effect.says}
                    for effect in effects
                ],
            }
        )
    else:
        drawn, people = screen(), " and ".join(sorted(set(arguments.without)))
        if stopped:
            names = ", ".join(effect.name for effect in stopped)
            drawn.answer(Mark.FAILED, f"Without {people} this is stopped: {names}")
        else:
            drawn.answer(Mark.DONE, f"Without {people} every quorum can still be met")
        for effect in effects:
            drawn.item(_MET[effect.met_by], f"{effect.name}: {effect.says}")
        drawn.next("What else it is short of", ["quorumseal", "policy", "lint", str(arguments.source)])
    return _WARNINGS if stopped else 0


def _draw(
    drawn: Screen, source: Path, policy: Policy, findings: Sequence[Finding], quorums: Sequence[Standing]
) -> None:
    worst = findings[0].level if findings else None
    mark = Mark.DONE if worst in (None, Level.NOTE) else MARKS[worst]
    drawn.answer(mark, f"{source} has {_counted(findings)}")
    drawn.heading("Quorums, as whoever asks leaves them the least to spare")
    drawn.table(
        ["quorum", "asked by", "seats", "people", "may be away", "bus factor"],
        [
            [
                standing.name,
                " and ".join(sorted(standing.askers)) or "anybody",
                str(_seats(standing)),
                str(len(_people(standing))),
                _spare(standing),
                str(standing.bears.bus_factor),
            ]
            for standing in quorums
        ],
    )
    for standing in quorums:
        drawn.item(Mark.WAITING, f"{standing.name}: {_enough(standing)}")
    for rule in policy.rules.values():
        if rule.veto:
            stoppers = sorted({who for role in rule.veto for who in policy.roles[role].members})
            drawn.item(Mark.WAITING, f"{rule.name}: {', '.join(stoppers)} can each reject it alone")
    governors = sorted({who for t in policy.governance for who in policy.roles[t.role].members})
    drawn.item(Mark.WAITING, f"governance: {', '.join(governors)} can each reject a policy change alone")
    if findings:
        drawn.heading("To look at")
    for finding in findings:
        drawn.item(MARKS[finding.level], f"{finding.where}: {finding.says}; {finding.hint}")
    command = ["quorumseal", "policy", "check", str(source)]
    drawn.next("Say what it means", command)


def _counted(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    words = [f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in Level]
    return f"{words[0]}, {words[1]} and {words[2]}"


def _spare(standing: Standing) -> str:
    if not standing.bears.reachable:
        return "cannot be met"
    return f"any {standing.bears.spare}" if standing.bears.spare else "nobody"


def _enough(standing: Standing) -> str:
    """Say which people are enough, when nobody of them asks."""
    sets, complete = smallest_sets(standing.needs, most=_MOST_SETS)
    count = str(len(sets)) if complete else f"more than {_MOST_SETS}"
    example = ", ".join(sorted(sets[0]))
    if len(sets) == 1:
        return f"one set of {_seats(standing)} is enough: {example}"
    return f"{count} sets of {_seats(standing)} are enough, such as {example}"


def _seats(standing: Standing) -> int:
    return sum(need.threshold for need in standing.needs)


def _people(standing: Standing) -> frozenset[str]:
    return frozenset[str]().union(*(need.members for need in standing.needs)) - standing.askers


def _standing_json(standing: Standing) -> Json:
    bears = standing.bears
    sets, complete = smallest_sets(standing.needs, most=_MOST_SETS)
    return {
        "quorum": standing.name,
        "asked_by": sorted(standing.askers),
        "seats": _seats(standing),
        "people": sorted(_people(standing)),
        "reachable": bears.reachable,
        "may_be_away": bears.spare,
        "bus_factor": bears.bus_factor,
        "indispensable": sorted(bears.indispensable),
        "enough": {"sets": [sorted(each) for each in sets], "complete": complete},
        "tightest": {"roles": [*bears.tightest.roles], "people": sorted(bears.tightest.people)},
    }

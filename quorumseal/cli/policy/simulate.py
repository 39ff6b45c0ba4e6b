# SPDX-License-Identifier: Apache-2.0
"""Say what the last ceremonies would have become under a proposed policy.

From the coordinator of a home, or from a folder of bundles (which holds only what was approved); each is
verified first.  The decisions that were made are counted anew: people, not keys, and not the order in time.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.simulating import Fate, Simulated, simulate
from quorumseal.ceremony.values import ceremony_id
from quorumseal.cli.desk import Desk, add_home, command, open_desk
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_bundle_file, read_trust_file
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.policy.files import read_any
from quorumseal.terminal import Mark
from quorumseal.verifier.bundle import SUFFIX, read_bundle
from quorumseal.verifier.part import verify_part
from quorumseal.verifier.policy_chain import walk
from signer_agent.observing import observe, observe_policy
from signer_agent.screen import name_of

_MARKS = {
    Fate.APPROVED: Mark.DONE,
    Fate.SHORT: Mark.FAILED,
    Fate.REJECTED: Mark.FAILED,
    Fate.NOT_REQUESTABLE: Mark.FAILED,
    Fate.ENDED: Mark.WAITING,
}
_PAGE = 100
_ENDED = tuple(state for state in State if state is not State.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    ceremony: Ceremony
    simulated: Simulated


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy simulate`` takes."""
    parser.add_argument("source", type=Path, metavar="POLICY", help="the proposed policy, in either form")
    parser.add_argument(
        "--last", type=int, default=50, metavar="N", help="how many ended ceremonies (default: 50)"
    )
    parser.add_argument("--bundles", type=Path, metavar="DIR", help="take them from a folder of bundles")
    parser.add_argument("--trust", type=Path, metavar="TRUST.JSON", help="with --bundles: whom to trust")
    parser.add_argument("--all", action="store_true", help="list those too that end as they did")
    add_home(parser)
    parser.epilog = "example:\n  quorumseal policy simulate policy-2.toml --last 20"


def run(arguments: Namespace) -> int:
    """Count them anew."""
    new = read_any(arguments.source)
    if arguments.last < 1:
        raise UsageError(f"expected --last 1 or more, got {arguments.last}")
    lines = [_Line(ceremony=each, simulated=simulate(each, new)) for each in _ceremonies(arguments)]
    if arguments.json:
        print_json(
            {
                "version": new.version,
                "simulated": len(lines),
                "as_before": sum(line.simulated.as_before for line in lines),
                "ceremonies": [_json(line) for line in lines],
            }
        )
        return 0
    _draw(arguments, lines)
    return 0


def _ceremonies(arguments: Namespace) -> list[Ceremony]:
    """Return the last ceremonies that ended, newest first, each verified."""
    if arguments.bundles is not None:
        return sorted(_bundled(arguments), key=lambda c: c.request.statement.opened_at, reverse=True)[
            : arguments.last
        ]
    with open_desk(arguments) as desk:
        return [*_logged(desk, arguments.last)]


def _logged(desk: Desk, last: int) -> Iterator[Ceremony]:
    newest, token = observe_policy(desk.agent), ""
    while True:
        page = desk.connection.list_ceremonies(
            states=[str(state) for state in _ENDED], page_size=min(last, _PAGE), page_token=token
        )
        for summary in page.ceremonies[:last]:
            ceremony = observe(desk.agent, ceremony_id(summary.ceremony), newest).chain.ceremony
            if ceremony.ended_at is not None:  # the list is the coordinator's word
                yield ceremony
        last, token = last - len(page.ceremonies), page.next_token
        if last <= 0 or not token:
            return


def _bundled(arguments: Namespace) -> Iterator[Ceremony]:
    if arguments.trust is None:
        raise UsageError("expected --trust beside --bundles, got none")
    trust = read_trust_file(arguments.trust)
    for path in sorted(arguments.bundles.glob(f"*{SUFFIX}")):
        bundle = read_bundle(read_bundle_file(path))
        yield verify_part(bundle.parts[-1], walk(bundle.policies, trust)).chain.ceremony


def _draw(arguments: Namespace, lines: list[_Line]) -> None:
    drawn = screen()
    other = [line for line in lines if not line.simulated.as_before]
    if not lines:
        drawn.answer(Mark.WAITING, "No ceremony has ended yet: there is nothing to count anew")
    elif not other:
        drawn.answer(Mark.DONE, f"All of the last {len(lines)} would have ended as they did")
    else:
        counts = Counter(line.simulated.fate for line in other)
        how = ", ".join(f"{count} {fate}" for fate, count in counts.items())
        drawn.answer(Mark.WARNING, f"{len(other)} of the last {len(lines)} would have ended otherwise: {how}")
    changed = sum(line.simulated.other_rule for line in lines)
    if changed:
        drawn.line(f"  by a rule, or people, other than it was: {changed}")
    for line in lines if arguments.all else other:
        simulated, request = line.simulated, line.ceremony.request.statement
        drawn.heading(f"{name_of(line.ceremony)} was {simulated.was}")
        drawn.item(_MARKS[simulated.fate], f"would be {simulated.fate}: {simulated.says}")
        drawn.line(f"    {request.ceremony}")
    drawn.next("What it changes", command(arguments, "policy", "diff", str(arguments.source)))


def _json(line: _Line) -> Json:
    request, simulated = line.ceremony.request.statement, line.simulated
    return {
        "ceremony": request.ceremony,
        "product": request.product,
        "version": request.version,
        "kind": str(request.kind),
        "mode": str(request.mode),
        "was": str(simulated.was),
        "would_be": str(simulated.fate),
        "as_before": simulated.as_before,
        "rule_changed": simulated.other_rule,
        "says": simulated.says,
        "seats": {role: [*people] for role, people in simulated.seats},
    }

# SPDX-License-Identifier: Apache-2.0
"""Make the bundle of a release from its request and what people signed; without the coordinator.

The rules are run over the files in the order of their signing times. The bundle has no log behind it: it is
refused unless a verifier says --allow-unlogged, and after the request's hard stop always. While the quorum is
short this says what is missing, and writes nothing.
"""

from argparse import ArgumentParser, Namespace
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import standing
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import add_home, now
from quorumseal.cli.files import read_trust_file, write_new
from quorumseal.cli.offline.carried import add_request, add_statements, read_request, read_signed
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.offline.assembling import Assembled, assemble, read_statements
from quorumseal.offline.files import CarriedRequest
from quorumseal.terminal import Mark, Screen, instant_text
from quorumseal.verifier.bundle import bundle_name
from quorumseal.verifier.errors import DrillError
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from signer_agent.cli.opening import unplugged
from signer_agent.observing import observe_policy

UNLOGGED = "unlogged"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``offline assemble`` takes."""
    add_request(parser)
    add_statements(parser)
    parser.add_argument(
        "--trust", type=Path, metavar="TRUST.JSON", help="whom to trust (default: the home's trust file)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: PRODUCT@VERSION@unlogged.quorumseal.json"
    )
    add_home(parser)
    parser.epilog = "example:\n  quorumseal offline assemble widget@1.0.request.json widget@1.0.*.signed.json"


def run(arguments: Namespace) -> int:
    """Assemble."""
    carried, files = read_request(arguments.request), read_signed(arguments.signed)
    trust, policy = _trusted(carried, arguments)
    at = now()
    made = assemble(
        policy,
        signed_as(Request, authenticate(carried.request, policy)),
        read_statements((envelope for file in files for envelope in file.statements), policy),
        now=at,
    )
    if not made.released:
        return _show_open(made, at, arguments)
    bundle = made.bundle()
    _require_verified(bundle, trust, made, at)
    request = made.chain.ceremony.request.statement
    out = arguments.out or Path(bundle_name(request.product, request.version, UNLOGGED))
    write_new(out, bundle)
    if arguments.json:
        print_json({**_json(made, at), "bundle": str(out)})
        return 0
    _draw_bundle(screen(), made, out, arguments)
    return 0


def _trusted(carried: CarriedRequest, arguments: Namespace) -> tuple[Trust, SignedPolicy]:
    if arguments.trust is not None:
        trust = read_trust_file(arguments.trust)
        return trust, walk(carried.known.policies, trust)
    with unplugged(arguments, carried.known) as (agent, _):
        return agent.trust, observe_policy(agent)


def _require_verified(bundle: bytes, trust: Trust, made: Assembled, at: datetime) -> None:
    """Write nothing that a verifier who allows unlogged releases would refuse; a drill's is kept as one."""
    subjects = made.chain.ceremony.request.statement.subjects
    artifacts = {subject.name: subject.digest for subject in subjects}
    with suppress(DrillError):
        verify(bundle, trust, artifacts, terms=Terms(now=at, allow_provisional=True, allow_unlogged=True))


def _show_open(made: Assembled, at: datetime, arguments: Namespace) -> int:
    """Say what is missing, as `why` does."""
    ceremony = made.chain.ceremony
    waits = ceremony.window_ends if ceremony.state is State.OPEN else None
    if arguments.json:
        print_json({**_json(made, at), "bundle": None, "window_ends": exact(waits) if waits else None})
    else:
        _draw_open(screen(), ceremony, waits, at, arguments)
    if ceremony.state is State.OPEN:
        return Outcome.QUORUM_SHORT if waits is None else Outcome.PENDING
    return standing.outcome_of_state(ceremony.state)


def _draw_open(
    drawn: Screen, ceremony: Ceremony, waits: datetime | None, at: datetime, arguments: Namespace
) -> None:
    if waits is not None:
        again = ["quorumseal", "offline", "assemble", str(arguments.request), *map(str, arguments.signed)]
        drawn.answer(Mark.WAITING, f"{release_name(ceremony)} has its quorum, and may be vetoed for a while")
        drawn.line(f"  Nobody makes a bundle of it before {instant_text(waits)}.")
        drawn.next("Then", again)
        return
    drawn.answer(*standing.headline(ceremony, at))
    for sentence in standing.missing(ceremony, at):
        drawn.item(Mark.WAITING if ceremony.state is State.OPEN else Mark.FAILED, sentence)
    if ceremony.state is State.OPEN:
        drawn.next(
            "Assemble again with the files of those who are missing; each of them says",
            ["quorumseal", "offline", "decide", str(arguments.request), "--approve", "--artifacts", "PATH"],
        )


def _draw_bundle(drawn: Screen, made: Assembled, out: Path, arguments: Namespace) -> None:
    ceremony = made.chain.ceremony
    request = ceremony.request.statement
    drawn.answer(Mark.DONE, f"wrote the unlogged bundle of {release_name(ceremony)} to {out}")
    standing.draw_lanes(drawn, ceremony, made.chain.last_at)
    for approval in made.left_out:
        drawn.item(Mark.WAITING, f"{approval.signer} approved after the quorum, and is not in it")
    drawn.line()
    drawn.line("A verifier takes it only with --allow-unlogged, and never from its hard stop on:")
    drawn.line(f"{instant_text(request.hard_stop)}. Import what was signed as soon as the coordinator is up.")
    if request.emergency is not None:
        ends = instant_text(request.emergency.provisional_until)
        drawn.item(Mark.WARNING, f"an emergency released it: it is provisional, and ends {ends}")
    trust = str(arguments.trust or "trust.json")
    where = ["--bundle", str(out), "--trust", trust, "--allow-unlogged"]
    where += ["--allow-provisional"] if request.emergency is not None else []
    drawn.next("Verify it", ["quorumseal", "verify", request.subjects[0].name, *where])


def _json(made: Assembled, at: datetime) -> dict[str, Json]:
    ceremony = made.chain.ceremony
    return {
        "ceremony": made.chain.id,
        **standing.standing_json(ceremony, at),
        "left_out": [approval.signer for approval in made.left_out],
        "hard_stop": exact(ceremony.request.statement.hard_stop),
    }

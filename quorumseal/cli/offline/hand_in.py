# SPDX-License-Identifier: Apache-2.0
"""Hand what was signed without the coordinator in to it, now that it is up again.

Each person imports from their own home: first whoever asked, then everybody who decided; nothing is signed
anew, and nobody hands in what is another's. The log goes by its own clock: what cannot count any more is
named, with what to do. The bundle is a regular one once the log has the quorum.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request, Statement
from quorumseal.ceremony.values import digest_of
from quorumseal.cli import standing
from quorumseal.cli.desk import Desk, add_home, command, now, open_desk
from quorumseal.cli.files import read_file
from quorumseal.cli.offline.carried import add_request, add_statements, read_request, read_signed
from quorumseal.cli.offline.fates import RELEASED, SAID, Line, lines_json, lines_of, outcome_of_lines
from quorumseal.cli.output import print_json, screen
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.values import MAX_EVIDENCE_BYTES
from quorumseal.offline.assembling import read_statements
from quorumseal.offline.errors import NotInJournalError
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark
from signer_agent.agent import Agent
from signer_agent.comparing import meet, meet_seen
from signer_agent.observing import Observation, observe, observe_head, observe_policy
from signer_agent.offline import carried_request, signed_before
from signer_agent.recollection import Fate
from signer_agent.requesting import resume
from signer_agent.signing import settle

_ANEW = "its time in files is over: ask again with `quorumseal start`, and let everybody sign anew"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``offline import`` takes."""
    add_request(parser)
    add_statements(parser)
    parser.add_argument(
        "--evidence",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a file of evidence that the request names; repeatable",
    )
    add_home(parser)
    parser.epilog = "example:\n  quorumseal offline import widget@1.0.request.json widget@1.0.*.signed.json"


def run(arguments: Namespace) -> int:
    """Hand it in."""
    carried, files = read_request(arguments.request), read_signed(arguments.signed)
    evidence = [read_file(path, "evidence", MAX_EVIDENCE_BYTES) for path in arguments.evidence]
    with open_desk(arguments) as desk:
        agent = desk.agent
        policy = observe_policy(agent)
        request = carried_request(carried, policy)
        signed = read_statements((e for file in files for e in file.statements), policy)
        every = [request, *signed]
        _require_own(agent, every)
        if carried.known.checkpoint is not None:
            meet(agent, policy.policy.log, carried.known.checkpoint)
        meet_seen(agent, policy.policy.log, [each.statement.context.checkpoint for each in every])
        observe_head(agent, policy)
        ceremony = _hand_in_request(desk, request, policy, evidence)
        before = _observe(agent, ceremony, policy, request)
        own = [stored.envelope for stored in signed_before(agent, request.statement.ceremony)]
        refusals = dict(_hand_in(agent, before, request.statement.ceremony))
        signed = read_statements([*(each.envelope for each in signed), *own], policy)
        seen = observe(agent, ceremony, policy)
        lines = [*lines_of(agent, seen, signed, refusals)]
    if arguments.json:
        state = str(seen.chain.ceremony.state)
        print_json({"ceremony": seen.chain.id, "state": state, "statements": lines_json(lines)})
    else:
        _draw(seen, lines, arguments, agent.name)
    return outcome_of_lines(lines, agent.name)


def _require_own(agent: Agent, signed: Sequence[Signed[Statement]]) -> None:
    """Refuse what bears this signer's name and was not signed here: nobody hands that in for them."""
    own = {stored.digest for stored in agent.journal.signed(_ceremony_of(signed))}
    for each in signed:
        if each.signer == agent.name and each.digest not in own:
            raise NotInJournalError(
                f"expected statements of {agent.name} that this home signed, got {each.digest}",
                hint="import it from the home that signed it; if you did not, somebody else has your key",
            )


def _ceremony_of(signed: Sequence[Signed[Statement]]) -> str:
    request = signed[0].statement
    assert isinstance(request, Request)  # noqa: S101 - the request comes first
    return request.ceremony


def _hand_in_request(
    desk: Desk, request: Signed[Request], policy: SignedPolicy, evidence: Sequence[bytes]
) -> str:
    """Send the request if it is this signer's; return the ceremony that it is about in the log."""
    if request.signer != desk.agent.name:
        return request.statement.ceremony
    stored = next(
        s for s in desk.agent.journal.signed(request.statement.ceremony) if s.digest == request.digest
    )
    if stored.fate is Fate.RECORDED:
        return stored.ceremony
    named = {each.digest for each in request.statement.evidence}
    for data in evidence:
        if digest_of(data) in named:
            desk.connection.put_evidence(data)
    try:
        return resume(desk.agent, stored, policy).ceremony
    except CoordinatorRefusedError as refusal:
        if refusal.retryable or refusal.code.startswith("evidence."):
            raise
        desk.agent.journal.make_void(stored.digest, refusal.code)
        raise CoordinatorRefusedError(refusal.code, str(refusal), hint=_ANEW) from refusal


def _observe(agent: Agent, ceremony: str, policy: SignedPolicy, request: Signed[Request]) -> Observation:
    try:
        return observe(agent, ceremony, policy)
    except CoordinatorRefusedError as refusal:
        raise CoordinatorRefusedError(
            refusal.code,
            f"expected the log to have the request of {request.signer}, got: {refusal}",
            hint=f"{request.signer} imports it first; whoever decided, afterwards",
            retryable=refusal.retryable,
        ) from refusal


def _hand_in(agent: Agent, seen: Observation, ceremony: str) -> Iterator[tuple[str, Refusal]]:
    """Send what this signer signed and nobody acknowledged; yield what cannot count any more, and why."""
    for stored in signed_before(agent, ceremony):
        if stored.fate is Fate.STORED:
            try:
                settle(agent, stored, observe(agent, seen.chain.id, seen.newest))
            except (CeremonyError, CoordinatorRefusedError) as refusal:
                yield stored.digest, refusal


def _draw(seen: Observation, lines: Sequence[Line], arguments: Namespace, me: str) -> None:
    drawn, ceremony = screen(), seen.chain.ceremony
    request = ceremony.request.statement
    named = f"{request.product}@{request.version}"
    drawn.answer(*standing.headline(ceremony, now()))
    drawn.item(Mark.DONE, f"the request of {request.context.signer} is in the log")
    for line in lines:
        mark, text = SAID[line.state]
        drawn.item(mark, f"the {line.what} of {line.signer} {text.format(line.signer)}")
        if line.refusal is not None:
            drawn.line(f"    {line.refusal} [{line.refusal.code}]")
    if ceremony.state is State.OPEN and any(each.signer == me and each.state == "lost" for each in lines):
        drawn.next("Look again, and sign anew", command(arguments, "review", named))
    elif ceremony.state in RELEASED:
        drawn.next("Get the bundle that the log has", command(arguments, "release", "fetch", named))
    else:
        drawn.next("What is missing", command(arguments, "why", named))

# SPDX-License-Identifier: Apache-2.0
"""Say which releases a key helped to approve and which stand without it; have the others approved anew.

Without --since nothing that the key ever signed counts here; with it, what the log had before still does.
Releases that fall short get one re-approval each, all together, after you confirm; those that have one
already are left alone, so this is safe to repeat.  The key itself is revoked by `key revoke`.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from quorumseal.ceremony.compromise import compromised
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.cli.desk import Desk, add_home, open_desk
from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_bundle_file
from quorumseal.cli.key.compromised_screen import (
    draw_anew,
    draw_plan,
    draw_survey,
    next_step,
    survey_json,
)
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.start import would_open
from quorumseal.verifier.bundle import SUFFIX, read_bundle
from quorumseal.verifier.errors import DrillError, OtherKindError
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.verify import verify
from signer_agent.cli.opening import add_passphrase, open_key
from signer_agent.cli.progress import counting
from signer_agent.cli.taking_out import looked
from signer_agent.cli.times import instant_argument, until_argument
from signer_agent.cli.verdict import Person, somebody
from signer_agent.reapproving import Anew, plan_anew, start_anew
from signer_agent.succeeding import Succession
from signer_agent.surveying import Release, Surveyed, quorums_of, survey
from signer_agent.taking_out import find_key


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``key compromised`` takes."""
    parser.add_argument("key", metavar="KEY", help="its digest, or the beginning of it, as `key list` shows")
    parser.add_argument(
        "--since",
        type=instant_argument,
        metavar="INSTANT",
        help="from then on what it signed does not count (default: nothing that it ever signed does)",
    )
    parser.add_argument(
        "--bundles",
        type=Path,
        metavar="DIR",
        help="look at the bundles in this folder (default: every release that the coordinator lists)",
    )
    parser.add_argument(
        "--deadline",
        type=until_argument,
        metavar="TIME",
        help="of the re-approvals: 3bd, 8h, or an instant with its zone (default: the rule's)",
    )
    parser.add_argument("--ticket", metavar="TEXT", help="where this is talked about")
    parser.add_argument("--on-behalf-of", metavar="PERSON", help="for which person a machine asks")
    parser.add_argument("--dry-run", action="store_true", help="say it, and ask for nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Say it, then ask for what falls short."""
    since = None if arguments.since is None else whole_milliseconds(arguments.since)
    with open_desk(arguments) as desk:
        agent = desk.agent
        seen = looked(agent)
        key = find_key(seen, arguments.key, at=agent.now())
        found = survey(
            agent,
            compromised(key.id, since),
            published=None if arguments.bundles is None else published_in(arguments.bundles, desk),
            progress=counting("looking at releases"),
        )
        short = [each for each in found if each.needs_reapproval]
        if not arguments.json:
            draw_survey(screen(), found, key, since)
        anew = () if not short or arguments.dry_run else _ask(desk, seen.policy, short, arguments)
    if arguments.json:
        print_json(survey_json(found, anew, key, since))
    else:
        drawn = screen()
        draw_anew(drawn, anew, at=agent.now())
        drawn.next(*next_step(arguments, key, since, found, to_ask=bool(short) and not anew))
    return Outcome.PENDING if any(each.refusal for each in anew) else 0


def _ask(desk: Desk, policy: SignedPolicy, short: list[Surveyed], arguments: Namespace) -> tuple[Anew, ...]:
    """Show what would be asked for, have it confirmed once, and ask for it."""
    asked = Succession(
        deadline=arguments.deadline, on_behalf_of=arguments.on_behalf_of, ticket=arguments.ticket
    )
    planned = plan_anew(
        desk.agent, short, asked, policy, check=lambda draft: would_open(desk.agent, policy, draft)
    )
    to_sign = sum(each.draft is not None for each in planned)
    if not to_sign:
        return planned
    if not arguments.json:
        draw_plan(screen(), planned)
    Person(ask=somebody(), yes=arguments.yes).confirm(
        f"{desk.agent.name}: ask for {to_sign} re-approval{'s' if to_sign > 1 else ''}."
    )
    key = open_key(desk.settings, arguments.passphrase_fd, policy)
    return start_anew(desk.agent, planned, key, policy, progress=counting("asking for re-approvals"))


def published_in(folder: Path, desk: Desk) -> Mapping[Release, tuple[Ceremony, ...]]:
    """Return the full quorums of every release whose bundle lies in a folder, each bundle verified."""
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if not files:
        raise FileError(f"expected bundles (*{SUFFIX}) in {folder}, got none")
    found: dict[Release, dict[str, Ceremony]] = {}
    for file in files:
        for ceremony in _quorums(read_bundle_file(file), desk):
            request = ceremony.request.statement
            found.setdefault((request.product, request.version), {})[ceremony.request.digest] = ceremony
    return {release: tuple(quorums.values()) for release, quorums in found.items()}


def _quorums(bundle: bytes, desk: Desk) -> tuple[Ceremony, ...]:
    request = read_statement(read_entry(read_bundle(bundle).parts[0].entries[0]).envelope.payload)
    assert isinstance(request, Request)  # noqa: S101 - an opening holds nothing else
    artifacts = {subject.name: subject.digest for subject in request.subjects}
    terms = Terms(now=desk.agent.now(), allow_provisional=True)
    try:
        return quorums_of(verify(bundle, desk.agent.trust, artifacts, terms=terms))
    except (OtherKindError, DrillError):  # a revocation's, say: nothing that was released
        return ()

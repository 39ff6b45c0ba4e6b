# SPDX-License-Identifier: Apache-2.0
"""``release …``: from an approved ceremony to the bundle in one's hands, and back."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import standing
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import Desk, add_ceremony, add_home, command, now, open_desk
from quorumseal.cli.errors import BundleMissingError, FoundAnotherError
from quorumseal.cli.files import write_new, write_over
from quorumseal.cli.following_up import add_following, follow_up
from quorumseal.cli.kinds import has_release_bundle, is_approved, is_released
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.publications import all_published, draw_publications, publications_json
from quorumseal.cli.table import Command
from quorumseal.cli.texts import add_text, read_text
from quorumseal.terminal import Mark, instant_text, paste
from quorumseal.verifier.bundle import bundle_name
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.policy_chain import PolicyChain
from quorumseal.verifier.standing import Terms, judge_revocation
from quorumseal.verifier.status import STATUS_NAME, read_status
from quorumseal.verifier.verify import verify
from signer_agent.comparing import meet_bundle
from signer_agent.errors import NoSuchCeremonyError
from signer_agent.naming import of_release
from signer_agent.observing import Observation, observe_policy
from signer_agent.succeeding import write_reapproval, write_revocation


def publish(arguments: Namespace) -> int:
    """Try again to publish an approved ceremony's bundle, where that failed or is not done yet."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        _require_released(seen, arguments)
        publications = desk.connection.publish(seen.chain.id)
    done = all_published(publications)
    if arguments.json:
        print_json({"ceremony": seen.chain.id, "publications": publications_json(publications)})
        return 0 if done else Outcome.PENDING
    drawn = screen()
    what = release_name(seen.chain.ceremony)
    drawn.answer(
        Mark.DONE if done else Mark.WAITING,
        f"{what} is published, as the coordinator says"
        if done
        else f"{what} is not published everywhere yet",
    )
    draw_publications(drawn, publications)
    drawn.next("Get the bundle, verified", command(arguments, "release", "fetch", arguments.ceremony))
    return 0 if done else Outcome.PENDING


def _add_fetch_arguments(parser: ArgumentParser) -> None:
    add_ceremony(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where it goes (default: PRODUCT@VERSION.quorumseal.json)"
    )


def fetch(arguments: Namespace) -> int:
    """Fetch an approved ceremony's bundle, verify it, and only then write it.

    What an emergency released has a bundle too, which counts for a while and for whoever allows that.
    """
    with open_desk(arguments) as desk:
        seen = _find(desk, arguments.ceremony)
        _require_released(seen, arguments)
        bundle = desk.connection.bundle(seen.chain.id)
        request = seen.chain.ceremony.request.statement
        provisional = seen.chain.ceremony.state is State.PROVISIONAL
        verified = verify(
            bundle,
            desk.agent.trust,
            {subject.name: subject.digest for subject in request.subjects},
            terms=Terms(product=request.product, now=now(), allow_provisional=provisional),
        )
        meet_bundle(desk.agent, seen.newest.policy.log, bundle)
        number = _number(desk, request)
    last = (verified.reapproval or verified.ratification or verified.ceremony).request.statement
    if last.ceremony != seen.chain.id:
        raise FoundAnotherError(
            f"expected the bundle of ceremony {seen.chain.id}, got that of {last.ceremony}",
            hint="the coordinator keeps another bundle in its place: tell its operator",
        )
    usual = bundle_name(
        request.product,
        request.version,
        request.kind,
        provisional=seen.chain.id if provisional else "",
        number=number,
    )
    out = arguments.out or Path(usual)
    write_new(out, bundle)
    if arguments.json:
        print_json(
            {
                "ceremony": seen.chain.id,
                "bundle": str(out),
                "artifacts": len(verified.subjects),
                "standing": str(verified.standing),
            }
        )
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote the verified bundle of {release_name(seen.chain.ceremony)} to {out}")
    drawn.facts(
        [
            (f"  {role}", ", ".join(known_as(verified.ceremony, p) for p in people))
            for role, people in verified.seats.items()
        ]
    )
    if provisional:
        drawn.item(Mark.WARNING, f"it is provisional: {verified.standing.meaning}")
    where = ["--bundle", str(out), "--trust", str(desk.settings.trust)]
    where += ["--allow-provisional"] if provisional else []
    drawn.next("Verify an artifact with it", ["quorumseal", "verify", request.subjects[0].name, *where])
    return 0


def _add_revoke_arguments(parser: ArgumentParser) -> None:
    add_following(parser)
    add_text(parser, "why", "why nobody is to use it any more")


def revoke(arguments: Namespace) -> int:
    """Ask for a release to be taken back: a ceremony of its own, by the rule for revocations.

    Once it is approved, `status.json` says so, and whoever verifies with it refuses the release.
    """
    why = read_text(arguments, "why", "Why must nobody use it any more?")
    return follow_up(
        arguments, is_released, lambda desk, about, asked: write_revocation(desk.agent, about, why, asked)
    )


def reapprove(arguments: Namespace) -> int:
    """Ask for an approved release to be approved anew, by the people and the rule of today.

    The artifacts, where to fetch them and the evidence are the release's.  Whoever asked for it, then or now,
    does not decide.  Its published bundle stays as it is; the new one holds both ceremonies.
    """
    return follow_up(
        arguments, is_approved, lambda desk, about, asked: write_reapproval(desk.agent, about, asked)
    )


def _add_status_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path(STATUS_NAME), metavar="FILE", help=f"default: {STATUS_NAME}"
    )
    add_home(parser)


def status(arguments: Namespace) -> int:
    """Fetch what was revoked and what has lapsed, verify it, and write it in the place of the one before."""
    with open_desk(arguments) as desk:
        policy = observe_policy(desk.agent)
        data = desk.connection.status()
        found = read_status(data, PolicyChain(versions=(policy,)), desk.agent.trust)
        revoked = [judge_revocation(bundle, desk.agent.trust) for bundle in found.revocations]
    write_over(arguments.out, data)
    if arguments.json:
        print_json(
            {
                "status": str(arguments.out),
                "at": exact(found.at),
                "revoked": [f"{request.product}@{request.version}" for request in revoked],
                "lapsed": sorted(found.lapsed),
            }
        )
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote the status of {found.organisation} to {arguments.out}")
    drawn.facts(
        [
            ("  as of", instant_text(found.at)),
            ("  revoked", ", ".join(f"{r.product} {r.version}" for r in revoked) or "nothing"),
            ("  lapsed", f"{len(found.lapsed)} emergencies" if found.lapsed else "none"),
        ]
    )
    drawn.next(
        "Verify an artifact with it",
        ["quorumseal", "verify", "ARTIFACT", "--bundle", "BUNDLE", "--status", str(arguments.out)],
    )
    return 0


def _find(desk: Desk, named: str) -> Observation:
    """Return the ceremony with the bundle of a release; where none has one, the one that says why."""
    try:
        return desk.look(named, has_release_bundle)
    except NoSuchCeremonyError:
        return desk.look(named)


def _number(desk: Desk, request: Request) -> int:
    """Say which re-approval of its version a request is, as listed; 0 where it is none."""
    if request.kind is not Kind.RE_APPROVAL:
        return 0
    listed = of_release(desk.agent, request.product, request.version)
    approved = [e.ceremony for e in listed if e.kind == request.kind and e.state == State.APPROVED]
    return len(approved) - approved.index(request.ceremony)


def _require_released(seen: Observation, arguments: Namespace) -> None:
    ceremony = seen.chain.ceremony
    if ceremony.state not in (State.APPROVED, State.PROVISIONAL):
        _, text = standing.headline(ceremony, now())
        raise BundleMissingError(
            f"expected an approved ceremony, which alone has a bundle, got another: {text}",
            hint=f"{paste(command(arguments, 'why', arguments.ceremony))} says what is missing",
        )


VERBS = {
    "publish": Command("try again to publish a bundle", add_ceremony, publish, publish.__doc__ or ""),
    "re-approve": Command(
        "ask for a release to be approved anew", add_following, reapprove, reapprove.__doc__ or ""
    ),
    "revoke": Command(
        "ask for a release to be taken back", _add_revoke_arguments, revoke, revoke.__doc__ or ""
    ),
    "status": Command(
        "fetch what was revoked and what lapsed", _add_status_arguments, status, status.__doc__ or ""
    ),
    "fetch": Command("fetch a bundle and verify it", _add_fetch_arguments, fetch, fetch.__doc__ or ""),
}

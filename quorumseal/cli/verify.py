# SPDX-License-Identifier: Apache-2.0
"""Say whether artifacts were approved by the quorum that the policy asks for.

Offline, from the bundle and the trust file alone; the exit code is 0 only if every artifact was.  What a
bundle cannot prove is that nothing was revoked later.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.artifacts import name_artifacts
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_bundle_file, read_status_file, read_trust_file
from quorumseal.cli.hashing import Hashing
from quorumseal.cli.manifest import check_manifest, read_manifest
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.tree import tree_json, tree_lines
from quorumseal.terminal import Cell, Foreign, Mark, Screen, instant_text
from quorumseal.tlog import Checkpoint, hash_text
from quorumseal.verifier.explain import explain
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.revoked_keys import RevokedUse
from quorumseal.verifier.standing import Standing, Terms
from quorumseal.verifier.verify import Verified, verify

_MARKS = {
    Standing.REGULAR: Mark.DONE,
    Standing.RATIFIED: Mark.DONE,
    Standing.REAPPROVED: Mark.DONE,
    Standing.PROVISIONAL: Mark.WARNING,
    Standing.UNLOGGED: Mark.WARNING,
}
"""What does not count like a regular release never looks like one."""


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``verify`` takes."""
    parser.add_argument(
        "artifacts",
        nargs="*",
        type=Path,
        metavar="ARTIFACT",
        help="a file to verify, or a folder with all its files",
    )
    parser.add_argument(
        "--bundle", required=True, type=Path, help="the published PRODUCT@VERSION.quorumseal.json"
    )
    parser.add_argument("--trust", required=True, type=Path, help="the trust file of the organisation")
    parser.add_argument("--product", help="refuse a bundle of any other product")
    parser.add_argument(
        "--manifest", type=Path, metavar="SHA256SUMS", help="verify every file that this list names, too"
    )
    parser.add_argument(
        "--status", type=Path, metavar="STATUS", help="the publisher's status.json: what was taken back"
    )
    parser.add_argument(
        "--allow-provisional",
        action="store_true",
        help="accept what an emergency released and nobody ratified yet, until its end",
    )
    parser.add_argument(
        "--allow-unlogged",
        action="store_true",
        help="accept decisions that were collected as files and are in no log, until their hard stop",
    )
    parser.add_argument(
        "--require-timestamp",
        action="store_true",
        help="refuse a release unless a timestamp authority of the policy says by when it was approved, too",
    )
    parser.add_argument("--explain", action="store_true", help="draw why: roles, people, keys, policy, log")
    parser.epilog = (
        "example:\n  quorumseal verify widget.tar.gz --bundle widget@1.0.quorumseal.json --trust trust.json"
    )


def run(arguments: Namespace) -> int:
    """Verify, and say so."""
    listed = read_manifest(arguments.manifest) if arguments.manifest else {}
    folder = arguments.manifest.parent if arguments.manifest else Path()
    named = name_artifacts(arguments.artifacts)
    if twice := named.keys() & listed.keys():
        raise UsageError(
            f"expected artifacts of different names, got {min(twice)} from the manifest, too",
            hint="the manifest's files are verified anyway: leave the others out",
        )
    hashing = Hashing({name: folder / name for name in listed} | named)
    bundle, trust = read_bundle_file(arguments.bundle), read_trust_file(arguments.trust)
    digests = hashing.digests()
    check_manifest(listed, digests)
    terms = Terms(
        product=arguments.product,
        now=datetime.now(UTC),
        status=read_status_file(arguments.status) if arguments.status else None,
        allow_provisional=arguments.allow_provisional,
        allow_unlogged=arguments.allow_unlogged,
        require_timestamp=arguments.require_timestamp,
    )
    verified = verify(bundle, trust, digests, terms=terms)
    if arguments.json:
        print_json(_json(verified, [*digests], explained=arguments.explain))
        return Outcome.VERIFIED
    drawn = screen()
    drawn.answer(_MARKS[verified.standing], *_answer(verified, [*digests]))
    if len(digests) > 1:
        _draw_renamed(drawn, verified, [*digests])
    if arguments.explain:
        _draw_tree(drawn, verified)
    else:
        _draw(drawn, verified, arguments)
    return Outcome.VERIFIED


def _draw(drawn: Screen, verified: Verified, arguments: Namespace) -> None:
    request, policy = verified.request, verified.policy.policy
    seats = [
        (role, f"{', '.join(known_as(verified.ceremony, p) for p in people)} ({len(people)} needed)")
        for role, people in verified.seats.items()
    ]
    drawn.facts(
        [
            *((f"  {role}", people) for role, people in seats),
            ("  counts as", f"{verified.standing}: {verified.standing.meaning}"),
            ("  approved", f"{instant_text(verified.approved_at)}, by {_clock(verified)}"),
            *_again("ratified", verified.ratification),
            *_again("re-approved", verified.reapproval),
            *_stamped(verified),
            ("  asked for by", request.context.signer),
            ("  policy", f"{policy.organisation} version {policy.version}"),
            ("  ceremony", request.ceremony),
        ]
    )
    for use in verified.revoked_keys:
        drawn.item(Mark.WARNING, _revoked(use))
    first = str(arguments.artifacts[0]) if arguments.artifacts else ""
    which = [first] if first else ["--manifest", str(arguments.manifest)]
    where = ["--bundle", str(arguments.bundle), "--trust", str(arguments.trust)]
    where += ["--status", str(arguments.status)] if arguments.status else []
    allowed = {
        "--allow-provisional": arguments.allow_provisional,
        "--allow-unlogged": arguments.allow_unlogged,
        "--require-timestamp": arguments.require_timestamp,
    }
    where += [word for word, given in allowed.items() if given]
    drawn.next("Why", ["quorumseal", "verify", *which, *where, "--explain"])


def _revoked(use: RevokedUse) -> str:
    """Say what a key that was revoked since means for what it signed."""
    key = use.key.removeprefix("sha256:")[:12]
    what = f"{use.signer}'s key {key} is revoked since {instant_text(use.since)}"
    if use.counts:
        return f"{what}; it signed here before, {instant_text(use.at)}, which counts"
    return f"{what}; what it signed here does not count, and enough others approved"


def _again(how: str, later: Ceremony | None) -> list[tuple[str, str]]:
    """Say who decided on the same bytes once more, and when."""
    if later is None or later.ended_at is None:
        return []
    seats = later.tally(at=later.ended_at).seats
    people = "; ".join(f"{role} {', '.join(members)}" for role, members in seats.items())
    return [(f"  {how}", f"{instant_text(later.ended_at)}: {people}")]


def _stamped(verified: Verified) -> list[tuple[str, str]]:
    """Say whose word there is beside the log's."""
    stamps = [stamp for stamps in verified.timestamps.values() for stamp in stamps]
    decisions = [
        f"{signer} by {instant_text(stamp.latest)} ({stamp.authority})"
        for signer, stamp in sorted(verified.ceremony.stamps.items())
    ]
    return [
        *(("  concluded", f"before {instant_text(s.latest)}, by {s.authority}") for s in stamps),
        *([("  decided", "; ".join(decisions))] if decisions else []),
        *_witnessed(verified),
    ]


def _witnessed(verified: Verified) -> list[tuple[str, str]]:
    """Say who else than the log vouches that there is one."""
    asked, found = verified.policy.policy.log.cosignatures, verified.cosignatures
    if not found:
        return []
    first = min(cosignature.at for cosignature in found)
    return [("  cosigned", f"by {len(found)} witnesses ({asked} needed), from {instant_text(first)} on")]


def _clock(verified: Verified) -> str:
    """Say whose word the instant is."""
    return "the log's clock" if verified.checkpoint else "the clocks of those who signed"


def _draw_renamed(drawn: Screen, verified: Verified, given: Sequence[str]) -> None:
    """Say which artifacts have other names here: approved bytes may be another file's than the name says."""
    for here, subject in zip(given, verified.subjects, strict=True):
        if here != subject.name:
            drawn.item(Mark.WARNING, Foreign(here), f"is {subject.name}")


def _draw_tree(drawn: Screen, verified: Verified) -> None:
    for node in explain(verified):
        for line in tree_lines(node, drawn.look):
            drawn.line(line)


def _answer(verified: Verified, given: Sequence[str]) -> tuple[Cell, ...]:
    """Say what was asked about, by the name that the request has for it and the one that it has here."""
    request, subjects = verified.request, verified.subjects
    release = f"to {request.product} {request.version}, {_how(verified)}"
    if len(subjects) > 1:
        return (f"{len(subjects)} artifacts belong {release}",)
    if given[0] == subjects[0].name:
        return (f"{subjects[0].name} belongs {release}",)
    return Foreign(given[0]), f"is {subjects[0].name} and belongs {release}"


def _how(verified: Verified) -> str:
    emergency = verified.request.emergency
    match verified.standing:
        case Standing.REGULAR:
            return "which its quorum approved"
        case Standing.RATIFIED:
            return "which an emergency released and its quorum ratified"
        case Standing.REAPPROVED:
            return "which its quorum approved, and later approved anew"
        case Standing.UNLOGGED:
            return "which people signed for, but which no log has"
        case Standing.PROVISIONAL:
            assert emergency is not None  # noqa: S101 - nothing else is provisional
            return f"which an emergency released, only until {instant_text(emergency.provisional_until)}"


def _json(verified: Verified, given: Sequence[str], *, explained: bool) -> Json:
    request, policy, checkpoint = verified.request, verified.policy, verified.checkpoint
    log = {} if checkpoint is None else _log_json(checkpoint)
    stamps = verified.ceremony.stamps
    document: dict[str, Json] = {
        "verified": True,
        "standing": str(verified.standing),
        "meaning": verified.standing.meaning,
        "artifacts": [
            {"given": given, "name": subject.name, "digest": subject.digest}
            for given, subject in zip(given, verified.subjects, strict=True)
        ],
        "product": request.product,
        "version": request.version,
        "ceremony": request.ceremony,
        "requester": request.context.signer,
        "on_behalf_of": request.on_behalf_of,
        "approved_at": exact(verified.approved_at),
        "re_approval": _again_json(verified.reapproval),
        "provisional_until": _provisional_until(verified),
        "seats": {role: [*people] for role, people in verified.seats.items()},
        "revoked_keys": [
            {
                "signer": use.signer,
                "key": use.key,
                "since": exact(use.since),
                "signed": exact(use.at),
                "counts": use.counts,
                "ceremony": use.ceremony,
            }
            for use in verified.revoked_keys
        ],
        "decided": {
            signer: {
                "proved_at": exact(at),
                "by": stamps[signer].authority if signer in stamps and stamps[signer].latest <= at else "log",
            }
            for signer, at in sorted(verified.ceremony.times.items())
        },
        "timestamps": [
            {
                "ceremony": ceremony,
                "authority": stamp.authority,
                "at": exact(stamp.at),
                "proves": exact(stamp.latest),
            }
            for ceremony, found in verified.timestamps.items()
            for stamp in found
        ],
        "cosignatures": [
            {"witness": cosignature.witness.name, "at": exact(cosignature.at)}
            for cosignature in verified.cosignatures
        ],
        "stands_for": {deputy: used.signer for deputy, used in verified.ceremony.stands_for.items()},
        "policy": {
            "organisation": policy.policy.organisation,
            "version": policy.policy.version,
            "digest": policy.digest,
        },
        **log,
    }
    if explained:
        document["why"] = [tree_json(node) for node in explain(verified)]
    return document


def _again_json(later: Ceremony | None) -> Json:
    if later is None or later.ended_at is None:
        return None
    seats = later.tally(at=later.ended_at).seats
    return {
        "ceremony": later.request.statement.ceremony,
        "approved_at": exact(later.ended_at),
        "seats": {role: [*people] for role, people in seats.items()},
    }


def _provisional_until(verified: Verified) -> str | None:
    """Return from when on nobody accepts it any more, where it counts only for a while."""
    emergency = verified.request.emergency
    return exact(emergency.provisional_until) if emergency and not verified.ratification else None


def _log_json(checkpoint: Checkpoint) -> dict[str, Json]:
    return {
        "log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": hash_text(checkpoint.root),
        }
    }

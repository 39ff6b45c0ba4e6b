# SPDX-License-Identifier: Apache-2.0
"""Say whether artifacts were approved by the quorum that the policy asks for.

Offline, from the bundle and the trust file alone; the exit code is 0 only if every artifact was.  What a
bundle cannot prove is that nothing was revoked later.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_bundle_file, read_trust_file
from quorumseal.cli.hashing import Hashing
from quorumseal.cli.manifest import check_manifest, read_manifest
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.tree import tree_json, tree_lines
from quorumseal.terminal import Mark, Screen, instant_text
from quorumseal.verifier.explain import explain
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.verify import Verified, verify


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``verify`` takes."""
    parser.add_argument("artifacts", nargs="*", type=Path, metavar="ARTIFACT", help="a file to verify")
    parser.add_argument(
        "--bundle", required=True, type=Path, help="the published NAME-VERSION.quorumseal.json"
    )
    parser.add_argument("--trust", required=True, type=Path, help="the trust file of the organisation")
    parser.add_argument("--product", help="refuse a bundle of any other product")
    parser.add_argument(
        "--manifest", type=Path, metavar="SHA256SUMS", help="verify every file that this list names, too"
    )
    parser.add_argument("--explain", action="store_true", help="draw why: roles, people, keys, policy, log")
    parser.epilog = (
        "example:\n  quorumseal verify widget.tar.gz --bundle widget-1.0.quorumseal.json --trust trust.json"
    )


def run(arguments: Namespace) -> int:
    """Verify, and say so."""
    listed = read_manifest(arguments.manifest) if arguments.manifest else {}
    folder = arguments.manifest.parent if arguments.manifest else Path()
    files = {name: folder / name for name in listed} | _named(arguments.artifacts, set(listed))
    hashing = Hashing(files)
    bundle, trust = read_bundle_file(arguments.bundle), read_trust_file(arguments.trust)
    digests = hashing.digests()
    check_manifest(listed, digests)
    verified = verify(bundle, trust, digests, product=arguments.product)
    if arguments.json:
        print_json(_json(verified, explained=arguments.explain))
    elif arguments.explain:
        _draw_tree(screen(), verified)
    else:
        _draw(screen(), verified, arguments)
    return Outcome.VERIFIED


def _named(artifacts: Sequence[Path], taken: set[str]) -> dict[str, Path]:
    """Call each file by its own name, as requests do."""
    named: dict[str, Path] = {}
    for path in artifacts:
        if path.name in taken or path.name in named:
            raise UsageError(
                f"expected artifacts of different names, got {path.name} twice",
                hint="verify files of the same name one after the other",
            )
        named[path.name] = path
    return named


def _draw(drawn: Screen, verified: Verified, arguments: Namespace) -> None:
    request, policy = verified.request, verified.policy.policy
    drawn.answer(Mark.DONE, _answer(verified))
    seats = [(role, f"{', '.join(people)} ({len(people)} needed)") for role, people in verified.seats.items()]
    drawn.facts(
        [
            *((f"  {role}", people) for role, people in seats),
            ("  approved", f"{instant_text(verified.approved_at)}, by the log's clock"),
            ("  asked for by", request.context.signer),
            ("  policy", f"{policy.organisation} version {policy.version}"),
            ("  ceremony", request.ceremony),
        ]
    )
    first = str(arguments.artifacts[0]) if arguments.artifacts else ""
    which = [first] if first else ["--manifest", str(arguments.manifest)]
    where = ["--bundle", str(arguments.bundle), "--trust", str(arguments.trust)]
    drawn.next("Why", ["quorumseal", "verify", *which, *where, "--explain"])


def _draw_tree(drawn: Screen, verified: Verified) -> None:
    drawn.answer(Mark.DONE, _answer(verified))
    for node in explain(verified):
        for line in tree_lines(node, drawn.look):
            drawn.line(line)


def _answer(verified: Verified) -> str:
    request, subjects = verified.request, verified.subjects
    what = f"{subjects[0].name} belongs" if len(subjects) == 1 else f"{len(subjects)} artifacts belong"
    return f"{what} to {request.product} {request.version}, which its quorum approved"


def _json(verified: Verified, *, explained: bool) -> Json:
    request, policy, checkpoint = verified.request, verified.policy, verified.checkpoint
    document: dict[str, Json] = {
        "verified": True,
        "artifacts": [{"name": subject.name, "digest": subject.digest} for subject in verified.subjects],
        "product": request.product,
        "version": request.version,
        "ceremony": request.ceremony,
        "requester": request.context.signer,
        "on_behalf_of": request.on_behalf_of,
        "approved_at": verified.approved_at.isoformat(),
        "seats": {role: [*people] for role, people in verified.seats.items()},
        "policy": {
            "organisation": policy.policy.organisation,
            "version": policy.policy.version,
            "digest": policy.digest,
        },
        "log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": f"sha256:{checkpoint.root.hex()}",
        },
    }
    if explained:
        document["why"] = [tree_json(node) for node in explain(verified)]
    return document

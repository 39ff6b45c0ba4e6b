# SPDX-License-Identifier: Apache-2.0
"""Raise a trust file to the newest policy: its chain is walked from the pinned version 1, link by link.

The chain comes from the coordinator of a home, or from a newer bundle (--bundle), which needs no network.
Bundles in use, or a folder of them, are named to see which will be refused from then on, before it asks.
The minimum version only ever rises.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_bundle_file, read_trust_file, replace_file, write_new
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Mark, Screen, distance_text, instant_text
from quorumseal.verifier.bundle import SUFFIX, PolicyVersion, read_bundle
from quorumseal.verifier.errors import PolicyForkError
from quorumseal.verifier.newest import Link, longest_chain
from quorumseal.verifier.trust import Trust, write_trust

_EXPIRED = 12


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``trust update`` takes."""
    parser.add_argument(
        "trust", nargs="?", type=Path, metavar="TRUST.JSON", help="the trust file (default: the home's)"
    )
    parser.add_argument(
        "known", nargs="*", type=Path, metavar="BUNDLE", help="bundles in use, or folders of them"
    )
    parser.add_argument(
        "--bundle",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="take the chain from this bundle; repeatable (default: from the coordinator)",
    )
    parser.add_argument("--home", metavar="DIR", help="the agent's directory, to reach the coordinator from")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    parser.epilog = "example:\n  quorumseal trust update trust.json published/ --bundle new.quorumseal.json"


def run(arguments: Namespace) -> int:
    """Update it."""
    file, chains = _sources(arguments)
    trust = read_trust_file(file)
    known = {path: read_bundle(read_bundle_file(path)).policies for path in _bundles(arguments.known)}
    try:
        links = longest_chain([*chains, *known.values()], trust)
    except PolicyForkError as fork:
        kept = file.with_name(f"policy-fork-{datetime.now(UTC):%Y%m%dT%H%M%S}.json")
        write_new(kept, fork.evidence)
        screen().warn(f"both versions are kept in {kept}: give them to your auditor")
        raise
    newest = links[-1].policy.policy
    raised = trust.raised_to(newest.version)
    refused = sorted(str(path) for path, chain in known.items() if _version(chain) < newest.version)
    if raised != trust:
        _confirm(arguments, trust, raised, refused)
        replace_file(file, write_trust(raised))
    expired = newest.expires <= datetime.now(UTC)
    if arguments.json:
        print_json(_json(file, trust, raised, links, refused, expired=expired))
    else:
        _draw(screen(), file, trust, raised, links, refused)
    return _EXPIRED if expired else 0


def _sources(arguments: Namespace) -> tuple[Path, list[Sequence[PolicyVersion]]]:
    """Return the trust file, and the chains that are offered."""
    if arguments.bundle:
        if arguments.trust is None:
            raise UsageError("expected the trust file beside --bundle, got none")
        return arguments.trust, [read_bundle(read_bundle_file(path)).policies for path in arguments.bundle]
    from quorumseal.cli.desk import open_desk
    from quorumseal.verifier.bundle import parse_version

    with open_desk(arguments) as desk:
        versions = [parse_version(version) for version in desk.connection.organisation().policies]
        return arguments.trust or desk.settings.trust, [versions]


def _bundles(paths: Sequence[Path]) -> list[Path]:
    """Return the bundles among files and folders."""
    return [
        bundle for path in paths for bundle in (sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path])
    ]


def _version(chain: Sequence[PolicyVersion]) -> int:
    return len(chain)  # it was walked from version 1, without a gap


def _confirm(arguments: Namespace, trust: Trust, raised: Trust, refused: Sequence[str]) -> None:
    """Say what will be refused, then ask."""
    shown = screen()
    for path in refused:
        shown.warn(f"{path} will be refused from then on")
    if arguments.yes:
        return
    question = f"raise the minimum version from {trust.minimum_version} to {raised.minimum_version}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"expected somebody to say yes to this, got nobody at a terminal: {question}",
            hint="--yes says it for scripts; there is no way back",
        )
    if input(f"There is no way back. Type yes to {question}: ").strip() != "yes":
        raise UsageError(f"expected yes to {question}, got something else: nothing was done")


def _draw(
    drawn: Screen, file: Path, trust: Trust, raised: Trust, links: Sequence[Link], refused: Sequence[str]
) -> None:
    version = raised.minimum_version
    newest, at = links[-1].policy.policy, datetime.now(UTC)
    if raised == trust:
        drawn.answer(Mark.DONE, f"{file} is up to date: policy version {version} is the newest")
    else:
        drawn.answer(
            Mark.DONE, f"{file} accepts policy version {version} or newer; it was {trust.minimum_version}"
        )
    drawn.facts(
        [
            ("  organisation", trust.organisation),
            (
                "  newest",
                f"version {newest.version}; every change was approved by both sides",
            ),
            ("  expires", f"{instant_text(newest.expires)}, {distance_text(newest.expires, at)}"),
            ("  digest", links[-1].policy.digest),
        ]
    )
    for path in refused:
        drawn.item(Mark.WARNING, f"{path} is refused from now on")
    if newest.expires <= at:
        drawn.item(Mark.WARNING, "The newest policy that was offered has expired: ask for a newer bundle.")


def _json(
    file: Path, trust: Trust, raised: Trust, links: Sequence[Link], refused: Sequence[str], *, expired: bool
) -> dict[str, Json]:
    return {
        "trust": str(file),
        "organisation": trust.organisation,
        "was": trust.minimum_version,
        "minimum_version": raised.minimum_version,
        "policy": links[-1].policy.digest,
        "refused": list(refused),
        "expired": expired,
    }

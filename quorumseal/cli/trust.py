# SPDX-License-Identifier: Apache-2.0
"""``trust show`` and ``trust raise``: the file that says whom verification trusts."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.policy_document import read_policy
from quorumseal.cli import qr_code
from quorumseal.cli.errors import ExtraMissingError, UsageError
from quorumseal.cli.files import read_bundle_file, read_trust_file, replace_file, write_new
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.table import Command, Verb
from quorumseal.terminal import Mark
from quorumseal.terminal.words import four_words
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.trust import Trust, write_trust


def _add_show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("trust", type=Path, metavar="TRUST.JSON", help="the trust file")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the QR code as an image, too")


def show(arguments: Namespace) -> int:
    """Show which organisation a trust file is for, what it pins, and its digest in words and as a QR code."""
    trust = read_trust_file(arguments.trust)
    words = four_words(trust.policy)
    if arguments.svg is not None:
        _write_svg(arguments.svg, trust.policy)
    if arguments.json:
        print_json({**_json(trust), "words": words})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.trust} trusts {trust.organisation}")
    drawn.facts(
        [
            ("  policy version 1", trust.policy),
            ("  four words", f"{words} (to compare aloud; no security check)"),
            ("  oldest accepted", f"policy version {trust.minimum_version}"),
        ]
    )
    if sys.stdout.isatty() and drawn.look.unicode:
        drawn.drawing(qr_code.lines(trust.policy, inverse=not drawn.look.colour))
    drawn.line()
    drawn.line("Compare the digest with one that you got from the organisation by another way.")
    return 0


def _write_svg(path: Path, text: str) -> None:
    image = qr_code.svg(text)
    if not image:
        raise ExtraMissingError(
            "expected what draws QR codes to be installed, got no module segno",
            hint="install it with: python -m pip install 'quorumseal[qr]'",
        )
    write_new(path, image.encode())


def _add_raise_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("trust", type=Path, metavar="TRUST.JSON", help="the trust file")
    parser.add_argument("version", type=int, metavar="VERSION", help="the oldest policy version to accept")
    parser.add_argument(
        "--bundle", action="append", default=[], type=Path, help="a bundle in use, to see if it still counts"
    )
    parser.add_argument("--yes", action="store_true", help="raise it although bundles in use will be refused")


def raise_(arguments: Namespace) -> int:
    """Refuse policies older than a version from now on.

    Honest bundles under older policies are refused too, from then on and without a way back: name those in
    use with --bundle to see which.
    """
    trust = read_trust_file(arguments.trust)
    raised = trust.raised_to(arguments.version)
    refused = [str(path) for path in arguments.bundle if _version_of(path) < raised.minimum_version]
    if refused and not arguments.yes:
        raise UsageError(
            f"expected bundles under policy version {raised.minimum_version} or newer, "
            f"got older ones: {', '.join(refused)}",
            hint="they would be refused from then on; --yes raises the version all the same",
        )
    replace_file(arguments.trust, write_trust(raised))
    if arguments.json:
        print_json({**_json(raised), "refused": refused})
        return 0
    drawn = screen()
    drawn.answer(
        Mark.DONE,
        f"{arguments.trust} accepts policy version {raised.minimum_version} or newer, nothing older",
    )
    for path in refused:
        drawn.item(Mark.WARNING, f"{path} is refused from now on")
    return 0


def _version_of(path: Path) -> int:
    bundle = read_bundle(read_bundle_file(path))
    return read_policy(bundle.policies[-1].payload).version


def _json(trust: Trust) -> dict[str, Json]:
    return {
        "organisation": trust.organisation,
        "policy": trust.policy,
        "minimum_version": trust.minimum_version,
    }


VERBS: dict[str, Command | Verb] = {
    "show": Command("show what a trust file pins", _add_show_arguments, show, show.__doc__ or ""),
    "raise": Command("refuse older policies from now on", _add_raise_arguments, raise_, raise_.__doc__ or ""),
    "update": Verb("quorumseal.cli.trust_update", "raise a trust file to the newest policy", ""),
}

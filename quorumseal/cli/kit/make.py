# SPDX-License-Identifier: Apache-2.0
"""Write the break-glass kit: what to print now and keep for the day when it is needed.

A folder with the same pages as text and as HTML, the trust file, and the policy chain with the newest
checkpoint, from which a home that has never seen the coordinator can ask and decide. No secret is in it.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from quorumseal.cli import qr_code
from quorumseal.cli.desk import add_home, now
from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_file, write_new
from quorumseal.cli.kit.content import Known, chapters, title
from quorumseal.cli.kit.pages import html_page, text_page
from quorumseal.cli.output import print_json, screen
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.offline.files import KnownOrganisation, write_organisation
from quorumseal.terminal import Mark
from quorumseal.verifier.trust import write_trust
from signer_agent.agent import Agent
from signer_agent.cli.opening import opened, unplugged
from signer_agent.observing import observe_head, observe_policy
from signer_agent.offline import known_organisation
from signer_agent.settings import Settings

_MOST_CONTACTS = 16 << 10


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``break-glass kit`` takes."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: kit-ORGANISATION-DATE")
    parser.add_argument(
        "--contacts",
        type=Path,
        metavar="FILE",
        help="a text with how to reach people, which is printed as it is (default: lines to fill in by hand)",
    )
    add_home(parser)
    parser.epilog = "example:\n  quorumseal break-glass kit --contacts telephones.txt"


def run(arguments: Namespace) -> int:
    """Write it."""
    contacts = _contacts(arguments.contacts)
    try:
        with opened(arguments) as (agent, settings):
            known, carried = _known(agent, settings)
            fresh = True
    except CoordinatorUnreachableError:
        with unplugged(arguments) as (agent, settings):
            known, carried = _known(agent, settings)
            fresh = False
    known = replace(known, contacts=contacts)
    out = arguments.out or Path(f"kit-{known.trust.organisation}-{known.at:%Y-%m-%d}")
    pages, name = chapters(known), title(known)
    code = qr_code.svg(known.trust.policy)
    files = {
        "kit.txt": text_page(name, pages).encode(),
        "kit.html": html_page(name, pages, code=code, caption=known.trust.policy).encode(),
        "organisation.json": write_organisation(carried),
        "trust.json": write_trust(known.trust),
    }
    for file, data in files.items():
        write_new(out / file, data)
    if arguments.json:
        print_json(
            {
                "folder": str(out),
                "files": [*files],
                "qr_code": bool(code),
                "fresh": fresh,
                "policy": known.trust.policy,
                "log_size": known.head.checkpoint.size,
            }
        )
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote the break-glass kit of {known.trust.organisation} to {out}")
    drawn.facts(
        [
            ("  kit.html", "to print" if code else "to print; the QR code needs the extra qr"),
            ("  kit.txt", "the same as text"),
            ("  organisation.json", f"policy chain, and the checkpoint of size {known.head.checkpoint.size}"),
            ("  trust.json", known.trust.policy),
        ]
    )
    if not fresh:
        drawn.item(Mark.WARNING, "the coordinator is down: this is what this home has seen before")
    drawn.next(
        "Compare what it says of your trust file", ["quorumseal", "trust", "show", str(out / "trust.json")]
    )
    return 0


def _known(agent: Agent, settings: Settings) -> tuple[Known, KnownOrganisation]:
    policy = observe_policy(agent)
    head = observe_head(agent, policy)
    known = Known(policy=policy, trust=agent.trust, head=head, coordinator=settings.coordinator, at=now())
    return known, replace(known_organisation(agent), checkpoint=head.note)


def _contacts(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_file(path, "contacts", _MOST_CONTACTS).decode()
    except UnicodeDecodeError:
        raise FileError(f"expected a text in UTF-8 at {path}, got other bytes") from None

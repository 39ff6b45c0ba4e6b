# SPDX-License-Identifier: Apache-2.0
"""See the first policy, sign it as a founder on your own machine, get the trust file once all have signed.

What the coordinator offers is compared with what was enrolled: your keys with your own files, everybody
else's with the statements that their keys signed. Read the digest, or its four words, to the other founders:
everybody must see the same. Whoever is no founder confirms the same digest, and gets the same trust file.

Run it again at any time: it signs nothing twice, and says whose signature is missing.
"""

import time
from argparse import ArgumentParser, Namespace
from datetime import timedelta

from quorumseal.ceremony.linting import lint
from quorumseal.cli.desk import add_home, now
from quorumseal.cli.org.founding_desk import FoundingDesk, open_founding_desk
from quorumseal.cli.org.founding_screen import draw_first_policy, draw_founded, draw_waiting, founding_json
from quorumseal.cli.output import print_json
from quorumseal.cli.wait import duration
from quorumseal.client.values import FoundingRecord
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.verifier.outcomes import Outcome
from signer_agent.cli.opening import add_passphrase, open_file
from signer_agent.cli.verdict import Person, somebody
from signer_agent.errors import NotARosterKeyError, NotConfirmedError
from signer_agent.founding import (
    FirstPolicy,
    first_policy,
    keep_signed,
    kept_signature,
    require_same,
    signed_before,
)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org genesis`` takes."""
    parser.add_argument(
        "--policy", metavar="SHA256", help="the digest that the founders agreed on; any other is refused"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; only with --policy")
    parser.add_argument(
        "--wait", type=duration, metavar="TIME", help="wait for the other founders, so long at most"
    )
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Look, sign, wait, and write the trust file."""
    if arguments.yes and not arguments.policy:
        raise NotConfirmedError(
            "expected --policy with the digest that the founders agreed on, got --yes alone",
            hint="run it without --yes to see the digest; then compare it with the other founders",
        )
    with open_founding_desk(arguments) as desk:
        until = time.monotonic() + (arguments.wait or timedelta(0)).total_seconds()
        record = desk.record(until)
        if not record.payload:
            return _report_unready(arguments, record, desk.name)
        first = first_policy(record, desk.joined)
        require_same(first, arguments.policy, "as --policy says")
        require_same(first, signed_before(desk.home), "as this home signed it")
        if desk.name in record.missing:
            record = _sign(arguments, desk, first, record)
        elif not desk.has_trust and signed_before(desk.home) is None:
            _confirm(arguments, desk, first, record, f"{desk.name}: trust it.", to="trust")
        record = desk.wait(record, until)
        if not record.founded:
            return _report_unfounded(arguments, desk, first, record)
        desk.settle(first, record)
        if arguments.json:
            print_json(founding_json(first, record, trust=str(desk.trust_file)))
        else:
            draw_founded(desk, first, record)
    return 0


def _sign(
    arguments: Namespace, desk: FoundingDesk, first: FirstPolicy, record: FoundingRecord
) -> FoundingRecord:
    if signed_before(desk.home) is not None:  # and sent, perhaps; the same bytes again change nothing
        return desk.connection.sign_founding(kept_signature(desk.home))
    _confirm(arguments, desk, first, record, f"{desk.name}: found {first.policy.organisation}.", to="sign")
    key = open_file(desk.settings, desk.settings.key_file, arguments.passphrase_fd)
    if key.public != desk.joined.enrolment.key:
        raise NotARosterKeyError(
            f"expected the key that {desk.name} enrolled ({desk.joined.enrolment.key.key_id}), "
            f"got {key.public.key_id}",
            hint="agent.toml names another key file; nothing was signed",
        )
    envelope = write(sign(first.payload, key).to_json())
    keep_signed(desk.home, envelope)
    return desk.connection.sign_founding(envelope)


def _confirm(
    arguments: Namespace,
    desk: FoundingDesk,
    first: FirstPolicy,
    record: FoundingRecord,
    question: str,
    *,
    to: str,
) -> None:
    if not arguments.json:
        draw_first_policy(desk, first, record, lint(first.policy, at=now()), at=now())
    Person(ask=somebody(), yes=arguments.yes).confirm(question, to=to)


def _report_unready(arguments: Namespace, record: FoundingRecord, name: str) -> int:
    if arguments.json:
        print_json({"founded": False, "policy": None, "unenrolled": list(record.unenrolled)})
    else:
        draw_waiting(arguments, record, name)
    return Outcome.PENDING


def _report_unfounded(
    arguments: Namespace, desk: FoundingDesk, first: FirstPolicy, record: FoundingRecord
) -> int:
    if arguments.json:
        print_json(founding_json(first, record, trust=None))
    else:
        draw_waiting(arguments, record, desk.name)
    return 0 if arguments.wait is None and desk.name in record.signed else Outcome.PENDING

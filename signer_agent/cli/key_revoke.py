# SPDX-License-Identifier: Apache-2.0
"""Say that a key signs no more, and since when what it signed does not stand.

Another key of the same person revokes one at once.  Two guardians do it together: the first signature waits
for the second.  A revocation only ever moves to an earlier instant, and nothing takes one back.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import KeyRevocation, RevocationReason
from quorumseal.ceremony.values import instant_text, whole_milliseconds
from quorumseal.terminal import instant_text as plain
from signer_agent.cli.opening import opened, print_json, screen
from signer_agent.cli.taking_out import add_signing, looked, report, sign
from signer_agent.cli.times import instant_argument
from signer_agent.key_screen import draw_revocation, key_json, short
from signer_agent.taking_out import find_key, guardians_beside, write_revocation


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``key revoke`` takes."""
    parser.add_argument("key", metavar="KEY", help="its digest, or the beginning of it, as `key list` shows")
    parser.add_argument(
        "--since",
        type=instant_argument,
        metavar="INSTANT",
        help="from then on what it signed does not stand (default: now)",
    )
    parser.add_argument(
        "--reason", required=True, choices=[str(reason) for reason in RevocationReason], help="why"
    )
    add_signing(parser)


def run(arguments: Namespace) -> int:
    """Revoke a key, or be the first of two who do."""
    with opened(arguments) as (agent, settings):
        seen, at = looked(agent), agent.now()
        known = find_key(seen, arguments.key, at=at)
        since = whole_milliseconds(arguments.since or at)
        draft = write_revocation(
            agent, seen, known.id, since=since, reason=RevocationReason(arguments.reason)
        )
        assert isinstance(draft.statement, KeyRevocation)  # noqa: S101 - what was written
        if not arguments.json:
            shown = screen()
            draw_revocation(shown, draft.statement, known)
            shown.line()
        then = sign(agent, settings, seen, draft, arguments, what=f"revoke a key of {known.owner}")
        after = find_key(then, known.id, at=at)
        effective = after.revoked is not None and after.revoked.envelopes[-1].payload == draft.payload
        if arguments.json:
            print_json({"signed": draft.digest, "effective": effective, **key_json(after)})
            return 0
        named = f"{short(known.id)} of {known.owner}"
        effective_since = plain(after.revoked.since) if effective and after.revoked else ""
        report(
            arguments,
            effective=f"Key {named} signs no more, since {effective_since}" if effective_since else "",
            waiting=f"Your revocation of key {named} waits for a second guardian",
            others=guardians_beside(then.policy.policy, known.owner, agent.name),
            again=[
                *("quorumseal", "key", "revoke", known.id.removeprefix("sha256:")[:16]),
                *("--since", instant_text(since), "--reason", arguments.reason),
            ],
            after=("The keys of everybody", ["key", "list"]),
        )
        return 0

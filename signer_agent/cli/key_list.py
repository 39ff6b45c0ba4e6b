# SPDX-License-Identifier: Apache-2.0
"""Show the keys that any policy of the organisation ever listed: whose, until when, and which sign no more.

Read from the verified log.  The four words are for the telephone; they are no security check.
"""

from argparse import ArgumentParser, Namespace

from signer_agent.cli.opening import add_home, command, opened, print_json, screen
from signer_agent.key_screen import draw_keys, key_json
from signer_agent.observing import observe_standing
from signer_agent.taking_out import known_keys


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``key list`` takes."""
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show the keys."""
    with opened(arguments) as (agent, _):
        seen, at = observe_standing(agent), agent.now()
        keys = known_keys(seen, at=at)
        if arguments.json:
            print_json({"keys": [key_json(key) for key in keys]})
            return 0
        shown = screen()
        draw_keys(shown, keys, at=at)
        shown.next("To take one back", command(arguments, "key", "revoke", "KEY", "--reason", "stolen"))
        return 0

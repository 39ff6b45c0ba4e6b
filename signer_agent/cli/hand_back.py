# SPDX-License-Identifier: Apache-2.0
"""Hand back what the coordinator's log has lost: the entries that this agent saw, and your own texts.

`agent run` does it by itself. Nothing is signed, and nothing is sent where the log has lost nothing.
"""

from argparse import Namespace

from quorumseal.terminal import Mark
from signer_agent.cli.opening import command, opened, print_json, screen
from signer_agent.handing_back import hand_back


def run(arguments: Namespace) -> int:
    """Hand back."""
    with opened(arguments) as (agent, _):
        returned = hand_back(agent)
    if arguments.json:
        print_json(
            {
                "rewound": returned.rewound,
                "from": returned.start,
                "to": returned.end,
                "entries": returned.entries,
                "texts": returned.texts,
            }
        )
        return 0
    drawn = screen()
    if returned.rewound:
        lost = returned.end - returned.start
        drawn.answer(Mark.DONE, f"handed back {returned.entries} of {lost} entries that the log has lost")
        drawn.facts(
            [("  indices", f"{returned.start} to {returned.end - 1}"), ("  texts", str(returned.texts))]
        )
        drawn.item(Mark.WAITING, "the coordinator's operator recovers it; until then nothing is written")
    else:
        drawn.answer(Mark.DONE, f"the log has lost nothing that this agent saw: {returned.end} entries")
    drawn.next("What waits", command(arguments, "inbox"))
    return 0

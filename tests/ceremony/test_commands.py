# SPDX-License-Identifier: Apache-2.0
"""Each statement of a ceremony asks for one thing, and what was asked for says who asked."""

from quorumseal.ceremony.commands import Cancel, Extend, File, Record, Stop, command_of, signed_in
from tests.burning import BURNING, HOUR, extends, joins, open_emergency, reports, vetoes
from tests.organisation import NOW

EMERGENCY = open_emergency()
REGULAR, _ = BURNING.run()


def test_a_statement_becomes_its_command_and_back() -> None:
    deadline = REGULAR.ceremony.deadline + HOUR
    cancellation = BURNING.sign(BURNING.cancellation("mallory", REGULAR))
    commands: list[Record | Cancel | Extend | Stop | File] = [
        joins(EMERGENCY, "alice"),
        Cancel(cancellation),
        extends(REGULAR, "rita", deadline),
        vetoes(EMERGENCY, "dan", at=NOW),
        reports(EMERGENCY, "dan"),
    ]
    for command in commands:
        assert command_of(signed_in(command)) == command
    assert len({type(command) for command in commands}) == 5

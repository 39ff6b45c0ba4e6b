# SPDX-License-Identifier: Apache-2.0
"""Whom an emergency reached goes on record: each delivery of a notice about it is an entry."""

from coordinator.commands import Act
from coordinator.notifying import Notice, Route
from coordinator.writer import Writer
from quorumseal.ceremony.commands import Deliver
from quorumseal.ceremony.errors import NoEmergencyError


def record_delivery(writer: Writer, notice: Notice, route: Route) -> None:
    """Log that a notice was delivered, where it is about an emergency; the same again changes nothing.

    What is raised makes the delivery count as failed: it is told, and logged, again.
    """
    if not notice.type.urgent:
        return
    command = Deliver(recipient=notice.recipient, channel=route.channel, notice=notice.id)
    try:
        writer.submit(Act(ceremony=notice.about.ceremony, command=command)).result()
    except NoEmergencyError:  # news about an emergency in the ceremony that ratified it
        return

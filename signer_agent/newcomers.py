# SPDX-License-Identifier: Apache-2.0
"""The enrolments that a coordinator has, verified: each signed by both of its keys, for this organisation."""

from collections.abc import Iterator
from typing import Protocol

from quorumseal.ceremony.enrolment import MAX_ENROLMENT_BYTES, Enrolment, verify_enrolment
from quorumseal.client.values import EnrolmentRecord
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope

_MOST_BYTES = 2 * MAX_ENROLMENT_BYTES


class Enrolments(Protocol):
    """What is needed of a connection."""

    def enrolments(self) -> tuple[EnrolmentRecord, ...]:
        """Return who enrolled."""
        ...


def enrolled(connection: Enrolments, organisation: str) -> tuple[tuple[Enrolment, bytes], ...]:
    """Return what verifies, with its bytes, in the order of joining."""
    return tuple(_verified(connection, organisation))


def _verified(connection: Enrolments, organisation: str) -> Iterator[tuple[Enrolment, bytes]]:
    for record in connection.enrolments():
        if len(record.envelope) > _MOST_BYTES:
            continue
        try:
            enrolment = verify_enrolment(JointEnvelope.read(record.envelope))
        except Refusal:  # somebody else's, or none: it shows nothing
            continue
        if enrolment.organisation == organisation:
            yield enrolment, record.envelope

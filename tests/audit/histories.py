# SPDX-License-Identifier: Apache-2.0
"""A log with a bit of everything, written by a real coordinator."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from coordinator.commands import Act, Stand
from coordinator.founding import found
from quorumseal.audit.log_copy import LogCopy
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.statements import Choice
from quorumseal.verifier.trust import Trust
from tests.audit.copying import copy_of, trust_in
from tests.coordinator.workshop import Desk, Workshop
from tests.losing import LOSING, by_owner, suspends
from tests.organisation import NOW
from tests.prepared_tables import with_tables

TRUST: Trust = trust_in(LOSING)
_PEOPLE = ("alice", "bob", "carol", "dan")


def written(folder: Path, *, entries: int) -> LogCopy:
    """Let a coordinator write until its log has that many entries; return the copy up to there."""
    with_desk = Workshop(database_in(folder), LOSING, folder / "published")
    try:
        desk = with_desk.desk()
        fill(with_desk, desk, entries)
        return copy_of(desk.storage)
    finally:
        with_desk.close()


def database_in(folder: Path) -> str:
    """Found the organisation in a database of its own."""
    database = with_tables(f"sqlite:///{folder / 'log.sqlite'}")
    found(database, LOSING.log_key, LOSING.policy, at=NOW - timedelta(days=1))
    return database


def fill(workshop: Workshop, desk: Desk, entries: int) -> None:
    """Ask, decide, reject, suspend and revoke until the log has at least that many entries."""
    number = 0
    while desk.storage.log.size() < entries:
        number += 1
        start = workshop.start(LOSING.request(number=number, version=f"{number}.0"))
        desk.written(start)
        if number == 3:
            for guardian in ("bob", "carol"):
                desk.written(
                    Stand(
                        policy=LOSING.policy,
                        act=suspends(guardian, "erin", until=NOW + timedelta(hours=9)),
                    )
                )
        if number % 5 == 4:
            why = Annex(salt=number.to_bytes(32), text=f"Release {number} is not ready.")
            decision = LOSING.decision("alice", start.request, Choice.REJECTION)
            record = Record(LOSING.sign_decision(replace(decision, reason=why.commitment)))
            desk.written(Act(ceremony=start.request.statement.ceremony, command=record, annex=why))
            desk.write(*(workshop.decide(person, start, Choice.REJECTION) for person in ("bob", "erin")))
        for person in _PEOPLE:
            desk.write(workshop.decide(person, start))
    if entries >= 200:
        desk.written(workshop.start(LOSING.request(number=number + 1, version="open")))
        desk.written(Stand(policy=LOSING.policy, act=by_owner("alice", since=NOW)))

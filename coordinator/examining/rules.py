# SPDX-License-Identifier: Apache-2.0
"""How ``coordinator doctor`` judges: each rule from facts to findings, without looking at anything itself."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.examining.certificates import life
from coordinator.examining.facts import Answer, Database, Facts, Room
from coordinator.next_command import next_command
from coordinator.siem.cursor import Cursor
from quorumseal.ceremony.expiring import expiries
from quorumseal.ceremony.policy import Policy
from quorumseal.examining import end
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.terminal import Mark
from quorumseal.terminal.durations import duration_text
from quorumseal.terminal.findings import Finding, counted, fine, unknown, warning, worst, wrong

PATIENCE = timedelta(minutes=5)
"""How long due work may lie before it counts as hanging."""
OLDEST_BACKUP = timedelta(days=2)
MOST_WAITING = 100
"""So many entries may be on their way to a SIEM while somebody looks."""
LEAST_FREE, LITTLE_FREE = 256 << 20, 2 << 30


def judge(facts: Facts) -> tuple[Finding, ...]:
    """Return one finding or more for everything that is known."""
    file = facts.settings_file
    found = [settings(facts.settings, file), answering(facts.answer, file)]
    if facts.server is not None:
        found.append(life("server certificate", facts.server, at=facts.at))
        found += presented(facts)
    hint = "let the next authority in beside it: it takes a change of the policy"
    found += [life("client authority", each, at=facts.at, hint=hint) for each in facts.authorities]
    if isinstance(facts.database, Refusal):
        found.append(wrong("database", str(facts.database), facts.database.hint))
    else:
        policy = facts.database.policy
        found += [database(facts.database), log_key(facts.log_keys, policy)]
        found += whole(facts.database, file)
        found += [clock(facts.database, at=facts.at), *queues(facts.database, file, at=facts.at)]
        found += ends(policy, at=facts.at)
        found += witnesses(facts.witnesses, policy)
        if facts.siem is not None:
            found.append(siem(facts.siem, facts.database))
    return (*found, *map(room, facts.rooms), backup(facts))


def settings(findings: Iterable[Finding], file: Path) -> Finding:
    """Sum up what ``check-config`` says; that somebody listens on our port is as it should be."""
    listed = [each for each in findings if not each.about.endswith("listen")]
    hint = f"see all of it: `{next_command(file, 'check-config')}`"
    match worst(listed):
        case Mark.DONE:
            return fine("settings", f"{len(listed)} things looked at")
        case Mark.WARNING:
            return warning("settings", counted(listed), hint)
        case _:
            return wrong("settings", counted(listed), hint)


def answering(answer: Answer, file: Path) -> Finding:
    """Judge whether it runs, and can be reached from here."""
    if answer.certificate is not None:
        return fine("running", f"it answers on {answer.address}")
    return wrong("running", f"expected an answer on {answer.address}, got: {answer.reason}", _run(file))


def presented(facts: Facts) -> Iterator[Finding]:
    """Compare the certificate that it presents with the one in its file."""
    shown = facts.answer.certificate
    if shown is not None and shown != facts.server:
        yield warning(
            "presented certificate",
            f"expected the one in the file, got another, valid until {shown.not_after:%Y-%m-%d}",
            "it reads new files at the next connection; why it does not, its running log says",
        )


def whole(database: Database, file: Path) -> Iterator[Finding]:
    """Say where the log has lost entries that it had."""
    if database.rewound is not None:
        hint = f"have the agents give them back, then: `{next_command(file, 'recover')}`"
        yield wrong("log", str(database.rewound), hint)


def _run(file: Path) -> str:
    return f"start it: `{next_command(file, 'run')}`; its running log says why it ended"


def database(known: Database) -> Finding:
    """Say what the database is; one that could lose what it acknowledged does not open."""
    return fine("database", f"{known.kind}, set to lose nothing; {known.entries} entries, tables current")


def log_key(keys: tuple[PublicKey, ...] | Refusal, policy: Policy) -> Finding:
    """Judge whether the log's key opens and is one that the policy names."""
    if isinstance(keys, Refusal):
        return wrong("log key", str(keys), keys.hint)
    named = {each.key.key_id for each in policy.log.keys}
    if named.isdisjoint(key.key_id for key in keys):
        return wrong(
            "log key",
            f"expected one that policy version {policy.version} names, got {keys[0].key_id}",
            "name the log key of this organisation in the settings",
        )
    return fine("log key", f"it opens, and policy version {policy.version} names it")


def clock(known: Database, *, at: datetime) -> Finding:
    """Compare this machine's clock with the newest entry: one that is behind it cannot write."""
    behind, skew = known.head - at, known.policy.clock_skew
    if behind > skew:
        return wrong(
            "clock",
            f"expected it at or after the newest entry, got {duration_text(behind)} before",
            "set the clock, and see what sets it; nothing is written until then",
        )
    if behind > timedelta(0):
        return warning("clock", f"{duration_text(behind)} behind the newest entry", "see what sets the clock")
    return fine("clock", f"{duration_text(-behind)} after the newest entry")


def queues(known: Database, file: Path, *, at: datetime) -> Iterator[Finding]:
    """Look for due work that nobody does, and for what was given up."""
    due = known.due
    for about, first in (("deadlines", due.ceremonies), ("bundles", due.bundles), ("notices", due.notices)):
        if first is not None and at - first > PATIENCE:
            late = duration_text(at - first)
            yield wrong(
                about, f"expected due work to be done within minutes, but it waits for {late}", _run(file)
            )
        else:
            yield fine(about, "nothing hangs")
    failed = known.counts.publications.get("failed", 0)
    if failed:
        text = f"expected every bundle at its destinations, but {failed} failed"
        yield warning("bundles", text, "mend the destination, then: quorumseal release publish")
    if known.counts.dead:
        text = f"expected every notice to arrive, but {known.counts.dead} were given up"
        yield warning("notices", text, "the running log names channel and reason; tell the people yourself")


def ends(policy: Policy, *, at: datetime) -> list[Finding]:
    """Say what of the policy ends within sixty days, by person."""
    near = [end(each, at=at) for each in expiries(policy, at=at)]
    return near or [fine("policy", f"version {policy.version}; it and everybody's keys last sixty days more")]


def witnesses(reached: Iterable[str], policy: Policy) -> Iterator[Finding]:
    """Compare the witnesses elsewhere that the settings reach with those that count."""
    named, version = [*reached], f"policy version {policy.version}"
    listed = [each.name for each in policy.log.witnesses]
    for name in sorted({*named} - {*listed}):
        yield warning(
            f"witness {name}",
            f"expected a witness that {version} lists, got one that only the settings name",
            "it is never asked: correct its name in [witnesses], or take it out there",
        )
    for name in sorted({*listed} - {*named}):
        yield warning(
            f"witness {name}",
            f"expected the settings to say where it is, for {version} lists it, got nothing about it",
            f'it is not asked from here: add [witnesses."{name}"] with its url',
        )
    both = len({*named} & {*listed})
    if both:
        yield fine("witnesses", f"{both} of the settings, as {version} lists them")


def siem(cursor: Cursor | Refusal, known: Database) -> Finding:
    """Judge how far the export to a SIEM is."""
    if isinstance(cursor, Refusal):
        return wrong("siem", str(cursor), cursor.hint)
    waiting = known.entries - cursor.next
    if waiting < 0:
        text = (
            f"expected a log of {cursor.next} entries or more, as many as were handed on, got {known.entries}"
        )
        return wrong("siem", text, "the database is older than the export: recover the log")
    if waiting > MOST_WAITING:
        text = f"expected every entry to be handed on as it comes, but {waiting} wait"
        return warning("siem", text, "the running log says why the sink takes nothing")
    return fine("siem", f"{cursor.next} entries were handed on, {waiting} wait")


def room(known: Room) -> Finding:
    """Judge the room on a disk."""
    text = f"{known.free >> 20} MiB free of {known.total >> 20}"
    if known.free < LEAST_FREE:
        return wrong(f"disk of {known.path}", text, "make room: without it nothing can be acknowledged")
    if known.free < LITTLE_FREE:
        return warning(f"disk of {known.path}", text, "make room before it runs full")
    return fine(f"disk of {known.path}", text)


def backup(facts: Facts) -> Finding:
    """Judge the age of the newest backup, where one was named."""
    if not facts.backup_named:
        return unknown("backup", "not looked at", "name the newest one with --backup FILE")
    if facts.backup is None:
        text = f"expected a backup in {facts.backup_named}, got none"
        return wrong("backup", text, "make one: the manual says how")
    text = f"{duration_text(max(facts.backup, timedelta(0)))} old"
    if facts.backup > OLDEST_BACKUP:
        return warning("backup", f"expected one of the last two days, got one {text}", "see what makes them")
    return fine("backup", text)

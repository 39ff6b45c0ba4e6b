# SPDX-License-Identifier: Apache-2.0
"""The parts of which a policy's signed form is made: each is written and read here, side by side."""

import base64
from collections.abc import Iterable
from datetime import timedelta

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.errors import NewerFormatError
from quorumseal.ceremony.policy import Log, LogKey
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import Span, read_span
from quorumseal.ceremony.values import day, digest, hour, log_origin, name
from quorumseal.signatures import Authority, PublicKey, Scheme
from quorumseal.strict_json import Fields, JsonValue
from quorumseal.tlog import Witness

_MAX_SECONDS = 366 * 86400


def require_format(fields: Fields, known: int) -> None:
    """Refuse a document of another format as such: a newer one is no mistake of its author."""
    found = fields.integer("format")
    if found != known:
        raise NewerFormatError(
            f"{fields.path('format')}: expected {known}, got {found}",
            hint="a newer version of quorumseal may know it",
        )


def read_key(fields: Fields) -> PublicKey:
    """Read a key record: the scheme stands beside the key, never in what it signs."""
    scheme = fields.choice("scheme", Scheme)
    try:
        spki = base64.b64decode(fields.text("spki"), validate=True)
    except ValueError:
        raise fields.invalid("spki", "base64 of a SubjectPublicKeyInfo") from None
    return PublicKey.enrol(scheme, spki)


def write_key(key: PublicKey) -> dict[str, JsonValue]:
    """Write a key record."""
    return {"scheme": str(key.scheme), "spki": base64.b64encode(key.spki).decode()}


def read_log_key(fields: Fields) -> LogKey:
    """Read a key of the log, and where it begins."""
    root = fields.optional_text("from_root")
    return LogKey(
        key=read_key(fields),
        from_size=fields.integer("from_size"),
        from_root=None if root is None else digest(root),
    )


def write_log_key(key: LogKey) -> JsonValue:
    """Write a key of the log, and where it begins."""
    root: dict[str, JsonValue] = {} if key.from_root is None else {"from_root": key.from_root}
    return {**write_key(key.key), "from_size": key.from_size, **root}


def read_log(fields: Fields) -> Log:
    """Read the log; what a policy without witnesses leaves out is none."""
    return Log(
        origin=log_origin(fields.text("origin")),
        keys=tuple(read_log_key(f) for f in fields.objects("keys")),
        cosignatures=fields.integer("cosignatures") if "cosignatures" in fields else 0,
        witnesses=tuple(Witness(log_origin(f.text("name")), read_key(f)) for f in fields.objects("witnesses"))
        if "witnesses" in fields
        else (),
    )


def write_log(log: Log) -> JsonValue:
    """Write the log."""
    witnesses: list[JsonValue] = [
        {"name": witness.name, **write_key(witness.key)}
        for witness in sorted(log.witnesses, key=lambda witness: witness.name)
    ]
    return {
        "origin": log.origin,
        "keys": [write_log_key(key) for key in log.keys],
        **({"cosignatures": log.cosignatures} if log.cosignatures else {}),
        **({"witnesses": witnesses} if witnesses else {}),
    }


def read_set(fields: Fields, field: str) -> frozenset[str]:
    """Read names of which none is written twice."""
    texts = fields.texts(field)
    if len(set(texts)) != len(texts):
        raise fields.invalid(field, "each name once")
    return frozenset(name(text) for text in texts)


def sorted_names(names: Iterable[str]) -> list[JsonValue]:
    """Write names in the one order that there is."""
    return [*sorted(names)]


def write_quorum(quorum: Iterable[Threshold]) -> list[JsonValue]:
    """Write a quorum, in the order of its policy."""
    return [{"role": threshold.role, "threshold": threshold.count} for threshold in quorum]


def read_quorum(fields: Fields, field: str) -> tuple[Threshold, ...]:
    """Read a quorum."""
    return tuple(
        Threshold(role=name(f.text("role")), count=f.integer("threshold")) for f in fields.objects(field)
    )


def write_deadline(deadline: Span) -> dict[str, JsonValue]:
    """Write how long a ceremony is open: in seconds, or in working time."""
    if isinstance(deadline, timedelta):
        return {"deadline_seconds": seconds(deadline)}
    return {"deadline_working": str(deadline)}


def read_deadline(fields: Fields) -> Span:
    """Read how long a ceremony is open."""
    if "deadline_working" not in fields:
        return read_seconds(fields, "deadline_seconds")
    deadline = read_span(fields.text("deadline_working"))
    if isinstance(deadline, timedelta):
        raise fields.invalid("deadline_working", "working time such as 3bd or 8bh")
    return deadline


def write_emergency(emergency: BreakGlass) -> JsonValue:
    """Write what break-glass needs."""
    return {
        "quorum": write_quorum(emergency.quorum),
        "reasons": sorted_names(emergency.reasons),
        "checks": sorted_names(emergency.checks),
        "veto_window_seconds": seconds(emergency.veto_window),
        "provisional_seconds": seconds(emergency.provisional),
        "ratify_seconds": seconds(emergency.ratify),
        "report_seconds": seconds(emergency.report),
    }


def read_emergency(fields: Fields) -> BreakGlass:
    """Read what break-glass needs."""
    return BreakGlass(
        quorum=read_quorum(fields, "quorum"),
        reasons=read_set(fields, "reasons"),
        checks=read_set(fields, "checks"),
        veto_window=read_seconds(fields, "veto_window_seconds"),
        provisional=read_seconds(fields, "provisional_seconds"),
        ratify=read_seconds(fields, "ratify_seconds"),
        report=read_seconds(fields, "report_seconds"),
    )


def write_calendar(calendar: Calendar) -> JsonValue:
    """Write a calendar."""
    return {
        "zone": calendar.zone,
        "days": sorted_names(calendar.days),
        "opens": f"{calendar.opens:%H:%M}",
        "closes": f"{calendar.closes:%H:%M}",
        "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
    }


def read_calendar(fields: Fields) -> Calendar:
    """Read a calendar."""
    return Calendar(
        zone=fields.text("zone"),
        days=read_set(fields, "days"),
        opens=hour(fields.text("opens")),
        closes=hour(fields.text("closes")),
        holidays=frozenset(day(text) for text in fields.texts("holidays")),
    )


def write_timestamping(authorities: Iterable[Authority]) -> list[JsonValue]:
    """Write the timestamp authorities."""
    return [
        {"name": authority.name, "certificate": authority.pem}
        for authority in sorted(authorities, key=lambda authority: authority.name)
    ]


def read_authority(authority: str, fields: Fields) -> Authority:
    """Read what is pinned of a timestamp authority."""
    return Authority.read(name(authority), fields.text("certificate"))


def read_seconds(fields: Fields, field: str) -> timedelta:
    """Read a duration of at most a year."""
    return timedelta(seconds=fields.integer(field, at_most=_MAX_SECONDS))


def seconds(duration: timedelta) -> int:
    """Return a duration as it is written."""
    return int(duration.total_seconds())

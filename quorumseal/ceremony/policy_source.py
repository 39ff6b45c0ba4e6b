# SPDX-License-Identifier: Apache-2.0
"""``policy.toml``: what people write and review, compiled to the policy that is signed."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.enrolment import Enrolment
from quorumseal.ceremony.errors import PolicyError, ValueFormatError
from quorumseal.ceremony.policy import (
    Kind,
    Log,
    Policy,
    Role,
    Rule,
    Signer,
    SignerKey,
    SignerKind,
)
from quorumseal.ceremony.policy_document import FORMAT, genesis_previous
from quorumseal.ceremony.policy_fields import (
    read_authority,
    read_key,
    read_log_key,
    read_set,
    require_format,
)
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import read_span
from quorumseal.ceremony.values import digest, duration, hour, instant, instant_text, log_origin, name
from quorumseal.signatures import Authority
from quorumseal.strict_json import Fields, JsonValue
from quorumseal.tlog import Witness, read_cosigner_key

_Time = TypeVar("_Time")


KEYS_VALID = timedelta(days=365)
"""How long a key that comes by enrolment may sign, unless ``keys_valid`` says otherwise."""
NOBODY: Mapping[str, Enrolment] = {}


def compile_policy(source: str, enrolled: Mapping[str, Enrolment] = NOBODY) -> Policy:
    """Build the policy that ``policy.toml`` describes, or refuse it.

    A signer for whom it lists no keys has those that they enrolled.
    """
    fields = _fields(source)
    require_format(fields, FORMAT)
    valid = _optional_duration(fields, "keys_valid", KEYS_VALID)
    organisation = name(fields.text("organisation"))
    version = fields.integer("version", at_least=1)
    policy = Policy(
        organisation=organisation,
        version=version,
        previous=genesis_previous(organisation) if version == 1 else digest(fields.text("previous")),
        expires=instant(fields.text("expires")),
        clock_skew=_duration(fields, "clock_skew"),
        signers={
            n: _enrolled(n, f, enrolled[n], valid) if n in enrolled else _signer(n, f)
            for n, f in _named(fields, "signers").items()
        },
        roles=_roles(fields.object("roles")),
        rules={n: _rule(n, f) for n, f in _named(fields, "rules").items()},
        products={n: _product(f) for n, f in _named(fields, "products").items()},
        governance=_quorum(fields.object("governance")),
        log=_log(fields.object("log")),
        authorities=tuple(digest(text) for text in fields.texts("authorities")),
        calendar=_calendar(fields.object("calendar")) if "calendar" in fields else Calendar(),
        drill=fields.flag("drill") if "drill" in fields else False,
        timestamping=_timestamping(fields) if "timestamping" in fields else (),
    )
    fields.done()
    return policy


def without_keys(source: str) -> tuple[str, ...]:
    """Return the signers for whom ``policy.toml`` lists no keys: theirs come by enrolment."""
    return tuple(sorted(n for n, f in _named(_fields(source), "signers").items() if "keys" not in f))


def read_log(source: str) -> Log:
    """Return the log that ``policy.toml`` names, whatever else it says."""
    return _log(_fields(source).object("log"))


def _fields(source: str) -> Fields:
    try:
        plain = _plain(tomllib.loads(source))
    except (ValueError, OverflowError) as error:  # not TOML, or a number or date that nobody can hold
        raise PolicyError(f"policy.toml: expected TOML, got: {error}") from None
    except RecursionError:
        raise PolicyError("policy.toml: expected a few levels of tables, got too many") from None
    return Fields(plain, "policy.toml")


def _named(fields: Fields, table: str) -> dict[str, Fields]:
    rows = fields.object(table)
    return {name(row): rows.object(row) for row in rows.names()}


def _signer(signer: str, fields: Fields) -> Signer:
    return Signer(
        name=signer,
        kind=fields.choice("kind", SignerKind),
        keys=tuple(
            SignerKey(
                key=read_key(f),
                valid_from=instant(f.text("valid_from")),
                valid_until=instant(f.text("valid_until")),
            )
            for f in fields.objects("keys")
        ),
        witness=read_key(fields.object("witness")) if "witness" in fields else None,
    )


def _enrolled(signer: str, fields: Fields, enrolment: Enrolment, valid: timedelta) -> Signer:
    """Read a signer whose keys are not in the file; any that are there as well are left over, and refused."""
    since = enrolment.signed_at
    return Signer(
        name=signer,
        kind=fields.choice("kind", SignerKind),
        keys=(SignerKey(key=enrolment.key, valid_from=since, valid_until=since + valid),),
        witness=enrolment.witness,
    )


def _roles(fields: Fields) -> dict[str, Role]:
    return {role: _role(name(role), fields) for role in fields.names()}


def _role(role: str, roles: Fields) -> Role:
    """Read a role: a list of its members, or a table that says more."""
    if isinstance(roles.value(role), list):
        return Role(name=role, members=read_set(roles, role))
    fields = roles.object(role)
    lead = fields.optional_text("lead")
    return Role(
        name=role,
        members=read_set(fields, "members"),
        deputies=_optional_set(fields, "deputies"),
        guardian=fields.flag("guardian") if "guardian" in fields else False,
        lead=None if lead is None else name(lead),
        window=_duration(fields, "window") if "window" in fields else None,
    )


def _optional_set(fields: Fields, field: str) -> frozenset[str]:
    return read_set(fields, field) if field in fields else frozenset()


def _rule(rule: str, fields: Fields) -> Rule:
    quorum = _quorum(fields.object("quorum"))
    rejection = fields.value("rejection") if "rejection" in fields else "veto"
    match rejection:
        case "veto":
            veto = frozenset(threshold.role for threshold in quorum)
        case "count":
            veto = frozenset[str]()
        case _:
            veto = read_set(fields, "rejection")
    return Rule(
        name=rule,
        quorum=quorum,
        requesters=read_set(fields, "requesters"),
        veto=veto,
        checks=_optional_set(fields, "checks"),
        deadline=_measured(read_span, fields, "deadline"),
        longest=_duration(fields, "longest"),
        stages=_stages(fields) if "stages" in fields else (),
        extenders=_optional_set(fields, "extend"),
        emergency=_emergency(fields.object("break_glass")) if "break_glass" in fields else None,
    )


def _stages(fields: Fields) -> tuple[frozenset[str], ...]:
    where = fields.path("stages")
    return tuple(read_set(Fields({"stage": stage}, where), "stage") for stage in fields.values("stages"))


def _emergency(fields: Fields) -> BreakGlass:
    return BreakGlass(
        quorum=_quorum(fields.object("quorum")),
        reasons=read_set(fields, "reasons"),
        checks=_optional_set(fields, "checks"),
        veto_window=_optional_duration(fields, "veto_window", timedelta(minutes=10)),
        provisional=_optional_duration(fields, "provisional", timedelta(hours=72)),
        ratify=_optional_duration(fields, "ratify", timedelta(hours=72)),
        report=_optional_duration(fields, "report", timedelta(days=7)),
    )


def _optional_duration(fields: Fields, field: str, usual: timedelta) -> timedelta:
    return _duration(fields, field) if field in fields else usual


def _duration(fields: Fields, field: str) -> timedelta:
    return _measured(duration, fields, field)


def _measured(read: Callable[[str], _Time], fields: Fields, field: str) -> _Time:
    try:
        return read(fields.text(field))
    except ValueFormatError as error:
        raise ValueFormatError(f"{fields.path(field)}: {error}") from None


def _calendar(fields: Fields) -> Calendar:
    usual = Calendar()
    return Calendar(
        zone=fields.text("zone") if "zone" in fields else usual.zone,
        days=read_set(fields, "days") if "days" in fields else usual.days,
        opens=hour(fields.text("opens")) if "opens" in fields else usual.opens,
        closes=hour(fields.text("closes")) if "closes" in fields else usual.closes,
        holidays=_holidays(fields) if "holidays" in fields else usual.holidays,
    )


def _holidays(fields: Fields) -> frozenset[date]:
    """Read dates, which ``_plain`` has made midnights; a time of day beside one would be dropped unseen."""
    try:
        found = [instant(text) for text in fields.texts("holidays")]
    except ValueFormatError:
        found = []
    if any(at.time() != time() for at in found) or len(set(found)) != len(fields.texts("holidays")):
        raise fields.invalid("holidays", "dates such as 2027-12-25, without quotes, each once")
    return frozenset(at.date() for at in found)


def _quorum(fields: Fields) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=name(role), count=fields.integer(role)) for role in fields.names())


def _product(fields: Fields) -> Mapping[Kind, str]:
    release = fields.text(Kind.RELEASE)
    revocation = fields.text(Kind.REVOCATION) if Kind.REVOCATION in fields else release
    return {Kind.RELEASE: release, Kind.REVOCATION: revocation}


def _timestamping(fields: Fields) -> tuple[Authority, ...]:
    return tuple(read_authority(name, f) for name, f in sorted(_named(fields, "timestamping").items()))


def _log(fields: Fields) -> Log:
    return Log(
        origin=log_origin(fields.text("origin")),
        keys=tuple(read_log_key(f) for f in fields.objects("keys")),
        cosignatures=fields.integer("cosignatures") if "cosignatures" in fields else 0,
        witnesses=_witnesses(fields.object("witnesses")) if "witnesses" in fields else (),
    )


def _witnesses(fields: Fields) -> tuple[Witness, ...]:
    return tuple(_witness(log_origin(row), fields.object(row)) for row in sorted(fields.names()))


def _witness(witness: str, fields: Fields) -> Witness:
    try:
        found = read_cosigner_key(fields.text("key"))
    except ValueError as reason:
        expected = f"a C2SP verifier key such as {witness}+<8 digits>+<base64> ({reason})"
        raise fields.invalid("key", expected) from None
    if found.name != witness:
        raise fields.invalid("key", f"the verifier key of {witness}")
    return found


def _plain(value: Any) -> JsonValue:
    """End tomllib's ``Any`` here; dates become instants, floats are refused."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case datetime():
            if value.tzinfo is None:
                raise PolicyError(f"policy.toml: expected instants with a time zone, got {value.isoformat()}")
            return instant_text(value)
        case date():
            return instant_text(datetime.combine(value, time(), tzinfo=UTC))
        case str() | bool() | int():
            return value
    raise PolicyError(f"policy.toml: expected texts, whole numbers, dates, lists and tables, got {value!r}")

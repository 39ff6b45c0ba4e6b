# SPDX-License-Identifier: Apache-2.0
"""``policy.toml``: what people write and review, compiled to the policy that is signed."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.policy import (
    Kind,
    Log,
    LogKey,
    Policy,
    Role,
    Rule,
    Signer,
    SignerKey,
    SignerKind,
    Threshold,
)
from quorumseal.ceremony.policy_document import FORMAT, genesis_previous, read_key, read_set, require_format
from quorumseal.ceremony.values import digest, duration, instant, instant_text, log_origin, name
from quorumseal.strict_json import Fields, JsonValue


def compile_policy(source: str) -> Policy:
    """Build the policy that ``policy.toml`` describes, or refuse it."""
    try:
        plain = _plain(tomllib.loads(source))
    except (ValueError, OverflowError) as error:  # not TOML, or a number or date that nobody can hold
        raise PolicyError(f"policy.toml: expected TOML, got: {error}") from None
    except RecursionError:
        raise PolicyError("policy.toml: expected a few levels of tables, got too many") from None
    fields = Fields(plain, "policy.toml")
    require_format(fields, FORMAT)
    organisation = name(fields.text("organisation"))
    version = fields.integer("version", at_least=1)
    policy = Policy(
        organisation=organisation,
        version=version,
        previous=genesis_previous(organisation) if version == 1 else digest(fields.text("previous")),
        expires=instant(fields.text("expires")),
        clock_skew=duration(fields.text("clock_skew")),
        signers={n: _signer(n, f) for n, f in _named(fields, "signers").items()},
        roles=_roles(fields.object("roles")),
        rules={n: _rule(n, f) for n, f in _named(fields, "rules").items()},
        products={n: _product(f) for n, f in _named(fields, "products").items()},
        governance=_quorum(fields.object("governance")),
        log=_log(fields.object("log")),
        authorities=tuple(digest(text) for text in fields.texts("authorities")),
    )
    fields.done()
    return policy


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
    )


def _roles(fields: Fields) -> dict[str, Role]:
    return {role: Role(name=name(role), members=read_set(fields, role)) for role in fields.names()}


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
        checks=read_set(fields, "checks") if "checks" in fields else frozenset(),
        deadline=duration(fields.text("deadline")),
        longest=duration(fields.text("longest")),
    )


def _quorum(fields: Fields) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=name(role), count=fields.integer(role)) for role in fields.names())


def _product(fields: Fields) -> Mapping[Kind, str]:
    return {kind: fields.text(kind) for kind in Kind}


def _log(fields: Fields) -> Log:
    return Log(
        origin=log_origin(fields.text("origin")),
        keys=tuple(LogKey(key=read_key(f), from_size=f.integer("from_size")) for f in fields.objects("keys")),
    )


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

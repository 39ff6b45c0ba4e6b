# SPDX-License-Identifier: Apache-2.0
"""What a new policy says otherwise than the one before it, in words, and which of it weakens."""

from collections.abc import Iterator, Sequence
from itertools import chain

from quorumseal.ceremony.calendar import DAYS, Calendar
from quorumseal.ceremony.differing import Difference, listed, of_quorums, of_sets, of_spans
from quorumseal.ceremony.policy import Kind, Log, LogKey, Policy, Role, Signer, SignerKey
from quorumseal.ceremony.rule_differences import rule_differences
from quorumseal.ceremony.spans import write_span
from quorumseal.ceremony.values import digest_of, instant_text
from quorumseal.signatures import PublicKey
from quorumseal.tlog import cosigner_key

__all__ = ["Difference", "differences"]


def differences(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Return everything that differs; version and predecessor always do, and are left out.

    Nothing is returned only where both say the same.
    """
    return tuple(
        chain(
            _organisation(old, new),
            _roster(old, new),
            _roles(old, new),
            rule_differences(old, new),
            _products(old, new),
            of_quorums("governance", old.governance, new.governance),
            _log(old.log, new.log),
            of_sets(
                "authorities",
                old.authorities,
                new.authorities,
                gains="accepts certificates by {}, too",
                loses="accepts certificates by {} no more",
                gain_weakens=True,
            ),
            _order("authorities", "lists them", old.authorities, new.authorities),
            of_sets(
                "timestamping",
                _clocks(old),
                _clocks(new),
                gains="takes the word of {} for the time of a decision",
                loses="takes the word of {} no more",
                gain_weakens=True,
            ),
            _calendar(old.calendar, new.calendar),
        )
    )


def _organisation(old: Policy, new: Policy) -> Iterator[Difference]:
    if old.organisation != new.organisation:
        says = f"is {new.organisation}, was {old.organisation}"
        yield Difference(where="organisation", says=says, weakens=True)
    if old.expires != new.expires:
        says = f"expires {instant_text(new.expires)}, would have {instant_text(old.expires)}"
        yield Difference(where="policy", says=says)
    yield from of_spans("policy", "the clock skew", old.clock_skew, new.clock_skew, longer_weakens=True)
    if old.drill != new.drill:
        says = "is an exercise now: no consumer accepts anything" if new.drill else "is no exercise any more"
        yield Difference(where="policy", says=says, weakens=True)


def _roster(old: Policy, new: Policy) -> Iterator[Difference]:
    counted = bool(old.log.cosignatures)
    for name in sorted(old.signers.keys() | new.signers.keys()):
        before, after, where = old.signers.get(name), new.signers.get(name), f"signer {name}"
        if before is None:
            yield Difference(
                where=where, says=f"is new, a {new.signers[name].kind}{_keys(new.signers[name])}"
            )
            yield from _witness(where, None, new.signers[name].witness, counted)
        elif after is None:
            yield Difference(where=where, says="leaves the roster, with every key")
        else:
            yield from _signer(where, before, after)
            yield from _witness(where, before.witness, after.witness, counted)


def _signer(where: str, old: Signer, new: Signer) -> Iterator[Difference]:
    if old.kind != new.kind:
        yield Difference(where=where, says=f"is a {new.kind}, was a {old.kind}", weakens=True)
    before, after = ({key.key: key for key in signer.keys} for signer in (old, new))
    for key in (k for k in new.keys if k.key not in before):
        yield Difference(where=where, says=f"gets a key: {_key(key)}", weakens=True)
    for key in (k for k in old.keys if k.key not in after):
        yield Difference(where=where, says=f"loses a key: {_key(key)}")
    for key in (k for k in new.keys if k.key in before and k != before[k.key]):
        was = before[key.key]
        longer = key.valid_from < was.valid_from or key.valid_until > was.valid_until
        says = f"has another time for a key: {_key(key)}; was {_time(was)}"
        yield Difference(where=where, says=says, weakens=longer)
    in_order = ([key.key.key_id for key in signer.keys] for signer in (old, new))
    yield from _order(where, "lists the keys", *in_order)


def _witness(where: str, old: PublicKey | None, new: PublicKey | None, counted: bool) -> Iterator[Difference]:
    """Say by what key a signer's agent vouches for the log; it weakens where such words are counted."""
    if old != new:
        by = "none any more" if new is None else f"{new.scheme} {new.key_id}"
        weakens = counted and new is not None
        yield Difference(where=where, says=f"vouches for the log by {by}", weakens=weakens)


def _keys(signer: Signer) -> str:
    return "".join(f"; {_key(key)}" for key in signer.keys)


def _key(key: SignerKey) -> str:
    return f"{key.key.scheme} {key.key.key_id}, {_time(key)}"


def _time(key: SignerKey) -> str:
    return f"{instant_text(key.valid_from)} to {instant_text(key.valid_until)}"


def _roles(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in sorted(old.roles.keys() | new.roles.keys()):
        before, after, where = old.roles.get(name), new.roles.get(name), f"role {name}"
        if before is None:
            role = new.roles[name]
            guardian = ", a guardian" if role.guardian else ""
            yield Difference(where=where, says=f"is new{guardian}: {listed(role.members)}")
        elif after is None:
            yield Difference(where=where, says="is removed")
        else:
            yield from _role(where, before, after)
    if any(rule.emergency for rule in new.rules.values()):
        could, can = (frozenset().union(*(r.members for r in p.roles.values())) for p in (old, new))
        for name in sorted((could - can) & new.signers.keys()):
            yield Difference(where=f"signer {name}", says="can veto no emergency any more", weakens=True)


def _role(where: str, old: Role, new: Role) -> Iterator[Difference]:
    yield from of_sets(
        where, old.members, new.members, gains="{} may count", loses="{} may count no more", gain_weakens=True
    )
    yield from of_sets(
        where,
        old.deputies,
        new.deputies,
        gains="{} may stand in for a member",
        loses="{} may stand in no more",
        gain_weakens=True,
    )
    if old.guardian != new.guardian:
        says = "is a guardian now" if new.guardian else "is a guardian no more"
        yield Difference(where=where, says=says, weakens=True)
    if old.lead != new.lead:
        yield Difference(where=where, says=f"is led by {new.lead or 'nobody'}, was by {old.lead or 'nobody'}")
    if old.window != new.window:
        was, becomes = ("none" if w is None else write_span(w) for w in (old.window, new.window))
        yield Difference(where=where, says=f"the window is {becomes}, was {was}")


def _products(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in sorted(old.products.keys() | new.products.keys()):
        before, after, where = old.products.get(name), new.products.get(name), f"product {name}"
        if before is None:
            rules = new.products[name]
            yield Difference(where=where, says=f"is new, under rule {listed(set(rules.values()))}")
        elif after is None:
            yield Difference(where=where, says="is removed")
        else:
            for kind in (k for k in Kind if before.get(k) != after.get(k)):
                says = f"needs rule {after[kind]} for a {kind}, needed {before[kind]}"
                yield Difference(where=where, says=says, weakens=True)


def _log(old: Log, new: Log) -> Iterator[Difference]:
    if old.origin != new.origin:
        says = f"is {new.origin}, was {old.origin}"
        yield Difference(where="log", says=says, weakens=True)
    before, after = ({_log_key(key) for key in log.keys} for log in (old, new))
    yield from of_sets(
        "log",
        before,
        after,
        gains="is signed by {}",
        loses="is signed by {} no more",
        gain_weakens=True,
        loss_weakens=True,
    )
    if old.cosignatures != new.cosignatures:
        asked, asks = old.cosignatures or "none", new.cosignatures or "no"
        says = f"publishes with {asks} cosignatures, where it asked for {asked}"
        yield Difference(where="log", says=says, weakens=new.cosignatures < old.cosignatures)
    before, after = ({cosigner_key(each) for each in log.witnesses} for log in (old, new))
    yield from of_sets(
        "log",
        before,
        after,
        gains="takes cosignatures by {}",
        loses="takes cosignatures by {} no more",
        gain_weakens=True,
        loss_weakens=True,
    )


def _log_key(key: LogKey) -> str:
    root = "" if key.from_root is None else f" and root {key.from_root}"
    return f"{key.key.key_id} from size {key.from_size}{root}"


def _calendar(old: Calendar, new: Calendar) -> Iterator[Difference]:
    if (old.zone, old.opens, old.closes) != (new.zone, new.opens, new.closes):
        yield Difference(where="calendar", says=f"works {_hours(new)}, was {_hours(old)}")
    if old.days != new.days:
        says = f"works on {', '.join(day for day in DAYS if day in new.days)}"
        yield Difference(where="calendar", says=says)
    yield from of_sets(
        "calendar",
        {f"{day}" for day in old.holidays},
        {f"{day}" for day in new.holidays},
        gains="has the holidays {}",
        loses="has the holidays {} no more",
    )


def _clocks(policy: Policy) -> set[str]:
    return {f"{each.name} ({digest_of(each.certificate)})" for each in policy.timestamping}


def _hours(calendar: Calendar) -> str:
    return f"{calendar.opens:%H:%M} to {calendar.closes:%H:%M} {calendar.zone}"


def _order(where: str, lists: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    if set(old) == set(new) and [*old] != [*new]:
        yield Difference(where=where, says=f"{lists} in another order")

# SPDX-License-Identifier: Apache-2.0
"""Replay of a part's entries: every one has to be the one that the rules make (entries-and-bundle.md)."""

from collections.abc import Callable
from typing import Any

from tests.second_verifier import deciding, taking, timestamps, values
from tests.second_verifier.ceremony import MIB, Ceremony, opened
from tests.second_verifier.deciding import conclusion, decide
from tests.second_verifier.envelopes import envelope
from tests.second_verifier.policy import Policy
from tests.second_verifier.reading import anything, canonical, fields, integer, items, strict, text
from tests.second_verifier.refusing import Refused, need
from tests.second_verifier.statements import NEWER, authentic, read

TYPES = {
    "policy",
    "opened",
    "decided",
    "late",
    "extended",
    "delegated",
    "withdrawn",
    "absent",
    "key-revoked",
    "suspended",
    "recovered",
    "narrowed",
    "window-opened",
    "window-broken",
    "delivered",
    "reported",
    "approved",
    "provisional",
    "vetoed",
    "rejected",
    "expired",
    "cancelled",
    "superseded",
}
ENDINGS = {"approved", "provisional", "vetoed", "rejected", "expired", "cancelled", "superseded"}
_DECISIONS = ("approval/v1", "rejection/v1", "abstention/v1")


def read_entry(data: str) -> dict[str, Any]:
    """One entry, of a type that this version knows, written canonically."""
    raw = data.encode("utf-8", "surrogatepass")
    value = strict(raw, at_most=MIB)
    read_value = fields(
        value,
        {
            "v": integer(),
            "type": text,
            "at": values.instant,
            "ceremony": lambda it: it if it is None else values.ceremony(it),
            "seq": integer(),
            "prev": lambda it: it if it is None else values.digest(it),
            "body": anything,
        },
    )
    need(read_value["type"] in TYPES and read_value["v"] == 0, NEWER)
    need(isinstance(read_value["body"], dict), "json.invalid_field")
    need(canonical(value) == raw, "entry.format")
    return read_value | {"hash": values.sha256(raw), "raw": raw}


def replay(policy: Policy, entries: tuple[dict[str, Any], ...]) -> Ceremony:
    """The ceremony that these entries are the chain of."""
    need(bool(entries), "chain.broken", "no entries")
    first = entries[0]
    need(first["type"] == "opened" and first["seq"] == 0 and first["prev"] is None, "chain.broken")
    ceremony = _open(policy, first)
    need(first["ceremony"] == ceremony.said["ceremony"], "chain.broken")
    ceremony.hashes.append(first["hash"])
    due: str | None = None
    for number, entry in enumerate(entries[1:], 1):
        linked = entry["prev"] == ceremony.hashes[-1] and entry["seq"] == number
        need(linked and entry["ceremony"] == first["ceremony"], "chain.broken")
        need(entry["at"] >= ceremony.time, "chain.time")
        if due is not None:
            need(entry["type"] == due and entry["at"] == ceremony.time, "chain.outcome", f"{due} is due")
        ceremony.time = entry["at"]
        due = _take(ceremony, entry, due)
        ceremony.hashes.append(entry["hash"])
    need(due is None, "chain.outcome", f"{due} is due")
    return ceremony


def _open(policy: Policy, entry: dict[str, Any]) -> Ceremony:
    many = items(anything)
    body = fields(
        entry["body"],
        {"envelope": anything},
        {
            "delegations": many,
            "vetoed_by": items(values.name),
            "revoked": many,
            "suspended": many,
            "policy": text,
        },
    )
    for name in ("delegations", "vetoed_by", "revoked", "suspended"):
        need(body[name] is None or len(body[name]) > 0, "entry.format", "left out where there are none")
    request = authentic(read(envelope(body["envelope"]), "request/v1"), policy, entry["at"])
    ceremony = opened(policy, request, entry["at"])
    for item in body["revoked"] or ():
        taking.revoke(ceremony, item, entry["at"])
    need(request.key not in ceremony.revoked, "request.key_revoked")
    for item in body["suspended"] or ():
        taking.suspend(ceremony, item, entry["at"])
    need(not entry["at"] < ceremony.suspended.get(request.signer, 0), "signer.suspended")
    for item in body["delegations"] or ():
        found = authentic(read(envelope(item), "delegation/v1"), policy, entry["at"])
        need((found.signer, found.said["role"]) not in ceremony.delegations, "standing.number")
        taking.delegate(ceremony, found, entry["at"])
    vetoed = body["vetoed_by"] or ()
    need(not vetoed or ceremony.emergency, "emergency.none")
    need(list(vetoed) == sorted(set(vetoed)), "entry.format")
    need(not vetoed or ceremony.said["emergency"]["people"] >= 3, "emergency.people")
    ceremony.vetoed_by = vetoed
    need((body["policy"] is not None) == (ceremony.said["kind"] == "policy-change"), "entry.format")
    if body["policy"] is not None:
        ceremony.proposed = body["policy"].encode()
        proposed = values.sha256(ceremony.proposed)
        need(proposed == "sha256:" + ceremony.said["subjects"][0]["digest"]["sha256"], "policy.proposal")
    return ceremony


def _take(ceremony: Ceremony, entry: dict[str, Any], due: str | None) -> str | None:
    """Apply an entry; what has to follow it at once, if anything."""
    kind, at, body = entry["type"], entry["at"], entry["body"]
    if ceremony.ended is not None:
        return _after_the_end(ceremony, entry)
    if due is None:
        by_time = ceremony.ended_by_time(at)
        early = kind in ("provisional", "expired") and by_time is None
        need(not early, "ceremony.not_due")
        need(by_time in (None, kind), "chain.outcome", f"time has made it {by_time}")
    if kind in _APPLY:
        _APPLY[kind](ceremony, body, at)
    if kind == "decided":
        found = _decision(ceremony, body, at)
        return conclusion(ceremony, found, at)
    if kind in ("key-revoked", "suspended"):
        broken = ceremony.window is not None and not ceremony.met(at)
        return "window-broken" if broken else None
    if kind in ENDINGS or kind in ("window-opened", "window-broken"):
        _conclude(ceremony, entry, due)
        return None
    need(kind in _APPLY, "chain.outcome", f"{kind} in an open ceremony")
    return None


def _statement(name: str, then: Callable[..., None]) -> Callable[[Ceremony, Any, int], None]:
    def apply(ceremony: Ceremony, body: Any, at: int) -> None:
        value = fields(body, {"envelope": anything})["envelope"]
        then(ceremony, authentic(read(envelope(value), name), ceremony.policy, at), at)

    return apply


def _delivered(ceremony: Ceremony, body: Any, _: int) -> None:
    fields(body, {"recipient": values.name, "channel": values.name, "notice": values.digest})
    need(ceremony.emergency, "emergency.none")
    ceremony.delivered += 1
    need(ceremony.delivered <= 4096, "chain.outcome")


_APPLY: dict[str, Callable[[Ceremony, Any, int], None]] = {
    "extended": _statement("extension/v1", deciding.extend),
    "delegated": _statement("delegation/v1", taking.delegate),
    "withdrawn": _statement("withdrawal/v1", taking.withdraw),
    "vetoed": _statement("veto/v1", deciding.veto),
    "cancelled": _statement("cancellation/v1", deciding.cancel),
    "key-revoked": taking.revoke,
    "suspended": taking.suspend,
    "narrowed": lambda ceremony, body, _: taking.narrow(ceremony, body),
    "delivered": _delivered,
}


def _decision(ceremony: Ceremony, body: Any, at: int) -> Any:
    read_body = fields(body, {"envelope": anything}, {"timestamp": text})
    found = authentic(read(envelope(read_body["envelope"]), *_DECISIONS), ceremony.policy, at)
    proved_at = at
    token = read_body["timestamp"]
    if token is not None:
        stamped = timestamps.judge(ceremony.policy, token)
        skew = ceremony.policy.skew
        early = found.signed_at - skew <= stamped.latest
        need(early and stamped.earliest <= at + skew, "timestamp.time")
        proved_at = min(at, stamped.latest)
    decide(ceremony, found, at, proved_at=proved_at, token=token or "")
    return found


def _conclude(ceremony: Ceremony, entry: dict[str, Any], due: str | None) -> None:
    kind, at, body = entry["type"], entry["at"], entry["body"]
    if kind in ("approved", "window-opened", "provisional"):
        seats = fields(body, {"seats": anything})["seats"]
        need(canonical(seats) == canonical(ceremony.seats(at)), "chain.outcome", "other seats")
    elif kind == "superseded":
        fields(body, {"by": values.digest})
    elif kind not in ("vetoed", "cancelled"):
        fields(body, {})
    match kind:
        case "window-opened":
            need(due == kind, "chain.outcome")
            assert ceremony.rule.break_glass is not None
            ceremony.window = at + ceremony.rule.break_glass.window
            return
        case "window-broken":
            need(due == kind, "chain.outcome")
            ceremony.window = None
            return
        case "approved" | "rejected":
            need(due == kind, "chain.outcome", f"{kind} is not due")
        case "provisional":
            need(ceremony.met(at), "chain.outcome")
    ceremony.ended, ceremony.ended_at = kind, at


def _after_the_end(ceremony: Ceremony, entry: dict[str, Any]) -> str | None:
    """What may follow a conclusion; a bundle has none of it."""
    if entry["type"] == "delivered" and ceremony.ended != "approved":
        _delivered(ceremony, entry["body"], entry["at"])
    elif entry["type"] not in ("late", "reported"):
        raise Refused("ceremony.ended")
    return None

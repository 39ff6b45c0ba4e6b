# SPDX-License-Identifier: Apache-2.0
"""What is signed about waiting and emergencies, beside another organisation's: what an exchange comes to."""

from dataclasses import replace
from datetime import datetime
from functools import cache

from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Begin, Command, End, Expire, Record
from quorumseal.ceremony.entries import Entry, policy_entry
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import replay_standing, stand_on
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import (
    Request,
    StandingAct,
)
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.part import verify_part, verify_seen_checkpoints
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.verify import verify
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    absence,
    delegation,
    emergency_request,
    extends,
    joins,
    ratification,
    reapproval,
    reports,
    revocation,
    run_emergency,
    vetoes,
    withdrawal,
)
from tests.organisation import NOW, Organisation
from tests.simulated_log import SimulatedLog
from tests.verifier.elsewhere import (
    LATER,
    acts_there,
    decision_there,
    emergency_request_there,
    ratification_there,
    reapproval_there,
    revocation_there,
    rich,
)
from tests.verifier.replaying import (
    ABOUT_A_REQUEST,
    ABOUT_THE_POLICY,
    ARTIFACTS,
    IN_A_CEREMONY,
    Case,
    P,
    Row,
)

EMERGENCY, EMERGENCY_ENTRIES = run_emergency("alice", "carol")
RELEASED, RELEASE = BURNING.run("alice", "bob", "carol", "rita")
ALLOWED = Terms(now=NOW + HOUR, allow_provisional=True)


# How each is judged


def publish_emergency(acme: Organisation, entries: list[Entry]) -> object:
    """Publish a provisional bundle to somebody who allows it."""
    log = SimulatedLog(acme)
    log.append(entries)
    part = log.part(entries)
    verify_seen_checkpoints(part, verify_part(part, acme.policy).checkpoint)
    return verify(log.bundle(entries), log.trust, ARTIFACTS, terms=ALLOWED)


def publish_ratified(acme: Organisation, entries: list[Entry]) -> object:
    """Publish an honest emergency with these entries as its ratification."""
    log = SimulatedLog(acme)
    log.append(EMERGENCY_ENTRIES)
    log.append(entries)
    emergency = log.part(EMERGENCY_ENTRIES)
    part = log.part(entries, also={emergency.index + 1})
    return verify(write_bundle(make_bundle([acme.policy], emergency, part)), log.trust, ARTIFACTS)


def publish_approved_anew(acme: Organisation, entries: list[Entry]) -> object:
    """Publish an honest release with these entries as its re-approval."""
    log = SimulatedLog(acme)
    log.append(RELEASE)
    log.append(entries)
    release = log.part(RELEASE)
    part = log.part(entries, also={release.index + 1})
    return verify(write_bundle(make_bundle([acme.policy], release, part)), log.trust, ARTIFACTS)


def publish_revoked(acme: Organisation, entries: list[Entry]) -> object:
    """Publish an honest release with a status file that holds these entries as its revocation."""
    log = SimulatedLog(acme)
    log.append(RELEASE)
    log.append(entries)
    revocations = (log.bundle(entries),)
    status = Status(organisation=acme.name, log=acme.origin, at=NOW + DAY, revocations=revocations)
    terms = Terms(now=NOW + DAY, status=write_status(status, acme.log_key))
    return verify(log.bundle(RELEASE), log.trust, ARTIFACTS, terms=terms)


def read_standing(_: Organisation, entries: list[Entry]) -> object:
    """Read the chain of the entries that belong to no ceremony."""
    return replay_standing(entry.payload for entry in entries)


# The honest ceremonies


class _Course:
    """A ceremony under way, with its entries."""

    def __init__(self, request: Request) -> None:
        self.chain, self.entries = BURNING.run(request=BURNING.sign_request(request), at=request.opened_at)

    def does(self, command: Command, at: datetime) -> None:
        self.chain, more = extend(self.chain, command, at=at)
        self.entries += more

    def approves(self, *signers: str, at: datetime) -> None:
        for signer in signers:
            self.does(joins(self.chain, signer, at=at), at)


def _long() -> _Course:
    return _Course(replace(BURNING.request(), hard_stop=NOW + DAY * 3))


def _extended() -> list[Entry]:
    course = _long()
    course.approves("alice", at=NOW + MINUTE)
    course.does(extends(course.chain, "rita", LATER, at=NOW + MINUTE), NOW + MINUTE)
    course.approves("bob", "carol", "dan", at=NOW + DAY + MINUTE)
    return course.entries


def _delegated() -> list[Entry]:
    course, given = _long(), BURNING.sign(delegation("alice", "engineering", "frank"))
    course.does(Begin(given), NOW + MINUTE)
    by_frank = BURNING.decision("frank", course.chain.ceremony.request, roles=("engineering",))
    course.does(Record(BURNING.sign_decision(replace(by_frank, delegation=given.digest))), NOW + MINUTE * 2)
    course.approves("erin", "carol", "rita", at=NOW + MINUTE * 3)
    return course.entries


def _withdrawn() -> list[Entry]:
    course = _long()
    course.does(Begin(BURNING.sign(delegation("alice", "engineering", "frank"))), NOW + MINUTE)
    course.does(End(BURNING.sign(withdrawal("alice", "engineering"))), NOW + MINUTE)
    course.approves("alice", "erin", "carol", "rita", at=NOW + MINUTE * 2)
    return course.entries


def _vetoed() -> list[Entry]:
    course = _Course(emergency_request())
    course.approves("alice", "carol", at=NOW + MINUTE)
    course.does(vetoes(course.chain, "erin", at=NOW + MINUTE * 2), NOW + MINUTE * 2)
    return course.entries


def _reported() -> list[Entry]:
    course = _Course(emergency_request())
    course.approves("alice", "carol", at=NOW + MINUTE)
    course.does(Expire(), NOW + MINUTE + WINDOW)
    course.does(reports(course.chain, "erin", at=NOW + HOUR), NOW + HOUR)
    return course.entries


def _about_another(request: Request) -> list[Entry]:
    course = _Course(request)
    course.approves("alice", "bob", "carol", "dan", at=request.opened_at + MINUTE)
    return course.entries


def _standing() -> list[Entry]:
    founded = policy_entry(BURNING.policy, at=NOW, seq=0, prev=None)
    acts: list[Signed[StandingAct]] = [
        BURNING.sign(absence("carol", until=NOW + DAY)),
        BURNING.sign(delegation("alice", "engineering", "frank")),
        BURNING.sign(withdrawal("alice", "engineering")),
    ]
    chain, entries = replay_standing([founded.payload]), [founded]
    for act in acts:
        chain, entry = stand_on(chain, act, at=NOW + MINUTE)
        entries.append(entry)
    return entries


def _of_a_decision() -> list[Entry]:
    """Return a ratification whose first decision has every optional field but those that must be empty."""
    course = _Course(ratification(EMERGENCY))
    at = NOW + HOUR + MINUTE
    alices = BURNING.decision("alice", course.chain.ceremony.request, at=at, not_after=NOW + DAY)
    course.does(Record(BURNING.sign_decision(alices)), at)
    course.approves("bob", "carol", "dan", at=at)
    return course.entries


@cache
def case(kind: str) -> Case:
    """Return an honest ceremony with a statement of a kind in it."""
    acts = acts_there()
    match kind:
        case "extension":
            return Case(BURNING, _extended(), 2, write_statement(acts[kind]), "accepted")
        case "delegation":
            return Case(BURNING, _delegated(), 1, write_statement(acts[kind]), "accepted")
        case "withdrawal":
            return Case(BURNING, _withdrawn(), 2, write_statement(acts[kind]), "accepted")
        case "veto":
            return Case(BURNING, _vetoed(), 4, write_statement(acts[kind]), "ceremony.rejected")
        case "report":
            return Case(BURNING, _reported(), 5, write_statement(acts[kind]), "accepted", publish_emergency)
        case "break-glass request":
            other = rich(emergency_request_there())
            return Case(BURNING, EMERGENCY_ENTRIES, 0, other, "accepted", publish_emergency)
        case "ratification request":
            entries, other = _about_another(ratification(EMERGENCY)), rich(ratification_there())
            return Case(BURNING, entries, 0, other, "accepted", publish_ratified)
        case "re-approval request":
            entries, other = _about_another(reapproval(RELEASED)), rich(reapproval_there())
            return Case(BURNING, entries, 0, other, "accepted", publish_approved_anew)
        case "ratification's decision":
            return Case(BURNING, _of_a_decision(), 1, decision_there(), "accepted", publish_ratified)
        case "revocation request":
            revoked = RELEASE[0].envelope.payload
            entries = _about_another(revocation(digest_of(revoked)))
            return Case(BURNING, entries, 0, rich(revocation_there()), "revoked.release", publish_revoked)
        case _:
            place = {"absence": 1, "standing delegation": 2, "standing withdrawal": 3}[kind]
            statement = write_statement(acts[kind.removeprefix("standing ")])
            return Case(BURNING, _standing(), place, statement, "accepted", read_standing)


WHOLE_REQUEST = ("product", "version", "checkpoint", "subjects", "evidence", "supersedes", "ticket")
REQUEST: dict[str, Row] = {
    **ABOUT_THE_POLICY,
    "signer": (((P, "signer"),), "request.on_behalf_of"),
    "signing time": (((P, "signed_at"),), "request.deadline"),
    "ceremony": (((P, "ceremony"),), "statement.ceremony"),
    "subjects and locators": (((P, "subjects"), (P, "locators")), "statement.request"),
    "locators alone": (((P, "locators"),), "json.invalid_field"),
    "deadline": (((P, "deadline"),), "request.deadline"),
    "hard stop": (((P, "hard_stop"),), "statement.request"),
    "on behalf of": (((P, "on_behalf_of"),), "request.on_behalf_of"),
    # Whatever else differs makes another request, about which nobody has decided anything.
    **{field: (((P, field),), "statement.request") for field in WHOLE_REQUEST},
}
IN_TIME: dict[str, Row] = {
    "signing time": (((P, "signed_at"),), "decision.signed_after_deadline"),
    "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
}
MATRIX: dict[str, dict[str, Row]] = {
    "extension": {
        **ABOUT_A_REQUEST,
        **IN_TIME,
        "signer": (((P, "signer"),), "extension.signer"),
        "entry seen": (((P, "seen"),), "act.entry_not_seen"),
        "number": (((P, "number"),), "extension.order"),
        "the one before": (((P, "previous"),), "extension.order"),
        "deadline": (((P, "deadline"),), "extension.deadline"),
    },
    "veto": {
        **ABOUT_A_REQUEST,
        **IN_TIME,
        "signer": (((P, "signer"),), "veto.signer"),
        "entry seen": (((P, "seen"),), "act.entry_not_seen"),
        "reason": (((P, "reason"),), "may differ"),
    },
    "report": {
        **ABOUT_A_REQUEST,
        "signing time": (((P, "signed_at"),), "decision.signed_in_future"),
        "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
        "signer": (((P, "signer"),), "report.signer"),
        "entry seen": (((P, "seen"),), "act.entry_not_seen"),
        "text": (((P, "text"),), "may differ"),
    },
    # A delegation that differs is another one: the decision through it names one that is not there.
    "delegation": {
        **ABOUT_THE_POLICY,
        "signing time": (((P, "signed_at"),), "decision.signed_in_future"),
        "checkpoint": (((P, "checkpoint"),), "decision.delegation"),
        "signer": (((P, "signer"),), "delegation.deputy"),
        "role": (((P, "role"),), "delegation.deputy"),
        "deputy": (((P, "deputy"),), "delegation.deputy"),
        "number": (((P, "number"),), "decision.delegation"),
        "since": (((P, "since"),), "json.invalid_field"),
        "until": (((P, "until"),), "decision.delegation"),
    },
    "withdrawal": {
        **ABOUT_THE_POLICY,
        "signing time": (((P, "signed_at"),), "decision.signed_in_future"),
        "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
        "signer": (((P, "signer"),), "delegation.missing"),
        "role": (((P, "role"),), "delegation.missing"),
        "number": (((P, "number"),), "may differ"),
    },
    "break-glass request": {
        **REQUEST,
        "why": (((P, "why"),), "statement.request"),
        "reason": (((P, "emergency", "reason"),), "statement.request"),
        "incident": (((P, "emergency", "incident"),), "statement.request"),
        "impact": (((P, "emergency", "impact"),), "statement.request"),
        "people": (((P, "emergency", "people"),), "statement.request"),
        "provisional end": (((P, "emergency", "provisional_until"),), "emergency.times"),
        "ratify by": (((P, "emergency", "ratify_by"),), "emergency.times"),
    },
    "ratification request": {
        **REQUEST,
        **{
            f"{field} of the emergency": (((P, "ratified", field),), "statement.request")
            for field in ("ceremony", "request", "conclusion", "requesters")
        },
    },
    "re-approval request": {
        **REQUEST,
        **{
            f"{field} of the release": (((P, "reapproved", field),), "statement.request")
            for field in ("ceremony", "request", "conclusion", "requesters")
        },
    },
    "ratification's decision": {
        **IN_A_CEREMONY,
        **IN_TIME,
        "signer": (((P, "signer"),), "decision.not_a_member"),
        "roles": (((P, "roles"),), "decision.not_a_member"),
        "replaces": (((P, "replaces"),), "decision.replaces"),
        "not after": (((P, "not_after"),), "decision.not_after"),
        "delegation": (((P, "delegation"),), "decision.delegation"),
        "reason": (((P, "reason"),), "may differ"),
        "checks": (((P, "checks"),), "may differ"),
        "request": (((P, "request"),), "statement.request"),
        "subjects": ((("subject",),), "statement.subjects"),
    },
    "revocation request": {
        **REQUEST,
        "locators alone": (((P, "locators"),), "statement.request"),  # both are of a subject named request
        "why": (((P, "why"),), "statement.request"),
    },
    "absence": {
        **ABOUT_THE_POLICY,
        "signing time": (((P, "signed_at"),), "standing.time"),
        "checkpoint": (((P, "checkpoint"),), "may differ"),
        "signer": (((P, "signer"),), "may differ"),  # dan may be away, too, where he signs it himself
        "number": (((P, "number"),), "may differ"),
        "since": (((P, "since"),), "json.invalid_field"),
        "until": (((P, "until"),), "may differ"),
    },
    "standing delegation": {
        **ABOUT_THE_POLICY,
        "signing time": (((P, "signed_at"),), "standing.time"),
        "checkpoint": (((P, "checkpoint"),), "may differ"),
        "signer": (((P, "signer"),), "delegation.deputy"),
        "role": (((P, "role"),), "delegation.deputy"),
        "deputy": (((P, "deputy"),), "delegation.deputy"),
        "number": (((P, "number"),), "standing.number"),  # the withdrawal that follows has a lower one
        "since": (((P, "since"),), "json.invalid_field"),
        "until": (((P, "until"),), "may differ"),
    },
    "standing withdrawal": {
        **ABOUT_THE_POLICY,
        "signing time": (((P, "signed_at"),), "standing.time"),
        "checkpoint": (((P, "checkpoint"),), "may differ"),
        "signer": (((P, "signer"),), "delegation.missing"),
        "role": (((P, "role"),), "delegation.missing"),
        "number": (((P, "number"),), "may differ"),
    },
}

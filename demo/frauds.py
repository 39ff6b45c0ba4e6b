# SPDX-License-Identifier: Apache-2.0
"""Seven frauds by people who hold real keys; the operator of the coordinator has the log's key, too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from demo.attempts import Fraud
from demo.forging import ForgedLog, declared_approved, linked, recorded, rewritten
from demo.hostile import decision_by, is_by, readdressed
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.values import digest_of

SEATS: Final = (("engineering", ("alice", "bob")), ("release", ("rita",)), ("security", ("carol",)))


def changed_byte(fraud: Fraud) -> None:
    """Somebody serves another file under the approved name."""
    stage = fraud.stage
    stage.telling.remark("A mirror serves widget 1.0 with one bit changed, beside the true bundle.")
    name = stage.artifact("widget", "1.0")
    data = bytearray(stage.read(name))
    data[len(data) // 2] ^= 1
    other = stage.write(name.replace("build/", "mirror/"), bytes(data))
    bundle = stage.published("widget", "1.0")
    fraud.by_command("artifact.other_bytes", "verify", other, "--bundle", bundle, "--trust", stage.trust_file)


def one_approval_short(fraud: Fraud) -> None:
    """Engineering asks for two people; one has approved."""
    stage = fraud.stage
    stage.telling.remark("Widget 1.1 lacks one of two engineers. Mallory wants it published all the same.")
    publish = ("release", "publish", "widget@1.1", "--home", stage.home("mallory"))
    fraud.by_command("bundle.missing", *publish)
    stage.telling.remark("The operator makes a bundle of what there is.")
    honest = stage.entries("widget 1.1")
    _verify(fraud, "quorum.short", honest, honest, "one-short")
    stage.telling.remark("The operator writes into the log that the quorum was met.")
    forged = linked([*honest, declared_approved(SEATS, honest[-1])])
    _verify(fraud, "chain.outcome", honest, forged, "declared")


def two_keys(fraud: Fraud) -> None:
    """Alice has two keys in the roster; she is one person."""
    stage = fraud.stage
    request, alice = stage.request("widget 1.1"), stage.person("alice")
    stage.telling.remark("Alice approved widget 1.1. Now she approves it with her spare key, too.")
    fraud.by_coordinator("decision.replaces", "alice", alice.approve(request, stage.policy, spare=True))
    first = decision_by("alice", stage.entries("widget 1.1"))
    second = alice.approve(request, stage.policy, spare=True, replaces=digest_of(first.payload))
    state = stage.send("alice", second)
    stage.telling.remark(f"It may replace her first. It does, and the ceremony is {state}: she counts once.")
    honest = stage.entries("widget 1.1")
    _verify(fraud, "quorum.short", honest, honest, "two-keys")
    stage.telling.remark("The operator lets her two signatures fill both seats of engineering.")
    seats = (("engineering", ("alice", "alice")), *SEATS[1:])
    forged = linked([*honest, declared_approved(seats, honest[-1])])
    _verify(fraud, "chain.outcome", honest, forged, "two-keys-two-seats")


def requester_approves(fraud: Fraud) -> None:
    """Mallory is an engineer, and asked for the release."""
    stage = fraud.stage
    stage.telling.remark("Mallory is an engineer, too, and approves the widget 1.1 that she asked for.")
    fraud.by_command("decision.requester", *stage.approval("mallory", "widget", "1.1"))
    stage.telling.remark("Her own agent would not sign. She signs without it, with her real key.")
    approval = stage.person("mallory").approve(stage.request("widget 1.1"), stage.policy)
    fraud.by_coordinator("decision.requester", "mallory", approval)
    stage.telling.remark("The operator takes it into the log for her.")
    honest = stage.entries("widget 1.1")
    seats = (("engineering", ("alice", "mallory")), *SEATS[1:])
    forged = linked([*honest, recorded(approval, honest[-1]), declared_approved(seats, honest[-1])])
    _verify(fraud, "decision.requester", honest, forged, "requester")


def moved_approval(fraud: Fraud) -> None:
    """Bob approved widget 1.0, which says nothing of 1.1."""
    stage = fraud.stage
    taken = decision_by("bob", stage.entries("widget 1.0"))
    stage.telling.remark("Bob's approval of widget 1.0 is made to name 1.1, and keeps his signature.")
    moved = readdressed(taken, stage.request("widget 1.1"))
    fraud.by_coordinator("statement.signature", "bob", moved)
    stage.telling.remark("The operator puts it, as Bob signed it, into the log of widget 1.1.")
    honest = stage.entries("widget 1.1")
    forged = linked([*honest, recorded(taken, honest[-1]), declared_approved(SEATS, honest[-1])])
    _verify(fraud, "statement.ceremony", honest, forged, "moved")


def late_approval(fraud: Fraud) -> None:
    """Widget 1.2 lacked Bob's approval at its deadline."""
    stage = fraud.stage
    stage.wait_for_expiry("widget 1.2")
    stage.telling.remark("Widget 1.2 expired while it lacked Bob. Now he approves.")
    fraud.by_command("ceremony.ended", *stage.approval("bob", "widget", "1.2"))
    approval = stage.person("bob").approve(stage.request("widget 1.2"), stage.policy)
    state = stage.send("bob", approval)
    stage.telling.remark(
        f"Signed without his agent, it is on record as late, and the ceremony stays {state}."
    )
    honest = stage.entries("widget 1.2")
    _verify(fraud, "ceremony.unapproved", honest, honest, "late")
    stage.telling.remark("The operator dates his approval back to before the deadline.")
    in_time = [entry for entry in honest if entry.type in (EntryType.OPENED, EntryType.DECIDED)]
    like = in_time[-1]
    forged = linked([*in_time, recorded(approval, like), declared_approved(SEATS, like)])
    _verify(fraud, "decision.signed_after_deadline", honest, forged, "dated-back")


def cut_rejection(fraud: Fraud) -> None:
    """Dan rejected gadget 2.0 and was outvoted, as its rule allows; the bundle says so."""
    stage = fraud.stage
    stage.telling.remark("The publisher cuts Dan's rejection out of the bundle of gadget 2.0.")
    honest = stage.entries("gadget 2.0")
    cut = [entry for entry in honest if not is_by("dan", entry)]
    _verify(fraud, "chain.broken", honest, cut, "cut", log=stage.log())
    stage.telling.remark("The operator chains the rest anew, rewrites the log without it, and signs that.")
    _verify(fraud, "log.consistency_proof", honest, linked(cut), "cut-and-signed")


FRAUDS: Final[Mapping[str, Callable[[Fraud], None]]] = {
    "a changed byte": changed_byte,
    "one approval short": one_approval_short,
    "one person signing with two keys": two_keys,
    "the requester approving": requester_approves,
    "an approval from another ceremony": moved_approval,
    "an approval after the deadline": late_approval,
    "a rejection cut out of a bundle": cut_rejection,
}


def _verify(
    fraud: Fraud,
    expected: str,
    honest: Sequence[Entry],
    forged: Sequence[Entry],
    name: str,
    *,
    log: Sequence[bytes] = (),
) -> None:
    """Make a bundle of forged entries, in a log rewritten around them unless one is given; verify it."""
    stage = fraud.stage
    policy = stage.policy
    entries = log or rewritten(stage.log(), honest, forged)
    forgery = ForgedLog(entries, policy.policy.log.origin, stage.log_key)
    request = stage.request_of(honest).statement
    artifact = stage.artifact(request.product, request.version)
    fraud.by_verifier(expected, artifact, forgery.bundle(policy, forged), name)

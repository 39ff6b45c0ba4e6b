# SPDX-License-Identifier: Apache-2.0
"""A policy that contradicts itself, or that nobody could satisfy, cannot be built."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from time import process_time

import pytest

from quorumseal.ceremony.errors import PolicyError, PolicyUnsatisfiableError, UnknownSignerError
from quorumseal.ceremony.policy import Kind, Log, LogKey, Policy, Role, Rule, SignerKind
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.request_errors import UnknownProductError
from quorumseal.ceremony.values import EMPTY_DIGEST, digest_of
from quorumseal.signatures import Scheme
from tests.organisation import NOW, ROLES, Organisation, changed, key_of

ACME = Organisation()
POLICY = ACME.build_policy()
STANDARD = POLICY.rules["standard"]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wrong:
    """A change to a good policy, and what its refusal says."""

    change: Callable[[Policy], Policy]
    says: str


def with_rule(**fields: object) -> Callable[[Policy], Policy]:
    def change(policy: Policy) -> Policy:
        rule = replace(STANDARD, **fields)  # type: ignore[arg-type] # by the table
        return replace(policy, rules={"standard": rule})

    return change


def with_role(name: str, *members: str) -> Callable[[Policy], Policy]:
    return lambda policy: replace(
        policy, roles={**policy.roles, name: Role(name=name, members=frozenset(members))}
    )


def with_keys_of(taker: str, giver: str, *, also: bool = True) -> Callable[[Policy], Policy]:
    def change(policy: Policy) -> Policy:
        own = policy.signers[taker].keys if also else ()
        signer = replace(policy.signers[taker], keys=(*own, *policy.signers[giver].keys))
        return replace(policy, signers={**policy.signers, taker: signer})

    return change


def with_witness(person: str, whose: str) -> Callable[[Policy], Policy]:
    """Give a person the key of another one, of the log, or a new one as their witness key."""

    def change(policy: Policy) -> Policy:
        new = {"w": key_of("w").public, "log": ACME.log_key.public}
        key = new[whose] if whose in new else policy.signers[whose].keys[0].key
        signers = {**policy.signers, person: replace(policy.signers[person], witness=key)}
        return replace(policy, signers=signers)

    return change


def with_log(*keys: LogKey) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, log=Log(origin=policy.log.origin, keys=keys))


def quorum(**counts: int) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=role, count=count) for role, count in counts.items())


def many_roles(policy: Policy) -> Policy:
    names = [f"role-{number}" for number in range(17)]
    roles = {name: Role(name=name, members=frozenset(policy.signers)) for name in names}
    governance = tuple(Threshold(role=name, count=1) for name in names)
    return replace(policy, roles={**policy.roles, **roles}, governance=governance)


LOG_KEY = LogKey(key=ACME.log_key.public, from_size=0)
SECOND_LOG_KEY = LogKey(key=key_of("a second log key").public, from_size=7, from_root=digest_of(b"7"))

CONTRADICTIONS: dict[str, Wrong] = {
    "nobody in the roster": Wrong(lambda p: replace(p, signers={}), "at least one signer"),
    "a signer under another's name": Wrong(
        lambda p: replace(p, signers={**p.signers, "zoe": p.signers["alice"]}), "'zoe' under its own name"
    ),
    "a signer without a key": Wrong(
        lambda p: replace(p, signers={**p.signers, "alice": replace(p.signers["alice"], keys=())}),
        "signer alice: expected at least one key",
    ),
    "one key of two people": Wrong(with_keys_of("alice", "bob"), "got it for alice and for bob"),
    "one key listed twice for one person": Wrong(
        with_keys_of("alice", "alice"), "got it for alice and for alice"
    ),
    "a person's key that signs the log too": Wrong(
        with_log(LogKey(key=POLICY.signers["alice"].keys[0].key, from_size=0)), "got one of alice"
    ),
    "a role under another's name": Wrong(
        lambda p: replace(p, roles={**p.roles, "audit": p.roles["security"]}), "'audit' under its own name"
    ),
    "an empty role": Wrong(with_role("security"), "role security: expected at least one member"),
    "a member whom nobody knows": Wrong(with_role("security", "zoe"), "members of the roster, got 'zoe'"),
    "a witness key that approves": Wrong(with_witness("alice", "bob"), "got one of bob"),
    "a witness key that approves for the same person": Wrong(
        with_witness("alice", "alice"), "got one of alice"
    ),
    "a witness key of another scheme": Wrong(
        with_witness("alice", "carol"), "expected an Ed25519 witness key"
    ),
    "one witness key of two people": Wrong(
        lambda p: with_witness(
            "bob",
            "w",
        )(with_witness("alice", "w")(p)),
        "got one of alice",
    ),
    "a witness key that signs the log": Wrong(with_witness("alice", "log"), "one of the log alone"),
    "a log without a key": Wrong(with_log(), "keys from size 0 on"),
    "a log key that begins late": Wrong(with_log(SECOND_LOG_KEY), "keys from size 0 on"),
    "two log keys from one size": Wrong(
        with_log(LOG_KEY, replace(SECOND_LOG_KEY, from_size=0)), "each from a larger size"
    ),
    "log keys out of order": Wrong(
        with_log(LOG_KEY, SECOND_LOG_KEY, replace(LOG_KEY, from_size=3)), "each from a larger size"
    ),
    "a log key of another scheme": Wrong(
        with_log(LogKey(key=key_of("p", Scheme.ECDSA_P256).public, from_size=0)), "expected Ed25519 keys"
    ),
    "a skew below nothing": Wrong(
        lambda p: replace(p, clock_skew=timedelta(seconds=-1)), "clock_skew: expected 0 to"
    ),
    "a skew too wide": Wrong(
        lambda p: replace(p, clock_skew=timedelta(minutes=10, seconds=1)), "clock_skew: expected 0 to"
    ),
    "no governance": Wrong(lambda p: replace(p, governance=()), "governance: expected a quorum of at least"),
    "more roles than anybody can explain": Wrong(many_roles, "governance: expected a quorum of at most 16"),
    "a rule without roles": Wrong(with_rule(quorum=()), "rule standard: expected a quorum of at least one"),
    "a role that counts twice": Wrong(
        with_rule(quorum=(*quorum(security=1), *quorum(security=1))), "expected each role once"
    ),
    "an unknown role": Wrong(with_rule(quorum=quorum(audit=1), veto=frozenset()), "defined, got 'audit'"),
    "a threshold of 0": Wrong(with_rule(quorum=quorum(security=0)), "a threshold of 1 to 64 for security"),
    "a threshold of -1": Wrong(with_rule(quorum=quorum(security=-1)), "a threshold of 1 to 64 for security"),
    "a threshold of 65": Wrong(with_rule(quorum=quorum(security=65)), "a threshold of 1 to 64 for security"),
    "a veto outside the quorum": Wrong(
        with_rule(veto=frozenset({"managers"})), "expected roles of its quorum to have the veto"
    ),
    "nobody who may request": Wrong(with_rule(requesters=frozenset()), "at least one role that may request"),
    "requesters of an unknown role": Wrong(
        with_rule(requesters=frozenset({"audit"})), "defined as requesters, got 'audit'"
    ),
    "a rule under another's name": Wrong(
        lambda p: replace(p, rules={**p.rules, "strict": STANDARD}), "'strict' under its own name"
    ),
    "a rule without time to decide": Wrong(with_rule(deadline=timedelta(0)), "expected 0 < deadline"),
    "a deadline after the longest": Wrong(with_rule(deadline=DAY * 8), "expected 0 < deadline"),
    "a ceremony without end": Wrong(with_rule(longest=DAY * 91), "expected 0 < deadline"),
    "no product": Wrong(lambda p: replace(p, products={}), "at least one product"),
    "a product under an unknown rule": Wrong(
        lambda p: replace(p, products={"widget": {Kind.RELEASE: "strict"}}), "for release, got 'strict'"
    ),
    "a product without a rule for a kind": Wrong(
        lambda p: replace(p, products={"widget": {}}), "for release, got None"
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_policy_that_contradicts_itself_cannot_be_built(case: str) -> None:
    with pytest.raises(PolicyError) as refused:
        CONTRADICTIONS[case].change(POLICY)
    assert type(refused.value) is PolicyError
    assert CONTRADICTIONS[case].says in str(refused.value)


def test_a_key_is_valid_for_some_time() -> None:
    key = POLICY.signers["alice"].keys[0]
    with pytest.raises(PolicyError, match="valid_from before valid_until"):
        replace(key, valid_from=NOW, valid_until=NOW)
    assert key.valid_at(key.valid_from)
    assert not key.valid_at(key.valid_until)


@pytest.mark.parametrize(
    ("why", "fields", "reason"),
    [
        (
            "one role too small",
            {"quorum": {"security": 1, "release": 3}},
            "rule standard: release (3) needs 3 people, but only dan and rita can count there",
        ),
        (
            "two roles that share everybody",
            {"roles": {**ROLES, "release": ("bob", "carol", "dan")}, "quorum": {"security": 2, "release": 2}},
            (
                "rule standard: security (2) and release (2) together need 4 people, "
                "but only bob, carol and dan can count there"
            ),
        ),
        (
            "enough people, if one of them did not have to ask",
            {"roles": {**ROLES, "managers": ("dan",)}, "quorum": {"security": 1, "release": 2}},
            (
                "rule standard: whoever requests does not count, and without dan "
                "release (2) needs 2 people, but only rita can count there"
            ),
        ),
        (
            "a machine that can ask only for people who are needed",
            {
                "roles": {"engineering": ("alice", "bob"), "managers": ("ci",)},
                "quorum": {"engineering": 2},
            },
            (
                "rule standard: whoever requests does not count, and without ci and alice "
                "engineering (2) needs 2 people, but only bob can count there"
            ),
        ),
        (
            "machines alone",
            {
                "roles": {"engineering": ("ci", "robot"), "managers": ("ci",)},
                "quorum": {"engineering": 1},
                "machines": frozenset({"ci", "robot"}),
            },
            "rule standard: a machine requests on behalf of a person, and the roster has none",
        ),
    ],
)
def test_what_nobody_can_satisfy_is_refused_with_the_smallest_reason(
    why: str, fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(PolicyUnsatisfiableError) as refused:
        changed(ACME, **fields).build_policy()
    assert str(refused.value) == reason, why


def test_a_machine_may_request_where_somebody_is_left_to_ask_for() -> None:
    roles = {"engineering": ("alice", "bob"), "managers": ("ci",), "staff": ("zoe",)}
    policy = changed(ACME, roles=roles, quorum={"engineering": 2}).build_policy()
    assert policy.signer("ci").kind is SignerKind.MACHINE
    assert policy.may_request("ci", policy.rules["standard"])


def test_governance_that_nobody_can_meet_is_refused() -> None:
    with pytest.raises(PolicyUnsatisfiableError, match=r"^governance: release \(3\) needs 3 people"):
        replace(POLICY, governance=quorum(release=3))


def test_a_large_policy_is_judged_at_once() -> None:
    people = {f"person-{number}" for number in range(32)}
    roles = {f"role-{number}": tuple(sorted(people)) for number in range(16)}
    started = process_time()
    changed(
        ACME, roles={**roles, "managers": ("ann",)}, quorum=dict.fromkeys(roles, 2), veto=frozenset()
    ).build_policy()
    with pytest.raises(PolicyUnsatisfiableError, match="together need 33 people"):
        changed(
            ACME, roles={**roles, "managers": ("ann",)}, quorum={**dict.fromkeys(roles, 2), "role-15": 3}
        ).build_policy()
    assert process_time() - started < 20


def test_a_product_and_kind_have_exactly_one_rule() -> None:
    assert POLICY.rule_for("widget", Kind.RELEASE) is STANDARD
    with pytest.raises(UnknownProductError, match="gadget, widget"):
        POLICY.rule_for("gizmo", Kind.RELEASE)


def test_a_signer_is_known_by_exactly_one_name() -> None:
    assert POLICY.signer("alice").name == "alice"
    with pytest.raises(UnknownSignerError, match="got 'Alice'"):
        POLICY.signer("Alice")


def test_a_role_of_the_rule_is_held_by_its_members_alone() -> None:
    rule: Rule = STANDARD
    assert POLICY.roles_of("bob", rule) == {"engineering", "security"}
    assert POLICY.roles_of("mallory", rule) == frozenset()
    assert POLICY.may_request("mallory", rule)
    assert not POLICY.may_request("alice", rule)


def test_the_log_key_of_a_size_is_the_last_one_that_began() -> None:
    log = Log(origin="log", keys=(LOG_KEY, SECOND_LOG_KEY))
    assert [log.key_at(size) for size in (0, 6, 7, 100)] == [
        LOG_KEY.key,
        LOG_KEY.key,
        SECOND_LOG_KEY.key,
        SECOND_LOG_KEY.key,
    ]


def test_nobody_is_called_practice_in_earnest() -> None:
    policy = POLICY
    with pytest.raises(PolicyError, match="expected another name than practice"):
        replace(policy, organisation="practice")
    assert replace(policy, organisation="practice", drill=True).drill


@pytest.mark.parametrize(("first", "later"), [(EMPTY_DIGEST, EMPTY_DIGEST), (None, None)])
def test_every_log_key_but_the_first_names_the_root_that_it_begins_at(
    first: str | None, later: str | None
) -> None:
    keys = (
        LogKey(key=key_of("log").public, from_size=0, from_root=first),
        LogKey(key=key_of("next log").public, from_size=7, from_root=later),
    )
    with pytest.raises(PolicyError, match="name the root of the size that it begins at"):
        replace(POLICY, log=Log(origin="log.acme.example", keys=keys))

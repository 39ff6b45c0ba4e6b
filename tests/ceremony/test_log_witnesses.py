# SPDX-License-Identifier: Apache-2.0
"""Who may cosign a log is in its policy, each once, and no more is asked for than there are."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.linting import Level, lint
from quorumseal.ceremony.log_witnesses import MOST_OUTSIDE_WITNESSES
from quorumseal.ceremony.policy_differences import differences
from quorumseal.ceremony.policy_document import read_policy, write_policy
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.policy_writing import policy_text
from quorumseal.cli.policy.screen import draw_policy, policy_json
from quorumseal.signatures import Scheme
from quorumseal.strict_json import StrictJsonError, read, write
from quorumseal.terminal import Look, Screen
from quorumseal.tlog import Witness, cosigner_key
from tests.ceremony.test_linting import QUIET
from tests.organisation import NOW, Organisation, key_of

W1, W2 = (Witness(f"witness.example/{name}", key_of(name).public) for name in ("w1", "w2"))
ACME = Organisation(witnessing=frozenset({"alice", "carol"}), outside=(W1, W2), cosignatures=3)
POLICY = ACME.build_policy()
BARE = Organisation().build_policy()


def test_the_witnesses_are_the_agents_of_signers_that_have_a_key_and_those_from_outside() -> None:
    assert POLICY.witnesses == (
        Witness("acme.example/witness/alice", ACME.witness_key("alice").public),
        Witness("acme.example/witness/carol", ACME.witness_key("carol").public),
        W1,
        W2,
    )
    assert BARE.witnesses == ()


def test_witnesses_are_in_the_signed_bytes_and_in_the_text() -> None:
    assert read_policy(write_policy(POLICY)) == POLICY
    assert compile_policy(policy_text(POLICY)) == POLICY
    assert f'[log.witnesses."witness.example/w1"]\nkey = "{cosigner_key(W1)}"' in "\n".join(
        line for line in policy_text(POLICY).splitlines() if not line.startswith("#")
    )


def test_a_policy_without_witnesses_has_the_bytes_that_it_always_had() -> None:
    assert b"witness" not in write_policy(BARE)
    assert b"cosignatures" not in write_policy(BARE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cosignatures", 0),
        ("witnesses", []),
        ("cosignatures", "3"),
        ("cosignatures", -1),
        ("cosignatures", 5),
    ],
)
def test_another_spelling_of_the_log_in_the_signed_bytes_is_refused(field: str, value: object) -> None:
    document = json.loads(write_policy(POLICY))
    document["predicate"]["log"][field] = value
    with pytest.raises((PolicyError, StrictJsonError)):
        read_policy(write(read(json.dumps(document).encode())))


def test_witnesses_in_another_order_are_refused_in_the_signed_bytes() -> None:
    document = json.loads(write_policy(POLICY))
    document["predicate"]["log"]["witnesses"].reverse()
    with pytest.raises(PolicyError, match="canonically"):
        read_policy(write(read(json.dumps(document).encode())))


def with_witnesses(*outside: Witness, asked: int = 0) -> Organisation:
    return replace(ACME, outside=outside, cosignatures=asked)


@pytest.mark.parametrize(
    ("organisation", "expected"),
    [
        (with_witnesses(W1, asked=4), "expected 0 to 3 cosignatures of its 3 witnesses, got 4"),
        (Organisation(cosignatures=1), "expected 0 to 0 cosignatures of its 0 witnesses, got 1"),
        (with_witnesses(W1, asked=-1), "got -1"),
        (with_witnesses(W1, W1), "expected a key of its own, got one of witness witness.example/w1"),
        (with_witnesses(W1, Witness("other.example", W1.key)), "got one of witness witness.example/w1"),
        (with_witnesses(W1, Witness(W1.name, W2.key)), "expected a name of its own"),
        (
            with_witnesses(Witness("w.example", ACME.key("alice").public)),
            "a key of its own, got one of alice",
        ),
        (with_witnesses(Witness("w.example", ACME.witness_key("alice").public)), "got one of alice"),
        (with_witnesses(Witness("w.example", ACME.log_key.public)), "got one of the log"),
        (with_witnesses(Witness("acme.example/witness/alice", W1.key)), "expected a name of its own"),
        (with_witnesses(Witness("acme.example/witness/nobody", W1.key)), "expected a name of its own"),
        (with_witnesses(Witness("w.example", key_of("p", Scheme.ECDSA_P256).public)), "an Ed25519 key"),
        (
            with_witnesses(*(Witness(f"w{n}.example", key_of(f"w{n}").public) for n in range(17))),
            f"at most {MOST_OUTSIDE_WITNESSES} outside witnesses, got 17",
        ),
    ],
)
def test_witnesses_that_would_count_twice_or_are_too_few_make_no_policy(
    organisation: Organisation, expected: str
) -> None:
    with pytest.raises(PolicyError, match=expected):
        organisation.build_policy()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("nonsense", "a C2SP verifier key such as"),
        (cosigner_key(W1).replace("w1+", "w1+0", 1), "a C2SP verifier key such as"),
        (cosigner_key(W1).replace("+B", "+A"), "a C2SP verifier key such as"),
        (cosigner_key(W1)[:-4], "a C2SP verifier key such as|an Ed25519|ed25519"),
        (cosigner_key(W1).upper(), "a C2SP verifier key such as|an Ed25519"),
        (cosigner_key(W2), "the verifier key of witness.example/w1"),
    ],
)
def test_a_verifier_key_of_another_form_or_name_is_refused(key: str, expected: str) -> None:
    source = policy_text(POLICY)
    with pytest.raises(Exception, match=expected) as refused:
        compile_policy(source.replace(cosigner_key(W1), key))
    assert hasattr(refused.value, "hint"), "a refusal, not a mistake of ours"


def test_a_witness_without_a_usable_name_is_refused() -> None:
    with pytest.raises(Exception, match="an origin of"):
        compile_policy(policy_text(POLICY).replace('"witness.example/w1"]', '"two words"]'))


def test_the_screen_says_how_many_of_how_many_witnesses_are_asked_for() -> None:
    out = StringIO()
    draw_policy(Screen(out, out, look=Look(), err_look=Look()), POLICY, at=NOW)
    assert "cosignatures  3 of 4 witnesses, 2 from outside" in out.getvalue()
    assert f'"witness.example/w1": "{cosigner_key(W1)}"' in json.dumps(policy_json(POLICY))
    bare = StringIO()
    draw_policy(Screen(bare, bare, look=Look(), err_look=Look()), BARE, at=NOW)
    assert "cosignatures" not in bare.getvalue()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (0, []),
        (1, [(Level.NOTE, "needs 1 of 4 witnesses: a log could show two histories to two halves of them")]),
        (2, [(Level.NOTE, "needs 2 of 4 witnesses: a log could show two histories to two halves of them")]),
        (3, []),
        (
            4,
            [
                (
                    Level.WARNING,
                    "needs a cosignature of every one of its 4 witnesses before anything is published",
                )
            ],
        ),
    ],
)
def test_too_few_and_too_many_cosignatures_are_findings(
    asked: int, expected: list[tuple[Level, str]]
) -> None:
    organisation = replace(
        QUIET, witnessing=frozenset({"alice", "carol"}), outside=(W1, W2), cosignatures=asked
    )
    found = lint(organisation.build_policy(), at=NOW)
    assert [(each.level, each.says) for each in found if each.where == "log"] == expected


def test_whose_agent_may_vouch_weakens_only_where_such_words_are_counted() -> None:
    for asked in (0, 1):
        fewer = replace(ACME, cosignatures=asked)
        more = replace(fewer, witnessing=frozenset({"alice", "carol", "dan"}))
        there = differences(fewer.build_policy(), more.build_policy())
        assert [(each.where, each.weakens) for each in there] == [("signer dan", bool(asked))]
        back = differences(more.build_policy(), fewer.build_policy())
        assert [(each.says, each.weakens) for each in back] == [
            ("vouches for the log by none any more", False)
        ]


def test_a_new_signer_whose_agent_is_a_witness_weakens_where_cosignatures_are_counted() -> None:
    roles = {**ACME.roles, "engineering": (*ACME.roles["engineering"], "zoe")}
    joined = replace(ACME, roles=roles, witnessing=ACME.witnessing | {"zoe"})
    found = [each for each in differences(POLICY, joined.build_policy()) if each.where == "signer zoe"]
    assert [(each.says[:16], each.weakens) for each in found] == [
        ("is new, a person", False),
        ("vouches for the ", True),
    ]

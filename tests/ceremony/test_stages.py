# SPDX-License-Identifier: Apache-2.0
"""Roles that decide one after the other: a decision counts only once its stage has come."""

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from tests.burning import MINUTE
from tests.organisation import NOW, Organisation, changed

STAGED = Organisation(stages=(frozenset({"engineering"}), frozenset({"security", "release"})))


def opened() -> Chain:
    return open_chain(STAGED.policy, STAGED.sign_request(), at=NOW)[0]


def decides(chain: Chain, signer: str, choice: Choice = Choice.APPROVAL, **more: object) -> Record:
    decision = STAGED.decision(signer, chain.ceremony.request, choice, **more)  # type: ignore[arg-type] # passed on
    return Record(STAGED.sign_decision(decision))


def test_the_second_stage_begins_when_the_first_is_met() -> None:
    chain = opened()
    assert chain.ceremony.open_roles(at=NOW) == {"engineering"}
    with pytest.raises(errors.OtherStageError, match=r"turn it is \(engineering\), got one in security"):
        extend(chain, decides(chain, "carol"), at=NOW)
    for signer in ("alice", "erin"):
        chain, _ = extend(chain, decides(chain, signer), at=NOW)
    assert chain.ceremony.open_roles(at=NOW) == {"engineering", "security", "release"}
    for signer in ("carol", "rita"):
        chain, _ = extend(chain, decides(chain, signer), at=NOW)
    assert chain.ceremony.state is State.APPROVED
    assert chain.ceremony.open_roles(at=NOW) == {"engineering", "security", "release"}


def test_an_early_decision_counts_only_in_the_roles_whose_turn_it_was() -> None:
    chain = opened()
    chain, _ = extend(chain, decides(chain, "bob"), at=NOW)  # of engineering and security
    assert chain.ceremony.counting["bob"] == {"engineering"}
    for signer in ("alice", "erin", "rita"):
        chain, _ = extend(chain, decides(chain, signer), at=NOW)
    assert chain.ceremony.state is State.OPEN, "bob would fill security, but signed before its turn"
    standing = chain.ceremony.decisions["bob"].digest
    again = decides(chain, "bob", replaces=standing, at=NOW + MINUTE)
    assert extend(chain, again, at=NOW + MINUTE)[0].ceremony.state is State.APPROVED


@pytest.mark.parametrize("choice", [Choice.REJECTION, Choice.ABSTENTION])
def test_to_say_no_nobody_waits_for_their_turn(choice: Choice) -> None:
    chain = opened()
    assert "carol" in extend(chain, decides(chain, "carol", choice), at=NOW)[0].ceremony.decisions


STAGES: dict[str, tuple[frozenset[str], ...]] = {
    "a role left out": (frozenset({"engineering"}), frozenset({"security"})),
    "a role twice": (frozenset({"engineering", "release"}), frozenset({"security", "release"})),
    "a role of no quorum": (frozenset({"engineering", "managers"}), frozenset({"security", "release"})),
    "an empty stage": (frozenset(), frozenset({"engineering", "security", "release"})),
}


@pytest.mark.parametrize("stages", STAGES.values(), ids=STAGES)
def test_stages_name_each_role_of_the_quorum_once(stages: tuple[frozenset[str], ...]) -> None:
    with pytest.raises(errors.PolicyError, match="stages"):
        changed(STAGED, stages=stages).build_policy()

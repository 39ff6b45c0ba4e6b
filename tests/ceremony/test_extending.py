# SPDX-License-Identifier: Apache-2.0
"""A deadline moves twice at most, by those whom the rule names, and never past the hard stop."""

from dataclasses import replace

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, replay_chain
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.lifecycle import State
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, HOUR, MINUTE, extends
from tests.organisation import NOW, changed

HARD_STOP = DAY * 3
DIGEST = "sha256:" + "a" * 64


def waiting() -> Chain:
    request = replace(BURNING.request(), hard_stop=NOW + HARD_STOP)
    return BURNING.run("alice", request=BURNING.sign_request(request))[0]


def test_an_extension_moves_the_deadline() -> None:
    chain, entries = extend(waiting(), extends(waiting(), "rita", NOW + DAY * 2), at=NOW + HOUR)
    assert [entry.type for entry in entries] == ["extended"]
    with pytest.raises(errors.NotDueError):
        extend(chain, Expire(), at=NOW + DAY)
    assert extend(chain, Expire(), at=NOW + DAY * 2)[0].ceremony.state is State.EXPIRED


def test_a_second_follows_the_first_and_a_third_is_refused() -> None:
    chain, _ = extend(waiting(), extends(waiting(), "rita", NOW + DAY + HOUR), at=NOW + HOUR)
    chain, _ = extend(chain, extends(chain, "ci", NOW + DAY + HOUR * 2), at=NOW + HOUR)
    with pytest.raises(errors.TooManyExtensionsError):
        extend(chain, extends(chain, "rita", NOW + DAY + HOUR * 3), at=NOW + HOUR)


def test_the_same_extension_again_changes_nothing() -> None:
    command = extends(waiting(), "rita", NOW + DAY * 2)
    chain, _ = extend(waiting(), command, at=NOW + HOUR)
    assert extend(chain, command, at=NOW + HOUR) == (chain, ())


REFUSED: dict[str, tuple[dict[str, object], type[Refusal]]] = {
    "by a role owner": ({"signer": "alice"}, errors.ExtensionNotAllowedError),
    "by whoever asked": ({"signer": "mallory"}, errors.ExtensionNotAllowedError),
    "a number left out": ({"number": 2}, errors.ExtensionOrderError),
    "after one that is not there": ({"previous": DIGEST}, errors.ExtensionOrderError),
    "to the same deadline": ({"deadline": NOW + DAY}, errors.ExtensionDeadlineError),
    "to an earlier one": ({"deadline": NOW + HOUR}, errors.ExtensionDeadlineError),
    "past the hard stop": ({"deadline": NOW + HARD_STOP + MINUTE}, errors.ExtensionDeadlineError),
    "signed before the opening": ({"at": NOW - HOUR}, errors.SignedBeforeOpeningError),
    "signed after the deadline": ({"at": NOW + DAY}, errors.SignedAfterDeadlineError),
}


@pytest.mark.parametrize(("given", "refusal"), REFUSED.values(), ids=REFUSED)
def test_an_extension_that_does_not_follow_is_refused(
    given: dict[str, object], refusal: type[Refusal]
) -> None:
    fields: dict[str, object] = {"signer": "rita", "deadline": NOW + DAY * 2, **given}
    with pytest.raises(refusal):
        extend(waiting(), extends(waiting(), **fields), at=NOW + HOUR)  # type: ignore[arg-type] # by the table


def test_the_hard_stop_itself_can_be_reached() -> None:
    chain, _ = extend(waiting(), extends(waiting(), "rita", NOW + HARD_STOP), at=NOW + HOUR)
    assert chain.ceremony.deadline == NOW + HARD_STOP


def test_an_extension_at_the_deadline_finds_the_ceremony_expired() -> None:
    chain = waiting()
    command = extends(chain, "rita", NOW + DAY * 2, at=NOW + DAY - MINUTE)
    assert extend(chain, command, at=NOW + DAY)[0].ceremony.state is State.EXPIRED


def test_an_extension_after_the_end_is_refused() -> None:
    chain, _ = BURNING.run("alice", "bob", "carol", "rita")
    with pytest.raises(errors.CeremonyEndedError):
        extend(chain, extends(chain, "ci", NOW + DAY * 2), at=NOW + HOUR)


def test_where_the_rule_names_nobody_nobody_extends() -> None:
    acme = changed(BURNING, extenders=frozenset())
    chain, _ = acme.run()
    with pytest.raises(errors.ExtensionNotAllowedError, match="by nobody"):
        extend(chain, extends(chain, "rita", NOW + DAY * 2, acme=acme), at=NOW)


def test_an_extension_of_another_ceremony_is_refused() -> None:
    other = BURNING.run(request=BURNING.sign_request(BURNING.request(number=2, version="2.0")))[0]
    with pytest.raises(errors.OtherCeremonyError):
        extend(waiting(), extends(other, "rita", NOW + DAY * 2), at=NOW)


def test_an_extended_ceremony_replays() -> None:
    request = BURNING.sign_request(replace(BURNING.request(), hard_stop=NOW + HARD_STOP))
    chain, entries = BURNING.run("alice", request=request)
    chain, more = extend(chain, extends(chain, "rita", NOW + DAY * 2), at=NOW + HOUR)
    assert replay_chain([entry.payload for entry in (*entries, *more)], BURNING.policy) == chain

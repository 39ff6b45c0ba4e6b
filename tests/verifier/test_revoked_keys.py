# SPDX-License-Identifier: Apache-2.0
"""Whoever has a status file takes out what revoked keys signed since then, and counts again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Delegation
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.errors import RevokedKeyError
from quorumseal.verifier.outcomes import Outcome, outcome_of
from quorumseal.verifier.part import Part
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.verify import Verified, verify
from tests.burning import (
    DAY,
    HOUR,
    MINUTE,
    delegation,
    emergency_request,
    joins,
    ratification,
    reapproval,
    run_emergency,
)
from tests.changing import both_sides, next_version
from tests.forging import verdict
from tests.losing import LOSING, by_guardian, by_owner, key_id
from tests.organisation import ARTIFACT, NOW, changed
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
QUORUM = ("alice", "bob", "carol", "dan")
Makers = tuple[Envelope, ...]


def minute(number: int) -> datetime:
    return NOW + number * MINUTE


def revoked(owner: str, since: datetime) -> Makers:
    """Let two guardians revoke somebody's key."""
    guardians = [name for name in ("bob", "carol", "dan") if name != owner][:2]
    return tuple(by_guardian(each, owner, since=since, at=NOW + DAY).envelope for each in guardians)


def status(*keys: Makers) -> bytes:
    made = Status(organisation=LOSING.name, log=LOSING.origin, at=NOW + DAY, keys=keys)
    return write_status(made, LOSING.log_key)


class Published:
    """A log, and the parts of a bundle that come from it."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.log = SimulatedLog(LOSING)
        self.parts: list[Part] = []
        self.add(entries)

    def add(self, entries: Sequence[Entry]) -> None:
        self.log.append(list(entries))
        also = {self.parts[-1].index + 1} if self.parts else set[int]()
        self.parts.append(self.log.part(list(entries), also=also))

    def verify(self, *keys: Makers, parts: Sequence[Part] = (), **terms: object) -> Verified:
        bundle = write_bundle(make_bundle([LOSING.policy], *(parts or self.parts)))
        now = NOW + DAY + HOUR
        whole = Terms(now=now, status=status(*keys), **terms)  # type: ignore[arg-type] # passed on
        return verify(bundle, self.log.trust, ARTIFACTS, terms=whole)

    def judge(self, *keys: Makers, **terms: object) -> str:
        """Return as what it counts, or the code of the refusal."""
        found: list[str] = []
        code = verdict(lambda: found.append(str(self.verify(*keys, **terms).standing)))  # type: ignore[arg-type] # as above
        return found[0] if found else code


def release(*signers: str) -> Published:
    return Published(LOSING.run(*(signers or QUORUM))[1])


RELEASE, WITH_ONE_MORE = release(), release("alice", "bob", "erin", "carol", "dan")
CASES: dict[str, tuple[Published, Sequence[Makers], str]] = {
    "no key": (RELEASE, [], "regular"),
    "a key that signed before": (RELEASE, [revoked("alice", minute(2))], "regular"),
    "a key since the instant of its approval": (RELEASE, [revoked("alice", minute(1))], "revoked.key"),
    "the same, where another one approved too": (WITH_ONE_MORE, [revoked("alice", NOW)], "regular"),
    "two keys, where one would do no harm": (
        WITH_ONE_MORE,
        [revoked("alice", NOW), revoked("erin", NOW)],
        "revoked.key",
    ),
    "the requester's key": (RELEASE, [revoked("mallory", NOW)], "revoked.key"),
    "the requester's key, since later": (RELEASE, [revoked("mallory", minute(1))], "regular"),
    "a key by its owner": (RELEASE, [(by_owner("alice", since=NOW).envelope,)], "revoked.key"),
    "a key that signed nothing here": (RELEASE, [revoked("erin", NOW)], "regular"),
}


@pytest.mark.parametrize(("published", "keys", "expected"), CASES.values(), ids=CASES)
def test_a_release_holds_while_its_quorum_does_without_revoked_keys(
    published: Published, keys: Sequence[Makers], expected: str
) -> None:
    assert published.judge(*keys) == expected


def test_the_refusal_names_who_which_key_and_what_is_short() -> None:
    with pytest.raises(Exception, match="engineering needs one more") as refused:
        RELEASE.verify(revoked("alice", NOW))
    assert f"alice (key {key_id('alice')}, revoked since 2026-11-20T14:00:00.000Z)" in str(refused.value)
    assert outcome_of("revoked.key") is Outcome.REVOKED
    with pytest.raises(
        Exception, match="mallory asked for it with that key, so nothing that followed counts"
    ):
        RELEASE.verify(revoked("mallory", NOW))


def test_the_refusal_says_that_an_emergency_lacks_people_where_its_roles_are_filled() -> None:
    _, entries = run_emergency(
        "alice", "carol", "bob", acme=LOSING, request=emergency_request(LOSING, people=3)
    )
    with pytest.raises(RevokedKeyError, match="the emergency needs more people than are left"):
        Published(entries).verify(revoked("bob", NOW), allow_provisional=True)


def test_what_holds_says_which_revoked_keys_signed_in_it() -> None:
    (before,) = RELEASE.verify(revoked("alice", minute(2))).revoked_keys
    assert (before.signer, before.at, before.counts) == ("alice", minute(1), True)
    verified = WITH_ONE_MORE.verify(revoked("alice", NOW))
    assert [(use.signer, use.counts) for use in verified.revoked_keys] == [("alice", False)]
    assert verified.seats["engineering"] == ("bob", "erin")
    assert RELEASE.verify().revoked_keys == ()


def deputised() -> Published:
    given: Signed[Delegation] = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
    chain, entry = open_chain(LOSING.policy, LOSING.sign_request(), at=NOW, delegations=(given,))
    entries = [entry]
    decision = LOSING.decision("frank", chain.ceremony.request, at=minute(1), roles=("engineering",))
    chain, more = extend(
        chain, Record(LOSING.sign_decision(replace(decision, delegation=given.digest))), at=minute(1)
    )
    entries += more
    for number, signer in enumerate(QUORUM[1:], start=2):
        at = minute(number)
        decision = LOSING.decision(signer, chain.ceremony.request, at=at)
        chain, more = extend(chain, Record(LOSING.sign_decision(decision)), at=at)
        entries += more
    return Published(entries)


def test_what_a_deputy_decided_falls_with_the_key_that_delegated() -> None:
    published = deputised()
    assert published.judge() == "regular"
    assert published.judge(revoked("alice", minute(1))) == "revoked.key"
    assert published.judge(revoked("alice", minute(2))) == "regular"


def followed(chain: Chain, published: Published, *, anew: bool) -> Published:
    """Have it ratified, or approved anew."""
    again = reapproval if anew else ratification
    request = again(chain, LOSING)
    at = request.opened_at
    chain, entry = open_chain(LOSING.policy, LOSING.sign_request(request), at=at)
    entries = [entry]
    for signer in ("bob", "erin", "carol", "dan"):
        chain, more = extend(chain, joins(chain, signer, acme=LOSING, at=at), at=at)
        entries += more
    published.add(entries)
    return published


def test_an_emergency_holds_by_its_ratification_and_not_by_itself() -> None:
    chain, entries = run_emergency("alice", "carol", acme=LOSING)
    published = Published(entries)
    assert published.judge(allow_provisional=True) == "provisional"
    assert published.judge(revoked("alice", NOW), allow_provisional=True) == "revoked.key"
    followed(chain, published, anew=False)
    assert published.judge(revoked("alice", NOW)) == "ratified"
    assert published.judge(revoked("erin", NOW)) == "provisional.not_allowed"
    assert published.judge(revoked("alice", NOW), revoked("erin", NOW)) == "revoked.key"


def test_a_release_that_falls_short_holds_by_its_re_approval() -> None:
    chain, entries = LOSING.run(*QUORUM)
    published = followed(chain, Published(entries), anew=True)
    assert published.judge(revoked("alice", NOW)) == "re-approved"
    assert published.judge(revoked("erin", NOW)) == "regular"
    assert published.judge(revoked("alice", NOW), revoked("erin", NOW)) == "revoked.key"


def test_what_no_log_has_is_proved_by_nobody_to_be_from_before() -> None:
    parts = [Part(entries=RELEASE.parts[0].entries)]
    late = revoked("alice", NOW + HOUR)
    bundle = write_bundle(make_bundle([LOSING.policy], *parts))
    terms = Terms(now=minute(9), status=_status_of(minute(8), late), allow_unlogged=True)
    assert verdict(lambda: verify(bundle, RELEASE.log.trust, ARTIFACTS, terms=terms)) == "revoked.key"
    other = Terms(now=minute(9), status=_status_of(minute(8)), allow_unlogged=True)
    assert str(verify(bundle, RELEASE.log.trust, ARTIFACTS, terms=other).standing) == "unlogged"


def _status_of(at: datetime, *keys: Makers) -> bytes:
    made = Status(organisation=LOSING.name, log=LOSING.origin, at=at, keys=keys)
    return write_status(made, LOSING.log_key)


LIES: dict[str, tuple[Makers, str]] = {
    "one guardian alone": (revoked("alice", NOW)[:1], "revocation.signer"),
    "signed by nobody": (
        tuple(replace(each, signature=b"\0" * 64) for each in revoked("alice", NOW)),
        "statement.signature",
    ),
    "under a policy that nobody knows": (
        (by_owner("alice", acme=changed(LOSING, clock_skew=MINUTE)).envelope,),
        "statement.policy",
    ),
}


@pytest.mark.parametrize(("makers", "code"), LIES.values(), ids=LIES)
def test_the_log_key_alone_revokes_no_key(makers: Makers, code: str) -> None:
    assert RELEASE.judge(makers) == code


def test_a_revocation_under_a_newer_policy_brings_that_policy() -> None:
    new = next_version(LOSING, roles={**LOSING.roles, "engineering": ("bob", "erin")}, spare=frozenset())
    published = release()
    change, acceptance = both_sides(LOSING, new, taken=("bob", "carol"))
    published.log.adopt(change, acceptance)
    guardians = (by_guardian(each, "alice", acme=new, since=NOW) for each in ("bob", "carol"))
    keys = (tuple(act.envelope for act in guardians),)
    bundle = write_bundle(make_bundle([LOSING.policy], *published.parts))
    codes = []
    for policies in ((), tuple(published.log.versions)):
        made = Status(organisation=LOSING.name, log=LOSING.origin, at=NOW + DAY, keys=keys, policies=policies)
        terms = Terms(now=NOW + DAY, status=write_status(made, LOSING.log_key))
        codes.append(verdict(lambda terms=terms: verify(bundle, published.log.trust, ARTIFACTS, terms=terms)))  # type: ignore[misc] # bound now
    assert codes == ["statement.policy", "revoked.key"]

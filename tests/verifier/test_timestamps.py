# SPDX-License-Identifier: Apache-2.0
"""A bundle's timestamps say who else knows by when it concluded; one that does not fit is refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.entries import read_entry
from quorumseal.verifier.bundle import read_bundle, same_core, write_bundle
from quorumseal.verifier.explain import explain
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.timestamping import MAX_STAMPS, Stamp
from quorumseal.verifier.trust import read_trust, write_trust
from quorumseal.verifier.verify import Verified, verify
from tests.forging import verdict
from tests.organisation import NOW, Organisation, ceremony_number, changed
from tests.timestamp_authority import LyingAuthority, openssl_needed
from tests.verifier.published import ARTIFACTS, Published, published

pytestmark = openssl_needed
MINUTE = timedelta(minutes=1)
CONCLUDED = NOW + 4 * MINUTE
ID = ceremony_number(1)


@dataclass(frozen=True)
class Sealed:
    published: Published
    clock: LyingAuthority

    @property
    def bundle(self) -> bytes:
        return self.published.bundle

    def token(self, minutes: float = 5) -> bytes:
        (part,) = read_bundle(self.bundle).parts
        return self.clock.token(part.checkpoint, NOW + minutes * MINUTE, timedelta(seconds=1))

    def stamped(self, *tokens: bytes, ceremony: str = ID) -> bytes:
        stamps = tuple(Stamp(ceremony, token) for token in tokens)
        return write_bundle(replace(read_bundle(self.bundle), timestamps=stamps))

    def verify(self, bundle: bytes, *, required: bool = False) -> Verified:
        return verify(bundle, self.published.trust, ARTIFACTS, terms=Terms(require_timestamp=required))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    clock = LyingAuthority(tmp_path_factory.mktemp("clock"))
    acme = changed(Organisation(), timestamping=(clock.authority,))
    return Sealed(published(acme, "alice", "erin", "carol", "rita"), clock)


def test_ceremony_had_concluded_by_the_time_that_an_authority_states(sealed: Sealed) -> None:
    verified = sealed.verify(sealed.stamped(sealed.token()), required=True)
    ((stamp,),) = verified.timestamps.values()
    assert stamp.authority == "clock.acme.example"
    assert stamp.latest == NOW + 5 * MINUTE + timedelta(seconds=1)
    (tree,) = explain(verified)
    (node,) = (node for node in tree.children[0].children if node.kind == "timestamp")
    assert "by 2026-11-20T14:05:01.000Z, as clock.acme.example says" in node.text


def test_bundle_without_a_timestamp_has_the_bytes_of_its_core(sealed: Sealed) -> None:
    stamped = sealed.stamped(sealed.token())
    assert write_bundle(replace(read_bundle(stamped), timestamps=())) == sealed.bundle
    assert same_core(sealed.bundle, stamped)
    assert same_core(sealed.stamped(sealed.token(6)), stamped)
    assert not same_core(stamped, stamped + b" ")
    assert not same_core(b"a note", stamped)


def test_timestamp_is_demanded_by_the_flag_or_by_the_trust_file(sealed: Sealed) -> None:
    sealed.verify(sealed.bundle)
    assert verdict(lambda: sealed.verify(sealed.bundle, required=True)) == "timestamp.missing"
    trust = read_trust(write_trust(replace(sealed.published.trust, timestamp_required=True)))
    assert trust.timestamp_required
    assert verdict(lambda: verify(sealed.bundle, trust, ARTIFACTS)) == "timestamp.missing"
    verify(sealed.stamped(sealed.token()), trust, ARTIFACTS)


Forged = Callable[[Sealed], bytes]
BAD: dict[str, tuple[Forged, str]] = {
    "of another ceremony": (lambda s: s.stamped(s.token(), ceremony=ceremony_number(7)), "bundle.format"),
    "of the checkpoint's text alone": (
        lambda s: s.stamped(s.clock.token(read_bundle(s.bundle).parts[0].checkpoint[:-1], CONCLUDED)),
        "timestamp.imprint",
    ),
    "cut short": (lambda s: s.stamped(s.token()[:-1]), "timestamp.malformed"),
    "from before the conclusion": (lambda s: s.stamped(s.token(1.9)), "timestamp.time"),
    "twice": (lambda s: s.stamped(*[s.token()] * 2), "bundle.format"),
    "too many": (lambda s: s.stamped(*(b"%02d" % n for n in range(MAX_STAMPS + 1))), "bundle.format"),
    "none in a list": (
        lambda s: s.bundle.replace(b'"type":"https', b'"timestamps":[],"type":"https'),
        "bundle.format",
    ),
    "no base64": (
        lambda s: s.stamped(b"xyz").replace(b'"token":"eHl6"', b'"token":"eHl6!"'),
        "timestamp.malformed",
    ),
    "of an unlogged ceremony": (
        lambda s: s.stamped(s.token()).replace(b'"checkpoint":', b'"x":', 1),
        "json.missing_field",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_timestamp_that_does_not_fit_is_refused(sealed: Sealed, case: str) -> None:
    forge, code = BAD[case]
    assert verdict(lambda: sealed.verify(forge(sealed))) == code


def test_clocks_may_differ_as_much_as_the_policy_says(sealed: Sealed) -> None:
    sealed.verify(sealed.stamped(sealed.token(2)))


def test_several_timestamps_all_count(sealed: Sealed) -> None:
    verified = sealed.verify(sealed.stamped(sealed.token(), sealed.token(6)))
    (stamps,) = verified.timestamps.values()
    assert len(stamps) == 2


def test_nobodys_word_is_taken_under_a_policy_that_names_no_authority(sealed: Sealed) -> None:
    plain = Sealed(published(Organisation(), "alice", "erin", "carol", "rita"), sealed.clock)
    assert verdict(lambda: plain.verify(plain.stamped(plain.token()))) == "timestamp.authority"


def test_conclusion_is_what_the_checkpoint_covers(sealed: Sealed) -> None:
    (part,) = read_bundle(sealed.bundle).parts
    assert read_entry(part.entries[-1]).at == CONCLUDED

# SPDX-License-Identifier: Apache-2.0
"""What people write in ``policy.toml`` is compiled to the policy that is signed, or refused by name."""

import base64
from datetime import date, timedelta

import pytest

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.errors import CeremonyError, PolicyError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import read_policy, write_policy
from quorumseal.ceremony.policy_source import compile_policy, read_log
from quorumseal.ceremony.spans import Span, WorkingTime
from tests.forging import verdict
from tests.organisation import ROLES, Organisation, changed, key_of

ACME = Organisation(
    checks=frozenset({"artifacts"}),
    products=("widget",),
    roles={r: ROLES[r] for r in ROLES if r != "managers"},
    requesters=frozenset({"release"}),
    machines=frozenset(),
    veto=frozenset({"security"}),
)
EXPECTED = ACME.build_policy()


def key_lines(name: str) -> str:
    key = EXPECTED.signers[name].keys[0]
    return f"""
[signers.{name}]
kind = "person"
[[signers.{name}.keys]]
scheme = "{key.key.scheme}"
spki = "{base64.b64encode(key.key.spki).decode()}"
valid_from = 2026-10-21T14:00:00Z
valid_until = 2027-11-20T15:00:00+01:00
"""


SOURCE = f"""
format = 0
organisation = "acme.example"
version = 1
expires = 2027-11-20T14:00:00.000Z
clock_skew = "2m"
authorities = []

[roles]
engineering = ["alice", "bob", "erin"]
security = ["bob", "carol", "dan"]
release = ["rita", "dan"]

[rules.standard]
quorum = {{ engineering = 2, security = 1, release = 1 }}
requesters = ["release"]
rejection = ["security"]
checks = ["artifacts"]
deadline = "3d"
longest = "1w"

[products.widget]
release = "standard"

[governance]
engineering = 1
security = 1

[log]
origin = "log.acme.example/test"
[[log.keys]]
scheme = "ed25519"
spki = "{base64.b64encode(ACME.log_key.public.spki).decode()}"
from_size = 0
{"".join(key_lines(name) for name in EXPECTED.signers)}
"""


def compiled(*changes: tuple[str, str]) -> Policy:
    source = SOURCE
    for old, new in changes:
        assert source.count(old) >= 1, old
        source = source.replace(old, new, 1)
    return compile_policy(source)


def test_the_source_compiles_to_the_policy_that_it_describes() -> None:
    assert compile_policy(SOURCE) == EXPECTED


def test_what_is_compiled_is_what_is_read_from_the_signed_bytes() -> None:
    compiled_policy = compile_policy(SOURCE)
    assert read_policy(write_policy(compiled_policy)) == compiled_policy


def test_a_later_version_names_the_version_before() -> None:
    before = "sha256:" + "ab" * 32
    policy = compiled(("version = 1", f'version = 2\nprevious = "{before}"'))
    assert (policy.version, policy.previous) == (2, before)


def test_the_log_is_read_whatever_else_is_missing_yet() -> None:
    assert read_log(SOURCE) == EXPECTED.log
    assert read_log(SOURCE[SOURCE.index("[log]") : SOURCE.index("[signers.")]) == EXPECTED.log


def test_a_witness_key_stands_beside_the_others() -> None:
    spki = base64.b64encode(key_of("alice witnesses").public.spki).decode()
    witness = f'[signers.alice.witness]\nscheme = "ed25519"\nspki = "{spki}"\n[[signers.alice.keys]]'
    policy = compiled(("[[signers.alice.keys]]", witness))
    assert policy.signers["alice"].witness == key_of("alice witnesses").public
    assert policy.signers["bob"].witness is None
    assert read_policy(write_policy(policy)) == policy


def test_a_rejection_is_a_veto_unless_the_rule_says_otherwise() -> None:
    everybody = {"engineering", "security", "release"}
    assert compiled(('rejection = ["security"]', "")).rules["standard"].veto == everybody
    assert compiled(('["security"]', '"veto"')).rules["standard"].veto == everybody
    assert compiled(('["security"]', '"count"')).rules["standard"].veto == frozenset()
    assert compiled(('["security"]', '["release"]')).rules["standard"].veto == {"release"}


def test_checks_are_optional() -> None:
    assert compiled(('checks = ["artifacts"]', "")).rules["standard"].checks == frozenset()


def test_a_policy_without_a_calendar_works_as_most_do() -> None:
    assert compile_policy(SOURCE).calendar == Calendar()


def test_holidays_are_dates() -> None:
    policy = compiled(("[log]", f"{HOLIDAYS}[2027-12-25, 2027-01-01]\n[log]"))
    assert policy.calendar.holidays == {date(2027, 1, 1), date(2027, 12, 25)}
    assert compiled(("[log]", f"{HOLIDAYS}[]\n[log]")).calendar == Calendar()


def test_a_bare_date_is_its_first_instant_in_utc() -> None:
    assert compiled(("2027-11-20T14:00:00.000Z", "2027-11-20")).expires == EXPECTED.expires.replace(hour=0)


def test_a_text_may_hold_an_instant_too() -> None:
    assert compiled(("2027-11-20T14:00:00.000Z", '"2027-11-20T14:00:00.000Z"')) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", timedelta(seconds=90)), ("5m", timedelta(minutes=5)), ("10m", timedelta(minutes=10))],
)
def test_durations_are_written_as_people_say_them(text: str, expected: timedelta) -> None:
    assert compiled(("2m", text)).clock_skew == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", timedelta(hours=12)),
        ("3bd", WorkingTime(count=3, in_days=True)),
        ("8bh", WorkingTime(count=8, in_days=False)),
    ],
)
def test_a_deadline_is_time_by_the_clock_or_working_time(text: str, expected: Span) -> None:
    policy = compiled(('"3d"', f'"{text}"'))
    assert policy.rules["standard"].deadline == expected
    assert read_policy(write_policy(policy)) == policy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('deadline = "3d"', 'deadline = "soon"', r"rules\.standard\.deadline: expected .* 3bd .*got 'soon'"),
        ('longest = "1w"', 'longest = "5bd"', r"rules\.standard\.longest: expected .*got '5bd'"),
        ('clock_skew = "2m"', 'clock_skew = "1bh"', r"clock_skew: expected .*got '1bh'"),
        ('deadline = "3d"', 'deadline = "9bd"', "got 9 business days and 7 days"),
    ],
)
def test_a_duration_that_does_not_fit_is_named_with_its_field(old: str, new: str, said: str) -> None:
    with pytest.raises(CeremonyError, match=said):
        compiled((old, new))


HOLIDAYS = "[calendar]\nholidays = "
REFUSED: dict[str, tuple[str, str, str]] = {
    "no TOML": ("format = 0", "format = ", "policy.invalid"),
    "a field written twice": ("version = 1", "version = 1\nversion = 1", "policy.invalid"),
    "a threshold written twice": ("engineering = 2,", "engineering = 2, engineering = 1,", "policy.invalid"),
    "a newer format": ("format = 0", "format = 1", "statement.newer_format"),
    "an unknown field": ("version = 1", "version = 1\nquorum = 2", "json.unknown_field"),
    "an unknown field in a rule": ("deadline =", "timeout = 3\ndeadline =", "json.unknown_field"),
    "a misspelt word for rejection": ('["security"]', '"vote"', "json.invalid_field"),
    "a version before version 1": ("version = 1", f'version = 1\nprevious = "sha256:{"0" * 64}"',
                                   "json.unknown_field"),
    "a later version after nothing": ("version = 1", "version = 2", "json.missing_field"),
    "a fraction": ("version = 1", "version = 1.5", "policy.invalid"),
    "an infinity": ("version = 1", "version = inf", "policy.invalid"),
    "an enormous number": ("version = 1", "version = " + "9" * 5000, "policy.invalid"),
    "a number that doubles cannot hold": ("version = 1", "version = 9007199254740992", "json.invalid_field"),
    "an instant without a zone": ("2027-11-20T14:00:00.000Z", "2027-11-20T14:00:00", "policy.invalid"),
    "an instant before the calendar": ("2027-11-20T14:00:00.000Z", "0001-01-01T00:00:00+12:00",
                                       "policy.invalid"),
    "a time of day": ("2027-11-20T14:00:00.000Z", "14:00:00", "policy.invalid"),
    "a duration of nothing": ('"2m"', '"0m"', "value.format"),
    "a duration without a unit": ('"2m"', "120", "json.invalid_field"),
    "a ceremony without end": ('longest = "1w"', 'longest = "14w"', "policy.invalid"),
    "a member listed twice": ('["alice", "bob"', '["alice", "alice", "bob"', "json.invalid_field"),
    "a requester listed twice": ('["release"]', '["release", "release"]', "json.invalid_field"),
    "a veto listed twice": ('["security"]', '["security", "security"]', "json.invalid_field"),
    "a check listed twice": ('["artifacts"]', '["artifacts", "artifacts"]', "json.invalid_field"),
    "a check that no approval could state": ('["artifacts"]', '["All of it!"]', "value.format"),
    "requesters that do not exist": ('requesters = ["release"]', 'requesters = ["audit"]', "policy.invalid"),
    "a role in capitals": ("release = [", "Release = [", "value.format"),
    "a signer with a control character": ("[signers.alice]", '[signers."ali\\u001bce"]', "value.format"),
    "a signer whose name looks like another": ("[signers.alice]", '[signers."\\u0430lice"]', "value.format"),
    "an unknown kind of signer": ('kind = "person"', 'kind = "robot"', "json.invalid_field"),
    "a log with a space in its origin": ("log.acme.example/test", "log acme", "value.format"),
    "a rule for an unknown product kind": ('release = "standard"', 'release = "standard"\nlunch = "standard"',
                                           "json.unknown_field"),
    "a holiday in quotes": ("[log]", f'{HOLIDAYS}["2027-01-01"]\n[log]', "json.invalid_field"),
    "a holiday at noon": ("[log]", f"{HOLIDAYS}[2027-01-01T12:00:00Z]\n[log]", "json.invalid_field"),
    "a holiday twice": ("[log]", f"{HOLIDAYS}[2027-01-01, 2027-01-01]\n[log]", "json.invalid_field"),
    "a product without a rule": ('release = "standard"', "", "json.missing_field"),
    "an authority that is no digest": ("authorities = []", 'authorities = ["ca"]', "value.format"),
    "what nobody could satisfy": ("release = 1 }", "release = 3 }", "policy.unsatisfiable"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_source_that_makes_no_policy_is_refused_with_its_own_code(case: str) -> None:
    old, new, code = REFUSED[case]
    assert verdict(lambda: compiled((old, new))) == code


@pytest.mark.parametrize("deep", ["x = " + "[" * 5000 + "]" * 5000, "x" + ".x" * 5000 + " = 1"])
def test_a_source_nested_too_deep_is_refused(deep: str) -> None:
    with pytest.raises(PolicyError, match="too many"):
        compile_policy(deep)


def test_thresholds_keep_the_order_in_which_they_are_written() -> None:
    assert [t.role for t in compile_policy(SOURCE).rules["standard"].quorum] == [*ACME.quorum]
    turned = changed(ACME, quorum={"release": 1, "security": 1, "engineering": 2}).build_policy()
    assert turned != EXPECTED

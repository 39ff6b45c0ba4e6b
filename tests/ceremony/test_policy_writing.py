# SPDX-License-Identifier: Apache-2.0
"""A policy, its policy.toml and the schema for editors say the same, field by field."""

import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date, time
from random import Random
from typing import Any

import jsonschema
import pytest

from quorumseal.ceremony import policy_source
from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.policy import Kind, Policy
from quorumseal.ceremony.policy_guide import GUIDE, Form, Leaf, Named, Node, Role, Rows, Table
from quorumseal.ceremony.policy_plain import plain_policy
from quorumseal.ceremony.policy_schema import DIRECTIVE, policy_schema
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.policy_writing import policy_text
from quorumseal.ceremony.spans import WorkingTime
from quorumseal.ceremony.toml_values import toml_value
from quorumseal.signatures import Authority
from quorumseal.strict_json import Fields, StrictJsonError
from tests.burning import BREAK_GLASS, DAY
from tests.ceremony.test_policies_that_weaken import any_policy
from tests.ceremony.test_policy_differences import FOUND, NEXT_KEY, OLD
from tests.organisation import NOW, key_of

CLOCK = """\
-----BEGIN CERTIFICATE-----
MIIBRjCB+aADAgECAhQo0HwHkNvcj0bw66xzC18AQUMejTAFBgMrZXAwGDEWMBQG
A1UEAwwNY2xvY2suZXhhbXBsZTAgFw0yNjExMjExMDM4NDlaGA8yMTI2MTAyODEw
Mzg0OVowGDEWMBQGA1UEAwwNY2xvY2suZXhhbXBsZTAqMAUGAytlcAMhAAMYMQrU
0kcUxfIZQsqULVKOmoyD36JqtcsXxzPDxHhro1MwUTAdBgNVHQ4EFgQUv7hgVngI
Tji29AVbwWqv4RSNpzEwHwYDVR0jBBgwFoAUv7hgVngITji29AVbwWqv4RSNpzEw
DwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQAHVP+XKfEPo0/jR6P08EWQupfPC5O/
98tNwix1+hNrCUR4Cil73dans3tF1sKpjVwm8Zp3Psdi5pwms59qBUoK
-----END CERTIFICATE-----
"""
SCHEMA = jsonschema.Draft7Validator(json.loads(policy_schema()))


def everything() -> Policy:
    """Return a policy that has every field that there is."""
    rule = replace(
        OLD.rules["standard"],
        stages=(frozenset({"engineering"}), frozenset({"security", "release"})),
        veto=frozenset({"security"}),
        deadline=WorkingTime(count=3, in_days=True),
        emergency=replace(BREAK_GLASS, checks=frozenset({"artifacts"})),
    )
    other = replace(rule, name="or.other", veto=frozenset())
    return replace(
        OLD,
        version=2,
        previous="sha256:" + "ab" * 32,
        drill=True,
        authorities=("sha256:" + "cd" * 32,),
        rules={"standard": rule, "or.other": other},
        products={**OLD.products, "gizmo": {Kind.RELEASE: "standard", Kind.REVOCATION: "or.other"}},
        calendar=Calendar(zone="Europe/Lisbon", opens=time(8), holidays=frozenset({date(2027, 1, 1)})),
        timestamping=(Authority.read("clock.example", CLOCK),),
        signers={**OLD.signers, "alice": replace(OLD.signers["alice"], witness=key_of("witness").public)},
        log=replace(
            OLD.log,
            keys=(*OLD.log.keys, NEXT_KEY),
            cosignatures=2,
        ),
    )


def plainly(source: str) -> Any:
    """Return what an editor sees: TOML's dates are texts there."""
    return policy_source._plain(tomllib.loads(source))


def written() -> Iterator[Policy]:
    yield everything()
    yield from (row.new for row in FOUND if row.field not in ("organisation", "authorities", "timestamping"))
    random = Random(7)
    yield from (any_policy(random) for _ in range(30))


def test_what_is_written_compiles_to_the_same_policy_and_is_valid() -> None:
    for policy in written():
        source = policy_text(policy)
        assert compile_policy(source) == policy
        SCHEMA.validate(plainly(source))
        assert source.startswith(DIRECTIVE + "\n")


def test_the_text_is_the_same_for_the_same_policy() -> None:
    once = policy_text(everything())
    assert policy_text(compile_policy(once)) == once


def test_every_field_is_explained_once_where_it_first_comes() -> None:
    source = " ".join(policy_text(everything()).replace("\n#", " ").split())
    for about in abouts(GUIDE):
        assert source.count(" ".join(about.split())) >= 1, about
    for about in {a for a in abouts(GUIDE) if len(a) > 30}:
        assert source.count(" ".join(about.split())) == 1, about


def test_what_is_left_out_is_shown_as_a_comment() -> None:
    rule = replace(OLD.rules["standard"], emergency=None)
    source = policy_text(replace(OLD, rules={"standard": rule, "other": replace(rule, name="other")}))
    assert source.count(".break_glass]") == 1
    for line in (
        "# [rules.standard.break_glass]",
        "# [calendar]",
        '# stages = [["engineering"], ["security", "release"]]',
        "# drill = true",
        '#   lead = "alice": the member who is told when the role is late',
    ):
        assert line in source.splitlines()


def test_no_line_that_people_write_is_wide() -> None:
    wide = [line for line in policy_text(everything()).splitlines() if len(line) > 90]
    assert all(line.startswith("spki") or " = { members" in line for line in wide)


def abouts(node: Node | Role) -> Iterator[str]:
    match node:
        case Leaf(about=about):
            yield about
        case Table(fields=fields):
            for each in fields.values():
                yield from abouts(each)
        case Role(table=table):
            yield from (each.about for name, each in table.fields.items() if name != "members")
        case Named(about=about, each=each) | Rows(about=about, each=each):
            yield about
            yield from abouts(each)


def paths(node: Node | Role, here: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every field of the guide, names of people and roles as stars."""
    match node:
        case Leaf():
            yield here
        case Table(fields=fields):
            yield here
            for name, each in fields.items():
                yield from paths(each, (*here, name))
        case Role(table=table):
            yield from paths(table, here)
        case Named(each=each):
            yield here
            yield from paths(each, (*here, "*"))
        case Rows(each=each):
            yield from paths(each, here)


class Asked:
    """What a reader asks of the fields of a document."""

    def __init__(self) -> None:
        self.fields: set[tuple[str, ...]] = set()

    def note(self, fields: Fields, name: str) -> None:
        here = [name]
        at: Fields | None = fields
        while at is not None and at._parent is not None:
            here.insert(0, at._place)
            at = at._parent
        if at is not None and at._place == "policy.toml":
            self.fields.add(starred(tuple(here)))


def starred(path: tuple[str, ...]) -> tuple[str, ...]:
    """Put a star in the place of each name that people chose."""
    node: Any = GUIDE
    found: list[str] = []
    for part in path:
        node = node.table if isinstance(node, Role) else node
        node = node.each if isinstance(node, Rows) else node
        if isinstance(node, Named) or (isinstance(node, Leaf) and node.form is Form.COUNTS):
            found.append("*")
            node = node.each if isinstance(node, Named) else Leaf(about="", form=Form.SIZE)
        else:
            found.append(part)
            node = node.fields.get(part, Table(about="", fields={}))
    return tuple(found)


def test_the_reader_asks_for_what_the_guide_lists_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that one of them does not know would be refused, or explained to nobody."""
    asked = Asked()
    value, contains = Fields.value, Fields.__contains__

    def noted_value(self: Fields, name: str) -> Any:
        asked.note(self, name)
        return value(self, name)

    def noted_contains(self: Fields, name: object) -> bool:
        asked.note(self, str(name))
        return contains(self, str(name))

    monkeypatch.setattr(Fields, "value", noted_value)
    monkeypatch.setattr(Fields, "__contains__", noted_contains)
    compile_policy(policy_text(everything()))
    listed = {path for path in paths(GUIDE) if path}
    in_quorums = {path for path in asked.fields if path[:-1] in counts() and path[-1] == "*"}
    assert asked.fields - in_quorums == listed


def counts(node: Node | Role = GUIDE, here: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return where tables of roles and numbers are."""
    if isinstance(node, Leaf):
        return {here} if node.form is Form.COUNTS else set()
    if isinstance(node, Table):
        return set().union(*(counts(each, (*here, name)) for name, each in node.fields.items()))
    if isinstance(node, Named):
        return counts(node.each, (*here, "*"))
    return counts(node.each if isinstance(node, Rows) else node.table, here)


def tables(plain: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(plain, dict):
        yield here
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for name, each in inner:
        yield from tables(each, (*here, name))


def test_an_unknown_field_is_refused_by_the_reader_and_by_the_schema() -> None:
    """Where names are data, one that cannot be a name."""
    plain: Any = deepcopy(plain_policy(everything()))
    places = [*tables(plain)]
    assert len(places) > 25
    for place in places:
        strange: Any = deepcopy(plain)
        table = strange
        for part in place:
            table = table[part]
        table["Un-known"] = 1
        source = "\n".join(f"{name} = {toml_value(each)}" for name, each in strange.items())
        with pytest.raises((CeremonyError, StrictJsonError)):
            compile_policy(source)
        assert not SCHEMA.is_valid(plainly(source)), place


WRONG = [
    ("format = 0", "format = 1"),
    ('kind = "person"', 'kind = "ghost"'),
    ('scheme = "ed25519"', 'scheme = "rsa"'),
    ('deadline = "3bd"', 'deadline = "3 days"'),
    ('clock_skew = "2m"', "clock_skew = 2"),
    ("version = 2", "version = 0"),
    ("engineering = 2", 'engineering = "2"'),
    ("engineering = 2", "engineering = 65"),
    ('opens = "08:00"', 'opens = "8"'),
    ('"monday", ', '"moonday", '),
    ("drill = true", 'drill = "yes"'),
    ("previous = ", "previously = "),
    ('organisation = "acme.example"', 'organisation = "Acme"'),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_a_mistake_is_found_by_the_editor_already(right: str, wrong: str) -> None:
    source = policy_text(everything())
    assert right in source
    source = source.replace(right, wrong, 1)
    assert not SCHEMA.is_valid(plainly(source))
    with pytest.raises((CeremonyError, StrictJsonError)):
        compile_policy(source)


def test_every_field_of_the_schema_has_a_description() -> None:
    def described(schema: Any) -> None:
        for name, field in schema.get("properties", {}).items():
            assert len(field.get("description", "")) > 5, name
            described(field)
            for inner in (field.get("additionalProperties"), field.get("items")):
                for each in inner.get("anyOf", [inner]) if isinstance(inner, dict) else []:
                    described(each)

    jsonschema.Draft7Validator.check_schema(SCHEMA.schema)
    described(SCHEMA.schema)


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        (True, "true"),
        (3, "3"),
        ("a", '"a"'),
        (NOW, "2026-11-20T14:00:00.000Z"),
        (date(2027, 1, 1), "2027-01-01"),
        ({"a.b": [1]}, '{ "a.b" = [1] }'),
        (["x" * 50, "y" * 50], f'[\n  "{"x" * 50}",\n  "{"y" * 50}",\n]'),
    ],
)
def test_values_are_written_as_toml_writes_them(plain: Any, text: str) -> None:
    assert toml_value(plain) == text
    read = tomllib.loads(f"value = {text}")["value"]
    assert read == plain


def test_what_toml_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match="that TOML can hold"):
        toml_value(None)


def test_a_long_time_is_written_in_the_largest_units() -> None:
    rule = replace(OLD.rules["standard"], longest=8 * DAY)
    assert 'longest = "1w1d"' in policy_text(replace(OLD, rules={"standard": rule}))

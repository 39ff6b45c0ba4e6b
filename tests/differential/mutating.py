# SPDX-License-Identifier: Apache-2.0
"""Seeded changes: of what people say, of entries, proofs and spelling, and of what is asked."""

import base64
import copy
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from tests.differential.courses import Scene
from tests.differential.forging import MARKS, NAMES, Forge, apart, ring
from tests.organisation import NOW
from tests.second_verifier.keys import key_id
from tests.second_verifier.reading import canonical

Place: TypeAlias = tuple[Any, Any]
"""What holds a value, and under which name or number."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
STEPS = (1, 999, 1000, 59_999, 60_000, 119_999, 120_000, 120_001, 600_000, 3_600_000, 86_400_000, 604_800_000)


def mutant(scenes: Sequence[Scene], seed: int) -> tuple[str, Scene]:
    """What was done, and the bundle that came of it."""
    random = Random(seed)
    scene = random.choice(scenes)
    name, change = random.choices(CHANGES, weights=[weight for _, _, weight in KINDS])[0]
    if name == "witnesses":
        scene = next((each for each in scenes if each.name == "witnessed"), scene)
    return f"{scene.name}: {name}", change(random, scene, scenes)


# Deep: what is said is changed, and signed, chained and logged anew


def places(value: Any) -> Iterator[Place]:
    """Every field and item."""
    match value:
        case dict():
            for name, item in value.items():
                if name not in MARKS or name in ("$payload", "$bundle", "$text"):
                    yield value, name
                    yield from places(item)
        case list():
            for number, item in enumerate(value):
                yield value, number
                yield from places(item)


def _deep(change: Callable[[Random, Any], None], *, links: bool | None = None) -> Callable[..., Scene]:
    def mutate(random: Random, scene: Scene, _others: Sequence[Scene]) -> Scene:
        bundle = apart(json.loads(scene.bundle))
        status = apart(json.loads(scene.status)) if scene.status else None
        whole = {"bundle": bundle, "status": status}
        target = whole if status is not None and random.random() < 0.5 else bundle
        for _ in range(random.choice((1, 1, 1, 2))):
            change(random, target)
        linked = random.random() < 0.7 if links is None else links
        return Forge(signs=random.random() < 0.9, links=linked).scene(scene, bundle, whole["status"])

    return mutate


def _packed(place: Place) -> bool:
    parent, name = place
    return name in MARKS or (isinstance(parent[name], dict) and "$old" in parent[name])


def _pick(random: Random, value: Any, fits: Callable[[Any], bool]) -> Place | None:
    found = [place for place in places(value) if not _packed(place) and fits(place[0][place[1]])]
    return random.choice(found) if found else None


def _scalar(random: Random, whole: Any) -> None:
    place = _pick(random, whole, lambda value: not isinstance(value, (dict, list)))
    if place is None:
        return
    parent, name = place
    parent[name] = other_value(random, parent[name], whole)


def _interesting(random: Random, whole: Any) -> None:
    """A time, a number or a name: what the rules are about."""

    def fits(value: Any) -> bool:
        short = isinstance(value, str) and len(value) < 32 and not value.startswith("MC")
        return type(value) is int or short

    place = _pick(random, whole, fits)
    if place is not None:
        parent, name = place
        parent[name] = other_value(random, parent[name], whole)


def other_value(random: Random, value: Any, whole: Any) -> Any:
    """Another value, mostly one that could stand there."""
    if random.random() < 0.07:
        return random.choice(
            (None, True, 0, -1, "", [], {}, "x" * 300, 2**53, "a\u0301", "\u202e", "con", "../x")
        )
    match value:
        case bool():
            return not value
        case int():
            return random.choice((value + 1, value - 1, 0, 1, 2, 3, value * 2, 64, 65, 2**53 - 1))
        case str() if _INSTANT.fullmatch(value):
            if random.random() < 0.3:
                return _another(random, whole, _INSTANT.fullmatch) or value
            return moved(value, random.choice((-1, 1)) * random.choice(STEPS))
        case str() if _DIGEST.fullmatch(value):
            return _another(random, whole, _DIGEST.fullmatch) or value
        case str() if value in NAMES:
            return random.choice(NAMES)
        case str() if len(value) < 64:
            return (
                _another(random, whole, lambda text: len(text) < 64 and not _INSTANT.fullmatch(text)) or value
            )
        case str():
            at = random.randrange(len(value))
            return value[:at] + random.choice("Aa0/-") + value[at + 1 :]
    return value


def moved(instant: str, milliseconds: int) -> str:
    """An instant that lies elsewhere."""
    at = datetime.fromisoformat(instant) + timedelta(milliseconds=milliseconds)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _another(random: Random, whole: Any, fits: Callable[[str], object]) -> str | None:
    texts = [p[n] for p, n in places(whole) if isinstance(p[n], str)]
    found = sorted({text for text in texts if fits(text)})
    return random.choice(found) if found else None


def _without(random: Random, whole: Any) -> None:
    found = [(p, n) for p, n in places(whole) if isinstance(n, str) and n not in MARKS]
    parent, name = random.choice(found)
    del parent[name]


def _more(random: Random, whole: Any) -> None:
    found = [p[n] for p, n in places(whole) if isinstance(p[n], dict) and "$payload" not in p[n]]
    optional = (
        "extra",
        "ticket",
        "not_after",
        "why",
        "on_behalf_of",
        "supersedes",
        "reason",
        "lead",
        "witness",
        "v",
        "timestamp",
    )
    values: tuple[Any, ...] = (
        "x",
        0,
        None,
        "2026-11-20T14:30:00.000Z",
        "sha256:" + "a" * 64,
        "alice",
        [],
        {},
    )
    random.choice(found)[random.choice(optional)] = random.choice(values)


def _list(random: Random, whole: Any) -> None:
    found = [p[n] for p, n in places(whole) if isinstance(p[n], list) and p[n]]
    if found:
        shuffle_list(random, random.choice(found))


def shuffle_list(random: Random, items: list[Any]) -> None:
    """Leave one out, repeat one, or exchange two."""
    one, two = random.randrange(len(items)), random.randrange(len(items))
    match random.randrange(3):
        case 0:
            del items[one]
        case 1:
            items.insert(two, copy.deepcopy(items[one]))
        case _:
            items[one], items[two] = items[two], items[one]


def _entries(random: Random, whole: Any) -> None:
    found = [p[n] for p, n in places(whole) if n == "entries" and p[n]]
    if not found:
        return
    entries = random.choice(found)
    if random.random() < 0.2:
        del entries[random.randrange(len(entries)) :]
    elif random.random() < 0.25:
        other = random.choice(found)
        if other:
            entries.insert(random.randrange(len(entries) + 1), copy.deepcopy(random.choice(other)))
    else:
        shuffle_list(random, entries)


def _times(random: Random, whole: Any) -> None:
    """From one entry on, everything is logged later or earlier, and perhaps signed so."""
    entries = random.choice([p[n] for p, n in places(whole) if n == "entries" and p[n]])
    start, step = random.randrange(len(entries)), random.choice((-1, 1)) * random.choice(STEPS)
    signed_too = random.random() < 0.6
    for entry in entries[start:]:
        if not isinstance(entry, dict) or not _INSTANT.fullmatch(str(entry.get("at"))):
            continue
        entry["at"] = moved(entry["at"], step)
        for parent, name in places(entry["body"]):
            if name == "signed_at" and signed_too and _INSTANT.fullmatch(str(parent[name])):
                parent[name] = moved(parent[name], step)


def _signer(random: Random, whole: Any) -> None:
    """Somebody else signs, with their own key or another's."""
    found = [p[n] for p, n in places(whole) if isinstance(p[n], dict) and "$signers" in p[n]]
    envelope = random.choice(found)
    predicate = envelope["$payload"].get("predicate", {})
    name = random.choice(NAMES)
    by = random.choice(list(ring())) if random.random() < 0.5 else _key_of(whole, name)
    envelope["$by"] = [by or random.choice(list(ring()))]
    envelope["$signers"] = envelope["$by"]
    if isinstance(predicate, dict) and "signer" in predicate and random.random() < 0.8:
        predicate["signer"] = name


def _key_of(whole: Any, name: str) -> str | None:
    for parent, where in places(whole):
        signer = parent[where]
        if isinstance(signer, dict) and signer.get("name") == name and signer.get("keys"):
            try:
                return key_id(base64.b64decode(signer["keys"][0]["spki"]))
            except (KeyError, ValueError, TypeError):
                return None
    return None


def _policy(random: Random, whole: Any) -> None:
    """A founding policy that says something else, and is pinned and signed as such."""
    versions = [p[n] for p, n in places(whole) if n == "policies" and p[n]]
    version = random.choice(versions)[0]
    if not isinstance(version, dict) or "$payload" not in version:
        return
    change = random.choice((_scalar, _interesting, _interesting, _list, _without, _more))
    change(random, version["$payload"])


def _decision(random: Random, whole: Any) -> None:
    """Something else in what somebody says."""
    found = [p[n] for p, n in places(whole) if isinstance(p[n], dict) and "$payload" in p[n]]
    envelope = random.choice([item for item in found if "governance" not in str(item["$payload"])] or found)
    change = random.choice((_scalar, _interesting, _interesting, _list, _without, _more))
    change(random, envelope["$payload"])


# Surface: the published bytes are changed, by anybody


def _surface(change: Callable[[Random, Any], None]) -> Callable[..., Scene]:
    def mutate(random: Random, scene: Scene, _others: Sequence[Scene]) -> Scene:
        value = json.loads(scene.bundle)
        change(random, value)
        return replace(scene, bundle=canonical(value))

    return mutate


def _part_of(random: Random, value: Any) -> Any:
    every = list(value["parts"])
    for version in value["policies"][1:]:
        every += [version["change"], version["acceptance"]]
    return random.choice(every)


def _entry_text(random: Random, value: Any) -> None:
    entries = _part_of(random, value)["entries"]
    if not entries:
        return
    if random.random() < 0.5:
        shuffle_list(random, entries)
        return
    at = random.randrange(len(entries))
    entries[at] = respelt(random, entries[at])


def _spellings(note: str) -> tuple[str, ...]:
    """A note, in other spellings."""
    return (
        note[:-1],
        note + note.split("\n")[-2] + "\n",
        note.replace("\n\n", "\n"),
        note.replace("—", "-"),
        note + "— other.example AAAAAAAAAAAA\n",
        note.replace("\n", "\r\n"),
        note.replace("\n\n", "\nmore\n\n"),
    )


def _proof(random: Random, scene: Scene, scenes: Sequence[Scene]) -> Scene:
    """Proofs, checkpoints or whole parts of another bundle, or changed ones."""
    value, donor = json.loads(scene.bundle), json.loads(random.choice(scenes).bundle)
    mine, theirs = _part_of(random, value), _part_of(random, donor)
    name = random.choice(
        ("index", "inclusion", "checkpoint", "consistency", "entries", "policies", "parts", "note", "node")
    )
    match name:
        case "policies" | "parts":
            value[name] = donor[name]
        case "note" if "checkpoint" in mine:
            mine["checkpoint"] = random.choice(_spellings(mine["checkpoint"]))
        case "node" if mine.get("inclusion"):
            at = random.randrange(len(mine["inclusion"]))
            mine["inclusion"][at] = random.choice(
                (mine["inclusion"][at][::-1], mine["inclusion"][at].upper(), "00" * 32)
            )
        case _ if name in theirs:
            mine[name] = theirs[name]
        case _:
            mine.pop(name, None)
    return replace(scene, bundle=canonical(value))


def _bytes(random: Random, scene: Scene, _others: Sequence[Scene]) -> Scene:
    data = bytearray(scene.bundle)
    at = random.randrange(len(data))
    match random.randrange(4):
        case 0:
            data[at] ^= 1 << random.randrange(8)
        case 1:
            del data[at : at + random.choice((1, 1, 7, 100))]
        case 2:
            data[at:at] = bytes([random.randrange(256)])
        case _:
            data[at] = random.choice(b'0123456789abcdefABC"\\{}[],: ')
    return replace(scene, bundle=bytes(data))


def respelt(random: Random, text: str) -> str:
    """The same, or nearly, in another spelling."""
    letters = [at for at, c in enumerate(text) if c.isalpha()]
    digits = [at for at, c in enumerate(text) if c.isdigit()]
    at, digit = random.choice(letters or [0]), random.choice(digits or [0])
    match random.randrange(12):
        case 0:
            return "\ufeff" + text
        case 1:
            return text + random.choice((" ", "\n", "{}", "\x00", "null"))
        case 2:
            return text.replace(":", ": ", 1)
        case 3:
            return text[:at] + f"\\u{ord(text[at]):04x}" + text[at + 1 :]
        case 4:
            return re.sub(
                r'("[a-z_]+":)("[^"\\]*"|\d+|null)', r"\1\2,\1\2", text, count=random.choice((1, 2, 3))
            )
        case 5:
            return re.sub(
                r":(\d+)([,}])", random.choice((r":\1.0\2", r":\1e0\2", r":-\1\2", r":0\1\2")), text, count=1
            )
        case 6:
            return text[:at] + unicodedata.normalize("NFD", "é") + text[at:]
        case 7:
            return (
                text[:at]
                + random.choice(("\\ud800", "\\udc00", "\\ud83d\\ude00", "\u200b", "\\n", "\\/"))
                + text[at:]
            )
        case 8:
            return text.replace("{", "[" * 40 + "]" * 40 + "{", 1)
        case 9:
            return re.sub(r'("[a-z_]+":[^,{}\[\]]+),("[a-z_]+":[^,{}\[\]]+)', r"\2,\1", text, count=1)
        case 10:
            return text[:digit] + random.choice(("٣", "9" * 30, "1.5", "NaN", "-0")) + text[digit + 1 :]
        case _:
            return text.replace(
                '"format":0',
                random.choice(
                    ('"format":1', '"format":0.0', '"format":-0', '"format":"0"', '"format":false')
                ),
                1,
            )


def _spelling(random: Random, scene: Scene, _others: Sequence[Scene]) -> Scene:
    return replace(scene, bundle=respelt(random, scene.bundle.decode()).encode("utf-8", "surrogatepass"))


# What is asked about it


def _terms(random: Random, scene: Scene, scenes: Sequence[Scene]) -> Scene:
    days = (timedelta(milliseconds=step) for step in (0, *STEPS, 172_800_000, 259_200_000))
    instants = [NOW + random.choice((-1, 1)) * day for day in days]
    match random.randrange(5):
        case 0 | 1:
            return replace(scene, now=random.choice(instants))
        case 2:
            return replace(
                scene, allow_provisional=random.random() < 0.5, allow_unlogged=random.random() < 0.5
            )
        case 3:
            name = random.choice((*scene.digests, "renamed.tar.gz", "other/widget.tar.gz"))
            digest = random.choice((*scene.digests.values(), "sha256:" + "0" * 64))
            return replace(scene, digests=random.choice(({name: digest}, {}, scene.digests | {"x": digest})))
        case _:
            return replace(scene, status=random.choice(scenes).status)


def _trust(random: Random, scene: Scene, scenes: Sequence[Scene]) -> Scene:
    value = json.loads(scene.trust)
    match random.randrange(4):
        case 0:
            _scalar(random, value)
        case 1:
            value["minimum_version"] = random.choice((1, 2, 3, 4))
        case 2:
            value["status_max_age_seconds"] = random.choice((1, 3600, 86_400, 604_800))
        case _:
            value = json.loads(random.choice(scenes).trust)
    return replace(scene, trust=canonical(value))


def _witness(random: Random, whole: Any) -> None:
    """Fewer, other or later cosignatures."""
    found = [p[n] for p, n in places(whole) if n == "witnessed" and p[n]]
    if not found:
        _policy(random, whole)
        return
    items = random.choice(found)
    item = random.choice(items)
    if random.random() < 0.3 or not isinstance(item, dict):
        shuffle_list(random, items)
        return
    lines = str(item["checkpoint"]).split("\n")
    at = random.randrange(4, len(lines) - 1) if len(lines) > 5 else 0
    match random.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[-2])
        case 2:
            lines[1] = str(random.randrange(20))
        case _ if lines[at].count(" ") == 2:
            blob = bytearray(base64.b64decode(lines[at].split(" ")[2]))
            if len(blob) == 76:
                time = (
                    int.from_bytes(blob[4:12], "big") + random.choice((-1, 1)) * random.choice(STEPS) // 1000
                )
                blob[4:12] = random.choice((time % 2**64, 0, 253_402_300_800, 2**64 - 1)).to_bytes(8, "big")
            lines[at] = " ".join([*lines[at].split(" ")[:2], base64.b64encode(blob).decode()])
    item["checkpoint"] = "\n".join(lines)


KINDS: Sequence[tuple[str, Callable[..., Scene], int]] = (
    ("a value", _deep(_scalar), 10),
    ("a time, number or name", _deep(_interesting), 14),
    ("a field left out", _deep(_without), 5),
    ("a field more", _deep(_more), 5),
    ("a list", _deep(_list), 8),
    ("entries", _deep(_entries), 9),
    ("times", _deep(_times, links=True), 9),
    ("who signs", _deep(_signer), 7),
    ("the policy", _deep(_policy, links=True), 12),
    ("what somebody says", _deep(_decision, links=True), 12),
    ("witnesses", _deep(_witness, links=True), 4),
    ("entries as text", _surface(_entry_text), 5),
    ("proofs", _proof, 7),
    ("bytes", _bytes, 5),
    ("spelling", _spelling, 5),
    ("what is asked", _terms, 6),
    ("the trust file", _trust, 4),
)
CHANGES = [(name, change) for name, change, _ in KINDS]

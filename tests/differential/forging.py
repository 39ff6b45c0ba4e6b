# SPDX-License-Identifier: Apache-2.0
"""A bundle taken apart down to what people say, and put together again: signed, chained and logged anew.

Whoever holds every key can do no more than this.  What is changed in between keeps its consequences: digests
that named it follow it, unless it is just they that were changed.
"""

import base64
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from quorumseal.signatures import PrivateKey
from tests.differential.scenes import Scene
from tests.organisation import Organisation, key_of
from tests.second_verifier import keys, log
from tests.second_verifier.reading import canonical
from tests.second_verifier.values import sha256

NAMES = ("alice", "bob", "carol", "ci", "dan", "erin", "frank", "mallory", "rita")
MARKS = ("$payload", "$signers", "$signatures", "$old", "$type", "$bundle", "$text")


@cache
def ring() -> dict[str, PrivateKey]:
    """Every key of every example, by its id."""
    acme = Organisation()
    made = [acme.key(name) for name in NAMES]
    made += [key_of(name) for name in NAMES] + [acme.spare_key(name) for name in NAMES]
    made += [acme.log_key, key_of("the log's next key"), key_of("outside")]
    made += [acme.witness_key(name) for name in NAMES]
    return {key.public.key_id: key for key in made}


# Apart


def apart(value: Any) -> Any:
    """What a document says, with everything that is packed in it unpacked."""
    match value:
        case {"payload": str(), "signatures": list()}:
            return _envelope(value)
        case {"entries": list()}:
            found = {name: copy.deepcopy(item) for name, item in value.items()}
            found["entries"] = [_entry(text) for text in value["entries"]]
            return found
        case dict():
            return {name: apart(item) for name, item in value.items()}
        case list():
            return [apart(item) for item in value]
    return value


def _envelope(value: Any) -> Any:
    raw = base64.b64decode(value["payload"])
    payload = json.loads(raw)
    if payload["predicateType"].endswith("status/v1"):
        payload["predicate"] = apart(payload["predicate"])
        revocations = payload["predicate"]["revocations"]
        payload["predicate"]["revocations"] = [{"$bundle": apart(json.loads(text))} for text in revocations]
    return {
        "$payload": payload,
        "$type": value["payloadType"],
        "$old": sha256(raw),
        "$signers": [item["keyid"] for item in value["signatures"]],
        "$signatures": [item["sig"] for item in value["signatures"]],
    }


def _entry(text: str) -> Any:
    entry = json.loads(text)
    entry["body"] = apart(entry["body"])
    if isinstance(entry["body"].get("policy"), str):
        policy = entry["body"]["policy"]
        entry["body"]["policy"] = {"$text": json.loads(policy), "$old": sha256(policy.encode())}
    entry["$old"] = sha256(text.encode())
    return entry


# Together


class Forge:
    """Puts a bundle, and its status file, together again."""

    def __init__(self, *, signs: bool = True, links: bool = True) -> None:
        self.signs = signs
        self.links = links
        self.instead: dict[str, str] = {}
        self.leaves: dict[int, bytes] = {}

    def scene(self, scene: Scene, bundle: Any, status: Any) -> Scene:
        """The same question about other bytes, by whoever pinned the first policy that is now there."""
        parts = sorted(
            (p for p in _parts([bundle, status]) if type(p.get("index")) is int), key=lambda p: p["index"]
        )
        for policy in [v for doc in (bundle, status) for v in _first_policies(doc)]:
            self._seal(policy)
        made: dict[int, Any] = {}
        for part in parts:
            made[id(part)] = self._part(part)
        self._made = made
        trust = json.loads(scene.trust)
        return replace(
            scene,
            bundle=canonical(self._together(bundle)),
            status=canonical(self._together(status)) if status is not None else None,
            trust=canonical(self._renamed(trust)),
        )

    def _renamed(self, value: Any) -> Any:
        match value:
            case str():
                if value in self.instead:
                    return self.instead[value]
                whole = self.instead.get("sha256:" + value)
                return value if whole is None else whole.removeprefix("sha256:")
            case list():
                return [self._renamed(item) for item in value]
            case dict():
                return {self._key(name): self._renamed(item) for name, item in value.items()}
        return value

    @staticmethod
    def _key(name: Any) -> str:
        return str(name)

    def _together(self, value: Any) -> Any:
        match value:
            case dict() if id(value) in self._made:
                return self._made[id(value)]
            case {"$payload": _}:
                return self._seal(value)
            case {"$bundle": inner}:
                return canonical(self._together(inner)).decode()
            case {"entries": list()}:
                return self._part(value)
            case {"parts": [*_, {"index": int() as index}], "witnessed": list() as witnessed}:
                rest = {name: item for name, item in value.items() if name != "witnessed"}
                made = [self._witnessed(item, index + 1) for item in witnessed]
                return self._together(rest) | {"witnessed": made}
            case dict():
                return {name: self._together(item) for name, item in value.items()}
            case list():
                return [self._together(item) for item in value]
        return self._renamed(value)

    def _seal(self, value: Any) -> Any:
        payload = value["$payload"]
        if isinstance(payload, dict) and str(payload.get("predicateType")).endswith("status/v1"):
            payload = self._status(payload)
        raw = canonical(self._renamed(payload))
        signatures = value["$signatures"]
        if (sha256(raw) != value["$old"] and self.signs) or "$by" in value:
            message = keys.pre_authentication("application/vnd.in-toto+json", raw)
            by = [ring().get(signer) for signer in value.get("$by", value["$signers"])]
            signatures = [
                base64.b64encode(key.sign(message)).decode() if key else old
                for key, old in zip(by, signatures, strict=False)
            ]
        self.instead.setdefault(value["$old"], sha256(raw))
        signed = [
            {"keyid": signer, "sig": signature}
            for signer, signature in zip(value["$signers"], signatures, strict=False)
        ]
        if len(signed) > 1:
            signed.sort(key=lambda item: _bytes_of(item["sig"]))
        return {
            "payload": base64.b64encode(raw).decode(),
            "payloadType": value["$type"],
            "signatures": signed,
        }

    def _status(self, payload: Any) -> Any:
        made = dict(payload)
        made["predicate"] = self._together(payload.get("predicate"))
        return made

    def _part(self, part: Any) -> Any:
        self._made = getattr(self, "_made", {})
        for size, root in _named(part["entries"]):
            self.instead.setdefault(root, log.hexadecimal(self.root(size)))
        texts: list[str] = []
        hashes: list[str] = []
        for number, entry in enumerate(part["entries"]):
            if not isinstance(entry, dict):
                texts.append(str(entry))
                continue
            made = {name: self._body(item) for name, item in entry.items() if name != "$old"}
            if self.links:
                made["seq"], made["prev"] = number, hashes[-1] if hashes else None
            raw = canonical(made)
            self.instead.setdefault(str(entry.get("$old")), sha256(raw))
            hashes.append(sha256(raw))
            texts.append(raw.decode("utf-8", "surrogatepass"))
        found = {name: self._renamed(item) for name, item in part.items() if name != "entries"}
        found["entries"] = texts
        if type(part.get("index")) is int and texts and isinstance(part.get("checkpoint"), str):
            self._prove(found, texts[-1])
        return found

    def _body(self, value: Any) -> Any:
        match value:
            case {"$payload": _}:
                return self._seal(value)
            case {"$text": inner}:
                raw = canonical(self._renamed(inner))
                self.instead.setdefault(value["$old"], sha256(raw))
                return raw.decode("utf-8", "surrogatepass")
            case dict():
                made = {name: self._body(item) for name, item in value.items() if name == "policy"}
                return {name: made.get(name, self._body(item)) for name, item in _policy_first(value)}
            case list():
                return [self._body(item) for item in value]
        return self._renamed(value)

    def _witnessed(self, item: Any, base: int) -> Any:
        match item:
            case {"checkpoint": str() as note} if re.match(r"[^\n]+\n\d{1,3}\n[^\n]+\n\n—", note):
                origin, size, *_, blank = note.split("\n")
                lines = note.split("\n")[4:-1]
                made = dict(item)
                made["checkpoint"] = _note(origin, int(size), self.root(int(size)), *lines) + blank
                if 0 < base <= int(size):
                    leaves = [self._leaf(index) for index in range(int(size))]
                    made["consistency"] = [node.hex() for node in _consistency(base, leaves)]
                return made
        return item

    # The log

    def _leaf(self, index: int) -> bytes:
        return self.leaves.get(index) or log.leaf(b"entry %d" % index)

    def root(self, size: int) -> bytes:
        """The root of the log at a size."""
        return _root([self._leaf(index) for index in range(min(size, 4096))])

    def _prove(self, part: Any, last: str) -> None:
        index = part["index"]
        if not 0 <= index < 4096:
            return
        self.leaves[index] = log.leaf(last.encode("utf-8", "surrogatepass"))
        leaves = [self._leaf(number) for number in range(index + 1)]
        root = _root(leaves)
        lines = part["checkpoint"].split("\n")
        if len(lines) > 4 and lines[4].startswith("— "):
            self.instead.setdefault(log.hexadecimal(base64.b64decode(lines[2])), log.hexadecimal(root))
            part["checkpoint"] = _note(lines[0], index + 1, root, lines[4])
        part["inclusion"] = [node.hex() for node in _inclusion(index, leaves)]
        for item in part.get("consistency", ()):
            if type(item.get("size")) is int and 0 < item["size"] <= index + 1:
                item["proof"] = [node.hex() for node in _consistency(item["size"], leaves)]


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return text.encode()


def _policy_first(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from sorted(value.items(), key=lambda pair: pair[0] != "policy")


def _note(origin: str, size: int, root: bytes, *lines: str) -> str:
    text = f"{origin}\n{size}\n{log.encoded(root)}\n"
    return "\n".join([text, *(_line(text, line) for line in lines), ""])


def _line(text: str, line: str) -> str:
    """The line, by the same key under another text, and at the same time where it is a cosignature."""
    mark, name, signed = line.split(" ") if line.count(" ") == 2 else ("", "", "")
    blob = _bytes_of(signed)
    for key in ring().values():
        if log.note_key(name, 1, key.public.spki[12:]) == blob[:4]:
            blob = blob[:4] + key.sign(text.encode())
        elif log.note_key(name, 4, key.public.spki[12:]) == blob[:4] and len(blob) == 76:
            message = b"cosignature/v1\ntime %d\n%s" % (int.from_bytes(blob[4:12], "big"), text.encode())
            blob = blob[:12] + key.sign(message)
        else:
            continue
        return f"{mark} {name} {base64.b64encode(blob).decode()}"
    return line


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return log.EMPTY
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return log.parent(_root(leaves[:middle]), _root(leaves[middle:]))


def _inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*_inclusion(index, leaves[:middle]), _root(leaves[middle:])]
    return [*_inclusion(index - middle, leaves[middle:]), _root(leaves[:middle])]


def _consistency(size: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162, section 2.1.4.1."""
    if size == len(leaves):
        return [] if whole else [_root(leaves)]
    middle = _split(len(leaves))
    if size <= middle:
        return [*_consistency(size, leaves[:middle], whole=whole), _root(leaves[middle:])]
    return [*_consistency(size - middle, leaves[middle:], whole=False), _root(leaves[:middle])]


# What is in it


def _parts(value: Any) -> Iterator[Any]:
    match value:
        case {"entries": list()}:
            yield value
        case dict():
            for item in value.values():
                yield from _parts(item)
        case list():
            for item in value:
                yield from _parts(item)


def _first_policies(value: Any) -> Iterator[Any]:
    match value:
        case {"policies": list() as versions} if versions and isinstance(versions[0], dict):
            if "$payload" in versions[0]:
                yield versions[0]
            yield from _first_policies({name: item for name, item in value.items() if name != "policies"})
        case dict():
            for item in value.values():
                yield from _first_policies(item)
        case list():
            for item in value:
                yield from _first_policies(item)


def _named(value: Any) -> Iterator[tuple[int, str]]:
    match value:
        case {"size": int() as size, "root": str() as root} if size > 0:
            yield size, root
        case {"from_size": int() as size, "from_root": str() as root} if size > 0:
            yield size, root
        case dict():
            for item in value.values():
                yield from _named(item)
        case list():
            for item in value:
                yield from _named(item)

# SPDX-License-Identifier: Apache-2.0
"""A bundle's parts: each a ceremony, and what its log says of it (entries-and-bundle.md, Bundle)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.second_verifier import log, values
from tests.second_verifier.ceremony import Ceremony
from tests.second_verifier.envelopes import envelope
from tests.second_verifier.policy import LogKey, Policy
from tests.second_verifier.reading import canonical, fields, integer, items, strict, text
from tests.second_verifier.refusing import need
from tests.second_verifier.replaying import read_entry, replay
from tests.second_verifier.statements import read
from tests.second_verifier.values import base64_bytes

type_ = "https://quorumseal.dev/bundle/v1"


def _node(value: Any) -> bytes:
    return bytes.fromhex(values.hexadecimal(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One ceremony as the bundle has it, before it is judged."""

    entries: tuple[dict[str, Any], ...]
    index: int | None
    inclusion: tuple[bytes, ...]
    checkpoint: log.Checkpoint | None
    note: str
    consistency: Mapping[int, tuple[bytes, ...]]

    @property
    def logged(self) -> bool:
        """Whether a log has it."""
        return self.index is not None


def _earlier(value: Any) -> tuple[int, tuple[bytes, ...]]:
    found = fields(value, {"size": integer(1), "proof": items(_node)})
    return found["size"], found["proof"]


def read_part(value: Any) -> Part:
    """A part, with its log proof or without."""
    proof = {
        "index": integer(),
        "inclusion": items(_node),
        "checkpoint": text,
        "consistency": items(_earlier),
    }
    logged = isinstance(value, dict) and any(name in value for name in proof)
    found = fields(value, {"entries": items(text)} | (proof if logged else {}))
    consistency = found.get("consistency", ())
    sizes = [size for size, _ in consistency]
    need(sizes == sorted(set(sizes)), "json.invalid_field", "sizes ascend")
    return Part(
        entries=tuple(read_entry(entry) for entry in found["entries"]),
        index=found.get("index"),
        inclusion=found.get("inclusion", ()),
        checkpoint=log.note(found["checkpoint"]) if logged else None,
        note=found.get("checkpoint", ""),
        consistency=dict(consistency),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A part whose replay held."""

    part: Part
    ceremony: Ceremony


def judge(part: Part, policy: Policy) -> Judged:
    """Replay a part under a policy."""
    return Judged(part=part, ceremony=replay(policy, part.entries))


def _names(part: Part) -> list[tuple[int, str]]:
    """The checkpoints that the statement of each entry names."""
    found = []
    for entry in part.entries:
        if entry["body"].get("envelope") is None:
            continue
        said = read(envelope(entry["body"]["envelope"])).said["checkpoint"]
        empty = log.hexadecimal(log.EMPTY)
        need(said["size"] > 0 or said["root"] == empty, "log.consistency_proof", "the root of nothing")
        if said["size"]:
            found.append((said["size"], said["root"]))
    return found


def _key_at(keys: Sequence[LogKey], size: int) -> bytes:
    return next(key.spki for key in reversed(keys) if key.from_size <= size)


def keys_at(policies: Sequence[Policy], size: int) -> list[bytes]:
    """The keys that may sign a checkpoint of a size, as each of some versions says."""
    return list(dict.fromkeys(_key_at(policy.log_keys, size) for policy in policies))


def prove(part: Part, policies: Sequence[Policy], pasts: Iterable[tuple[int, str]] = ()) -> None:
    """The log has the part, at its end; all that it names is a past of it, and so are ``pasts``.

    ``policies`` are that of the ceremony and those after it.
    """
    checkpoint, index = part.checkpoint, part.index
    assert checkpoint is not None
    assert index is not None
    need(checkpoint.origin == policies[0].origin, "log.checkpoint_origin")
    need(checkpoint.size == index + 1, "log.conclusion_checkpoint")
    judged = [log.signed_by(checkpoint, spki) for spki in keys_at(policies, checkpoint.size)]
    need(any(judged), "log.note_signature")
    last = part.entries[-1]["raw"]
    log.prove_inclusion(checkpoint.root, checkpoint.size, index, last, part.inclusion)
    named = {*_names(part), *pasts}
    need({size for size, _ in named} == set(part.consistency), "log.seen_checkpoint")
    for size, root in named:
        raw = bytes.fromhex(root.removeprefix("sha256:"))
        need(size <= checkpoint.size, "log.seen_checkpoint")
        log.prove_extends(size, raw, checkpoint.size, checkpoint.root, part.consistency[size])


def state(part: Part) -> list[tuple[int, str]]:
    """Its checkpoint, as a past of what comes later."""
    return [(part.checkpoint.size, log.hexadecimal(part.checkpoint.root))] if part.checkpoint else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What the file holds."""

    policies: tuple[Any, ...]
    parts: tuple[Part, ...]
    timestamps: tuple[tuple[str, str], ...]
    witnessed: tuple[tuple[log.Checkpoint, tuple[bytes, ...]], ...]


def _cosigned(value: Any) -> tuple[log.Checkpoint, tuple[bytes, ...]]:
    found = fields(value, {"checkpoint": text, "consistency": items(_node, 0, 64)})
    return log.note(found["checkpoint"]), found["consistency"]


def _stamp(value: Any) -> tuple[str, str]:
    found = fields(value, {"ceremony": values.ceremony, "token": text})
    return found["ceremony"], found["token"]


def read_bundle(data: bytes) -> Bundle:
    """The file, strictly."""
    value = strict(data, at_most=64 << 20)
    need(isinstance(value, dict) and value.get("type") == type_, "bundle.format")
    need(type(value.get("format")) is int, "json.invalid_field")
    need(value["format"] == 0, "bundle.format")
    found = fields(
        value,
        {
            "format": integer(),
            "type": text,
            "policies": items(lambda it: it, 1, 256),
            "parts": items(read_part, 1, 3),
        },
        {"timestamps": items(_stamp, 1, 16), "witnessed": items(_cosigned, 1, 32)},
    )
    stamps = found["timestamps"] or ()
    raw = [(ceremony, base64_bytes(token, "timestamp.malformed")) for ceremony, token in stamps]
    need(raw == sorted(set(raw)), "json.invalid_field", "timestamps ascend")
    return Bundle(
        policies=found["policies"],
        parts=found["parts"],
        timestamps=stamps,
        witnessed=found["witnessed"] or (),
    )


__all__ = ["Bundle", "Judged", "Part", "canonical", "judge", "prove", "read_bundle", "read_part", "state"]

# SPDX-License-Identifier: Apache-2.0
"""The organisation of the documents, and the one ceremony that they follow; the same bytes in every run."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Request, SeenCheckpoint, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Scheme
from quorumseal.verifier.trust import write_trust
from tests.organisation import NOW, Organisation, key_of
from tests.simulated_log import SimulatedLog

ARTIFACT = b"the bytes of widget 1.0\n"
SUBJECTS = (Subject(name="widget.tar.gz", digest=digest_of(ARTIFACT)),)
ROLES = {
    "engineering": ("alice", "bob", "erin"),
    "security": ("carol", "dan"),
    "release": ("dan", "frank"),
    "managers": ("ci", "rita"),
}
P256 = frozenset({"carol"})
ORIGIN = "log.acme.example"
CEREMONY = f"{int(NOW.timestamp() * 1000):012x}-7000-8000-000000000001"
APPROVERS = ("alice", "dan", "bob", "carol")

_SOURCE = """\
format = 0
organisation = "acme.example"
version = 1
expires = 2027-11-20T00:00:00Z
clock_skew = "2m"                # by how much clocks may differ
authorities = []                 # digests of the certificate authorities (DER) for connections

[roles]
engineering = ["alice", "bob", "erin"]
security = ["carol", "dan"]
release = ["dan", "frank"]
managers = ["ci", "rita"]

[rules.standard]
requesters = ["managers"]        # the roles that may ask, and cancel
rejection = "veto"               # or "count", or the roles of which one rejection ends it
checks = ["artifacts"]           # what every approval must state as passed
deadline = "3d"
longest = "7d"

[rules.standard.quorum]
engineering = 2
security = 1
release = 1

[products.widget]
release = "standard"             # which rule a release of widget needs

[governance]                     # who must sign the policy itself
engineering = 1
security = 1

[log]
origin = "log.acme.example"

[[log.keys]]
scheme = "ed25519"
spki = "{log}"
from_size = 0
"""
_SIGNER = """
[signers.{name}]
kind = "{kind}"

[[signers.{name}.keys]]
scheme = "{scheme}"
spki = "{spki}"
valid_from = 2026-10-01T00:00:00Z
valid_until = 2027-10-01T00:00:00Z
"""


def policy_source() -> str:
    """Return ``policy.toml``."""
    names = sorted({name for members in ROLES.values() for name in members})
    return _SOURCE.replace("{log}", _spki(ORIGIN)) + "".join(
        _SIGNER.format(
            name=name, kind="machine" if name == "ci" else "person", scheme=_scheme(name), spki=_spki(name)
        )
        for name in names
    )


def _scheme(name: str) -> Scheme:
    return Scheme.ECDSA_P256 if name in P256 else Scheme.ED25519


def _spki(name: str) -> str:
    return base64.b64encode(key_of(name, _scheme(name)).public.spki).decode()


class Acme(Organisation):
    """The organisation that ``policy.toml`` describes."""

    def build_policy(self) -> Policy:
        """Compile the source that the documents show."""
        return compile_policy(policy_source())


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One release of widget 1.0, and what it left behind."""

    acme: Acme
    log: SimulatedLog
    request: Signed[Request]
    chain: Chain
    entries: tuple[Entry, ...]

    @property
    def bundle(self) -> bytes:
        """The published file."""
        return self.log.bundle(self.entries)


def tell(approvers: Iterable[str] = APPROVERS) -> Story:
    """Let rita ask for widget 1.0, and let people approve it, five minutes apart."""
    acme = Acme(origin=ORIGIN, roles=ROLES, p256=P256)
    log = SimulatedLog(acme)
    request = acme.sign_request(release_request(acme, log.seen()))
    chain, opening = open_chain(acme.policy, request, at=NOW)
    log.append([opening])
    entries = [opening]
    for number, signer in enumerate(approvers, start=1):
        at = NOW + timedelta(minutes=5 * number)
        decision = acme.decision(signer, request, at=at, seen=log.seen())
        chain, more = extend(chain, Record(acme.sign_decision(decision)), at=at)
        log.append(more)
        entries += more
    return Story(acme=acme, log=log, request=request, chain=chain, entries=tuple(entries))


def release_request(acme: Acme, seen: SeenCheckpoint) -> Request:
    """Return what rita asks."""
    request = acme.request(requester="rita", subjects=SUBJECTS, deadline=timedelta(days=3))
    context = acme.context("rita", at=NOW, seen=seen)
    return Request(
        context=context,
        ceremony=f"{CEREMONY[:8]}-{CEREMONY[8:]}",
        product=request.product,
        version=request.version,
        kind=request.kind,
        mode=request.mode,
        subjects=request.subjects,
        deadline=request.deadline,
        hard_stop=request.hard_stop,
        ticket="REL-7",
    )


def decided(choice: Choice) -> bytes:
    """Return the payload of alice's decision."""
    story = tell(())
    decision = story.acme.decision("alice", story.request, choice, at=NOW + timedelta(minutes=5))
    return story.acme.seal(decision).payload


def cancelled() -> bytes:
    """Return the payload of rita's cancellation."""
    story = tell(())
    return story.acme.seal(
        story.acme.cancellation("rita", story.chain, at=NOW + timedelta(minutes=5))
    ).payload


def files() -> dict[str, bytes]:
    """Return the example files that readers can try."""
    story = tell()
    return {
        "policy.toml": policy_source().encode(),
        "trust.json": write_trust(story.log.trust),
        "widget.tar.gz": ARTIFACT,
        "widget@1.0.quorumseal.json": story.bundle,
        "one-short.quorumseal.json": _one_short().bundle,
    }


def _one_short() -> Story:
    return tell(APPROVERS[:-1])

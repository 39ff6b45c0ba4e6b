# SPDX-License-Identifier: Apache-2.0
"""The log that the auditor's manual asks about: it begins with the one release of the examples."""

from datetime import timedelta
from typing import Any

from quorumseal.audit.folder import write_copy
from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.statements import Choice, Subject
from quorumseal.ceremony.values import digest_of
from scripts.documentation import acme
from tests.audit.stories import Story

FOLDER = "log"
_STEP, _DAY = timedelta(minutes=5), timedelta(days=1)


def tell() -> Story:
    """Go on after widget 1.0: a no, another try, one that nobody decided on, and a hasty approval."""
    organisation = acme.Acme(origin=acme.ORIGIN, roles=acme.ROLES, p256=acme.P256)
    story = Story(organisation)
    log = story.coordinator.log
    request = acme.release_request(organisation, log.seen())
    first = story.coordinator.start(organisation.seal(request)).ceremony
    for signer in acme.APPROVERS:
        story.later(_STEP).decides(signer, first, seen=log.seen())
    refused = story.later(_DAY).asks(**_of("1.1", b"the bytes of widget 1.1\n", 2))
    story.later(_STEP).decides("carol", refused, Choice.REJECTION, seen=log.seen())
    digest = story.coordinator.chains[refused].ceremony.request.digest
    again = story.later(_DAY).asks(**_of("1.1", b"other bytes of widget 1.1\n", 3), supersedes=digest)
    story.approves(again, *acme.APPROVERS, every=_STEP)
    left = story.later(_DAY).asks(**_of("1.2", b"the bytes of widget 1.2\n", 4))
    story.later(_DAY).happens(left, Expire())
    hasty = story.later(_DAY).asks(**_of("1.3", b"the bytes of widget 1.3\n", 5))
    story.later(timedelta(seconds=20)).decides("bob", hasty)
    story.approves(hasty, "alice", "dan", "carol", every=_STEP)
    return story


def _of(version: str, data: bytes, number: int) -> dict[str, Any]:
    subjects = (Subject(name="widget.tar.gz", digest=digest_of(data)),)
    return {"version": version, "subjects": subjects, "number": number, "requester": "rita"}


def files() -> dict[str, bytes]:
    """Return the copy of the log as files, and a listing of what is out there."""
    listing = f"widget-1.0.tar.gz {digest_of(acme.ARTIFACT)}\nextra.tar.gz {digest_of(b'nobody asked')}\n"
    copied = {f"{FOLDER}/{name}": data for name, data in write_copy(tell().copy()).items()}
    return {**copied, "registry.txt": listing.encode()}

# SPDX-License-Identifier: Apache-2.0
"""Evidence on its way in: a share for each caller, a least rate, and a quota of what no request names yet."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from functools import partial

from coordinator.errors import (
    EvidenceBusyError,
    EvidenceNotAllowedError,
    EvidenceQuotaError,
    EvidenceTooLargeError,
    EvidenceTooSlowError,
)
from coordinator.policies import Policies
from coordinator.storage import Storage
from coordinator.values import MAX_EVIDENCE_BYTES
from quorumseal.ceremony.policy import Policy

KEPT = timedelta(days=1)
"""How long evidence waits for a request that names it."""
UPLOADS, UPLOADS_PER_CALLER = 8, 2
"""Files on their way at once; each is in memory until it is whole."""
WAITING_BYTES, WAITING_BYTES_PER_CALLER = 4 << 30, 512 << 20
GRACE_SECONDS, LEAST_RATE = 15.0, 64 << 10
"""How long a file may take to begin with, and how many bytes must come in each second after that."""


class Uploads:
    """Takes files from callers, several at once."""

    def __init__(
        self, storage: Storage, policies: Policies, *, now: Callable[[], datetime], storing: Executor
    ) -> None:
        self._storage = storage
        self._policies = policies
        self._now = now
        self._storing = storing
        self._by_caller = Counter[str]()

    async def take(self, chunks: AsyncIterator[bytes], *, caller: str) -> str:
        """Store a file; return its digest."""
        check_uploader(self._policies.newest.policy, caller)
        self._enter(caller)
        try:
            data = await _collect(chunks, asyncio.get_running_loop().time)
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            store = partial(self._store, digest, data, caller)
            await asyncio.get_running_loop().run_in_executor(self._storing, store)
            return digest
        finally:
            self._by_caller[caller] -= 1

    def _enter(self, caller: str) -> None:
        if self._by_caller[caller] >= UPLOADS_PER_CALLER or self._by_caller.total() >= UPLOADS:
            raise EvidenceBusyError(
                f"expected at most {UPLOADS_PER_CALLER} files of {caller} on their way at once, "
                f"and {UPLOADS} of everybody, got one more"
            )
        self._by_caller[caller] += 1

    def _store(self, digest: str, data: bytes, caller: str) -> None:
        waiting = self._storage.evidence.waiting
        for who, most in ((caller, WAITING_BYTES_PER_CALLER), (None, WAITING_BYTES)):
            if waiting(who) + len(data) > most:
                raise EvidenceQuotaError(
                    f"expected at most {most} bytes of evidence {f'of {who} ' if who else ''}that no request "
                    "names yet, got more",
                    hint=f"start the ceremonies that need it; what waits goes after {KEPT.days} day",
                )
        self._storage.evidence.put(digest, data, uploader=caller, until=self._now() + KEPT)


def check_uploader(policy: Policy, caller: str) -> None:
    """Refuse evidence of somebody who may request nothing."""
    rules = (*policy.rules.values(), policy.governance_rule)
    if not any(policy.may_request(caller, rule) for rule in rules):
        raise EvidenceNotAllowedError(
            f"expected evidence of somebody who may request a release or a policy, got some of {caller}"
        )


async def _collect(chunks: AsyncIterator[bytes], clock: Callable[[], float]) -> bytes:
    began, data = clock(), bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > MAX_EVIDENCE_BYTES:
            raise EvidenceTooLargeError(
                f"expected at most {MAX_EVIDENCE_BYTES} bytes of evidence, got more",
                hint="name larger files by a locator and their digest",
            )
        if clock() - began > GRACE_SECONDS + len(data) / LEAST_RATE:
            raise EvidenceTooSlowError(
                f"expected at least {LEAST_RATE} bytes of evidence a second, got fewer"
            )
    return bytes(data)

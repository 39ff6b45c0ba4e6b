# SPDX-License-Identifier: Apache-2.0
"""Hold a log against what was acknowledged, from its first leaf on; nothing stored beside it is believed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.rebuilding import rebuild_in
from coordinator.settings import read_settings
from coordinator.storage import Storage
from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.entries import CONCLUSIONS, Entry, EntryType, read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import (
    EMPTY_ROOT,
    Frontier,
    consistency_nodes,
    inclusion_nodes,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from quorumseal.verifier.bundle import bundle_name
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import STATUS_NAME
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.durability.ledger import Ledger
from tests.organisation import Organisation
from tests.running_coordinator import Site

_STATEMENTS = {EntryType.OPENED, EntryType.DECIDED, EntryType.LATE, EntryType.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the log was found to hold."""

    entries: int
    ceremonies: int
    approved: int
    rejected: int
    expired: int
    cancelled: int
    superseded: int
    late_decisions: int
    bundles: int


def audit(site: Site, ledger: Ledger, watched: Sequence[bytes]) -> Audit:
    """Compare every account of the same events; ``AssertionError`` names the first that differs."""
    assert not ledger.problems, ledger.problems
    storage = Storage(read_settings(site.settings).database)
    try:
        payloads = [row.payload for row in storage.log.entries(0, storage.log.size())]
        assert list(watched) == payloads, "whoever followed the log through every crash saw all of it, once"
        check_tree(storage, payloads, ledger.checkpoints)
        entries = [read_entry(payload) for payload in payloads]
        check_statements(storage, entries, ledger)
        chains = replay_all(entries, site.organisation)
        rebuilt = rebuild_in(storage)
        assert not rebuilt.differing, f"projections differ from the log: {rebuilt.differing}"
        bundles = check_bundles(site, storage, chains)
    finally:
        storage.close()
    states = Counter(chain.ceremony.state for chain in chains.values())
    return Audit(
        entries=len(entries),
        ceremonies=len(chains),
        **{str(state): states[state] for state in State if state not in (State.OPEN, State.PROVISIONAL)},
        late_decisions=sum(entry.type is EntryType.LATE for entry in entries),
        bundles=bundles,
    )


def check_tree(storage: Storage, payloads: Sequence[bytes], given_out: Mapping[int, bytes]) -> None:
    """Hash the log anew; every checkpoint that was ever given out is one of its pasts, and proved to be."""
    frontier, roots = Frontier(), {0: EMPTY_ROOT}
    for payload in payloads:
        frontier, _ = frontier.append(leaf_hash(payload))
        roots[frontier.size] = frontier.root()
    head = storage.log.head()
    assert (head.size, head.root) == (frontier.size, frontier.root())
    for size, root in given_out.items():
        assert roots.get(size) == root, f"the checkpoint of size {size} is not of this log"
        proof = prove_consistency(size, head.size, storage.log.nodes(consistency_nodes(size, head.size)))
        verify_consistency(size, root, head.size, head.root, proof)
        stored = storage.log.checkpoint(size)
        assert stored is not None
        assert stored.root == root


def check_statements(storage: Storage, entries: Sequence[Entry], ledger: Ledger) -> None:
    """Every receipt is kept, nothing is in the log twice, and what was refused is not in it."""
    head = storage.log.head()
    found: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry.type in _STATEMENTS:
            digest = digest_of(entry.envelope.payload)
            assert digest not in found, f"{digest} is in the log twice"
            found[digest] = index
    for digest, receipt in ledger.acknowledged.items():
        assert entries[receipt.index].payload == receipt.entry
        assert found[digest] == receipt.index
        nodes = storage.log.nodes(inclusion_nodes(receipt.index, head.size))
        proof = prove_inclusion(receipt.index, head.size, nodes)
        verify_inclusion(leaf_hash(receipt.entry), receipt.index, head.size, proof, head.root)
    for digest, code in ledger.refused.items():
        assert digest not in found, f"{digest} was refused ({code}) and is in the log"


def replay_all(entries: Sequence[Entry], organisation: Organisation) -> dict[str, Chain]:
    """Replay every ceremony through the rules; none ends twice."""
    by_ceremony: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.ceremony is not None:
            by_ceremony[entry.ceremony].append(entry)
    for ceremony, chain in by_ceremony.items():
        ends = [entry for entry in chain if entry.type in CONCLUSIONS]
        assert len(ends) <= 1, f"{ceremony} ends {len(ends)} times"
    return {
        ceremony: replay_chain((entry.payload for entry in chain), organisation.policy)
        for ceremony, chain in by_ceremony.items()
    }


def check_bundles(site: Site, storage: Storage, chains: Mapping[str, Chain]) -> int:
    """Each approved ceremony has one published file, the bundle that the log makes; nothing else has one."""
    policy, reader = site.organisation.policy, LogReader(storage, Policies(storage))
    trust = Trust(organisation=site.organisation.name, policy=policy.digest, minimum_version=1)
    due = set()
    for ceremony, chain in chains.items():
        if chain.ceremony.state is State.APPROVED:
            request = chain.ceremony.request.statement
            name = bundle_name(request.product, request.version)
            data = (site.folder / "published" / name).read_bytes()
            assert data == reader.bundle(ceremony)
            artifacts = {subject.name: subject.digest for subject in request.subjects}
            verified = verify(data, trust, artifacts, terms=Terms(product=request.product))
            assert verified.request.ceremony == ceremony
            due.add(name)
    published = {path.name for path in (site.folder / "published").glob("[!.]*")}
    assert published - {STATUS_NAME} == due
    return len(due)

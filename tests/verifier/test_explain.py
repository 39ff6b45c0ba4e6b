# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

from quorumseal.ceremony.statements import Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import hash_text
from quorumseal.verifier.explain import Node, explain
from quorumseal.verifier.verify import Verified, verify
from tests.organisation import SUBJECTS, Organisation
from tests.simulated_log import SimulatedLog


def verified(*subjects: Subject, on_behalf_of: str | None = None) -> Verified:
    organisation = Organisation()
    requester = "ci" if on_behalf_of else "mallory"
    request = organisation.request(subjects=subjects, requester=requester, on_behalf_of=on_behalf_of)
    _, entries = organisation.run("alice", "erin", "carol", "dan", request=organisation.sign_request(request))
    log = SimulatedLog(organisation)
    log.append(entries)
    return verify(log.bundle(entries), log.trust, {s.name: s.digest for s in subjects})


def every(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from every(child)


def test_each_seat_rests_on_a_person_and_a_key_of_the_policy() -> None:
    judged = verified(*SUBJECTS)
    (tree,) = explain(judged)
    people = [node for node in every(tree) if node.kind == "person"]
    assert [person.text.split()[0] for person in people] == ["alice", "erin", "carol", "dan"]
    for person in people:
        (key,) = person.children
        signer = judged.policy.policy.signer(person.text.split()[0])
        assert key.digest in {listed.key.key_id for listed in signer.keys}


def test_the_tree_names_what_was_asked_the_policy_and_the_log() -> None:
    judged = verified(*SUBJECTS)
    (tree,) = explain(judged)
    assert (tree.text, tree.digest) == (SUBJECTS[0].name, SUBJECTS[0].digest)
    digests = {node.kind: node.digest for node in every(tree)}
    assert digests["policy"] == judged.policy.digest
    assert judged.checkpoint is not None
    assert digests["log"] == hash_text(judged.checkpoint.root)


def test_a_machine_that_asked_is_named_with_the_person_behind_it() -> None:
    (tree,) = explain(verified(*SUBJECTS, on_behalf_of="mallory"))
    assert "asked for by ci for mallory" in tree.children[0].text


def test_artifacts_share_one_bundle() -> None:
    subjects = [Subject(name=f"part{n}", digest=digest_of(bytes([n]))) for n in range(3)]
    trees = explain(verified(*subjects))
    assert [tree.text for tree in trees] == ["part0", "part1", "part2"]
    assert [len(tree.children) for tree in trees] == [0, 0, 1]

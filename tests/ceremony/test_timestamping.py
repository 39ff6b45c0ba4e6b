# SPDX-License-Identifier: Apache-2.0
"""A policy names the timestamp authorities whose word is taken, each by the root of its certificates."""

import json
from io import StringIO
from pathlib import Path

import pytest

from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.policy_document import read_policy, write_policy
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.cli.policy.screen import draw_policy, policy_json
from quorumseal.signatures import Authority, AuthorityCertificateError
from quorumseal.terminal import Screen
from quorumseal.terminal.look import Look
from tests.ceremony.test_policy_source import SOURCE
from tests.organisation import NOW, Organisation, changed
from tests.timestamp_authority import certify

ACME = Organisation()


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, ...]:
    folder = tmp_path_factory.mktemp("authorities")
    return tuple(
        Authority.read(f"clock{n}.example", certify(folder, f"root{n}", timestamps=None).pem.read_text())
        for n in range(5)
    )


def source(authorities: tuple[Authority, ...]) -> str:
    tables = [f'[timestamping."{each.name}"]\ncertificate = """\n{each.pem}"""\n' for each in authorities]
    return SOURCE + "\n" + "\n".join(tables)


def test_authorities_of_the_source_are_in_the_signed_bytes(authorities: tuple[Authority, ...]) -> None:
    policy = compile_policy(source(authorities[1::-1]))
    assert policy.timestamping == authorities[:2]
    assert read_policy(write_policy(policy)) == policy


def test_policy_without_authorities_has_the_bytes_that_it_always_had() -> None:
    assert b"timestamping" not in write_policy(ACME.build_policy())


def test_policy_says_whose_word_it_takes(authorities: tuple[Authority, ...]) -> None:
    policy = changed(ACME, timestamping=authorities[:2]).build_policy()
    out = StringIO()
    draw_policy(Screen(out, out, look=Look(), err_look=Look()), policy, at=NOW)
    assert "timestamps by" in out.getvalue()
    assert '"clock0.example": "sha256:' in json.dumps(policy_json(policy))


def test_fifth_authority_or_one_that_is_listed_twice_makes_no_policy(
    authorities: tuple[Authority, ...],
) -> None:
    one, two, *_ = authorities
    for several in (authorities, (one, one), (one, Authority(one.name, two.certificate))):
        with pytest.raises(PolicyError, match="timestamping"):
            changed(ACME, timestamping=several).build_policy()


def test_authority_without_a_root_certificate_makes_no_policy(tmp_path: Path) -> None:
    issued = certify(tmp_path, "tsa", certify(tmp_path, "root", timestamps=None)).pem.read_text()
    with pytest.raises(AuthorityCertificateError, match=r"clock\.example"):
        compile_policy(SOURCE + f'\n[timestamping."clock.example"]\ncertificate = """{issued}"""\n')

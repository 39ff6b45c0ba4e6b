# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quorumseal.signatures import (
    Scheme,
    WrongPassphraseError,
    generate_key,
    write_key_file,
)
from signer_agent.errors import ExposedFileError, PassphraseError
from signer_agent.key_sources import Passphrases, open_key_file

PASSPHRASE = b"correct horse"


@pytest.fixture(scope="module")
def pem() -> bytes:
    return write_key_file(generate_key(Scheme.ED25519, os.urandom), PASSPHRASE)


@pytest.fixture
def key_file(tmp_path: Path, pem: bytes) -> Path:
    return private(tmp_path / "signing.key.pem", pem)


def private(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def answers(*given: str) -> tuple[Callable[[str], str], list[str]]:
    asked: list[str] = []
    left = list(given)

    def prompt(question: str) -> str:
        asked.append(question)
        return left.pop(0)

    return prompt, asked


def test_a_prompt_opens_the_key_and_allows_a_second_try(key_file: Path) -> None:
    prompt, asked = answers("wrong", PASSPHRASE.decode())
    key = open_key_file(key_file, Passphrases(prompt=prompt))
    assert key.public.scheme is Scheme.ED25519
    assert asked == ["Passphrase of signing.key.pem: "] * 2


def test_a_wrong_answer_is_said_before_the_next_question(key_file: Path) -> None:
    said: list[str] = []
    prompt, _ = answers("wrong", PASSPHRASE.decode())
    open_key_file(key_file, Passphrases(prompt=prompt, complain=said.append))
    assert said == [f"that does not open {key_file.name}; try again"]


def test_three_wrong_answers_are_enough(key_file: Path) -> None:
    prompt, asked = answers("one", "two", "three", "four")
    with pytest.raises(WrongPassphraseError):
        open_key_file(key_file, Passphrases(prompt=prompt))
    assert len(asked) == 3


def test_a_descriptor_gives_its_first_line(key_file: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE + b"\r\nmore\n")
    os.close(writing)
    try:
        open_key_file(key_file, Passphrases(descriptor=reading, prompt=answers()[0]))
    finally:
        os.close(reading)


def test_a_closed_descriptor_is_refused(key_file: Path) -> None:
    with pytest.raises(PassphraseError, match="descriptor 987") as refused:
        open_key_file(key_file, Passphrases(descriptor=987))
    assert refused.value.code == "usage.passphrase"


def test_a_credentials_file_opens_the_key(key_file: Path, tmp_path: Path) -> None:
    file = private(tmp_path / "passphrase", PASSPHRASE + b"\n")
    open_key_file(key_file, Passphrases(file=file))


def test_a_wrong_credentials_file_is_not_tried_again(key_file: Path, tmp_path: Path) -> None:
    file = private(tmp_path / "passphrase", b"wrong\n")
    with pytest.raises(WrongPassphraseError):
        open_key_file(key_file, Passphrases(file=file))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_passphrase_that_others_can_reach_is_refused(key_file: Path, tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "passphrase", PASSPHRASE)
    file.chmod(mode)
    with pytest.raises(ExposedFileError) as refused:
        open_key_file(key_file, Passphrases(file=file))
    assert refused.value.code == "key.exposed"
    assert "chmod 600" in refused.value.hint


def test_a_key_file_that_others_can_reach_is_refused(key_file: Path) -> None:
    key_file.chmod(0o644)
    with pytest.raises(ExposedFileError):
        open_key_file(key_file, Passphrases(prompt=answers(PASSPHRASE.decode())[0]))


def test_without_a_terminal_the_refusal_says_what_else_there_is(key_file: Path) -> None:
    with pytest.raises(PassphraseError) as refused:
        open_key_file(key_file, Passphrases())
    assert "--passphrase-fd" in refused.value.hint


def test_an_empty_passphrase_is_none(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        open_key_file(key_file, Passphrases(file=private(tmp_path / "passphrase", b"\n")))


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(PassphraseError, match="plain file"):
        open_key_file(tmp_path / "pipe", Passphrases())
    with pytest.raises(PassphraseError, match="No such file"):
        open_key_file(tmp_path / "nothing", Passphrases())


def test_an_unencrypted_key_opens_without_a_passphrase(tmp_path: Path) -> None:
    pem = write_key_file(generate_key(Scheme.ED25519, os.urandom), None)
    prompt, asked = answers()
    open_key_file(private(tmp_path / "plain.pem", pem), Passphrases(prompt=prompt))
    assert asked == []


def test_nothing_that_is_secret_can_be_printed(key_file: Path) -> None:
    prompt, _ = answers(PASSPHRASE.decode())
    key = open_key_file(key_file, Passphrases(prompt=prompt))
    assert "seed" not in repr(key)
    assert PASSPHRASE.decode() not in repr(key)

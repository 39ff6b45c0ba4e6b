# SPDX-License-Identifier: Apache-2.0
from quorumseal.ceremony.values import digest_of
from quorumseal.terminal.words import WORDS, four_words


def test_there_is_one_word_for_each_byte() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256
    assert all(word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 8 for word in WORDS)


def test_the_words_say_the_first_four_bytes() -> None:
    assert four_words("sha256:00ff0001" + "0" * 56) == "acorn zebra acorn actor"


def test_other_bytes_have_other_words() -> None:
    assert four_words(digest_of(b"a")) != four_words(digest_of(b"b"))

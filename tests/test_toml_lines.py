# SPDX-License-Identifier: Apache-2.0
"""One line changes; comments, order and everything else stay."""

import pytest

from quorumseal.toml_lines import with_text, without

SOURCE = """\
format = 0
file = "not this one"

[key]  # whose
file = "signing.key.pem"
# Only you may be able to read it.
# passphrase_file = "passphrase"

[artifacts]
file = "nor this"
"""


def test_a_line_is_replaced_where_it_stands() -> None:
    assert with_text(SOURCE, "key", "file", 'a "new" one') == SOURCE.replace(
        'file = "signing.key.pem"', 'file = "a \\"new\\" one"'
    )


def test_a_new_line_follows_the_last_of_its_table() -> None:
    edited = with_text(SOURCE, "key", "next", "signing.2.key.pem")
    assert edited == SOURCE.replace('key.pem"\n', 'key.pem"\nnext = "signing.2.key.pem"\n', 1)
    assert without(edited, "key", "next") == SOURCE


def test_a_table_without_lines_gets_its_first() -> None:
    assert with_text("[key]\n", "key", "file", "x") == '[key]\nfile = "x"\n'


def test_to_remove_what_is_not_there_changes_nothing() -> None:
    assert without(SOURCE, "key", "next") == SOURCE


@pytest.mark.parametrize(
    "source",
    ['key = { file = "x" }\n', '[key]\nfile = """\nx\n"""\n', '[key]\n"file" = "x"\n', "format = 0\n"],
    ids=["an inline table", "several lines", "a quoted key", "no table"],
)
def test_what_is_written_otherwise_is_left_to_people(source: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        with_text(source, "key", "file", "y")


def test_a_setting_is_one_line() -> None:
    with pytest.raises(ValueError, match="printable"):
        with_text(SOURCE, "key", "file", "a\nb")

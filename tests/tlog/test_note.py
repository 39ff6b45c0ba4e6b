# SPDX-License-Identifier: Apache-2.0
"""Signed notes: published ones open, and every other spelling is refused."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import Ed25519PrivateKey, P256PrivateKey, PublicKey, Scheme
from quorumseal.tlog import (
    MalformedNoteError,
    NoteSignatureError,
    note_key_id,
    note_with,
    open_note,
    sign_note,
    signature_on,
    verifier_key,
)
from quorumseal.tlog.note import MAX_NOTE_BYTES, MAX_SIGNATURES

NAME = "log.example/releases"
KEY = Ed25519PrivateKey(bytes(range(32)))
OTHER = Ed25519PrivateKey(bytes(32))
TEXT = "one line\n\nand, after an empty one, another\n"

# published verifier keys and notes: the specification's example, and those of Go's implementation
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_TEXT = "This is an example message.\n"
SPEC_NOTE = f"""{SPEC_TEXT}
— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
GO_NOTE = f"""{GO_TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=
"""


def configured(vkey: str) -> tuple[str, PublicKey]:
    name, _, material = vkey.split("+", 2)
    return name, PublicKey.from_raw(Scheme.ED25519, b64decode(material)[1:])


def line(name: str, blob: bytes) -> str:
    return f"— {name} {b64encode(blob).decode()}\n"


def signed(text: str, signer: Ed25519PrivateKey = KEY, name: str = NAME) -> str:
    return line(name, note_key_id(name, signer.public) + signer.sign(text.encode()))


@pytest.mark.parametrize(
    ("vkey", "note", "text"),
    [(SPEC_KEY, SPEC_NOTE, SPEC_TEXT), (PETER_KEY, GO_NOTE, GO_TEXT), (ENOCH_KEY, GO_NOTE, GO_TEXT)],
)
def test_published_notes_open_with_their_published_keys(vkey: str, note: str, text: str) -> None:
    name, key = configured(vkey)
    assert verifier_key(name, key) == vkey
    assert note_key_id(name, key).hex() == vkey.split("+")[1]
    assert open_note(note.encode(), name, [key]) == text


def test_published_notes_do_not_open_with_each_others_keys() -> None:
    name, key = configured(SPEC_KEY)
    with pytest.raises(NoteSignatureError, match="got none"):
        open_note(GO_NOTE.encode(), name, [key])
    with pytest.raises(NoteSignatureError, match="got none"):
        open_note(GO_NOTE.encode(), "PeterNeumann", [key])


def test_a_note_that_is_signed_opens_to_its_text() -> None:
    assert open_note(sign_note(TEXT, KEY, NAME), NAME, [OTHER.public, KEY.public]) == TEXT


def test_a_line_of_an_unknown_signer_is_ignored_even_where_its_signature_is_nonsense() -> None:
    unknown = line("witness.example", b"\x00" * 5) + line(NAME, b"\x00" * 2424) + signed(TEXT, OTHER)
    note = f"{TEXT}\n{unknown}{signed(TEXT)}{line('other.example', bytes(5))}"
    assert open_note(note.encode(), NAME, [KEY.public]) == TEXT


def test_a_wrong_signature_of_a_known_key_refuses_the_note_beside_a_right_one() -> None:
    wrong = line(NAME, note_key_id(NAME, OTHER.public) + KEY.sign(TEXT.encode()))
    note = f"{TEXT}\n{signed(TEXT)}{wrong}"
    assert open_note(note.encode(), NAME, [KEY.public]) == TEXT
    with pytest.raises(NoteSignatureError, match="is wrong") as refusal:
        open_note(note.encode(), NAME, [KEY.public, OTHER.public])
    assert refusal.value.hint


@pytest.mark.parametrize("size", [1, 63, 65, 128])
def test_a_signature_of_another_length_refuses_the_note(size: int) -> None:
    note = f"{TEXT}\n{line(NAME, note_key_id(NAME, KEY.public) + bytes(size))}"
    with pytest.raises(NoteSignatureError, match="is wrong"):
        open_note(note.encode(), NAME, [KEY.public])


def test_the_same_key_under_another_name_is_another_signer() -> None:
    with pytest.raises(NoteSignatureError, match="got none"):
        open_note(sign_note(TEXT, KEY, "other.example"), NAME, [KEY.public])


def test_no_keys_open_no_note() -> None:
    with pytest.raises(NoteSignatureError, match=f"a key of {NAME}"):
        open_note(sign_note(TEXT, KEY, NAME), NAME, [])


def test_a_key_that_is_listed_twice_is_one_key() -> None:
    assert open_note(sign_note(TEXT, KEY, NAME), NAME, [KEY.public, KEY.public]) == TEXT


def test_two_keys_that_share_an_id_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    note = sign_note(TEXT, KEY, NAME)
    monkeypatch.setattr("quorumseal.tlog.note.note_key_id", lambda *_: b"same")
    with pytest.raises(NoteSignatureError, match="distinct ids"):
        open_note(note, NAME, [KEY.public, OTHER.public])


def test_every_bit_of_a_note_matters() -> None:
    note = sign_note("text\n", KEY, NAME)
    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedNoteError, NoteSignatureError)):
            open_note(bytes(changed), NAME, [KEY.public])


def test_every_proper_part_of_a_note_is_refused() -> None:
    note = sign_note("text\n", KEY, NAME)
    for at in range(len(note)):
        for part in (note[:at], note[at + 1 :]):
            with pytest.raises((MalformedNoteError, NoteSignatureError)):
                open_note(part, NAME, [KEY.public])


SIGNED = signed(TEXT).encode()
BODY = TEXT.encode() + b"\n"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        pytest.param(b"", "an empty line", id="nothing"),
        pytest.param(TEXT.replace("\n\n", "\n").encode() + SIGNED, "an empty line", id="no empty line"),
        pytest.param(BODY, "newline", id="no signature line"),
        pytest.param(BODY + SIGNED[:-1], "newline", id="no last newline"),
        pytest.param(BODY + SIGNED + b"\n", "newline", id="an empty line at the end"),
        pytest.param(BODY + SIGNED + b"more", "newline", id="text at the end"),
        pytest.param(BODY + SIGNED + b"more\n", "em dash", id="a line that is no signature"),
        pytest.param(b"\x01" + BODY + SIGNED, "control", id="a control character"),
        pytest.param(BODY + SIGNED.replace(b"\n", b"\r\n"), "control", id="carriage returns"),
        pytest.param(BODY.replace(b" ", b"\t", 1) + SIGNED, "control", id="a tab"),
        pytest.param(b"\xff" + BODY + SIGNED, "UTF-8", id="not UTF-8"),
        pytest.param(b"\xed\xa0\x80" + BODY + SIGNED, "UTF-8", id="a surrogate"),
        pytest.param(BODY + SIGNED.replace("—".encode(), b"-"), "em dash", id="a hyphen"),
        pytest.param(BODY + SIGNED.replace("—".encode(), "\u2013".encode()), "em dash", id="an en dash"),
        pytest.param(BODY + b" " + SIGNED, "em dash", id="a space before"),
        pytest.param(BODY + SIGNED[:-1] + b" \n", "em dash", id="a space after"),
        pytest.param(BODY + SIGNED.replace(b" ", b"  ", 1), "em dash", id="two spaces"),
        pytest.param(BODY + SIGNED.replace(b"log.", b"log ."), "em dash", id="a space in the name"),
        pytest.param(BODY + SIGNED.replace(b"log.", b"log+."), "key name", id="a plus in the name"),
        pytest.param(
            BODY + SIGNED.replace(b"log.", "log\u2003.".encode()), "key name", id="an em space in the name"
        ),
        pytest.param(BODY + SIGNED.replace(NAME.encode(), b""), "key name", id="no name"),
        pytest.param(BODY + SIGNED.replace(b"=", b""), "base64", id="no padding"),
        pytest.param(BODY + SIGNED.replace(b"=", b"=="), "spelling|base64", id="more padding"),
        pytest.param(BODY + SIGNED.replace(b"=", b"=A"), "spelling|base64", id="padding within"),
        pytest.param(BODY + line(NAME, b"\xff" * 68).replace("/", "_").encode(), "base64", id="base64url"),
        pytest.param(BODY + SIGNED[:-3] + b"B=\n", "spelling", id="loose bits in base64"),
        pytest.param(BODY + SIGNED[:-1] + "é\n".encode(), "base64", id="a letter that is not ASCII"),
        pytest.param(BODY + line(NAME, b"1234").encode(), "key id and a signature", id="a key id alone"),
        pytest.param(BODY + line(NAME, b"").encode(), "key id and a signature", id="an empty signature"),
        pytest.param(BODY + SIGNED * (MAX_SIGNATURES + 1), "at most", id="too many lines"),
        pytest.param(BODY + SIGNED * 2, "each signature line once", id="a line twice"),
        pytest.param(b"a" * MAX_NOTE_BYTES + BODY + SIGNED, "at most", id="too large"),
    ],
)
def test_a_malformed_note_is_refused(note: bytes, said: str) -> None:
    with pytest.raises(MalformedNoteError, match=said):
        open_note(note, NAME, [KEY.public])


def test_as_many_signature_lines_as_the_bound_allows_are_read() -> None:
    witnesses = "".join(line(f"w{number}.example", b"\x04" * 76) for number in range(MAX_SIGNATURES - 1))
    note = f"{TEXT}\n{signed(TEXT)}{witnesses}"
    assert MAX_SIGNATURES >= 16, "the specification's least"
    assert open_note(note.encode(), NAME, [KEY.public]) == TEXT


@pytest.mark.parametrize("text", ["", "no newline at the end", "tab\t\n", "return\r\n", "null\x00\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="newline"):
        sign_note(text, KEY, NAME)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nfeed", "em\u2003space"])
def test_a_name_that_no_key_can_have_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(ValueError, match="key name"):
        sign_note(TEXT, KEY, name)
    with pytest.raises(ValueError, match="key name"):
        open_note(SPEC_NOTE.encode(), name, [KEY.public])


def test_a_log_key_of_another_scheme_is_a_mistake_of_the_caller() -> None:
    key = P256PrivateKey(bytes(31) + b"\x05")
    for use in (note_key_id, verifier_key):
        with pytest.raises(ValueError, match="ed25519"):
            use(NAME, key.public)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80).map(lambda text: text + "\n"))
def test_any_text_survives_the_round_trip(text: str) -> None:
    assert open_note(sign_note(text, KEY, NAME), NAME, [KEY.public]) == text


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(note: bytes) -> None:
    with pytest.raises((MalformedNoteError, NoteSignatureError)):
        open_note(note, NAME, [KEY.public])
    with pytest.raises((MalformedNoteError, NoteSignatureError)):
        open_note(BODY + "— ".encode() + note + b"\n", NAME, [KEY.public])


def test_a_note_is_put_together_again_from_its_text_and_its_first_known_signature() -> None:
    stranger = line(NAME, bytes(4) + bytes(64))
    crowded = f"{TEXT}\n{stranger}{signed(TEXT)}{signed(TEXT, OTHER)}".encode()
    signature = signature_on(crowded, NAME, [OTHER.public, KEY.public])
    assert signature == note_key_id(NAME, KEY.public) + KEY.sign(TEXT.encode())
    assert note_with(TEXT, NAME, signature) == sign_note(TEXT, KEY, NAME)


def test_no_signature_is_taken_from_a_note_that_does_not_hold() -> None:
    wrong = f"{TEXT}\n{signed(TEXT)}{line(NAME, note_key_id(NAME, OTHER.public) + bytes(64))}".encode()
    for note, keys in {sign_note(TEXT, KEY, NAME): [OTHER.public], wrong: [KEY.public, OTHER.public]}.items():
        with pytest.raises(NoteSignatureError):
            signature_on(note, NAME, keys)

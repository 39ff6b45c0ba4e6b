# SPDX-License-Identifier: Apache-2.0
"""Which characters of other people's text stay as they are, and which words pretend to be other words.

Letters of the scripts that people write today stay (the recommended ones of Unicode's UAX 31), and so does a
little punctuation.  Symbols, digits of other scripts, letters made for mathematics or phonetics, spaces that
are not a space and all that is invisible do not: they look like something else, or like nothing.
"""

from typing import Final
from unicodedata import category, name, normalize

from quorumseal.terminal.unseen import unseen

SCRIPTS: Final = frozenset(
    """
    ARABIC ARMENIAN BENGALI BOPOMOFO CJK CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI GURMUKHI HANGUL
    HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI
    TIBETAN
    """.split()  # noqa: SIM905 - a list of words is read as one
)
"""Each by the word that the names of its letters begin with."""

RIGHT_TO_LEFT: Final = frozenset({"ARABIC", "HEBREW", "THAANA"})

PUNCTUATION: Final = frozenset("\u201c\u201d\u2018\u2019«»–—…•€£¥§°¿¡。、「」『』")  # noqa: RUF001 - what stays

# scripts that one word may join (Unicode's UTS 39, "highly restrictive"), each of them with Latin too
_WRITTEN_TOGETHER: Final = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "BOPOMOFO"}),
    frozenset({"CJK", "HANGUL"}),
)
# a word of nothing but these reads as a Latin one; one and two of them alone are everyday words in Russian
_LOOKS_LATIN: Final = frozenset(
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0443\u0445\u04bb\u0501\u051b\u051d\u04cf"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0423\u0425\u04c0"
    "\u03bd\u03bf\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0585\u0578\u057d\u0570\u0566\u0581"
)
_LATIN_LETTERS: Final = ((0xC0, 0x1BF), (0x1C4, 0x24F), (0x1E00, 0x1EFF))
_COMBINING_ACCENTS: Final = range(0x300, 0x370)


def script_of(letter: str) -> str:
    """Return the script of a letter or mark that may stay, else the empty string."""
    if letter.isascii():
        return "LATIN" if letter.isalpha() else ""
    full_name = name(letter, "")
    script = full_name.partition(" ")[0].partition("-")[0]
    if (
        unseen(letter)
        or script not in SCRIPTS
        or category(letter)[0] not in "LM"
        or normalize("NFKC", letter) != letter
    ):
        return ""
    if script == "LATIN" and not any(low <= ord(letter) <= high for low, high in _LATIN_LETTERS):
        return ""
    if script == "HANGUL" and not full_name.startswith("HANGUL SYLLABLE"):
        return ""
    return script


def mark_stays(mark: str, base: str) -> bool:
    """Tell whether a combining mark belongs on the letter before it."""
    if ord(mark) in _COMBINING_ACCENTS:
        return len(normalize("NFC", base + mark)) == 1
    return script_of(mark) not in {"", "LATIN"} and script_of(mark) == script_of(base)


def pretence(word: str) -> str:
    """Say why a word of letters that stay may be taken for another one; empty when it may not."""
    scripts = {script for script in map(script_of, word) if script}
    others = scripts - {"LATIN"}
    if len(scripts) > 1 and not any(others <= together for together in _WRITTEN_TOGETHER):
        return "mixed scripts: " + ", ".join(script.title() for script in sorted(scripts))
    letters = [letter for letter in word if letter.isalpha()]
    long_enough = len(letters) > 2 or len(letters) < len(word)
    if others and long_enough and _LOOKS_LATIN.issuperset(letters):
        return f"{min(others).title()} letters"
    return ""

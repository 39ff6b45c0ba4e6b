# SPDX-License-Identifier: Apache-2.0
"""Which characters a screen shows as nothing, or as a space that is not the space.

Two texts that differ in these alone look alike.  Values of ours refuse them; text of others is shown with
them spelt out.
"""

from typing import Final
from unicodedata import category

_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})

# Letters, marks and symbols by their categories: what Unicode lets a screen leave out (its property
# Default_Ignorable_Code_Point), and what has a place but no ink.
_BLANK: Final = frozenset(
    number
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
        (0x2800, 0x2800),  # Braille without a dot
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFFA0, 0xFFA0),  # half-width Hangul filler
        (0x13441, 0x13442),  # Egyptian blanks
        (0x16FE4, 0x16FE4),  # Khitan filler
        (0x1D159, 0x1D159),  # musical note without a head
        (0xE0100, 0xE01EF),  # more variation selectors
    )
    for number in range(first, last + 1)
)


def unseen(character: str) -> bool:
    """Tell whether a reader cannot know that the character is there, and which it is."""
    return character != " " and (ord(character) in _BLANK or category(character) in _CATEGORIES)

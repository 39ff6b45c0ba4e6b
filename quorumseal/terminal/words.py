# SPDX-License-Identifier: Apache-2.0
"""Four words for a digest, so that two people on the telephone know that they look at the same thing.

One byte is one word; four bytes are no security check, and screens say so.
"""

from typing import Final

WORDS: Final = tuple(
    """
    acorn actor agate album alley almond amber anchor angle ankle apple apron arch armor arrow atlas attic
    autumn badge bagel baker bamboo banjo barley barn basin basket beach beacon bean beaver bell bench
    berry bicycle birch blanket blossom board bonnet book border bottle branch bread brick bridge broom
    bucket buffalo butter button cabin cactus camel camera canal candle canoe canvas carbon carpet castle
    cedar cello chalk cherry chess chimney circle citrus clay cliff clock cloud clover cobalt coffee comet
    compass copper coral cotton cousin crane crayon cricket crown crystal curtain daisy dancer desert
    diamond dinner dolphin donkey dragon drawer drum eagle easel echo elbow ember emerald engine envelope
    fabric falcon family feather fence fern ferry fiddle field filter finger flag flame flute forest
    fossil fountain fox fruit galaxy garden garlic gate ginger giraffe glacier glove goat grain granite
    grape guitar hammer harbor harvest hazel hedge helmet heron hockey honey horizon hotel island ivory
    jacket jasmine jelly jewel jungle kayak kettle kitchen kite ladder lagoon lake lamp lantern laurel
    lemon letter library lily linen lizard lobster magnet mango maple marble market meadow melon mirror
    monkey morning mosaic mountain museum mustard napkin needle nickel ocean olive onion orange orchard
    orchid otter oyster paddle palace panda paper parrot pebble pencil pepper piano picnic pigeon pillow
    pilot planet plum pocket pony prairie puzzle quartz quilt rabbit radar raven ribbon river robin rocket
    saddle salmon sandal satin school shadow silver sketch spider spoon squirrel statue sugar summer
    sunset table teapot temple ticket tiger timber tulip tunnel velvet village violin walnut zebra
    """.split()  # noqa: SIM905 - a list of them fills three screens
)


def four_words(digest: str) -> str:
    """Return the words of a digest's first four bytes."""
    return " ".join(WORDS[byte] for byte in bytes.fromhex(digest.removeprefix("sha256:")[:8]))

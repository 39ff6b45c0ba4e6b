# SPDX-License-Identifier: Apache-2.0
"""WCAG 2.2 AA, computed from the colours that the style sheet names: text 4.5 to 1, edges 3 to 1."""

import re
from itertools import product

import pytest

from coordinator.web.statics import statics

CSS = statics()["pages.css"].data.decode()
_NAMED = re.compile(r"--([a-z-]+): (#[0-9a-f]{3,6});")
_ON_BACKGROUNDS = [*product(("ink", "quiet", "link", "good", "care", "bad", "calm"), ("paper", "card"))]
_ON_TINTS = [
    ("good", "good-tint"),
    ("care", "care-tint"),
    ("bad", "bad-tint"),
    ("calm", "calm-tint"),
    ("quiet", "past-tint"),
    ("ink", "past-tint"),
    ("ink", "calm-tint"),
    ("link", "calm-tint"),
    ("card", "link"),
]
_EDGES = [*product(("edge", "focus"), ("paper", "card"))]


def _colours() -> dict[str, dict[str, str]]:
    light, dark = (
        dict(_NAMED.findall(block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    )
    assert light.keys() == dark.keys()
    return {"light": light, "dark": dark}


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return how far apart two colours are, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*_ON_BACKGROUNDS, *_ON_TINTS])
def test_text_can_be_read_by_those_who_see_little(scheme: str, text: str, ground: str) -> None:
    colours = _colours()[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), _EDGES)
def test_fields_and_focus_can_be_found_by_those_who_see_little(scheme: str, edge: str, ground: str) -> None:
    colours = _colours()[scheme]
    assert contrast(colours[edge], colours[ground]) >= 3


def test_every_colour_outside_of_paper_has_a_name() -> None:
    rules = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert not re.findall(r"#[0-9a-fA-F]{3,6}\b", rules)

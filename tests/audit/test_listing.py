# SPDX-License-Identifier: Apache-2.0
"""Listings of registries: the usual forms are read, and nothing is passed over."""

import json

import pytest

from quorumseal.audit import listing
from quorumseal.audit.asking_errors import ListingError
from quorumseal.audit.listing import Listed, read_listing

ONES, TWOS = "1" * 64, "2" * 64
WIDGET, GADGET = Listed("widget.tar.gz", f"sha256:{ONES}"), Listed("gadget.tar.gz", f"sha256:{TWOS}")


BOTH = [GADGET, WIDGET]


def oci(name: str, digest: str, **more: object) -> dict[str, object]:
    return {"mediaType": "application/x", "digest": f"sha256:{digest}", "size": 3, **more, **(
        {"annotations": {"org.opencontainers.image.title": name}} if name else {}
    )}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        (f"widget.tar.gz sha256:{ONES}\n", [WIDGET]),
        (f"widget.tar.gz\t{ONES}", [WIDGET]),
        (f"{ONES}  widget.tar.gz\n{TWOS} *gadget.tar.gz\n", [GADGET, WIDGET]),
        (f"# all of it\n\n{ONES}  widget.tar.gz\r\n", [WIDGET]),
        (f"{ONES}  widget.tar.gz\n{ONES}  widget.tar.gz\n", [WIDGET]),
        (f"sha256:{ONES} a name with spaces", [Listed("a name with spaces", f"sha256:{ONES}")]),
        (json.dumps({"manifests": [oci("widget.tar.gz", ONES)]}), [WIDGET]),
        (json.dumps({"config": oci("c", TWOS), "layers": [oci("widget.tar.gz", ONES)]}), [WIDGET]),
        (
            json.dumps([{"layers": [oci("widget.tar.gz", ONES)]}, oci("gadget.tar.gz", TWOS)]),
            [GADGET, WIDGET],
        ),
        (json.dumps([{"name": "widget.tar.gz", "digest": ONES}]), [WIDGET]),
        (json.dumps([{"tag": "v1", "digest": ONES, "annotations": 3}]), [Listed("v1", f"sha256:{ONES}")]),
        (json.dumps([oci("", ONES)]), [Listed(f"sha256:{ONES}", f"sha256:{ONES}")]),
        (
            f"{json.dumps(oci('widget.tar.gz', ONES))}\n{json.dumps(oci('gadget.tar.gz', TWOS))}\n",
            [GADGET, WIDGET],
        ),
    ],
    ids=[
        "name first",
        "without sha256:",
        "sha256sum",
        "comments",
        "twice",
        "spaces",
        "an index",
        "a manifest",
        "several",
        "plain JSON",
        "a tag",
        "no name",
        "JSON lines",
    ],
)
def test_the_usual_forms_are_read(text: str, listed: list[Listed]) -> None:
    assert [*read_listing(text)] == listed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one artifact, got an empty one"),
        ("# nothing\n", "at least one artifact"),
        (f"widget.tar.gz sha256:{ONES[1:]}", "in line 1 of the listing"),
        (f"{ONES}  widget\nand more", "in line 2 of the listing, got 'and more'"),
        (ONES, "in line 1"),
        ('{"manifests": [', "expected JSON"),
        ('{"manifests": []}', "at least one artifact"),
        ('{"digest": "sha512:00"}', "a sha256 digest"),
        ('[{"manifests": {}}]', "a sha256 digest"),
        ("[3]", "a sha256 digest"),
        ("[" * 100_000, "expected JSON"),
    ],
    ids=[
        "empty",
        "comments alone",
        "a short digest",
        "a line of words",
        "no name",
        "cut off",
        "an empty index",
        "another hash",
        "no list",
        "a number",
        "very deep",
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(ListingError, match=says):
        read_listing(text)


def test_a_listing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_MOST", 1)
    with pytest.raises(ListingError, match="at most 1 artifacts, got 2"):
        read_listing(f"a {ONES}\nb {TWOS}")

# SPDX-License-Identifier: Apache-2.0
"""``gh release``, as far as the example uses it, over a folder; it knows no option that is not used."""

import fnmatch
import json
import os
import shutil
import sys
from pathlib import Path

STORE = Path(os.environ.get("FAKE_RELEASES", "/nonexistent"))
PENDING = ".[] | select(.isDraft and (.isPrerelease | not)) | .tagName"


def main(words: list[str]) -> int:
    """Do one thing."""
    assert os.environ["GH_TOKEN"] == "token"
    match words:
        case ["release", "view", tag]:
            return 0 if (STORE / tag).is_dir() else 1
        case ["release", "create", tag, *assets, "--draft", "--verify-tag", "--title", _]:
            (STORE / tag / "assets").mkdir(parents=True)
            _write(tag, draft=True, prerelease=False)
            _upload(tag, assets)
        case ["release", "upload", tag, asset, "--clobber"]:
            _upload(tag, [asset])
        case ["release", "download", tag, "--dir", folder]:
            shutil.copytree(STORE / tag / "assets", folder)  # as gh does, it refuses to overwrite
        case ["release", "edit", tag, "--draft=false"]:
            _write(tag, draft=False, prerelease=False)
        case ["release", "edit", tag, "--prerelease" | "--prerelease=false" as flag]:
            _write(tag, draft=True, prerelease=flag == "--prerelease")
        case ["release", "list", "--limit", "100", "--json", "tagName,isDraft,isPrerelease", "--jq", program]:
            assert program == PENDING
            for release in sorted(STORE.iterdir()):
                state = json.loads((release / "state.json").read_text())
                if state["draft"] and not state["prerelease"]:
                    sys.stdout.write(f"{release.name}\n")
        case _:
            sys.stderr.write(f"expected what the example uses, got {words}\n")
            return 64
    return 0


def _write(tag: str, *, draft: bool, prerelease: bool) -> None:
    (STORE / tag / "state.json").write_text(json.dumps({"draft": draft, "prerelease": prerelease}))


def _upload(tag: str, assets: list[str]) -> None:
    for asset in assets:
        assert not fnmatch.filter([Path(asset).name], "*[!A-Za-z0-9._-]*"), "GitHub would rename it"
        shutil.copy(asset, STORE / tag / "assets")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""README and docs: what they point to exists."""
import re

import pytest

from harness.manifests import CONFIG

ROOT = CONFIG.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TOP = {path.name for path in ROOT.iterdir()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_exist(page):
    text = page.read_text()
    links = [page.parent / link.split("#")[0] for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)]
    # What is written as code and begins with a folder of ours, and is no pattern.
    words = [word.rstrip("/.,:;") for word in re.findall(r"[\w./-]+/[\w./-]*", text)]
    paths = [ROOT / word for word in words if word.split("/")[0] in TOP - {"build"}]
    assert [str(path) for path in links + paths if not path.exists()] == []

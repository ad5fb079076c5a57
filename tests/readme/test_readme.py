"""The README's first promise, kept literally; the whole page is followed by follow.py in CI."""

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from . import follow

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/README.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_commands_to_follow_and_they_are_complete(page):
    blocks = follow.BLOCK.findall((ROOT / page).read_text("utf-8"))

    assert blocks
    assert all("..." not in block and "<" not in block for block in blocks)


def test_both_languages_start_with_the_same_command():
    first, second = (
        re.sub('generate "[^"]*"', "generate", follow.BLOCK.findall(text)[0])
        for text in ((ROOT / page).read_text("utf-8") for page in PAGES)
    )

    assert first == second


@pytest.mark.slow
@pytest.mark.skipif("HAILUO_FOLLOW" not in os.environ, reason="installs packages: HAILUO_FOLLOW=1")
def test_the_first_block_of_the_readme_makes_a_clip(tmp_path):
    follow.follow("README.md", tmp_path, first=True)


def test_the_pictures_of_the_demo_are_small_and_whole():
    pictures = [
        path for path in (ROOT / "docs" / "demo").iterdir() if path.suffix in (".svg", ".jpg")
    ]

    assert len(pictures) == 3
    assert sum(path.stat().st_size for path in pictures) < 300_000
    for path in pictures:
        if path.suffix == ".svg":
            assert ET.parse(path).getroot().tag.endswith("svg")


def test_the_matrix_of_clients_is_green():
    page = (ROOT / "docs" / "clients.md").read_text("utf-8")
    rows = page.partition("<!-- matrix:begin -->")[2].partition("<!-- matrix:end -->")[0]

    assert rows.count("\n") > 50
    assert not [row for row in rows.splitlines() if "FAILED" in row or "MISSING" in row]

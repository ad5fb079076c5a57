"""The README's first promise, kept literally; the whole page is followed by follow.py in CI."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("follow", Path(__file__).with_name("follow.py"))
assert _spec
assert _spec.loader
follow = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(follow)

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

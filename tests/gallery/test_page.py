"""The page as it is joined: without comments and needless spaces, with every word."""

from __future__ import annotations

import re
from pathlib import Path

import hailuo_mcp.server.gallery.page as joined

_TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"')
_FOLDER = Path(joined.__file__).with_name("page")


def test_every_text_is_kept_as_it_was_written() -> None:
    html = joined.gallery_page().html
    words = (_FOLDER / "words.js").read_text(encoding="utf-8").partition("const WORDS")[2]
    texts = _TEXT.findall(words)
    assert len(texts) > 200
    assert [text for text in texts if text not in html] == []


def test_no_comment_and_no_indentation_is_left() -> None:
    lines = joined.gallery_page().html.partition("<script>")[2].splitlines()
    assert [line for line in lines if line.startswith((" ", "/*", "//"))] == []


def test_what_a_space_means_something_to_is_left_alone() -> None:
    html = joined.gallery_page().html
    assert "@container gallery (min-width:" in html
    assert ".stage > img" in html
    assert "https://" not in html, "nothing is loaded from elsewhere"

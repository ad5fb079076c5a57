"""docs/serving.md: what a reader pastes first is what works."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/serving.md").read_text("utf-8")


def test_the_first_container_says_which_proxy_is_believed_and_the_page_says_why():
    command, why = re.search(r"(docker run .*?)```\n\n(.*?)\n\n", PAGE, re.DOTALL).groups()

    assert "-e FORWARDED_ALLOW_IPS=" in command
    assert "FORWARDED_ALLOW_IPS" in why
    assert "http://" in why

"""upgrade: a draft made again at 2K from the shell, with its price first."""

from __future__ import annotations

import re
from typing import Any

from hailuo_mcp.sandbox.report import read_book


def test_a_draft_is_upgraded_with_its_price_first(program: Any) -> None:
    draft = program("generate", "a lighthouse", "--model", "h3", "--duration", "4")
    suggested = re.search(r"upgrade (v\w+)", draft.out)
    assert suggested, draft.out

    asked = program("upgrade", suggested[1], "--dry-run", "--max-cost", "1.2")
    assert "MiniMax-H3, 2K, 4 s, from a finished draft" in asked.out
    assert read_book(program.books)["totals"]["creates_accepted"] == 1

    ran = program("upgrade", suggested[1], "-o", "keeper.mp4")
    assert (ran.code, "2560×1440" in ran.out, "--take" in ran.out) == (0, True, False)
    assert (program.cwd / "keeper.mp4").stat().st_size > 10_000
    refused = program("upgrade", "no such task")
    assert (refused.code, "no task" in refused.err) == (2, True)
    assert read_book(program.books)["totals"]["creates_accepted"] == 2

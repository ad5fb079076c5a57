"""estimate_cost: what is asked for, and the price."""

from __future__ import annotations

import pytest

from .conftest import Ask
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("size", [768, "768", "768P"])
async def test_a_resolution_may_come_as_a_number(ask: Ask, studio: FakeStudio, size) -> None:
    await ask("generate_video", {"prompt": "a", "resolution": size})
    assert studio.last("generate")["request"].resolution == str(size)
    answer = (await ask("estimate_cost", {"resolution": size})).structured_content
    assert answer["resolution"] == "768P"


async def test_estimate_passes_what_was_asked(ask: Ask, studio: FakeStudio) -> None:
    result = await ask(
        "estimate_cost",
        {"model": "MiniMax-Hailuo-02", "resolution": "1080P", "count": 20, "plan": "compare"},
    )
    assert result.structured_content["total"] == {"cny": "70", "credits": "40", "usd": "9.8"}
    assert {row["plan"] for row in result.structured_content["compared"]} == {
        "payg",
        "basic",
        "advanced",
        "plus",
        "enterprise",
    }

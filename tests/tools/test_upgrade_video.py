"""upgrade_video: what reaches the studio, the person's yes, and what it does not take."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mcp.types import ElicitResult

from hailuo_mcp.domain.requests import Mode

from .conftest import Ask
from .fakes import FakeStudio, a_view

pytestmark = pytest.mark.anyio


async def test_the_clip_and_the_terms_reach_the_studio(ask: Ask, studio: FakeStudio) -> None:
    studio.view = a_view(mode=Mode.UPGRADE, model="MiniMax-H3", resolution="2K")
    terms = {"request_key": "k", "max_cost": 1.5, "confirm": "code"}
    result = await ask("upgrade_video", {"task_id": 271836792037739, **terms})
    call = studio.last("upgrade")
    assert (call["task_id"], call["resolution"]) == ("271836792037739", "2K")
    known = call["terms"]
    assert (known.request_key, known.max_cost, known.confirm, known.take) == (
        "k",
        Decimal("1.5"),
        "code",
        1,
    )
    assert result.structured_content["mode"] == "upgrade"


async def test_the_persons_yes_buys_and_a_no_does_not(ask: Ask, studio: FakeStudio) -> None:
    studio.question = "Buy this clip for 0.30 USD?"
    for buy in (True, False):

        async def answer(_context, _params, buy: bool = buy) -> ElicitResult:
            return ElicitResult(action="accept", content={"buy": buy})

        result = await ask("upgrade_video", {"task_id": "v1"}, elicitation_callback=answer)
        assert result.is_error is not buy
    bought = [what for name, what in studio.calls if name == "upgrade"]
    assert [what["terms"].approved for what in bought] == [True]


async def test_another_take_of_an_upgrade_is_not_offered(ask: Ask, studio: FakeStudio) -> None:
    result = await ask("upgrade_video", {"task_id": "v1", "take": 2})
    assert "has no argument 'take'" in result.content[0].text
    other = await ask("upgrade_video", {"source_task_id": "v1"})
    assert "here it is called 'task_id'" in other.content[0].text
    assert not studio.calls

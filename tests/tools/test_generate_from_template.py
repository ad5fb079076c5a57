"""generate_from_template: inputs, names and the list of templates."""

from __future__ import annotations

import pytest

from .conftest import Ask
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


async def test_one_text_is_a_list_of_one(ask: Ask, studio: FakeStudio) -> None:
    await ask(
        "generate_from_template",
        {"template_id": "1" * 18, "text_inputs": "a lion", "media_inputs": '["a.png"]'},
    )
    request = studio.last("generate")["request"]
    assert (request.text_inputs, request.media_inputs) == (("a lion",), ("a.png",))


async def test_an_empty_template_lists_them_and_buys_nothing(ask: Ask, studio: FakeStudio) -> None:
    for arguments in ({}, {"template_id": ""}, {"template_id": None}):
        result = await ask("generate_from_template", arguments)
        assert not result.is_error
        assert "392753057216684038" in result.structured_content["message"]
        assert "1 image" in result.structured_content["message"]
    assert not studio.calls


@pytest.mark.parametrize("name", ["Divng", "totally unknown"])
async def test_an_unknown_template_is_refused_with_the_list(
    ask: Ask, studio: FakeStudio, name
) -> None:
    result = await ask("generate_from_template", {"template_id": name})
    assert result.is_error
    assert name in result.content[0].text
    assert '"392753057216684038" 跳水 Diving: 1 image' in result.content[0].text
    assert not studio.calls


async def test_a_known_name_and_an_unknown_number_go_on(ask: Ask, studio: FakeStudio) -> None:
    for name in ("跳水", "diving", "123456789012345678"):
        await ask("generate_from_template", {"template_id": name, "media_inputs": ["a.png"]})
        assert studio.last("generate")["request"].template_id == name

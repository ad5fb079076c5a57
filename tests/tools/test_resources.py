"""Resources, prompts, completions, instructions and news of changes."""

from __future__ import annotations

import json

import anyio
import pytest
from mcp import Client, MCPError
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import INVALID_PARAMS, PromptReference, ResourceTemplateReference

from hailuo_mcp.catalog import video_models
from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server, instructions
from hailuo_mcp.server.subscriptions import publish_changes

from .conftest import Connect
from .fakes import ID, FakeStudio
from .film_fakes import FILM_ID, a_planned_film

pytestmark = pytest.mark.anyio


async def read(client, uri: str):
    (content,) = (await client.read_resource(uri)).contents
    assert content.mime_type == "application/json"
    return json.loads(content.text)


async def test_models_say_what_they_make_and_cost(connect: Connect) -> None:
    async with connect() as client:
        models = {row["model"]: row for row in (await read(client, "hailuo://models"))["models"]}
    assert set(models) == {model.name for model in video_models.models()}
    assert models["MiniMax-Hailuo-2.3"]["modes"]["t2v"]["sizes"]["768P"]["6"] == {
        "credits": "1",
        "cny": "2",
        "usd": "0.28",
    }
    newest = models["MiniMax-H3"]
    assert newest["modes"]["r2v"]["sizes"]["2K"] == {
        "seconds": "4-15",
        "a_second": {"cny": "0.8", "usd": "0.13"},
        "a_second_of_a_reference_clip": {"cny": "0.8", "usd": "0.13"},
        "a_picture_beyond_5": {"cny": "0.2", "usd": "0.04"},
    }
    assert newest["upgrades"]["768P to 2K"]["a_second"] == {"cny": "0.3", "usd": "0.05"}
    assert "16:9" in newest["modes"]["t2v"]["aspect_ratios"]
    assert newest["not_in_packs"] is True


async def test_models_name_each_pack_with_its_rate_its_saving_and_its_shop(
    connect: Connect,
) -> None:
    async with connect() as client:
        packs = {row["plan"]: row for row in (await read(client, "hailuo://models"))["packs"]}
    assert list(packs) == ["basic", "advanced", "plus", "enterprise"]
    assert (
        packs["enterprise"].items()
        >= {
            "chinese": "企业包",
            "price_cny": "40000",
            "list_cny": "50000",
            "saves_percent": 20,
            "credits": "25000",
            "valid": "1 month",
            "rpm": 50,
            "for_accounts_in": "cn",
            "buy_at": "https://platform.minimaxi.com/user-center/payment/subscription",
        }.items()
    )


async def test_camera_has_the_fifteen_moves_in_both_languages(connect: Connect) -> None:
    async with connect() as client:
        moves = await read(client, "hailuo://camera")
    assert len(moves) == 15
    assert {"move": "[Push in]", "chinese": "[推进]", "group": "push and pull"} in moves


async def test_templates_have_both_regions_and_text_ids(connect: Connect) -> None:
    async with connect() as client:
        rows = await read(client, "hailuo://templates")
    assert {row["region"] for row in rows} == {"cn", "global"}
    assert all(isinstance(row["template_id"], str) for row in rows)


async def test_a_task_reads_as_query_task_answers(connect: Connect) -> None:
    async with connect() as client:
        task = await read(client, f"hailuo://tasks/{ID}")
    assert task["task_id"] == ID
    assert next(iter(task)) == "message"


async def test_an_unknown_task_is_not_found(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises(MCPError, match="There is no task") as caught:
            await client.read_resource("hailuo://tasks/unknown")
    assert caught.value.error.code == -32602


async def test_spending_is_readable(connect: Connect) -> None:
    async with connect() as client:
        assert (await read(client, "hailuo://spending"))["left"] == "85.5"


async def test_spending_says_whose_it_is(connect: Connect, studio: FakeStudio) -> None:
    studio.provider = PROVIDERS["sandbox"]
    async with connect() as client:
        told = await read(client, "hailuo://spending")
    assert (told["provider"], told["message"]) == ("sandbox", PROVIDERS["sandbox"].notice)


async def test_resources_say_why_there_is_no_studio(mode: str) -> None:
    context = AppContext()
    context.set_error(ConfigError("HAILUO_PLAN does not name a plan."))
    async with Client(Server(context), mode=mode) as client:
        assert await read(client, "hailuo://camera")
        for uri in ("hailuo://spending", f"hailuo://tasks/{ID}"):
            with pytest.raises(MCPError, match="HAILUO_PLAN"):
                await client.read_resource(uri)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        (
            "direct",
            {},
            "There is no prompt of that name. There are: direct_shot, image_to_video, storyboard.",
        ),
        ("direct_shot", {}, "direct_shot needs shot."),
        ("direct_shot", {"shot": ""}, "direct_shot needs shot."),
        (
            "storyboard",
            {"story": "a boat", "continuity": "foo"},
            "continuity is none or last_frame, not 'foo'.",
        ),
        (
            "image_to_video",
            {"image": "a.png", "zoom": "in"},
            "image_to_video has no 'zoom'. It takes: image, motion, camera, model, resolution.",
        ),
    ],
)
async def test_a_prompt_that_is_asked_for_wrongly_is_refused_in_plain_words(
    connect: Connect, caplog, name, arguments, told
) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
    assert (refused.value.error.code, refused.value.error.message) == (INVALID_PARAMS, told)
    assert not [record for record in caplog.records if record.exc_info]


async def test_prompts_lead_to_the_tools(connect: Connect) -> None:
    async with connect() as client:
        assert {p.name for p in (await client.list_prompts()).prompts} == {
            "direct_shot",
            "image_to_video",
            "storyboard",
        }
        wishes = {"shot": "a cat at sea", "camera": "Push in", "aspect_ratio": "9:16"}
        shot = await client.get_prompt("direct_shot", wishes)
        told = shot.messages[0].content.text
        assert "a cat at sea" in told
        assert "Camera: Push in" in told
        assert "Aspect ratio: 9:16" in told
        assert "upgrade_video" in told
        assert "generate_video" in told
        picture = await client.get_prompt("image_to_video", {"image": "~/cat.png"})
        assert "first_frame_image" in picture.messages[0].content.text
        film = await client.get_prompt("storyboard", {"story": "a boat goes to sea"})
        told = film.messages[0].content.text
        for step in (
            "dry run",
            "my yes",
            "film_id alone and dry_run=false",
            "preview_video",
            "redo",
        ):
            assert step in told


async def test_prompts_teach_every_move_and_what_six_seconds_hold(connect: Connect) -> None:
    asked = {
        "direct_shot": {"shot": "a cat"},
        "image_to_video": {"image": "a.png"},
        "storyboard": {"story": "a cat"},
    }
    async with connect() as client:
        for name, arguments in asked.items():
            told = (await client.get_prompt(name, arguments)).messages[0].content.text
            assert all(f"[{move.english}]" in told for move in moves()), name
            assert "6 seconds" in told
            assert "{" not in told
            assert ("only what moves" in told) == (name != "direct_shot")


@pytest.mark.parametrize(
    ("argument", "typed", "expected"),
    [
        ("model", "2.3", ["MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"]),
        ("resolution", "", ["480P", "512P", "720P", "768P", "1080P", "2K"]),
        ("camera", "推进", ["推进"]),
        ("template_id", "3927", ["392753057216684038"]),
        ("task_id", "v1", [ID]),
        ("task_id", "zzz", []),
        ("task_id", "f1", [FILM_ID]),
        ("film_id", "f", [FILM_ID]),
        ("film_id", "v1", []),
        ("continuity", "", ["none", "last_frame"]),
        ("transition", "fa", ["fade"]),
        ("status", "unf", ["unfinished"]),
        ("status", "plan", ["planned"]),
        ("mode", "", ["t2v", "i2v", "fl2v", "s2v", "r2v", "template", "upgrade"]),
        ("plan", "comp", ["compare"]),
        ("duration", "", [str(seconds) for seconds in range(4, 16)]),
        ("model", "h3", ["MiniMax-H3", "MiniMax-H3-Max"]),
        ("aspect_ratio", "", ["21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "adaptive"]),
        ("shot", "a", []),
    ],
)
async def test_fields_complete(
    connect: Connect, studio: FakeStudio, argument, typed, expected
) -> None:
    studio.film_view = a_planned_film()
    async with connect() as client:
        ref = (
            ResourceTemplateReference(uri="hailuo://tasks/{task_id}")
            if argument == "task_id"
            else PromptReference(name="direct_shot")
        )
        found = await client.complete(ref, {"name": argument, "value": typed})
    assert found.completion.values == expected


async def test_the_server_says_who_it_is_and_how_to_use_it(connect: Connect) -> None:
    from hailuo_mcp import __version__

    async with connect() as client:
        assert client.server_info.version == __version__
        assert client.instructions == instructions()
    assert len(instructions().split()) < 200


async def test_lists_may_be_kept_for_an_hour(connect: Connect, mode: str) -> None:
    async with connect() as client:
        listed = await client.list_tools()
    if mode == "auto":
        assert (listed.ttl_ms, listed.cache_scope) == (3_600_000, "private")


async def test_changes_are_published_to_listeners(studio: FakeStudio) -> None:
    bus = InMemorySubscriptionBus()
    heard: list[str] = []
    bell = anyio.Event()

    def listen(event) -> None:
        assert isinstance(event, ResourceUpdated)
        heard.append(str(event.uri))
        if len(heard) == 2:
            bell.set()

    bus.subscribe(listen)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as relay:
            relay.start_soon(publish_changes, studio, bus)
            while not studio.listeners:
                await anyio.lowlevel.checkpoint()
            studio.listeners[0](ID)
            await bell.wait()
            relay.cancel_scope.cancel()
    studio.listeners[0](ID)  # a job that ends after the last listener has gone hears nothing of it
    assert heard == [f"hailuo://tasks/{ID}", "hailuo://spending"]

"""show_cards: takes side by side, prices that a purchase has too, and nobody else's clips."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.film import FilmRequest
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.requests import IMAGE_FIELDS, Mode, TemplateRequest, VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.server.context import Caller
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.retaking import another_take
from hailuo_mcp.views import Terms

from .kept import Provider, a_task, kept, page_of, picture

pytestmark = pytest.mark.anyio
DOG = json.dumps({"prompt": "a dog", "model": "MiniMax-Hailuo-2.3", "duration": 6, "resolution": "768P"})  # fmt: skip
ALICE, BOB = (Caller(name=name, local=False) for name in ("alice", "bob"))


async def test_takes_of_one_request_have_one_word_and_the_next_number(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", created_at=1.0)
        await a_task(studio, "v2", created_at=2.0, request=DOG)
        await a_task(studio, "v3", created_at=3.0, take=2)
        one = await call("show_cards", task_ids=["v1"])
        both = await call("show_cards", task_ids=["v1"], takes=True)
        newest = await call("show_cards", limit=2)
    assert [card["id"] for card in one["cards"]] == ["v1"]
    assert [card["id"] for card in both["cards"]] == ["v3", "v1"]
    assert [card["id"] for card in newest["cards"]] == ["v3", "v2"]
    assert len({card["shot"] for card in both["cards"]}) == 1
    assert newest["cards"][0]["shot"] != newest["cards"][1]["shot"]
    price = {"amount": "2", "unit": "CNY"}
    assert {json.dumps(card["again"]) for card in (*one["cards"], *both["cards"])} == {
        json.dumps({"take": 3, "price": price})
    }
    assert newest["cards"][1]["again"] == {"take": 2, "price": price}
    assert one["may_buy"]
    assert one["spending"]["unit"] == "CNY"


ASKED = [
    VideoRequest(prompt="a cat"),
    VideoRequest(prompt="a cat", duration=10),
    VideoRequest(prompt="a cat", resolution="1080P", prompt_optimizer=False),
    VideoRequest(prompt="[Pan left] a cat", first_frame_image="{picture}"),
    VideoRequest(first_frame_image="{picture}", model="Hailuo-2.3-Fast"),
    VideoRequest(prompt="a cat", first_frame_image="{picture}", resolution="512P"),
    VideoRequest(first_frame_image="{picture}", last_frame_image="{other}"),
    VideoRequest(prompt="a cat", subject_image="{picture}"),
    VideoRequest(prompt="a cat", model="h3", duration=5, aspect_ratio="9:16"),
    VideoRequest(prompt="a cat", model="h3", reference_images=("{picture}", "{other}")),
    VideoRequest(prompt="a cat", model="an unlisted one"),
]


async def test_the_price_of_a_take_is_that_of_the_purchase(tmp_path: Path) -> None:
    files = {
        "{picture}": str(picture(tmp_path)),
        "{other}": str(picture(tmp_path, "other.png", 60)),
    }
    async with kept(tmp_path) as studio:
        for asked in ASKED:
            named: dict[str, Any] = {it: files.get(getattr(asked, it), "") for it in IMAGE_FIELDS}
            named["reference_images"] = tuple(files[it] for it in asked.reference_images)
            first = (await studio.generate(replace(asked, **named), Terms())).task
            again = await another_take(studio, first, 2)
            second = (await studio.retake(first.task_id, Terms(take=2))).task
            assert again.quote is not None, asked
            assert (again.quote.amount, again.quote.unit) == (second.amount, second.unit), asked
            assert second.task_id != first.task_id
        shown = (await studio.gallery(limit=100)).clips
    words = Counter(clip.shot for clip in shown)
    assert set(words.values()) == {2}, "a new take is another request"
    assert len(words) == len(ASKED)
    assert {clip.again.take for clip in shown} == {3}


async def test_a_template_has_takes_and_no_price_that_nobody_published(tmp_path: Path) -> None:
    async with kept(tmp_path, Provider()) as studio, page_of(studio) as call:
        asked = TemplateRequest(template_id="Diving", media_inputs=(str(picture(tmp_path)),))
        first = (await studio.generate(asked, Terms())).task
        [card] = (await call("show_cards"))["cards"]
        second = await call("retake_video", task_id=first.task_id, take=2)
        cards = (await call("show_cards"))["cards"]
    assert card["again"] == {"take": 2}
    assert card["title"] == "跳水 Diving"
    assert "model" not in card
    assert [card["id"] for card in cards] == [second["task_id"], first.task_id]
    assert len({card["shot"] for card in cards}) == 1


async def test_where_a_budget_needs_a_price_what_has_none_cannot_be_bought(tmp_path: Path) -> None:
    async with kept(tmp_path, budget="10") as studio, page_of(studio) as call:
        request = json.dumps({"prompt": "a cat", "model": "unlisted"})
        await a_task(studio, "v1", model="unlisted", request=request)
        [card] = (await call("show_cards"))["cards"]
    assert card["again"] == {"unavailable": "unpriced"}


async def test_an_upgrade_stands_beside_its_draft_and_is_offered_once(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"model": "MiniMax-H3", "duration": 4}
    body = {"prompt": "a cat", **facts, "resolution": "768P", "aspect_ratio": "16:9"}
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", **facts, request=json.dumps(body))
        [before] = (await call("show_cards"))["cards"]
        request = await studio.upgrade_request("v1", "2K")
        made = (await studio.upgrade("v1", "2K", Terms())).task
        cards = (await call("show_cards", task_ids=["v1"], takes=True))["cards"]
    assert before["upgrade"] == {"resolution": "2K", "price": {"amount": "1.2", "unit": "CNY"}}
    assert request.source_id == "v1"
    newest, draft = cards
    assert (newest["id"], newest["upgrade_of"], newest["shot"]) == (
        made.task_id,
        "v1",
        draft["shot"],
    )
    assert newest["again"] == {"unavailable": "upgrade"}
    assert "take" not in newest
    assert "upgrade" not in draft
    assert draft["again"]["take"] == 2


async def test_a_caller_sees_only_what_list_tasks_shows(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio:
        await a_task(studio, "v1", caller="alice")
        await a_task(studio, "v2", caller="bob", take=2)
        async with page_of(studio, ALICE) as call:
            hers = await call("show_cards", takes=True)
            asked = await call("show_cards", task_ids=["v1", "v2", "7v2", "nope"], takes=True)
        async with page_of(studio) as call:
            everybody = await call("show_cards")
    for shown in (hers, asked):
        assert [card["id"] for card in shown["cards"]] == ["v1"]
        assert shown["cards"][0]["again"]["take"] == 2, "another caller's take counts for nothing"
        assert "file" not in shown["cards"][0]
    assert asked["message"] == "1 clip; 3 of the ids are unknown."
    assert {card["id"] for card in everybody["cards"]} == {"v1", "v2"}


async def test_who_may_not_buy_is_told_so_and_cannot(tmp_path: Path) -> None:
    provider = Provider()
    looks = Caller(name="alice", local=False, may_buy=False)
    async with kept(tmp_path, provider) as studio, page_of(studio, looks) as call:
        await a_task(studio, "v1", caller="alice")
        shown = await call("show_cards")
        refused = await call("retake_video", task_id="v1", take=2)
    assert not shown["may_buy"]
    assert refused["error"]["code"] == "not_permitted"
    assert not provider.bought


async def test_without_a_key_there_is_all_to_see_and_nothing_to_buy(tmp_path: Path) -> None:
    async with kept(tmp_path, api_key="") as studio, page_of(studio) as call:
        await a_task(studio, "v1")
        shown = await call("show_cards")
    assert [card["id"] for card in shown["cards"]] == ["v1"]
    assert not shown["may_buy"]


async def test_a_link_for_those_elsewhere_and_a_path_for_those_here(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"clip")
    link = Link(url="http://127.0.0.1/files/x.mp4", expires_at=2e9)
    async with kept(tmp_path, remote=RemoteAccess(play=lambda _made: link)) as studio:
        await a_task(studio, "v1", caller="alice", file=str(clip), bytes=4, seconds=5.875)
        async with page_of(studio, ALICE) as call:
            [there] = (await call("show_cards"))["cards"]
        async with page_of(studio) as call:
            [here] = (await call("show_cards"))["cards"]
        clip.unlink()
        async with page_of(studio, ALICE) as call:
            [gone] = (await call("show_cards"))["cards"]
    assert there["url"] == link.url
    assert "file" not in there
    assert here["file"] == str(clip)
    assert here["frame"] == "task:v1#last"
    assert here["settled"]
    assert here["saved"]
    assert "fetch" not in here
    assert gone["fetch"]
    for key in ("saved", "url", "file", "poster", "frame"):
        assert key not in gone


STATES: list[tuple[dict[str, Any], str]] = [
    ({"status": Status.FAILED, "error_code": "1026", "error_kind": "content_rejected", "money": Money.RELEASED}, "The provider gave no reason (1026). Nothing was charged."),
    ({"status": Status.UNCONFIRMED, "amount": 2, "money": Money.RESERVED}, "no usable answer came"),
    ({"status": Status.CANCELLED, "money": Money.RELEASED}, "It was withdrawn before it was sent. Nothing was charged."),
    ({"status": Status.SUCCEEDED, "save_error": "The disk is full."}, "The clip is ready, but not saved. The disk is full."),
    ({"status": Status.QUEUED, "error": "Oops.", "error_kind": "authentication"}, "Once the key is corrected, it is saved"),
]  # fmt: skip


async def test_what_went_wrong_is_said_to_a_person_without_tools(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio, page_of(studio) as call:
        for number, (facts, _) in enumerate(STATES):
            await a_task(studio, f"v{number}", **facts)
        cards = {card["id"]: card for card in (await call("show_cards"))["cards"]}
    for number, (facts, words) in enumerate(STATES):
        card = cards[f"v{number}"]
        assert words in card["explanation"]
        for tool in ("query_task", "generate_video", "download_video", "list_tasks"):
            assert tool not in card["explanation"]
        assert card.get("error_code") == facts.get("error_code")
        assert card.get("error_kind") == facts.get("error_kind")


async def test_a_film_is_a_strip_of_its_shots(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio, page_of(studio) as call:
        asked = FilmRequest(shots=("one", "two", "three"))
        plan = await studio.plan_film(asked, Terms())
        planned = await call("show_cards", task_ids=[plan.film.film_id])
        made = await studio.make_film(FilmRequest(film_id=plan.film.film_id), Terms())
        shown = await call("show_cards", task_ids=[plan.film.film_id])
        newest = await call("show_cards", limit=1)
        refused = await call("retake_video", task_id=made.tasks[1].task_id, take=2)
        film = await call("retake_video", task_id=plan.film.film_id, take=2)
    [card] = planned["films"]
    assert (card["status"], card["shots"]) == ("planned", ["", "", ""])
    assert card["prompts"] == ["one", "two", "three"]
    assert planned["cards"] == []
    for answer in (shown, newest):
        [card] = answer["films"]
        assert card["shots"] == [task.task_id for task in made.tasks]
        places = {card["id"]: card["place"] for card in answer["cards"]}
        assert [places[known] for known in card["shots"]] == [1, 2, 3]
        assert {card["again"]["unavailable"] for card in answer["cards"]} == {"film_shot"}
    assert "Make shot 2 of film" in refused["message"]
    assert film["error"]["charged"] == "no"


async def test_a_film_is_under_way_as_soon_as_a_shot_is(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio, page_of(studio) as call:
        plan = await studio.plan_film(FilmRequest(shots=("one", "two")), Terms())
        made = await studio.make_film(FilmRequest(film_id=plan.film.film_id), Terms())
        seen = list[str]()
        for status in (Status.QUEUED, Status.SUCCEEDED):
            shot = made.tasks[0].task_id
            await studio.store.change(shot, {"status": status}, now=studio.clock())
            [card] = (await call("show_cards", task_ids=[plan.film.film_id]))["films"]
            seen.append(card["status"])
    assert seen[0] != "running"
    assert seen[1] == "running"


async def test_play_money_is_said_to_be_play_money(tmp_path: Path) -> None:
    for provider, play in (("minimax-cn", False), ("sandbox", True)):
        async with kept(tmp_path / provider, PROVIDER=provider) as studio, page_of(studio) as call:
            assert (await call("show_cards"))["sandbox"] is play


async def test_hostile_words_arrive_whole_and_hostile_ids_are_refused(tmp_path: Path) -> None:
    prompt = "<script>alert(1)</script> \u202egpj.exe " + "🎬" * 2000
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", prompt=prompt)
        shown = await call("show_cards", task_ids=["v1", "../../etc/passwd", "'; DROP TABLE"])
        many = await call("show_cards", task_ids=[f"v{number}" for number in range(101)])
        long = await call("show_cards", task_ids=["v" * 10_000])
        huge = await call("show_cards", limit=10**30)
    assert shown["cards"][0]["prompt"] == prompt
    assert "at most 100" in many["message"]
    assert "at most 200 characters" in long["message"]
    assert "limit: must be at most 100" in huge["message"]


async def test_what_was_bought_elsewhere_has_no_takes(tmp_path: Path) -> None:
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", request="{}", money=Money.UNKNOWN, model="", mode=Mode.T2V)
        await a_task(studio, "v2", provider="sandbox")
        later = json.dumps({**json.loads(DOG), "smell": "of fish"})
        await a_task(studio, "v3", request=later)
        cards = (await call("show_cards"))["cards"]
        refused = [await call("retake_video", task_id=it, take=2) for it in ("v1", "v2", "v3")]
    found = {card["id"]: card["again"]["unavailable"] for card in cards}
    assert found == {"v1": "bought_elsewhere", "v2": "other_provider", "v3": "bought_elsewhere"}
    assert all("There can be no other take" in it["message"] for it in refused)

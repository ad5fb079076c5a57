"""retake_video: the same request once more, once, for the agreed price; or nothing, free."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from media.numbered import make_clip

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.facts import REUSE_SECONDS
from hailuo_mcp.server.context import Caller
from hailuo_mcp.studio.pictures import KEPT_SECONDS
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms

from .kept import Provider, a_task, kept, page_of, picture, picture_bytes

pytestmark = pytest.mark.anyio
LINK = "https://pictures.example/first.png"


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def at_the_link(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What is found at LINK."""
    found = {LINK: picture_bytes()}

    async def fetch(_client: HailuoClient, url: str, _kind: Any = None) -> bytes:
        return found[url]

    monkeypatch.setattr(HailuoClient, "fetch", fetch)
    return found


async def _bought(studio: Studio, first: str) -> str:
    asked = VideoRequest(prompt="a cat", first_frame_image=first)
    return (await studio.generate(asked, Terms())).task.task_id


async def _forget(studio: Studio, task_id: str) -> None:
    """As a day after the clip was final."""
    task = await studio.store.find(task_id)
    assert task is not None
    held = json.loads(task.request)["first_frame_image"]
    await studio.storage.pictures.delete(held["sha256"])


async def test_a_double_click_is_one_purchase(tmp_path: Path, provider: Provider) -> None:
    given = picture(tmp_path)
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        first = await _bought(studio, str(given))
        given.unlink()
        once = await call("retake_video", task_id=first, take=2, max_cost=2)
        twice = await call("retake_video", task_id=first, take=2, max_cost=2)
        third = await call("retake_video", task_id=once["task_id"], take=3, max_cost=2)
    assert twice["task_id"] == once["task_id"]
    assert twice["reused"]
    assert third["task_id"] not in (first, once["task_id"])
    assert len(provider.bought) == 3
    assert len({json.dumps(body, sort_keys=True) for body in provider.bought}) == 1


async def test_a_take_that_was_made_hours_ago_is_not_bought_again(
    tmp_path: Path, provider: Provider
) -> None:
    """By a page that was hidden meanwhile, and offers the number still."""
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        hours_ago = studio.clock() - 3 * REUSE_SECONDS
        await a_task(studio, "v1", created_at=hours_ago)
        await a_task(studio, "v2", created_at=hours_ago, take=2)
        again = await call("retake_video", task_id="v1", take=2, max_cost=2)
        await a_task(studio, "v3", created_at=hours_ago, take=3, status=Status.FAILED)
        new = await call("retake_video", task_id="v1", take=3, max_cost=2)
    assert (again["task_id"], again["reused"]) == ("v2", True)
    assert new["task_id"] != "v3"
    assert len(provider.bought) == 1


async def test_the_agreed_price_is_a_wall(tmp_path: Path, provider: Provider) -> None:
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        await a_task(studio, "v1")
        refused = await call("retake_video", task_id="v1", take=2, max_cost=1.99)
    assert refused["error"] == {"code": "budget_exceeded", "charged": "no", "retry": False}
    assert not provider.bought


async def test_a_code_stands_for_the_yes_that_was_given(tmp_path: Path, provider: Provider) -> None:
    async with kept(tmp_path, provider, confirm_above="1") as studio, page_of(studio) as call:
        await a_task(studio, "v1")
        asked = await call("retake_video", task_id="v1", take=2, max_cost=2)
        code = asked["message"].partition("confirm='")[2].partition("'")[0]
        done = await call("retake_video", task_id="v1", take=2, max_cost=2, confirm=code)
    assert asked["error"]["code"] == "consent_required"
    assert done["status"] in ("pending", "submitting", "queued")
    assert len(provider.bought) == 1


async def test_a_picture_is_sent_from_its_link_once_its_bytes_are_gone(
    tmp_path: Path, provider: Provider, at_the_link: dict[str, bytes]
) -> None:
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        first = await _bought(studio, LINK)
        await _forget(studio, first)
        same = await call("retake_video", task_id=first, take=2)
        await _forget(studio, first)
        at_the_link[LINK] = picture_bytes(shade=30)
        other = await call("retake_video", task_id=first, take=3)
    assert same["task_id"] != first
    assert "is not the same any more" in other["message"]
    assert other["error"]["charged"] == "no"
    assert len(provider.bought) == 2


async def test_a_frame_is_taken_again_from_its_clip(tmp_path: Path, provider: Provider) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(640, 400))
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        await a_task(studio, "v0", file=str(clip))
        first = await _bought(studio, "task:v0#last")
        await _forget(studio, first)
        second = await call("retake_video", task_id=first, take=2)
        await _forget(studio, first)
        clip.unlink()
        gone = await call("retake_video", task_id=first, take=3)
    assert second["task_id"] != first
    assert gone["error"]["charged"] == "no"
    pictures = {body["first_frame_image"] for body in provider.bought}
    assert len(pictures) == 1
    assert len(provider.bought) == 2


async def test_a_picture_that_is_gone_is_said_before_the_click_and_after(
    tmp_path: Path, provider: Provider
) -> None:
    now = time.time()
    async with kept(tmp_path, provider, clock=lambda: now) as studio, page_of(studio) as call:
        first = await _bought(studio, str(picture(tmp_path)))
        await studio.store.change(first, {"status": Status.FAILED}, now=now)
        [before] = (await call("show_cards"))["cards"]
        now += KEPT_SECONDS
        await _forget(studio, first)
        [after] = (await call("show_cards"))["cards"]
        refused = await call("retake_video", task_id=first, take=2)
    assert before["again"]["take"] == 2
    assert after["again"] == {"unavailable": "picture_gone"}
    assert "a file that it was made from is not kept any more" in refused["message"]
    assert refused["error"]["charged"] == "no"
    assert len(provider.bought) == 1


async def test_a_caller_elsewhere_needs_no_picture_and_the_person_here_sees_both(
    tmp_path: Path, provider: Provider
) -> None:
    alice = Caller(name="alice", local=False)
    data = f"data:image/png;base64,{b64encode(picture_bytes()).decode()}"
    async with kept(tmp_path, provider) as studio:
        asked = VideoRequest(prompt="a cat", first_frame_image=data)
        first = (await studio.generate(asked, Terms(), caller="alice", local=False)).task
        async with page_of(studio, alice) as call:
            second = await call("retake_video", task_id=first.task_id, take=2)
        async with page_of(studio) as call:
            await call("retake_video", task_id=first.task_id, take=3)
            cards = (await call("show_cards", task_ids=[first.task_id], takes=True))["cards"]
        async with page_of(studio, alice) as call:
            hers = (await call("show_cards"))["cards"]
    assert [card["take"] for card in cards] == [3, 2, 1]
    assert [card["id"] for card in hers] == [second["task_id"], first.task_id]


async def test_nobody_buys_by_another_callers_clip(tmp_path: Path, provider: Provider) -> None:
    bob = Caller(name="bob", local=False)
    async with kept(tmp_path, provider) as studio, page_of(studio, bob) as call:
        await a_task(studio, "v1", caller="alice")
        theirs = await call("retake_video", task_id="v1", take=2)
        nobodys = await call("retake_video", task_id="v2", take=2)
    assert theirs["message"].replace("v1", "v2") == nobodys["message"]
    assert theirs["error"]["code"] == "task_not_found"
    assert not provider.bought


async def test_what_makes_no_sense_buys_nothing(tmp_path: Path, provider: Provider) -> None:
    wrong: list[dict[str, Any]] = [
        *({"take": it} for it in (1, 10**9, -2, "two", 2.5)),
        {"take": 2, "max_cost": -1},
        {"take": 2, "price": 2},
        {},
    ]
    async with kept(tmp_path, provider) as studio, page_of(studio) as call:
        await a_task(studio, "v1")
        answers = [await call("retake_video", task_id="v1", **it) for it in wrong]
    assert {answer["error"]["code"] for answer in answers} == {"invalid_request"}
    assert not provider.bought

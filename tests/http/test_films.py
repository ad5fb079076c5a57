"""A film over HTTP: a link in place of a path, for its own caller, and news of it."""

from __future__ import annotations

import hashlib

import pytest

pytestmark = pytest.mark.anyio

WANTED = {"shots": ["A boat", "A harbour"], "dry_run": False}


async def test_a_film_is_made_followed_and_fetched_from_elsewhere(server) -> None:
    async with server.client() as client, server.client(caller="bob") as other:

        async def call(tool: str, one=client, **given):
            return await one.call_tool(tool, given)

        made = (await call("generate_storyboard", **WANTED)).structured_content
        film_id = made["film_id"]
        asked = {"task_id": film_id, "wait_seconds": 40}
        async with client.listen(resource_subscriptions=[f"hailuo://tasks/{film_id}"]) as news:
            film = (await call("query_task", **asked)).structured_content
            told = await anext(news)
        saved = (await call("download_video", **asked)).structured_content
        listed = (await call("list_tasks")).structured_content["tasks"]
        foreign = [
            await call(tool, other, task_id=film_id)
            for tool in ("query_task", "download_video", "cancel_task")
        ]
        others = (await call("list_tasks", other)).structured_content["tasks"]
    assert (film["status"], saved["status"], saved["film_id"]) == ("succeeded", "saved", film_id)
    assert str(told.uri) == f"hailuo://tasks/{film_id}"
    for answer in (film, saved):
        assert answer["url"].startswith(f"{server.url}/files/")
        assert str(server.settings.output_dir) not in str(answer)
    assert [(row["task_id"], row.get("shot")) for row in listed] == [
        (film_id, None),
        *((row["task_id"], row["shot"]) for row in film["shots"]),
    ]
    assert all(result.is_error for result in foreign)
    assert all("There is no task" in result.content[0].text for result in foreign)
    assert others == []
    with server.http(caller="") as http:
        reply = http.get(saved["url"])
        assert http.get(saved["url"].replace(".mp4", "x.mp4")).status_code == 404
    assert hashlib.sha256(reply.content).hexdigest() == saved["sha256"]

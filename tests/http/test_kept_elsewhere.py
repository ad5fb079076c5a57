"""Clips and pictures of callers elsewhere, where they are kept in a shared folder or a bucket."""

from __future__ import annotations

import hashlib
from pathlib import Path

import anyio
import pytest

from hailuo_mcp.server.http.limits import Limits

from .uploading import handed_in, is_there, link_of, picture

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["folder", "bucket"])
def files(request, tmp_path):
    if request.param == "bucket":
        return request.getfixturevalue("s3").url
    return str(tmp_path / "shared")


async def _made(server, prompt="A boat"):
    async with server.client() as client:
        bought = (await client.call_tool("generate_video", {"prompt": prompt})).structured_content
        ids = {"task_id": bought["task_id"], "wait_seconds": 20}
        saved = (await client.call_tool("download_video", ids)).structured_content
    assert saved["status"] == "saved", saved
    return saved


async def test_the_link_gives_the_clip_whole_and_in_ranges(serve, files):
    server = serve(HAILUO_FILES=files)
    saved = await _made(server)
    url, size = saved["url"], saved["bytes"]
    assert files not in str(saved)
    with server.http(caller="") as http:
        whole, head = http.get(url), http.head(url)
        assert (whole.status_code, head.status_code) == (200, 200)
        assert hashlib.sha256(whole.content).hexdigest() == saved["sha256"]
        assert (head.content, int(head.headers["content-length"])) == (b"", size)
        for name in ("content-type", "accept-ranges", "etag", "last-modified"):
            assert head.headers[name] == whole.headers[name], name
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["content-disposition"].startswith("inline; filename")
        for text, start, end in [
            ("bytes=0-99", 0, 100),
            ("bytes=4-4", 4, 5),
            (f"bytes={size - 5}-", size - 5, size),
            ("bytes=-5", size - 5, size),
            (f"bytes=-{size * 2}", 0, size),
            (f"bytes=10-{size * 9}", 10, size),
        ]:
            reply = http.get(url, headers={"Range": text})
            assert (reply.status_code, reply.content) == (206, whole.content[start:end]), text
            assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert int(reply.headers["content-length"]) == end - start
        for text in (f"bytes={size}-", "bytes=-0"):
            reply = http.get(url, headers={"Range": text})
            assert reply.status_code == 416, text
            assert reply.headers["content-range"] == f"bytes */{size}"
        for text in ("bytes=0-0,5-6", "lines=1-2", "bytes=5-2", "bytes=a-b"):
            reply = http.get(url, headers={"Range": text})
            assert (reply.status_code, len(reply.content)) == (200, size), text
        part = http.head(url, headers={"Range": "bytes=0-99"})
        assert (part.status_code, part.headers["content-length"]) == (206, "100")


async def test_a_range_is_given_only_of_the_clip_that_was_begun(serve, files):
    server = serve(HAILUO_FILES=files)
    saved = await _made(server)
    with server.http(caller="") as http:
        known = http.head(saved["url"]).headers

        def status(if_range):
            asked = {"Range": "bytes=0-9", "If-Range": if_range}
            return http.get(saved["url"], headers=asked).status_code

        assert status(known["etag"]) == status(known["last-modified"]) == 206
        assert status('"another"') == status(f"W/{known['etag']}") == 200


async def test_a_clip_that_is_gone_is_not_found_and_fetched_again(serve, s3):
    server = serve(HAILUO_FILES=s3.url)
    saved = await _made(server)
    (key,) = s3.clips()
    s3.delete(key)
    with server.http(caller="") as http:
        gone, made_up = http.get(saved["url"]), http.get("/files/x.mp4")
        assert gone.status_code == 404
        assert gone.content == made_up.content
        async with server.client() as client:
            ids = {"task_id": saved["task_id"], "wait_seconds": 20}
            again = (await client.call_tool("download_video", ids)).structured_content
        assert http.get(again["url"]).status_code == 200


async def test_while_the_bucket_is_away_links_and_uploads_ask_to_come_again(serve, s3):
    server = serve(HAILUO_FILES=s3.url)
    saved, link = await _made(server), await link_of(server)
    with server.http(caller="") as http:
        s3.way.away = True
        replies = [http.get(saved["url"]), http.head(saved["url"])]
        replies.append(http.post(link, content=picture()))
        assert [(r.status_code, "retry-after" in r.headers) for r in replies] == [(503, True)] * 3
        assert not any("s3://" in reply.text for reply in replies)
        s3.way.away = False
        assert http.get(saved["url"]).status_code == 200
        assert http.post(link, content=picture()).status_code == 201


async def test_a_picture_sent_here_is_there_for_the_next_replica(serve, files, tmp_path):
    server = serve(HAILUO_FILES=files)
    upload = await handed_in(server)

    assert await is_there(server, upload)
    assert not await is_there(server, upload, "bob")
    assert not (server.state / "uploads").exists()
    async with server.client() as client:
        asked = {"prompt": "A boat", "first_frame_image": upload}
        made = await client.call_tool("generate_video", asked)
    assert made.structured_content["mode"] == "i2v"


async def test_the_room_for_pictures_is_shared_out_there_too(serve, files):
    server = serve(HAILUO_FILES=files, limits=Limits(pictures=2))
    alices = await handed_in(server)
    bobs = [await handed_in(server, caller="bob") for _ in range(3)]
    assert await is_there(server, alices)
    there = [await is_there(server, one, "bob") for one in bobs]
    assert (sum(there), there[-1]) == (2, True)
    if not files.startswith("s3://"):  # a bucket tells times in whole seconds
        assert there == [False, True, True]


async def test_when_all_room_there_is_taken_a_picture_is_refused(serve, files):
    server = serve(HAILUO_FILES=files, limits=Limits(all_picture_bytes=len(picture()) + 1))
    upload = await handed_in(server)
    with server.http(caller="") as http:
        refused = http.post(await link_of(server, caller="bob"), content=picture())
    assert refused.status_code == 507
    assert await is_there(server, upload)


async def test_a_link_to_a_clip_saved_to_disk_before_still_works(serve, s3, tmp_path):
    server = serve(HAILUO_FILES=s3.url)
    saved = await _made(server)
    (key,) = s3.clips()
    data = s3.read(key)
    path = Path(tmp_path, "before.mp4")
    await anyio.Path(path).write_bytes(data)
    await _move(server, saved["task_id"], str(path))
    with server.http(caller="") as http:
        assert http.get(saved["url"]).content == data


async def _move(server, task_id, file):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(server.state / "journal.sqlite3")) as db, db:
        db.execute("UPDATE tasks SET file = ? WHERE task_id = ?", (file, task_id))

"""Clips for callers elsewhere: signed links, ranges, and no way around them."""

from __future__ import annotations

import hashlib
import socket
import time

import pytest

from hailuo_mcp.server.http.signed_links import SignedLinks

pytestmark = pytest.mark.anyio


async def _made(server, way="auto", prompt="A boat"):
    """A finished clip's answers: query_task's and download_video's."""
    async with server.client(way) as client:
        bought = (await client.call_tool("generate_video", {"prompt": prompt})).structured_content
        ids = {"task_id": bought["task_id"], "wait_seconds": 20}
        task = (await client.call_tool("query_task", ids)).structured_content
        saved = (await client.call_tool("download_video", ids)).structured_content
    assert task["status"] == "succeeded", task
    return task, saved


@pytest.mark.parametrize("way", ["auto", "legacy", "sse"])
async def test_a_clip_is_answered_with_this_servers_link_and_no_path_of_its_disk(server, way):
    task, saved = await _made(server, way)

    assert task["url"].startswith(f"{server.url}/files/")
    assert saved["url"].startswith(f"{server.url}/files/")
    assert "url_expires_at" in task
    assert not {"file"} & {*task, *saved}
    assert str(server.settings.output_dir) not in f"{task} {saved}"
    assert "give the person the link in url" in task["message"]


async def test_the_link_gives_the_whole_clip_without_a_token(server):
    task, saved = await _made(server)
    with server.http(caller="") as http:
        reply = http.get(task["url"])
        head = http.head(task["url"])

    assert reply.status_code == head.status_code == 200
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.headers["accept-ranges"] == "bytes"
    assert int(head.headers["content-length"]) == saved["bytes"]
    assert head.content == b""
    assert hashlib.sha256(reply.content).hexdigest() == saved["sha256"]


@pytest.mark.parametrize("origin", ["null", "https://sandbox.host.example"])
async def test_a_page_of_a_host_may_play_the_link_but_not_read_it(server, origin):
    task, _ = await _made(server)
    page = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Range": "bytes=0-"}
    with server.http(caller="") as http:
        reply = http.get(task["url"], headers=page)
        sent = http.post(task["url"], headers=page)

    assert reply.status_code == 206
    assert not [name for name in reply.headers if name.startswith("access-control-")]
    assert sent.status_code == 403


async def test_ranges_are_answered_exactly(server):
    task, saved = await _made(server)
    size = saved["bytes"]
    with server.http(caller="") as http:

        def get(text):
            return http.get(task["url"], headers={"Range": text})

        whole = http.get(task["url"]).content
        for text, start, end in [
            ("bytes=0-99", 0, 100),
            ("bytes=4-7", 4, 8),
            (f"bytes={size - 5}-", size - 5, size),
            ("bytes=-5", size - 5, size),
            (f"bytes=10-{size * 9}", 10, size),
        ]:
            reply = get(text)
            assert (reply.status_code, reply.content) == (206, whole[start:end]), text
            assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert get(f"bytes={size}-").status_code == 416
        assert get(f"bytes={size + 100}-{size + 200}").status_code == 416


async def test_several_ranges_and_nonsense_are_answered_with_the_whole(server):
    task, saved = await _made(server)
    many = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(0, 3000, 3))
    with server.http(caller="") as http:
        nonsense = ("lines=1-2", "bytes=", "bytes=a-b", "bytes=--1", "bytes=5-2", "bytes=100-99")
        for text in (many, "bytes=0-0,5-6", *nonsense):
            reply = http.get(task["url"], headers={"Range": text})
            assert (reply.status_code, len(reply.content)) == (200, saved["bytes"]), text


async def test_altered_expired_and_guessed_links_all_get_the_same_answer(server):
    task, _ = await _made(server)
    url = task["url"]
    name, until, signature = url.rpartition("/")[2].removesuffix(".mp4").split(".")
    other, _ = await _made(server, prompt="Another boat")
    other_name = other["url"].rpartition("/")[2].split(".")[0]
    links = server.served.links
    expired = SignedLinks(links._key, clock=lambda: 1_000_000.0).sign("file", name, 3600)[0]
    unknown = links.sign("file", "v0000000000000000", 3600)[0]
    as_upload = links.sign("upload", name, 3600)[0]
    strange_key = SignedLinks(b"x" * 32).sign("file", name, 3600)[0]
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    bad = [
        f"{name}.{until}.{flipped}.mp4",
        f"{name}.{int(until) + 1}.{signature}.mp4",
        f"{other_name}.{until}.{signature}.mp4",
        f"{name}.{until}.{signature}",
        f"{name}.{until}.{signature}.mp4.mp4",
        f"{name}.{until}..mp4",
        f"{name}.mp4",
        f"{expired}.mp4",
        f"{unknown}.mp4",
        f"{as_upload}.mp4",
        f"{strange_key}.mp4",
        "x",
        "%00",
        "..",
    ]
    with server.http(caller="") as http:
        assert http.get(url).status_code == 200
        replies = [http.get(f"/files/{text}") for text in bad[:-1]]

    assert {(reply.status_code, reply.content) for reply in replies} == {(404, replies[0].content)}


async def test_no_path_leads_out_of_the_link(server):
    task, _ = await _made(server)
    signed = task["url"].rpartition("/")[2]
    for path in (
        "/files/",
        "/files/..%2f..%2fetc%2fpasswd",
        "/files/../../etc/passwd",
        f"/files/{signed}/../../state/journal.sqlite3",
        f"/files/{signed}%2f..%2fjournal.sqlite3",
        f"/files/{signed}/",
        "/files/%2e%2e/links.key",
        "/files//etc/passwd",
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
            raw.sendall(request.encode())
            assert raw.recv(4096).split()[1] in (b"404", b"401"), path


async def test_what_takes_the_clips_place_is_not_given_out(server, tmp_path):
    task, _ = await _made(server)
    (clip,) = server.settings.output_dir.glob("*.mp4")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    clip.unlink()
    with server.http(caller="") as http:
        assert http.get(task["url"]).status_code == 404
        clip.symlink_to(secret)
        assert http.get(task["url"]).status_code == 404
        clip.unlink()
        clip.mkdir()
        assert http.get(task["url"]).status_code == 404


async def test_links_outlive_a_restart_and_their_key_is_the_owners_alone(server):
    await _made(server)
    key = server.state / "links.key"

    assert key.stat().st_mode & 0o077 == 0
    again = SignedLinks()
    again.open(key.read_bytes(), time.time)
    signed, _ = server.served.links.sign("file", "v0000000000000000", 60)
    assert again.read("file", signed) == "v0000000000000000"


async def test_a_caller_elsewhere_cannot_choose_a_place_on_the_servers_disk(server):
    task, _ = await _made(server)
    async with server.client() as client:
        refused = await client.call_tool(
            "download_video", {"task_id": task["task_id"], "output_path": "/tmp/x.mp4"}
        )

    assert refused.is_error
    assert "output_path" in refused.content[0].text

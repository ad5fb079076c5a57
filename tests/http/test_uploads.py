"""Pictures from elsewhere: one link, one picture, and nothing that is not a picture."""

from __future__ import annotations

import contextlib
import os
import re
import socket

import anyio
import httpx
import pytest
from until import until

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.server.http.limits import Limits
from hailuo_mcp.server.http.signed_links import SignedLinks

from .conftest import NO_TLS
from .uploading import ask_with, handed_in, is_there, link_of, picture

pytestmark = pytest.mark.anyio


@pytest.fixture
def cat(tmp_path):
    """A picture on the caller's computer, which the server must not read, although it could."""
    path = tmp_path / "cat.png"
    path.write_bytes(picture())
    return path


@pytest.mark.parametrize("way", ["auto", "legacy", "sse"])
async def test_a_refused_local_path_names_a_link_that_makes_it_a_picture(server, cat, way):
    link = await link_of(server, cat, way)
    with server.http(caller="") as http:
        handed = http.post(link, content=picture("JPEG"))
    assert handed.status_code == 201
    async with server.client(way) as client:
        made = await client.call_tool(
            "generate_video", {"prompt": "A boat", "first_frame_image": handed.json()["upload"]}
        )

    assert not made.is_error, made.content
    assert made.structured_content["mode"] == "i2v"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "~/x.png", "file:///etc/passwd", "../x.png", "x.png"]
)
async def test_no_spelling_of_a_local_path_is_read_for_a_caller_elsewhere(server, path):
    refused = await ask_with(server, path)

    assert refused.is_error
    assert "reads no files for callers" in refused.content[0].text
    assert "Nothing was sent or charged" in refused.content[0].text


async def test_a_link_takes_one_picture(server, cat):
    link = await link_of(server, cat)
    with server.http(caller="") as http:
        assert http.get(link).status_code == 200
        assert http.post(link, content=picture()).status_code == 201
        assert http.post(link, content=picture()).status_code == 410
        assert http.get(link).status_code == 410
    assert len(_kept(server)) == 1


def _kept(server):
    return [path for path in (server.state / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize("way", ["auto", "legacy", "sse"])
async def test_what_one_caller_handed_in_is_no_more_to_another_than_an_unknown_id(server, cat, way):
    alices = await handed_in(server, cat)
    said = []
    for upload in (alices, f"upload:{'a' * 24}"):
        refused = await ask_with(server, upload, way, "bob")
        text = re.sub(r"http://\S+/uploads/\S+", "LINK", refused.content[0].text)
        said.append(text.replace(upload, "UPLOAD"))

    assert "no uploaded picture 'UPLOAD'" in said[0]
    assert said[0] == said[1]
    assert await is_there(server, alices)


@pytest.mark.parametrize("room", [Limits(pictures=2), Limits(picture_bytes=2 * len(picture()) + 1)])
async def test_who_hands_in_too_many_pushes_out_only_their_own_oldest(serve, cat, room):
    server = serve(limits=room)
    alices = await handed_in(server, cat)
    bobs = [await handed_in(server, cat, "bob") for _ in range(4)]

    assert await is_there(server, alices)
    assert [await is_there(server, one, "bob") for one in bobs] == [False, False, True, True]


async def test_when_all_room_is_taken_the_new_picture_is_refused_and_nobodys_goes(serve, cat):
    server = serve(limits=Limits(all_picture_bytes=2 * len(picture()) + 1))
    alices = await handed_in(server, cat)
    bobs = await handed_in(server, cat, "bob")
    link = await link_of(server, cat, caller="bob")
    with server.http(caller="") as http:
        refused = http.post(link, content=picture())
        assert refused.status_code == 507
        assert "no room" in refused.json()["error"]
        assert "Nothing was charged" in refused.json()["error"]
        assert await is_there(server, alices)
        assert await is_there(server, bobs, "bob")
        for path in _kept(server):
            os.utime(path, (0, 0))  # a day later
        assert http.post(link, content=picture()).status_code == 201  # the link was not used up
    assert len(_kept(server)) == 1


async def test_one_callers_slow_pictures_leave_places_for_the_others(server, cat):
    uploads = server.served.uploads
    with contextlib.ExitStack() as slow, server.http(caller="") as http:
        for count in range(1, 9):
            link = await link_of(server, cat)
            raw = slow.enter_context(socket.create_connection(("127.0.0.1", server.port), 5))
            head = f"POST {link.removeprefix(server.url)} HTTP/1.1\r\nHost: localhost\r\n"
            raw.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
            await until(lambda count=count: len(uploads._arriving) == count)
        ninth = http.post(await link_of(server, cat), content=picture())
        bobs = http.post(await link_of(server, cat, caller="bob"), content=picture())

    assert (ninth.status_code, "retry-after" in ninth.headers) == (503, True)
    assert bobs.status_code == 201


@pytest.mark.skipif(os.name == "nt", reason="permissions as POSIX has them")
async def test_only_the_servers_user_may_read_what_was_handed_in(server, cat):
    before = os.umask(0)
    try:
        await handed_in(server, cat)
    finally:
        os.umask(before)
    folder = server.state / "uploads"
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()]}

    assert (modes, folders) == ({0o600}, {0o700})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + b"not really",
        b"\xff\xd8\xff\xe0 cut short",
        b"#!/bin/sh\nrm -rf /",
        b"\0\0\0\x18ftypmp42" + b"\0" * 100,
    ],
)
async def test_what_is_no_picture_is_not_kept(server, cat, body):
    link = await link_of(server, cat)
    with server.http(caller="") as http:
        reply = http.post(link, content=body, headers={"Content-Type": "image/png"})
        assert reply.status_code == 415
        assert http.post(link, content=picture()).status_code == 201  # it was not used up


async def test_a_picture_that_is_too_large_is_not_read(server, cat):
    link = await link_of(server, cat)

    limit = limits(Api.V2).image_bytes  # of the API that takes the largest

    def chunks():
        for _ in range(limit // 2**20 + 2):
            yield b"\xff" * 2**20

    said = f"POST {link.removeprefix(server.url)} HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
        raw.sendall(f"{said}Content-Length: {limit}\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    with server.http(caller="") as http:
        assert http.post(link, content=chunks()).status_code == 413


async def test_altered_expired_and_guessed_links_take_nothing(server):
    links = server.served.links
    nonce = "0" * 32
    good, _ = links.sign("upload", nonce, 60)
    head, _, signature = good.rpartition(".")
    expired, _ = SignedLinks(links._key, clock=lambda: 1_000_000.0).sign("upload", nonce, 60)
    as_file, _ = links.sign("file", nonce, 60)
    bad = [f"{head}.{'A' * 43}", f"{head}.{signature[:-1]}", expired, as_file, "x"]
    with server.http(caller="") as http:
        for text in bad:
            for reply in (
                http.post(f"/uploads/{text}", content=picture()),
                http.get(f"/uploads/{text}"),
            ):
                assert reply.status_code == 404, text
    assert not (server.state / "uploads").exists()


@pytest.mark.parametrize("name", ["../cat.png", "..%2fcat.png", "/etc/passwd", "a" * 24, ""])
async def test_an_upload_id_is_no_path(server, name):
    (server.state / "cat.png").write_bytes(picture())
    (server.state / "uploads").mkdir()
    refused = await ask_with(server, f"upload:{name}")

    assert refused.is_error
    assert "no uploaded picture" in refused.content[0].text


async def test_of_two_pictures_at_the_same_moment_one_is_taken(server, cat):
    link = await link_of(server, cat)
    answers = []

    async with httpx.AsyncClient(verify=NO_TLS) as http:

        async def hand_in():
            answers.append((await http.post(link, content=picture())).status_code)

        async with anyio.create_task_group() as both:
            for _ in range(4):
                both.start_soon(hand_in)

    first, *others = sorted(answers)
    assert first == 201
    assert set(others) <= {409, 410}


async def test_one_link_holds_up_no_other(server, cat):
    slow, other = await link_of(server, cat), await link_of(server, cat)
    uploads = server.served.uploads
    head = f"POST {slow.removeprefix(server.url)} HTTP/1.1\r\nHost: localhost\r\n"
    with server.http(caller="") as http:
        with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
            raw.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
            await until(lambda: uploads._arriving)
            assert [http.post(slow, content=picture()).status_code for _ in range(20)] == [409] * 20
            assert http.post(other, content=picture()).status_code == 201
        await until(lambda: not uploads._arriving)
        assert http.post(slow, content=picture()).status_code == 201  # it was not used up


async def test_a_look_at_the_headers_is_no_upload(server, cat):
    link = await link_of(server, cat)
    with server.http(caller="") as http:
        head, page = http.head(link), http.get(link)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == page.headers["content-length"]


async def test_a_file_that_goes_while_the_folder_is_swept_is_no_trouble(server, cat):
    folder = server.state / "uploads"
    folder.mkdir()
    # Listed, but gone when looked at: what another upload's part is in the same moment.
    (folder / ".part").symlink_to(folder / "gone")
    link = await link_of(server, cat)
    with server.http(caller="") as http:
        assert http.post(link, content=picture()).status_code == 201


async def test_the_page_behind_the_link_runs_nothing_but_its_own(server, cat):
    link = await link_of(server, cat)
    with server.http(caller="") as http:
        page = http.get(link)

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"

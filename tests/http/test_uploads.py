"""Pictures from elsewhere: one link, one picture, and nothing that is not a picture."""

from __future__ import annotations

import io
import re
import socket

import anyio
import httpx
import pytest
from until import until

from hailuo_mcp import catalog
from hailuo_mcp.server.http.links import Links

pytestmark = pytest.mark.anyio


def _picture(form="PNG"):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (640, 480), (10, 90, 160)).save(data, form)
    return data.getvalue()


async def _refused(server, path, way="auto"):
    async with server.client(way) as client:
        return await client.call_tool(
            "generate_video", {"prompt": "A boat", "first_frame_image": str(path)}
        )


async def _link(server, tmp_path, way="auto"):
    picture = tmp_path / "cat.png"
    picture.write_bytes(_picture())
    refused = await _refused(server, picture, way)
    assert refused.is_error
    return re.search(r"http://\S+/uploads/\S+", refused.content[0].text)[0]


@pytest.mark.parametrize("way", ["auto", "legacy", "sse"])
async def test_a_refused_local_path_names_a_link_that_makes_it_a_picture(server, tmp_path, way):
    link = await _link(server, tmp_path, way)
    with server.http(caller="") as http:
        handed = http.post(link, content=_picture("JPEG"))
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
    refused = await _refused(server, path)

    assert refused.is_error
    assert "reads no files for callers" in refused.content[0].text
    assert "Nothing was sent or charged" in refused.content[0].text


async def test_a_link_takes_one_picture(server, tmp_path):
    link = await _link(server, tmp_path)
    with server.http(caller="") as http:
        assert http.get(link).status_code == 200
        assert http.post(link, content=_picture()).status_code == 201
        assert http.post(link, content=_picture()).status_code == 410
        assert http.get(link).status_code == 410
    assert len(list((server.state / "uploads").iterdir())) == 1


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
async def test_what_is_no_picture_is_not_kept(server, tmp_path, body):
    link = await _link(server, tmp_path)
    with server.http(caller="") as http:
        reply = http.post(link, content=body, headers={"Content-Type": "image/png"})
        assert reply.status_code == 415
        assert http.post(link, content=_picture()).status_code == 201  # it was not used up


async def test_a_picture_that_is_too_large_is_not_read(server, tmp_path):
    link = await _link(server, tmp_path)

    limit = catalog.limits().image_bytes

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
    links = server.parts.outside.links
    nonce = "0" * 32
    good, _ = links.sign("upload", nonce, 60)
    head, _, signature = good.rpartition(".")
    expired, _ = Links(links._key, clock=lambda: 1_000_000.0).sign("upload", nonce, 60)
    as_file, _ = links.sign("file", nonce, 60)
    bad = [f"{head}.{'A' * 43}", f"{head}.{signature[:-1]}", expired, as_file, "x"]
    with server.http(caller="") as http:
        for text in bad:
            for reply in (
                http.post(f"/uploads/{text}", content=_picture()),
                http.get(f"/uploads/{text}"),
            ):
                assert reply.status_code == 404, text
    assert not (server.state / "uploads").exists()


@pytest.mark.parametrize("name", ["../cat.png", "..%2fcat.png", "/etc/passwd", "a" * 24, ""])
async def test_an_upload_id_is_no_path(server, name):
    (server.state / "cat.png").write_bytes(_picture())
    (server.state / "uploads").mkdir()
    refused = await _refused(server, f"upload:{name}")

    assert refused.is_error
    assert "There is no uploaded picture" in refused.content[0].text


async def test_of_two_pictures_at_the_same_moment_one_is_taken(server, tmp_path):
    link = await _link(server, tmp_path)
    answers = []

    async with httpx.AsyncClient() as http:

        async def hand_in():
            answers.append((await http.post(link, content=_picture())).status_code)

        async with anyio.create_task_group() as both:
            for _ in range(4):
                both.start_soon(hand_in)

    first, *others = sorted(answers)
    assert first == 201
    assert set(others) <= {409, 410}


async def test_one_link_holds_up_no_other(server, tmp_path):
    slow, other = await _link(server, tmp_path), await _link(server, tmp_path)
    uploads = server.parts.outside.uploads
    head = f"POST {slow.removeprefix(server.url)} HTTP/1.1\r\nHost: localhost\r\n"
    with server.http(caller="") as http:
        with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
            raw.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
            await until(lambda: uploads._under_way)
            assert [http.post(slow, content=_picture()).status_code for _ in range(20)] == [
                409
            ] * 20
            assert http.post(other, content=_picture()).status_code == 201
        await until(lambda: not uploads._under_way)
        assert http.post(slow, content=_picture()).status_code == 201  # it was not used up


async def test_a_look_at_the_headers_is_no_upload(server, tmp_path):
    link = await _link(server, tmp_path)
    with server.http(caller="") as http:
        head, page = http.head(link), http.get(link)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == page.headers["content-length"]


async def test_a_file_that_goes_while_the_folder_is_swept_is_no_trouble(server, tmp_path):
    folder = server.state / "uploads"
    folder.mkdir()
    # Listed, but gone when looked at: what another upload's part is in the same moment.
    (folder / ".part").symlink_to(folder / "gone")
    link = await _link(server, tmp_path)
    with server.http(caller="") as http:
        assert http.post(link, content=_picture()).status_code == 201


async def test_the_page_behind_the_link_runs_nothing_but_its_own(server, tmp_path):
    link = await _link(server, tmp_path)
    with server.http(caller="") as http:
        page = http.get(link)

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"

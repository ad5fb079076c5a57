"""GET /gallery: the page for a person in a browser, and no second way in."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from until import until_now

from hailuo_mcp.server.gallery.extension import URI
from hailuo_mcp.server.gallery.page import gallery_page
from hailuo_mcp.server.http import create_app
from hailuo_mcp.settings import Settings

from .conftest import WAYS

pytestmark = pytest.mark.anyio
HOST = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]


def _policy(reply: httpx.Response) -> dict[str, list[str]]:
    rules = [rule.split() for rule in reply.headers["content-security-policy"].split(";")]
    return {name: places for name, *places in rules}


def test_without_a_token_the_page_comes_with_401_and_with_one_with_200(server):
    page = gallery_page().html
    with server.http(caller="") as http:
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
            reply = http.get("/gallery", headers=given)
            assert (reply.status_code, reply.text) == (401, page), given
            assert reply.headers["www-authenticate"].startswith("Bearer ")
        assert (http.head("/gallery").status_code, http.head("/gallery").content) == (401, b"")
        for method, path in [("POST", "/gallery"), ("GET", "/gallery/"), ("GET", "/gallery/x")]:
            reply = http.request(method, path)
            assert (reply.status_code, page in reply.text) == (401, False), (method, path)
    with server.http() as http:
        reply = http.get("/gallery")
        assert (reply.status_code, reply.text) == (200, page)
        assert "www-authenticate" not in reply.headers
        assert http.post("/gallery").status_code == 405


def test_the_page_may_do_what_it_needs_and_no_more(server):
    page = gallery_page()
    with server.http(caller="") as http:
        reply = http.get("/gallery")
        foreign = [
            http.get("/gallery", headers={"Host": "evil.example"}).status_code,
            http.get("/gallery", headers={"Origin": "https://evil.example"}).status_code,
        ]

    assert _policy(reply) == {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "connect-src": ["'self'"],
        "img-src": ["data:"],
        "media-src": ["'self'", "data:"],
        "style-src": [page.style_hash],
        "script-src": [page.script_hash],
    }
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in reply.headers
    assert foreign == [421, 403]


def test_a_server_without_tokens_shows_it_to_this_computer(serve):
    with serve(tokens=False).http("") as http:
        assert http.get("/gallery").status_code == 200
        assert http.get("/gallery", headers={"Sec-Fetch-Site": "none"}).status_code == 200


def test_to_local_callers_it_is_no_page_that_others_lead_to(serve):
    with serve(local=True).http("") as http:
        for site, status in [("none", 200), ("same-origin", 200), ("cross-site", 403)]:
            reply = http.get("/gallery", headers={"Sec-Fetch-Site": site})
            assert reply.status_code == status, site


async def _get(path: str, *, address: str = "127.0.0.1", sse: bool = False, **environ: str):
    settings = Settings.from_env({"HAILUO_PROVIDER": "sandbox", **environ})
    app = create_app(settings, transport="sse" if sse else "http")
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.get(path)


async def test_it_is_served_and_named_only_where_its_endpoint_is(tmp_path):
    token = {"HAILUO_STATE_DIR": str(tmp_path), "HAILUO_HTTP_TOKENS": "alice:alices-token-0123"}
    with_page = await _get("/", **token)
    without = await _get("/", sse=True, **token)

    assert '<a href="http://localhost/gallery">' in with_page.text
    assert "asks for your token" in with_page.text
    assert "/gallery" not in without.text
    gone = await _get("/gallery", sse=True, HAILUO_STATE_DIR=str(tmp_path))
    asked = await _get("/gallery", sse=True, **token)
    assert (gone.status_code, asked.status_code) == (404, 404)


async def test_without_tokens_other_computers_see_nothing(tmp_path):
    reply = await _get("/gallery", address="10.0.0.7", HAILUO_STATE_DIR=str(tmp_path))
    assert (reply.status_code, gallery_page().html in reply.text) == (403, False)


async def test_clips_play_from_the_public_address(tmp_path):
    reply = await _get(
        "/gallery",
        HAILUO_STATE_DIR=str(tmp_path),
        HAILUO_HTTP_TOKENS="alice:alices-token-0123",
        HAILUO_CALLBACK_URL="https://mcp.example.com/video",
    )
    assert _policy(reply)["media-src"] == ["'self'", "https://mcp.example.com", "data:"]


def test_it_has_a_name_in_the_log_and_the_log_has_no_token(server, caplog):
    caplog.set_level(logging.DEBUG)
    with server.http("wrong-token-of-somebody") as http:
        http.get("/gallery?token=typed-into-the-wrong-place")
    until_now(lambda: "/gallery" in [getattr(one, "route", "") for one in caplog.records])
    told = [vars(record) for record in caplog.records]
    assert "wrong-token" not in str([r for r in told if r["name"].startswith("hailuo_mcp")])
    assert "wrong-place" not in str([r for r in told if r["name"].startswith("hailuo_mcp")])


@pytest.mark.parametrize("way", WAYS)
async def test_the_host_learns_where_clips_are_played_from(server, way):
    async with server.client(way, extensions=HOST) as host:
        page = (await host.read_resource(URI)).contents[0]
        listed = {str(it.uri): it for it in (await host.list_resources()).resources}[URI]
    assert page.meta == listed.meta
    assert page.meta["ui"]["csp"] == {"resourceDomains": [server.url]}


@pytest.mark.parametrize("local", [True, False], ids=["local", "elsewhere"])
async def test_the_page_plays_from_a_link_wherever_its_person_is(serve, local):
    server = serve(local=local)
    async with server.client(caller="alice") as client:  # it declares nothing, and may ask anyway
        bought = (await client.call_tool("generate_video", {"prompt": "x"})).structured_content
        task = {"task_id": bought["task_id"], "wait_seconds": 20}
        saved = (await client.call_tool("query_task", task)).structured_content
        shown = await client.call_tool("show_cards", {"task_ids": [bought["task_id"]]})
    card = shown.structured_content["cards"][0]

    assert ("file" in card, "file" in saved, "url" in saved) == (local, local, not local)
    with server.http("") as http:
        part = http.get(
            card["url"], headers={"Range": "bytes=0-99", "Sec-Fetch-Site": "cross-site"}
        )
    assert (part.status_code, len(part.content)) == (206, 100)
    if local:
        async with await anyio.open_file(card["file"], "rb") as clip:
            assert await clip.read(100) == part.content


async def test_the_tools_of_the_page_have_the_walls_of_all_others(server):
    async with server.client(caller="alice") as alice:
        bought = (await alice.call_tool("generate_video", {"prompt": "x"})).structured_content
    ids = [bought["task_id"]]
    async with server.client(caller="bob") as bob:
        shown = (await bob.call_tool("show_cards", {"task_ids": ids})).structured_content
        read = await bob.call_tool("read_media", {"task_id": ids[0]})
    assert shown.get("cards", []) == []
    assert read.is_error
    with server.http("") as http:
        assert http.post("/mcp", json={}).status_code == 401

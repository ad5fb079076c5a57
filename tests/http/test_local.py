"""serve --local: callers who are at this computer, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.http import create_app
from hailuo_mcp.settings import Settings

from .conftest import WAYS


@pytest.mark.anyio
@pytest.mark.parametrize("tokens", [True, False], ids=["tokens", "no tokens"])
@pytest.mark.parametrize("way", WAYS)
async def test_local_callers_give_paths_and_get_files(serve, tmp_path, way, tokens):
    picture = tmp_path / "clips" / "first.png"
    picture.parent.mkdir()
    Image.new("RGB", (640, 360)).save(picture)
    server = serve(local=True, tokens=tokens)
    async with server.client(way, "alice" if tokens else "") as client:
        bought = await client.call_tool(
            "generate_video", {"prompt": "it moves", "first_frame_image": str(picture)}
        )
        assert not bought.is_error, bought.content[0].text
        task = {"task_id": bought.structured_content["task_id"]}
        saved = (
            await client.call_tool("query_task", task | {"wait_seconds": 20})
        ).structured_content
        assert Path(saved["file"]).is_relative_to(tmp_path / "clips")
        assert "url" not in saved
        copied = await client.call_tool("download_video", task | {"output_path": "copies/"})
        assert Path(copied.structured_content["file"]).parent == tmp_path / "clips" / "copies"


@pytest.mark.anyio
async def test_local_callers_stay_within_the_folders_of_agents(serve, tmp_path):
    outside = tmp_path / "outside.png"
    Image.new("RGB", (640, 360)).save(outside)
    server = serve(local=True, HAILUO_ALLOWED_DIRS=str(tmp_path / "clips"))
    async with server.client() as client:
        refused = await client.call_tool(
            "generate_video", {"prompt": "it moves", "first_frame_image": str(outside)}
        )
    assert refused.is_error
    assert "HAILUO_ALLOWED_DIRS" in refused.content[0].text


@pytest.mark.anyio
async def test_without_it_callers_are_elsewhere(serve):
    async with serve().client() as client:
        refused = await client.call_tool("download_video", {"task_id": "x", "output_path": "y/"})
    assert "server's own disk" in refused.content[0].text


def test_tokens_still_count(serve):
    with serve(local=True).http(caller="") as http:
        assert http.get("/ready").status_code == 401


@pytest.mark.parametrize("tokens", ["", "alice:alices-token-0123456789"])
@pytest.mark.parametrize(
    ("host", "more"),
    [
        ("0.0.0.0", {}),
        ("::", {}),
        ("192.168.1.20", {}),
        ("127.0.0.1", {"HAILUO_ALLOWED_HOSTS": "mcp.example.com"}),
        ("127.0.0.1", {"HAILUO_CALLBACK_URL": "https://mcp.example.com"}),
    ],
)
def test_it_is_refused_where_other_computers_could_come_in(host, more, tokens):
    settings = Settings.from_env(
        {"HAILUO_PROVIDER": "sandbox", "HAILUO_HTTP_TOKENS": tokens, **more}
    )
    with pytest.raises(ConfigError, match="Local callers may read and write files"):
        create_app(settings, host=host, local=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_it_may_listen_on_loopback(host):
    create_app(Settings.from_env({"HAILUO_PROVIDER": "sandbox"}), host=host, local=True)


STRANGERS = [
    {"Origin": "http://localhost:3000"},  # a page of another server on this computer
    {"Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "203.0.113.7"},
    {"X-Real-IP": "203.0.113.7"},
    {"Forwarded": "for=203.0.113.7"},
    {"Via": "1.1 a-proxy"},
]


@pytest.mark.parametrize("headers", STRANGERS, ids=str)
@pytest.mark.parametrize("tokens", [True, False], ids=["tokens", "no tokens"])
def test_pages_and_proxies_are_no_local_callers(serve, headers, tokens):
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
    with serve(local=True, tokens=tokens).http("alice" if tokens else "") as http:
        for reply in (
            http.post("/mcp", json=hello, headers=headers),
            http.get("/sse", headers=headers),
            http.post("/messages/?session_id=x", json=hello, headers=headers),
            http.get("/ready", headers=headers),
        ):
            assert reply.status_code == 403


def test_a_name_that_was_rebound_to_this_computer_is_turned_away(serve):
    with serve(local=True, tokens=False).http("") as http:
        assert http.post("/mcp", json={}, headers={"Host": "evil.example"}).status_code == 421
        own = {"Origin": http.base_url.scheme + "://" + http.base_url.netloc.decode()}
        assert http.get("/ready", headers=own).status_code == 200

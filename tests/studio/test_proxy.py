"""A purchase through a proxy, with journal and worker: what the proxy refused was never sent."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from proxying import Host, Proxy, host, trusted
from until import until

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import TaskFailedError
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio

API = "api.minimaxi.com"
MEI = ("mei", "s3cret")
FINE = {"base_resp": {"status_code": 0, "status_msg": "success"}}


class Relenting(Proxy):
    """Opens no way at first."""

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await super()._visit(reader, writer)
        self.manner = "open"


def answer(request) -> None:
    taken = {"task_id": "77", "status": "Processing", **FINE}
    body = json.dumps(taken).encode()
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def settings(folder: Path, proxy: Proxy) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": "a-key",
            "HAILUO_STATE_DIR": str(folder / "state"),
            "HAILUO_OUTPUT_DIR": str(folder / "clips"),
            "HTTPS_PROXY": proxy.url,
        }
    )


def bought(there: Host) -> list[str]:
    return [asked.line for asked in there.asked if asked.line.startswith("POST")]


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("manner", ["403", "cut"])
async def test_what_a_proxy_refused_is_sent_again_and_bought_once(
    kind, manner, tmp_path, monkeypatch
):
    tls = trusted(tmp_path, monkeypatch, API)
    with (
        host(answer, tls) as api,
        Relenting(kind, {f"{API}:443": api.place}, MEI, manner).running() as proxy,
    ):
        async with open_studio(settings(tmp_path, proxy)) as studio:
            view = await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=0)

            async def taken() -> bool:
                again = await studio.query(view.task.task_id, wait_seconds=0)
                return again.task.remote_id == "77"

            await until(taken)
    assert len(bought(api)) == 1


async def test_what_a_proxy_refuses_to_the_end_has_failed_free_and_leaves_no_password(
    tmp_path, monkeypatch, caplog
):
    tls = trusted(tmp_path, monkeypatch, API)
    routes = {f"{API}:443": ("127.0.0.1", 9)}
    with host(answer, tls) as api, Proxy("http", routes, MEI, "403").running() as proxy:
        async with open_studio(settings(tmp_path, proxy)) as studio:
            with pytest.raises(TaskFailedError) as caught:
                await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=30)
    assert caught.value.charged == "no"
    assert "refused the connection (HTTP 403), so the request was not sent" in str(caught.value)
    assert (bought(api), len(proxy.asked)) == ([], 3)
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert b"was not sent" in kept
    assert b"s3cret" not in kept + f"{caught.value!r} {caplog.text}".encode()

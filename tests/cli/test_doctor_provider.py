"""doctor asks the provider over real HTTP: the key, the region, the clock, and nothing that costs."""

import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp import HailuoClient
from hailuo_mcp.bootstrap import open_client
from hailuo_mcp.cli.set_up.doctor.command import examine
from hailuo_mcp.cli.set_up.doctor.network import reach_host
from hailuo_mcp.cli.set_up.doctor.provider import check_provider
from hailuo_mcp.cli.set_up.doctor.result import Level, Result, ok
from hailuo_mcp.settings import Settings

from .homes import linux

KEY = "sk-good-key"


@dataclass
class Answering:
    """A host that answers every question in one way and remembers what it was asked."""

    code: int | None = 0
    status: int = 200
    late: float = 0.0
    body: bytes = b""
    url: str = ""
    lacks: str = ""
    """What a path has in it that this host answers as any host answers what it does not have."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def reply(self) -> bytes:
        if self.body:
            return self.body
        return json.dumps({"base_resp": {"status_code": self.code, "status_msg": "x"}}).encode()


@contextmanager
def served(host: Answering) -> Iterator[Answering]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
            lacking = bool(host.lacks) and host.lacks in self.path
            body = b"<html>nothing here" if lacking else host.reply()
            self.send_response_only(404 if lacking else host.status)
            self.send_header("Date", formatdate(time.time() - host.late, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the base class's name

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def reach(host: str, port: int, secure: bool) -> Result:
    return ok("host", f"{host} {port} {secure}")


async def diagnosed(
    hosts: dict[str, Answering],
    *,
    key: str = KEY,
    keyed: tuple[str, ...] = (),
    asks: bool = False,
    **given: str,
) -> list[Result]:
    """Examine with the names of the real hosts; each provider's client goes to a host of ours."""
    settings = Settings.from_env({"HAILUO_API_KEY": key, **given})

    def connect(chosen: Settings) -> HailuoClient:
        host = hosts.get(chosen.provider)
        url = host.url if host else chosen.base_url
        return open_client(replace(chosen, base_url=url))

    return [f async for f in check_provider(settings, connect, reach, keyed=keyed, asks=asks)]


@pytest.mark.anyio
async def test_a_good_key_is_asked_about_once_with_a_free_read():
    with served(Answering()) as host:
        findings = await diagnosed({"minimax-cn": host})
    assert [f.level for f in findings] == [Level.OK] * 3
    assert [f.check for f in findings] == ["host", "key", "clock"]
    assert host.asked == [("GET", "/v1/token_plan/remains", f"Bearer {KEY}")]


@pytest.mark.anyio
@pytest.mark.parametrize("code", [1004, 2049])
async def test_a_key_of_the_other_region_is_named_with_the_setting(code: int):
    with served(Answering(code)) as china, served(Answering()) as other:
        findings = await diagnosed({"minimax-cn": china, "minimax-global": other})
    (finding,) = [f for f in findings if f.level is Level.PROBLEM]
    assert finding.check == "region"
    assert f"({code})" in finding.message
    assert finding.fix == "Set HAILUO_PROVIDER=minimax-global."
    assert [method for method, *_ in china.asked + other.asked] == ["GET", "GET"]


@pytest.mark.anyio
async def test_a_bare_http_401_is_tried_in_the_other_region_too():
    refusing = Answering(None, status=401, body=b"{}")
    with served(refusing) as wide, served(Answering()) as china:
        findings = await diagnosed(
            {"minimax-global": wide, "minimax-cn": china}, HAILUO_PROVIDER="minimax-global"
        )
    assert "HAILUO_PROVIDER=minimax-cn" in findings[1].fix


@pytest.mark.anyio
async def test_a_key_that_neither_region_takes_is_simply_wrong():
    with served(Answering(1004)) as china, served(Answering(2049)) as other:
        findings = await diagnosed({"minimax-cn": china, "minimax-global": other})
    assert "Neither api.minimaxi.com nor api.minimax.io" in findings[1].message
    assert KEY not in str(findings)


@pytest.mark.anyio
@pytest.mark.parametrize("provider", ["minimax-cn", "hingnet", "compat", "xcompute"])
async def test_a_key_for_another_address_is_shown_to_no_other_host(provider: str):
    refusing = Answering(1004, status=200 if provider == "minimax-cn" else 401)
    with served(refusing) as relay, served(Answering()) as other:
        given = {"HAILUO_PROVIDER": provider, "HAILUO_BASE_URL": "https://relay.example"}
        findings = await diagnosed({provider: relay, "minimax-global": other}, **given)
    assert other.asked == []
    assert findings[1].level is Level.PROBLEM


@pytest.mark.anyio
async def test_an_empty_account_and_a_busy_one_are_told_from_a_bad_key():
    with served(Answering(1008)) as host:
        assert "out of credit" in (await diagnosed({"minimax-cn": host}))[1].message
    with served(Answering(1002)) as host:
        assert (await diagnosed({"minimax-cn": host}))[1].level is Level.NOTE


@pytest.mark.anyio
async def test_a_page_in_place_of_the_api_is_a_wrong_address():
    with served(Answering(status=404, body=b"<html>nothing here")) as host:
        findings = await diagnosed({"minimax-cn": host})
    assert "not this API" in findings[1].message
    assert "HAILUO_BASE_URL" in findings[1].fix


@pytest.mark.anyio
async def test_a_server_without_the_free_question_is_asked_about_a_task_instead():
    """No seed has that question: a relay that speaks the dialect may well be without it."""
    with served(Answering(lacks="token_plan")) as host:
        findings = await diagnosed({"minimax-cn": host})
    assert [f.level for f in findings] == [Level.OK] * 3
    assert host.asked[1:] == [("GET", "/v1/query/video_generation?task_id=0", f"Bearer {KEY}")]
    with served(Answering(1004, lacks="token_plan")) as host:
        refused = await diagnosed({"minimax-cn": host, "minimax-global": host})
    assert refused[1].level is Level.PROBLEM


@pytest.mark.anyio
@pytest.mark.parametrize(("late", "words"), [(300, "300 s ahead"), (-7200, "s behind")])
async def test_a_clock_that_is_off_is_worth_knowing(late: float, words: str):
    with served(Answering(late=late)) as host:
        findings = await diagnosed({"minimax-cn": host})
    assert findings[2].level is Level.NOTE
    assert words in findings[2].message.replace("301", "300")


@pytest.mark.anyio
async def test_a_missing_key_is_a_problem_unless_a_client_has_one():
    lacking, _ = await diagnosed({}, key="")
    assert lacking.level is Level.PROBLEM
    assert "HAILUO_API_KEY" in lacking.fix
    assert "sandbox" in lacking.fix
    elsewhere, _ = await diagnosed({}, key="", keyed=("cursor",))
    assert elsewhere.level is Level.NOTE
    assert "hailuo-mcp doctor --client cursor" in elsewhere.fix
    asked, _ = await diagnosed({}, key="", asks=True)
    assert asked.level is Level.NOTE


@pytest.mark.anyio
async def test_a_host_is_reached_step_by_step():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert (await reach_host("127.0.0.1", port, False)).level is Level.OK
    refused = await reach_host("127.0.0.1", port, False)
    assert "cannot be reached: connection refused" in refused.message
    unknown = await reach_host("no-such-host.invalid", 443, True)
    assert "cannot be looked up" in unknown.message


@pytest.mark.anyio
async def test_something_that_speaks_no_tls_is_not_taken_for_the_provider():
    with served(Answering()) as host:
        port = int(host.url.rpartition(":")[2])
        assert (await reach_host("127.0.0.1", port, True)).level is Level.PROBLEM


@pytest.mark.anyio
async def test_the_whole_chain_over_the_sandbox_finds_nothing_wrong(tmp_path: Path):
    system = linux(tmp_path)
    environ = {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
    }

    async def findings() -> AsyncGenerator[Result]:
        async for finding in examine(
            system, environ, overrides={}, connect=open_client, reach=reach
        ):
            yield finding

    found = [finding async for finding in findings()]
    assert [f.message for f in found if f.level is Level.PROBLEM] == []
    assert {"program", "launcher", "media", "settings", "folders", "journal", "key", "clients"} <= {
        f.check for f in found
    }

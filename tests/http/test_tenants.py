"""Tenants of one server: nothing of one is another's, and each has settings of its own."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import MCPError
from mcp.types import ResourceTemplateReference
from until import until, until_now

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.http import create_app
from hailuo_mcp.settings import Settings
from hailuo_mcp.tenants import LOOK_SECONDS

from .conftest import TOKENS

pytestmark = pytest.mark.anyio
NAMES = ("acme", "bird", "coco")
WAYS = ("auto", "legacy", "sse")
CLIP = {"prompt": "A boat", "model": "MiniMax-Hailuo-02", "resolution": "768P", "duration": 6}
PRICE = 2.0


def tokens_of(name: str) -> str:
    return f'tokens = ["sha256:{hashlib.sha256(TOKENS[name].encode()).hexdigest()}"]'


class Town:
    """A server with an operator's caller, and tenants as a test writes them."""

    def __init__(self, tmp_path: Path, serve: Any) -> None:
        self.file = tmp_path / "tenants.toml"
        self._serve = serve

    def write(self, **rows: str) -> None:
        tables = (f"[tenants.{n}]\n{tokens_of(n)}\n{text}\n" for n, text in rows.items())
        self.file.write_text("\n".join(tables))

    def open(self, ready: float = 0.3, **environ: str) -> Any:
        more = {"HAILUO_TENANTS": str(self.file), "HAILUO_HTTP_TOKENS": f"alice:{TOKENS['alice']}"}
        return self._serve(ready=ready, **{**more, **environ})


@pytest.fixture
def town(tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> Town:
    for name in NAMES:
        monkeypatch.setitem(TOKENS, name, f"{name}s-token-0123456789")
    monkeypatch.setenv("COCO_KEY", "cocos-own-key")
    monkeypatch.setattr("hailuo_mcp.tenants.LOOK_SECONDS", 0.05)
    made = Town(tmp_path, serve)
    made.write(acme="", bird="", coco='api_key_env = "COCO_KEY"')
    return made


async def call(server: Any, caller: str, tool: str, way: str = "auto", **given: Any) -> Any:
    async with server.client(way, caller) as client:
        return await client.call_tool(tool, given)


async def bought(server: Any, caller: str, way: str = "auto", **more: Any) -> Any:
    found = await call(server, caller, "generate_video", way, **{**CLIP, **more})
    assert not found.is_error, found.content
    return found.structured_content


async def finished(server: Any, caller: str, task_id: str) -> Any:
    asked = {"task_id": task_id, "wait_seconds": 20}
    found = (await call(server, caller, "query_task", **asked)).structured_content
    assert found["status"] == "succeeded", found
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_of_one_tenant_is_anothers(town: Town, way: str) -> None:
    server = town.open()
    task = await bought(server, "acme", way)
    done = await finished(server, "acme", task["task_id"])
    for other in ("bird", "coco", "alice"):
        async with server.client(way, other) as client:
            for some_id in (task["task_id"], done["remote_id"]):
                for tool in ("query_task", "download_video", "cancel_task"):
                    refused = await client.call_tool(tool, {"task_id": some_id})
                    assert refused.is_error
                    assert refused.structured_content["error"]["code"] in (
                        "task_not_found",
                        "rate_limited",
                    )
            listed = (await client.call_tool("list_tasks", {})).structured_content
            assert listed["tasks"] == []
            with pytest.raises(MCPError):
                await client.read_resource(f"hailuo://tasks/{task['task_id']}")
            ref = ResourceTemplateReference(type="ref/resource", uri="hailuo://tasks/{task_id}")
            found = await client.complete(ref, {"name": "task_id", "value": task["task_id"][:4]})
            assert found.completion.values == []
    async with server.client(way, "acme") as client:
        found = await client.complete(ref, {"name": "task_id", "value": task["task_id"][:4]})
        assert found.completion.values == [task["task_id"]]


async def test_spending_is_each_ones_own(town: Town) -> None:
    server = town.open()
    await finished(server, "acme", (await bought(server, "acme"))["task_id"])
    spent = {}
    for caller in ("acme", "bird", "coco", "alice"):
        listed = (await call(server, caller, "list_tasks")).structured_content
        async with server.client(caller=caller) as client:
            (read,) = (await client.read_resource("hailuo://spending")).contents
        spent[caller] = float(listed["spending"]["spent"])
        assert f'"spent": "{listed["spending"]["spent"]}"' in read.text
    # The operator's own callers see the account, whose money it is.
    assert spent == {"acme": PRICE, "bird": 0, "coco": 0, "alice": PRICE}


async def test_the_same_request_and_the_same_key_are_purchases_of_each(town: Town) -> None:
    server = town.open()
    tasks = [await bought(server, name, request_key="k1") for name in (*NAMES, "alice")]
    assert len({task["task_id"] for task in tasks}) == 4
    assert not any(task.get("reused") for task in tasks)
    again = await bought(server, "bird", request_key="k1")
    assert (again["task_id"], again["reused"]) == (tasks[1]["task_id"], True)
    assert len(server.remote()) == 4


async def test_a_key_of_its_own_is_an_account_of_its_own(town: Town) -> None:
    server = town.open()
    for name in (*NAMES, "alice"):
        await finished(server, name, (await bought(server, name))["task_id"])
    from hailuo_mcp.sandbox.report import read_book

    accounts = read_book(server.sandbox_state)["accounts"]
    assert sorted(len(account["tasks"]) for account in accounts.values()) == [1, 3]


async def test_clips_go_to_the_folder_of_their_tenant(town: Town) -> None:
    town.write(acme='folder = "of/acme"', bird="", coco='api_key_env = "COCO_KEY"\nfolder = "co"')
    server = town.open()
    for name in (*NAMES, "alice"):
        await finished(server, name, (await bought(server, name))["task_id"])
    clips = server.settings.output_dir
    found = sorted(str(path.parent.relative_to(clips)) for path in clips.rglob("*.mp4"))
    assert found == [".", ".", "co", "of/acme"]


def picture() -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (640, 480), (10, 90, 160)).save(data, "PNG")
    return data.getvalue()


async def test_uploads_are_each_ones_own(town: Town) -> None:
    server = town.open()
    refused = await call(server, "acme", "generate_video", **CLIP, first_frame_image="/no/cat.png")
    link = re.search(r"http://\S+/uploads/\S+", refused.content[0].text)[0]
    with server.http(caller="") as http:
        upload = http.post(link, content=picture()).json()["upload"]
    for other in ("bird", "coco", "alice"):
        refused = await call(server, other, "generate_video", **CLIP, first_frame_image=upload)
        assert refused.is_error
        assert "no uploaded picture" in refused.content[0].text
    assert (await bought(server, "acme", first_frame_image=upload))["mode"] == "i2v"


async def test_a_link_opens_one_clip_of_one_tenant(town: Town) -> None:
    server = town.open()
    done = {n: await finished(server, n, (await bought(server, n))["task_id"]) for n in NAMES[:2]}
    acmes, birds = done["acme"]["url"], done["bird"]["url"]
    with server.http(caller="") as http:
        assert http.get(acmes).status_code == 200
        swapped = acmes.replace(done["acme"]["task_id"], done["bird"]["task_id"])
        assert http.get(swapped).status_code == 404
        assert http.get(birds).status_code == 200


async def test_consent_is_each_ones_own(town: Town) -> None:
    town.write(acme="confirm_above = 1", bird="confirm_above = 1", coco="")
    server = town.open()

    async def code_for(caller: str) -> str:
        refused = await call(server, caller, "generate_video", **CLIP)
        assert refused.structured_content["error"]["code"] == "consent_required"
        return re.search(r"confirm='(\w+)'", refused.content[0].text)[1]

    acmes = await code_for("acme")
    refused = await call(server, "bird", "generate_video", **CLIP, confirm=acmes)
    assert refused.structured_content["error"]["code"] == "consent_required"
    assert (await bought(server, "acme", confirm=acmes))["task_id"]
    assert (await bought(server, "coco"))["task_id"]  # asks nobody


async def test_a_tenant_hears_of_its_own_clips_and_spending_alone(town: Town) -> None:
    server = town.open()
    heard = {name: list[str]() for name in NAMES[:2]}

    async with anyio.create_task_group() as listening:

        async def listen(name: str, ready: anyio.Event) -> None:
            async with server.client("auto", name) as client:
                uris = ["hailuo://spending"]
                async with client.listen(resource_subscriptions=uris) as events:
                    ready.set()
                    async for event in events:
                        heard[name].append(str(event.uri))

        for name in heard:
            ready = anyio.Event()
            listening.start_soon(listen, name, ready)
            await ready.wait()
        await finished(server, "acme", (await bought(server, "acme"))["task_id"])
        await until(lambda: heard["acme"])
        listening.cancel_scope.cancel()
    assert heard["bird"] == []


async def test_each_has_a_wall_of_its_own_and_the_operators_above(town: Town) -> None:
    town.write(acme="budget = 4\nbudget_period = 'total'", bird="", coco="")
    server = town.open(HAILUO_BUDGET="8", HAILUO_BUDGET_PERIOD="total")
    for take in (1, 2):
        await bought(server, "acme", take=take)
    refused = await call(server, "acme", "generate_video", **CLIP, take=3)
    text = refused.content[0].text
    assert refused.structured_content["error"]["code"] == "budget_exceeded"
    assert "budget of 4 CNY" in text
    assert "operator of this server" in text
    assert "HAILUO_" not in text
    await bought(server, "bird")
    listed = (await call(server, "bird", "list_tasks")).structured_content["spending"]
    assert (float(listed["left"]), "budget" in listed) == (PRICE, False)
    await bought(server, "coco")
    refused = await call(server, "bird", "generate_video", **CLIP, take=2)
    text = refused.content[0].text
    # Nothing of what others have spent, nor of the operator's own numbers.
    assert re.findall(r"\d+ CNY|\d+ spent|\d+ reserved", text) == ["2 CNY"]
    assert "operator of this server" in text
    assert "HAILUO_" not in text
    operators = await call(server, "alice", "generate_video", **CLIP)
    assert "HAILUO_BUDGET" in operators.content[0].text


async def test_the_sandbox_never_counts_more_than_the_limit_nor_a_tenant_more_than_its_own(
    town: Town,
) -> None:
    town.write(acme="rpm = 2", bird="", coco="")
    server = town.open(HAILUO_RPM="5")
    async with anyio.create_task_group() as all_at_once:
        for name in ("acme", "bird"):
            for take in range(1, 6):
                all_at_once.start_soon(lambda name=name, take=take: bought(server, name, take=take))
    await until(lambda: len(server.remote()) >= 5)

    async def pending(name: str) -> int:
        async with server.client(caller=name) as client:
            listed = await client.call_tool("list_tasks", {"status": "pending"})
        return len(listed.structured_content["tasks"])

    left = {name: await pending(name) for name in ("acme", "bird")}
    assert sum(left.values()) == 5
    assert left["acme"] >= 3
    assert len(server.remote()) == 5


async def test_metrics_show_a_tenant_its_own_and_the_operator_all(town: Town) -> None:
    server = town.open()
    await finished(server, "acme", (await bought(server, "acme"))["task_id"])
    with server.http("bird") as http:
        birds = http.get("/metrics").text
    with server.http("acme") as http:
        acmes = http.get("/metrics").text
    with server.http("alice") as http:
        operators = http.get("/metrics").text
    assert 'hailuo_tasks{status="succeeded"} 0.0' in birds
    assert 'hailuo_tasks{status="succeeded"} 1.0' in acmes
    assert "tenant" not in birds + acmes
    assert "hailuo_tool_seconds" not in birds + acmes
    assert 'hailuo_tenant_tasks{status="succeeded",tenant="acme"} 1.0' in operators
    assert 'hailuo_tenant_tasks{status="succeeded",tenant="bird"} 0.0' in operators
    assert "hailuo_tenants_file_unusable 0.0" in operators


async def test_one_bad_key_does_not_make_the_server_unready(town: Town, monkeypatch: Any) -> None:
    rows = 'api_key_env = "COCO_KEY"\nprovider = "minimax-cn"'
    monkeypatch.setenv("COCO_KEY", "[sandbox:1004]")
    town.write(acme="", bird="", coco=rows)
    server = town.open()
    with server.http("acme") as http:
        answer = http.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["provider"] == "ok"
    assert answer.json()["accounts"].endswith(" of 2")


def test_tenants_alone_protect_a_server_that_others_reach(town: Town, tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_STATE_DIR": str(tmp_path / "s"),
            "HAILUO_TENANTS": str(town.file),
            "HAILUO_ALLOWED_HOSTS": "mcp.example.com",
        }
    )
    assert create_app(settings)
    with pytest.raises(ConfigError, match="every tenant"):
        create_app(replace(settings, allowed_hosts=()), local=True)
    town.file.write_text("[tenants.acme]\nbudgte = 3")
    with pytest.raises(ConfigError, match="acme: budgte"):
        create_app(settings)


def test_without_a_token_not_even_this_computer_comes_in(town: Town) -> None:
    server = town.open(HAILUO_HTTP_TOKENS="")
    with server.http(caller="") as http:
        assert http.get("/metrics").status_code == 401
    with server.http("acme") as http:
        assert http.get("/metrics").status_code == 200


async def test_a_change_of_the_file_is_in_force_without_a_restart(town: Town) -> None:
    town.write(acme="")
    server = town.open()
    await bought(server, "acme")
    with server.http("bird") as http:
        assert http.get("/metrics").status_code == 401
        town.write(acme="budget = 2", bird="", coco='api_key_env = "COCO_KEY"')
        until_now(lambda: http.get("/metrics").status_code == 200)
    refused = await call(server, "acme", "generate_video", **CLIP, take=2)
    assert "budget of 2 CNY" in refused.content[0].text
    # One with a key that no process had: its worker runs.
    await finished(server, "coco", (await bought(server, "coco"))["task_id"])


def test_the_file_is_looked_at_often_enough() -> None:
    assert 2 * LOOK_SECONDS <= 10


# The SDK (2.3.0) leaves memory streams of SSE open when it is cut.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
async def test_who_is_removed_is_out_at_once_and_what_it_bought_is_saved(
    town: Town, way: str
) -> None:
    town.write(acme='folder = "acme"', coco='api_key_env = "COCO_KEY"\nfolder = "co"')
    server = town.open(ready=4)
    tasks = [await bought(server, name) for name in ("acme", "coco")]
    ended = anyio.Event()
    async with anyio.create_task_group() as open_ones:

        async def stay() -> None:
            asked = {"task_id": tasks[0]["task_id"], "wait_seconds": 30}
            with contextlib.suppress(MCPError, httpx.HTTPError, BaseExceptionGroup):
                await call(server, "acme", "query_task", way, **asked)
            ended.set()

        open_ones.start_soon(stay)
        present = server.served.streams._open
        await until(lambda: any(it and it.name == "tenant:acme" for it in present.values()))
        town.write(bird="")
        with anyio.fail_after(60):
            await ended.wait()
    clips = server.settings.output_dir
    assert not list(clips.rglob("*.mp4"))  # so it was cut, not answered
    with server.http("acme") as http:
        assert http.get("/metrics").status_code == 401
    saved = await until(lambda: len(found := sorted(clips.rglob("*.mp4"))) == 2 and found)
    assert sorted(path.parent.name for path in saved) == ["acme", "co"]
    gc.collect()  # here, where their warnings are ignored


async def test_a_broken_file_leaves_the_last_good_one_in_force_and_says_so(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    town.write(acme="")
    server = town.open()
    with server.http("alice") as http:
        town.file.write_text("[tenants.acme]\nbudgte = 1")
        until_now(lambda: "hailuo_tenants_file_unusable 1.0" in http.get("/metrics").text)
        assert (await bought(server, "acme"))["task_id"]
        assert "budgte" in caplog.text
        town.file.unlink()
        assert (await bought(server, "acme", take=2))["task_id"]
        town.write(acme="", bird="")
        until_now(lambda: "hailuo_tenants_file_unusable 0.0" in http.get("/metrics").text)
    assert (await bought(server, "bird"))["task_id"]


def test_without_tenants_and_an_issuer_nothing_of_them_is_loaded() -> None:
    import subprocess
    import sys

    program = (
        "import sys\n"
        "from hailuo_mcp.server.http import create_app\n"
        "from hailuo_mcp.settings import Settings\n"
        "create_app(Settings.from_env({'HAILUO_PROVIDER': 'sandbox'}), with_sse=True)\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    words = ("tenants", "tomlkit", "jose", "oauth")
    loaded = [name for name in done.stdout.split() if any(word in name for word in words)]
    assert [name for name in loaded if not name.startswith("mcp.")] == []
    assert "hailuo_mcp.server.http.app" in done.stdout.split()

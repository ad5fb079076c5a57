"""The public client, as a program without MCP uses it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from hailuo_mcp import HailuoClient, TemplateRequest, UpgradeRequest, VideoRequest
from hailuo_mcp.bootstrap import open_client
from hailuo_mcp.dialects.codes import MEANINGS
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.domain.task import Unit
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    Do,
    HailuoError,
    InvalidRequestError,
    ProviderUnavailableError,
    RecordDeletedError,
    RemoteTaskNotFoundError,
    SourceIdNotEnabledError,
    Step,
    UnconfirmedCancelError,
    UnexpectedResponseError,
)
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.images import PICTURE
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings import Settings
from hailuo_mcp.wording import agent, person

from .conftest import H3, picture

pytestmark = pytest.mark.anyio

CAT = VideoRequest(prompt="a cat", model="MiniMax-Hailuo-2.3", duration=6, resolution="768P")


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Script:
    """Answers in turn; the last one again and again. Keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def client(script: Script, **settings) -> HailuoClient:
    time = Time()
    return HailuoClient(
        settings.pop("key", "sk-test"),
        wire=httpx.MockTransport(script),
        clock=time,
        sleep=time.sleep,
        **settings,
    )


def ok(**body: object) -> httpx.Response:
    return httpx.Response(200, json={**body, "base_resp": {"status_code": 0}})


async def test_without_a_key_the_first_paid_call_says_what_to_set():
    script = Script(ok())
    async with client(script, key=None) as hailuo:
        with pytest.raises(ConfigError) as caught:
            await hailuo.submit(CAT)
        with pytest.raises(ConfigError):
            await hailuo.send(CAT)
        with pytest.raises(ConfigError):
            await hailuo.query("1")
        prepared = await hailuo.prepare(CAT)
    assert "api_key" in str(caught.value)
    assert 'provider="sandbox"' in str(caught.value)
    assert "HAILUO_" not in str(caught.value)
    assert "Nothing was sent or charged" in str(caught.value)
    assert prepared.quote.amount == Decimal(2)
    assert script.asked == []


async def test_the_server_behind_the_client_says_which_variable_takes_the_key():
    keyless = open_client(Settings.from_env({"HAILUO_PROVIDER": "minimax-cn"}))
    with pytest.raises(ConfigError) as caught:
        keyless.need_key()
    assert caught.value.then == (
        Step(Do.SET, "HAILUO_API_KEY"),
        Step(Do.SET, "HAILUO_PROVIDER=sandbox"),
        Step(Do.LOG_IN),
    )
    assert "Set HAILUO_API_KEY or HAILUO_PROVIDER=sandbox." in person.error_text(caught.value)


@pytest.mark.parametrize("size", [768, "768"])
async def test_a_bare_number_is_a_resolution(size):
    script = Script(ok(task_id="1"))
    async with client(script) as hailuo:
        await hailuo.submit(VideoRequest(prompt="a cat", resolution=size))
    assert json.loads(script.asked[0].content)["resolution"] == "768P"


NOT_OURS = re.compile(
    r"HAILUO_|this server|the person|[Cc]all again|\b("
    + "|".join(tool.name for tool in all_tools())
    + r")\b"
)


def said(caught: pytest.ExceptionInfo[HailuoError]) -> str:
    return str(caught.value)


@pytest.mark.parametrize("provider", ["minimax-cn", "minimax-global", "hingnet", "compat"])
async def test_no_refusal_speaks_of_what_a_programmer_does_not_have(provider):
    for code in filter(str.isdigit, MEANINGS):
        refused = httpx.Response(200, json={"base_resp": {"status_code": int(code)}})
        async with client(Script(refused), provider=provider) as hailuo:
            with pytest.raises(HailuoError) as caught:
                await hailuo.send(CAT)
            told = said(caught)
            try:
                await hailuo.query("1")
            except HailuoError as error:  # a moderated task has failed: no error of the read
                told += str(error)
        assert not NOT_OURS.search(told), (code, told)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 404, 413, 429, 500])
async def test_no_bare_status_speaks_of_what_a_programmer_does_not_have(status):
    for provider in ("minimax-cn", "xcompute", "compat"):
        async with client(Script(httpx.Response(status)), provider=provider) as hailuo:
            for ask in (hailuo.send(CAT), hailuo.query("1")):
                with pytest.raises(HailuoError) as caught:
                    await ask
                assert not NOT_OURS.search(said(caught)), said(caught)


async def test_messages_name_the_parameters_of_the_client(tmp_path):
    bad_key = httpx.Response(200, json={"base_resp": {"status_code": 2049}})
    async with client(Script(bad_key), provider="minimax-cn") as hailuo:
        with pytest.raises(AuthenticationError) as caught:
            await hailuo.submit(CAT)
    assert "the provider minimax-global (base URL https://api.minimax.io)" in said(caught)
    assert "Check api_key." in said(caught)

    with pytest.raises(ConfigError, match=r"The providers are minimax-cn.*Check provider"):
        HailuoClient("sk", provider="nobody")
    with pytest.raises(ConfigError, match=r"https://.*Check base_url and private_hosts"):
        HailuoClient("sk", base_url="http://example.com")

    down = Script(httpx.ConnectError("no"))
    async with client(down, key="sk t", provider="minimax-cn") as hailuo:
        with pytest.raises(ConfigError, match="Check api_key"):
            await hailuo.query("1")

    here = Folders(tmp_path, (tmp_path,))
    asked = VideoRequest(prompt="x", first_frame_image="/etc/hosts")
    async with client(down, folders=here) as hailuo:
        with pytest.raises(
            InvalidRequestError, match=r"outside the allowed folders.* Check folders"
        ):
            await hailuo.submit(asked)
        with pytest.raises(InvalidRequestError) as caught:
            await hailuo.submit(replace(asked, first_frame_image="nix.png"))
        assert not NOT_OURS.search(said(caught))
        with pytest.raises(InvalidRequestError, match="Pass private_hosts"):
            await hailuo.submit(replace(asked, first_frame_image="https://127.0.0.1/a.png"))


async def test_a_download_that_fails_names_the_path_and_no_tool(tmp_path):
    script = Script(ok(task_id="1", status="Success", file_id="2"), httpx.Response(404))
    (tmp_path / "in-the-way").write_text("a file")
    async with client(script, provider="minimax-cn") as hailuo:
        with pytest.raises(HailuoError) as caught:
            await hailuo.download("1", tmp_path / "in-the-way" / "a.mp4")
    assert not NOT_OURS.search(said(caught)), said(caught)


async def test_the_server_behind_the_client_names_its_own_settings():
    refused = httpx.Response(200, json={"base_resp": {"status_code": 2049}})
    settings = Settings.from_env({"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": "sk"})
    async with open_client(settings, wire=httpx.MockTransport(Script(refused))) as hailuo:
        with pytest.raises(AuthenticationError) as caught:
            await hailuo.send(CAT)
    assert "HAILUO_API_KEY" in agent.error_text(caught.value)


async def test_a_secret_key_is_taken_as_it_is():
    from pydantic import SecretStr

    script = Script(ok(task_id="1"))
    async with client(script, key=SecretStr("sk-secret")) as hailuo:
        await hailuo.send(CAT)
    assert script.asked[0].headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(vars(hailuo))


async def test_a_base_url_chooses_the_provider_and_takes_its_prefix():
    script = Script(ok(task_id="1", platform_id="video_1"))
    async with client(script, base_url="https://models.hingnet.com.cn/minimaxi/v1") as hailuo:
        got = await hailuo.send(CAT)
    assert hailuo.provider.name == "hingnet"
    assert got.remote_alias == "video_1"
    assert str(script.asked[0].url) == (
        "https://models.hingnet.com.cn/minimaxi/v1/video_generation"
    )


async def test_an_unknown_base_url_means_the_default_provider_at_that_address():
    script = Script(ok(task_id="1"))
    async with client(script, base_url="https://gateway.example.com") as hailuo:
        await hailuo.send(CAT)
    assert hailuo.provider.name == "minimax-cn"
    assert script.asked[0].url.host == "gateway.example.com"


async def test_submit_checks_first_and_sends_nothing_that_would_be_refused():
    script = Script(ok(task_id="1"))
    async with client(script) as hailuo:
        with pytest.raises(InvalidRequestError, match="Nothing was sent or charged"):
            await hailuo.submit(VideoRequest(prompt="a cat", duration=10, resolution="1080P"))
    assert script.asked == []


@pytest.mark.parametrize("provider", ["xcompute", "compat", "compat-v3"])
async def test_a_callback_that_a_provider_cannot_make_is_refused_and_not_dropped(provider: str):
    script = Script(ok(task_id="1"))
    async with client(script, provider=provider) as hailuo:
        with pytest.raises(InvalidRequestError, match=f"{provider} .*Nothing was sent or charged"):
            await hailuo.submit(CAT, callback_url="https://me.example.com/done")
    assert script.asked == []


_IGNORED = {
    "a first frame": {"first_frame_image": picture()},
    "two frames": {"first_frame_image": picture(), "last_frame_image": picture("maroon")},
    "the optimizer off": {"prompt_optimizer": False},
}


@pytest.mark.parametrize("what", _IGNORED)
@pytest.mark.parametrize("provider", ["compat", "compat-v3"])
async def test_what_the_host_of_seed_004_would_ignore_is_refused_until_a_base_url_is_given(
    provider: str, what: str
):
    request = VideoRequest(prompt="a cat", model="MiniMax-Hailuo-02", **_IGNORED[what])
    script = Script(*[httpx.Response(200, json={"task_id": "1"})] * 3)
    async with client(script, provider=provider) as hailuo:
        for buy in (hailuo.submit, hailuo.send):
            with pytest.raises(InvalidRequestError) as refused:
                await buy(request)
            said = str(refused.value)
            assert "Nothing was sent or charged" in said
            assert "uses other names for pictures and options" in said
            assert "Give the base URL of a gateway" in said
            assert "Nearest that works" not in said
    assert script.asked == []
    for base_url in ("https://gateway.example.com", hailuo.provider.base_url):
        async with client(script, provider=provider, base_url=base_url) as hailuo:
            assert (await hailuo.submit(request)).remote_id == "1"  # the person insists
    assert len(script.asked) == 2


async def test_what_the_host_of_seed_004_understands_is_sent_with_a_warning():
    script = Script(httpx.Response(200, json={"task_id": "1"}))
    async with client(script, provider="compat") as hailuo:
        ready = await hailuo.prepare(VideoRequest(prompt="a cat", prompt_optimizer=True))
        assert any("may not find the clip afterwards" in said for said in ready.warnings)
        await hailuo.send(ready.request)
    (asked,) = script.asked
    assert "enable_prompt_expansion" not in json.loads(asked.content)


async def test_a_refused_key_names_the_host_that_was_asked():
    refusal = httpx.Response(200, json={"base_resp": {"status_code": 1004}})
    async with client(Script(refusal), base_url="https://gateway.example.com") as hailuo:
        with pytest.raises(AuthenticationError, match=r"gateway\.example\.com"):
            await hailuo.send(CAT)


async def test_the_link_is_asked_at_retrieve_and_the_bytes_are_the_fallback():
    done = RemoteStatus(phase=Phase.SUCCEEDED, word="Success", file_id="7")
    url = "https://cdn.example.com/v.mp4?Expires=4000000000"
    async with client(Script(ok(file={"file_id": 7, "download_url": url}))) as hailuo:
        link = await hailuo.link(done)
        assert (link.url, link.authorised, link.expires_at) == (url, False, 4_000_000_000)
    for trouble in (ok(file={}), httpx.Response(500), httpx.Response(404)):
        async with client(Script(trouble)) as hailuo:
            link = await hailuo.link(done)
            assert link.authorised
            assert link.url == "/v1/files/retrieve_content?file_id=7"
    refusal = httpx.Response(200, json={"base_resp": {"status_code": 2049}})
    async with client(Script(refusal)) as hailuo:
        with pytest.raises(AuthenticationError):
            await hailuo.link(done)


async def test_wait_returns_when_the_task_is_final():
    script = Script(ok(status="Queueing"), ok(status="Processing"), ok(status="Fail"))
    async with client(script) as hailuo:
        status = await hailuo.wait("1")
    assert status.phase is Phase.FAILED
    assert len(script.asked) == 3


async def test_wait_ends_at_its_deadline_and_loses_nothing():
    script = Script(ok(status="Processing"))
    async with client(script) as hailuo:
        with pytest.raises(TimeoutError, match="wait for the same id again"):
            await hailuo.wait("1", timeout=60, poll_seconds=10)
    assert len(script.asked) == 7


async def test_wait_bears_passing_trouble_but_not_for_ever():
    limit = httpx.Response(200, json={"base_resp": {"status_code": 1002}})
    script = Script(limit, httpx.Response(500), ok(status="Success", file_id="1"))
    async with client(script) as hailuo:
        assert (await hailuo.wait("1")).phase is Phase.SUCCEEDED
    async with client(Script(httpx.Response(500))) as hailuo:
        with pytest.raises(ProviderUnavailableError):
            await hailuo.wait("1", timeout=None)
    async with client(Script(httpx.Response(200, text="<html>"))) as hailuo:
        with pytest.raises(UnexpectedResponseError):
            await hailuo.wait("1", timeout=None)


async def test_wait_does_not_bear_trouble_that_will_not_pass():
    script = Script(httpx.Response(404))
    async with client(script) as hailuo:
        with pytest.raises(RemoteTaskNotFoundError):
            await hailuo.wait("1")
    assert len(script.asked) == 1


async def test_templates_have_their_twins():
    script = Script(ok(task_id="9"), ok(status="Success", video_url="https://e.com/v.mp4"))
    async with client(script) as hailuo:
        bought = await hailuo.submit_template(
            TemplateRequest(template_id="生无可恋", text_inputs=("a rabbit",))
        )
        status = await hailuo.wait_template(bought.remote_id)
        assert (await hailuo.query_template(bought.remote_id)).url == status.url
        link = await hailuo.link(status)
    assert link.url == "https://e.com/v.mp4"
    assert script.asked[0].url.path == "/v1/video_template_generation"
    assert b"394125185182695432" in script.asked[0].content
    assert script.asked[1].url.path == "/v1/query/video_template_generation"


async def test_a_global_template_is_priced_and_a_chinese_one_is_not():
    script = Script(ok())
    art = TemplateRequest(template_id="394875727173492739", text_inputs=("HELLO",))
    async with client(script, provider="minimax-global") as hailuo:
        quote = (await hailuo.prepare(art)).quote
    assert (quote.amount, quote.unit) == (Decimal("0.35"), Unit.USD)
    rabbit = TemplateRequest(template_id="394125185182695432", text_inputs=("a rabbit",))
    async with client(script, provider="minimax-cn") as hailuo:
        assert (await hailuo.prepare(rabbit)).quote.amount is None


async def test_pictures_are_opened_and_every_problem_is_named_at_once(tmp_path):
    from PIL import Image

    Image.new("RGB", (800, 600)).save(tmp_path / "good.png")
    Image.new("RGB", (100, 100)).save(tmp_path / "small.png")
    async with client(Script(ok()), folders=Folders(tmp_path, (tmp_path,))) as hailuo:
        good = VideoRequest(prompt="p", first_frame_image=str(tmp_path / "good.png"))
        prepared = await hailuo.prepare(good)
        assert prepared.request.first_frame_image.startswith("data:image/png;base64,")
        assert prepared.images["first_frame_image"].facts.width == 800
        bad = VideoRequest(
            prompt="p",
            first_frame_image=str(tmp_path / "small.png"),
            last_frame_image=str(tmp_path / "missing.png"),
        )
        with pytest.raises(InvalidRequestError) as caught:
            await hailuo.prepare(bad)
        with pytest.raises(InvalidRequestError):
            await hailuo.prepare(good, local=False)
    assert "the first frame" in str(caught.value)
    assert "the last frame" in str(caught.value)


async def test_a_library_s_pictures_are_made_fit_too(tmp_path):
    from PIL import Image

    Image.new("RGB", (1500, 400)).save(tmp_path / "wide.gif")
    wide = VideoRequest(prompt="p", first_frame_image=str(tmp_path / "wide.gif"))
    script = Script(ok(task_id="7"))
    async with client(script, folders=Folders(tmp_path, (tmp_path,))) as hailuo:
        with pytest.raises(InvalidRequestError, match=r'VideoRequest\(image_fit="crop"\)'):
            await hailuo.submit(wide)
        with pytest.raises(InvalidRequestError, match="no clips are kept here"):
            await hailuo.submit(replace(wide, first_frame_image="task:v1#last"))
        assert not script.asked
        await hailuo.submit(replace(wide, image_fit="pad"))
    sent = json.loads(script.asked[0].content)
    assert sent["first_frame_image"].startswith("data:image/png;base64,")
    assert "image_fit" not in sent


async def test_the_check_of_a_key_asks_without_spending():
    script = Script(ok())
    async with client(script) as hailuo:
        await hailuo.check_key()
    assert [(r.method, r.url.path) for r in script.asked] == [("GET", "/v1/token_plan/remains")]
    async with client(Script(httpx.Response(401))) as hailuo:
        with pytest.raises(AuthenticationError):
            await hailuo.check_key()
    for name in ("xcompute", "compat", "hingnet"):
        async with client(Script(httpx.Response(404, json={})), provider=name) as hailuo:
            await hailuo.check_key()


async def test_an_embedded_provider_is_started_once_and_needs_no_key(sandbox):
    started: list[str] = []

    def serve() -> str:
        started.append(sandbox.base_url)
        return sandbox.base_url

    async with HailuoClient(provider="sandbox", serve=serve) as hailuo:
        assert started == []
        bought = await hailuo.submit(CAT)
        await hailuo.query(bought.remote_id)
    assert len(started) == 1
    async with HailuoClient(provider="sandbox") as hailuo:
        with pytest.raises(ConfigError, match="hailuo-mcp sandbox"):
            await hailuo.submit(CAT)


async def test_a_clip_is_bought_awaited_and_saved(sandbox, tmp_path):
    async with HailuoClient("k", provider="sandbox", base_url=sandbox.base_url) as hailuo:
        bought = await hailuo.submit(CAT)
        await hailuo.wait(bought.remote_id, poll_seconds=0.1)
        saved = await hailuo.download(bought.remote_id, tmp_path)
    assert saved.path.parent == tmp_path
    assert saved.path.suffix == ".mp4"
    assert saved.bytes == saved.path.stat().st_size


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_path_that_ends_in_a_separator_is_a_folder_there_or_not(
    sandbox, tmp_path, guarded: bool
):
    folders = Folders(tmp_path, (tmp_path,)) if guarded else None
    async with HailuoClient(
        "k", provider="sandbox", base_url=sandbox.base_url, folders=folders
    ) as hailuo:
        bought = await hailuo.submit(CAT)
        await hailuo.wait(bought.remote_id, poll_seconds=0.1)
        saved = await hailuo.download(bought.remote_id, f"{tmp_path}/out/")
    assert saved.path.parent == tmp_path / "out"
    assert saved.path.suffix == ".mp4"


async def test_a_picture_s_link_is_read_to_a_limit():
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=bytes(int(request.url.params["size"])))

    most = PICTURE.most_bytes
    async with HailuoClient("k", wire=httpx.MockTransport(answer)) as hailuo:
        assert len(await hailuo.fetch(f"https://1.1.1.1/a.png?size={most}")) == most
        with pytest.raises(InvalidRequestError, match="larger than 64 MB"):
            await hailuo.fetch(f"https://1.1.1.1/a.png?size={most + 1}")


async def test_a_failed_clip_is_not_saved(tmp_path):
    async with client(Script(ok(status="Fail"))) as hailuo:
        with pytest.raises(InvalidRequestError, match="Nothing was sent or charged"):
            await hailuo.download("1", tmp_path / "x.mp4")
    assert list(tmp_path.iterdir()) == []


# ── MiniMax's v2 API, chosen by the model ────────────────────────────────────────────────────────

H3_CAT = VideoRequest(prompt="a cat", model=H3, duration=4, resolution="768P", aspect_ratio="16:9")
DONE = {"task": {"status": "succeeded", "content": {"url": "https://e.com/v.mp4"}}}


def told(http: int = 200, /, **body: object) -> httpx.Response:
    return httpx.Response(http, json=body)


async def test_the_model_of_a_request_or_a_task_chooses_the_api():
    script = Script(told(task_id="7"), told(**DONE), told(**DONE), ok(status="Fail"))
    async with client(script, provider="minimax-cn") as hailuo:
        bought = await hailuo.send(H3_CAT)
        status = await hailuo.wait(bought.remote_id, model="Hailuo 03")
        assert (await hailuo.query("7", model="h3")).url == status.url
        assert (await hailuo.link(status)).url == "https://e.com/v.mp4"
        await hailuo.wait("7")
    assert [f"{asked.method} {asked.url.path}" for asked in script.asked] == [
        "POST /v2/video_generation",
        "GET /v2/query/video_generation/7",
        "GET /v2/query/video_generation/7",
        "GET /v1/query/video_generation",
    ]


async def test_an_upgrade_is_sent_as_it_is_and_by_id_may_be_refused_apart():
    upgrade = UpgradeRequest(source_id="", remote_id="7", model=H3, resolution="2K")
    message = "source_task_id is not enabled for this account (2013)"
    refusal = {"type": "bad_request_error", "message": message, "http_code": "400"}
    script = Script(told(task_id="8"), told(400, type="error", error=refusal))
    async with client(script, provider="minimax-cn") as hailuo:
        assert (await hailuo.send(upgrade)).remote_id == "8"
        with pytest.raises(SourceIdNotEnabledError, match="Nothing was charged") as caught:
            await hailuo.send(upgrade)
    assert not NOT_OURS.search(said(caught))
    assert script.asked[0].url.path == "/v2/video_regeneration"


async def test_a_cancel_is_sent_once_and_says_what_was_done():
    script = Script(told(task_id="7", action="cancelled", status="cancelled"))
    async with client(script, provider="minimax-cn") as hailuo:
        assert await hailuo.cancel("7", model=H3) is True
    (asked,) = script.asked
    assert (asked.method, asked.url.path) == ("DELETE", "/v2/video_generation/7")
    late = {"type": "bad_request_error", "message": "the task is running (2013)"}
    async with client(Script(told(400, type="error", error=late))) as hailuo:
        assert await hailuo.cancel("7", model=H3) is False
    async with client(Script(told(action="deleted", status="succeeded"))) as hailuo:
        with pytest.raises(RecordDeletedError, match="has deleted its record"):
            await hailuo.cancel("7", model=H3)


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("slow"), httpx.Response(502), httpx.Response(504)]
)
async def test_a_lost_answer_to_a_cancel_is_uncertain_and_never_repeated(answer):
    script = Script(answer)
    async with client(script) as hailuo:
        with pytest.raises(UnconfirmedCancelError) as caught:
            await hailuo.cancel("7", model=H3)
    assert len(script.asked) == 1
    assert not NOT_OURS.search(said(caught))


async def test_a_cancel_that_was_not_sent_has_changed_nothing():
    script = Script(httpx.ConnectError("no"))
    async with client(script) as hailuo:
        with pytest.raises(ProviderUnavailableError, match="was not sent"):
            await hailuo.cancel("7", model=H3)
        with pytest.raises(RemoteTaskNotFoundError):
            await hailuo.cancel("7 7", model=H3)
    assert len(script.asked) == 1


@pytest.mark.parametrize("provider", ["minimax-cn", "hingnet", "xcompute", "compat"])
async def test_where_tasks_cannot_be_cancelled_or_listed_nothing_is_asked(provider):
    script = Script(ok())
    async with client(script, provider=provider) as hailuo:
        for ask in (hailuo.cancel("7", model=CAT.model), hailuo.newest(model=CAT.model)):
            with pytest.raises(InvalidRequestError, match="has no way to"):
                await ask
    assert script.asked == []


async def test_the_newest_tasks_are_read_page_by_page_under_the_official_name():
    row = {"id": "7", "created_at": 1_760_000_000, "model": H3, "status": "queued"}
    script = Script(httpx.Response(503), told(items=[row], total=21), told(items=[]))
    async with client(script) as hailuo:
        page = await hailuo.newest(model="h3")
        assert ([it.remote_id for it in page.tasks], page.total) == (["7"], 21)
        assert (await hailuo.newest(model=H3, page=2)).tasks == ()
    assert [str(asked.url.query, "ascii") for asked in script.asked] == [
        "page_num=1&page_size=20&filter.model=MiniMax-H3",
        "page_num=1&page_size=20&filter.model=MiniMax-H3",
        "page_num=2&page_size=20&filter.model=MiniMax-H3",
    ]


async def test_a_clip_of_v2_is_saved_by_its_id_and_its_model(tmp_path):
    script = Script(told(**DONE), httpx.Response(404))
    async with client(script, provider="minimax-cn") as hailuo:
        with pytest.raises(HailuoError):  # the link leads nowhere
            await hailuo.download("7", tmp_path / "a.mp4", model=H3)
    asked = {asked.url.path for asked in script.asked if "minimaxi" in asked.url.host}
    assert asked == {"/v2/query/video_generation/7"}

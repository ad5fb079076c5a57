"""The free part, over real HTTP against the sandbox of every provider, and against worse hosts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hailuo_mcp import HailuoClient
from hailuo_mcp.cli.set_up.verify.command import region_of_key
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread
from hailuo_mcp.settings import Settings, read_settings
from hailuo_mcp.verification.facts import Kind, Outcome
from hailuo_mcp.verification.free import Tried, planned_steps, verify_free
from hailuo_mcp.verification.observed import Observed
from hailuo_mcp.verification.plan import Planned

pytestmark = pytest.mark.anyio
KEY = "sk-planted"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder: Path = tmp_path_factory.mktemp("provider")
    running = serve_in_thread(SandboxOptions(state_dir=folder, fast_clips=True))
    yield running
    accounts = read_book(folder)["accounts"].values()
    assert not any(account["tasks"] for account in accounts), "nothing of all this was bought"
    running.stop()


async def no_pause(_seconds: float) -> None:
    pass


async def tried_by(client: HailuoClient, observed: Observed, **more: Any) -> list[Tried]:
    return [it async for it in verify_free(client, observed, **more) if isinstance(it, Tried)]


async def against(answer: Any, provider: str = "minimax-cn") -> tuple[list[Tried], list[str]]:
    """What is tried with a host that answers so, and what it was asked."""
    asked = list[str]()

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return answer(request)

    observed = Observed()
    wire = httpx.MockTransport(handle)
    async with HailuoClient(
        KEY, provider=provider, wire=wire, sleep=no_pause, observe=observed
    ) as client:
        return await tried_by(client, observed), asked


@pytest.mark.parametrize("name", PROVIDERS)
async def test_the_sandbox_of_every_provider_is_as_documented(sandbox, name):
    observed = Observed()
    async with HailuoClient(
        KEY, provider=name, base_url=sandbox.base_url, observe=observed
    ) as client:
        tried = await tried_by(client, observed)

    found = {it.step.name: (it.step.outcome, it.step.differences) for it in tried}
    assert found == {
        step.name: (Outcome.AS_DOCUMENTED, ()) for step in planned_steps(PROVIDERS[name])
    }


async def test_each_request_is_announced_before_it_is_sent(sandbox):
    observed, asked = Observed(), list[str]()

    def see(request: Any, reply: Any) -> None:
        asked.append(request.path)
        observed(request, reply)

    async with HailuoClient(
        KEY, provider="minimax-cn", base_url=sandbox.base_url, observe=see
    ) as client:
        async for it in verify_free(client, observed):
            if isinstance(it, Planned):
                asked.clear()
            else:
                assert asked == [it.exchanges[0].request.path]


async def test_a_host_that_is_not_reached_is_given_up_after_the_first_question():
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    tried, asked = await against(refuse)

    assert set(asked) == {"GET /v1/token_plan/remains"}
    assert [it.step.outcome for it in tried] == [Outcome.FAILED] + 8 * [Outcome.SKIPPED]
    assert tried[0].step.differences[0].kind is Kind.NO_ANSWER


async def test_one_address_that_does_not_answer_stops_nothing():
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/files/retrieve":
            raise httpx.ReadError("cut")
        return httpx.Response(200, json={"base_resp": {"status_code": 2013, "status_msg": ""}})

    tried, asked = await against(answer)

    assert Outcome.SKIPPED not in [it.step.outcome for it in tried]
    assert len([it for it in asked if it.startswith("POST")]) == 3


async def test_where_the_key_has_no_address_of_its_own_the_next_question_shows_it():
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/token_plan/remains":
            return httpx.Response(404)
        return httpx.Response(200, json={"base_resp": {"status_code": 2049, "status_msg": ""}})

    tried, asked = await against(answer)

    assert asked == ["GET /v1/token_plan/remains", "GET /v1/query/video_generation"]
    assert tried[1].key_refused
    assert not tried[0].key_refused


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (200, {"task_id": "77", "base_resp": {"status_code": 0, "status_msg": "ok"}}, "77"),
        (200, {"task_id": "77", "base_resp": {"status_code": 2013, "status_msg": ""}}, "77"),
        (200, {"base_resp": {"status_code": 0, "status_msg": "ok"}}, ""),
        (500, {"base_resp": {"status_code": 1000, "status_msg": ""}}, ""),
        (502, {}, ""),
    ],
    ids=["a task", "a task and a refusal", "success", "an error", "a gateway's"],
)
async def test_whatever_is_no_certain_refusal_ends_these_requests(status, body, named):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(status, json=body)
        return httpx.Response(200, json={"base_resp": {"status_code": 2013, "status_msg": ""}})

    tried, asked = await against(answer)

    assert [it for it in asked if it.startswith("POST")] == ["POST /v1/video_generation"]
    (accepted,) = [it for it in tried if it.accepted]
    assert accepted.remote_id == named
    assert [it.kind for it in accepted.step.differences].count(Kind.ACCEPTED) == 1
    assert [it.step.outcome for it in tried[-2:]] == 2 * [Outcome.SKIPPED]
    assert "77" not in str(accepted.step)


@pytest.mark.parametrize("name", ["xcompute", "compat", "compat-v3", "hingnet"])
async def test_a_task_is_found_wherever_a_format_names_it(name):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            body = {"code": 200, "data": [{"status": "submitted", "task_id": "77"}]}
            return httpx.Response(200, json=body if name == "xcompute" else {"task_id": "77"})
        return httpx.Response(404, json={"error": "no"})

    tried, _ = await against(answer, name)

    assert (tried[-1].accepted, tried[-1].remote_id) == (True, "77")


@pytest.mark.parametrize("code", [1004, 2049])
async def test_the_code_of_a_refused_key_is_no_answer_about_an_id(code):
    def answer(request: httpx.Request) -> httpx.Response:
        shown = request.url.path == "/v1/token_plan/remains"
        body = {"base_resp": {"status_code": 0 if shown else code, "status_msg": ""}}
        return httpx.Response(200, json=body)

    tried, _ = await against(answer)

    of_ids = [it.step for it in tried[1:4]]
    assert all(Kind.OTHER_CODE in {it.kind for it in step.differences} for step in of_ids)
    assert not any(it.key_refused for it in tried)


async def test_what_nobody_documents_of_the_balance_is_listed():
    def answer(_request: httpx.Request) -> httpx.Response:
        more = {"model_remains": [{"nonsense": []}], "brightmoose": 1}
        return httpx.Response(200, json={"base_resp": {"status_code": 0, "status_msg": ""}, **more})

    tried, _ = await against(answer)

    assert tried[0].step.answers[-1] == "its shape is not documented (`model_remains`, `…`)"


class _Client:
    """Stands for the client of the other region."""

    def __init__(self, code: int) -> None:
        self._client = HailuoClient(KEY, provider="minimax-global", wire=_says(code))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _says(code: int) -> httpx.MockTransport:
    body = {"base_resp": {"status_code": code, "status_msg": ""}}
    return httpx.MockTransport(lambda _request: httpx.Response(200, json=body))


@pytest.mark.parametrize(("code", "found"), [(0, "minimax-global"), (2049, "")])
async def test_a_refused_key_is_shown_to_the_other_region_only(tmp_path, code, found):
    shown = list[Settings]()

    def connect(settings: Settings) -> Any:
        shown.append(settings)
        return _Client(code)

    environ = {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": KEY}
    settings = read_settings({**environ, "HAILUO_STATE_DIR": str(tmp_path)})

    assert await region_of_key(settings, connect) == found
    assert [it.base_url for it in shown] == ["https://api.minimax.io"]
    relay = replace(settings, base_url="https://relay.example")
    assert await region_of_key(relay, connect) == ""
    assert len(shown) == 1, "no other host sees the key"

"""Access tokens of an issuer at the server's doors: who comes in, and who may buy."""

from __future__ import annotations

import json
import logging
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from starlette.applications import Starlette
from starlette.routing import Mount
from until import until_now

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.http.logs import JsonLines
from hailuo_mcp.server.http.oauth.keys import PAUSE_SECONDS
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.tools.purchase import TermsArguments
from hailuo_mcp.settings import Settings
from hailuo_mcp.wording import person

from .conftest import NO_TLS, WAYS, Served, sse_http
from .issuer import AUDIENCE, BOTH, Issuer, new_key
from .test_oauth_tokens import Clock

METADATA = "/.well-known/oauth-protected-resource"
BUY = {"name": "generate_video", "arguments": {"prompt": "A boat"}}
READ_ONLY = "hailuo:read"


@pytest.fixture
def issuer():
    with Issuer() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guarded(serve, issuer, clock):
    """A server with static tokens and the issuer beside them."""
    return serve(clock=clock, **_oauth(issuer))


def _oauth(issuer: Issuer, **more: str) -> dict[str, str]:
    return {
        "HAILUO_OAUTH_ISSUER": issuer.url,
        "HAILUO_OAUTH_AUDIENCE": AUDIENCE,
        **more,
    }


def _facts(header: str) -> dict[str, str]:
    assert header.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


def test_without_a_token_a_client_learns_where_to_get_one(guarded, issuer):
    with guarded.http(caller="") as http:
        for path, end in [
            ("/mcp", "/mcp"),
            ("/sse", "/sse"),
            ("/messages/", "/sse"),
            ("/ready", ""),
        ]:
            reply = http.get(path)
            told = _facts(reply.headers["www-authenticate"])
            assert reply.status_code == 401
            assert told["resource_metadata"] == f"{guarded.url}{METADATA}{end}"
            assert told["scope"] == BOTH
            assert "error" not in told
            document = http.get(told["resource_metadata"]).json()
            assert document["resource"] == guarded.url + end
            assert document["authorization_servers"] == [issuer.url]
            assert document["scopes_supported"] == BOTH.split()
            assert document["bearer_methods_supported"] == ["header"]


def test_the_metadata_is_only_there_with_an_issuer(server):
    with server.http(caller="") as http:
        assert http.get(METADATA).status_code == 401
        assert "resource_metadata" not in http.get("/mcp").headers["www-authenticate"]


def test_what_only_looks_like_metadata_is_guarded(guarded):
    with guarded.http(caller="") as http:
        for path in (f"{METADATA}x", f"{METADATA}/../../ready", "/.well-known", "/.well-known/x"):
            reply = http.send(http.build_request("GET", httpx.URL(guarded.url + path)))
            assert reply.status_code in (401, 404), path
        assert http.get(f"{METADATA}/nothing").status_code == 404
        assert http.get(METADATA, headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.anyio
async def test_addresses_are_right_behind_a_proxy_and_below_a_path(tmp_path, issuer):
    base = {"HAILUO_PROVIDER": "sandbox", "HAILUO_STATE_DIR": str(tmp_path)}
    behind = _oauth(issuer, HAILUO_CALLBACK_URL="https://mcp.example.com/video")
    for environ, address in [
        (behind, "https://mcp.example.com/video"),
        (_oauth(issuer), "http://localhost/below/it"),
    ]:
        app = create_app(Settings.from_env(base | environ), with_sse=True)
        below = Starlette(routes=[Mount("/below/it", app)])
        transport = httpx.ASGITransport(below, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost/below/it"
        ) as http:
            told = _facts((await http.get("/mcp")).headers["www-authenticate"])
            document = (await http.get(f"{METADATA}/mcp")).json()
        assert told["resource_metadata"] == f"{address}{METADATA}/mcp"
        assert document["resource"] == f"{address}/mcp"


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
async def test_each_person_of_the_issuer_is_a_caller_of_their_own(guarded, issuer, way):
    carol, dave = issuer.token("carol"), issuer.token("dave")
    async with (
        guarded.client(way, carol) as hers,
        guarded.client(way, dave) as his,
        guarded.client(way, "alice") as alices,
    ):
        made = await hers.call_tool(**BUY)
        task_id = made.structured_content["task_id"]
        assert not made.is_error
        seen = await hers.call_tool("list_tasks", {})
        assert [row["task_id"] for row in seen.structured_content["tasks"]] == [task_id]
        for other in (his, alices):
            assert not (await other.call_tool("list_tasks", {})).structured_content.get("tasks")
        assert not (await alices.call_tool(**BUY)).is_error
    task = await guarded.served.context.opened.store.find(task_id)

    assert task.caller == "oauth:carol"


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/ready", "/metrics", "/nothing"])
def test_a_token_that_is_not_good_is_refused_everywhere(guarded, issuer, path):
    now = int(guarded.served.oauth.check.clock())
    with guarded.http(caller="") as http:
        for about, token in {
            "It has expired.": issuer.token(exp=now - 60),
            "It is from another issuer.": issuer.token(iss="https://evil.example"),
            "It was issued for another audience.": issuer.token(aud=guarded.url),
            "It is not valid yet.": issuer.token(nbf=now + 600),
            "It is signed with a key that is not the issuer's.": issuer.token(key=new_key("x")),
            "It is neither a token of this server nor a signed access token.": "wrong",
        }.items():
            reply = http.get(path, headers={"Authorization": f"Bearer {token}"})
            told = _facts(reply.headers["www-authenticate"])
            assert (reply.status_code, reply.text) == (401, about)
            assert (told["error"], told["error_description"]) == ("invalid_token", about)
            assert told["resource_metadata"].startswith(guarded.url + METADATA)


def test_a_token_that_may_not_even_read_is_told_the_scope(guarded, issuer):
    for scope in ("", "openid profile", "hailuo:buy", "hailuo:readonly"):
        with guarded.http(issuer.token(scope=scope)) as http:
            for path in ("/mcp", "/sse", "/ready", "/metrics"):
                reply = http.get(path)
                told = _facts(reply.headers["www-authenticate"])
                assert reply.status_code == 403
                assert (told["error"], told["scope"]) == ("insufficient_scope", "hailuo:read")


def test_an_unknown_tenant_is_refused(guarded, issuer):
    with guarded.http(issuer.token(tenant="north")) as http:
        reply = http.get("/ready")
    assert reply.status_code == 403
    assert "tenant" in reply.text
    assert "www-authenticate" not in reply.headers


@pytest.mark.anyio
async def test_a_claim_names_a_tenant_for_as_long_as_it_is_one(
    serve, issuer, clock, tmp_path, monkeypatch
):
    monkeypatch.setattr("hailuo_mcp.tenants.LOOK_SECONDS", 0.05)
    file = tmp_path / "tenants.toml"
    file.write_text("[tenants.north]\nconfirm_above = 1\n")
    guarded = serve(clock=clock, **_oauth(issuer, HAILUO_TENANTS=str(file)))
    token = issuer.token("carol", tenant="north")
    async with guarded.client("auto", token) as client:
        refused = await client.call_tool(**BUY)
    assert refused.structured_content["error"]["code"] == "consent_required"
    file.write_text("")
    with guarded.http(token) as http:
        until_now(lambda: http.get("/ready").status_code == 403)


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
async def test_a_token_for_reading_reads_and_buys_nothing(guarded, issuer, way):
    async with guarded.client(way, issuer.token(scope=READ_ONLY)) as client:
        assert len((await client.list_tools()).tools) > 5
        assert not (await client.call_tool("list_tasks", {})).is_error
        assert not (await client.call_tool("estimate_cost", {})).is_error
        for name in sorted(guarded.served.mcp.spending):
            wanted = {"prompt": "A boat"} if name == "generate_video" else {}
            if way == "sse":
                refused = await client.call_tool(name, wanted)
                assert refused.is_error
                assert refused.structured_content["error"]["code"] == "not_permitted"
                said = refused.content[0].text
            else:
                with pytest.raises(MCPError) as raised:
                    await client.call_tool(name, wanted)
                said = str(raised.value)
            assert "hailuo:buy" in said
            assert "Nothing was sent or charged" in said

    assert guarded.remote() == []
    assert await guarded.served.context.opened.store.counts() == {}


def _call(name: str) -> dict[str, object]:
    return {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": name, "arguments": {"prompt": "A boat"}},
    }


ACCEPT = {"Accept": "application/json, text/event-stream"}
MODERN = ACCEPT | {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "generate_video",
}


@pytest.mark.parametrize("headers", [MODERN, ACCEPT], ids=["modern", "legacy"])
def test_the_refusal_names_all_scopes_that_buying_needs(guarded, issuer, headers):
    with guarded.http(issuer.token(scope=READ_ONLY)) as http:
        for body in (_call("generate_video"), [_call("list_tasks"), _call("generate_video")]):
            reply = http.post("/mcp", json=body, headers=headers)
            told = _facts(reply.headers["www-authenticate"])
            assert reply.status_code == 403
            assert told["error"] == "insufficient_scope"
            assert told["scope"] == BOTH
            assert told["resource_metadata"] == f"{guarded.url}{METADATA}/mcp"
            assert reply.json()["id"] == 7
        for body in (_call("list_tasks"), "no call", [[]], {"method": "tools/call", "params": 7}):
            assert http.post("/mcp", json=body, headers=headers).status_code != 403
        assert http.post("/mcp", content=b"{" * 5000, headers=headers).status_code != 403


def test_every_tool_that_buys_is_known_as_one(guarded):
    server: Server = guarded.served.mcp
    buys = {name for name, kind in server.arguments_of.items() if issubclass(kind, TermsArguments)}
    assert buys
    assert buys <= server.spending


def _begin(http: httpx.Client) -> dict[str, str]:
    """A session of the older era, as a header."""
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    session = http.post("/mcp", json=hello, headers=ACCEPT).headers["mcp-session-id"]
    headers = ACCEPT | {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert http.post("/mcp", json=ready, headers=headers).status_code == 202
    return headers


def _with(token: str, headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Authorization": f"Bearer {token}"}


def test_a_session_is_its_persons_whatever_their_token_allows_now(guarded, issuer):
    with guarded.http(issuer.token()) as http:
        session = _begin(http)
        lesser = _with(issuer.token(scope=READ_ONLY), session)
        assert http.post("/mcp", json=_call("generate_video"), headers=lesser).status_code == 403
        assert http.post("/mcp", json=_call("list_tasks"), headers=lesser).status_code == 200
        newer = _with(issuer.token(jti="2"), session)
        assert http.post("/mcp", json=_call("generate_video"), headers=newer).status_code == 200
        for other in (issuer.token("dave"), "alices-token-0123456789"):
            foreign = _with(other, session)
            assert http.post("/mcp", json=_call("list_tasks"), headers=foreign).status_code == 404


def test_a_token_that_expires_in_a_session_is_refused_at_the_next_request(guarded, issuer, clock):
    with guarded.http(issuer.token()) as http:
        session = _begin(http)
        assert http.post("/mcp", json=_call("list_tasks"), headers=session).status_code == 200
        clock.now += 400
        late = http.post("/mcp", json=_call("list_tasks"), headers=session)
        assert (late.status_code, late.text) == (401, "It has expired.")
        renewed = _with(issuer.token(now=clock.now), session)
        assert http.post("/mcp", json=_call("list_tasks"), headers=renewed).status_code == 200


class _Bearer(httpx2.Auth):
    """The client's token at this moment."""

    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


@pytest.mark.anyio
async def test_over_the_older_transport_each_message_counts_by_its_own_token(guarded, issuer):
    from mcp.client.sse import sse_client

    bearer = _Bearer(issuer.token())
    async with Client(
        sse_client(f"{guarded.url}/sse", auth=bearer, httpx_client_factory=sse_http), mode="auto"
    ) as client:
        bearer.token = issuer.token(scope=READ_ONLY)
        assert (await client.call_tool(**BUY)).is_error
        assert guarded.remote() == []
        bearer.token = issuer.token()
        assert not (await client.call_tool(**BUY)).is_error


def test_an_issuer_that_is_away_is_said_plainly_and_shuts_nobody_else_out(guarded, issuer, clock):
    issuer.stop()
    with guarded.http(issuer.token()) as http, guarded.http("alice") as alice:
        reply = http.get("/ready")
        assert reply.status_code == 503
        assert reply.headers["retry-after"]
        assert "issuer does not answer" in reply.text
        assert "Traceback" not in reply.text
        assert alice.get("/ready").status_code == 200
        assert http.get("/health").status_code == 200
        issuer.start()
        clock.now += PAUSE_SECONDS
        assert http.get("/ready").status_code == 200
        issuer.stop()
        assert http.get("/ready").status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
async def test_no_log_and_no_answer_holds_a_token_or_a_claim(guarded, issuer, way, caplog):
    caplog.set_level(logging.DEBUG)
    lines, format_line = list[str](), JsonLines([]).format
    good = issuer.token("carol@private.example", email="secret-claim", tenant=None)
    bad = issuer.token("mallory@private.example", aud="https://secret-audience.example")
    async with guarded.client(way, good) as client:
        await client.call_tool(**BUY)
    with guarded.http(bad) as http:
        lines.append(http.get("/ready").text)
    with guarded.http(issuer.token("x@private.example", tenant="secret-tenant")) as http:
        lines.append(http.get("/ready").text)
    lines += [format_line(record) for record in caplog.records]
    callers = {json.loads(line).get("caller", "") for line in lines[2:]}

    assert len(lines) > 5
    for hidden in ("private.example", "secret-", good, bad, good.split(".")[1], "mallory"):
        assert not any(hidden in line for line in lines), hidden
    assert any(re.fullmatch(r"oauth:#[0-9a-f]{8}", caller) for caller in callers)


class _Memory:
    """What the SDK's client keeps."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.info: OAuthClientInformationFull | None = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.info

    async def set_client_info(self, client_info):
        self.info = client_info


def _person(server: Served, path: str = "/mcp") -> OAuthClientProvider:
    """The SDK's client, and a person in front of a browser who signs in."""
    answers: list[AuthorizationCodeResult] = []

    async def open_browser(url: str) -> None:
        async with httpx.AsyncClient(verify=NO_TLS) as browser:
            back = (await browser.get(url)).headers["location"]
        told = parse_qs(urlsplit(back).query)
        answers.append(AuthorizationCodeResult(code=told["code"][0], state=told["state"][0]))

    async def come_back() -> AuthorizationCodeResult:
        return answers.pop()

    return OAuthClientProvider(
        f"{server.url}{path}",
        OAuthClientMetadata(
            client_name="a client",
            redirect_uris=["http://127.0.0.1:1/callback"],
            token_endpoint_auth_method="none",
        ),
        _Memory(),
        open_browser,
        come_back,
    )


@pytest.fixture
def public(serve, issuer):
    """A server whose address is the audience."""
    return serve(callbacks=True, HAILUO_OAUTH_ISSUER=issuer.url)


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["auto", "legacy"])
async def test_the_sdks_client_signs_in_by_itself_and_buys(public, issuer, way):
    async with httpx2.AsyncClient(auth=_person(public), timeout=60, verify=NO_TLS) as http:
        transport = streamable_http_client(f"{public.url}/mcp", http_client=http)
        async with Client(transport, mode=way) as client:
            assert not (await client.call_tool(**BUY)).is_error

    assert [asked["scope"] for asked in issuer.requests] == [BOTH]
    assert issuer.requests[0]["resource"] == f"{public.url}/mcp"


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["auto", "legacy"])
async def test_the_sdks_client_asks_again_for_the_scope_that_is_missing(public, issuer, way):
    issuer.refused = "hailuo:buy"
    async with httpx2.AsyncClient(auth=_person(public), timeout=60, verify=NO_TLS) as http:
        transport = streamable_http_client(f"{public.url}/mcp", http_client=http)
        async with Client(transport, mode=way) as client:
            assert not (await client.call_tool("list_tasks", {})).is_error
            with pytest.raises(MCPError, match="hailuo:buy"):
                await client.call_tool(**BUY)
            assert public.remote() == []
            issuer.refused = ""
            assert not (await client.call_tool(**BUY)).is_error

    assert {asked["scope"] for asked in issuer.requests} == {BOTH}
    assert len(issuer.requests) == 3


@pytest.mark.anyio
async def test_the_sdks_client_signs_in_over_the_older_transport(public):
    from mcp.client.sse import sse_client

    transport = sse_client(
        f"{public.url}/sse", auth=_person(public, "/sse"), httpx_client_factory=sse_http
    )
    async with Client(transport, mode="auto") as client:
        assert not (await client.call_tool(**BUY)).is_error


def _settings(tmp_path, **environ):
    return Settings.from_env(
        {"HAILUO_PROVIDER": "sandbox", "HAILUO_STATE_DIR": str(tmp_path), **environ}
    )


def test_an_issuer_guards_a_server_that_others_can_reach(tmp_path):
    environ = {"HAILUO_OAUTH_ISSUER": "https://login.example.com"}
    public = {"HAILUO_CALLBACK_URL": "https://mcp.example.com"}
    app = create_app(_settings(tmp_path, **environ, **public), host="0.0.0.0")
    assert app.state.server.oauth.check.audiences[:3] == (
        "https://mcp.example.com",
        "https://mcp.example.com/mcp",
        "https://mcp.example.com/sse",
    )


def test_without_other_tokens_this_computer_needs_one_too(serve, issuer):
    server = serve(tokens=False, **_oauth(issuer))
    with server.http(caller="") as http:
        assert http.get("/ready").status_code == 401
        signed = {"Authorization": f"Bearer {issuer.token()}"}
        assert http.get("/ready", headers=signed).status_code == 200


def test_a_server_that_does_not_know_its_audience_does_not_start(tmp_path):
    with pytest.raises(ConfigError, match="for whom access tokens must be issued") as refused:
        create_app(_settings(tmp_path, HAILUO_OAUTH_ISSUER="https://login.example.com"))
    said = person.error_text(refused.value)
    assert "HAILUO_OAUTH_AUDIENCE" in said
    assert "HAILUO_CALLBACK_URL" in said


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("hailuo_mcp.server.http.app.find_spec", lambda _name: None)
    environ = {
        "HAILUO_OAUTH_ISSUER": "https://login.example.com",
        "HAILUO_OAUTH_AUDIENCE": "hailuo",
    }
    with pytest.raises(ConfigError) as refused:
        create_app(_settings(tmp_path, **environ))
    assert "hailuo-mcp[oauth]" in person.error_text(refused.value)


@pytest.mark.parametrize("name", ["HAILUO_OAUTH_ISSUER", "HAILUO_OAUTH_JWKS_URL"])
def test_an_issuer_is_trusted_only_over_tls(tmp_path, name):
    for good in (
        "https://login.example.com",
        "https://login.example.com/realms/video/",
        "http://127.0.0.1:8080/realms/video",
        "http://localhost:9000",
    ):
        settings = _settings(tmp_path, **{name: good})
        assert good in (settings.oauth_issuer, settings.oauth_jwks_url)
    for bad in (
        "http://mistyped.example",
        "http://10.0.0.1/",
        "mistyped.example",
        "https://",
        "https://user:word@mistyped.example",
        "https://mistyped.example/#x",
        "https://mistyped.example:x/",
        'https://mistyped.example/"',
        "https://mistyped.example/a b",
        "ftp://mistyped.example",
    ):
        with pytest.raises(ConfigError) as refused:
            _settings(tmp_path, **{name: bad})
        assert "mistyped" not in person.error_text(refused.value)

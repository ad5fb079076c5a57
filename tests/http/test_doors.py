"""Who may come in, and under which name."""

from __future__ import annotations

import socket

import httpx
import pytest

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.http import create_app, serve_http
from hailuo_mcp.settings import Settings
from hailuo_mcp.wording import person

GUARDED = ["/mcp", "/sse", "/messages/", "/ready", "/metrics", "/files", "/nothing"]
EVERYWHERE = ["/mcp", "/sse", "/messages/", "/ready", "/metrics", "/health", "/"]
SIGNED = ["/files/x", "/uploads/x", "/callbacks/x"]


def test_nobody_comes_in_without_a_token(server):
    with server.http(caller="") as http:
        for path in GUARDED:
            reply = http.get(path)
            assert reply.status_code == 401, path
            assert reply.headers["www-authenticate"].startswith("Bearer ")


WRONG = [
    "Bearer wrong",
    "Bearer alices-token-012345678",
    "Bearer alices-token-01234567899",
    "Bearer alice",
    "Bearer alice:alices-token-0123456789",
    "Bearer",
    "Basic alices-token-0123456789",
    "alices-token-0123456789",
]


def test_a_wrong_token_opens_nothing(server):
    with server.http(caller="") as http:
        for given in WRONG:
            replies = [http.get(path, headers={"Authorization": given}) for path in GUARDED]
            assert {reply.status_code for reply in replies} == {401}, given


def test_two_tokens_in_one_request_open_nothing(server):
    wrong_and_right = [
        ("Authorization", "Bearer wrong"),
        ("Authorization", "Bearer alices-token-0123456789"),
    ]
    with server.http(caller="") as http:
        assert http.get("/ready", headers=wrong_and_right).status_code == 401


def test_a_path_that_only_looks_open_is_not(server):
    with server.http(caller="") as http:
        for path in (
            "/files/../metrics",
            "/callbacks/x/../../metrics",
            "/health/../ready",
            "//ready",
        ):
            reply = http.send(http.build_request("GET", httpx.URL(server.url + path)))
            assert reply.status_code in (401, 404), path


def test_health_tells_anybody_that_the_process_lives(server):
    with server.http(caller="") as http:
        assert http.get("/health").json()["status"] == "ok"


def test_a_foreign_host_name_is_turned_away_on_every_route(server):
    foreign = ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "@", ""]
    with server.http() as http:
        for path in (*EVERYWHERE, *SIGNED):
            for host in foreign:
                reply = http.get(path, headers={"Host": host})
                assert reply.status_code == 421, (path, host)


def test_a_foreign_page_is_turned_away_on_every_route(server):
    foreign = ["https://evil.example", "http://127.0.0.1.evil.example", "null", "file://", "evil"]
    with server.http() as http:
        for path in (*EVERYWHERE, *SIGNED):
            for origin in foreign:
                reply = http.get(path, headers={"Origin": origin})
                assert reply.status_code == 403, (path, origin)


def test_a_second_host_header_is_turned_away(server):
    with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        reply = raw.recv(4096)

    assert reply.split()[1] in (b"400", b"421")


def test_the_names_that_the_operator_lists_are_answered(serve):
    server = serve(HAILUO_ALLOWED_HOSTS="mcp.example.com,other.example.com:8443")
    with server.http() as http:
        for host, status in [
            ("mcp.example.com", 200),
            ("MCP.example.com:9999", 200),
            ("other.example.com:8443", 200),
            ("other.example.com", 421),
            ("localhost", 200),
        ]:
            assert http.get("/health", headers={"Host": host}).status_code == status, host
        page = {"Host": "mcp.example.com", "Origin": "https://mcp.example.com"}
        assert http.get("/health", headers=page).status_code == 200


def _settings(tmp_path, **environ):
    base = {"HAILUO_PROVIDER": "sandbox", "HAILUO_STATE_DIR": str(tmp_path)}
    return Settings.from_env(base | environ)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "mcp.example.com"])
def test_without_a_token_it_does_not_listen_where_others_can_come(tmp_path, host):
    with pytest.raises(ConfigError, match="without a token") as refused:
        serve_http(_settings(tmp_path), host=host, port=0)
    assert "HAILUO_HTTP_TOKENS" in person.error_text(refused.value)


def test_without_a_token_it_takes_no_public_name(tmp_path):
    with pytest.raises(ConfigError, match=r"mcp\.example\.com.* without a token"):
        create_app(_settings(tmp_path, HAILUO_ALLOWED_HOSTS="mcp.example.com"))


@pytest.mark.anyio
async def test_without_a_token_only_this_computer_is_answered_whatever_the_host_says(tmp_path):
    app = create_app(_settings(tmp_path))
    for address, status in [("127.0.0.1", 503), ("10.0.0.7", 403), ("::1", 503)]:
        transport = httpx.ASGITransport(app, client=(address, 1))
        app.state.server.context.set_error(ConfigError("closed"))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/ready")).status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["auto", "legacy", "sse"])
async def test_each_caller_sees_only_his_own_tasks(server, way):
    async with server.client(way, "alice") as alice, server.client(way, "bob") as bob:
        made = await alice.call_tool("generate_video", {"prompt": "A boat"})
        task_id = made.structured_content["task_id"]
        hers = await alice.call_tool("list_tasks", {})
        his = await bob.call_tool("list_tasks", {})
        asked = await bob.call_tool("query_task", {"task_id": task_id, "wait_seconds": 0})

    assert [row["task_id"] for row in hers.structured_content["tasks"]] == [task_id]
    assert not his.structured_content.get("tasks")
    assert asked.is_error


def test_a_session_opens_only_to_the_token_that_began_it(server):
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
    accept = {"Accept": "application/json, text/event-stream"}
    with server.http("alice") as alice, server.http("bob") as bob:
        session = alice.post("/mcp", json=hello, headers=accept).headers["mcp-session-id"]
        list_tools = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        with_session = accept | {"Mcp-Session-Id": session}
        assert bob.post("/mcp", json=list_tools, headers=with_session).status_code == 404
        assert alice.post("/mcp", json=list_tools, headers=with_session).status_code != 404


@pytest.mark.anyio
async def test_without_tokens_a_caller_still_sits_elsewhere(serve, tmp_path):
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"secret")
    server = serve(tokens=False)
    async with server.client(caller="") as client:
        asked = {"prompt": "A boat", "first_frame_image": str(picture)}
        refused = await client.call_tool("generate_video", asked)

    assert refused.is_error
    assert "reads no files for callers" in refused.content[0].text

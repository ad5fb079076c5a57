"""Bodies, headers and connections that take too much."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys

import anyio
import pytest
from starlette.datastructures import Headers
from until import until_now

from hailuo_mcp.local_http import url_of
from hailuo_mcp.server.http.connection import Connection
from hailuo_mcp.server.http.limits import Limits, Quota, Streams, read_body

AUTH = "Authorization: Bearer alices-token-0123456789\r\n"

ONE_REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def _raw(server, text: bytes, seconds: float = 5) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), seconds) as raw:
        raw.sendall(text)
        reply = b""
        while part := raw.recv(65536):
            reply += part
        return reply


def _head(path: str, length: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{AUTH}"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=" + "0" * 32])
def test_a_body_that_says_it_is_too_large_is_not_read(server, path):
    reply = _raw(server, _head(path, "Content-Length: 9999999999"))

    assert reply.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=" + "0" * 32])
def test_a_body_that_grows_too_large_is_not_read_to_its_end(serve, path):
    server = serve(limits=Limits(body=1000))
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    reply = _raw(server, _head(path, "Transfer-Encoding: chunked") + chunk)

    assert reply.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=" + "0" * 32])
def test_a_body_that_does_not_come_is_not_waited_for(serve, path):
    server = serve(limits=Limits(body_seconds=0.3))
    reply = _raw(server, _head(path, "Content-Length: 100") + b"{")

    assert reply.startswith(b"HTTP/1.1 408")


def test_headers_have_an_end(server):
    reply = _raw(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000)

    assert reply.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_connection_that_does_not_send_its_headers_in_time_is_closed(serve, said):
    class Impatient(Connection):
        head_seconds = 0.3

    server = serve(connection=Impatient)

    assert _raw(server, said) == b""


def test_a_connection_too_many_is_closed_and_the_others_are_served(serve):
    server = serve(connections=3)
    with server.http() as http, socket.create_connection(("127.0.0.1", server.port), 5):
        assert http.get("/health").status_code == 200
        for _ in range(5):
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                assert _raw(server, ONE_REQUEST) == b""
        assert http.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("host", "url"), [("::", "http://[::]:8000"), ("mcp.local", "http://mcp.local:8000")]
)
def test_the_address_that_is_said_can_be_opened(host, url):
    assert url_of(host, 8000) == url


def test_connections_leave_room_for_other_files():
    code = (
        "import resource as r; from hailuo_mcp.server.http.serving import most_connections;"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, 1000));"
        "print(most_connections(), *r.getrlimit(r.RLIMIT_NOFILE))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert ran.stdout.split() == ["500", "1000", "1000"]


def test_answers_under_way_are_limited(serve):
    server = serve(limits=Limits(streams=1))
    with server.http() as one, server.http() as two, one.stream("GET", "/sse") as stream:
        assert stream.status_code == 200
        refused = two.get("/sse")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert two.get("/health").status_code == 200


def test_one_caller_s_answers_leave_room_for_another_s(serve):
    server = serve(limits=Limits(streams=2))
    with (
        server.http("alice") as alice,
        server.http("alice") as more,
        server.http("bob") as bob,
        alice.stream("GET", "/sse"),
    ):
        assert "of this token" in more.get("/sse").text
        with bob.stream("GET", "/sse") as stream:
            assert stream.status_code == 200


def test_one_caller_s_unfinished_bodies_leave_room_for_another_s(serve):
    server = serve(limits=Limits(streams=2))
    with (
        socket.create_connection(("127.0.0.1", server.port), 5) as slow,
        server.http("alice") as more,
        server.http("bob") as bob,
    ):
        slow.sendall(_head("/mcp", "Content-Length: 1000") + b"{")
        until_now(lambda: "of this token" in more.post("/mcp", json=HELLO, headers=ACCEPT).text)
        assert _greet(bob).status_code == 200


def test_a_caller_alone_has_all_of_it(serve):
    server = serve(tokens=False, limits=Limits(streams=2))
    with (
        server.http(caller="") as one,
        server.http(caller="") as two,
        one.stream("GET", "/sse"),
        two.stream("GET", "/sse") as stream,
    ):
        assert stream.status_code == 200


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def _greet(http, **headers):
    return http.post("/mcp", json=HELLO, headers=ACCEPT | headers)


def test_sessions_are_limited(serve):
    server = serve(tokens=False, limits=Limits(sessions=1))
    with server.http(caller="") as http:
        assert _greet(http).status_code == 200
        refused = _greet(http)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")


@pytest.mark.anyio
async def test_one_caller_s_sessions_leave_room_for_another_s(serve):
    server = serve(limits=Limits(sessions=2))
    with server.http("alice") as alice, server.http("bob") as bob:
        hers = _greet(alice)
        assert hers.status_code == 200
        named = {"MCP-Protocol-Version": "2025-06-18"}
        for refused in (_greet(alice), _greet(alice, **named)):
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        async with server.client("auto", "alice") as newer:  # the newer era has no sessions
            assert (await newer.list_tools()).tools
        his = _greet(bob)
        assert his.status_code == 200
        session = {"Mcp-Session-Id": hers.headers["mcp-session-id"]}
        assert bob.delete("/mcp", headers=session).status_code == 404
        assert _greet(alice).status_code == 503
        assert alice.delete("/mcp", headers=session).status_code == 200
        assert _greet(alice).status_code == 200


def test_sessions_that_are_not_used_count_no_longer():
    now = [0.0]
    quota = Quota(Limits(sessions=1), callers=2, clock=lambda: now[0])
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": []}
    quota.note_answer(scope, 200, Headers({"mcp-session-id": "a"}))
    now[0] = Limits().session_idle_seconds
    assert "sessions" in quota.refusal(scope)
    now[0] += 1
    assert not quota.refusal(scope)


def test_what_the_newer_era_is_sent_as_a_session_is_none():
    quota = Quota(Limits(sessions=1), callers=2)
    newer = [(b"mcp-protocol-version", b"2026-07-28"), (b"mcp-session-id", b"invented")]
    said = {"type": "http", "method": "POST", "path": "/mcp", "headers": newer}
    quota.note_answer(said, 200, Headers({}))

    assert not quota.refusal({"type": "http", "method": "POST", "path": "/mcp", "headers": []})


def test_nothing_is_kept_of_callers_who_have_nothing_open():
    now = [0.0]
    quota = Quota(Limits(), callers=2, clock=lambda: now[0])
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": []}
    with quota.count_stream():
        quota.note_answer(scope, 200, Headers({"mcp-session-id": "a"}))
    now[0] = Limits().session_idle_seconds + 1
    assert not quota.refusal(scope)

    assert not quota._streams
    assert not quota._sessions


@pytest.mark.anyio
async def test_a_body_half_sent_does_not_hold_up_the_leaving():
    streams, waiting, sent = Streams(), anyio.Event(), []

    async def receive():
        waiting.set()
        await anyio.sleep_forever()

    async def send(message):
        sent.append(message)

    async def read(scope, receive, _send):
        await read_body(scope, receive, limit=9, seconds=60)

    async def leave():
        await waiting.wait()
        streams.end()

    scope = {"type": "http", "headers": []}
    with anyio.fail_after(60):
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(leave)
            await streams.run(read, scope, receive, send)
    assert sent[0]["status"] == 503


def test_a_stream_without_a_session_makes_none(server):
    with server.http() as http:
        for method in ("GET", "DELETE"):
            reply = http.request(method, "/mcp", headers={"Accept": "text/event-stream"})
            assert reply.status_code == 405
            assert reply.headers["allow"] == "POST"
            assert "mcp-session-id" not in reply.headers


@pytest.mark.anyio
async def test_a_token_may_ask_for_few_unknown_ids_a_minute(server):
    async with server.client() as client:
        for number in range(6):
            refused = await client.call_tool("query_task", {"task_id": f"12345{number}"})
            assert refused.structured_content["error"]["code"] == "task_not_found"
        for tool in ("query_task", "download_video", "cancel_task"):
            refused = await client.call_tool(tool, {"task_id": "9999"})
            error = refused.structured_content["error"]
            assert (error["code"], error["charged"], error["retry"]) == ("rate_limited", "no", True)
            assert "list_tasks" in refused.content[0].text
    async with server.client(caller="bob") as client:
        refused = await client.call_tool("query_task", {"task_id": "9999"})
        assert refused.structured_content["error"]["code"] == "task_not_found"

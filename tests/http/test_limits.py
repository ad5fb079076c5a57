"""Bodies, headers and connections that take too much."""

from __future__ import annotations

import socket

import pytest

from hailuo_mcp.server.http import serving
from hailuo_mcp.server.http.intake import Limits

AUTH = "Authorization: Bearer alices-token-0123456789\r\n"


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
def test_a_connection_that_does_not_say_what_it_wants_is_closed(serve, said):
    class Impatient(serving.Connection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs, seconds=0.3)

    server = serve(connection=Impatient)

    assert _raw(server, said) == b""


def test_answers_under_way_are_limited(serve):
    server = serve(limits=Limits(streams=1))
    with server.http() as one, server.http() as two, one.stream("GET", "/sse") as stream:
        assert stream.status_code == 200
        assert two.get("/sse").status_code == 503
        assert two.get("/health").status_code == 200


def test_sessions_are_limited(serve):
    server = serve(limits=Limits(sessions=1))
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
    with server.http() as http:
        assert http.post("/mcp", json=hello, headers=accept).status_code == 200
        assert http.post("/mcp", json=hello, headers=accept).status_code == 503


def test_a_stream_without_a_session_makes_none(server):
    with server.http() as http:
        for method in ("GET", "DELETE"):
            reply = http.request(method, "/mcp", headers={"Accept": "text/event-stream"})
            assert reply.status_code == 405
            assert reply.headers["allow"] == "POST"
            assert "mcp-session-id" not in reply.headers

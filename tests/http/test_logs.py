"""What the log and the figures say of what went wrong, and what they never say."""

from __future__ import annotations

import json
import logging
import sys
from types import SimpleNamespace

import pytest

from hailuo_mcp.server.http.logs import JsonLines, RequestLog
from hailuo_mcp.server.logs import PlainLines, log_to_stderr


@pytest.mark.anyio
async def test_a_crash_is_counted_as_one_and_its_place_is_in_the_log(server, caplog):
    studio = server.served.context.opened
    async with server.client() as client:
        server.served.context.set_studio(SimpleNamespace(provider=studio.provider, losses=None))
        crashed = await client.call_tool("query_task", {"task_id": "x"})
        server.served.context.set_studio(studio)
        await client.call_tool("no_such_tool", {})
    with server.http() as http:
        figures = http.get("/metrics").text
    lines = [JsonLines([]).format(record) for record in caplog.records if record.exc_info]

    assert "its log has the details" in crashed.content[0].text
    assert 'hailuo_tool_seconds_count{outcome="failed",tool="query_task"} 1.0' in figures
    assert 'hailuo_tool_seconds_count{outcome="refused",tool="unknown"} 1.0' in figures
    assert any("AttributeError" in line and "query_task.py" in line for line in lines)
    assert not any("no attribute" in line for line in lines)


@pytest.mark.anyio
async def test_every_address_has_a_name_in_the_log_and_the_figures(server, caplog):
    caplog.set_level(logging.INFO, "hailuo_mcp.server.http")
    with server.http() as http:
        http.post("/messages/?session_id=1", json={})
        figures = http.get("/metrics").text

    assert 'hailuo_http_requests_total{route="/messages",status="400"} 1.0' in figures
    assert "/messages" in [getattr(record, "route", "") for record in caplog.records]


@pytest.mark.anyio
async def test_only_what_broke_is_logged_as_broken(caplog):
    async def left(_scope, _receive, _send):
        pass

    async def broken(_scope, _receive, _send):
        raise ZeroDivisionError

    caplog.set_level(logging.INFO, "hailuo_mcp.server.http")
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": []}
    await RequestLog(left, lambda *_: None)(dict(scope), None, None)
    with pytest.raises(ZeroDivisionError):
        await RequestLog(broken, lambda *_: None)(dict(scope), None, None)

    assert [record.status for record in caplog.records] == [499, 500]


def test_a_line_about_a_secret_path_does_not_hold_it():
    line = JsonLines(["a-token"])
    said = "no a-token at /files/v1.2.abc?x=1 nor /uploads/q.w.e and /callbacks/zzz failed"
    record = logging.LogRecord("hailuo_mcp", logging.WARNING, "f.py", 1, said, (), None)

    assert json.loads(line.format(record))["message"] == (
        "no *** at /files/*** nor /uploads/*** and /callbacks/*** failed"
    )


def test_a_line_about_an_exception_holds_none_of_its_words():
    line = JsonLines([])
    try:
        raise ExceptionGroup("a prompt", [ValueError("another prompt")])
    except ExceptionGroup:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it broke", (), sys.exc_info())

    assert "prompt" not in line.format(record)
    assert "ValueError" in line.format(record)


def test_a_line_about_an_exception_ends_whatever_its_causes():
    first, second = ValueError("one"), TypeError("two")
    first.__cause__, second.__cause__ = second, first
    facts = (ValueError, first, None)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "it broke", (), facts)

    assert json.loads(JsonLines([]).format(record))["exception"][:3] == [
        "ValueError",
        "caused by",
        "TypeError",
    ]


@pytest.mark.parametrize("lines", [JsonLines([]), PlainLines()])
def test_of_a_librarys_line_only_the_place_is_told(lines):
    said = "Message was: a prompt %s"
    theirs = logging.LogRecord("mcp.server", logging.WARNING, "sse.py", 7, said, ("sent",), None)
    ours = logging.LogRecord("hailuo_mcp.worker", logging.WARNING, "w.py", 7, "v1 %s", ("x",), None)

    assert "prompt" not in lines.format(theirs)
    assert "sent" not in lines.format(theirs)
    assert "sse.py:7" in lines.format(theirs)
    assert "v1 x" in lines.format(ours)


def test_a_servers_log_replaces_what_a_command_has_set_up():
    ours, root = logging.getLogger("hailuo_mcp"), logging.getLogger()
    before = (root.handlers[:], root.level, ours.handlers[:])
    ours.addHandler(logging.NullHandler())  # a command's notes for a person, which are no JSON
    try:
        log_to_stderr(JsonLines([]))
        assert ours.handlers == []
        assert [type(handler.formatter) for handler in root.handlers] == [JsonLines]
    finally:
        root.handlers[:], ours.handlers[:] = before[0], before[2]
        root.setLevel(before[1])

"""gallery: a page in a browser over the journal, for the person who has its address."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from until import until_now

from hailuo_mcp.cli.follow import gallery
from hailuo_mcp.cli.output import pictures

from .test_json import fits

VERSION = "2026-07-28"


def _asked(url: str, tool: str, **arguments: Any) -> httpx.Response:
    """What the page would get: the address without its fragment, and the token in a header."""
    address, _, fragment = url.partition("#")
    token = fragment.removeprefix("token=").partition("&")[0]
    about = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": "page", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": about}
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    endpoint = address.removesuffix("/gallery") + "/mcp"
    return httpx.post(endpoint, json=body, headers=headers, timeout=30)


@pytest.mark.skipif(os.name != "posix", reason="a script stands for the browser")
def test_it_opens_a_browser_at_an_address_that_shows_what_the_journal_has(program):
    opener = Path(program.cwd, "bin", "xdg-open")
    opener.parent.mkdir()
    opener.write_text('#!/bin/sh\nprintf "%s" "$1" > opened.part && mv opened.part opened\n')
    opener.chmod(0o755)
    desktop = {"DISPLAY": ":7", "PATH": f"{opener.parent}:{os.environ['PATH']}"}
    task_id = program("generate", "a red fox", "--json").answer["task_id"]

    first = program.start("gallery", "@last", "--json", HAILUO_API_KEY="", **desktop)
    second = program.start("gallery", "--no-open", HAILUO_TENANTS="", **desktop)
    told = json.loads(first.stdout.readline())
    other = second.stdout.readline().strip()

    fits(told, "answer")
    url = told["url"]
    address, _, fragment = url.partition("#")
    assert fragment.endswith(f"&tasks={task_id}")
    opened = Path(program.cwd, "opened")
    assert until_now(lambda: opened.exists() and opened.read_text()) == url
    assert urlsplit(url).hostname == urlsplit(other).hostname == "127.0.0.1"
    assert httpx.get(address).status_code == 200  # there is nothing in it; its calls need the token
    for one in (url, other):
        card = _asked(one, "show_cards").json()["result"]["structuredContent"]["cards"][0]
        assert card["id"] == task_id
        assert Path(card["file"]).is_file()
        assert httpx.get(card["url"]).content == Path(card["file"]).read_bytes()
    assert _asked(address + "#token=" + "x" * 43, "show_cards").status_code == 401
    for process in (first, second):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in said, "Ctrl-C stops it" in said) == (
            0,
            False,
            True,
        )
        assert "{" not in said  # the server's log


def test_what_it_cannot_show_is_refused_before_anything_is_served(idle, serve):
    unknown = idle("gallery", "v1nothing", "--json")
    fits(unknown.answer, "error")
    assert (unknown.code, "No task 'v1nothing'" in unknown.err) == (2, True)
    assert idle("gallery", "@last").code == 2
    taken = idle("gallery", "--no-open", "--port", str(serve().port))
    assert (taken.code, "hoose another" in " ".join(taken.err.split())) == (2, True)


def test_where_nobody_would_see_a_browser_it_says_how_to_get_there(monkeypatch):
    said = list[str]()

    class Words:
        json = False
        note = say = staticmethod(lambda text="": said.append(text))

    monkeypatch.setattr(pictures, "viewer", list)
    gallery._show("http://127.0.0.1:8090/gallery#token=x", Words(), opens=True)
    assert "http://127.0.0.1:8090/gallery#token=x" in said
    assert any("-L 8090:127.0.0.1:8090" in line for line in said)

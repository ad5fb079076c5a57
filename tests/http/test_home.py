"""The page at /: for everybody, with nothing in it that only some may know."""

from __future__ import annotations

import html
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings import Settings

pytestmark = pytest.mark.anyio

KEY, TOKEN = "the-key-of-the-account", "alices-token-0123456789"
TENANTS = '[tenants.acme-films]\ntokens = ["sha256:' + "0" * 64 + '"]\nfolder = "acme-folder"\n'
SECRET = [KEY, TOKEN, "alice", "acme", "minimax", "hailuo-database", "login.example.com", "/tmp"]


async def _get(tmp_path: Path, method: str = "GET", *, app=None, **given: str) -> httpx.Response:
    """What a visitor without a token gets; `given` are headers, or settings in capitals."""
    environ = {name: value for name, value in given.items() if name.isupper()}
    headers = {name: value for name, value in given.items() if not name.isupper()}
    base = {"HAILUO_PROVIDER": "sandbox", "HAILUO_STATE_DIR": str(tmp_path / "state")}
    settings = Settings.from_env({**base, "HAILUO_OUTPUT_DIR": str(tmp_path), **environ})
    app = create_app(settings, **(app or {}))
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http:
        return await http.request(method, "/", headers=headers)


def _examples(page: str) -> dict[str, str]:
    found = re.findall(r'aria-label="Example for ([^"]*)"><code>(.*?)</code>', page, re.DOTALL)
    return {client: html.unescape(code) for client, code in found}


async def test_anybody_reads_what_it_is_which_tools_and_how_to_connect(server):
    with server.http(caller="") as http:
        reply = http.get("/")
        assert (reply.status_code, reply.headers["content-type"][:9]) == (200, "text/html")
        assert http.head("/").content == b""
        assert http.head("/").headers["content-length"] == str(len(reply.content))
        asked = _examples(reply.text)["curl"].replace("$HAILUO_TOKEN", TOKEN)
        words = shlex.split(asked)
        headers = dict(
            words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"
        )
        listed = http.post(words[2], headers=headers, content=words[-1])

    told = [tool["name"] for tool in listed.json()["result"]["tools"]]
    assert told == re.findall(r"<dt><code>(\w+)</code></dt>", reply.text)
    assert told == [tool.name for tool in all_tools()]
    assert len(reply.content) < 15_000
    assert all(f"{server.url}/mcp" in example for example in [asked, reply.text])


ALL = {
    "HAILUO_API_KEY": KEY,
    "HAILUO_HTTP_TOKENS": f"alice:{TOKEN}",
    "HAILUO_OAUTH_ISSUER": "https://login.example.com/realms/video",
    "HAILUO_CALLBACK_URL": "https://mcp.example.com/video",
    "HAILUO_ALLOWED_HOSTS": "inner.example.com",
    "HAILUO_PROVIDER": "minimax-cn",
    "HAILUO_DATABASE_URL": "postgresql://hailuo-database/x",
}


async def test_nothing_that_only_some_may_know_is_in_it(tmp_path):
    tenants = tmp_path / "tenants.toml"
    tenants.write_text(TENANTS)
    reply = await _get(tmp_path, **ALL, HAILUO_TENANTS=str(tenants))

    known = str(reply.headers).lower() + reply.text.replace("(MiniMax)", "").lower()
    assert reply.status_code == 200
    assert [word for word in [*SECRET, str(tmp_path)] if word.lower() in known] == []


@pytest.mark.parametrize(
    ("environ", "said", "unsaid"),
    [
        ({}, "its own computer", "token from"),
        ({"HAILUO_HTTP_TOKENS": f"alice:{TOKEN}"}, "Bearer YOUR_TOKEN", "sign in"),
        ({name: ALL[name] for name in ALL if "TOKENS" not in name}, "sign in", "YOUR_TOKEN"),
    ],
)
async def test_it_tells_how_to_get_in(tmp_path, environ, said, unsaid):
    page = (await _get(tmp_path, **environ)).text

    assert said in page
    assert unsaid not in page
    given = "Bearer" in _examples(page)["Claude Code"]
    assert given == ("HAILUO_HTTP_TOKENS" in environ)


@pytest.mark.parametrize("tokens", ["", f"alice:{TOKEN}"])
async def test_what_goes_into_a_file_is_json_with_the_address(tmp_path, tokens):
    page = (await _get(tmp_path, HAILUO_HTTP_TOKENS=tokens)).text
    shown = _examples(page)

    url = "http://localhost:8000/mcp"
    cursor = json.loads(shown["Cursor"])["mcpServers"]["hailuo"]
    code = json.loads(shown["VS Code"])
    desktop = json.loads(shown["Claude Desktop"])["mcpServers"]["hailuo"]
    assert cursor["url"] == code["servers"]["hailuo"]["url"] == desktop["args"][2] == url
    assert ("headers" in cursor, "inputs" in code, "env" in desktop) == (bool(tokens),) * 3


async def test_the_address_is_the_public_one_or_that_of_an_allowed_host(tmp_path):
    own = await _get(tmp_path, host="localhost:8123")
    public = await _get(tmp_path, HAILUO_CALLBACK_URL=ALL["HAILUO_CALLBACK_URL"], **_TOKENS)
    listed = {"HAILUO_ALLOWED_HOSTS": "inner.example.com", **_TOKENS}
    inner = await _get(tmp_path, **listed, host="inner.example.com")

    assert "http://localhost:8123/mcp" in own.text
    assert "https://mcp.example.com/video/mcp" in public.text
    assert "http://inner.example.com/mcp" in inner.text
    assert "--allow-http" in inner.text  # else mcp-remote refuses it
    for host in ("evil.example", 'localhost"><script>', "localhost:1<b>", "localhost\x00"):
        reply = await _get(tmp_path, host=host)
        assert (reply.status_code, host in reply.text) == (421, False)


_TOKENS = {"HAILUO_HTTP_TOKENS": f"alice:{TOKEN}"}


async def test_the_older_transport_has_its_own_address(tmp_path):
    alone = await _get(tmp_path, app={"transport": "sse"})
    beside = await _get(tmp_path, app={"with_sse": True})

    assert "--transport sse hailuo http://localhost:8000/sse" in alone.text
    assert "/mcp<" not in alone.text
    assert "http://localhost:8000/sse" in beside.text
    assert "http://localhost:8000/sse" not in (await _get(tmp_path)).text


async def test_a_client_that_was_given_the_bare_address_is_told_the_right_one(tmp_path):
    posted = await _get(tmp_path, "POST", **_TOKENS)

    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert "http://localhost:8000/mcp" in posted.text
    assert (await _get(tmp_path, "DELETE")).status_code == 405


class _Loads(HTMLParser):
    """What a page makes a browser fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "style", "action") or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("script", "form", "iframe", "img", "object"):
            self.found.append(tag)


async def test_it_fetches_and_runs_nothing_and_its_own_style_is_allowed_by_hash(tmp_path):
    reply = await _get(tmp_path)
    loads = _Loads()
    loads.feed(reply.text)
    policy = reply.headers["content-security-policy"]

    assert loads.found == []
    assert "url(" not in reply.text
    assert "@import" not in reply.text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style-src 'sha256-" in policy
    assert reply.headers["cache-control"] == "no-cache"

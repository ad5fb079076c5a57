"""GET /: what this server is, its tools, and how to connect each client to it.

Anybody may read it, so it says only what every visitor of such a server may know: nothing of the
account, the tenants, the people, or where anything is kept.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from mcp.server.mcpserver.tools import Tool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.server.http.auth import GALLERY, address_of
from hailuo_mcp.server.http.host_guard import split_host
from hailuo_mcp.server.tools.registration import SPENDS
from hailuo_mcp.settings import Settings

_PAGE = Path(__file__).with_name("home.html").read_text(encoding="utf-8")
_STYLE = _PAGE.partition("<style>")[2].partition("</style>")[0]
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
    # It repeats the host name of its request, which a shared cache must not show to others.
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TOKEN = "YOUR_TOKEN"  # noqa: S105  a placeholder


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How visitors come in."""

    tokens: bool
    """The operator hands out tokens."""
    sign_in: bool
    """People sign in with an issuer."""

    @classmethod
    def of(cls, settings: Settings) -> Access:
        return cls(
            tokens=bool(settings.http_tokens) or settings.tenants is not None,
            sign_in=bool(settings.oauth_issuer),
        )

    @property
    def open(self) -> bool:
        return not (self.tokens or self.sign_in)


class HomePage:
    def __init__(
        self, settings: Settings, tools: Sequence[Tool], *, endpoint: str, older: str = ""
    ) -> None:
        """`endpoint`: the path that clients connect to; `older`: that of the older transport."""
        self._public = settings.callback_url
        self._endpoint = endpoint
        self._older = older
        self._access = Access.of(settings)
        self._tools = "\n".join(_tool_row(tool) for tool in tools)

    def routes(self) -> list[Route]:
        return [
            Route("/", self._show),
            Route("/", self._point_to_endpoint, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        # HostGuard has let only the operator's host names pass.
        base_url = address_of(request.scope, request.headers, self._public)
        return HTMLResponse(self.html(base_url), headers=_HEADERS)

    async def _point_to_endpoint(self, request: Request) -> Response:
        """Answer an MCP client that was given the address without its path."""
        base_url = address_of(request.scope, request.headers, self._public)
        said = f"This is a page for people. MCP clients connect to {base_url}{self._endpoint}\n"
        return PlainTextResponse(said, 405, headers={"Allow": "GET, HEAD"})

    def html(self, base_url: str) -> str:
        """The whole page, for a visitor who reaches the server there."""
        examples = [*_examples(base_url + self._endpoint, self._access)]
        if self._older:
            how = "They connect to:"
            older = base_url + self._older
            examples.append(
                _Example(client="Clients of the older SSE transport", how=how, code=older)
            )
        return Template(_PAGE).substitute(
            endpoint=escape(base_url + self._endpoint),
            access="\n".join(f"<p>{escape(line)}</p>" for line in _how_to_get_in(self._access)),
            gallery=self._gallery(base_url),
            tools=self._tools,
            clients="\n".join(one.html() for one in examples),
            health=escape(f"{base_url}/health"),
            ready="open to this computer" if self._access.open else "needs a token",
        )

    def _gallery(self, base_url: str) -> str:
        """Where the clips can be looked at: the page calls /mcp."""
        if self._endpoint != "/mcp":
            return ""
        asks = "" if self._access.open else "; it asks for your token"
        link = escape(base_url + GALLERY)
        return f'<p><a href="{link}">The gallery</a> shows the clips in this browser{asks}.</p>'


def _tool_row(tool: Tool) -> str:
    title = escape(tool.title or "")
    if tool.annotations is SPENDS:
        title = title.replace("(costs money)", '<span class="money">(costs money)</span>')
    return f"<dt><code>{escape(tool.name)}</code></dt><dd>{title}</dd>"


def _how_to_get_in(access: Access) -> Iterable[str]:
    if access.open:
        yield (
            "This server has no tokens: programs on its own computer may call it, and no others."
        )
    if access.sign_in:
        yield (
            "Your client finds out where to sign in, and opens a browser for it. What you then "
            "allow decides whether it may only look, or also buy."
        )
    if access.tokens:
        other = "Programs that cannot sign in use a token" if access.sign_in else "It needs a token"
        yield (
            f"{other} from whoever runs this server, sent as Authorization: Bearer {_TOKEN}. "
            "Keep it as you keep a password: it spends money."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    client: str
    how: str
    code: str = ""

    def html(self) -> str:
        lines = [f"<h3>{escape(self.client)}</h3>", f"<p>{escape(self.how)}</p>"]
        if self.code:
            name = escape(f"Example for {self.client}")
            code = escape(self.code, quote=False)
            lines.append(
                f'<pre tabindex="0" role="region" aria-label="{name}"><code>{code}</code></pre>'
            )
        return "\n".join(lines)


def _examples(url: str, access: Access) -> Iterable[_Example]:
    """What to do in each client; where people can sign in, that is shown, not the token."""
    given = access.tokens and not access.sign_in
    sse = url.endswith("/sse")
    yield _claude_code(url, access, sse=sse)
    yield _Example(
        client="Cursor",
        how="In ~/.cursor/mcp.json, or .cursor/mcp.json of a project"
        + (", with the token in the variable HAILUO_TOKEN:" if given else ":"),
        code=_json(
            {"mcpServers": {"hailuo": {"url": url, **_header("${env:HAILUO_TOKEN}", given=given)}}}
        ),
    )
    asked = [
        {"type": "promptString", "id": "hailuo_token", "description": "Token", "password": True}
    ]
    entry = {"type": "sse" if sse else "http", "url": url}
    yield _Example(
        client="VS Code",
        how="In .vscode/mcp.json, or “MCP: Open User Configuration” in the command palette"
        + ("; it asks for the token and keeps it encrypted:" if given else ":"),
        code=_json(
            {
                "servers": {"hailuo": entry | _header("${input:hailuo_token}", given=given)},
                **({"inputs": asked} if given else {}),
            }
        ),
    )
    yield from _claude_desktop(url, given=given)
    yield _connectors(url, given=given)
    if not sse:
        yield _curl(url, access)


def _claude_code(url: str, access: Access, *, sse: bool) -> _Example:
    command = f"claude mcp add --transport {'sse' if sse else 'http'} hailuo {url}"
    how = "In a terminal:"
    if access.tokens and not access.sign_in:
        command += f' \\\n  --header "Authorization: Bearer {_TOKEN}"'
    elif access.sign_in:
        how = "In a terminal; then type /mcp in Claude Code and sign in:"
    return _Example(client="Claude Code", how=how, code=command)


def _claude_desktop(url: str, *, given: bool) -> Iterable[_Example]:
    """Its file takes only programs, so one that passes everything on stands between."""
    more = ["--header", "Authorization:${HAILUO_AUTH}"] if given else []
    plain = [] if url.startswith("https:") or _is_here(url) else ["--allow-http"]
    program = {"command": "npx", "args": ["-y", "mcp-remote", url, *plain, *more]}
    variables = {"env": {"HAILUO_AUTH": f"Bearer {_TOKEN}"}} if given else {}
    how = "Settings, Developer, Edit Config; quit and open it afterwards. It needs Node.js:"
    if _is_here(url):
        how = (
            "On this computer “hailuo-mcp init claude-desktop” sets it up without this server. To "
            f"use this server: {how}"
        )
    yield _Example(
        client="Claude Desktop",
        how=how,
        code=_json({"mcpServers": {"hailuo": program | variables}}),
    )


def _connectors(url: str, *, given: bool) -> _Example:
    """Apps that connect from their makers' computers."""
    client = "claude.ai, ChatGPT and other apps with connectors"
    if not url.startswith("https:") or _is_here(url):
        how = "They connect from the internet, so they need a public https:// address."
        return _Example(client=client, how=how)
    if given:
        how = (
            "Custom connectors take no fixed token: they need a server with sign-in (OAuth), which "
            "whoever runs this one can set up."
        )
        return _Example(client=client, how=how)
    how = (
        "Claude: Settings, Connectors, Add custom connector. ChatGPT: Settings, Connectors, with "
        "developer mode on under Advanced. Give the MCP address above and sign in."
    )
    return _Example(client=client, how=how)


def _curl(url: str, access: Access) -> _Example:
    lines = [
        f"curl -s {url}",
        "-H 'Content-Type: application/json'",
        "-H 'Accept: application/json, text/event-stream'",
        "-H 'MCP-Protocol-Version: 2026-07-28'",
        "-H 'Mcp-Method: tools/list'",
        *([] if access.open else ['-H "Authorization: Bearer $HAILUO_TOKEN"']),
    ]
    about = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "curl", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": about}}
    lines.append(f"-d '{json.dumps(asked)}'")
    return _Example(client="curl", how="The list of tools:", code=" \\\n  ".join(lines))


def _header(token: str, *, given: bool) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}} if given else {}


def _is_here(url: str) -> bool:
    found = split_host(url.partition("://")[2].partition("/")[0])
    return found is not None and is_loopback(found[0])


def _json(entry: object) -> str:
    return json.dumps(entry, indent=2, ensure_ascii=False)

"""A provider on loopback that is not what its documents say, in ways that are switched on by name.

The free imitation answers, and what it answers is changed on the way out, as `deviations.py` says.
It keeps a book of its own: what was sent, and which creations were accepted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.sandbox import wire
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox

CREATES = (
    "/v1/video_generation",
    "/v1/video_template_generation",
    "/v2/video_generation",
)
ORGANISATION = "/Krzyzewska-Pracownia"
"""Where a relay has its paths: it may answer below any."""
_LINKS = "/clips/"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    key: str
    """What came as the bearer's key."""
    sent: dict[str, Any]
    """The body; empty if it is no JSON object."""


@dataclass
class Answer:
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes
    missing: str = ""
    """Why nothing goes back: "reset" or "hang"."""

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @json.setter
    def json(self, value: object) -> None:
        self.body = json.dumps(value).encode()


Change = Callable[["Deviating", Asked, Answer], None]


@dataclass(frozen=True)
class Deviation:
    """One planted way."""

    name: str
    method: str
    path: str
    """Ends with "/" for everything below it."""
    change: Change

    def concerns(self, asked: Asked) -> bool:
        below = self.path.endswith("/") and asked.path.startswith(self.path)
        return asked.method == self.method and (below or asked.path == self.path)


@dataclass
class Deviating:
    """The application: the imitation behind whatever is switched on."""

    app: ASGIApp
    active: list[Deviation] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    accepted: list[Asked] = field(default_factory=list)
    """Creations that were answered with a task id, by whomever."""
    given: list[Answer] = field(default_factory=list)
    links: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """The imitation's own link behind each link that was given out instead."""
    number: Generator[int] | count[int] = field(default_factory=lambda: count(1))

    def link_instead(self, link: str, *, life: float = 3600.0, host: str = "") -> str:
        """A link that says to live so long, to the same clip."""
        parts = urlsplit(link)
        name = f"{_LINKS}{next(self.number)}.mp4"
        self.links[name] = (parts.path, parts.query.encode())
        expires = int(time.time() + life)
        netloc = host or parts.netloc
        query = f"Expires={expires}&OSSAccessKeyId=relay&Signature=bm90IG9uZQ%3D%3D"
        return f"{parts.scheme}://{netloc}{name}?{query}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "path": scope["path"].removeprefix(ORGANISATION)}
        scope["raw_path"] = scope["path"].encode()
        body = await _whole(receive)
        asked = _asked(scope, body)
        self.asked.append(asked)
        inner = scope
        if asked.path in self.links:
            path, query = self.links[asked.path]
            inner = {**scope, "path": path, "raw_path": path.encode(), "query_string": query}
        answer = await _answer(self.app, inner, _again(body, receive))
        for deviation in self.active:
            if deviation.concerns(asked):
                deviation.change(self, asked, answer)
        self.given.append(answer)
        if asked.method == "POST" and asked.path in CREATES and _has_task_id(answer):
            self.accepted.append(asked)
        if answer.missing == "hang":
            await wire.until_gone(receive)
        elif answer.missing:
            await wire.cut(scope, receive, reset=True)
        else:
            await _send(answer, send, bare=asked.method == "HEAD")


@dataclass
class DeviatingServer:
    """The served application."""

    sandbox: RunningSandbox
    app: Deviating
    folder: Path
    """Where the imitation keeps its book."""

    @property
    def url(self) -> str:
        return self.sandbox.base_url

    @contextmanager
    def deviates(self, *deviations: Deviation) -> Generator[None]:
        """Switch these on; the books begin anew."""
        self.app.asked.clear()
        self.app.given.clear()
        self.app.accepted.clear()
        self.app.active[:] = deviations
        try:
            yield
        finally:
            self.app.active.clear()

    @property
    def creations(self) -> list[Asked]:
        """Every request of a kind that can buy something."""
        return [it for it in self.app.asked if it.method == "POST" and it.path in CREATES]


@contextmanager
def served(folder: Path) -> Generator[DeviatingServer]:
    options = SandboxOptions(state_dir=folder, seconds_to_ready=0.0, fast_clips=True)
    sandbox = RunningSandbox(options, "127.0.0.1", 0)
    app = Deviating(sandbox.config.app)  # type: ignore[arg-type]  # it is the application itself
    sandbox.config.app = app
    with sandbox.start():
        yield DeviatingServer(sandbox, app, folder)


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    first = [True]

    async def again() -> MutableMapping[str, Any]:
        if first.pop() if first else False:
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def _asked(scope: Scope, body: bytes) -> Asked:
    headers = {name.lower(): value for name, value in scope["headers"]}
    bearer = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
    try:
        sent = json.loads(body)
    except ValueError:
        sent = None
    return Asked(
        scope["method"],
        scope["path"],
        dict(parse_qsl(scope["query_string"].decode())),
        bearer,
        sent if isinstance(sent, dict) else {},
    )


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    answer = Answer(0, {}, b"")

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            pairs = ((k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"])
            answer.headers = {name.lower(): value for name, value in pairs}
        else:
            answer.body += message.get("body", b"")

    handle: Callable[[Scope, Receive, Any], Awaitable[None]] = app
    await handle(scope, receive, keep)
    return answer


async def _send(answer: Answer, send: Send, *, bare: bool) -> None:
    headers = dict(answer.headers)
    if not bare:
        headers["content-length"] = str(len(answer.body))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if bare else answer.body})


def _has_task_id(answer: Answer) -> bool:
    if answer.missing:
        return False
    try:
        said = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(said, dict) and bool(said.get("task_id"))

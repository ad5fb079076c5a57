"""What all handlers share: the backend, the caller, and the interface of a dialect."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox.book import Book
from hailuo_mcp.sandbox.clips.render_queue import RenderQueue
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.options import Chaos, SandboxOptions
from hailuo_mcp.sandbox.refusal import Refusal, invalid
from hailuo_mcp.sandbox.rules import Order


class Dialect(Protocol):
    """One wire format: how a create is read and how every kind of answer is worded."""

    name: str
    family: str
    """Tasks are visible only within their family: a relay's ids mean nothing elsewhere."""

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        ...

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return new task, platform and file ids."""
        ...

    def accepted(self, task: Job) -> dict[str, object]:
        """Return the answer to an accepted create."""
        ...

    def refused(self, refusal: Refusal) -> Response:
        """Return the nearest error that this dialect has."""
        ...


class Dice:
    """The seeded generator behind chaos; without chaos nothing ever strikes."""

    def __init__(self, chaos: Chaos | None) -> None:
        """Seed once per sandbox."""
        self._chaos = chaos
        self._random = random.Random(chaos.seed if chaos else 0)  # noqa: S311  # not for secrets
        self._lock = threading.Lock()

    def strikes(self, name: str) -> bool:
        """Draw whether the named fault happens now."""
        chance = float(getattr(self._chaos, name)) if self._chaos else 0.0
        if chance <= 0.0:
            return False
        with self._lock:
            return self._random.random() < chance

    def choice(self, codes: tuple[int, ...]) -> int:
        """Draw one of several codes."""
        with self._lock:
            return self._random.choice(codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything that a handler needs, made once per application."""

    options: SandboxOptions
    book: Book
    render_queue: RenderQueue
    dice: Dice
    running: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def now(self) -> float:
        """Return the time, which tests may set."""
        return self.options.clock()

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Run something that outlives the request; the set keeps it from being collected."""
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self.running.discard)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """Whose key it is: a fingerprint, never the key."""

    key: str
    is_poor: bool


def fingerprint(request: Request) -> str:
    """Return the key's fingerprint: it tells accounts apart and is good for nothing else."""
    return hashlib.sha256(_bearer(request).encode()).hexdigest()[:12] if _bearer(request) else ""


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def key_holder(request: Request) -> KeyHolder:
    """Return the caller; any key is good but those whose text asks to be refused."""
    key = _bearer(request)
    if not key:
        raise Refusal(1004)
    if "bad" in key:
        raise Refusal(2049)
    if "region" in key:
        raise Refusal(1004)
    if "http401" in key:
        raise Refusal(401)
    return KeyHolder(key=fingerprint(request), is_poor="poor" in key)


def json_object(raw: bytes) -> dict[str, object]:
    """Return the body as an object, or refuse it."""
    try:
        body: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("the body is not a JSON object")
    return {str(name): value for name, value in body.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


HTTP_WORDS = {
    400: "bad request",
    401: "unauthorized",
    402: "payment required",
    404: "not found",
    429: "too many requests",
    500: "internal server error",
    502: "bad gateway",
    503: "service unavailable",
}


def http_headers(status: int) -> dict[str, str]:
    """Return the headers of an edge's own refusal."""
    return {"Retry-After": "2"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}


def edge_refusal(refusal: Refusal) -> Response:
    """Answer as a gateway in front of the API does: an HTTP status and a short JSON body."""
    message = refusal.message or HTTP_WORDS.get(refusal.code, "error")
    return JSONResponse(
        {"message": message}, status_code=refusal.code, headers=http_headers(refusal.code)
    )

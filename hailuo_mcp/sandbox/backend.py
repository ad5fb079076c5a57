"""What all handlers share: the backend and the caller."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox.book import Book
from hailuo_mcp.sandbox.clips.render_queue import RenderQueue
from hailuo_mcp.sandbox.options import Chaos, SandboxOptions
from hailuo_mcp.sandbox.refusal import Refusal, invalid


class Dice:
    """The seeded generator behind chaos; without chaos nothing ever strikes."""

    def __init__(self, chaos: Chaos | None) -> None:
        """Seed once per sandbox."""
        self._chaos = chaos
        self._random = random.Random(chaos.seed if chaos else 0)  # noqa: S311  # not for secrets

    def strikes(self, name: str) -> bool:
        """Draw whether the named fault happens now."""
        chance = float(getattr(self._chaos, name)) if self._chaos else 0.0
        return chance > 0.0 and self._random.random() < chance

    def choice(self, codes: tuple[int, ...]) -> int:
        """Draw one of several codes."""
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


def http_error(status: int, body: object) -> Response:
    """Answer with an HTTP status of the provider's own."""
    headers = {"Retry-After": "2"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return JSONResponse(body, status_code=status, headers=headers)

"""Every dialect on one ASGI application, each at its own paths."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.sandbox import creates, download, wire
from hailuo_mcp.sandbox.backend import Backend, Dice, json_object
from hailuo_mcp.sandbox.book import Book
from hailuo_mcp.sandbox.clips.render_queue import RenderQueue
from hailuo_mcp.sandbox.compat import MARKS, Compat
from hailuo_mcp.sandbox.dialect import Dialect, Handler
from hailuo_mcp.sandbox.faults import NAMES
from hailuo_mcp.sandbox.hingnet import Hingnet
from hailuo_mcp.sandbox.minimax import Minimax, MinimaxTemplates
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.refusal import RESET, Refusal
from hailuo_mcp.sandbox.report import read_book, read_requests
from hailuo_mcp.sandbox.v2.dialect import Generations, Regenerations
from hailuo_mcp.sandbox.xcompute import Xcompute

_MOST_REQUESTS = 10_000


def open_backend(options: SandboxOptions) -> Backend:
    """Open the book and whatever else handlers need."""
    return Backend(
        options=options,
        book=Book(options.book_path),
        render_queue=RenderQueue(options.state_dir, fast=options.fast_clips),
        dice=Dice(options.chaos),
    )


def build(backend: Backend) -> ASGIApp:
    """Return the application over an open backend, which its owner closes."""
    official, other = Minimax(backend), Compat(backend)
    # The official one first: compat's /v1/files/{file_id} would take /v1/files/retrieve for a file.
    dialects = (
        official,
        MinimaxTemplates(backend),
        Generations(backend),
        Regenerations(backend),
        Hingnet(backend),
        Xcompute(backend),
        other,
    )
    routes = [
        Route("/v1/video_generation", _shared_create(official, other), methods=["POST"]),
        *(route for dialect in dialects for route in _routes(dialect)),
        *download.routes(backend),
        *_own_routes(backend),
    ]
    return _traced(Starlette(routes=routes))


def _routes(dialect: Dialect) -> list[Route]:
    async def create(request: Request) -> Response:
        return await creates.create(request, dialect)

    posts = [Route(path, create, methods=["POST"]) for path in dialect.creates]
    gets = dialect.reads.items()
    return [
        *posts,
        *(Route(path, _worded(dialect, it), methods=["GET"]) for path, it in gets),
        *(
            Route(path, _worded(dialect, it), methods=[method])
            for (method, path), it in dialect.calls.items()
        ),
    ]


def _worded(dialect: Dialect, handler: Handler) -> Handler:
    """Let a handler raise; the dialect words the refusal."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            if refusal.code == RESET:
                return wire.NoAnswer(reset=True)
            return dialect.refused(refusal)
        except wire.Interrupt as interrupt:
            return interrupt.response

    return answer


def _shared_create(official: Dialect, other: Dialect) -> Handler:
    """Seed 001 and seed 004 give one address: the fields tell which of them a create follows."""

    async def create(request: Request) -> Response:
        dialect = official
        with suppress(Refusal):  # the official dialect words what is wrong with the body
            if json_object(await request.body()).keys() & MARKS:
                dialect = other
        return await creates.create(request, dialect)

    return create


def _own_routes(backend: Backend) -> list[Route]:
    """Return what no provider has: the account book, open to whoever runs the sandbox."""

    async def home(request: Request) -> Response:
        del request
        about = (
            "hailuo-mcp sandbox: an imitation of video providers; nothing is generated or charged"
        )
        return JSONResponse({"about": about, "book": "/sandbox/book", "faults": NAMES})

    async def book(request: Request) -> Response:
        whole = read_book(backend.options.state_dir, now=backend.now())
        if wanted := request.query_params.get("task_id", ""):
            task = backend.book.task(wanted)
            if task is None:
                return JSONResponse({"error": "no such task"}, status_code=404)
            return JSONResponse(whole["accounts"][task.key]["tasks"][task.task_id])
        return JSONResponse(whole)

    async def requests(request: Request) -> Response:
        last = request.query_params.get("last", "100")
        number = min(int(last), _MOST_REQUESTS) if last.isdecimal() else 100
        found = read_requests(backend.options.state_dir, number)
        # Bodies may hold what JSONResponse refuses, such as half a character or NaN.
        return Response(json.dumps(found), media_type="application/json")

    return [Route("/", home), Route("/sandbox/book", book), Route("/sandbox/requests", requests)]


def _traced(app: ASGIApp) -> ASGIApp:
    """Add the `Trace-Id` header that support asks for (facts 1.2) to every answer."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        async def tag(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Trace-Id"] = secrets.token_hex(16)
            await send(message)

        await app(scope, receive, tag if scope["type"] == "http" else send)

    return traced

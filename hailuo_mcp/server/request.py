"""One request as the tools see it: the studio, who asks, and how long they wait."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from mcp import MCPError
from mcp.types import ClientCapabilities

from hailuo_mcp.server.client_memory import Client
from hailuo_mcp.server.context import AppContext, Caller, Ctx

if TYPE_CHECKING:
    from hailuo_mcp.domain.film import Film
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import AnyProgress, FilmView, View
    from hailuo_mcp.wording.shapes import Storyboard, VideoTask

_MODERN = "2026-07-28"
"""From this version on every request stands for itself, and clients tell when they give up."""
TASKS = "io.modelcontextprotocol/tasks"
"""The extension with which a client follows a purchase as a task of the protocol (SEP-2663)."""
_CAPABILITIES = ("elicitation", "roots", "sampling")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    studio: Studio
    caller: Caller
    client: Client
    on_progress: AnyProgress
    app: AppContext
    takes_tasks: bool
    """Whether a purchase that is unfinished is answered with a task of the protocol."""

    @contextmanager
    def wait(self, asked: float, task_id: str = "") -> Generator[float]:
        """Give the seconds that this call may really wait; learn from it if the client gives up."""
        limits = self.app.wait_limits
        with limits.watch(self.client, task_id):
            yield min(asked, limits.limit(self.client))

    def already_told(self, subject: str, facts: object) -> bool:
        """Whether this client was last told these facts; from now on it was."""
        return self.app.last_answers.already_given(self.client.key, subject, facts)

    def knows(self, view: View) -> bool:
        """Whether this client's last answer about this task said the same."""
        from hailuo_mcp.wording.tasks import facts

        return self.already_told(view.task.task_id, facts(view))

    def knows_film(self, view: FilmView) -> bool:
        """Whether this client's last answer about this film said the same."""
        from hailuo_mcp.wording.films import facts

        return self.already_told(view.film.film_id, facts(view))

    async def film(self, some_id: str) -> Film | None:
        """The caller's film; None if this is no film's id."""
        return await self.studio.film(some_id, self.caller.name)

    def tell(self, view: View) -> VideoTask:
        """The whole answer about a task, which the next poll need not repeat."""
        from hailuo_mcp.wording.tasks import video_task

        if view.settled or not self.takes_tasks:
            self.knows(view)
        return video_task(view)

    def tell_film(self, view: FilmView) -> Storyboard:
        """The whole answer about a film, which the next poll need not repeat."""
        from hailuo_mcp.wording.films import storyboard

        if view.settled or not self.takes_tasks:
            self.knows_film(view)
        return storyboard(view)


async def tool_request(ctx: Ctx) -> ToolRequest:
    """Join what a request needs; a HailuoError says why there is no studio."""
    app = ctx.request_context.lifespan_context
    return ToolRequest(
        studio=await app.studio(),
        caller=app.caller(),
        client=client_of(ctx),
        on_progress=progress_reporter(ctx),
        app=app,
        takes_tasks=takes_tasks(ctx.protocol_version, ctx.client_capabilities),
    )


def client_of(ctx: Ctx) -> Client:
    """Who makes this request, by all that it shows."""
    from hailuo_mcp.catalog.mcp_clients import Signs

    params, declared = ctx.session.client_params, ctx.client_capabilities
    request, session = ctx.request_context.request, ""  # the request is None on stdio
    if request is not None:
        # As Streamable HTTP names it, or the older transport; the newest protocol has none.
        named, asked = request.headers.get("mcp-session-id"), request.query_params
        session = named or asked.get("session_id", "")
    return Client(
        signs=Signs(
            name=params.client_info.name if params else "",
            version=params.client_info.version if params else "",
            modern=is_modern(ctx),
            http=request is not None,
            progress=(ctx.request_context.meta or {}).get("progress_token") is not None,
            declares=frozenset(
                name for name in _CAPABILITIES if getattr(declared, name, None) is not None
            ),
        ),
        caller=ctx.request_context.lifespan_context.caller().name,
        session=session,
    )


def is_modern(ctx: Ctx) -> bool:
    return (ctx.protocol_version or "") >= _MODERN


def takes_tasks(version: str | None, declared: ClientCapabilities | None) -> bool:
    """Whether the client follows a purchase by the Tasks extension, as this request declares."""
    extensions = declared.extensions if declared else None
    return (version or "") >= _MODERN and TASKS in (extensions or {})


def progress_reporter(ctx: Ctx) -> AnyProgress:
    """Progress notifications: strictly rising, and none after one could not be delivered.

    The SDK sends none where the client has not asked for any.
    """
    began = time.monotonic()
    last, broken = 0.0, False

    async def report(view: View | FilmView) -> None:
        nonlocal last, broken
        spent = time.monotonic() - began
        if broken or spent <= last:
            return
        last = spent
        whole = spent + view.eta_seconds if view.eta_seconds else None
        try:
            await ctx.report_progress(spent, whole, _progress_line(view))
        except (MCPError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            broken = True

    return report


def _progress_line(view: View | FilmView) -> str:
    from hailuo_mcp.views import View
    from hailuo_mcp.wording import cases, film_cases

    return cases.progress_line(view) if isinstance(view, View) else film_cases.progress_line(view)

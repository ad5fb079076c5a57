"""One request as the tools see it: the studio, who asks, how long they wait and how they hear."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from mcp import MCPError

from hailuo_mcp import answers
from hailuo_mcp.server.backstage import Backstage, Caller, Ctx

if TYPE_CHECKING:
    from hailuo_mcp.studio import Progress, Studio, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    studio: Studio
    caller: Caller
    client: str
    on_progress: Progress
    progress: bool
    """Whether the client asked to be told of progress."""
    backstage: Backstage

    @contextmanager
    def waiting(self, asked: float, task_id: str = "") -> Generator[float]:
        """Give the seconds that this call may really wait; learn from it if the client gives up."""
        patience, who = self.backstage.patience, self.caller.name
        with patience.watch(self.client, task_id, caller=who):
            yield min(asked, patience.limit(self.client, progress=self.progress, caller=who))


async def accept(ctx: Ctx) -> Call:
    """Borrow what a request needs; a HailuoError says why there is no studio."""
    backstage = ctx.request_context.lifespan_context
    return Call(
        studio=await backstage.studio(),
        caller=backstage.caller(),
        client=client_name(ctx),
        on_progress=Relay(ctx),
        progress=wants_progress(ctx),
        backstage=backstage,
    )


def client_name(ctx: Ctx) -> str:
    """The name that the client gives for itself; empty where it gives none."""
    params = ctx.session.client_params
    return params.client_info.name if params else ""


def wants_progress(ctx: Ctx) -> bool:
    return (ctx.request_context.meta or {}).get("progress_token") is not None


class Relay:
    """Progress notifications: strictly rising, and none after one could not be delivered.

    The SDK sends none where the client has not asked for any.
    """

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx
        self._began = time.monotonic()
        self._last = 0.0
        self._broken = False

    async def __call__(self, view: View) -> None:
        spent = time.monotonic() - self._began
        if self._broken or spent <= self._last:
            return
        self._last = spent
        whole = spent + view.eta_seconds if view.eta_seconds else None
        try:
            await self._ctx.report_progress(spent, whole, answers.progress_line(view))
        except (MCPError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._broken = True

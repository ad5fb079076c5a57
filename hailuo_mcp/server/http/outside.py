"""What callers elsewhere need beside MCP: clips out, pictures in, callbacks, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from hailuo_mcp.bootstrap import Front
from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.http.callbacks import Callbacks
from hailuo_mcp.server.http.files import Files
from hailuo_mcp.server.http.links import Links
from hailuo_mcp.server.http.metrics import Metrics
from hailuo_mcp.server.http.shares import Limits
from hailuo_mcp.server.http.uploads import Uploads
from hailuo_mcp.server.tools import all_tools

if TYPE_CHECKING:
    from hailuo_mcp.server.context import Backstage
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.operations import Operations
    from hailuo_mcp.studio.studio import Studio


class Outside:
    def __init__(self, backstage: Backstage, limits: Limits) -> None:
        self._backstage = backstage
        self.metrics = Metrics(backstage, [tool.name for tool in all_tools()])
        self.links = Links()
        self.files = Files(self.links, self._clip)
        self.uploads = Uploads(self.links, limits=limits)
        self.callbacks = Callbacks(self._operations, count=self.metrics.callback)

    def open(self, settings: Settings) -> Front:
        """Raises JournalError where the state folder cannot be used."""
        self.links.open(settings.state_dir / "links.key")
        self.uploads.folder = settings.state_dir / "uploads"
        return Front(link=self.files.link, uploads=self.uploads, observe=self.metrics.observe)

    async def run(self, studio: Studio) -> None:
        """Follow what callbacks announce, until cancelled."""
        studio.changes.listen(self.callbacks.changed)
        await self.callbacks.work()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/metrics", self.metrics.show),
            Route("/files/{signed}", self.files.give),
            Route("/uploads/{signed}", self.uploads.take, methods=["GET", "POST"]),
            Route("/callbacks/{token}", self.callbacks.hear, methods=["POST"]),
        ]

    async def owner(self, task_id: str) -> str | None:
        """The caller whose task it is; None where it cannot be read."""
        operations = self._operations()
        try:
            task = await operations.find(task_id) if operations else None
        except JournalError:
            return None
        return task.caller if task else None

    def _operations(self) -> Operations | None:
        return self._backstage.lent.operations if self._backstage.lent else None

    async def _clip(self, task_id: str) -> Path | None:
        operations = self._operations()
        return await operations.clip(task_id) if operations else None

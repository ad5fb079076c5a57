"""What callers elsewhere need beside MCP: clips out, pictures in, callbacks, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.http.callbacks import Callbacks
from hailuo_mcp.server.http.files import Files
from hailuo_mcp.server.http.links import Links
from hailuo_mcp.server.http.metrics import Metrics
from hailuo_mcp.server.http.shares import Limits
from hailuo_mcp.server.http.uploads import Uploads
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.studio.context import RemoteAccess

if TYPE_CHECKING:
    from hailuo_mcp.server.context import Backstage
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.studio import Studio


class Outside:
    def __init__(self, backstage: Backstage, limits: Limits) -> None:
        self._backstage = backstage
        self.metrics = Metrics(backstage, [tool.name for tool in all_tools()])
        self.links = Links()
        self.files = Files(self.links, self._clip)
        self.uploads = Uploads(self.links, limits=limits)
        self.callbacks = Callbacks(self._studio, count=self.metrics.callback)

    def open(self, settings: Settings) -> RemoteAccess:
        """Raises JournalError where the state folder cannot be used."""
        self.links.open(settings.state_dir / "links.key")
        self.uploads.folder = settings.state_dir / "uploads"
        return RemoteAccess(
            link=self.files.link,
            uploads=self.uploads,
            observe=self.metrics.observe,
            callback_url=settings.callback_url,
        )

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
        studio = self._studio()
        try:
            task = await studio.store.find(task_id) if studio else None
        except JournalError:
            return None
        return task.caller if task else None

    def _studio(self) -> Studio | None:
        return self._backstage.lent

    async def _clip(self, task_id: str) -> Path | None:
        """The saved file of a task."""
        studio = self._studio()
        task = await studio.store.find(task_id) if studio else None
        return Path(task.file) if task and task.task_id == task_id and task.file else None

"""A link for a finished clip that is not on this disk and will not be soon."""

from __future__ import annotations

from dataclasses import replace

import anyio

from hailuo_mcp.domain import Link, Mode, Phase, RemoteStatus, Status, Task
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.views import View

LINK_SECONDS = 3.0
"""A caller who waits for nothing waits no longer than this for a courtesy."""


async def with_link(desk: Desk, view: View) -> View:
    """The view with a link that works, asked for only where none is known; else as it is."""
    task = view.task
    left = task.save_error or not view.auto_download
    if task.status is not Status.SUCCEEDED or task.saved or not left:
        return view
    if task.account != desk.account or (task.url and not _ends_before(view.now, task)):
        return view
    link: Link | None = None
    with anyio.move_on_after(LINK_SECONDS):
        try:
            link = await _ask(desk, task)
        except HailuoError:
            return view  # the message says how to save it; asking again is free
    if link is None or link.authorised:  # such a path needs the key
        return view
    told: dict[str, object] = {"url": link.url, "url_expires_at": link.expires_at}
    kept = await desk.journal.change(
        task.task_id, told, now=desk.clock(), status_in=(Status.SUCCEEDED,)
    )
    return replace(view, task=kept or task)


def _ends_before(moment: float, task: Task) -> bool:
    return task.url_expires_at is not None and task.url_expires_at <= moment


async def _ask(desk: Desk, task: Task) -> Link:
    if task.file_id:
        known = RemoteStatus(phase=Phase.SUCCEEDED, word="", file_id=task.file_id)
    else:  # such a link comes with the status only
        known = await desk.client.query(task.remote_id, template=task.mode is Mode.TEMPLATE)
    return await desk.client.link(known)

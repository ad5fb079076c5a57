"""A finished clip onto a library user's disk."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hailuo_mcp.domain import Link, Phase, RemoteStatus
from hailuo_mcp.errors import InvalidRequestError

if TYPE_CHECKING:
    from pathlib import Path

    from hailuo_mcp.files.clip_file import SavedFile
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.transport import OpenLink


async def save_clip(
    status: RemoteStatus,
    link: Callable[[bool], Awaitable[Link]],
    open_link: OpenLink,
    path: str | Path,
    *,
    name: str,
    folders: Folders | None,
    overwrite: bool,
) -> SavedFile:
    """Save to a file, or under a name of our own in a folder: one that exists or ends in a slash.

    `folders` guards paths if given.
    """
    import os
    from pathlib import Path

    from hailuo_mcp.files.download import save
    from hailuo_mcp.files.naming import file_name

    if status.phase is not Phase.SUCCEEDED:
        raise InvalidRequestError(
            f"There is no clip to save: the task ended as {status.phase}. Failed and cancelled "
            "clips are not charged. Send a new request."
        )
    default_name = file_name(time.time(), "", name)
    if folders is not None:
        target = folders.target(str(path), default_name=default_name)
    else:
        target = Path(path).expanduser()  # noqa: ASYNC240  # one look at one path
        # A Path knows no separator at its end, so the text is asked.
        if str(path).endswith(("/", os.sep)) or target.is_dir():
            target /= default_name
    return await save(link, open_link, target, overwrite=overwrite)

"""Where a copy of a clip goes, checked before the purchase rather than after it."""

from __future__ import annotations

from pathlib import Path

from hailuo_mcp.cli import arguments
from hailuo_mcp.cli.session import Session
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import system_reason

_IN_FOLDER = "hailuo-mcp.mp4"
"""Stands for the clip's own name, which is not known before."""
_BLOCK = 4096
"""Bytes, the least that takes room on a disk."""


def checked(session: Session, text: str) -> str:
    """Where a copy goes, checked before the purchase rather than after it.

    Raises:
        InvalidRequestError: no clip can be written there, or a file exists.
    """
    if text in ("", arguments.STANDARD):
        return ""
    from hailuo_mcp.files.folders import Folders

    if getattr(session.args, "no_keep", False):
        session.studio.need_movable()
    where = arguments.output_path(text)
    folders = Folders(session.settings.output_dir, fenced=False)
    target = folders.target(where, default_name=_IN_FOLDER)
    if target.exists() and target.name != _IN_FOLDER and not session.args.overwrite:
        step = Step(Do.TRY, "choose another name, or add --overwrite")
        raise InvalidRequestError(f"{target} exists.", step)
    folder = next(parent for parent in target.parents if parent.exists())
    if why := _why_not_writable(folder, target.name):
        step = Step(Do.TRY, "choose a folder that you can write to")
        said = f"{folder} is not a folder that can be written to ({why})."
        raise InvalidRequestError(said, step)
    return where


def _why_not_writable(folder: Path, name: str) -> str:
    """Why no such file can be made there, found out by making one like it; empty if it can."""
    import tempfile

    try:
        # As long a name as a copy has in between, and a block of bytes: a full disk shows only so.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{name}.p") as file:
            file.write(bytes(_BLOCK))
            file.flush()
    except OSError as exc:
        return system_reason(exc)
    return ""

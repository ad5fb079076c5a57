"""A saved clip is copied to where the person wants it, as carefully as it was saved."""

import os
import secrets
import shutil
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.files import disk
from hailuo_mcp.files.disk import BLOCK, SavedFile, Sleep


async def copy_clip(
    clip: Path, target: Path, *, overwrite: bool, sleep: Sleep = anyio.sleep
) -> SavedFile:
    """Copy the clip; a target that already holds the same bytes is the answer."""
    if found := await run_sync(lambda: _already(clip, target, overwrite=overwrite)):
        return found
    async with disk.held(target, sleep=sleep):
        # The call that held the lock before us may have made this very copy.
        return await run_sync(
            lambda: (
                _already(clip, target, overwrite=overwrite)
                or _copy(clip, target, overwrite=overwrite)
            )
        )


def _already(clip: Path, target: Path, *, overwrite: bool) -> SavedFile | None:
    if not clip.is_file():
        raise disk.final(
            f"The saved clip {clip} is not there any more. Nothing was charged again;"
            " call download_video without output_path to fetch it anew."
        )
    with disk.explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.exists() or target.is_symlink()):
            return None
        if target.is_file() and target.stat().st_size == clip.stat().st_size:
            sha256 = disk.sha256_of(target)
            if target.samefile(clip) or sha256 == disk.sha256_of(clip):
                _, facts = disk.clip_flaw(target, length_known=True)
                return disk.saved_file(
                    target, size=target.stat().st_size, sha256=sha256, facts=facts
                )
    if overwrite:
        return None
    raise disk.in_the_way(target)


def _copy(clip: Path, target: Path, *, overwrite: bool) -> SavedFile:
    # Nobody else's name: <target>.part may be a browser's unfinished download.
    draft = target.with_name(f"hailuo-{secrets.token_hex(8)}.part")
    with disk.explained(target.parent):
        try:
            with clip.open("rb") as source, draft.open("xb") as copy:
                shutil.copyfileobj(source, copy, BLOCK)
                copy.flush()
                os.fsync(copy.fileno())
            problem, facts = disk.clip_flaw(draft, length_known=True)
            if problem:
                raise disk.final(
                    f"The saved clip {clip} is damaged ({problem}) and was not copied. Nothing"
                    " was charged again; delete it, then call download_video again."
                )
            size, sha256 = draft.stat().st_size, disk.sha256_of(draft)
            disk.put_in_place(draft, target, overwrite=overwrite)
        finally:
            draft.unlink(missing_ok=True)
    return disk.saved_file(target, size=size, sha256=sha256, facts=facts)

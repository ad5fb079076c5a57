"""A saved clip is copied to where the person wants it, as carefully as it was saved."""

from pathlib import Path

import anyio
from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.downloader import disk
from hailuo_mcp.downloader.disk import BLOCK, SavedFile
from hailuo_mcp.downloader.part import Part


async def copy_clip(clip: Path, target: Path, *, overwrite: bool) -> SavedFile:
    """Copy the clip; a target that already holds the same bytes is the answer."""
    if found := await run_sync(lambda: _already(clip, target, overwrite=overwrite)):
        return found
    async with disk.held(target, sleep=anyio.sleep):
        part = await run_sync(Part, target.with_name(target.name + ".part"))
        try:
            await run_sync(_fill, clip, part)
            problem, facts = await run_sync(lambda: disk.clip_flaw(part.path, length_known=True))
            if problem:
                await run_sync(part.discard)
                raise disk.final(
                    f"The saved clip {clip} is damaged ({problem}) and was not copied. Nothing"
                    " was charged again; delete it, then call download_video again."
                )
            await run_sync(part.finish)
            await run_sync(lambda: disk.put_in_place(part.path, target, overwrite=overwrite))
        finally:
            with CancelScope(shield=True):
                await run_sync(part.close)
        return disk.saved_file(target, size=part.size, sha256=part.sha256, facts=facts)


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


def _fill(clip: Path, part: Part) -> None:
    part.restart()
    with disk.explained(clip.parent), clip.open("rb") as source:
        while block := source.read(BLOCK):
            part.append(memoryview(block))

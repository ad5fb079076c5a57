"""Opens reference clips and sounds: they are looked at, and sent as they are."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hailuo_mcp.catalog.video_models import References
from hailuo_mcp.domain.requests import ClipFacts, SoundFacts
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.sources import (
    Fetch,
    Kind,
    Opened,
    Source,
    decode_in_thread,
    read_source,
    refused,
    task_in,
)
from hailuo_mcp.text import shown

OpenedClip = Opened[ClipFacts]
OpenedSound = Opened[SoundFacts]
SavedClip = Callable[[str, int], Awaitable[bytes]]
"""Gives a clip that was made here, by its task's id; refuses one of more bytes than this."""

_Facts = TypeVar("_Facts", ClipFacts, SoundFacts)
_CLIP = "give an MP4 or MOV clip with H.264 or H.265 pictures"
_SOUND = "give a WAV or MP3 file"
_IN_BASE64 = r"[A-Za-z0-9+/_=\s-]{100,}"


def clip_kind(rules: References) -> Kind:
    return Kind(
        noun="clip",
        most_bytes=rules.video_bytes,
        fetch_seconds=20.0,
        mime="video/mp4",
        in_base64=re.compile(r"AAAA" + _IN_BASE64),
    )


def sound_kind(rules: References) -> Kind:
    return Kind(
        noun="sound",
        most_bytes=rules.audio_bytes,
        fetch_seconds=10.0,
        mime="audio/mp3",
        in_base64=re.compile(r"(?:UklGR|SUQz|//[tuvw])" + _IN_BASE64),
    )


async def open_reference_clip(
    source: str,
    rules: References,
    *,
    folders: Folders | None,
    fetch: Fetch,
    saved: SavedClip | None = None,
) -> OpenedClip:
    """Return the clip that `source` names; `folders` is as in open_image.

    Raises:
        InvalidRequestError: there is none, or it is not an MP4 or MOV that can be read.
        ConfigError: PyAV is not installed.
    """
    from hailuo_mcp.media.reference_facts import clip_facts

    kind = clip_kind(rules)

    async def of_task(text: str) -> tuple[bytes, str]:
        task_id, _ = task_in(text, kind, "task: and the id of a task that has a clip")
        if saved is None:
            raise refused(
                f"{shown(text)!r} is a clip that was made elsewhere, and no clips are kept here",
                "give the path of the file",
            )
        return await saved(task_id, kind.most_bytes), f"task:{task_id}"

    named = {"task:": of_task, "upload:": _no_upload(kind)}
    read = await read_source(source, kind, folders=folders, fetch=fetch, named=named)
    facts = await _facts(read, clip_facts, _CLIP)
    return Opened(facts=facts, data=_sent(read), url=read.url, origin=read.origin)


async def open_reference_sound(
    source: str, rules: References, *, folders: Folders | None, fetch: Fetch
) -> OpenedSound:
    """Return the sound that `source` names; raises as open_reference_clip."""
    from hailuo_mcp.media.reference_facts import sound_facts

    kind = sound_kind(rules)

    async def of_task(text: str) -> tuple[bytes, str]:
        raise refused(f"{shown(text)!r} is a clip, and a sound is needed", _SOUND)

    named = {"task:": of_task, "upload:": _no_upload(kind)}
    read = await read_source(source, kind, folders=folders, fetch=fetch, named=named)
    facts = await _facts(read, sound_facts, _SOUND)
    return Opened(facts=facts, data=_sent(read), url=read.url)


def _no_upload(kind: Kind) -> Callable[[str], Awaitable[tuple[bytes, str]]]:
    async def only_pictures(text: str) -> tuple[bytes, str]:
        raise refused(
            f"{shown(text)!r} is an uploaded picture, and a {kind.noun} is needed",
            "give an https:// address or a data URL",
        )

    return only_pictures


async def _facts(source: Source, look: Callable[[bytes], _Facts], how: str) -> _Facts:
    from hailuo_mcp.media.opening import UnreadableClipError

    try:
        return await decode_in_thread(lambda: look(source.data))
    except UnreadableClipError as why:
        raise refused(f"{source.name} cannot be used, because {why}", how) from None


def _sent(source: Source) -> bytes:
    """What has to be kept: the provider fetches what has an address itself."""
    return b"" if source.url else source.data

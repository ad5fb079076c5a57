"""Input files of v2 creates: fetched, checked by the documented limits, kept.

A public address is taken on trust, as the sandbox asks nobody but this machine: its length counts
as the shortest that is allowed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus
from importlib import import_module
from typing import Any

from hailuo_mcp.sandbox import pictures
from hailuo_mcp.sandbox.backend import Backend
from hailuo_mcp.sandbox.loopback import call, is_loopback
from hailuo_mcp.sandbox.refusal import invalid
from hailuo_mcp.sandbox.v2.orders import BASE, Item

_MOST_BYTES = {"image": 30_000_000, "video": 50_000_000, "audio": 15_000_000}
_TYPES = {
    "image": ("image/jpeg", "image/jpg", "image/png", "image/webp"),
    "video": ("video/mp4", "video/quicktime"),
    "audio": ("audio/wav", "audio/x-wav", "audio/mp3", "audio/mpeg"),
}
_SIDES = range(256, 5761)
_MOST_ASPECT = Fraction(5, 2)
_LEAST_SECONDS, _MOST_SECONDS = 2, 15
_RATES = range(24, 61)
_UPLOADED = "mm_file://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file as it was found."""

    item: Item
    sha256: str = ""
    """Of its bytes; empty: it was not fetched."""
    size: tuple[int, int] | None = None
    seconds: Fraction = Fraction(0)

    @property
    def identity(self) -> str:
        """Return what tells this input from another: its role and its bytes, or its address."""
        return f"{self.item.role}:{self.sha256 or self.item.url}"


async def load(items: Sequence[Item], backend: Backend, key: str) -> list[Input]:
    """Fetch and check all files of a request."""
    found = [await _load(item, backend, key) for item in items]
    for medium in ("video", "audio"):
        whole = sum(
            (it.seconds for it in found if it.item.medium == medium and it.item.role != BASE),
            Fraction(0),
        )
        if whole > _MOST_SECONDS:
            raise invalid(f"{medium}s must not be longer than {_MOST_SECONDS}s together")
    return found


def whole_seconds(found: Sequence[Input], medium: str) -> int:
    """Return the seconds of all references of a kind together, rounded up."""
    references = [it for it in found if it.item.medium == medium and it.item.role != BASE]
    return math.ceil(sum((it.seconds for it in references), Fraction(0)))


async def _load(item: Item, backend: Backend, key: str) -> Input:
    content = await _bytes(item, backend, key)
    if content is None:
        trusted = Fraction(0) if item.medium == "image" else Fraction(_LEAST_SECONDS)
        return Input(item=item, seconds=trusted)
    if len(content) > _MOST_BYTES[item.medium]:
        raise invalid(f"{item.role} must not be larger than {_MOST_BYTES[item.medium]} bytes")
    if item.role == BASE:
        # Only the unaltered clip is taken, so that there is nothing to measure.
        return Input(item=item, sha256=hashlib.sha256(content).hexdigest())
    size, seconds = await asyncio.to_thread(_measure, content, item)
    sha256 = pictures.keep(content, backend.options.state_dir)
    return Input(item=item, sha256=sha256, size=size, seconds=seconds)


async def _bytes(item: Item, backend: Backend, key: str) -> bytes | None:
    url, state_dir = item.url, backend.options.state_dir
    if url.startswith("data:"):
        return _decoded(item)
    if url.startswith(_UPLOADED):
        sha256 = backend.book.upload(url.removeprefix(_UPLOADED), key)
        if not sha256:
            raise invalid(f"{item.role}: file not found")
        return await asyncio.to_thread(pictures.kept_at(sha256, state_dir).read_bytes)
    if is_loopback(url):
        try:
            status, content = await call("GET", url, most_bytes=_MOST_BYTES[item.medium] + 1)
        except OSError:
            raise invalid(f"{item.role} could not be downloaded") from None
        if status != HTTPStatus.OK:
            raise invalid(f"{item.role} could not be downloaded, HTTP {status}")
        return content
    if not url.startswith("https://"):
        raise invalid(f"{item.role} must be an https URL, a data URL or mm_file://<id>")
    return None


def _decoded(item: Item) -> bytes:
    head, _, payload = item.url.partition(",")
    kind, _, coding = head.removeprefix("data:").partition(";")
    if kind not in _TYPES[item.medium] or coding != "base64":
        known = ", ".join(_TYPES[item.medium])
        raise invalid(f"{item.role} must be a base64 data URL of one of {known}")
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"{item.role} is not valid base64") from None


def _measure(content: bytes, item: Item) -> tuple[tuple[int, int] | None, Fraction]:
    if item.medium == "image":
        shape = pictures.size_of(content, item.role)
        _check_size(shape, item.role)
        return shape, Fraction(0)
    av = import_module("av")
    try:
        with av.open(io.BytesIO(content)) as container:
            size = _check_video(container, item) if item.medium == "video" else None
            if item.medium == "audio":
                _check_audio(container, item)
            seconds = _seconds(container, item.medium)
    except (av.FFmpegError, ValueError):
        raise invalid(f"{item.role} cannot be read") from None
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        shown = f"{float(seconds):.2f}"
        raise invalid(
            f"{item.role} must last {_LEAST_SECONDS} to {_MOST_SECONDS} seconds, not {shown}"
        )
    return size, seconds


def _check_video(container: Any, item: Item) -> tuple[int, int]:  # noqa: ANN401  # see clips.render
    if "mp4" not in container.format.name.split(",") or not container.streams.video:
        raise invalid(f"{item.role} must be an MP4 or MOV video")
    stream = container.streams.video[0]
    if stream.codec_context.name not in ("h264", "hevc"):
        raise invalid(f"{item.role} must be H.264 or H.265")
    if any(
        it.codec_context.name not in ("aac", "mp3", "mp3float") for it in container.streams.audio
    ):
        raise invalid(f"{item.role} must have AAC or MP3 sound")
    if round(stream.average_rate or 0) not in _RATES:
        raise invalid(f"{item.role} must have {_RATES[0]} to {_RATES[-1]} frames a second")
    size = (int(stream.width), int(stream.height))
    _check_size(size, item.role)
    return size


def _check_audio(container: Any, item: Item) -> None:  # noqa: ANN401
    if container.format.name not in ("wav", "mp3") or not container.streams.audio:
        raise invalid(f"{item.role} must be WAV or MP3")


def _seconds(container: Any, medium: str) -> Fraction:  # noqa: ANN401
    stream = (container.streams.video if medium == "video" else container.streams.audio)[0]
    if stream.duration:
        return Fraction(stream.duration) * Fraction(stream.time_base)
    return Fraction(container.duration or 0, 1_000_000)


def _check_size(size: tuple[int, int], name: str) -> None:
    if any(side not in _SIDES for side in size):
        raise invalid(f"{name} must have sides of {_SIDES[0]} to {_SIDES[-1]} pixels")
    if Fraction(max(size), min(size)) > _MOST_ASPECT:
        raise invalid(f"{name} must have an aspect ratio between 2:5 and 5:2")

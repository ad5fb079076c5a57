"""Makes clips for the tests: a moving scene, with faults where they are wanted."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageChops

from hailuo_mcp.sandbox.clips.camera import read
from hailuo_mcp.sandbox.clips.scene import Landscape

RATE = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large and how long the clips are."""

    width: int
    height: int
    fps: int
    seconds: float

    @property
    def frames(self) -> int:
        return round(self.fps * self.seconds)


def scene(
    scale: Scale, prompt: str = "A fox [Truck left]", *, grain: float = 0
) -> list[Image.Image]:
    """The sandbox's landscape without its text."""
    return [with_grain(picture, grain) for picture in _painted(scale, prompt)]


@cache
def _painted(scale: Scale, prompt: str) -> tuple[Image.Image, ...]:
    landscape, moves = Landscape(scale.width, scale.height, prompt), read(prompt)
    shares = [index / (scale.frames - 1) for index in range(scale.frames)]
    return tuple(landscape.frame(moves.pose(share), share * scale.seconds) for share in shares)


def with_grain(picture: Image.Image, strength: float) -> Image.Image:
    if not strength:
        return picture
    noise = Image.effect_noise(picture.size, strength)
    return ImageChops.add(picture, Image.merge("RGB", [noise] * 3), 1, -128)


def brighter(picture: Image.Image, levels: int) -> Image.Image:
    return picture.point([min(255, max(0, value + levels)) for value in range(256)] * 3)


def write(
    path: Path,
    frames: Sequence[Image.Image],
    *,
    fps: int,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    turn: int = 0,
    sound: str = "",
    movflags: str = "+faststart",
) -> Path:
    """Encode frames; `times` in seconds, `turn` clockwise, sound "tone", "faint" or "silence"."""
    out: Any = av.open(
        str(path), "w", format="mp4", options={"movflags": movflags} if movflags else {}
    )
    with out:
        track = out.add_stream(codec, rate=fps)
        track.width, track.height = frames[0].size
        track.pix_fmt = "yuv420p"
        track.codec_context.time_base = Fraction(1, 1000 if times else fps)
        if codec == "libx264":
            # The number of threads changes the bytes, and these should be the same everywhere.
            track.options = {"crf": "23", "preset": "veryfast", "threads": "1", **(options or {})}
        if turn:
            track.set_display_rotation(-turn)
        voice = out.add_stream("aac", rate=RATE) if sound else None
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_image(picture)
            frame.pts = round(times[index] * 1000) if times else index
            frame.time_base = track.codec_context.time_base
            out.mux(track.encode(frame))
        out.mux(track.encode())
        if voice:
            add_sound(out, voice, sound, len(frames) / fps)
    return path


def write_sound_alone(path: Path, seconds: float = 1.0) -> Path:
    out: Any = av.open(str(path), "w", format="mp4")
    with out:
        add_sound(out, out.add_stream("aac", rate=RATE), "tone", seconds)
    return path


def add_sound(out: Any, track: Any, kind: str, seconds: float) -> None:
    loud = {"tone": 8000, "faint": 300, "silence": 0}[kind]
    wave = array("h", (round(loud * math.sin(i * math.tau / 128)) for i in range(1024)))
    for start in range(0, int(seconds * RATE), 1024):
        frame = av.AudioFrame(format="s16", layout="mono", samples=1024)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts = RATE, start
        out.mux(track.encode(frame))
    out.mux(track.encode())

"""Small real clips and sounds to give as references."""

from __future__ import annotations

import io
import math
import wave
from array import array
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av

from .numbered import make_clip
from .scenes import add_sound

RATE = 8000


@cache
def mp4(**how: Any) -> bytes:
    """96×64 px, 24 frames a second, two seconds."""
    with TemporaryDirectory() as folder:
        return make_clip(Path(folder) / "clip.mp4", **how).read_bytes()


@cache
def encoded(form: str, codec: str, *, fps: int = 24, turn: int = 0, sound: str = "") -> bytes:
    """The same size and length in another format."""
    out = io.BytesIO()
    container: Any = av.open(out, "w", format=form)
    with container:
        track = container.add_stream(codec, rate=fps)
        track.width, track.height, track.pix_fmt = 96, 64, "yuv420p"
        if codec == "libx265":
            track.options = {"x265-params": "log-level=none", "preset": "ultrafast"}
        if turn:
            track.set_display_rotation(turn)
        voice = container.add_stream(sound, rate=48_000) if sound else None
        for number in range(2 * fps):
            frame = av.VideoFrame(96, 64, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([16 + 2 * number]) * plane.buffer_size)
            frame.pts = number
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        if voice:
            add_sound(container, voice, "tone", 2)
    return out.getvalue()


@cache
def wav(seconds: float = 2.0, *, stated: int | None = None) -> bytes:
    """16 bits, mono; `stated`: what the header gives as the bytes of the sound."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        tone = (round(9000 * math.sin(at / 4)) for at in range(round(seconds * RATE)))
        file.writeframes(array("h", tone).tobytes())
    data = bytearray(out.getvalue())
    if stated is not None:
        data[40:44] = stated.to_bytes(4, "little")
    return bytes(data)


@cache
def mp3(seconds: float = 2.0, *, form: str = "mp3", codec: str = "libmp3lame") -> bytes:
    out = io.BytesIO()
    container: Any = av.open(out, "w", format=form)
    with container:
        add_sound(container, container.add_stream(codec, rate=48_000), "tone", seconds)
    return out.getvalue()

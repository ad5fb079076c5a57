"""Clips whose frames carry their number, so that a test can tell which one it got."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageDraw

BITS = 8
SIZE = (96, 64)


def numbered(number: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Eight bars, black or white, that spell the number; the upper quarter is red."""
    picture = Image.new("RGB", size, "black")
    draw, (width, height) = ImageDraw.Draw(picture), size
    for bit in range(BITS):
        if number >> bit & 1:
            draw.rectangle(
                (width * bit // BITS, height // 4, width * (bit + 1) // BITS - 1, height),
                fill="white",
            )
    draw.rectangle((0, 0, width, height // 4 - 1), fill="#c02040")
    return picture


def number_of(picture: Image.Image) -> int:
    width, height = picture.size
    grey = picture.convert("L")
    bars = (
        grey.getpixel((width * (2 * bit + 1) // (2 * BITS), height * 5 // 8)) for bit in range(BITS)
    )
    return sum((shade > 128) << bit for bit, shade in enumerate(bars))


def make_clip(
    path: Path,
    times: Sequence[int] = range(48),
    *,
    rate: int = 24,
    size: tuple[int, int] = SIZE,
    keyframes: int = 12,
    start: int = 0,
    sound_seconds: float = 0,
    options: dict[str, str] | None = None,
    pixel_shape: Fraction = Fraction(1),
) -> Path:
    """Write H.264 with B-frames; frame n is shown at (start + times[n]) / rate."""
    given = {"crf": "10", "preset": "veryfast", "bf": "3", "b_strategy": "0", "g": str(keyframes)}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=rate, options=given | (options or {}))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, rate)
        stream.codec_context.sample_aspect_ratio = pixel_shape
        sound = out.add_stream("aac", rate=44100, layout="mono") if sound_seconds else None
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_image(numbered(number, size))
            frame.pts, frame.time_base = start + time, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            for block in range(int(sound_seconds * 44100) // 1024):
                silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
                silence.sample_rate, silence.pts = 44100, block * 1024
                for plane in silence.planes:
                    plane.update(bytes(plane.buffer_size))
                out.mux(sound.encode(silence))
            out.mux(sound.encode(None))
    return path


def turned(path: Path, matrix: Sequence[int]) -> Path:
    """Write the matrix (a, b, c, d) into the header of the first track."""
    one = 1 << 16
    a, b, c, d = (value * one for value in matrix)
    return _patched(path, b"tkhd", 44, struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))


def trimmed(path: Path, media_time: int) -> Path:
    """Let the first track's edit list start later, in units of its media."""
    return _patched(path, b"elst", 16, struct.pack(">i", media_time))


def _patched(path: Path, box: bytes, offset: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    place = data.index(box) + offset
    data[place : place + len(value)] = value
    path.write_bytes(data)
    return path

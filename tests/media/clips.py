"""Small real clips with everything that differs between clips, and what a player makes of them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

av: Any = __import__("av")


@dataclass(frozen=True, kw_only=True)
class Clip:
    width: int = 96
    height: int = 64
    rate: int = 8
    frames: int = 16
    b_frames: int = 0
    codec: str = "libx264"
    shade: int = 40
    """Of the first frame; the next ones are brighter by 4 each."""
    beep: float | None = None
    """Seconds after which a tone of a tenth of a second is heard; None for no sound."""
    sample_rate: int = 32_000
    layout: str = "mono"
    turned: int = 0
    skip: tuple[int, ...] = ()
    """Frames that are left out: the one before stays longer."""
    hidden: int = 0
    """So many frames at the start are not shown, but needed to decode the others."""
    mark: bool = False
    """The upper left corner is white, which tells which way is up."""
    format: str = "yuv420p"
    crf: int = 10


def make(path: Path, clip: Clip | None = None) -> Path:
    clip = clip or Clip()
    options = {
        "crf": str(clip.crf),
        "bf": str(clip.b_frames),
        "preset": "ultrafast",
        "threads": "1",
    }
    if clip.codec != "libx264":
        options = {}
    with av.open(str(path), "w", format="mp4") as out:
        track = out.add_stream(clip.codec, rate=clip.rate, options=options)
        track.width, track.height, track.pix_fmt = clip.width, clip.height, clip.format
        if clip.turned:
            track.set_display_rotation(clip.turned)
        sound = None
        if clip.beep is not None:
            sound = out.add_stream("aac", rate=clip.sample_rate, layout=clip.layout)
        for index in range(clip.frames):
            if index in clip.skip:
                continue
            frame = _picture(clip, clip.shade + 4 * index)
            frame.pts, frame.time_base = index - clip.hidden, Fraction(1, clip.rate)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
        if sound is not None:
            for frame in _tone(clip):
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


def _picture(clip: Clip, shade: int) -> Any:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (clip.width, clip.height), (shade,) * 3)
    if clip.mark:
        ImageDraw.Draw(picture).rectangle((0, 0, 15, 15), fill="white")
    return av.VideoFrame.from_image(picture).reformat(format=clip.format)


def _tone(clip: Clip) -> list[Any]:
    whole = round(clip.frames * clip.sample_rate / clip.rate)
    begin = round((clip.beep or 0) * clip.sample_rate)
    end = begin + clip.sample_rate // 10
    channels = 2 if clip.layout == "stereo" else 1
    samples = array("h")
    for index in range(whole):
        loud = 12_000 if begin <= index < end else 0
        value = round(loud * math.sin(index * 2 * math.pi * 1000 / clip.sample_rate))
        samples.extend([value] * channels)
    found = list[Any]()
    for at in range(0, whole, 1024):
        block = samples[at * channels : (at + 1024) * channels].tobytes()
        frame = av.AudioFrame(format="s16", layout=clip.layout, samples=len(block) // 2 // channels)
        frame.planes[0].update(block)
        frame.sample_rate, frame.pts = clip.sample_rate, at
        frame.time_base = Fraction(1, clip.sample_rate)
        found.append(frame)
    return found


def pictures(path: Path) -> list[bytes]:
    """Every frame, as its brightness."""
    with av.open(str(path)) as clip:
        return [frame.to_image().convert("L").tobytes() for frame in clip.decode(video=0)]


def shades(path: Path) -> list[int]:
    """The brightness in the middle of each frame."""
    with av.open(str(path)) as clip:
        found = list[int]()
        for frame in clip.decode(video=0):
            picture = frame.to_image().convert("L")
            found.append(picture.getpixel((picture.width // 2, picture.height // 2)))
        return found


def times(path: Path) -> list[float]:
    with av.open(str(path)) as clip:
        return [frame.time for frame in clip.decode(video=0)]


def seconds(path: Path) -> float:
    """By its packets, from the first picture to the end of the last one."""
    with av.open(str(path)) as clip:
        shown = [it for it in clip.demux(video=0) if it.pts is not None and not it.is_discard]
        first, last = (pick(shown, key=lambda it: it.pts) for pick in (min, max))
        return float((last.pts + last.duration - first.pts) * last.time_base)


def beeps(path: Path) -> list[float]:
    """When each tone begins, in seconds."""
    found, quiet_until = list[float](), 0.0
    with av.open(str(path)) as clip:
        mono = av.AudioResampler(format="s16", layout="mono")
        for decoded in [*clip.decode(audio=0), None]:
            for frame in mono.resample(decoded):
                samples = array("h", bytes(frame.planes[0])[: frame.samples * 2])
                for index, value in enumerate(samples[::8]):
                    at = (frame.pts + 8 * index) / frame.sample_rate
                    if abs(value) > 3000:
                        if at > quiet_until:
                            found.append(at)
                        quiet_until = at + 0.02
    return found


def sound_seconds(path: Path) -> float:
    with av.open(str(path)) as clip:
        return sum(frame.samples / frame.sample_rate for frame in clip.decode(audio=0))


def tracks(path: Path) -> list[str]:
    with av.open(str(path)) as clip:
        return [stream.type for stream in clip.streams]


def made(folder: Path, clips: Sequence[Clip]) -> list[Path]:
    return [make(folder / f"{number}.mp4", clip) for number, clip in enumerate(clips, 1)]

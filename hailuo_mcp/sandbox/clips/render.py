"""One task becomes one mp4: H.264, 4:2:0, the index in front, with sound where it has some."""

from __future__ import annotations

import io
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.sandbox.clips import camera, sound
from hailuo_mcp.sandbox.clips.overlay import Overlay
from hailuo_mcp.sandbox.clips.scene import Landscape, Photograph
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.pictures import kept_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

_FADE_SECONDS = 0.5
_MOST_DRAWN = 1080
"""The longest short side that is drawn; a larger clip is drawn at half its size and scaled up."""
_HALF = 0.5
"""The share of the clip after which the last frame fades in."""


def render(task: Job, path: Path, state_dir: Path) -> None:
    """Write the clip; the same task gives the same bytes wherever it is rendered."""
    av = _pyav()
    # A keyframe every second, for those who seek.
    with _opened(path) as container:
        stream = _stream(container, task, crf=26, keyframes=task.fps)
        voice = sound.add_stream(container) if task.sound else None
        for image in _frames(task, _drawn_size(task), state_dir):
            frame = av.VideoFrame.from_image(image)
            container.mux(stream.encode(frame.reformat(task.width, task.height, "yuv420p")))
        container.mux(stream.encode(None))
        if voice is not None:
            sound.write(container, voice, task)


def render_still(task: Job, path: Path) -> None:
    """Write a plain and tiny clip of the task's size and length, for tests that need many."""
    size = (task.width, task.height, task.duration, task.fps, task.sound)
    if size not in _stills:
        _encode_still(task, path)
        _stills[size] = path.read_bytes()
    path.write_bytes(_stills[size])


_stills: dict[tuple[int, int, int, int, bool], bytes] = {}
"""A few kilobytes for each size and length; a suite of tests starts hundreds of sandboxes."""


def _encode_still(task: Job, path: Path) -> None:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (task.width, task.height), "#1f3552")
    text = f"SANDBOX {task.width}x{task.height} {task.duration} s"
    ImageDraw.Draw(image).text((24, 24), text, fill="white", font_size=max(16, task.height // 20))
    av = _pyav()
    frame = av.VideoFrame.from_image(image).reformat(format="yuv420p")
    with _opened(path) as container:
        stream = _stream(container, task, crf=40, keyframes=1000)
        voice = sound.add_stream(container) if task.sound else None
        # One second is encoded and repeated: a suite of tests makes many, up to 15 s and 2K.
        second: list[tuple[bytes, bool]] = []
        for index in range(task.fps):
            frame.pts, frame.time_base = index, Fraction(1, task.fps)
            second += [(bytes(it), it.is_keyframe) for it in stream.encode(frame)]
        second += [(bytes(it), it.is_keyframe) for it in stream.encode(None)]
        for index in range(task.duration * task.fps):
            content, is_keyframe = second[index % task.fps]
            packet = av.Packet(content)
            packet.stream, packet.is_keyframe = stream, is_keyframe
            packet.pts = packet.dts = index
            packet.duration, packet.time_base = 1, Fraction(1, task.fps)
            container.mux(packet)
        if voice is not None:
            sound.write(container, voice, task)


def _pyav() -> Any:  # noqa: ANN401  # PyAV leaves half of its types open; strict checkers mind
    return import_module("av")


def _opened(path: Path) -> Any:  # noqa: ANN401
    return _pyav().open(str(path), "w", format="mp4", options={"movflags": "+faststart"})


def _stream(container: Any, task: Job, *, crf: int, keyframes: int) -> Any:  # noqa: ANN401
    # The number of threads is fixed because it decides the bytes.
    options = {"preset": "ultrafast", "crf": str(crf), "g": str(keyframes), "threads": "2"}
    stream = container.add_stream("libx264", rate=task.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = task.width, task.height, "yuv420p"
    return stream


def _drawn_size(task: Job) -> tuple[int, int]:
    if min(task.width, task.height) > _MOST_DRAWN:
        return task.width // 2, task.height // 2
    return task.width, task.height


def _frames(task: Job, size: tuple[int, int], state_dir: Path) -> Iterator[Image]:
    from PIL import Image

    first, last, subject = (_load(key, state_dir) for key in (task.first, task.last, task.subject))
    if first is not None:
        scene: Landscape | Photograph = Photograph(*size, first)
    else:
        # A first frame behind a public address was not fetched: the landscape stands in for it.
        scene = Landscape(*size, task.prompt or task.task_id, subject)
    final = Photograph(*size, last) if last is not None else None
    moves, overlay = camera.read(task.prompt), Overlay(task, size)
    total = task.duration * task.fps
    for index in range(total):
        seconds, share = index / task.fps, index / (total - 1)
        pose = moves.pose(share)
        view = scene.frame(pose, seconds)
        if final is not None and share > _HALF:
            blend = (share - _HALF) * 2.0
            # The camera comes to rest on the way, so that the clip ends on the picture as given.
            ahead = final.frame(pose.scaled(1.0 - blend), 0.0)
            view = Image.blend(view, ahead, blend) if share < 1.0 else ahead
        strength = min(
            seconds / _FADE_SECONDS if first is not None else 1.0,
            # The next clip may start from the last frame, and has its own text.
            (total - 1 - index) / task.fps / _FADE_SECONDS,
            1.0,
        )
        overlay.draw(view, seconds, moves.label(share), strength)
        yield view


def _load(sha256: str, state_dir: Path) -> Image | None:
    from PIL import Image, ImageOps

    if not sha256:
        return None
    content = kept_at(sha256, state_dir).read_bytes()
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")

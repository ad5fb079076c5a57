"""One task becomes one mp4: H.264, 4:2:0, the index in front."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.sandbox.clips import camera
from hailuo_mcp.sandbox.clips.overlay import Overlay
from hailuo_mcp.sandbox.clips.scene import Landscape, Photograph
from hailuo_mcp.sandbox.pictures import kept_at
from hailuo_mcp.sandbox.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

_FADE_SECONDS = 0.5
_HALF = 0.5
"""The share of the clip after which the last frame fades in."""


def render(task: Task, path: Path, state_dir: Path, *, fast: bool) -> None:
    """Write the clip; the same task gives the same frames wherever it is rendered."""
    # PyAV leaves half of its types open, which strict checkers do not forgive.
    av: Any = import_module("av")
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        # A still needs no keyframe but the first; a clip gets one a second, for those who seek.
        stream = container.add_stream(
            "libx264",
            rate=task.fps,
            options={
                "preset": "ultrafast",
                "crf": "40" if fast else "26",
                "g": str(1000 if fast else task.fps),
                "threads": "2",  # a fixed number: it decides the bytes
            },
        )
        stream.width, stream.height, stream.pix_fmt = task.width, task.height, "yuv420p"
        for image in _still(task) if fast else _frames(task, state_dir):
            frame = av.VideoFrame.from_image(image)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _still(task: Task) -> Iterator[Image]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (task.width, task.height), "#1f3552")
    text = f"SANDBOX {task.width}x{task.height} {task.duration} s"
    ImageDraw.Draw(image).text((24, 24), text, fill="white", font_size=max(16, task.height // 20))
    for _ in range(task.duration * task.fps):
        yield image


def _frames(task: Task, state_dir: Path) -> Iterator[Image]:
    from PIL import Image

    first, last, subject = (_load(key, state_dir) for key in (task.first, task.last, task.subject))
    if first is not None:
        scene: Landscape | Photograph = Photograph(task.width, task.height, first)
    else:
        # A first frame behind a public address was not fetched: the landscape stands in for it.
        scene = Landscape(task.width, task.height, task.prompt or task.task_id, subject)
    final = Photograph(task.width, task.height, last) if last is not None else None
    moves, overlay = camera.read(task.prompt), Overlay(task)
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
            (total - 1 - index) / task.fps / _FADE_SECONDS if final is not None else 1.0,
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

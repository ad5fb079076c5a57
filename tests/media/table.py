"""Examines clips with known faults and 50 clean ones, and prints one table of both.

`python -m tests.media.table`, which takes two to three minutes; the exit code is 1 if a line of it
is wrong. The faults and a few clean clips are in the test suite.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

from hailuo_mcp.media.examine import Expected, Findings, examine, expected_size
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.sandbox.clips.camera import _MOVES
from hailuo_mcp.sandbox.clips.render import render
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.pictures import kept_at
from hailuo_mcp.sandbox.rules import clip_size

from .faults import FAULTS, HARMLESS, Case, png
from .scenes import Scale, scene

FULL = Scale(width=320, height=180, fps=24, seconds=3)
MOVES = tuple(_MOVES)
CLEAN = 50


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    found: str
    seconds: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A clip as the sandbox delivers it."""

    prompt: str
    resolution: str
    duration: int
    first: tuple[int, int] | None = None
    """Size of a given first picture."""
    last: bool = False
    size: tuple[int, int] | None = None
    """Smaller than the resolution says, to be quick."""


def clean_clips() -> Iterator[Clean]:
    """Every move three times: with and without a first picture, both lengths, all sizes."""
    shapes = (None, (640, 960), None, (1200, 800), (960, 400), None)
    for index in range(CLEAN):
        moves = MOVES[index % len(MOVES)]
        if index >= 3 * len(MOVES):  # several moves, at once and one after the other
            following = MOVES[(index * 4 + 1) % len(MOVES)]
            moves = f"{moves}] then [{following}" if index % 2 else f"{moves}, {following}"
        yield Clean(
            prompt=f"A fox crosses field {index} [{moves}]",
            resolution=("512P", "768P", "720P", "512P", "1080P")[index % 5],
            duration=10 if index % 7 == 3 else 6,
            first=shapes[index % len(shapes)],
            last=index % 8 == 3,
        )


def photo(size: tuple[int, int], prompt: str) -> bytes:
    width, height = size
    return png(scene(Scale(width=width, height=height, fps=2, seconds=1), prompt)[0])


def rendered(clip: Clean, folder: Path, name: str = "clip") -> tuple[Path, Expected]:
    """Let the sandbox render it; what it was asked to be."""
    first = photo(clip.first, f"Harbour {clip.prompt}") if clip.first else None
    last = photo(clip.first or (1280, 720), f"Dunes {clip.prompt}") if clip.last else None
    keys = ["", ""]
    for index, data in enumerate((first, last)):
        if data:
            keys[index] = hashlib.sha256(data).hexdigest()
            place = kept_at(keys[index], folder)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(data)
    width, height = clip.size or clip_size(clip.resolution, clip.first)
    job = Job(
        task_id=name,
        file_id="1",
        key="k",
        dialect="minimax",
        family="hailuo",
        created_at=0,
        seconds_to_ready=1,
        prompt=clip.prompt,
        duration=clip.duration,
        width=width,
        height=height,
        first=keys[0],
        last=keys[1],
    )
    path = folder / f"{name}.mp4"
    render(job, path, folder)
    size = clip.size or expected_size(clip.resolution, first)
    return path, Expected(
        width=size[0] if size else None,
        height=size[1] if size else None,
        seconds=clip.duration,
        first_picture=first,
        last_picture=last,
    )


def judge(case: Case, path: Path, expected: Expected, scale: Scale) -> tuple[str, bool]:
    """Return what was found, and whether it is what the case is about."""
    try:
        found = examine(path, expected)
    except UnreadableClipError as trouble:
        return f"unreadable: {trouble}", bool(case.unreadable) and case.unreadable in str(trouble)
    right = frozenset(found.flaws) == case.flaws and not case.unreadable
    return described(found), right and case.right(found, scale)


def described(found: Findings) -> str:
    words = [f"{found.width}×{found.height}", f"{found.seconds} s", f"{found.fps:g} fps"]
    words.append("sound" if found.sound else "silent track" if found.silent_track else "no sound")
    if found.turned:
        words.append(f"turned {found.turned}°")
    for name, alike in (("first", found.first_likeness), ("last", found.last_likeness)):
        words += [] if alike is None else [f"{name} {alike:.2f}"]
    for name in ("black", "frozen", "flickers"):
        words += [f"{name} {one.start:.2f}-{one.end:.2f}" for one in getattr(found, name)]
    words += [f"cut {at:.2f}" for at in found.cuts]
    plain = ("truncated", "variable_fps", "wrong_size", "wrong_length")
    return ", ".join(words + [name.upper() for name in plain if getattr(found, name)])


def tasks() -> list[Case | Clean]:
    return [*clean_clips(), *FAULTS, *HARMLESS]


def _line(index: int) -> Line:
    what = tasks()[index]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if isinstance(what, Case):
            path, label, case = folder / "clip.mp4", what.name, what
            expected = what.make(path, FULL) or Expected()
        else:
            path, expected = rendered(what, folder)
            label = f"clean {index + 1}: {what.prompt.partition('[')[2].rstrip(']')}"
            case = Case(name=label, make=lambda _path, _scale: None)
        began = time.perf_counter()
        found, right = judge(case, path, expected, FULL)
        return Line(label, found, time.perf_counter() - began, right)


def main() -> int:
    with Pool(2) as pool:
        lines = pool.map(_line, range(len(tasks())), chunksize=1)
    print(f"{'':5} {'clip':38} {'took':>6}  found")
    for line in lines[CLEAN:] + lines[:CLEAN]:
        print(
            f"{'ok' if line.right else 'WRONG':5} {line.name:38} {line.seconds:5.2f}s  {line.found}"
        )
    wrong = sum(not line.right for line in lines)
    print(f"{len(FAULTS)} faults, {len(HARMLESS)} that only look so, {CLEAN} clean: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

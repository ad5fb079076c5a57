"""The sound of a v2 clip: a soft chord that swells once a second, the same for the same prompt."""

from __future__ import annotations

import hashlib
import math
from array import array
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import Any

from hailuo_mcp.sandbox.job import Job

RATE = 48_000
_FRAME = 1024
_LOUD = 1800
"""Of 32,767: about -25 dB."""
# Whole numbers of hertz, so that one second can be repeated without a click.
_CHORDS = ((220, 277, 330), (196, 247, 294), (262, 330, 392), (175, 220, 262))


def add_stream(container: Any) -> Any:  # noqa: ANN401  # see render
    """Return a stereo AAC stream of the container."""
    stream = container.add_stream("aac", rate=RATE, layout="stereo")
    stream.bit_rate = 64_000
    return stream


def write(container: Any, stream: Any, task: Job) -> None:  # noqa: ANN401
    """Write the sound of the whole clip; it ends within one frame of the picture."""
    av = import_module("av")
    seed = hashlib.sha256(task.prompt.encode("utf-8", "replace")).digest()
    second = _second(seed[4] % len(_CHORDS))
    # Not one sample longer than the picture: what plays longest is the length of the file.
    frames = (task.duration * RATE) // _FRAME - 1
    for index in range(frames):
        start = index * _FRAME % RATE * 4
        piece = (second + second)[start : start + _FRAME * 4]
        frame = av.AudioFrame(format="s16", layout="stereo", samples=_FRAME)
        frame.planes[0].update(piece)
        frame.sample_rate, frame.pts, frame.time_base = RATE, index * _FRAME, Fraction(1, RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@lru_cache(maxsize=len(_CHORDS))
def _second(chord: int) -> bytes:
    """Return one second of two channels of 16 bits that can follow itself."""
    tones = _CHORDS[chord]
    samples = array("h")
    for index in range(RATE):
        turn = 2.0 * math.pi * index / RATE
        swell = 0.75 - 0.25 * math.cos(turn)
        voices = [math.sin(turn * tone) for tone in tones]
        left = voices[0] + 0.8 * voices[1] + 0.4 * voices[2]
        right = voices[0] + 0.4 * voices[1] + 0.8 * voices[2]
        samples.extend((round(_LOUD / 2 * swell * left), round(_LOUD / 2 * swell * right)))
    return samples.tobytes()

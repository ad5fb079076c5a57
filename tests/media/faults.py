"""Clips with known faults, and others that only look like it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter

from hailuo_mcp.media.examine import Expected, Findings

from .scenes import Scale, brighter, scene, with_grain, write, write_sound_alone

Make = Callable[[Path, Scale], Expected | None]
"""Writes the clip; what it was asked to be, None for nothing special."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    make: Make
    flaws: frozenset[str] = frozenset()
    """What is to be found, and nothing else."""
    right: Callable[[Findings, Scale], bool] = lambda _found, _scale: True
    unreadable: str = ""
    """Words of the refusal, for what is no clip."""


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def near(found: float, wanted: float, scale: Scale) -> bool:
    """To one frame."""
    return abs(found - wanted) <= 1.01 / scale.fps


def black_second(path: Path, scale: Scale) -> None:
    frames, dark = scene(scale), Image.new("RGB", (scale.width, scale.height))
    frames[scale.fps : 2 * scale.fps] = [dark] * scale.fps
    write(path, frames, fps=scale.fps)


def black_start_with_grain(path: Path, scale: Scale) -> None:
    frames, dark = scene(scale), Image.new("RGB", (scale.width, scale.height))
    frames[: scale.fps] = [with_grain(dark, 2) for _ in range(scale.fps)]
    write(path, frames, fps=scale.fps)


def frozen_second(path: Path, scale: Scale) -> None:
    frames = scene(scale)
    frames[scale.fps : 2 * scale.fps] = [frames[scale.fps - 1]] * scale.fps
    write(path, frames, fps=scale.fps)


def frozen_end_with_key_frames(path: Path, scale: Scale) -> None:
    frames = scene(scale, grain=4)
    frames[-scale.fps :] = [frames[-scale.fps]] * scale.fps
    write(path, frames, fps=scale.fps, options={"g": str(scale.fps // 2), "preset": "medium"})


def frozen_in_another_codec(path: Path, scale: Scale) -> None:
    frames = scene(scale)
    frames[scale.fps : 2 * scale.fps] = [frames[scale.fps - 1]] * scale.fps
    write(path, frames, fps=scale.fps, codec="mpeg4")


def cut(path: Path, scale: Scale) -> None:
    half = scale.frames // 2
    write(path, scene(scale)[:half] + scene(scale, "Rain on a street")[half:], fps=scale.fps)


def cut_in_fast_movement(path: Path, scale: Scale) -> None:
    half = scale.frames // 2
    moving, other = scene(scale, "A fox [Shake]"), scene(scale, "Rain [Shake]")
    write(path, moving[:half] + other[half:], fps=scale.fps)


def two_cuts(path: Path, scale: Scale) -> None:
    third = scale.frames // 3
    other = scene(scale, "Calm sea at night")
    frames = scene(scale, grain=4)
    frames[third : 2 * third] = other[third : 2 * third]
    write(path, frames, fps=scale.fps)


def flicker(path: Path, scale: Scale) -> None:
    frames = [
        brighter(picture, 30 if index // 2 % 2 else 0) for index, picture in enumerate(scene(scale))
    ]
    write(path, frames, fps=scale.fps)


def fine_flicker(path: Path, scale: Scale) -> None:
    frames = [brighter(picture, 9 * (index % 2)) for index, picture in enumerate(scene(scale))]
    write(path, frames, fps=scale.fps)


def wrong_size(path: Path, scale: Scale) -> Expected:
    write(path, scene(scale), fps=scale.fps)
    return Expected(width=scale.width * 3 // 2, height=scale.height * 3 // 2)


def wrong_shape(path: Path, scale: Scale) -> Expected:
    write(path, scene(scale), fps=scale.fps)
    return Expected(width=scale.height, height=scale.width)


def wrong_length(path: Path, scale: Scale) -> Expected:
    write(path, scene(scale), fps=scale.fps)
    return Expected(seconds=scale.seconds + 4)


def silent(path: Path, scale: Scale) -> None:
    write(path, scene(scale), fps=scale.fps, sound="silence")


def sounding(path: Path, scale: Scale) -> None:
    write(path, scene(scale), fps=scale.fps, sound="tone")


def faint(path: Path, scale: Scale) -> None:
    write(path, scene(scale), fps=scale.fps, sound="faint")


def soundless(path: Path, scale: Scale) -> None:
    write(path, scene(scale), fps=scale.fps)


def truncated(path: Path, scale: Scale) -> None:
    write(path, scene(scale, grain=6), fps=scale.fps)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def truncated_before_its_index(path: Path, scale: Scale) -> None:
    write(path, scene(scale), fps=scale.fps, movflags="")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def damaged_inside(path: Path, scale: Scale) -> None:
    write(path, scene(scale, grain=6), fps=scale.fps)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 5] = bytes(len(data) // 5)
    path.write_bytes(data)


def variable_rate(path: Path, scale: Scale) -> None:
    frames, times, now = scene(scale), [], 0.0
    for index in range(len(frames)):
        times.append(now)
        now += (1 if index % 3 else 2) / scale.fps
    write(path, frames, fps=scale.fps, times=times)


def rotated(path: Path, scale: Scale) -> Expected:
    frames = scene(scale)
    write(path, frames, fps=scale.fps, turn=90)
    return Expected(
        width=scale.height,
        height=scale.width,
        first_picture=png(frames[0].rotate(-90, expand=True)),
        last_picture=png(frames[-1].rotate(-90, expand=True)),
    )


def other_first_picture(path: Path, scale: Scale) -> Expected:
    write(path, scene(scale), fps=scale.fps)
    return Expected(first_picture=png(scene(scale, "A harbour at dusk")[0]))


def other_last_picture(path: Path, scale: Scale) -> Expected:
    frames = scene(scale)
    write(path, frames, fps=scale.fps)
    mirrored = frames[-1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Expected(first_picture=png(frames[0]), last_picture=png(mirrored))


def sound_alone(path: Path, scale: Scale) -> None:
    write_sound_alone(path)


def no_video(path: Path, scale: Scale) -> None:
    path.write_bytes(b"<html>Sorry</html>" * 99)


def empty(path: Path, scale: Scale) -> None:
    path.write_bytes(b"")


def picture_file(path: Path, scale: Scale) -> None:
    path.write_bytes(png(scene(scale)[0]))


FAULTS = (
    Case(
        name="black second",
        make=black_second,
        flaws=frozenset({"black"}),
        right=lambda found, scale: (
            len(found.black) == 1
            and near(found.black[0].start, 1, scale)
            and near(found.black[0].end, 2, scale)
        ),
    ),
    Case(
        name="black start, with grain",
        make=black_start_with_grain,
        flaws=frozenset({"black"}),
        right=lambda found, scale: found.black[0].start == 0 and near(found.black[0].end, 1, scale),
    ),
    Case(
        name="frozen second",
        make=frozen_second,
        flaws=frozenset({"frozen"}),
        right=lambda found, scale: (
            len(found.frozen) == 1
            and abs(found.frozen[0].start - 1) <= 3.01 / scale.fps
            and abs(found.frozen[0].end - 2) <= 3.01 / scale.fps
        ),
    ),
    Case(
        name="frozen end, across key frames",
        make=frozen_end_with_key_frames,
        flaws=frozenset({"frozen"}),
        right=lambda found, scale: near(found.frozen[-1].end, found.seconds, scale),
    ),
    Case(
        name="frozen second, MPEG-4",
        make=frozen_in_another_codec,
        flaws=frozenset({"frozen"}),
    ),
    Case(
        name="a cut",
        make=cut,
        flaws=frozenset({"cuts"}),
        right=lambda found, scale: (
            len(found.cuts) == 1 and near(found.cuts[0], scale.frames // 2 / scale.fps, scale)
        ),
    ),
    Case(
        name="a cut while shaking",
        make=cut_in_fast_movement,
        flaws=frozenset({"cuts"}),
        right=lambda found, _: len(found.cuts) == 1,
    ),
    Case(
        name="two cuts",
        make=two_cuts,
        flaws=frozenset({"cuts"}),
        right=lambda found, _: len(found.cuts) == 2,
    ),
    Case(
        name="flicker",
        make=flicker,
        flaws=frozenset({"flickers"}),
        right=lambda found, scale: (
            len(found.flickers) == 1
            and found.flickers[0].end - found.flickers[0].start > scale.seconds - 1
        ),
    ),
    Case(name="fine flicker", make=fine_flicker, flaws=frozenset({"flickers"})),
    Case(name="wrong size", make=wrong_size, flaws=frozenset({"wrong_size"})),
    Case(name="wrong shape", make=wrong_shape, flaws=frozenset({"wrong_size"})),
    Case(name="wrong length", make=wrong_length, flaws=frozenset({"wrong_length"})),
    Case(
        name="silent track",
        make=silent,
        right=lambda found, _: found.silent_track and not found.sound,
    ),
    Case(name="sound", make=sounding, right=lambda found, _: found.sound),
    Case(name="faint sound", make=faint, right=lambda found, _: found.sound),
    Case(
        name="no sound track",
        make=soundless,
        right=lambda found, _: not (found.sound or found.silent_track),
    ),
    Case(
        name="truncated",
        make=truncated,
        flaws=frozenset({"truncated"}),
        right=lambda found, scale: found.seconds < scale.seconds * 0.9,
    ),
    Case(name="damaged inside", make=damaged_inside, flaws=frozenset({"truncated"})),
    Case(
        name="truncated before its index",
        make=truncated_before_its_index,
        unreadable="its index is missing",
    ),
    Case(
        name="variable frame rate",
        make=variable_rate,
        flaws=frozenset({"variable_fps"}),
        right=lambda found, scale: 0.7 * scale.fps < found.fps < 0.8 * scale.fps,
    ),
    Case(
        name="rotated",
        make=rotated,
        right=lambda found, scale: (
            (found.turned, found.width, found.height) == (90, scale.height, scale.width)
        ),
    ),
    Case(
        name="first picture other than given",
        make=other_first_picture,
        flaws=frozenset({"first_likeness"}),
    ),
    Case(
        name="last picture other than given",
        make=other_last_picture,
        flaws=frozenset({"last_likeness"}),
    ),
    Case(name="audio only", make=sound_alone, unreadable="it has no picture track"),
    Case(name="not a video", make=no_video, unreadable="it does not start like an MP4"),
    Case(name="a picture file", make=picture_file, unreadable="it does not start like an MP4"),
    Case(name="empty file", make=empty, unreadable="it is empty"),
)


def slow_dark_scene(path: Path, scale: Scale) -> None:
    frames = [
        with_grain(ImageEnhance.Brightness(p).enhance(0.12), 1.5)
        for p in scene(scale, "Night [Push in]")
    ]
    write(path, frames, fps=scale.fps)


def hardly_lit_scene(path: Path, scale: Scale) -> None:
    frames = [ImageEnhance.Brightness(p).enhance(0.06) for p in scene(scale, "Night [Pan left]")]
    write(path, frames, fps=scale.fps, options={"crf": "18"})


def fade_in_and_out(path: Path, scale: Scale) -> None:
    frames, last = scene(scale), scale.frames - 1
    shares = [
        min(1.0, index / scale.fps, (last - index) / scale.fps) for index in range(len(frames))
    ]
    faded = [
        ImageEnhance.Brightness(p).enhance(share) for p, share in zip(frames, shares, strict=True)
    ]
    write(path, faded, fps=scale.fps)


def dissolve(path: Path, scale: Scale) -> None:
    one, other, start = scene(scale), scene(scale, "Rain on a street"), scale.fps
    mixed = [
        Image.blend(a, b, min(1.0, max(0.0, (index - start) / (scale.fps * 0.6))))
        for index, (a, b) in enumerate(zip(one, other, strict=True))
    ]
    write(path, mixed, fps=scale.fps)


def whip_pan(path: Path, scale: Scale) -> None:
    """Nearly at rest, then across a frame's width within a third of a second."""
    wide = Image.new("RGB", (3 * scale.width, scale.height))
    for part, prompt in enumerate(("A fox", "Rain", "Harbour")):
        wide.paste(scene(scale, prompt)[part], (part * scale.width, 0))
    frames, quick = [], scale.fps // 3
    for index in range(scale.frames):
        share = min(1.0, max(0.0, (index - scale.fps) / quick))
        left = round(scale.width * (1.3 * share + 0.02 * index / scale.fps))
        view = wide.crop((left, 0, left + scale.width, scale.height))
        frames.append(with_grain(view, 5))
    write(path, frames, fps=scale.fps, options={"crf": "18"})


def static_with_grain(path: Path, scale: Scale) -> None:
    picture = scene(scale)[0]
    write(
        path,
        [with_grain(picture, 4) for _ in range(scale.frames)],
        fps=scale.fps,
        options={"crf": "18"},
    )


def static_with_one_small_mover(path: Path, scale: Scale) -> None:
    picture, frames = scene(scale)[0], []
    side = max(2, scale.width // 80)
    for index in range(scale.frames):
        view = picture.copy()
        left = scale.width // 4 + index * scale.width // 400
        view.paste(
            (240, 240, 220), (left, scale.height // 4, left + side, scale.height // 4 + side)
        )
        frames.append(view)
    write(path, frames, fps=scale.fps)


def lightning(path: Path, scale: Scale) -> None:
    frames, at = scene(scale, "Storm"), scale.fps
    for index in (at, at + 1, at + 4):
        frames[index] = brighter(frames[index], 90)
    write(path, frames, fps=scale.fps)


def light_switched_on(path: Path, scale: Scale) -> None:
    frames = scene(scale)
    dim = [ImageEnhance.Brightness(p).enhance(0.5) for p in frames]
    write(path, dim[: scale.fps] + frames[scale.fps :], fps=scale.fps)


def drawn_on_twos(path: Path, scale: Scale) -> None:
    frames = scene(scale, "A fox [Truck right]")
    write(path, [frames[index // 2 * 2] for index in range(len(frames))], fps=scale.fps)


def rounded_times(path: Path, scale: Scale) -> None:
    times = [round(index / scale.fps, 3) for index in range(scale.frames)]
    write(path, scene(scale), fps=scale.fps, times=times)


def one_dropped_frame(path: Path, scale: Scale) -> None:
    times = [(index + (index > scale.fps)) / scale.fps for index in range(scale.frames)]
    write(path, scene(scale), fps=scale.fps, times=times)


def as_asked_but_rounded(path: Path, scale: Scale) -> Expected:
    frames = scene(scale)
    write(path, frames, fps=scale.fps)
    softer = frames[0].filter(ImageFilter.GaussianBlur(scale.width / 300))
    return Expected(
        width=round(scale.width * 1.02),
        height=scale.height,
        seconds=scale.seconds + 0.36,
        first_picture=png(softer.resize((scale.width * 2, scale.height * 2))),
        last_picture=png(frames[-1]),
    )


def cropped_picture(path: Path, scale: Scale) -> Expected:
    """A last picture of another shape, which the provider crops to the clip's."""
    frames = scene(scale)
    write(path, frames, fps=scale.fps)
    tall = Image.new("RGB", (scale.width, scale.height * 2), "red")
    tall.paste(frames[-1], (0, scale.height // 2))
    return Expected(last_picture=png(tall))


HARMLESS = tuple(
    Case(name=make.__name__.replace("_", " "), make=make)
    for make in (
        slow_dark_scene,
        hardly_lit_scene,
        fade_in_and_out,
        dissolve,
        whip_pan,
        static_with_grain,
        static_with_one_small_mover,
        lightning,
        light_switched_on,
        drawn_on_twos,
        rounded_times,
        one_dropped_frame,
        as_asked_but_rounded,
        cropped_picture,
    )
)

"""Watches small gray frames go by: black and frozen stretches, hard cuts, flicker.

Levels are brightness from 0 to 255. Real clips have grain, fades, slow dark scenes and fast camera
moves; every threshold says why these do not reach it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 320
"""Pixels of the frames to watch: enough for a bird in the sky, and cheap."""
_TINY = (64, 36)
"""Size at which pictures are compared as wholes: small movements hardly count."""

_BLACK_LEVEL = 12
"""A dark scene has something brighter: a fifth of a per cent of the frame, such as a lamp."""
_BLACK_SHARE = 0.998
_BLACK_SPREAD = 2.0
"""Standard deviation: in a scene that is hardly lit, shapes can still be seen."""
_BLACK_SECONDS = 0.5
"""A fade to black and out of it stays black for less."""

_STILL = 0.006
"""Mean change from frame to frame. Encoders leave up to 0.004 in a picture that does not change,
and at least 0.007 of the finest grain; a bird in the sky makes 0.02."""
_NEARLY_STILL = 0.03
"""What an encoder leaves now and then, such as in the last frame before something happens."""
_REFRESH = 1.5
"""Mean change of the tiny picture where a key frame encodes the same picture anew."""
_REFRESH_FRAMES = 2
"""From a key frame on: the next one mends it."""
_MOST_NEARLY = 0.35
"""Share of frames in a frozen stretch that may be only nearly still; with fine grain, most are."""
_MOST_NEARLY_AT_ONCE = 3
_FROZEN_SECONDS = 0.7
"""Drawn animation holds a picture for up to half a second."""

_CUT = 6.0
"""Mean change at once; the sandbox's and stock clips change by 0.3 to 3, shaken ones by 8."""
_CUT_RATIO = 3.0
"""How much more than the frames around it: a whip pan changes as much before or after."""
_CUT_CALM = 1.0
"""Changes below this count as this."""
_CUT_ALIKE = 0.93
"""Correlation of what is before and after: a light that is switched on leaves the shapes (0.95 to
1), a jump within the same scene less than that, even if the two scenes have the same colours."""
_THAW_ALIKE = 0.5
"""Correlation at the end of a frozen stretch below which there is another scene."""
_THAW_SECONDS = 0.15
"""An encoder mixes the last frames of a frozen stretch with what comes after it."""
_AROUND = 2
"""Frames on each side with which a change is compared."""
_FLASH = 3
"""Frames after which the former picture is back: that was a flash, no cut."""
_BACK = 0.5
"""Share of the change within which a picture counts as the former one."""

_SWING = 5.0
"""Mean brightness up and down again: shaking and moving things stay below 2, a campfire below 4."""
_SWINGS = 6
"""Turns from brighter to darker or back within _SWING_SECONDS: lightning has two or three."""
_SWING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the clip, in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """One frame: when it is shown, and what was measured."""

    at: float
    tiny: Image
    black: bool
    change: float
    """Mean change of the tiny picture since the frame before."""


class Watcher:
    """Takes frames in the order in which they are shown."""

    def __init__(self) -> None:
        """Start before the first frame."""
        self._black, self._frozen = _Black(), _Frozen()
        self._cuts, self._flicker = _Cuts(), _Flicker()
        self._before: _Seen | None = None

    def take(self, gray: Image, at: float, *, key_frame: bool) -> None:
        """Watch one frame of about LONG_SIDE, shown from `at`."""
        from PIL import Image

        tiny = gray.resize(_TINY, Image.Resampling.BOX)
        change = _mean(_difference(self._before.tiny, tiny)) if self._before else 0.0
        seen = _Seen(at, tiny, _is_black(gray), change)
        self._black.take(seen)
        self._frozen.take(seen, gray, key_frame=key_frame)
        self._cuts.take(seen)
        self._flicker.take(seen)
        self._before = seen

    def finish(self, end: float, *, until: float = inf) -> Seen:
        """Return what was seen before `until`, when the last frame has been shown until `end`."""
        black, frozen, flickers = (
            tuple(one for one in found if one.start < until)
            for found in (
                self._black.finish(end),
                self._frozen.finish(end),
                self._flicker.found,
            )
        )
        cuts = tuple(
            cut.at
            for cut in self._cuts.finish()
            if cut.at < until
            # A frozen picture that goes on jumps to where the scene is by then: that is no cut.
            and not (
                cut.alike > _THAW_ALIKE
                and any(0 <= cut.at - one.end <= _THAW_SECONDS for one in frozen)
            )
            and not any(one.start <= cut.at <= one.end for one in flickers)
        )
        return Seen(black=black, frozen=frozen, cuts=cuts, flickers=flickers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What looks wrong, in seconds."""

    black: tuple[Stretch, ...]
    frozen: tuple[Stretch, ...]
    cuts: tuple[float, ...]
    flickers: tuple[Stretch, ...]


class _Black:
    def __init__(self) -> None:
        self._since: float | None = None
        self._found: list[Stretch] = []

    def take(self, seen: _Seen) -> None:
        if not seen.black:
            self._close(seen.at)
        elif self._since is None:
            self._since = seen.at

    def finish(self, end: float) -> tuple[Stretch, ...]:
        self._close(end)
        return tuple(self._found)

    def _close(self, end: float) -> None:
        if self._since is not None and end - self._since >= _BLACK_SECONDS:
            self._found.append(Stretch(start=self._since, end=end))
        self._since = None


class _Frozen:
    def __init__(self) -> None:
        self._before: tuple[_Seen, Image] | None = None
        self._since_key = 0
        self._since: float | None = None
        self._sure = 0.0
        """The last frame that was certainly the same."""
        self._frames = self._nearly = self._nearly_at_once = 0
        self._found: list[Stretch] = []

    def take(self, seen: _Seen, gray: Image, *, key_frame: bool) -> None:
        self._since_key = 0 if key_frame else self._since_key + 1
        if self._before:
            before, picture = self._before
            change = _mean(_difference(picture, gray))
            refreshed = self._since_key < _REFRESH_FRAMES and seen.change < _REFRESH
            if before.black or seen.black:
                self._close(seen.at)
            elif change < _STILL:
                if self._since is None:
                    self._since, self._frames, self._nearly = before.at, 0, 0
                self._frames, self._nearly_at_once, self._sure = self._frames + 1, 0, seen.at
            elif change >= _NEARLY_STILL and not refreshed:
                self._close(seen.at)
            else:
                self._frames, self._nearly = self._frames + 1, self._nearly + 1
                self._nearly_at_once += 1
                if self._nearly_at_once > _MOST_NEARLY_AT_ONCE:
                    self._close(self._sure)
        self._before = seen, gray

    def finish(self, end: float) -> tuple[Stretch, ...]:
        self._close(end)
        return tuple(self._found)

    def _close(self, end: float) -> None:
        if (
            self._since is not None
            and end - self._since >= _FROZEN_SECONDS
            and self._nearly <= _MOST_NEARLY * self._frames
        ):
            self._found.append(Stretch(start=self._since, end=end))
        self._since = None


@dataclass(frozen=True, slots=True)
class _Cut:
    at: float
    alike: float


class _Cuts:
    def __init__(self) -> None:
        self._window: deque[_Seen] = deque(maxlen=2 * _FLASH + 2)
        self._found: list[_Cut] = []

    def take(self, seen: _Seen) -> None:
        self._window.append(seen)
        self._judge(len(self._window) - 1 - _FLASH)

    def finish(self) -> list[_Cut]:
        for index in range(len(self._window) - _FLASH, len(self._window)):
            self._judge(index)
        return self._found

    def _judge(self, index: int) -> None:
        """Decide whether there is a cut before this frame of the window."""
        if index < 1:
            return
        frames = list(self._window)
        before, here = frames[index - 1], frames[index]
        around = frames[max(1, index - _AROUND) : index] + frames[index + 1 : index + 1 + _AROUND]
        calm = max([_CUT_CALM, *(frame.change for frame in around)])
        if here.change < max(_CUT, _CUT_RATIO * calm) or before.black or here.black:
            return
        later = frames[index + 1 : index + 1 + _FLASH]
        earlier = frames[max(0, index - 1 - _FLASH) : index - 1]
        back = _BACK * here.change
        if any(_mean(_difference(before.tiny, frame.tiny)) < back for frame in later):
            return
        if any(_mean(_difference(here.tiny, frame.tiny)) < back for frame in earlier):
            return
        alike = _correlation(before.tiny.tobytes(), here.tiny.tobytes())
        if alike < _CUT_ALIKE:
            self._found.append(_Cut(here.at, alike))


class _Flicker:
    def __init__(self) -> None:
        self.found: list[Stretch] = []
        self._turns: deque[float] = deque(maxlen=_SWINGS)
        self._brighter = True
        self._extreme: tuple[float, float] | None = None
        """Brightness and time of the last peak or dip."""

    def take(self, seen: _Seen) -> None:
        level = _mean(seen.tiny)
        if self._extreme is None:
            self._extreme = level, seen.at
        way = 1 if self._brighter else -1
        further = (level - self._extreme[0]) * way
        if further >= 0:
            self._extreme = level, seen.at
        elif further <= -_SWING:
            self._turn(self._extreme[1], seen.at)
            self._brighter = not self._brighter
            self._extreme = level, seen.at

    def _turn(self, at: float, now: float) -> None:
        self._turns.append(at)
        if len(self._turns) < _SWINGS or at - self._turns[0] > _SWING_SECONDS:
            return
        start = self._turns[0]
        if self.found and start <= self.found[-1].end:
            start = self.found.pop().start
        self.found.append(Stretch(start=start, end=now))


def _is_black(gray: Image) -> bool:
    from PIL import ImageStat

    levels = gray.histogram()
    if sum(levels[:_BLACK_LEVEL]) < _BLACK_SHARE * sum(levels):
        return False
    return ImageStat.Stat(gray).stddev[0] < _BLACK_SPREAD


def _difference(one: Image, other: Image) -> Image:
    from PIL import ImageChops

    return ImageChops.difference(one, other)


def _mean(picture: Image) -> float:
    from PIL import ImageStat

    return ImageStat.Stat(picture).mean[0]


def _correlation(one: bytes, other: bytes) -> float:
    """Return 1 where one is the other, brighter or darker; 0 for unrelated or flat pictures."""
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    both = sum((x - mean_one) * (y - mean_other) for x, y in zip(one, other, strict=True))
    spread = sum((x - mean_one) ** 2 for x in one) * sum((y - mean_other) ** 2 for y in other)
    return both / sqrt(spread) if spread else 0.0

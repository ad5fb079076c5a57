"""The 15 camera moves in both languages: from a prompt to the camera's position."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

_BRACKET = re.compile(r"\[([^\[\]]{1,80})\]")
_TOGETHER = re.compile(r"\s*[,，、;；+]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Offsets in frame widths and heights; zooms as exponents, so that in and out undo each other.

    A pan turns the camera: everything shifts alike. A truck or pedestal moves it: what is near
    shifts more. Likewise a zoom enlarges everything, a push mostly what is near.
    """

    pan_x: float = 0.0
    pan_y: float = 0.0
    truck_x: float = 0.0
    truck_y: float = 0.0
    zoom: float = 0.0
    push: float = 0.0
    shake: float = 0.0
    track: float = 0.0

    def scaled(self, factor: float) -> Pose:
        """Return the pose moved towards rest."""
        return Pose(**{f.name: getattr(self, f.name) * factor for f in fields(self)})

    def plus(self, other: Pose) -> Pose:
        """Return both poses at once."""
        return Pose(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


# English as in the global docs, Chinese as in seed 001 and seed 002 (facts 3).
_MOVES: dict[str, tuple[str, Pose]] = {
    "Truck left": ("左移", Pose(truck_x=-0.2)),
    "Truck right": ("右移", Pose(truck_x=0.2)),
    "Pan left": ("左摇", Pose(pan_x=-0.22)),
    "Pan right": ("右摇", Pose(pan_x=0.22)),
    "Push in": ("推进", Pose(push=0.32)),
    "Pull out": ("拉远", Pose(push=-0.28)),
    "Pedestal up": ("上升", Pose(truck_y=-0.18)),
    "Pedestal down": ("下降", Pose(truck_y=0.18)),
    "Tilt up": ("上摇", Pose(pan_y=-0.2)),
    "Tilt down": ("下摇", Pose(pan_y=0.2)),
    "Zoom in": ("变焦推近", Pose(zoom=0.36)),
    "Zoom out": ("变焦拉远", Pose(zoom=-0.28)),
    "Shake": ("晃动", Pose(shake=1.0)),
    "Tracking shot": ("跟随", Pose(track=0.25)),
    "Static shot": ("固定", Pose()),
}
_ALIASES = {
    **{english.lower(): english for english in _MOVES},
    **{chinese: english for english, (chinese, _) in _MOVES.items()},
    "tracking": "Tracking shot",
    "static": "Static shot",
    # The official example has it although no list does (facts 3, C17).
    "push out": "Pull out",
}
_DRIFT = Pose(truck_x=0.1)
"""Without a named move the camera creeps sideways: a clip must be seen to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Groups of moves that follow each other in equal parts of the clip."""

    groups: tuple[tuple[str, ...], ...]

    def label(self, share: float) -> str:
        """Return what the camera is doing, in English."""
        return " + ".join(self.groups[self._index(share)]) if self.groups else ""

    def pose(self, share: float) -> Pose:
        """Return where the camera is after this share of the clip."""
        if not self.groups:
            return _DRIFT.scaled(share)
        pose, current = Pose(), self._index(share)
        for index, group in enumerate(self.groups[: current + 1]):
            inside = min(1.0, share * len(self.groups) - index)
            for move in group:
                target = _MOVES[move][1]
                # Shaking and tracking last while their turn does; the others go somewhere and stay.
                lasting = not (target.shake and index < current)
                pose = pose.plus(target.scaled(_eased(inside) if lasting else 0.0))
        return pose

    def _index(self, share: float) -> int:
        return min(len(self.groups) - 1, int(share * len(self.groups)))


def read(prompt: str) -> Camera:
    """Find the moves of a prompt; brackets with anything else in them are left alone."""
    groups: list[tuple[str, ...]] = []
    for bracket in _BRACKET.findall(prompt):
        names = (_ALIASES.get(word.strip().lower()) for word in _TOGETHER.split(bracket))
        if group := tuple(name for name in names if name):
            groups.append(group)
    return Camera(groups=tuple(groups))


def in_english(prompt: str) -> str:
    """Return the prompt with its Chinese moves named in English, for fonts that have no Chinese."""
    for english, (chinese, _) in sorted(_MOVES.items(), key=lambda move: -len(move[1][0])):
        prompt = re.sub(rf"(?<=[\[,，、])\s*{chinese}\s*(?=[\],，、])", english, prompt)
    return prompt


def jolt(strength: float, seconds: float) -> tuple[float, float]:
    """Return a handheld camera's offset; sums of sines, as chance would not render twice alike."""
    x = math.sin(seconds * 31.0) + 0.6 * math.sin(seconds * 47.0 + 1.3)
    y = math.sin(seconds * 37.0 + 0.7) + 0.6 * math.sin(seconds * 53.0)
    return 0.008 * strength * x, 0.010 * strength * y


def _eased(share: float) -> float:
    """Return a share that starts and stops softly."""
    share = min(1.0, max(0.0, share))
    return share * share * (3.0 - 2.0 * share)

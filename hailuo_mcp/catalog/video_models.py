"""The video models: modes, sizes and lengths of each, and the names that it goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hailuo_mcp.catalog.data import rows, squeeze, table
from hailuo_mcp.domain import Capabilities, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRules:
    """What one model takes in one mode."""

    sizes: Mapping[str, tuple[int, ...]]
    """Resolution to durations in seconds; empty where neither may be given."""
    default_resolution: str | None
    default_duration: int | None
    fast_pretreatment: bool
    camera: bool
    """Whether its reference says that camera moves in brackets are obeyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A published AI model."""

    name: str
    about: str
    modes: Mapping[Mode, ModeRules]
    source: str
    checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules that hold whatever the model."""

    prompt_characters: int
    moves_together: int
    invisible_percent: int
    image_mimes: tuple[str, ...]
    image_bytes: int
    image_short_side: int
    image_aspect_low: tuple[int, int]
    image_aspect_high: tuple[int, int]
    source: str
    checked: str


@cache
def models() -> tuple[Model, ...]:
    return tuple(
        Model(
            name=row["name"],
            about=row["about"],
            modes={
                Mode(mode): ModeRules(
                    sizes={size: tuple(seconds) for size, seconds in rules["sizes"].items()},
                    default_resolution=rules["default_resolution"] or None,
                    default_duration=rules["default_duration"] or None,
                    fast_pretreatment=rules["fast_pretreatment"],
                    camera=rules["camera"],
                )
                for mode, rules in row["modes"].items()
            },
            source=row["source"],
            checked=str(row["checked"]),
        )
        for row in rows("models", "model")
    )


@cache
def limits() -> Limits:
    row = table("models")["limits"]
    wide, tall = row["image_aspect_high"], row["image_aspect_low"]
    return Limits(
        prompt_characters=row["prompt_characters"],
        moves_together=row["moves_together"],
        invisible_percent=row["invisible_percent"],
        image_mimes=tuple(row["image_mimes"]),
        image_bytes=row["image_bytes"],
        image_short_side=row["image_short_side"],
        image_aspect_low=(tall[0], tall[1]),
        image_aspect_high=(wide[0], wide[1]),
        source=row["source"],
        checked=str(row["checked"]),
    )


def _key(name: str) -> str:
    return squeeze(name).removeprefix("minimax")


@cache
def _by_key() -> Mapping[str, Model]:
    return {_key(model.name): model for model in models()}


def find_model(name: str) -> Model | None:
    """Find the model of that name; case, spaces and the MiniMax- prefix do not matter."""
    return _by_key().get(_key(name))


_NEAR = 0.75
_SHORTEST, _LONGEST = 2, 60


def nearest_model(name: str) -> str | None:
    """Find the model probably meant by a name that is none; None where it is like nothing known."""
    key = _key(name)
    known = _by_key()
    if key in known:
        return known[key].name
    if len(key) < _SHORTEST or len(key) > _LONGEST:
        return None if key else models()[0].name
    from difflib import get_close_matches

    # "2.3" and "hailuo" are near though short, "hailuo-2.3-professional" though long.
    near = (
        [k for k in known if key in k]
        or get_close_matches(key, known, n=1, cutoff=_NEAR)
        or [k for k in known if k in key]
    )
    return known[near[0]].name if near else None


def offered_by(model: str, capabilities: Capabilities) -> bool:
    return capabilities.models is None or model in capabilities.models


def default_model(mode: Mode, resolution: str | None, capabilities: Capabilities) -> str:
    """Choose the model for an empty name; "" where the provider has none for this mode.

    The catalogue's order decides, except where only a later model has the asked size. A size that
    only unpriced older models have is not worth a silent change of model: it is refused instead.
    """
    able = [m for m in models() if mode in m.modes and offered_by(m.name, capabilities)]
    # 2.3-Fast is a choice, not a default: it trades quality for speed.
    able.sort(key=lambda model: model.name.endswith("-Fast"))
    for model in able:
        if resolution in model.modes[mode].sizes and model.name.startswith("MiniMax-"):
            return model.name
    return able[0].name if able else ""


def usual_seconds(model: str, resolution: str | None, duration: int | None) -> float:
    """Say how long such a clip usually takes to render, before there is a history of it."""
    asked = {"model": model, "resolution": resolution, "duration": duration}
    for row in rows("models", "render"):
        if all(row.get(key, value) == value for key, value in asked.items()):
            return float(row["seconds"])
    return 120.0

"""The video models: modes, sizes, lengths and names of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hailuo_mcp.catalog.tables import Row, rows, table
from hailuo_mcp.domain import Mode
from hailuo_mcp.text import squeeze


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRules:
    """What one model accepts in one mode."""

    sizes: Mapping[str, tuple[int, ...]]
    """Resolution to lengths in seconds; empty if neither may be given."""
    default_resolution: str | None = None
    default_duration: int | None = None
    fast_pretreatment: bool
    camera: bool
    """Whether its reference documents camera moves in brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A published AI model."""

    name: str
    about: str
    modes: Mapping[Mode, ModeRules]
    source: str
    checked: str
    last_choice: bool = False
    """An empty name selects it only if no other model fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules that apply to every model."""

    prompt_characters: int
    moves_together: int
    invisible_percent: int
    image_mimes: tuple[str, ...]
    image_formats: str
    """The same in words."""
    image_bytes: int
    image_short_side: int
    image_aspect_low: tuple[int, int]
    image_aspect_high: tuple[int, int]
    source: str
    checked: str

    def allows_shape(self, width: int, height: int) -> bool:
        """Whether a picture of this size has an allowed aspect ratio."""
        low, high = self.image_aspect_low, self.image_aspect_high
        return width * low[1] >= height * low[0] and width * high[1] <= height * high[0]


@cache
def models() -> tuple[Model, ...]:
    """All models, in the order in which they are offered."""
    return tuple(_model(row) for row in rows("models", "model"))


def _model(row: Row) -> Model:
    modes: Any = {Mode(key): ModeRules(**rules) for key, rules in row["modes"].items()}
    return Model(**{**row, "modes": modes})


@cache
def limits() -> Limits:
    return Limits(**table("models")["limits"])


def _key(name: str) -> str:
    return squeeze(name).removeprefix("minimax")


@cache
def _by_key() -> Mapping[str, Model]:
    return {_key(model.name): model for model in models()}


def find_model(name: str) -> Model | None:
    """Find a model by its name, ignoring case, spaces and the MiniMax- prefix."""
    return _by_key().get(_key(name))


_NEAR = 0.75
_SHORTEST, _LONGEST = 2, 60


def nearest_model(name: str) -> str | None:
    """Find the model that an unknown name probably means; None if nothing is similar."""
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


def usual_seconds(model: str, resolution: str | None, duration: int | None) -> float:
    """How long such a clip usually takes to render, before there is any history."""
    clip = {"model": model, "resolution": resolution, "duration": duration}
    fitting = (
        row
        for row in rows("models", "render")
        if all(row.get(key, value) == value for key, value in clip.items())
    )
    return float(next(fitting)["seconds"])


def resolutions() -> list[str]:
    """Every resolution that some model makes, the smallest first."""
    sizes = {size for model in models() for rules in model.modes.values() for size in rules.sizes}
    return sorted(sizes, key=lambda size: (size.endswith("K"), int(size.rstrip("PK"))))


def lengths() -> list[int]:
    """Every length in seconds that some model makes, the shortest first."""
    modes = [rules for model in models() for rules in model.modes.values()]
    return sorted({it for rules in modes for lengths in rules.sizes.values() for it in lengths})

"""The video models: modes, sizes, lengths and names of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hailuo_mcp.catalog.tables import Row, rows, table
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.requests import Mode
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
    prompt_optimizer: bool = True
    """Whether the prompt optimizer can be switched off."""
    ratios: tuple[str, ...] = ()
    """The aspect ratios that may be asked for; empty if none may."""
    default_ratio: str = ""
    """What is sent if none is asked for; empty to send none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A published AI model."""

    name: str
    about: str
    modes: Mapping[Mode, ModeRules]
    source: str
    checked: str
    last_choice: bool = False
    """An empty name selects it only if no other model has the mode."""
    api: Api = Api.V1
    aliases: tuple[str, ...] = ()
    payg_only: bool = False
    """Whether packs and subscriptions exclude it."""
    upgrades: Mapping[str, str] = field(default_factory=dict[str, str])
    """To which resolution a clip can be upgraded, by which it must have."""
    wide_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Width and height of a 16:9 clip, by resolution, as seen in clips; for v2 no rule is known."""
    seconds_over: float = 0.0
    """By how much clips may be longer than ordered, as seen in clips."""
    notes: tuple[str, ...] = ()
    """Where sources disagree, with the date, and how that is read here."""

    @property
    def ratios(self) -> tuple[str, ...]:
        """Every aspect ratio that some mode of it makes; empty if it takes none."""
        return tuple(dict.fromkeys(it for rules in self.modes.values() for it in rules.ratios))


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldElsewhere:
    """A name under which others sell their own version of a model: not on MiniMax's API."""

    names: tuple[str, ...]
    what: str
    """What it is, as a noun phrase."""
    nearest: str
    """The published model that is most like it."""
    source: str
    checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """How many references of each kind, how long and how large. Lengths in seconds."""

    images: int
    videos: int
    audios: int
    together: int
    shortest: int
    longest: int
    """Of each clip and sound."""
    all_videos: int
    """Of all clips together."""
    all_audios: int
    video_mimes: tuple[str, ...]
    video_codecs: tuple[str, ...]
    video_sounds: tuple[str, ...]
    video_fps: tuple[int, int]
    video_bytes: int
    """At most."""
    audio_mimes: tuple[str, ...]
    audio_bytes: int
    body_bytes: int
    """Of the whole request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules that apply to every model of an API."""

    prompt_characters: int
    moves_together: int
    invisible_percent: int
    image_mimes: tuple[str, ...]
    image_formats: str
    """The same in words."""
    image_bytes: int
    image_short_side: int
    """Must be above."""
    image_aspect_low: tuple[int, int]
    image_aspect_high: tuple[int, int]
    source: str
    checked: str
    image_long_side: int | None = None
    """At most; None for no limit."""
    references: References | None = None
    """None if the API takes no references."""

    def allows_shape(self, width: int, height: int) -> bool:
        """Whether a picture of this size has an allowed aspect ratio."""
        low, high = self.image_aspect_low, self.image_aspect_high
        return width * low[1] >= height * low[0] and width * high[1] <= height * high[0]


@cache
def models() -> tuple[Model, ...]:
    """All models, in the order in which they are offered."""
    return tuple(_model(row) for row in rows("models", "model"))


def _model(row: Row) -> Model:
    modes: dict[Mode, ModeRules] = {}
    for key, rules in row["modes"].items():
        fields: dict[str, Any] = {**rules, "sizes": _sizes(rules["sizes"])}
        modes[Mode(key)] = ModeRules(**fields)
    values: dict[str, Any] = {
        **row,
        "modes": modes,
        "api": Api(row.get("api", Api.V1)),
        "seconds_over": float(row.get("seconds_over", 0)),
    }
    return Model(**values)


def _sizes(row: Row) -> Mapping[str, tuple[int, ...]]:
    """Lengths by resolution; "4-15" is every one from 4 to 15."""
    return {size: _span(it) if isinstance(it, str) else it for size, it in row.items()}


def _span(text: str) -> tuple[int, ...]:
    first, last = map(int, text.split("-"))
    return tuple(range(first, last + 1))


def length_words(lengths: Sequence[int]) -> str:
    """Such as "6 or 10", or "4-15" for every whole number between them."""
    if len(lengths) > _FEW and list(lengths) == list(range(lengths[0], lengths[-1] + 1)):
        return f"{lengths[0]}-{lengths[-1]}"
    return " or ".join(map(str, lengths))


@cache
def sold_elsewhere() -> tuple[SoldElsewhere, ...]:
    return tuple(SoldElsewhere(**row) for row in rows("models", "elsewhere"))


def found_elsewhere(name: str) -> SoldElsewhere | None:
    """Whether others sell their own version of a model under this name, or one like it."""
    key = _key(name)
    return next((it for it in sold_elsewhere() if any(_key(own) in key for own in it.names)), None)


@cache
def limits(api: Api = Api.V1) -> Limits:
    row: dict[str, Any] = dict(table("models")["limits"][api])
    if references := row.get("references"):
        row["references"] = References(**references)
    return Limits(**row)


def api_of(model: str) -> Api:
    """The API that a model is on; unlisted ones are sought on the first."""
    known = find_model(model)
    return known.api if known else Api.V1


def _key(name: str) -> str:
    return squeeze(name).removeprefix("minimax").lstrip("/")


@cache
def _by_key() -> Mapping[str, Model]:
    return {_key(name): model for model in models() for name in (model.name, *model.aliases)}


def find_model(name: str) -> Model | None:
    """Find a model by its name, ignoring case, spaces and the MiniMax- prefix."""
    return _by_key().get(_key(name))


_FEW = 2
"""So many lengths are told one by one."""
_NEAR = 0.75
_SHORTEST, _LONGEST = 2, 60
_TELLING = 4
"""A shorter name means something else inside most words: H3."""


def nearest_model(name: str) -> str | None:
    """Find the model that an unknown name probably means; None if nothing is similar."""
    key = _key(name)
    known = _by_key()
    if key in known:
        return known[key].name
    if elsewhere := found_elsewhere(name):
        return elsewhere.nearest
    if len(key) < _SHORTEST or len(key) > _LONGEST:
        return None if key else models()[0].name
    from difflib import get_close_matches

    # "2.3" and "hailuo" are near though short, "hailuo-2.3-professional" though long.
    near = (
        [k for k in known if key in k]
        or get_close_matches(key, known, n=1, cutoff=_NEAR)
        or sorted((k for k in known if _within(k, key)), key=len, reverse=True)
    )
    return known[near[0]].name if near else None


def _within(known: str, key: str) -> bool:
    return known in key if len(known) >= _TELLING else key.startswith(known)


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

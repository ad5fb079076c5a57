"""The v2 models: lengths, resolutions, ratios, sizes in pixels and prices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

GENERATION, REGENERATION = "generation", "regeneration"
H3 = "MiniMax-H3"
DRAFT, KEEPER = "768P", "2K"
ADAPTIVE = "adaptive"
WEEK = 7 * 24 * 3600.0
"""How long a task can be queried, listed and regenerated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model takes."""

    seconds: range
    resolutions: tuple[str, ...]
    free_images: int
    has_extra: bool = False
    """Whether `extra.prompt_expansion_mode` may be given."""


MODELS = {
    H3: Model(seconds=range(4, 16), resolutions=(DRAFT, KEEPER), free_images=5),
    "MiniMax-H3-Max": Model(
        seconds=range(5, 16), resolutions=("480P", DRAFT), free_images=2, has_extra=True
    ),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """A price for each second of output, second of input video and image; None: unpublished."""

    output: str
    video: str | None
    image: str | None


# model, task type and resolution → currency → rate
_RATES: dict[tuple[str, str, str], dict[str, Rate]] = {
    (H3, GENERATION, DRAFT): {
        "usd": Rate("0.08", "0.08", "0.04"),
        "cny": Rate("0.50", "0.50", "0.20"),
    },
    (H3, GENERATION, KEEPER): {
        "usd": Rate("0.13", "0.13", "0.04"),
        "cny": Rate("0.80", "0.80", "0.20"),
    },
    (H3, REGENERATION, KEEPER): {
        "usd": Rate("0.05", "0.05", "0.025"),
        "cny": Rate("0.30", "0.30", None),
    },
    ("MiniMax-H3-Max", GENERATION, "480P"): {
        "usd": Rate("0.05", "0.0553", "0.074"),
        "cny": Rate("0.33", None, None),
    },
    ("MiniMax-H3-Max", GENERATION, DRAFT): {
        "usd": Rate("0.08", "0.143", "0.074"),
        "cny": Rate("0.50", None, None),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a task costs if it succeeds, as decimal strings."""

    cny: str
    usd: str
    incomplete: list[str]
    """Currencies in which something has no published price and is left out."""


_CENT = Decimal("0.01")


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def cost(
    model: str, task_type: str, resolution: str, *, output: int, video: int, images: int
) -> Cost:
    """Return the price of seconds of output, seconds of input video and input images."""
    extra = max(0, images - MODELS[model].free_images)
    sums: dict[str, str] = {}
    incomplete: list[str] = []
    for currency, rate in _RATES[model, task_type, resolution].items():
        counted = ((rate.output, output), (rate.video, video), (rate.image, extra))
        total = sum((Decimal(each or 0) * count for each, count in counted), Decimal(0))
        # As on a bill: two places, and more only where there is something in them.
        sums[currency] = str(max(total.normalize(), total.quantize(_CENT), key=_places))
        if any(each is None and count for each, count in counted):
            incomplete.append(currency)
    return Cost(cny=sums["cny"], usd=sums["usd"], incomplete=incomplete)


RATIOS = {"21:9": 21 / 9, "16:9": 16 / 9, "4:3": 4 / 3, "1:1": 1.0, "3:4": 3 / 4, "9:16": 9 / 16}
_SHORT_SIDE = {"480P": 480, DRAFT: 768, KEEPER: 1440}
# Observed; the other sizes follow from the short side.
_OBSERVED = {(DRAFT, "16:9"): (1344, 768), (DRAFT, "9:16"): (768, 1344)}
_SAME_SHAPE = 0.02


def nearest_ratio(width: int, height: int) -> str:
    """Return the named ratio that a shape is closest to."""
    return min(RATIOS, key=lambda name: abs(math.log(RATIOS[name] * height / width)))


def clip_size(resolution: str, ratio: str) -> tuple[int, int]:
    """Return width and height of a named ratio."""
    if found := _OBSERVED.get((resolution, ratio)):
        return found
    return _scaled(_SHORT_SIDE[resolution], RATIOS[ratio])


def adapted_size(resolution: str, picture: tuple[int, int] | None) -> tuple[int, int]:
    """Return the clip's size when it follows a picture's shape; 16:9 where none is known."""
    if picture is None:
        return clip_size(resolution, "16:9")
    shape, name = picture[0] / picture[1], nearest_ratio(*picture)
    if abs(math.log(shape / RATIOS[name])) < _SAME_SHAPE:
        return clip_size(resolution, name)
    return _scaled(_SHORT_SIDE[resolution], shape)


def keeper_size(draft: tuple[int, int]) -> tuple[int, int]:
    """Return the 2K size of a 768P clip."""
    for name in RATIOS:
        if clip_size(DRAFT, name) == draft:
            return clip_size(KEEPER, name)
    return _scaled(_SHORT_SIDE[KEEPER], draft[0] / draft[1])


def _scaled(short: int, shape: float) -> tuple[int, int]:
    # H.264 with 4:2:0 colour has no odd sizes.
    width, height = (short * shape, short) if shape >= 1.0 else (short, short / shape)
    return 2 * round(width / 2), 2 * round(height / 2)

"""The valid combination that is nearest to one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import log

from hailuo_mcp.catalog.prices import Inputs, plan_named, price_words
from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.rules.judge import (
    FARTHEST,
    PICTURES,
    V1_MODES,
    Combination,
    Seller,
    Verdict,
    default_model,
    size_name,
)
from hailuo_mcp.rules.ratios import nearest_ratio


def legal_combinations(
    modes: Sequence[Mode], capabilities: Capabilities, *, plan: str = "payg"
) -> Iterator[Combination]:
    """All combinations of these modes in the catalogue that one provider sells under a plan.

    With the aspect ratio that is sent where none is asked for; its mode may have others.
    """
    pack = plan_named(plan).pack
    for mode in modes:
        for model in models() if mode in capabilities.modes else ():
            rules = model.modes.get(mode)
            if rules is None or not capabilities.offers(model.name) or (pack and model.payg_only):
                continue
            sizes: list[tuple[str | None, int | None]] = [
                (size, seconds) for size, lengths in rules.sizes.items() for seconds in lengths
            ]
            for size, seconds in sizes or [(None, None)]:
                yield Combination(
                    model=model.name,
                    mode=mode,
                    resolution=size,
                    duration=seconds,
                    aspect_ratio=rules.default_ratio,
                )


def nearest(verdict: Verdict, modes: Sequence[Mode], seller: Seller) -> Combination | None:
    """Find the valid combination that changes least: `modes` by preference, then model, then size.

    An unlisted model is kept if it may work. None if the provider makes no videos.
    """
    can, asked = seller.capabilities, verdict.asked
    if verdict.model is None and verdict.combination.model and asked.mode in V1_MODES:
        for mode in modes:
            if mode in can.modes & V1_MODES:
                return replace(verdict.combination, mode=mode, aspect_ratio="")
    size = _lines(asked.resolution)
    shaped = bool(asked.aspect_ratio)

    @cache
    def usual_of(mode: Mode, resolution: str | None) -> str:
        return default_model(mode, resolution, can, aspect_ratio=asked.aspect_ratio)

    def change(offered: Combination) -> tuple[float, int]:
        usual = usual_of(offered.mode, offered.resolution if size else None)
        wanted = verdict.model.name if verdict.model else usual
        far = 4.0 * modes.index(offered.mode)
        if offered.model != wanted:
            far += 2.0 if offered.model == usual else 2.5
        far += _apart(size, _lines(offered.resolution)) + _apart(asked.duration, offered.duration)
        far += 0.1 * (bool(size) and offered.resolution != asked.resolution)  # 2K and 1080P
        if rules := offered.rules:
            # A frame gives the clip its shape, whatever the model.
            far += 3.0 * (shaped and not PICTURES[offered.mode] and not rules.ratios)
            far += 0.3 * (not size and offered.resolution != rules.default_resolution)
            far += 0.3 * (not asked.duration and offered.duration != rules.default_duration)
        return far, offered.duration or 0

    found = min(legal_combinations(modes, can, plan=seller.plan), key=change, default=None)
    if found is None:
        return None
    inputs = asked.inputs
    if found.mode is not asked.mode:
        inputs = Inputs(images=len(PICTURES[found.mode]))
    return replace(found, inputs=inputs, aspect_ratio=_ratio(asked, found))


def _ratio(asked: Combination, found: Combination) -> str:
    if not asked.aspect_ratio or found.rules is None:
        return found.aspect_ratio
    return nearest_ratio(asked.aspect_ratio, found.rules)


def _lines(text: str | None) -> int | None:
    """How many lines a resolution has, read generously: 1080, 1080p and 4K are understood."""
    name = size_name(text)
    digits = name.rstrip("PK")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):  # noqa: PLR2004  16320P
        return None
    return int(digits) * (540 if name.endswith("K") else 1)


def _apart(asked: int | None, offered: int | None) -> float:
    if not asked or not offered or asked < 0:
        return 0.0
    return abs(log(offered / min(asked, FARTHEST)))


def offer_words(combination: Combination, seller: Seller, *changes: str) -> str:
    """A valid combination with its price, for a Step."""
    price = price_words(seller.charge(combination.price))
    shape = [combination.aspect_ratio] if combination.aspect_ratio else []
    return ", ".join((f"model {combination.words}", *shape, *changes, price))

"""Aspect ratios: their spelling, which a model makes, and the nearest that it does."""

from __future__ import annotations

import re
from math import log
from typing import NamedTuple

from hailuo_mcp.catalog.video_models import Model, ModeRules
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.text import shown

_JOINED = re.compile(r"\s*[:：/x×]\s*")
_ADAPTIVE = "adaptive"
_SIDES = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")


class Ratio(NamedTuple):
    name: str
    """As it is sent; empty to send none."""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def ratio_name(asked: str) -> str:
    """Spell a ratio as the reference does: 16：9 and 16x9 are 16:9; "" for none."""
    name = asked.strip().lower()
    return _JOINED.sub(":", name) if name[:1].isdigit() else name


def ratio_of(asked: str, model: Model, mode: Mode, *, made_from: str) -> Ratio:
    """The ratio to send for one that was asked for (ratio_name); `made_from` in words."""
    rules = model.modes[mode]
    if not asked:
        return Ratio(rules.default_ratio)
    if not model.ratios:
        return Ratio("", (no_ratio(model),))
    if asked not in (rules.ratios or model.ratios):
        wrong = f"unknown aspect ratio {shown(asked)} (with a first frame none is needed)"
        if rules.ratios:
            made = " or ".join(rules.ratios)
            wrong = f"{model.name} from {made_from} makes {made}, not {shown(asked)}"
        return Ratio("", (wrong,))
    if rules.ratios or asked == _ADAPTIVE:
        return Ratio(asked if rules.ratios else "")
    said = f"The aspect ratio {asked} is left out: the clip has the shape of its first frame."
    return Ratio("", warnings=(said,))


def no_ratio(model: Model) -> str:
    return f"{model.name} takes no aspect ratio"


def nearest_ratio(asked: str, rules: ModeRules) -> str:
    """The ratio of this mode that is nearest to the asked one; "" if it takes none."""
    wanted = _shape(asked)
    if asked in rules.ratios or not rules.ratios:
        return asked if rules.ratios else ""
    if wanted is None:
        return rules.default_ratio
    known = {name: shape for name in rules.ratios if (shape := _shape(name)) is not None}
    return min(known, key=lambda name: abs(known[name] - wanted))


def _shape(name: str) -> float | None:
    """The logarithm of width over height; None for words."""
    found = _SIDES.fullmatch(name)
    return log(int(found[1]) / int(found[2])) if found else None

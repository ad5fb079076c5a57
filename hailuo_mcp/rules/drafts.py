"""Drafts: what it costs to upgrade one, and what takes as drafts save."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from hailuo_mcp.catalog.prices import published
from hailuo_mcp.catalog.video_models import Model, find_model, length_words, models
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.errors import Do, Step
from hailuo_mcp.rules.judge import Combination, Seller, Verdict, judge, size_name
from hailuo_mcp.rules.nearest import offer_words
from hailuo_mcp.text import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """What takes cost as drafts of which one is upgraded, and directly; in the plan's unit."""

    low: str
    high: str
    seconds: int
    """Of each take."""
    draft: Decimal
    """One take."""
    upgrade: Decimal
    direct: Decimal
    """One take at the higher resolution from the start."""

    @property
    def keeper_more(self) -> Decimal:
        """What the take that is kept costs more than directly; less if negative."""
        return self.draft + self.upgrade - self.direct

    @property
    def saved_percent(self) -> Decimal:
        """What every take that is dropped saves, as a whole number."""
        saved = 100 * (self.direct - self.draft) / self.direct
        return saved.to_integral_value(rounding=ROUND_HALF_UP)

    def takes(self, count: int) -> Decimal:
        """What so many drafts cost of which one is upgraded."""
        return self.draft * count + self.upgrade


def drafts_of(clip: Combination, seller: Seller) -> Drafts | None:
    """What drafts of such a clip save; None if the model has none, or a price is not published."""
    model, seconds = find_model(clip.model), clip.duration
    if model is None or not model.upgrades or not seconds:
        return None
    (low, high), *_ = model.upgrades.items()

    def amount(size: str, *, upgrade: bool = False) -> Decimal | None:
        return seller.charge(published(model.name, size, seconds, upgrade=upgrade)).amount

    draft, upgrade, direct = amount(low), amount(high, upgrade=True), amount(high)
    if draft is None or upgrade is None or not direct:
        return None
    return Drafts(low=low, high=high, seconds=seconds, draft=draft, upgrade=upgrade, direct=direct)


def judge_upgrade(asked: Combination, seller: Seller) -> Verdict:
    """Judge the upgrade of a draft of which no more is known than its model and length."""
    size = size_name(asked.resolution)
    named = replace(asked, mode=Mode.T2V, model=asked.model.strip() or upgradable_model().name)
    verdict = judge(replace(named, resolution=None), seller)
    model = verdict.model
    if Mode.UPGRADE not in seller.capabilities.modes:
        could = seller.elsewhere(mode=Mode.UPGRADE)
        verdict.problems = [f"{seller.name} cannot upgrade clips{could}"]
        verdict.caveat = seller.capabilities.caveat
    elif model is None or not model.upgrades:
        name = model.name if model else shown(named.model)
        verdict.problems = [f"clips of {name} cannot be upgraded"]
    elif (size or _target(model)) not in model.upgrades.values():
        verdict.problems.append(f"a draft is upgraded to {_target(model)}, not to {shown(size)}")
    target = _target(model) if model and model.upgrades else None
    made = replace(verdict.combination, mode=Mode.UPGRADE, resolution=target, aspect_ratio="")
    verdict.asked = replace(asked, mode=Mode.UPGRADE)
    verdict.combination = made
    return verdict


def nearest_upgrade(verdict: Verdict, seller: Seller) -> list[Step]:
    """The upgrade that is possible, if there is any here."""
    model = verdict.model if verdict.model and verdict.model.upgrades else upgradable_model()
    possible = judge_upgrade(Combination(model=model.name, mode=Mode.UPGRADE), seller)
    if possible.problems:
        return []
    lengths = model.modes[Mode.T2V].sizes[next(iter(model.upgrades))]
    asked = verdict.asked.duration or possible.combination.duration or 0
    seconds = min(lengths, key=lambda length: abs(length - asked))
    made = replace(possible.combination, duration=seconds)
    said = f"of a draft of {length_words(lengths)} s"
    return [Step(Do.NEAREST, offer_words(made, seller, said))]


def upgradable_model() -> Model:
    return next(model for model in models() if model.upgrades)


def _target(model: Model) -> str:
    return next(iter(model.upgrades.values()))

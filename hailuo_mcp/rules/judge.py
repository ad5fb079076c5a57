"""The judge: is this clip valid, at what price, and what is the nearest valid one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from hailuo_mcp.catalog.prices import (
    NO_INPUTS,
    NO_PRICE,
    Inputs,
    Price,
    plan_named,
    plan_unit,
    published,
)
from hailuo_mcp.catalog.video_models import (
    Model,
    ModeRules,
    find_model,
    found_elsewhere,
    length_words,
    models,
    nearest_model,
)
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import AnyRequest, Mode
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.errors import InvalidRequestError, Step
from hailuo_mcp.rules.ratios import no_ratio, ratio_name, ratio_of
from hailuo_mcp.text import shown

MODE_WORDS = {
    Mode.T2V: "text alone",
    Mode.I2V: "a first frame",
    Mode.FL2V: "a first and a last frame",
    Mode.S2V: "a subject picture",
    Mode.R2V: "references",
    Mode.TEMPLATE: "a template",
    Mode.UPGRADE: "a finished draft",
}
PICTURES = {
    Mode.S2V: ("subject_image",),
    Mode.FL2V: ("first_frame_image", "last_frame_image"),
    Mode.I2V: ("first_frame_image",),
    Mode.T2V: (),
    Mode.R2V: (),
}
"""The frames and subjects that each mode is made from."""
V1_MODES = frozenset({Mode.T2V, Mode.I2V, Mode.FL2V, Mode.S2V})
"""What an unlisted model may be able to make: it is sought on the v1 API."""
WORDS = {
    "prompt": "a prompt",
    "first_frame_image": "a first frame",
    "last_frame_image": "a last frame",
    "subject_image": "a subject picture",
    "reference_images": "reference pictures",
    "reference_videos": "reference clips",
    "reference_audios": "reference sounds",
    "aspect_ratio": "an aspect ratio",
    "resolution": "a resolution",
    "duration": "a length",
    "fast_pretreatment": "fast pretreatment",
    "watermark": "a watermark",
    "prompt_optimizer": "the prompt optimizer",
}
"""The parts of a request, in every reader's words."""


def words(name: str) -> str:
    """What messages call an argument of a request."""
    return WORDS.get(name, name.replace("_", " "))


Request_co = TypeVar("Request_co", bound=AnyRequest, covariant=True)

# For unlisted models: wide enough for any serious request.
_LONGEST_NAME, _LONGEST_SIZE, _LONGEST_CLIP = 100, 8, 3600
_MOST_PROBLEMS = 20
"""More would not help."""
FARTHEST = 10_000
"""Above it, the distance between numbers no longer matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """What decides which clips can be bought, at what price: the provider and the plan."""

    name: str
    capabilities: Capabilities
    price_list: str = ""
    """Whose published prices apply: "cn", "global", or "" if none are published."""
    region: str = "cn"
    """Decides the unit if no prices are published."""
    plan: str = "payg"
    templates: str = ""
    """Which region's templates it offers; empty for none."""
    others: Mapping[str, Capabilities] = field(default_factory=dict[str, Capabilities])
    """What other providers can do, to name those that could."""

    def charge(self, price: Price) -> Quote:
        """Quote a clip with these prices in the plan's unit; no amount if none is published.

        Credit prices are published only for the packs sold in China.
        """
        unit = plan_unit(self.plan, self.price_list or self.region)
        amounts = {
            ("cn", Unit.CNY): price.cny,
            ("cn", Unit.CREDITS): price.credits,
            ("global", Unit.USD): price.usd,
        }
        amount = amounts.get((self.price_list, unit))
        partly = amount is not None and unit in price.partial
        return Quote(amount=amount, unit=unit, lower_bound=partly)

    def elsewhere(self, *, mode: Mode | None = None, model: str = "", option: str = "") -> str:
        """Name the other providers that can do it, as the end of a clause; "" for none."""
        names = [
            name
            for name, can in self.others.items()
            if name != self.name
            and (mode is None or mode in can.modes)
            and (not model or can.offers(model))
            and (not option or option in can.options)
        ]
        return f" ({', '.join(names)} can)" if names else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """What decides whether a clip can be made, and its price."""

    model: str = ""
    mode: Mode
    resolution: str | None = None
    duration: int | None = None
    """Seconds."""
    aspect_ratio: str = ""
    inputs: Inputs = NO_INPUTS

    @property
    def words(self) -> str:
        length = f"{self.duration} s" if self.duration else ""
        return ", ".join(part for part in (self.model, self.resolution, length) if part)

    @property
    def rules(self) -> ModeRules | None:
        """The catalogue's rules for it; None if the model does not have this mode."""
        model = find_model(self.model)
        return model.modes.get(self.mode) if model else None

    @property
    def price(self) -> Price:
        """Every price that is published for it."""
        return published(
            self.model,
            self.resolution,
            self.duration,
            inputs=self.inputs,
            upgrade=self.mode is Mode.UPGRADE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Generic[Request_co]):
    """A valid request."""

    request: Request_co
    """As it will be sent: names in their official spelling, defaults resolved."""
    quote: Quote
    warnings: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Verdict:
    """The judge's answer: the combination as it would be made, and every problem."""

    asked: Combination
    combination: Combination
    """With defaults and official names; the model is "" if none fits."""
    model: Model | None = None
    """The known model, or the one that a misspelt name probably means."""
    problems: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    caveat: str = ""
    """Why the provider can do so little, where that is the reason for a problem."""


def judge(asked: Combination, seller: Seller) -> Verdict:
    """Judge a combination (templates and upgrades excepted): the only place to decide this."""
    can, mode = seller.capabilities, asked.mode
    size, seconds = size_name(asked.resolution) or None, asked.duration or None
    asked = replace(
        asked,
        model=asked.model.strip(),
        resolution=size,
        duration=seconds,
        aspect_ratio=ratio_name(asked.aspect_ratio),
    )
    verdict = Verdict(asked=asked, combination=replace(asked, model="", aspect_ratio=""))
    if mode not in can.modes:
        verdict.problems.append(
            f"{seller.name} cannot make a clip from {MODE_WORDS[mode]}{seller.elsewhere(mode=mode)}"
        )
        verdict.caveat = can.caveat
    elif can.caveat:
        verdict.warnings.append(can.caveat)
    _choose_model(verdict, seller)
    model = verdict.model
    if model is None:
        _check_unlisted(verdict)
    elif not verdict.combination.model or mode not in model.modes:
        if size or seconds:
            likely = mode if mode in model.modes else next(iter(model.modes))
            verdict.problems += _resolved(model, likely, size, seconds)[2]
        if asked.aspect_ratio and not model.ratios:
            verdict.problems.append(no_ratio(model))
    else:
        size, seconds, problems = _resolved(model, mode, size, seconds)
        ratio = ratio_of(asked.aspect_ratio, model, mode, made_from=MODE_WORDS[mode])
        verdict.combination = replace(
            verdict.combination, resolution=size, duration=seconds, aspect_ratio=ratio.name
        )
        verdict.problems += [*problems, *ratio.problems]
        verdict.warnings += ratio.warnings
    return verdict


def _choose_model(verdict: Verdict, seller: Seller) -> None:
    can, mode, problems = seller.capabilities, verdict.asked.mode, verdict.problems
    name = verdict.asked.model
    if not name:
        asked = verdict.asked
        name = default_model(mode, asked.resolution, can, aspect_ratio=asked.aspect_ratio)
        if not name and mode in can.modes:
            problems.append(f"{seller.name} has no model for {MODE_WORDS[mode]}")
        if not name:
            return
    known = verdict.model = find_model(name)
    if known:
        name = known.name
        problems += _model_problems(known, mode, seller)
    elif elsewhere := found_elsewhere(name):
        verdict.model = find_model(elsewhere.nearest)
        problems.append(
            f"{shown(name)} is {elsewhere.what}, not a model of MiniMax's API "
            f"(nearest: {elsewhere.nearest})"
        )
        return
    elif near := nearest_model(name):
        verdict.model = find_model(near)
        problems.append(f"unknown model {shown(name)} (nearest: {near})")
        return
    elif len(name) > _LONGEST_NAME or not name.isprintable():
        problems.append(f"{shown(name)} is not a valid model name")
        return
    elif can.models is not None:
        offered = " and ".join(sorted(can.models))
        problems.append(f"{seller.name} offers {offered}, not {shown(name)}")
        return
    else:
        verdict.warnings.append(
            f"{name} is not in hailuo-mcp's list of models: it is passed on unchecked and has no "
            "published price."
        )
    verdict.combination = replace(verdict.combination, model=name)


def _model_problems(known: Model, mode: Mode, seller: Seller) -> list[str]:
    """Why a known model cannot be had here, or not in this mode."""
    name, problems = known.name, list[str]()
    if not seller.capabilities.offers(name):
        could = seller.elsewhere(model=name, mode=mode)
        problems.append(f"{seller.name} does not offer {name}{could}")
    if known.payg_only and plan_named(seller.plan).pack:
        problems.append(
            f"{name} is sold as pay as you go only: packs such as {seller.plan} exclude it"
        )
    if mode in known.modes:
        return problems
    offered = " or ".join(MODE_WORDS[it] for it in known.modes)
    wrong = f"{name} makes clips from {offered}, not from {MODE_WORDS[mode]}"
    needed = PICTURES[next(iter(known.modes))]
    missing = [WORDS[it] for it in needed if it not in PICTURES[mode]]
    if missing and set(needed) > set(PICTURES[mode]):
        wrong += f" (add {' and '.join(missing)})"
    elif mode is Mode.S2V and Mode.R2V in known.modes:
        wrong += " (give it as a reference picture)"
    return [*problems, wrong]


def _check_unlisted(verdict: Verdict) -> None:
    """Check an unlisted model: only the size and the length are passed on."""
    size, seconds = verdict.asked.resolution, verdict.asked.duration
    if name := verdict.combination.model:
        if verdict.asked.mode not in V1_MODES:
            able = [it.name for it in models() if verdict.asked.mode in it.modes]
            from_them = f"clips from {MODE_WORDS[verdict.asked.mode]}"
            verdict.problems.append(f"{' and '.join(able)} make {from_them}, not {shown(name)}")
        if verdict.asked.aspect_ratio:
            able = [it.name for it in models() if it.ratios]
            verdict.problems.append(f"{' and '.join(able)} take an aspect ratio, not {shown(name)}")
    if size and not (size.isascii() and size.isalnum() and len(size) <= _LONGEST_SIZE):
        verdict.problems.append(f"unknown resolution {shown(size)}")
        size = None
    if seconds is not None and not 0 < seconds <= _LONGEST_CLIP:
        verdict.problems.append(
            f"a clip cannot be {_asked_seconds(seconds)} long (the longest is {_LONGEST_CLIP:,} s)"
        )
        seconds = None
    verdict.combination = replace(verdict.combination, resolution=size, duration=seconds)


def size_name(asked: object) -> str:
    """Spell a resolution as the references do: 768, "768" and "768p" are 768P; "" for none."""
    name = str(asked or "").strip().upper()
    return f"{name}P" if name.isascii() and name.isdigit() else name


def default_model(
    mode: Mode, resolution: str | None, capabilities: Capabilities, *, aspect_ratio: str = ""
) -> str:
    """Choose the model for an empty name; "" if the provider has none for this mode.

    The catalogue's order decides, unless only a later model takes an aspect ratio or has the
    requested size. A size that only unpriced older models have is refused: it is not worth a
    silent change of model.
    """
    able = [model for model in models() if mode in model.modes and capabilities.offers(model.name)]
    if aspect_ratio:
        able = [model for model in able if model.ratios] or able
    able = [model for model in able if not model.last_choice] or able
    for model in able:
        lengths = model.modes[mode].sizes.get(resolution or "", ())
        if any(published(model.name, resolution, length) != NO_PRICE for length in lengths):
            return model.name
    return able[0].name if able else ""


def _resolved(
    model: Model, mode: Mode, size: str | None, seconds: int | None
) -> tuple[str | None, int | None, list[str]]:
    """Resolution and length with defaults filled in, and what is wrong with them."""
    rules = model.modes[mode]
    if not rules.sizes:
        given = [word for word, it in (("resolution", size), ("length", seconds)) if it]
        which = f"{model.name} takes no {' and no '.join(given)}: the provider decides both"
        return None, None, [which] if given else []
    size, seconds = size or rules.default_resolution or "", seconds or rules.default_duration
    lengths = rules.sizes.get(size)
    if lengths is not None:
        made = f"{model.name} at {size} makes {_seconds(lengths)}, not {_asked_seconds(seconds)}"
        return size, seconds, [] if seconds in lengths else [made]
    offered = " or ".join(rules.sizes)
    problems = [f"{model.name} from {MODE_WORDS[mode]} makes {offered}, not {shown(size)}"]
    every = sorted({length for known in rules.sizes.values() for length in known})
    if seconds not in every:
        problems.append(f"it makes {_seconds(every)}, not {_asked_seconds(seconds)}")
    return size, seconds, problems


def _seconds(lengths: Sequence[int]) -> str:
    return f"{length_words(lengths).replace(' or ', ' s or ')} s"


def _asked_seconds(seconds: int | None) -> str:
    return f"{seconds:,} s" if abs(seconds or 0) < FARTHEST * 10 else "that many seconds"


def refusal(problems: Sequence[str], *then: Step, remark: str = "") -> InvalidRequestError:
    """Put all problems into one error; `remark` is a sentence that explains them."""
    named = list(dict.fromkeys(problems))
    opening = "Refused" if len(named) == 1 else f"Refused for {len(named)} reasons"
    if len(named) > _MOST_PROBLEMS:
        named[_MOST_PROBLEMS:] = [f"and {len(named) - _MOST_PROBLEMS} more"]
    return InvalidRequestError(f"{opening}: {'; '.join(named)}. {remark}".strip(), *then)

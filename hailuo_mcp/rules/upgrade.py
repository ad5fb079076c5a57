"""An upgrade: whether a clip can be made again at a higher resolution, and at what price."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any, cast

from hailuo_mcp.catalog.prices import Inputs, plan_named, price_words, published
from hailuo_mcp.catalog.video_models import Model, find_model
from hailuo_mcp.domain.requests import IMAGE_FIELDS, Mode, UpgradeRequest
from hailuo_mcp.domain.task import Quote
from hailuo_mcp.errors import Do, Step
from hailuo_mcp.rules.drafts import upgradable_model
from hailuo_mcp.rules.judge import Checked, Seller, refusal, size_name
from hailuo_mcp.text import shown

SOURCE_SECONDS = 7 * 86_400.0
"""How long after it was bought a clip can be upgraded: as long as the provider keeps it."""
_UNKNOWN = Inputs(video_seconds=None)


def check_upgrade(request: UpgradeRequest, seller: Seller) -> Checked[UpgradeRequest]:
    """Return it as it will be sent; InvalidRequestError names every problem at once."""
    model = find_model(request.model)
    problems, steps = list[str](), list[Step]()
    if Mode.UPGRADE not in seller.capabilities.modes:
        could = seller.elsewhere(mode=Mode.UPGRADE)
        problems.append(f"{seller.name} cannot upgrade clips{could}")
    if model is None or not model.upgrades:
        problems.append(_not_upgraded(request.model))
        steps.append(
            Step(Do.TRY, f"make the draft with {upgradable_model().name}, then upgrade it")
        )
    if model is None:
        raise refusal(problems, *steps)
    inputs = inputs_of(request)
    has = size_name(request.source_resolution) or next(iter(model.upgrades), "")
    wanted, offered = size_name(request.resolution), model.upgrades.get(has, "")
    price = published(model.name, offered, request.duration, inputs=inputs, upgrade=True)
    quote = seller.charge(price)
    if model.upgrades and not offered:
        problems.append(_not_from(model, has))
        steps += [Step(Do.QUERY, request.source_id)] if request.source_id else []
    elif offered and wanted != offered:
        problems.append(f"a clip of {has} is upgraded to {offered}, not to {shown(wanted)}")
        steps.append(Step(Do.NEAREST, f"{offered}, {price_words(quote)}"))
    if not request.remote_id.strip():
        problems.append("the provider's id of the clip is not known")
    if model.payg_only and plan_named(seller.plan).pack:
        problems.append(
            f"{model.name} is sold as pay as you go only: packs such as {seller.plan} exclude it"
        )
    if problems:
        raise refusal(problems, *steps)
    checked = replace(request, model=model.name, resolution=offered, source_resolution=has)
    warnings = (*_dearer_than_direct(checked, inputs, quote, seller), *_unpriced(inputs, quote))
    return Checked(request=checked, quote=quote, warnings=warnings)


def inputs_of(request: UpgradeRequest) -> Inputs:
    """What the clip was made from, which is charged again; what is unknown is None in it."""
    if (made := request.source) is not None and not request.source_record:
        frames = sum(bool(getattr(made, name)) for name in IMAGE_FIELDS)
        seconds = None if made.reference_videos else 0
        return Inputs(images=frames + len(made.reference_images), video_seconds=seconds)
    record: object = json.loads(request.source_record or "{}")
    if not isinstance(record, dict) or not record:
        return _UNKNOWN  # bought elsewhere
    body = cast("Mapping[str, Any]", record)
    frames = sum(bool(body.get(name)) for name in IMAGE_FIELDS)
    clips = cast("list[Mapping[str, Any]]", body.get("reference_videos", []))
    lengths = [clip.get("seconds") for clip in clips]
    known = [ceil(round(length, 3)) for length in lengths if length]
    return Inputs(
        images=frames + len(body.get("reference_images", [])),
        video_seconds=sum(known) if len(known) == len(lengths) else None,
    )


def _not_upgraded(name: str) -> str:
    can = upgradable_model()
    sizes = " and ".join(f"from {has} to {gets}" for has, gets in can.upgrades.items())
    if not name:
        return f"its model is not known, and only clips of {can.name} can be upgraded, {sizes}"
    return f"it was made by {shown(name)}, which cannot be upgraded ({can.name} can, {sizes})"


def _not_from(model: Model, has: str) -> str:
    if has in model.upgrades.values():
        return f"it is already {has}"
    return f"{model.name} is upgraded from {' or '.join(model.upgrades)}, not from {has}"


def _dearer_than_direct(
    request: UpgradeRequest, inputs: Inputs, upgrade: Quote, seller: Seller
) -> tuple[str, ...]:
    """A warning where draft and upgrade together cost more than the clip made so at once."""
    model, duration = request.model, request.duration
    draft = seller.charge(published(model, request.source_resolution, duration, inputs=inputs))
    direct = seller.charge(published(model, request.resolution, duration, inputs=inputs))
    if inputs.video_seconds is None:
        return ()
    if draft.amount is None or upgrade.amount is None or direct.amount is None:
        return ()
    together = draft.amount + upgrade.amount
    if together < direct.amount or (together == direct.amount and not upgrade.lower_bound):
        return ()
    total = price_words(replace(upgrade, amount=together))
    warning = (
        f"Its {inputs.images} pictures count again: draft and upgrade together cost {total}, "
        f"and the same clip made at {request.resolution} at once {price_words(direct)}."
    )
    return (warning,)


def _unpriced(inputs: Inputs, quote: Quote) -> tuple[str, ...]:
    """A warning where it costs more than is known."""
    if not quote.lower_bound:
        return ()
    unknown = "no price is published for a part of what it was made from"
    if inputs.video_seconds is None:
        unknown = "what it was made from counts again, and is not fully known"
    return (f"It costs {price_words(quote)}: {unknown}.",)

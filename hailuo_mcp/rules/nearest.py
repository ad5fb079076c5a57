"""The legal request that changes least of one that was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hailuo_mcp.catalog.prices import list_price, price_words
from hailuo_mcp.catalog.video_models import find_model, nearest_model
from hailuo_mcp.domain import IMAGE_FIELDS, Capabilities, Mode, VideoRequest
from hailuo_mcp.rules.combinations import Call, nearest_call, size_name
from hailuo_mcp.rules.examination import OPTIONS, PICTURES, Examination, examine, reachable_modes
from hailuo_mcp.rules.prompt import check_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The legal request that changes least."""

    request: VideoRequest
    needs: tuple[str, ...] = ()
    """Arguments that only the person can add: the request is legal with them."""


def _call(seen: Examination) -> Call | None:
    """Choose model, mode and size: an unknown model that may pass is kept."""
    modes = reachable_modes(seen.request)
    if seen.known is None and seen.model:
        for mode in modes:
            if mode in seen.capabilities.modes:
                return Call(
                    model=seen.model,
                    mode=mode,
                    resolution=seen.resolution,
                    duration=seen.duration,
                )
    name = seen.model or nearest_model(seen.request.model.strip()) or ""
    return nearest_call(
        name, modes, size_name(seen.request.resolution), seen.request.duration, seen.capabilities
    )


def _kept(request: VideoRequest, name: str, pictures: Sequence[str]) -> str:
    return str(getattr(request, name)) if name in pictures else ""


def nearest_of(seen: Examination) -> Nearest | None:
    """Mend what can be mended without inventing anything."""
    call = _call(seen)
    if call is None:
        return None
    asked, capabilities = seen.request, seen.capabilities
    model = find_model(call.model)
    rules = model.modes[call.mode] if model else None
    read = check_prompt(
        asked.prompt, needed_by="", model=call.model, camera=rules.camera if rules else None
    )
    pictures = PICTURES[call.mode]
    needs = [name for name in pictures if not getattr(asked, name)]
    if not read.fixed and (call.mode is Mode.T2V or capabilities.prompt_required):
        needs.append("prompt")
    options = seen.options()
    if (rules and not rules.fast_pretreatment) or options["prompt_optimizer"] is False:
        options["fast_pretreatment"] = None
    request = replace(
        asked,
        model=call.model,
        resolution=call.resolution,
        duration=call.duration,
        prompt=read.fixed,
        first_frame_image=_kept(asked, "first_frame_image", pictures),
        last_frame_image=_kept(asked, "last_frame_image", pictures),
        subject_image=_kept(asked, "subject_image", pictures),
        prompt_optimizer=options["prompt_optimizer"],
        fast_pretreatment=options["fast_pretreatment"],
        watermark=options["watermark"],
    )
    return Nearest(request=request, needs=tuple(needs))


def nearest_video(request: VideoRequest, *, capabilities: Capabilities) -> Nearest | None:
    """Find the legal request nearest to this one; None where the provider sells no video."""
    return nearest_of(examine(request, capabilities))


def nearest_words(asked: VideoRequest, near: Nearest, price_list: str, plan: str) -> str:
    """Name the nearest legal call and its price in one sentence."""
    got = near.request
    dropped = [
        name
        for name in (*IMAGE_FIELDS, *OPTIONS, "resolution", "duration")
        if getattr(asked, name) and not getattr(got, name)
    ]
    if asked.prompt_optimizer is False and got.prompt_optimizer is None:
        dropped.append("prompt_optimizer=false")
    mode = got.mode
    call = Call(model=got.model, mode=mode, resolution=got.resolution, duration=got.duration)
    price = list_price(call.model, call.resolution, call.duration, price_list=price_list, plan=plan)
    parts = [call.words]
    if dropped:
        parts.append(f"without {' and '.join(dropped)}")
    if near.needs:
        parts.append(f"with {' and '.join(f'a {name}' for name in near.needs)}")
    return f"Nearest that works: {', '.join(parts)}, {price_words(price)}."

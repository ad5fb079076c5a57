"""A video request: returned as it will be sent, or refused with all its problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hailuo_mcp.domain import (
    IMAGE_FIELDS,
    PROVIDER_DEFAULTS,
    ClipFacts,
    ImageFacts,
    Mode,
    SoundFacts,
    VideoRequest,
)
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.rules.images import fit_name, fit_problems, picture_problems, size_steps
from hailuo_mcp.rules.judge import (
    MODE_WORDS,
    PICTURES,
    WORDS,
    Checked,
    Combination,
    Seller,
    Verdict,
    judge,
    nearest,
    offer_words,
    refusal,
    words,
)
from hailuo_mcp.rules.prompt import CheckedPrompt, check_prompt

_UNSUPPORTED = {
    "prompt_optimizer": "cannot switch the prompt optimizer off",
    "fast_pretreatment": "has no fast pretreatment",
    "watermark": "cannot add a watermark",
}
"""What a message says if a provider does not support an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The valid request that changes least."""

    request: VideoRequest
    combination: Combination
    needs: tuple[str, ...] = ()
    """Arguments that only the person can add to make the request valid."""


def check_video(
    request: VideoRequest,
    seller: Seller,
    *,
    pictures: Mapping[str, ImageFacts] | None = None,
    unread: Mapping[str, InvalidRequestError] | None = None,
    clips: Mapping[str, ClipFacts | None] | None = None,
    sounds: Mapping[str, SoundFacts | None] | None = None,
) -> Checked[VideoRequest]:
    """Return the request as it will be sent; InvalidRequestError names every problem at once.

    `pictures` are the facts of those that could be opened, by argument; `unread` says why the
    others could not.
    """
    del clips, sounds
    pictures, unread = pictures or {}, unread or {}
    verdict = judge_video(request, seller)
    problems = [*_clashing_pictures(request), *verdict.problems]
    problems += _option_problems(request, verdict, seller)
    prompt = _read_prompt(request.prompt, verdict.combination, seller)
    # No other combination would accept these, so none is offered because of them.
    wrong_fit = fit_problems(request.image_fit)
    flaws = [
        *prompt.problems,
        *wrong_fit,
        *picture_problems(pictures, unread, sized=not wrong_fit),
    ]
    if problems or flaws:
        steps = [step for why in unread.values() for step in why.then]
        if not wrong_fit:
            steps += size_steps(pictures)
        if problems and not verdict.caveat:
            steps += _nearest_step(request, verdict, seller)
        raise refusal([*problems, *flaws], *steps, remark=verdict.caveat)
    made = verdict.combination
    checked = replace(
        request,
        prompt=prompt.text,
        model=made.model,
        resolution=made.resolution,
        duration=made.duration,
        **_options(request, seller),
    )
    warnings = [*verdict.warnings, *prompt.warnings, *_cropping(pictures)]
    if request.image_fit.strip() and not any(getattr(request, name) for name in IMAGE_FIELDS):
        warnings.append("No picture was given, so none is fitted.")
    return Checked(
        request=checked,
        quote=seller.charge(made.price),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def model_for(request: VideoRequest, seller: Seller) -> str:
    """The model's official name; empty if none fits."""
    return judge_video(request, seller).combination.model


def judge_video(request: VideoRequest, seller: Seller) -> Verdict:
    asked = Combination(
        model=request.model,
        mode=request.mode,
        resolution=request.resolution,
        duration=request.duration,
    )
    return judge(asked, seller)


def _clashing_pictures(request: VideoRequest) -> list[str]:
    problems = [
        f"{WORDS[name]} cannot be combined with a subject picture"
        for name in IMAGE_FIELDS
        if getattr(request, name) and name not in PICTURES[request.mode]
    ]
    if request.mode is Mode.FL2V and not request.first_frame_image:
        problems.append("a last frame needs a first frame too")
    return problems


def _option_problems(request: VideoRequest, verdict: Verdict, seller: Seller) -> list[str]:
    can, problems = seller.capabilities, list[str]()
    for name, usual in PROVIDER_DEFAULTS.items():
        if name not in can.options and getattr(request, name) not in (None, usual):
            cannot = _UNSUPPORTED.get(name, f"cannot take {words(name)}")
            problems.append(f"{seller.name} {cannot}{seller.elsewhere(option=name)}")
            verdict.caveat = can.caveat
    if not request.fast_pretreatment:
        return problems
    if request.prompt_optimizer is False:
        problems.append("fast pretreatment only speeds up the prompt optimizer, which is off")
    made = verdict.combination
    if made.rules and not made.rules.fast_pretreatment:
        problems.append(f"{made.model} from {MODE_WORDS[made.mode]} has no fast pretreatment")
    return problems


def _read_prompt(prompt: str, made: Combination, seller: Seller) -> CheckedPrompt:
    needed_by = "text-to-video" if made.mode is Mode.T2V else ""
    if seller.capabilities.prompt_required:
        needed_by = seller.name
    camera = made.rules.camera if made.rules else None
    return check_prompt(prompt, needed_by=needed_by, model=made.model, camera=camera)


def _options(request: VideoRequest, seller: Seller) -> dict[str, Any]:
    """The options to send, without unsupported ones that have their default value."""
    can = seller.capabilities
    return {
        name: getattr(request, name) if name in can.options else None for name in PROVIDER_DEFAULTS
    }


def _cropping(pictures: Mapping[str, ImageFacts]) -> list[str]:
    first, last = pictures.get("first_frame_image"), pictures.get("last_frame_image")
    if not first or not last or first.width * last.height == last.width * first.height:
        return []
    cropped = f"The last frame ({last.width}×{last.height}) will be cropped to the shape of the "
    return [f"{cropped}first ({first.width}×{first.height})."]


def nearest_video(request: VideoRequest, verdict: Verdict, seller: Seller) -> Nearest | None:
    """Correct what can be corrected without inventing anything; None if nothing is offered."""
    given = {name for name in IMAGE_FIELDS if getattr(request, name)}
    reachable = [mode for mode, needed in PICTURES.items() if given.issuperset(needed)]
    made = nearest(verdict, list(dict.fromkeys([request.mode, *reachable])), seller)
    if made is None:
        return None
    prompt = _read_prompt(request.prompt, made, seller)
    needs = [name for name in PICTURES[made.mode] if name not in given]
    if not prompt.fixed and (made.mode is Mode.T2V or seller.capabilities.prompt_required):
        needs.append("prompt")
    options = _options(request, seller)
    options |= dict.fromkeys(given.difference(PICTURES[made.mode]), "")
    if (made.rules and not made.rules.fast_pretreatment) or options["prompt_optimizer"] is False:
        options["fast_pretreatment"] = None
    mended = replace(
        request,
        model=made.model,
        resolution=made.resolution,
        duration=made.duration,
        prompt=prompt.fixed,
        image_fit=fit_name(request.image_fit),
        **options,
    )
    return Nearest(request=mended, combination=made, needs=tuple(needs))


def _nearest_step(request: VideoRequest, verdict: Verdict, seller: Seller) -> list[Step]:
    near = nearest_video(request, verdict, seller)
    if near is None:
        return []
    got = near.request
    dropped = [
        words(name)
        for name in (*IMAGE_FIELDS, *PROVIDER_DEFAULTS, "resolution", "duration")
        if (asked := getattr(request, name))
        and asked != PROVIDER_DEFAULTS.get(name)
        and not getattr(got, name)
    ]
    added = [WORDS[name] for name in near.needs]
    if request.prompt_optimizer is False and got.prompt_optimizer is None:
        added.append(WORDS["prompt_optimizer"])
    changes = [f"without {' and '.join(dropped)}"] if dropped else []
    changes += [f"with {' and '.join(added)}"] if added else []
    return [Step(Do.NEAREST, offer_words(near.combination, seller, *changes))]

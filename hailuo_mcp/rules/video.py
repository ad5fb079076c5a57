"""A video request: returned as it will be sent, or refused with all its problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hailuo_mcp.catalog.prices import Inputs, price_words
from hailuo_mcp.catalog.video_models import api_of, limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    PROVIDER_DEFAULTS,
    REFERENCE_FIELDS,
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
    refusal,
    words,
)
from hailuo_mcp.rules.nearest import nearest, offer_words
from hailuo_mcp.rules.prompt import CheckedPrompt, check_prompt
from hailuo_mcp.rules.references import (
    body_problems,
    count_problems,
    kept_words,
    reference_problems,
    sounds_alone,
    video_seconds,
    within_counts,
)

_UNSUPPORTED = {
    "prompt_optimizer": "cannot switch the prompt optimizer off",
    "fast_pretreatment": "has no fast pretreatment",
    "watermark": "cannot add a watermark",
}
"""What a message says if a provider or a model does not support an option."""
_DROPPABLE = (*IMAGE_FIELDS, *REFERENCE_FIELDS, "aspect_ratio", "resolution", "duration")
_NEEDED = {"reference_images": "a reference picture or clip"}


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

    `pictures`, `clips` and `sounds` are the facts of what could be opened, by argument, such as
    first_frame_image or reference_videos[0]; None where nothing can be known. `unread` says why the
    others could not.
    """
    pictures, unread, clips, sounds = pictures or {}, unread or {}, clips or {}, sounds or {}
    verdict = judge_video(request, seller, clips=clips)
    rules = limits(api_of(_model_of(verdict)))
    problems = [*_clashing_pictures(request), *verdict.problems, *count_problems(request)]
    problems += _option_problems(request, verdict, seller)
    prompt = _read_prompt(request.prompt, verdict.combination, seller)
    # No other combination would accept these, so none is offered because of them.
    wrong_fit = fit_problems(request.image_fit)
    flaws = [
        *prompt.problems,
        *wrong_fit,
        *picture_problems(pictures, unread, sized=not wrong_fit, rules=rules),
        *reference_problems(request, clips=clips, sounds=sounds),
    ]
    if rules.references:
        flaws += body_problems(request, pictures=pictures, clips=clips, sounds=sounds)
    if problems or flaws:
        steps = [step for why in unread.values() for step in why.then]
        if not wrong_fit:
            steps += size_steps(pictures, rules)
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
        aspect_ratio=made.aspect_ratio,
        **_options(request, made, seller),
    )
    quote = seller.charge(made.price)
    warnings = [*verdict.warnings, *prompt.warnings, *_cropping(pictures)]
    fitted = (*IMAGE_FIELDS, "reference_images")
    if request.image_fit.strip() and not any(getattr(request, name) for name in fitted):
        warnings.append("No picture was given, so none is fitted.")
    if quote.lower_bound:
        unknown = "no price is published for a part of what it is made from"
        if made.inputs.video_seconds is None:
            unknown = "how long a reference clip is, is not known before it is made"
        warnings.append(f"It costs {price_words(quote)}: {unknown}.")
    return Checked(
        request=checked,
        quote=quote,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def judge_video(
    request: VideoRequest,
    seller: Seller,
    *,
    clips: Mapping[str, ClipFacts | None] | None = None,
) -> Verdict:
    """Judge what the request names; the seconds of a clip without facts are unknown."""
    mode = request.mode
    images = len(request.reference_images) if mode is Mode.R2V else len(PICTURES[mode])
    asked = Combination(
        model=request.model,
        mode=mode,
        resolution=request.resolution,
        duration=request.duration,
        aspect_ratio=request.aspect_ratio,
        inputs=Inputs(images=images, video_seconds=video_seconds(request, clips)),
    )
    return judge(asked, seller)


def model_for(request: VideoRequest, seller: Seller) -> str:
    """The official name of the model that the request is for; "" if none fits. Never raises.

    Before the pictures are opened it tells whose limits they are fitted to.
    """
    return _model_of(judge_video(request, seller))


def _model_of(verdict: Verdict) -> str:
    return verdict.combination.model or (verdict.model.name if verdict.model else "")


def _clashing_pictures(request: VideoRequest) -> list[str]:
    if request.mode is Mode.R2V:
        problems = [
            f"{WORDS[name]} cannot be combined with references"
            for name in IMAGE_FIELDS
            if getattr(request, name)
        ]
        if request.subject_image:
            problems[-1] += " (give it as a reference picture)"
        return problems
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
    made = verdict.combination
    if request.prompt_optimizer is False and made.rules and not made.rules.prompt_optimizer:
        problems.append(f"{made.model} {_UNSUPPORTED['prompt_optimizer']}")
    if not request.fast_pretreatment:
        return problems
    if request.prompt_optimizer is False:
        problems.append("fast pretreatment only speeds up the prompt optimizer, which is off")
    if made.rules and not made.rules.fast_pretreatment:
        problems.append(f"{made.model} from {MODE_WORDS[made.mode]} has no fast pretreatment")
    return problems


def _read_prompt(prompt: str, made: Combination, seller: Seller) -> CheckedPrompt:
    camera = made.rules.camera if made.rules else None
    needed_by = _prompt_needed_by(made, seller)
    return check_prompt(prompt, needed_by=needed_by, model=made.model, camera=camera)


def _prompt_needed_by(made: Combination, seller: Seller) -> str:
    if seller.capabilities.prompt_required:
        return seller.name
    if made.mode is Mode.T2V:
        return "text-to-video"
    return made.model if api_of(made.model) is Api.V2 else ""


def _options(request: VideoRequest, made: Combination, seller: Seller) -> dict[str, Any]:
    """The options to send, without unsupported ones that have their default value."""
    can = seller.capabilities
    options = {
        name: getattr(request, name) if name in can.options else None for name in PROVIDER_DEFAULTS
    }
    if made.rules and api_of(made.model) is Api.V2:
        options["fast_pretreatment"] = options["fast_pretreatment"] or None
        if not made.rules.prompt_optimizer:
            options["prompt_optimizer"] = None
    return options


def _cropping(pictures: Mapping[str, ImageFacts]) -> list[str]:
    first, last = pictures.get("first_frame_image"), pictures.get("last_frame_image")
    if not first or not last or first.width * last.height == last.width * first.height:
        return []
    cropped = f"The last frame ({last.width}×{last.height}) will be cropped to the shape of the "
    return [f"{cropped}first ({first.width}×{first.height})."]


def nearest_video(request: VideoRequest, verdict: Verdict, seller: Seller) -> Nearest | None:
    """Correct what can be corrected without inventing anything; None if nothing is offered."""
    given = {name for name in IMAGE_FIELDS if getattr(request, name)}
    reachable = [
        mode
        for mode, needed in PICTURES.items()
        if given.issuperset(needed) and mode is not Mode.R2V
    ]
    made = nearest(verdict, list(dict.fromkeys([request.mode, *reachable])), seller)
    if made is None:
        return None
    prompt = _read_prompt(request.prompt, made, seller)
    needs = [name for name in PICTURES[made.mode] if name not in given]
    if not prompt.fixed and _prompt_needed_by(made, seller):
        needs.append("prompt")
    if made.mode is Mode.R2V and sounds_alone(request):
        needs.append("reference_images")
    options = _options(request, made, seller)
    if made.rules and not made.rules.prompt_optimizer:
        options["prompt_optimizer"] = None
    options |= dict.fromkeys(given.difference(PICTURES[made.mode]), "")
    if (made.rules and not made.rules.fast_pretreatment) or options["prompt_optimizer"] is False:
        options["fast_pretreatment"] = None
    kept = within_counts(request) if made.mode is Mode.R2V else dict.fromkeys(REFERENCE_FIELDS, ())
    mended = replace(
        request,
        model=made.model,
        resolution=made.resolution,
        duration=made.duration,
        aspect_ratio=made.aspect_ratio,
        prompt=prompt.fixed,
        image_fit=fit_name(request.image_fit),
        **options,
        **kept,
    )
    if made.mode is Mode.R2V:
        whole = mended.reference_videos == request.reference_videos
        seconds = made.inputs.video_seconds if whole else None
        inputs = Inputs(images=len(mended.reference_images), video_seconds=seconds)
        made = replace(made, inputs=inputs)
    return Nearest(request=mended, combination=made, needs=tuple(needs))


def _nearest_step(request: VideoRequest, verdict: Verdict, seller: Seller) -> list[Step]:
    near = nearest_video(request, verdict, seller)
    if near is None:
        return []
    got = near.request
    dropped = [
        words(name)
        for name in (*_DROPPABLE, *PROVIDER_DEFAULTS)
        if (asked := getattr(request, name))
        and asked != PROVIDER_DEFAULTS.get(name)
        and not getattr(got, name)
    ]
    added = [_NEEDED.get(name, words(name)) for name in near.needs]
    added += kept_words(request, got)
    if request.prompt_optimizer is False and got.prompt_optimizer is None:
        added.append(WORDS["prompt_optimizer"])
    changes = [f"without {' and '.join(dropped)}"] if dropped else []
    changes += [f"with {' and '.join(added)}"] if added else []
    return [Step(Do.NEAREST, offer_words(near.combination, seller, *changes))]

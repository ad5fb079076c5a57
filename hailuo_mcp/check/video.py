"""A video request: what may be bought, what must be refused, and what would be the nearest legal call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hailuo_mcp.catalog import (
    MODE_WORDS,
    Call,
    Model,
    carried,
    default_model,
    find_model,
    list_price,
    nearest_call,
    nearest_model,
    price_words,
    resolve_size,
    shown,
)
from hailuo_mcp.check.images import image_problems as picture_problems
from hailuo_mcp.check.prompt import check_prompt
from hailuo_mcp.check.refusal import able, refusal
from hailuo_mcp.domain import Carries, ImageFacts, Mode, VideoRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that may be bought."""

    request: VideoRequest
    """Model in its own spelling, defaults resolved, camera commands as documented."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The legal request that changes least."""

    request: VideoRequest
    needs: tuple[str, ...] = ()
    """Arguments that only the person can add."""


_PICTURES = {
    Mode.S2V: ("subject_image",),
    Mode.FL2V: ("first_frame_image", "last_frame_image"),
    Mode.I2V: ("first_frame_image",),
    Mode.T2V: (),
}
_ALL_PICTURES = ("first_frame_image", "last_frame_image", "subject_image")
_OPTIONS = ("prompt_optimizer", "fast_pretreatment", "watermark")
_LONGEST_NAME = 100


def _given(request: VideoRequest) -> list[str]:
    return [name for name in _ALL_PICTURES if getattr(request, name)]


def _reachable(request: VideoRequest) -> list[Mode]:
    """The modes that need no picture which is not there, the asked one first."""
    given = set(_given(request))
    modes = [request.mode]
    modes += [mode for mode, needed in _PICTURES.items() if given.issuperset(needed)]
    return list(dict.fromkeys(modes))


class _Check:
    """One request under examination: collects problems and warnings as it goes."""

    def __init__(
        self, request: VideoRequest, carries: Carries, provider: str, others: Mapping[str, Carries]
    ) -> None:
        self.request = request
        self.mode = request.mode
        self.carries = carries
        self.provider = provider
        self.others = {name: c for name, c in others.items() if name != provider}
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.known: Model | None = None
        self.model = ""
        """The name to send; "" while none is right."""
        self.prompt = request.prompt
        self.fixed_prompt = request.prompt
        self.resolution: str | None = None
        self.duration: int | None = None

    def check_mode(self) -> None:
        given = _given(self.request)
        for name in given:
            if name not in _PICTURES[self.mode]:
                self.problems.append(f"{name} cannot be combined with subject_image")
        if self.mode is Mode.FL2V and "first_frame_image" not in given:
            self.problems.append("last_frame_image needs first_frame_image beside it")
        if self.mode not in self.carries.modes:
            self.problems.append(
                f"{self.provider} makes no clip from {MODE_WORDS[self.mode]}"
                f"{able(self.others, mode=self.mode)}"
            )

    def choose_model(self) -> None:
        name = self.request.model.strip()
        if not name:
            size = (self.request.resolution or "").strip().upper()
            self.model = default_model(self.mode, size, self.carries)
            self.known = find_model(self.model) if self.model else None
            if not self.model and self.mode in self.carries.modes:
                self.problems.append(f"{self.provider} has no model for {MODE_WORDS[self.mode]}")
            return
        self.known = find_model(name)
        if self.known is None:
            self._judge_unknown(name)
            return
        self.model = self.known.name
        if not carried(self.model, self.carries):
            could = able(self.others, model=self.model, mode=self.mode)
            self.problems.append(f"{self.provider} does not offer {self.model}{could}")
        if self.mode not in self.known.modes:
            offered = " or ".join(MODE_WORDS[mode] for mode in self.known.modes)
            self.problems.append(
                f"{self.model} makes clips from {offered}, not from {MODE_WORDS[self.mode]}"
            )

    def _judge_unknown(self, name: str) -> None:
        if near := nearest_model(name):
            self.problems.append(f"there is no model {shown(name)}; did you mean {near}?")
        elif len(name) > _LONGEST_NAME or not name.isprintable():
            self.problems.append(f"{shown(name)} cannot be the name of a model")
        elif self.carries.models is not None:
            offered = " and ".join(sorted(self.carries.models))
            self.problems.append(f"{self.provider} offers {offered}, not {shown(name)}")
        else:
            self.model = name
            self.warnings.append(
                f"{name} is no model that hailuo-mcp knows: it is passed on unchecked and has no "
                "published price."
            )

    def check_size(self) -> None:
        request = self.request
        resolution = (request.resolution or "").strip().upper() or None
        duration = request.duration or None
        if self.known and self.mode in self.known.modes:
            self.resolution, self.duration, wrong = resolve_size(
                self.known, self.mode, resolution, duration
            )
            self.problems += wrong
            return
        self.resolution, self.duration = resolution, duration
        if resolution and not (resolution.isascii() and resolution.isalnum()):
            self.problems.append(f"{shown(resolution)} is no resolution")
        if duration is not None and not 0 < duration < _LONGEST_CLIP:
            self.problems.append("duration is no number of seconds that a clip can have")

    def check_prompt(self) -> None:
        rules = self.known.modes.get(self.mode) if self.known else None
        needed_by = ""
        if self.carries.prompt_required:
            needed_by = self.provider
        elif self.mode is Mode.T2V:
            needed_by = "text to video"
        read = check_prompt(
            self.request.prompt,
            needed_by=needed_by,
            model=self.model,
            camera=rules.camera if rules else None,
        )
        self.prompt, self.fixed_prompt = read.text, read.fixed
        self.problems += read.problems
        self.warnings += read.warnings

    def check_options(self) -> None:
        request, carries = self.request, self.carries
        if request.watermark and not carries.watermark:
            could = able(self.others, option="watermark")
            self.problems.append(f"{self.provider} cannot add a watermark{could}")
        if request.prompt_optimizer is False and not carries.prompt_optimizer:
            could = able(self.others, option="prompt_optimizer")
            self.problems.append(f"{self.provider} cannot switch prompt_optimizer off{could}")
        if not request.fast_pretreatment:
            return
        if not carries.fast_pretreatment:
            could = able(self.others, option="fast_pretreatment")
            self.problems.append(f"{self.provider} has no fast_pretreatment{could}")
        if request.prompt_optimizer is False:
            self.problems.append(
                "fast_pretreatment shortens the prompt optimizer's work and needs prompt_optimizer on"
            )
        rules = self.known.modes.get(self.mode) if self.known else None
        if rules and not rules.fast_pretreatment:
            self.problems.append(
                f"{self.model} from {MODE_WORDS[self.mode]} has no fast_pretreatment"
            )

    def check_pictures(self, images: Mapping[str, ImageFacts], before: Sequence[str]) -> None:
        self.problems += before
        for name, facts in images.items():
            self.problems += picture_problems(name, facts)
        first, last = images.get("first_frame_image"), images.get("last_frame_image")
        if first and last and first.width * last.height != last.width * first.height:
            self.warnings.append(
                f"The last frame ({last.width}×{last.height}) will be cropped to the shape of the "
                f"first ({first.width}×{first.height})."
            )

    def options(self) -> dict[str, bool | None]:
        """The options to send: what the dialect cannot say is left out where it changes nothing."""
        return {
            name: getattr(self.request, name) if getattr(self.carries, name) else None
            for name in _OPTIONS
        }

    def nearest_call(self) -> Call | None:
        modes = _reachable(self.request)
        if self.known is None and self.model:
            for mode in modes:
                if mode in self.carries.modes:
                    return Call(model=self.model, mode=mode)
        name = self.model or nearest_model(self.request.model.strip()) or ""
        request = self.request
        return nearest_call(name, modes, request.resolution, request.duration, self.carries)

    def nearest(self) -> Nearest | None:
        call = self.nearest_call()
        if call is None:
            return None
        pictures = _PICTURES[call.mode]
        needs = [name for name in pictures if not getattr(self.request, name)]
        if not self.fixed_prompt and (call.mode is Mode.T2V or self.carries.prompt_required):
            needs.append("prompt")
        options = self.options()
        model = find_model(call.model)
        fast = model.modes[call.mode].fast_pretreatment if model else True
        if not fast or options["prompt_optimizer"] is False:
            options["fast_pretreatment"] = None
        request = replace(
            self.request,
            model=call.model,
            resolution=call.resolution,
            duration=call.duration,
            prompt=self.fixed_prompt,
            first_frame_image=self._kept("first_frame_image", pictures),
            last_frame_image=self._kept("last_frame_image", pictures),
            subject_image=self._kept("subject_image", pictures),
            prompt_optimizer=options["prompt_optimizer"],
            fast_pretreatment=options["fast_pretreatment"],
            watermark=options["watermark"],
        )
        return Nearest(request=request, needs=tuple(needs))

    def _kept(self, name: str, pictures: Sequence[str]) -> str:
        return str(getattr(self.request, name)) if name in pictures else ""


_LONGEST_CLIP = 3600


def _examine(
    request: VideoRequest,
    carries: Carries,
    provider: str,
    others: Mapping[str, Carries],
    images: Mapping[str, ImageFacts],
    before: Sequence[str],
) -> _Check:
    check = _Check(request, carries, provider, others)
    check.check_mode()
    check.choose_model()
    check.check_size()
    check.check_prompt()
    check.check_options()
    check.check_pictures(images, before)
    return check


def nearest_video(request: VideoRequest, *, carries: Carries) -> Nearest | None:
    """The legal request nearest to this one with this provider; None where it sells no video."""
    return _examine(request, carries, "", {}, {}, ()).nearest()


def _nearest_words(asked: VideoRequest, near: Nearest, price_list: str, plan: str) -> str:
    got = near.request
    dropped = [
        name
        for name in (*_ALL_PICTURES, *_OPTIONS)
        if getattr(asked, name) and not getattr(got, name)
    ]
    if asked.prompt_optimizer is False and got.prompt_optimizer is None:
        dropped.append("prompt_optimizer=false")
    call = Call(
        model=got.model, mode=got.mode, resolution=got.resolution, duration=got.duration
    )
    price = list_price(call.model, call.resolution, call.duration, price_list=price_list, plan=plan)
    parts = [call.words]
    if dropped:
        parts.append(f"without {' and '.join(dropped)}")
    if near.needs:
        parts.append(f"with {' and '.join(f'a {name}' for name in near.needs)}")
    return f"Nearest that works: {', '.join(parts)}, {price_words(price)}."


def check_video(
    request: VideoRequest,
    *,
    images: Mapping[str, ImageFacts] | None = None,
    image_problems: Sequence[str] = (),
    carries: Carries,
    provider: str,
    price_list: str,
    plan: str,
    others: Mapping[str, Carries] | None = None,
) -> Checked:
    """Return the request as it will be sent; InvalidRequestError names every problem at once.

    `images` are the facts of the pictures that could be opened, by argument name; `image_problems`
    what went wrong with the others; `others` what other providers carry, to name those that could.
    """
    check = _examine(request, carries, provider, others or {}, images or {}, image_problems)
    if check.problems:
        near = check.nearest()
        words = _nearest_words(request, near, price_list, plan) if near else ""
        raise refusal(check.problems, words)
    options = check.options()
    return Checked(
        request=replace(
            request,
            prompt=check.prompt,
            model=check.model,
            resolution=check.resolution,
            duration=check.duration,
            prompt_optimizer=options["prompt_optimizer"],
            fast_pretreatment=options["fast_pretreatment"],
            watermark=options["watermark"],
        ),
        warnings=tuple(dict.fromkeys(check.warnings)),
    )

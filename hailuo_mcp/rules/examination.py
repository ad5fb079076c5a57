"""One video request under examination: everything that is wrong with it, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hailuo_mcp.catalog.video_models import (
    Model,
    ModeRules,
    default_model,
    find_model,
    nearest_model,
    offered_by,
)
from hailuo_mcp.domain import IMAGE_FIELDS, Capabilities, ImageFacts, Mode, VideoRequest
from hailuo_mcp.rules.combinations import MODE_WORDS, resolve_size, size_name
from hailuo_mcp.rules.images import image_problems as picture_problems
from hailuo_mcp.rules.others import able
from hailuo_mcp.rules.prompt import check_prompt
from hailuo_mcp.text import shown

PICTURES = {
    Mode.S2V: ("subject_image",),
    Mode.FL2V: ("first_frame_image", "last_frame_image"),
    Mode.I2V: ("first_frame_image",),
    Mode.T2V: (),
}
OPTIONS = ("prompt_optimizer", "fast_pretreatment", "watermark")
# Of what no list confirms: wide enough for anything that is meant seriously.
_LONGEST_NAME, _LONGEST_SIZE, _LONGEST_CLIP = 100, 8, 3600


def given_pictures(request: VideoRequest) -> list[str]:
    return [name for name in IMAGE_FIELDS if getattr(request, name)]


def reachable_modes(request: VideoRequest) -> list[Mode]:
    """List the modes that the given pictures suffice for, the asked one first."""
    given = set(given_pictures(request))
    modes = [request.mode]
    modes += [mode for mode, needed in PICTURES.items() if given.issuperset(needed)]
    return list(dict.fromkeys(modes))


class Examination:
    """One request under examination: collects problems and warnings as it goes."""

    def __init__(
        self,
        request: VideoRequest,
        capabilities: Capabilities,
        provider: str,
        others: Mapping[str, Capabilities],
    ) -> None:
        self.request = request
        self.mode = request.mode
        self.capabilities = capabilities
        self.provider = provider
        self.others = {name: c for name, c in others.items() if name != provider}
        self.problems: list[str] = []
        """With the call: another one may do."""
        self.flaws: list[str] = []
        """Of the prompt and the pictures, which no other call would take either."""
        self.warnings: list[str] = []
        self.advice = ""
        """What to do in place of the nearest that works; empty for that one."""
        self.known: Model | None = None
        self.meant: Model | None = None
        """The known model, or the one that a misspelt name comes nearest to."""
        self.model = ""
        """The name to send; "" while none is right."""
        self.prompt = request.prompt
        self.resolution: str | None = None
        self.duration: int | None = None

    @property
    def rules(self) -> ModeRules | None:
        """The rules of model and mode; None where one of them is not known or not right."""
        return self.known.modes.get(self.mode) if self.known else None

    def check_mode(self) -> None:
        given = given_pictures(self.request)
        for name in given:
            if name not in PICTURES[self.mode]:
                self.problems.append(f"{name} cannot be combined with subject_image")
        if self.mode is Mode.FL2V and "first_frame_image" not in given:
            self.problems.append("last_frame_image needs first_frame_image beside it")
        if self.mode not in self.capabilities.modes:
            self.problems.append(
                f"{self.provider} makes no clip from {MODE_WORDS[self.mode]}"
                f"{able(self.others, mode=self.mode)}"
            )
            self.advice = self.capabilities.caveat
        elif self.capabilities.caveat:
            self.warnings.append(self.capabilities.caveat)

    def choose_model(self) -> None:
        name = self.request.model.strip()
        if not name:
            size = size_name(self.request.resolution)
            self.model = default_model(self.mode, size, self.capabilities)
            self.known = find_model(self.model) if self.model else None
            if not self.model and self.mode in self.capabilities.modes:
                self.problems.append(f"{self.provider} has no model for {MODE_WORDS[self.mode]}")
            return
        self.known = self.meant = find_model(name)
        if self.known is None:
            self._judge_unknown(name)
            return
        self.model = self.known.name
        if not offered_by(self.model, self.capabilities):
            could = able(self.others, model=self.model, mode=self.mode)
            self.problems.append(f"{self.provider} does not offer {self.model}{could}")
        if self.mode not in self.known.modes:
            offered = " or ".join(MODE_WORDS[mode] for mode in self.known.modes)
            wrong = f"{self.model} makes clips from {offered}, not from {MODE_WORDS[self.mode]}"
            missing = [
                name
                for name in PICTURES[next(iter(self.known.modes))]
                if name not in given_pictures(self.request)
            ]
            self.problems.append(wrong + (f" (give {' and '.join(missing)})" if missing else ""))

    def _judge_unknown(self, name: str) -> None:
        if near := nearest_model(name):
            self.meant = find_model(near)
            self.problems.append(f"there is no model {shown(name)} (the nearest is {near})")
        elif len(name) > _LONGEST_NAME or not name.isprintable():
            self.problems.append(f"{shown(name)} cannot be the name of a model")
        elif self.capabilities.models is not None:
            offered = " and ".join(sorted(self.capabilities.models))
            self.problems.append(f"{self.provider} offers {offered}, not {shown(name)}")
        else:
            self.model = name
            self.warnings.append(
                f"{name} is no model that hailuo-mcp knows: it is passed on unchecked and has no "
                "published price."
            )

    def check_size(self) -> None:
        request = self.request
        resolution = size_name(request.resolution) or None
        duration = request.duration or None
        if self.known and self.mode in self.known.modes:
            self.resolution, self.duration, wrong = resolve_size(
                self.known, self.mode, resolution, duration
            )
            self.problems += wrong
            return
        if self.meant and (resolution or duration):
            modes = self.meant.modes
            mode = self.mode if self.mode in modes else next(iter(modes))
            self.problems += resolve_size(self.meant, mode, resolution, duration)[2]
            return
        if resolution and not (
            resolution.isascii() and resolution.isalnum() and len(resolution) <= _LONGEST_SIZE
        ):
            self.problems.append(f"{shown(resolution)} is no resolution")
        else:
            self.resolution = resolution
        if duration is not None and not 0 < duration <= _LONGEST_CLIP:
            self.problems.append("duration is no number of seconds that a clip can have")
        else:
            self.duration = duration

    def check_prompt(self) -> None:
        needed_by = ""
        if self.capabilities.prompt_required:
            needed_by = self.provider
        elif self.mode is Mode.T2V:
            needed_by = "text to video"
        read = check_prompt(
            self.request.prompt,
            needed_by=needed_by,
            model=self.model,
            camera=self.rules.camera if self.rules else None,
        )
        self.prompt = read.text
        self.flaws += read.problems
        self.warnings += read.warnings

    def check_options(self) -> None:
        request, capabilities = self.request, self.capabilities
        if request.watermark and "watermark" not in capabilities.options:
            could = able(self.others, option="watermark")
            self.problems.append(f"{self.provider} cannot add a watermark{could}")
        if request.prompt_optimizer is False and "prompt_optimizer" not in capabilities.options:
            could = able(self.others, option="prompt_optimizer")
            self.problems.append(f"{self.provider} cannot switch prompt_optimizer off{could}")
            self.advice = capabilities.caveat
        if not request.fast_pretreatment:
            return
        if "fast_pretreatment" not in capabilities.options:
            could = able(self.others, option="fast_pretreatment")
            self.problems.append(f"{self.provider} has no fast_pretreatment{could}")
        if request.prompt_optimizer is False:
            self.problems.append(
                "fast_pretreatment only hastens the prompt optimizer, and prompt_optimizer is off"
            )
        if self.rules and not self.rules.fast_pretreatment:
            self.problems.append(
                f"{self.model} from {MODE_WORDS[self.mode]} has no fast_pretreatment"
            )

    def check_pictures(self, images: Mapping[str, ImageFacts], before: Sequence[str]) -> None:
        self.flaws += before
        for name, facts in images.items():
            self.flaws += picture_problems(name, facts)
        first, last = images.get("first_frame_image"), images.get("last_frame_image")
        if first and last and first.width * last.height != last.width * first.height:
            self.warnings.append(
                f"The last frame ({last.width}×{last.height}) will be cropped to the shape of the "
                f"first ({first.width}×{first.height})."
            )

    def options(self) -> dict[str, bool | None]:
        """Choose the options to send: what the dialect cannot say and nobody needs is left out."""
        return {
            name: getattr(self.request, name) if name in self.capabilities.options else None
            for name in OPTIONS
        }


def examine(
    request: VideoRequest,
    capabilities: Capabilities,
    provider: str = "",
    others: Mapping[str, Capabilities] | None = None,
) -> Examination:
    """Judge everything but the pictures."""
    seen = Examination(request, capabilities, provider, others or {})
    seen.check_mode()
    seen.choose_model()
    seen.check_size()
    seen.check_prompt()
    seen.check_options()
    return seen

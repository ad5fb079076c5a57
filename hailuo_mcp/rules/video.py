"""A video request: returned as it will be sent, or refused for all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hailuo_mcp.domain import Capabilities, ImageFacts, VideoRequest
from hailuo_mcp.rules.examination import examine
from hailuo_mcp.rules.nearest import nearest_of, nearest_words
from hailuo_mcp.text import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that may be bought."""

    request: VideoRequest
    """Model in its own spelling, defaults resolved, camera commands as documented."""
    warnings: tuple[str, ...] = ()


def check_video(
    request: VideoRequest,
    *,
    images: Mapping[str, ImageFacts] | None = None,
    image_problems: Sequence[str] = (),
    capabilities: Capabilities,
    provider: str,
    price_list: str,
    plan: str,
    others: Mapping[str, Capabilities] | None = None,
) -> Checked:
    """Return the request as it will be sent; InvalidRequestError names every problem at once.

    `images` are the facts of the pictures that could be opened, by argument name; `image_problems`
    what went wrong with the others; `others` what other providers carry, to name those that could.
    """
    seen = examine(request, capabilities, provider, others)
    seen.check_pictures(images or {}, image_problems)
    if seen.problems or seen.flaws:
        near = nearest_of(seen) if seen.problems and not seen.advice else None
        nearest = nearest_words(request, near, price_list, plan) if near else ""
        raise refusal([*seen.problems, *seen.flaws], seen.advice or nearest)
    options = seen.options()
    return Checked(
        request=replace(
            request,
            prompt=seen.prompt,
            model=seen.model,
            resolution=seen.resolution,
            duration=seen.duration,
            prompt_optimizer=options["prompt_optimizer"],
            fast_pretreatment=options["fast_pretreatment"],
            watermark=options["watermark"],
        ),
        warnings=tuple(dict.fromkeys(seen.warnings)),
    )

"""The picture rules, with the numbers that were found and the ones that are needed."""

from __future__ import annotations

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import ImageFacts

_MEGA = 1_000_000


def image_problems(name: str, facts: ImageFacts) -> list[str]:
    """Say what is wrong with a picture; `name` is the argument that it came in."""
    rules = limits()
    problems: list[str] = []
    if facts.mime not in rules.image_mimes:
        problems.append(f"{name} is {facts.mime}, and JPEG, PNG or WebP is needed")
    if facts.size >= rules.image_bytes:
        problems.append(
            f"{name} has {facts.size / _MEGA:.2f} MB, and less than "
            f"{rules.image_bytes // _MEGA} MB is needed"
        )
    if min(facts.width, facts.height) <= rules.image_short_side:
        problems.append(
            f"{name} is {facts.width}×{facts.height}, and its short side must be over "
            f"{rules.image_short_side} px"
        )
    low, high = rules.image_aspect_low, rules.image_aspect_high
    if not (
        facts.width * low[1] >= facts.height * low[0]
        and facts.width * high[1] <= facts.height * high[0]
    ):
        problems.append(
            f"{name} is {facts.width}×{facts.height}, and its shape must lie between "
            f"{low[0]}:{low[1]} and {high[0]}:{high[1]}"
        )
    return problems

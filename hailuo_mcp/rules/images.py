"""The picture rules; each message has the actual and the required numbers."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import ImageFacts
from hailuo_mcp.errors import InvalidRequestError

_MEGA = 1_000_000
_NAMES = {
    "first_frame_image": "the first frame",
    "last_frame_image": "the last frame",
    "subject_image": "the subject picture",
}


def picture_name(argument: str) -> str:
    """Name a picture for every reader: media_inputs[0] is picture 1."""
    if argument in _NAMES:
        return _NAMES[argument]
    return f"picture {int(argument.removeprefix('media_inputs[').removesuffix(']')) + 1}"


def picture_problems(
    pictures: Mapping[str, ImageFacts], unread: Mapping[str, InvalidRequestError]
) -> list[str]:
    """Say what is wrong with the pictures, by argument; `unread` could not be opened."""
    problems = [f"{picture_name(it)}: {_as_clause(why.what)}" for it, why in unread.items()]
    for argument, facts in pictures.items():
        problems += image_problems(picture_name(argument), facts)
    return problems


def _as_clause(sentence: str) -> str:
    start = sentence[:1] if sentence[1:2].isupper() else sentence[:1].lower()  # HEIC stays HEIC
    return f"{start}{sentence[1:].removesuffix('.')}"


def image_problems(name: str, facts: ImageFacts) -> list[str]:
    """Say what is wrong with one picture."""
    rules = limits()
    problems: list[str] = []
    if facts.mime not in rules.image_mimes:
        problems.append(f"{name} is {facts.mime}; it must be {rules.image_formats}")
    if facts.size >= rules.image_bytes:
        problems.append(
            f"{name} has {facts.size / _MEGA:.2f} MB; it must have less than "
            f"{rules.image_bytes // _MEGA} MB"
        )
    shape = f"{name} is {facts.width}×{facts.height} px"
    if min(facts.width, facts.height) <= rules.image_short_side:
        problems.append(f"{shape}; its short side must be over {rules.image_short_side} px")
    low, high = rules.image_aspect_low, rules.image_aspect_high
    if not (
        facts.width * low[1] >= facts.height * low[0]
        and facts.width * high[1] <= facts.height * high[0]
    ):
        problems.append(
            f"{shape}; its aspect ratio must be between {low[0]}:{low[1]} and {high[0]}:{high[1]}"
        )
    return problems

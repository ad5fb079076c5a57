"""The picture rules; each message has the actual and the required numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import IMAGE_FITS, ImageFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import shown

FIT_BY_HAND = Step(Do.TRY, "crop the picture, or add bars to it")
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


def fit_name(asked: str) -> str:
    """Spell it as IMAGE_FITS does; "" if it is none of them."""
    name = asked.strip().lower()
    return name if name in IMAGE_FITS else ""


def fit_problems(asked: str) -> list[str]:
    """Say what is wrong with an image_fit."""
    if not asked.strip() or fit_name(asked):
        return []
    return [f"pictures can be fitted by {' or '.join(IMAGE_FITS)}, not by {shown(asked)}"]


def shape_steps(pictures: Mapping[str, ImageFacts], *, can_fit: bool) -> list[Step]:
    """What to do about pictures of a forbidden shape; `can_fit`: the request may say how."""
    if all(limits().allows_shape(facts.width, facts.height) for facts in pictures.values()):
        return []
    return [Step(Do.FIT_IMAGE) if can_fit else FIT_BY_HAND]


def changes_words(argument: str, changes: Sequence[str]) -> str:
    """Say what was done to a picture, as a sentence for every reader."""
    name, (*first, last) = picture_name(argument), changes
    done = f"{', '.join(first)} and {last}" if first else last
    return f"{name[0].upper()}{name[1:]} was {done}."


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
        problems.append(
            f"{shape}; its short side must be over {rules.image_short_side} px, and it is enlarged "
            "twice at most"
        )
    if not rules.allows_shape(facts.width, facts.height):
        low, high = rules.image_aspect_low, rules.image_aspect_high
        problems.append(
            f"{shape}; its aspect ratio must be between {low[0]}:{low[1]} and {high[0]}:{high[1]}"
        )
    return problems

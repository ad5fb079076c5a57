"""The picture rules; each message has the actual and the required numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import IMAGE_FITS, ImageFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.rules.picture_sizes import LARGEST_ENLARGEMENT, fitting_sizes
from hailuo_mcp.text import shown

_FIT_STEPS = {"crop": Step(Do.CROP_IMAGE), "pad": Step(Do.PAD_IMAGE)}
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
    pictures: Mapping[str, ImageFacts],
    unread: Mapping[str, InvalidRequestError],
    *,
    sized: bool = True,
) -> list[str]:
    """Say what is wrong with the pictures, by argument; `unread` could not be opened.

    `sized`: they have the size in which they would be sent.
    """
    problems = [f"{picture_name(it)}: {_as_clause(why.what)}" for it, why in unread.items()]
    for argument, facts in pictures.items():
        name = picture_name(argument)
        problems += image_problems(name, facts)
        if sized:
            problems += size_problems(name, facts)
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


def size_steps(pictures: Mapping[str, ImageFacts]) -> list[Step]:
    """What to do about pictures that are too small or of a forbidden shape: only what can work."""
    sizes = [(facts.width, facts.height) for facts in pictures.values()]
    works = [fit for fit in ("", *IMAGE_FITS) if all(_fits(size, fit) for size in sizes)]
    if "" in works:
        return []
    return [_FIT_STEPS[fit] for fit in works] or [Step(Do.TRY, "give a larger picture")]


def _fits(size: tuple[int, int], fit: str) -> bool:
    """Whether a picture of this size can be sent, fitted so."""
    final = fitting_sizes(size, limits(), fit, shrink=False).final
    return limits().allows_shape(*final) and min(final) > limits().image_short_side


def by_hand(steps: Iterable[Step]) -> list[Step]:
    """The same steps for a request that cannot say how pictures are fitted."""
    steps = list(steps)
    how = "crop the picture, or add bars to it"
    if _FIT_STEPS["crop"] not in steps:
        how = "add bars to the picture"
    done = [Step(Do.TRY, how) if step == _FIT_STEPS["pad"] else step for step in steps]
    return [step for step in done if step != _FIT_STEPS["crop"]]  # where it works, so do bars


def changes_words(argument: str, changes: Sequence[str]) -> str:
    """Say what was done to a picture, as a sentence for every reader."""
    name, (*first, last) = picture_name(argument), changes
    done = f"{', '.join(first)} and {last}" if first else last
    return f"{name[0].upper()}{name[1:]} was {done}."


def _as_clause(sentence: str) -> str:
    start = sentence[:1] if sentence[1:2].isupper() else sentence[:1].lower()  # HEIC stays HEIC
    return f"{start}{sentence[1:].removesuffix('.')}"


def image_problems(name: str, facts: ImageFacts) -> list[str]:
    """Say what is wrong with one picture, whatever its size in pixels."""
    rules = limits()
    problems: list[str] = []
    if facts.mime not in rules.image_mimes:
        problems.append(f"{name} is {facts.mime}; it must be {rules.image_formats}")
    if facts.size >= rules.image_bytes:
        problems.append(
            f"{name} has {facts.size / _MEGA:.2f} MB; it must have less than "
            f"{rules.image_bytes // _MEGA} MB"
        )
    return problems


def size_problems(name: str, facts: ImageFacts) -> list[str]:
    """Say what is wrong with one picture's size in pixels."""
    rules, needs = limits(), list[str]()
    if min(facts.width, facts.height) <= rules.image_short_side:
        enlarged = rules.image_short_side // LARGEST_ENLARGEMENT + 1
        needs.append(
            f"its short side must be over {rules.image_short_side} px (from {enlarged} px on it is "
            "enlarged)"
        )
    if not rules.allows_shape(facts.width, facts.height):
        low, high = rules.image_aspect_low, rules.image_aspect_high
        needs.append(f"its aspect ratio must be between {low[0]}:{low[1]} and {high[0]}:{high[1]}")
    if not needs:
        return []
    return [f"{name} is {facts.width}×{facts.height} px; {' and '.join(needs)}"]

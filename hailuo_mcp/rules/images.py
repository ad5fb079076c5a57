"""The picture rules; each message has the actual and the required numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hailuo_mcp.catalog.video_models import Limits, limits
from hailuo_mcp.domain.requests import IMAGE_FITS, ClipFacts, ImageFacts
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
_NUMBERED = {
    "media_inputs": "picture",
    "reference_images": "reference picture",
    "reference_videos": "reference clip",
    "reference_audios": "reference sound",
}
_ITEM = re.compile(r"(\w+)\[([0-9]+)\]")


def picture_name(argument: str) -> str:
    """Name a picture, clip or sound for every reader: media_inputs[0] is picture 1."""
    if item := _ITEM.fullmatch(argument):
        return f"{_NUMBERED[item[1]]} {int(item[2]) + 1}"
    return _NAMES[argument]


def picture_problems(
    pictures: Mapping[str, ImageFacts],
    unread: Mapping[str, InvalidRequestError],
    *,
    sized: bool = True,
    rules: Limits | None = None,
) -> list[str]:
    """Say what is wrong with the pictures, by argument; `unread` could not be opened.

    `sized`: they have the size in which they would be sent. `rules`: those of the model's API; of
    the v1 API if none are given.
    """
    problems = [f"{picture_name(it)}: {_as_clause(why.what)}" for it, why in unread.items()]
    for argument, facts in pictures.items():
        name = picture_name(argument)
        problems += image_problems(name, facts, rules)
        if sized:
            problems += size_problems(name, facts, rules)
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


def size_steps(pictures: Mapping[str, ImageFacts], rules: Limits | None = None) -> list[Step]:
    """What to do about pictures of a forbidden size or shape: only what can work."""
    rules = rules or limits()
    sizes = [(facts.width, facts.height) for facts in pictures.values()]
    works = [fit for fit in ("", *IMAGE_FITS) if all(_fits(size, fit, rules) for size in sizes)]
    if "" in works:
        return []
    other = "larger" if all(_largest(size, rules) for size in sizes) else "smaller"
    return [_FIT_STEPS[fit] for fit in works] or [Step(Do.TRY, f"give a {other} picture")]


def _fits(size: tuple[int, int], fit: str, rules: Limits) -> bool:
    """Whether a picture of this size can be sent, fitted so."""
    final = fitting_sizes(size, rules, fit, shrink=False).final
    small = min(final) <= rules.image_short_side
    return rules.allows_shape(*final) and not small and _largest(final, rules)


def _largest(size: tuple[int, int], rules: Limits) -> bool:
    """Whether no side is too long."""
    return rules.image_long_side is None or max(size) <= rules.image_long_side


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


def image_problems(name: str, facts: ImageFacts, rules: Limits | None = None) -> list[str]:
    """Say what is wrong with one picture, whatever its size in pixels."""
    rules = rules or limits()
    problems: list[str] = []
    if facts.mime not in rules.image_mimes:
        problems.append(f"{name} is {facts.mime}; it must be {rules.image_formats}")
    if facts.size >= rules.image_bytes:
        most, over = divmod(rules.image_bytes, _MEGA)
        allowed = f"{'at most' if over else 'less than'} {most} MB"
        problems.append(f"{name} has {facts.size / _MEGA:.2f} MB; it must have {allowed}")
    return problems


def size_problems(
    name: str, facts: ImageFacts | ClipFacts, rules: Limits | None = None
) -> list[str]:
    """Say what is wrong with the size in pixels of one picture or clip."""
    rules, needs = rules or limits(), list[str]()
    short, long = rules.image_short_side, rules.image_long_side
    small = min(facts.width, facts.height) <= short
    enlarged = f"from {short // LARGEST_ENLARGEMENT + 1} px on it is enlarged"
    if small and long is None:
        needs.append(f"its short side must be over {short} px ({enlarged})")
    elif small or not _largest((facts.width, facts.height), rules):
        also = f" ({enlarged})" if small and isinstance(facts, ImageFacts) else ""
        needs.append(f"its sides must be {short + 1} to {long} px{also}")
    if not rules.allows_shape(facts.width, facts.height):
        low, high = rules.image_aspect_low, rules.image_aspect_high
        needs.append(f"its aspect ratio must be between {low[0]}:{low[1]} and {high[0]}:{high[1]}")
    if not needs:
        return []
    return [f"{name} is {facts.width}×{facts.height} px; {' and '.join(needs)}"]

"""Which size a picture is sent in: a few rules of arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from hailuo_mcp.catalog.video_models import Limits

Size = tuple[int, int]
"""Width and height in pixels."""

LONGEST_SIDE = 4096
"""Of a picture that is encoded again; the largest clips have half of that."""
LARGEST_ENLARGEMENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """A picture's size after each step; all are upright."""

    seen: Size
    """As a viewer shows it."""
    cropped: Size
    scaled: Size
    final: Size
    """With its bars."""


def fitting_sizes(seen: Size, rules: Limits, fit: str, *, shrink: bool) -> Sizes:
    """Sizes within the limits; the picture's own where that needs a decision or too much enlarging.

    `shrink`: it is encoded again in any case, so it need not be larger than LONGEST_SIDE.
    """
    cropped = _crop(seen, rules) if fit == "crop" else seen
    framed = _pad(cropped, rules) if fit == "pad" else cropped
    sizes = Sizes(seen=seen, cropped=cropped, scaled=cropped, final=framed)
    if not rules.allows_shape(*framed):
        return sizes
    least, short, long = rules.image_short_side + 1, min(framed), max(framed)
    if short * LARGEST_ENLARGEMENT < least:
        # So that the reader is told of the picture that was given, and of what helps it.
        return Sizes(seen=seen, cropped=seen, scaled=seen, final=seen)
    if short < least:
        part = (least, short)
    elif long > LONGEST_SIDE and (shrink or framed != seen or _too_long(long, rules)):
        part = (LONGEST_SIDE, long)
    else:
        return sizes
    scaled = times(cropped, *part)
    if framed == cropped:
        # Rounding must not take what lies at the very edge across it.
        scaled = _crop(scaled, rules)
        return Sizes(seen=seen, cropped=cropped, scaled=scaled, final=scaled)
    final = _pad(scaled, rules, least=min(least, LARGEST_ENLARGEMENT * short))
    return Sizes(seen=seen, cropped=cropped, scaled=scaled, final=final)


def _too_long(side: int, rules: Limits) -> bool:
    return rules.image_long_side is not None and side > rules.image_long_side


def times(size: Size, numerator: int, divisor: int) -> Size:
    width, height = (max(1, (2 * side * numerator + divisor) // (2 * divisor)) for side in size)
    return width, height


def _crop(size: Size, rules: Limits) -> Size:
    """The largest part of it that has an allowed shape."""
    (width, height), low, high = size, rules.image_aspect_low, rules.image_aspect_high
    return (
        max(1, min(width, height * high[0] // high[1])),
        max(1, min(height, width * low[1] // low[0])),
    )


def _pad(size: Size, rules: Limits, *, least: int = 1) -> Size:
    """The smallest allowed shape around it, with no side below `least`."""
    (width, height), low, high = size, rules.image_aspect_low, rules.image_aspect_high
    return (
        max(width, least, -(-height * low[0] // low[1])),
        max(height, least, -(-width * high[1] // high[0])),
    )

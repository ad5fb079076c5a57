"""Input pictures: opened, and made fit for a provider where that needs no decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_models import Limits, limits
from hailuo_mcp.media.picture_drawing import DEEP, FOREIGN, SIDEWAYS, drawn, encoded, shows_through
from hailuo_mcp.media.picture_formats import (
    JPEG,
    PictureFormat,
    check_header,
    check_size,
    check_structure,
    damaged,
    flaws,
    format_of,
    is_lossless,
    open_picture,
    refused,
)
from hailuo_mcp.rules.picture_sizes import Size, Sizes, fitting_sizes, times

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 50_000_000
"""More is scaled down. No provider names a limit; usual cameras stay below this one."""
_ORIENTATION = 0x0112
_SEE_THROUGH = "it was transparent in places"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPicture:
    """A picture as it is sent. Its shape may still be out of the limits: then the judge refuses."""

    data: bytes
    mime: str
    width: int
    height: int
    changes: tuple[str, ...] = ()
    """What was done: clauses that follow "it was", such as "scaled from 900×600 to 450×300 px"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What has to be done to a picture."""

    sizes: Sizes
    turn: int
    """Its EXIF orientation; 1 is upright."""
    reasons: tuple[str, ...]
    """Why it cannot be sent as it is, apart from its size: clauses about "it"."""
    limit: str
    """The limit that it exceeds, as the end of a clause."""

    @property
    def is_empty(self) -> bool:
        reshaped = self.sizes.final != self.sizes.seen or self.sizes.scaled != self.sizes.seen
        return not (self.reasons or self.limit or reshaped) and self.turn == 1


def fit_picture(
    name: str, data: bytes, *, fit: str = "", rules: Limits | None = None
) -> FitPicture:
    """Return a picture that a provider takes; the very bytes that came, if they are fine.

    `fit` is one of IMAGE_FITS, or empty: then a picture of a forbidden shape keeps it. One that is
    too small by more than LARGEST_ENLARGEMENT stays too small. `rules` are those of the request's
    model, None for one of the first API.

    Raises:
        InvalidRequestError: it is none, is damaged, has several frames, or takes too much to
            decode. `name` begins the sentence.
    """
    kind = format_of(name, data)
    check_structure(name, kind, data)
    try:
        return _fitted(name, data, kind, fit, rules or limits())
    except flaws() as flaw:
        if type(flaw).__name__ == "DecompressionBombError":
            check_size(name, kind, (kind.most_pixels + 1, 1))
        raise damaged(name) from None


def _fitted(name: str, data: bytes, kind: PictureFormat, fit: str, rules: Limits) -> FitPicture:
    with open_picture(data, kind) as picture:
        check_header(name, kind, picture)
        picture.verify()
    with open_picture(data, kind) as picture:
        turn = _orientation(picture, kind)
        # Only pixels tell whether there is anything to see through; a JPEG has no such thing.
        if kind is not JPEG:
            picture.load()
            check_size(name, kind, picture.size)  # the header of a HEIC may be wrong
        plan = _plan(name, data, kind, picture, turn, fit, rules)
        if kind is JPEG:
            width, height = picture.size
            # At an eighth of its size it is still read to its end, with less memory.
            picture.draft(None, (width // 8, height // 8) if plan.is_empty else _needed(plan))
            picture.load()
        if plan.is_empty:
            width, height = plan.sizes.seen
            return FitPicture(data=data, mime=kind.mime, width=width, height=height)
        image = drawn(picture, plan.sizes, plan.turn)
    most = rules.image_bytes - 1
    sent, mime = encoded(image, lossless=is_lossless(kind, data), most=most)
    width, height = image.size
    changes = tuple(_changes(plan, "PNG" if mime == "image/png" else "JPEG"))
    return FitPicture(data=sent, mime=mime, width=width, height=height, changes=changes)


def _plan(
    name: str, data: bytes, kind: PictureFormat, picture: Image, turn: int, fit: str, rules: Limits
) -> _Plan:
    mode, size = picture.mode, picture.size
    reasons = list[str]()
    if not kind.mime:
        reasons.append(f"it was {kind.words}")
    elif mode in ("P", "PA"):
        reasons.append("it had a palette")
    elif mode == "1":
        reasons.append("it had one bit a pixel")
    if mode == "F" or (mode == "I" and _brightest(picture) > 0xFFFF):  # noqa: PLR2004
        raise refused(
            f"{name} has 32 bits a channel, without a fixed white",
            "save it with 8 or 16 bits a channel",
        )
    if mode in DEEP or (kind.name == "PNG" and data[24] > 8):  # noqa: PLR2004  # bits a channel
        reasons.append("it had 16 bits a channel")
    elif mode in FOREIGN:
        reasons.append(f"its colours were {mode}")
    if shows_through(picture):
        reasons.append(_SEE_THROUGH)
    limit = _limit(data, size, rules)
    seen = (size[1], size[0]) if turn in SIDEWAYS else size
    shrink = bool(reasons or limit) or turn != 1
    sizes = fitting_sizes(seen, rules, fit, shrink=shrink)
    return _Plan(sizes=sizes, turn=turn, reasons=tuple(reasons), limit=limit)


def _limit(data: bytes, size: Size, rules: Limits) -> str:
    """The limit that it exceeds, as the end of a clause."""
    if len(data) >= rules.image_bytes:
        return f"to stay below {rules.image_bytes // 10**6} MB"
    if size[0] * size[1] > MOST_PIXELS:
        return f"because it had more than {MOST_PIXELS // 10**6} million pixels"
    if rules.image_long_side and max(size) > rules.image_long_side:
        return f"because its long side was over {rules.image_long_side} px"
    return ""


def _needed(plan: _Plan) -> Size:
    """How large a JPEG has to be decoded, as it lies in the file."""
    sizes = plan.sizes
    wanted = times(sizes.seen, max(sizes.scaled), max(sizes.cropped))
    return (wanted[1], wanted[0]) if plan.turn in SIDEWAYS else wanted


def _orientation(picture: Image, kind: PictureFormat) -> int:
    """As its EXIF says; viewers show a picture with broken EXIF as it is."""
    if kind.upright:
        return 1
    try:
        turn = picture.getexif().get(_ORIENTATION, 1)
    except flaws():
        return 1
    return turn if turn in range(1, 9) else 1


def _brightest(picture: Image) -> float:
    found = picture.getextrema()[1]
    return found if isinstance(found, int | float) else 0


def _changes(plan: _Plan, encoded_as: str) -> Iterator[str]:
    sizes, encoded = plan.sizes, f"re-encoded as {encoded_as}"
    if plan.turn != 1:
        yield "turned upright by its EXIF orientation"
    if sizes.cropped != sizes.seen:
        yield f"cropped from {_px(sizes.seen)} to {_px(sizes.cropped)} px"
    if _SEE_THROUGH in plan.reasons:
        yield "laid on white"
    if max(sizes.scaled) > max(sizes.cropped):
        yield f"enlarged from {_px(sizes.cropped)} to {_px(sizes.scaled)} px"
    elif sizes.scaled != sizes.cropped:
        yield f"scaled from {_px(sizes.cropped)} to {_px(sizes.scaled)} px {plan.limit}".strip()
    elif plan.limit:
        encoded += f" {plan.limit}"
    if sizes.final != sizes.scaled:
        yield f"padded with white bars to {_px(sizes.final)} px"
    yield ": ".join(part for part in (encoded, " and ".join(plan.reasons)) if part)


def _px(size: Size) -> str:
    return f"{size[0]}×{size[1]}"

"""Draws a picture as it is sent: upright, opaque, in 8-bit RGB or grey, as JPEG or PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from hailuo_mcp.media.picture_formats import flaws
from hailuo_mcp.rules.picture_sizes import Sizes

if TYPE_CHECKING:
    from PIL.Image import Image

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""
DEEP = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
"""Grey of 16 bits."""
FOREIGN = frozenset({"CMYK"})
"""Colours that a profile has to translate before anything else is done."""
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""What turns a picture upright, by its EXIF orientation."""
_GREY = frozenset({"1", "L", "LA", *DEEP})
_OPAQUE, _WHITE = 255, 255
_BEST, _GOOD = 95, 85
"""Qualities of a JPEG. At the second, pure noise of LONGEST_SIDE in both directions has 13 MB."""
_PNG_PIXELS = 4_000_000
"""A larger photo takes seconds to write as PNG."""
_FEW_COLOURS = 256
_BAND_PIXELS = 4_000_000
"""What is converted at a time: a large picture is not in memory twice."""
_LARGEST_PROFILE = 4_000_000
"""Bytes; profiles of printers have two or three million."""


def shows_through(picture: Image) -> bool:
    if picture.mode in DEEP or not picture.has_transparency_data:
        return False
    whole = (0, 0, *picture.size)
    return any(_alpha(part).getextrema()[0] != _OPAQUE for _, part in _bands(picture, whole))


def _alpha(part: Image) -> Image:
    return (part if part.mode in ("RGBA", "LA") else part.convert("RGBA")).getchannel("A")


def _bands(
    picture: Image, box: tuple[int, int, int, int], step: int = 1
) -> Iterator[tuple[int, Image]]:
    """Yield the box in strips, each with its distance from the top, which is a multiple of `step`.

    The last is lower.
    """
    left, top, right, bottom = box
    rows = max(1, _BAND_PIXELS // max(1, right - left) // step) * step
    for at in range(top, bottom, rows):
        yield at - top, picture.crop((left, at, right, min(bottom, at + rows)))


def drawn(picture: Image, sizes: Sizes, turn: int) -> Image:
    """Make the picture that is sent: upright, opaque, in 8-bit RGB or grey."""
    from PIL import Image

    sideways = turn in SIDEWAYS
    # It may have been decoded smaller than it is in the file.
    width, height = picture.size
    seen = sizes.seen[::-1] if sideways else sizes.seen
    cropped = sizes.cropped[::-1] if sideways else sizes.cropped
    wide = max(1, width * cropped[0] // seen[0])
    high = max(1, height * cropped[1] // seen[1])
    left, top = (width - wide) // 2, (height - high) // 2
    step = max(1, min(max(wide, high) // max(sizes.scaled), wide, high))
    to_srgb = _colours(picture)
    mode = "L" if picture.mode in _GREY else "RGB"
    image = Image.new(mode, (-(-wide // step), -(-high // step)))
    for at, part in _bands(picture, (left, top, left + wide, top + high), step):
        plain = _plain(part, to_srgb)
        image.paste(plain.reduce(step) if step > 1 else plain, (0, at // step))
    if turn in _TURNS:
        image = image.transpose(Image.Transpose[_TURNS[turn]])
    if image.size != sizes.scaled:
        image = image.resize(sizes.scaled, Image.Resampling.LANCZOS)
    if to_srgb and picture.mode not in FOREIGN and image.mode == "RGB":
        image = to_srgb(image)
    if sizes.final != sizes.scaled:
        bare, image = image, Image.new(image.mode, sizes.final, _white(image.mode))
        gap = (sizes.final[0] - bare.width, sizes.final[1] - bare.height)
        image.paste(bare, (gap[0] // 2, gap[1] // 2))
    image.info.clear()  # no profile, no place, no comment goes out
    return image


def _plain(part: Image, to_srgb: Callable[[Image], Image] | None) -> Image:
    """Return it as 8-bit RGB or grey, laid on white."""
    from PIL import Image

    if part.mode in DEEP:
        # Values to 65535 become values to 255.
        return part.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if part.mode in FOREIGN and to_srgb:
        return to_srgb(part)
    mode = "L" if part.mode in _GREY else "RGB"
    if not part.has_transparency_data:
        return part.convert(mode)
    paper = Image.new(mode, part.size, _white(mode))
    paper.paste(part.convert("RGBA").convert(mode), mask=_alpha(part))
    return paper


def _white(mode: str) -> int | tuple[int, int, int]:
    return _WHITE if mode == "L" else (_WHITE, _WHITE, _WHITE)


def _colours(picture: Image) -> Callable[[Image], Image] | None:
    """What translates its colours to sRGB; None if its profile is broken, or there is none."""
    profile = picture.info.get("icc_profile", b"")
    mode = picture.mode if picture.mode in FOREIGN else "RGB"
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _LARGEST_PROFILE:
        return None
    from PIL import ImageCms

    try:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        translation = ImageCms.buildTransform(own, srgb, mode, "RGB")
    except ImageCms.PyCMSError:
        return None
    except flaws():
        return None

    def translated(image: Image) -> Image:
        try:
            return ImageCms.applyTransform(image, translation) or image
        except ImageCms.PyCMSError:
            return image.convert("RGB")

    return translated


def encoded(image: Image, *, lossless: bool, most: int) -> tuple[bytes, str]:
    """As PNG where nothing was lost so far and that is small; else as JPEG below `most` bytes."""
    small = image.width * image.height <= _PNG_PIXELS
    if lossless and (small or image.getcolors(_FEW_COLOURS)):
        data = _saved(image, "PNG")
        if len(data) <= most:
            return data, "image/png"
    data = _saved(image, "JPEG", quality=_BEST, subsampling=0)
    if len(data) > most:
        data = _saved(image, "JPEG", quality=_GOOD)
    return data, "image/jpeg"


def _saved(image: Image, kind: str, **how: int) -> bytes:
    out = BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()

"""How close a frame is to a picture: robust against encoding, scaling and a little cropping."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 48
"""Both are compared at this many pixels a side, where grain and encoding no longer show."""
_WINDOW = 8
_STEP = 4
_SHIFTS = range(-2, 3)
"""A provider may crop by a few per cent to reach a size that its encoder takes."""
_AS_GOOD_AS_SAME = 0.95
"""No shift is looked for."""
_NOISE = 60.0
"""Variance below which a window counts as flat: then only its brightness is compared."""
_BRIGHTNESS = 100.0
"""Levels of 255 by which windows must differ to count as unrelated; providers shift by a few."""
_COLOUR = 60.0
"""The same for the colour channels, in which even strong colours are rarely further apart."""

_ENOUGH = 1024
"""Pixels a side to which a given picture is reduced at once: a large one would take long."""
_FORMATS = ("JPEG", "PNG", "WEBP")
"""What is sent to providers."""


def opened_picture(data: bytes) -> Image | None:
    """Return a given picture upright and on white; None if it cannot be opened."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            picture.draft("RGB", (_ENOUGH, _ENOUGH))
            picture.thumbnail((_ENOUGH, _ENOUGH))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception:  # noqa: BLE001  # Pillow raises whatever its decoders meet
        return None
    ground = Image.new("RGB", upright.size, "white")
    ground.paste(upright, mask=upright.getchannel("A"))
    return ground


def likeness(frame: Image, picture: Image) -> float:
    """Return 1 for the same picture and about 0 for an unrelated one.

    The picture is first fitted to the frame's shape as providers do: scaled, and cropped at the
    centre. Then it is the structural similarity (SSIM) at a small size, times how alike the colours
    are, at the best of a few small shifts.
    """
    from PIL import Image, ImageOps

    fitted = ImageOps.fit(picture, frame.size, Image.Resampling.BILINEAR)
    seen, given = _small(frame), _small(fitted)
    best = _structure(seen[0], given[0], 0, 0)
    if best < _AS_GOOD_AS_SAME:
        best = max(_structure(seen[0], given[0], dx, dy) for dx in _SHIFTS for dy in _SHIFTS)
    apart = max(_apart(seen[band], given[band]) for band in (1, 2))
    return round(max(0.0, best) * max(0.0, 1 - apart / _COLOUR), 3)


def _small(picture: Image) -> list[bytes]:
    """Return brightness and the two colour channels."""
    from PIL import Image

    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return [band.tobytes() for band in small.convert("YCbCr").split()]


def _apart(one: bytes, other: bytes) -> float:
    return sum(abs(x - y) for x, y in zip(one, other, strict=True)) / len(one)


def _structure(one: bytes, other: bytes, dx: int, dy: int) -> float:
    margin = max(_SHIFTS)
    total = count = 0.0
    for top in range(margin, _SIDE - margin - _WINDOW + 1, _STEP):
        for left in range(margin, _SIDE - margin - _WINDOW + 1, _STEP):
            total += _window(_cut(one, left, top), _cut(other, left + dx, top + dy))
            count += 1
    return total / count


def _cut(data: bytes, left: int, top: int) -> bytes:
    rows = range(top * _SIDE + left, (top + _WINDOW) * _SIDE + left, _SIDE)
    return b"".join(data[row : row + _WINDOW] for row in rows)


def _window(one: bytes, other: bytes) -> float:
    size = len(one)
    mean_one, mean_other = sum(one) / size, sum(other) / size
    var_one = sum(x * x for x in one) / size - mean_one**2
    var_other = sum(x * x for x in other) / size - mean_other**2
    both = sum(x * y for x, y in zip(one, other, strict=True)) / size - mean_one * mean_other
    structure = (2 * both + _NOISE) / (var_one + var_other + _NOISE)
    return structure * max(0.0, 1 - abs(mean_one - mean_other) / _BRIGHTNESS)

"""Which pictures are opened, by which decoder, and what is refused before it is decoded."""

from __future__ import annotations

import logging
import re
import struct
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.media.opening import INSTALL

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 1024**3 // 4 // 3
"""Where Pillow itself begins to suspect a decompression bomb: 89 million."""
SCANS = 100
"""Each scan of a JPEG covers the whole picture; ten are usual, and thousands take minutes."""
_TIFF_VALUES = 100_000
"""Numbers in one tag of a TIFF: a strip for each line of the tallest picture, and more."""
_RUN_LENGTH_BYTES = 1_000_000
"""Pillow reads a run-length encoded BMP in Python: about a second for a million bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFormat:
    """A format that is read."""

    name: str
    """Pillow's name of the decoder."""
    words: str
    """With its article."""
    mime: str = ""
    """Empty for one that providers do not take: it is re-encoded."""
    most_pixels: int = PIXELS
    frames: str = "an animation"
    """What several pictures in one file are; empty where those are small copies."""
    upright: bool = False
    """The decoder turns it, whatever its EXIF says."""


JPEG = PictureFormat(name="JPEG", words="a JPEG picture", mime="image/jpeg", frames="")
PNG = PictureFormat(name="PNG", words="a PNG picture", mime="image/png")
WEBP = PictureFormat(
    name="WEBP",
    words="a WebP picture",
    mime="image/webp",
    # Its decoder takes four times the memory: 1.4 GB for 88 million (Pillow 12.3, 2026-11).
    most_pixels=PIXELS // 4,
)
GIF = PictureFormat(name="GIF", words="a GIF picture")
BMP = PictureFormat(name="BMP", words="a BMP picture")
TIFF = PictureFormat(name="TIFF", words="a TIFF picture", frames="a TIFF of several pages")
# These decoders keep the picture two or three times; phones make 50 million pixels.
_KEPT_TWICE = PIXELS * 3 // 5
HEIC = PictureFormat(
    name="HEIC", words="a HEIC picture", most_pixels=_KEPT_TWICE, frames="", upright=True
)
AVIF = PictureFormat(name="AVIF", words="an AVIF picture", most_pixels=_KEPT_TWICE)

_FORMATS: tuple[tuple[re.Pattern[bytes], PictureFormat], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", JPEG),
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"RIFF....WEBP", WEBP),
        (rb"GIF8[79]a", GIF),
        (rb"BM.{4}\0{4}", BMP),
        (rb"II\*\0|MM\0\*", TIFF),
        (rb"....ftyp(?:avif|avis|mif1.{0,40}avif)", AVIF),
        (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", HEIC),
    )
)
_OTHERS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind, how)
    for pattern, kind, how in (
        (rb"....ftyp", "a video", "save one frame of it as PNG or JPEG"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture", "save it as JPEG or PNG"),
        (rb"%PDF-", "a PDF", "export the page as PNG"),
        (
            rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg",
            "an SVG drawing",
            "export it as PNG",
        ),
        (rb"$", "an empty file", "give another picture"),
    )
)
_SCAN = re.compile(rb"\xff\xda\0[\x06-\x0e]")
"""The marker and its header's length: a video after the picture may contain the marker alone."""
_TEXT_TYPES = frozenset({1, 2, 6, 7})
"""The types of a TIFF's tags whose values are bytes."""
_SUBFILE, _SUB_DIRECTORIES = 254, 330


def refused(what: str, how: str) -> InvalidRequestError:
    """`what` without its full stop; `how` as an imperative clause."""
    return InvalidRequestError(f"{what}.", Step(Do.TRY, how))


def damaged(name: str) -> InvalidRequestError:
    return refused(
        f"{name} is damaged or truncated and cannot be opened as a picture",
        "save it again or give another",
    )


def flaws() -> tuple[type[Exception], ...]:
    """What decoders raise for damaged pictures."""
    import zlib

    from PIL import Image

    return (
        Image.DecompressionBombError,
        *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError),
        *(ArithmeticError, AttributeError, RuntimeError, MemoryError, struct.error, zlib.error),
    )


def format_of(name: str, data: bytes) -> PictureFormat:
    """Tell the format by the first bytes; refuses what is no picture that can be read here."""
    head = data[:2048]
    found = next((kind for pattern, kind in _FORMATS if pattern.match(head)), None)
    if found is HEIC:
        _need_heic(name)
    if found is AVIF and not _has_avif():
        raise refused(
            f"{name} is not a JPEG, PNG or WebP picture but an AVIF picture",
            "save it as JPEG or PNG",
        )
    if found:
        return found
    what = f"{name} is not a JPEG, PNG or WebP picture"
    for pattern, kind, how in _OTHERS:
        if pattern.match(head):
            raise refused(f"{what} but {kind}", how)
    raise refused(what, "give a photo or drawing saved as one of these")


def check_size(name: str, kind: PictureFormat, size: tuple[int, int]) -> None:
    """Refuse what would take too much memory to decode, and what has no size."""
    if size[0] * size[1] > kind.most_pixels:
        raise refused(
            f"{name} has more than {kind.most_pixels // 10**6} million pixels",
            "make the picture smaller",
        )
    if min(size) < 1:
        raise damaged(name)


def check_header(name: str, kind: PictureFormat, picture: Image) -> None:
    """Refuse by what its header says: too large, or several pictures."""
    check_size(name, kind, picture.size)
    if kind.frames and getattr(picture, "is_animated", False):
        raise refused(f"{name} is {kind.frames}", "save one frame of it as PNG or JPEG")


def check_structure(name: str, kind: PictureFormat, data: bytes) -> None:
    """Refuse what would take too long to decode: a decoder in a thread cannot be stopped."""
    if kind is JPEG and len(_SCAN.findall(data)) > SCANS:
        raise refused(
            f"{name} is a JPEG of more than {SCANS} scans", "save it again or give another"
        )
    if kind is BMP and data[30:34] in (b"\1\0\0\0", b"\2\0\0\0") and len(data) > _RUN_LENGTH_BYTES:
        raise refused(f"{name} is a large run-length encoded BMP", "save it as PNG")
    if kind is TIFF:
        _check_tiff(name, data)


def _check_tiff(name: str, data: bytes) -> None:
    order = "<" if data.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(f"{order}L", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        rows = [struct.unpack_from(f"{order}HHL", data, start + 2 + 12 * at) for at in range(count)]
        values = {
            tag: struct.unpack_from(f"{order}L", data, start + 10 + 12 * at)[0]
            for at, (tag, _, _) in enumerate(rows)
        }
    except struct.error:
        raise damaged(name) from None
    if any(many > _TIFF_VALUES for _, kind, many in rows if kind not in _TEXT_TYPES):
        raise damaged(name)
    # A camera's raw file begins with a small copy; the picture itself is in a directory below.
    if _SUB_DIRECTORIES in values and _is_reduced(values.get(_SUBFILE, 0)):
        raise refused(f"{name} is a raw picture of a camera", "save it as JPEG")


def _is_reduced(subfile: int) -> bool:
    return subfile & 1 == 1 or subfile >> 16 & 1 == 1


def open_picture(data: bytes, kind: PictureFormat) -> Image:
    """Open a picture, and decode nothing of it yet, with this one decoder.

    Raises one of flaws() if it is damaged; Pillow's own limit of pixels is among them.
    """
    from PIL import Image

    # Pillow prints its doubts about broken metadata to standard error, or logs them.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL\.", category=UserWarning)
    warnings.filterwarnings("ignore", module=r"PIL\.", category=Image.DecompressionBombWarning)
    if kind is HEIC:
        return _open_heic(data)
    if kind is TIFF:
        _silence_libtiff()
    # Only this decoder: the many others of Pillow are not reachable from here.
    return Image.open(BytesIO(data), formats=[kind.name])


@cache
def _silence_libtiff() -> None:
    """Stop it from printing to standard error what it finds wrong with a picture."""
    import ctypes

    from PIL import _imaging

    with suppress(OSError, AttributeError):  # where it is not a library of its own
        libraries = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            getattr(libraries, name)(None)


def _open_heic(data: bytes) -> Image:
    from importlib import import_module

    plugin = import_module("pi_heif")  # it has no types
    # Without registration: other parts of this program open what they name, and no HEIC.
    picture: Image = plugin.HeifImageFile(BytesIO(data))
    return picture


def is_lossless(kind: PictureFormat, data: bytes) -> bool:
    return kind in (PNG, GIF, BMP, TIFF) or (kind is WEBP and data[12:16] == b"VP8L")


def _need_heic(name: str) -> None:
    from importlib.util import find_spec

    if find_spec("pi_heif") is None:
        raise InvalidRequestError(
            f"{name} is a HEIC picture, the format of many phones, which cannot be opened without "
            "pi-heif.",
            Step(Do.TRY, "export it as JPEG"),
            Step(Do.ARRANGE, INSTALL),
        )


def _has_avif() -> bool:
    from PIL import features

    return "avif" in features.modules and features.check("avif") is True

"""Input images from data URLs and loopback addresses: checked by the documented rules, stored.

Rules (seed 001 section 1.2): JPG, JPEG, PNG or WebP; below 20 MB; short side above 300 px; shape
between 2:5 and 5:2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from hailuo_mcp.sandbox.loopback import call, is_loopback
from hailuo_mcp.sandbox.refusal import invalid

_MOST_BYTES = 20 * 1024 * 1024
_LEAST_SIDE = 300
_MOST_ASPECT = 2.5
_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image that was read: its key in the state folder, and its size."""

    sha256: str
    size: tuple[int, int]
    """Width and height."""


def decode(url: str) -> bytes:
    """Return the bytes of a data URL, or refuse it."""
    head, comma, payload = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise invalid("image must be data:image/<type>;base64,<data> or a public URL")
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error:
        raise invalid("image is not valid base64") from None


async def fetch(reference: str, name: str, state_dir: Path) -> Picture | None:
    """Read, check and keep one image; None for none, and for a public URL, taken on trust."""
    if not reference:
        return None
    if reference.startswith("data:"):
        content = decode(reference)
    elif is_loopback(reference):
        try:
            status, content = await call("GET", reference)
        except OSError:
            raise invalid(f"{name} could not be downloaded") from None
        if status != HTTPStatus.OK:
            raise invalid(f"{name} could not be downloaded, HTTP {status}")
    elif reference.startswith(("http://", "https://")):
        return None
    else:
        raise invalid(f"{name} must be a public URL or a data URL")
    size = _measure(content, name)
    return Picture(sha256=keep(content, state_dir), size=size)


def size_of(content: bytes, name: str) -> tuple[int, int]:
    """Return an image's width and height as it is to be seen, or refuse it."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            opened.load()
            return ImageOps.exif_transpose(opened).size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise invalid(f"{name} is not a JPG, PNG or WebP image") from None


def _measure(content: bytes, name: str) -> tuple[int, int]:
    if len(content) >= _MOST_BYTES:
        raise invalid(f"{name} must be smaller than 20MB")
    width, height = size_of(content, name)
    if min(width, height) <= _LEAST_SIDE:
        raise invalid(f"{name} must have a short side above 300px")
    if max(width, height) / min(width, height) > _MOST_ASPECT:
        raise invalid(f"{name} must have an aspect ratio between 2:5 and 5:2")
    return width, height


def keep(content: bytes, state_dir: Path) -> str:
    """Store an input under its hash, which is returned."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = kept_at(sha256, state_dir)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_bytes(content)
        part.replace(path)
    return sha256


def kept_at(sha256: str, state_dir: Path) -> Path:
    """Return where the bytes of an input image lie, for whichever process renders the clip."""
    return state_dir / "inputs" / sha256

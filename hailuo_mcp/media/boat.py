"""A picture of our own to begin a clip with, where none is at hand."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

_SIDE = 512
"""Pixels."""


def boat_picture() -> str:
    """A boat on a pond as a data URL: a PNG, the same bytes each time."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_SIDE, _SIDE), (150, 190, 215))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 260, _SIDE, _SIDE), fill=(60, 110, 140))
    draw.polygon(((156, 290), (356, 290), (306, 345), (206, 345)), fill=(240, 235, 225))
    draw.polygon(((256, 170), (256, 285), (336, 285)), fill=(225, 215, 200))
    png = BytesIO()
    picture.save(png, "PNG")
    return f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"

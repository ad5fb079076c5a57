"""Small pictures as data URLs."""

import base64
import io

from PIL import Image


def png(width: int = 640, height: int = 360, colour: str = "#3366cc", kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

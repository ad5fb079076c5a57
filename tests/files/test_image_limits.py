"""Pictures that are too much: bytes, pixels and scans, refused before they are decoded."""

import base64
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.images import PICTURE, OpenedImage, most_bytes, open_image
from hailuo_mcp.rules.images import image_problems

pytestmark = pytest.mark.anyio


def jpeg(*, progressive: bool = False) -> bytes:
    out = BytesIO()
    Image.effect_noise((400, 320), 60).convert("RGB").save(out, "JPEG", progressive=progressive)
    return out.getvalue()


def inline(data: bytes) -> str:
    return f"data:;base64,{base64.b64encode(data).decode()}"


async def no_fetch(url: str, _: object) -> bytes:
    raise AssertionError(f"fetched {url}")


async def opened(source: str, folders: Folders | None = None) -> OpenedImage:
    return await open_image(source, folders=folders, fetch=no_fetch)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    for side in (10_000, 12_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(10**6)))
            + chunk(b"IEND", b"")
        )
        with pytest.raises(InvalidRequestError, match="89 million pixels"):
            await opened(inline(bomb))


def webp(width: int, height: int) -> bytes:
    """The header of a lossless one: 14 bits each for width and height."""
    size = (width - 1) | (height - 1) << 14
    chunk = b"VP8L" + struct.pack("<I", 26) + b"\x2f" + struct.pack("<I", size) + bytes(21)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


async def test_a_webp_that_would_take_a_gigabyte_is_refused_by_its_header() -> None:
    with pytest.raises(InvalidRequestError, match="more than 22 million pixels"):
        await opened(inline(webp(16383, 5400)))


async def test_a_jpeg_of_thousands_of_scans_is_not_decoded() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    ordinary = data + b"\xff\xda film" * 1000
    assert (await opened(inline(ordinary))).facts.width == 400
    with pytest.raises(InvalidRequestError, match="more than 100 scans"):
        await opened(inline(data[:last] + data[last:-2] * 100 + data[-2:]))


async def test_the_largest_picture_is_what_the_check_takes() -> None:
    data = jpeg()

    def of(size: int) -> str:
        return inline(data + bytes(size - len(data)))

    image = await opened(of(19_999_999))
    assert not image_problems("picture", image.facts)
    assert image.facts.size == 19_999_999
    larger = await opened(of(20_000_000))
    assert larger.changes == ("re-encoded as JPEG to stay below 20 MB",)
    assert larger.facts.size < most_bytes()


async def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folders = Folders(output_dir=tmp_path, home=tmp_path)
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(8 * 2**30)
    with pytest.raises(InvalidRequestError, match=r"8589\.9 MB, and the limit is 64 MB"):
        await opened("huge.png", folders)
    with pytest.raises(InvalidRequestError, match="more than 64 MB"):
        await opened("data:image/png;base64," + "AAAA" * (PICTURE.most_bytes // 3 + 2))

    async def fetch(_url: str, _: object) -> bytes:
        return bytes(PICTURE.most_bytes + 1)

    with pytest.raises(InvalidRequestError, match="more than 64 MB"):
        await open_image("https://cdn.example/a", folders=None, fetch=fetch)

"""Pictures in: what is taken, what it is found to be, and what is never sent."""

import base64
import hashlib
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.images import OpenedImage, open_image
from hailuo_mcp.wording.person import error_text

pytestmark = pytest.mark.anyio


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 320), **how: object) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, kind, **how)
    return out.getvalue()


def animation(kind: str) -> bytes:
    out = BytesIO()
    frames = [Image.new("RGB", (400, 320), shade) for shade in ("red", "blue", "green")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def inline(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def no_fetch(url: str, _: object) -> bytes:
    raise AssertionError(f"fetched {url}")


async def opened(source: str, folders: Folders | None = None) -> OpenedImage:
    return await open_image(source, folders=folders, fetch=no_fetch)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(output_dir=tmp_path, home=tmp_path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_is_known_by_its_bytes(tmp_path: Path, folders: Folders, kind: str) -> None:
    data = picture(kind)
    (tmp_path / "cat.gif").write_bytes(data)
    image = await opened("cat.gif", folders)
    assert image.facts.mime == f"image/{kind.lower()}"
    assert (image.facts.width, image.facts.height, image.facts.size) == (400, 320, len(data))
    assert image.facts.sha256 == hashlib.sha256(data).hexdigest()
    assert image.wire == inline(data, image.facts.mime)


async def test_the_same_bytes_are_the_same_picture_whatever_their_source(
    tmp_path: Path, folders: Folders
) -> None:
    data = picture()
    (tmp_path / "cat.png").write_bytes(data)

    async def fetch(url: str, _: object) -> bytes:
        return data

    async def sent(upload_id: str) -> bytes | None:
        return {"7": data}.get(upload_id)

    url = "https://cdn.example/cat"
    remote = await open_image(url, folders=None, fetch=fetch)
    uploaded = await open_image("upload:7", folders=None, fetch=no_fetch, upload=sent)
    seen = [await opened("cat.png", folders), await opened(inline(data)), uploaded]
    assert {image.facts for image in seen} == {remote.facts}
    assert remote.wire == url
    assert {image.wire for image in seen} == {inline(data)}


async def test_a_mended_picture_is_sent_itself_and_not_its_address() -> None:
    async def fetch(url: str, _: object) -> bytes:
        return picture("BMP")

    image = await open_image("https://cdn.example/cat", folders=None, fetch=fetch)
    assert image.url == ""
    assert image.wire == inline(image.data)
    assert image.facts.sha256 == hashlib.sha256(image.data).hexdigest()
    assert image.changes == ("re-encoded as PNG: it was a BMP picture",)


@pytest.mark.parametrize(
    ("turn", "seen"), [(1, (400, 320)), (3, (400, 320)), (6, (320, 400)), (8, (320, 400))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_on_its_side_is_measured_as_it_is_seen(
    kind: str, turn: int, seen: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    image = await opened(inline(picture(kind, exif=exif)))
    assert (image.facts.width, image.facts.height) == seen


async def test_base64_is_read_generously(folders: Folders) -> None:
    data = picture(size=(32, 32))
    plain = base64.b64encode(data).decode()
    lines = "\r\n ".join(plain[i : i + 76] for i in range(0, len(plain), 76))
    escaped = plain.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    safe = base64.urlsafe_b64encode(data).decode().rstrip("=")
    for payload in (plain, lines, escaped, safe):
        for header in ("data:image/png;base64", "DATA:text/html;charset=x;BASE64", "data:;base64"):
            image = await opened(f"{header},{payload}")
            assert image.data == data
            assert image.facts.mime == "image/png"


@pytest.mark.parametrize(
    "source",
    [
        "data:image/png;base64,...",
        "data:image/png;base64,<data>",
        "data:image/png,%89PNG",
        "data:image/png;base64",
        "data:",
        "data:image/png;base64,abcde",
        "data:image/png;base64,",
        "data:image/png;base64,iVBORw0KGgo",
    ],
)
async def test_a_data_url_without_a_picture_is_refused(source: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"[Dd]ata URL"):
        await opened(source)


async def test_a_text_file_called_png_is_refused_unsent(tmp_path: Path, folders: Folders) -> None:
    (tmp_path / "id.png").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n")
    with pytest.raises(
        InvalidRequestError, match=r"'id\.png' is not a JPEG, PNG or WebP picture"
    ) as refused:
        await opened("id.png", folders)
    assert "BEGIN" not in str(refused.value)


@pytest.mark.parametrize(
    "start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 "]
)
async def test_a_secret_behind_a_picture_s_first_bytes_is_refused(start: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="damaged or truncated"):
        await opened(inline(start + b"password=hunter2\n" * 50))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "video"),
        (b"\xff\x0a" + bytes(50), "JPEG XL"),
        (b"", "empty file"),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<svg onload='x'/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"<html>", "not a JPEG"),
    ],
)
async def test_other_formats_are_named_with_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a JPEG, PNG or WebP picture") as refused:
        await opened(inline(data))
    assert re.search(words, error_text(refused.value))


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(50),
        b"BM\x36\0\0\0\0\0\0\0" + bytes(50),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
        b"II*\0" + bytes(50),
        b"MM\0*" + bytes(2),
    ],
)
async def test_the_beginning_of_a_picture_alone_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="damaged or truncated"):
        await opened(inline(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
async def test_a_picture_cut_short_is_refused(kind: str, share: float) -> None:
    data = picture(kind)
    with pytest.raises(InvalidRequestError, match="damaged or truncated"):
        await opened(inline(data[: int(len(data) * share)]))


async def test_a_png_without_its_last_chunk_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="damaged or truncated"):
        await opened(inline(picture("PNG")[:-5]))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
async def test_an_animation_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRequestError, match="is an animation"):
        await opened(inline(animation(kind)))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("http://cdn.example/cat.png", "https://"),
        ("ftp://cdn.example/cat.png", "ftp: address"),
        ("sandbox:/mnt/data/cat.png", "sandbox: address"),
        ("upload:nothing", "no uploaded picture"),
        ("", "empty"),
        ("iVBORw0KGgo" + "A" * 300, "is base64 without"),
        ("task:v1#last", "no clips are kept here"),
        ("task:v1", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
        ("task:v1#", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
        ("task:v1#middle", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
        ("task:v1#-2s", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
        ("task:#last", "names no task"),
        ("/9j/" + "A" * 9000, "is base64 without"),
        ("https://cdn.example/my cat.png", "Percent-encode"),
    ],
)
async def test_what_cannot_be_opened_is_explained(
    folders: Folders, source: str, words: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await opened(source, folders)
    assert words in error_text(refused.value)


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "cat.png", "file:///etc/passwd", "~/cat.png", "C:\\cat.png"]
)
async def test_remote_callers_read_no_path_at_all(tmp_path: Path, source: str) -> None:
    with pytest.raises(InvalidRequestError, match="reads no files for callers on other computers"):
        await opened(source, None)


async def test_a_refusal_of_the_fetch_comes_through() -> None:
    async def fetch(url: str, _: object) -> bytes:
        raise InvalidRequestError("The picture's host did not answer within 3 s.")

    with pytest.raises(InvalidRequestError, match="within 3 s"):
        await open_image("https://cdn.example/a", folders=None, fetch=fetch)


@pytest.fixture(scope="module")
def small() -> dict[str, bytes]:
    return {kind: picture(kind, (40, 30)) for kind in ("JPEG", "PNG", "WEBP")}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@settings(max_examples=60)
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=12))
async def test_no_damage_ends_in_anything_but_a_refusal(
    small: dict[str, bytes], kind: str, at: float, junk: bytes
) -> None:
    data = bytearray(small[kind])
    place = int(at * len(data))
    data[place : place + len(junk)] = junk
    with suppress(InvalidRequestError):
        await opened(inline(bytes(data)))

"""Pictures made fit: what goes out, what is said about it, and what is left to a decision."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from PIL import Image, ImageCms, features

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.media import picture_formats, pictures
from hailuo_mcp.media.pictures import FitPicture, fit_picture
from hailuo_mcp.rules.picture_sizes import fitting_sizes
from hailuo_mcp.wording.person import error_text

PHONE = (Path(__file__).parent / "pictures" / "phone.heic").read_bytes()
"""From an encoder of HEIC, 480×640 px upright; its EXIF still says that it must be turned."""
GREY = Image.effect_noise((400, 320), 60)
PHOTO = Image.merge("RGB", (GREY, GREY.transpose(Image.Transpose.ROTATE_180), GREY))


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


@cache
def drawing() -> Image.Image:
    return PHOTO.quantize(16)


def with_alpha(alpha: int | Image.Image, image: Image.Image = PHOTO) -> Image.Image:
    image = image.copy()
    image.putalpha(alpha)
    return image


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    return exif


def opened(made: FitPicture) -> Image.Image:
    """As a provider opens it: only its three formats, and what is said of it is true."""
    image = Image.open(BytesIO(made.data), formats=["JPEG", "PNG", "WEBP"])
    image.load()
    assert Image.MIME[image.format or ""] == made.mime
    assert image.size == (made.width, made.height)
    return image


DEEP = Image.new("I;16", (400, 320), 40_000)
# Encoded by the test that needs it: all who collect the tests read this file.
FINE: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: saved(PHOTO, "JPEG"),
    "progressive JPEG": lambda: saved(PHOTO, "JPEG", progressive=True),
    "JPEG upright by its EXIF": lambda: saved(PHOTO, "JPEG", exif=turned(1)),
    "grey JPEG": lambda: saved(GREY, "JPEG"),
    "PNG": lambda: saved(PHOTO, "PNG"),
    "grey PNG": lambda: saved(GREY, "PNG"),
    "PNG with alpha, opaque": lambda: saved(with_alpha(255), "PNG"),
    "WebP": lambda: saved(PHOTO, "WEBP"),
    "WebP with alpha, opaque": lambda: saved(with_alpha(255), "WEBP", lossless=True),
    "at the edge of the shapes": lambda: saved(PHOTO.resize((1000, 400)), "JPEG"),
    "at the edge of the sizes": lambda: saved(PHOTO.resize((301, 301)), "JPEG"),
    "larger than a converted one": lambda: saved(Image.new("L", (6000, 4000)), "PNG"),
}
MENDED: dict[str, tuple[Callable[[], bytes], tuple[int, int], str]] = {
    "JPEG on its side": (
        lambda: saved(PHOTO, "JPEG", exif=turned(6)),
        (320, 400),
        "turned upright by its EXIF orientation; re-encoded as JPEG",
    ),
    "PNG upside down": (
        lambda: saved(PHOTO, "PNG", exif=turned(3)),
        (400, 320),
        "turned upright by its EXIF orientation; re-encoded as PNG",
    ),
    "PNG with alpha": (
        lambda: saved(with_alpha(128), "PNG"),
        (400, 320),
        "laid on white; re-encoded as PNG: it was transparent in places",
    ),
    "grey PNG with alpha": (
        lambda: saved(Image.merge("LA", (GREY, GREY)), "PNG"),
        (400, 320),
        "laid on white; re-encoded as PNG: it was transparent in places",
    ),
    "WebP with alpha": (
        lambda: saved(with_alpha(GREY), "WEBP"),
        (400, 320),
        "laid on white; re-encoded as JPEG: it was transparent in places",
    ),
    "PNG with a palette": (
        lambda: saved(drawing(), "PNG"),
        (400, 320),
        "re-encoded as PNG: it had a palette",
    ),
    "PNG with a palette that shows through": (
        lambda: saved(drawing(), "PNG", transparency=0),
        (400, 320),
        "laid on white; re-encoded as PNG: it had a palette and it was transparent in places",
    ),
    "PNG of one bit": (
        lambda: saved(GREY.convert("1"), "PNG"),
        (400, 320),
        "re-encoded as PNG: it had one bit a pixel",
    ),
    "PNG of 16 bits": (
        lambda: saved(DEEP, "PNG"),
        (400, 320),
        "re-encoded as PNG: it had 16 bits a channel",
    ),
    "CMYK JPEG": (
        lambda: saved(PHOTO.convert("CMYK"), "JPEG"),
        (400, 320),
        "re-encoded as JPEG: its colours were CMYK",
    ),
    "CMYK TIFF": (
        lambda: saved(PHOTO.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        (400, 320),
        "re-encoded as PNG: it was a TIFF picture and its colours were CMYK",
    ),
    "TIFF of 16 bits": (
        lambda: saved(DEEP, "TIFF"),
        (400, 320),
        "re-encoded as PNG: it was a TIFF picture and it had 16 bits a channel",
    ),
    "GIF": (lambda: saved(drawing(), "GIF"), (400, 320), "re-encoded as PNG: it was a GIF picture"),
    "BMP": (lambda: saved(PHOTO, "BMP"), (400, 320), "re-encoded as PNG: it was a BMP picture"),
    "run-length encoded BMP": (
        lambda: b"BM" + (1146).to_bytes(4, "little") + bytes(4) + (1078).to_bytes(4, "little")
        + (40).to_bytes(4, "little") + (400).to_bytes(4, "little") + (320).to_bytes(4, "little")
        + b"\1\0\x08\0" + (1).to_bytes(4, "little") + bytes(20)
        + b"".join(bytes((i, i, i, 0)) for i in range(256))
        + b"\xff\x40\x91\x80\0\0" * 320 + b"\0\1",
        (400, 320),
        "re-encoded as PNG: it was a BMP picture",
    ),
    "TIFF": (lambda: saved(PHOTO, "TIFF"), (400, 320), "re-encoded as PNG: it was a TIFF picture"),
    "HEIC, upright whatever its EXIF says": (
        lambda: PHONE,
        (480, 640),
        "re-encoded as JPEG: it was a HEIC picture",
    ),
    "AVIF": (lambda: saved(PHOTO, "AVIF"), (400, 320), "re-encoded as JPEG: it was an AVIF picture"),
    "a little too small": (
        lambda: saved(PHOTO.resize((151, 200)), "PNG"),
        (301, 399),
        "enlarged from 151×200 to 301×399 px; re-encoded as PNG",
    ),
    "larger than a converted one, and a BMP": (
        lambda: saved(Image.new("L", (4200, 2100), 9), "BMP"),
        (4096, 2048),
        "scaled from 4200×2100 to 4096×2048 px; re-encoded as PNG: it was a BMP picture",
    ),
}  # fmt: skip


@pytest.mark.parametrize("encode", FINE.values(), ids=FINE)
def test_a_picture_that_is_fine_goes_out_byte_for_byte(encode: Callable[[], bytes]) -> None:
    data = encode()
    made = fit_picture("it", data)
    assert made.data == data
    assert made.changes == ()
    assert fit_picture("it", data, fit="crop") == fit_picture("it", data, fit="pad") == made
    opened(made)


@pytest.mark.parametrize(("encode", "size", "said"), MENDED.values(), ids=MENDED)
def test_what_needs_no_decision_is_mended_and_said(
    encode: Callable[[], bytes], size: tuple[int, int], said: str
) -> None:
    data = encode()
    made = fit_picture("it", data)
    image = opened(made)
    assert "; ".join(made.changes) == said
    assert image.size == size
    assert image.mode in ("L", "RGB")
    assert not image.has_transparency_data
    assert not image.getexif()
    assert "icc_profile" not in image.info
    again = fit_picture("it", made.data)
    assert again.data == made.data  # what goes out is fine
    assert again.changes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (400, 320), "white")
    upright.paste("red", (0, 0, 200, 160))
    upright.paste("blue", (200, 160, 400, 320))
    laid = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = upright.transpose(laid[orientation]) if orientation in laid else upright
    seen = opened(fit_picture("it", saved(lying, kind, exif=turned(orientation))))
    assert seen.size == (400, 320)
    assert close(seen.getpixel((50, 50)), (255, 0, 0))
    assert close(seen.getpixel((350, 50)), (255, 255, 255))
    assert close(seen.getpixel((350, 270)), (0, 0, 255))


def close(seen: object, wanted: tuple[int, ...], most: int = 12) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(one - other) <= most for one, other in zip(seen, wanted, strict=True))


def test_alpha_shows_white_and_16_bits_keep_their_brightness() -> None:
    half = opened(fit_picture("it", saved(with_alpha(128, Image.new("RGB", (400, 400))), "PNG")))
    assert close(half.getpixel((9, 9)), (127, 127, 127), 1)
    grey = opened(fit_picture("it", saved(DEEP, "PNG")))
    assert grey.getpixel((9, 9)) == round(40_000 / 257)


def test_other_colours_are_translated_by_their_profile() -> None:
    wide = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Red and green change places: a profile that is seen to have been used.
    red, green = wide.index(b"rXYZ"), wide.index(b"gXYZ")
    wide[red : red + 4], wide[green : green + 4] = b"gXYZ", b"rXYZ"
    data = saved(Image.new("RGB", (400, 400), "red"), "TIFF", icc_profile=bytes(wide))
    assert close(opened(fit_picture("it", data)).getpixel((9, 9)), (0, 255, 0))
    broken = saved(Image.new("RGB", (400, 400), "red"), "TIFF", icc_profile=b"no profile" * 20)
    assert close(opened(fit_picture("it", broken)).getpixel((9, 9)), (255, 0, 0))


def test_too_many_bytes_become_fewer() -> None:
    data = saved(Image.new("L", (4500, 1800), 90), "JPEG") + bytes(limits().image_bytes)
    made = fit_picture("it", data)
    # 4096×1638 would be a hair beyond 5:2.
    assert opened(made).size == (4095, 1638)
    assert made.changes == (
        "scaled from 4500×1800 to 4095×1638 px to stay below 20 MB",
        "re-encoded as JPEG",
    )
    least = saved(PHOTO, "JPEG", quality=85)
    assert pictures.encoded(PHOTO, lossless=True, most=len(least)) == (least, "image/jpeg")


def test_too_many_pixels_become_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.new("L", (4500, 3000), 90), "PNG")
    assert fit_picture("it", data).data == data
    monkeypatch.setattr(pictures, "MOST_PIXELS", 13_000_000)
    made = fit_picture("it", data)
    assert opened(made).size == (4096, 2731)
    assert made.changes == (
        "scaled from 4500×3000 to 4096×2731 px because it had more than 13 million pixels",
        "re-encoded as PNG",
    )


@pytest.mark.parametrize(
    ("size", "fit", "becomes", "said"),
    [
        ((1500, 400), "crop", (1000, 400), "cropped from 1500×400 to 1000×400 px"),
        ((1500, 400), "pad", (1500, 600), "padded with white bars to 1500×600 px"),
        ((350, 1500), "crop", (350, 875), "cropped from 350×1500 to 350×875 px"),
        ((350, 1500), "pad", (600, 1500), "padded with white bars to 600×1500 px"),
        ((1001, 400), "crop", (1000, 400), "cropped from 1001×400 to 1000×400 px"),
        ((1001, 400), "pad", (1001, 401), "padded with white bars to 1001×401 px"),
        ((600, 160), "crop", (752, 301), "cropped from 600×160 to 400×160 px; enlarged from 400×160 to 752×301 px"),
        ((600, 100), "pad", (753, 302), "enlarged from 600×100 to 753×125 px; padded with white bars to 753×302 px"),
        ((12000, 310), "pad", (4096, 1639), "scaled from 12000×310 to 4096×106 px; padded with white bars to 4096×1639 px"),
    ],
)  # fmt: skip
def test_a_decision_gives_a_picture_an_allowed_shape(
    size: tuple[int, int], fit: str, becomes: tuple[int, int], said: str
) -> None:
    data = saved(Image.new("RGB", size, "navy"), "PNG")
    made = fit_picture("it", data, fit=fit)
    image = opened(made)
    assert image.size == becomes
    assert made.changes == (*said.split("; "), "re-encoded as PNG")
    assert limits().allows_shape(*image.size)
    corner = (255, 255, 255) if fit == "pad" else (0, 0, 128)
    assert image.getpixel((becomes[0] - 1, becomes[1] - 1)) == corner
    assert image.getpixel((becomes[0] // 2, becomes[1] // 2)) == (0, 0, 128)


def test_a_decision_keeps_the_middle_of_a_picture_on_its_side() -> None:
    lying = Image.new("RGB", (400, 1600), "white")
    lying.paste("red", (0, 600, 400, 1000))
    made = fit_picture("it", saved(lying, "JPEG", exif=turned(6)), fit="crop")
    image = opened(made)
    assert image.size == (1000, 400)
    assert close(image.getpixel((500, 200)), (255, 0, 0))
    assert close(image.getpixel((10, 200)), (255, 255, 255))
    assert close(image.getpixel((310, 200)), (255, 0, 0))


@pytest.mark.parametrize(
    ("size", "fit"), [((1500, 400), ""), ((150, 150), ""), ((150, 150), "pad"), ((90, 20), "crop")]
)
def test_what_cannot_be_mended_is_left_to_the_judge(size: tuple[int, int], fit: str) -> None:
    made = fit_picture("it", saved(GREY.resize(size), "GIF"), fit=fit)
    image = opened(made)
    assert min(image.size) <= limits().image_short_side or not limits().allows_shape(*image.size)


def test_sizes_end_within_the_limits_or_as_they_were() -> None:
    widths = (*range(140, 160), *range(290, 310), 720, 751, 752, 753, 4097)
    for width, shape, fit, shrink in product(
        widths, (0.4, 0.41, 1.0, 2.49, 2.5, 2.6, 9.0), ("", "crop", "pad"), (False, True)
    ):
        check_sizes((width, max(1, round(width / shape))), fit, shrink=shrink)


def check_sizes(seen: tuple[int, int], fit: str, *, shrink: bool) -> None:
    rules = limits()
    sizes = fitting_sizes(seen, rules, fit, shrink=shrink)
    final = sizes.final
    if fit and final != seen:
        assert rules.allows_shape(*final)
    if rules.allows_shape(*final) and min(final) > rules.image_short_side:
        assert not shrink or max(final) <= 4096
        assert max(a / b for a, b in zip(sizes.scaled, sizes.cropped, strict=True)) <= 2.01
    else:
        assert sizes.scaled == sizes.cropped
        assert final == seen
        assert not fit or min(final) * 2 <= rules.image_short_side
        assert not rules.allows_shape(*final) or min(final) * 2 <= rules.image_short_side
    if not fit and not shrink and rules.allows_shape(*seen) and min(seen) > 300:
        assert final == seen


@pytest.mark.parametrize(
    ("encode", "words", "how"),
    [
        (lambda: saved(PHOTO, "TIFF", save_all=True, append_images=[PHOTO]), "a TIFF of several pages", "Save one frame"),
        (lambda: saved(PHOTO, "GIF", save_all=True, append_images=[GREY]), "an animation", "Save one frame"),
        (lambda: saved(Image.new("F", (400, 400)), "TIFF"), "32 bits a channel", "8 or 16 bits"),
        (lambda: saved(Image.new("I", (400, 400), 70_000), "TIFF"), "32 bits a channel", "8 or 16 bits"),
        (lambda: saved(PHOTO, "TIFF", tiffinfo={254: 1, 330: 8}), "a raw picture of a camera", "Save it as JPEG"),
        (lambda: b"BM" + bytes(28) + b"\1\0\0\0" + bytes(1_000_000), "run-length encoded", "Save it as PNG"),
        (lambda: b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "not a JPEG, PNG or WebP picture but a video", "one frame"),
    ],
)  # fmt: skip
def test_what_needs_a_person_is_refused_with_what_to_do(
    encode: Callable[[], bytes], words: str, how: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        fit_picture("'it.png'", encode())
    said = error_text(refused.value)
    assert words in said
    assert how in said
    assert said.startswith("'it.png' ")


def test_without_the_decoder_of_heic_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidRequestError, match="cannot be opened without pi-heif") as refused:
        fit_picture("it", PHONE)
    assert "Export it as JPEG" in error_text(refused.value)
    assert 'pip install "hailuo-mcp[media]"' in error_text(refused.value)


def test_without_the_decoder_of_avif_it_is_refused_as_another_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(InvalidRequestError, match="but an AVIF picture"):
        fit_picture("it", saved(PHOTO, "AVIF"))


def test_no_other_decoder_of_pillow_is_reachable() -> None:
    for kind in ("PPM", "TGA", "PCX", "ICO", "JPEG2000", "SGI"):
        with pytest.raises(InvalidRequestError, match="is not a JPEG, PNG or WebP picture"):
            fit_picture("it", saved(PHOTO.resize((200, 160)), kind))
    assert {kind.name for _, kind in picture_formats._FORMATS} == {
        *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIC", "AVIF")
    }


def test_the_limits_of_the_request_s_model_count() -> None:
    v2, data = limits(Api.V2), saved(GREY.resize((256, 260)), "PNG")
    assert fit_picture("it", data, rules=v2).data == data
    assert fit_picture("it", data).changes[0] == "enlarged from 256×260 to 301×306 px"
    heavy = saved(PHOTO, "JPEG") + bytes(limits().image_bytes)
    assert fit_picture("it", heavy, rules=v2).data == heavy
    long = fit_picture("it", saved(Image.new("L", (5761, 2400)), "PNG"), rules=v2)
    assert (long.width, long.height) == (4096, 1706)
    assert long.changes == (
        "scaled from 5761×2400 to 4096×1706 px because its long side was over 5760 px",
        "re-encoded as PNG",
    )
    most = saved(Image.new("L", (5760, 2400)), "PNG")
    assert fit_picture("it", most, rules=v2).data == most

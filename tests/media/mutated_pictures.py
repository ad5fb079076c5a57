"""Pictures of every format, broken at random: each is refused or made fit, soon and in bounds.

    python -m tests.media.mutated_pictures --count 1000 --seed 1

A child process with little memory opens them, so that a crash of a decoder is seen and named; the
number of a case and the seed make it again.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import anyio
from PIL import Image, ImageCms

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.files.images import open_image

MOST_SECONDS = 2.0
"""Of processor time, in all threads: others may use the machine."""
MOST_BYTES = 1_500_000_000
"""Of address space, the interpreter and its libraries included."""
_ROOT = Path(__file__).parents[2]
_PHONE = Path(__file__).parent / "pictures" / "phone.heic"


@cache
def originals() -> dict[str, bytes]:
    grey = Image.effect_noise((330, 310), 40)
    photo = Image.merge("RGB", (grey, grey.rotate(90).resize(grey.size), grey))
    layered = photo.copy()
    layered.putalpha(grey)
    drawing = photo.quantize(32)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    told = {"exif": exif.tobytes(), "icc_profile": profile}
    made = {
        "JPEG": saved(photo, "JPEG", quality=60, **told),
        "progressive JPEG": saved(photo, "JPEG", quality=60, progressive=True),
        "CMYK JPEG": saved(photo.convert("CMYK"), "JPEG", quality=60),
        "PNG": saved(photo, "PNG", **told),
        "PNG palette": saved(drawing, "PNG", transparency=3),
        "PNG 16": saved(Image.new("I;16", (330, 310), 999), "PNG"),
        "PNG alpha": saved(layered, "PNG"),
        "animated PNG": saved(drawing, "PNG", save_all=True, append_images=[grey]),
        "WebP": saved(photo, "WEBP", quality=60, **told),
        "lossless WebP": saved(layered, "WEBP", lossless=True),
        "GIF": saved(drawing, "GIF", transparency=3, comment=b"made"),
        "BMP": saved(photo, "BMP"),
        "BMP palette": saved(drawing, "BMP"),
        "TIFF": saved(photo, "TIFF", **told),
        "AVIF": saved(layered, "AVIF", quality=50, **told),
        "HEIC": _PHONE.read_bytes(),
    }
    for packed in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"):
        page = photo.convert("1") if packed == "group4" else photo
        made[f"TIFF {packed}"] = saved(page, "TIFF", compression=packed)
    return made


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def _flipped(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 3, 10, 100))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _truncated(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def _renumbered(data: bytearray, rng: random.Random) -> None:
    """Sizes, counts and offsets stand in the first bytes, or in directories at the end."""
    for _ in range(rng.choice((1, 2, 6))):
        near = rng.choice((64, 256, len(data)))
        wide, at = rng.choice((1, 2, 4)), rng.randrange(min(near, len(data)))
        value = rng.choice(
            (0, 1, 0x7FFF, 0xFFFF, 0x10000, 2**31 - 1, 2**32 - 1, rng.getrandbits(32))
        )
        place = rng.choice((at, len(data) - at - 1))
        data[place : place + wide] = (value % 256**wide).to_bytes(
            wide, rng.choice(("big", "little"))
        )


def _swapped(data: bytearray, rng: random.Random) -> None:
    first, second, third = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    data[first:third] = data[second:third] + data[first:second]


def _repeated(data: bytearray, rng: random.Random) -> None:
    first, second = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    data[second:second] = data[first:second] * rng.choice((1, 2, 50))


def _blanked(data: bytearray, rng: random.Random) -> None:
    first = rng.randrange(len(data))
    some = min(rng.choice((4, 64, 4096)), len(data) - first)
    data[first : first + some] = bytes([rng.choice((0, 255))]) * some


def _lengthened(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.choice((1, 100, 100_000)))


def _described(data: bytearray, rng: random.Random) -> None:
    """Absurd EXIF and ICC, in what is otherwise a good picture."""
    exif = Image.Exif()
    exif[0x0112] = rng.choice((0, 6, 9, 65535))
    about = bytearray(exif.tobytes())
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for facts in (about, profile):
        _flipped(facts, rng) if rng.random() < 0.5 else _renumbered(facts, rng)
    kind = rng.choice(("JPEG", "PNG", "WEBP", "TIFF"))
    image = Image.effect_noise((310, 305), 9).convert("RGB")
    told = {"icc_profile": bytes(profile)}
    if kind != "TIFF":
        told["exif"] = bytes(about)
    data[:] = saved(image, kind, **told)


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flipped, _truncated, _renumbered, _renumbered, _swapped, _repeated),
    *(_blanked, _lengthened, _described),
)


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """The name of a case and its bytes: always the same."""
    rng = random.Random(f"{seed} {number}")
    name, original = rng.choice(list(originals().items()))
    data = bytearray(original)
    for mutation in rng.choices(_MUTATIONS, k=rng.choice((1, 1, 2, 3))):
        mutation(data, rng)
        name += mutation.__name__
    return name, bytes(data)


async def outcome(data: bytes, fit: str) -> str:
    """Whether it was refused, taken or mended; what is sent opens as one of three formats."""

    async def fetch(url: str, _: object) -> bytes:
        raise AssertionError(url)

    async def uploaded(upload_id: str) -> bytes | None:
        return data

    try:
        image = await open_image("upload:1", folders=None, fetch=fetch, upload=uploaded, fit=fit)
    except InvalidRequestError:
        return "refused"
    with Image.open(BytesIO(image.data), formats=["JPEG", "PNG", "WEBP"]) as sent:
        sent.load()
    return "mended" if image.changes else "taken"


def tried(seed: int, numbers: range) -> Iterator[dict[str, object]]:
    """Open each; what is not a refusal is reported as its kind."""
    originals()

    async def all_of(number: int) -> dict[str, object]:
        name, data = mutated(seed, number)
        began = time.process_time()
        try:
            found = await outcome(data, ("", "crop", "pad")[number % 3])
        except Exception as trouble:  # noqa: BLE001  # each is a failure of this trial
            found = f"{type(trouble).__name__}: {trouble}"
        return {
            "number": number,
            "name": name,
            "found": found,
            "seconds": time.process_time() - began,
        }

    for number in numbers:
        yield anyio.run(all_of, number)


def _child(seed: int, numbers: range) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for row in tried(seed, numbers):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(row | {"peak": peak}), flush=True)


def trial(seed: int, count: int) -> tuple[list[dict[str, object]], list[str]]:
    """Every row, and what went wrong; a case that ends the child is one of that."""
    rows, wrong, at = list[dict[str, object]](), list[str](), 0
    while at < count:
        command = [sys.executable, "-m", "tests.media.mutated_pictures", "--child", str(at)]
        given = ["--seed", str(seed), "--count", str(count)]
        ended = subprocess.run(
            [*command, *given], capture_output=True, text=True, check=False, cwd=_ROOT
        )
        rows += map(json.loads, ended.stdout.splitlines())
        if ended.stderr:
            wrong.append(f"standard error: {ended.stderr.strip()[-400:]}")
        if ended.returncode:
            number = len(rows)
            name = mutated(seed, number)[0]
            wrong.append(f"case {number} ({name}) ended the process: {ended.returncode}")
            rows.append({"number": number, "name": name, "found": "crash", "seconds": 0, "peak": 0})
        at = len(rows)
    for row in rows:
        if row["found"] not in ("refused", "mended", "taken", "crash"):
            wrong.append(f"case {row['number']} ({row['name']}): {row['found']}")
        if row["seconds"] > MOST_SECONDS:
            wrong.append(f"case {row['number']} ({row['name']}) took {row['seconds']:.1f} s")
    return rows, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=int)
    args = parser.parse_args()
    if args.child is not None:
        _child(args.seed, range(args.child, args.count))
        return 0
    rows, wrong = trial(args.seed, args.count)
    counts = Counter(str(row["found"]) for row in rows)
    slowest = max(rows, key=lambda row: row["seconds"])
    print(f"{len(rows)} pictures: {', '.join(f'{n} {what}' for what, n in counts.most_common())}")
    print(f"slowest: {slowest['seconds']:.2f} s (case {slowest['number']}, {slowest['name']})")
    print(f"most memory: {max(row['peak'] for row in rows) / 10**6:.0f} MB")
    print("\n".join(wrong) or "nothing went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Damages clips at random: each must be read or refused, soon, in little memory, without a crash.

`python -m tests.media.mutated_clips --count 1000 --seed 1` prints the worst; the exit code is 1 if
a bound was passed. The same seed and number give the same clip. Thirty are in the test suite.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hailuo_mcp.media.clip_facts import probe
from hailuo_mcp.media.examine import Expected, examine
from hailuo_mcp.media.opening import UnreadableClipError, decoded, open_clip

from .faults import png
from .scenes import Scale, scene, write

MOST_SECONDS = 2.0
"""Of processor time, for all that is done with one clip."""
MOST_MEGABYTES = 512
"""Of memory at its peak, of which 60 are Python's and the libraries'."""
HANGS = 60.0
"""Seconds without an answer, on a busy computer."""
_ADDRESS_SPACE = 4 << 30
SMALL = Scale(width=128, height=72, fps=12, seconds=2)
EXTREMES = (0, 1, 7, 8, 16, 0x7F, 0xFFFF, 0x10000, 0x00FFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
BOXES = (
    *(b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr"),
    *(b"minf", b"stbl", b"stsd", b"avc1", b"avcC", b"stts", b"ctts", b"stss", b"stsc", b"stsz"),
    *(b"stco", b"mdat", b"moof", b"traf", b"tfhd", b"trun", b"mfra", b"esds", b"mp4a", b"udta"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    number: int
    how: str
    """Read, refused with a reason, or what must not be: a crash, a hang, an error."""
    seconds: float = 0.0
    megabytes: float = 0.0
    fine: bool = True


def originals(folder: Path) -> list[bytes]:
    frames = scene(SMALL)
    variants: list[tuple[str, dict[str, object]]] = [
        ("sound", {"sound": "tone"}),
        ("index-last", {"movflags": ""}),
        ("turned", {"turn": 90, "options": {"g": "1"}}),
        ("uneven", {"times": [index**1.1 / 12 for index in range(len(frames))]}),
        ("mpeg4", {"codec": "mpeg4", "sound": "silence"}),
        ("fragmented", {"movflags": "frag_keyframe+empty_moov", "options": {"g": "6"}}),
    ]
    made = []
    for name, more in variants:
        path = write(folder / f"{name}.mp4", frames, fps=SMALL.fps, **more)  # type: ignore[arg-type]
        made.append(path.read_bytes())
    return made


def mutated(clips: list[bytes], chance: random.Random) -> bytes:
    data = bytearray(chance.choice(clips))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        chance.choice(MUTATIONS)(data, chance)
    return bytes(data)


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 5, 50, 500))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _index(data: bytearray) -> tuple[int, int]:
    """Where the index lies, so that it is hit more often than the frames, which are many more."""
    start = max(4, data.find(b"moov")) - 4
    size = int.from_bytes(data[start : start + 4])
    return start, max(start + 8, min(len(data), start + size))


def _flip_in_index(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 10, 40))):
        at = chance.randrange(*_index(data))
        if at < len(data):
            data[at] ^= 1 << chance.randrange(8)


def _number_in_index(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(*_index(data))
    data[at : at + 4] = chance.choice(EXTREMES).to_bytes(4)


def _box(data: bytearray, chance: random.Random) -> int:
    places = [data.find(kind) for kind in BOXES]
    return chance.choice([place for place in places if place >= 4] or [4])


def _box_size(data: bytearray, chance: random.Random) -> None:
    at = _box(data, chance) - 4
    size = int.from_bytes(data[at : at + 4])
    near = chance.choice((size + 1, size - 1, size * 2, size // 2, *EXTREMES))
    data[at : at + 4] = (near & 0xFFFFFFFF).to_bytes(4)


def _box_field(data: bytearray, chance: random.Random) -> None:
    at = _box(data, chance) + 4 + 4 * chance.randrange(12)
    data[at : at + 4] = chance.choice(EXTREMES).to_bytes(4)


def _box_kind(data: bytearray, chance: random.Random) -> None:
    at = _box(data, chance)
    data[at : at + 4] = chance.choice(BOXES)


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _cut_out(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 4, 100, 5000))]


def _double(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.choice((4, 100, 5000))]
    data[start:start] = part * chance.choice((1, 50))


def _swap(data: bytearray, chance: random.Random) -> None:
    size = chance.choice((4, 100, 2000))
    one, other = (chance.randrange(len(data) + 1) for _ in range(2))
    data[one : one + size], data[other : other + size] = (
        data[other : other + size],
        data[one : one + size],
    )


def _blank(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    size = min(len(data) - start, chance.choice((4, 100, 5000)))
    data[start : start + size] = chance.choice((b"\0", b"\xff")) * size


def _nest(data: bytearray, chance: random.Random) -> None:
    start, end = _index(data)
    inner = bytes(data[start:end])
    for _ in range(chance.choice((1, 20, 2000))):
        inner = (8 + len(inner)).to_bytes(4) + chance.choice((b"moov", b"trak", b"udta")) + inner
    data[start:end] = inner


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip_bits, _flip_in_index, _number_in_index, _box_size, _box_field, _box_kind),
    *(_cut_off, _cut_out, _double, _swap, _blank, _nest),
)


def tried(path: Path, picture: bytes) -> str:
    """Do with a clip what is done with one; how it went."""
    ways = (
        lambda: probe(path),
        lambda: examine(path, Expected(width=1, seconds=2, first_picture=picture)),
        lambda: first_frame(path),
    )
    refusals = []
    for way in ways:
        try:
            way()
        except UnreadableClipError as trouble:
            refusals.append(str(trouble))
    return f"refused: {refusals[-1]}" if refusals else "read"


def first_frame(path: Path) -> None:
    with open_clip(path) as clip:
        next(decoded(clip)).reformat(format="rgb24")


def _child(folder: Path, seed: int, start: int, count: int) -> None:
    """Print an outcome for each clip, and before it its number: it may be the last."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    clips = [path.read_bytes() for path in sorted(folder.glob("original-*"))]
    picture = png(scene(SMALL)[0])
    path = folder / "mutated.mp4"
    for number in range(start, start + count):
        print(number, flush=True)
        path.write_bytes(mutated(clips, random.Random(f"{seed}:{number}")))
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        began, fine = time.process_time(), True
        try:
            how = tried(path, picture)
        except BaseException as trouble:  # noqa: BLE001  # whatever it is, it is a finding
            how, fine = f"{type(trouble).__name__}: {trouble}", False
        seconds, megabytes = time.process_time() - began, _peak()
        fine = fine and seconds <= MOST_SECONDS and megabytes <= MOST_MEGABYTES
        outcome = Outcome(number=number, how=how, seconds=seconds, megabytes=megabytes, fine=fine)
        print(json.dumps(asdict(outcome)), flush=True)


def _peak() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcomes(folder: Path, *, seed: int, count: int) -> Iterator[Outcome]:
    """Try that many mutated clips in processes of their own."""
    for index, data in enumerate(originals(folder)):
        (folder / f"original-{index}").write_bytes(data)
    at = 0
    while at < count:
        command = [sys.executable, "-m", "tests.media.mutated_clips", "--child", str(folder)]
        command += ["--seed", str(seed), "--start", str(at), "--count", str(count - at)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        ) as process:
            assert process.stdout
            how = ""
            while at < count:
                if not select.select([process.stdout], [], [], HANGS)[0]:
                    process.kill()
                    how = "it hangs"
                line = process.stdout.readline()
                if line.startswith("{"):
                    yield Outcome(**json.loads(line))
                    at += 1
                elif not line:
                    how = how or f"crash: the process ended with {process.wait()}"
                    break
        if how:
            yield Outcome(number=at, how=how, fine=False)
            at += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.child, given.seed, given.start, given.count)
        return 0
    with tempfile.TemporaryDirectory() as name:
        found = list(outcomes(Path(name), seed=given.seed, count=given.count))
    for how, number in Counter(one.how for one in found).most_common():
        print(f"{number:6} {how}")
    slowest, largest = (max(found, key=key) for key in (lambda o: o.seconds, lambda o: o.megabytes))
    print(f"longest: {slowest.seconds:.2f} s of processor time (number {slowest.number})")
    print(f"most memory: {largest.megabytes:.0f} MB (number {largest.number})")
    wrong = [one for one in found if not one.fine]
    for one in wrong:
        print("WRONG", one)
    print(f"{len(found)} clips, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

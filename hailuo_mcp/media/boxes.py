"""The boxes that an MP4 is made of (ISO/IEC 14496-12, 4.2), read without a decoder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_PLAIN_HEADER = 8
_LARGE_HEADER = 16
_MOST_BOXES = 10_000
"""On one level; a clip has a handful, and millions of tiny ones are an attack on our time."""
_TRACK_HEADER = 100
"""Bytes of a tkhd that are read; it has at most 96 (8.3.2)."""
_FRAMES = b"mdat"
"""The box of the frames themselves; everything else counts as index."""
_MOST_INDEX_BYTES = 32 << 20
"""Ten minutes need less than one megabyte, embedded pictures some more."""
_MOST_TRACKS = 32
"""A clip has two, one from an editor perhaps ten."""
_MOST_SAMPLES = 2_000_000
"""Of all tracks; the decoder keeps about 30 bytes for each. Ten minutes have 50,000."""
_MOST_EDITS = 64
"""Of all tracks; each may copy the whole index. A track has one or two."""


class BrokenBoxesError(ValueError):
    """The boxes cannot be read, or should not be. Its text is a clause: "it …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a box lies, in bytes from the start of the file."""

    kind: bytes
    content: int
    end: int
    """May lie after the end of what it is in: then that is truncated."""
    open_end: bool = False
    """Its length is not stated: it goes on to the end of the file."""


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two positions; raises BrokenBoxesError."""
    position, count = start, 0
    while position < end:
        file.seek(position)
        header = file.read(_LARGE_HEADER)
        size, kind = int.from_bytes(header[:4]), header[4:8]
        least = _PLAIN_HEADER
        if size == 1:
            size, least = int.from_bytes(header[8:16]), _LARGE_HEADER
        open_end = size == 0
        if open_end:
            size = end - position
        count += 1
        if size < least or count > _MOST_BOXES:
            raise BrokenBoxesError("its boxes are inconsistent")
        yield Box(kind=kind, content=position + least, end=position + size, open_end=open_end)
        position += size


def length(file: BinaryIO) -> int:
    """Return the file's length in bytes."""
    return file.seek(0, os.SEEK_END)


def find(file: BinaryIO, path: tuple[bytes, ...]) -> Iterator[Box]:
    """Yield all boxes at a path such as moov, trak; raises BrokenBoxesError."""
    yield from _find(file, 0, length(file), path)


def _find(file: BinaryIO, start: int, end: int, path: tuple[bytes, ...]) -> Iterator[Box]:
    for box in boxes(file, start, end):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from _find(file, box.content, min(box.end, end), path[1:])


def lacks_picture(file: BinaryIO) -> bool:
    """Whether it certainly has no picture track: it has tracks, and all are something else.

    An index that cannot be understood says nothing.
    """
    kinds: list[bytes] = []
    try:
        for track in find(file, (b"moov", b"trak")):
            inside = _find(file, track.content, track.end, (b"mdia", b"hdlr"))
            handler = next(inside, None)
            if handler is None or len(kinds) == _MOST_TRACKS:
                return False
            file.seek(handler.content + 8)  # after version, flags and a field that is 0
            kinds.append(file.read(4))
    except BrokenBoxesError:
        return False
    return bool(kinds) and b"vide" not in kinds


def turn(file: BinaryIO) -> int:
    """Return by how many degrees clockwise players turn the first picture track: 0, 90, 180, 270.

    Raises BrokenBoxesError.
    """
    for track in find(file, (b"moov", b"trak")):
        handler = next(_find(file, track.content, track.end, (b"mdia", b"hdlr")), None)
        header = next(_find(file, track.content, track.end, (b"tkhd",)), None)
        if not (handler and header):
            continue
        file.seek(handler.content + 8)
        if file.read(4) != b"vide":
            continue
        file.seek(header.content)
        data = file.read(_TRACK_HEADER)
        # Version 1 has 64-bit times; then comes the matrix: a, b, u, c, d, v, x, y, w.
        at = 52 if data[:1] == b"\x01" else 40
        a, b = (int.from_bytes(data[at + i : at + i + 4], signed=True) for i in (0, 4))
        return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}.get((_sign(a), _sign(b)), 0)
    return 0


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def is_whole(file: BinaryIO) -> bool:
    """Whether no box reaches beyond the end of the file."""
    end = length(file)
    try:
        return all(box.end <= end for box in boxes(file, 0, end))
    except BrokenBoxesError:
        return False


def check_bounds(file: BinaryIO) -> None:
    """Raise BrokenBoxesError if no decoder should open the file.

    A decoder trusts the counts in the index and makes room for as many frames. They are looked for
    by name, wherever they are: it also reads them where they do not belong.
    """
    end, index = length(file), bytearray()
    kinds: set[bytes] = set()
    if not end:
        raise BrokenBoxesError("it is empty")
    for box in boxes(file, 0, end):
        if not kinds and box.kind != b"ftyp":
            raise BrokenBoxesError("it does not start like an MP4")
        kinds.add(box.kind)
        if box.kind == _FRAMES:
            continue
        size = max(0, min(box.end, end) - box.content)
        if len(index) + size > _MOST_INDEX_BYTES:
            raise BrokenBoxesError("its index is too large")
        file.seek(box.content)
        index += box.kind + file.read(size)
    if b"moov" not in kinds:
        raise BrokenBoxesError("its index is missing")
    _check_index(bytes(index))


def _check_index(index: bytes) -> None:
    if b"cmov" in index:
        raise BrokenBoxesError("its index is compressed")
    if b"sidx" in index:
        # It sends the decoder to any place in the file, where nobody has looked.
        raise BrokenBoxesError("it is a segment of a stream")
    if index.count(b"trak") > _MOST_TRACKS:
        raise BrokenBoxesError(f"it has more than {_MOST_TRACKS} tracks")
    # After the name: version and flags (4 bytes), then the fields.
    samples = sum(_numbers(index, b"stsz", 8) + _numbers(index, b"stz2", 8))
    if samples + sum(_numbers(index, b"trun", 4)) > _MOST_SAMPLES:
        raise BrokenBoxesError("its index names millions of frames")
    if sum(_numbers(index, b"elst", 4)) > _MOST_EDITS:
        raise BrokenBoxesError("its index has too many edits")


def _numbers(index: bytes, kind: bytes, at: int) -> list[int]:
    """Return the 32-bit number this far into each box of a kind."""
    found: list[int] = []
    position = index.find(kind)
    while position >= 0:
        start = position + len(kind) + at
        found.append(int.from_bytes(index[start : start + 4]))
        position = index.find(kind, position + 1)
    return found

"""Reads rows from the raw pages of a damaged SQLite file.

SQLite reaches rows through a tree and stops at the first broken branch. Here each page that looks
like a leaf of a table is read by itself, so that only the rows of damaged pages are lost. Format:
the "Database File Format" page of the SQLite documentation (2026-11), sections 1.6, 2.1 and 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PAGE = 4096
"""SQLite's default, which no version of hailuo-mcp has changed."""
_LEAF = 0x0D
_LEAF_HEADER = 8
_FIRST_PAGE_HEADER = 100
_WAL_HEADER = 32
_FRAME_HEADER = 24
_COMMITTED = slice(4, 8)
"""Zero but in the last frame of a transaction."""
_SALT = slice(8, 16)
_WAL_SALT = slice(16, 24)
_LARGEST_LOCAL = PAGE - 35
_SMALLEST_LOCAL = (PAGE - 12) * 32 // 255 - 23
_LONGEST = 8 * 1024 * 1024
"""Bytes. No row of ours is longer; a damaged length may say anything."""
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""Bytes of a value by its kind, as far as the kind is not a length."""
_FLOAT, _ZERO, _ONE, _BLOB = 7, 8, 9, 12
"""Kinds: 0 is NULL, below 7 are integers; from 12 on, even ones are blobs and odd ones text."""

Value = str | bytes | int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A file as it stands with its write-ahead log, and what else of old pages lies about."""

    file: bytes
    newest: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    """Pages of the log that stand for those of the file, by number."""
    older: Sequence[bytes] = ()
    """Pages of the log that later ones, or the file, have replaced."""

    def rows(self) -> Iterator[Row]:
        """Rows of all tables as they stand, as far as their pages are whole."""
        count = max(-(-len(self.file) // PAGE), max(self.newest, default=0))
        for number in range(1, count + 1):
            yield from self._of(self._page(number), number)

    def old_rows(self) -> Iterator[Row]:
        """Rows of pages that were replaced: perhaps the only legible version of a task."""
        for page in self.older:
            yield from self._of(page, 0)
        for number in self.newest:
            yield from self._of(self._on_file(number), number)

    def _page(self, number: int) -> bytes:
        return self.newest.get(number) or self._on_file(number)

    def _on_file(self, number: int) -> bytes:
        at = (number - 1) * PAGE
        return self.file[at : at + PAGE] if number > 0 else b""

    def _of(self, page: bytes, number: int) -> Iterator[Row]:
        head = _FIRST_PAGE_HEADER if number == 1 else 0
        if len(page) < head + _LEAF_HEADER or page[head] != _LEAF:
            return
        cells = int.from_bytes(page[head + 3 : head + 5])
        for index in range(min(cells, PAGE // 4)):
            at = head + _LEAF_HEADER + 2 * index
            start = int.from_bytes(page[at : at + 2])
            try:
                row = _record(self._payload(page, start))
            except (IndexError, ValueError):
                continue  # this cell is damaged, its neighbours may not be
            yield row

    def _payload(self, page: bytes, at: int) -> bytes:
        length, at = _varint(page, at)
        _rowid, at = _varint(page, at)
        if length > _LONGEST:
            raise ValueError(length)
        local = length
        if length > _LARGEST_LOCAL:
            local = _SMALLEST_LOCAL + (length - _SMALLEST_LOCAL) % (PAGE - 4)
            local = local if local <= _LARGEST_LOCAL else _SMALLEST_LOCAL
        payload = bytearray(page[at : at + local])
        further = int.from_bytes(page[at + local : at + local + 4])
        while len(payload) < length:
            more = self._page(further)
            if len(more) <= 4:  # noqa: PLR2004  # no room for more than the next page's number
                raise ValueError(further)
            payload += more[4 : 4 + length - len(payload)]
            further = int.from_bytes(more[:4])
        return bytes(payload)


def opened(file: bytes, wal: bytes = b"") -> Pages:
    """The pages of a file and of the write-ahead log beside it.

    A log is written from its start again and again. Its first frame tells which are of the last
    time; a checksum that does not fit says nothing of the pages around it.
    """
    newest, older = dict[int, bytes](), list[bytes]()
    written = dict[int, bytes]()  # since the last commit
    first_salt = b""
    for at in range(_WAL_HEADER, len(wal) - _FRAME_HEADER - PAGE + 1, _FRAME_HEADER + PAGE):
        frame, page = wal[at : at + _FRAME_HEADER], wal[at + _FRAME_HEADER :][:PAGE]
        number, first_salt = int.from_bytes(frame[:4]), first_salt or frame[_SALT]
        if frame[_SALT] != first_salt or not 0 < number < 2**24:
            older.append(page)
            continue
        written[number] = page
        if frame[_COMMITTED] != bytes(4):
            older += (newest[again] for again in written.keys() & newest.keys())
            newest |= written
            written = {}
    older += written.values()
    if first_salt and first_salt != wal[_WAL_SALT]:
        older += newest.values()  # nobody knows whether these were the newest
        newest = {}
    return Pages(file=file, newest=newest, older=older)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:  # noqa: PLR2004  # the last byte
            return value, at + index + 1
    return (value << 8) | data[at + 8], at + 9  # the ninth byte has eight bits of the number


def _record(payload: bytes) -> Row:
    """The values of a row; ValueError or IndexError where the bytes are none."""
    header, at = _varint(payload, 0)
    kinds = list[int]()
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values = list[Value]()
    for kind in kinds:
        size = (kind - _BLOB) // 2 if kind >= _BLOB else _SIZES[kind]
        if at + size > len(payload):
            raise ValueError(size)
        values.append(_value(kind, payload[at : at + size]))
        at += size
    if at != len(payload):
        raise ValueError(at)
    return tuple(values)


def _value(kind: int, part: bytes) -> Value:
    if kind >= _BLOB:
        return part.decode("utf-8") if kind % 2 else part
    if kind == _FLOAT:
        return float(struct.unpack(">d", part)[0])
    if kind in (_ZERO, _ONE):
        return kind - _ZERO
    return int.from_bytes(part, signed=True) if kind else None
